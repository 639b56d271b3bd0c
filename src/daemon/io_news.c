/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths that come while a vhba-io runs.  One that was lost for longer than dev_loss_tmo comes back as another
 * device, which what was opened before knows nothing of.  A process opens no files, so one that follows it is
 * given all paths as they are then; the guest sees nothing of that.
 */
#include <string.h>

#include "ios_private.h"
#include "monotime.h"

/* The devices of a target come one after the other; that one of them becomes usable is told by no event. */
#define NEWS_US USEC_PER_SEC
#define NEWS_MAX_US (60 * USEC_PER_SEC)

static void look_later(struct io *io);

/* Nothing else is under way with it or with its VM. */
static bool is_idle(const struct io *io)
{
	const struct vm *vm = vm_find(&io->d->vms, io->uuid);

	return vm && !vm->op && !io->update && !io->gate && !io->logging && !io->live.leaving;
}

static void back_off(struct io *io)
{
	io->news_us = io->news_us < NEWS_MAX_US / 2 ? 2 * io->news_us : NEWS_MAX_US;
}

static int on_news(sd_event_source *s, uint64_t usec, void *user)
{
	struct io *io = user;
	bool usable, whole;

	(void)s;
	(void)usec;
	io->newsworthy = false;
	/* One that begins anew, or goes on, is given the paths that there are. */
	if (io->machine.state != IO_UP || io->held || !io_luns_found(io, &usable, &whole)) {
		io->news_us = NEWS_US;
		return 0;
	}
	/* A LUN that is without a path is waited for once: its own may come next. */
	if (!usable || (!whole && io->news_us == NEWS_US) || !is_idle(io)) {
		back_off(io);
		look_later(io);
		return 0;
	}
	back_off(io); /* should the next one not be able to open them either */
	io_event(io, "paths", "paths have come: another process takes over, and uses them");
	io_tell(io, IO_EV_UPGRADE);
	return 0;
}

static void look_later(struct io *io)
{
	io->newsworthy = true;
	daemon_timer(io->d, &io->news, mono_add(mono_now(), io->news_us), on_news, io);
}

void io_news(struct io *io)
{
	if (!io->news_us)
		io->news_us = NEWS_US;
	if (!io->newsworthy)
		look_later(io);
}

void ios_news(struct daemon *d, const char *uuid)
{
	struct io *io;

	if (!d->ios)
		return;
	TAILQ_FOREACH (io, &d->ios->list, link) {
		if (strcmp(io->uuid, uuid) || (io->newsworthy && io->news_us == NEWS_US))
			continue;
		io->news_us = NEWS_US;
		look_later(io);
	}
}

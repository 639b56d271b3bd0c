/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The array's LUNs that io_luns.c has opened, on their way to a vhba-io. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ios_private.h"
#include "log.h"

static const struct {
	enum priv_lun_part part;
	const char *word;
} words[] = {{PRIV_LUN_BSG, ",bsg"}, {PRIV_LUN_STATE, ",dev_state"}, {PRIV_LUN_ACCESS, ",access_state"}};

#define WORDS_MAX 40 /* ",sd,sg" and all of them */

static unsigned add_path(const struct io_path *p, char *text, int *fds)
{
	if (!p->fds_n)
		return 0;
	strcat(text, ",sd,sg");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (p->parts & words[i].part)
			strcat(text, words[i].word);
	memcpy(fds, p->fds, p->fds_n * sizeof(*fds));
	return p->fds_n;
}

static void send_lun(struct io *io, const struct io_lun *l, const char *word, io_conn_reply *done, void *user)
{
	char text[64 + WORDS_MAX * IO_PATHS_MAX];
	int fds[PRIV_FDS_MAX * IO_PATHS_MAX];
	unsigned n = 0;

	snprintf(text, sizeof(text), "%s %u", word, l->number);
	for (unsigned i = 0; i < l->paths; i++)
		n += add_path(&l->path[i], text, fds + n);
	if (!n)
		strcat(text, ",absent");
	if (l->one_path)
		strcat(text, ",paths=guest");
	io_conn_ask(io->conn, text, strlen(text), fds, n, done, user);
}

static void given(struct io *io, struct io_lun *l)
{
	l->given = true;
	io_lun_close(l);
	io->had[l->number] = true;
}

void io_lun_answered(void *user, const char *reply)
{
	const struct io *io = user;

	if (reply && !io_reply_is_ok(reply))
		io_event(io, "lun", "a LUN is not taken: %.200s", reply);
}

void io_luns_send(struct io *io)
{
	/* What is opened after this comes too late. */
	io->round++;
	io->opening = 0;
	for (unsigned i = 0; i < io->luns_n; i++) {
		struct io_lun *l = &io->luns[i];

		if (!io_lun_is_open(l) && !io->had[l->number])
			continue;
		if (!io_lun_is_open(l))
			io_event(io, "lun", "LUN %u has no path now: what the guest asks of it is BUSY",
				 l->number);
		send_lun(io, l, "lun-add", io_lun_answered, io);
		given(io, l);
	}
	io_record_write(io);
}

/*
 * What it lacks, and what has moved, one after the other: it takes the next when it is done with the one
 * before.  What a process has that another vhbad has started is not known, so its answer tells.
 */
#define AGAIN_US (10 * USEC_PER_MSEC)
#define AGAIN_MAX 300

struct update {
	struct daemon *d;
	char uuid[37], name[16];
	unsigned at, tries;
	bool exists; /* the one in hand: it has it already */
	sd_event_source *timer;
	ios_done *done;
	void *user;
};

static void end_update(struct update *u, const char *why)
{
	struct io *io = io_find(u->d, u->uuid, u->name);

	/* One that was given up has no say in what the next one has opened. */
	if (io && io->update == u) {
		io->update = NULL;
		io_record_write(io);
		for (unsigned i = 0; i < io->luns_n; i++)
			io_lun_close(&io->luns[i]);
	}
	u->done(u->user, why);
	sd_event_source_disable_unref(u->timer);
	free(u);
}

static void tell_next(struct update *u);

static int on_again(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	tell_next(user);
	return 0;
}

/* True: the LUN in hand is done with. */
static bool is_taken(struct update *u, struct io *io, const char *reply)
{
	struct io_lun *l = &io->luns[u->at];
	bool absent;

	if (io_reply_is_ok(reply))
		return true;
	absent = strstr(reply, strerror(ENXIO));
	if ((!absent && !strstr(reply, strerror(EEXIST))) || u->exists)
		return false;
	u->exists = true;
	u->tries = 0;
	if (io->held || (absent && io->gate))
		return false;
	/* Its nodes are those that it has: nothing was logged out meanwhile.  One that it has without a path
	 * is given its paths by a takeover (io_news.c). */
	if (absent) {
		io_lun_close(l);
		l->paths = 0;
		io_news(io);
	}
	return true;
}

static void on_told(void *user, const char *reply)
{
	struct update *u = user;
	struct io *io = io_find(u->d, u->uuid, u->name);
	char why[160];

	if (!reply || !io || io->update != u || u->at >= io->luns_n) {
		end_update(u, "vhba-io is gone, or has other LUNs now");
		return;
	}
	if (is_taken(u, io, reply)) {
		given(io, &io->luns[u->at]);
		u->at++;
		u->tries = 0;
		u->exists = false;
	} else if (++u->tries > AGAIN_MAX || (u->tries > 1 && !strstr(reply, strerror(EBUSY)))) {
		snprintf(why, sizeof(why), "LUN %u: %.120s", io->luns[u->at].number, reply);
		end_update(u, why);
		return;
	}
	daemon_timer(u->d, &u->timer, u->tries ? mono_add(mono_now(), AGAIN_US) : mono_now(), on_again, u);
}

static void tell_next(struct update *u)
{
	struct io *io = io_find(u->d, u->uuid, u->name);
	char why[80];

	while (io && u->at < io->luns_n && !io_lun_is_open(&io->luns[u->at]) &&
	       (io->luns[u->at].given || !io->luns[u->at].paths))
		u->at++;
	if (!io || io->update != u || !io->conn) {
		end_update(u, "vhba-io is gone");
	} else if (u->at >= io->luns_n) {
		end_update(u, NULL);
	} else if (!io_lun_is_open(&io->luns[u->at])) {
		snprintf(why, sizeof(why), "LUN %u: no path to it can be opened", io->luns[u->at].number);
		end_update(u, why);
	} else {
		struct io_lun *l = &io->luns[u->at];

		send_lun(io, l, l->given || u->exists ? "lun-paths" : "lun-add", on_told, u);
	}
}

static void on_all_open(struct io *io)
{
	tell_next(io->update);
}

/* Its request, if one is under way, finds that it is none any more. */
void io_luns_give_up(struct io *io)
{
	struct update *u = steal_ptr(io->update);

	if (u && io->opening)
		end_update(u, "LUNs are looked for anew");
}

void io_luns_update(struct io *io, ios_done *done, void *user)
{
	struct update *u = calloc(1, sizeof(*u));

	io_luns_give_up(io);
	if (!u) {
		done(user, "out of memory");
		return;
	}
	u->d = io->d;
	strcpy(u->uuid, io->uuid);
	strcpy(u->name, io->name);
	u->done = done;
	u->user = user;
	io->update = u;
	io_luns_open(io, false, on_all_open);
}

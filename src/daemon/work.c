/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "log.h"
#include "work.h"

static int on_turn(sd_event_source *s, void *user);

/*
 * A new source for each slice: sd-event takes what has been pending for longest first, and one that defers is
 * pending from its making on, so that one that is used again goes before everything else.
 */
static void arm(struct works *ws)
{
	int r = ws->turn ? 0 : sd_event_add_defer(ws->loop, &ws->turn, on_turn, ws);

	if (r < 0)
		log_err("the loop takes no more work: %s", strerror(-r));
}

static int on_turn(sd_event_source *s, void *user)
{
	struct works *ws = user;
	struct monotime end = mono_add(mono_now(), WORK_SLICE_US);
	struct work *w;

	(void)s;
	ws->turn = sd_event_source_disable_unref(ws->turn);
	while ((w = TAILQ_FIRST(&ws->list))) {
		work_cancel(ws, w);
		w->fn(w);
		if (mono_reached(end, mono_now()))
			break;
	}
	if (!TAILQ_EMPTY(&ws->list))
		arm(ws);
	return 0;
}

void works_init(struct works *ws, sd_event *loop)
{
	TAILQ_INIT(&ws->list);
	ws->loop = loop;
	ws->turn = NULL;
}

void works_clear(struct works *ws)
{
	ws->turn = sd_event_source_disable_unref(ws->turn);
}

void work_queue(struct works *ws, struct work *w)
{
	if (w->queued)
		return;
	w->queued = true;
	TAILQ_INSERT_TAIL(&ws->list, w, link);
	arm(ws);
}

void work_cancel(struct works *ws, struct work *w)
{
	if (!w->queued)
		return;
	w->queued = false;
	TAILQ_REMOVE(&ws->list, w, link);
}

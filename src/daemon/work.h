/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work that need not be done in this turn of the loop, in slices: when 255 VMs have something to do at once,
 * who asks for the status still gets its turn between two slices.  Loop thread only.
 */
#ifndef VHBA_WORK_H
#define VHBA_WORK_H

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "monotime.h"

#define WORK_SLICE_US (2 * USEC_PER_MSEC)

/* Part of what it belongs to. */
struct work {
	TAILQ_ENTRY(work) link;
	bool queued;
	void (*fn)(struct work *w); /* may queue it again, or free what it is part of */
};

TAILQ_HEAD(work_list, work);

struct works {
	struct work_list list;
	sd_event *loop;
	sd_event_source *turn; /* NULL while there is nothing to do */
};

/* works must stay where it is; loop is not taken over. */
void works_init(struct works *ws, sd_event *loop);
void works_clear(struct works *ws);

/* Behind what is queued already; nothing happens when it is queued itself. */
void work_queue(struct works *ws, struct work *w);
void work_cancel(struct works *ws, struct work *w);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns of vport_disable.  Where the kernel works logouts off in one queue (fc_profile's logouts), many that
 * are begun together all end together, when the last one does; a few at a time end one after the other in the
 * same time, and whose deadline comes first is done first.  A logout that lasts longer than is usual keeps
 * nobody waiting: its turn ends.
 *
 * Nothing but the order is kept here: no clock, no loop, no callbacks.  Loop thread only.
 */
#ifndef VHBA_LOGOUTS_H
#define VHBA_LOGOUTS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "monotime.h"
#include "profile.h"

TAILQ_HEAD(logout_list, logout);

struct logouts {
	struct logout_list list;
	unsigned n; /* under way, or waiting */
};

/* Who it is. */
struct logout_id {
	char uuid[37];
	unsigned vhba;
};

void logouts_init(struct logouts *l);
void logouts_clear(struct logouts *l);

/*
 * May it begin?  Asked anew as often as one likes; by: its deadline, or MONOTIME_NEVER.  True: its turn is
 * now, until logouts_end.  False: logouts_next names it later, and *before (when not NULL) is how many go
 * before it.
 */
bool logouts_ask(struct logouts *l, const struct logout_id *id, const struct fc_profile *p,
		 struct monotime by, struct monotime now, unsigned *before);

/* It has ended, or waits no more. */
void logouts_end(struct logouts *l, const struct logout_id *id);

/* One that waits and whose turn has come, the most urgent first: its turn runs from now on, whether it asks
 * again or not.  False: none. */
bool logouts_next(struct logouts *l, struct monotime now, struct logout_id *id);

/* When a turn ends by itself; MONOTIME_NEVER: none is under way, or nobody waits. */
struct monotime logouts_due(const struct logouts *l);

#endif

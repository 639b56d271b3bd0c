/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "login.h"

bool login_begins(struct login_watch *w, const struct login_seen *seen, struct monotime now)
{
	bool anew = w->anew;

	if (!anew)
		*w = (struct login_watch){0};
	w->anew = w->scanned = false;
	w->blocked = seen->blocked;
	w->away = seen->away;
	w->since = now;
	return anew;
}

/* What comes again after a login that was begun anew is no progress. */
static void note_progress(struct login_watch *w, const struct login_seen *seen, struct monotime now)
{
	unsigned there = seen->port ? 1 + seen->online + seen->usable : 0;

	if (there <= w->best)
		return;
	w->best = there;
	w->since = now;
	w->patience_us = 0;
	w->scanned = false;
}

static void note_targets(struct login_watch *w, const struct login_seen *seen, struct monotime now)
{
	if (seen->port && seen->away > w->away && seen->blocked < w->blocked) {
		w->since = now;
		w->patience_us = LOGIN_LOST_US;
	}
	w->blocked = seen->blocked;
	w->away = seen->away;
}

enum login_next login_look(struct login_watch *w, const struct login_seen *seen, struct monotime now)
{
	if (!seen->parent || !w->since.us) {
		*w = (struct login_watch){.since = now};
		return LOGIN_WAIT;
	}
	note_progress(w, seen, now);
	note_targets(w, seen, now);
	if (!w->patience_us)
		w->patience_us = LOGIN_US;
	if (seen->sticks && mono_since(now, w->since) >= w->patience_us) {
		w->patience_us *= 2;
		w->anew = true;
		return LOGIN_ANEW;
	}
	if (seen->port && !seen->blocked && !seen->away && !w->scanned &&
	    mono_since(now, w->since) >= LOGIN_SCAN_US) {
		w->scanned = true;
		return LOGIN_SCAN;
	}
	return LOGIN_WAIT;
}

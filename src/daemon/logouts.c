/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "logouts.h"

struct logout {
	TAILQ_ENTRY(logout) link; /* in the order in which they were asked for */
	struct logout_id id;
	const struct fc_profile *profile;
	struct monotime by;
	struct monotime until; /* of its turn; MONOTIME_NEVER: it waits */
};

static bool waits(const struct logout *o)
{
	return o->until.us == MONOTIME_NEVER.us;
}

void logouts_init(struct logouts *l)
{
	TAILQ_INIT(&l->list);
	l->n = 0;
}

static void drop(struct logouts *l, struct logout *o)
{
	TAILQ_REMOVE(&l->list, o, link);
	l->n--;
	free(o);
}

void logouts_clear(struct logouts *l)
{
	struct logout *o;

	while ((o = TAILQ_FIRST(&l->list)))
		drop(l, o);
}

static struct logout *find(const struct logouts *l, const struct logout_id *id)
{
	struct logout *o;

	TAILQ_FOREACH (o, &l->list, link)
		if (o->id.vhba == id->vhba && !strcmp(o->id.uuid, id->uuid))
			return o;
	return NULL;
}

/* Twice what it takes when nothing is wrong. */
static void begin(struct logout *o, struct monotime now)
{
	o->until = mono_add(now, 2 * fc_bound_us(&o->profile->usual, FC_R_A_TOV_US, 1));
}

/* Turns that have ended by themselves count no more. */
static bool has_room(const struct logouts *l, const struct fc_profile *p, struct monotime now)
{
	const struct logout *o;
	unsigned n = 0;

	TAILQ_FOREACH (o, &l->list, link)
		n += o->profile == p && !waits(o) && !mono_reached(o->until, now);
	return n < p->logouts;
}

static unsigned count_before(const struct logouts *l, const struct logout *of)
{
	const struct logout *o;
	unsigned n = 0;

	TAILQ_FOREACH (o, &l->list, link)
		n += o != of && o->profile == of->profile && (!waits(o) || o->by.us <= of->by.us);
	return n;
}

bool logouts_ask(struct logouts *l, const struct logout_id *id, const struct fc_profile *p,
		 struct monotime by, struct monotime now, unsigned *before)
{
	struct logout *o;

	if (!p->logouts)
		return true;
	o = find(l, id);
	if (!o) {
		o = calloc(1, sizeof(*o));
		if (!o) {
			log_err("out of memory: a logout does not wait for its turn");
			return true;
		}
		*o = (struct logout){.id = *id, .profile = p, .by = by, .until = MONOTIME_NEVER};
		TAILQ_INSERT_TAIL(&l->list, o, link);
		l->n++;
		if (has_room(l, p, now))
			begin(o, now);
	}
	o->by = by;
	if (waits(o) && before)
		*before = count_before(l, o);
	return !waits(o);
}

void logouts_end(struct logouts *l, const struct logout_id *id)
{
	struct logout *o = find(l, id);

	if (o)
		drop(l, o);
}

bool logouts_next(struct logouts *l, struct monotime now, struct logout_id *id)
{
	const struct fc_profile *full = NULL; /* of one family are all, mostly */
	struct logout *o, *next, *first = NULL;

	for (o = TAILQ_FIRST(&l->list); o; o = next) {
		next = TAILQ_NEXT(o, link);
		if (!waits(o) && mono_reached(o->until, now))
			drop(l, o);
	}
	TAILQ_FOREACH (o, &l->list, link) {
		if (!waits(o) || o->profile == full || (first && o->by.us >= first->by.us))
			continue;
		if (has_room(l, o->profile, now))
			first = o;
		else
			full = o->profile;
	}
	if (!first)
		return false;
	begin(first, now);
	*id = first->id;
	return true;
}

struct monotime logouts_due(const struct logouts *l)
{
	struct monotime due = MONOTIME_NEVER;
	const struct logout *o;
	bool wanted = false;

	TAILQ_FOREACH (o, &l->list, link) {
		wanted = wanted || waits(o);
		due = mono_min(due, o->until);
	}
	return wanted ? due : MONOTIME_NEVER;
}

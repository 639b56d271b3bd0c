/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "attach.h"
#include "cleanup.h"

static const char *const state_names[ATTACH_STATES_] = {
	[ATTACH_IDLE] = "idle",		[ATTACH_NAME] = "name",
	[ATTACH_CREATING] = "creating", [ATTACH_LOGGING_IN] = "logging-in",
	[ATTACH_TIMERS] = "timers",	[ATTACH_ASKING] = "asking",
	[ATTACH_LUNS] = "luns",		[ATTACH_READY] = "ready",
	[ATTACH_UNDOING] = "undoing",	[ATTACH_UNDONE] = "undone",
	[ATTACH_LEFT] = "left",
};

struct transition {
	enum attach_action action;
	enum attach_state next;
	bool set; /* what is not set is ignored: a late answer to something that no longer matters */
};

#define TO(do_, next_)                                                                                       \
	{                                                                                                    \
		ATTACH_DO_##do_, ATTACH_##next_, true                                                        \
	}

/*
 * A failure or an undo while the vport is being created must wait for the helper's word: deleting a name that
 * is just coming would miss it.  So CREATING + UNDO keeps the state, and the end of the creation undoes.
 */
static const struct transition table[ATTACH_STATES_][ATTACH_EVENTS_] =
	{
		[ATTACH_IDLE] =
			{
				[ATTACH_EV_START] = TO(CREATE, CREATING),
				[ATTACH_EV_AWAIT] = TO(LOOK, NAME),
				[ATTACH_EV_ADOPT] = TO(LOOK, LOGGING_IN),
				[ATTACH_EV_FAILED] = TO(NOTHING, UNDONE),
				[ATTACH_EV_UNDO] = TO(NOTHING, UNDONE),
				[ATTACH_EV_TAKE_BACK] = TO(DELETE, UNDOING),
			},
		[ATTACH_NAME] =
			{
				[ATTACH_EV_GONE] = TO(CREATE, CREATING),
				[ATTACH_EV_FAILED] = TO(NOTHING, UNDONE),
				[ATTACH_EV_UNDO] = TO(NOTHING, UNDONE),
			},
		[ATTACH_CREATING] =
			{
				[ATTACH_EV_CREATED] = TO(LOOK, LOGGING_IN),
				[ATTACH_EV_FAILED] = TO(DELETE, UNDOING),
			},
		[ATTACH_LOGGING_IN] =
			{
				[ATTACH_EV_LOGGED_IN] = TO(TIMERS, TIMERS),
				[ATTACH_EV_LOST] = TO(NOTHING, UNDONE),
				[ATTACH_EV_FAILED] = TO(DELETE, UNDOING),
				[ATTACH_EV_UNDO] = TO(DELETE, UNDOING),
			},
		[ATTACH_TIMERS] =
			{
				[ATTACH_EV_TIMERS_SET] =
					TO(ASK, ASKING), /* or LUNS when the set is known: see below */
				[ATTACH_EV_LOST] = TO(NOTHING, UNDONE),
				[ATTACH_EV_FAILED] = TO(DELETE, UNDOING),
				[ATTACH_EV_UNDO] = TO(DELETE, UNDOING),
			},
		[ATTACH_ASKING] =
			{
				[ATTACH_EV_ASKED] = TO(LOOK, LUNS),
				[ATTACH_EV_LOST] = TO(NOTHING, UNDONE),
				[ATTACH_EV_FAILED] = TO(DELETE, UNDOING),
				[ATTACH_EV_UNDO] = TO(DELETE, UNDOING),
			},
		[ATTACH_LUNS] =
			{
				[ATTACH_EV_USABLE] = TO(NOTHING, READY),
				[ATTACH_EV_LOST] = TO(NOTHING, UNDONE),
				[ATTACH_EV_FAILED] = TO(DELETE, UNDOING),
				[ATTACH_EV_UNDO] = TO(DELETE, UNDOING),
			},
		[ATTACH_READY] =
			{
				[ATTACH_EV_LOST] = TO(NOTHING, UNDONE),
				[ATTACH_EV_FAILED] = TO(DELETE, UNDOING),
				[ATTACH_EV_UNDO] = TO(DELETE, UNDOING),
			},
		[ATTACH_UNDOING] =
			{
				[ATTACH_EV_CREATED] =
					TO(DELETE,
					   UNDOING), /* the helper's late word: now there is one to delete */
				[ATTACH_EV_DELETED] = TO(NOTHING, UNDONE),
				[ATTACH_EV_LOST] = TO(NOTHING, UNDONE),
				[ATTACH_EV_DELETE_FAILED] = TO(NOTHING, LEFT),
			},
		[ATTACH_LEFT] =
			{
				[ATTACH_EV_DELETED] = TO(NOTHING, UNDONE),
				[ATTACH_EV_LOST] = TO(NOTHING, UNDONE),
			},
};

#undef TO

const char *attach_state_name(enum attach_state s)
{
	return s < ATTACH_STATES_ ? state_names[s] : "?";
}

void attach_init(struct attach *a, const struct attach_ops *ops, void *ctx, unsigned count,
		 struct monotime now, struct monotime deadline, uint64_t undo_us)
{
	uint64_t total = mono_left(deadline, now);

	memset(a, 0, sizeof(*a));
	a->ops = ops;
	a->ctx = ctx;
	a->count = count < ATTACH_VHBAS_MAX ? count : ATTACH_VHBAS_MAX;
	a->start = now;
	a->deadline = deadline;
	if (undo_us > total / 4)
		undo_us = total / 4;
	a->undo_at = (struct monotime){deadline.us - undo_us};
}

void attach_fail(struct attach *a, const struct verror *why)
{
	if (!a->why.kind)
		a->why = *why;
}

/* The only place that changes a state. */
static void change(struct attach *a, unsigned i, const struct transition *t, struct monotime now)
{
	struct attach_vhba *v = &a->vhba[i];
	enum attach_state from = v->state, to = t->next;
	enum attach_action action = t->action;

	if (to == ATTACH_ASKING && v->known) {
		to = ATTACH_LUNS;
		action = ATTACH_DO_LOOK;
	}
	v->state = to;
	if (to != from) {
		v->since = now;
		v->entered[to] = now;
		a->ops->changed(a->ctx, i, from, to);
	}
	if (action != ATTACH_DO_NOTHING)
		a->ops->begin(a->ctx, i, action);
}

static bool all_in(const struct attach *a, unsigned states)
{
	for (unsigned i = 0; i < a->count; i++)
		if (!(states & 1U << a->vhba[i].state))
			return false;
	return true;
}

static void answer(struct attach *a, bool ok)
{
	if (a->answered)
		return;
	a->answered = true;
	a->ops->answer(a->ctx, ok);
}

static void settle(struct attach *a)
{
	if (!a->undoing && all_in(a, 1U << ATTACH_READY))
		answer(a, true);
	else if (a->undoing && all_in(a, 1U << ATTACH_UNDONE | 1U << ATTACH_LEFT))
		answer(a, false);
}

static void apply(struct attach *a, unsigned i, enum attach_event event, struct monotime now)
{
	const struct transition *t = &table[a->vhba[i].state][event];

	if (t->set)
		change(a, i, t, now);
}

static void undo_all(struct attach *a, struct monotime now)
{
	if (a->undoing || a->answered)
		return;
	a->undoing = true;
	for (unsigned i = 0; i < a->count; i++)
		apply(a, i, ATTACH_EV_UNDO, now);
}

void attach_event(struct attach *a, unsigned i, enum attach_event event, struct monotime now)
{
	if (i >= a->count)
		return;
	if (event == ATTACH_EV_CREATED && a->undoing && a->vhba[i].state == ATTACH_CREATING)
		event = ATTACH_EV_FAILED; /* it came too late to be wanted */
	apply(a, i, event, now);
	if (!a->answered && (event == ATTACH_EV_FAILED || event == ATTACH_EV_LOST))
		undo_all(a, now);
	settle(a);
}

bool attach_is_undone(const struct attach *a)
{
	return all_in(a, 1U << ATTACH_IDLE | 1U << ATTACH_UNDONE);
}

void attach_take_back(struct attach *a, struct monotime now)
{
	a->undoing = true;
	a->answered = true;
	for (unsigned i = 0; i < a->count; i++)
		apply(a, i, ATTACH_EV_TAKE_BACK, now);
}

struct monotime attach_due(const struct attach *a)
{
	if (a->answered)
		return MONOTIME_NEVER;
	return a->undoing ? a->deadline : a->undo_at;
}

void attach_tick(struct attach *a, struct monotime now)
{
	if (a->answered)
		return;
	if (!a->undoing && mono_reached(a->undo_at, now))
		undo_all(a, now);
	settle(a);
	if (mono_reached(a->deadline, now))
		answer(a, false);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>

#include "io_machine.h"

struct entry {
	enum io_action action;
	enum io_state next;
};

#define STAY(s)                                                                                              \
	{                                                                                                    \
		IO_DO_NOTHING, s                                                                             \
	}

/* An event that is late, or says what is known already, changes nothing. */
static const struct entry table[IO_STATES_][IO_EVENTS_] =
	{
		[IO_OFF] =
			{
				[IO_EV_WANTED] = {IO_DO_OPEN, IO_OPEN},
				[IO_EV_FOUND] = {IO_DO_SERVE, IO_UP},
				[IO_EV_OPENED] = STAY(IO_OFF),
				[IO_EV_READY] = STAY(IO_OFF),
				[IO_EV_GONE] = STAY(IO_OFF),
				[IO_EV_UPGRADE] = STAY(IO_OFF),
				[IO_EV_UNWANTED] = {IO_DO_FORGET, IO_OFF},
				[IO_EV_TIME] = STAY(IO_OFF),
			},
		[IO_OPEN] =
			{
				[IO_EV_WANTED] = STAY(IO_OPEN),
				[IO_EV_FOUND] = STAY(IO_OPEN),
				[IO_EV_OPENED] = {IO_DO_SPAWN, IO_START},
				[IO_EV_READY] = STAY(IO_OPEN),
				[IO_EV_GONE] = STAY(IO_OPEN),
				[IO_EV_UPGRADE] = STAY(IO_OPEN),
				[IO_EV_UNWANTED] = {IO_DO_FORGET, IO_OFF},
				[IO_EV_TIME] = {IO_DO_SPAWN, IO_START},
			},
		[IO_START] =
			{
				[IO_EV_WANTED] = STAY(IO_START),
				[IO_EV_FOUND] = STAY(IO_START),
				[IO_EV_OPENED] = STAY(IO_START),
				[IO_EV_READY] = {IO_DO_SERVE, IO_UP},
				[IO_EV_GONE] = {IO_DO_PAUSE, IO_WAIT},
				[IO_EV_UPGRADE] = STAY(IO_START),
				[IO_EV_UNWANTED] = {IO_DO_TERMINATE, IO_END},
				[IO_EV_TIME] = {IO_DO_KILL, IO_START},
			},
		[IO_UP] =
			{
				[IO_EV_WANTED] = STAY(IO_UP),
				[IO_EV_FOUND] = STAY(IO_UP),
				[IO_EV_OPENED] = STAY(IO_UP),
				[IO_EV_READY] = STAY(IO_UP),
				[IO_EV_GONE] = {IO_DO_PAUSE, IO_WAIT},
				[IO_EV_UPGRADE] = {IO_DO_LEAVE, IO_LEAVE},
				[IO_EV_UNWANTED] = {IO_DO_TERMINATE, IO_END},
				[IO_EV_TIME] = STAY(IO_UP),
			},
		[IO_LEAVE] =
			{
				[IO_EV_WANTED] = STAY(IO_LEAVE),
				[IO_EV_FOUND] = STAY(IO_LEAVE),
				[IO_EV_OPENED] = STAY(IO_LEAVE),
				[IO_EV_READY] = STAY(IO_LEAVE),
				[IO_EV_GONE] = {IO_DO_OPEN, IO_OPEN},
				[IO_EV_UPGRADE] = STAY(IO_LEAVE),
				[IO_EV_UNWANTED] = {IO_DO_TERMINATE, IO_END},
				[IO_EV_TIME] = {IO_DO_KILL, IO_LEAVE},
			},
		[IO_WAIT] =
			{
				[IO_EV_WANTED] = {IO_DO_OPEN, IO_OPEN},
				[IO_EV_FOUND] = STAY(IO_WAIT),
				[IO_EV_OPENED] = STAY(IO_WAIT),
				[IO_EV_READY] = STAY(IO_WAIT),
				[IO_EV_GONE] = STAY(IO_WAIT),
				[IO_EV_UPGRADE] = {IO_DO_OPEN, IO_OPEN},
				[IO_EV_UNWANTED] = {IO_DO_FORGET, IO_OFF},
				[IO_EV_TIME] = {IO_DO_OPEN, IO_OPEN},
			},
		/* Who is wanted again while it ends is asked for again when it has ended. */
		[IO_END] =
			{
				[IO_EV_WANTED] = STAY(IO_END),
				[IO_EV_FOUND] = STAY(IO_END),
				[IO_EV_OPENED] = STAY(IO_END),
				[IO_EV_READY] = STAY(IO_END),
				[IO_EV_GONE] = {IO_DO_FORGET, IO_OFF},
				[IO_EV_UPGRADE] = STAY(IO_END),
				[IO_EV_UNWANTED] = STAY(IO_END),
				[IO_EV_TIME] = {IO_DO_KILL, IO_END},
			},
};

void io_machine_init(struct io_machine *m, uint64_t deadline_us, struct monotime now)
{
	*m = (struct io_machine){
		.state = IO_OFF, .since = now, .due = MONOTIME_NEVER, .grace_us = deadline_us + USEC_PER_SEC};
}

/* One that was up for a while may die: the next one comes at once. */
static uint64_t pause_before_next(struct io_machine *m, struct monotime now)
{
	uint64_t pause;

	if (m->state == IO_UP && mono_since(now, m->since) >= IO_ALIVE_US)
		m->pause_us = 0;
	pause = m->pause_us;
	m->pause_us = pause ? 2 * pause : IO_PAUSE_MIN_US;
	if (m->pause_us > IO_PAUSE_MAX_US)
		m->pause_us = IO_PAUSE_MAX_US;
	return pause;
}

static struct monotime time_of(const struct io_machine *m, enum io_state s, struct monotime now)
{
	switch (s) {
	case IO_OPEN:
		return mono_add(now, IO_OPEN_US);
	case IO_START:
		return mono_add(now, IO_START_US);
	case IO_LEAVE:
	case IO_END:
		return mono_add(now, m->grace_us);
	default:
		return MONOTIME_NEVER;
	}
}

enum io_action io_machine_event(struct io_machine *m, enum io_event ev, struct monotime now)
{
	const struct entry *e = &table[m->state][ev];

	if (e->action == IO_DO_NOTHING)
		return e->action;
	/* One that is killed ends: nothing more is waited for than that. */
	m->due = e->action == IO_DO_KILL ? MONOTIME_NEVER : time_of(m, e->next, now);
	if (e->action == IO_DO_PAUSE) {
		m->due = mono_add(now, pause_before_next(m, now));
		m->restarts++;
	}
	if (e->next != m->state)
		m->since = now;
	m->state = e->next;
	return e->action;
}

const char *io_state_name(enum io_state s)
{
	static const char *const names[IO_STATES_] = {
		[IO_OFF] = "off",	[IO_OPEN] = "opening", [IO_START] = "starting", [IO_UP] = "up",
		[IO_LEAVE] = "leaving", [IO_WAIT] = "waiting", [IO_END] = "ending",
	};

	return s < IO_STATES_ ? names[s] : "?";
}

const char *io_event_name(enum io_event ev)
{
	static const char *const names[IO_EVENTS_] = {
		[IO_EV_WANTED] = "wanted",     [IO_EV_FOUND] = "found", [IO_EV_OPENED] = "opened",
		[IO_EV_READY] = "ready",       [IO_EV_GONE] = "gone",	[IO_EV_UPGRADE] = "upgrade",
		[IO_EV_UNWANTED] = "unwanted", [IO_EV_TIME] = "time",
	};

	return ev < IO_EVENTS_ ? names[ev] : "?";
}

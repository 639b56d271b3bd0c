/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of one vhba-io: opened, started, up, and begun again when it has died.  Pure: a state, an event
 * and the time go in, what to do comes out; a test runs it under a virtual clock.  ios.c drives it.
 *
 * A process that dies is followed by the next one at once; when that doesn't live for half a second either,
 * by a next one after a pause that doubles.
 */
#ifndef VHBA_IO_MACHINE_H
#define VHBA_IO_MACHINE_H

#include <stdint.h>

#include "monotime.h"

enum io_state {
	IO_OFF, /* nothing runs, and nothing is wanted */
	IO_OPEN, /* its LUNs are being opened */
	IO_START, /* the process is there, and takes over what was kept */
	IO_UP,
	IO_LEAVE, /* it ends so that the next one goes on: an upgrade */
	IO_WAIT, /* it has died too soon: a pause */
	IO_END, /* it ends for good */
	IO_STATES_
};

enum io_event {
	IO_EV_WANTED,
	IO_EV_FOUND, /* one that an earlier vhbad has started is there, and has given back what it keeps */
	IO_EV_OPENED, /* the LUNs, as far as they can be */
	IO_EV_READY, /* it has taken over */
	IO_EV_GONE, /* the process has ended, or can't be started */
	IO_EV_UPGRADE,
	IO_EV_UNWANTED,
	IO_EV_TIME, /* io_machine_due has come */
	IO_EVENTS_
};

enum io_action {
	IO_DO_NOTHING,
	IO_DO_OPEN, /* -> IO_EV_OPENED */
	IO_DO_SPAWN, /* -> IO_EV_READY, IO_EV_GONE */
	IO_DO_SERVE, /* it is up */
	IO_DO_PAUSE, /* it waits for its time */
	IO_DO_LEAVE, /* tell it to; -> IO_EV_GONE */
	IO_DO_TERMINATE, /* -> IO_EV_GONE */
	IO_DO_KILL, /* it has not done what it was told; -> IO_EV_GONE */
	IO_DO_FORGET, /* nothing of it is left to do */
	IO_ACTIONS_
};

struct io_machine {
	enum io_state state;
	struct monotime since; /* when the state was entered */
	struct monotime due; /* when IO_EV_TIME is wanted */
	uint64_t grace_us; /* how long it may take to end */
	uint64_t pause_us; /* before the next one, if this one doesn't live; 0: none */
	unsigned restarts; /* how often one has followed another that died */
};

#define IO_OPEN_US (2 * USEC_PER_SEC) /* a LUN that doesn't open by then has lost that path */
#define IO_START_US (5 * USEC_PER_SEC)
#define IO_ALIVE_US (500 * USEC_PER_MSEC)
#define IO_PAUSE_MIN_US (50 * USEC_PER_MSEC)
#define IO_PAUSE_MAX_US (5 * USEC_PER_SEC)

/* deadline_us: that of the process's stop, which its end takes at most. */
void io_machine_init(struct io_machine *m, uint64_t deadline_us, struct monotime now);

/* The one place that changes the state. */
enum io_action io_machine_event(struct io_machine *m, enum io_event ev, struct monotime now);

const char *io_state_name(enum io_state s); /* "up" */
const char *io_event_name(enum io_event ev);

#endif

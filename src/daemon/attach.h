/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attaching a VM: the decisions, pure.  Every vhba runs through one table (state, event) -> (action, next),
 * all in parallel; the VM is attached when all are ready, and one that fails undoes them all, so that nothing
 * is left behind. Knows no clock, no file and no socket: time comes as an argument, what is to be done goes
 * through struct attach_ops, how it ended comes back as an event.  Loop thread only.
 */
#ifndef VHBA_ATTACH_H
#define VHBA_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "monotime.h"
#include "verror.h"

#define ATTACH_VHBAS_MAX 16

enum attach_state {
	ATTACH_IDLE,
	ATTACH_NAME, /* it comes from elsewhere: until the fabric has let its name go there */
	ATTACH_CREATING, /* the vport is being made */
	ATTACH_LOGGING_IN, /* until Active and all targets of the zones are logged in */
	ATTACH_TIMERS, /* the rport timer policy is being set */
	ATTACH_ASKING, /* first attach: the targets are asked which LUNs they show */
	ATTACH_LUNS, /* until every expected LUN is a usable device */
	ATTACH_READY,
	ATTACH_UNDOING, /* the vport is being deleted again */
	ATTACH_UNDONE, /* nothing left */
	ATTACH_LEFT, /* the vport could not be deleted: it is named in the answer */
	ATTACH_STATES_
};

enum attach_event {
	ATTACH_EV_START, /* no vport carries the name yet */
	ATTACH_EV_AWAIT, /* the same, and the name may still be logged in elsewhere */
	ATTACH_EV_GONE, /* it is not, any more */
	ATTACH_EV_ADOPT, /* the vport is there already, on the parent that was chosen */
	ATTACH_EV_CREATED,
	ATTACH_EV_FAILED, /* the action under way failed; attach_fail has said why */
	ATTACH_EV_LOGGED_IN, /* seen: Active, all targets Online */
	ATTACH_EV_TIMERS_SET,
	ATTACH_EV_ASKED, /* the expected set is known */
	ATTACH_EV_USABLE, /* seen: every expected LUN is usable */
	ATTACH_EV_LOST, /* seen: the vport is gone */
	ATTACH_EV_UNDO, /* another vhba failed, or the deadline is near */
	ATTACH_EV_DELETED,
	ATTACH_EV_DELETE_FAILED,
	ATTACH_EV_TAKE_BACK, /* found after a restart: it had begun, and nobody waits for it any more */
	ATTACH_EVENTS_
};

enum attach_action {
	ATTACH_DO_NOTHING,
	ATTACH_DO_CREATE,
	ATTACH_DO_LOOK, /* look at the inventory now; changes come by themselves */
	ATTACH_DO_TIMERS,
	ATTACH_DO_ASK,
	ATTACH_DO_DELETE,
	ATTACH_ACTIONS_
};

struct attach_ops {
	/* Begin the action; returns at once; its end comes back by attach_event. */
	void (*begin)(void *ctx, unsigned vhba, enum attach_action action);
	/* The state changed: journal it, tell progress.  Called before the action of the new state is begun.
	 */
	void (*changed)(void *ctx, unsigned vhba, enum attach_state from, enum attach_state to);
	/* Exactly once: all are ready (ok), or all are undone or left (not ok, a->why says why). */
	void (*answer)(void *ctx, bool ok);
};

struct attach_vhba {
	enum attach_state state;
	bool known; /* the expected LUN set is known from before */
	struct monotime since; /* when the state was entered */
	struct monotime entered[ATTACH_STATES_]; /* when each state was last entered; 0: never */
};

struct attach {
	const struct attach_ops *ops;
	void *ctx;
	unsigned count;
	struct attach_vhba vhba[ATTACH_VHBAS_MAX];
	struct monotime start, deadline, undo_at;
	bool undoing, answered;
	struct verror why; /* the first failure */
};

/*
 * undo_us is kept back from the deadline for deleting what was made.  known[i]: the expected set of vhba i is
 * known.
 */
void attach_init(struct attach *a, const struct attach_ops *ops, void *ctx, unsigned count,
		 struct monotime now, struct monotime deadline, uint64_t undo_us);

/* Say why, before ATTACH_EV_FAILED; only the first one is kept. */
void attach_fail(struct attach *a, const struct verror *why);

/* vhba < count. May call ops->changed, ops->begin and ops->answer. */
void attach_event(struct attach *a, unsigned vhba, enum attach_event event, struct monotime now);

/* Of an attach that a daemon left unfinished: undo all. There is no answer. */
void attach_take_back(struct attach *a, struct monotime now);

/* Nothing of it is there (any more). */
bool attach_is_undone(const struct attach *a);

/* When attach_tick wants to be called next; MONOTIME_NEVER when it was answered. */
struct monotime attach_due(const struct attach *a);
void attach_tick(struct attach *a, struct monotime now);

const char *attach_state_name(enum attach_state s);

#endif

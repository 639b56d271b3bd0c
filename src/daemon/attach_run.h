/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An attachment under way, shared by its two halves: op_attach.c looks at the inventory and answers,
 * attach_ops.c sends the verbs that the machine of attach.h wants.
 */
#ifndef VHBA_ATTACH_RUN_H
#define VHBA_ATTACH_RUN_H

#include <json-c/json.h>

#include "attach.h"
#include "journal.h"
#include "op.h"

/* When a vhba that waits for something is looked at without an event. */
struct look {
	struct monotime at;
	uint64_t backoff_us;
};

/* What the targets of one vhba said they show (first attach only). */
struct asked {
	unsigned waiting; /* questions under way */
	bool failed; /* one of them */
	uint64_t luns; /* how many the targets named in all */
};

struct attach_run {
	struct attach machine;
	struct asked asked[ATTACH_VHBAS_MAX];
	struct look look[ATTACH_VHBAS_MAX];
	struct verror missing[ATTACH_VHBAS_MAX]; /* what the last look found lacking */
	struct journal *journal;
	bool asking[ATTACH_VHBAS_MAX]; /* the name server, about the name */
	bool timers_right[ATTACH_VHBAS_MAX]; /* found so: no verb is under way for them */
	bool placed, record; /* record: the expected sets are written at the end */
	unsigned writing;
	unsigned comparing; /* vhbas whose reservations are being read */
	bool compared;
	struct json_object *warnings[ATTACH_VHBAS_MAX]; /* differences, as texts; NULL: none */
};

/* A verb under way: the operation may be gone when its answer comes. */
struct attach_verb {
	struct daemon *d;
	uint64_t op_id;
	unsigned vhba;
};

/* Its operation, or NULL when it is over. */
struct op *attach_op_of(const struct attach_verb *v);

/* attach_look.c: one vhba, if its time has come; or at once, if there may be something to see */
void attach_look_due(struct op *op, unsigned i);
void attach_look_now(struct op *op, unsigned i);
/* Its time comes in this turn of the loop, or soon after. */
void attach_look_soon(struct op *op, unsigned i);
/* When the undoing is about to begin: what is lacking, for the answer. */
void attach_look_last(struct op *op);
/* The search for parents is that of look[0]. */
void attach_place_later(struct attach_run *run);
/* When something is to be looked at, or the machine's own time comes. */
struct monotime attach_next_look(const struct attach_run *run);

/* attach_name.c: is the name of a vhba that waits for it gone? The answer is an event of the machine. */
void attach_ask_name(struct op *op, unsigned i);

/* The machine's op. */
void attach_begin(void *ctx, unsigned i, enum attach_action action);

/* The same: journals and tells progress. */
void attach_changed(void *ctx, unsigned i, enum attach_state from, enum attach_state to);

/*
 * attach_undo.c: the undoing goes on in the background until nothing is left, or it is known what is.  So
 * long the journal has no end: a daemon that is started meanwhile goes on with it.  Ends the operation.
 */
void attach_see_leftover(struct op *op);

/*
 * Every target that shows a LUN is asked how many there are, so that the set that is recorded is the whole
 * one. False: not all show one yet, or they have been asked.
 */
bool attach_ask_targets(struct op *op, unsigned i);

#endif

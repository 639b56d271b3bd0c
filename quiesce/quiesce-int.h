/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the machine's own files share.  Data goes one way: quiesce.c (events, time) -> quiesce-state.c (the
 * state-change function) -> quiesce-action.c (what a transition begins) ; quiesce-vm.c looks at all vhbas
 * after each round.
 */
#ifndef VHBA_QUIESCE_INT_H
#define VHBA_QUIESCE_INT_H

#include "quiesce.h"

/* One slot per op: at most one call of each is outstanding. */
enum q_op {
	OP_STOP_INTAKE,
	OP_OPEN_INTAKE,
	OP_COUNT,
	OP_SYNC,
	OP_FAST_FAIL,
	OP_DISABLE,
	OP_DELETE,
	OP_ENABLE,
	OP_CREATE,
	OP_FABRIC,
	OP_PORTS,
	OP_READY,
	OP_TIMERS,
	OP_MAX,
	OP_NONE = OP_MAX
};

enum q_intake { INTAKE_OPEN, INTAKE_CLOSING, INTAKE_CLOSED, INTAKE_OPENING, INTAKE_UNKNOWN };

struct q_vhba {
	struct quiesce_vhba id;
	enum quiesce_state state;
	enum quiesce_state failed_in; /* the state that it failed in */
	uint32_t token[OP_MAX]; /* 0: none outstanding */
	struct monotime poll_at, step_at; /* MONOTIME_NEVER: not timed */
	struct monotime drain_until; /* end of the drain's budget; 0: not begun */
	struct monotime until; /* end of a Blocked rport's own fast_io_fail */
	struct monotime again; /* when what was put off is asked for again; 0: after the back-off */
	uint64_t backoff_us;
	unsigned int evidence;
	struct quiesce_seen seen;
	uint64_t serial; /* of the request that it last took up */
	enum quiesce_ev queued; /* request that waits for the step's end; QE_EVENTS: none */
	bool logout_begun; /* until it is attached again */
	bool aborted; /* commands were cut off */
	bool fast_fail; /* fast_io_fail_tmo 0 may be set */
	bool take_timers; /* the next set_fast_fail's answer holds the true old timers, not our own 0 */
	bool deleted; /* the vport's delete has begun */
	bool created; /* created again: its timers are the kernel's */
	bool timers_failed;
	bool parked; /* a command slipped in before the hold's disable */
	bool synced; /* SYNCHRONIZE CACHE was sent: nothing else was in flight then */
	bool cuts_sync; /* the hold's disable is to end it */
	struct monotime held_since; /* when logout began; MONOTIME_NEVER: not held */
	bool may_have_failed;
	char timers[QUIESCE_TIMERS_MAX];
	char sync[QUIESCE_TEXT_MAX]; /* what came of synchronising the caches; "": not done yet */
	char why[QUIESCE_TEXT_MAX]; /* what went wrong last */
};

#define Q_NOT_SYNCED "caches not synchronised: "
#define Q_FIFO 512

struct quiesce {
	struct quiesce_config cfg;
	struct quiesce_ops ops;
	void *user;
	unsigned int n;
	bool running; /* inside an event or a tick */
	struct monotime now; /* of the event being worked on */

	/* The request. */
	uint64_t serial;
	enum quiesce_request request;
	bool answered;
	bool caller_gone;
	bool owner_paused;
	bool partial;
	bool deadline_seen;
	bool background_over;
	bool leaving; /* its driver ends before the deadline */
	struct monotime asked, deadline, answer_at, background_at;
	struct quiesce_result result;

	enum q_intake intake;
	uint32_t vm_token[OP_MAX];
	int journal_error;

	/* Events that the machine makes itself, worked off before it returns. */
	struct {
		int vhba;
		enum quiesce_ev ev;
	} fifo[Q_FIFO];
	unsigned int fifo_head, fifo_n;

	void (*trace)(void *user, int vhba, enum quiesce_state s, enum quiesce_ev ev); /* tests */
	struct quiesce_record *rec; /* (n + 1) * QP_PHASES, VM first */
	struct q_vhba v[];
};

/* What is true of a state besides its row of the table. */
struct q_state_info {
	const char *name;
	enum quiesce_phase phase;
	bool stable; /* a queued request is taken up here */
	bool past_stop; /* the intake may not be opened as a roll-back */
	enum quiesce_action restart; /* what begins again after kill -9 */
};
extern const struct q_state_info q_states[QS_STATES];

/* What is true of an event: the op whose end it is, whether the driver sends it, and for whom. */
struct q_ev_info {
	const char *name;
	enum q_op op;
	bool external;
	bool vm;
};
extern const struct q_ev_info q_evs[QE_EVENTS];

/* Nothing is submitted any more, as far as this machine or the VM's owner knows. */
static inline bool q_intake_closed(const struct quiesce *q)
{
	return q->owner_paused || q->intake == INTAKE_CLOSED;
}

/* quiesce-state.c */
void q_post(struct quiesce *q, int vhba, enum quiesce_ev ev); /* vhba QUIESCE_VM: to every one */
void q_change_state(struct quiesce *q, struct q_vhba *v, enum quiesce_state next, enum quiesce_ev ev);
void q_stamp(struct quiesce *q, struct q_vhba *v, enum quiesce_state from, enum quiesce_state to,
	     uint64_t at_us);
void q_record_refresh(struct quiesce *q, struct q_vhba *v); /* evidence and text of the phase that lasts */
void q_vm_record_refresh(struct quiesce *q);
void q_forget_seen(struct q_vhba *v, bool inflight); /* what the ports and the fabric showed; the count too */
void q_arm_step(struct quiesce *q, struct q_vhba *v); /* the state's own bound, from now */
void q_why(struct q_vhba *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* snprintf for texts that may be cut at their size. */
void q_text(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
uint64_t q_budget(const struct quiesce *q, uint64_t cap_us, unsigned int share);

static inline int q_index(const struct quiesce *q, const struct q_vhba *v)
{
	return v - q->v;
}

static inline struct quiesce_record *q_rec(struct quiesce *q, int vhba, enum quiesce_phase p)
{
	return &q->rec[(vhba + 1) * QP_PHASES + p];
}

static inline const struct quiesce_profile *q_profile(const struct q_vhba *v)
{
	return v->id.profile ? v->id.profile : &quiesce_profile_libfc;
}

/* quiesce-action.c */
void q_act(struct quiesce *q, struct q_vhba *v, enum quiesce_action a);

/* quiesce-vm.c */
void q_intake_close(struct quiesce *q);
void q_intake_close_failed(struct quiesce *q); /* tells the vhbas whether a roll-back is possible */
void q_intake_open(struct quiesce *q);
uint32_t q_begin_op(struct quiesce *q, int vhba, enum q_op op, struct monotime by); /* 0: could not begin */
void q_settle(struct quiesce *q); /* after a round: intake, answer */
void q_answer(struct quiesce *q);
enum quiesce_outcome q_outcome(const struct quiesce *q, const struct q_vhba *v);
const char *q_lacks(const struct quiesce *q, const struct q_vhba *v, char *buf, size_t size);

/* quiesce-journal.c */
void q_journal_vm(struct quiesce *q, const char *what);
void q_journal_state(struct quiesce *q, struct q_vhba *v, enum quiesce_state from, enum quiesce_ev ev);
void q_journal_ids(struct quiesce *q);

/* quiesce.c */
void q_run(struct quiesce *q);
void q_deliver(struct quiesce *q); /* the request, to those vhbas that have not taken it up yet */

/* Tests only: put an event into the table without its token. */
void q_inject(struct quiesce *q, unsigned int vhba, enum quiesce_ev ev, struct monotime now);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pretended host for the quiesce machine: vports, an array, a name server and a journal under a virtual
 * clock.  Each op can succeed, fail, fail to begin or never answer, after a delay; what is true of the world
 * changes when the op ends, whether or not the machine still listens.
 */
#ifndef UT_QUIESCE_WORLD_H
#define UT_QUIESCE_WORLD_H

#include "quiesce-int.h"

#define W_VHBAS 4
#define W_RECORDS 4000
#define W_MS USEC_PER_MSEC

enum w_mode { W_DOES, W_FAIL, W_CANT, W_NEVER, W_MODES };

struct w_op {
	enum w_mode mode;
	uint64_t delay_us;
};

enum w_vport { W_ENABLED, W_DISABLED, W_GONE };

struct w_vhba {
	struct w_op op[OP_MAX];
	/* The truth. */
	enum w_vport vport;
	bool out; /* a logout was begun, and nothing since has brought it back */
	bool fast_fail;
	uint64_t inflight;
	uint64_t drains_at; /* commands end by themselves then; UINT64_MAX: the array hangs */
	uint64_t cut_at; /* commands fail back then */
	uint64_t registered_until; /* in the name server; UINT64_MAX: for good */
	bool silent; /* the name server does not answer */
	bool stays; /* the fabric never lets it go */
	bool slips; /* a command slips in at the disable and stays */
	uint64_t lingers_us; /* rports stay Online for so long after the logout began */
	uint64_t ports_until;
	bool sync_hangs; /* SYNCHRONIZE CACHE does not end, and is in flight */
	bool syncs; /* it is in flight; nothing parked goes on as it: a disable ends it */
	bool uncut; /* an abort's disable does not fail the commands back */
	uint64_t forbidden_until; /* disable and delete are put off; UINT64_MAX: for good */
	uint64_t
		blocked_until; /* an rport is Blocked; its fast_io_fail ends then (UINT64_MAX: off); 0: not */
	uint64_t ready_after; /* from enable to LUNs usable */
	uint64_t ready_at;
	unsigned int sticks; /* so many logins come to no end by themselves */
	unsigned int generation; /* of the last op on the vport: an older one has no effect any more */
	unsigned int calls[OP_MAX];
	char restored[QUIESCE_TIMERS_MAX];
};

struct w_pending {
	bool used, dead;
	uint64_t at;
	int vhba;
	enum q_op op;
	uint32_t token;
	enum w_mode mode;
	unsigned int generation;
};

struct world {
	uint64_t now;
	struct quiesce *q;
	struct quiesce_config cfg;
	unsigned int n;
	struct w_vhba v[W_VHBAS];
	struct w_op vm_op[OP_MAX];
	unsigned int vm_calls[OP_MAX];
	bool intake_closed;
	unsigned int generation; /* of the last op on the intake */
	struct w_pending pending[256];
	size_t nrec;
	size_t kill_at; /* dies when so many records are written; 0: lives */
	bool dead;
	unsigned int accepted, answers;
	struct quiesce_result last;
	unsigned int wrong; /* promises broken */
	bool told_lies; /* it heard events that were not true: what it does by them is not held against it */
	char what[200];
	uint64_t (*draw)(struct world *w); /* randomised runs: modes and delays are drawn at each call */
	uint64_t seed;
	unsigned int used_high; /* pending slots ever used */
	struct journal_record rec[W_RECORDS]; /* from here on: not cleared by w_init */
	unsigned long modes[OP_MAX][W_MODES]; /* how often each op ended how */
};

void w_init(struct world *w, unsigned int n);
void w_fini(struct world *w);

/* A request with its deadline from now. What quiesce_event answered. */
int w_request(struct world *w, enum quiesce_ev ev, uint64_t deadline_us);
int w_request_arg(struct world *w, enum quiesce_ev ev, struct quiesce_arg arg, uint64_t deadline_us);

/* Let time go until the machine has answered, is idle, or `until` has come (absolute). */
void w_until_answer(struct world *w);
void w_until_idle(struct world *w);
void w_run(struct world *w, uint64_t until);

/* If the machine was killed: another one takes over from the records. */
void w_revive(struct world *w);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ut-quiesce-world.h"

static void wrong(struct world *w, const char *what)
{
	if (!w->wrong++)
		snprintf(w->what, sizeof(w->what), "at %llu us: %s", (unsigned long long)w->now, what);
}

static bool vport_op(enum q_op op)
{
	return op == OP_DISABLE || op == OP_DELETE || op == OP_ENABLE || op == OP_CREATE;
}

/* Commands that end by themselves or were cut off. */
static void settle_truth(struct world *w, struct w_vhba *v)
{
	if (w->now >= v->drains_at || w->now >= v->cut_at)
		v->inflight = 0;
}

/* To the knowledge of a machine that has heard what is not true. */
static bool believed_up(const struct q_vhba *v)
{
	return !v->logout_begun || v->state == QS_READY || v->state == QS_ATTACHED;
}

/* The intake may open as long as nothing is logged out, or again once all (partial: one) are in use. */
static void check_open(struct world *w)
{
	unsigned int up = 0;

	for (unsigned int i = 0; i < w->n; i++)
		up += w->told_lies ? believed_up(&w->q->v[i]) : w->v[i].vport == W_ENABLED && !w->v[i].out;
	if (w->q->partial ? !up : up != w->n)
		wrong(w, "the intake is opened while a vport is logged out");
}

/* Nothing is asked of a target that has commands which don't end. */
static void begin_sync(struct world *w, struct w_vhba *v, struct w_op *how)
{
	settle_truth(w, v);
	if (v->inflight || v->vport != W_ENABLED)
		wrong(w, "a cache is synchronised while commands are in flight, or after the logout");
	if (!v->sync_hangs)
		return;
	how->mode = W_NEVER;
	v->syncs = true;
	v->inflight = 1;
	v->drains_at = UINT64_MAX;
}

static int begin(struct world *w, const struct quiesce_call *call, enum q_op op)
{
	struct w_vhba *v = call->vhba == QUIESCE_VM ? NULL : &w->v[call->vhba];
	struct w_op how = v ? v->op[op] : w->vm_op[op];

	if (w->dead)
		return 0;
	if (op == OP_OPEN_INTAKE)
		check_open(w);
	if (quiesce_event(w->q, QUIESCE_VM, QE_WAKE, NULL, (struct monotime){w->now}) != -EDEADLK)
		wrong(w, "the machine let an op call back");
	if (w->draw) {
		uint64_t r = w->draw(w) % 100;

		how.mode = r < 80 ? W_DOES : r < 90 ? W_FAIL : r < 93 ? W_CANT : W_NEVER;
		how.delay_us = w->draw(w) % 3 ? w->draw(w) % (10 * W_MS) : w->draw(w) % (2000 * W_MS);
	}
	if (op == OP_SYNC)
		begin_sync(w, v, &how);
	(v ? v->calls : w->vm_calls)[op]++;
	w->modes[op][how.mode]++;
	if (v && op == OP_TIMERS)
		snprintf(v->restored, sizeof(v->restored), "%s", call->timers);
	if (how.mode == W_CANT)
		return -EAGAIN;
	if (v && vport_op(op))
		v->generation++;
	if (op == OP_DISABLE || op == OP_DELETE)
		v->out = true;
	if (!v)
		w->generation++;
	for (size_t i = 0; i < ARRAY_SIZE(w->pending); i++) {
		if (w->pending[i].used)
			continue;
		w->pending[i] = (struct w_pending){.used = true,
						   .at = how.mode == W_NEVER ? UINT64_MAX
									     : w->now + how.delay_us,
						   .vhba = call->vhba,
						   .op = op,
						   .token = call->token,
						   .mode = how.mode,
						   .generation = v ? v->generation : w->generation};
		if (how.mode == W_NEVER)
			w->pending[i].used = false;
		if (i >= w->used_high)
			w->used_high = i + 1;
		return 0;
	}
	abort();
}

#define OP(name, op)                                                                                         \
	static int op_##name(void *user, const struct quiesce_call *call)                                    \
	{                                                                                                    \
		return begin(user, call, op);                                                                \
	}
OP(stop_intake, OP_STOP_INTAKE)
OP(open_intake, OP_OPEN_INTAKE)
OP(count, OP_COUNT)
OP(sync, OP_SYNC)
OP(fast_fail, OP_FAST_FAIL)
OP(disable, OP_DISABLE)
OP(delete, OP_DELETE)
OP(enable, OP_ENABLE)
OP(create, OP_CREATE)
OP(fabric, OP_FABRIC)
OP(ports, OP_PORTS)
OP(ready, OP_READY)
OP(timers, OP_TIMERS)

static int op_journal(void *user, const struct journal_record *r)
{
	struct world *w = user;

	if (w->dead)
		return 0;
	if (r->error || w->nrec == W_RECORDS) {
		wrong(w, "a record that cannot be written");
		return -EINVAL;
	}
	w->rec[w->nrec++] = *r;
	if (w->kill_at && w->nrec == w->kill_at)
		w->dead = true;
	return 0;
}

static bool truly_out(struct world *w, struct w_vhba *v)
{
	settle_truth(w, v);
	return v->vport != W_ENABLED && !v->inflight && w->now >= v->ports_until &&
	       w->now >= v->registered_until;
}

/* What is said to be confirmed, in the answer or in the record after it. */
static void check_confirmed(struct world *w)
{
	for (unsigned int i = 0; i < w->n; i++)
		if (!truly_out(w, &w->v[i]))
			wrong(w, "confirmed, and not true");
	for (unsigned int i = 0; i < w->n; i++)
		if (quiesce_evidence(w->q, i) != QV_ALL)
			wrong(w, "confirmed without its evidence");
	if (w->q->request == QR_QUIESCE && !w->q->owner_paused && !w->intake_closed)
		wrong(w, "confirmed with an open intake");
}

/* The record goes on after the answer. */
static void check_record(struct world *w)
{
	if (!w->dead && quiesce_answered(w->q) && quiesce_request(w->q) != QR_NONE &&
	    quiesce_request(w->q) != QR_RESUME && quiesce_outcome_now(w->q) == QO_CONFIRMED)
		check_confirmed(w);
}

static void op_answer(void *user, const struct quiesce_result *r)
{
	struct world *w = user;

	if (w->dead)
		return;
	w->answers++;
	w->last = *r;
	if (w->now > r->deadline.us)
		wrong(w, "an answer after its deadline");
	if (r->outcome == QO_UNCONFIRMED && !r->text[0])
		wrong(w, "an unconfirmed answer that names nothing");
	if (r->outcome != QO_CONFIRMED || r->request == QR_RESUME)
		return;
	check_confirmed(w);
}

static const struct quiesce_ops ops = {
	.stop_intake = op_stop_intake,
	.open_intake = op_open_intake,
	.count_inflight = op_count,
	.sync_cache = op_sync,
	.set_fast_fail = op_fast_fail,
	.disable = op_disable,
	.delete_vport = op_delete,
	.enable = op_enable,
	.create_vport = op_create,
	.verify_fabric = op_fabric,
	.read_ports = op_ports,
	.check_ready = op_ready,
	.restore_timers = op_timers,
	.journal = op_journal,
	.answer = op_answer,
};

static struct quiesce *machine(struct world *w)
{
	struct quiesce_vhba ids[W_VHBAS] = {0};

	for (unsigned int i = 0; i < w->n; i++) {
		ids[i].index = i;
		ids[i].wwpn = 0x2000000000000001 + i;
		ids[i].wwnn = 0x1000000000000001 + i;
		ids[i].parent_wwpn = 0x3000000000000001 + i;
		strcpy(ids[i].timers, "policy");
	}
	return quiesce_new(&w->cfg, &ops, w, ids, w->n);
}

void w_init(struct world *w, unsigned int n)
{
	memset(w, 0, offsetof(struct world, rec));
	w->now = 1000 * W_MS;
	w->n = n;
	quiesce_config_init(&w->cfg);
	for (unsigned int i = 0; i < n; i++) {
		struct w_vhba *v = &w->v[i];

		v->drains_at = 0;
		v->cut_at = UINT64_MAX;
		v->registered_until = UINT64_MAX;
		v->ready_after = 100 * W_MS;
		v->op[OP_DISABLE].delay_us = 25 * W_MS;
		v->op[OP_DELETE].delay_us = 10 * W_MS;
		v->op[OP_SYNC].delay_us = 2 * W_MS;
		v->op[OP_FAST_FAIL].delay_us = 1 * W_MS;
		v->op[OP_FABRIC].delay_us = 3 * W_MS;
	}
	w->vm_op[OP_STOP_INTAKE].delay_us = 1 * W_MS;
	w->q = machine(w);
}

void w_fini(struct world *w)
{
	quiesce_free(w->q);
	w->q = NULL;
}

static void go_out(struct world *w, struct w_vhba *v, enum w_vport how)
{
	if (how == W_GONE || ((v->fast_fail || v->syncs) && !v->uncut))
		v->cut_at = w->now + 30 * W_MS;
	if (how == W_DISABLED && v->slips)
		v->inflight++, v->drains_at = UINT64_MAX;
	if (v->vport == W_ENABLED)
		v->registered_until = v->stays ? UINT64_MAX : w->now + 5 * W_MS;
	if (v->vport == W_ENABLED)
		v->ports_until = w->now + v->lingers_us;
	v->vport = how;
}

static void come_back(struct world *w, struct w_vhba *v)
{
	if (v->vport == W_GONE)
		v->fast_fail = false;
	v->vport = W_ENABLED;
	v->out = false;
	v->registered_until = UINT64_MAX;
	v->cut_at = UINT64_MAX;
	v->syncs = false;
	v->inflight = 0;
	v->drains_at = 0;
	v->ready_at = w->now + v->ready_after;
}

static bool put_off(const struct world *w, const struct w_pending *p)
{
	return (p->op == OP_DISABLE || p->op == OP_DELETE) && w->now < w->v[p->vhba].forbidden_until;
}

static void take_effect(struct world *w, const struct w_pending *p)
{
	struct w_vhba *v = p->vhba == QUIESCE_VM ? NULL : &w->v[p->vhba];

	if (p->mode != W_DOES || put_off(w, p))
		return;
	if (p->op == OP_STOP_INTAKE || p->op == OP_OPEN_INTAKE)
		w->intake_closed = p->op == OP_STOP_INTAKE;
	else if (p->op == OP_FAST_FAIL)
		v->fast_fail = v->fast_fail || w->now >= v->blocked_until;
	else if (p->op == OP_TIMERS)
		v->fast_fail = false;
	else if (p->op == OP_DISABLE && v->vport == W_ENABLED)
		go_out(w, v, W_DISABLED);
	else if (p->op == OP_DELETE && v->vport != W_GONE)
		go_out(w, v, W_GONE);
	else if (p->op == OP_ENABLE || p->op == OP_CREATE)
		come_back(w, v);
}

static enum quiesce_ev outcome(struct world *w, const struct w_pending *p, struct quiesce_arg *arg)
{
	static const enum quiesce_ev good[OP_MAX] = {
		[OP_STOP_INTAKE] = QE_INTAKE_CLOSED,
		[OP_OPEN_INTAKE] = QE_INTAKE_OPENED,
		[OP_COUNT] = QE_COUNT,
		[OP_SYNC] = QE_SYNCED,
		[OP_FAST_FAIL] = QE_FAST_FAIL_SET,
		[OP_DISABLE] = QE_DISABLED,
		[OP_DELETE] = QE_DELETED,
		[OP_ENABLE] = QE_ENABLED,
		[OP_CREATE] = QE_CREATED,
		[OP_FABRIC] = QE_FABRIC_ABSENT,
		[OP_PORTS] = QE_PORTS,
		[OP_READY] = QE_LUNS_READY,
		[OP_TIMERS] = QE_TIMERS_RESTORED,
	};
	static const enum quiesce_ev bad[OP_MAX] = {
		[OP_STOP_INTAKE] = QE_INTAKE_CLOSE_FAILED,
		[OP_OPEN_INTAKE] = QE_INTAKE_OPEN_FAILED,
		[OP_COUNT] = QE_COUNT_FAILED,
		[OP_SYNC] = QE_SYNC_FAILED,
		[OP_FAST_FAIL] = QE_FAST_FAIL_FAILED,
		[OP_DISABLE] = QE_DISABLE_FAILED,
		[OP_DELETE] = QE_DELETE_FAILED,
		[OP_ENABLE] = QE_ENABLE_FAILED,
		[OP_CREATE] = QE_CREATE_FAILED,
		[OP_FABRIC] = QE_FABRIC_NO_PROOF,
		[OP_PORTS] = QE_PORTS_FAILED,
		[OP_READY] = QE_LUNS_NOT_READY,
		[OP_TIMERS] = QE_TIMERS_FAILED,
	};
	struct w_vhba *v = p->vhba == QUIESCE_VM ? NULL : &w->v[p->vhba];

	arg->token = p->token;
	if (p->mode != W_DOES) {
		arg->text = "it was told to fail";
		return bad[p->op];
	}
	if (!v)
		return good[p->op];
	if (put_off(w, p)) {
		arg->text = "it is forbidden now";
		return p->op == OP_DISABLE ? QE_DISABLE_AGAIN : QE_DELETE_AGAIN;
	}
	settle_truth(w, v);
	if (p->op == OP_COUNT)
		arg->count = v->inflight;
	if (p->op == OP_PORTS)
		arg->text = "a target's state";
	if (p->op == OP_PORTS)
		arg->count = v->vport == W_ENABLED || w->now < v->ports_until ? 1 : 0;
	if (p->op == OP_FAST_FAIL && w->now < v->blocked_until) {
		arg->until.us = v->blocked_until;
		return QE_FAST_FAIL_BUSY;
	}
	if (p->op == OP_FAST_FAIL)
		arg->text = "old timers";
	if (p->op == OP_FABRIC && v->silent)
		return QE_FABRIC_NO_PROOF;
	if (p->op == OP_FABRIC && w->now < v->registered_until) {
		arg->text = "010203";
		return QE_FABRIC_PRESENT;
	}
	if (p->op == OP_READY && v->vport == W_ENABLED && v->sticks) {
		v->sticks--;
		arg->text = "it is not logged in";
		return QE_LOGIN_STUCK;
	}
	if (p->op == OP_READY && (w->now < v->ready_at || v->vport != W_ENABLED)) {
		arg->text = "LUN 0 is not there";
		return QE_LUNS_NOT_READY;
	}
	return good[p->op];
}

/* The next op that ends, or NULL. */
static struct w_pending *next_pending(struct world *w)
{
	struct w_pending *next = NULL;

	for (size_t i = 0; i < w->used_high; i++)
		if (w->pending[i].used && (!next || w->pending[i].at < next->at))
			next = &w->pending[i];
	return next;
}

static void deliver(struct world *w, struct w_pending *p)
{
	struct w_pending copy = *p;
	struct quiesce_arg arg = {0};
	enum quiesce_ev ev;

	p->used = false;
	if (copy.vhba == QUIESCE_VM ? w->generation == copy.generation
				    : !vport_op(copy.op) || w->v[copy.vhba].generation == copy.generation)
		take_effect(w, &copy);
	ev = outcome(w, &copy, &arg);
	if (!copy.dead && !w->dead)
		quiesce_event(w->q, copy.vhba, ev, &arg, (struct monotime){w->now});
}

/* One step of time, not beyond `until`. False: nothing is to come before it. */
static bool one(struct world *w, uint64_t until)
{
	struct w_pending *p = next_pending(w);
	uint64_t tick = quiesce_deadline(w->q).us;
	uint64_t at = p && p->at <= tick ? p->at : tick;

	if (w->dead || at > until || at == UINT64_MAX)
		return false;
	if (at > w->now)
		w->now = at;
	if (p && p->at <= tick)
		deliver(w, p);
	else
		quiesce_tick(w->q, (struct monotime){w->now});
	check_record(w);
	return true;
}

void w_run(struct world *w, uint64_t until)
{
	while (one(w, until))
		;
	if (!w->dead && w->now < until && until != UINT64_MAX)
		w->now = until;
}

void w_until_answer(struct world *w)
{
	unsigned int steps = 0;

	while (!quiesce_answered(w->q) && one(w, UINT64_MAX))
		if (steps++ > 100000)
			wrong(w, "no end of steps");
}

void w_until_idle(struct world *w)
{
	unsigned int steps = 0;

	while (!quiesce_idle(w->q) && one(w, UINT64_MAX)) {
		if (steps++ > 100000) {
			wrong(w, "never idle");
			return;
		}
	}
	if (!w->dead && !quiesce_idle(w->q))
		wrong(w, "it waits for nothing");
}

int w_request_arg(struct world *w, enum quiesce_ev ev, struct quiesce_arg arg, uint64_t deadline_us)
{
	int rc;

	arg.deadline.us = w->now + deadline_us;
	rc = quiesce_event(w->q, QUIESCE_VM, ev, &arg, (struct monotime){w->now});
	if (!rc)
		w->accepted++;
	return rc;
}

int w_request(struct world *w, enum quiesce_ev ev, uint64_t deadline_us)
{
	return w_request_arg(w, ev, (struct quiesce_arg){0}, deadline_us);
}

void w_revive(struct world *w)
{
	struct verror e = {0};
	size_t n = w->nrec;

	if (!w->dead)
		return;
	/* What was begun goes on in the world, but nobody hears of it. */
	for (size_t i = 0; i < ARRAY_SIZE(w->pending); i++)
		w->pending[i].dead = true;
	quiesce_free(w->q);
	w->q = machine(w);
	w->dead = false;
	w->kill_at = 0;
	if (quiesce_restore(w->q, w->rec, n, (struct monotime){w->now}, &e))
		wrong(w, "the journal was not taken");
}

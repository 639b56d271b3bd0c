/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine's door: events and time in, and the loop that works them off.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quiesce-int.h"

static bool ops_complete(const struct quiesce_ops *o)
{
	return o->stop_intake && o->open_intake && o->count_inflight && o->sync_cache && o->set_fast_fail &&
	       o->disable && o->delete_vport && o->enable && o->create_vport && o->verify_fabric &&
	       o->read_ports && o->check_ready && o->restore_timers && o->journal && o->answer;
}

static void init_vhba(struct quiesce *q, unsigned int i, const struct quiesce_vhba *id)
{
	struct q_vhba *v = &q->v[i];

	v->id = *id;
	v->state = QS_ATTACHED;
	v->poll_at = v->step_at = v->until = v->held_since = MONOTIME_NEVER;
	q_forget_seen(v, true);
	v->queued = QE_EVENTS;
}

struct quiesce *quiesce_new(const struct quiesce_config *cfg, const struct quiesce_ops *ops, void *user,
			    const struct quiesce_vhba *ids, unsigned int n)
{
	struct quiesce *q;

	if (!n || n > QUIESCE_VHBA_MAX || !ops_complete(ops)) {
		errno = EINVAL;
		return NULL;
	}
	q = calloc(1, sizeof(*q) + n * sizeof(q->v[0]));
	if (!q)
		return NULL;
	q->rec = calloc((size_t)(n + 1) * QP_PHASES, sizeof(*q->rec));
	if (!q->rec) {
		free(q);
		return NULL;
	}
	q->cfg = *cfg;
	q->ops = *ops;
	q->user = user;
	q->n = n;
	q->answered = true;
	q->deadline = q->answer_at = q->background_at = MONOTIME_NEVER;
	for (unsigned int i = 0; i < n; i++)
		init_vhba(q, i, &ids[i]);
	for (int vhba = QUIESCE_VM; vhba < (int)n; vhba++)
		for (unsigned int p = 0; p < QP_PHASES; p++)
			*q_rec(q, vhba, p) = (struct quiesce_record){
				.vhba = vhba, .phase = p, .inflight_before = -1, .inflight_after = -1};
	return q;
}

void quiesce_free(struct quiesce *q)
{
	if (!q)
		return;
	free(q->rec);
	free(q);
}

/* One event into the table. */
static void step(struct quiesce *q, struct q_vhba *v, enum quiesce_ev ev)
{
	const struct quiesce_entry *e;

	if (ev == QE_RESUME && v->deleted)
		ev = QE_RESUME_GONE;
	if (ev == QE_QUIESCE || ev == QE_RESUME || ev == QE_RESUME_GONE || ev == QE_RELEASE)
		v->serial = q->serial;
	e = quiesce_entry(v->state, ev);
	if (q->trace)
		q->trace(q->user, q_index(q, v), v->state, ev);
	switch (e->how) {
	case QH_GO:
		q_change_state(q, v, e->next, ev);
		q_act(q, v, e->action);
		break;
	case QH_STAY:
		q_act(q, v, e->action);
		break;
	case QH_QUEUE:
		v->queued = ev == QE_RESUME_GONE ? QE_RESUME : ev;
		/* Not taken up yet: after kill -9 it is delivered again. */
		v->serial = q->serial - 1;
		break;
	case QH_HOLE:
	case QH_IGNORE:
	case QH_REFUSE:
		break;
	}
}

void q_run(struct quiesce *q)
{
	do {
		while (q->fifo_n) {
			int vhba = q->fifo[q->fifo_head].vhba;
			enum quiesce_ev ev = q->fifo[q->fifo_head].ev;

			q->fifo_head = (q->fifo_head + 1) % Q_FIFO;
			q->fifo_n--;
			step(q, &q->v[vhba], ev);
		}
		q_settle(q);
	} while (q->fifo_n);
}

#define SYNC_WORTH_US (5 * USEC_PER_MSEC) /* with less time left it would not end */

/*
 * With the intake closed, and nothing in flight when it was sent, all that is in flight is the SYNCHRONIZE
 * CACHE.  To abort for its sake would show an error to whoever submits something during the hold.
 */
static bool only_syncing(const struct quiesce *q, const struct q_vhba *v)
{
	return v->state == QS_DRAIN && v->synced && v->seen.inflight > 0 && q_intake_closed(q) &&
	       q_profile(v)->disable_ends;
}

static void step_end(struct quiesce *q, struct q_vhba *v)
{
	v->step_at = MONOTIME_NEVER;
	if (v->state == QS_SYNC)
		q_text(v->sync, sizeof(v->sync), Q_NOT_SYNCED "no answer in time");
	else if (v->state == QS_DRAIN && q->cfg.sync_us && !v->sync[0])
		q_text(v->sync, sizeof(v->sync), Q_NOT_SYNCED "commands are in flight");
	if (!v->why[0] && v->state != QS_SYNC)
		q_why(v, "%s did not end in time", quiesce_state_name(v->state));
	q_post(q, q_index(q, v), only_syncing(q, v) ? QE_STEP_END_SYNCING : QE_STEP_END);
}

/* Time that has come, one timer after the other: each may stop the next. */
static void advance(struct quiesce *q)
{
	for (unsigned int i = 0; i < q->n; i++) {
		struct q_vhba *v = &q->v[i];

		if (mono_reached(v->poll_at, q->now)) {
			v->poll_at = MONOTIME_NEVER;
			q_post(q, i, QE_POLL);
			q_run(q);
		}
		if (mono_reached(v->step_at, q->now)) {
			step_end(q, v);
			q_run(q);
		}
	}
	if (!q->answered && mono_reached(q->answer_at, q->now)) {
		q->deadline_seen = true;
		q_post(q, QUIESCE_VM, QE_DEADLINE);
		q_run(q);
		if (!q->answered)
			q_answer(q);
	}
	if (mono_reached(q->background_at, q->now)) {
		q->background_at = MONOTIME_NEVER;
		q->background_over = true;
		if (q->vm_token[OP_OPEN_INTAKE]) {
			q->vm_token[OP_OPEN_INTAKE] = 0;
			q->intake = INTAKE_UNKNOWN;
			q_post(q, QUIESCE_VM, QE_INTAKE_OPEN_FAILED);
		}
		q_post(q, QUIESCE_VM, QE_BACKGROUND_END);
		q_run(q);
	}
}

static enum quiesce_request request_of(enum quiesce_ev ev)
{
	return ev == QE_QUIESCE ? QR_QUIESCE : ev == QE_RESUME ? QR_RESUME : QR_RELEASE;
}

/* Refused as a whole before anything is begun. */
static int request_check(struct quiesce *q, enum quiesce_ev ev, const struct quiesce_arg *arg)
{
	if (!q->answered)
		return -EBUSY;
	if (mono_left(arg->deadline, q->now) <= q->cfg.answer_margin_us)
		return -ETIME;
	for (unsigned int i = 0; i < q->n; i++)
		if (quiesce_entry(q->v[i].state, ev)->how == QH_REFUSE)
			return -EINVAL;
	return 0;
}

/* Those that stop close the intake by the table; of the others, those that are out need it closed too. */
static bool needs_closed(const struct quiesce *q)
{
	for (unsigned int i = 0; i < q->n; i++)
		if (q_states[q->v[i].state].past_stop || (q->v[i].state == QS_FAILED && !q->answered))
			return true;
	return false;
}

void q_deliver(struct quiesce *q)
{
	static const enum quiesce_ev evs[QR_REQUESTS] = {
		[QR_QUIESCE] = QE_QUIESCE,
		[QR_RESUME] = QE_RESUME,
		[QR_RELEASE] = QE_RELEASE,
	};

	for (unsigned int i = 0; i < q->n; i++)
		if (q->v[i].serial != q->serial)
			q_post(q, i, evs[q->request]);
	if (q->request != QR_RESUME && needs_closed(q))
		q_intake_close(q);
}

static int take_request(struct quiesce *q, enum quiesce_ev ev, const struct quiesce_arg *arg)
{
	struct quiesce_record *line = q_rec(q, QUIESCE_VM, QP_ANSWER);
	int rc = request_check(q, ev, arg);

	if (rc)
		return rc;
	if (!q->serial++)
		q_journal_ids(q);
	q->request = request_of(ev);
	q->answered = q->caller_gone = q->deadline_seen = q->background_over = false;
	q->asked = q->now;
	q->deadline = arg->deadline;
	q->answer_at = (struct monotime){arg->deadline.us - q->cfg.answer_margin_us};
	q->background_at = mono_add(q->now, q->cfg.background_us);
	if (q->background_at.us < q->deadline.us)
		q->background_at = q->deadline;
	if (ev == QE_QUIESCE)
		q->owner_paused = arg->owner_paused;
	q->partial = ev == QE_RESUME && arg->partial;
	for (unsigned int i = 0; i < q->n; i++)
		q->v[i].queued = QE_EVENTS;
	/* A closing that an earlier request has not heard of since is asked for again. */
	q->vm_token[OP_STOP_INTAKE] = 0;
	*line = (struct quiesce_record){.vhba = QUIESCE_VM,
					.phase = QP_ANSWER,
					.start_us = q->now.us,
					.inflight_before = -1,
					.inflight_after = -1};
	q_journal_vm(q, "request");
	q_deliver(q);
	return 0;
}

/* A result for the VM: only the intake's. */
static int take_intake(struct quiesce *q, enum quiesce_ev ev, const struct quiesce_arg *arg)
{
	enum q_op op = q_evs[ev].op;

	if (!arg->token || arg->token != q->vm_token[op])
		return -ESTALE;
	q->vm_token[op] = 0;
	for (unsigned int i = 0; arg->text && i < q->n; i++)
		q_why(&q->v[i], "%s: %s", quiesce_ev_name(ev), arg->text);
	if (ev == QE_INTAKE_CLOSE_FAILED) {
		q_intake_close_failed(q);
		return 0;
	}
	q->intake = ev == QE_INTAKE_CLOSED   ? INTAKE_CLOSED
		    : ev == QE_INTAKE_OPENED ? INTAKE_OPEN
					     : INTAKE_UNKNOWN;
	q_journal_vm(q, "intake");
	q_post(q, QUIESCE_VM, ev);
	return 0;
}

static int take_vm(struct quiesce *q, enum quiesce_ev ev, const struct quiesce_arg *arg)
{
	if (ev == QE_CALLER_GONE) {
		q->caller_gone = true;
		q_post(q, QUIESCE_VM, ev);
		return 0;
	}
	return q_evs[ev].op == OP_NONE ? take_request(q, ev, arg) : take_intake(q, ev, arg);
}

static void set_evidence(struct q_vhba *v, enum quiesce_evidence bit, bool there)
{
	bool counts = v->state == QS_RECHECK || v->state == QS_VERIFY || v->state == QS_HELD ||
		      v->state == QS_GONE_CHECK;

	if (counts && there)
		v->evidence |= bit;
	else
		v->evidence &= ~bit;
}

/* A drain that is over synchronises the caches first, once, if there is time for that. */
static enum quiesce_ev classify_zero(struct quiesce *q, struct q_vhba *v)
{
	if (v->state != QS_DRAIN || !q->cfg.sync_us || v->sync[0] || v->logout_begun)
		return QE_COUNT_ZERO;
	if (mono_left(v->step_at, q->now) >= SYNC_WORTH_US)
		return QE_COUNT_ZERO_UNSYNCED;
	q_text(v->sync, sizeof(v->sync), Q_NOT_SYNCED "no time is left");
	return QE_COUNT_ZERO;
}

/* Note what the result says; it may become a finer event. */
static enum quiesce_ev classify(struct quiesce *q, struct q_vhba *v, enum quiesce_ev ev,
				const struct quiesce_arg *arg)
{
	uint64_t ends;

	switch (ev) {
	case QE_COUNT:
		v->seen.inflight = arg->count > INT64_MAX ? INT64_MAX : (int64_t)arg->count;
		v->seen.inflight_us = q->now.us;
		set_evidence(v, QV_IN_FLIGHT_ENDED, !arg->count);
		/* It came between the last count and the disable: the kernel keeps it for a resume. */
		if (v->state == QS_RECHECK && arg->count && !v->cuts_sync)
			v->parked = true;
		q_record_refresh(q, v);
		return arg->count ? QE_COUNT_SOME : classify_zero(q, v);
	case QE_PORTS:
		v->seen.online = arg->count > INT64_MAX ? INT64_MAX : (int64_t)arg->count;
		v->seen.ports_us = q->now.us;
		q_text(v->seen.ports, sizeof(v->seen.ports), "%s", arg->text ? arg->text : "");
		set_evidence(v, QV_TARGETS_LOGGED_OUT, !arg->count);
		return arg->count ? QE_PORTS_ONLINE : QE_PORTS_GONE;
	case QE_SYNCED:
	case QE_SYNC_FAILED:
		q_text(v->sync, sizeof(v->sync), "%s%s",
		       ev == QE_SYNCED ? "caches synchronised: " : Q_NOT_SYNCED,
		       arg->text ? arg->text : "all");
		return ev;
	case QE_FABRIC_ABSENT:
	case QE_FABRIC_PRESENT:
	case QE_FABRIC_NO_PROOF:
		set_evidence(v, QV_FABRIC_LOGGED_OUT, ev == QE_FABRIC_ABSENT);
		v->seen.fabric_us = q->now.us;
		q_text(v->seen.fabric, sizeof(v->seen.fabric), "%s%s%s",
		       ev == QE_FABRIC_ABSENT	 ? "absent"
		       : ev == QE_FABRIC_PRESENT ? "present"
						 : "no proof",
		       arg->text ? ": " : "", arg->text ? arg->text : "");
		return ev;
	case QE_FAST_FAIL_SET:
		if (v->take_timers && arg->text)
			snprintf(v->timers, sizeof(v->timers), "%s", arg->text);
		v->take_timers = false;
		return ev;
	case QE_FAST_FAIL_BUSY:
		v->until = arg->until;
		ends = mono_add(arg->until, q_profile(v)->rport_slack_us).us;
		if (v->take_timers && arg->text)
			snprintf(v->timers, sizeof(v->timers), "%s", arg->text);
		v->take_timers = false;
		return ends < q->answer_at.us ? QE_FAST_FAIL_BUSY_SHORT : ev;
	case QE_DISABLE_AGAIN:
	case QE_DELETE_AGAIN:
		q_why(v, "%s", arg->text ? arg->text : quiesce_ev_name(ev));
		v->again = arg->until;
		if (ev == QE_DISABLE_AGAIN && q->background_over)
			return QE_DISABLE_FAILED;
		return ev;
	default:
		if (arg->text)
			q_why(v, "%s: %s", quiesce_ev_name(ev), arg->text);
		else if (ev == QE_LUNS_READY)
			v->why[0] = '\0';
		return ev;
	}
}

static int take_vhba(struct quiesce *q, struct q_vhba *v, enum quiesce_ev ev, const struct quiesce_arg *arg)
{
	enum q_op op = q_evs[ev].op;

	if (op != OP_NONE) {
		if (!arg->token || arg->token != v->token[op])
			return -ESTALE;
		v->token[op] = 0;
	}
	q_post(q, q_index(q, v), op == OP_NONE ? ev : classify(q, v, ev, arg));
	return 0;
}

int quiesce_event(struct quiesce *q, int vhba, enum quiesce_ev ev, const struct quiesce_arg *arg,
		  struct monotime now)
{
	static const struct quiesce_arg none;
	bool vm = vhba == QUIESCE_VM;
	int rc = 0;

	if ((unsigned int)ev >= QE_EVENTS || !q_evs[ev].external || vhba < QUIESCE_VM || vhba >= (int)q->n ||
	    (vm != q_evs[ev].vm && !(vm && ev == QE_WAKE)))
		return -EINVAL;
	if (q->running)
		return -EDEADLK;
	q->running = true;
	if (now.us > q->now.us)
		q->now = now;
	if (!arg)
		arg = &none;
	/* A request finds the time's work done; a result may come just before its time is over. */
	if (q_evs[ev].op == OP_NONE)
		advance(q);
	if (ev == QE_WAKE && vm)
		q_post(q, QUIESCE_VM, ev);
	else
		rc = vm ? take_vm(q, ev, arg) : take_vhba(q, &q->v[vhba], ev, arg);
	q_run(q);
	advance(q);
	q->running = false;
	return rc;
}

void quiesce_tick(struct quiesce *q, struct monotime now)
{
	if (q->running)
		return;
	q->running = true;
	if (now.us > q->now.us)
		q->now = now;
	advance(q);
	q->running = false;
}

void quiesce_leave(struct quiesce *q, struct monotime now)
{
	if (q->running || q->answered)
		return;
	q->running = true;
	if (now.us > q->now.us)
		q->now = now;
	q->leaving = q->deadline_seen = true;
	q_post(q, QUIESCE_VM, QE_DEADLINE);
	q_run(q);
	if (!q->answered)
		q_answer(q);
	q->running = false;
}

void q_inject(struct quiesce *q, unsigned int vhba, enum quiesce_ev ev, struct monotime now)
{
	q->running = true;
	if (now.us > q->now.us)
		q->now = now;
	q_post(q, vhba, ev);
	q_run(q);
	q->running = false;
}

static bool resting(const struct q_vhba *v)
{
	return q_states[v->state].stable && v->state != QS_READY_WAIT && v->queued == QE_EVENTS &&
	       v->poll_at.us == MONOTIME_NEVER.us && v->step_at.us == MONOTIME_NEVER.us;
}

bool quiesce_idle(const struct quiesce *q)
{
	if (!q->answered || q->vm_token[OP_OPEN_INTAKE])
		return false;
	for (unsigned int i = 0; i < q->n; i++) {
		const struct q_vhba *v = &q->v[i];

		if (!resting(v) || (v->state == QS_HELD && v->evidence != QV_ALL && !q->background_over))
			return false;
	}
	return true;
}

struct monotime quiesce_deadline(const struct quiesce *q)
{
	struct monotime t = quiesce_answer_at(q);

	for (unsigned int i = 0; i < q->n; i++)
		t = mono_min(t, mono_min(q->v[i].poll_at, q->v[i].step_at));
	return quiesce_idle(q) ? t : mono_min(t, q->background_at);
}

struct monotime quiesce_answer_at(const struct quiesce *q)
{
	return q->answered ? MONOTIME_NEVER : q->answer_at;
}

void quiesce_trade_answers(struct quiesce *a, struct quiesce *b)
{
	struct monotime at = a->answer_at;

	if (a->answered || b->answered)
		return;
	a->answer_at = b->answer_at;
	b->answer_at = at;
}

bool quiesce_finished(const struct quiesce *q)
{
	for (unsigned int i = 1; i < q->n; i++)
		if (q->v[i].state != q->v[0].state)
			return false;
	return quiesce_idle(q) && (q->v[0].state == QS_ATTACHED || q->v[0].state == QS_GONE);
}

bool quiesce_released(const struct quiesce *q)
{
	for (unsigned int i = 0; i < q->n; i++)
		if ((q->v[i].state != QS_GONE && q->v[i].state != QS_GONE_CHECK) ||
		    q->v[i].queued != QE_EVENTS)
			return false;
	return q->answered;
}

unsigned int quiesce_vhbas(const struct quiesce *q)
{
	return q->n;
}

const struct quiesce_vhba *quiesce_vhba(const struct quiesce *q, unsigned int vhba)
{
	return vhba < q->n ? &q->v[vhba].id : NULL;
}

enum quiesce_state quiesce_state(const struct quiesce *q, unsigned int vhba)
{
	return vhba < q->n ? q->v[vhba].state : QS_STATES;
}

unsigned int quiesce_evidence(const struct quiesce *q, unsigned int vhba)
{
	return vhba < q->n ? q->v[vhba].evidence : 0;
}

const struct quiesce_seen *quiesce_seen(const struct quiesce *q, unsigned int vhba)
{
	return vhba < q->n ? &q->v[vhba].seen : NULL;
}

const struct quiesce_result *quiesce_result(const struct quiesce *q)
{
	return &q->result;
}

enum quiesce_request quiesce_request(const struct quiesce *q)
{
	return q->request;
}

bool quiesce_answered(const struct quiesce *q)
{
	return q->answered;
}

int quiesce_journal_error(const struct quiesce *q)
{
	return q->journal_error;
}

const struct quiesce_record *quiesce_records(const struct quiesce *q, size_t *n)
{
	*n = (size_t)(q->n + 1) * QP_PHASES;
	return q->rec;
}

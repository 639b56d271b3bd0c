/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What concerns the VM as a whole: the intake, beginning an op, the answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "quiesce-int.h"

static quiesce_op_fn *op_fn(const struct quiesce_ops *ops, enum q_op op)
{
	quiesce_op_fn *const fns[OP_MAX] = {
		[OP_STOP_INTAKE] = ops->stop_intake, [OP_OPEN_INTAKE] = ops->open_intake,
		[OP_COUNT] = ops->count_inflight,    [OP_SYNC] = ops->sync_cache,
		[OP_FAST_FAIL] = ops->set_fast_fail, [OP_DISABLE] = ops->disable,
		[OP_DELETE] = ops->delete_vport,     [OP_ENABLE] = ops->enable,
		[OP_CREATE] = ops->create_vport,     [OP_FABRIC] = ops->verify_fabric,
		[OP_PORTS] = ops->read_ports,	     [OP_READY] = ops->check_ready,
		[OP_TIMERS] = ops->restore_timers,
	};

	return fns[op];
}

/* The event that an op which could not begin amounts to. */
static const enum quiesce_ev op_failed[OP_MAX] = {
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

/*
 * Never the same twice in a process: what an earlier machine of a VM asked for may be answered when the VM
 * has another one, and the name server's word on the last logout proves nothing about this one.
 */
static uint32_t new_token(void)
{
	static _Atomic uint32_t last;
	uint32_t token = ++last;

	return token ? token : ++last;
}

uint32_t q_begin_op(struct quiesce *q, int vhba, enum q_op op, struct monotime by)
{
	struct q_vhba *v = vhba == QUIESCE_VM ? NULL : &q->v[vhba];
	uint32_t *slot = v ? &v->token[op] : &q->vm_token[op];
	struct quiesce_call call = {
		.vhba = vhba,
		.token = new_token(),
		.id = v ? &v->id : NULL,
		.timers = !v		 ? ""
			  : v->timers[0] ? v->timers
					 : v->id.timers,
		.by = by,
	};
	int rc;

	*slot = call.token;
	rc = op_fn(&q->ops, op)(q->user, &call);
	if (!rc)
		return call.token;
	*slot = 0;
	if (v && op == OP_SYNC)
		q_text(v->sync, sizeof(v->sync), Q_NOT_SYNCED "cannot begin: %s", strerror(-rc));
	if (v) {
		q_why(v, "%s: cannot begin: %s", quiesce_ev_name(op_failed[op]), strerror(-rc));
		q_post(q, vhba, op_failed[op]);
	}
	return 0;
}

/* No one may be logged out, or on the way there, for the intake to be opened as a roll-back. */
static bool may_roll_back(const struct quiesce *q)
{
	for (unsigned int i = 0; i < q->n; i++)
		if (q->v[i].logout_begun || q->v[i].state == QS_CLOSE || q_states[q->v[i].state].past_stop)
			return false;
	return true;
}

void q_intake_close_failed(struct quiesce *q)
{
	q->intake = INTAKE_UNKNOWN;
	q_post(q, QUIESCE_VM, may_roll_back(q) ? QE_INTAKE_CLOSE_FAILED : QE_INTAKE_CLOSE_STUCK);
}

void q_intake_close(struct quiesce *q)
{
	if (q_intake_closed(q) || q->vm_token[OP_STOP_INTAKE])
		return;
	q->vm_token[OP_OPEN_INTAKE] = 0;
	q->intake = INTAKE_CLOSING;
	q_journal_vm(q, "intake");
	if (!q_begin_op(q, QUIESCE_VM, OP_STOP_INTAKE, q->answer_at)) {
		for (unsigned int i = 0; i < q->n; i++)
			q_why(&q->v[i], "closing the intake could not begin");
		q_intake_close_failed(q);
	}
}

void q_intake_open(struct quiesce *q)
{
	if (q->vm_token[OP_OPEN_INTAKE])
		return;
	q->vm_token[OP_STOP_INTAKE] = 0;
	q->intake = INTAKE_OPENING;
	/* A vhba that became ready at the very end still gives the opening a bound of its own. */
	if (q->background_over)
		q->background_at = mono_add(q->now, q->cfg.stop_us);
	q_journal_vm(q, "intake");
	if (!q_begin_op(q, QUIESCE_VM, OP_OPEN_INTAKE, q->background_at)) {
		for (unsigned int i = 0; i < q->n; i++)
			q_why(&q->v[i], "opening the intake could not begin");
		q->intake = INTAKE_UNKNOWN;
		q_post(q, QUIESCE_VM, QE_INTAKE_OPEN_FAILED);
	}
}

static unsigned int in_state(const struct quiesce *q, enum quiesce_state s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < q->n; i++)
		n += q->v[i].state == s && q->v[i].queued == QE_EVENTS;
	return n;
}

/* A resume's vhbas are ready: open the intake, or, when it is open, let them go on. */
static void settle_ready(struct quiesce *q)
{
	unsigned int ready = in_state(q, QS_READY), attached = in_state(q, QS_ATTACHED);
	unsigned int failed = in_state(q, QS_FAILED);
	bool all = ready + attached == q->n;

	if (!ready || q->request != QR_RESUME)
		return;
	if (q->partial && (q->deadline_seen || ready + attached + failed == q->n))
		all = true;
	if (!all)
		return;
	if (!q->owner_paused && q->intake != INTAKE_OPEN) {
		q_intake_open(q);
		return;
	}
	if (q->intake != INTAKE_OPEN) {
		q->intake = INTAKE_OPEN;
		q_journal_vm(q, "intake");
	}
	for (unsigned int i = 0; i < q->n; i++)
		if (q->v[i].state == QS_READY)
			q_post(q, i, QE_ALL_READY);
}

/* Nothing more can come of this vhba for the request, unless evidence that arrives late. */
static bool settled(const struct quiesce *q, const struct q_vhba *v)
{
	if (v->queued != QE_EVENTS)
		return false;
	switch (v->state) {
	case QS_FAILED:
	case QS_GONE:
		return true;
	case QS_ATTACHED:
		return q->request != QR_RELEASE;
	case QS_HELD:
		return q->request == QR_QUIESCE && (v->evidence == QV_ALL || q->deadline_seen);
	case QS_READY:
		/* Ready, but another failed and the intake therefore stays closed. */
		return !q->partial && in_state(q, QS_FAILED) > 0 &&
		       in_state(q, QS_FAILED) + in_state(q, QS_READY) + in_state(q, QS_ATTACHED) == q->n;
	default:
		return false;
	}
}

enum quiesce_outcome q_outcome(const struct quiesce *q, const struct q_vhba *v)
{
	bool closed = q_intake_closed(q);

	if (v->state == QS_FAILED)
		return QO_FAILED;
	if (v->queued != QE_EVENTS)
		return QO_UNCONFIRMED;
	switch (q->request) {
	case QR_QUIESCE:
		if (v->state == QS_ATTACHED || v->state == QS_ROLLBACK)
			return QO_FAILED;
		return (v->state == QS_HELD || v->state == QS_GONE) && v->evidence == QV_ALL && closed
			       ? QO_CONFIRMED
			       : QO_UNCONFIRMED;
	case QR_RESUME:
		return v->state == QS_ATTACHED && !v->timers_failed ? QO_CONFIRMED : QO_UNCONFIRMED;
	case QR_RELEASE:
		return v->state == QS_GONE && v->evidence == QV_ALL ? QO_CONFIRMED : QO_UNCONFIRMED;
	default:
		return QO_NONE;
	}
}

/* What of the evidence lacks, with what was seen instead. */
const char *q_lacks(const struct quiesce *q, const struct q_vhba *v, char *buf, size_t size)
{
	unsigned int lacks = QV_ALL & ~v->evidence;
	char names[QUIESCE_TEXT_MAX], count[48] = "", ports[48] = "";

	if (!lacks) {
		snprintf(buf, size, "%s", quiesce_evidence_text(QV_ALL, names, sizeof(names)));
		return buf;
	}
	if (lacks & QV_IN_FLIGHT_ENDED && v->seen.inflight >= 0)
		snprintf(count, sizeof(count), "; %" PRId64 " in flight", v->seen.inflight);
	if (lacks & QV_TARGETS_LOGGED_OUT && v->seen.online >= 0)
		snprintf(ports, sizeof(ports), "; %" PRId64 " rports Online", v->seen.online);
	snprintf(buf, size, "not proved: %s%s%s%s%s", quiesce_evidence_text(lacks, names, sizeof(names)),
		 count, ports, lacks & QV_FABRIC_LOGGED_OUT && v->seen.fabric[0] ? "; name server: " : "",
		 lacks & QV_FABRIC_LOGGED_OUT ? v->seen.fabric : "");
	return buf;
}

static bool shows_evidence(enum quiesce_state s)
{
	return s == QS_VERIFY || s == QS_HELD || s == QS_GONE_CHECK || s == QS_GONE;
}

static void vhba_text(const struct quiesce *q, const struct q_vhba *v, char *buf, size_t size)
{
	char lacks[QUIESCE_TEXT_MAX];

	if (v->state == QS_FAILED)
		snprintf(buf, size, "vhba %u: failed in %s: %s", v->id.index,
			 quiesce_state_name(v->failed_in), v->why[0] ? v->why : "it did not end in time");
	else if (v->state == QS_ATTACHED && v->timers_failed)
		snprintf(buf, size, "vhba %u: rport timers not restored: %s", v->id.index, v->why);
	else if (v->state == QS_ATTACHED || v->state == QS_ROLLBACK)
		snprintf(buf, size, "vhba %u: %s: %s", v->id.index,
			 v->state == QS_ATTACHED ? "as it was before" : "being rolled back", v->why);
	else if (shows_evidence(v->state) && q->request != QR_RESUME)
		snprintf(buf, size, "vhba %u: %s%s%s", v->id.index,
			 v->evidence == QV_ALL ? "intake not proved closed"
					       : q_lacks(q, v, lacks, sizeof(lacks)),
			 v->parked && v->evidence != QV_ALL ? "; parked" : "",
			 v->deleted && q->request == QR_QUIESCE ? "; hard stop" : "");
	else
		snprintf(buf, size, "vhba %u: still in %s%s%s", v->id.index, quiesce_state_name(v->state),
			 v->why[0] ? ": " : "", v->why);
}

static void result_text(struct quiesce *q, struct quiesce_result *r)
{
	char one[256];
	size_t len = 0;

	r->text[0] = '\0';
	if (q->leaving)
		len = snprintf(
			r->text, sizeof(r->text),
			"vhbad ends before the deadline, and goes on with it when it is started again");
	if (r->may_have_failed)
		len += snprintf(r->text + len, sizeof(r->text) - len,
				"%sheld longer than dev_loss: the kernel may have failed parked commands",
				len ? "; " : "");
	for (unsigned int i = 0; i < q->n && len < sizeof(r->text); i++) {
		if (q_outcome(q, &q->v[i]) <= QO_CONFIRMED)
			continue;
		vhba_text(q, &q->v[i], one, sizeof(one));
		len += snprintf(r->text + len, sizeof(r->text) - len, "%s%s", len ? "; " : "", one);
	}
}

enum quiesce_outcome quiesce_outcome_now(const struct quiesce *q)
{
	enum quiesce_outcome worst = QO_NONE;

	for (unsigned int i = 0; i < q->n; i++) {
		enum quiesce_outcome o = q_outcome(q, &q->v[i]);

		worst = o > worst ? o : worst;
	}
	return worst;
}

void q_answer(struct quiesce *q)
{
	struct quiesce_result *r = &q->result;
	struct quiesce_record *line = q_rec(q, QUIESCE_VM, QP_ANSWER);

	*r = (struct quiesce_result){.request = q->request,
				     .outcome = quiesce_outcome_now(q),
				     .caller_gone = q->caller_gone,
				     .asked = q->asked,
				     .answered = q->now,
				     .deadline = q->deadline};
	r->rolled_back = q->request == QR_QUIESCE && in_state(q, QS_ATTACHED) == q->n;
	for (unsigned int i = 0; i < q->n; i++)
		r->may_have_failed = r->may_have_failed ||
				     (q->request == QR_RESUME && q->v[i].may_have_failed);
	result_text(q, r);
	q->answered = true;
	line->end_us = q->now.us;
	line->outcome = r->outcome;
	q_text(line->text, sizeof(line->text), "%s", r->text);
	q_journal_vm(q, "answer");
	q->ops.answer(q->user, r);
}

void q_settle(struct quiesce *q)
{
	if (q->request == QR_NONE)
		return;
	settle_ready(q);
	if (q->answered || q->fifo_n)
		return;
	for (unsigned int i = 0; i < q->n; i++)
		if (!settled(q, &q->v[i]))
			return;
	q_answer(q);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one function that changes a vhba's state, and what goes with a change: flags, bounds, the record, the
 * journal.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "quiesce-int.h"

void q_post(struct quiesce *q, int vhba, enum quiesce_ev ev)
{
	if (vhba == QUIESCE_VM) {
		for (unsigned int i = 0; i < q->n; i++)
			q_post(q, i, ev);
		return;
	}
	/* Each event in work makes at most a few for its own vhba, so the ring never fills: 32 per vhba. */
	if (q->fifo_n == Q_FIFO)
		return;
	q->fifo[(q->fifo_head + q->fifo_n) % Q_FIFO].vhba = vhba;
	q->fifo[(q->fifo_head + q->fifo_n) % Q_FIFO].ev = ev;
	q->fifo_n++;
}

void q_why(struct q_vhba *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->why, sizeof(v->why), fmt, ap);
	va_end(ap);
}

void q_text(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, size, fmt, ap);
	va_end(ap);
}

/* At most cap, at most a share (1/n) of the time until the answer; after the answer a short fixed time. */
uint64_t q_budget(const struct quiesce *q, uint64_t cap_us, unsigned int share)
{
	uint64_t left = mono_left(q->answer_at, q->now) / share;

	if (!left)
		left = 100 * USEC_PER_MSEC;
	return left < cap_us ? left : cap_us;
}

uint64_t quiesce_drain_us(const struct quiesce_config *cfg, const struct quiesce_profile *p, uint64_t left_us)
{
	uint64_t us = left_us / 2, most = p->drain_first && !cfg->drain_given ? us : cfg->drain_us;

	/* Where the deadline cannot be kept anyway, what comes after gets its half. */
	if (left_us >= p->reserve_us && left_us - p->reserve_us < us)
		us = left_us - p->reserve_us;
	if (us > most)
		us = most;
	/* The first count must be able to come: with nothing in flight it is a hold. */
	return us > 2 * cfg->drain_poll_min_us ? us : 2 * cfg->drain_poll_min_us;
}

void q_forget_seen(struct q_vhba *v, bool inflight)
{
	struct quiesce_seen none = {.inflight = -1, .online = -1};

	if (!inflight) {
		none.inflight = v->seen.inflight;
		none.inflight_us = v->seen.inflight_us;
	}
	v->seen = none;
}

static void forget_round(struct q_vhba *v)
{
	v->evidence = 0;
	v->parked = false;
	v->aborted = false;
	v->synced = false;
	v->cuts_sync = false;
	q_forget_seen(v, true);
	v->why[0] = '\0';
	v->sync[0] = '\0';
	v->drain_until = (struct monotime){0};
}

static void begin_logout(struct quiesce *q, struct q_vhba *v)
{
	/* What was seen before the vport went proves nothing after. */
	v->evidence = 0;
	q_forget_seen(v, false);
	if (!v->logout_begun)
		v->held_since = q->now;
	v->logout_begun = true;
}

static void begin_resume(struct quiesce *q, struct q_vhba *v)
{
	uint64_t hold = v->id.hold_us ? v->id.hold_us : q->cfg.hold_us;

	v->may_have_failed = v->logout_begun && mono_since(q->now, v->held_since) > hold;
	v->evidence = 0;
	v->timers_failed = false;
	v->why[0] = '\0';
}

static void attached_again(struct q_vhba *v)
{
	v->logout_begun = false;
	v->deleted = false;
	v->created = false;
	v->held_since = MONOTIME_NEVER;
	v->evidence = 0;
}

static void enter_flags(struct quiesce *q, struct q_vhba *v, enum quiesce_state next, enum quiesce_ev ev)
{
	unsigned let_go;

	switch (next) {
	case QS_STOP:
	case QS_CLOSE:
		forget_round(v);
		break;
	case QS_SYNC:
		q_text(v->sync, sizeof(v->sync), Q_NOT_SYNCED "it was interrupted");
		v->synced = true;
		break;
	case QS_FAST_FAIL:
		v->aborted = true;
		v->take_timers = !v->fast_fail;
		v->fast_fail = true;
		break;
	case QS_DISABLE_HOLD:
		v->cuts_sync = ev == QE_STEP_END_SYNCING;
		begin_logout(q, v);
		break;
	case QS_DISABLE_ABORT:
		begin_logout(q, v);
		break;
	case QS_VERIFY:
	case QS_GONE_CHECK:
		/* Asked again while held, or gone: what was proved then is asked for anew. */
		if (ev == QE_QUIESCE || ev == QE_RELEASE) {
			v->evidence = 0;
			q_forget_seen(v, false);
		}
		break;
	case QS_HARD_STOP:
		v->aborted = v->aborted || v->seen.inflight != 0;
		begin_logout(q, v);
		v->deleted = true;
		break;
	case QS_DELETE:
		/* Held, and let go by the fabric, a vport doesn't log in again by being deleted; and when it
		 * has moved, the name server shows the name where it is now. */
		let_go = v->state == QS_HELD ? v->evidence & QV_FABRIC_LOGGED_OUT : 0;
		begin_logout(q, v);
		v->evidence = let_go;
		v->deleted = true;
		break;
	case QS_ENABLE:
		begin_resume(q, v);
		break;
	case QS_CREATE:
		begin_resume(q, v);
		v->created = true;
		break;
	case QS_READY_WAIT:
		v->deleted = false;
		break;
	case QS_READY:
		v->timers_failed = ev != QE_TIMERS_RESTORED;
		if (!v->timers_failed)
			v->fast_fail = false;
		break;
	case QS_ATTACHED:
		attached_again(v);
		break;
	case QS_FAILED:
		v->failed_in = v->state;
		break;
	default:
		break;
	}
}

/* One budget for the drain with all that is in it. */
static void arm_drain(struct quiesce *q, struct q_vhba *v)
{
	uint64_t us = mono_left(q->answer_at, q->now);

	if (!v->drain_until.us) {
		us = us ? quiesce_drain_us(&q->cfg, q_profile(v), us) : q_budget(q, q->cfg.drain_us, 2);
		v->drain_until = mono_add(q->now, us);
	}
	v->step_at = v->drain_until;
	/* Half of what is left at most: a drain that has no time to count again would cut off, and where even
	 * that is slow delete, a vport with nothing in flight. */
	if (v->state == QS_SYNC) {
		us = mono_left(v->drain_until, q->now) / 2;
		v->step_at = mono_add(q->now, us < q->cfg.sync_us ? us : q->cfg.sync_us);
	}
}

#define FAST_FAIL_LEAST_US (200 * USEC_PER_MSEC)

void q_arm_step(struct quiesce *q, struct q_vhba *v)
{
	const struct quiesce_profile *p = q_profile(v);
	uint64_t us = 0;

	switch (v->state) {
	case QS_STOP:
	case QS_CLOSE:
		us = q_budget(q, q->cfg.stop_us, 4);
		break;
	case QS_DRAIN:
	case QS_SYNC:
		arm_drain(q, v);
		return;
	case QS_FAST_FAIL:
		/* A helper that is merely slow is no reason for a hard stop, which would not be faster. */
		us = q_budget(q, p->fast_fail_us, 2);
		us = us > FAST_FAIL_LEAST_US ? us : FAST_FAIL_LEAST_US;
		break;
	case QS_RPORT_WAIT:
		v->step_at = mono_add(v->until, p->rport_slack_us);
		return;
	case QS_DISABLE_HOLD:
	case QS_DISABLE_ABORT:
		us = p->disable_us;
		break;
	case QS_RECHECK:
		us = q_budget(q, q->cfg.verify_poll_max_us, 2);
		break;
	case QS_VERIFY:
		us = (v->aborted || v->cuts_sync) && !v->deleted ? p->escalate_us : 0;
		break;
	case QS_TIMERS:
		/* A fast_io_fail_tmo of 0 that stays costs more than a resume that takes its time. */
		us = q_budget(q, 5 * USEC_PER_SEC, 2);
		us = us > p->fast_fail_us ? us : p->fast_fail_us;
		break;
	default:
		break;
	}
	v->step_at = us ? mono_add(q->now, us) : MONOTIME_NEVER;
}

static enum quiesce_outcome phase_outcome(const struct quiesce *q, const struct q_vhba *v,
					  enum quiesce_phase p, enum quiesce_state from,
					  enum quiesce_state to, unsigned int evidence)
{
	bool good = evidence == QV_ALL;

	if (to == QS_FAILED || from == QS_ROLLBACK)
		return QO_FAILED;
	if (p == QP_STOP)
		good = q_intake_closed(q);
	else if (p == QP_DRAIN)
		good = v->seen.inflight == 0;
	else if (p == QP_LOGOUT)
		good = !v->parked;
	else if (p == QP_RESUME)
		good = to == QS_ATTACHED && !v->timers_failed;
	return good ? QO_CONFIRMED : QO_UNCONFIRMED;
}

static void phase_text(struct quiesce *q, struct q_vhba *v, enum quiesce_phase p, char *buf, size_t size)
{
	const char *why = v->why[0] ? ": " : "";

	switch (p) {
	case QP_DRAIN:
		q_text(buf, size, "%s%s%s", v->sync, v->sync[0] && v->why[0] ? "; " : "", v->why);
		break;
	case QP_STOP:
		q_text(buf, size, "%s%s%s",
		       q->owner_paused		    ? "its owner says that it has paused it"
		       : q->intake == INTAKE_CLOSED ? "intake closed"
						    : "intake not proved closed",
		       why, v->why);
		break;
	case QP_LOGOUT:
		q_text(buf, size, "%s%s%s%s",
		       v->deleted   ? "hard stop: vport deleted"
		       : v->aborted ? "abort: fast_io_fail 0, vport disabled"
		       : v->cuts_sync
			       ? "hold: vport disabled, timers left as they are, SYNCHRONIZE CACHE cut off"
			       : "hold: vport disabled, timers left as they are",
		       v->parked ? "; a command slipped in before and is parked" : "", why, v->why);
		break;
	case QP_VERIFY:
	case QP_HOLD:
	case QP_RELEASE:
		q_lacks(q, v, buf, size);
		break;
	case QP_RESUME:
		q_text(buf, size, "%s%s%s%s",
		       v->may_have_failed
			       ? "held longer than dev_loss: the kernel may have failed parked commands"
			       : "",
		       v->may_have_failed && v->why[0] ? "; " : "",
		       v->timers_failed ? "rport timers not restored: " : "", v->why);
		break;
	default:
		q_text(buf, size, "%s", v->why);
		break;
	}
}

/* What the phase that lasts says, from what the vhba is now. */
void q_record_refresh(struct quiesce *q, struct q_vhba *v)
{
	enum quiesce_phase p = q_states[v->state].phase;
	struct quiesce_record *r;

	if (p == QP_PHASES)
		return;
	r = q_rec(q, q_index(q, v), p);
	if (!r->start_us)
		return;
	if (r->inflight_before < 0)
		r->inflight_before = v->seen.inflight;
	r->inflight_after = v->seen.inflight;
	r->evidence = v->evidence;
	phase_text(q, v, p, r->text, sizeof(r->text));
}

static void clear_records(struct quiesce *q, int vhba, enum quiesce_phase first)
{
	for (unsigned int p = first; p < QP_ANSWER; p++)
		*q_rec(q, vhba, p) = (struct quiesce_record){
			.vhba = vhba, .phase = p, .inflight_before = -1, .inflight_after = -1};
}

/* Late proof: the verification that ended unconfirmed is upgraded. */
static void upgrade_verify(struct quiesce *q, struct q_vhba *v, uint64_t at_us)
{
	struct quiesce_record *r = q_rec(q, q_index(q, v), QP_VERIFY);

	if (!r->start_us)
		return;
	r->end_us = at_us;
	r->outcome = QO_CONFIRMED;
	r->evidence = v->evidence;
	r->inflight_after = v->seen.inflight;
	q_lacks(q, v, r->text, sizeof(r->text));
}

void q_stamp(struct quiesce *q, struct q_vhba *v, enum quiesce_state from, enum quiesce_state to,
	     uint64_t at_us)
{
	enum quiesce_phase pf = q_states[from].phase, pt = q_states[to].phase;
	struct quiesce_record *r;
	int i = q_index(q, v);

	if (from == QS_HELD && to == QS_HELD && v->evidence == QV_ALL)
		upgrade_verify(q, v, at_us);
	if (pf != pt && pf != QP_PHASES) {
		r = q_rec(q, i, pf);
		r->end_us = at_us;
		/* By what its record has: the next state may want it proved anew. */
		r->outcome = phase_outcome(q, v, pf, from, to, r->evidence);
	}
	if (pf != pt && pt != QP_PHASES) {
		if (to == QS_STOP || to == QS_CLOSE)
			clear_records(q, i, QP_STOP);
		else if (pt == QP_RESUME)
			clear_records(q, i, QP_RESUME);
		r = q_rec(q, i, pt);
		if (!r->start_us)
			r->start_us = at_us;
		r->end_us = 0;
		r->outcome = QO_NONE;
	}
	q_vm_record_refresh(q);
}

/* The VM's line of a phase spans those of its vhbas. */
static void vm_phase(struct quiesce *q, enum quiesce_phase p)
{
	struct quiesce_record sum = {.vhba = QUIESCE_VM,
				     .phase = p,
				     .inflight_before = 0,
				     .inflight_after = 0,
				     .evidence = QV_ALL};
	bool lasts = false;

	for (unsigned int i = 0; i < q->n; i++) {
		const struct quiesce_record *r = q_rec(q, i, p);

		if (!r->start_us)
			continue;
		if (!sum.start_us || r->start_us < sum.start_us)
			sum.start_us = r->start_us;
		sum.end_us = r->end_us > sum.end_us ? r->end_us : sum.end_us;
		lasts = lasts || !r->end_us;
		sum.outcome = r->outcome > sum.outcome ? r->outcome : sum.outcome;
		sum.evidence &= r->evidence;
		sum.inflight_before = sum.inflight_before < 0 || r->inflight_before < 0
					      ? -1
					      : sum.inflight_before + r->inflight_before;
		sum.inflight_after = sum.inflight_after < 0 || r->inflight_after < 0
					     ? -1
					     : sum.inflight_after + r->inflight_after;
	}
	if (!sum.start_us)
		sum.inflight_before = sum.inflight_after = -1, sum.evidence = 0;
	if (lasts) {
		sum.end_us = 0;
		sum.outcome = QO_NONE;
	}
	*q_rec(q, QUIESCE_VM, p) = sum;
}

void q_vm_record_refresh(struct quiesce *q)
{
	for (unsigned int p = 0; p < QP_ANSWER; p++)
		vm_phase(q, p);
}

void q_change_state(struct quiesce *q, struct q_vhba *v, enum quiesce_state next, enum quiesce_ev ev)
{
	enum quiesce_state from = v->state;
	bool goes_on = next == QS_HELD && (from == QS_VERIFY || from == QS_HELD);
	uint32_t fabric = from == QS_RECHECK && next == QS_VERIFY ? v->token[OP_FABRIC] : 0;

	q_record_refresh(q, v);
	enter_flags(q, v, next, ev);
	q_stamp(q, v, from, next, q->now.us);
	v->state = next;
	if (!goes_on) {
		/* Ends of what the old state began are stale from here on; questions for evidence stay good.
		 */
		memset(v->token, 0, sizeof(v->token));
		v->token[OP_FABRIC] = fabric;
		v->poll_at = MONOTIME_NEVER;
		v->backoff_us = 0;
		q_arm_step(q, v);
	}
	q_record_refresh(q, v);
	q_journal_state(q, v, from, ev);
	if (q->deadline_seen || q->answered)
		q_post(q, q_index(q, v), QE_DEADLINE);
	if (q->background_over)
		q_post(q, q_index(q, v), QE_BACKGROUND_END);
	if (q_states[next].stable && v->queued != QE_EVENTS) {
		q_post(q, q_index(q, v), v->queued);
		v->queued = QE_EVENTS;
	}
	if (q->ops.changed)
		q->ops.changed(q->user, q_index(q, v));
}

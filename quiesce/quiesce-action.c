/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the actions of the table do for one vhba.
 */
#include <string.h>

#include "quiesce-int.h"

static bool drains(const struct q_vhba *v)
{
	return v->state == QS_DRAIN || v->state == QS_RPORT_WAIT;
}

/*
 * Poll again after the back-off, which doubles.  That of a drain and of the readiness grows by a quarter,
 * since somebody waits for each millisecond of it, and a look that finds nothing costs little.
 */
static void act_again(struct quiesce *q, struct q_vhba *v)
{
	bool waited_for = v->state == QS_DRAIN || v->state == QS_READY_WAIT;
	uint64_t low = drains(v) || waited_for ? q->cfg.drain_poll_min_us : q->cfg.verify_poll_min_us;
	uint64_t high = drains(v) ? q->cfg.drain_poll_max_us : q->cfg.verify_poll_max_us;

	if (q->answered && !drains(v))
		high = q->cfg.background_poll_max_us;
	if (!v->backoff_us)
		v->backoff_us = low;
	else
		v->backoff_us += waited_for ? v->backoff_us / 4 : v->backoff_us;
	if (v->backoff_us > high)
		v->backoff_us = high;
	v->poll_at = mono_add(q->now, v->backoff_us);
}

/* What forbids the step has no end that is known, and is no failure of it. */
static void act_put_off(struct quiesce *q, struct q_vhba *v)
{
	v->step_at = MONOTIME_NEVER;
	if (v->again.us)
		v->poll_at = v->again;
	else
		act_again(q, v);
	q_record_refresh(q, v);
}

static struct monotime waits_until(const struct quiesce *q, const struct q_vhba *v)
{
	return mono_min(v->step_at, q->background_at);
}

static void ask(struct quiesce *q, struct q_vhba *v, enum q_op op)
{
	if (!v->token[op])
		q_begin_op(q, q_index(q, v), op, waits_until(q, v));
}

static void act_stop_intake(struct quiesce *q, struct q_vhba *v)
{
	if (q_intake_closed(q))
		q_post(q, q_index(q, v), QE_INTAKE_CLOSED);
	else
		q_intake_close(q);
}

static void act_open_intake(struct quiesce *q, struct q_vhba *v)
{
	if (q->owner_paused || q->intake == INTAKE_OPEN)
		q_post(q, q_index(q, v), QE_INTAKE_OPENED);
	else
		q_intake_open(q);
}

static void act_count(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_COUNT);
}

/* The longest way first: what is known here is read while the fabric answers. */
static void act_recheck(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_FABRIC);
	ask(q, v, OP_COUNT);
}

static void act_sync(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_SYNC);
}

static void act_wait_rport(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_COUNT);
}

static void act_fast_fail(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_FAST_FAIL);
}

static void act_disable(struct quiesce *q, struct q_vhba *v)
{
	if (v->step_at.us == MONOTIME_NEVER.us)
		q_arm_step(q, v); /* it had been put off */
	ask(q, v, OP_DISABLE);
}

static void act_delete(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_DELETE);
}

/* Ask for what lacks; the questions go out together, that with the longest way first. */
static void act_verify(struct quiesce *q, struct q_vhba *v)
{
	if (!(v->evidence & QV_FABRIC_LOGGED_OUT))
		ask(q, v, OP_FABRIC);
	if (!(v->evidence & QV_IN_FLIGHT_ENDED))
		ask(q, v, OP_COUNT);
	if (!(v->evidence & QV_TARGETS_LOGGED_OUT))
		ask(q, v, OP_PORTS);
}

static void act_evidence(struct quiesce *q, struct q_vhba *v)
{
	q_record_refresh(q, v);
	/* Commands that have ended need no harder stop. */
	if (v->evidence & QV_IN_FLIGHT_ENDED)
		v->step_at = MONOTIME_NEVER;
	if (v->evidence == QV_ALL) {
		v->poll_at = MONOTIME_NEVER;
		q_post(q, q_index(q, v), QE_PROVED);
	} else if (v->poll_at.us == MONOTIME_NEVER.us && !q->background_over) {
		act_again(q, v);
	}
}

static void act_enable(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_ENABLE);
}

static void act_create(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_CREATE);
}

static void act_check_ready(struct quiesce *q, struct q_vhba *v)
{
	ask(q, v, OP_READY);
}

/* A hold left the timers alone: nothing to restore. */
static void act_restore_timers(struct quiesce *q, struct q_vhba *v)
{
	if (v->fast_fail || v->created)
		ask(q, v, OP_TIMERS);
	else
		q_post(q, q_index(q, v), QE_TIMERS_RESTORED);
}

static void act_note(struct quiesce *q, struct q_vhba *v)
{
	q_record_refresh(q, v);
}

static void act_rest(struct quiesce *q, struct q_vhba *v)
{
	v->poll_at = MONOTIME_NEVER;
	v->step_at = MONOTIME_NEVER;
	q_record_refresh(q, v);
}

static void act_none(struct quiesce *q, struct q_vhba *v)
{
}

static void (*const acts[QA_ACTIONS])(struct quiesce *q, struct q_vhba *v) = {
	[QA_NONE] = act_none,
	[QA_STOP_INTAKE] = act_stop_intake,
	[QA_OPEN_INTAKE] = act_open_intake,
	[QA_COUNT] = act_count,
	[QA_RECHECK] = act_recheck,
	[QA_AGAIN] = act_again,
	[QA_PUT_OFF] = act_put_off,
	[QA_SYNC] = act_sync,
	[QA_FAST_FAIL] = act_fast_fail,
	[QA_WAIT_RPORT] = act_wait_rport,
	[QA_DISABLE] = act_disable,
	[QA_DELETE] = act_delete,
	[QA_VERIFY] = act_verify,
	[QA_EVIDENCE] = act_evidence,
	[QA_ENABLE] = act_enable,
	[QA_CREATE] = act_create,
	[QA_CHECK_READY] = act_check_ready,
	[QA_RESTORE_TIMERS] = act_restore_timers,
	[QA_NOTE] = act_note,
	[QA_REST] = act_rest,
};

void q_act(struct quiesce *q, struct q_vhba *v, enum quiesce_action a)
{
	acts[a](q, v);
}

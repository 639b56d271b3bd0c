/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine's paths, one by one, under the virtual clock.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ut-quiesce-world.h"
#include "ut.h"

static struct world w;

static void hang(unsigned int i)
{
	w.v[i].inflight = 4;
	w.v[i].drains_at = UINT64_MAX;
}

/* The request, its answer, and that no promise was broken. */
static void ask(enum quiesce_ev ev, uint64_t deadline_us, enum quiesce_outcome want)
{
	UT_EQ(w_request(&w, ev, deadline_us), 0);
	w_until_answer(&w);
	UT_EQ(w.answers, w.accepted);
	if (w.last.outcome != want)
		printf("# said: %s\n", w.last.text);
	UT_STREQ(quiesce_outcome_name(w.last.outcome), quiesce_outcome_name(want));
	if (w.wrong)
		printf("# %s\n", w.what);
	UT_EQ(w.wrong, 0);
}

static void in_state(unsigned int i, enum quiesce_state s)
{
	UT_STREQ(quiesce_state_name(quiesce_state(w.q, i)), quiesce_state_name(s));
}

static const struct quiesce_record *rec(int vhba, enum quiesce_phase p)
{
	size_t n;

	return &quiesce_records(w.q, &n)[(vhba + 1) * QP_PHASES + p];
}

static void test_healthy(void)
{
	unsigned int asked;

	w_init(&w, 2);
	w.v[0].inflight = 8;
	w.v[0].drains_at = w.now + 10 * W_MS;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	in_state(0, QS_HELD);
	in_state(1, QS_HELD);
	CU_ASSERT(w.now < 1000 * W_MS + 100 * W_MS);
	UT_EQ(w.v[0].calls[OP_FAST_FAIL], 0);
	UT_EQ(rec(0, QP_DRAIN)->inflight_before, 8);
	UT_EQ(rec(0, QP_DRAIN)->inflight_after, 0);
	UT_EQ(rec(0, QP_VERIFY)->evidence, QV_ALL);
	UT_STREQ(rec(0, QP_VERIFY)->text, "in-flight ended, targets logged out, fabric logged out");
	for (unsigned int p = QP_STOP; p <= QP_VERIFY; p++) {
		UT_EQ(rec(1, p)->outcome, QO_CONFIRMED);
		CU_ASSERT(rec(1, p)->end_us >= rec(1, p)->start_us && rec(1, p)->start_us > 0);
	}
	UT_EQ(rec(QUIESCE_VM, QP_ANSWER)->outcome, QO_CONFIRMED);
	CU_ASSERT(quiesce_idle(w.q) && !quiesce_finished(w.q));
	/* Asked again it proves anew, and does not wait for the deadline. */
	asked = w.v[0].calls[OP_FABRIC];
	ask(QE_QUIESCE, 10000 * W_MS, QO_CONFIRMED);
	CU_ASSERT(w.v[0].calls[OP_FABRIC] > asked);
	CU_ASSERT(mono_since(w.last.answered, w.last.asked) < 1000 * W_MS);
	ask(QE_RESUME, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(rec(0, QP_HOLD)->outcome, QO_CONFIRMED); /* it was proved to its end */
	CU_ASSERT(quiesce_finished(w.q));
	UT_EQ(w.intake_closed, false);
	UT_EQ(w.v[0].calls[OP_TIMERS], 0);
	w_fini(&w);
}

static void test_hung(void)
{
	w_init(&w, 2);
	hang(1);
	ask(QE_QUIESCE, 500 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[1].calls[OP_FAST_FAIL], 1);
	UT_EQ(w.v[1].calls[OP_DELETE], 0);
	ask(QE_RESUME, 1000 * W_MS, QO_CONFIRMED);
	UT_STREQ(w.v[1].restored, "old timers");
	CU_ASSERT(quiesce_finished(w.q));
	w_fini(&w);
}

static void test_abort_does_not_cut(void)
{
	w_init(&w, 1);
	hang(0);
	w.v[0].uncut = true;
	ask(QE_QUIESCE, 2000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_DISABLE], 1);
	UT_EQ(w.v[0].calls[OP_DELETE], 1);
	w_fini(&w);
}

static void test_login_stuck(void)
{
	w_init(&w, 2);
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	w.v[1].sticks = 2;
	ask(QE_RESUME, 5000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_ENABLE], 1);
	UT_EQ(w.v[1].calls[OP_ENABLE], 3);
	CU_ASSERT(quiesce_finished(w.q));
	w_fini(&w);
}

/* What the kernel does forbids the step: it waits, whatever its own bound is, says why, and goes on by
 * itself. */
static void test_put_off(void)
{
	w_init(&w, 2);
	hang(0);
	w.v[0].forbidden_until = w.now + 5000 * W_MS;
	ask(QE_QUIESCE, 2000 * W_MS, QO_UNCONFIRMED);
	CU_ASSERT_PTR_NOT_NULL(strstr(w.last.text, "vhba 0: still in disable-abort: it is forbidden now"));
	CU_ASSERT_PTR_NULL(strstr(w.last.text, "vhba 1"));
	UT_EQ(w.v[0].calls[OP_DELETE], 0);
	/* A resume that comes meanwhile is taken up when it is over. */
	ask(QE_RESUME, 10000 * W_MS, QO_CONFIRMED);
	in_state(0, QS_ATTACHED);
	UT_EQ(w.v[0].calls[OP_DELETE], 0);
	w_fini(&w);
}

/* A disable that is begun after it was put off has its bound. */
static void test_put_off_then_stuck(void)
{
	w_init(&w, 1);
	hang(0);
	w.v[0].forbidden_until = w.now + 3000 * W_MS;
	UT_EQ(w_request(&w, QE_QUIESCE, 8000 * W_MS), 0);
	w_run(&w, w.now + 2900 * W_MS);
	w.v[0].op[OP_DISABLE].mode = W_NEVER;
	w_until_answer(&w);
	UT_EQ(w.v[0].calls[OP_DELETE], 1);
	UT_STREQ(quiesce_outcome_name(w.last.outcome), quiesce_outcome_name(QO_CONFIRMED));
	w_fini(&w);
}

/* Not for ever; what is not done then is said, and a release does it. */
static void test_put_off_for_good(void)
{
	w_init(&w, 1);
	hang(0);
	w.v[0].forbidden_until = UINT64_MAX;
	ask(QE_QUIESCE, 1000 * W_MS, QO_UNCONFIRMED);
	w_until_idle(&w);
	in_state(0, QS_FAILED);
	ask(QE_RELEASE, 1000 * W_MS, QO_UNCONFIRMED);
	CU_ASSERT_PTR_NOT_NULL(strstr(w.last.text, "vhba 0: still in delete: it is forbidden now"));
	w.v[0].forbidden_until = 0;
	ask(QE_RELEASE, 5000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].vport, W_GONE);
	w_fini(&w);
}

static void test_blocked_short(void)
{
	w_init(&w, 1);
	hang(0);
	w.v[0].blocked_until = w.now + 700 * W_MS;
	w.v[0].cut_at = w.now + 720 * W_MS;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_DELETE], 0);
	UT_EQ(w.v[0].calls[OP_DISABLE], 1);
	w_fini(&w);
}

static void test_blocked_long(void)
{
	w_init(&w, 1);
	hang(0);
	w.v[0].blocked_until = UINT64_MAX;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_DISABLE], 0);
	UT_EQ(w.v[0].calls[OP_DELETE], 1);
	w.v[0].blocked_until = 0;
	ask(QE_RESUME, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_CREATE], 1);
	UT_STREQ(w.v[0].restored, "policy");
	w_fini(&w);
}

static void test_parked(void)
{
	w_init(&w, 1);
	w.v[0].slips = true;
	ask(QE_QUIESCE, 300 * W_MS, QO_UNCONFIRMED);
	CU_ASSERT(strstr(w.last.text, "1 in flight") && strstr(w.last.text, "parked"));
	CU_ASSERT(strstr(rec(0, QP_LOGOUT)->text, "slipped in") != NULL);
	w.v[0].slips = false;
	ask(QE_RESUME, 1000 * W_MS, QO_CONFIRMED);
	w_fini(&w);
}

static void test_slow_name_server(void)
{
	w_init(&w, 1);
	w.v[0].op[OP_FABRIC].delay_us = 3000 * W_MS;
	ask(QE_QUIESCE, 500 * W_MS, QO_UNCONFIRMED);
	CU_ASSERT(strstr(w.last.text, "fabric logged out") != NULL);
	in_state(0, QS_HELD);
	w_until_idle(&w);
	UT_EQ(quiesce_outcome_now(w.q), QO_CONFIRMED);
	UT_EQ(rec(0, QP_VERIFY)->outcome, QO_CONFIRMED);
	UT_EQ(w.answers, 1);
	w_fini(&w);
}

/* It is asked while the commands are counted once more: what it takes is not added, and its word counts. */
static void test_fabric_asked_at_once(void)
{
	w_init(&w, 1);
	w.v[0].op[OP_FABRIC].delay_us = 30 * W_MS;
	w.v[0].op[OP_COUNT].delay_us = 20 * W_MS;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_FABRIC], 1);
	CU_ASSERT(rec(0, QP_LOGOUT)->end_us - rec(0, QP_LOGOUT)->start_us < 50 * W_MS);
	CU_ASSERT(rec(0, QP_VERIFY)->end_us - rec(0, QP_VERIFY)->start_us < 20 * W_MS);
	w_fini(&w);
	/* An answer that is there before the count is not asked for again. */
	w_init(&w, 1);
	w.v[0].op[OP_FABRIC].delay_us = 10 * W_MS;
	w.v[0].op[OP_COUNT].delay_us = 20 * W_MS;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_FABRIC], 1);
	w_fini(&w);
}

static void test_silent_name_server(void)
{
	w_init(&w, 1);
	w.v[0].silent = true;
	ask(QE_QUIESCE, 500 * W_MS, QO_UNCONFIRMED);
	w_until_idle(&w);
	UT_EQ(quiesce_outcome_now(w.q), QO_UNCONFIRMED);
	CU_ASSERT(w.now >= 1000 * W_MS + w.cfg.background_us);
	ask(QE_RELEASE, 500 * W_MS, QO_UNCONFIRMED);
	w_until_idle(&w);
	in_state(0, QS_GONE);
	CU_ASSERT(quiesce_finished(w.q));
	w_fini(&w);
}

static void test_short_deadline(void)
{
	w_init(&w, 2);
	hang(0);
	ask(QE_QUIESCE, 50 * W_MS, QO_UNCONFIRMED);
	UT_EQ(w.now, 1000 * W_MS + 45 * W_MS);
	w_until_idle(&w);
	UT_EQ(quiesce_outcome_now(w.q), QO_CONFIRMED);
	UT_EQ(w_request(&w, QE_RESUME, 5 * W_MS), -ETIME);
	w_fini(&w);
}

static void test_caller_gone(void)
{
	w_init(&w, 1);
	UT_EQ(w_request(&w, QE_QUIESCE, 1000 * W_MS), 0);
	UT_EQ(quiesce_event(w.q, QUIESCE_VM, QE_CALLER_GONE, NULL, (struct monotime){w.now}), 0);
	w_until_answer(&w);
	UT_EQ(w.last.caller_gone, true);
	UT_EQ(w.last.outcome, QO_CONFIRMED);
	in_state(0, QS_HELD);
	w_fini(&w);
}

/* The timers have the resume's time, not a quiesce's: one left at 0 makes an error of each blip of the link.
 */
static void test_slow_timers(void)
{
	w_init(&w, 1);
	w.v[0].inflight = 8;
	w.v[0].drains_at = UINT64_MAX;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	w.v[0].op[OP_TIMERS].delay_us = 2000 * W_MS;
	ask(QE_RESUME, 30000 * W_MS, QO_CONFIRMED);
	UT_STREQ(w.v[0].restored, "old timers");
	w_fini(&w);
}

/* The daemon ends: the caller is told what is so, and nothing of the work is lost. */
/* Of two with the same need, each is answered at the other's time. */
static void test_traded(void)
{
	static struct world other;
	uint64_t start;

	w_init(&w, 1);
	w_init(&other, 1);
	start = w.now;
	w.v[0].op[OP_FABRIC].delay_us = other.v[0].op[OP_FABRIC].delay_us = 3000 * W_MS;
	UT_EQ(w_request(&w, QE_QUIESCE, 2000 * W_MS), 0);
	UT_EQ(w_request(&other, QE_QUIESCE, 1600 * W_MS), 0);
	quiesce_trade_answers(w.q, other.q);
	w_until_answer(&w);
	UT_EQ(w.answers, 1);
	CU_ASSERT(w.now <= start + 1600 * W_MS);
	w_run(&other, start + 1700 * W_MS);
	UT_EQ(other.answers, 0);
	w_run(&other, start + 2000 * W_MS);
	UT_EQ(other.answers, 1);
	/* One that is answered has no time to give away. */
	quiesce_trade_answers(w.q, other.q);
	UT_EQ(quiesce_answer_at(w.q).us, MONOTIME_NEVER.us);
	w_fini(&w);
	w_fini(&other);
}

static void test_leave(void)
{
	w_init(&w, 2);
	w.v[1].inflight = 8;
	w.v[1].drains_at = UINT64_MAX;
	UT_EQ(w_request(&w, QE_QUIESCE, 4000 * W_MS), 0);
	w_run(&w, w.now + 300 * W_MS);
	in_state(1, QS_DRAIN);
	quiesce_leave(w.q, (struct monotime){w.now});
	UT_EQ(w.answers, 1);
	UT_EQ(w.last.outcome, QO_UNCONFIRMED);
	CU_ASSERT(strstr(w.last.text, "vhbad ends") && strstr(w.last.text, "vhba 1: still in drain"));
	UT_EQ(w.v[1].calls[OP_DISABLE] + w.v[1].calls[OP_FAST_FAIL], 0);
	quiesce_leave(w.q, (struct monotime){w.now});
	w.dead = true;
	w_revive(&w);
	w_until_idle(&w);
	UT_EQ(w.answers, 1);
	in_state(0, QS_HELD);
	in_state(1, QS_HELD);
	UT_EQ(quiesce_outcome_now(w.q), QO_CONFIRMED);
	ask(QE_RESUME, 1000 * W_MS, QO_CONFIRMED);
	w_fini(&w);
}

static void test_intake_fails(void)
{
	w_init(&w, 2);
	w.vm_op[OP_STOP_INTAKE].mode = W_FAIL;
	ask(QE_QUIESCE, 500 * W_MS, QO_FAILED);
	UT_EQ(w.last.rolled_back, true);
	in_state(0, QS_ATTACHED);
	UT_EQ(w.v[0].calls[OP_DISABLE], 0);
	CU_ASSERT(quiesce_finished(w.q));
	w.vm_op[OP_STOP_INTAKE].mode = W_CANT;
	ask(QE_QUIESCE, 500 * W_MS, QO_FAILED);
	w.vm_op[OP_STOP_INTAKE].mode = W_NEVER;
	ask(QE_QUIESCE, 500 * W_MS, QO_UNCONFIRMED);
	CU_ASSERT(strstr(w.last.text, "intake") != NULL);
	in_state(0, QS_HELD);
	w_fini(&w);
	w_init(&w, 1);
	UT_EQ(w_request_arg(&w, QE_QUIESCE, (struct quiesce_arg){.owner_paused = true}, 500 * W_MS), 0);
	w_until_answer(&w);
	UT_EQ(w.last.outcome, QO_CONFIRMED);
	UT_EQ(w.vm_calls[OP_STOP_INTAKE], 0);
	w_fini(&w);
}

/* What each op's failure or silence comes to, in a quiesce of a hung vhba, then a resume of it. */
static void test_each_action_fails(void)
{
	static const struct {
		enum q_op op;
		enum w_mode mode;
		enum quiesce_outcome quiesce, resume;
	} t[] = {
		{OP_COUNT, W_FAIL, QO_UNCONFIRMED, QO_CONFIRMED},
		{OP_COUNT, W_CANT, QO_UNCONFIRMED, QO_CONFIRMED},
		{OP_COUNT, W_NEVER, QO_UNCONFIRMED, QO_CONFIRMED},
		{OP_FAST_FAIL, W_FAIL, QO_CONFIRMED, QO_CONFIRMED},
		{OP_FAST_FAIL, W_CANT, QO_CONFIRMED, QO_CONFIRMED},
		{OP_FAST_FAIL, W_NEVER, QO_CONFIRMED, QO_CONFIRMED},
		{OP_DISABLE, W_FAIL, QO_CONFIRMED, QO_CONFIRMED},
		{OP_DISABLE, W_CANT, QO_CONFIRMED, QO_CONFIRMED},
		{OP_DISABLE, W_NEVER, QO_CONFIRMED, QO_CONFIRMED},
		{OP_FABRIC, W_FAIL, QO_UNCONFIRMED, QO_CONFIRMED},
		{OP_FABRIC, W_CANT, QO_UNCONFIRMED, QO_CONFIRMED},
		{OP_FABRIC, W_NEVER, QO_UNCONFIRMED, QO_CONFIRMED},
		{OP_PORTS, W_FAIL, QO_UNCONFIRMED, QO_CONFIRMED},
		{OP_PORTS, W_NEVER, QO_UNCONFIRMED, QO_CONFIRMED},
		{OP_ENABLE, W_FAIL, QO_CONFIRMED, QO_FAILED},
		{OP_ENABLE, W_CANT, QO_CONFIRMED, QO_FAILED},
		{OP_ENABLE, W_NEVER, QO_CONFIRMED, QO_UNCONFIRMED},
		{OP_READY, W_FAIL, QO_CONFIRMED, QO_UNCONFIRMED},
		{OP_READY, W_NEVER, QO_CONFIRMED, QO_UNCONFIRMED},
		{OP_TIMERS, W_FAIL, QO_CONFIRMED, QO_UNCONFIRMED},
		{OP_TIMERS, W_NEVER, QO_CONFIRMED, QO_UNCONFIRMED},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		w_init(&w, 2);
		hang(0);
		w.v[0].op[t[i].op].mode = t[i].mode;
		ask(QE_QUIESCE, 5000 * W_MS, t[i].quiesce);
		w_until_idle(&w);
		ask(QE_RESUME, 3000 * W_MS, t[i].resume);
		w_until_idle(&w);
		UT_EQ(w.wrong, 0);
		/* From wherever that led, a release ends it. */
		for (unsigned int op = 0; op < OP_MAX; op++)
			w.v[0].op[op].mode = W_DOES;
		ask(QE_RELEASE, 1000 * W_MS, QO_CONFIRMED);
		CU_ASSERT(quiesce_finished(w.q));
		w_fini(&w);
	}
}

static void test_hard_stop_fails(void)
{
	for (enum w_mode mode = W_FAIL; mode <= W_NEVER; mode++) {
		w_init(&w, 1);
		hang(0);
		w.v[0].op[OP_DISABLE].mode = W_FAIL;
		w.v[0].op[OP_DELETE].mode = mode;
		ask(QE_QUIESCE, 500 * W_MS, mode == W_NEVER ? QO_UNCONFIRMED : QO_FAILED);
		CU_ASSERT(strstr(w.last.text, "hard-stop") != NULL);
		w_until_idle(&w);
		in_state(0, QS_FAILED);
		/* Retry, now that the kernel is willing. */
		w.v[0].op[OP_DELETE].mode = W_DOES;
		ask(QE_QUIESCE, 500 * W_MS, QO_CONFIRMED);
		ask(QE_RESUME, 500 * W_MS, QO_CONFIRMED);
		w_fini(&w);
	}
}

static void test_release(void)
{
	w_init(&w, 2);
	ask(QE_RELEASE, 500 * W_MS, QO_CONFIRMED);
	UT_EQ(w.intake_closed, true);
	CU_ASSERT(quiesce_finished(w.q));
	UT_EQ(w_request(&w, QE_RESUME, 500 * W_MS), -EINVAL);
	ask(QE_RELEASE, 500 * W_MS, QO_CONFIRMED);
	w_fini(&w);
	w_init(&w, 1);
	w.v[0].stays = true;
	ask(QE_RELEASE, 500 * W_MS, QO_UNCONFIRMED);
	CU_ASSERT(strstr(w.last.text, "name server: present") != NULL);
	in_state(0, QS_GONE_CHECK);
	/* What the fabric does not let go need not be waited for; but nobody goes on before the answer. */
	UT_EQ(quiesce_released(w.q), true);
	UT_EQ(w_request(&w, QE_RELEASE, 500 * W_MS), 0);
	UT_EQ(quiesce_released(w.q), false);
	w_until_answer(&w);
	UT_EQ(quiesce_released(w.q), true);
	UT_EQ(w_request(&w, QE_QUIESCE, 500 * W_MS), 0);
	w_until_answer(&w);
	UT_EQ(quiesce_released(w.q), false);
	w_fini(&w);
	w_init(&w, 1);
	w.v[0].op[OP_DELETE].mode = W_FAIL;
	ask(QE_RELEASE, 500 * W_MS, QO_FAILED);
	w.v[0].op[OP_DELETE].mode = W_DOES;
	ask(QE_RELEASE, 500 * W_MS, QO_CONFIRMED);
	w_fini(&w);
}

static void test_resume_late(void)
{
	w_init(&w, 1);
	ask(QE_QUIESCE, 500 * W_MS, QO_CONFIRMED);
	w_run(&w, w.now + 61 * USEC_PER_SEC);
	ask(QE_RESUME, 500 * W_MS, QO_CONFIRMED);
	UT_EQ(w.last.may_have_failed, true);
	CU_ASSERT(strstr(w.last.text, "may have failed") != NULL);
	w_fini(&w);
}

static void test_resume_not_ready(void)
{
	w_init(&w, 2);
	ask(QE_QUIESCE, 500 * W_MS, QO_CONFIRMED);
	w.v[1].ready_after = 4000 * W_MS;
	ask(QE_RESUME, 500 * W_MS, QO_UNCONFIRMED);
	CU_ASSERT(strstr(w.last.text, "LUN 0 is not there") != NULL);
	UT_EQ(w.intake_closed, true);
	w_until_idle(&w);
	UT_EQ(quiesce_outcome_now(w.q), QO_CONFIRMED);
	UT_EQ(w.intake_closed, false);
	ask(QE_QUIESCE, 500 * W_MS, QO_CONFIRMED);
	UT_EQ(w_request_arg(&w, QE_RESUME, (struct quiesce_arg){.partial = true}, 500 * W_MS), 0);
	w_until_answer(&w);
	UT_EQ(w.last.outcome, QO_UNCONFIRMED);
	w_run(&w, w.now + 10 * W_MS);
	UT_EQ(w.intake_closed, false);
	in_state(0, QS_ATTACHED);
	UT_EQ(w.wrong, 0);
	w_fini(&w);
}

static void test_resume_while_logging_out(void)
{
	w_init(&w, 1);
	w.v[0].op[OP_DISABLE].delay_us = 600 * W_MS;
	UT_EQ(w_request(&w, QE_QUIESCE, 200 * W_MS), 0);
	UT_EQ(w_request(&w, QE_RESUME, 1000 * W_MS), -EBUSY);
	w_until_answer(&w);
	UT_EQ(w.last.outcome, QO_UNCONFIRMED);
	in_state(0, QS_DISABLE_HOLD);
	ask(QE_RESUME, 2000 * W_MS, QO_CONFIRMED);
	in_state(0, QS_ATTACHED);
	UT_EQ(w.v[0].calls[OP_ENABLE], 1);
	w_fini(&w);
}

static void test_stale_and_bad(void)
{
	struct quiesce_arg arg = {.token = 99};
	struct monotime now;

	w_init(&w, 1);
	now.us = w.now;
	UT_EQ(quiesce_event(w.q, 0, QE_DISABLED, &arg, now), -ESTALE);
	UT_EQ(quiesce_event(w.q, 0, QE_DISABLED, NULL, now), -ESTALE);
	UT_EQ(quiesce_event(w.q, 1, QE_DISABLED, &arg, now), -EINVAL);
	UT_EQ(quiesce_event(w.q, QUIESCE_VM, QE_DISABLED, &arg, now), -EINVAL);
	UT_EQ(quiesce_event(w.q, 0, QE_QUIESCE, &arg, now), -EINVAL);
	UT_EQ(quiesce_event(w.q, 0, QE_PROVED, &arg, now), -EINVAL);
	UT_EQ(quiesce_event(w.q, 0, QE_EVENTS, &arg, now), -EINVAL);
	in_state(0, QS_ATTACHED);
	w_fini(&w);
}

/* The name server's answer to an earlier machine of the VM is no proof for the next one. */
static void test_answer_to_an_earlier_machine(void)
{
	uint32_t earlier = 0;

	for (int turn = 0; turn < 2; turn++) {
		w_init(&w, 1);
		w.v[0].op[OP_FABRIC].mode = W_NEVER;
		ask(QE_QUIESCE, 500 * W_MS, QO_UNCONFIRMED);
		if (turn) {
			struct quiesce_arg arg = {.token = earlier};
			struct monotime now = {w.now};

			UT_EQ(quiesce_event(w.q, 0, QE_FABRIC_ABSENT, &arg, now), -ESTALE);
			UT_EQ(quiesce_evidence(w.q, 0) & QV_FABRIC_LOGGED_OUT, 0);
		}
		CU_ASSERT(w.q->v[0].token[OP_FABRIC] != 0 && w.q->v[0].token[OP_FABRIC] != earlier);
		earlier = w.q->v[0].token[OP_FABRIC];
		w_fini(&w);
	}
}

static void restart_story(bool release)
{
	ask(QE_QUIESCE, 800 * W_MS, QO_CONFIRMED);
	ask(release ? QE_RELEASE : QE_RESUME, 800 * W_MS, QO_CONFIRMED);
}

/* The same story, killed when k records were written. */
static void killed_story(size_t k, bool release, enum quiesce_state end)
{
	w.kill_at = k;
	w_request(&w, QE_QUIESCE, 800 * W_MS);
	w_until_answer(&w);
	w_until_idle(&w);
	if (w.dead) {
		w_run(&w, w.now + 20 * W_MS);
		w_revive(&w);
		if (!quiesce_answered(w.q))
			w_until_answer(&w);
		w_until_idle(&w);
	}
	if (quiesce_result(w.q)->request == QR_QUIESCE) {
		w_request(&w, release ? QE_RELEASE : QE_RESUME, 800 * W_MS);
		w_until_answer(&w);
		w_until_idle(&w);
	}
	if (w.dead) {
		w_revive(&w);
		w_until_answer(&w);
		w_until_idle(&w);
	}
	/* Killed before the request was written: there was no request. */
	if (k <= 2) {
		in_state(0, QS_ATTACHED);
		return;
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (quiesce_state(w.q, i) != end)
			printf("# killed at record %zu, release %d\n", k, release);
		in_state(i, end);
	}
	UT_EQ(quiesce_outcome_now(w.q), QO_CONFIRMED);
	if (w.wrong)
		printf("# killed at record %zu: %s\n", k, w.what);
	UT_EQ(w.wrong, 0);
	CU_ASSERT(quiesce_finished(w.q));
}

/* Caches are synchronised when nothing is in flight, once, and what came of it is in the record. */
static void test_sync(void)
{
	w_init(&w, 2);
	w.v[0].inflight = 8;
	w.v[0].drains_at = w.now + 10 * W_MS;
	w.v[1].op[OP_SYNC].mode = W_FAIL;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_SYNC], 1);
	UT_STREQ(rec(0, QP_DRAIN)->text, "caches synchronised: all");
	UT_EQ(rec(0, QP_DRAIN)->outcome, QO_CONFIRMED);
	UT_STREQ(rec(1, QP_DRAIN)->text, "caches not synchronised: it was told to fail");
	UT_EQ(w.v[1].calls[OP_FAST_FAIL], 0);
	ask(QE_RESUME, 1000 * W_MS, QO_CONFIRMED);
	w.v[1].op[OP_SYNC].mode = W_CANT;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_SYNC], 2);
	CU_ASSERT(strstr(rec(1, QP_DRAIN)->text, "caches not synchronised: cannot begin: ") != NULL);
	UT_EQ(w.v[1].calls[OP_FAST_FAIL], 0);
	w_fini(&w);
}

static void sync_hangs(bool paused, unsigned int fast_fails, unsigned int deletes)
{
	uint64_t began = w.now;

	w.v[0].sync_hangs = true;
	UT_EQ(w_request_arg(&w, QE_QUIESCE, (struct quiesce_arg){.owner_paused = paused}, 1000 * W_MS), 0);
	w_until_answer(&w);
	UT_STREQ(quiesce_outcome_name(w.last.outcome), "confirmed");
	UT_EQ(w.wrong, 0);
	UT_EQ(w.v[0].calls[OP_SYNC], 1);
	UT_EQ(w.v[0].calls[OP_FAST_FAIL], fast_fails);
	UT_EQ(w.v[0].calls[OP_DELETE], deletes);
	CU_ASSERT(rec(0, QP_DRAIN)->end_us <= began + 500 * W_MS);
	CU_ASSERT(strstr(rec(0, QP_DRAIN)->text, "caches not synchronised: no answer in time") != NULL);
	UT_EQ(rec(0, QP_DRAIN)->inflight_after, 1);
}

/* One that does not end has the drain's budget, and is no reason to abort: nobody else has a command there.
 * The logout cuts it off; where that does not end it, or not with this driver, it is a command in flight like
 * any. */
static void test_sync_hangs(void)
{
	struct quiesce_profile waits = quiesce_profile_libfc;

	w_init(&w, 1);
	sync_hangs(false, 0, 0);
	CU_ASSERT(strstr(rec(0, QP_LOGOUT)->text, "SYNCHRONIZE CACHE cut off") != NULL);
	CU_ASSERT(strstr(rec(0, QP_LOGOUT)->text, "parked") == NULL);
	w_fini(&w);
	w_init(&w, 1);
	sync_hangs(true, 0, 0);
	w_fini(&w);
	w_init(&w, 1);
	w.v[0].uncut = true;
	sync_hangs(false, 0, 1);
	w_fini(&w);
	w_init(&w, 1);
	waits.disable_ends = false;
	w.q->v[0].id.profile = &waits;
	sync_hangs(false, 1, 0);
	w_fini(&w);
	/* Its intake may still be open: it can be anybody's. */
	w_init(&w, 1);
	w.vm_op[OP_STOP_INTAKE].mode = W_NEVER;
	w.v[0].sync_hangs = true;
	ask(QE_QUIESCE, 1000 * W_MS, QO_UNCONFIRMED);
	UT_EQ(w.v[0].calls[OP_FAST_FAIL], 1);
	w_fini(&w);
	/* Late, but within the drain: a hold all the same. */
	w_init(&w, 1);
	w.v[0].op[OP_SYNC].delay_us = 300 * W_MS;
	ask(QE_QUIESCE, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_FAST_FAIL], 0);
	UT_EQ(w.v[0].calls[OP_SYNC], 1);
	w_fini(&w);
}

/* None where commands are in flight, where no time is left, and where it is not wanted. */
/* A helper that has no processor does not answer in time: with nothing in flight it is a hold all the same.
 */
static void test_sync_not_answered(void)
{
	w_init(&w, 1);
	w.v[0].op[OP_SYNC].mode = W_NEVER;
	w.v[0].op[OP_COUNT].delay_us = W_MS;
	ask(QE_QUIESCE, 200 * W_MS, QO_CONFIRMED);
	CU_ASSERT(strstr(rec(0, QP_DRAIN)->text, "caches not synchronised: no answer in time") != NULL);
	UT_EQ(w.v[0].calls[OP_FAST_FAIL], 0);
	UT_EQ(w.v[0].calls[OP_DELETE], 0);
	UT_EQ(w.v[0].vport, W_DISABLED);
	w_fini(&w);
}

static void test_sync_left_out(void)
{
	w_init(&w, 1);
	hang(0);
	ask(QE_QUIESCE, 500 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_SYNC], 0);
	CU_ASSERT(strstr(rec(0, QP_DRAIN)->text, "caches not synchronised: commands are in flight") != NULL);
	w_fini(&w);
	w_init(&w, 1);
	w.v[0].inflight = 1;
	w.v[0].drains_at = w.now + 30 * W_MS;
	ask(QE_QUIESCE, 205 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_SYNC], 0);
	UT_EQ(w.v[0].calls[OP_FAST_FAIL], 0);
	UT_STREQ(rec(0, QP_DRAIN)->text, "caches not synchronised: no time is left");
	w_fini(&w);
	w_init(&w, 1);
	w.q->cfg.sync_us = 0;
	ask(QE_QUIESCE, 500 * W_MS, QO_CONFIRMED);
	UT_EQ(w.v[0].calls[OP_SYNC], 0);
	UT_STREQ(rec(0, QP_DRAIN)->text, "");
	w_fini(&w);
}

/* What the verdict rests on is there with its times, survives kill -9, and is forgotten by the next round. */
/* All at once: the answer waits for the slowest, not for their sum; and it is the worst of theirs. */
static void test_parallel(void)
{
	w_init(&w, W_VHBAS);
	for (unsigned int i = 0; i < W_VHBAS; i++)
		w.v[i].op[OP_DISABLE].delay_us = (100 + 50 * i) * W_MS;
	ask(QE_QUIESCE, 2000 * W_MS, QO_CONFIRMED);
	CU_ASSERT(mono_since(w.last.answered, w.last.asked) < (100 + 50 * W_VHBAS) * W_MS);
	w_fini(&w);
	w_init(&w, W_VHBAS);
	w.v[2].stays = true;
	ask(QE_QUIESCE, 500 * W_MS, QO_UNCONFIRMED);
	for (unsigned int i = 0; i < W_VHBAS; i++)
		UT_EQ(quiesce_evidence(w.q, i) == QV_ALL, i != 2);
	CU_ASSERT(strstr(w.last.text, "vhba 2: ") && !strstr(w.last.text, "vhba 0: ") &&
		  !strstr(w.last.text, "vhba 3: "));
	w_fini(&w);
}

static void test_seen(void)
{
	const struct quiesce_seen *s;
	uint64_t began;

	w_init(&w, 1);
	s = quiesce_seen(w.q, 0);
	CU_ASSERT(!s->inflight_us && !s->ports_us && !s->fabric_us && s->inflight == -1);
	CU_ASSERT(quiesce_seen(w.q, 1) == NULL);
	w.v[0].stays = true;
	w.v[0].lingers_us = 50 * W_MS;
	began = w.now;
	ask(QE_QUIESCE, 300 * W_MS, QO_UNCONFIRMED);
	UT_STREQ(s->fabric, "present: 010203");
	UT_STREQ(s->ports, "a target's state");
	UT_EQ(s->inflight, 0);
	UT_EQ(s->online, 0);
	CU_ASSERT(s->ports_us >= began + 50 * W_MS && s->ports_us <= w.now);
	CU_ASSERT(s->inflight_us > began && s->fabric_us > began && s->fabric_us <= w.now);
	w.v[0].registered_until = w.now;
	w_until_idle(&w);
	UT_STREQ(s->fabric, "absent");
	began = s->fabric_us;
	w.dead = true;
	w_revive(&w);
	s = quiesce_seen(w.q, 0);
	UT_STREQ(s->fabric, "absent");
	UT_STREQ(s->ports, "a target's state");
	UT_EQ(s->fabric_us, began);
	CU_ASSERT(s->inflight_us && s->ports_us);
	w_until_idle(&w);
	ask(QE_RESUME, 1000 * W_MS, QO_CONFIRMED);
	UT_EQ(w_request(&w, QE_QUIESCE, 1000 * W_MS), 0);
	CU_ASSERT(!s->fabric_us && !s->ports_us && !s->fabric[0]);
	w_until_answer(&w);
	w_fini(&w);
}

static void test_restart_everywhere(void)
{
	for (int variant = 0; variant < 6; variant++) {
		bool release = variant & 1;
		size_t total;

		w_init(&w, 2);
		for (size_t k = 0;; k++) {
			size_t kill = k;

			w_fini(&w);
			w_init(&w, 2);
			if (variant >= 2)
				hang(1);
			if (variant >= 4)
				w.v[1].blocked_until = UINT64_MAX;
			if (!k) {
				restart_story(release);
				total = w.nrec;
				CU_ASSERT(total > 20);
				continue;
			}
			if (kill > total)
				break;
			killed_story(kill, release, release ? QS_GONE : QS_ATTACHED);
		}
		w_fini(&w);
	}
}

/* A resume that waits for the disable's end, killed at each record: it is resumed all the same. */
static void test_restart_queued(void)
{
	size_t first = 0, total = 0;

	for (size_t k = 0; !k || first + k <= total; k++) {
		w_init(&w, 1);
		w.v[0].op[OP_DISABLE].delay_us = 600 * W_MS;
		w_request(&w, QE_QUIESCE, 200 * W_MS);
		w_until_answer(&w);
		first = w.nrec;
		w.kill_at = k ? first + k : 0;
		UT_EQ(w_request(&w, QE_RESUME, 2000 * W_MS), 0);
		w_until_idle(&w);
		if (w.dead) {
			w_revive(&w);
			w_until_answer(&w);
			w_until_idle(&w);
		} else {
			total = w.nrec;
		}
		in_state(0, QS_ATTACHED);
		UT_EQ(w.intake_closed, false);
		UT_EQ(w.wrong, 0);
		w_fini(&w);
	}
	CU_ASSERT(total > first + 5);
}

/* After a roll-back the VM is in use: a restart must leave its intake open. */
static void test_restart_rolled_back(void)
{
	w_init(&w, 1);
	w.vm_op[OP_STOP_INTAKE].mode = W_FAIL;
	ask(QE_QUIESCE, 500 * W_MS, QO_FAILED);
	w.vm_op[OP_STOP_INTAKE].mode = W_DOES;
	w.dead = true;
	w_revive(&w);
	w_until_idle(&w);
	in_state(0, QS_ATTACHED);
	UT_EQ(w.vm_calls[OP_STOP_INTAKE], 1);
	CU_ASSERT(quiesce_finished(w.q));
	w_fini(&w);
}

/* Killed before the request stood in the journal: half a list of vhbas must not be taken for the whole. */
static void test_restart_before_request(void)
{
	struct quiesce_vhba ids[QUIESCE_VHBA_MAX];

	w_init(&w, 2);
	ask(QE_QUIESCE, 800 * W_MS, QO_CONFIRMED);
	UT_STREQ(w.rec[2].step, "vm");
	for (size_t n = 0; n <= 2; n++)
		UT_EQ(quiesce_restore_ids(w.rec, n, ids), 0);
	UT_EQ(quiesce_restore_ids(w.rec, 3, ids), 2);
	/* One that could not be written, since the folder was full. */
	w.rec[1] = w.rec[2];
	UT_EQ(quiesce_restore_ids(w.rec, w.nrec, ids), -EBADMSG);
	w_fini(&w);
}

static void test_restore_refuses(void)
{
	struct quiesce_vhba ids[QUIESCE_VHBA_MAX];
	struct verror e = {0};

	w_init(&w, 2);
	ask(QE_QUIESCE, 800 * W_MS, QO_CONFIRMED);
	UT_EQ(quiesce_restore_ids(w.rec, w.nrec, ids), 2);
	UT_EQ(ids[1].wwpn, 0x2000000000000002);
	UT_STREQ(ids[1].timers, "policy");
	w.n = 1;
	w.dead = true;
	w_revive(&w);
	UT_EQ(w.wrong, 1);
	UT_EQ(quiesce_restore(w.q, w.rec, w.nrec, (struct monotime){w.now}, &e), -EBADMSG);
	CU_ASSERT(e.what[0] && e.fix[0]);
	w_fini(&w);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"healthy, resumed", test_healthy},
		{"all vhbas at once", test_parallel},
		{"hung array", test_hung},
		{"abort that does not cut", test_abort_does_not_cut},
		{"a logout that is put off", test_put_off},
		{"a login that is stuck", test_login_stuck},
		{"put off, then stuck", test_put_off_then_stuck},
		{"put off for good", test_put_off_for_good},
		{"blocked rport, its timer in time", test_blocked_short},
		{"blocked rport, hard stop", test_blocked_long},
		{"a command slips in", test_parked},
		{"slow name server", test_slow_name_server},
		{"name server asked at once", test_fabric_asked_at_once},
		{"silent name server", test_silent_name_server},
		{"deadline of 50 ms", test_short_deadline},
		{"caller gone", test_caller_gone},
		{"timers that take their time", test_slow_timers},
		{"its daemon ends", test_leave},
		{"answers' times traded", test_traded},
		{"intake cannot be closed", test_intake_fails},
		{"each action fails or is silent", test_each_action_fails},
		{"hard stop fails", test_hard_stop_fails},
		{"release", test_release},
		{"resume after dev_loss", test_resume_late},
		{"resume, not ready in time", test_resume_not_ready},
		{"resume while logging out", test_resume_while_logging_out},
		{"stale and bad events", test_stale_and_bad},
		{"caches are synchronised", test_sync},
		{"a cache that does not end", test_sync_hangs},
		{"a cache's helper that does not answer", test_sync_not_answered},
		{"no cache where it must not be", test_sync_left_out},
		{"what was seen is kept", test_seen},
		{"an answer to an earlier machine", test_answer_to_an_earlier_machine},
		{"killed at every record", test_restart_everywhere},
		{"killed with a request waiting", test_restart_queued},
		{"killed after a roll-back", test_restart_rolled_back},
		{"killed before the request", test_restart_before_request},
		{"foreign records", test_restore_refuses},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"quiesce", tests, NULL, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}

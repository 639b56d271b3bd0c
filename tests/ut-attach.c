/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "ut.h"

/* A world that records what was begun and answers as the test says. */
struct world {
	struct attach a;
	struct monotime now;
	enum attach_action begun[ATTACH_VHBAS_MAX];
	unsigned creates, deletes, answers;
	bool ok;
};

static void begin(void *ctx, unsigned i, enum attach_action action)
{
	struct world *w = ctx;

	w->begun[i] = action;
	w->creates += action == ATTACH_DO_CREATE;
	w->deletes += action == ATTACH_DO_DELETE;
}

static void changed(void *ctx, unsigned i, enum attach_state from, enum attach_state to)
{
	(void)ctx;
	(void)i;
	CU_ASSERT(from != to);
}

static void answer(void *ctx, bool ok)
{
	struct world *w = ctx;

	w->answers++;
	w->ok = ok;
}

static const struct attach_ops ops = {begin, changed, answer};

static void world_init(struct world *w, unsigned n)
{
	memset(w, 0, sizeof(*w));
	w->now.us = 1000000;
	attach_init(&w->a, &ops, w, n, w->now, mono_add(w->now, 10 * USEC_PER_SEC), USEC_PER_SEC);
}

static void run(struct world *w, unsigned i, const enum attach_event *ev, size_t n)
{
	for (size_t k = 0; k < n; k++)
		attach_event(&w->a, i, ev[k], w->now);
}

static const enum attach_event good[] = {ATTACH_EV_START,      ATTACH_EV_CREATED, ATTACH_EV_LOGGED_IN,
					 ATTACH_EV_TIMERS_SET, ATTACH_EV_ASKED,	  ATTACH_EV_USABLE};

static void fail(struct world *w, unsigned i, enum vhba_error_kind kind)
{
	struct verror e;

	verror_set(&e, kind, "because of %u", i);
	attach_fail(&w->a, &e);
	attach_event(&w->a, i, ATTACH_EV_FAILED, w->now);
}

static void test_good(void)
{
	struct world w;

	world_init(&w, 2);
	run(&w, 0, good, 6);
	UT_EQ(w.answers, 0);
	run(&w, 1, good, 6);
	UT_EQ(w.answers, 1);
	CU_ASSERT(w.ok);
	UT_EQ(w.deletes, 0);
	CU_ASSERT(attach_due(&w.a).us == MONOTIME_NEVER.us);
}

static void test_known_set_skips_asking(void)
{
	struct world w;

	world_init(&w, 1);
	w.a.vhba[0].known = true;
	run(&w, 0, good, 4);
	UT_EQ(w.a.vhba[0].state, ATTACH_LUNS);
	UT_EQ(w.begun[0], ATTACH_DO_LOOK);
}

static void test_failure_undoes_all(void)
{
	struct world w;

	world_init(&w, 3);
	run(&w, 0, good, 6);
	run(&w, 1, good, 2);
	attach_event(&w.a, 2, ATTACH_EV_START, w.now);
	fail(&w, 1, VHBA_E_CONSTRAINT);
	fail(&w, 2, VHBA_E_IO);
	UT_EQ(w.a.why.kind, VHBA_E_CONSTRAINT);
	UT_EQ(w.deletes, 3);
	UT_EQ(w.answers, 0);
	for (unsigned i = 0; i < 3; i++)
		attach_event(&w.a, i, ATTACH_EV_DELETED, w.now);
	UT_EQ(w.answers, 1);
	CU_ASSERT(!w.ok);
}

/* Nothing of a name is made before it has gone elsewhere; one that doesn't go leaves nothing behind. */
static void test_awaited(void)
{
	struct world w;

	world_init(&w, 2);
	attach_event(&w.a, 0, ATTACH_EV_AWAIT, w.now);
	attach_event(&w.a, 1, ATTACH_EV_AWAIT, w.now);
	UT_EQ(w.creates, 0);
	attach_event(&w.a, 1, ATTACH_EV_GONE, w.now);
	UT_EQ(w.creates, 1);
	run(&w, 1, good + 1, 5);
	UT_EQ(w.answers, 0);
	attach_event(&w.a, 0, ATTACH_EV_GONE, w.now);
	run(&w, 0, good + 1, 5);
	UT_EQ(w.answers, 1);
	CU_ASSERT(w.ok);

	world_init(&w, 2);
	attach_event(&w.a, 0, ATTACH_EV_AWAIT, w.now);
	attach_event(&w.a, 1, ATTACH_EV_AWAIT, w.now);
	attach_event(&w.a, 1, ATTACH_EV_GONE, w.now);
	attach_event(&w.a, 1, ATTACH_EV_CREATED, w.now);
	attach_tick(&w.a, attach_due(&w.a));
	UT_EQ(w.a.vhba[0].state, ATTACH_UNDONE);
	UT_EQ(w.deletes, 1);
	attach_event(&w.a, 0, ATTACH_EV_GONE, w.now); /* too late */
	UT_EQ(w.creates, 1);
	attach_event(&w.a, 1, ATTACH_EV_DELETED, w.now);
	UT_EQ(w.answers, 1);
	CU_ASSERT_FALSE(w.ok);
}

/* What had begun is not known any more: all is deleted, and nobody is answered. */
static void test_taken_back(void)
{
	struct world w;

	world_init(&w, 2);
	CU_ASSERT(attach_is_undone(&w.a));
	attach_take_back(&w.a, w.now);
	UT_EQ(w.deletes, 2);
	UT_EQ(w.creates, 0);
	CU_ASSERT_FALSE(attach_is_undone(&w.a));
	attach_event(&w.a, 0, ATTACH_EV_DELETED, w.now);
	attach_event(&w.a, 1, ATTACH_EV_DELETE_FAILED, w.now);
	CU_ASSERT_FALSE(attach_is_undone(&w.a));
	attach_event(&w.a, 1, ATTACH_EV_DELETED, w.now);
	CU_ASSERT(attach_is_undone(&w.a));
	UT_EQ(w.answers, 0);
}

static void test_undo_waits_for_the_creation(void)
{
	struct world w;

	world_init(&w, 2);
	attach_event(&w.a, 0, ATTACH_EV_START, w.now);
	attach_event(&w.a, 1, ATTACH_EV_START, w.now);
	fail(&w, 1, VHBA_E_IO);
	UT_EQ(w.a.vhba[0].state, ATTACH_CREATING);
	attach_event(&w.a, 1, ATTACH_EV_DELETED, w.now);
	UT_EQ(w.answers, 0);
	attach_event(&w.a, 0, ATTACH_EV_CREATED, w.now);
	UT_EQ(w.begun[0], ATTACH_DO_DELETE);
	attach_event(&w.a, 0, ATTACH_EV_DELETED, w.now);
	UT_EQ(w.answers, 1);
	UT_EQ(w.a.vhba[0].state, ATTACH_UNDONE);
}

static void test_deadline(void)
{
	struct world w;

	world_init(&w, 1);
	run(&w, 0, good, 2);
	UT_EQ(attach_due(&w.a).us, w.a.deadline.us - USEC_PER_SEC);
	w.now = attach_due(&w.a);
	attach_tick(&w.a, w.now);
	UT_EQ(w.a.vhba[0].state, ATTACH_UNDOING);
	UT_EQ(w.answers, 0);
	w.now = w.a.deadline;
	attach_tick(&w.a, w.now);
	UT_EQ(w.answers, 1);
	CU_ASSERT(!w.ok);
	attach_event(&w.a, 0, ATTACH_EV_DELETED, w.now);
	UT_EQ(w.answers, 1);
	UT_EQ(w.a.vhba[0].state, ATTACH_UNDONE);
}

/* Any order of events: at most one answer, by the deadline at the latest, and never "ok" with one not ready.
 */
static void test_random(void)
{
	unsigned seed = 20260101;

	for (int round = 0; round < 20000; round++) {
		struct world w;
		unsigned n = 1 + (unsigned)rand_r(&seed) % 4;

		world_init(&w, n);
		for (int step = 0; step < 60; step++) {
			w.now = mono_add(w.now, (uint64_t)rand_r(&seed) % 300000);
			attach_event(&w.a, (unsigned)rand_r(&seed) % n,
				     (enum attach_event)((unsigned)rand_r(&seed) % ATTACH_EVENTS_), w.now);
			attach_tick(&w.a, w.now);
		}
		attach_tick(&w.a, w.a.deadline);
		CU_ASSERT_FATAL(w.answers == 1);
		CU_ASSERT_FATAL(w.creates <= n);
	}
}

static CU_TestInfo tests[] = {
	{"good", test_good},
	{"known_set_skips_asking", test_known_set_skips_asking},
	{"failure_undoes_all", test_failure_undoes_all},
	{"names that are awaited", test_awaited},
	{"one that was cut off is taken back", test_taken_back},
	{"undo_waits_for_the_creation", test_undo_waits_for_the_creation},
	{"deadline", test_deadline},
	{"random", test_random},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"attach", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

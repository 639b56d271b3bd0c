/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many random lives of a quiesce: every op may fail, be late or never answer, requests come at any time, the
 * daemon is killed, and events that the table ignores are thrown in.  UT_QUIESCE_SEED repeats a run,
 * UT_QUIESCE_RUNS says how many.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monotime.h"
#include "ut-quiesce-world.h"
#include "ut.h"

static struct world w;
static unsigned long seen[QS_STATES][QE_EVENTS];
static unsigned long swept[QS_STATES];

/* splitmix64 */
static uint64_t draw(struct world *world)
{
	uint64_t z = (world->seed += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static bool chance(unsigned int percent)
{
	return draw(&w) % 100 < percent;
}

static void trace(void *user, int vhba, enum quiesce_state s, enum quiesce_ev ev)
{
	seen[s][ev]++;
}

static void draw_truth(struct w_vhba *v)
{
	v->inflight = chance(60) ? draw(&w) % 32 : 0;
	v->drains_at = chance(40) ? UINT64_MAX : w.now + draw(&w) % (800 * W_MS);
	v->silent = chance(10);
	v->stays = chance(10);
	v->slips = chance(10);
	v->sync_hangs = chance(15);
	v->uncut = chance(15);
	if (chance(15))
		v->forbidden_until = chance(30) ? UINT64_MAX : w.now + draw(&w) % (3000 * W_MS);
	v->lingers_us = chance(30) ? draw(&w) % (300 * W_MS) : 0;
	if (chance(20))
		v->blocked_until = chance(50) ? UINT64_MAX : w.now + draw(&w) % (1000 * W_MS);
	v->ready_after = draw(&w) % (1500 * W_MS);
	v->sticks = chance(10) ? 1 + draw(&w) % 3 : 0;
}

static unsigned long begun(void)
{
	unsigned long n = w.nrec;

	for (unsigned int op = 0; op < OP_MAX; op++) {
		n += w.vm_calls[op];
		for (unsigned int i = 0; i < w.n; i++)
			n += w.v[i].calls[op];
	}
	return n;
}

/* Every event that this state says it ignores must change nothing, begin nothing, and leave no record. */
static void throw_ignored(void)
{
	unsigned int i = draw(&w) % w.n;
	enum quiesce_state s = quiesce_state(w.q, i);
	unsigned int first = draw(&w) % QE_EVENTS, n = swept[s]++ < 20 ? QE_EVENTS : 1;

	for (unsigned int k = 0; k < n && !w.dead; k++) {
		enum quiesce_ev ev = (first + k) % QE_EVENTS;
		enum quiesce_how how = quiesce_entry(s, ev)->how;
		unsigned long before = begun();

		if ((how != QH_IGNORE && how != QH_REFUSE) || ev <= QE_RELEASE)
			continue;
		q_inject(w.q, i, ev, (struct monotime){w.now});
		UT_EQ(quiesce_state(w.q, i), s);
		UT_EQ(begun(), before);
	}
}

static void poke(void)
{
	struct monotime now = {w.now};

	if (w.dead)
		return;
	if (chance(10))
		quiesce_event(w.q, QUIESCE_VM, QE_CALLER_GONE, NULL, now);
	if (chance(20))
		quiesce_event(w.q, chance(80) ? QUIESCE_VM : 0, QE_WAKE, NULL, now);
	throw_ignored();
}

static void revive(void)
{
	if (!w.dead)
		return;
	w_revive(&w);
	w.q->trace = trace;
}

/* From every state in which nothing is under way, retry, resume or release must be defined. */
static void check_end(void)
{
	for (unsigned int i = 0; i < w.n; i++) {
		enum quiesce_state s = quiesce_state(w.q, i);
		enum quiesce_how how = quiesce_entry(s, QE_RELEASE)->how;

		CU_ASSERT(q_states[s].stable);
		CU_ASSERT(how == QH_GO || s == QS_GONE);
	}
}

static void live(void)
{
	static const enum quiesce_ev requests[] = {QE_QUIESCE, QE_QUIESCE, QE_RESUME, QE_RELEASE};
	unsigned int n = 1 + draw(&w) % 5;

	for (unsigned int k = 0; k < n; k++) {
		struct quiesce_arg arg = {.owner_paused = chance(20), .partial = chance(20)};

		w_request_arg(&w, requests[draw(&w) % 4], arg, (20 + draw(&w) % 2000) * W_MS);
		for (unsigned int m = draw(&w) % 6; m; m--) {
			w_run(&w, w.now + draw(&w) % (200 * W_MS));
			revive();
			poke();
		}
		if (chance(70))
			w_until_answer(&w);
		revive();
		if (chance(20))
			w_until_idle(&w);
		revive();
	}
	do {
		revive();
		w_until_answer(&w);
		w_until_idle(&w);
	} while (w.dead);
}

/* From now on everything works. */
static void heal(void)
{
	w.draw = NULL;
	w.kill_at = 0;
	for (unsigned int op = 0; op < OP_MAX; op++)
		w.vm_op[op] = (struct w_op){W_DOES, W_MS};
	for (unsigned int i = 0; i < w.n; i++) {
		struct w_vhba *v = &w.v[i];

		for (unsigned int op = 0; op < OP_MAX; op++)
			v->op[op] = (struct w_op){W_DOES, W_MS};
		v->sticks = 0;
		v->silent = v->stays = v->slips = v->uncut = false;
		v->lingers_us = v->blocked_until = v->ready_after = v->forbidden_until = 0;
		v->drains_at = w.now;
		v->registered_until = v->vport == W_ENABLED ? UINT64_MAX : w.now;
	}
}

/* What is defined there does work, once the faults are over: a retry, a resume or a release ends well. */
static void check_way_on(void)
{
	static const enum quiesce_ev any[] = {QE_QUIESCE, QE_RESUME, QE_RELEASE};
	enum quiesce_ev ev = any[draw(&w) % 3];

	for (unsigned int i = 0; i < w.n; i++)
		if (quiesce_state(w.q, i) == QS_GONE)
			ev = QE_RELEASE;
	heal();
	UT_EQ(w_request(&w, ev, 60000 * W_MS), 0);
	w_until_answer(&w);
	/* Timers that could not be restored stay told; who keeps them sets them. */
	if (w.last.outcome != QO_CONFIRMED && !(ev == QE_RESUME && strstr(w.last.text, "timers"))) {
		printf("# %s, all faults healed: %s\n", quiesce_ev_name(ev), w.last.text);
		UT_EQ(w.last.outcome, QO_CONFIRMED);
	}
	for (unsigned int i = 0; i < w.n; i++) {
		enum quiesce_state s = quiesce_state(w.q, i);

		CU_ASSERT(ev == QE_RESUME    ? s == QS_ATTACHED
			  : ev == QE_RELEASE ? s == QS_GONE
					     : s == QS_HELD);
	}
}

static void one_run(uint64_t seed)
{
	bool killed = false;

	w_init(&w, 1);
	w_fini(&w);
	w.seed = seed;
	w_init(&w, 1 + draw(&w) % 3);
	w.seed = seed;
	w.draw = draw;
	w.q->trace = trace;
	w.q->cfg.background_us = w.cfg.background_us = 3000 * W_MS;
	for (unsigned int i = 0; i < w.n; i++)
		draw_truth(&w.v[i]);
	if (chance(30)) {
		w.kill_at = 1 + draw(&w) % 60;
		killed = true;
	}
	live();
	check_end();
	CU_ASSERT(w.answers <= w.accepted && w.answers + killed >= w.accepted);
	CU_ASSERT(quiesce_answered(w.q));
	check_way_on();
	w_fini(&w);
}

static void test_random(void)
{
	const char *s = getenv("UT_QUIESCE_SEED"), *r = getenv("UT_QUIESCE_RUNS");
	uint64_t seed = s ? strtoull(s, NULL, 0) : mono_now().us;
	unsigned long runs = r ? strtoul(r, NULL, 0) : 20000;
	unsigned int failures = 0;

	printf("# seed %llu, %lu runs\n", (unsigned long long)seed, runs);
	for (unsigned long i = 0; i < runs; i++) {
		unsigned int before = CU_get_number_of_failures();

		one_run(seed + i);
		if (!w.wrong && CU_get_number_of_failures() == before)
			continue;
		printf("# UT_QUIESCE_SEED=%llu UT_QUIESCE_RUNS=1: %s\n", (unsigned long long)(seed + i),
		       w.what);
		if (++failures == 5)
			break;
	}
	UT_EQ(failures, 0);
}

/* How many entries that do something, and ways of ending, were never met; names them if told to. */
static unsigned int not_seen(bool name)
{
	static const char *const modes[W_MODES] = {"done", "failing", "not beginning", "never answering"};
	unsigned int missed = 0;

	for (unsigned int s = 0; s < QS_STATES; s++) {
		for (unsigned int e = 0; e < QE_EVENTS; e++) {
			enum quiesce_how how = quiesce_entry(s, e)->how;

			if (seen[s][e] || (how != QH_GO && how != QH_STAY))
				continue;
			if (name)
				printf("# never seen: %s, %s\n", quiesce_state_name(s), quiesce_ev_name(e));
			missed++;
		}
	}
	for (unsigned int op = 0; op < OP_MAX; op++) {
		for (unsigned int m = 0; m < W_MODES; m++) {
			if (w.modes[op][m])
				continue;
			if (name)
				printf("# never seen: op %u %s\n", op, modes[m]);
			missed++;
		}
	}
	return missed;
}

/* Some pairs are rare: more lives, always the same ones, until each has been met. */
static void test_coverage(void)
{
	for (uint64_t seed = 1; seed < 400000 && not_seen(false); seed++)
		one_run(seed << 20);
	UT_EQ(not_seen(true), 0);
}

/*
 * One pair with every action ending in this way: a vhba is put into the state, whatever the world is like,
 * and hears the event.  It answers in time, says nothing that is not true, and ends where something is
 * defined.
 */
static void one_pair(enum quiesce_state s, enum quiesce_ev ev, enum w_mode mode)
{
	w_init(&w, 2);
	w.told_lies = true;
	for (unsigned int op = 0; op < OP_MAX; op++)
		w.vm_op[op] = w.v[0].op[op] = w.v[1].op[op] = (struct w_op){mode, 2 * W_MS};
	w.q->cfg.background_us = w.cfg.background_us = 3000 * W_MS;
	w.v[1].inflight = 3;
	w.v[1].drains_at = UINT64_MAX;
	UT_EQ(w_request(&w, QE_QUIESCE, 500 * W_MS), 0);
	w_run(&w, w.now + W_MS);
	w.q->v[0].until.us = w.now + 100 * W_MS;
	q_change_state(w.q, &w.q->v[0], s, QE_WAKE);
	q_inject(w.q, 0, ev, (struct monotime){w.now});
	w_until_answer(&w);
	w_until_idle(&w);
	CU_ASSERT(quiesce_answered(w.q));
	UT_EQ(w.answers, 1);
	check_end();
	heal();
	UT_EQ(w_request(&w, QE_RELEASE, 60000 * W_MS), 0);
	w_until_answer(&w);
	UT_EQ(w.answers, 2);
	/* It may have been told that a vport is gone that is there: then it must not believe it. */
	CU_ASSERT((w.v[0].vport == W_GONE) == (w.last.outcome == QO_CONFIRMED));
	CU_ASSERT((w.v[0].vport == W_GONE) == (quiesce_state(w.q, 0) == QS_GONE));
	w_fini(&w);
}

static void test_pairs(void)
{
	static const char *const modes[W_MODES] = {"done", "failing", "not beginning", "never answering"};

	for (unsigned int s = 0; s < QS_STATES; s++) {
		for (unsigned int ev = 0; ev < QE_EVENTS; ev++) {
			for (unsigned int m = 0; m < W_MODES; m++) {
				unsigned int before = CU_get_number_of_failures();

				one_pair(s, ev, m);
				if (w.wrong || CU_get_number_of_failures() != before)
					printf("# %s, %s, actions %s: %s\n", quiesce_state_name(s),
					       quiesce_ev_name(ev), modes[m], w.what);
				UT_EQ(w.wrong, 0);
			}
		}
	}
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"every pair, with every action ending in every way", test_pairs},
		{"random lives keep the promises", test_random},
		{"every entry was taken, and every action ended in every way", test_coverage},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"quiesce-random", tests, NULL, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}

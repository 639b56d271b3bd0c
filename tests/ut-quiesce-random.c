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
	v->lingers_us = chance(30) ? draw(&w) % (300 * W_MS) : 0;
	if (chance(20))
		v->blocked_until = chance(50) ? UINT64_MAX : w.now + draw(&w) % (1000 * W_MS);
	v->ready_after = draw(&w) % (1500 * W_MS);
}

/* An event that this state says it ignores must change nothing. */
static void throw_ignored(void)
{
	unsigned int i = draw(&w) % w.n;
	enum quiesce_state s = quiesce_state(w.q, i);
	enum quiesce_ev ev = draw(&w) % QE_EVENTS;
	enum quiesce_how how = quiesce_entry(s, ev)->how;

	if (w.dead || (how != QH_IGNORE && how != QH_REFUSE) || ev <= QE_RELEASE)
		return;
	q_inject(w.q, i, ev, (struct monotime){w.now});
	UT_EQ(quiesce_state(w.q, i), s);
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

/* How many entries that do something were never taken; names them if told to. */
static unsigned int not_seen(bool name)
{
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
	return missed;
}

/* Some entries are rare: more lives, always the same ones, until each has been taken. */
static void test_coverage(void)
{
	for (uint64_t seed = 1; seed < 400000 && not_seen(false); seed++)
		one_run(seed << 20);
	UT_EQ(not_seen(true), 0);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"random lives keep the promises", test_random},
		{"every entry was taken", test_coverage},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"quiesce-random", tests, NULL, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a vhba-io, under a virtual clock. */
#include <stdio.h>
#include <stdlib.h>

#include "io_machine.h"
#include "ut.h"

#define MS USEC_PER_MSEC

static struct io_machine m;
static struct monotime now;

static int begin(void)
{
	now.us = 1000 * USEC_PER_SEC;
	io_machine_init(&m, USEC_PER_SEC, now);
	return 0;
}

static enum io_action tell(enum io_event ev)
{
	return io_machine_event(&m, ev, now);
}

/* The clock goes to when it wants to be told. */
static enum io_action pass_time(void)
{
	CU_ASSERT_TRUE_FATAL(m.due.us != MONOTIME_NEVER.us);
	if (m.due.us > now.us)
		now = m.due;
	return tell(IO_EV_TIME);
}

static void up(void)
{
	UT_EQ(tell(IO_EV_WANTED), IO_DO_OPEN);
	UT_EQ(tell(IO_EV_OPENED), IO_DO_SPAWN);
	UT_EQ(tell(IO_EV_READY), IO_DO_SERVE);
	UT_EQ(m.state, IO_UP);
	UT_EQ(m.due.us, MONOTIME_NEVER.us);
}

/* It was there for a second, as one that is killed every second is: each time the next one comes at once. */
static void test_killed(void)
{
	up();
	for (int i = 0; i < 100; i++) {
		now.us += USEC_PER_SEC;
		UT_EQ(tell(IO_EV_GONE), IO_DO_PAUSE);
		UT_EQ(m.due.us, now.us);
		UT_EQ(pass_time(), IO_DO_OPEN);
		UT_EQ(tell(IO_EV_OPENED), IO_DO_SPAWN);
		UT_EQ(tell(IO_EV_READY), IO_DO_SERVE);
	}
	UT_EQ(m.restarts, 100);
}

/* One that can't even start is tried again and again, but not all the time. */
static void test_dies(void)
{
	uint64_t pause = 0;

	UT_EQ(tell(IO_EV_WANTED), IO_DO_OPEN);
	for (int i = 0; i < 20; i++) {
		UT_EQ(tell(IO_EV_OPENED), IO_DO_SPAWN);
		UT_EQ(tell(IO_EV_GONE), IO_DO_PAUSE);
		CU_ASSERT_TRUE(m.due.us - now.us >= pause);
		pause = m.due.us - now.us;
		CU_ASSERT_TRUE(pause <= IO_PAUSE_MAX_US);
		UT_EQ(pass_time(), IO_DO_OPEN);
	}
	UT_EQ(pause, IO_PAUSE_MAX_US);
	UT_EQ(tell(IO_EV_OPENED), IO_DO_SPAWN);
	UT_EQ(tell(IO_EV_READY), IO_DO_SERVE);
	now.us += IO_ALIVE_US;
	UT_EQ(tell(IO_EV_GONE), IO_DO_PAUSE);
	UT_EQ(m.due.us, now.us); /* it has lived */
}

static void test_times(void)
{
	UT_EQ(tell(IO_EV_WANTED), IO_DO_OPEN);
	UT_EQ(pass_time(), IO_DO_SPAWN); /* a LUN that doesn't open: without it */
	UT_EQ(now.us, 1000 * USEC_PER_SEC + IO_OPEN_US);
	UT_EQ(tell(IO_EV_OPENED), IO_DO_NOTHING); /* too late */
	UT_EQ(pass_time(), IO_DO_KILL); /* it does not take over */
	UT_EQ(m.due.us, MONOTIME_NEVER.us);
	UT_EQ(tell(IO_EV_GONE), IO_DO_PAUSE);
	UT_EQ(tell(IO_EV_WANTED), IO_DO_OPEN);
	UT_EQ(tell(IO_EV_OPENED), IO_DO_SPAWN);
	UT_EQ(tell(IO_EV_READY), IO_DO_SERVE);
	UT_EQ(tell(IO_EV_UPGRADE), IO_DO_LEAVE);
	UT_EQ(pass_time(), IO_DO_KILL); /* it does not leave: the other way does as well */
	UT_EQ(tell(IO_EV_GONE), IO_DO_OPEN);
	UT_EQ(tell(IO_EV_OPENED), IO_DO_SPAWN);
	UT_EQ(tell(IO_EV_UNWANTED), IO_DO_TERMINATE);
	UT_EQ(tell(IO_EV_READY), IO_DO_NOTHING);
	UT_EQ(tell(IO_EV_WANTED), IO_DO_NOTHING);
	UT_EQ(pass_time(), IO_DO_KILL);
	UT_EQ(tell(IO_EV_GONE), IO_DO_FORGET);
	UT_EQ(m.state, IO_OFF);
}

static void test_upgrade(void)
{
	up();
	UT_EQ(tell(IO_EV_UPGRADE), IO_DO_LEAVE);
	UT_EQ(tell(IO_EV_UPGRADE), IO_DO_NOTHING);
	UT_EQ(tell(IO_EV_GONE), IO_DO_OPEN);
	UT_EQ(m.restarts, 0);
	UT_EQ(tell(IO_EV_UPGRADE), IO_DO_NOTHING);
	UT_EQ(tell(IO_EV_UNWANTED), IO_DO_FORGET);
	UT_EQ(tell(IO_EV_FOUND), IO_DO_SERVE);
	UT_EQ(m.state, IO_UP);
}

/* Whatever comes, in whatever order: who is not wanted is forgotten once it has ended, and not before. */
static void test_random(void)
{
	unsigned seed = 17;

	for (int round = 0; round < 2000; round++) {
		bool process = false, forgotten = false;

		begin();
		tell(IO_EV_WANTED);
		for (int i = 0; i < 40 && !forgotten; i++) {
			enum io_event ev = (enum io_event)(rand_r(&seed) % IO_EVENTS_);
			enum io_action a;

			/* What can't be is not told. */
			if (ev == IO_EV_GONE && !process)
				continue;
			if (ev == IO_EV_READY && m.state != IO_START)
				continue;
			if (ev == IO_EV_TIME && m.due.us == MONOTIME_NEVER.us)
				continue;
			if (ev == IO_EV_FOUND)
				continue;
			if (ev == IO_EV_GONE)
				process = false;
			a = ev == IO_EV_TIME ? pass_time() : tell(ev);
			if (a == IO_DO_SPAWN) {
				CU_ASSERT_FALSE(process); /* never two of them */
				process = true;
			}
			if (a == IO_DO_LEAVE || a == IO_DO_TERMINATE || a == IO_DO_KILL)
				CU_ASSERT_TRUE(process);
			forgotten = a == IO_DO_FORGET;
			if (forgotten)
				CU_ASSERT_FALSE(process);
			CU_ASSERT_TRUE(process == (m.state == IO_START || m.state == IO_UP ||
						   m.state == IO_LEAVE || m.state == IO_END));
		}
	}
}

static void test_names(void)
{
	for (int i = 0; i < IO_STATES_; i++)
		CU_ASSERT_TRUE(io_state_name((enum io_state)i)[0] != '?');
	for (int i = 0; i < IO_EVENTS_; i++)
		CU_ASSERT_TRUE(io_event_name((enum io_event)i)[0] != '?');
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"killed every second", test_killed},
		{"one that does not live", test_dies},
		{"what takes too long", test_times},
		{"upgrade", test_upgrade},
		{"in any order", test_random},
		{"names", test_names},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"life of a vhba-io", tests, begin, NULL}, {0}};

	return ut_main(argc, argv, suites);
}

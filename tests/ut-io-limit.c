/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a VM may take of its storage: the reckoning by a clock of our own, and a guest that is held up by it.
 */
#include <string.h>

#include "cleanup.h"
#include "limit.h"
#include "monotime.h"
#include "ut.h"
#include "world.h"

static struct monotime at(uint64_t ms)
{
	return (struct monotime){USEC_PER_SEC * 1000 + ms * USEC_PER_MSEC};
}

/* Take as much as may be taken within a second, looking every millisecond. */
static unsigned taken(struct limits *l, uint64_t from_ms, uint64_t bytes)
{
	struct monotime when;
	unsigned n = 0;

	for (uint64_t ms = from_ms; ms < from_ms + 1000; ms++)
		for (; limits_pass(l, at(ms), &when); n++)
			limits_charge(l, at(ms), bytes);
	return n;
}

static void test_commands(void)
{
	struct limits l = {.commands = {.per_second = 500}, .burst_us = 100 * USEC_PER_MSEC};
	struct monotime when;

	/* the burst of the time before, and the second's own */
	UT_EQ(taken(&l, 0, 4096), 50 + 500);
	UT_EQ(taken(&l, 1000, 4096), 500);
	CU_ASSERT(!limits_pass(&l, at(1999), &when));
	CU_ASSERT(when.us > at(1999).us && when.us <= at(2003).us);
	CU_ASSERT(limits_pass(&l, when, &when));
	/* nobody saves up more than a burst */
	UT_EQ(taken(&l, 60000, 4096), 50 + 500);
}

static void test_bytes(void)
{
	struct limits l = {.bytes = {.per_second = 1000000}};
	struct monotime when;

	UT_EQ(taken(&l, 0, 10000), 100);
	/* the first one goes, whatever its size, and is paid off by those after it */
	CU_ASSERT(limits_pass(&l, at(5000), &when));
	limits_charge(&l, at(5000), 3000000);
	CU_ASSERT(!limits_pass(&l, at(7999), &when));
	CU_ASSERT(limits_pass(&l, at(8000), &when));
	/* but for no longer than a minute */
	limits_charge(&l, at(8000), UINT64_MAX);
	CU_ASSERT(limits_pass(&l, at(68000), &when));
	/* without data there is nothing to pay */
	for (unsigned i = 0; i < 10; i++) {
		CU_ASSERT(limits_pass(&l, at(68000), &when));
		limits_charge(&l, at(68000), 0);
	}
}

static void test_both(void)
{
	struct limits l = {.commands = {.per_second = 100}, .bytes = {.per_second = 1000000}};

	UT_EQ(taken(&l, 0, 512), 100);
	UT_EQ(taken(&l, 2000, 100000), 10);
}

#define MANY 48

/* A guest that asks for more: it gets all, but not sooner than it may. */
static void guest(const struct backend_options *o, uint32_t blocks, uint64_t least_us)
{
	struct front_req q[MANY];
	struct monotime start;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin_with(&w, *o, 2, 64, 0);
	f->indirect = true;
	data = front_alloc(f, blocks * 512, 4096, false);
	start = mono_now();
	for (unsigned i = 0; i < MANY; i++) {
		front_rw(&q[i], 0, false, 0, blocks, data);
		front_submit(f, 2 + i % 2, &q[i]);
	}
	for (unsigned i = 0; i < MANY; i++) {
		front_wait(f, 2 + i % 2, &q[i]);
		UT_EQ(front_response(&q[i])->status, 0);
	}
	CU_ASSERT(mono_since(mono_now(), start) >= least_us);
	world_end(&w);
}

static void test_guest(void)
{
	/* less a burst of 10 ms, and a command of each worker that is under way */
	guest(&(struct backend_options){.luns = 1, .workers = 2, .commands_per_second = 200}, 8,
	      (MANY - 2 - 2) * USEC_PER_SEC / 200);
	guest(&(struct backend_options){.luns = 1, .workers = 2, .bytes_per_second = 2 * 1024 * 1024}, 16,
	      (MANY - 3 - 2) * USEC_PER_SEC / 256);
}

/* What waits for its turn is in nobody's way when the device stops. */
static void test_stop(void)
{
	const struct backend_options o = {.luns = 1, .commands_per_second = 2};
	struct front_req q[MANY];
	uint16_t base[FRONT_RINGS];
	unsigned done = 0;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin_with(&w, o, 1, 64, 0);
	f->indirect = true;
	data = front_alloc(f, 4096, 4096, false);
	for (unsigned i = 0; i < MANY; i++) {
		front_rw(&q[i], 0, false, 0, 8, data);
		front_submit(f, 2, &q[i]);
	}
	front_stop(f, base);
	front_reap(f, 2, false);
	for (unsigned i = 0; i < MANY; i++)
		done += q[i].done;
	UT_EQ((uint16_t)(f->ring[2].avail_idx - base[2]), MANY - done);
	CU_ASSERT(done < MANY);
	world_end(&w);
}

static CU_TestInfo tests[] = {
	{"commands", test_commands}, {"bytes", test_bytes}, {"both", test_both},
	{"a guest", test_guest},     {"stop", test_stop},   CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"limit", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

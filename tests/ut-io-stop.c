/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the device stops and goes on: here, elsewhere, under load, with a kernel that doesn't answer, and what
 * the log says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vhost_types.h>

#include "cleanup.h"
#include "hold.h"
#include "load.h"
#include "monotime.h"
#include "ut.h"
#include "world.h"

#define LOG_ALL (UINT64_C(1) << VHOST_F_LOG_ALL)

static void test_stop_and_go(void)
{
	uint16_t base[FRONT_RINGS];
	struct load load;
	struct world w;

	world_begin_with(&w, (struct backend_options){.luns = 2, .workers = 2}, 3, 64, 0);
	load_begin(&w.front, &load);
	for (unsigned i = 0; i < 10; i++) {
		load_turn(&w.front, &load, 20 + 7 * i, true);
		front_stop(&w.front, base);
		front_start(&w.front, base);
	}
	load_end(&w.front, &load);
	world_end(&w);
}

/* To another back end and back, as a migration does it. */
static void test_move(void)
{
	struct backend_options o = {.luns = 2};
	uint16_t base[FRONT_RINGS];
	struct backend other;
	struct load load;
	struct world w;

	world_begin(&w);
	load_begin(&w.front, &load);
	for (unsigned i = 0; i < 4; i++) {
		load_turn(&w.front, &load, 50, true);
		front_stop(&w.front, base);
		o.folder = w.folder;
		front_move(&w.front, backend_start(&other, &o));
		backend_end(&w.back);
		UT_EQ(w.back.result, 0);
		w.back = other;
		front_negotiate(&w.front);
		front_start(&w.front, base);
	}
	load_end(&w.front, &load);
	world_end(&w);
}

/* By the control socket: the front end doesn't know, and the guest waits. */
static void test_hold(void)
{
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin(&w);
	data = front_alloc(f, 4096, 4096, false);
	for (unsigned i = 0; i < 5; i++) {
		UT_STREQ(backend_ask(&w.back, "stop", -1), "ok");
		while (!strstr(backend_ask(&w.back, "status", -1), "stopped"))
			;
		front_rw(&q, 0, false, 0, 8, data);
		front_submit(f, 2, &q);
		UT_EQ(front_reap(f, 2, false), 0);
		UT_STREQ(backend_ask(&w.back, "start", -1), "ok");
		front_wait(f, 2, &q);
		UT_EQ(front_response(&q)->status, 0);
	}
	/* the front end's word is the last one */
	UT_STREQ(backend_ask(&w.back, "stop", -1), "ok");
	front_stop(f, NULL);
	UT_STREQ(backend_ask(&w.back, "start", -1), "ok");
	CU_ASSERT_PTR_NOT_NULL(strstr(backend_ask(&w.back, "status", -1), "stopped"));
	world_end(&w);
}

/* ---- the log ---- */

/* Pages that only the device writes. */
struct device_pages {
	uint64_t gpa[2 * LOAD + FRONT_RINGS];
	uint8_t before[2 * LOAD + FRONT_RINGS][4096];
	unsigned n;
};

static void remember(struct front *f, struct device_pages *p, uint64_t gpa)
{
	p->gpa[p->n] = gpa;
	memcpy(p->before[p->n++], front_at(f, gpa), 4096);
}

static unsigned unmarked(struct front *f, const struct device_pages *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		n += memcmp(p->before[i], front_at(f, p->gpa[i]), 4096) && !front_log_has(f, p->gpa[i]);
	return n;
}

/* Returns how many pages that the device has written are not in the log. */
static unsigned log_run(bool log_all)
{
	uint16_t base[FRONT_RINGS];
	struct front_req q[LOAD];
	struct device_pages p = {0};
	uint64_t data[LOAD];
	struct world w;
	struct front *f = &w.front;
	unsigned n;

	world_begin(&w);
	for (unsigned i = 0; i < LOAD; i++)
		data[i] = front_alloc(f, 4096, 4096, i & 1);
	front_log_start(f);
	if (!log_all) { /* the log is there, the device isn't told to keep it */
		uint64_t features = f->features & ~LOG_ALL;

		front_send(f, VU_SET_FEATURES, &features, sizeof(features), NULL, 0, true);
	}
	for (unsigned i = 0; i < LOAD; i++) {
		memset(front_at(f, data[i]), 0xee, 4096);
		remember(f, &p, data[i]);
	}
	remember(f, &p, f->ring[2].used);
	for (unsigned i = 0; i < LOAD; i++) {
		const uint8_t inquiry[6] = {0x12, 0, 0, 1, 0};

		if (i % 8) {
			front_rw(&q[i], i & 1, false, i, 8, data[i]);
		} else {
			front_command(&q[i], 0, inquiry, sizeof(inquiry));
			q[i].data_in[q[i].data_in_n++] = (struct front_piece){data[i], 256};
		}
		front_submit(f, 2, &q[i]);
	}
	for (unsigned i = 0; i < LOAD; i++)
		front_wait(f, 2, &q[i]);
	/* each page was written, so each counts */
	for (unsigned i = 0; i < p.n; i++)
		CU_ASSERT(memcmp(p.before[i], front_at(f, p.gpa[i]), 4096));
	front_stop(f, base);
	n = unmarked(f, &p);
	front_start(f, base); /* the migration is cancelled */
	front_log_stop(f);
	front_settle(f, 0);
	world_end(&w);
	return n;
}

static void test_log(void)
{
	UT_EQ(log_run(true), 0);
	/* the same test sees what is not logged */
	UT_EQ(log_run(false), LOAD + 1);
}

/* ---- a kernel that doesn't answer ---- */

#define DEADLINE_US (100 * USEC_PER_MSEC)

static void test_deadline(void)
{
	uint16_t base[FRONT_RINGS];
	struct front_req read, write, other, again_q;
	struct monotime start;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin_with(&w, (struct backend_options){.luns = 2, .deadline_us = DEADLINE_US}, 1, 64, 0);
	data = front_alloc(f, 3 * 4096, 4096, false);
	memset(front_at(f, data), 0xee, 3 * 4096);
	hold(false);
	front_rw(&read, 1, false, 0, 8, data);
	front_rw(&write, 1, true, 64, 8, data + 4096);
	front_submit(f, 2, &read);
	front_submit(f, 2, &write);
	hold_wait(2);
	/* the others are not kept back by it */
	front_rw(&other, 0, false, 0, 8, data + 8192);
	CU_ASSERT(front_do(f, 2, &other));

	start = mono_now();
	front_stop(f, base);
	CU_ASSERT(mono_since(mono_now(), start) >= DEADLINE_US);
	CU_ASSERT(mono_since(mono_now(), start) < 20 * USEC_PER_SEC);
	UT_EQ(front_reap(f, 2, false), 2);
	UT_EQ(front_response(&read)->response, VIRTIO_SCSI_S_OK);
	UT_EQ(front_response(&read)->status, SCSI_BUSY);
	UT_EQ(front_response(&write)->status, SCSI_BUSY);

	/* the migration failed: it goes on here, but not before the kernel has let go */
	front_start(f, base);
	front_rw(&again_q, 0, false, 0, 8, data + 8192);
	front_submit(f, 2, &again_q);
	CU_ASSERT_PTR_NOT_NULL(strstr(backend_ask(&w.back, "status", -1), "stopped busy=0 orphans=2"));
	UT_EQ(front_reap(f, 2, false), 0);
	hold_release();
	front_wait(f, 2, &again_q);
	hold_end();
	UT_EQ(front_response(&again_q)->status, 0);
	/* the read that came too late has written nothing */
	for (unsigned i = 0; i < 4096; i++)
		if (*((uint8_t *)front_at(f, data) + i) != 0xee)
			CU_FAIL("a late read has written to the guest");
	front_rw(&again_q, 1, false, 0, 8, data);
	CU_ASSERT(front_do(f, 2, &again_q));
	world_end(&w);
}

/* The first ring that is disabled stops them all, and its deadline is that of all of them. */
static void test_first_ring(void)
{
	const struct vu_state off = {2, 0};
	uint16_t base[FRONT_RINGS];
	struct front_req q[2], other;
	struct monotime start;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin_with(&w, (struct backend_options){.luns = 2, .workers = 2, .deadline_us = DEADLINE_US}, 2,
			 64, 0);
	data = front_alloc(f, 3 * 4096, 4096, true);
	hold(false);
	for (unsigned i = 0; i < 2; i++) {
		front_rw(&q[i], 1, false, 8 * i, 8, data + 4096 * i);
		front_submit(f, 2 + i, &q[i]);
	}
	hold_wait(2);
	start = mono_now();
	front_send(f, VU_SET_VRING_ENABLE, &off, sizeof(off), NULL, 0, false);
	while (!strstr(backend_ask(&w.back, "status", -1), "stopped busy=0 orphans=2"))
		;
	CU_ASSERT(mono_since(mono_now(), start) >= DEADLINE_US);
	front_rw(&other, 0, false, 0, 8, data + 8192);
	front_submit(f, 3, &other);
	for (unsigned i = 0; i < 2; i++) {
		UT_EQ(front_reap(f, 2 + i, false), 1);
		UT_EQ(front_response(&q[i])->status, SCSI_BUSY);
	}
	start = mono_now();
	front_stop(f, base); /* the device has stopped: nothing is waited for */
	CU_ASSERT(mono_since(mono_now(), start) < DEADLINE_US);
	CU_ASSERT(!other.done);
	front_start(f, base);
	hold_release();
	front_wait(f, 3, &other);
	hold_end();
	UT_EQ(front_response(&other)->status, 0);
	world_end(&w);
}

/* What io_uring gives back in time is no orphan, and COMPARE AND WRITE is never said to be BUSY. */
static void test_stop_queued(void)
{
	const uint8_t caw[16] = {0x89, [13] = 1};
	uint16_t base[FRONT_RINGS];
	struct front_req held, q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin_with(&w, (struct backend_options){.luns = 2, .deadline_us = DEADLINE_US}, 1, 64, 0);
	data = front_alloc(f, 4096, 4096, true);
	hold(false);
	front_rw(&held, 1, false, 0, 1, data);
	front_submit(f, 2, &held);
	hold_wait(1);
	/* it waits in a thread for the read before it, so it may have begun */
	front_command(&q, 1, caw, sizeof(caw));
	q.data_out[q.data_out_n++] = (struct front_piece){data, 1024};
	front_submit(f, 2, &q);
	front_stop(f, base);
	front_reap(f, 2, false);
	CU_ASSERT(held.done && q.done);
	UT_EQ(front_response(&held)->status, SCSI_BUSY);
	CU_ASSERT(front_response(&q)->status == SCSI_CHECK_CONDITION ||
		  front_response(&q)->status == SCSI_BUSY);
	hold_release();
	front_start(f, base);
	front_settle(f, 1);
	hold_end();
	world_end(&w);
}

static CU_TestInfo tests[] = {
	{"stop and go under load", test_stop_and_go},
	{"move under load", test_move},
	{"hold and go on", test_hold},
	{"log", test_log},
	{"deadline", test_deadline},
	{"the first ring stops all", test_first_ring},
	{"stop with what waits", test_stop_queued},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"stop", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

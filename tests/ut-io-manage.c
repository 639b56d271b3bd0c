/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Task management, addresses, and LUNs that come, go and change. */
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "hold.h"
#include "ut.h"
#include "world.h"

static const uint8_t ready[6] = {0};

/* ASC and ASCQ of fixed or descriptor format, as one number; 0: no sense data */
static unsigned asc(const struct front_req *q)
{
	const struct virtio_scsi_cmd_resp *r = front_response(q);
	unsigned at = (r->sense[0] & 0x7e) == 0x72 ? 2 : 12;

	return le32toh(r->sense_len) ? (unsigned)(r->sense[at] << 8 | r->sense[at + 1]) : 0;
}

static void test_addresses(void)
{
	const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36}, report[12] = {0xa0, [9] = 255};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;
	const uint8_t *p;

	world_begin(&w);
	data = front_alloc(f, 4096, 4096, false);
	p = front_at(f, data);
	/* what SeaBIOS and Linux probe: no other target is there */
	for (unsigned target = 1; target < 256; target++) {
		front_command(&q, 0, inquiry, sizeof(inquiry));
		q.out[1] = (uint8_t)target;
		q.data_in[q.data_in_n++] = (struct front_piece){data, 36};
		front_submit(f, 2, &q);
		front_wait(f, 2, &q);
		UT_EQ(front_response(&q)->response, VIRTIO_SCSI_S_BAD_TARGET);
	}
	/* no such LUN, in each way to write it */
	for (unsigned lun = 2; lun < 0x4000; lun = lun * 3 + 1) {
		front_command(&q, (uint16_t)lun, ready, sizeof(ready));
		CU_ASSERT(!front_do(f, 2, &q));
		UT_EQ(asc(&q), 0x2500);
	}
	front_command(&q, 7, inquiry, sizeof(inquiry));
	q.data_in[q.data_in_n++] = (struct front_piece){data, 36};
	CU_ASSERT(front_do(f, 2, &q));
	UT_EQ(p[0], 0x7f);
	/* REPORT LUNS, to a LUN and to the well-known one in both notations */
	for (unsigned i = 0; i < 3; i++) {
		memset(front_at(f, data), 0xee, 64);
		front_command(&q, 0, report, sizeof(report));
		q.data_in[q.data_in_n++] = (struct front_piece){data, 255};
		if (i == 1) {
			q.out[2] = 0xc1;
			q.out[3] = 1;
		} else if (i == 2) {
			q.out[0] = 0xc1;
			q.out[1] = 1;
		}
		CU_ASSERT(front_do(f, 2, &q));
		UT_EQ(p[3], 16);
		UT_EQ(p[9], 0);
		UT_EQ(p[17], 1);
		UT_EQ(le32toh(front_response(&q)->resid), 255 - 24);
	}
	/* both ways at once was not agreed upon */
	front_rw(&q, 0, false, 0, 1, data);
	q.data_out[q.data_out_n++] = (struct front_piece){data + 512, 512};
	CU_ASSERT(!front_do(f, 2, &q));
	UT_EQ(front_response(&q)->response, VIRTIO_SCSI_S_FAILURE);
	world_end(&w);
}

static uint64_t tag_of(const struct front_req *q)
{
	uint64_t tag;

	memcpy(&tag, q->out + 8, sizeof(tag));
	return tag;
}

static void test_abort(void)
{
	struct front_req a, b, other;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin(&w);
	data = front_alloc(f, 3 * 4096, 4096, true);
	hold(true);
	front_rw(&a, 1, false, 0, 8, data);
	front_rw(&b, 1, false, 8, 8, data + 4096);
	front_submit(f, 2, &a);
	front_submit(f, 2, &b);
	hold_wait(2);
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_QUERY_TASK, 1, tag_of(&a)), VIRTIO_SCSI_S_FUNCTION_SUCCEEDED);
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_QUERY_TASK, 0, tag_of(&a)), VIRTIO_SCSI_S_OK);
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_QUERY_TASK_SET, 1, 0), VIRTIO_SCSI_S_FUNCTION_SUCCEEDED);
	/* one of them */
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_ABORT_TASK, 1, tag_of(&a)), VIRTIO_SCSI_S_OK);
	UT_EQ(front_reap(f, 2, false), 1);
	CU_ASSERT(a.done && !b.done);
	UT_EQ(front_response(&a)->response, VIRTIO_SCSI_S_ABORTED);
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_QUERY_TASK, 1, tag_of(&a)), VIRTIO_SCSI_S_OK);
	/* the rest of the LUN, which then says that it was reset; the other LUN goes on */
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 1, 0), VIRTIO_SCSI_S_OK);
	UT_EQ(front_reap(f, 2, false), 1);
	UT_EQ(front_response(&b)->response, VIRTIO_SCSI_S_ABORTED);
	hold_release();
	hold_end();
	front_rw(&other, 0, false, 0, 8, data + 8192);
	CU_ASSERT(front_do(f, 2, &other));
	front_command(&other, 1, ready, sizeof(ready));
	CU_ASSERT(!front_do(f, 2, &other));
	UT_EQ(asc(&other), 0x2903);
	CU_ASSERT(front_do(f, 2, &other));
	/* the nexus: both LUNs say so */
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET, 0, 0), VIRTIO_SCSI_S_OK);
	for (uint16_t lun = 0; lun < 2; lun++) {
		front_command(&other, lun, ready, sizeof(ready));
		CU_ASSERT(!front_do(f, 2, &other));
		UT_EQ(asc(&other), 0x2907);
	}
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 9, 0), VIRTIO_SCSI_S_INCORRECT_LUN);
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_CLEAR_ACA, 1, 0), VIRTIO_SCSI_S_FUNCTION_REJECTED);
	UT_EQ(front_tmf(f, 99, 1, 0), VIRTIO_SCSI_S_FUNCTION_REJECTED);
	world_end(&w);
}

/* Those that end many: of one LUN from whichever queue they came, or of the nexus; the rest goes on. */
static void test_abort_sets(void)
{
	static const struct {
		uint32_t function;
		uint16_t lun; /* by which it is asked for */
		unsigned asc[2]; /* what each LUN says afterwards; 0: nothing */
	} cases[] = {
		{VIRTIO_SCSI_T_TMF_ABORT_TASK_SET, 1, {0, 0}},
		{VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET, 1, {0, 0}},
		{VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 1, {0, 0x2903}},
		{VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET, 0, {0x2907, 0x2907}},
	};
	struct front_req q[2], r;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin_with(&w, (struct backend_options){.luns = 2, .workers = 2}, 2, 64, 0);
	data = front_alloc(f, 3 * 4096, 4096, true);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		front_settle(f, 0);
		front_settle(f, 1);
		hold(true);
		for (unsigned k = 0; k < 2; k++) {
			front_rw(&q[k], 1, false, 8 * k, 8, data + 4096 * k);
			front_submit(f, 2 + k, &q[k]);
		}
		hold_wait(2);
		if (cases[i].lun) /* where there is nothing, nothing ends */
			UT_EQ(front_tmf(f, cases[i].function, 0, 0), VIRTIO_SCSI_S_OK);
		front_rw(&r, 0, false, 0, 8, data + 8192);
		CU_ASSERT(front_do(f, 2, &r) || asc(&r) == 0x2903);
		CU_ASSERT(!q[0].done && !q[1].done);
		UT_EQ(front_tmf(f, cases[i].function, cases[i].lun, 0), VIRTIO_SCSI_S_OK);
		front_reap(f, 2, false);
		front_reap(f, 3, false);
		for (unsigned k = 0; k < 2; k++) {
			CU_ASSERT(q[k].done);
			UT_EQ(front_response(&q[k])->response, VIRTIO_SCSI_S_ABORTED);
		}
		hold_release();
		hold_end();
		for (uint16_t lun = 0; lun < 2; lun++) {
			front_command(&r, lun, ready, sizeof(ready));
			UT_EQ(front_do(f, 2, &r), !cases[i].asc[lun]);
			UT_EQ(asc(&r), cases[i].asc[lun]);
		}
	}
	world_end(&w);
}

/* What the kernel doesn't give back holds the answer up, and the commands of other LUNs don't wait for it. */
static void test_abort_stuck(void)
{
	struct virtio_scsi_ctrl_tmf_req h = {.type = htole32(VIRTIO_SCSI_T_TMF),
					     .subtype = htole32(VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET),
					     .lun = {1, 0, 0, 1}};
	struct front_req stuck, other, tmf = {.out_len = sizeof(h), .in_len = 1};
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin(&w);
	data = front_alloc(f, 2 * 4096, 4096, true);
	hold(false);
	front_rw(&stuck, 1, false, 0, 8, data);
	front_submit(f, 2, &stuck);
	hold_wait(1);
	memcpy(tmf.out, &h, sizeof(h));
	front_submit(f, 0, &tmf);
	/* the second answer comes after a turn in which the ring was read */
	backend_ask(&w.back, "status", -1);
	backend_ask(&w.back, "status", -1);
	for (unsigned i = 0; i < 50; i++) {
		front_rw(&other, 0, false, 0, 8, data + 4096);
		CU_ASSERT(front_do(f, 2, &other));
	}
	UT_EQ(front_reap(f, 0, false), 0);
	CU_ASSERT(!stuck.done);
	hold_release();
	front_wait(f, 0, &tmf);
	UT_EQ(tmf.in[0], VIRTIO_SCSI_S_OK);
	front_wait(f, 2, &stuck);
	UT_EQ(front_response(&stuck)->response, VIRTIO_SCSI_S_ABORTED);
	hold_end();
	world_end(&w);
}

static void test_notification(void)
{
	struct virtio_scsi_ctrl_an_req h = {
		.type = htole32(VIRTIO_SCSI_T_AN_QUERY), .lun = {1}, .event_requested = ~0u};
	struct front_req q = {.out_len = sizeof(h), .in_len = sizeof(struct virtio_scsi_ctrl_an_resp)};
	struct world w;

	world_begin(&w);
	memcpy(q.out, &h, sizeof(h));
	memset(q.in, 0xee, sizeof(q.in));
	front_submit(&w.front, 0, &q);
	front_wait(&w.front, 0, &q);
	for (unsigned i = 0; i < q.in_len; i++)
		UT_EQ(q.in[i], 0);
	world_end(&w);
}

/* ---- LUNs ---- */

static void park(struct front *f, struct front_req *q, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		memset(&q[i], 0, sizeof(q[i]));
		/* an event buffer has nothing to read: the list's first descriptor is the event itself */
		q[i].in_len = sizeof(struct virtio_scsi_event);
		front_submit(f, 1, &q[i]);
	}
}

static bool event_is(const struct front_req *q, uint32_t event, uint32_t reason, unsigned lun)
{
	struct virtio_scsi_event e;

	memcpy(&e, q->in, sizeof(e));
	return q->done && le32toh(e.event) == event && le32toh(e.reason) == reason && e.lun[0] == 1 &&
	       !e.lun[1] && !e.lun[2] && e.lun[3] == lun;
}

static void test_luns(void)
{
	struct front_req event[4], q;
	char request[128];
	struct world w;
	struct front *f = &w.front;
	uint64_t data;
	AUTO_FD int one = -1, five = -1;

	world_begin(&w);
	data = front_alloc(f, 4096, 4096, false);
	park(f, event, 3);
	UT_STREQ(backend_ask(&w.back, "lun-add 1,fd", -1),
		 "error the LUN's fd is wrong: expected an open file descriptor");
	five = backend_file(w.folder, 5);
	CU_ASSERT(!ftruncate(five, 1 << 20));
	snprintf(request, sizeof(request), "lun-add 5,fd,serial=five");
	UT_STREQ(backend_ask(&w.back, request, five), "ok");
	front_wait(f, 1, &event[0]);
	CU_ASSERT(event_is(&event[0], VIRTIO_SCSI_T_TRANSPORT_RESET, VIRTIO_SCSI_EVT_RESET_RESCAN, 5));
	/* the others say that there is another */
	front_command(&q, 0, ready, sizeof(ready));
	CU_ASSERT(!front_do(f, 2, &q));
	UT_EQ(asc(&q), 0x3f0e);
	front_settle(f, 5);
	front_rw(&q, 5, false, 0, 8, data);
	CU_ASSERT(front_do(f, 2, &q));

	one = backend_file(w.folder, 1);
	CU_ASSERT(!ftruncate(one, 2 * BACKEND_DISK_SIZE));
	front_settle(f, 1);
	UT_STREQ(backend_ask(&w.back, "lun-check", -1), "ok");
	front_wait(f, 1, &event[1]);
	CU_ASSERT(event_is(&event[1], VIRTIO_SCSI_T_PARAM_CHANGE, 0x2a | 0x09 << 8, 1));
	front_command(&q, 1, ready, sizeof(ready));
	CU_ASSERT(!front_do(f, 2, &q));
	UT_EQ(asc(&q), 0x2a09);
	front_rw(&q, 1, false, 2 * BACKEND_DISK_SIZE / 512 - 8, 8, data);
	CU_ASSERT(front_do(f, 2, &q));

	UT_STREQ(backend_ask(&w.back, "lun-remove 5", -1), "ok");
	front_wait(f, 1, &event[2]);
	CU_ASSERT(event_is(&event[2], VIRTIO_SCSI_T_TRANSPORT_RESET, VIRTIO_SCSI_EVT_RESET_REMOVED, 5));
	front_rw(&q, 5, false, 0, 8, data);
	CU_ASSERT(!front_do(f, 2, &q));
	UT_EQ(asc(&q), 0x2500);
	UT_STREQ(backend_ask(&w.back, "lun-remove 5", -1), "error No such file or directory");
	UT_STREQ(backend_ask(&w.back, "what", -1), "error Invalid argument");
	world_end(&w);
}

/* Its parameters are others: the guest is told twice, as SAM has it and as virtio has it. */
static void test_changed(void)
{
	struct front_req event[1], q;
	struct world w;
	struct front *f = &w.front;

	world_begin(&w);
	front_settle(f, 1);
	park(f, event, 1);
	UT_STREQ(backend_ask(&w.back, "lun-changed 1", -1), "ok");
	front_wait(f, 1, &event[0]);
	CU_ASSERT(event_is(&event[0], VIRTIO_SCSI_T_PARAM_CHANGE, 0x2a | 0x01 << 8, 1));
	front_command(&q, 1, ready, sizeof(ready));
	CU_ASSERT(!front_do(f, 2, &q));
	UT_EQ(asc(&q), 0x2a01);
	UT_STREQ(backend_ask(&w.back, "lun-changed 2", -1), "error No such file or directory");
	UT_STREQ(backend_ask(&w.back, "lun-changed 1x", -1), "error Invalid argument");
	world_end(&w);
}

/* A guest that has no buffer for them is told later; that there were too many, by the first one. */
static void test_missed(void)
{
	struct front_req event[2];
	struct world w;
	struct front *f = &w.front;

	world_begin(&w);
	for (unsigned i = 0; i < EVENTS_MAX; i++)
		UT_STREQ(backend_ask(&w.back, "lun-changed 1", -1), "ok");
	park(f, event, 1);
	front_wait(f, 1, &event[0]);
	CU_ASSERT(event_is(&event[0], VIRTIO_SCSI_T_PARAM_CHANGE, 0x2a | 0x01 << 8, 1));
	for (unsigned i = 0; i < 2; i++)
		UT_STREQ(backend_ask(&w.back, "lun-changed 0", -1), "ok");
	park(f, event, 2);
	front_wait(f, 1, &event[1]);
	CU_ASSERT(event_is(&event[0], VIRTIO_SCSI_T_PARAM_CHANGE | VIRTIO_SCSI_T_EVENTS_MISSED,
			   0x2a | 0x01 << 8, 1));
	CU_ASSERT(event_is(&event[1], VIRTIO_SCSI_T_PARAM_CHANGE, 0x2a | 0x01 << 8, 1));
	world_end(&w);
}

/* A file that changes while the device is stopped: the guest hears of it when it goes on. */
static void test_resized_stopped(void)
{
	struct front_req event[1], q;
	uint16_t base[FRONT_RINGS];
	struct world w;
	struct front *f = &w.front;
	AUTO_FD int one = -1;

	world_begin(&w);
	front_settle(f, 1);
	park(f, event, 1);
	front_stop(f, base);
	one = backend_file(w.folder, 1);
	CU_ASSERT(!ftruncate(one, 2 * BACKEND_DISK_SIZE));
	front_start(f, base);
	front_wait(f, 1, &event[0]);
	CU_ASSERT(event_is(&event[0], VIRTIO_SCSI_T_PARAM_CHANGE, 0x2a | 0x09 << 8, 1));
	front_command(&q, 1, ready, sizeof(ready));
	CU_ASSERT(!front_do(f, 2, &q));
	UT_EQ(asc(&q), 0x2a09);
	world_end(&w);
}

/* A LUN goes with commands under way: they end first. */
static void test_remove_busy(void)
{
	struct front_req stuck, q, event[2];
	struct world w;
	struct front *f = &w.front;
	AUTO_FD int zero = -1;
	uint64_t data;

	world_begin(&w);
	data = front_alloc(f, 4096, 4096, true);
	park(f, event, 2);
	hold(false);
	front_rw(&stuck, 1, false, 0, 8, data);
	front_submit(f, 2, &stuck);
	hold_wait(1);
	UT_STREQ(backend_ask(&w.back, "lun-remove 1", -1), "ok");
	front_command(&q, 1, ready, sizeof(ready));
	CU_ASSERT(!front_do(f, 2, &q));
	UT_EQ(asc(&q), 0x2500);
	CU_ASSERT(!stuck.done);
	UT_STREQ(backend_ask(&w.back, "lun-remove 0", -1), "error Device or resource busy");
	/* sizes are looked at when that is done */
	zero = backend_file(w.folder, 0);
	CU_ASSERT(!ftruncate(zero, 2 * BACKEND_DISK_SIZE));
	UT_STREQ(backend_ask(&w.back, "lun-check", -1), "ok");
	hold_release();
	front_wait(f, 2, &stuck);
	UT_EQ(front_response(&stuck)->response, VIRTIO_SCSI_S_ABORTED);
	hold_end();
	front_wait(f, 1, &event[1]);
	CU_ASSERT(event_is(&event[1], VIRTIO_SCSI_T_PARAM_CHANGE, 0x2a | 0x09 << 8, 0));
	world_end(&w);
}

/* "ok <8us=3 <16us=2 ...": all of them, and the last one's bound. */
static unsigned counted(struct world *w, const char *request, unsigned *longest)
{
	const char *reply = backend_ask(&w->back, request, -1), *last = strrchr(reply, ' ');
	unsigned sum = 0;

	CU_ASSERT(!strncmp(reply, "ok", 2));
	*longest = last ? (unsigned)strtoul(last + strcspn(last, "0123456789"), NULL, 10) : 0;
	while ((reply = strstr(reply, "us=")))
		sum += (unsigned)strtoul(reply += 3, NULL, 10);
	return sum;
}

static void test_latency(void)
{
	unsigned before[2], longest;
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	world_begin_with(&w, (struct backend_options){.luns = 2, .workers = 2}, 3, 64, 0);
	data = front_alloc(f, 4096, 4096, false);
	before[0] = counted(&w, "latency 0", &longest);
	before[1] = counted(&w, "latency 1", &longest);
	for (unsigned i = 0; i < 30; i++) {
		front_rw(&q, 1, i & 1, 0, 8, data);
		CU_ASSERT(front_do(f, 2 + i % 3, &q));
	}
	UT_EQ(counted(&w, "latency 0", &longest), before[0]);
	UT_EQ(counted(&w, "latency 1", &longest), before[1] + 30);
	/* one that takes long */
	hold(true);
	front_rw(&q, 1, false, 0, 8, data);
	front_submit(f, 2, &q);
	hold_wait(1);
	usleep(70000);
	hold_release();
	front_wait(f, 2, &q);
	hold_end();
	UT_EQ(counted(&w, "latency 1", &longest), before[1] + 31);
	CU_ASSERT(longest >= 65536);
	UT_STREQ(backend_ask(&w.back, "latency 2", -1), "error No such file or directory");
	UT_STREQ(backend_ask(&w.back, "latency x", -1), "error No such file or directory");
	world_end(&w);
}

static CU_TestInfo tests[] = {
	{"addresses", test_addresses},
	{"abort", test_abort},
	{"abort of many", test_abort_sets},
	{"abort of what is stuck", test_abort_stuck},
	{"notification", test_notification},
	{"LUNs come, go and grow", test_luns},
	{"a LUN's parameters change", test_changed},
	{"too many events", test_missed},
	{"a LUN grows while the device is stopped", test_resized_stopped},
	{"a LUN goes while it is busy", test_remove_busy},
	{"latency", test_latency},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"manage", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

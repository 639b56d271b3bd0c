/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A SCSI device as a LUN: which commands go where, what the guest is told, and what a stop leaves behind. */
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "be.h"
#include "cleanup.h"
#include "hold.h"
#include "monotime.h"
#include "ut.h"
#include "world.h"

#define DEADLINE_US (100 * USEC_PER_MSEC)
#define BEYOND (ARRAY_FILE_SIZE / 512) /* the first block that the file doesn't have */

static const struct array good = {.end = SG_ANSWERED, .moved = UINT32_MAX};
static const struct array medium_error = {.end = SG_ANSWERED,
					  .status = SCSI_CHECK_CONDITION,
					  .sense = {0x70, [2] = 3, [7] = 10, [12] = 0x11},
					  .sense_len = 18};

static void begin(struct world *w)
{
	const struct backend_options o = {.luns = 1, .deadline_us = DEADLINE_US, .unit = array_unit};

	array_set(&good);
	world_begin_with(w, o, 1, 64, 0);
}

static void exchange(struct front *f, struct front_req *q)
{
	front_submit(f, 2, q);
	front_wait(f, 2, q);
	UT_EQ(front_response(q)->response, VIRTIO_SCSI_S_OK);
}

/* READ and WRITE in each of their forms. */
static void rw(struct front_req *q, unsigned size, bool write, uint32_t lba, uint32_t n, uint64_t gpa)
{
	uint8_t cdb[16] = {0};

	switch (size) {
	case 6:
		cdb[0] = write ? 0x0a : 0x08;
		put_be24(lba, cdb + 1);
		cdb[4] = (uint8_t)n;
		break;
	case 10:
		cdb[0] = write ? 0x2a : 0x28;
		put_be32(lba, cdb + 2);
		put_be16((uint16_t)n, cdb + 7);
		break;
	case 12:
		cdb[0] = write ? 0xaa : 0xa8;
		put_be32(lba, cdb + 2);
		put_be32(n, cdb + 6);
		break;
	default:
		cdb[0] = write ? 0x8a : 0x88;
		put_be64(lba, cdb + 2);
		put_be32(n, cdb + 10);
		break;
	}
	front_command(q, 0, cdb, size);
	if (write)
		q->data_out[q->data_out_n++] = (struct front_piece){gpa, n * 512};
	else
		q->data_in[q->data_in_n++] = (struct front_piece){gpa, n * 512};
}

static void test_transfers(void)
{
	static const unsigned sizes[] = {6, 10, 12, 16};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t out, in;

	begin(&w);
	out = front_alloc(f, 4096, 4096, false);
	in = front_alloc(f, 4096, 4096, true);
	array_set(&medium_error); /* whatever comes here fails */
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(front_at(f, out), (int)i + 1, 4096);
		rw(&q, sizes[i], true, 8 * i, 8, out);
		exchange(f, &q);
		UT_EQ(front_response(&q)->status, 0);
		rw(&q, sizes[i], false, 8 * i, 8, in);
		exchange(f, &q);
		UT_EQ(front_response(&q)->status, 0);
		UT_EQ(front_response(&q)->resid, 0);
		CU_ASSERT(!memcmp(front_at(f, in), front_at(f, out), 4096));
	}
	UT_EQ(array_get().calls, 0);
	/* less room than the CDB says */
	rw(&q, 10, false, 0, 8, in);
	q.data_in[0].len = 512;
	front_submit(f, 2, &q);
	front_wait(f, 2, &q);
	UT_EQ(front_response(&q)->response, VIRTIO_SCSI_S_OVERRUN);
	/* protection information, and a read of the medium, are the target's */
	rw(&q, 10, false, 0, 8, in);
	q.out[19 + 1] |= 0x20;
	exchange(f, &q);
	rw(&q, 10, false, 0, 8, in);
	q.out[19 + 1] |= 0x08;
	exchange(f, &q);
	UT_EQ(array_get().calls, 2);
	world_end(&w);
}

/* What failed is asked again, and the guest gets the target's own words. */
static void test_sense(void)
{
	struct array a = medium_error;
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w);
	data = front_alloc(f, 512 * 512, 4096, false);
	array_set(&a);
	rw(&q, 16, false, BEYOND, 8, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, SCSI_CHECK_CONDITION);
	UT_EQ(le32toh(front_response(&q)->sense_len), 18);
	CU_ASSERT(!memcmp(front_response(&q)->sense, a.sense, 18));
	UT_EQ(le32toh(front_response(&q)->resid), 4096);
	a = array_get();
	UT_EQ(a.calls, 1);
	UT_EQ(get_be64(a.cdb + 2), BEYOND);
	UT_EQ(get_be32(a.cdb + 10), 8);
	UT_EQ(a.len, 4096);
	/* in pieces, of which the third fails halfway */
	a = medium_error;
	a.good = 2;
	a.moved = 1024;
	memset(a.data, 0x5a, sizeof(a.data));
	memset(front_at(f, data), 0, 512 * 512);
	array_set(&a);
	rw(&q, 10, false, BEYOND, 512, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, SCSI_CHECK_CONDITION);
	UT_EQ(le32toh(front_response(&q)->resid), 512 * 512 - (2 * 65536 + 1024));
	UT_EQ(*(uint8_t *)front_at(f, data + 2 * 65536 + 1023), 0x5a);
	UT_EQ(*(uint8_t *)front_at(f, data + 2 * 65536 + 1024), 0);
	UT_EQ(get_be32(array_get().cdb + 2), BEYOND + 256);
	/* a fault that has passed */
	array_set(&good);
	rw(&q, 12, false, BEYOND, 512, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, 0);
	UT_EQ(front_response(&q)->resid, 0);
	UT_EQ(array_get().calls, 4);
	/* another status than CHECK CONDITION */
	a = (struct array){.end = SG_ANSWERED, .status = SCSI_RESERVATION_CONFLICT};
	array_set(&a);
	rw(&q, 6, false, BEYOND, 8, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, SCSI_RESERVATION_CONFLICT);
	world_end(&w);
}

static const uint8_t inquiry[6] = {0x12, 1, 0x83, 1, 0};
static const uint8_t pr_out[10] = {0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0};

static void ask(struct front_req *q, const uint8_t *cdb, unsigned len, uint64_t in, uint32_t in_len)
{
	front_command(q, 0, cdb, len);
	q->data_in[q->data_in_n++] = (struct front_piece){in, in_len};
}

static void tell(struct front_req *q, const uint8_t *cdb, unsigned len, uint64_t out, uint32_t out_len)
{
	front_command(q, 0, cdb, len);
	/* in two pieces, of which none is aligned to anything */
	q->data_out[q->data_out_n++] = (struct front_piece){out + 3, 5};
	q->data_out[q->data_out_n++] = (struct front_piece){out + 8, out_len - 5};
}

static void test_others(void)
{
	struct array a = {.end = SG_ANSWERED, .moved = 72};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w);
	data = front_alloc(f, 2u << 20, 4096, true);
	for (unsigned i = 0; i < sizeof(a.data); i++)
		a.data[i] = (uint8_t)(i + 7);
	array_set(&a);
	memset(front_at(f, data), 0xee, 256);
	ask(&q, inquiry, sizeof(inquiry), data + 1, 200);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, 0);
	UT_EQ(le32toh(front_response(&q)->resid), 200 - 72);
	CU_ASSERT(!memcmp((uint8_t *)front_at(f, data) + 1, a.data, 72));
	UT_EQ(*(uint8_t *)front_at(f, data + 73), 0xee);
	UT_EQ(array_get().len, 200);
	CU_ASSERT(!memcmp(array_get().cdb, inquiry, sizeof(inquiry)));

	memcpy(front_at(f, data), a.data, 256);
	array_set(&good);
	tell(&q, pr_out, sizeof(pr_out), data, 24);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, 0);
	CU_ASSERT(!memcmp(array_get().data, a.data + 3, 24));
	/* no data */
	front_settle(f, 0);
	/* more than one SG_IO is given */
	ask(&q, inquiry, sizeof(inquiry), data, SG_DATA_MAX + 512);
	array_set(&good);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, SCSI_CHECK_CONDITION);
	UT_EQ(array_get().calls, 0);
	world_end(&w);
}

/* Of every size and of each group of operation codes, also those that no disk here knows: as they came. */
static void test_as_they_are(void)
{
	static const struct {
		uint8_t cdb[SCSI_CDB_MAX];
		unsigned len;
		bool out;
	} cases[] = {
		{{0x12, 0, 0, 0, 24, 0x55}, 6}, /* INQUIRY */
		{{0xc1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 16, true}, /* a vendor's */
		{{0x42, [7] = 0, 24, 0xc0}, 10, true}, /* UNMAP */
		{{0x5f, 1, 3, [8] = 24}, 10, true}, /* PERSISTENT RESERVE OUT */
		{{0x83, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 24, 0, 0xc0}, 16, true}, /* EXTENDED COPY */
		{{0x83, 0x11, [13] = 24}, 16, true}, /* WRITE USING TOKEN */
		{{0x84, 4, [13] = 24}, 16}, /* RECEIVE COPY RESULTS */
		{{0x89, 0xe0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1}, 16, true}, /* COMPARE AND WRITE */
		{{0x93, 8, [9] = 7, [13] = 1}, 16, true}, /* WRITE SAME(16) */
		{{0xa3, 0x0a, [9] = 24}, 12}, /* REPORT TARGET PORT GROUPS */
		{{0x7f, [7] = 24, 0, 0x0b, 1, [31] = 1}, 32, true}, /* WRITE(32) */
		{{0x7f, [7] = 24, 0, 0x09, 1, [31] = 1}, 32}, /* READ(32) */
		{{0x7e, 0x01, [31] = 0xee}, 32}, /* an extended one */
	};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w);
	data = front_alloc(f, 4096, 4096, true);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct array a = good;

		memset(a.data, 0x80 + (int)i, sizeof(a.data));
		memset(front_at(f, data), (int)i + 1, 4096);
		array_set(&a);
		if (cases[i].out)
			tell(&q, cases[i].cdb, cases[i].len, data, 24);
		else
			ask(&q, cases[i].cdb, cases[i].len, data, 24);
		exchange(f, &q);
		UT_EQ(front_response(&q)->status, 0);
		UT_EQ(front_response(&q)->resid, 0);
		a = array_get();
		UT_EQ(a.calls, 1);
		UT_EQ(a.cdb_len, cases[i].len);
		UT_EQ(a.len, 24);
		CU_ASSERT(!memcmp(a.cdb, cases[i].cdb, cases[i].len));
		UT_EQ(cases[i].out ? a.data[23] : *((uint8_t *)front_at(f, data) + 23),
		      cases[i].out ? i + 1 : 0x80 + i);
	}
	world_end(&w);
}

static void expect(const struct front_req *q, uint8_t status, uint8_t key, uint16_t asc)
{
	const uint8_t *sense = front_response(q)->sense;

	UT_EQ(front_response(q)->status, status);
	UT_EQ(status == SCSI_CHECK_CONDITION ? sense[2] : 0, key);
	UT_EQ(status == SCSI_CHECK_CONDITION ? get_be16(sense + 12) : 0, asc);
}

/* What no target has answered. */
static void test_no_answer(void)
{
	static const struct {
		enum sg_end end;
		struct {
			uint8_t status, key;
			uint16_t asc;
		} read, pr_out;
	} cases[] = {
		{SG_LOST, {SCSI_BUSY, 0, 0}, {SCSI_CHECK_CONDITION, KEY_UNIT_ATTENTION, ASC_NEXUS_LOSS}},
		{SG_NOT_BEGUN, {SCSI_BUSY, 0, 0}, {SCSI_BUSY, 0, 0}},
		{SG_FORBIDDEN,
		 {SCSI_CHECK_CONDITION, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED},
		 {SCSI_CHECK_CONDITION, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED}},
		{SG_REFUSED,
		 {SCSI_CHECK_CONDITION, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB},
		 {SCSI_CHECK_CONDITION, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB}},
	};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w);
	data = front_alloc(f, 4096, 4096, true);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct array a = {.end = cases[i].end};

		array_set(&a);
		rw(&q, 10, false, BEYOND, 8, data);
		exchange(f, &q);
		expect(&q, cases[i].read.status, cases[i].read.key, cases[i].read.asc);
		UT_EQ(le32toh(front_response(&q)->resid), 4096);
		tell(&q, pr_out, sizeof(pr_out), data, 24);
		exchange(f, &q);
		expect(&q, cases[i].pr_out.status, cases[i].pr_out.key, cases[i].pr_out.asc);
	}
	world_end(&w);
}

static void test_reset(void)
{
	const uint8_t ready[6] = {0};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;

	begin(&w);
	UT_EQ(front_tmf(f, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0, 0), VIRTIO_SCSI_S_OK);
	ask(&q, inquiry, sizeof(inquiry), front_alloc(f, 512, 512, false), 255);
	exchange(f, &q);
	expect(&q, 0, 0, 0);
	front_command(&q, 0, ready, sizeof(ready));
	exchange(f, &q);
	expect(&q, SCSI_CHECK_CONDITION, KEY_UNIT_ATTENTION, ASC_LUN_RESET);
	exchange(f, &q);
	expect(&q, 0, 0, 0);
	world_end(&w);
}

/* All threads wait in SG_IO when time is up; what they bring afterwards is nobody's. */
static void test_stop(void)
{
	uint16_t base[FRONT_RINGS];
	struct front_req read, tells, waits;
	struct array a = good;
	struct monotime start;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w);
	memset(a.data, 0x5a, sizeof(a.data));
	array_set(&a);
	data = front_alloc(f, 3 * 4096, 4096, false);
	memset(front_at(f, data), 0xee, 3 * 4096);
	array_hold(true);
	rw(&read, 16, false, BEYOND, 8, data); /* by io_uring first */
	front_submit(f, 2, &read);
	array_wait(1);
	tell(&tells, pr_out, sizeof(pr_out), data + 4096, 24);
	front_submit(f, 2, &tells);
	array_wait(2);
	tell(&waits, pr_out, sizeof(pr_out), data + 4096, 24); /* for a thread */
	front_submit(f, 2, &waits);
	start = mono_now();
	front_stop(f, base);
	CU_ASSERT(mono_since(mono_now(), start) >= DEADLINE_US);
	UT_EQ(front_reap(f, 2, false), 3);
	expect(&read, SCSI_BUSY, 0, 0);
	expect(&tells, SCSI_CHECK_CONDITION, KEY_UNIT_ATTENTION, ASC_NEXUS_LOSS);
	expect(&waits, SCSI_BUSY, 0, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(backend_ask(&w.back, "status", -1), "stopped busy=0 orphans=2"));
	front_start(f, base);
	array_hold(false);
	front_settle(f, 0);
	for (unsigned i = 0; i < 4096; i++)
		if (*((uint8_t *)front_at(f, data) + i) != 0xee)
			CU_FAIL("a late read has written to the guest");
	world_end(&w);
}

/* What waits for a thread is handed back at once; what has been sent may end, as it does without a stop. */
static void test_drain(void)
{
	const struct vu_state off = {2, 0};
	const struct backend_options o = {.luns = 1, .deadline_us = 60 * USEC_PER_SEC, .unit = array_unit};
	struct front_req sent[2], waits;
	uint16_t base[FRONT_RINGS];
	struct world w;
	struct front *f = &w.front;
	uint64_t data, tag;

	array_set(&good);
	world_begin_with(&w, o, 1, 64, 0);
	array_set(&good);
	data = front_alloc(f, 4096, 4096, false);
	array_hold(true);
	for (unsigned i = 0; i < 2; i++) {
		tell(&sent[i], pr_out, sizeof(pr_out), data, 24);
		front_submit(f, 2, &sent[i]);
	}
	array_wait(2);
	tell(&waits, pr_out, sizeof(pr_out), data, 24);
	front_submit(f, 2, &waits);
	memcpy(&tag, waits.out + 8, sizeof(tag));
	while (front_tmf(f, VIRTIO_SCSI_T_TMF_QUERY_TASK, 0, tag) != VIRTIO_SCSI_S_FUNCTION_SUCCEEDED)
		; /* it is taken later */
	front_send(f, VU_SET_VRING_ENABLE, &off, sizeof(off), NULL, 0, false);
	front_wait(f, 2, &waits);
	expect(&waits, SCSI_BUSY, 0, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(backend_ask(&w.back, "status", -1), "draining busy=2"));
	CU_ASSERT(!sent[0].done && !sent[1].done);
	array_hold(false);
	front_stop(f, base);
	front_reap(f, 2, false);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT(sent[i].done);
		expect(&sent[i], 0, 0, 0);
	}
	UT_EQ(array_get().calls, 2);
	world_end(&w);
}

/* What one path doesn't answer goes by the other, if that does no harm. */
static void test_paths(void)
{
	const struct array first_lost = {.end = SG_LOST, .second_is_good = true};
	const struct array standby = {.end = SG_ANSWERED,
				      .status = SCSI_CHECK_CONDITION,
				      .sense = {0x72, KEY_NOT_READY, 0x04, 0x0b},
				      .sense_len = 8,
				      .second_is_good = true};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w);
	data = front_alloc(f, 4096, 4096, false);
	array_set(&standby); /* nothing was executed: any command may go */
	tell(&q, pr_out, sizeof(pr_out), data, 24);
	exchange(f, &q);
	expect(&q, 0, 0, 0);
	UT_EQ(array_get().calls, 2);
	UT_EQ(array_get().by_second, 1);
	array_set(&first_lost);
	tell(&q, pr_out, sizeof(pr_out), data, 24);
	exchange(f, &q);
	expect(&q, SCSI_CHECK_CONDITION, KEY_UNIT_ATTENTION, ASC_NEXUS_LOSS);
	UT_EQ(array_get().by_second, 0);
	backend_event(&w.back, "!event path 0 0 lost");
	UT_STREQ(strstr(backend_ask(&w.back, "status", -1), " paths="), " paths=1/2");
	exchange(f, &q); /* by now the path is known to be lost */
	expect(&q, 0, 0, 0);
	UT_EQ(array_get().by_second, 1);
	world_end(&w);

	begin(&w);
	data = front_alloc(f, 4096, 4096, false);
	array_set(&first_lost);
	rw(&q, 10, false, BEYOND, 8, data);
	exchange(f, &q);
	expect(&q, 0, 0, 0);
	UT_EQ(front_response(&q)->resid, 0);
	UT_EQ(array_get().calls, 2);
	array_set(&medium_error);
	rw(&q, 10, false, BEYOND, 8, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->sense[2], 3);
	UT_EQ(array_get().by_second, 1);
	world_end(&w);
}

static bool goes_by(struct front *f, bool second)
{
	uint64_t data = front_alloc(f, 64, 64, false);
	struct front_req q;

	array_set(&good);
	ask(&q, inquiry, sizeof(inquiry), data, 64);
	exchange(f, &q);
	expect(&q, 0, 0, 0);
	return array_get().by_second == second;
}

static bool goes_in_time(struct front *f, bool second)
{
	struct monotime stop = mono_add(mono_now(), 30 * USEC_PER_SEC);

	while (!goes_by(f, second))
		if (mono_reached(stop, mono_now()))
			return false;
	return true;
}

/* By the path that the kernel says is the best; a change of that is followed while the guest runs. */
static void test_access(void)
{
	struct world w;

	array_access[0] = "active/non-optimized";
	array_access[1] = "active/optimized";
	begin(&w);
	CU_ASSERT(goes_by(&w.front, true));
	array_access_set(0, "active/optimized");
	array_access_set(1, "standby");
	CU_ASSERT(goes_in_time(&w.front, false));
	array_access_set(0, "standby");
	array_access_set(1, "active/non-optimized");
	CU_ASSERT(goes_in_time(&w.front, true));
	UT_STREQ(strstr(backend_ask(&w.back, "status", -1), " paths="), " paths=2/2");
	world_end(&w);
	array_access[0] = array_access[1] = NULL;
}

/* What the guest knows, and what has no path now: there, and BUSY. */
static void test_absent(void)
{
	static const uint8_t list[] = {0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
	struct front_req q;
	struct world w;
	uint64_t data;

	begin(&w);
	data = front_alloc(&w.front, 4096, 4096, false);
	UT_STREQ(backend_ask(&w.back, "lun-add 3,absent,serial=x", -1) + 6,
		 "'serial' is nothing that a SCSI device can be told to be; see vhba-io(8), LOGICAL UNITS");
	UT_STREQ(backend_ask(&w.back, "lun-add 3,absent", -1), "ok");
	while (!strstr(backend_ask(&w.back, "status", -1), " luns=2"))
		usleep(200);
	UT_STREQ(backend_ask(&w.back, "lun-add 3,absent", -1), "error No such device or address");
	ask(&q, list, sizeof(list), data, 256);
	exchange(&w.front, &q);
	UT_EQ(get_be32(front_at(&w.front, data)), 16);
	front_rw(&q, 3, true, 8, 8, data);
	exchange(&w.front, &q);
	UT_EQ(front_response(&q)->status, SCSI_BUSY);
	world_end(&w);
}

static struct unit *one_path(const char *folder, unsigned lun)
{
	struct unit *u = array_unit(folder, lun + 2);

	if (u)
		u->one_path = true;
	return u;
}

static void ends_with(struct front *f, struct front_req *q, uint8_t response, uint8_t status)
{
	front_submit(f, 2, q);
	front_wait(f, 2, q);
	UT_EQ(front_response(q)->response, response);
	UT_EQ(front_response(q)->status, status);
}

/* The guest has the other paths itself: when nobody answers it is told so, and goes there. */
static void test_one_path(void)
{
	const struct backend_options o = {.luns = 1, .deadline_us = 60 * USEC_PER_SEC, .unit = one_path};
	const struct array lost = {.end = SG_LOST}, not_begun = {.end = SG_NOT_BEGUN};
	const struct vu_state off = {2, 0};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint16_t base[FRONT_RINGS];
	uint64_t data;

	array_set(&good);
	world_begin_with(&w, o, 1, 64, 0);
	data = front_alloc(f, 4096, 4096, false);
	array_set(&lost);
	rw(&q, 10, false, BEYOND, 8, data);
	ends_with(f, &q, VIRTIO_SCSI_S_TRANSPORT_FAILURE, 0);
	tell(&q, pr_out, sizeof(pr_out), data, 24); /* it may have been executed */
	ends_with(f, &q, VIRTIO_SCSI_S_OK, SCSI_CHECK_CONDITION);
	array_set(&not_begun);
	rw(&q, 10, false, BEYOND, 8, data);
	ends_with(f, &q, VIRTIO_SCSI_S_OK, SCSI_BUSY);
	UT_STREQ(backend_ask(&w.back, "lun-add 3,absent,paths=guest", -1), "ok");
	while (!strstr(backend_ask(&w.back, "status", -1), " luns=2"))
		usleep(200);
	front_rw(&q, 3, true, 8, 8, data);
	ends_with(f, &q, VIRTIO_SCSI_S_TRANSPORT_FAILURE, 0);
	/* it is the device that stops: the command comes again where it goes on */
	array_set(&good);
	front_settle(f, 0);
	array_set(&lost);
	array_hold(true);
	rw(&q, 10, false, BEYOND, 8, data);
	front_submit(f, 2, &q);
	array_wait(1);
	front_send(f, VU_SET_VRING_ENABLE, &off, sizeof(off), NULL, 0, false);
	while (!strstr(backend_ask(&w.back, "status", -1), "draining"))
		usleep(200);
	array_hold(false);
	front_stop(f, base);
	front_reap(f, 2, false);
	CU_ASSERT(q.done);
	expect(&q, SCSI_BUSY, 0, 0);
	front_start(f, base);
	array_set(&good);
	rw(&q, 10, false, 0, 8, data);
	exchange(f, &q);
	expect(&q, 0, 0, 0);
	world_end(&w);
}

static void test_absent_found(void)
{
	const struct device_config c = {
		.type = &device_type_scsi, .workers = 1, .blocking = 1, .deadline_us = DEADLINE_US};
	const struct paths none = {0};
	struct verror e;
	struct device *d = device_new(&c, &e);
	char folder[64];

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	UT_EQ(device_lun_add(d, lun_new(0, pass_new(&none, 0, 0))), 0);
	CU_ASSERT(d->luns->lun[0]->unit->absent);
	array_set(&good);
	UT_EQ(device_lun_replace(d, lun_new(0, array_unit(ut_tmpdir(folder, sizeof(folder)), 0))), 0);
	CU_ASSERT_FALSE(d->luns->lun[0]->unit->absent);
	UT_EQ(d->luns->lun[0]->unit->block_size, 512);
	path_lost(&d->luns->lun[0]->unit->paths->path[1], NULL);
	CU_ASSERT(atomic_load(&d->luns->lun[0]->unit->paths->path[1].notice)); /* it is told of those, too */
	device_free(d);
}

static void test_designators(void)
{
	static const uint8_t page[] = {
		0,    0x83, 0, 48, /* */
		1,    0x93, 0, 8,  0x50, 1,   2,   3,	4, 5, 6, 7, /* the target port's NAA */
		2,    1,    0, 4,  'V',	 'H', 'B', 'A', /* T10 vendor */
		1,    3,    0, 8,  0x60, 1,   2,   3,	4, 5, 6, 8, /* NAA */
		1,    2,    0, 8,  0x70, 1,   2,   3,	4, 5, 6, 9, /* EUI-64 */
		0x11, 0x94, 0, 0,
	};
	static const uint8_t naa[] = {1, 3, 0x60, 1, 2, 3, 4, 5, 6, 8}, t10[] = {2, 1, 'V', 'H', 'B', 'A'};
	uint8_t d[PATH_DESIGNATOR_MAX];

	UT_EQ(path_designator(page, sizeof(page), d, sizeof(d)), sizeof(naa));
	CU_ASSERT(!memcmp(d, naa, sizeof(naa)));
	UT_EQ(path_designator(page, 27, d, sizeof(d)), sizeof(t10)); /* what is cut off isn't taken */
	CU_ASSERT(!memcmp(d, t10, sizeof(t10)));
	UT_EQ(path_designator(page, 20, d, sizeof(d)), 0);
	UT_EQ(path_designator(page, 3, d, sizeof(d)), 0);
	UT_EQ(path_designator(page, sizeof(page), d, 8), sizeof(t10)); /* nor what there is no room for */
}

/* One that hangs leaves threads for the others. */
static void test_lanes(void)
{
	const struct backend_options o = {.luns = 2, .unit = array_unit};
	struct front_req q[8], other;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	array_set(&good);
	world_begin_with(&w, o, 1, 64, 0);
	data = front_alloc(f, 4096, 4096, false);
	array_hold(true);
	for (unsigned i = 0; i < ARRAY_SIZE(q); i++) {
		ask(&q[i], inquiry, sizeof(inquiry), data, 255);
		front_submit(f, 2, &q[i]);
	}
	array_wait(2);
	ask(&other, inquiry, sizeof(inquiry), data, 255);
	other.out[3] = 1; /* the LUN */
	front_submit(f, 2, &other);
	front_wait(f, 2, &other);
	array_hold(false);
	for (unsigned i = 0; i < ARRAY_SIZE(q); i++)
		front_wait(f, 2, &q[i]);
	world_end(&w);
}

/* None may keep a thread, and the error handling of its fc_host, for longer than it has reason to. */
static void test_timeouts(void)
{
	for (unsigned op = 0; op < 256; op++)
		CU_ASSERT(sg_timeout_ms((uint8_t)op) >= 10000 && sg_timeout_ms((uint8_t)op) <= 120000);
	UT_EQ(sg_timeout_ms(0x00), 10000);
	UT_EQ(sg_timeout_ms(0x5f), 30000);
	UT_EQ(sg_timeout_ms(0x42), 60000);
	UT_EQ(sg_timeout_ms(0x83), 120000);
}

/* A READ that fails while the device stops isn't asked why: that could take long. */
static void test_fails_in_stop(void)
{
	const struct backend_options o = {.luns = 2, .unit = array_unit};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;

	array_set(&good);
	world_begin_with(&w, o, 1, 64, 0);
	array_set(&good);
	hold(false);
	front_rw(&q, 1, false, BEYOND, 8, front_alloc(f, 4096, 4096, false));
	front_submit(f, 2, &q);
	hold_wait(1);
	UT_STREQ(backend_ask(&w.back, "stop", -1), "ok");
	CU_ASSERT_PTR_NOT_NULL(strstr(backend_ask(&w.back, "status", -1), "draining busy=1"));
	hold_release();
	front_wait(f, 2, &q);
	hold_end();
	expect(&q, SCSI_BUSY, 0, 0);
	UT_EQ(array_get().calls, 0);
	world_end(&w);
}

/* What this machine's kernel says of nodes that are none: one has no io_uring passthrough, one does nothing.
 */
static void test_no_bsg(void)
{
	static const char *const nodes[] = {"/dev/zero", "/dev/null"};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;

	for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++) {
		array_bsg = nodes[i];
		begin(&w);
		array_set(&good);
		ask(&q, inquiry, sizeof(inquiry), front_alloc(f, 512, 512, false), 255);
		exchange(f, &q);
		expect(&q, 0, 0, 0);
		UT_EQ(array_get().calls, 1);
		CU_ASSERT_PTR_NULL(strstr(backend_ask(&w.back, "status", -1), "bsg="));
		world_end(&w);
	}
	array_bsg = NULL;
}

static CU_TestInfo tests[] = {
	{"transfers", test_transfers},
	{"the target's own sense", test_sense},
	{"other commands", test_others},
	{"commands as they are", test_as_they_are},
	{"no answer", test_no_answer},
	{"reset", test_reset},
	{"stop", test_stop},
	{"drain", test_drain},
	{"time for others", test_timeouts},
	{"threads for others", test_lanes},
	{"paths", test_paths},
	{"the better path", test_access},
	{"absent", test_absent},
	{"absent, and found", test_absent_found},
	{"one path by itself", test_one_path},
	{"designators", test_designators},
	{"a failure in a stop", test_fails_in_stop},
	{"no bsg nodes", test_no_bsg},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"pass", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

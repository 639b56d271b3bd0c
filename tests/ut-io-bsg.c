/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands by a bsg node: when it is believed, what the guest is told, and what a stop leaves behind. */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "array.h"
#include "be.h"
#include "bsg.h"
#include "bsgnode.h"
#include "cleanup.h"
#include "commands.h"
#include "monotime.h"
#include "ut.h"
#include "world.h"

#define DEADLINE_US (100 * USEC_PER_MSEC)
#define DID_NO_CONNECT (1ull << 16)
#define DRIVER_SENSE (8ull << 8)

static const struct array by_thread = {.end = SG_ANSWERED, .moved = UINT32_MAX, .data = {0xaa, 0xaa}};
static const uint8_t inquiry[6] = {0x12, 1, 0x83, 0, 64};
static const uint8_t pr_out[10] = {0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0};

static void begin(struct world *w, const struct bsgnode *b)
{
	const struct backend_options o = {.luns = 1, .deadline_us = DEADLINE_US, .unit = array_unit};

	array_bsg = "/dev/null";
	array_set(&by_thread);
	bsgnode_set(b);
	world_begin_with(w, o, 1, 256, 0); /* its TEST UNIT READY asks the first path */
}

static void exchange(struct front *f, struct front_req *q)
{
	front_submit(f, 2, q);
	front_wait(f, 2, q);
	UT_EQ(front_response(q)->response, VIRTIO_SCSI_S_OK);
}

static void ask(struct front_req *q, uint64_t in)
{
	front_command(q, 0, inquiry, sizeof(inquiry));
	q->data_in[q->data_in_n++] = (struct front_piece){in, 64};
}

static void tell(struct front_req *q, uint64_t out)
{
	front_command(q, 0, pr_out, sizeof(pr_out));
	q->data_out[q->data_out_n++] = (struct front_piece){out + 3, 5};
	q->data_out[q->data_out_n++] = (struct front_piece){out + 8, 19};
}

static uint8_t byte_at(struct front *f, uint64_t gpa)
{
	return *(uint8_t *)front_at(f, gpa);
}

/* As linux/bsg.h of 7.1 has it. */
static void test_request(void)
{
	struct {
		struct io_uring_sqe s;
		uint8_t rest[64];
	} q;
	uint8_t sense[SCSI_SENSE_MAX], data[24], *cmd = (uint8_t *)&q + 48;
	struct sg_command c = {.cdb = pr_out, .cdb_len = 10, .data = data, .len = sizeof(data), .out = true};
	uint64_t address;
	uint32_t v;

	memset(&q, 0xff, sizeof(q));
	bsg_prepare(&q.s, 7, &c, sense);
	UT_EQ(q.s.opcode, IORING_OP_URING_CMD);
	UT_EQ(q.s.fd, 7);
	UT_EQ(q.s.flags, 0);
	UT_EQ(q.s.uring_cmd_flags, 0);
	memcpy(&address, cmd, 8);
	CU_ASSERT((uintptr_t)pr_out == address);
	memcpy(&v, cmd + 8, 4);
	UT_EQ(v, 10);
	memcpy(&v, cmd + 20, 4);
	UT_EQ(v, SCSI_SENSE_MAX);
	memcpy(&address, cmd + 24, 8);
	CU_ASSERT((uintptr_t)sense == address);
	memcpy(&address, cmd + 32, 8);
	CU_ASSERT((uintptr_t)data == address);
	memcpy(&v, cmd + 40, 4);
	UT_EQ(v, 24);
	memcpy(&v, cmd + 56, 4);
	UT_EQ(v, 0);
	c.out = false;
	bsg_prepare(&q.s, 7, &c, sense);
	memcpy(&v, cmd + 40, 4);
	UT_EQ(v, 0);
	memcpy(&address, cmd + 48, 8);
	CU_ASSERT((uintptr_t)data == address);
	memcpy(&v, cmd + 56, 4);
	UT_EQ(v, 24);
	memcpy(&v, cmd + 64, 4);
	UT_EQ(v, 30000); /* ms */
}

static void test_answer(void)
{
	static const struct {
		int32_t result;
		uint64_t rest;
		enum sg_end end;
		unsigned status, sense_len, moved;
	} cases[] = {
		{0, 0, SG_ANSWERED, SCSI_GOOD, 0, 100},
		{0, 60ull << 32, SG_ANSWERED, SCSI_GOOD, 0, 40},
		{0, 101ull << 32, SG_ANSWERED, SCSI_GOOD, 0, 0},
		{0, 18ull << 24 | DRIVER_SENSE | SCSI_CHECK_CONDITION, SG_ANSWERED, SCSI_CHECK_CONDITION, 18,
		 100},
		{0, 255ull << 24 | SCSI_CHECK_CONDITION, SG_ANSWERED, SCSI_CHECK_CONDITION, SCSI_SENSE_MAX,
		 100},
		{0, DID_NO_CONNECT, SG_LOST, 0, 0, 100},
		{0, DID_NO_CONNECT | SCSI_RESERVATION_CONFLICT, SG_ANSWERED, SCSI_RESERVATION_CONFLICT, 0,
		 100},
		{-EPERM, 0, SG_FORBIDDEN, 0, 0, 0},
		{-EOPNOTSUPP, 0, SG_REFUSED, 0, 0, 0},
		{-EINVAL, 0, SG_REFUSED, 0, 0, 0},
		{-ENOMEM, 0, SG_NOT_BEGUN, 0, 0, 0},
		{-EFAULT, 0, SG_LOST, 0, 0, 0},
		{-ENODEV, 0, SG_LOST, 0, 0, 0},
	};
	uint8_t sense[SCSI_SENSE_MAX] = {0x70, [2] = 5, [95] = 9};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sg_command c = {.cdb = inquiry, .cdb_len = 6, .len = 100};

		UT_EQ(bsg_end(&c, cases[i].result, cases[i].rest, sense), cases[i].end);
		UT_EQ(c.error, cases[i].result ? -cases[i].result : 0);
		UT_EQ(c.status, cases[i].status);
		UT_EQ(c.sense_len, cases[i].sense_len);
		UT_EQ(c.moved, cases[i].moved);
		CU_ASSERT(!memcmp(c.sense, sense, c.sense_len));
	}
}

static void test_commands(void)
{
	struct bsgnode b = {.fill = 0x5a, .rest = 24ull << 32};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w, &b);
	data = front_alloc(f, 4096, 4096, true);
	memset(front_at(f, data), 0xee, 128);
	ask(&q, data + 1);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, 0);
	UT_EQ(le32toh(front_response(&q)->resid), 24);
	UT_EQ(byte_at(f, data), 0xee);
	UT_EQ(byte_at(f, data + 40), 0x5a);
	UT_EQ(byte_at(f, data + 41), 0xee);
	UT_EQ(bsgnode_get().asks, 1);
	UT_EQ(bsgnode_get().calls, 2);
	UT_EQ(array_get().calls, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(backend_ask(&w.back, "status", -1), " bsg=1 paths=2/2"));
	for (unsigned i = 0; i < 32; i++)
		*((uint8_t *)front_at(f, data) + i) = (uint8_t)i;
	b = (struct bsgnode){.rest = 18ull << 24 | DRIVER_SENSE | SCSI_CHECK_CONDITION,
			     .sense = {0x70, [2] = 5, [7] = 10, [12] = 0x26}};
	bsgnode_set(&b);
	tell(&q, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, SCSI_CHECK_CONDITION);
	UT_EQ(le32toh(front_response(&q)->sense_len), 18);
	CU_ASSERT(!memcmp(front_response(&q)->sense, b.sense, 18));
	CU_ASSERT(!memcmp(bsgnode_get().out, (uint8_t *)front_at(f, data) + 3, 24));
	UT_EQ(array_get().calls, 0);
	world_end(&w);
}

/* What isn't a disk's own answer isn't believed, and not asked for again. */
static void test_refused(void)
{
	static const struct bsgnode nodes[] = {
		{.ask = -EOPNOTSUPP}, {.ask = -EINVAL}, {.wrong = true}, {.ask = -EPERM}};

	for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++) {
		struct front_req q;
		struct world w;
		struct front *f = &w.front;
		uint64_t data;

		begin(&w, &nodes[i]);
		data = front_alloc(f, 4096, 4096, true);
		ask(&q, data);
		exchange(f, &q);
		UT_EQ(front_response(&q)->status, 0);
		UT_EQ(byte_at(f, data), 0xaa);
		UT_EQ(bsgnode_get().asks, 1);
		UT_EQ(bsgnode_get().calls, 0);
		UT_EQ(array_get().calls, 2);
		CU_ASSERT_PTR_NULL(strstr(backend_ask(&w.back, "status", -1), "bsg="));
		world_end(&w);
	}
}

/* No answer says nothing of the node: the next command asks. */
static void test_no_answer(void)
{
	struct bsgnode b = {.ask = -ENODEV};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;

	begin(&w, &b);
	UT_EQ(bsgnode_get().asks, 1);
	UT_EQ(array_get().calls, 1);
	b.ask = 0;
	bsgnode_set(&b);
	ask(&q, front_alloc(f, 4096, 4096, true));
	exchange(f, &q);
	UT_EQ(bsgnode_get().asks, 1);
	UT_EQ(bsgnode_get().calls, 1);
	UT_EQ(array_get().calls, 1);
	world_end(&w);
}

static void test_privileged(void)
{
	const struct bsgnode b = {.privileged = 0x5f};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w, &b);
	data = front_alloc(f, 4096, 4096, true);
	for (unsigned i = 0; i < 2; i++) {
		tell(&q, data);
		exchange(f, &q);
		UT_EQ(front_response(&q)->status, 0);
	}
	UT_EQ(bsgnode_get().calls, 2); /* that of the beginning, and the first */
	UT_EQ(array_get().calls, 2);
	ask(&q, data);
	exchange(f, &q);
	UT_EQ(bsgnode_get().calls, 3);
	world_end(&w);
}

/* What one path doesn't answer goes by the other, if that does no harm. */
static void test_paths(void)
{
	const struct bsgnode b = {.rest = DID_NO_CONNECT, .second_is_good = true}, good = {0};
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w, &good);
	data = front_alloc(f, 4096, 4096, true);
	bsgnode_set(&b);
	tell(&q, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, SCSI_CHECK_CONDITION);
	UT_EQ(get_be16(front_response(&q)->sense + 12), 0x2907);
	UT_EQ(bsgnode_get().by_second, 0);
	backend_event(&w.back, "!event path 0 0 lost");
	world_end(&w);

	begin(&w, &good);
	data = front_alloc(f, 4096, 4096, true);
	bsgnode_set(&b);
	ask(&q, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, 0);
	/* the second isn't known yet, so a thread does it by the first one left: it takes the second */
	UT_EQ(bsgnode_get().calls, 1);
	UT_EQ(array_get().by_second, 1);
	ask(&q, data);
	exchange(f, &q);
	UT_EQ(bsgnode_get().asks, 1);
	UT_EQ(bsgnode_get().by_second, 1);
	world_end(&w);

	begin(&w, &b); /* none answers */
	data = front_alloc(f, 4096, 4096, true);
	ask(&q, data);
	exchange(f, &q); /* both are known now */
	bsgnode_set(&(struct bsgnode){.rest = DID_NO_CONNECT});
	ask(&q, data);
	exchange(f, &q);
	UT_EQ(front_response(&q)->status, SCSI_BUSY);
	UT_EQ(bsgnode_get().calls, 2);
	world_end(&w);
}

/* Time is up: what the kernel brings afterwards is nobody's. */
static void test_stop(void)
{
	const struct bsgnode b = {.fill = 0x5a};
	uint16_t base[FRONT_RINGS];
	struct front_req reads, tells;
	struct monotime start;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w, &b);
	data = front_alloc(f, 4096, 4096, true);
	memset(front_at(f, data), 0xee, 4096);
	bsgnode_hold(true);
	ask(&reads, data);
	front_submit(f, 2, &reads);
	tell(&tells, data + 1024);
	front_submit(f, 2, &tells);
	bsgnode_wait(2);
	start = mono_now();
	front_stop(f, base);
	CU_ASSERT(mono_since(mono_now(), start) >= DEADLINE_US);
	UT_EQ(front_reap(f, 2, false), 2);
	UT_EQ(front_response(&reads)->status, SCSI_BUSY);
	UT_EQ(front_response(&tells)->status, SCSI_CHECK_CONDITION);
	UT_EQ(get_be16(front_response(&tells)->sense + 12), 0x2907);
	CU_ASSERT_PTR_NOT_NULL(strstr(backend_ask(&w.back, "status", -1), "stopped busy=0 orphans=2"));
	front_start(f, base);
	bsgnode_hold(false);
	front_settle(f, 0);
	for (unsigned i = 0; i < 64; i++)
		UT_EQ(byte_at(f, data + i), 0xee);
	UT_EQ(array_get().calls, 0);
	world_end(&w);
}

/* One that asks when time is up isn't begun any more, by no way. */
static void test_stop_while_asked(void)
{
	uint16_t base[FRONT_RINGS];
	struct front_req q;
	struct world w;
	struct front *f = &w.front;

	begin(&w, &(struct bsgnode){.ask = -ENODEV});
	bsgnode_set(&(struct bsgnode){0});
	array_set(&by_thread);
	bsgnode_hold(true);
	tell(&q, front_alloc(f, 4096, 4096, true));
	front_submit(f, 2, &q);
	bsgnode_wait(1);
	front_stop(f, base);
	bsgnode_hold(false);
	front_start(f, base);
	front_settle(f, 0);
	UT_EQ(array_get().calls, 0);
	UT_EQ(bsgnode_get().asks, 1);
	UT_EQ(bsgnode_get().calls, 1); /* the one that settles */
	world_end(&w);
}

/* Those for which there is no room are a thread's. */
static void test_room(void)
{
	const struct bsgnode b = {.fill = 0x5a};
	struct front_req q[COMMANDS_MAX], one_more;
	struct world w;
	struct front *f = &w.front;
	uint64_t data;

	begin(&w, &b);
	data = front_alloc(f, 4096, 4096, true);
	bsgnode_hold(true);
	for (unsigned i = 0; i < COMMANDS_MAX; i++) {
		ask(&q[i], data);
		front_submit(f, 2, &q[i]);
	}
	bsgnode_wait(COMMANDS_MAX);
	ask(&one_more, data + 1024);
	exchange(f, &one_more);
	UT_EQ(byte_at(f, data + 1024), 0xaa);
	UT_EQ(array_get().calls, 1);
	bsgnode_hold(false);
	for (unsigned i = 0; i < COMMANDS_MAX; i++)
		front_wait(f, 2, &q[i]);
	world_end(&w);
}

static CU_TestInfo tests[] = {
	{"a request", test_request},
	{"an answer", test_answer},
	{"commands", test_commands},
	{"a node that doesn't take commands", test_refused},
	{"no answer", test_no_answer},
	{"what is for the privileged", test_privileged},
	{"paths", test_paths},
	{"stop", test_stop},
	{"stop while it is asked", test_stop_while_asked},
	{"room", test_room},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"bsg", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

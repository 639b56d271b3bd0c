/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disk from many threads at once: what is to be atomic is, and what was fenced stays out. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "be.h"
#include "cleanup.h"
#include "gate.h"
#include "ut.h"
#include "ut-disk-rig.h"

#define BS 512u
#define THREADS 4
#define ROUNDS 400

static struct rig r;

static int init(void)
{
	rig_init(&r, 64);
	rig_open(&r, DISK_POWER_ON);
	return 0;
}

static int clean(void)
{
	rig_free(&r);
	return 0;
}

/* One command of a thread's own. Returns the status; the sense key of a CHECK CONDITION is in *key. */
static int command(uint64_t nexus, const uint8_t *cdb, size_t n, void *out, size_t out_len, void *in,
		   size_t in_len, unsigned *key)
{
	struct iovec vo = {out, out_len}, vi = {in, in_len};
	struct scsi_task t = {.cdb_len = 32,
			      .out = &vo,
			      .out_n = 1,
			      .out_len = out_len,
			      .in = &vi,
			      .in_n = 1,
			      .in_len = in_len};

	memcpy(t.cdb, cdb, n);
	rig_execute(r.d, nexus, &t);
	if (key)
		*key = t.sense[2] & 0x0f;
	return t.status;
}

struct run {
	pthread_t thread;
	uint64_t nexus;
	unsigned done, torn, failed;
};

static _Atomic bool stop;

/* Two blocks with the same number in both: one more, if nobody was faster. */
static void *count(void *arg)
{
	struct run *run = arg;
	uint8_t b[4 * BS] = {0}, now[2 * BS];
	unsigned key;
	uint64_t v;
	int status;

	while (run->done < ROUNDS) {
		if (command(run->nexus, CDB(0x28, 0, BE4(8), 0, BE2(2), 0), NULL, 0, now, sizeof(now),
			    NULL)) {
			run->failed++;
			break;
		}
		v = get_be64(now);
		run->torn += v != get_be64(now + BS);
		memcpy(b, now, 2 * BS);
		memset(b + 2 * BS, 0, 2 * BS);
		put_be64(v + 1, b + 2 * BS);
		put_be64(v + 1, b + 3 * BS);
		status = command(run->nexus, CDB(0x89, 0, BE8(8), 0, 0, 0, 2, 0, 0), b, sizeof(b), NULL, 0,
				 &key);
		if (status == SCSI_GOOD)
			run->done++;
		else if (status != SCSI_CHECK_CONDITION || key != 0xe)
			run->failed++;
	}
	return NULL;
}

/* Beside it, on other blocks and on the same ones. */
static void *traffic(void *arg)
{
	struct run *run = arg;
	uint8_t b[2 * BS];

	memset(b, 0x55, sizeof(b));
	while (!atomic_load(&stop)) {
		run->failed += command(run->nexus, CDB(0x2a, 0, BE4(20), 0, BE2(2), 0), b, 2 * BS, NULL, 0,
				       NULL) != 0;
		run->failed += command(run->nexus, CDB(0x28, 0, BE4(8), 0, BE2(2), 0), NULL, 0, b, 2 * BS,
				       NULL) != 0;
		run->torn += get_be64(b) != get_be64(b + BS);
		run->done++;
	}
	return NULL;
}

static void test_compare_write(void)
{
	struct run runs[THREADS] = {0}, other = {.nexus = RIG_B};
	uint8_t b[2 * BS];

	atomic_store(&stop, false);
	pthread_create(&other.thread, NULL, traffic, &other);
	for (unsigned i = 0; i < THREADS; i++) {
		runs[i].nexus = i & 1 ? RIG_A : RIG_B;
		pthread_create(&runs[i].thread, NULL, count, &runs[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(runs[i].thread, NULL);
		UT_EQ(runs[i].torn, 0);
		UT_EQ(runs[i].failed, 0);
	}
	atomic_store(&stop, true);
	pthread_join(other.thread, NULL);
	UT_EQ(other.torn, 0);
	UT_EQ(other.failed, 0);
	CU_ASSERT(pread(r.fd, b, sizeof(b), 8 * BS) == sizeof(b));
	UT_EQ(get_be64(b), THREADS * ROUNDS);
}

/* A write that is under way when COMPARE AND WRITE comes is waited for; one that comes then has to wait. */
static void *compare_one(void *arg)
{
	struct run *run = arg;
	uint8_t b[2 * BS];

	memset(b, 0xaa, BS);
	memset(b + BS, 0xbb, BS);
	run->failed = (unsigned)command(RIG_A, CDB(0x89, 0, BE8(30), 0, 0, 0, 1, 0, 0), b, sizeof(b), NULL, 0,
					NULL);
	atomic_store(&stop, true);
	return NULL;
}

static void begin_write(struct scsi_task *t, struct iovec *v, uint8_t *block, struct disk_io *io,
			enum disk_next next)
{
	*v = (struct iovec){block, BS};
	*t = (struct scsi_task){
		.cdb = {0x2a, 0, 0, 0, 0, 30, 0, 0, 1}, .cdb_len = 32, .out = v, .out_n = 1, .out_len = BS};
	UT_EQ(disk_begin(r.d, RIG_B, t, io), next);
}

static void test_waits(void)
{
	struct run run = {0};
	struct scsi_task t, late;
	struct iovec v, late_v;
	struct disk_io io, late_io;
	uint8_t block[BS], seen[BS];
	enum disk_next next;

	atomic_store(&stop, false);
	memset(block, 0xaa, BS);
	begin_write(&t, &v, block, &io, DISK_IO);
	pthread_create(&run.thread, NULL, compare_one, &run);
	/* until the range is seen to be taken; what gets in before that leaves again */
	do {
		late_v = (struct iovec){block, BS};
		late = (struct scsi_task){.cdb = {0x2a, 0, 0, 0, 0, 30, 0, 0, 1},
					  .cdb_len = 32,
					  .out = &late_v,
					  .out_n = 1,
					  .out_len = BS};
		next = disk_begin(r.d, RIG_B, &late, &late_io);
		if (next == DISK_IO)
			disk_end(r.d, &late, &late_io, -ECANCELED);
	} while (next == DISK_IO);
	UT_EQ(next, DISK_BLOCKING);
	CU_ASSERT(!atomic_load(&stop));
	CU_ASSERT(pwrite(r.fd, block, BS, 30 * BS) == BS);
	UT_EQ(disk_end(r.d, &t, &io, BS), DISK_DONE);
	pthread_join(run.thread, NULL);
	UT_EQ(run.failed, SCSI_GOOD); /* it saw what the write before it wrote */
	CU_ASSERT(pread(r.fd, seen, BS, 30 * BS) == BS);
	UT_EQ(seen[0], 0xbb);
	disk_run(r.d, RIG_B, &late);
	UT_EQ(late.status, SCSI_GOOD);
	CU_ASSERT(pread(r.fd, seen, BS, 30 * BS) == BS);
	UT_EQ(seen[0], 0xaa);
}

static int reserve_out(uint64_t nexus, uint8_t action, uint8_t type, uint64_t key, uint64_t action_key)
{
	uint8_t list[24] = {0};

	put_be64(key, list);
	put_be64(action_key, list + 8);
	return command(nexus, CDB(0x5f, action, type, 0, 0, BE4(24), 0), list, sizeof(list), NULL, 0, NULL);
}

/* Writes a number that only grows, until it is fenced. */
static void *victim(void *arg)
{
	struct run *run = arg;
	uint8_t b[BS] = {0};
	int status;

	do {
		put_be64(++run->done, b);
		status = command(run->nexus, CDB(0x2a, 0, BE4(40), 0, BE2(1), 0), b, BS, NULL, 0, NULL);
	} while (status == SCSI_GOOD || status == SCSI_CHECK_CONDITION); /* the unit attention comes first */
	run->failed = (unsigned)status;
	return NULL;
}

/* Once PREEMPT AND ABORT is answered, nothing of the preempted reaches the medium any more. */
static void test_fence(void)
{
	struct run runs[THREADS] = {0};
	uint8_t at_once[BS], later[BS];

	for (unsigned i = 0; i < 20; i++) {
		UT_EQ(reserve_out(RIG_A, 6, 0, 0, 0xa), SCSI_GOOD);
		UT_EQ(reserve_out(RIG_B, 6, 0, 0, 0xb), SCSI_GOOD);
		UT_EQ(reserve_out(RIG_A, 1, 5, 0xa, 0), SCSI_GOOD); /* write exclusive, registrants only */
		for (unsigned k = 0; k < THREADS; k++) {
			runs[k] = (struct run){.nexus = RIG_B};
			pthread_create(&runs[k].thread, NULL, victim, &runs[k]);
		}
		usleep(i * 20);
		UT_EQ(reserve_out(RIG_A, 5, 5, 0xa, 0xb), SCSI_GOOD);
		CU_ASSERT(pread(r.fd, at_once, BS, 40 * BS) == BS);
		for (unsigned k = 0; k < THREADS; k++) {
			pthread_join(runs[k].thread, NULL);
			UT_EQ(runs[k].failed, SCSI_RESERVATION_CONFLICT);
		}
		CU_ASSERT(pread(r.fd, later, BS, 40 * BS) == BS);
		CU_ASSERT(!memcmp(at_once, later, BS));
		UT_EQ(reserve_out(RIG_A, 3, 0, 0xa, 0), SCSI_GOOD);
	}
}

/* Each registers and leaves, while the others do. */
static void *register_often(void *arg)
{
	struct run *run = arg;
	uint64_t key = run->nexus;
	unsigned sense;

	command(run->nexus, CDB(0, 0, 0, 0, 0, 0), NULL, 0, NULL, 0, &sense);
	for (unsigned i = 0; i < 100; i++) {
		run->failed += reserve_out(run->nexus, 0, 0, 0, key) != SCSI_GOOD;
		if (reserve_out(run->nexus, 1, 1, key, 0) == SCSI_GOOD) {
			run->done++; /* the only holder, until it releases */
			run->torn += reserve_out(run->nexus, 2, 1, key, 0) != SCSI_GOOD;
		}
		run->failed += reserve_out(run->nexus, 0, 0, key, 0) != SCSI_GOOD;
	}
	return NULL;
}

static void test_reservations(void)
{
	struct run runs[THREADS] = {0};
	uint8_t b[64] = {0};
	uint32_t before;

	command(RIG_A, CDB(0x5e, 0, 0, 0, 0, 0, 0, BE2(64), 0), NULL, 0, b, sizeof(b), NULL);
	before = get_be32(b);
	for (unsigned i = 0; i < THREADS; i++) {
		runs[i].nexus = RIG_C + i;
		pthread_create(&runs[i].thread, NULL, register_often, &runs[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(runs[i].thread, NULL);
		UT_EQ(runs[i].failed, 0);
		UT_EQ(runs[i].torn, 0);
	}
	command(RIG_A, CDB(0x5e, 0, 0, 0, 0, 0, 0, BE2(64), 0), NULL, 0, b, sizeof(b), NULL);
	UT_EQ(get_be32(b), before + THREADS * 200);
	UT_EQ(get_be32(b + 4), 0);
}

/* The gate by itself, much faster than any file. */
static struct gate gate;
static uint64_t guarded[2]; /* not atomic: whoever has the blocks has it alone */
static _Atomic uint64_t mixed;

static void *pass(void *arg)
{
	struct run *run = arg;
	uint32_t token;

	for (unsigned i = 0; i < 20000; i++) {
		if (!gate_try(&gate, 10, 2, &token))
			token = gate_enter(&gate, 10, 2);
		run->torn += guarded[0] != guarded[1];
		gate_leave(&gate, token);
		token = gate_enter(&gate, 12, 1); /* beside it */
		atomic_fetch_add(&mixed, 1);
		gate_leave(&gate, token);
	}
	return NULL;
}

static void *exclude(void *arg)
{
	struct run *run = arg;
	struct gate_range range;

	for (unsigned i = 0; i < 500; i++) {
		gate_exclude(&gate, &range, 9 + run->nexus, 2);
		guarded[0]++;
		guarded[1]++;
		gate_admit(&gate, &range);
		if (!(i % 50))
			gate_drain(&gate);
	}
	return NULL;
}

static void test_gate(void)
{
	struct run in[THREADS] = {0}, out[2] = {{.nexus = 0}, {.nexus = 1}};

	gate_init(&gate);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_create(&in[i].thread, NULL, pass, &in[i]);
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&out[i].thread, NULL, exclude, &out[i]);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(in[i].thread, NULL);
		UT_EQ(in[i].torn, 0);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(out[i].thread, NULL);
	UT_EQ(guarded[0], 1000);
	UT_EQ(guarded[1], 1000);
	gate_destroy(&gate);
}

static CU_TestInfo tests[] = {
	{"COMPARE AND WRITE counts", test_compare_write},
	{"COMPARE AND WRITE and WRITE wait for one another", test_waits},
	{"PREEMPT AND ABORT fences", test_fence},
	{"reservations at once", test_reservations},
	{"the gate", test_gate},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"disk-race", tests, init, clean}, {NULL}};

	return ut_main(argc, argv, suites);
}

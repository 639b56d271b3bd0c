/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a virtio-blk device stops: what isn't executed goes back into the ring, and is executed by whoever has
 * the ring next; the guest never hears of it. And what a LUN says that the guest must not hear of either.
 */
#include <endian.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vhost_types.h>

#include "blk.h"
#include "cleanup.h"
#include "hold.h"
#include "repeat.h"
#include "scsi_sense.h"
#include "ut.h"

#define BIT(n) (UINT64_C(1) << (n))
#define DEADLINE_US (100 * USEC_PER_MSEC)
#define N 24

/* ---- requests that a kernel holds ---- */

struct crowd {
	struct front_req q[N];
	uint64_t data; /* N blocks of 4 KiB */
	uint64_t back; /* as many */
};

static uint8_t *block(struct front *f, struct crowd *c, unsigned i)
{
	return front_at(f, c->data + i * 4096);
}

static void crowd_init(struct front *f, struct crowd *c)
{
	c->data = front_alloc(f, N * 4096, 4096, false);
	c->back = front_alloc(f, N * 4096, 4096, true);
}

/*
 * A third of writes, a third of reads of what was written before, both of which are held, and between them
 * flushes and identities, which end: so the ring has those that are done among those that are not. Returns
 * how many are held.
 */
static unsigned crowd_submit(struct front *f, struct crowd *c, uint8_t round)
{
	unsigned held = 0;

	for (unsigned i = 0; i < N; i++) {
		memset(block(f, c, i), round + i, 4096);
		switch (i % 4) {
		case 0:
		case 1:
			blk_rw(&c->q[i], true, i * 8, c->data + i * 4096, 4096);
			held++;
			break;
		case 2:
			blk_rw(&c->q[i], false, 8 * N + i * 8, c->back + i * 4096, 4096);
			held++;
			break;
		default:
			blk_request(&c->q[i], VIRTIO_BLK_T_FLUSH, 0);
		}
		front_submit(f, 0, &c->q[i]);
	}
	return held;
}

static void crowd_wait_free(struct front *f, struct crowd *c)
{
	for (unsigned i = 3; i < N; i += 4)
		front_wait(f, 0, &c->q[i]);
}

/* All have ended well, and the file has what they wrote. */
static void crowd_check(struct front *f, struct crowd *c, const char *folder)
{
	uint8_t bytes[4096];
	int fd = backend_file(folder, 0);

	for (unsigned i = 0; i < N; i++) {
		front_wait(f, 0, &c->q[i]);
		UT_EQ(blk_status(&c->q[i]), VIRTIO_BLK_S_OK);
		if (i % 4 > 1)
			continue;
		UT_EQ(pread(fd, bytes, sizeof(bytes), i * 4096), sizeof(bytes));
		CU_ASSERT(!memcmp(bytes, block(f, c, i), sizeof(bytes)));
	}
	close(fd);
}

static unsigned still_owed(struct front *f, const struct crowd *c)
{
	unsigned n = 0;

	front_reap(f, 0, false);
	for (unsigned i = 0; i < N; i++)
		n += !c->q[i].done;
	return n;
}

static uint16_t used_idx(struct front *f, unsigned ring)
{
	return le16toh(((uint16_t *)front_at(f, f->ring[ring].used))[1]);
}

/* The failed migration: the deadline passes, the source goes on. With inflight: the marks must not say it
 * again. */
static void stop_here(bool inflight)
{
	struct world w;
	struct front *f = &w.front;
	uint16_t base[FRONT_RINGS];
	struct crowd c;
	unsigned held;

	hold_lun = 0;
	blk_begin(&w, (struct backend_options){.deadline_us = DEADLINE_US}, 0);
	if (inflight) {
		front_stop(f, base);
		front_get_inflight(f);
		front_start(f, base);
	}
	crowd_init(f, &c);
	for (uint8_t round = 1; round < 4; round++) {
		hold(round == 2); /* also those that the kernel gives back in time */
		held = crowd_submit(f, &c, round);
		hold_wait(held);
		crowd_wait_free(f, &c);
		front_stop(f, base);
		UT_EQ(still_owed(f, &c), held);
		UT_EQ(base[0], used_idx(f, 0));
		UT_EQ((uint16_t)(f->ring[0].avail_idx - base[0]), held);
		hold_release();
		front_start(f, base);
		crowd_check(f, &c, w.folder);
		hold_end();
	}
	world_end(&w);
}

static void test_stop_here(void)
{
	stop_here(false);
}

static void test_stop_inflight(void)
{
	stop_here(true);
}

/* The migration: another back end, which knows nothing but the ring and its base. */
static void test_stop_move(void)
{
	struct backend_options o = {.type = &device_type_blk, .luns = 1};
	struct world w;
	struct front *f = &w.front;
	uint16_t base[FRONT_RINGS];
	struct backend other;
	struct crowd c;
	unsigned held;

	hold_lun = 0;
	blk_begin(&w, (struct backend_options){.deadline_us = DEADLINE_US}, 0);
	crowd_init(f, &c);
	hold(false);
	held = crowd_submit(f, &c, 1);
	hold_wait(held);
	crowd_wait_free(f, &c);
	front_stop(f, base);
	UT_EQ(still_owed(f, &c), held);
	hold_release();
	o.folder = w.folder;
	front_move(f, backend_start(&other, &o));
	backend_end(&w.back);
	hold_end();
	UT_EQ(w.back.result, 0);
	front_negotiate(f);
	front_start(f, base);
	crowd_check(f, &c, w.folder);
	front_end(f);
	backend_end(&other);
	UT_EQ(other.result, 0);
}

/* What is rewritten of the ring goes to the destination too. */
static unsigned stop_logged(bool log_all)
{
	struct world w;
	struct front *f = &w.front;
	uint16_t base[FRONT_RINGS], before[64];
	struct crowd c;
	unsigned held, lost;
	uint64_t avail;

	hold_lun = 0;
	blk_begin(&w, (struct backend_options){.deadline_us = DEADLINE_US}, 0);
	crowd_init(f, &c);
	avail = f->ring[0].avail + 4;
	front_log_start(f);
	if (!log_all) {
		uint64_t features = f->features & ~BIT(VHOST_F_LOG_ALL);

		front_send(f, VU_SET_FEATURES, &features, sizeof(features), NULL, 0, true);
	}
	hold(false);
	held = crowd_submit(f, &c, 1);
	hold_wait(held);
	crowd_wait_free(f, &c);
	memcpy(before, front_at(f, avail), sizeof(before));
	front_stop(f, base);
	CU_ASSERT(memcmp(before, front_at(f, avail), sizeof(before)));
	lost = !front_log_has(f, avail);
	hold_release();
	front_start(f, base);
	crowd_check(f, &c, w.folder);
	hold_end();
	world_end(&w);
	return lost;
}

static void test_log(void)
{
	UT_EQ(stop_logged(true), 0);
	UT_EQ(stop_logged(false), 1);
}

/* ---- under load, as the threads come ---- */

/* Of all kinds; the pool has two threads for those that may block, so some wait for one at each stop. */
static void load_submit(struct front *f, struct crowd *c, unsigned ring, unsigned i)
{
	switch (i % 6) {
	case 0:
		blk_range(f, &c->q[i], VIRTIO_BLK_T_DISCARD, c->back + i * 4096, 4096 + i * 8, 8, 0);
		break;
	case 1:
		blk_range(f, &c->q[i], VIRTIO_BLK_T_WRITE_ZEROES, c->back + i * 4096, 8192 + i * 8, 8, 0);
		break;
	case 2:
		blk_request(&c->q[i], VIRTIO_BLK_T_FLUSH, 0);
		break;
	case 3:
		blk_rw(&c->q[i], false, i * 8, c->back + i * 4096, 4096);
		break;
	default:
		memset(block(f, c, i), i + 1, 4096);
		blk_rw(&c->q[i], true, i * 8, c->data + i * 4096, 4096);
	}
	front_submit(f, ring, &c->q[i]);
}

static void test_load(void)
{
	uint16_t base[FRONT_RINGS];
	unsigned handed_back = 0;
	struct world w;
	struct front *f = &w.front;
	struct crowd c;

	blk_begin(&w, (struct backend_options){.workers = 2}, 0);
	crowd_init(f, &c);
	for (unsigned round = 0; round < 30; round++) {
		for (unsigned i = 0; i < N; i++)
			load_submit(f, &c, i % BLK_RINGS, i);
		front_stop(f, base);
		for (unsigned ring = 0; ring < BLK_RINGS; ring++) {
			UT_EQ(base[ring], used_idx(f, ring));
			handed_back += (uint16_t)(f->ring[ring].avail_idx - base[ring]);
		}
		front_start(f, base);
		for (unsigned i = 0; i < N; i++) {
			front_wait(f, i % BLK_RINGS, &c.q[i]);
			UT_EQ(blk_status(&c.q[i]), VIRTIO_BLK_S_OK);
		}
	}
	printf("# %u of %u requests went back\n", handed_back, 30 * N);
	world_end(&w);
}

/* ---- a LUN that says what no driver of virtio-blk knows ---- */

static struct {
	struct unit unit;
	atomic_uint busy, attentions; /* so often the next commands end so */
	atomic_uint commands;
	_Atomic uint8_t status; /* of those after them */
	_Atomic uint8_t flags; /* byte 1 of the last CDB */
} stub;

static enum disk_next stub_begin(struct unit *u, uint64_t nexus, struct scsi_task *t, struct disk_io *io)
{
	if (t->cdb[0] == 0x12) {
		scsi_check(t, false, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, NULL);
		return DISK_DONE;
	}
	atomic_fetch_add(&stub.commands, 1);
	stub.flags = t->cdb[1];
	t->moved = 0;
	if (atomic_load(&stub.busy)) {
		atomic_fetch_sub(&stub.busy, 1);
		scsi_end(t, SCSI_BUSY);
	} else if (atomic_load(&stub.attentions)) {
		scsi_check(t, atomic_fetch_sub(&stub.attentions, 1) & 1, KEY_UNIT_ATTENTION, ASC_POWER_ON,
			   NULL);
	} else if (atomic_load(&stub.status) == SCSI_CHECK_CONDITION) {
		scsi_check(t, true, KEY_ILLEGAL_REQUEST, ASC_INVALID_OPCODE, NULL);
	} else {
		t->moved = t->in_len ? t->in_len : t->out_len;
		scsi_end(t, (enum scsi_status)atomic_load(&stub.status));
	}
	return DISK_DONE;
}

static int stub_start(struct unit *u, enum disk_start how, struct verror *e)
{
	return 0;
}

static uint64_t stub_blocks(const struct unit *u)
{
	return 4096;
}

static void stub_close(struct unit *u)
{
	close(u->fd);
}

static const struct unit_ops stub_ops = {
	.start = stub_start,
	.begin = stub_begin,
	.blocks = stub_blocks,
	.close = stub_close,
};

static struct unit *stub_unit(const char *folder, unsigned lun)
{
	stub.unit = (struct unit){.ops = &stub_ops, .fd = backend_file(folder, lun), .block_size = 512};
	stub.busy = stub.attentions = stub.commands = 0;
	stub.status = SCSI_GOOD;
	return &stub.unit;
}

static void test_unheard(void)
{
	uint64_t data;
	struct world w;
	struct front_req q;
	struct front *f = &w.front;

	blk_begin(&w, (struct backend_options){.unit = stub_unit}, 0);
	data = front_alloc(f, 512, 512, false);
	atomic_store(&stub.busy, 3);
	atomic_store(&stub.attentions, 5);
	blk_rw(&q, true, 0, data, 512);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	UT_EQ(atomic_load(&stub.commands), 9);
	UT_EQ(stub.flags, 0);
	/* more of them than a LUN has: it is believed in the end */
	atomic_store(&stub.attentions, 40);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	/* nothing of this is offered by a LUN that says nothing of it */
	blk_range(f, &q, VIRTIO_BLK_T_DISCARD, data, 0, 1, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_UNSUPP);
	/* what can't be helped */
	atomic_store(&stub.status, SCSI_RESERVATION_CONFLICT);
	blk_rw(&q, true, 0, data, 512);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_IOERR);
	atomic_store(&stub.status, SCSI_CHECK_CONDITION);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_UNSUPP);
	world_end(&w);
}

/* A driver that never flushes. */
static void test_write_through(void)
{
	uint64_t data;
	struct world w;
	struct front_req q;
	struct front *f = &w.front;

	blk_begin(&w, (struct backend_options){.unit = stub_unit},
		  ~BIT(VIRTIO_BLK_F_FLUSH) & ~BIT(VHOST_F_LOG_ALL));
	data = front_alloc(f, 512, 512, false);
	blk_rw(&q, true, 0, data, 512);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	UT_EQ(stub.flags, 0x08);
	blk_rw(&q, false, 0, data, 512);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	UT_EQ(stub.flags, 0);
	world_end(&w);
}

/* It is BUSY as long as the device runs: the request goes back, not to the guest. */
static void test_busy_stop(void)
{
	uint16_t base[FRONT_RINGS];
	uint64_t data;
	struct world w;
	struct front_req q;
	struct front *f = &w.front;

	blk_begin(&w, (struct backend_options){.unit = stub_unit}, 0);
	data = front_alloc(f, 512, 512, false);
	for (unsigned i = 0; i < 5; i++) {
		atomic_store(&stub.busy, UINT32_MAX);
		atomic_store(&stub.commands, 0);
		blk_rw(&q, true, i, data, 512);
		front_submit(f, 0, &q);
		while (atomic_load(&stub.commands) < 2)
			usleep(1000);
		front_stop(f, base);
		UT_EQ(front_reap(f, 0, false), 0);
		UT_EQ((uint16_t)(f->ring[0].avail_idx - base[0]), 1);
		atomic_store(&stub.busy, 0);
		front_start(f, base);
		front_wait(f, 0, &q);
		UT_EQ(blk_status(&q), VIRTIO_BLK_S_OK);
	}
	world_end(&w);
}

static CU_TestInfo stop[] = {
	{"deadline, and it goes on here", test_stop_here},
	{"the same with commands under way kept", test_stop_inflight},
	{"deadline, and it goes on elsewhere", test_stop_move},
	{"log", test_log},
	{"under load", test_load},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo lun[] = {
	{"what the guest doesn't hear", test_unheard},
	{"write through", test_write_through},
	{"busy at a stop", test_busy_stop},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"blk-stop", stop}, {"blk-lun", lun}, {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a front end may ask for besides a table of memory and a few rings: memory that comes and goes, a
 * reset, all queues. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "ut.h"
#include "world.h"

#define SLOT (1u << 20)
#define SLOT_GPA (UINT64_C(5) << 32)

/* A piece of the guest's memory that the front end's table doesn't have. */
struct slot {
	struct vu_one_region at;
	uint8_t *mem;
	int fd;
};

static void slot_open(struct slot *s, uint64_t gpa)
{
	s->fd = memfd_create("slot", MFD_CLOEXEC);
	CU_ASSERT_FATAL(s->fd >= 0 && !ftruncate(s->fd, SLOT));
	s->mem = mmap(NULL, SLOT, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	CU_ASSERT_FATAL(s->mem != MAP_FAILED);
	s->at = (struct vu_one_region){.region = {gpa, SLOT, (uintptr_t)s->mem, 0}};
}

static void slot_close(struct slot *s)
{
	munmap(s->mem, SLOT);
	close(s->fd);
}

static uint64_t slot_ask(struct front *f, uint32_t request, const struct slot *s)
{
	return front_send(f, request, &s->at, sizeof(s->at), &s->fd, request == VU_ADD_MEM_REG, true);
}

/* The disk's first blocks are this byte, and come to the slot. */
static void slot_serves(struct world *w, const struct slot *s, uint8_t byte)
{
	struct front *f = &w->front;
	AUTO_FD int fd = backend_file(w->folder, 0);
	uint8_t want[8192];
	struct front_req q;

	memset(want, byte, sizeof(want));
	UT_EQ(pwrite(fd, want, sizeof(want), 0), sizeof(want));
	front_rw(&q, 0, false, 0, 16, s->at.region.gpa + 4096);
	CU_ASSERT(front_do(f, 2, &q));
	CU_ASSERT(!memcmp(s->mem + 4096, want, sizeof(want)));
	UT_EQ(s->mem[4095], 0);
	UT_EQ(s->mem[4096 + sizeof(want)], 0);
}

/* Memory is plugged in and out while rings are read; a command may lie in pieces of both. */
static void test_slots(void)
{
	struct slot one, two;
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t max = 0, gpa;

	world_begin(&w);
	front_send(f, VU_GET_MAX_MEM_SLOTS, NULL, 0, NULL, 0, false);
	front_receive(f, VU_GET_MAX_MEM_SLOTS, &max, sizeof(max), NULL);
	CU_ASSERT(max >= 32 && max <= 512);
	slot_open(&one, SLOT_GPA);
	slot_open(&two, SLOT_GPA + 4 * SLOT);
	UT_EQ(slot_ask(f, VU_ADD_MEM_REG, &one), 0);
	slot_serves(&w, &one, 0x11);
	UT_EQ(slot_ask(f, VU_ADD_MEM_REG, &two), 0);
	CU_ASSERT(slot_ask(f, VU_ADD_MEM_REG, &two));
	slot_serves(&w, &two, 0x22);
	slot_serves(&w, &one, 0x33);
	gpa = front_alloc(f, 4096, 4096, true);
	front_rw(&q, 0, false, 0, 16, gpa);
	q.data_in[0].len = 4096;
	q.data_in[1] = (struct front_piece){SLOT_GPA + 65536, 4096};
	q.data_in_n = 2;
	CU_ASSERT(front_do(f, 2, &q));
	UT_EQ(*(uint8_t *)front_at(f, gpa), 0x33);
	UT_EQ(one.mem[65536], 0x33);
	UT_EQ(slot_ask(f, VU_REM_MEM_REG, &one), 0);
	CU_ASSERT(slot_ask(f, VU_REM_MEM_REG, &one));
	slot_serves(&w, &two, 0x44);
	one.at.region.gpa += 16 * SLOT;
	UT_EQ(slot_ask(f, VU_ADD_MEM_REG, &one), 0);
	slot_serves(&w, &one, 0x55);
	world_end(&w);
	slot_close(&one);
	slot_close(&two);
}

/* A driver that begins anew: its rings are as new ones. */
static void forget_rings(struct front *f)
{
	for (unsigned i = 0; i < f->rings; i++) {
		struct front_ring *r = &f->ring[i];

		memset(front_at(f, r->avail), 0, 4);
		memset(front_at(f, r->used), 0, 4);
		r->avail_idx = r->seen = 0;
	}
}

/* The guest boots again, several times: nothing of what was before is left. */
static void test_reset(void)
{
	struct world w;
	struct front *f = &w.front;
	struct front_req q;
	uint64_t gpa;

	world_begin(&w);
	gpa = front_alloc(f, 4096, 4096, false);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned n = 0; n <= i; n++) {
			front_rw(&q, 1, true, n, 8, gpa);
			CU_ASSERT(front_do(f, 2, &q));
		}
		UT_EQ(front_send(f, VU_RESET_DEVICE, NULL, 0, NULL, 0, true), 0);
		forget_rings(f);
		front_start(f, NULL);
	}
	front_rw(&q, 1, false, 0, 8, gpa);
	CU_ASSERT(front_do(f, 2, &q));
	world_end(&w);
}

/* All request queues there may be, by fewer workers: each with commands under way at the same time. */
static void test_wide(void)
{
	enum { QUEUES = DEVICE_QUEUES, EACH = 8 };
	static struct front_req q[QUEUES][EACH];
	AUTO_FD int fd = -1;
	struct world w;
	struct front *f = &w.front;
	uint64_t gpa;

	world_begin_with(&w, (struct backend_options){.luns = 2, .workers = 4}, QUEUES, 64, 0);
	fd = backend_file(w.folder, 1);
	gpa = front_alloc(f, QUEUES * EACH * 512, 4096, true);
	for (unsigned i = 0; i < QUEUES * EACH; i++) {
		uint8_t block[512];

		memset(block, (int)i + 1, sizeof(block));
		UT_EQ(pwrite(fd, block, sizeof(block), i * 512), sizeof(block));
	}
	for (unsigned i = 0; i < QUEUES * EACH; i++) {
		front_rw(&q[i % QUEUES][i / QUEUES], 1, false, i, 1, gpa + i * 512);
		front_submit(f, 2 + i % QUEUES, &q[i % QUEUES][i / QUEUES]);
	}
	for (unsigned i = 0; i < QUEUES * EACH; i++) {
		const uint8_t *have = front_at(f, gpa + i * 512);

		front_wait(f, 2 + i % QUEUES, &q[i % QUEUES][i / QUEUES]);
		UT_EQ(front_response(&q[i % QUEUES][i / QUEUES])->status, 0);
		UT_EQ(have[0], (uint8_t)(i + 1));
		UT_EQ(have[511], (uint8_t)(i + 1));
	}
	world_end(&w);
}

static CU_TestInfo tests[] = {
	{"memory comes and goes", test_slots},
	{"reset", test_reset},
	{"16 queues", test_wide},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"slots", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chains that go back into the ring: a driver and a device do what they may, in any order, also while the
 * device stops, and the device is killed at any step. Each chain is taken by one life of the device once, and
 * ends once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/virtio_ring.h>

#include "cleanup.h"
#include "ut.h"
#include "virtqueue.h"

#define SIZE 8
#define UVA UINT64_C(0x10000)
#define AVAIL 4096
#define USED 8192
#define MEMORY 16384
#define STEPS 200000

struct world {
	uint8_t *bytes;
	int fd;
	struct memory *mem;
	struct virtqueue q;
	struct inflight_queue *inflight; /* NULL: none is kept, and nobody is killed */
	uint64_t seed;
	/* the driver */
	uint16_t avail_idx, seen;
	bool owed[SIZE];
	unsigned added, ended;
	/* the device */
	uint16_t taken[SIZE];
	unsigned taken_n;
	bool failed;
};

static unsigned chance(struct world *w, unsigned n)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(w->seed >> 33) % n;
}

static void fail(struct world *w, const char *what, unsigned head)
{
	if (!w->failed)
		printf("# after %u chains: %s (%u)\n", w->added, what, head);
	w->failed = true;
}

static uint16_t *avail(struct world *w)
{
	return (uint16_t *)(w->bytes + AVAIL);
}

static void add(struct world *w)
{
	unsigned head = chance(w, SIZE);

	for (unsigned i = 0; i < SIZE; i++, head = (head + 1) % SIZE) {
		if (w->owed[head])
			continue;
		w->owed[head] = true;
		avail(w)[2 + w->avail_idx % SIZE] = (uint16_t)head;
		avail(w)[1] = ++w->avail_idx;
		w->added++;
		return;
	}
}

static void reap(struct world *w)
{
	const uint16_t *used = (const uint16_t *)(w->bytes + USED);
	struct vring_used_elem e;

	for (; w->seen != used[1]; w->seen++) {
		memcpy(&e, w->bytes + USED + 4 + w->seen % SIZE * sizeof(e), sizeof(e));
		if (e.id >= SIZE || !w->owed[e.id]) {
			fail(w, "one ends that was not begun", e.id);
			return;
		}
		w->owed[e.id] = false;
		w->ended++;
	}
}

static bool pop(struct world *w)
{
	struct iovec iov[2];
	struct vq_chain c = {.iov = iov, .max = ARRAY_SIZE(iov)};
	int r = vq_pop(&w->q, &c);

	if (r < 0)
		fail(w, w->q.broken, 0);
	if (r <= 0)
		return false;
	if (!w->owed[c.head])
		fail(w, "one is taken that has ended", c.head);
	for (unsigned i = 0; i < w->taken_n; i++)
		if (w->taken[i] == c.head)
			fail(w, "one is taken twice", c.head);
	if (w->taken_n < SIZE)
		w->taken[w->taken_n++] = c.head;
	return true;
}

static uint16_t any_taken(struct world *w)
{
	unsigned i = chance(w, w->taken_n);
	uint16_t head = w->taken[i];

	w->taken[i] = w->taken[--w->taken_n];
	return head;
}

static void push(struct world *w)
{
	if (w->taken_n)
		vq_push(&w->q, any_taken(w), 0);
	vq_flush(&w->q);
}

/* A life of the device begins. */
static void begin(struct world *w, uint16_t base)
{
	const struct vq_setup s = {.size = SIZE, .desc = UVA, .avail = UVA + AVAIL, .used = UVA + USED};

	vq_end(&w->q);
	w->q = (struct virtqueue){.call = -1, .inflight = w->inflight};
	w->taken_n = 0;
	if (vq_map(&w->q, &s, w->mem) || vq_begin(&w->q, base))
		fail(w, "the ring can't be begun", base);
}

static void stop(struct world *w)
{
	vq_flush(&w->q);
	while (w->taken_n) {
		vq_unpop(&w->q, any_taken(w));
		if (!chance(w, 2))
			add(w);
		if (!chance(w, 3))
			reap(w);
		if (w->inflight && !chance(w, 8)) {
			begin(w, 0); /* killed */
			return;
		}
	}
	vq_unpop_resumed(&w->q);
	if (w->q.last_avail != w->q.used_idx)
		fail(w, "the base is not where all before it have ended", w->q.last_avail);
	/* it moves, to where the front end has new memory for the marks; or not */
	if (w->inflight && chance(w, 2))
		memset(w->inflight, 0, inflight_queue_size(SIZE));
	begin(w, w->q.last_avail);
}

static void step(struct world *w)
{
	switch (chance(w, 16)) {
	case 0:
		stop(w);
		break;
	case 1:
		if (w->inflight)
			begin(w, 0);
		break;
	case 2:
	case 3:
	case 4:
		reap(w);
		break;
	case 5:
	case 6:
	case 7:
		push(w);
		break;
	case 8:
	case 9:
	case 10:
	case 11:
		pop(w);
		break;
	default:
		add(w);
	}
}

static void world_begin(struct world *w, struct inflight_queue *inflight)
{
	const struct memory_layout layout = {0, MEMORY, UVA, 0};

	*w = (struct world){.inflight = inflight, .seed = 1, .mem = memory_new()};
	w->fd = memfd_create("ut", MFD_CLOEXEC);
	if (w->fd < 0 || ftruncate(w->fd, MEMORY) || memory_add(w->mem, &layout, w->fd))
		abort();
	w->bytes = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	if (w->bytes == MAP_FAILED)
		abort();
	for (unsigned i = 0; i < SIZE; i++) {
		struct vring_desc d = {12288 + i, 1, VRING_DESC_F_WRITE, 0};

		memcpy(w->bytes + i * sizeof(d), &d, sizeof(d));
	}
	begin(w, 0);
}

static void world_end(struct world *w)
{
	vq_end(&w->q);
	memory_unref(w->mem);
	munmap(w->bytes, MEMORY);
	close(w->fd);
}

static void run(struct inflight_queue *inflight)
{
	struct world w;

	world_begin(&w, inflight);
	for (unsigned i = 0; i < STEPS && !w.failed; i++)
		step(&w);
	while (!w.failed && pop(&w))
		;
	while (w.taken_n)
		push(&w);
	reap(&w);
	CU_ASSERT(!w.failed);
	CU_ASSERT(w.added > STEPS / 20);
	UT_EQ(w.ended, w.added);
	world_end(&w);
}

static void test_stop(void)
{
	run(NULL);
}

static void test_killed(void)
{
	AUTO_FREE void *region = calloc(1, inflight_queue_size(SIZE));

	run(inflight_queue_at(region, inflight_queue_size(SIZE), 0, SIZE));
}

static CU_TestInfo tests[] = {
	{"stopped", test_stop},
	{"stopped and killed", test_killed},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"unpop", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

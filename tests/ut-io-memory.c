/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's memory, the log of its pages, and the memory of commands under way: by themselves. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "dirty.h"
#include "inflight.h"
#include "memory.h"
#include "ut.h"

#define PAGE UINT64_C(4096)
#define UVA UINT64_C(0x7f0000000000)

static int file_of(size_t size)
{
	int fd = memfd_create("ut", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		abort();
	return fd;
}

static void test_regions(void)
{
	const struct memory_layout a = {0, 4 * PAGE, UVA, 0};
	const struct memory_layout b = {4 * PAGE, 4 * PAGE, UVA + 16 * PAGE, 4 * PAGE};
	const struct memory_layout high = {UINT64_MAX - 2 * PAGE + 1, 2 * PAGE - 1, UVA + 32 * PAGE, 0};
	struct memory *m = memory_new(), *copy;
	AUTO_FD int fd = file_of(8 * PAGE);
	uint8_t bytes[16], *p;
	uint64_t gpa;
	size_t run;

	UT_EQ(memory_add(m, &b, fd), 0);
	UT_EQ(memory_add(m, &a, fd), 0);
	UT_EQ(memory_add(m, &high, fd), 0);
	UT_EQ(memory_regions(m), 3);
	/* neighbours to the guest, apart here: a run ends with its region */
	p = memory_at(m, 4 * PAGE - 8, 16, &run);
	CU_ASSERT_PTR_NOT_NULL(p);
	UT_EQ(run, 8);
	memset(p, 0x11, 8);
	memset(memory_at(m, 4 * PAGE, 8, &run), 0x22, 8);
	CU_ASSERT(memory_read(m, 4 * PAGE - 8, bytes, 16));
	UT_EQ(bytes[7], 0x11);
	UT_EQ(bytes[8], 0x22);
	CU_ASSERT(!memory_read(m, 8 * PAGE - 8, bytes, 16));
	CU_ASSERT(!memory_read(m, UINT64_MAX - 8, bytes, 16));
	CU_ASSERT_PTR_NULL(memory_at(m, 8 * PAGE, 1, &run));
	CU_ASSERT_PTR_NULL(memory_at(m, UINT64_MAX - 2 * PAGE, 1, &run));
	CU_ASSERT_PTR_NOT_NULL(memory_at(m, UINT64_MAX - 2 * PAGE + 1, SIZE_MAX, &run));
	UT_EQ(run, 2 * PAGE - 1);
	/* by the front end's addresses: whole, or not at all */
	CU_ASSERT_PTR_NOT_NULL(memory_at_uva(m, UVA + 4 * PAGE - 8, 8));
	CU_ASSERT_PTR_NULL(memory_at_uva(m, UVA + 4 * PAGE - 8, 9));
	CU_ASSERT_PTR_NULL(memory_at_uva(m, UVA - 1, 1));
	CU_ASSERT_PTR_NULL(memory_at_uva(m, UVA, SIZE_MAX));
	/* and back */
	CU_ASSERT(memory_gpa(m, p, &gpa));
	UT_EQ(gpa, 4 * PAGE - 8);
	CU_ASSERT(!memory_gpa(m, bytes, &gpa));
	/* what uses a table keeps what is in it */
	copy = memory_clone(m);
	UT_EQ(memory_remove(copy, &a), 0);
	UT_EQ(memory_remove(copy, &a), -ENOENT);
	CU_ASSERT_PTR_NULL(memory_at(copy, 0, 1, &run));
	memory_unref(copy);
	memory_ref(m);
	memory_unref(m);
	UT_EQ(p[0], 0x11);
	memory_unref(m);
}

static void test_refused(void)
{
	const struct memory_layout first = {16 * PAGE, 4 * PAGE, UVA, 0};
	const struct {
		struct memory_layout l;
		int err;
	} bad[] = {
		{{0, 0, 0, 0}, -EINVAL},
		{{UINT64_MAX, PAGE, 0, 0}, -EINVAL},
		{{0, PAGE, UINT64_MAX, 0}, -EINVAL},
		{{0, PAGE, 0, UINT64_MAX}, -EINVAL},
		{{0, 9 * PAGE, 0, 0}, -EINVAL},
		{{0, PAGE, 0, 8 * PAGE}, -EINVAL},
		{{19 * PAGE, 4 * PAGE, 0, 0}, -EEXIST},
		{{13 * PAGE, 4 * PAGE, 0, 0}, -EEXIST},
		{{17 * PAGE, PAGE, 0, 0}, -EEXIST},
		{{15 * PAGE, 6 * PAGE, 0, 0}, -EEXIST},
		{{0, PAGE, UVA + PAGE, 0}, -EEXIST},
	};
	struct memory *m = memory_new();
	AUTO_FD int fd = file_of(8 * PAGE);

	UT_EQ(memory_add(m, &first, fd), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		UT_EQ(memory_add(m, &bad[i].l, fd), bad[i].err);
	UT_EQ(memory_add(m, &(struct memory_layout){0, PAGE, 0, 0}, -1), -EBADF);
	UT_EQ(memory_regions(m), 1);
	for (uint64_t i = 1; i < MEMORY_REGIONS_MAX; i++)
		UT_EQ(memory_add(m, &(struct memory_layout){(100 + i) * PAGE, PAGE, i * PAGE, 0}, fd), 0);
	UT_EQ(memory_add(m, &(struct memory_layout){0, PAGE, 0x1000000000, 0}, fd), -ENOSPC);
	memory_unref(m);
}

/* A read of the kernel's that comes too late finds no way in; what the guest gave to be written can still be
 * read. */
static void test_closed(void)
{
	const struct memory_layout l = {0, 4 * PAGE, UVA, 0};
	struct memory *m = memory_new();
	AUTO_FD int fd = file_of(4 * PAGE), other = file_of(PAGE);
	size_t run;
	uint8_t *p;

	UT_EQ(memory_add(m, &l, fd), 0);
	p = memory_at(m, PAGE, PAGE, &run);
	memset(p, 0xee, PAGE);
	UT_EQ(memory_close(m, true), 0);
	UT_EQ(pread(other, p, PAGE, 0), -1);
	UT_EQ(errno, EFAULT);
	UT_EQ(pwrite(other, p, PAGE, 0), PAGE);
	UT_EQ(p[0], 0xee);
	UT_EQ(memory_close(m, false), 0);
	UT_EQ(pread(fd, p, PAGE, 0), PAGE);
	UT_EQ(p[0], 0);
	memory_unref(m);
}

static void test_dirty(void)
{
	AUTO_FD int fd = file_of(2 * PAGE);
	struct dirty *d = dirty_new(fd, 16, 64);
	uint8_t bits[16 + 2], want[16 + 2] = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	dirty_mark(d, 0, 0);
	dirty_mark(d, 3 * PAGE, 1);
	dirty_mark(d, 9 * PAGE - 1, 2);
	dirty_mark(d, 20 * PAGE + 100, 3 * PAGE);
	dirty_mark(d, 127 * PAGE, PAGE); /* the last one that it has */
	dirty_mark(d, 128 * PAGE, PAGE);
	dirty_mark(d, UINT64_MAX - 10, 10);
	dirty_mark(d, 126 * PAGE, 100 * PAGE);
	want[1 + 0] = 1 << 3;
	want[1 + 1] = 1 << 0 | 1 << 1;
	want[1 + 2] = 0xf0;
	want[1 + 15] = 0xc0;
	UT_EQ(pread(fd, bits, sizeof(bits), 63), sizeof(bits));
	CU_ASSERT(!memcmp(bits, want, sizeof(bits)));
	dirty_unref(d);
	CU_ASSERT_PTR_NULL(dirty_new(fd, 0, 0));
	CU_ASSERT_PTR_NULL(dirty_new(fd, 2 * PAGE, 1));
	CU_ASSERT_PTR_NULL(dirty_new(fd, UINT64_MAX, 0));
	CU_ASSERT_PTR_NULL(dirty_new(-1, 16, 0));
}

#define RING 8

static void test_inflight(void)
{
	AUTO_FREE void *region = calloc(3, inflight_queue_size(RING));
	struct inflight_queue *q = inflight_queue_at(region, 3 * inflight_queue_size(RING), 2, RING);
	uint16_t heads[RING], batch[2] = {5, 1};
	uint64_t counter;

	CU_ASSERT_PTR_NULL(inflight_queue_at(region, 3 * inflight_queue_size(RING), 3, RING));
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	UT_EQ(inflight_resume(q, RING, 40, heads, &counter), 0);
	inflight_begin(q, 5, 7);
	inflight_begin(q, 1, 8);
	inflight_begin(q, 3, 9);
	inflight_begin(q, 2, 6);
	UT_EQ(inflight_resume(q, RING, 40, heads, &counter), 4);
	UT_EQ(counter, 10);
	UT_EQ(heads[0], 2);
	UT_EQ(heads[1], 5);
	UT_EQ(heads[2], 1);
	UT_EQ(heads[3], 3);
	/* two were written, but killed before the index was published: they are done again */
	inflight_done(q, 5);
	inflight_done(q, 1);
	UT_EQ(inflight_resume(q, RING, 40, heads, &counter), 4);
	/* killed after it was published: they are not */
	inflight_done(q, 5);
	inflight_done(q, 1);
	UT_EQ(inflight_resume(q, RING, 42, heads, &counter), 2);
	UT_EQ(heads[0], 2);
	UT_EQ(heads[1], 3);
	/* and whole */
	batch[0] = 2;
	batch[1] = 3;
	inflight_done(q, 2);
	inflight_done(q, 3);
	inflight_end(q, batch, 2, 44);
	UT_EQ(inflight_resume(q, RING, 44, heads, &counter), 0);
	/* a front end that writes nonsense there */
	memset(q->desc, 0xff, RING * sizeof(q->desc[0]));
	q->last_batch_head = 65535;
	UT_EQ(inflight_resume(q, RING, 2, heads, &counter), 0);
	for (unsigned i = 0; i < RING; i++)
		q->desc[i] =
			(struct inflight_desc){.inflight = 1, .next = (uint16_t)i, .counter = UINT64_MAX};
	q->last_batch_head = 3;
	UT_EQ(inflight_resume(q, RING, 8, heads, &counter), 7);
}

static CU_TestInfo tests[] = {
	{"regions", test_regions}, {"refused", test_refused},	{"closed", test_closed},
	{"dirty", test_dirty},	   {"inflight", test_inflight}, CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"memory", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

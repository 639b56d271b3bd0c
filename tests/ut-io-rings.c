/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands of a guest by real rings, from a front end by a real socket, on files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_ring.h>

#include "world.h"
#include "cleanup.h"
#include "lun.h"
#include "ut.h"

#define EVENT_IDX (UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT (UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC)

/* What block lba holds after its round-th write: every block of every round is another. */
static void pattern(uint8_t *p, uint64_t lba, unsigned blocks, unsigned round)
{
	for (unsigned i = 0; i < blocks * 64; i++) {
		uint64_t v = (lba * 64 + i) * UINT64_C(0x9e3779b97f4a7c15) + round;

		memcpy(p + 8 * i, &v, 8);
	}
}

static void read_and_write(struct world *w)
{
	struct front *f = &w->front;
	uint64_t out = front_alloc(f, 65536, 4096, false), in = front_alloc(f, 65536, 4096, true);
	AUTO_FD int fd = backend_file(w->folder, 1);
	uint8_t want[65536], have[65536];
	struct front_req q;

	for (unsigned round = 0; round < 4; round++) {
		uint64_t lba = 100 + 1000 * round;
		unsigned blocks = 128 >> round;

		pattern(want, lba, blocks, round);
		memcpy(front_at(f, out), want, blocks * 512);
		front_rw(&q, 1, true, lba, blocks, out);
		CU_ASSERT(front_do(f, 2, &q));
		UT_EQ(front_response(&q)->resid, 0);
		/* it is in the file, at its place */
		UT_EQ(pread(fd, have, blocks * 512, (off_t)(lba * 512)), blocks * 512);
		CU_ASSERT(!memcmp(have, want, blocks * 512));
		/* and is read from there */
		memset(front_at(f, in), 0xee, 65536);
		front_rw(&q, 1, false, lba, blocks, in);
		CU_ASSERT(front_do(f, 2, &q));
		UT_EQ(q.used_len, sizeof(struct virtio_scsi_cmd_resp) + blocks * 512);
		CU_ASSERT(!memcmp(front_at(f, in), want, blocks * 512));
	}
}

static void test_read_write(void)
{
	struct world w;

	world_begin(&w);
	read_and_write(&w);
	w.front.indirect = true;
	read_and_write(&w);
	world_end(&w);
}

/* The same where the driver offers less. */
static void test_features(void)
{
	static const uint64_t offers[] = {1u << 1, INDIRECT | (UINT64_C(1) << 32), EVENT_IDX};
	struct world w;

	for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
		world_begin_with(&w, (struct backend_options){.luns = 2}, 1, 16, offers[i]);
		w.front.indirect = offers[i] & INDIRECT;
		read_and_write(&w);
		world_end(&w);
	}
}

/* Workers that look for more before they sleep, and more of them than queues. */
static void test_polling(void)
{
	struct world w;

	world_begin_with(&w, (struct backend_options){.luns = 2, .workers = 3, .poll_us = 200}, 2, 64, 0);
	read_and_write(&w);
	world_end(&w);
}

/* Which way READ and WRITE go is seen of the file: one in memory io_uring would hand to a thread each time.
 */
static void test_way(void)
{
	char folder[64], path[80];
	struct world w;

	ut_memdir(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/lun", folder);
	for (unsigned i = 0; i < 2; i++) {
		AUTO_FD int fd = i ? open("/dev/null", O_RDWR | O_CLOEXEC)
				   : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		struct unit u = {.fd = fd};
		AUTO_FREE struct lun *l = lun_new(0, &u);

		UT_EQ(l->direct_call, !i);
	}
	/* and all goes well by either */
	world_begin_with(&w, (struct backend_options){.luns = 2, .folder = folder}, 1, 64, 0);
	read_and_write(&w);
	world_end(&w);
	world_begin(&w);
	read_and_write(&w);
	world_end(&w);
}

/* A file that wants addresses aligned, and a guest that gives others. */
static void test_direct(void)
{
	char folder[64], path[80];
	struct front_req q;
	struct world w;
	struct front *f = &w.front;
	uint64_t at;
	AUTO_FD int fd = -1;

	ut_tmpdir(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/try", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_DIRECT, 0600);
	if (fd < 0) {
		printf("# %s has no O_DIRECT\n", folder);
		return;
	}
	world_begin_with(&w, (struct backend_options){.luns = 1, .direct = true}, 1, 64, 0);
	at = front_alloc(f, 2 * 65536, 4096, true);
	for (unsigned skew = 0; skew < 2; skew++) {
		uint64_t out = at + 12 * skew, in = at + 65536 + 20 * skew;

		pattern(front_at(f, out), 64, 64, skew);
		front_rw(&q, 0, true, 64, 64, out);
		CU_ASSERT(front_do(f, 2, &q));
		memset(front_at(f, in), 0xee, 64 * 512);
		front_rw(&q, 0, false, 64, 64, in);
		CU_ASSERT(front_do(f, 2, &q));
		CU_ASSERT(!memcmp(front_at(f, in), front_at(f, out), 64 * 512));
		/* in two pieces, neither of which is a sector */
		memset(front_at(f, in), 0xee, 64 * 512);
		front_rw(&q, 0, false, 64, 64, in);
		q.data_in[0].len = 1000;
		q.data_in[1] = (struct front_piece){in + 1000, 64 * 512 - 1000};
		q.data_in_n = 2;
		CU_ASSERT(front_do(f, 2, &q));
		CU_ASSERT(!memcmp(front_at(f, in), front_at(f, out), 64 * 512));
	}
	world_end(&w);
}

static CU_TestInfo tests[] = {
	{"read and write", test_read_write}, {"features", test_features}, {"polling", test_polling},
	{"the way by the file", test_way},   {"direct", test_direct},	  CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"rings", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

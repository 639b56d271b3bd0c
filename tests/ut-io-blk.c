/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A virtio-blk device: what it says of its LUN, each request, and what a guest may not ask for. */
#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blk.h"
#include "cleanup.h"
#include "pass.h"
#include "ut.h"

#define SECTORS (BACKEND_DISK_SIZE / 512)
#define BIT(n) (UINT64_C(1) << (n))
#define ALL (~UINT64_C(0))
#define PATTERN 0xa5

static bool all(const void *p, uint8_t byte, size_t len)
{
	const uint8_t *b = p;

	return b[0] == byte && !memcmp(b, b + 1, len - 1);
}

/* ---- configuration ---- */

static uint64_t offered(struct front *f)
{
	uint64_t v;

	front_send(f, VU_GET_FEATURES, NULL, 0, NULL, 0, false);
	front_receive(f, VU_GET_FEATURES, &v, sizeof(v), NULL);
	return v;
}

static void test_config(void)
{
	const uint64_t expected = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
				  BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
				  BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_MQ) | BIT(VIRTIO_BLK_F_DISCARD) |
				  BIT(VIRTIO_BLK_F_WRITE_ZEROES);
	struct virtio_blk_config c;
	uint8_t bytes[VU_CONFIG_MAX];
	struct world w;
	struct front *f = &w.front;

	blk_begin(&w, (struct backend_options){0}, 0);
	UT_EQ(offered(f) & 0xffffff, expected);
	UT_EQ(blk_space(f, 0, sizeof(c), &c), sizeof(c));
	UT_EQ(le64toh(c.capacity), SECTORS);
	UT_EQ(le32toh(c.blk_size), 512);
	UT_EQ(le32toh(c.seg_max), 126);
	UT_EQ(le32toh(c.size_max), 32768);
	UT_EQ(c.physical_block_exp, 0);
	UT_EQ(le16toh(c.num_queues), DEVICE_QUEUES);
	UT_EQ(c.wce, 1);
	UT_EQ(le32toh(c.max_discard_sectors), 1 << 20);
	UT_EQ(le32toh(c.max_discard_seg), 1);
	UT_EQ(le32toh(c.discard_sector_alignment), 1);
	UT_EQ(le32toh(c.max_write_zeroes_sectors), 1 << 16);
	UT_EQ(le32toh(c.max_write_zeroes_seg), 1);
	UT_EQ(c.write_zeroes_may_unmap, 1);
	/* a part of it, more than there is, and more than there can be */
	UT_EQ(blk_space(f, offsetof(struct virtio_blk_config, blk_size), 4, bytes), 4);
	UT_EQ(bytes[0] | bytes[1] << 8, 512);
	UT_EQ(blk_space(f, 0, VU_CONFIG_MAX, bytes), VU_CONFIG_MAX);
	CU_ASSERT(!memcmp(bytes, &c, sizeof(c)));
	CU_ASSERT(all(bytes + sizeof(c), 0, VU_CONFIG_MAX - sizeof(c)));
	UT_EQ(blk_space(f, 200, 57, bytes), 0);
	UT_EQ(blk_space(f, UINT32_MAX, 1, bytes), 0);
	UT_EQ(blk_space(f, 1, UINT32_MAX, bytes), 0);
	world_end(&w);
}

/* The driver may not write: the front end is told, and stays. */
static void test_set_config(void)
{
	struct vu_config c = {.offset = offsetof(struct virtio_blk_config, wce), .size = 1};
	struct virtio_blk_config space;
	struct world w;

	blk_begin(&w, (struct backend_options){0}, 0);
	CU_ASSERT(front_send(&w.front, VU_SET_CONFIG, &c, offsetof(struct vu_config, bytes) + 1, NULL, 0,
			     true));
	front_send(&w.front, VU_SET_CONFIG, &c, offsetof(struct vu_config, bytes) + 1, NULL, 0, false);
	blk_space(&w.front, 0, sizeof(space), &space);
	UT_EQ(space.wce, 1);
	world_end(&w);
}

/* Another look may still be under way, or the start. */
static void look(struct world *w)
{
	while (strcmp(backend_ask(&w->back, "lun-check", -1), "ok"))
		;
}

/* As QEMU hears of it: by its channel, and then it asks. */
static void test_resize(void)
{
	struct virtio_blk_config c;
	struct vu_header h;
	struct world w;
	struct front_req q;
	struct front *f = &w.front;
	struct pollfd p;
	int pair[2], fd;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	blk_begin(&w, (struct backend_options){0}, 0);
	UT_EQ(front_send(f, VU_SET_BACKEND_REQ_FD, NULL, 0, &pair[1], 1, true), 0);
	close(pair[1]);
	look(&w);
	fd = backend_file(w.folder, 0);
	CU_ASSERT(!ftruncate(fd, BACKEND_DISK_SIZE + 4096));
	look(&w);
	p = (struct pollfd){pair[0], POLLIN, 0};
	UT_EQ(poll(&p, 1, FRONT_PATIENCE_MS), 1);
	UT_EQ(read(pair[0], &h, sizeof(h)), sizeof(h));
	UT_EQ(h.request, VU_BACKEND_CONFIG_CHANGE);
	UT_EQ(h.flags, VU_VERSION);
	UT_EQ(h.size, 0);
	blk_space(f, 0, sizeof(c), &c);
	UT_EQ(le64toh(c.capacity), SECTORS + 8);
	/* its unit attention is none of the guest's business; what is new can be used */
	blk_rw(&q, false, SECTORS + 7, front_alloc(f, 512, 512, false), 512);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	world_end(&w);
	close(fd);
	close(pair[0]);
}

static struct unit *no_path(const char *folder, unsigned lun)
{
	const struct paths none = {0};

	(void)folder;
	(void)lun;
	return pass_new(&none, 0, 0);
}

/* A successor's, when there is no path: what one before offered stays so, and requests wait, as for a LUN
 * that is BUSY. */
static void test_absent(void)
{
	const uint64_t all = BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_DISCARD) |
			     BIT(VIRTIO_BLK_F_WRITE_ZEROES) | BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_MQ);
	struct front_req q[2];
	struct world w;
	struct front *f = &w.front;

	blk_begin(&w, (struct backend_options){.unit = no_path}, 0);
	UT_EQ(offered(f) & all, all);
	blk_rw(&q[0], false, 0, front_alloc(f, 512, 512, false), 512);
	blk_rw(&q[1], true, 0, front_alloc(f, 512, 512, false), 512);
	front_submit(f, 0, &q[0]);
	front_submit(f, 0, &q[1]);
	usleep(50000); /* some repetitions */
	UT_EQ(front_reap(f, 0, false), 0);
	UT_STREQ(backend_ask(&w.back, "lun-add 0,absent", -1), "error No such device or address");
	world_end(&w);
}

static void test_luns(void)
{
	struct world w;
	int fd;

	blk_begin(&w, (struct backend_options){0}, 0);
	fd = backend_file(w.folder, 7);
	CU_ASSERT(!strncmp(backend_ask(&w.back, "lun-add 1,fd,serial=x", fd), "error", 5));
	CU_ASSERT(!strncmp(backend_ask(&w.back, "lun-remove 0", -1), "error", 5));
	CU_ASSERT_PTR_NOT_NULL(strstr(backend_ask(&w.back, "status", -1), "luns=1"));
	close(fd);
	world_end(&w);
}

/* ---- requests ---- */

/* In pieces that cut header, data and status as a driver may. */
static void test_read_write(void)
{
	uint8_t *out, *in, *file = malloc(16384);
	uint64_t data;
	struct world w;
	struct front *f = &w.front;
	struct front_req q;
	int fd;

	blk_begin(&w, (struct backend_options){.workers = 2}, 0);
	data = front_alloc(f, 2 * 16384, 4096, true);
	out = front_at(f, data);
	in = front_at(f, data + 16384);
	for (unsigned i = 0; i < 16384; i++)
		out[i] = (uint8_t)(i * 7 + i / 256);
	for (unsigned ring = 0; ring < BLK_RINGS; ring++) {
		f->indirect = ring == 1;
		memset(in, 0, 16384);
		blk_rw(&q, true, 8 + 100 * ring, data, 100);
		q.data_out[q.data_out_n++] = (struct front_piece){data + 100, 16284};
		UT_EQ(blk_do(f, ring, &q), VIRTIO_BLK_S_OK);
		UT_EQ(q.used_len, 1);
		blk_rw(&q, false, 8 + 100 * ring, data + 16384, 8192);
		q.data_in[q.data_in_n++] = (struct front_piece){data + 16384 + 8192, 1};
		q.data_in[q.data_in_n++] = (struct front_piece){data + 16384 + 8193, 8191};
		UT_EQ(blk_do(f, ring, &q), VIRTIO_BLK_S_OK);
		UT_EQ(q.used_len, 16384 + 1);
		CU_ASSERT(!memcmp(in, out, 16384));
		fd = backend_file(w.folder, 0);
		UT_EQ(pread(fd, file, 16384, (8 + 100 * ring) * 512), 16384);
		CU_ASSERT(!memcmp(file, out, 16384));
		close(fd);
	}
	/* no data are no error */
	blk_request(&q, VIRTIO_BLK_T_IN, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	blk_request(&q, VIRTIO_BLK_T_FLUSH, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	world_end(&w);
	free(file);
}

/* Linux's indirect tables, in a ring that is smaller than a request may be. */
static void test_small_ring(void)
{
	struct backend_options o = {.type = &device_type_blk, .luns = 1};
	uint64_t data;
	struct world w;
	struct front *f = &w.front;
	struct front_req q;

	ut_tmpdir(w.folder, sizeof(w.folder));
	o.folder = w.folder;
	front_init(f, backend_start(&w.back, &o), WORLD_MEMORY, 1, 8, 0);
	front_negotiate(f);
	front_start(f, NULL);
	f->indirect = true;
	data = front_alloc(f, 2 * FRONT_PIECES * 512, 4096, false);
	memset(front_at(f, data), PATTERN, FRONT_PIECES * 512);
	for (unsigned write = 2; write--;) {
		blk_request(&q, write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, 0);
		for (unsigned i = 0; i < FRONT_PIECES; i++) {
			if (write)
				q.data_out[q.data_out_n++] = (struct front_piece){data + i * 512, 512};
			else
				q.data_in[q.data_in_n++] =
					(struct front_piece){data + (FRONT_PIECES + i) * 512, 512};
		}
		UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	}
	CU_ASSERT(all(front_at(f, data + FRONT_PIECES * 512), PATTERN, FRONT_PIECES * 512));
	world_end(&w);
}

static void test_id(void)
{
	uint64_t data;
	struct world w;
	struct front_req q;
	struct front *f = &w.front;

	blk_begin(&w, (struct backend_options){0}, 0);
	data = front_alloc(f, 64, 64, false);
	memset(front_at(f, data), 0xee, 64);
	blk_request(&q, VIRTIO_BLK_T_GET_ID, 0);
	q.data_in[q.data_in_n++] = (struct front_piece){data, VIRTIO_BLK_ID_BYTES};
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	UT_EQ(q.used_len, VIRTIO_BLK_ID_BYTES + 1);
	UT_STREQ((char *)front_at(f, data), "ut0");
	CU_ASSERT(all((uint8_t *)front_at(f, data) + 3, 0, VIRTIO_BLK_ID_BYTES - 3));
	UT_EQ(*((uint8_t *)front_at(f, data) + VIRTIO_BLK_ID_BYTES), 0xee);
	world_end(&w);
}

/* Fill the first 64 KiB of the file; returns what it takes on its file system. */
static uint64_t fill(int fd)
{
	uint8_t bytes[65536];
	struct stat st;

	memset(bytes, PATTERN, sizeof(bytes));
	if (pwrite(fd, bytes, sizeof(bytes), 0) != sizeof(bytes) || fdatasync(fd) || fstat(fd, &st))
		abort();
	return (uint64_t)st.st_blocks;
}

static bool file_has(int fd, off_t at, uint8_t byte, size_t len)
{
	uint8_t bytes[65536];

	return pread(fd, bytes, len, at) == (ssize_t)len && all(bytes, byte, len);
}

static void test_discard_and_zeroes(void)
{
	uint64_t at, before;
	struct world w;
	struct stat st;
	struct front_req q;
	struct front *f = &w.front;
	int fd;

	blk_begin(&w, (struct backend_options){0}, 0);
	at = front_alloc(f, 64, 64, false);
	fd = backend_file(w.folder, 0);
	for (unsigned how = 0; how < 3; how++) {
		before = fill(fd);
		if (how == 0)
			blk_range(f, &q, VIRTIO_BLK_T_DISCARD, at, 16, 64, 0);
		else
			blk_range(f, &q, VIRTIO_BLK_T_WRITE_ZEROES, at, 16, 64,
				  how == 2 ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0);
		UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
		CU_ASSERT(file_has(fd, 0, PATTERN, 8192));
		CU_ASSERT(file_has(fd, 8192, 0, 32768));
		CU_ASSERT(file_has(fd, 40960, PATTERN, 65536 - 40960));
		CU_ASSERT(!fstat(fd, &st));
		if (how == 1)
			CU_ASSERT((uint64_t)st.st_blocks >= before)
		else
			CU_ASSERT((uint64_t)st.st_blocks < before);
	}
	/* none at all is no error, and least of all "all of them" */
	fill(fd);
	blk_range(f, &q, VIRTIO_BLK_T_WRITE_ZEROES, at, 16, 0, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	blk_range(f, &q, VIRTIO_BLK_T_DISCARD, at, 16, 0, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	CU_ASSERT(file_has(fd, 0, PATTERN, 65536));
	close(fd);
	world_end(&w);
}

/* ---- what may not be ---- */

#define IO VIRTIO_BLK_S_IOERR
#define NOT VIRTIO_BLK_S_UNSUPP

static const struct {
	const char *name;
	uint32_t type;
	uint64_t sector;
	uint32_t out, in; /* bytes of data */
	uint8_t expected;
} transfers[] = {
	{"read the last sector", VIRTIO_BLK_T_IN, SECTORS - 1, 0, 512, 0},
	{"read behind the last one", VIRTIO_BLK_T_IN, SECTORS, 0, 512, IO},
	{"read over the end", VIRTIO_BLK_T_IN, SECTORS - 1, 0, 1024, IO},
	{"read at the largest sector", VIRTIO_BLK_T_IN, ALL, 0, 512, IO},
	{"read where bytes overflow", VIRTIO_BLK_T_IN, ALL / 512 + 1, 0, 512, IO},
	{"read half a sector", VIRTIO_BLK_T_IN, 0, 0, 256, IO},
	{"read a sector and a byte", VIRTIO_BLK_T_IN, 0, 0, 513, IO},
	{"read with data to write", VIRTIO_BLK_T_IN, 0, 512, 0, IO},
	{"read with both", VIRTIO_BLK_T_IN, 0, 512, 512, IO},
	{"write behind the last one", VIRTIO_BLK_T_OUT, SECTORS, 512, 0, IO},
	{"write over the end", VIRTIO_BLK_T_OUT, SECTORS - 1, 1024, 0, IO},
	{"write at the largest sector", VIRTIO_BLK_T_OUT, ALL, 512, 0, IO},
	{"write a byte", VIRTIO_BLK_T_OUT, 0, 1, 0, IO},
	{"write with data to read", VIRTIO_BLK_T_OUT, 0, 0, 512, IO},
	{"a SCSI command", VIRTIO_BLK_T_SCSI_CMD, 0, 512, 512, NOT},
	{"a barrier", VIRTIO_BLK_T_BARRIER, 0, 0, 0, NOT},
	{"secure erase", VIRTIO_BLK_T_SECURE_ERASE, 0, 16, 0, NOT},
	{"what nobody knows", 0x12345678, 0, 0, 0, NOT},
	{"discard without a range", VIRTIO_BLK_T_DISCARD, 0, 0, 0, IO},
	{"discard of a short range", VIRTIO_BLK_T_DISCARD, 0, 15, 0, IO},
	{"discard of two ranges", VIRTIO_BLK_T_DISCARD, 0, 32, 0, NOT},
	{"discard with data to read", VIRTIO_BLK_T_DISCARD, 0, 16, 16, IO},
};

static const struct {
	const char *name;
	uint32_t type;
	uint64_t sector;
	uint32_t n, flags;
	uint8_t expected;
} ranges[] = {
	{"discard behind the end", VIRTIO_BLK_T_DISCARD, SECTORS, 1, 0, IO},
	{"discard over the end", VIRTIO_BLK_T_DISCARD, SECTORS - 1, 2, 0, IO},
	{"discard at the largest sector", VIRTIO_BLK_T_DISCARD, ALL, 1, 0, IO},
	{"discard too much", VIRTIO_BLK_T_DISCARD, 0, (1 << 20) + 1, 0, IO},
	{"discard with a flag", VIRTIO_BLK_T_DISCARD, 0, 1, 1, NOT},
	{"zeroes behind the end", VIRTIO_BLK_T_WRITE_ZEROES, SECTORS, 1, 0, IO},
	{"zeroes at the largest sector", VIRTIO_BLK_T_WRITE_ZEROES, ALL, 2, 0, IO},
	{"zeroes, too many", VIRTIO_BLK_T_WRITE_ZEROES, 0, (1 << 16) + 1, 0, IO},
	{"zeroes with an unknown flag", VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 2, NOT},
};

static void test_refused(void)
{
	uint64_t data;
	struct world w;
	struct front_req q;
	struct front *f = &w.front;
	int fd;

	blk_begin(&w, (struct backend_options){0}, 0);
	data = front_alloc(f, 8192, 4096, false);
	fd = backend_file(w.folder, 0);
	fill(fd);
	for (unsigned i = 0; i < ARRAY_SIZE(transfers); i++) {
		memset(front_at(f, data), 0, 8192);
		blk_request(&q, transfers[i].type, transfers[i].sector);
		if (transfers[i].out)
			q.data_out[q.data_out_n++] = (struct front_piece){data, transfers[i].out};
		if (transfers[i].in)
			q.data_in[q.data_in_n++] = (struct front_piece){data + 4096, transfers[i].in};
		if (blk_do(f, 0, &q) != transfers[i].expected)
			printf("# %s: %u\n", transfers[i].name, blk_status(&q));
		UT_EQ(blk_status(&q), transfers[i].expected);
		CU_ASSERT(q.used_len <= transfers[i].in + 1);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
		blk_range(f, &q, ranges[i].type, data, ranges[i].sector, ranges[i].n, ranges[i].flags);
		if (blk_do(f, 0, &q) != ranges[i].expected)
			printf("# %s: %u\n", ranges[i].name, blk_status(&q));
		UT_EQ(blk_status(&q), ranges[i].expected);
	}
	/* nothing of it was done */
	CU_ASSERT(file_has(fd, 0, PATTERN, 65536));
	close(fd);
	world_end(&w);
}

/* Without a place for the status there is nobody to tell: the ring isn't read any more, the others are. */
static void test_headless(void)
{
	struct world w;
	struct front_req q, other;
	struct front *f = &w.front;

	for (unsigned how = 0; how < 2; how++) {
		blk_begin(&w, (struct backend_options){0}, 0);
		blk_request(&q, VIRTIO_BLK_T_FLUSH, 0);
		if (how)
			q.in_len = 0;
		else
			q.out_len = sizeof(struct virtio_blk_outhdr) - 1;
		front_submit(f, 0, &q);
		blk_request(&other, VIRTIO_BLK_T_FLUSH, 0);
		UT_EQ(blk_do(f, 1, &other), VIRTIO_BLK_S_OK);
		blk_request(&q, VIRTIO_BLK_T_FLUSH, 0);
		front_submit(f, 0, &q);
		/* one worker looks at one ring after the other */
		for (unsigned i = 0; i < 3; i++) {
			blk_request(&other, VIRTIO_BLK_T_FLUSH, 0);
			UT_EQ(blk_do(f, 1, &other), VIRTIO_BLK_S_OK);
		}
		UT_EQ(front_reap(f, 0, false), 0);
		world_end(&w);
	}
}

static void test_read_only(void)
{
	uint64_t data, features;
	struct world w;
	struct front_req q;
	struct front *f = &w.front;

	blk_begin(&w, (struct backend_options){.lun = ",ro"}, 0);
	features = offered(f);
	CU_ASSERT(features & BIT(VIRTIO_BLK_F_RO));
	CU_ASSERT(!(features & (BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES))));
	data = front_alloc(f, 512, 512, false);
	blk_rw(&q, false, 0, data, 512);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	blk_rw(&q, true, 0, data, 512);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_IOERR);
	blk_range(f, &q, VIRTIO_BLK_T_DISCARD, data, 0, 1, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_UNSUPP);
	blk_range(f, &q, VIRTIO_BLK_T_WRITE_ZEROES, data, 0, 1, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_UNSUPP);
	blk_request(&q, VIRTIO_BLK_T_FLUSH, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	world_end(&w);
}

/* virtio-blk counts sectors of 512 bytes whatever a block is. */
static void test_large_blocks(void)
{
	struct virtio_blk_config c;
	uint64_t data;
	struct world w;
	struct front_req q;
	struct front *f = &w.front;
	int fd;

	blk_begin(&w, (struct backend_options){.lun = ",block=4096"}, 0);
	blk_space(f, 0, sizeof(c), &c);
	UT_EQ(le64toh(c.capacity), SECTORS);
	UT_EQ(le32toh(c.blk_size), 4096);
	UT_EQ(le32toh(c.max_discard_sectors), 1 << 20);
	UT_EQ(le32toh(c.discard_sector_alignment), 8);
	data = front_alloc(f, 8192, 4096, false);
	memset(front_at(f, data), PATTERN, 8192);
	blk_rw(&q, true, 16, data, 8192);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	blk_rw(&q, true, 17, data, 4096);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_IOERR);
	blk_rw(&q, true, 24, data, 512);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_IOERR);
	fd = backend_file(w.folder, 0);
	CU_ASSERT(file_has(fd, 0, 0, 8192));
	CU_ASSERT(file_has(fd, 8192, PATTERN, 8192));
	blk_range(f, &q, VIRTIO_BLK_T_WRITE_ZEROES, data, 16, 8, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_OK);
	CU_ASSERT(file_has(fd, 8192, 0, 4096));
	CU_ASSERT(file_has(fd, 12288, PATTERN, 4096));
	blk_range(f, &q, VIRTIO_BLK_T_WRITE_ZEROES, data, 24, 7, 0);
	UT_EQ(blk_do(f, 0, &q), VIRTIO_BLK_S_IOERR);
	close(fd);
	world_end(&w);
}

static CU_TestInfo config[] = {
	{"space", test_config},	 {"the driver writes to it", test_set_config},
	{"resize", test_resize}, {"absent", test_absent},
	{"one LUN", test_luns},	 CU_TEST_INFO_NULL,
};

static CU_TestInfo requests[] = {
	{"read and write", test_read_write},
	{"in a small ring", test_small_ring},
	{"id", test_id},
	{"discard and zeroes", test_discard_and_zeroes},
	{"refused", test_refused},
	{"no place for a status", test_headless},
	{"read only", test_read_only},
	{"large blocks", test_large_blocks},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"config", config}, {"requests", requests}, {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that move data: READ and WRITE in all sizes, VERIFY, COMPARE AND WRITE, UNMAP, WRITE SAME. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "be.h"
#include "cleanup.h"
#include "ut.h"
#include "ut-disk-rig.h"

#define BLOCKS 4096u
#define BS 512u

static struct rig r;
static uint8_t data[64 * BS], got[64 * BS];

static int init(void)
{
	rig_init(&r, BLOCKS);
	rig_open(&r, DISK_POWER_ON);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / BS);
	return 0;
}

static int clean(void)
{
	rig_free(&r);
	return 0;
}

static bool on_disk(uint64_t lba, const void *what, size_t len)
{
	return pread(r.fd, got, len, (off_t)(lba * BS)) == (ssize_t)len && !memcmp(got, what, len);
}

static bool zeros_on_disk(uint64_t lba, size_t len)
{
	static const uint8_t zero[64 * BS];

	return on_disk(lba, zero, len);
}

static void put(uint64_t lba, size_t len)
{
	CU_ASSERT(pwrite(r.fd, data, len, (off_t)(lba * BS)) == (ssize_t)len);
}

/* A READ or WRITE of each size at the same place. Returns the CDB's length. */
static size_t build(uint8_t *cdb, unsigned size, bool write, uint64_t lba, uint32_t n)
{
	memset(cdb, 0, 16);
	switch (size) {
	case 6:
		cdb[0] = write ? 0x0a : 0x08;
		put_be24((uint32_t)lba, cdb + 1);
		cdb[4] = (uint8_t)n;
		break;
	case 10:
		cdb[0] = write ? 0x2a : 0x28;
		put_be32((uint32_t)lba, cdb + 2);
		put_be16((uint16_t)n, cdb + 7);
		break;
	case 12:
		cdb[0] = write ? 0xaa : 0xa8;
		put_be32((uint32_t)lba, cdb + 2);
		put_be32(n, cdb + 6);
		break;
	default:
		cdb[0] = write ? 0x8a : 0x88;
		put_be64(lba, cdb + 2);
		put_be32(n, cdb + 10);
	}
	return size;
}

static const unsigned sizes[] = {6, 10, 12, 16};

static void test_read_write(void)
{
	uint8_t cdb[16];
	size_t n;

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t lba = 100 + 200 * i;

		n = build(cdb, sizes[i], true, lba, 5);
		UT_EQ(rig_do(&r, RIG_A, cdb, n, data + i, 5 * BS, 0), SCSI_GOOD);
		UT_EQ(r.begun, DISK_IO);
		UT_EQ(r.io_flags, 0);
		UT_EQ(r.t.moved, 5 * BS);
		CU_ASSERT(on_disk(lba, data + i, 5 * BS));
		n = build(cdb, sizes[i], false, lba, 5);
		UT_EQ(rig_do(&r, RIG_B, cdb, n, NULL, 0, 5 * BS), SCSI_GOOD);
		UT_EQ(r.begun, DISK_IO);
		UT_EQ(r.t.moved, 5 * BS);
		CU_ASSERT(!memcmp(r.answer, data + i, 5 * BS));
		UT_EQ(r.answer[5 * BS], 0xee);
	}
}

static void test_range(void)
{
	uint8_t cdb[16];
	size_t n;

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		for (int w = 0; w < 2; w++) {
			n = build(cdb, sizes[i], w, BLOCKS - 1, 2);
			rig_do(&r, RIG_A, cdb, n, data, 2 * BS, 2 * BS);
			UT_EQ(rig_said(&r), SAID_OUT_OF_RANGE);
			UT_EQ(rig_info(&r), BLOCKS);
			n = build(cdb, sizes[i], w, BLOCKS - 1, 1);
			rig_do(&r, RIG_A, cdb, n, data, BS, BS);
			UT_EQ(rig_said(&r), 0);
		}
	/* READ(6) of 0 is of 256; of the others 0 is nothing, but for an address that isn't there */
	UT_EQ(IN(&r, RIG_A, 256 * BS, 0x08, 0, 0, 0, 0, 0), 0);
	UT_EQ(r.t.moved, 256 * BS);
	UT_EQ(DO(&r, RIG_A, 0x28, 0, BE4(BLOCKS), 0, 0, 0, 0), 0);
	UT_EQ(DO(&r, RIG_A, 0x28, 0, BE4(BLOCKS + 1), 0, 0, 0, 0), SAID_OUT_OF_RANGE);
	/* sums that would run over */
	UT_EQ(DO(&r, RIG_A, 0x88, 0, BE8(UINT64_MAX), BE4(2), 0, 0), SAID_OUT_OF_RANGE);
	UT_EQ(rig_info(&r), UINT64_MAX); /* 64 bits have no place in the fixed format */
	UT_EQ(DO(&r, RIG_A, 0x88, 0, BE8(1), BE4(UINT32_MAX), 0, 0), SAID_OUT_OF_RANGE);
	UT_EQ(DO(&r, RIG_A, 0x8a, 0, BE8(UINT64_MAX - 1), BE4(UINT32_MAX), 0, 0), SAID_OUT_OF_RANGE);
}

static void test_fields(void)
{
	/* protection information, NACA, an operation code that there isn't */
	UT_EQ(IN(&r, RIG_A, BS, 0x28, 0x20, BE4(0), 0, BE2(1), 0), SAID_BAD_CDB);
	UT_EQ(OUT(&r, RIG_A, data, BS, 0x2a, 0x60, BE4(0), 0, BE2(1), 0), SAID_BAD_CDB);
	UT_EQ(IN(&r, RIG_A, BS, 0x28, 0, BE4(0), 0, BE2(1), 4), SAID_BAD_CDB);
	UT_EQ(DO(&r, RIG_A, 0xc0, 0, 0, 0, 0, 0), SAID_BAD_OPCODE);
	UT_EQ(DO(&r, RIG_A, 0x9e, 0x1f, 0, 0, 0, 0), SAID_BAD_CDB);
}

static void test_overrun(void)
{
	put(7, 2 * BS);
	UT_EQ(IN(&r, RIG_A, BS, 0x28, 0, BE4(7), 0, BE2(2), 0), 0);
	CU_ASSERT(r.t.overrun);
	UT_EQ(r.t.moved, 0);
	UT_EQ(OUT(&r, RIG_A, data + 9, 2 * BS - 1, 0x2a, 0, BE4(7), 0, BE2(2), 0), 0);
	CU_ASSERT(r.t.overrun);
	CU_ASSERT(on_disk(7, data, 2 * BS));
	/* more room than data is no fault */
	UT_EQ(IN(&r, RIG_A, 4 * BS, 0x28, 0, BE4(7), 0, BE2(2), 0), 0);
	CU_ASSERT(!r.t.overrun);
	UT_EQ(r.t.moved, 2 * BS);
}

/* Run in a thread with a buffer that is smaller than the guest's: not now, rather than less than all. */
static void test_small_bounce(void)
{
	struct iovec v = {got, BS};

	IN(&r, RIG_A, 4 * BS, 0x28, 0, BE4(7), 0, BE2(4), 0);
	r.t.in = &v;
	r.t.in_n = 1;
	disk_run(r.d, RIG_A, &r.t);
	UT_EQ(rig_said(&r), -SCSI_BUSY);
	v.iov_len = 4 * BS;
	disk_run(r.d, RIG_A, &r.t);
	UT_EQ(rig_said(&r), 0);
	UT_EQ(r.t.moved, 4 * BS);
}

/* The kernel may move less than it was told: the rest comes after. */
static void test_short(void)
{
	r.io_most = 700;
	UT_EQ(OUT(&r, RIG_A, data + 3, 8 * BS, 0x2a, 0, BE4(40), 0, BE2(8), 0), 0);
	UT_EQ(r.t.moved, 8 * BS);
	CU_ASSERT(on_disk(40, data + 3, 8 * BS));
	UT_EQ(IN(&r, RIG_A, 8 * BS, 0x28, 0, BE4(40), 0, BE2(8), 0), 0);
	CU_ASSERT(!memcmp(r.answer, data + 3, 8 * BS));
	r.io_most = 0;
}

static void test_stable(void)
{
	static const uint8_t cache_off[] = {0, 0, 0, 0, 0x08, 18, 0, 0, 0, 0, 0, 0,
					    0, 0, 0, 0, 0,    0,  0, 0, 0, 0, 0, 0};

	/* FUA of a write goes along; of a read it means a flush before */
	UT_EQ(OUT(&r, RIG_A, data, BS, 0x2a, 0x08, BE4(3), 0, BE2(1), 0), 0);
	UT_EQ(r.io_flags, DISK_IO_FUA);
	UT_EQ(IN(&r, RIG_A, BS, 0x28, 0x08, BE4(3), 0, BE2(1), 0), 0);
	UT_EQ(r.begun, DISK_IO);
	UT_EQ(r.io_op, DISK_OP_FSYNC);
	UT_EQ(r.t.moved, BS);
	CU_ASSERT(!memcmp(r.answer, data, BS));
	UT_EQ(DO(&r, RIG_A, 0x35, 0, BE4(0), 0, 0, 0, 0), 0);
	UT_EQ(r.begun, DISK_IO);
	UT_EQ(r.io_op, DISK_OP_FSYNC);
	UT_EQ(DO(&r, RIG_A, 0x91, 0, BE8(0), BE4(BLOCKS), 0, 0), 0);
	UT_EQ(DO(&r, RIG_A, 0x91, 0, BE8(1), BE4(BLOCKS), 0, 0), SAID_OUT_OF_RANGE);
	/* without a cache every write is stable */
	UT_EQ(OUT(&r, RIG_A, cache_off, sizeof(cache_off), 0x15, 0x10, 0, 0, sizeof(cache_off), 0), 0);
	UT_EQ(OUT(&r, RIG_A, data, BS, 0x2a, 0, BE4(3), 0, BE2(1), 0), 0);
	UT_EQ(r.io_flags, DISK_IO_FUA);
	disk_reset(r.d, 0, DISK_RESET_LUN);
	UT_EQ(DO(&r, RIG_A, 0, 0, 0, 0, 0, 0), 0x062903);
	UT_EQ(DO(&r, RIG_B, 0, 0, 0, 0, 0, 0), 0x062903);
	UT_EQ(OUT(&r, RIG_A, data, BS, 0x2a, 0, BE4(3), 0, BE2(1), 0), 0);
	UT_EQ(r.io_flags, 0);
}

static void test_errors(void)
{
	static const struct {
		int64_t result;
		int said;
	} cases[] = {
		{-EIO, 0x031100},      {0, 0x031100},	    {-ECANCELED, -SCSI_BUSY},
		{-EAGAIN, -SCSI_BUSY}, {-ENODEV, 0x043e01},
	};
	struct disk_io io;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		IN(&r, RIG_A, 2 * BS, 0x28, 0, BE4(9), 0, BE2(2), 0);
		UT_EQ(disk_begin(r.d, RIG_A, &r.t, &io), DISK_IO);
		UT_EQ(disk_end(r.d, &r.t, &io, -EINTR), DISK_IO);
		UT_EQ(disk_end(r.d, &r.t, &io, cases[i].result), DISK_DONE);
		UT_EQ(rig_said(&r), cases[i].said);
	}
	OUT(&r, RIG_A, data, BS, 0x2a, 0, BE4(9), 0, BE2(1), 0);
	UT_EQ(disk_begin(r.d, RIG_A, &r.t, &io), DISK_IO);
	UT_EQ(disk_end(r.d, &r.t, &io, -EIO), DISK_DONE);
	UT_EQ(rig_said(&r), 0x030c00);
	UT_EQ(rig_info(&r), 9);
	UT_EQ(disk_begin(r.d, RIG_A, &r.t, &io), DISK_IO);
	UT_EQ(disk_end(r.d, &r.t, &io, -ENOSPC), DISK_DONE);
	UT_EQ(rig_said(&r), 0x072707);
}

static void test_verify(void)
{
	put(200, 4 * BS);
	memcpy(got, data, sizeof(got));
	UT_EQ(DO(&r, RIG_A, 0x2f, 0, BE4(200), 0, BE2(4), 0), 0);
	UT_EQ(OUT(&r, RIG_A, data, 4 * BS, 0x2f, 2, BE4(200), 0, BE2(4), 0), 0);
	UT_EQ(OUT(&r, RIG_A, data, 4 * BS, 0xaf, 2, BE4(200), BE4(4), 0, 0), 0);
	UT_EQ(OUT(&r, RIG_A, data, 4 * BS, 0x8f, 2, BE8(200), BE4(4), 0, 0), 0);
	got[3 * BS + 17]++;
	UT_EQ(OUT(&r, RIG_A, got, 4 * BS, 0x8f, 2, BE8(200), BE4(4), 0, 0), SAID_MISCOMPARE);
	UT_EQ(rig_info(&r), 3 * BS + 17);
	/* one block against many; a reserved BYTCHK; nothing to verify; past the end */
	UT_EQ(OUT(&r, RIG_A, data, BS, 0x8f, 6, BE8(200), BE4(1), 0, 0), 0);
	UT_EQ(OUT(&r, RIG_A, data, BS, 0x8f, 6, BE8(200), BE4(2), 0, 0), SAID_MISCOMPARE);
	UT_EQ(OUT(&r, RIG_A, data, BS, 0x8f, 4, BE8(200), BE4(2), 0, 0), SAID_BAD_CDB);
	UT_EQ(DO(&r, RIG_A, 0x2f, 0x20, BE4(200), 0, BE2(4), 0), SAID_BAD_CDB);
	UT_EQ(DO(&r, RIG_A, 0x2f, 2, BE4(200), 0, BE2(0), 0), 0);
	UT_EQ(DO(&r, RIG_A, 0x2f, 0, BE4(BLOCKS), 0, BE2(1), 0), SAID_OUT_OF_RANGE);
	DO(&r, RIG_A, 0x2f, 2, BE4(200), 0, BE2(4), 0);
	CU_ASSERT(r.t.overrun);
	UT_EQ(OUT(&r, RIG_A, data + 5, 2 * BS, 0x2e, 2, BE4(210), 0, BE2(2), 0), 0);
	CU_ASSERT(on_disk(210, data + 5, 2 * BS));
	UT_EQ(OUT(&r, RIG_A, data + 6, 2 * BS, 0xae, 0, BE4(210), BE4(2), 0, 0), 0);
	CU_ASSERT(on_disk(210, data + 6, 2 * BS));
}

static void test_compare_write(void)
{
	uint8_t both[4 * BS];

	put(300, 2 * BS);
	memcpy(both, data, 2 * BS);
	memcpy(both + 2 * BS, data + 99, 2 * BS);
	UT_EQ(OUT(&r, RIG_A, both, 4 * BS, 0x89, 0, BE8(300), 0, 0, 0, 2, 0, 0), 0);
	CU_ASSERT(on_disk(300, data + 99, 2 * BS));
	UT_EQ(r.t.moved, 4 * BS);
	UT_EQ(OUT(&r, RIG_A, both, 4 * BS, 0x89, 0, BE8(300), 0, 0, 0, 2, 0, 0), SAID_MISCOMPARE);
	CU_ASSERT(on_disk(300, data + 99, 2 * BS));
	memcpy(both, data + 99, 2 * BS);
	both[BS + 3]++;
	UT_EQ(OUT(&r, RIG_A, both, 4 * BS, 0x89, 8, BE8(300), 0, 0, 0, 2, 0, 0), SAID_MISCOMPARE);
	UT_EQ(rig_info(&r), BS + 3);
	UT_EQ(DO(&r, RIG_A, 0x89, 0, BE8(300), 0, 0, 0, 0, 0, 0), 0);
	UT_EQ(DO(&r, RIG_A, 0x89, 0, BE8(300), 0, 0, 0, 200, 0, 0), SAID_BAD_CDB);
	UT_EQ(DO(&r, RIG_A, 0x89, 0, BE8(BLOCKS), 0, 0, 0, 1, 0, 0), SAID_OUT_OF_RANGE);
	OUT(&r, RIG_A, both, 3 * BS, 0x89, 0, BE8(300), 0, 0, 0, 2, 0, 0);
	CU_ASSERT(r.t.overrun);
}

static size_t unmap_list(uint8_t *b, const uint64_t (*extents)[2], unsigned n)
{
	memset(b, 0, 8);
	put_be16((uint16_t)(6 + 16 * n), b);
	put_be16((uint16_t)(16 * n), b + 2);
	for (unsigned i = 0; i < n; i++) {
		memset(b + 8 + 16 * i, 0, 16);
		put_be64(extents[i][0], b + 8 + 16 * i);
		put_be32((uint32_t)extents[i][1], b + 16 + 16 * i);
	}
	return 8 + 16 * (size_t)n;
}

static void test_unmap(void)
{
	static const uint64_t two[][2] = {{400, 3}, {404, 1}}, bad[][2] = {{400, 3}, {BLOCKS - 1, 2}},
			      over[][2] = {{UINT64_MAX, 2}};
	uint8_t list[64];
	size_t n;

	put(400, 8 * BS);
	n = unmap_list(list, bad, 2);
	UT_EQ(OUT(&r, RIG_A, list, n, 0x42, 0, 0, 0, 0, 0, 0, BE2(n), 0), SAID_OUT_OF_RANGE);
	n = unmap_list(list, over, 1);
	UT_EQ(OUT(&r, RIG_A, list, n, 0x42, 0, 0, 0, 0, 0, 0, BE2(n), 0), SAID_OUT_OF_RANGE);
	CU_ASSERT(on_disk(400, data, 8 * BS)); /* none is done when one is bad */
	n = unmap_list(list, two, 2);
	/* a descriptor that isn't whole, by the CDB's length or the list's own, is none */
	UT_EQ(OUT(&r, RIG_A, list, n, 0x42, 0, 0, 0, 0, 0, 0, BE2(23), 0), 0);
	put_be16(15, list + 2);
	UT_EQ(OUT(&r, RIG_A, list, n, 0x42, 0, 0, 0, 0, 0, 0, BE2(n), 0), 0);
	CU_ASSERT(on_disk(400, data, 8 * BS));
	put_be16(0xffff, list + 2);
	UT_EQ(OUT(&r, RIG_A, list, n, 0x42, 0, 0, 0, 0, 0, 0, BE2(n), 0), 0);
	CU_ASSERT(zeros_on_disk(400, 3 * BS));
	CU_ASSERT(on_disk(403, data + 3 * BS, BS));
	CU_ASSERT(zeros_on_disk(404, BS));
	CU_ASSERT(on_disk(405, data + 5 * BS, 3 * BS));
	UT_EQ(DO(&r, RIG_A, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
	UT_EQ(OUT(&r, RIG_A, list, 7, 0x42, 0, 0, 0, 0, 0, 0, BE2(7), 0), SAID_BAD_LENGTH);
	UT_EQ(OUT(&r, RIG_A, list, n, 0x42, 1, 0, 0, 0, 0, 0, BE2(n), 0), SAID_BAD_CDB);
	OUT(&r, RIG_A, list, n - 1, 0x42, 0, 0, 0, 0, 0, 0, BE2(n), 0);
	CU_ASSERT(r.t.overrun);
}

static void test_write_same(void)
{
	uint8_t zero[BS] = {0};

	put(500, 16 * BS);
	UT_EQ(OUT(&r, RIG_A, data + 64, BS, 0x41, 0, BE4(501), 0, BE2(3), 0), 0);
	for (unsigned i = 1; i < 4; i++)
		CU_ASSERT(on_disk(500 + i, data + 64, BS));
	CU_ASSERT(on_disk(504, data + 4 * BS, 12 * BS));
	/* zeros, by hole and by hand */
	UT_EQ(OUT(&r, RIG_A, zero, BS, 0x93, 8, BE8(502), BE4(2), 0, 0), 0);
	CU_ASSERT(zeros_on_disk(502, 2 * BS));
	UT_EQ(OUT(&r, RIG_A, zero, BS, 0x93, 0, BE8(504), BE4(2), 0, 0), 0);
	CU_ASSERT(zeros_on_disk(504, 2 * BS));
	/* NDOB needs no data; UNMAP with data that is not zeros writes them */
	UT_EQ(DO(&r, RIG_A, 0x93, 1, BE8(506), BE4(1), 0, 0), 0);
	CU_ASSERT(zeros_on_disk(506, BS));
	UT_EQ(OUT(&r, RIG_A, data, BS, 0x93, 8, BE8(506), BE4(1), 0, 0), 0);
	CU_ASSERT(on_disk(506, data, BS));
	CU_ASSERT(on_disk(507, data + 7 * BS, 9 * BS));
	/* all the rest of the disk, ANCHOR, LBDATA, NDOB of the short one, past the end, no data */
	UT_EQ(OUT(&r, RIG_A, zero, BS, 0x93, 8, BE8(502), BE4(0), 0, 0), SAID_BAD_CDB);
	UT_EQ(OUT(&r, RIG_A, zero, BS, 0x93, 0x10, BE8(502), BE4(1), 0, 0), SAID_BAD_CDB);
	UT_EQ(OUT(&r, RIG_A, zero, BS, 0x41, 2, BE4(502), 0, BE2(1), 0), SAID_BAD_CDB);
	UT_EQ(OUT(&r, RIG_A, zero, BS, 0x41, 1, BE4(502), 0, BE2(1), 0), SAID_BAD_CDB);
	UT_EQ(OUT(&r, RIG_A, zero, BS, 0x93, 0, BE8(BLOCKS), BE4(1), 0, 0), SAID_OUT_OF_RANGE);
	UT_EQ(OUT(&r, RIG_A, zero, BS, 0x93, 0, BE8(0), BE4(UINT32_MAX), 0, 0), SAID_BAD_CDB);
	DO(&r, RIG_A, 0x93, 0, BE8(502), BE4(1), 0, 0);
	CU_ASSERT(r.t.overrun);
}

/* On a file system that knows of holes; without them all is mapped, which says nothing. */
static void test_lba_status(void)
{
	uint64_t end = 0;
	unsigned n;

	UT_EQ(IN(&r, RIG_A, 1024, 0x9e, 0x12, BE8(0), BE4(1024), 0, 0), 0);
	n = (get_be32(r.answer) - 4) / 16;
	CU_ASSERT_FATAL(n > 0 && 8 + 16 * n == r.t.moved);
	for (unsigned i = 0; i < n; i++) {
		UT_EQ(get_be64(r.answer + 8 + 16 * i), end);
		end += get_be32(r.answer + 16 + 16 * i);
		CU_ASSERT(r.answer[20 + 16 * i] <= 1);
	}
	UT_EQ(end, BLOCKS);
	UT_EQ(IN(&r, RIG_A, 64, 0x9e, 0x12, BE8(BLOCKS), BE4(64), 0, 0), SAID_OUT_OF_RANGE);
	UT_EQ(IN(&r, RIG_A, 64, 0x9e, 0x12, BE8(BLOCKS - 1), BE4(12), 0, 0), 0);
	UT_EQ(r.t.moved, 12);
}

static void test_holes(void)
{
	struct rig h;
	char dir[64], path[80];
	uint8_t list[64];
	static const uint64_t hole[][2] = {{1024, 1024}};
	size_t n;

	rig_init(&h, 8);
	snprintf(path, sizeof(path), "%s/disk", ut_tmpdir(dir, sizeof(dir)));
	close(h.fd);
	h.fd = h.config.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT_FATAL(h.fd >= 0 && !ftruncate(h.fd, 2 << 20));
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT(pwrite(h.fd, data, sizeof(data), i * (off_t)sizeof(data)) == sizeof(data));
	rig_open(&h, DISK_POWER_ON);
	n = unmap_list(list, hole, 1);
	UT_EQ(OUT(&h, RIG_A, list, n, 0x42, 0, 0, 0, 0, 0, 0, BE2(n), 0), 0);
	UT_EQ(IN(&h, RIG_A, 64, 0x9e, 0x12, BE8(1030), BE4(24), 0, 0), 0);
	if (lseek(h.fd, 0, SEEK_HOLE) == 1024 * BS) {
		UT_EQ(h.answer[20], 1);
		UT_EQ(get_be32(h.answer + 16), 1018);
	}
	rig_free(&h);
}

/* More than a command may move, and more than one may unmap: said in block limits, and held to. */
static void test_limits(void)
{
	static const uint64_t three[][2] = {{0, 1u << 19}, {1u << 19, 1u << 19}, {1u << 20, 1}};
	const uint32_t most = (32u << 20) / BS;
	uint8_t list[64];
	struct rig h;
	size_t n;

	rig_init(&h, 1u << 24);
	rig_open(&h, DISK_POWER_ON);
	UT_EQ(DO(&h, RIG_A, 0x88, 0, BE8(0), BE4(most + 1), 0, 0), SAID_BAD_CDB);
	UT_EQ(DO(&h, RIG_A, 0x8a, 0, BE8(0), BE4(most + 1), 0, 0), SAID_BAD_CDB);
	UT_EQ(DO(&h, RIG_A, 0x8f, 0, BE8(0), BE4(most + 1), 0, 0), SAID_BAD_CDB);
	UT_EQ(DO(&h, RIG_A, 0x8f, 0, BE8(0), BE4(most), 0, 0), 0);
	UT_EQ(DO(&h, RIG_A, 0x93, 1, BE8(0), BE4(most + 1), 0, 0), SAID_BAD_CDB);
	UT_EQ(DO(&h, RIG_A, 0x93, 9, BE8(0), BE4(most), 0, 0), 0);
	n = unmap_list(list, three, 3);
	UT_EQ(OUT(&h, RIG_A, list, n, 0x42, 0, 0, 0, 0, 0, 0, BE2(n), 0), SAID_BAD_PARAMETER);
	n = unmap_list(list, three, 2);
	UT_EQ(OUT(&h, RIG_A, list, n, 0x42, 0, 0, 0, 0, 0, 0, BE2(n), 0), 0);
	rig_free(&h);
}

static void test_resize(void)
{
	UT_EQ(disk_resized(r.d), 0);
	CU_ASSERT(!ftruncate(r.fd, (BLOCKS + 8) * BS + 100)); /* what is no whole block doesn't count */
	UT_EQ(disk_resized(r.d), 1);
	UT_EQ(disk_blocks(r.d), BLOCKS + 8);
	UT_EQ(DO(&r, RIG_A, 0, 0, 0, 0, 0, 0), 0x062a09);
	UT_EQ(DO(&r, RIG_A, 0, 0, 0, 0, 0, 0), 0);
	UT_EQ(IN(&r, RIG_B, BS, 0x28, 0, BE4(BLOCKS), 0, BE2(1), 0), 0x062a09);
	UT_EQ(IN(&r, RIG_B, BS, 0x28, 0, BE4(BLOCKS), 0, BE2(1), 0), 0);
	CU_ASSERT(!ftruncate(r.fd, BLOCKS * BS));
	/* shorter than told: the file's end is no data */
	UT_EQ(IN(&r, RIG_B, BS, 0x28, 0, BE4(BLOCKS), 0, BE2(1), 0), 0x031100);
	UT_EQ(disk_resized(r.d), 1);
	UT_EQ(DO(&r, RIG_A, 0, 0, 0, 0, 0, 0), 0x062a09);
	UT_EQ(DO(&r, RIG_B, 0, 0, 0, 0, 0, 0), 0x062a09);
}

static void test_read_only(void)
{
	struct rig p;
	uint8_t zero[BS] = {0};

	rig_init(&p, 64);
	p.config.read_only = true;
	rig_open(&p, DISK_POWER_ON);
	UT_EQ(OUT(&p, RIG_A, zero, BS, 0x2a, 0, BE4(3), 0, BE2(1), 0), SAID_PROTECTED);
	UT_EQ(OUT(&p, RIG_A, zero, BS, 0x41, 0, BE4(3), 0, BE2(1), 0), SAID_PROTECTED);
	UT_EQ(OUT(&p, RIG_A, zero, 24, 0x42, 0, 0, 0, 0, 0, 0, BE2(24), 0), SAID_BAD_OPCODE);
	UT_EQ(IN(&p, RIG_A, BS, 0x28, 8, BE4(3), 0, BE2(1), 0), 0);
	UT_EQ(DO(&p, RIG_A, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
	rig_free(&p);
}

static CU_TestInfo tests[] = {
	{"READ and WRITE", test_read_write},
	{"ranges", test_range},
	{"fields", test_fields},
	{"short buffers", test_overrun},
	{"short moves", test_short},
	{"a small buffer", test_small_bounce},
	{"stable writes", test_stable},
	{"errors of the file", test_errors},
	{"VERIFY", test_verify},
	{"COMPARE AND WRITE", test_compare_write},
	{"UNMAP", test_unmap},
	{"WRITE SAME", test_write_same},
	{"GET LBA STATUS", test_lba_status},
	{"holes in a file", test_holes},
	{"limits", test_limits},
	{"another size", test_resize},
	{"read-only", test_read_only},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"disk-rw", tests, init, clean}, {NULL}};

	return ut_main(argc, argv, suites);
}

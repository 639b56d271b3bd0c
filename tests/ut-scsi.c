/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The array's device server: commands of SPC-4 and SBC-3 against a LUN in memory. */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "scsi.h"
#include "ut.h"

#define BLOCKS 64
#define BS 512
#define PORT_A 0x50060160000a01u
#define PORT_B 0x50060160000b01u
#define ONE 0x2101000000000001u
#define TWO 0x2101000000000002u

static struct lun_store *lun;
static struct scsi_command c;

static int open_lun(void)
{
	lun = lun_store_new_memory("L0", BLOCKS, BS, NULL);
	if (!lun)
		return 1;
	lun_port_attach(lun, PORT_A);
	lun_port_attach(lun, PORT_B);
	return 0;
}

static int close_lun(void)
{
	free(c.data_in);
	c.data_in = NULL;
	lun_store_unref(lun);
	return 0;
}

static enum scsi_status run_as(uint64_t initiator, const uint8_t *cdb, size_t cdb_len, const void *out,
			       size_t len)
{
	static const uint16_t luns[] = {0, 5};

	free(c.data_in);
	c = (struct scsi_command){.lun = lun,
				  .nexus = {initiator, PORT_A},
				  .target_wwnn = 7,
				  .luns = luns,
				  .lun_count = 2,
				  .data_out = out,
				  .data_out_len = len};
	memcpy(c.cdb, cdb, cdb_len);
	scsi_execute(&c);
	return c.status;
}

#define RUN(...) run_as(ONE, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), NULL, 0)
#define RUN_OUT(out, len, ...)                                                                               \
	run_as(ONE, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), out, len)

static void sense_is(uint8_t key, uint16_t asc)
{
	UT_EQ(c.status, SCSI_CHECK_CONDITION);
	UT_EQ(c.sense[2] & 0xf, key);
	UT_EQ(get_be16(c.sense + 12), asc);
	CU_ASSERT_PTR_NULL(c.data_in);
}

static void test_inquiry(void)
{
	UT_EQ(RUN(0x12, 0, 0, 0, 36), SCSI_GOOD);
	UT_EQ(c.data_in_len, 36);
	UT_EQ(c.data_in[0], 0);
	UT_EQ(c.data_in[3], 0x12);
	UT_EQ(c.data_in[5] & 0x30, 0); /* no ALUA */
	UT_EQ(c.data_in[6], 0x10); /* two ports */
	UT_EQ(c.data_in[7], 0x02);
	CU_ASSERT_FALSE(memcmp(c.data_in + 8, "VHBALAB ", 8));
	UT_EQ(RUN(0x12, 1, 0, 0, 255), SCSI_GOOD);
	CU_ASSERT_FALSE(memcmp(c.data_in, (uint8_t[]){0, 0, 0, 5, 0, 0x80, 0x83, 0xb0, 0xb2}, 9));
	UT_EQ(RUN(0x12, 1, 0x83, 0, 255), SCSI_GOOD);
	UT_EQ(c.data_in[4], 1);
	UT_EQ(c.data_in[5], 3);
	CU_ASSERT_FALSE(memcmp(c.data_in + 8, lun_store_naa(lun), LUN_NAA_LEN));
	UT_EQ(c.data_in[8] >> 4, 6);
	UT_EQ(get_be16(c.data_in + 2) + 4, c.data_in_len);
	UT_EQ(RUN(0x12, 1, 0xb0, 0, 255), SCSI_GOOD);
	UT_EQ(c.data_in_len, 64);
	UT_EQ(RUN(0x12, 1, 0xb2, 0, 255), SCSI_GOOD);
	UT_EQ(c.data_in[5], 0xe4);
	RUN(0x12, 1, 0x99, 0, 255);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2400);
}

static void test_no_lun(void)
{
	struct lun_store *there = lun;

	lun = NULL;
	UT_EQ(RUN(0x12, 0, 0, 0, 36), SCSI_GOOD);
	UT_EQ(c.data_in[0], 0x7f);
	UT_EQ(RUN(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64), SCSI_GOOD);
	UT_EQ(get_be32(c.data_in), 16);
	UT_EQ(c.data_in[8 + 8 + 1], 5);
	RUN(0x00);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2500);
	lun = there;
}

static void test_read_write(void)
{
	uint8_t out[2 * BS];

	memset(out, 0xa5, sizeof(out));
	UT_EQ(RUN_OUT(out, sizeof(out), 0x2a, 0, 0, 0, 0, 3, 0, 0, 2), SCSI_GOOD);
	UT_EQ(RUN(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3), SCSI_GOOD);
	UT_EQ(c.data_in_len, 3 * BS);
	UT_EQ(c.data_in[0], 0);
	UT_EQ(c.data_in[BS], 0xa5);
	UT_EQ(c.data_in[3 * BS - 1], 0xa5);
	RUN(0x28, 0, 0, 0, 0, BLOCKS - 1, 0, 0, 2);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2100);
	RUN(0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2100);
	RUN_OUT(out, BS, 0x2a, 0, 0, 0, 0, 3, 0, 0, 2);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x1a00); /* less data than it names */
	UT_EQ(RUN(0x2a, 0, 0, 0, 0, 3), SCSI_GOOD); /* no block at all, and no data */
	UT_EQ(RUN(0x28, 0, 0, 0, 0, 3), SCSI_GOOD);
	RUN(0x28, 0, 0, 0, 0, BLOCKS); /* no block, but of an address that there is not */
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2100);
	RUN(0x77);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2000);
	UT_EQ(RUN(0x25), SCSI_GOOD);
	UT_EQ(get_be32(c.data_in), BLOCKS - 1);
	UT_EQ(RUN(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32), SCSI_GOOD);
	UT_EQ(get_be64(c.data_in), BLOCKS - 1);
	UT_EQ(get_be32(c.data_in + 8), BS);
}

static void test_compare_and_write(void)
{
	uint8_t out[2 * BS] = {0};

	memset(out + BS, 7, BS);
	UT_EQ(RUN_OUT(out, sizeof(out), 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1), SCSI_GOOD);
	RUN_OUT(out, sizeof(out), 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1);
	sense_is(SCSI_KEY_MISCOMPARE, 0x1d00);
	UT_EQ(get_be32(c.sense + 3), 0);
	UT_EQ(RUN(0x28, 0, 0, 0, 0, 9, 0, 0, 1), SCSI_GOOD);
	UT_EQ(c.data_in[17], 7);
}

static void test_same_and_unmap(void)
{
	uint8_t block[BS], list[24] = {0, 22, 0, 16};

	memset(block, 3, sizeof(block));
	UT_EQ(RUN_OUT(block, BS, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 4), SCSI_GOOD);
	UT_EQ(RUN(0x28, 0, 0, 0, 0, 23, 0, 0, 1), SCSI_GOOD);
	UT_EQ(c.data_in[BS - 1], 3);
	put_be64(list + 8, 21);
	put_be32(list + 16, 2);
	UT_EQ(RUN_OUT(list, sizeof(list), 0x42, 0, 0, 0, 0, 0, 0, 0, 24), SCSI_GOOD);
	UT_EQ(RUN(0x28, 0, 0, 0, 0, 20, 0, 0, 4), SCSI_GOOD);
	UT_EQ(c.data_in[0], 3);
	UT_EQ(c.data_in[BS], 0);
	UT_EQ(c.data_in[3 * BS - 1], 0);
	UT_EQ(c.data_in[3 * BS], 3);
	put_be16(list + 2, 64);
	RUN_OUT(list, sizeof(list), 0x42, 0, 0, 0, 0, 0, 0, 0, 24);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x1a00);
	UT_EQ(RUN(0x35), SCSI_GOOD);
}

static void block_is(uint8_t lba, uint8_t byte)
{
	UT_EQ(RUN(0x28, 0, 0, 0, 0, lba, 0, 0, 1), SCSI_GOOD);
	UT_EQ(c.data_in[0], byte);
	UT_EQ(c.data_in[BS - 1], byte);
}

static void test_same_flags(void)
{
	uint8_t block[BS];

	memset(block, 9, sizeof(block));
	/* UNMAP, with data that unmapped blocks would not read as: written. */
	UT_EQ(RUN_OUT(block, BS, 0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0, 2), SCSI_GOOD);
	block_is(31, 9);
	block_is(32, 0);
	UT_EQ(RUN(0x93, 0x09, 0, 0, 0, 0, 0, 0, 0, 31, 0, 0, 0, 1), SCSI_GOOD); /* NDOB */
	block_is(31, 0);
	block_is(30, 9);
	UT_EQ(RUN_OUT(block, BS, 0x41, 0, 0, 0, 0, BLOCKS - 2, 0, 0, 0), SCSI_GOOD); /* to the end */
	block_is(BLOCKS - 1, 9);
	block_is(BLOCKS - 3, 0);
	for (uint8_t flag = 0x02; flag <= 0x10; flag <<= 1) {
		if (flag == 0x08)
			continue;
		RUN_OUT(block, BS, 0x93, 0x08 | flag, 0, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0, 2);
		sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2400); /* PBDATA, LBDATA, ANCHOR */
	}
}

/* What the block limits page says is what commands are held to. */
static void test_limits(void)
{
	struct lun_store *small = lun;
	uint8_t block[BS] = {1}, list[24 + 16 * 256] = {0};
	uint32_t most;

	lun = lun_store_new_memory("large", 1u << 24, BS, NULL);
	UT_EQ(RUN(0x12, 1, 0xb0, 0, 255), SCSI_GOOD);
	most = (uint32_t)get_be64(c.data_in + 36);
	UT_EQ(get_be32(c.data_in + 20), most);
	UT_EQ(get_be32(c.data_in + 24), 256);
	RUN_OUT(block, BS, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x40, 0, 1);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2400);
	RUN_OUT(block, BS, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* to the end, which is too far */
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2400);
	put_be16(list + 2, 16);
	put_be32(list + 16, most);
	UT_EQ(RUN_OUT(list, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), SCSI_GOOD);
	put_be32(list + 16, most + 1);
	RUN_OUT(list, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2600);
	put_be32(list + 16, 0);
	put_be16(list + 2, 16 * 257);
	RUN_OUT(list, sizeof(list), 0x42, 0, 0, 0, 0, 0, 0, sizeof(list) >> 8, sizeof(list) & 0xff);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2600);
	RUN_OUT(list, 24, 0x42, 1, 0, 0, 0, 0, 0, 0, 24); /* ANCHOR */
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2400);
	lun_store_unref(lun);
	lun = small;
}

static void test_mode_sense(void)
{
	UT_EQ(RUN(0x1a, 0, 0x3f, 0, 255), SCSI_GOOD);
	UT_EQ(c.data_in_len, 4 + 20 + 12);
	UT_EQ(c.data_in[0] + 1u, c.data_in_len);
	UT_EQ(c.data_in[4], 0x08);
	UT_EQ(RUN(0x5a, 0, 0x0a, 0, 0, 0, 0, 0, 255), SCSI_GOOD);
	UT_EQ(c.data_in[8], 0x0a);
	RUN(0x1a, 0, 0x1c, 0, 255);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2400);
}

/* ---- persistent reservations ---- */

static enum scsi_status pr(uint64_t who, uint8_t action, uint8_t type, uint64_t key, uint64_t action_key)
{
	uint8_t list[24] = {0}, cdb[16] = {0x5f, action, type, 0, 0, 0, 0, 0, 24};

	put_be64(list, key);
	put_be64(list + 8, action_key);
	return run_as(who, cdb, sizeof(cdb), list, sizeof(list));
}

static enum scsi_status write_as(uint64_t who)
{
	static const uint8_t cdb[16] = {0x2a, 0, 0, 0, 0, 0, 0, 0, 1};
	static const uint8_t block[BS];

	return run_as(who, cdb, sizeof(cdb), block, sizeof(block));
}

static enum scsi_status read_as(uint64_t who)
{
	static const uint8_t cdb[16] = {0x28, 0, 0, 0, 0, 0, 0, 0, 1};

	return run_as(who, cdb, sizeof(cdb), NULL, 0);
}

static unsigned int notices_of(uint64_t initiator, uint8_t ascq)
{
	struct lun_notice n;
	unsigned int found = 0;

	while (lun_notice_next(lun, 1, &n))
		found += n.to.initiator == initiator && n.ascq == ascq;
	while (lun_notice_next(lun, 2, &n))
		;
	return found;
}

static void two_register(void)
{
	UT_EQ(pr(ONE, PR_REGISTER, 0, 0, 0x11), SCSI_GOOD);
	UT_EQ(pr(TWO, PR_REGISTER, 0, 0, 0x22), SCSI_GOOD);
}

static void test_reserve(void)
{
	UT_EQ(pr(ONE, PR_RESERVE, PR_WRITE_EXCLUSIVE, 1, 0), SCSI_RESERVATION_CONFLICT); /* not registered */
	two_register();
	UT_EQ(pr(TWO, PR_REGISTER, 0, 0x99, 0x22), SCSI_RESERVATION_CONFLICT);
	UT_EQ(pr(ONE, PR_RESERVE, PR_WRITE_EXCLUSIVE, 0x11, 0), SCSI_GOOD);
	UT_EQ(write_as(ONE), SCSI_GOOD);
	UT_EQ(write_as(TWO), SCSI_RESERVATION_CONFLICT);
	UT_EQ(read_as(TWO), SCSI_GOOD);
	UT_EQ(pr(TWO, PR_RELEASE, PR_WRITE_EXCLUSIVE, 0x22, 0), SCSI_GOOD); /* no holder: no effect */
	UT_EQ(write_as(TWO), SCSI_RESERVATION_CONFLICT);
	pr(ONE, PR_RELEASE, PR_EXCLUSIVE_ACCESS, 0x11, 0);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2604);
	UT_EQ(pr(ONE, PR_RELEASE, PR_WRITE_EXCLUSIVE, 0x11, 0), SCSI_GOOD);
	UT_EQ(write_as(TWO), SCSI_GOOD);
}

static void test_preempt(void)
{
	two_register();
	UT_EQ(pr(ONE, PR_RESERVE, PR_EXCLUSIVE_ACCESS_REGISTRANTS, 0x11, 0), SCSI_GOOD);
	UT_EQ(read_as(TWO), SCSI_GOOD); /* a registrant */
	UT_EQ(read_as(3), SCSI_RESERVATION_CONFLICT);
	notices_of(0, 0);
	UT_EQ(pr(TWO, PR_PREEMPT_AND_ABORT, PR_EXCLUSIVE_ACCESS, 0x22, 0x11), SCSI_GOOD);
	UT_EQ(notices_of(ONE, 0x05), 1);
	UT_EQ(read_as(ONE), SCSI_RESERVATION_CONFLICT);
	UT_EQ(read_as(TWO), SCSI_GOOD);
	pr(TWO, PR_PREEMPT, PR_EXCLUSIVE_ACCESS, 0x22, 0);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2600);
}

/* SPC-4 5.9: a nexus that preempts registrations by its own key loses its own, and hears nothing of it. */
static void test_preempt_registrations(void)
{
	two_register();
	UT_EQ(pr(3, PR_REGISTER, 0, 0, 0x22), SCSI_GOOD);
	UT_EQ(pr(ONE, PR_RESERVE, PR_WRITE_EXCLUSIVE, 0x11, 0), SCSI_GOOD);
	notices_of(0, 0);
	UT_EQ(pr(TWO, PR_PREEMPT, 0, 0x22, 0x22), SCSI_GOOD);
	UT_EQ(notices_of(3, 0x05), 1);
	UT_EQ(lun_store_pr(lun)->count, 1);
	UT_EQ(lun_store_pr(lun)->type, PR_WRITE_EXCLUSIVE);
	UT_EQ(pr(ONE, PR_PREEMPT, PR_EXCLUSIVE_ACCESS, 0x11, 0x11), SCSI_GOOD); /* the holder itself: kept */
	UT_EQ(lun_store_pr(lun)->type, PR_EXCLUSIVE_ACCESS);
	UT_EQ(write_as(ONE), SCSI_GOOD);
	UT_EQ(pr(ONE, PR_PREEMPT, PR_EXCLUSIVE_ACCESS, 0x11, 0x77), SCSI_RESERVATION_CONFLICT);
	UT_EQ(pr(ONE, PR_CLEAR, 0, 0x11, 0), SCSI_GOOD);
}

static void test_all_registrants(void)
{
	two_register();
	UT_EQ(pr(ONE, PR_RESERVE, PR_WRITE_EXCLUSIVE_ALL, 0x11, 0), SCSI_GOOD);
	UT_EQ(write_as(TWO), SCSI_GOOD);
	UT_EQ(write_as(3), SCSI_RESERVATION_CONFLICT);
	UT_EQ(pr(ONE, PR_REGISTER, 0, 0x11, 0), SCSI_GOOD);
	UT_EQ(write_as(3), SCSI_RESERVATION_CONFLICT); /* one registrant is left, and holds it */
	UT_EQ(pr(TWO, PR_PREEMPT, 0, 0x22, 0x22), SCSI_GOOD);
	UT_EQ(lun_store_pr(lun)->count, 0);
	UT_EQ(write_as(3), SCSI_GOOD); /* the last one took it along */
	two_register();
	UT_EQ(pr(ONE, PR_RESERVE, PR_WRITE_EXCLUSIVE_ALL, 0x11, 0), SCSI_GOOD);
	UT_EQ(pr(TWO, PR_PREEMPT, PR_EXCLUSIVE_ACCESS, 0x22, 0), SCSI_GOOD);
	UT_EQ(lun_store_pr(lun)->count, 1);
	UT_EQ(read_as(ONE), SCSI_RESERVATION_CONFLICT);
	UT_EQ(pr(TWO, PR_CLEAR, 0, 0x22, 0), SCSI_GOOD);
}

/* PERSISTENT RESERVE OUT with REGISTER AND IGNORE and these bits beside SPEC_I_PT's. */
static enum scsi_status register_with(uint64_t who, uint64_t key, uint8_t bits, uint8_t len)
{
	uint8_t list[64] = {0}, cdb[16] = {0x5f, PR_REGISTER_AND_IGNORE, 0, 0, 0, 0, 0, 0, len};

	put_be64(list + 8, key);
	list[20] = bits;
	return run_as(who, cdb, sizeof(cdb), list, sizeof(list));
}

static void test_register(void)
{
	struct pr_state *p = lun_store_pr(lun);
	uint32_t before = p->generation;

	register_with(ONE, 1, 0x01, 24); /* APTPL: reservations end with the array's power */
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2600);
	register_with(ONE, 1, 0x08, 28); /* SPEC_I_PT, with TransportIDs behind */
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2600);
	register_with(ONE, 1, 0x00, 28);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x1a00);
	UT_EQ(pr(ONE, PR_REGISTER, 0, 0, 0), SCSI_GOOD); /* nothing to end */
	UT_EQ(p->generation, before);
	UT_EQ(register_with(ONE, 1, 0x04, 24), SCSI_GOOD);
	UT_EQ(p->count, 2); /* through both ports */
	UT_EQ(p->generation, before + 1);
	UT_EQ(register_with(ONE, 0, 0x04, 24), SCSI_GOOD);
	UT_EQ(p->count, 0);
}

/* With room for one, an order for both ports registers none. */
static void test_no_room(void)
{
	struct pr_state *p = lun_store_pr(lun);
	uint32_t before;

	for (uint64_t i = 1; i < PR_REGISTRANTS_MAX; i++)
		UT_EQ(register_with(i, 1, 0, 24), SCSI_GOOD);
	before = p->generation;
	register_with(ONE, 1, 0x04, 24);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x5504);
	UT_EQ(p->count, PR_REGISTRANTS_MAX - 1);
	UT_EQ(p->generation, before);
	UT_EQ(register_with(ONE, 1, 0, 24), SCSI_GOOD);
	UT_EQ(register_with(ONE, 2, 0, 24), SCSI_GOOD); /* full, but this one is there */
	UT_EQ(pr(ONE, PR_CLEAR, 0, 2, 0), SCSI_GOOD);
	UT_EQ(p->count, 0);
}

/* Each port is a group of its own; the states of all are told by each, and hold for one. */
static void test_access(void)
{
	struct lun_notice n;

	RUN(0xa3, 0x2a, 0, 0, 0, 0, 0, 0, 0, 255);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2000); /* as before there was such a thing */
	lun_port_set_access(lun, PORT_A, LUN_NON_OPTIMIZED, false);
	CU_ASSERT_FALSE(lun_notices_wait(lun, 1));
	lun_port_set_access(lun, PORT_B, LUN_STANDBY, true);
	CU_ASSERT_TRUE(lun_notice_next(lun, 1, &n));
	UT_EQ(n.to.initiator, 0);
	UT_EQ(n.asc << 8 | n.ascq, 0x2a06);
	CU_ASSERT_FALSE(n.abort);
	UT_EQ(RUN(0x12, 0, 0, 0, 36), SCSI_GOOD);
	UT_EQ(c.data_in[5], 0x10); /* implicit */
	UT_EQ(RUN(0x12, 1, 0x83, 0, 255), SCSI_GOOD);
	UT_EQ(RUN(0xa3, 0x2a, 0, 0, 0, 0, 0, 0, 0, 255), SCSI_GOOD);
	UT_EQ(c.data_in_len, 8 + 2 * 12);
	UT_EQ(get_be32(c.data_in), 4 + 2 * 12);
	UT_EQ(c.data_in[4], 0x10);
	UT_EQ(c.data_in[8], LUN_NON_OPTIMIZED);
	UT_EQ(get_be16(c.data_in + 10), 1);
	UT_EQ(get_be16(c.data_in + 18), 1);
	UT_EQ(c.data_in[20], LUN_STANDBY);
	UT_EQ(get_be16(c.data_in + 30), 2);
	UT_EQ(RUN(0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 4), SCSI_GOOD); /* the short format, cut off */
	UT_EQ(get_be32(c.data_in), 2 * 12);
	RUN(0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0, 255);
	sense_is(SCSI_KEY_ILLEGAL_REQUEST, 0x2400);
	UT_EQ(RUN(0x00), SCSI_GOOD);
	lun_port_set_access(lun, PORT_A, LUN_STANDBY, false);
	RUN(0x00);
	sense_is(SCSI_KEY_NOT_READY, 0x040b);
	RUN(0x28, 0, 0, 0, 0, 0, 0, 0, 1);
	sense_is(SCSI_KEY_NOT_READY, 0x040b);
	UT_EQ(RUN(0x12, 0, 0, 0, 36), SCSI_GOOD);
	lun_port_set_access(lun, PORT_A, LUN_TRANSITIONING, false);
	RUN(0x00);
	sense_is(SCSI_KEY_NOT_READY, 0x040a);
}

static void test_start_stop(void)
{
	static const uint8_t start[16] = {0x1b, 0, 0, 0, 1}, stop[16] = {0x1b};

	UT_EQ(pr(ONE, PR_REGISTER, 0, 0, 0x11), SCSI_GOOD);
	UT_EQ(pr(ONE, PR_RELEASE, 0, 0x11, 0), SCSI_GOOD); /* there is none: good, whatever its type */
	UT_EQ(pr(ONE, PR_RESERVE, PR_WRITE_EXCLUSIVE, 0x11, 0), SCSI_GOOD);
	UT_EQ(run_as(TWO, start, sizeof(start), NULL, 0), SCSI_GOOD);
	UT_EQ(run_as(TWO, stop, sizeof(stop), NULL, 0), SCSI_RESERVATION_CONFLICT);
	UT_EQ(run_as(ONE, stop, sizeof(stop), NULL, 0), SCSI_GOOD);
	UT_EQ(pr(ONE, PR_CLEAR, 0, 0x11, 0), SCSI_GOOD);
}

static void test_pr_in(void)
{
	UT_EQ(pr(TWO, PR_REGISTER, 0, 0, 0x22), SCSI_GOOD);
	UT_EQ(pr(TWO, PR_RESERVE, PR_EXCLUSIVE_ACCESS, 0x22, 0), SCSI_GOOD);
	UT_EQ(RUN(0x5e, 0, 0, 0, 0, 0, 0, 0, 255), SCSI_GOOD);
	UT_EQ(get_be32(c.data_in + 4), 8);
	UT_EQ(get_be64(c.data_in + 8), 0x22);
	UT_EQ(RUN(0x5e, 1, 0, 0, 0, 0, 0, 0, 255), SCSI_GOOD);
	UT_EQ(c.data_in[21], PR_EXCLUSIVE_ACCESS);
	UT_EQ(RUN(0x5e, 2, 0, 0, 0, 0, 0, 0, 255), SCSI_GOOD);
	UT_EQ(get_be16(c.data_in + 4), 0xea01);
	UT_EQ(RUN(0x5e, 3, 0, 0, 0, 0, 0, 0, 255), SCSI_GOOD);
	UT_EQ(get_be64(c.data_in + 8 + 24 + 8), TWO);
	UT_EQ(pr(TWO, PR_CLEAR, 0, 0x22, 0), SCSI_GOOD);
	UT_EQ(read_as(ONE), SCSI_GOOD);
}

static CU_TestInfo commands[] = {
	{"INQUIRY and its pages", test_inquiry},
	{"where there is no LUN", test_no_lun},
	{"READ and WRITE", test_read_write},
	{"COMPARE AND WRITE", test_compare_and_write},
	{"WRITE SAME and UNMAP", test_same_and_unmap},
	{"WRITE SAME's bits", test_same_flags},
	{"block limits", test_limits},
	{"MODE SENSE", test_mode_sense},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo reservations[] = {
	{"register, reserve, release", test_reserve}, {"preempt and abort", test_preempt},
	{"PERSISTENT RESERVE IN", test_pr_in},	      {"preempt registrations", test_preempt_registrations},
	{"all registrants", test_all_registrants},    {"register", test_register},
	{"no room to register", test_no_room},	      {"START STOP UNIT", test_start_stop},
	{"asymmetric access", test_access},	      CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"scsi", commands, open_lun, close_lun},
		{"reservations", reservations, open_lun, close_lun},
		{0},
	};

	return ut_main(argc, argv, suites);
}

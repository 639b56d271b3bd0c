/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the disk says of itself, mode parameters, unit attentions, sense data. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <scsi/sg_lib.h>

#include "be.h"
#include "cleanup.h"
#include "disk_private.h"
#include "luns.h"
#include "ut.h"
#include "ut-disk-rig.h"

#define MODE_CHANGED 0x062a01

static struct rig r;

static int init(void)
{
	rig_init(&r, 4096);
	rig_open(&r, DISK_POWER_ON);
	return 0;
}

static int clean(void)
{
	rig_free(&r);
	return 0;
}

static int ready(uint64_t nexus)
{
	return DO(&r, nexus, 0, 0, 0, 0, 0, 0);
}

static void test_inquiry(void)
{
	UT_EQ(IN(&r, RIG_A, 255, 0x12, 0, 0, BE2(255), 0), 0);
	UT_EQ(r.t.moved, 96);
	UT_EQ(r.answer[0], 0);
	UT_EQ(r.answer[2], 6);
	UT_EQ(r.answer[3] & 0x0f, 2);
	UT_EQ(r.answer[4], 91);
	UT_EQ(r.answer[7], 2);
	CU_ASSERT(!memcmp(r.answer + 8, "VHBA    file            1   ", 28));
	/* short and empty answers are no fault; a page without EVPD is */
	UT_EQ(IN(&r, RIG_A, 255, 0x12, 0, 0, BE2(5), 0), 0);
	UT_EQ(r.t.moved, 5);
	UT_EQ(r.answer[5], 0xee);
	UT_EQ(IN(&r, RIG_A, 3, 0x12, 0, 0, BE2(96), 0), 0);
	UT_EQ(r.t.moved, 3);
	UT_EQ(IN(&r, RIG_A, 0, 0x12, 0, 0, BE2(0), 0), 0);
	UT_EQ(r.t.moved, 0);
	UT_EQ(IN(&r, RIG_A, 96, 0x12, 0, 0x80, BE2(96), 0), SAID_BAD_CDB);
	UT_EQ(IN(&r, RIG_A, 96, 0x12, 1, 0x81, BE2(96), 0), SAID_BAD_CDB);
	UT_EQ(IN(&r, RIG_A, 96, 0x12, 2, 0, BE2(96), 0), SAID_BAD_CDB);
}

static size_t vpd(uint8_t page)
{
	UT_EQ(IN(&r, RIG_A, 512, 0x12, 1, page, BE2(512), 0), 0);
	UT_EQ(r.answer[1], page);
	UT_EQ(get_be16(r.answer + 2) + 4u, r.t.moved);
	return r.t.moved;
}

static void test_vpd(void)
{
	uint8_t pages[16];
	size_t n = vpd(0) - 4;

	CU_ASSERT_FATAL(n <= sizeof(pages));
	memcpy(pages, r.answer + 4, n);
	for (size_t i = 0; i < n; i++) {
		vpd(pages[i]);
		if (i)
			CU_ASSERT(pages[i] > pages[i - 1]);
	}
	vpd(0x80);
	CU_ASSERT(!memcmp(r.answer + 4, "0001-42", 7));
	UT_EQ(vpd(0xb0), 64);
	UT_EQ(r.answer[4], 1);
	UT_EQ(r.answer[5], CAW_MAX_BLOCKS);
	UT_EQ(get_be32(r.answer + 8), (32u << 20) / 512);
	UT_EQ(get_be32(r.answer + 20), (512u << 20) / 512);
	UT_EQ(get_be32(r.answer + 24), UNMAP_MAX_DESCRIPTORS);
	UT_EQ(get_be64(r.answer + 36), (32u << 20) / 512);
	UT_EQ(vpd(0xb1), 64);
	UT_EQ(get_be16(r.answer + 4), 1);
	UT_EQ(vpd(0xb2), 8);
	UT_EQ(r.answer[5], 0xe4);
	UT_EQ(r.answer[6], 2);
}

/* The designators, as sg3-utils finds them. */
static void test_designators(void)
{
	size_t n = vpd(0x83);
	char text[2048];
	int at = -1;

	CU_ASSERT(!sg_vpd_dev_id_iter(r.answer + 4, (int)n - 4, &at, 0, 3, 1)); /* the unit's NAA, binary */
	UT_EQ(r.answer[4 + at + 3], 16);
	CU_ASSERT(!memcmp(r.answer + 4 + at + 4, r.config.naa, 16));
	at = -1;
	CU_ASSERT(!sg_vpd_dev_id_iter(r.answer + 4, (int)n - 4, &at, 0, 1, 2)); /* T10 vendor */
	CU_ASSERT(!memcmp(r.answer + 4 + at + 4, "VHBA    0001-42", 15));
	at = -1;
	CU_ASSERT(!sg_vpd_dev_id_iter(r.answer + 4, (int)n - 4, &at, 1, 3, 1)); /* the port's */
	UT_EQ(get_be64(r.answer + 4 + at + 4), UINT64_C(0x5006016000000001));
	at = -1;
	CU_ASSERT(!sg_vpd_dev_id_iter(r.answer + 4, (int)n - 4, &at, 1, 4, 1)); /* relative port */
	UT_EQ(get_be32(r.answer + 4 + at + 4), 1);
	at = -1;
	for (unsigned i = 0; i < 4; i++) {
		UT_EQ(sg_vpd_dev_id_iter(r.answer + 4, (int)n - 4, &at, -1, -1, -1), 0);
		CU_ASSERT(sg_get_designation_descriptor_str("", r.answer + 4 + at, r.answer[4 + at + 3] + 4,
							    1, 0, sizeof(text), text) > 0);
		CU_ASSERT(!strstr(text, "expected") && !strstr(text, "error"));
	}
	UT_EQ(sg_vpd_dev_id_iter(r.answer + 4, (int)n - 4, &at, -1, -1, -1), -1); /* no more, and whole */
}

static void test_capacity(void)
{
	UT_EQ(IN(&r, RIG_A, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
	UT_EQ(get_be32(r.answer), 4095);
	UT_EQ(get_be32(r.answer + 4), 512);
	UT_EQ(IN(&r, RIG_A, 32, 0x9e, 0x10, BE8(0), BE4(32), 0, 0), 0);
	UT_EQ(get_be64(r.answer), 4095);
	UT_EQ(get_be32(r.answer + 8), 512);
	UT_EQ(r.answer[14], 0xc0);
	UT_EQ(IN(&r, RIG_A, 32, 0x9e, 0x10, BE8(0), BE4(12), 0, 0), 0);
	UT_EQ(r.t.moved, 12);
	UT_EQ(IN(&r, RIG_A, 32, 0x9e, 0x10, BE8(0), BE4(0), 0, 0), 0);
	UT_EQ(r.t.moved, 0);
}

static void test_large(void)
{
	struct rig h;

	rig_init(&h, 0);
	h.config.block_size = 4096;
	h.config.physical_exponent = 2;
	CU_ASSERT_FATAL(!ftruncate(h.fd, (off_t)4096 << 33));
	rig_open(&h, DISK_POWER_ON);
	UT_EQ(IN(&h, RIG_A, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
	UT_EQ(get_be32(h.answer), UINT32_MAX);
	UT_EQ(IN(&h, RIG_A, 32, 0x9e, 0x10, BE8(0), BE4(32), 0, 0), 0);
	UT_EQ(get_be64(h.answer), (UINT64_C(1) << 33) - 1);
	UT_EQ(h.answer[13], 2);
	UT_EQ(IN(&h, RIG_A, 4096, 0x88, 0, BE8((UINT64_C(1) << 33) - 1), BE4(1), 0, 0), 0);
	UT_EQ(DO(&h, RIG_A, 0x88, 0, BE8((UINT64_C(1) << 33)), BE4(1), 0, 0), SAID_OUT_OF_RANGE);
	/* the descriptor of blocks can't hold the number: all ones, or the long form */
	UT_EQ(IN(&h, RIG_A, 64, 0x1a, 0, 8, 0, 64, 0), 0);
	UT_EQ(get_be32(h.answer + 4), UINT32_MAX);
	UT_EQ(IN(&h, RIG_A, 64, 0x5a, 0x10, 8, 0, 0, 0, 0, BE2(64), 0), 0);
	UT_EQ(h.answer[4] & 1, 1);
	UT_EQ(get_be64(h.answer + 8), UINT64_C(1) << 33);
	rig_free(&h);
}

static void test_configs(void)
{
	static const struct {
		uint32_t block;
		unsigned exponent, naa_len;
		uint8_t naa;
	} bad[] = {
		{256, 0, 16, 0x60}, {8192, 0, 16, 0x60}, {513, 0, 16, 0x60},
		{0, 0, 16, 0x60},   {512, 8, 16, 0x60},	 {512, 0, 8, 0x60},
		{512, 0, 16, 0x50}, {512, 0, 16, 0x10},	 {512, 0, 0, 0x50},
	};
	struct verror e;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct disk_config c = r.config;

		c.block_size = bad[i].block;
		c.physical_exponent = bad[i].exponent;
		c.naa_len = bad[i].naa_len;
		c.naa[0] = bad[i].naa;
		memset(&e, 0, sizeof(e));
		CU_ASSERT(!disk_open(&c, &e));
		UT_EQ(e.kind, VHBA_E_USAGE);
	}
}

static void test_mode_sense(void)
{
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 0, 0x3f, 0, 255, 0), 0);
	UT_EQ(r.answer[0] + 1u, r.t.moved);
	UT_EQ(r.t.moved, 4 + 8 + 12 + 20 + 12);
	UT_EQ(r.answer[2], 0x10); /* DPOFUA, not protected */
	UT_EQ(r.answer[3], 8);
	UT_EQ(get_be32(r.answer + 4), 4096);
	UT_EQ(get_be24(r.answer + 9), 512);
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 0x3f, 0xff, 255, 0), 0); /* no block descriptor, all subpages */
	UT_EQ(r.t.moved, 4 + 12 + 20 + 12);
	/* caching: WCE now, what can be changed, as it is by default; nothing is saved */
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 8, 0, 255, 0), 0);
	UT_EQ(r.answer[4], 8);
	UT_EQ(r.answer[6], 4);
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 0x40 | 8, 0, 255, 0), 0);
	UT_EQ(r.answer[6], 4);
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 0x40 | 0x0a, 0, 255, 0), 0);
	UT_EQ(r.answer[6], 4);
	UT_EQ(r.answer[7], 0);
	UT_EQ(r.answer[8], 8);
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 0x80 | 8, 0, 255, 0), 0);
	UT_EQ(r.answer[6], 4);
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 0xc0 | 8, 0, 255, 0), 0x053900);
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 0x1f, 0, 255, 0), SAID_BAD_CDB);
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 8, 1, 255, 0), SAID_BAD_CDB);
	/* the header's length is what there is, however little is asked for */
	UT_EQ(IN(&r, RIG_A, 255, 0x5a, 8, 8, 0, 0, 0, 0, BE2(2), 0), 0);
	UT_EQ(r.t.moved, 2);
	UT_EQ(get_be16(r.answer), 8 + 20 - 2);
}

static int mode_select(uint64_t nexus, const uint8_t *list, size_t n)
{
	return OUT(&r, nexus, list, n, 0x55, 0x10, 0, 0, 0, 0, 0, BE2(n), 0);
}

static void test_mode_select(void)
{
	uint8_t list[8 + 20] = {0, 0, 0, 0, 0, 0, 0, 0, 0x08, 18}, bad[64];

	UT_EQ(mode_select(RIG_A, list, sizeof(list)), 0); /* WCE off */
	UT_EQ(ready(RIG_A), 0);
	UT_EQ(ready(RIG_B), MODE_CHANGED);
	UT_EQ(IN(&r, RIG_B, 255, 0x1a, 8, 8, 0, 255, 0), 0);
	UT_EQ(r.answer[6], 0);
	UT_EQ(mode_select(RIG_A, list, sizeof(list)), 0); /* the same again is no change */
	UT_EQ(ready(RIG_B), 0);
	/* it survives a move, not a power on */
	rig_shut(&r);
	rig_open(&r, DISK_RESUMED);
	UT_EQ(IN(&r, RIG_B, 255, 0x1a, 8, 8, 0, 255, 0), 0);
	UT_EQ(r.answer[6], 0);
	rig_shut(&r);
	rig_open(&r, DISK_POWER_ON);
	UT_EQ(IN(&r, RIG_B, 255, 0x1a, 8, 8, 0, 255, 0), 0);
	UT_EQ(r.answer[6], 4);
	/* refused, and then nothing has changed */
	memcpy(bad, list, sizeof(list));
	bad[12] = 1;
	UT_EQ(mode_select(RIG_A, bad, sizeof(list)), SAID_BAD_PARAMETER);
	memcpy(bad, list, sizeof(list));
	bad[9] = 17;
	UT_EQ(mode_select(RIG_A, bad, sizeof(list)), SAID_BAD_PARAMETER);
	bad[9] = 19;
	UT_EQ(mode_select(RIG_A, bad, sizeof(list)), SAID_BAD_LENGTH);
	bad[8] = 0x1c;
	UT_EQ(mode_select(RIG_A, bad, sizeof(list)), SAID_BAD_PARAMETER);
	for (size_t n = 1; n < sizeof(list); n++)
		UT_EQ(mode_select(RIG_A, list, n), n == 8 ? 0 : SAID_BAD_LENGTH);
	UT_EQ(OUT(&r, RIG_A, list, 28, 0x55, 0x11, 0, 0, 0, 0, 0, BE2(28), 0), SAID_BAD_CDB); /* SP */
	UT_EQ(OUT(&r, RIG_A, list, 28, 0x55, 0x00, 0, 0, 0, 0, 0, BE2(28), 0), SAID_BAD_CDB); /* PF */
	memset(bad, 0, sizeof(bad));
	put_be16(0xfff8, bad + 6);
	UT_EQ(mode_select(RIG_A, bad, 64), SAID_BAD_PARAMETER);
	OUT(&r, RIG_A, bad, 64, 0x55, 0x10, 0, 0, 0, 0, 0, BE2(65), 0);
	CU_ASSERT(r.t.overrun);
	UT_EQ(ready(RIG_B), 0);
	UT_EQ(IN(&r, RIG_B, 255, 0x1a, 8, 8, 0, 255, 0), 0);
	UT_EQ(r.answer[6], 4);
}

/* What was sensed may be selected again, block descriptor and all. */
static void test_mode_round(void)
{
	uint8_t list[256];
	size_t n;

	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 0, 0x3f, 0, 255, 0), 0);
	n = r.t.moved;
	memcpy(list, r.answer, n);
	list[0] = 0;
	UT_EQ(OUT(&r, RIG_A, list, n, 0x15, 0x10, 0, 0, n, 0), 0);
	memset(list + 4, 0, 4); /* number of blocks 0: as it is */
	UT_EQ(OUT(&r, RIG_A, list, n, 0x15, 0x10, 0, 0, n, 0), 0);
	list[10]++; /* another block size */
	UT_EQ(OUT(&r, RIG_A, list, n, 0x15, 0x10, 0, 0, n, 0), SAID_BAD_PARAMETER);
	UT_EQ(ready(RIG_B), 0);
}

static void test_control(void)
{
	uint8_t list[8 + 12] = {0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 10, 0, 0x10, 0x08}, block[512] = {0};

	/* software write protect */
	UT_EQ(mode_select(RIG_A, list, sizeof(list)), 0);
	UT_EQ(ready(RIG_B), MODE_CHANGED);
	UT_EQ(OUT(&r, RIG_B, block, 512, 0x2a, 0, BE4(0), 0, BE2(1), 0), SAID_PROTECTED);
	UT_EQ(IN(&r, RIG_A, 255, 0x1a, 8, 8, 0, 255, 0), 0);
	UT_EQ(r.answer[2], 0x90);
	/* sense data in descriptors: 64 bits of INFORMATION */
	list[10] = 0x04;
	list[12] = 0;
	UT_EQ(mode_select(RIG_A, list, sizeof(list)), 0);
	UT_EQ(ready(RIG_B), MODE_CHANGED);
	UT_EQ(r.t.sense[0], 0x72);
	CU_ASSERT(disk_descriptor_sense(r.d));
	UT_EQ(DO(&r, RIG_A, 0x88, 0, BE8(UINT64_MAX - 1), BE4(1), 0, 0), SAID_OUT_OF_RANGE);
	UT_EQ(r.t.sense[0], 0x72);
	UT_EQ(rig_info(&r), UINT64_MAX - 1);
	UT_EQ(IN(&r, RIG_A, 8, 0x28, 0x20, BE4(0), 0, BE2(1), 0), SAID_BAD_CDB);
	UT_EQ(r.t.sense_len, 16);
	disk_reset(r.d, RIG_A, DISK_RESET_LUN);
	UT_EQ(ready(RIG_A), 0x062903);
	UT_EQ(r.t.sense[0], 0x70);
	UT_EQ(ready(RIG_B), 0x062903);
	UT_EQ(OUT(&r, RIG_B, block, 512, 0x2a, 0, BE4(0), 0, BE2(1), 0), 0);
}

/* sg3-utils' reading of the field pointer, in both formats. */
static void test_field_pointer(void)
{
	struct scsi_detail d = {.has_field = true, .in_cdb = true, .byte = 7, .bit = 3};
	uint8_t b[SCSI_SENSE_MAX], sks[3];

	for (int descriptor = 0; descriptor < 2; descriptor++) {
		unsigned n = scsi_sense_build(b, descriptor, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB,
					      &d);

		UT_EQ(n, descriptor ? 16 : 18);
		CU_ASSERT(sg_get_sense_key(b, (int)n) == 5);
		if (descriptor) {
			const uint8_t *at = sg_scsi_sense_desc_find(b, (int)n, 2);

			CU_ASSERT_FATAL(at != NULL);
			memcpy(sks, at + 4, 3);
		} else {
			memcpy(sks, b + 15, 3);
		}
		UT_EQ(sks[0], 0xcb); /* SKSV, C/D, BPV, bit 3 */
		UT_EQ(get_be16(sks + 1), 7);
	}
}

static void test_attentions(void)
{
	/* in their order, whatever the one in which they came */
	disk_attention(r.d, RIG_A, DISK_UA_LUNS_CHANGED);
	disk_attention(r.d, RIG_A, DISK_UA_CAPACITY_CHANGED);
	disk_attention(r.d, RIG_A, DISK_UA_RESERVATIONS_PREEMPTED);
	disk_reset(r.d, RIG_A, DISK_RESET_NEXUS);
	UT_EQ(IN(&r, RIG_A, 96, 0x12, 0, 0, BE2(96), 0), 0); /* these take none away */
	UT_EQ(IN(&r, RIG_A, 96, 0xa0, 0, 0, 0, 0, 0, BE4(96), 0, 0), 0);
	UT_EQ(DO(&r, RIG_A, 0xc0, 0, 0, 0, 0, 0), 0x062907);
	UT_EQ(ready(RIG_A), 0x062a03);
	/* REQUEST SENSE tells one as its data, and then it is told */
	UT_EQ(IN(&r, RIG_A, 64, 0x03, 0, 0, 0, 64, 0), 0);
	UT_EQ(r.t.moved, 18);
	UT_EQ(r.answer[0], 0x70);
	UT_EQ(r.answer[2], 6);
	UT_EQ(get_be16(r.answer + 12), 0x2a09);
	UT_EQ(IN(&r, RIG_A, 64, 0x03, 1, 0, 0, 64, 0), 0);
	UT_EQ(r.answer[0], 0x72);
	UT_EQ(get_be16(r.answer + 2), 0x3f0e);
	UT_EQ(IN(&r, RIG_A, 64, 0x03, 0, 0, 0, 64, 0), 0);
	UT_EQ(r.answer[2], 0);
	UT_EQ(ready(RIG_A), 0);
	UT_EQ(ready(RIG_B), 0);
	/* a nexus has its own; a power on is all of them */
	UT_EQ(ready(RIG_C), SAID_POWER_ON);
	disk_attention(r.d, 0, DISK_UA_LUNS_CHANGED);
	disk_attention(r.d, 0, DISK_UA_POWER_ON);
	UT_EQ(ready(RIG_C), SAID_POWER_ON);
	UT_EQ(ready(RIG_C), 0);
	UT_EQ(ready(RIG_A), SAID_POWER_ON);
	UT_EQ(ready(RIG_B), SAID_POWER_ON);
	UT_EQ(DO(&r, 0, 0, 0, 0, 0, 0, 0), -SCSI_BUSY); /* nobody */
}

/* The search needs the order; every usage map starts with its operation code and ends before 16. */
static void test_table(void)
{
	for (unsigned i = 0; i < disk_ops_n; i++) {
		const struct disk_command *o = &disk_ops[i];

		if (i)
			CU_ASSERT(o->opcode > o[-1].opcode ||
				  (o->opcode == o[-1].opcode && o->action > o[-1].action));
		UT_EQ(o->usage[0], o->opcode);
		UT_EQ(o->usage[o->cdb_len - 1], 0x04); /* NACA is looked at */
		for (unsigned k = o->cdb_len; k < 16; k++)
			UT_EQ(o->usage[k], 0);
		if (o->action != NO_ACTION)
			UT_EQ(o->usage[1] & 0x1f, o->action);
		CU_ASSERT(o->begin || o->run);
	}
}

static void test_opcodes(void)
{
	UT_EQ(IN(&r, RIG_A, 4096, 0xa3, 0x0c, 0, 0, 0, 0, BE4(4096), 0, 0), 0);
	UT_EQ(get_be32(r.answer), disk_ops_n * 8);
	UT_EQ(IN(&r, RIG_A, 4096, 0xa3, 0x0c, 0x80, 0, 0, 0, BE4(4096), 0, 0), 0);
	UT_EQ(get_be32(r.answer), disk_ops_n * 20);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 1, 0x28, 0, 0, BE4(64), 0, 0), 0);
	UT_EQ(r.answer[1], 3);
	UT_EQ(get_be16(r.answer + 2), 10);
	UT_EQ(r.answer[4], 0x28);
	UT_EQ(r.t.moved, 14);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 0x81, 0x28, 0, 0, BE4(64), 0, 0), 0);
	UT_EQ(r.answer[1], 0x83);
	UT_EQ(r.t.moved, 26);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 1, 0xc0, 0, 0, BE4(64), 0, 0), 0);
	UT_EQ(r.answer[1], 1);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 1, 0x9e, 0, 0, BE4(64), 0, 0), SAID_BAD_CDB);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 2, 0x28, 0, 0, BE4(64), 0, 0), SAID_BAD_CDB);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 2, 0x9e, BE2(0x10), BE4(64), 0, 0), 0);
	UT_EQ(r.answer[1], 3);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 2, 0x9e, BE2(0x11), BE4(64), 0, 0), 0);
	UT_EQ(r.answer[1], 1);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 3, 0x9e, BE2(0x30), BE4(64), 0, 0), 0);
	UT_EQ(r.answer[1], 1);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0c, 4, 0, 0, 0, BE4(64), 0, 0), SAID_BAD_CDB);
	UT_EQ(IN(&r, RIG_A, 64, 0xa3, 0x0d, 0, 0, 0, 0, BE4(64), 0, 0), 0);
	UT_EQ(r.t.moved, 4);
	UT_EQ(r.answer[0], 0xdc);
	UT_EQ(r.answer[1], 3);
}

/* Every command of the table, from a short buffer to none: nothing is written past it. */
static void test_short_buffers(void)
{
	static const size_t lens[] = {0, 1, 3, 4, 5, 7, 8, 9, 15, 17, 23, 24, 31, 95};
	uint8_t cdb[16], data[96] = {0};

	for (unsigned i = 0; i < disk_ops_n; i++)
		for (unsigned k = 0; k < ARRAY_SIZE(lens); k++) {
			memset(cdb, 0, sizeof(cdb));
			cdb[0] = disk_ops[i].opcode;
			if (disk_ops[i].action != NO_ACTION)
				cdb[1] = (uint8_t)disk_ops[i].action;
			cdb[disk_ops[i].cdb_len - 3] = 1;
			rig_do(&r, RIG_A, cdb, 16, data, lens[k], lens[k]);
			CU_ASSERT(r.t.moved <= lens[k]);
			UT_EQ(r.answer[lens[k]], 0xee);
		}
}

static struct scsi_task *task(const uint8_t *cdb, size_t n, size_t room)
{
	static struct iovec v;
	static struct scsi_task t;

	memset(&t, 0, sizeof(t));
	memcpy(t.cdb, cdb, n);
	memset(r.answer, 0xee, room + 8);
	v = (struct iovec){r.answer, room};
	t.in = &v;
	t.in_n = 1;
	t.in_len = room;
	return &t;
}

static void test_report_luns(void)
{
	static const uint64_t luns[] = {0, UINT64_C(0x0001) << 48, UINT64_C(0x4123) << 48};
	struct scsi_task *t;

	UT_EQ(scsi_lun_from_number(0x123), luns[2]);
	UT_EQ(scsi_lun_from_number(255), UINT64_C(0x00ff) << 48);
	t = task(CDB(0xa0, 0, 0, 0, 0, 0, BE4(64), 0, 0), 64);
	scsi_report_luns(t, luns, 3);
	UT_EQ(t->status, SCSI_GOOD);
	UT_EQ(t->moved, 8 + 24);
	UT_EQ(get_be32(r.answer), 24);
	for (unsigned i = 0; i < 3; i++)
		UT_EQ(get_be64(r.answer + 8 + 8 * i), luns[i]);
	t = task(CDB(0xa0, 0, 0, 0, 0, 0, BE4(20), 0, 0), 64);
	scsi_report_luns(t, luns, 3);
	UT_EQ(t->moved, 20);
	UT_EQ(get_be32(r.answer), 24);
	UT_EQ(r.answer[20], 0xee);
	t = task(CDB(0xa0, 0, 2, 0, 0, 0, BE4(64), 0, 0), 30);
	scsi_report_luns(t, luns, 3);
	UT_EQ(t->moved, 30);
	UT_EQ(get_be32(r.answer), 32);
	t = task(CDB(0xa0, 0, 1, 0, 0, 0, BE4(64), 0, 0), 64);
	scsi_report_luns(t, luns, 3);
	UT_EQ(get_be64(r.answer + 8), SCSI_LUN_REPORT_LUNS);
	t = task(CDB(0xa0, 0, 3, 0, 0, 0, BE4(64), 0, 0), 64);
	scsi_report_luns(t, luns, 3);
	UT_EQ(t->status, SCSI_CHECK_CONDITION);
	t = task(CDB(0xa0, 0, 0, 0, 0, 0, BE4(15), 0, 0), 64);
	scsi_report_luns(t, luns, 3);
	UT_EQ(t->status, SCSI_CHECK_CONDITION);
}

static void test_no_lun(void)
{
	struct scsi_task *t = task(CDB(0x12, 0, 0, BE2(36), 0), 36);

	scsi_no_lun(t, false);
	UT_EQ(t->status, SCSI_GOOD);
	UT_EQ(r.answer[0], 0x7f);
	scsi_no_lun(t, true);
	UT_EQ(r.answer[0], 0x1e);
	t = task(CDB(0, 0, 0, 0, 0, 0), 0);
	scsi_no_lun(t, false);
	UT_EQ(get_be16(t->sense + 12), 0x2500);
	scsi_no_lun(t, true);
	UT_EQ(t->status, SCSI_GOOD);
	t = task(CDB(0x28, 0, BE4(0), 0, BE2(1), 0), 512);
	scsi_no_lun(t, true);
	UT_EQ(get_be16(t->sense + 12), 0x2000);
	t = task(CDB(0x03, 0, 0, 0, 18, 0), 18);
	scsi_no_lun(t, false);
	UT_EQ(t->status, SCSI_GOOD);
	UT_EQ(get_be16(r.answer + 12), 0x2500);
}

static CU_TestInfo tests[] = {
	{"INQUIRY", test_inquiry},
	{"vital product data", test_vpd},
	{"designators", test_designators},
	{"READ CAPACITY", test_capacity},
	{"a large disk", test_large},
	{"configurations refused", test_configs},
	{"MODE SENSE", test_mode_sense},
	{"MODE SELECT", test_mode_select},
	{"what is sensed can be selected", test_mode_round},
	{"control page", test_control},
	{"field pointer", test_field_pointer},
	{"unit attentions", test_attentions},
	{"the table", test_table},
	{"REPORT SUPPORTED OPERATION CODES", test_opcodes},
	{"short buffers", test_short_buffers},
	{"REPORT LUNS", test_report_luns},
	{"a LUN that isn't there", test_no_lun},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"disk-basic", tests, init, clean}, {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which commands may be executed twice: not by what the table says, but by executing each that the disk knows
 * twice, as it is when a command was executed, its answer was cut off, and the initiator sends it again.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "be.h"
#include "cleanup.h"
#include "disk_private.h"
#include "repeat.h"
#include "ut.h"
#include "ut-disk-rig.h"

#define BS 512u
#define BLOCKS 64u

static struct rig r;
static uint8_t out[8 * BS];

/* A command that is executed, and whose result depends on what was there before if any does. */
static size_t example(const struct disk_command *op, uint8_t *cdb)
{
	memset(cdb, 0, 16);
	memset(out, 0, sizeof(out));
	cdb[0] = op->opcode;
	if (op->action != NO_ACTION)
		cdb[1] = (uint8_t)op->action;
	switch (op->opcode) {
	case 0x5f: /* REGISTER by one who isn't registered */
		put_be32(24, cdb + 5);
		put_be64(0xabc, out + 8);
		return 24;
	case 0x89: /* expects zeros, writes ones */
		cdb[13] = 1;
		memset(out + BS, 0x11, BS);
		return 2 * BS;
	case 0x42:
		put_be16(24, cdb + 7);
		put_be16(16, out + 2);
		put_be32(2, out + 16);
		return 24;
	case 0x15:
		cdb[1] = 0x10;
		cdb[4] = 24;
		out[4] = 8;
		out[5] = 18;
		return 24;
	case 0x55:
		cdb[1] = 0x10;
		cdb[8] = 28;
		out[8] = 8;
		out[9] = 18;
		return 28;
	case 0xa0:
		cdb[9] = 64;
		return 0;
	}
	cdb[op->cdb_len == 6 ? 4 : op->cdb_len == 10 ? 8 : op->cdb_len == 12 ? 9 : 13] = 1;
	memset(out, 0x22, BS);
	return BS;
}

struct outcome {
	int said;
	uint8_t disk[BLOCKS * BS], answer[1024];
	size_t moved;
};

static void execute(const uint8_t *cdb, size_t out_len, struct outcome *o)
{
	uint8_t data[sizeof(out)];

	memcpy(data, out, sizeof(data));
	rig_do(&r, RIG_A, cdb, 16, data, out_len, sizeof(o->answer));
	o->said = rig_said(&r);
	o->moved = r.t.moved;
	memcpy(o->answer, r.answer, sizeof(o->answer));
	CU_ASSERT(pread(r.fd, o->disk, sizeof(o->disk), 0) == sizeof(o->disk));
}

static void test_twice(void)
{
	struct outcome *once = calloc(1, sizeof(*once)), *twice = calloc(1, sizeof(*twice));
	uint8_t cdb[32] = {0};
	unsigned differ = 0;
	bool same;
	size_t n;

	for (unsigned i = 0; i < disk_ops_n; i++) {
		rig_init(&r, BLOCKS);
		rig_open(&r, DISK_POWER_ON);
		n = example(&disk_ops[i], cdb);
		execute(cdb, n, once);
		execute(cdb, n, twice);
		same = once->said == twice->said && once->moved == twice->moved &&
		       !memcmp(once->disk, twice->disk, sizeof(once->disk)) &&
		       !memcmp(once->answer, twice->answer, sizeof(once->answer));
		differ += !same;
		if (!same)
			UT_EQ(repeat_rule(cdb)->verdict, REPEAT_NEVER);
		if (!same && repeat_rule(cdb)->verdict != REPEAT_NEVER)
			printf("# opcode %02x: %06x, then %06x\n", cdb[0], once->said, twice->said);
		rig_free(&r);
	}
	/* COMPARE AND WRITE miscompares with itself, REGISTER conflicts with itself: the test can see it */
	CU_ASSERT(differ >= 2);
	free(once);
	free(twice);
}

/* Every command of the disk's table has a rule of its own. */
static void test_all_known(void)
{
	uint8_t cdb[32] = {0};

	for (unsigned i = 0; i < disk_ops_n; i++) {
		cdb[0] = disk_ops[i].opcode;
		cdb[1] = disk_ops[i].action == NO_ACTION ? 0 : (uint8_t)disk_ops[i].action;
		UT_EQ(repeat_rule(cdb)->opcode, cdb[0]);
	}
}

static void test_verdicts(void)
{
	static const struct {
		uint8_t cdb[32];
		enum repeat_verdict verdict;
	} cases[] = {
		{{0x28}, REPEAT_HARMLESS},
		{{0x2a}, REPEAT_HARMLESS},
		{{0x8a}, REPEAT_HARMLESS},
		{{0x93}, REPEAT_HARMLESS},
		{{0x5e}, REPEAT_HARMLESS},
		{{0x5f, 1}, REPEAT_NEVER},
		{{0x83}, REPEAT_NEVER},
		{{0x83, 0x11}, REPEAT_NEVER},
		{{0x89}, REPEAT_NEVER},
		{{0x9e, 0x10}, REPEAT_HARMLESS},
		{{0x9e, 0x17}, REPEAT_NEVER}, /* WRITE SCATTERED or whatever else */
		{{0xa3, 0x0a}, REPEAT_HARMLESS},
		{{0xa3, 0x10}, REPEAT_NEVER},
		{{0xa4, 0x0a}, REPEAT_NEVER},
		{{0x7f, 0, 0, 0, 0, 0, 0, 24, 0, 0x0b}, REPEAT_HARMLESS},
		{{0x7f, 0, 0, 0, 0, 0, 0, 24, 0, 0x0e}, REPEAT_NEVER},
		{{0x7f, 0, 0, 0, 0, 0, 0, 24, 1, 0x0b}, REPEAT_NEVER},
		{{0xc1}, REPEAT_NEVER}, /* a vendor's own */
		{{0xff}, REPEAT_NEVER},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct repeat_rule *rule = repeat_rule(cases[i].cdb);

		UT_EQ(rule->verdict, cases[i].verdict);
		CU_ASSERT(strlen(rule->why) > 5);
	}
}

static void test_cut_off(void)
{
	struct scsi_task t = {.cdb = {0x89}, .cdb_len = 32, .moved = 512};

	repeat_cut_off(&t, false, false); /* not begun: whatever it is */
	UT_EQ(t.status, SCSI_BUSY);
	UT_EQ(t.sense_len, 0);
	UT_EQ(t.moved, 0);
	repeat_cut_off(&t, true, false);
	UT_EQ(t.status, SCSI_CHECK_CONDITION);
	UT_EQ(t.sense[2], 6);
	UT_EQ(get_be16(t.sense + 12), 0x2907);
	repeat_cut_off(&t, true, true);
	UT_EQ(t.sense[0], 0x72);
	UT_EQ(get_be16(t.sense + 2), 0x2907);
	t.cdb[0] = 0x8a;
	repeat_cut_off(&t, true, false);
	UT_EQ(t.status, SCSI_BUSY);
	UT_EQ(t.sense_len, 0);
}

static CU_TestInfo tests[] = {
	{"executed twice", test_twice},
	{"all of the disk's commands", test_all_known},
	{"verdicts", test_verdicts},
	{"how it ends", test_cut_off},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"repeat", tests, NULL, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}

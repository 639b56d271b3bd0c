/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every command that the disk knows: one row each, in the order of operation code and service action (the
 * search rests on it).  Access is what SPC-4, table 66 and SBC-3, table 13 say of a reservation that others
 * hold.
 */
#include "cleanup.h"
#include "disk_private.h"

#define ANY ACCESS_ANY
#define RD ACCESS_READ
#define WR ACCESS_WRITE
#define PASS OP_PASS_UA
#define CHG OP_CHANGES
#define THIN OP_THIN

/* The middles of usage maps: 3-byte LBA; 4-byte LBA, then what follows; 8-byte LBA, 4-byte count. */
#define LBA4 0xff, 0xff, 0xff, 0xff
#define LBA8 LBA4, LBA4
#define PR_OUT_USAGE(sa)                                                                                     \
	{                                                                                                    \
		0x5f, sa, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x04                                           \
	}
#define PR_IN_USAGE(sa)                                                                                      \
	{                                                                                                    \
		0x5e, sa, 0, 0, 0, 0, 0, 0xff, 0xff, 0x04                                                    \
	}

const struct disk_command disk_ops[] = {
	/* TEST UNIT READY, REQUEST SENSE, READ(6), WRITE(6), INQUIRY */
	{0x00, NO_ACTION, 6, ANY, 0, begin_ready, NULL, {0x00, 0, 0, 0, 0, 0x04}},
	{0x03, NO_ACTION, 6, ANY, PASS, begin_request_sense, NULL, {0x03, 0x01, 0, 0, 0xff, 0x04}},
	{0x08, NO_ACTION, 6, RD, 0, begin_read, run_read, {0x08, 0x1f, 0xff, 0xff, 0xff, 0x04}},
	{0x0a, NO_ACTION, 6, WR, CHG, begin_write, run_write, {0x0a, 0x1f, 0xff, 0xff, 0xff, 0x04}},
	{0x12, NO_ACTION, 6, ANY, PASS, begin_inquiry, NULL, {0x12, 0x01, 0xff, 0xff, 0xff, 0x04}},
	/* MODE SELECT(6), MODE SENSE(6), START STOP UNIT */
	{0x15, NO_ACTION, 6, WR, 0, NULL, run_mode_select, {0x15, 0x11, 0, 0, 0xff, 0x04}},
	{0x1a, NO_ACTION, 6, RD, 0, begin_mode_sense, NULL, {0x1a, 0x08, 0xff, 0xff, 0xff, 0x04}},
	{0x1b, NO_ACTION, 6, ANY, 0, begin_start_stop, NULL, {0x1b, 0x01, 0, 0x0f, 0xf7, 0x04}},
	/* READ CAPACITY(10), READ(10), WRITE(10), WRITE AND VERIFY(10), VERIFY(10) */
	{0x25, NO_ACTION, 10, ANY, 0, begin_capacity10, NULL, {0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0x04}},
	{0x28, NO_ACTION, 10, RD, 0, begin_read, run_read, {0x28, 0xf8, LBA4, 0x3f, 0xff, 0xff, 0x04}},
	{0x2a, NO_ACTION, 10, WR, CHG, begin_write, run_write, {0x2a, 0xf8, LBA4, 0x3f, 0xff, 0xff, 0x04}},
	{0x2e, NO_ACTION, 10, WR, CHG, NULL, run_write_verify, {0x2e, 0xf6, LBA4, 0x3f, 0xff, 0xff, 0x04}},
	{0x2f, NO_ACTION, 10, RD, 0, NULL, run_verify, {0x2f, 0xf6, LBA4, 0x3f, 0xff, 0xff, 0x04}},
	/* PRE-FETCH(10), SYNCHRONIZE CACHE(10), WRITE SAME(10), UNMAP */
	{0x34, NO_ACTION, 10, RD, 0, begin_prefetch, NULL, {0x34, 0x02, LBA4, 0x3f, 0xff, 0xff, 0x04}},
	{0x35, NO_ACTION, 10, WR, 0, begin_sync, NULL, {0x35, 0x02, LBA4, 0x3f, 0xff, 0xff, 0x04}},
	{0x41, NO_ACTION, 10, WR, CHG, NULL, run_write_same, {0x41, 0xf8, LBA4, 0x3f, 0xff, 0xff, 0x04}},
	{0x42,
	 NO_ACTION,
	 10,
	 WR,
	 CHG | THIN,
	 NULL,
	 run_unmap,
	 {0x42, 0x01, 0, 0, 0, 0, 0x3f, 0xff, 0xff, 0x04}},
	/* MODE SELECT(10), MODE SENSE(10) */
	{0x55, NO_ACTION, 10, WR, 0, NULL, run_mode_select, {0x55, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff, 0x04}},
	{0x5a,
	 NO_ACTION,
	 10,
	 RD,
	 0,
	 begin_mode_sense,
	 NULL,
	 {0x5a, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0x04}},
	/* PERSISTENT RESERVE IN and OUT: what they may do is their own rule */
	{0x5e, 0x00, 10, ANY, 0, NULL, run_pr_in, PR_IN_USAGE(0)},
	{0x5e, 0x01, 10, ANY, 0, NULL, run_pr_in, PR_IN_USAGE(1)},
	{0x5e, 0x02, 10, ANY, 0, NULL, run_pr_in, PR_IN_USAGE(2)},
	{0x5e, 0x03, 10, ANY, 0, NULL, run_pr_in, PR_IN_USAGE(3)},
	{0x5f, 0x00, 10, ANY, 0, NULL, run_pr_out, PR_OUT_USAGE(0)},
	{0x5f, 0x01, 10, ANY, 0, NULL, run_pr_out, PR_OUT_USAGE(1)},
	{0x5f, 0x02, 10, ANY, 0, NULL, run_pr_out, PR_OUT_USAGE(2)},
	{0x5f, 0x03, 10, ANY, 0, NULL, run_pr_out, PR_OUT_USAGE(3)},
	{0x5f, 0x04, 10, ANY, 0, NULL, run_pr_out, PR_OUT_USAGE(4)},
	{0x5f, 0x05, 10, ANY, 0, NULL, run_pr_out, PR_OUT_USAGE(5)},
	{0x5f, 0x06, 10, ANY, 0, NULL, run_pr_out, PR_OUT_USAGE(6)},
	{0x5f, 0x07, 10, ANY, 0, NULL, run_pr_out, PR_OUT_USAGE(7)},
	/* READ(16), COMPARE AND WRITE, WRITE(16), WRITE AND VERIFY(16), VERIFY(16) */
	{0x88, NO_ACTION, 16, RD, 0, begin_read, run_read, {0x88, 0xf8, LBA8, LBA4, 0x3f, 0x04}},
	{0x89,
	 NO_ACTION,
	 16,
	 WR,
	 CHG,
	 NULL,
	 run_compare_write,
	 {0x89, 0xf8, LBA8, 0, 0, 0, 0xff, 0x3f, 0x04}},
	{0x8a, NO_ACTION, 16, WR, CHG, begin_write, run_write, {0x8a, 0xf8, LBA8, LBA4, 0x3f, 0x04}},
	{0x8e, NO_ACTION, 16, WR, CHG, NULL, run_write_verify, {0x8e, 0xf6, LBA8, LBA4, 0x3f, 0x04}},
	{0x8f, NO_ACTION, 16, RD, 0, NULL, run_verify, {0x8f, 0xf6, LBA8, LBA4, 0x3f, 0x04}},
	/* PRE-FETCH(16), SYNCHRONIZE CACHE(16), WRITE SAME(16) */
	{0x90, NO_ACTION, 16, RD, 0, begin_prefetch, NULL, {0x90, 0x02, LBA8, LBA4, 0x3f, 0x04}},
	{0x91, NO_ACTION, 16, WR, 0, begin_sync, NULL, {0x91, 0x02, LBA8, LBA4, 0x3f, 0x04}},
	{0x93, NO_ACTION, 16, WR, CHG, NULL, run_write_same, {0x93, 0xf9, LBA8, LBA4, 0x3f, 0x04}},
	/* READ CAPACITY(16), GET LBA STATUS */
	{0x9e, 0x10, 16, ANY, 0, begin_capacity16, NULL, {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, LBA4, 0, 0x04}},
	{0x9e, 0x12, 16, RD, 0, NULL, run_lba_status, {0x9e, 0x12, LBA8, LBA4, 0, 0x04}},
	/* REPORT LUNS, REPORT SUPPORTED OPERATION CODES, REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS */
	{0xa0, NO_ACTION, 12, ANY, PASS, begin_report_luns, NULL, {0xa0, 0, 0xff, 0, 0, 0, LBA4, 0, 0x04}},
	{0xa3,
	 0x0c,
	 12,
	 RD,
	 0,
	 begin_report_opcodes,
	 NULL,
	 {0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, LBA4, 0, 0x04}},
	{0xa3, 0x0d, 12, RD, 0, begin_report_tmf, NULL, {0xa3, 0x0d, 0x80, 0, 0, 0, LBA4, 0, 0x04}},
	/* READ(12), WRITE(12), WRITE AND VERIFY(12), VERIFY(12) */
	{0xa8, NO_ACTION, 12, RD, 0, begin_read, run_read, {0xa8, 0xf8, LBA4, LBA4, 0x3f, 0x04}},
	{0xaa, NO_ACTION, 12, WR, CHG, begin_write, run_write, {0xaa, 0xf8, LBA4, LBA4, 0x3f, 0x04}},
	{0xae, NO_ACTION, 12, WR, CHG, NULL, run_write_verify, {0xae, 0xf6, LBA4, LBA4, 0x3f, 0x04}},
	{0xaf, NO_ACTION, 12, RD, 0, NULL, run_verify, {0xaf, 0xf6, LBA4, LBA4, 0x3f, 0x04}},
};

const unsigned disk_ops_n = ARRAY_SIZE(disk_ops);

bool disk_op_supported(const struct disk *d, const struct disk_command *op)
{
	return d->unmap || !(op->flags & OP_THIN);
}

const struct disk_command *disk_op_find(const struct disk *d, const uint8_t *cdb, bool *opcode_known)
{
	unsigned low = 0, high = disk_ops_n;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (disk_ops[mid].opcode < cdb[0])
			low = mid + 1;
		else
			high = mid;
	}
	*opcode_known = low < disk_ops_n && disk_ops[low].opcode == cdb[0] &&
			disk_op_supported(d, &disk_ops[low]);
	if (!*opcode_known)
		return NULL;
	for (; low < disk_ops_n && disk_ops[low].opcode == cdb[0]; low++)
		if (disk_ops[low].action == NO_ACTION || disk_ops[low].action == (cdb[1] & 0x1f))
			return &disk_ops[low];
	return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "be.h"
#include "luns.h"
#include "scsi_data.h"
#include "scsi_sense.h"

#define LIST_HEADER 8
#define MIN_ALLOCATION 16

uint64_t scsi_lun_from_number(unsigned number)
{
	uint64_t flat = number < 256 ? 0 : 0x4000;

	return (flat | (number & 0x3fff)) << 48;
}

static void bad_cdb(struct scsi_task *t, uint16_t byte, int bit)
{
	struct scsi_detail detail = {.has_field = true, .in_cdb = true, .byte = byte, .bit = bit};

	scsi_check(t, false, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, &detail);
}

/* Written LUN by LUN: a long list needs no buffer of its own. */
static void put(struct scsi_task *t, size_t *at, uint64_t value, size_t allocation)
{
	uint8_t bytes[8];
	size_t left = allocation > *at ? allocation - *at : 0;

	put_be64(value, bytes);
	t->moved += scsi_data_in(t, *at, bytes, left < sizeof(bytes) ? left : sizeof(bytes));
	*at += sizeof(bytes);
}

void scsi_report_luns(struct scsi_task *t, const uint64_t *luns, unsigned n)
{
	uint32_t allocation = get_be32(t->cdb + 6);
	uint8_t select = t->cdb[2];
	bool plain = select == 0x00 || select == 0x02, known = select == 0x01 || select == 0x02;
	uint64_t length = (plain ? 8 * (uint64_t)n : 0) + (known ? 8 : 0);
	size_t at = 0;

	scsi_begin(t);
	if (select > 0x02 && (select < 0x10 || select > 0x12)) {
		bad_cdb(t, 2, 7);
		return;
	}
	if (allocation < MIN_ALLOCATION) {
		bad_cdb(t, 6, 7);
		return;
	}
	put(t, &at, length << 32, allocation);
	for (unsigned i = 0; i < n && plain; i++)
		put(t, &at, luns[i], allocation);
	if (known)
		put(t, &at, SCSI_LUN_REPORT_LUNS, allocation);
	scsi_end(t, SCSI_GOOD);
}

static void inquiry(struct scsi_task *t, bool well_known)
{
	/* 36 bytes: the least of standard INQUIRY data (SPC-4, 6.4.2) */
	uint8_t data[36] = {well_known ? 0x1e : 0x7f, 0, 6, 0x12, sizeof(data) - 5};

	if (t->cdb[1] & 1) {
		bad_cdb(t, 1, 0);
		return;
	}
	memset(data + 8, ' ', sizeof(data) - 8);
	scsi_answer(t, data, sizeof(data), get_be16(t->cdb + 3));
}

static void request_sense(struct scsi_task *t, bool well_known)
{
	uint8_t data[SCSI_SENSE_MAX];
	unsigned n;

	if (well_known)
		n = scsi_sense_build(data, t->cdb[1] & 1, KEY_NO_SENSE, ASC_NONE, NULL);
	else
		n = scsi_sense_build(data, t->cdb[1] & 1, KEY_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED, NULL);
	scsi_answer(t, data, n, t->cdb[4]);
}

void scsi_no_lun(struct scsi_task *t, bool well_known)
{
	scsi_begin(t);
	if (t->cdb[0] == 0x12)
		inquiry(t, well_known);
	else if (t->cdb[0] == 0x03)
		request_sense(t, well_known);
	else if (well_known && t->cdb[0] == 0x00)
		scsi_end(t, SCSI_GOOD);
	else
		scsi_check(t, false, KEY_ILLEGAL_REQUEST,
			   well_known ? ASC_INVALID_OPCODE : ASC_LUN_NOT_SUPPORTED, NULL);
}

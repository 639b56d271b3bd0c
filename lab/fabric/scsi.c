/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands, and what all of them share. */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "scsi_private.h"

enum data_out {
	OUT_NONE,
	OUT_BLOCKS, /* as many as the CDB says */
	OUT_BLOCKS_TWICE, /* to compare, and to write */
	OUT_ONE_BLOCK, /* unless NDOB */
	OUT_LIST_16, /* parameter list length at byte 7 */
	OUT_LIST_32, /* at byte 5 */
};

struct opcode {
	uint8_t code;
	scsi_handler *run;
	enum pr_access access;
	enum data_out out;
	bool writes;
	bool any_lun; /* answered where there is no LUN, and before unit attentions */
};

static const struct opcode opcodes[] = {
	{0x00, scsi_test_unit_ready, PR_ACCESS_FREE, OUT_NONE, false, false},
	{0x03, scsi_request_sense, PR_ACCESS_FREE, OUT_NONE, false, true},
	{0x08, scsi_read, PR_ACCESS_READ, OUT_NONE, false, false},
	{0x0a, scsi_write, PR_ACCESS_WRITE, OUT_BLOCKS, true, false},
	{0x12, scsi_inquiry, PR_ACCESS_FREE, OUT_NONE, false, true},
	{0x1a, scsi_mode_sense_6, PR_ACCESS_READ, OUT_NONE, false, false},
	{0x1b, scsi_start_stop, PR_ACCESS_FREE, OUT_NONE, false, false},
	{0x25, scsi_read_capacity_10, PR_ACCESS_FREE, OUT_NONE, false, false},
	{0x28, scsi_read, PR_ACCESS_READ, OUT_NONE, false, false},
	{0x2a, scsi_write, PR_ACCESS_WRITE, OUT_BLOCKS, true, false},
	{0x2f, scsi_verify, PR_ACCESS_READ, OUT_NONE, false, false},
	{0x35, scsi_sync, PR_ACCESS_WRITE, OUT_NONE, false, false},
	{0x41, scsi_write_same, PR_ACCESS_WRITE, OUT_ONE_BLOCK, true, false},
	{0x42, scsi_unmap, PR_ACCESS_WRITE, OUT_LIST_16, true, false},
	{0x5a, scsi_mode_sense_10, PR_ACCESS_READ, OUT_NONE, false, false},
	{0x5e, scsi_pr_in, PR_ACCESS_FREE, OUT_NONE, false, false},
	{0x5f, scsi_pr_out, PR_ACCESS_FREE, OUT_LIST_32, false, false},
	{0x88, scsi_read, PR_ACCESS_READ, OUT_NONE, false, false},
	{0x89, scsi_compare_and_write, PR_ACCESS_WRITE, OUT_BLOCKS_TWICE, true, false},
	{0x8a, scsi_write, PR_ACCESS_WRITE, OUT_BLOCKS, true, false},
	{0x8f, scsi_verify, PR_ACCESS_READ, OUT_NONE, false, false},
	{0x91, scsi_sync, PR_ACCESS_WRITE, OUT_NONE, false, false},
	{0x93, scsi_write_same, PR_ACCESS_WRITE, OUT_ONE_BLOCK, true, false},
	{0x9e, scsi_service_action_in, PR_ACCESS_FREE, OUT_NONE, false, false},
	{0xa0, scsi_report_luns, PR_ACCESS_FREE, OUT_NONE, false, true},
	{0xa3, scsi_maintenance_in, PR_ACCESS_FREE, OUT_NONE, false, false},
	{0xa8, scsi_read, PR_ACCESS_READ, OUT_NONE, false, false},
	{0xaa, scsi_write, PR_ACCESS_WRITE, OUT_BLOCKS, true, false},
};

static const struct opcode *opcode_find(uint8_t code)
{
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		if (opcodes[i].code == code)
			return &opcodes[i];
	return NULL;
}

void scsi_check(struct scsi_command *c, enum scsi_key key, uint8_t asc, uint8_t ascq)
{
	c->status = SCSI_CHECK_CONDITION;
	memset(c->sense, 0, sizeof(c->sense));
	c->sense[0] = 0x70; /* current, fixed format */
	c->sense[2] = (uint8_t)key;
	c->sense[7] = SCSI_SENSE_LEN - 8;
	c->sense[12] = asc;
	c->sense[13] = ascq;
}

void scsi_fail(struct scsi_command *c, enum scsi_key key, enum scsi_asc asc)
{
	scsi_check(c, key, (uint8_t)(asc >> 8), (uint8_t)asc);
}

void scsi_refuse(struct scsi_command *c, enum scsi_asc asc)
{
	scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, asc);
}

uint8_t *scsi_data_in(struct scsi_command *c, size_t len, size_t allocation)
{
	c->data_in = calloc(1, len ? len : 1);
	if (!c->data_in) {
		scsi_fail(c, SCSI_KEY_ABORTED_COMMAND, ASC_INTERNAL_FAILURE);
		return NULL;
	}
	c->data_in_len = len < allocation ? len : allocation;
	return c->data_in;
}

struct scsi_range scsi_range_of(const uint8_t cdb[SCSI_CDB_LEN])
{
	switch (cdb[0] >> 5) {
	case 0:
		return (struct scsi_range){get_be24(cdb + 1) & 0x1fffff, cdb[4] ? cdb[4] : 256};
	case 4:
		return (struct scsi_range){get_be64(cdb + 2), cdb[0] == 0x89 ? cdb[13] : get_be32(cdb + 10)};
	case 5:
		return (struct scsi_range){get_be32(cdb + 2), get_be32(cdb + 6)};
	default:
		return (struct scsi_range){get_be32(cdb + 2), get_be16(cdb + 7)};
	}
}

size_t scsi_data_out_len(const struct lun_store *lun, const uint8_t cdb[SCSI_CDB_LEN])
{
	const struct opcode *o = opcode_find(cdb[0]);
	size_t block;

	if (!o || !lun)
		return 0;
	block = lun_store_block_size(lun);
	switch (o->out) {
	case OUT_BLOCKS:
		return block * scsi_range_of(cdb).count;
	case OUT_BLOCKS_TWICE:
		return 2 * block * scsi_range_of(cdb).count;
	case OUT_ONE_BLOCK:
		return cdb[0] == 0x93 && (cdb[1] & 0x01) ? 0 : block;
	case OUT_LIST_16:
		return get_be16(cdb + 7);
	case OUT_LIST_32:
		return get_be32(cdb + 5);
	default:
		return 0;
	}
}

bool scsi_is_write(const uint8_t cdb[SCSI_CDB_LEN])
{
	const struct opcode *o = opcode_find(cdb[0]);

	return o && o->writes;
}

bool scsi_ignores_unit_attention(const uint8_t cdb[SCSI_CDB_LEN])
{
	const struct opcode *o = opcode_find(cdb[0]);

	return o && o->any_lun;
}

void scsi_execute(struct scsi_command *c)
{
	const struct opcode *o = opcode_find(c->cdb[0]);
	size_t need = scsi_data_out_len(c->lun, c->cdb);

	c->status = SCSI_GOOD;
	c->data_in = NULL;
	c->data_in_len = 0;
	if (!c->lun && (!o || !o->any_lun))
		scsi_refuse(c, ASC_NO_SUCH_LUN);
	else if (!o)
		scsi_refuse(c, ASC_INVALID_OPCODE);
	else if (c->lun && pr_conflicts(lun_store_pr(c->lun), &c->nexus, o->access))
		c->status = SCSI_RESERVATION_CONFLICT;
	else if (!scsi_is_accessible(c))
		return;
	else if (need > SCSI_DATA_MAX)
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
	else if (need > c->data_out_len)
		scsi_refuse(c, ASC_PARAMETER_LIST_LENGTH);
	else
		o->run(c);
	if (c->status != SCSI_GOOD) {
		free(c->data_in);
		c->data_in = NULL;
		c->data_in_len = 0;
	}
}

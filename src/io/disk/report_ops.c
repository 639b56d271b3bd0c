/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* REPORT SUPPORTED OPERATION CODES and TASK MANAGEMENT FUNCTIONS (SPC-4, 6.35 and 6.36): the table, told. */
#include <string.h>

#include "be.h"
#include "disk_private.h"

#define OPS_MAX 64
#define TIMEOUTS_SIZE 12
#define ALL_SIZE (4 + OPS_MAX * (8 + TIMEOUTS_SIZE))

/* A timeouts descriptor in which nothing is said. */
static size_t put_timeouts(uint8_t *b)
{
	put_be16(TIMEOUTS_SIZE - 2, b);
	return TIMEOUTS_SIZE;
}

static enum disk_next report_all(struct cmd *c, bool timeouts, uint32_t allocation)
{
	uint8_t b[ALL_SIZE] = {0}, *p = b + 4;
	const struct disk_command *op;

	for (unsigned i = 0; i < disk_ops_n && i < OPS_MAX; i++) {
		op = &disk_ops[i];
		if (!disk_op_supported(c->d, op))
			continue;
		p[0] = op->opcode;
		if (op->action != NO_ACTION) {
			put_be16((uint16_t)op->action, p + 2);
			p[5] |= 0x01; /* SERVACTV */
		}
		put_be16(op->cdb_len, p + 6);
		if (timeouts)
			p[5] |= 0x02; /* CTDP */
		p += 8;
		if (timeouts)
			p += put_timeouts(p);
	}
	put_be32((uint32_t)(p - b - 4), b);
	return cmd_answer(c, b, (size_t)(p - b), allocation);
}

enum { SUPPORT_NONE = 1, SUPPORT_STANDARD = 3 };

/* REPORTING OPTIONS 1: an operation code without service actions; 2: one with; 3: either, or "not supported".
 */
static enum disk_next report_one(struct cmd *c, unsigned options, bool timeouts, uint32_t allocation)
{
	unsigned action = get_be16(c->t->cdb + 4);
	uint8_t asked[2] = {c->t->cdb[3], (uint8_t)action}, b[4 + 16 + TIMEOUTS_SIZE] = {0};
	const struct disk_command *op;
	bool known;
	size_t n = 4;

	op = disk_op_find(c->d, asked, &known);
	if (op && op->action != NO_ACTION && action > 0x1f)
		op = NULL;
	if (known && options == 1 && !(op && op->action == NO_ACTION))
		return cmd_bad_cdb(c, 2, 2);
	if (known && options == 2 && op && op->action == NO_ACTION)
		return cmd_bad_cdb(c, 2, 2);
	if (options == 3 && op && op->action == NO_ACTION && action)
		op = NULL;
	b[1] = op ? SUPPORT_STANDARD : SUPPORT_NONE;
	if (op) {
		put_be16(op->cdb_len, b + 2);
		memcpy(b + 4, op->usage, op->cdb_len);
		n += op->cdb_len;
		if (timeouts) {
			b[1] |= 0x80; /* CTDP */
			n += put_timeouts(b + n);
		}
	}
	return cmd_answer(c, b, n, allocation);
}

enum disk_next begin_report_opcodes(struct cmd *c)
{
	unsigned options = c->t->cdb[2] & 7;
	bool timeouts = c->t->cdb[2] & 0x80;
	uint32_t allocation = get_be32(c->t->cdb + 6);

	if (options > 3)
		return cmd_bad_cdb(c, 2, 2);
	return options ? report_one(c, options, timeouts, allocation) : report_all(c, timeouts, allocation);
}

/*
 * Those of virtio-scsi, which the transport does: ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT
 * RESET, QUERY TASK; QUERY TASK SET, I_T NEXUS RESET. With REPD there is more room, for timeouts that are not
 * said.
 */
enum disk_next begin_report_tmf(struct cmd *c)
{
	bool extended = c->t->cdb[2] & 0x80;
	uint8_t b[16] = {0xdc, 0x03, 0, extended ? 12 : 0};

	return cmd_answer(c, b, extended ? 16 : 4, get_be32(c->t->cdb + 6));
}

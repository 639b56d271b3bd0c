/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocks that a CDB speaks of. */

#include "be.h"
#include "disk_private.h"

/* The CDB's group code says its form (SPC-4, 4.2.2): 6, 10, 12 or 16 bytes. */
struct extent extent_of(const uint8_t *cdb)
{
	struct extent x = {0};

	switch (cdb[0] >> 5) {
	case 0:
		x.lba = get_be24(cdb + 1) & 0x1fffff;
		x.n = cdb[4] ? cdb[4] : 256;
		break;
	case 1:
	case 2:
		x.lba = get_be32(cdb + 2);
		x.n = get_be16(cdb + 7);
		break;
	case 4:
		x.lba = get_be64(cdb + 2);
		x.n = get_be32(cdb + 10);
		break;
	case 5:
		x.lba = get_be32(cdb + 2);
		x.n = get_be32(cdb + 6);
		break;
	}
	return x;
}

bool extent_check(struct cmd *c, struct extent x)
{
	uint64_t blocks = atomic_load_explicit(&c->d->blocks, memory_order_relaxed);

	if (x.lba <= blocks && x.n <= blocks - x.lba)
		return true;
	cmd_out_of_range(c, x.lba > blocks ? x.lba : blocks);
	return false;
}

bool extent_limit(struct cmd *c, struct extent x)
{
	/* where the number of blocks is, by the CDB's length */
	static const uint8_t field[17] = {[6] = 4, [10] = 7, [12] = 6, [16] = 10};

	if (x.n <= TRANSFER_MAX_BYTES >> c->d->block_shift)
		return true;
	cmd_bad_cdb(c, field[c->op->cdb_len], 7);
	return false;
}

bool extent_enter(struct cmd *c, struct extent x, uint32_t *token)
{
	*token = gate_enter(&c->d->gate, x.lba, x.n);
	if (!nexus_conflicts(c->nexus, (enum op_access)c->op->access))
		return true;
	gate_leave(&c->d->gate, *token);
	scsi_end(c->t, SCSI_RESERVATION_CONFLICT);
	return false;
}

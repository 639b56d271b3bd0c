/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of a block device (SBC-3 5). */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "frame.h"
#include "scsi_private.h"

#define READ_CAPACITY_16 0x10 /* service action */
#define PROTECT 0xe0 /* RDPROTECT and its like: no protection information here */
#define NDOB 0x01
#define SAME_REFUSED 0x16 /* ANCHOR, PBDATA, LBDATA */
#define ANCHOR 0x01 /* of UNMAP */
#define START 0x01
#define POWER_CONDITION 0xf0

void scsi_test_unit_ready(struct scsi_command *c)
{
	(void)c;
}

/* The LUN is always started. Under a reservation, SBC-3 4.17 lets anyone start it and not everyone stop it.
 */
void scsi_start_stop(struct scsi_command *c)
{
	bool starts = (c->cdb[4] & (START | POWER_CONDITION)) == START;

	if (!starts && pr_conflicts(lun_store_pr(c->lun), &c->nexus, PR_ACCESS_WRITE))
		c->status = SCSI_RESERVATION_CONFLICT;
}

/* The range, when it lies on the LUN and its data does not exceed what one command moves. */
static bool range(struct scsi_command *c, struct scsi_range *r, bool moves_data)
{
	*r = scsi_range_of(c->cdb);
	if (r->lba >= lun_store_blocks(c->lun) || !lun_store_has(c->lun, r->lba, r->count)) {
		scsi_refuse(c, ASC_LBA_OUT_OF_RANGE);
		return false;
	}
	if ((c->cdb[0] >> 5 && (c->cdb[1] & PROTECT)) ||
	    (moves_data && r->count * lun_store_block_size(c->lun) > SCSI_DATA_MAX)) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return false;
	}
	return true;
}

void scsi_read(struct scsi_command *c)
{
	struct scsi_range r;
	uint8_t *p;
	size_t len;

	if (!range(c, &r, true))
		return;
	len = r.count * lun_store_block_size(c->lun);
	p = scsi_data_in(c, len, len);
	if (p && lun_store_read(c->lun, r.lba, (uint32_t)r.count, p))
		scsi_fail(c, SCSI_KEY_MEDIUM_ERROR, ASC_READ_ERROR);
}

static void store(struct scsi_command *c, uint64_t lba, uint64_t count, const void *data)
{
	if (lun_store_write(c->lun, lba, (uint32_t)count, data))
		scsi_fail(c, SCSI_KEY_MEDIUM_ERROR, ASC_WRITE_ERROR);
}

static void sync_if_asked(struct scsi_command *c)
{
	bool fua = c->cdb[0] >> 5 && (c->cdb[1] & 0x08);

	if (fua && c->status == SCSI_GOOD && lun_store_sync(c->lun))
		scsi_fail(c, SCSI_KEY_MEDIUM_ERROR, ASC_WRITE_ERROR);
}

void scsi_write(struct scsi_command *c)
{
	struct scsi_range r;

	if (!range(c, &r, true))
		return;
	store(c, r.lba, r.count, c->data_out);
	sync_if_asked(c);
}

void scsi_verify(struct scsi_command *c)
{
	struct scsi_range r;

	if (c->cdb[1] & 0x06) /* BYTCHK: to compare with data-out */
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
	else
		range(c, &r, false);
}

void scsi_sync(struct scsi_command *c)
{
	struct scsi_range r;

	if (range(c, &r, false) && lun_store_sync(c->lun))
		scsi_fail(c, SCSI_KEY_MEDIUM_ERROR, ASC_WRITE_ERROR);
}

/* SBC-3 5.2: the offset of the first byte that differs goes into the sense data's information field. */
static void miscompare(struct scsi_command *c, const uint8_t *there, size_t len)
{
	uint32_t at = 0;

	while (at < len && there[at] == c->data_out[at])
		at++;
	scsi_fail(c, SCSI_KEY_MISCOMPARE, ASC_MISCOMPARE);
	c->sense[0] |= 0x80;
	put_be32(c->sense + 3, at);
}

void scsi_compare_and_write(struct scsi_command *c)
{
	AUTO_FREE uint8_t *there = NULL;
	struct scsi_range r;
	size_t len;

	if (!range(c, &r, true) || !r.count)
		return;
	len = r.count * lun_store_block_size(c->lun);
	there = malloc(len);
	if (!there)
		scsi_fail(c, SCSI_KEY_ABORTED_COMMAND, ASC_INTERNAL_FAILURE);
	else if (lun_store_read(c->lun, r.lba, (uint32_t)r.count, there))
		scsi_fail(c, SCSI_KEY_MEDIUM_ERROR, ASC_READ_ERROR);
	else if (memcmp(there, c->data_out, len))
		miscompare(c, there, len);
	else
		store(c, r.lba, r.count, c->data_out + len);
	sync_if_asked(c);
}

static void unmap(struct scsi_command *c, uint64_t lba, uint64_t count)
{
	if (count && lun_store_unmap(c->lun, lba, count))
		scsi_fail(c, SCSI_KEY_MEDIUM_ERROR, ASC_WRITE_ERROR);
}

/*
 * Zeros are always unmapped, since that is what unmapped blocks read as; other data is written although UNMAP
 * asks otherwise (SBC-3 4.7.3.4).
 */
void scsi_write_same(struct scsi_command *c)
{
	bool no_data = c->cdb[0] == 0x93 && (c->cdb[1] & NDOB);
	size_t block = lun_store_block_size(c->lun);
	struct scsi_range r;
	bool zeros;

	if (!range(c, &r, false))
		return;
	if (!r.count) /* to the end of the LUN */
		r.count = lun_store_blocks(c->lun) - r.lba;
	if ((c->cdb[1] & SAME_REFUSED) || r.count > SCSI_SAME_BLOCKS_MAX) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	zeros = no_data || (!c->data_out[0] && !memcmp(c->data_out, c->data_out + 1, block - 1));
	if (zeros)
		unmap(c, r.lba, r.count);
	for (uint64_t i = 0; !zeros && i < r.count && c->status == SCSI_GOOD; i++)
		store(c, r.lba + i, 1, c->data_out);
}

static void unmap_check(struct scsi_command *c, const uint8_t *d, size_t n)
{
	uint64_t blocks = 0;

	for (size_t i = 0; i < n; i++, d += 16) {
		if (!lun_store_has(c->lun, get_be64(d), get_be32(d + 8))) {
			scsi_refuse(c, ASC_LBA_OUT_OF_RANGE);
			return;
		}
		blocks += get_be32(d + 8);
	}
	if (n > SCSI_UNMAP_DESCRIPTORS_MAX || blocks > SCSI_UNMAP_BLOCKS_MAX)
		scsi_refuse(c, ASC_INVALID_FIELD_IN_LIST);
}

/* SBC-3 5.28: all descriptors are checked before any is done. */
void scsi_unmap(struct scsi_command *c)
{
	size_t list = get_be16(c->cdb + 7), n;

	if (c->cdb[1] & ANCHOR) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	if (!list)
		return;
	if (list < 8 || get_be16(c->data_out + 2) > list - 8) {
		scsi_refuse(c, ASC_PARAMETER_LIST_LENGTH);
		return;
	}
	n = get_be16(c->data_out + 2) / 16;
	unmap_check(c, c->data_out + 8, n);
	for (size_t i = 0; i < n && c->status == SCSI_GOOD; i++) {
		const uint8_t *d = c->data_out + 8 + 16 * i;

		unmap(c, get_be64(d), get_be32(d + 8));
	}
}

void scsi_read_capacity_10(struct scsi_command *c)
{
	uint64_t last = lun_store_blocks(c->lun) - 1;
	uint8_t *p = scsi_data_in(c, 8, 8);

	if (!p)
		return;
	put_be32(p, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
	put_be32(p + 4, lun_store_block_size(c->lun));
}

void scsi_service_action_in(struct scsi_command *c)
{
	uint8_t *p;

	if ((c->cdb[1] & 0x1f) != READ_CAPACITY_16) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	p = scsi_data_in(c, 32, get_be32(c->cdb + 10));
	if (!p)
		return;
	put_be64(p, lun_store_blocks(c->lun) - 1);
	put_be32(p + 8, lun_store_block_size(c->lun));
	p[14] = 0xc0; /* thin; unmapped blocks read as zeros */
}

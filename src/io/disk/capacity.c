/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* READ CAPACITY and GET LBA STATUS. */
#include <errno.h>
#include <unistd.h>

#include "be.h"
#include "disk_private.h"

/* The address of the last block; of a disk without any, as if it had one, as everybody does. */
static uint64_t last_block(const struct disk *d)
{
	uint64_t blocks = disk_blocks(d);

	return blocks ? blocks - 1 : 0;
}

enum disk_next begin_capacity10(struct cmd *c)
{
	uint64_t last = last_block(c->d);
	uint8_t b[8];

	if (get_be32(c->t->cdb + 2)) /* PMI is obsolete, and so is its LBA */
		return cmd_bad_cdb(c, 2, 7);
	put_be32(last > UINT32_MAX ? UINT32_MAX : (uint32_t)last, b);
	put_be32(disk_block_size(c->d), b + 4);
	return cmd_answer(c, b, sizeof(b), sizeof(b));
}

enum disk_next begin_capacity16(struct cmd *c)
{
	uint8_t b[32] = {0};

	put_be64(last_block(c->d), b);
	put_be32(disk_block_size(c->d), b + 8);
	b[13] = (uint8_t)c->d->physical_exponent;
	b[14] = c->d->unmap ? 0xc0 : 0; /* LBPME, LBPRZ */
	return cmd_answer(c, b, sizeof(b), get_be32(c->t->cdb + 10));
}

#define STATUS_MAX 32 /* descriptors in one answer; the initiator asks on from where they end */

enum { LBA_MAPPED = 0, LBA_DEALLOCATED = 1 };

/*
 * From byte "at" of the file on: is it data, and up to where is that so? A file system that knows of no holes
 * says that all is data. A hole has to be as large as a block to count.
 */
static uint64_t run_end(struct disk *d, uint64_t at, uint64_t end, uint8_t *status)
{
	uint64_t mask = disk_block_size(d) - 1;
	off_t data, hole;

	data = lseek(d->fd, (off_t)at, SEEK_DATA);
	if (data < 0 && errno != ENXIO) {
		*status = LBA_MAPPED;
		return end;
	}
	if (data < 0 || (uint64_t)data >= end)
		data = (off_t)end;
	*status = LBA_DEALLOCATED;
	if (((uint64_t)data & ~mask) > at)
		return (uint64_t)data & ~mask;
	*status = LBA_MAPPED;
	hole = lseek(d->fd, (off_t)at, SEEK_HOLE);
	if (hole < 0 || (uint64_t)hole >= end)
		return end;
	return ((uint64_t)hole + mask) & ~mask;
}

/* SBC-3, 5.6 */
void run_lba_status(struct cmd *c)
{
	uint64_t at = get_be64(c->t->cdb + 2), end = disk_blocks(c->d), to, n;
	uint32_t allocation = get_be32(c->t->cdb + 10);
	unsigned shift = c->d->block_shift, used = 0;
	uint8_t b[8 + 16 * STATUS_MAX] = {0}, *p, status;

	if (at >= end) {
		cmd_out_of_range(c, at);
		return;
	}
	while (at < end && used < STATUS_MAX) {
		to = run_end(c->d, at << shift, end << shift, &status) >> shift;
		n = to > at ? to - at : 1;
		if (n > UINT32_MAX)
			n = UINT32_MAX;
		p = b + 8 + 16 * used++;
		put_be64(at, p);
		put_be32((uint32_t)n, p + 8);
		p[12] = status;
		at += n;
	}
	put_be32(4 + 16 * used, b);
	cmd_answer(c, b, 8 + 16 * used, allocation);
}

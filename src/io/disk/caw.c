/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* COMPARE AND WRITE (SBC-3, 5.2). */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "disk_private.h"

/* The blocks are this command's alone. instance: first what is expected, then what is to be. */
static void swap(struct cmd *c, struct extent x, const uint8_t *instance, uint8_t *buf)
{
	struct disk *d = c->d;
	uint64_t at = x.lba << d->block_shift;
	size_t len = (size_t)x.n << d->block_shift, diff = 0;
	bool stable = (c->t->cdb[1] & 0x08) || !disk_mode(d, MODE_WCE);
	struct scsi_detail detail = {.has_info = true};
	int rc;

	/* The second half into an aligned buffer of its own: the block size may be less than O_DIRECT wants.
	 */
	rc = file_read(d, at, buf, len);
	if (rc) {
		cmd_errno(c, -rc, false, x.lba);
		return;
	}
	while (diff < len && buf[diff] == instance[diff])
		diff++;
	if (diff < len) {
		detail.info = diff;
		scsi_check(c->t, disk_mode(d, MODE_D_SENSE), KEY_MISCOMPARE, ASC_MISCOMPARE, &detail);
		return;
	}
	memcpy(buf, instance + len, len);
	rc = file_write(d, at, buf, len, stable);
	if (rc)
		cmd_errno(c, -rc, true, x.lba);
	else
		cmd_good(c);
}

void run_compare_write(struct cmd *c)
{
	AUTO_FREE uint8_t *instance = NULL, *buf = NULL;
	struct extent x = {.lba = extent_of(c->t->cdb).lba, .n = c->t->cdb[13]};
	struct gate_range range;
	size_t len = (size_t)x.n << c->d->block_shift;

	if (c->t->cdb[1] & 0xe0) { /* WRPROTECT */
		cmd_bad_cdb(c, 1, 7);
		return;
	}
	if (x.n > CAW_MAX_BLOCKS) {
		cmd_bad_cdb(c, 13, 7);
		return;
	}
	if (!extent_check(c, x))
		return;
	if (!x.n) {
		cmd_good(c);
		return;
	}
	if (!cmd_room(c, true, 2 * len))
		return;
	instance = file_buffer(2 * len);
	buf = file_buffer(len);
	if (!instance || !buf) {
		scsi_end(c->t, SCSI_BUSY);
		return;
	}
	/* Taken once: the guest could change what was compared. */
	if (!cmd_take(c, instance, 2 * len))
		return;
	gate_exclude(&c->d->gate, &range, x.lba, x.n);
	if (nexus_conflicts(c->nexus, ACCESS_WRITE))
		scsi_end(c->t, SCSI_RESERVATION_CONFLICT);
	else
		swap(c, x, instance, buf);
	gate_admit(&c->d->gate, &range);
}

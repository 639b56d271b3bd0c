/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UNMAP and WRITE SAME (SBC-3, 5.28, 5.43 and 5.44). */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "cleanup.h"
#include "disk_private.h"

#define LIST_HEADER 8
#define DESCRIPTOR 16
#define LIST_MAX (LIST_HEADER + DESCRIPTOR * UNMAP_MAX_DESCRIPTORS)

static int allocate(struct disk *d, int how, struct extent x)
{
	int rc;

	do
		rc = fallocate(d->fd, how | FALLOC_FL_KEEP_SIZE, (off_t)(x.lba << d->block_shift),
			       (off_t)(x.n << d->block_shift));
	while (rc && errno == EINTR);
	return rc ? -errno : 0;
}

/* The file system or the device under it can't, there or at all: the blocks have to be written. */
static bool unable(int rc)
{
	return rc == -EOPNOTSUPP || rc == -EINVAL || rc == -ENOSYS;
}

static struct extent descriptor(const uint8_t *list, unsigned i)
{
	const uint8_t *at = list + LIST_HEADER + (size_t)i * DESCRIPTOR;

	return (struct extent){.lba = get_be64(at), .n = get_be32(at + 8)};
}

/* 0, -errno, or 1: the task has ended. Where no hole can be punched the blocks stay mapped, as SBC-3, 4.7.3.4
 * allows. */
static int unmap_one(struct cmd *c, struct extent x)
{
	uint32_t token;
	int rc;

	if (!x.n)
		return 0;
	if (!extent_enter(c, x, &token))
		return 1;
	rc = allocate(c->d, FALLOC_FL_PUNCH_HOLE, x);
	gate_leave(&c->d->gate, token);
	return unable(rc) ? 0 : rc;
}

static void unmap(struct cmd *c, const uint8_t *list, unsigned n)
{
	uint64_t all = 0;
	int rc = 0;

	/* All are looked at before one is done. */
	for (unsigned i = 0; i < n; i++) {
		if (!extent_check(c, descriptor(list, i)))
			return;
		all += descriptor(list, i).n;
	}
	if (all > UNMAP_MAX_BYTES >> c->d->block_shift) {
		cmd_bad_parameter(c, LIST_HEADER + 8, 7);
		return;
	}
	for (unsigned i = 0; i < n && !rc; i++)
		rc = unmap_one(c, descriptor(list, i));
	if (!rc && !disk_mode(c->d, MODE_WCE))
		rc = file_flush(c->d);
	if (rc < 0)
		cmd_errno(c, -rc, true, UINT64_MAX);
	else if (!rc)
		cmd_good(c);
}

void run_unmap(struct cmd *c)
{
	size_t len = get_be16(c->t->cdb + 7), said;
	AUTO_FREE uint8_t *list = NULL;
	unsigned n;

	if (c->t->cdb[1] & 0x01) { /* ANCHOR */
		cmd_bad_cdb(c, 1, 0);
		return;
	}
	if (!len) {
		cmd_good(c);
		return;
	}
	if (len < LIST_HEADER) {
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
		return;
	}
	list = calloc(1, LIST_MAX);
	if (!list) {
		scsi_end(c->t, SCSI_BUSY);
		return;
	}
	if (!cmd_room(c, true, len) || !cmd_take(c, list, len < LIST_MAX ? len : LIST_MAX))
		return;
	/* Descriptors that are not whole, by either length, are not looked at. */
	said = get_be16(list + 2);
	n = (unsigned)((said < len - LIST_HEADER ? said : len - LIST_HEADER) / DESCRIPTOR);
	if (n > UNMAP_MAX_DESCRIPTORS) {
		cmd_bad_parameter(c, 2, 7);
		return;
	}
	unmap(c, list, n);
}

static int write_pattern(struct cmd *c, struct extent x, const uint8_t *block)
{
	uint64_t at = x.lba << c->d->block_shift, left = x.n << c->d->block_shift;
	size_t size = disk_block_size(c->d), part, filled;
	AUTO_FREE uint8_t *buf = file_buffer(FILE_CHUNK);
	int rc;

	if (!buf)
		return -ENOMEM;
	filled = left < FILE_CHUNK ? left : FILE_CHUNK;
	for (size_t i = 0; i < filled; i += size)
		memcpy(buf + i, block, size);
	for (; left; left -= part, at += part) {
		part = left < FILE_CHUNK ? left : FILE_CHUNK;
		rc = file_write(c->d, at, buf, part, false);
		if (rc)
			return rc;
	}
	return 0;
}

/* Zeros need not be written where the file system can say so; holes only when UNMAP allows them. */
static int write_same(struct cmd *c, struct extent x, const uint8_t *block, bool may_unmap)
{
	bool zeros = !block[0] && !memcmp(block, block + 1, disk_block_size(c->d) - 1);
	int rc = -EOPNOTSUPP;

	if (zeros)
		rc = allocate(c->d, may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE, x);
	if (unable(rc))
		rc = write_pattern(c, x, block);
	if (!rc && !disk_mode(c->d, MODE_WCE))
		rc = file_flush(c->d);
	return rc;
}

void run_write_same(struct cmd *c)
{
	const uint8_t *cdb = c->t->cdb;
	bool may_unmap = cdb[1] & 0x08, no_data = cdb[0] == 0x93 && (cdb[1] & 0x01);
	struct extent x = extent_of(cdb);
	uint8_t block[4096] = {0};
	uint32_t token;
	int rc;

	/* WRPROTECT, ANCHOR, and what is obsolete: PBDATA, LBDATA */
	if (cdb[1] & (cdb[0] == 0x93 ? 0xf6 : 0xf7)) {
		cmd_bad_cdb(c, 1, 7);
		return;
	}
	if (may_unmap && !c->d->unmap) {
		cmd_bad_cdb(c, 1, 3);
		return;
	}
	if (!x.n) { /* WSNZ: not "all the rest" */
		cmd_bad_cdb(c, cdb[0] == 0x93 ? 10 : 7, 7);
		return;
	}
	if (!extent_limit(c, x) || !extent_check(c, x) ||
	    (!no_data && !cmd_take(c, block, disk_block_size(c->d))))
		return;
	if (!extent_enter(c, x, &token))
		return;
	rc = write_same(c, x, block, may_unmap);
	gate_leave(&c->d->gate, token);
	if (rc)
		cmd_errno(c, -rc, true, x.lba);
	else
		cmd_good(c);
}

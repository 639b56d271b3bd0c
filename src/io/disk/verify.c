/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VERIFY and WRITE AND VERIFY (SBC-3, 5.33 and 5.41). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "disk_private.h"
#include "scsi_data.h"

/* BYTCHK: what the medium is compared with */
enum check { CHECK_READABLE = 0, CHECK_DATA = 1, CHECK_ONE_BLOCK = 3 };

/* A miscompare is at "at" of the Data-Out, in all. */
static void miscompare(struct cmd *c, uint64_t at)
{
	struct scsi_detail detail = {.has_info = true, .info = at};

	scsi_check(c->t, disk_mode(c->d, MODE_D_SENSE), KEY_MISCOMPARE, ASC_MISCOMPARE, &detail);
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* Fill buf with what bytes "at" and on should be. false: the guest has fewer than it says. */
static bool expected(struct cmd *c, enum check check, uint64_t at, uint8_t *buf, size_t len)
{
	size_t block = disk_block_size(c->d);

	if (check == CHECK_DATA)
		return scsi_data_out(c->t, at, buf, len) == len;
	if (scsi_data_out(c->t, 0, buf, block) != block)
		return false;
	for (size_t i = block; i < len; i += block)
		memcpy(buf + i, buf, block);
	return true;
}

/* Read all of it, and compare. true: good; else the task has ended. */
static bool verify(struct cmd *c, struct extent x, enum check check, uint8_t *buf, uint8_t *other)
{
	uint64_t base = x.lba << c->d->block_shift, len = x.n << c->d->block_shift;
	size_t part, diff;
	int rc;

	for (uint64_t at = 0; at < len; at += part) {
		part = len - at < FILE_CHUNK ? len - at : FILE_CHUNK;
		rc = file_read(c->d, base + at, buf, part);
		if (!rc && check != CHECK_READABLE && !expected(c, check, at, other, part))
			rc = -EFAULT;
		if (rc) {
			cmd_errno(c, -rc, false, (base + at) >> c->d->block_shift);
			return false;
		}
		if (check == CHECK_READABLE)
			continue;
		diff = first_difference(buf, other, part);
		if (diff < part) {
			miscompare(c, at + diff);
			return false;
		}
	}
	return true;
}

/* Both commands' fields. false: the task has ended. */
static bool checked(struct cmd *c, struct extent *x, enum check *check, bool write)
{
	uint64_t need;

	*x = extent_of(c->t->cdb);
	*check = c->t->cdb[1] >> 1 & 3;
	if (c->t->cdb[1] & 0xe0) { /* VRPROTECT, WRPROTECT */
		cmd_bad_cdb(c, 1, 7);
		return false;
	}
	if (*check == 2 || (write && *check == CHECK_ONE_BLOCK)) {
		cmd_bad_cdb(c, 1, 2);
		return false;
	}
	if (!extent_check(c, *x) || !extent_limit(c, *x))
		return false;
	need = write || *check == CHECK_DATA ? x->n : *check == CHECK_ONE_BLOCK && x->n ? 1 : 0;
	if (!cmd_room(c, true, need << c->d->block_shift))
		return false;
	c->t->moved = need << c->d->block_shift;
	if (!x->n)
		cmd_good(c);
	return x->n;
}

static void run(struct cmd *c, bool (*work)(struct cmd *, struct extent, enum check, uint8_t *, uint8_t *),
		bool write)
{
	AUTO_FREE uint8_t *buf = NULL, *other = NULL;
	enum check check;
	struct extent x;
	uint32_t token;

	if (!checked(c, &x, &check, write))
		return;
	buf = file_buffer(FILE_CHUNK);
	other = file_buffer(FILE_CHUNK);
	if (!buf || !other) {
		scsi_end(c->t, SCSI_BUSY);
		return;
	}
	if (!extent_enter(c, x, &token))
		return;
	if (work(c, x, check, buf, other))
		cmd_good(c);
	gate_leave(&c->d->gate, token);
}

void run_verify(struct cmd *c)
{
	run(c, verify, false);
}

/* Through to the medium, whatever the cache: that is what is asked for. */
static bool write_verify(struct cmd *c, struct extent x, enum check check, uint8_t *buf, uint8_t *other)
{
	uint64_t base = x.lba << c->d->block_shift, len = x.n << c->d->block_shift;
	size_t part;
	int rc;

	for (uint64_t at = 0; at < len; at += part) {
		part = len - at < FILE_CHUNK ? len - at : FILE_CHUNK;
		rc = expected(c, CHECK_DATA, at, buf, part) ? file_write(c->d, base + at, buf, part, true)
							    : -EFAULT;
		if (rc) {
			cmd_errno(c, -rc, true, (base + at) >> c->d->block_shift);
			return false;
		}
	}
	return verify(c, x, check, buf, other);
}

void run_write_verify(struct cmd *c)
{
	run(c, write_verify, true);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a command ends. */
#include <errno.h>

#include "cleanup.h"
#include "disk_private.h"
#include "scsi_data.h"

static enum disk_next check(struct cmd *c, enum scsi_key key, enum scsi_asc asc,
			    const struct scsi_detail *detail)
{
	scsi_check(c->t, disk_mode(c->d, MODE_D_SENSE), key, asc, detail);
	return DISK_DONE;
}

enum disk_next cmd_good(struct cmd *c)
{
	scsi_end(c->t, SCSI_GOOD);
	return DISK_DONE;
}

enum disk_next cmd_check(struct cmd *c, enum scsi_key key, enum scsi_asc asc)
{
	return check(c, key, asc, NULL);
}

static enum disk_next bad_field(struct cmd *c, enum scsi_asc asc, unsigned byte, int bit)
{
	struct scsi_detail detail = {
		.has_field = true,
		.in_cdb = asc == ASC_INVALID_FIELD_IN_CDB,
		.byte = (uint16_t)byte,
		.bit = bit,
	};

	return check(c, KEY_ILLEGAL_REQUEST, asc, &detail);
}

enum disk_next cmd_bad_cdb(struct cmd *c, unsigned byte, int bit)
{
	return bad_field(c, ASC_INVALID_FIELD_IN_CDB, byte, bit);
}

enum disk_next cmd_bad_parameter(struct cmd *c, unsigned byte, int bit)
{
	return bad_field(c, ASC_INVALID_FIELD_IN_PARAMETERS, byte, bit);
}

enum disk_next cmd_out_of_range(struct cmd *c, uint64_t lba)
{
	struct scsi_detail detail = {.has_info = true, .info = lba};

	return check(c, KEY_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, &detail);
}

enum disk_next cmd_answer(struct cmd *c, const void *data, size_t len, size_t allocation)
{
	scsi_answer(c->t, data, len, allocation);
	return DISK_DONE;
}

/*
 * The medium's own errors are MEDIUM ERROR. What may pass is BUSY, which the initiator tries again without an
 * error; a file that can't grow or be written is protected, so that nobody retries.
 */
static const struct {
	int error;
	enum scsi_status status;
	enum scsi_key key;
	enum scsi_asc asc;
} errors[] = {
	{ECANCELED, SCSI_BUSY, 0, 0},
	{EAGAIN, SCSI_BUSY, 0, 0},
	{ENOMEM, SCSI_BUSY, 0, 0},
	{ENOBUFS, SCSI_BUSY, 0, 0},
	{ENOSPC, SCSI_CHECK_CONDITION, KEY_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED},
	{EDQUOT, SCSI_CHECK_CONDITION, KEY_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED},
	{EFBIG, SCSI_CHECK_CONDITION, KEY_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED},
	{EROFS, SCSI_CHECK_CONDITION, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED},
	{EPERM, SCSI_CHECK_CONDITION, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED},
	{EBADF, SCSI_CHECK_CONDITION, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED},
	{ENODEV, SCSI_CHECK_CONDITION, KEY_HARDWARE_ERROR, ASC_LUN_NOT_ACCESSIBLE},
	{ENXIO, SCSI_CHECK_CONDITION, KEY_HARDWARE_ERROR, ASC_LUN_NOT_ACCESSIBLE},
	{ESTALE, SCSI_CHECK_CONDITION, KEY_HARDWARE_ERROR, ASC_LUN_NOT_ACCESSIBLE},
};

enum disk_next cmd_errno(struct cmd *c, int error, bool write, uint64_t lba)
{
	struct scsi_detail detail = {.has_info = lba != UINT64_MAX, .info = lba};

	for (unsigned i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].error != error)
			continue;
		if (errors[i].status != SCSI_CHECK_CONDITION) {
			scsi_end(c->t, errors[i].status);
			return DISK_DONE;
		}
		return check(c, errors[i].key, errors[i].asc, NULL);
	}
	return check(c, KEY_MEDIUM_ERROR, write ? ASC_WRITE_ERROR : ASC_READ_ERROR, &detail);
}

bool cmd_room(struct cmd *c, bool out, uint64_t len)
{
	if (len <= (out ? c->t->out_len : c->t->in_len))
		return true;
	c->t->overrun = true;
	cmd_good(c);
	return false;
}

bool cmd_take(struct cmd *c, void *buf, size_t len)
{
	if (!cmd_room(c, true, len))
		return false;
	if (scsi_data_out(c->t, 0, buf, len) != len) {
		c->t->overrun = true; /* the iovecs hold less than out_len says */
		cmd_good(c);
		return false;
	}
	c->t->moved = len;
	return true;
}

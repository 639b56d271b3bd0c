/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SCSI commands that a manager sends by itself: TEST UNIT READY and REPORT LUNS (SPC-4). */
#include <errno.h>
#include <string.h>

#include "internal.h"

enum { TEST_UNIT_READY = 0x00, REPORT_LUNS = 0xa0 };

static ssize_t report_luns(const struct fakefc_lun *l, const uint8_t *cdb, size_t cdb_len, uint8_t *data,
			   size_t size)
{
	size_t n = l->rport->target->luns, room;

	if (cdb_len < 12)
		return -EIO;
	room = (size_t)cdb[6] << 24 | (size_t)cdb[7] << 16 | (size_t)cdb[8] << 8 | cdb[9];
	if (room < size)
		size = room;
	if (size < 8 + 8 * n)
		return -EIO; /* a manager that gives too little room is not met here */
	memset(data, 0, 8 + 8 * n);
	data[2] = (uint8_t)(8 * n >> 8);
	data[3] = (uint8_t)(8 * n);
	for (size_t i = 0; i < n; i++)
		data[8 + 8 * i + 1] = (uint8_t)i;
	return (ssize_t)(8 + 8 * n);
}

ssize_t fakefc_scsi(struct fakefc *f, struct fakefc_lun *l, const uint8_t *cdb, size_t cdb_len, uint8_t *data,
		    size_t size)
{
	if (strcmp(l->state, "running") || !l->rport->port->hba->knobs.link)
		return -ENXIO;
	if (!cdb_len)
		return -EINVAL;
	if (l->rport->target->mode != TARGET_OK)
		return -ETIMEDOUT;
	f->completed++;
	if (cdb[0] == TEST_UNIT_READY)
		return 0;
	return cdb[0] == REPORT_LUNS ? report_luns(l, cdb, cdb_len, data, size) : -EIO;
}

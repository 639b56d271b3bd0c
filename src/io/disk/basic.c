/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TEST UNIT READY, REQUEST SENSE, START STOP UNIT, and REPORT LUNS of a disk that stands alone. */
#include "disk_private.h"
#include "luns.h"

enum disk_next begin_ready(struct cmd *c)
{
	return cmd_good(c);
}

/* A waiting unit attention is the answer, and told by it (SAM-5, 5.14). */
enum disk_next begin_request_sense(struct cmd *c)
{
	enum disk_attention ua = nexus_take(c->nexus);
	bool descriptor = c->t->cdb[1] & 1;
	uint8_t data[SCSI_SENSE_MAX];
	unsigned n;

	if (ua == DISK_UA_N)
		n = scsi_sense_build(data, descriptor, KEY_NO_SENSE, ASC_NONE, NULL);
	else
		n = scsi_sense_build(data, descriptor, KEY_UNIT_ATTENTION, disk_attention_asc(ua), NULL);
	return cmd_answer(c, data, n, c->t->cdb[4]);
}

/*
 * A file has no motor and can't be ejected: to stop is to have the cache on the medium, as SBC-3, 5.20 asks
 * for, and nothing more. Only a plain start passes a reservation.
 */
enum disk_next begin_start_stop(struct cmd *c)
{
	bool start = c->t->cdb[4] & 0x01, eject = c->t->cdb[4] & 0x02, no_flush = c->t->cdb[4] & 0x04;
	unsigned condition = c->t->cdb[4] >> 4;

	if (!(start && !condition) && nexus_conflicts(c->nexus, ACCESS_WRITE)) {
		scsi_end(c->t, SCSI_RESERVATION_CONFLICT);
		return DISK_DONE;
	}
	if (eject && !condition)
		return cmd_bad_cdb(c, 4, 1);
	if (start || condition || no_flush)
		return cmd_good(c);
	return rw_flush(c);
}

/* The transport answers for a target with several; alone, a disk is LUN 0. */
enum disk_next begin_report_luns(struct cmd *c)
{
	static const uint64_t zero;

	scsi_report_luns(c->t, &zero, 1);
	return DISK_DONE;
}

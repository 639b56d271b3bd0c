/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One SCSI command between the guest's ring and a LUN: what both halves of vhba-io see of it.
 *
 * The transport (virtio_scsi.c) fills the request part and owns the object and every buffer until done: the
 * CDB is a copy, so the guest can't change it any more; the data are iovecs over guest memory (which the
 * guest may still change: who decides on a byte copies it first) or over a bounce buffer.  A LUN back end
 * fills the answer part.  A task is touched by one thread at a time.
 *
 * Source: SAM-5 (status, sense), SPC-4 (CDB, sense data), virtio 1.1, 5.6.6.1 (limits).
 */
#ifndef VHBA_SCSI_TASK_H
#define VHBA_SCSI_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define SCSI_CDB_MAX 32
#define SCSI_SENSE_MAX 96 /* virtio-scsi's default sense_size */

/* SAM-5, 5.3.1 */
enum scsi_status {
	SCSI_GOOD = 0x00,
	SCSI_CHECK_CONDITION = 0x02,
	SCSI_BUSY = 0x08,
	SCSI_RESERVATION_CONFLICT = 0x18,
	SCSI_TASK_SET_FULL = 0x28,
	SCSI_TASK_ABORTED = 0x40,
};

struct scsi_task {
	/* the request */
	uint8_t cdb[SCSI_CDB_MAX]; /* zeros after cdb_len */
	unsigned cdb_len;
	const struct iovec *out, *in; /* Data-Out: read it; Data-In: write it */
	unsigned out_n, in_n;
	size_t out_len, in_len; /* bytes in all of the iovecs */
	/* the answer */
	uint8_t status; /* enum scsi_status */
	uint8_t sense[SCSI_SENSE_MAX]; /* fixed or descriptor format, as the LUN's D_SENSE says */
	unsigned sense_len; /* 0: none */
	size_t moved; /* bytes of the direction that the command has which were really moved */
	bool lost; /* BUSY: nobody answers by the LUN's one path, and the guest may have others */
	bool overrun; /* the CDB says more data than the buffers have: nothing was executed, status is GOOD */
};

/* Its execution begins, or begins anew: what an answer says besides its status is forgotten. */
static inline void scsi_begin(struct scsi_task *t)
{
	t->moved = 0;
	t->lost = t->overrun = false;
}

#endif

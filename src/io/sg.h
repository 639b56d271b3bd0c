/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One SCSI command by SG_IO, and what became of it.
 *
 * The calling thread waits in the kernel until the command has ended: for its timeout and the error handling
 * after it, or, while the rport is Blocked, until that ends.
 *
 * Source: linux/drivers/scsi/sg.c (sg_new_write, sg_new_read); include/scsi/scsi_status.h for host_status.
 */
#ifndef VHBA_IO_SG_H
#define VHBA_IO_SG_H

#include <stdbool.h>
#include <stdint.h>

#include "scsi_task.h"

#define SG_DATA_MAX (1u << 20) /* bytes of one command */

struct sg_command {
	const uint8_t *cdb;
	unsigned cdb_len;
	void *data; /* the kernel copies it from or to its own pages, in this thread */
	uint32_t len; /* at most SG_DATA_MAX; 0: no data */
	bool out; /* Data-Out */
	/* the answer, with SG_ANSWERED only */
	uint8_t status;
	uint8_t sense[SCSI_SENSE_MAX];
	unsigned sense_len;
	/*
	 * As the HBA's driver says. libfc never says that less came than was asked for (Linux 6.1); what
	 * follows the data then is what sg's pages held, which were zeroed for this descriptor and have seen
	 * its commands only. (SG_DXFER_TO_FROM_DEV, made for that, fails there.)
	 */
	uint32_t moved;
	/* why there is none, for the log */
	int error; /* errno */
	unsigned host_status;
};

enum sg_end {
	SG_ANSWERED, /* the target's own status */
	SG_LOST, /* the path was: it may have been executed */
	SG_NOT_BEGUN, /* it wasn't sent, for a want that passes */
	SG_FORBIDDEN, /* it wasn't sent: the file descriptor is for reading only */
	SG_REFUSED, /* it wasn't sent: neither the kernel nor the HBA takes such a command */
};

enum sg_end sg_execute(int fd, struct sg_command *);

/* For other ways to send one (bsg.h): how long it may take, and what became of it by an errno, or by the
 * statuses. */
unsigned sg_timeout_ms(uint8_t opcode);
enum sg_end sg_end_of_errno(int error);
enum sg_end sg_end_of_status(const struct sg_command *);

#endif

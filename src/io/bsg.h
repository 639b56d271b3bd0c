/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One SCSI command as io_uring takes it for a bsg node, and its answer: nothing here sends or waits.
 *
 * Source: linux/include/uapi/linux/bsg.h and drivers/scsi/scsi_bsg.c (scsi_bsg_uring_cmd), since Linux 7.1.
 * It needs a ring with IORING_SETUP_SQE128 and IORING_SETUP_CQE32.
 */
#ifndef VHBA_IO_BSG_H
#define VHBA_IO_BSG_H

#include <stdint.h>
#include <liburing.h>

#include "sg.h"

/* All of the entry, which has 128 bytes. sense: room for SCSI_SENSE_MAX, until the command has ended. */
void bsg_prepare(struct io_uring_sqe *, int fd, const struct sg_command *, uint8_t *sense);

/* The answer: the completion's two results. */
enum sg_end bsg_end(struct sg_command *, int32_t result, uint64_t more, const uint8_t *sense);

#endif

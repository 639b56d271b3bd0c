/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes between a task's iovecs and a flat buffer.  The iovecs may lie in guest memory, which the guest
 * changes when it likes: what a decision rests on is taken out once, by these, and looked at only in the
 * copy.
 */
#ifndef VHBA_SCSI_DATA_H
#define VHBA_SCSI_DATA_H

#include "scsi_task.h"

/* Both return how many bytes of "len" there were room for or data in, from byte "skip" of the iovecs on. */
size_t scsi_data_in(const struct scsi_task *, size_t skip, const void *buf, size_t len);
size_t scsi_data_out(const struct scsi_task *, size_t skip, void *buf, size_t len);

/*
 * Answer with parameter data: as much as the allocation length and the buffers have room for; a short buffer
 * is no error (SPC-4, 4.2.5.6). Status GOOD.
 */
void scsi_answer(struct scsi_task *, const void *data, size_t len, size_t allocation);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virtio-scsi's headers and addresses: what a chain of a request queue says, and how it is answered.
 *
 * The front end keeps the configuration space, which is left at its defaults by every known driver: CDBs of
 * 32 bytes and sense data of 96. The driver's header and data may be cut into descriptors as it likes.
 *
 * Source: virtio 1.1, 5.6.6; SAM-5, 4.7 (LUN formats).
 */
#ifndef VHBA_IO_VIRTIO_SCSI_H
#define VHBA_IO_VIRTIO_SCSI_H

#include <stdint.h>
#include <linux/virtio_scsi.h>

#include "iov.h"
#include "task.h"
#include "virtqueue.h"

enum vscsi_address {
	VSCSI_BAD_TARGET, /* not the one target that there is */
	VSCSI_REPORT_LUNS, /* its REPORT LUNS well-known logical unit */
	VSCSI_UNIT, /* a logical unit; whether it exists is another question */
};

/* What the 8 bytes of an address mean. *number is set for VSCSI_UNIT; a number too big for any is 0xffff. */
enum vscsi_address vscsi_address(const uint8_t lun[8], uint16_t *number);

/* The reverse, as the guest expects it in events. */
void vscsi_address_of(uint8_t lun[8], uint16_t number);

/* As in struct device_type. */
const char *vscsi_parse(struct io_task *, const struct vq_chain *);
uint32_t vscsi_answer(const struct io_task *);

#endif

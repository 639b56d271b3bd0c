/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virtio-blk's requests, as SCSI commands: READ(16), WRITE(16), SYNCHRONIZE CACHE(16), UNMAP and WRITE
 * SAME(16), so that any LUN serves them. The functions are those of struct device_type.
 *
 * Source: virtio 1.1, 5.2.6.
 */
#ifndef VHBA_IO_VIRTIO_BLK_H
#define VHBA_IO_VIRTIO_BLK_H

#include <linux/virtio_blk.h>

#include "blk_facts.h"
#include "device_type.h"
#include "task.h"
#include "virtqueue.h"

const char *vblk_parse(struct io_task *, const struct vq_chain *);

/* What the task's request is by SCSI, left in it. features: what was agreed upon. False: it has ended. */
bool vblk_translate(struct io_task *, const struct blk_facts *, uint64_t features);

uint32_t vblk_answer(const struct io_task *);

/* A guest knows of no unit attention, and BUSY isn't an answer that it could be given. */
enum again vblk_again(const struct io_task *);

#endif

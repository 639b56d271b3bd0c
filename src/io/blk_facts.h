/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a virtio-blk device says of its one LUN. Only the capacity ever changes. */
#ifndef VHBA_IO_BLK_FACTS_H
#define VHBA_IO_BLK_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/virtio_blk.h>

#define BLK_SECTOR 512u /* the unit of all that virtio-blk says, whatever a block is */

struct lun;

struct blk_facts {
	/* for the workers; none of it changes once a ring runs */
	uint32_t block; /* bytes of a logical block */
	uint32_t discard_max, zeroes_max; /* sectors of one command; 0: it isn't offered */
	bool zeroes_unmap; /* blocks that are to be zeros may be unmapped */
	uint8_t id[VIRTIO_BLK_ID_BYTES]; /* zeros after its end, if it has less */
	/* for the device */
	uint64_t features;
	struct virtio_blk_config config; /* as the guest reads it: little-endian */
};

/*
 * Ask the LUN, by INQUIRY, which a unit answers before it is started. It may take as long as a SCSI device
 * takes. queues: the most that a front end may have.
 */
void blk_learn(struct blk_facts *, const struct lun *, uint64_t nexus, unsigned queues);

/* The LUN may have another size. True: it has. */
bool blk_resize(struct blk_facts *, const struct lun *);

#endif

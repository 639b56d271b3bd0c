/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A virtio-blk guest for tests: vhba-io with --device blk, and the requests of its driver. */
#ifndef VHBA_TESTS_BLK_H
#define VHBA_TESTS_BLK_H

#include <linux/virtio_blk.h>

#include "world.h"

#define BLK_RINGS 3 /* of front_init with 1 queue: with virtio-blk all of them are request rings */
#define BLK_PENDING 0xee /* a status that no device has written */

/* features 0: all. Options but for type and luns are taken as they are. */
void blk_begin(struct world *, struct backend_options, uint64_t features);

/* A request without data; its status is BLK_PENDING until it ends. */
void blk_request(struct front_req *, uint32_t type, uint64_t sector);
/* With data of so many bytes. */
void blk_rw(struct front_req *, bool write, uint64_t sector, uint64_t gpa, uint32_t len);
/* DISCARD or WRITE ZEROES of a range, which is written to gpa. */
void blk_range(struct front *, struct front_req *, uint32_t type, uint64_t gpa, uint64_t sector, uint32_t n,
	       uint32_t flags);

uint8_t blk_status(const struct front_req *);
/* Send, wait; the status. */
uint8_t blk_do(struct front *, unsigned ring, struct front_req *);

/* The configuration space, by GET_CONFIG. Returns how many bytes came. */
uint32_t blk_space(struct front *, uint32_t offset, uint32_t size, void *bytes);

#endif

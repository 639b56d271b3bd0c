/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which descriptor heads of a split ring are under way, kept in memory that the front end holds, so that
 * they are known to the next back end after this one was killed.
 *
 * The bytes are shared with the front end: everything read from them is checked.
 *
 * Source: the vhost-user protocol, "Inflight I/O tracking", split virtqueues; the order of the steps too.
 */
#ifndef VHBA_IO_INFLIGHT_H
#define VHBA_IO_INFLIGHT_H

#include <stddef.h>
#include <stdint.h>

struct inflight_desc {
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;
	uint64_t counter;
};

struct inflight_queue {
	uint64_t features;
	uint16_t version;
	uint16_t desc_num;
	uint16_t last_batch_head;
	uint16_t used_idx;
	struct inflight_desc desc[];
};

/* Bytes of one queue's part, and of all. */
size_t inflight_queue_size(unsigned desc_num);

/* The part of queue "index" in a region of size bytes; NULL when it isn't there. */
struct inflight_queue *inflight_queue_at(void *region, size_t size, unsigned index, unsigned desc_num);

/* A head was taken from the ring. */
void inflight_begin(struct inflight_queue *, uint16_t head, uint64_t counter);

/* It went back to the ring, unused. */
void inflight_cancel(struct inflight_queue *, uint16_t head);

/* Heads stand in the used ring, but its index isn't published yet: call once for each, in their order. */
void inflight_done(struct inflight_queue *, uint16_t head);

/* The index is published, and with it these heads. */
void inflight_end(struct inflight_queue *, const uint16_t *heads, unsigned count, uint16_t used_idx);

/*
 * Take up a ring of desc_num descriptors whose used index is used_idx: finish a batch that was cut off,
 * and write the heads still under way to heads (room for desc_num), those first taken first.  Returns their
 * number; *counter is more than any that was used.
 */
unsigned inflight_resume(struct inflight_queue *, unsigned desc_num, uint16_t used_idx, uint16_t *heads,
			 uint64_t *counter);

#endif

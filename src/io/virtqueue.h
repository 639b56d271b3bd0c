/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A split virtqueue from the device's side.
 *
 * One thread at a time uses one.  Everything in the ring is the guest's: a descriptor is copied once and then
 * checked, and a ring that breaks a rule is not read any more until it is set up anew (broken says why).
 *
 * Source: virtio 1.1, 2.6; the vhost-user protocol, "Ring states", VHOST_USER_SET_VRING_ADDR.
 */
#ifndef VHBA_IO_VIRTQUEUE_H
#define VHBA_IO_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "dirty.h"
#include "inflight.h"
#include "memory.h"

#define VQ_SIZE_MAX 1024 /* also the most iovecs that one preadv takes (IOV_MAX) */
#define VQ_IOV_MAX VQ_SIZE_MAX
/*
 * A chain has no more descriptors than its ring (virtio 1.1, 2.6.5.3.1); but Linux makes indirect tables as
 * long as the device says a request may be, also in a smaller ring, whose size only the front end knows then.
 */
#define VQ_INDIRECT_MIN 128

/* What the front end says of a ring. Addresses of its own (uva), but for the log's. */
struct vq_setup {
	unsigned size;
	uint64_t desc, avail, used;
	uint64_t log_gpa; /* where the used ring is to the guest */
	bool log_used;
	bool event_idx, indirect; /* features agreed upon */
};

struct virtqueue {
	struct vq_setup set;
	const struct memory *mem; /* the owner holds a reference */
	struct dirty *log; /* NULL: nothing is logged; the owner holds a reference */
	struct inflight_queue *inflight; /* NULL: none */
	int call; /* eventfd, -1: the guest polls */
	const char *broken; /* NULL, or why it is not read any more */

	const uint8_t *desc;
	uint8_t *avail, *used;
	uint16_t last_avail; /* the next to take */
	uint16_t used_idx; /* the next to write */
	uint16_t published; /* what the guest sees as used */
	uint16_t signalled; /* published, when the guest was last called */
	bool signalled_valid;
	uint64_t counter; /* of heads taken, for inflight */
	uint16_t *batch; /* heads that are written but not published: room for set.size */
	uint16_t *resumed; /* heads to take before those of the ring */
	unsigned resumed_n, resumed_at;
};

/* A chain as the guest made it: those it lets the device read, then those it lets it write. */
struct vq_chain {
	uint16_t head;
	struct iovec *iov; /* the caller's room: set before vq_pop */
	unsigned max;
	bool resumed; /* a killed process had it: it may have been executed */
	unsigned out_n, in_n; /* iov[0..out_n), iov[out_n..out_n+in_n) */
	size_t out_len, in_len;
};

/* Find the ring's parts in memory. Returns 0 or -EFAULT, -EINVAL. */
int vq_map(struct virtqueue *, const struct vq_setup *, const struct memory *);

/* Begin at this index; vq_map and ->inflight are set. Returns 0 or -ENOMEM. vq_end frees what it made. */
int vq_begin(struct virtqueue *, uint16_t last_avail);
void vq_end(struct virtqueue *);

/* Where a ring stands that a killed process had, if all that it took is done or in ->inflight; after vq_map.
 */
uint16_t vq_used(const struct virtqueue *);

/*
 * Such a ring has begun. What it may have left undone between two steps is done once more: the log's marks of
 * the rings themselves, and the guest's call.
 */
void vq_succeed(struct virtqueue *);

/* vq_pop gives what a killed process had taken. */
bool vq_resumes(const struct virtqueue *);

/* 1: a chain; 0: none; -EPROTO: the ring is broken. */
int vq_pop(struct virtqueue *, struct vq_chain *);

/*
 * A chain is as if it had never been popped: it is behind those that the device has not taken yet, and the
 * index at which the ring is begun again goes back by one. The others that are under way stay so; nothing is
 * popped any more before vq_begin.
 *
 * The entries before last_avail are rewritten for this, since chains end in any order, but an index can only
 * say "all from here on". A driver never reads them, and can't write them either: that it does only once all
 * of a ring's size are in use between there and its own index, and those that were popped and not pushed are
 * in use.
 */
void vq_unpop(struct virtqueue *, uint16_t head);

/* The same for those which a killed process had popped, and this one hasn't yet. */
void vq_unpop_resumed(struct virtqueue *);

/* The chain is done and len bytes of it were written. The guest sees it after vq_flush. */
void vq_push(struct virtqueue *, uint16_t head, uint32_t len);
void vq_flush(struct virtqueue *);

/* Call the guest whatever it said. */
void vq_signal(struct virtqueue *);

/* The guest needn't kick while its ring is read ... */
void vq_busy(struct virtqueue *);
/* ... and must from now on. False: there is something already. */
bool vq_idle(struct virtqueue *);

/* Something to pop. */
bool vq_pending(const struct virtqueue *);

/* Log what was written at these places; nothing when no log is kept. */
void vq_mark(const struct virtqueue *, const struct memory *, const struct iovec *, unsigned n);

#endif

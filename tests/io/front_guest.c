/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's half of the front end: its rings, and its driver's commands. */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "front.h"

#define SLOT_RESPONSE                                                                                        \
	64 /* where it is in a slot; the header is before it, the indirect table after the slot */

static uint64_t slot_at(const struct front_ring *r, uint16_t head)
{
	return r->slots + (uint64_t)head * (FRONT_SLOT_SIZE + FRONT_INDIRECT_SIZE);
}

static unsigned list(struct front_req *q, uint64_t slot, struct vring_desc *d)
{
	unsigned n = 0;

	if (q->out_len)
		d[n++] = (struct vring_desc){slot, q->out_len, 0, 0};
	for (unsigned i = 0; i < q->data_out_n; i++)
		d[n++] = (struct vring_desc){q->data_out[i].gpa, q->data_out[i].len, 0, 0};
	if (!q->status_last)
		d[n++] = (struct vring_desc){slot + SLOT_RESPONSE, q->in_len, VRING_DESC_F_WRITE, 0};
	for (unsigned i = 0; i < q->data_in_n; i++)
		d[n++] = (struct vring_desc){q->data_in[i].gpa, q->data_in[i].len, VRING_DESC_F_WRITE, 0};
	if (q->status_last && q->in_len)
		d[n++] = (struct vring_desc){slot + SLOT_RESPONSE, q->in_len, VRING_DESC_F_WRITE, 0};
	return n;
}

void front_add(struct front *f, unsigned ring, struct front_req *q)
{
	struct front_ring *r = &f->ring[ring];
	struct vring_desc d[2 * FRONT_PIECES + 2], *table = front_at(f, r->desc);
	uint16_t head = r->free_n ? r->free[r->free_n - 1] : 0, index = head;
	uint64_t slot = slot_at(r, head);
	unsigned n = list(q, slot, d), in_ring = f->indirect ? 1 : n;
	uint16_t *avail = front_at(f, r->avail);

	if (r->free_n < in_ring) {
		errno = ENOSPC;
		front_die("the ring is full");
	}
	memcpy(front_at(f, slot), q->out, q->out_len);
	if (f->indirect) {
		for (unsigned i = 0; i + 1 < n; i++) {
			d[i].flags |= VRING_DESC_F_NEXT;
			d[i].next = (uint16_t)(i + 1);
		}
		memcpy(front_at(f, slot + FRONT_SLOT_SIZE), d, n * sizeof(d[0]));
		table[head] = (struct vring_desc){slot + FRONT_SLOT_SIZE, n * (uint32_t)sizeof(d[0]),
						  VRING_DESC_F_INDIRECT, 0};
		r->free_n--;
	} else {
		for (unsigned i = 0; i < n; i++) {
			index = r->free[--r->free_n];
			if (i + 1 < n) {
				d[i].flags |= VRING_DESC_F_NEXT;
				d[i].next = r->free[r->free_n - 1];
			}
			table[index] = d[i];
			r->next[index] = d[i].next;
		}
	}
	r->descs_used[head] = in_ring;
	r->req[head] = q;
	q->done = false;
	q->head = head;
	avail[2 + r->avail_idx % r->size] = head;
	__atomic_store_n(&avail[1], ++r->avail_idx, __ATOMIC_RELEASE);
}

void front_kick(struct front *f, unsigned ring)
{
	struct front_ring *r = &f->ring[ring];
	const uint64_t one = 1;
	uint16_t *used = front_at(f, r->used);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (f->features >> VIRTIO_RING_F_EVENT_IDX & 1) {
		uint16_t event = __atomic_load_n(&used[2 + 4 * r->size], __ATOMIC_ACQUIRE);

		/* one entry was added, or more: whether the event lies among them is asked generously */
		if ((uint16_t)(r->avail_idx - event - 1) >= r->size)
			return;
	} else if (__atomic_load_n(&used[0], __ATOMIC_ACQUIRE) & VRING_USED_F_NO_NOTIFY) {
		return;
	}
	if (write(r->kick, &one, sizeof(one)) != sizeof(one))
		front_die("kick");
}

void front_submit(struct front *f, unsigned ring, struct front_req *q)
{
	front_add(f, ring, q);
	front_kick(f, ring);
}

static void take(struct front *f, struct front_ring *r, uint32_t head, uint32_t len)
{
	struct front_req *q = head < r->size ? r->req[head] : NULL;
	uint16_t index = (uint16_t)head;

	if (!q) {
		errno = EPROTO;
		front_die("something ended that was never begun");
	}
	memcpy(q->in, front_at(f, slot_at(r, (uint16_t)head) + SLOT_RESPONSE), q->in_len);
	q->used_len = len;
	q->done = true;
	r->req[head] = NULL;
	for (unsigned i = 0; i < r->descs_used[head]; i++) {
		r->free[r->free_n++] = index;
		index = r->next[index];
	}
}

unsigned front_reap(struct front *f, unsigned ring, bool wait)
{
	struct front_ring *r = &f->ring[ring];
	uint8_t *used = front_at(f, r->used);
	uint16_t *avail = front_at(f, r->avail);
	struct pollfd p = {r->call, POLLIN, 0};
	uint64_t count;
	unsigned n = 0;

	for (;;) {
		uint16_t idx = __atomic_load_n((uint16_t *)(used + 2), __ATOMIC_ACQUIRE);

		for (; r->seen != idx; r->seen++, n++) {
			struct vring_used_elem e;

			memcpy(&e, used + 4 + 8 * (r->seen % r->size), sizeof(e));
			take(f, r, le32toh(e.id), le32toh(e.len));
		}
		if (n || !wait)
			return n;
		/* used_event: the next one */
		__atomic_store_n(&avail[2 + r->size], r->seen, __ATOMIC_SEQ_CST);
		if (__atomic_load_n((uint16_t *)(used + 2), __ATOMIC_SEQ_CST) != r->seen)
			continue;
		if (poll(&p, 1, FRONT_PATIENCE_MS) != 1)
			front_die("no call came");
		if (read(r->call, &count, sizeof(count)) < 0 && errno != EAGAIN)
			front_die("call");
	}
}

void front_wait(struct front *f, unsigned ring, struct front_req *q)
{
	while (!q->done)
		front_reap(f, ring, true);
}

/* ---- commands ---- */

void front_command(struct front_req *q, uint16_t lun, const uint8_t *cdb, unsigned cdb_len)
{
	struct virtio_scsi_cmd_req h = {.lun = {1, 0, (uint8_t)(0x40 | lun >> 8), (uint8_t)lun}};
	static uint64_t tag;

	memset(q, 0, sizeof(*q));
	h.tag = ++tag;
	memcpy(h.cdb, cdb, cdb_len);
	memcpy(q->out, &h, sizeof(h));
	q->out_len = sizeof(h);
	q->in_len = sizeof(struct virtio_scsi_cmd_resp);
}

void front_rw(struct front_req *q, uint16_t lun, bool write, uint64_t lba, uint32_t blocks, uint64_t gpa)
{
	uint8_t cdb[16] = {write ? 0x8a : 0x88};
	uint64_t be = htobe64(lba);
	uint32_t n = htobe32(blocks);

	memcpy(cdb + 2, &be, 8);
	memcpy(cdb + 10, &n, 4);
	front_command(q, lun, cdb, sizeof(cdb));
	if (write)
		q->data_out[q->data_out_n++] = (struct front_piece){gpa, blocks * 512};
	else
		q->data_in[q->data_in_n++] = (struct front_piece){gpa, blocks * 512};
}

const struct virtio_scsi_cmd_resp *front_response(const struct front_req *q)
{
	return (const struct virtio_scsi_cmd_resp *)q->in;
}

bool front_do(struct front *f, unsigned ring, struct front_req *q)
{
	front_submit(f, ring, q);
	front_wait(f, ring, q);
	return front_response(q)->response == VIRTIO_SCSI_S_OK && !front_response(q)->status;
}

void front_settle(struct front *f, uint16_t lun)
{
	const uint8_t ready[6] = {0};
	struct front_req q;

	for (unsigned i = 0; i < 8; i++) {
		front_command(&q, lun, ready, sizeof(ready));
		if (front_do(f, 2, &q))
			return;
	}
	errno = EIO;
	front_die("the LUN doesn't get ready");
}

uint8_t front_tmf(struct front *f, uint32_t subtype, uint16_t lun, uint64_t tag)
{
	struct virtio_scsi_ctrl_tmf_req h = {.type = VIRTIO_SCSI_T_TMF,
					     .subtype = subtype,
					     .lun = {1, 0, (uint8_t)(0x40 | lun >> 8), (uint8_t)lun},
					     .tag = tag};
	struct front_req q = {.out_len = sizeof(h), .in_len = 1};

	memcpy(q.out, &h, sizeof(h));
	front_submit(f, 0, &q);
	front_wait(f, 0, &q);
	return q.in[0];
}

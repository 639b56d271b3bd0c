/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_ring.h>

#include "virtqueue.h"

/* The guest writes these while they are read: each is loaded once, and whole. */
static uint16_t load16(const uint8_t *at)
{
	return le16toh(__atomic_load_n((const uint16_t *)at, __ATOMIC_ACQUIRE));
}

static void store16(uint8_t *at, uint16_t v)
{
	__atomic_store_n((uint16_t *)at, htole16(v), __ATOMIC_RELEASE);
}

/* avail: flags, idx, ring[size], used_event; used: flags, idx, ring[size] of {id, len}, avail_event */
#define RING_FLAGS 0u
#define RING_IDX 2u
#define RING_ENTRY 4u

static size_t avail_len(unsigned size)
{
	return RING_ENTRY + size * 2u + 2;
}

static size_t used_len(unsigned size)
{
	return RING_ENTRY + size * sizeof(struct vring_used_elem) + 2;
}

static void log_used(const struct virtqueue *q, size_t at, size_t len)
{
	if (q->log && q->set.log_used)
		dirty_mark(q->log, q->set.log_gpa + at, len);
}

int vq_map(struct virtqueue *q, const struct vq_setup *s, const struct memory *mem)
{
	const void *desc, *avail, *used;

	if (!s->size || s->size > VQ_SIZE_MAX || (s->size & (s->size - 1)) || s->desc % 16 || s->avail % 2 ||
	    s->used % 4)
		return -EINVAL;
	desc = memory_at_uva(mem, s->desc, s->size * sizeof(struct vring_desc));
	avail = memory_at_uva(mem, s->avail, avail_len(s->size));
	used = memory_at_uva(mem, s->used, used_len(s->size));
	if (!desc || !avail || !used || (uintptr_t)desc % 8 || (uintptr_t)avail % 2 || (uintptr_t)used % 4)
		return -EFAULT;
	q->set = *s;
	q->mem = mem;
	q->desc = desc;
	q->avail = (uint8_t *)(uintptr_t)avail;
	q->used = (uint8_t *)(uintptr_t)used;
	return 0;
}

int vq_begin(struct virtqueue *q, uint16_t last_avail)
{
	q->batch = calloc(q->set.size, sizeof(*q->batch));
	q->resumed = calloc(q->set.size, sizeof(*q->resumed));
	if (!q->batch || !q->resumed)
		return -ENOMEM;
	q->broken = NULL;
	q->used_idx = q->published = load16(q->used + RING_IDX);
	q->signalled_valid = false;
	q->last_avail = last_avail;
	q->resumed_n = q->resumed_at = 0;
	if (q->inflight) {
		q->resumed_n = inflight_resume(q->inflight, q->set.size, q->used_idx, q->resumed,
					       &q->counter);
		q->last_avail = (uint16_t)(q->used_idx + q->resumed_n);
	}
	return 0;
}

uint16_t vq_used(const struct virtqueue *q)
{
	return load16(q->used + RING_IDX);
}

void vq_succeed(struct virtqueue *q)
{
	struct iovec avail = {q->avail, avail_len(q->set.size)};

	log_used(q, 0, used_len(q->set.size));
	vq_mark(q, q->mem, &avail, 1);
	vq_signal(q);
}

bool vq_resumes(const struct virtqueue *q)
{
	return !q->broken && q->resumed_at < q->resumed_n;
}

void vq_end(struct virtqueue *q)
{
	free(q->batch);
	free(q->resumed);
	q->batch = q->resumed = NULL;
}

static int broken(struct virtqueue *q, const char *why)
{
	q->broken = why;
	return -EPROTO;
}

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static struct desc decode(const struct vring_desc *d)
{
	return (struct desc){le64toh(d->addr), le32toh(d->len), le16toh(d->flags), le16toh(d->next)};
}

static struct desc direct(const struct virtqueue *q, unsigned index)
{
	struct vring_desc d;

	/* the copy is what is checked and used; the compiler must not read the guest's twice */
	memcpy(&d, q->desc + index * sizeof(d), sizeof(d));
	__asm__ volatile("" : : "r"(&d) : "memory");
	return decode(&d);
}

/* Returns NULL, or what is wrong. */
static const char *add(struct virtqueue *q, struct vq_chain *c, const struct desc *d)
{
	bool in = d->flags & VRING_DESC_F_WRITE;
	uint64_t at = d->addr;
	size_t left = d->len, run;

	if (!left)
		return "a descriptor has no bytes";
	if (!in && c->in_n)
		return "a descriptor to read follows one to write";
	while (left) {
		void *host = memory_at(q->mem, at, left, &run);

		if (!host)
			return "a descriptor is outside of the guest's memory";
		if (c->out_n + c->in_n == c->max)
			return "a chain has too many pieces";
		c->iov[c->out_n + c->in_n] = (struct iovec){host, run};
		if (in)
			c->in_n++;
		else
			c->out_n++;
		left -= run;
		at += run; /* at most the end of a region, which doesn't overflow */
	}
	if (in)
		c->in_len += d->len;
	else
		c->out_len += d->len;
	return NULL;
}

/* count is what the chain has had before. */
static const char *walk_indirect(struct virtqueue *q, struct vq_chain *c, const struct desc *table,
				 unsigned count)
{
	unsigned n = table->len / sizeof(struct vring_desc), index = 0;
	unsigned most = q->set.size < VQ_INDIRECT_MIN ? VQ_INDIRECT_MIN : q->set.size;
	uint64_t last;
	const char *why;

	if (!q->set.indirect || (table->flags & VRING_DESC_F_NEXT))
		return "an indirect descriptor where none may be";
	if (!n || table->len % sizeof(struct vring_desc) ||
	    __builtin_add_overflow(table->addr, table->len, &last))
		return "an indirect table of a wrong size";
	for (;;) {
		struct vring_desc raw;
		struct desc d;

		if (count++ == most)
			return "a chain is longer than its ring";
		if (!memory_read(q->mem, table->addr + index * sizeof(raw), &raw, sizeof(raw)))
			return "an indirect table outside of the guest's memory";
		d = decode(&raw);
		if (d.flags & VRING_DESC_F_INDIRECT)
			return "an indirect descriptor in an indirect table";
		why = add(q, c, &d);
		if (why || !(d.flags & VRING_DESC_F_NEXT))
			return why;
		if (d.next >= n)
			return "a descriptor's next is outside of its table";
		index = d.next;
	}
}

static const char *walk(struct virtqueue *q, struct vq_chain *c)
{
	unsigned index = c->head;
	const char *why;

	for (unsigned count = 0; count < q->set.size; count++) {
		struct desc d = direct(q, index);

		if (d.flags & VRING_DESC_F_INDIRECT)
			return walk_indirect(q, c, &d, count);
		why = add(q, c, &d);
		if (why || !(d.flags & VRING_DESC_F_NEXT))
			return why;
		if (d.next >= q->set.size)
			return "a descriptor's next is outside of the ring";
		index = d.next;
	}
	return "a chain is longer than its ring";
}

bool vq_pending(const struct virtqueue *q)
{
	return !q->broken && (q->resumed_at < q->resumed_n || load16(q->avail + RING_IDX) != q->last_avail);
}

/* 1: *head is the next; 0: none */
static int next_head(struct virtqueue *q, unsigned *head)
{
	uint16_t ready;

	if (q->resumed_at < q->resumed_n) {
		*head = q->resumed[q->resumed_at++];
		return 1;
	}
	ready = (uint16_t)(load16(q->avail + RING_IDX) - q->last_avail);
	if (!ready)
		return 0;
	if (ready > q->set.size)
		return broken(q, "its avail index ran away");
	*head = load16(q->avail + RING_ENTRY + 2u * (q->last_avail & (q->set.size - 1)));
	if (*head >= q->set.size)
		return broken(q, "an avail entry is outside of the ring");
	q->last_avail++;
	if (q->inflight)
		inflight_begin(q->inflight, (uint16_t)*head, q->counter++);
	return 1;
}

int vq_pop(struct virtqueue *q, struct vq_chain *c)
{
	const char *why;
	unsigned head;
	int r;

	if (q->broken)
		return -EPROTO;
	c->resumed = vq_resumes(q);
	r = next_head(q, &head);
	if (r <= 0)
		return r;
	c->head = (uint16_t)head;
	c->out_n = c->in_n = 0;
	c->out_len = c->in_len = 0;
	why = walk(q, c);
	return why ? broken(q, why) : 1;
}

void vq_unpop(struct virtqueue *q, uint16_t head)
{
	uint8_t *entry;
	struct iovec v;

	q->last_avail--;
	entry = q->avail + RING_ENTRY + 2u * (q->last_avail & (q->set.size - 1));
	if (load16(entry) != head) {
		store16(entry, head);
		v = (struct iovec){entry, 2};
		vq_mark(q, q->mem, &v, 1);
	}
	/* killed between these two, it is both resumed and not in the ring: used_idx and the marks say how
	 * far that is */
	if (q->inflight)
		inflight_cancel(q->inflight, head);
}

void vq_unpop_resumed(struct virtqueue *q)
{
	while (q->resumed_n > q->resumed_at)
		vq_unpop(q, q->resumed[--q->resumed_n]);
}

void vq_push(struct virtqueue *q, uint16_t head, uint32_t len)
{
	unsigned slot = q->used_idx & (q->set.size - 1);
	struct vring_used_elem e = {htole32(head), htole32(len)};

	if ((uint16_t)(q->used_idx - q->published) == q->set.size)
		vq_flush(
			q); /* no more than the ring has can be done at once; heads given twice are hostile */
	memcpy(q->used + RING_ENTRY + slot * sizeof(e), &e, sizeof(e));
	log_used(q, RING_ENTRY + slot * sizeof(e), sizeof(e));
	q->batch[(uint16_t)(q->used_idx - q->published)] = head;
	q->used_idx++;
	if (q->inflight)
		inflight_done(q->inflight, head);
}

static bool wants_call(struct virtqueue *q)
{
	uint16_t old = q->signalled;
	bool first = !q->signalled_valid;

	if (!q->set.event_idx)
		return !(load16(q->avail + RING_FLAGS) & VRING_AVAIL_F_NO_INTERRUPT);
	q->signalled = q->published;
	q->signalled_valid = true;
	return first || vring_need_event(load16(q->avail + RING_ENTRY + 2u * q->set.size), q->published, old);
}

void vq_signal(struct virtqueue *q)
{
	const uint64_t one = 1;

	/* EAGAIN: the counter is full, so the guest is called already */
	if (q->call >= 0 && write(q->call, &one, sizeof(one)) < 0 && errno != EAGAIN)
		q->broken = "its call eventfd can't be written";
}

void vq_flush(struct virtqueue *q)
{
	uint16_t count = (uint16_t)(q->used_idx - q->published);

	if (!count)
		return;
	store16(q->used + RING_IDX, q->used_idx);
	log_used(q, RING_IDX, 2);
	if (q->inflight)
		inflight_end(q->inflight, q->batch, count, q->used_idx);
	q->published = q->used_idx;
	/* the index must be out before it is asked whether the guest sleeps */
	atomic_thread_fence(memory_order_seq_cst);
	if (wants_call(q))
		vq_signal(q);
}

void vq_busy(struct virtqueue *q)
{
	if (q->set.event_idx)
		return; /* the last avail_event is behind, so the guest is silent by itself */
	store16(q->used + RING_FLAGS, VRING_USED_F_NO_NOTIFY);
	log_used(q, RING_FLAGS, 2);
}

bool vq_idle(struct virtqueue *q)
{
	if (q->set.event_idx) {
		size_t at = RING_ENTRY + q->set.size * sizeof(struct vring_used_elem);

		store16(q->used + at, q->last_avail);
		log_used(q, at, 2);
	} else {
		store16(q->used + RING_FLAGS, 0);
		log_used(q, RING_FLAGS, 2);
	}
	/* the wish must be out before it is asked whether there was something meanwhile */
	atomic_thread_fence(memory_order_seq_cst);
	return !vq_pending(q);
}

void vq_mark(const struct virtqueue *q, const struct memory *mem, const struct iovec *iov, unsigned n)
{
	uint64_t gpa;

	if (!q->log)
		return;
	for (unsigned i = 0; i < n; i++)
		if (memory_gpa(mem, iov[i].iov_base, &gpa))
			dirty_mark(q->log, gpa, iov[i].iov_len);
}

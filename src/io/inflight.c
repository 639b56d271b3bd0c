/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdatomic.h>
#include <stdlib.h>

#include "inflight.h"

#define INFLIGHT_VERSION 1
#define INFLIGHT_ALIGN 64

size_t inflight_queue_size(unsigned desc_num)
{
	size_t size = sizeof(struct inflight_queue) + desc_num * sizeof(struct inflight_desc);

	return (size + INFLIGHT_ALIGN - 1) / INFLIGHT_ALIGN * INFLIGHT_ALIGN;
}

struct inflight_queue *inflight_queue_at(void *region, size_t size, unsigned index, unsigned desc_num)
{
	size_t one = inflight_queue_size(desc_num);

	if (size / one <= index)
		return NULL;
	return (struct inflight_queue *)((uint8_t *)region + index * one);
}

void inflight_begin(struct inflight_queue *q, uint16_t head, uint64_t counter)
{
	q->desc[head].counter = counter;
	atomic_thread_fence(memory_order_release);
	q->desc[head].inflight = 1;
}

void inflight_cancel(struct inflight_queue *q, uint16_t head)
{
	atomic_thread_fence(memory_order_release);
	q->desc[head].inflight = 0;
}

void inflight_done(struct inflight_queue *q, uint16_t head)
{
	q->desc[head].next = q->last_batch_head;
	q->last_batch_head = head;
	atomic_thread_fence(memory_order_release);
}

void inflight_end(struct inflight_queue *q, const uint16_t *heads, unsigned count, uint16_t used_idx)
{
	for (unsigned i = 0; i < count; i++)
		q->desc[heads[i]].inflight = 0;
	atomic_thread_fence(memory_order_release);
	q->used_idx = used_idx;
}

struct taken {
	uint64_t counter;
	uint16_t head;
};

static int by_counter(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;

	return (x->counter > y->counter) - (x->counter < y->counter);
}

/* The used index got out, but the back end ended before it cleared that batch's marks. */
static void finish_batch(struct inflight_queue *q, unsigned desc_num, uint16_t used_idx)
{
	uint16_t count = (uint16_t)(used_idx - q->used_idx), head = q->last_batch_head;

	if (count > desc_num)
		count = 0;
	for (; count && head < desc_num; count--) {
		q->desc[head].inflight = 0;
		head = q->desc[head].next;
	}
	q->used_idx = used_idx;
}

unsigned inflight_resume(struct inflight_queue *q, unsigned desc_num, uint16_t used_idx, uint16_t *heads,
			 uint64_t *counter)
{
	struct taken *taken;
	unsigned n = 0;

	*counter = 0;
	if (!q->version || q->desc_num != desc_num) { /* new: zeros */
		q->version = INFLIGHT_VERSION;
		q->desc_num = (uint16_t)desc_num;
		q->used_idx = used_idx;
		return 0;
	}
	finish_batch(q, desc_num, used_idx);
	taken = calloc(desc_num, sizeof(*taken));
	if (!taken)
		return 0;
	for (unsigned i = 0; i < desc_num; i++)
		if (q->desc[i].inflight == 1)
			taken[n++] = (struct taken){q->desc[i].counter, (uint16_t)i};
	qsort(taken, n, sizeof(*taken), by_counter);
	for (unsigned i = 0; i < n; i++)
		heads[i] = taken[i].head;
	if (n)
		*counter = taken[n - 1].counter + 1;
	free(taken);
	return n;
}

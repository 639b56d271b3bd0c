/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long the commands of a LUN took, from the ring to their answer: a histogram for each request queue, so
 * that none shares a cache line with another on a command's way. Any thread may read.
 */
#ifndef VHBA_IO_LATENCY_H
#define VHBA_IO_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

#define LATENCY_BUCKETS                                                                                      \
	24 /* the first: less than 1 us; each next one twice that; the last: all above 2 s                   \
	    */
#define LATENCY_QUEUES 16

struct latency {
	struct {
		_Alignas(64) _Atomic uint64_t n[LATENCY_BUCKETS];
	} queue[LATENCY_QUEUES];
};

/* Only one thread adds for a queue. */
static inline void latency_add(struct latency *l, unsigned queue, uint64_t us)
{
	unsigned b = us ? 64u - (unsigned)__builtin_clzll(us) : 0;
	_Atomic uint64_t *n =
		&l->queue[queue % LATENCY_QUEUES].n[b < LATENCY_BUCKETS ? b : LATENCY_BUCKETS - 1];

	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* Of all queues. */
static inline uint64_t latency_count(const struct latency *l, unsigned bucket)
{
	uint64_t sum = 0;

	for (unsigned q = 0; q < LATENCY_QUEUES; q++)
		sum += atomic_load_explicit(&l->queue[q].n[bucket], memory_order_relaxed);
	return sum;
}

#endif

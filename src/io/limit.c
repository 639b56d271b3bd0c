/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limit.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_USEC UINT64_C(1000)
#define DEBT_MAX_NS (60 * NSEC_PER_SEC) /* one command keeps nobody waiting for longer */

static bool pass(struct limit *l, struct monotime now, struct monotime *when)
{
	uint64_t paid = l->per_second ? atomic_load_explicit(&l->paid, memory_order_relaxed) : 0;

	if (paid <= now.us * NSEC_PER_USEC)
		return true;
	*when = (struct monotime){paid / NSEC_PER_USEC + 1};
	return false;
}

bool limits_pass(struct limits *l, struct monotime now, struct monotime *when)
{
	return pass(&l->commands, now, when) && pass(&l->bytes, now, when);
}

static void charge(struct limit *l, uint64_t now_ns, uint64_t burst_ns, uint64_t n)
{
	uint64_t earliest = now_ns > burst_ns ? now_ns - burst_ns : 0, cost, before, after;

	if (!l->per_second)
		return;
	cost = n < UINT64_MAX / NSEC_PER_SEC ? n * NSEC_PER_SEC / l->per_second : DEBT_MAX_NS;
	if (cost > DEBT_MAX_NS)
		cost = DEBT_MAX_NS;
	before = atomic_load_explicit(&l->paid, memory_order_relaxed);
	do
		after = (before > earliest ? before : earliest) + cost;
	while (!atomic_compare_exchange_weak_explicit(&l->paid, &before, after, memory_order_relaxed,
						      memory_order_relaxed));
}

void limits_charge(struct limits *l, struct monotime now, uint64_t bytes)
{
	uint64_t now_ns = now.us * NSEC_PER_USEC, burst_ns = l->burst_us * NSEC_PER_USEC;

	charge(&l->commands, now_ns, burst_ns, 1);
	charge(&l->bytes, now_ns, burst_ns, bytes);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is known to the disk, what each has not been told yet, and what the reservations forbid it. */
#include "disk_private.h"

/* By enum disk_attention; the first bit that is set goes first. */
static const enum scsi_asc codes[DISK_UA_N] = {
	[DISK_UA_POWER_ON] = ASC_POWER_ON,
	[DISK_UA_LUN_RESET] = ASC_LUN_RESET,
	[DISK_UA_NEXUS_LOSS] = ASC_NEXUS_LOSS,
	[DISK_UA_MODE_CHANGED] = ASC_MODE_CHANGED,
	[DISK_UA_RESERVATIONS_PREEMPTED] = ASC_RESERVATIONS_PREEMPTED,
	[DISK_UA_RESERVATIONS_RELEASED] = ASC_RESERVATIONS_RELEASED,
	[DISK_UA_REGISTRATIONS_PREEMPTED] = ASC_REGISTRATIONS_PREEMPTED,
	[DISK_UA_CAPACITY_CHANGED] = ASC_CAPACITY_CHANGED,
	[DISK_UA_LUNS_CHANGED] = ASC_LUNS_CHANGED,
};

enum scsi_asc disk_attention_asc(enum disk_attention what)
{
	return codes[what];
}

/* Slots are filled from the start and never emptied, so that the first free one ends the search. */
struct nexus *nexus_find(struct disk *d, uint64_t id)
{
	uint64_t there;

	for (unsigned i = 0; i < DISK_NEXUS_MAX; i++) {
		there = atomic_load_explicit(&d->nexus[i].id, memory_order_acquire);
		if (there == id)
			return &d->nexus[i];
		if (!there)
			break;
	}
	return NULL;
}

struct nexus *nexus_get(struct disk *d, uint64_t id)
{
	struct nexus *n;

	if (!id)
		return NULL;
	n = nexus_find(d, id);
	if (n)
		return n;
	pthread_mutex_lock(&d->nexus_lock);
	n = nexus_find(d, id);
	for (unsigned i = 0; i < DISK_NEXUS_MAX && !n; i++)
		if (!atomic_load_explicit(&d->nexus[i].id, memory_order_relaxed)) {
			n = &d->nexus[i];
			atomic_store(&n->flags, d->stranger);
			atomic_store_explicit(&n->id, id, memory_order_release);
		}
	pthread_mutex_unlock(&d->nexus_lock);
	return n;
}

enum disk_attention nexus_take(struct nexus *n)
{
	uint32_t was = atomic_load(&n->flags), left;
	unsigned first;

	do {
		if (!(was & NEXUS_ATTENTIONS))
			return DISK_UA_N;
		first = (unsigned)__builtin_ctz(was & NEXUS_ATTENTIONS);
		/* After a power on everything is to be looked at again anyway. */
		left = first == DISK_UA_POWER_ON ? was & ~NEXUS_ATTENTIONS : was & ~(1u << first);
	} while (!atomic_compare_exchange_weak(&n->flags, &was, left));
	return (enum disk_attention)first;
}

void nexus_raise(struct disk *d, uint64_t id, uint64_t except, enum disk_attention what)
{
	uint64_t there;

	pthread_mutex_lock(&d->nexus_lock);
	for (unsigned i = 0; i < DISK_NEXUS_MAX; i++) {
		there = atomic_load(&d->nexus[i].id);
		if (there && there != except && (!id || there == id))
			atomic_fetch_or(&d->nexus[i].flags, 1u << what);
	}
	pthread_mutex_unlock(&d->nexus_lock);
}

static uint32_t forbidden(const struct pr *p, uint64_t id)
{
	return (pr_forbids_read(p, id) ? NEXUS_NO_READ : 0) | (pr_forbids_write(p, id) ? NEXUS_NO_WRITE : 0);
}

static void set_forbidden(struct nexus *n, uint32_t bits)
{
	uint32_t was = atomic_load(&n->flags);

	while (!atomic_compare_exchange_weak(&n->flags, &was, (was & NEXUS_ATTENTIONS) | bits))
		;
}

void nexus_forbid(struct disk *d)
{
	uint64_t id;

	pthread_mutex_lock(&d->nexus_lock);
	d->stranger = (d->stranger & NEXUS_ATTENTIONS) | forbidden(&d->pr, 0);
	for (unsigned i = 0; i < DISK_NEXUS_MAX; i++) {
		id = atomic_load(&d->nexus[i].id);
		if (id)
			set_forbidden(&d->nexus[i], forbidden(&d->pr, id));
	}
	pthread_mutex_unlock(&d->nexus_lock);
}

bool nexus_conflicts(const struct nexus *n, enum op_access access)
{
	static const uint32_t bits[] = {
		[ACCESS_ANY] = 0,
		[ACCESS_READ] = NEXUS_NO_READ,
		[ACCESS_WRITE] = NEXUS_NO_WRITE,
	};

	return atomic_load(&n->flags) & bits[access];
}

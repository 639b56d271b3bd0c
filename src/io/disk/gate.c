/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdatomic.h>

#include "gate.h"

void gate_init(struct gate *g)
{
	for (unsigned i = 0; i < GATE_SHARDS; i++) {
		atomic_init(&g->shard[i].inside[0], 0);
		atomic_init(&g->shard[i].inside[1], 0);
	}
	atomic_init(&g->phase, 0);
	atomic_init(&g->excluded, 0);
	atomic_init(&g->waiting, 0);
	pthread_mutex_init(&g->drain, NULL);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->change, NULL);
	TAILQ_INIT(&g->ranges);
	g->tickets = 0;
}

void gate_destroy(struct gate *g)
{
	pthread_cond_destroy(&g->change);
	pthread_mutex_destroy(&g->lock);
	pthread_mutex_destroy(&g->drain);
}

/* Threads are dealt to the shards in turn: with no more workers than shards each has one for itself. */
static uint32_t my_shard(void)
{
	static _Atomic uint32_t dealt;
	static _Thread_local uint32_t mine; /* shard + 1; 0: none yet */

	if (!mine)
		mine = atomic_fetch_add(&dealt, 1) % GATE_SHARDS + 1;
	return mine - 1;
}

/* Under g->lock. */
static bool excluded(const struct gate *g, uint64_t first, uint64_t n)
{
	const struct gate_range *r;

	TAILQ_FOREACH (r, &g->ranges, link)
		if (first < r->first + r->n && r->first < first + n)
			return true;
	return false;
}

static void announce(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	pthread_cond_broadcast(&g->change);
	pthread_mutex_unlock(&g->lock);
}

void gate_leave(struct gate *g, uint32_t token)
{
	atomic_fetch_sub(&g->shard[token >> 1].inside[token & 1], 1);
	if (atomic_load(&g->waiting))
		announce(g);
}

bool gate_try(struct gate *g, uint64_t first, uint64_t n, uint32_t *token)
{
	uint32_t shard = my_shard(), phase = atomic_load(&g->phase) & 1;
	bool out;

	*token = shard << 1 | phase;
	atomic_fetch_add(&g->shard[shard].inside[phase], 1);
	if (!atomic_load(&g->excluded))
		return true;
	pthread_mutex_lock(&g->lock);
	out = excluded(g, first, n);
	pthread_mutex_unlock(&g->lock);
	if (out)
		gate_leave(g, *token);
	return !out;
}

uint32_t gate_enter(struct gate *g, uint64_t first, uint64_t n)
{
	uint32_t token;

	while (!gate_try(g, first, n, &token)) {
		pthread_mutex_lock(&g->lock);
		while (excluded(g, first, n))
			pthread_cond_wait(&g->change, &g->lock);
		pthread_mutex_unlock(&g->lock);
	}
	return token;
}

static void await_empty(struct gate *g, uint32_t phase)
{
	atomic_fetch_add(&g->waiting, 1);
	pthread_mutex_lock(&g->lock);
	for (unsigned i = 0; i < GATE_SHARDS; i++)
		while (atomic_load(&g->shard[i].inside[phase]))
			pthread_cond_wait(&g->change, &g->lock);
	pthread_mutex_unlock(&g->lock);
	atomic_fetch_sub(&g->waiting, 1);
}

/* Both phases have been empty once after this began; first the one that only stragglers are in. */
static void await_all(struct gate *g)
{
	uint32_t phase;

	pthread_mutex_lock(&g->drain);
	phase = atomic_load(&g->phase) & 1;
	await_empty(g, phase ^ 1);
	atomic_store(&g->phase, phase ^ 1);
	await_empty(g, phase);
	pthread_mutex_unlock(&g->drain);
}

void gate_exclude(struct gate *g, struct gate_range *r, uint64_t first, uint64_t n)
{
	r->first = first;
	r->n = n;
	pthread_mutex_lock(&g->lock);
	while (excluded(g, first, n))
		pthread_cond_wait(&g->change, &g->lock);
	r->ticket = ++g->tickets;
	TAILQ_INSERT_TAIL(&g->ranges, r, link);
	atomic_fetch_add(&g->excluded, 1);
	pthread_mutex_unlock(&g->lock);
	await_all(g);
}

void gate_admit(struct gate *g, struct gate_range *r)
{
	pthread_mutex_lock(&g->lock);
	TAILQ_REMOVE(&g->ranges, r, link);
	atomic_fetch_sub(&g->excluded, 1);
	pthread_cond_broadcast(&g->change);
	pthread_mutex_unlock(&g->lock);
}

/* Ranges are in the order of their tickets: the first is the oldest. */
static bool any_older(const struct gate *g, uint64_t ticket)
{
	const struct gate_range *r = TAILQ_FIRST(&g->ranges);

	return r && r->ticket <= ticket;
}

void gate_drain(struct gate *g)
{
	uint64_t last;

	await_all(g);
	pthread_mutex_lock(&g->lock);
	last = g->tickets;
	while (any_older(g, last))
		pthread_cond_wait(&g->change, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

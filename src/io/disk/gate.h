/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may touch which blocks at once.  Everything that reads or writes the medium passes the gate; many at a
 * time, without a lock and without a cache line shared between threads.  Only COMPARE AND WRITE wants a range
 * for itself (SBC-3, 5.2: no other command may change or see the blocks in between), and PREEMPT AND ABORT
 * wants to know that all that passed before it has ended.
 *
 * How: those who pass count themselves, each thread in a line of its own, in one of two phases.  Who excludes
 * publishes its range first and then waits until both phases have been empty once: whoever passes later sees
 * the range (Dekker's order: count, then look; publish, then look at the counts), and turning the phase in
 * between keeps the newcomers from making the wait endless.
 *
 * Lock order: drain, then lock.
 */
#ifndef VHBA_DISK_GATE_H
#define VHBA_DISK_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define GATE_SHARDS 16

struct gate_range {
	uint64_t first, n; /* blocks */
	uint64_t ticket;
	TAILQ_ENTRY(gate_range) link;
};

struct gate_shard {
	_Alignas(64) _Atomic uint32_t inside[2]; /* by phase */
};

struct gate {
	struct gate_shard shard[GATE_SHARDS];
	_Atomic uint32_t phase, excluded, waiting;
	pthread_mutex_t drain; /* one at a time turns the phase */
	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t change;
	TAILQ_HEAD(, gate_range) ranges;
	uint64_t tickets;
};

void gate_init(struct gate *);
void gate_destroy(struct gate *);

/* Pass, if nobody excludes these blocks. Never waits. The token belongs to gate_leave, in any thread. */
bool gate_try(struct gate *, uint64_t first, uint64_t n, uint32_t *token);
/* Pass, once nobody excludes these blocks. */
uint32_t gate_enter(struct gate *, uint64_t first, uint64_t n);
void gate_leave(struct gate *, uint32_t token);

/* Have the blocks for oneself; *r is the gate's until gate_admit. The caller is not inside. */
void gate_exclude(struct gate *, struct gate_range *r, uint64_t first, uint64_t n);
void gate_admit(struct gate *, struct gate_range *r);

/* Wait until everybody who is inside now, or excludes now, has left. The caller is not inside. */
void gate_drain(struct gate *);

#endif

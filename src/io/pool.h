/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A few threads for what may block: commands that are neither READ nor WRITE, and what the device asks of a
 * disk. First in, first out, but for lanes: the jobs of one lane have at most half of the threads, so that a
 * LUN that hangs leaves some for the others. Any thread may call any function.
 */
#ifndef VHBA_IO_POOL_H
#define VHBA_IO_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define POOL_LANES 257

/* Part of what is to be done; untouched by the pool once run has been called. */
struct pool_job {
	void (*run)(struct pool_job *);
	unsigned lane; /* below POOL_LANES; 0: none */
	TAILQ_ENTRY(pool_job) link;
};

struct pool;

/* Starts the threads. NULL with errno. */
struct pool *pool_new(unsigned threads);

/* No job may wait. Threads that are stuck in a job get that long; false: one is, and all is left to it. */
bool pool_free(struct pool *, uint64_t patience_us);

void pool_submit(struct pool *, struct pool_job *);

/* True: the job had not begun and never will. */
bool pool_cancel(struct pool *, struct pool_job *);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the device has done by the pool, since it may block: one function runs there, the other in the
 * device's thread afterwards.
 */
#ifndef VHBA_IO_JOBS_H
#define VHBA_IO_JOBS_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "pool.h"
#include "queue.h"

struct job {
	void (*work)(struct job *); /* in a thread of the pool */
	void (*done)(struct job *); /* in the device's; it frees the job, if that is to be */
	struct jobs *jobs;
	struct pool_job pool;
	TAILQ_ENTRY(job) link;
};

struct jobs {
	struct queue_shared *shared;
	unsigned n; /* of which done hasn't been called; the device's thread only */
	pthread_mutex_t lock; /* of what is below */
	TAILQ_HEAD(, job) ended;
};

void jobs_init(struct jobs *, struct queue_shared *);
void jobs_submit(struct jobs *, struct job *);

/* The device was noticed: call done of those that have ended. */
void jobs_reap(struct jobs *);

#endif

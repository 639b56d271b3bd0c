/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that may block for as long as libvirt does, each in a thread of its own, so that a pool that hangs
 * keeps nobody else waiting.  A job owns all that it touches; what becomes of it is told in the loop.
 *
 * Threads: jobs_start and done are the loop's; run is the job's own thread; jobs_poke may be called by any.
 */
#ifndef VHBA_JOB_H
#define VHBA_JOB_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* Part of what it belongs to. */
struct job {
	TAILQ_ENTRY(job) link;
	struct jobs *jobs;
	void (*run)(struct job *j);
	void (*done)(struct job *j); /* frees what the job is part of */
};

TAILQ_HEAD(job_list, job);

struct jobs {
	pthread_mutex_t lock; /* of ended and poked */
	struct job_list ended;
	bool poked;
	int fd; /* eventfd: something has ended, or poked */
	unsigned running; /* the loop's */
	void (*on_poke)(void *user);
	void *user;
	sd_event_source *source;
};

/* 0 or a negative errno. on_poke is called in the loop after a jobs_poke, once for several. */
int jobs_init(struct jobs *js, sd_event *loop, void (*on_poke)(void *user), void *user);

/* Only when none runs. */
void jobs_clear(struct jobs *js);

/* A negative errno when there is no thread for it: then neither run nor done are called. */
int jobs_start(struct jobs *js, struct job *j);

void jobs_poke(struct jobs *js);

#endif

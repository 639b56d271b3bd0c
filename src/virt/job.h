/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that may block for as long as libvirt does, each in a thread of its own, so that a pool that hangs
 * keeps nobody else waiting.  A job owns all that it touches; what becomes of it is told in the loop.
 *
 * Threads: jobs_start and done are the loop's; run is the job's own thread; jobs_poke, jobs_ref and
 * jobs_unref may be called by any.  Whoever pokes from elsewhere, as libvirt's callbacks do, has a reference
 * of its own: they come for as long as libvirt likes.
 */
#ifndef VHBA_JOB_H
#define VHBA_JOB_H

#include <pthread.h>
#include <stdatomic.h>
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
	atomic_uint refs;
	pthread_mutex_t lock; /* of ended and poked */
	struct job_list ended;
	bool poked;
	int fd; /* eventfd: something has ended, or poked */
	unsigned running; /* the loop's, as what follows */
	void (*on_poke)(void *user);
	void (*on_idle)(void *user);
	void *user;
	sd_event_source *source;
};

/*
 * NULL: no memory, or no event loop.  Called in the loop: on_poke after a jobs_poke, once for several;
 * on_idle when the last job that ran has ended.
 */
struct jobs *jobs_new(sd_event *loop, void (*on_poke)(void *user), void (*on_idle)(void *user), void *user);

/* The loop hears of nothing any more; only when none runs. The loop's reference is given up. */
void jobs_end(struct jobs *js);

struct jobs *jobs_ref(struct jobs *js);
void jobs_unref(void *js);

/* A negative errno when there is no thread for it: then neither run nor done are called. */
int jobs_start(struct jobs *js, struct job *j);

void jobs_poke(struct jobs *js);

#endif

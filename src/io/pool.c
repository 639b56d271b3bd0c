/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "monotime.h"
#include "pool.h"

struct pool {
	pthread_mutex_t lock; /* of all that is below */
	pthread_cond_t more, ended;
	TAILQ_HEAD(, pool_job) jobs;
	unsigned threads, lane_threads;
	unsigned running[POOL_LANES]; /* jobs of that lane */
	bool quit;
};

static struct pool_job *next_job(struct pool *p)
{
	struct pool_job *j;

	TAILQ_FOREACH (j, &p->jobs, link)
		if (!j->lane || p->running[j->lane] < p->lane_threads)
			break;
	return j;
}

/* The job may be gone when it has run. Who waits for its lane is next, in this very thread. */
static void run(struct pool *p, struct pool_job *j)
{
	unsigned lane = j->lane;

	TAILQ_REMOVE(&p->jobs, j, link);
	p->running[lane]++;
	pthread_mutex_unlock(&p->lock);
	j->run(j);
	pthread_mutex_lock(&p->lock);
	p->running[lane]--;
}

static void *serve(void *arg)
{
	struct pool *p = arg;
	struct pool_job *j;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		j = next_job(p);
		if (!j && p->quit)
			break;
		if (!j) {
			pthread_cond_wait(&p->more, &p->lock);
			continue;
		}
		run(p, j);
	}
	p->threads--;
	pthread_cond_signal(&p->ended);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int start(struct pool *p)
{
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, serve, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return err;
	pthread_detach(thread);
	pthread_mutex_lock(&p->lock);
	p->threads++;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

struct pool *pool_new(unsigned threads)
{
	struct pool *p = calloc(1, sizeof(*p));
	pthread_condattr_t clock;
	int err = 0;

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&p->more, &clock);
	pthread_cond_init(&p->ended, &clock);
	pthread_condattr_destroy(&clock);
	TAILQ_INIT(&p->jobs);
	p->lane_threads = threads > 1 ? threads / 2 : 1;
	for (unsigned i = 0; i < threads && !err; i++)
		err = start(p);
	if (!err)
		return p;
	pool_free(p, USEC_PER_SEC);
	errno = err;
	return NULL;
}

bool pool_free(struct pool *p, uint64_t patience_us)
{
	struct monotime end = mono_add(mono_now(), patience_us);
	const struct timespec until = {(time_t)(end.us / USEC_PER_SEC), (long)(end.us % USEC_PER_SEC * 1000)};
	bool left;

	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_broadcast(&p->more);
	while (p->threads && pthread_cond_timedwait(&p->ended, &p->lock, &until) != ETIMEDOUT)
		;
	left = p->threads;
	pthread_mutex_unlock(&p->lock);
	if (left)
		return false;
	pthread_cond_destroy(&p->more);
	pthread_cond_destroy(&p->ended);
	pthread_mutex_destroy(&p->lock);
	free(p);
	return true;
}

void pool_submit(struct pool *p, struct pool_job *j)
{
	pthread_mutex_lock(&p->lock);
	TAILQ_INSERT_TAIL(&p->jobs, j, link);
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
}

bool pool_cancel(struct pool *p, struct pool_job *j)
{
	struct pool_job *i;

	pthread_mutex_lock(&p->lock);
	TAILQ_FOREACH (i, &p->jobs, link)
		if (i == j)
			break;
	if (i)
		TAILQ_REMOVE(&p->jobs, i, link);
	pthread_mutex_unlock(&p->lock);
	return i;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "jobs.h"
#include "worker.h"

void jobs_init(struct jobs *js, struct queue_shared *shared)
{
	js->shared = shared;
	js->n = 0;
	pthread_mutex_init(&js->lock, NULL);
	TAILQ_INIT(&js->ended);
}

static void run(struct pool_job *p)
{
	struct job *j = (struct job *)((uint8_t *)p - offsetof(struct job, pool));
	struct jobs *js = j->jobs;
	struct queue_shared *shared = js->shared;

	j->work(j);
	pthread_mutex_lock(&js->lock);
	TAILQ_INSERT_TAIL(&js->ended, j, link);
	pthread_mutex_unlock(&js->lock);
	worker_notice(shared);
}

void jobs_submit(struct jobs *js, struct job *j)
{
	j->jobs = js;
	j->pool.run = run;
	js->n++;
	pool_submit(js->shared->pool, &j->pool);
}

void jobs_reap(struct jobs *js)
{
	struct job *j;

	for (;;) {
		pthread_mutex_lock(&js->lock);
		j = TAILQ_FIRST(&js->ended);
		if (j)
			TAILQ_REMOVE(&js->ended, j, link);
		pthread_mutex_unlock(&js->lock);
		if (!j)
			return;
		js->n--;
		j->done(j);
	}
}

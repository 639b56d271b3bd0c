/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "cleanup.h"
#include "commands.h"
#include "log.h"
#include "monotime.h"
#include "worker.h"

#define WORKER_QUEUES 16

struct worker {
	struct engine engine;
	struct queue_shared *shared;
	struct queue *queue[WORKER_QUEUES];
	unsigned queues;
	struct monotime now; /* when this turn began */
	uint64_t poll_us;
	struct monotime worked; /* when there last was something to do */
	bool watch; /* the two counts below are published */
	bool quit;
	atomic_uint busy, orphans;
	atomic_bool name_orphans;

	int wake; /* eventfd: look below */
	pthread_t thread;
	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t called;
	void (*fn)(struct worker *, void *);
	void *arg;
	int begun; /* 1, or -errno; 0: not yet */
	TAILQ_HEAD(, io_task) back;

	struct commands commands; /* the worker's own, and large */
};

struct engine *worker_engine(struct worker *w)
{
	return &w->engine;
}

struct commands *worker_commands(struct worker *w)
{
	return &w->commands;
}

struct monotime worker_now(const struct worker *w)
{
	return w->now;
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_err("an eventfd can't be written: %s", strerror(errno));
}

void worker_notice(struct queue_shared *s)
{
	signal_fd(s->notice);
}

void worker_return(struct worker *w, struct io_task *t)
{
	pthread_mutex_lock(&w->lock);
	TAILQ_INSERT_TAIL(&w->back, t, link);
	pthread_mutex_unlock(&w->lock);
	signal_fd(w->wake);
}

void worker_ask(struct worker *w, void (*fn)(struct worker *, void *), void *arg)
{
	pthread_mutex_lock(&w->lock);
	w->fn = fn;
	w->arg = arg;
	pthread_mutex_unlock(&w->lock);
	signal_fd(w->wake);
}

void worker_await(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->fn)
		pthread_cond_wait(&w->called, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

void worker_call(struct worker *w, void (*fn)(struct worker *, void *), void *arg)
{
	worker_ask(w, fn, arg);
	worker_await(w);
}

void worker_serve(struct worker *w, struct queue *q)
{
	if (w->queues < WORKER_QUEUES)
		w->queue[w->queues++] = q;
}

static void publish(struct worker *w)
{
	unsigned busy = 0, orphans = 0, busy_before, orphans_before;

	for (unsigned i = 0; i < w->queues; i++) {
		busy += w->queue[i]->busy;
		orphans += w->queue[i]->orphans;
	}
	busy_before = atomic_exchange(&w->busy, busy);
	orphans_before = atomic_exchange(&w->orphans, orphans);
	if ((busy_before && !busy) || (orphans_before && !orphans))
		worker_notice(w->shared);
	w->watch = busy || orphans;
}

void worker_watch(struct worker *w)
{
	w->watch = true;
	publish(w);
}

void worker_name_orphans(struct worker *w)
{
	atomic_store(&w->name_orphans, true);
	signal_fd(w->wake);
}

unsigned worker_busy(const struct worker *w)
{
	return atomic_load(&w->busy);
}

unsigned worker_orphans(const struct worker *w)
{
	return atomic_load(&w->orphans);
}

static void mail(struct worker *w)
{
	TAILQ_HEAD(, io_task) back = TAILQ_HEAD_INITIALIZER(back);
	struct io_task *t;

	pthread_mutex_lock(&w->lock);
	TAILQ_CONCAT(&back, &w->back, link);
	if (w->fn) {
		w->fn(w, w->arg);
		w->fn = NULL;
		pthread_cond_signal(&w->called);
	}
	pthread_mutex_unlock(&w->lock);
	if (atomic_exchange(&w->name_orphans, false))
		for (unsigned i = 0; i < w->queues; i++)
			queue_name_orphans(w->queue[i]);
	while ((t = TAILQ_FIRST(&back))) {
		TAILQ_REMOVE(&back, t, link);
		queue_pool_ended(t);
	}
	commands_reap(&w->commands);
}

static void rearm(struct worker *w, enum engine_kind kind, void *p)
{
	const struct queue *q = p;

	if (kind == ENGINE_WAKE)
		engine_watch(&w->engine, w->wake, kind, w);
	else if (q->running)
		engine_watch(&w->engine, q->kick, kind, p);
}

static bool take_ends(struct worker *w)
{
	struct io_uring_cqe *c;
	unsigned head, n = 0;
	bool woken = false;

	io_uring_for_each_cqe(&w->engine.ring, head, c)
	{
		enum engine_kind kind = engine_kind(c->user_data);

		n++;
		if (kind == ENGINE_TASK)
			queue_io_ended(engine_pointer(c->user_data), c->res);
		else if (kind == ENGINE_WAKE)
			woken = true;
		/* the kernel may end a watch by itself; one that was called off is not wanted any more */
		if ((kind == ENGINE_KICK || kind == ENGINE_WAKE) && !(c->flags & IORING_CQE_F_MORE) &&
		    c->res != -ECANCELED)
			rearm(w, kind, engine_pointer(c->user_data));
	}
	io_uring_cq_advance(&w->engine.ring, n);
	if (woken)
		mail(w);
	return n;
}

/* False: sleep. */
static bool more_to_do(struct worker *w, bool worked)
{
	bool more = false;

	if (w->poll_us) {
		struct monotime now = mono_now();

		if (worked)
			w->worked = now;
		if (mono_since(now, w->worked) < w->poll_us)
			return true;
	}
	for (unsigned i = 0; i < w->queues; i++)
		more |= !queue_arm(w->queue[i]);
	return more;
}

/* When the first ring is read again that was left because of the VM's limits. */
static struct monotime resume(const struct worker *w)
{
	struct monotime t = MONOTIME_NEVER;

	for (unsigned i = 0; i < w->queues; i++)
		if (w->queue[i]->resume.us)
			t = mono_min(t, w->queue[i]->resume);
	return t;
}

static void turn(struct worker *w)
{
	bool worked;

	w->now = mono_now();
	worked = take_ends(w);
	for (unsigned i = 0; i < w->queues; i++)
		if (w->queue[i]->running)
			worked |= queue_run(w->queue[i]);
	for (unsigned i = 0; i < w->queues; i++)
		vq_flush(&w->queue[i]->vq);
	if (w->watch)
		publish(w);
	if (w->quit)
		return;
	if (!more_to_do(w, worked))
		engine_wait(&w->engine, resume(w));
	else if (io_uring_sq_ready(&w->engine.ring) || !engine_quiet(&w->engine))
		engine_enter(&w->engine);
}

static void *serve(void *arg)
{
	struct worker *w = arg;
	int err = engine_open(&w->engine);

	if (!err)
		commands_open(&w->commands, w->wake);
	pthread_mutex_lock(&w->lock);
	w->begun = err ? err : 1;
	pthread_cond_signal(&w->called);
	pthread_mutex_unlock(&w->lock);
	if (err)
		return NULL;
	engine_watch(&w->engine, w->wake, ENGINE_WAKE, w);
	while (!w->quit)
		turn(w);
	return NULL;
}

static int start(struct worker *w)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w->thread, NULL, serve, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return err;
	pthread_mutex_lock(&w->lock);
	while (!w->begun)
		pthread_cond_wait(&w->called, &w->lock);
	pthread_mutex_unlock(&w->lock);
	if (w->begun > 0)
		return 0;
	pthread_join(w->thread, NULL);
	return -w->begun;
}

struct worker *worker_new(struct queue_shared *shared, uint64_t poll_us)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return NULL;
	w->shared = shared;
	w->poll_us = poll_us;
	TAILQ_INIT(&w->back);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->called, NULL);
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = w->wake < 0 ? errno : start(w);
	if (!err)
		return w;
	cleanup_fd(&w->wake);
	free(w);
	errno = err;
	return NULL;
}

static void quit(struct worker *w, void *arg)
{
	w->quit = true;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	worker_call(w, quit, NULL);
	pthread_join(w->thread, NULL);
	engine_close(&w->engine);
	commands_close(&w->commands);
	close(w->wake);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->called);
	free(w);
}

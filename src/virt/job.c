/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "job.h"

#define STACK (512 * 1024)

static void wake(struct jobs *js)
{
	uint64_t one = 1;
	ssize_t n = write(js->fd, &one, sizeof(one));

	(void)n; /* it fails only when the counter is full: then the loop is awake */
}

static void *thread(void *arg)
{
	struct job *j = arg;
	struct jobs *js = j->jobs;

	j->run(j);
	pthread_mutex_lock(&js->lock);
	TAILQ_INSERT_TAIL(&js->ended, j, link);
	wake(js);
	pthread_mutex_unlock(&js->lock);
	return NULL;
}

static int on_event(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct job_list ended = TAILQ_HEAD_INITIALIZER(ended);
	struct jobs *js = user;
	struct job *j;
	uint64_t count;
	bool poked, ran;
	ssize_t n;

	(void)s;
	(void)revents;
	n = read(fd, &count, sizeof(count));
	(void)n;
	pthread_mutex_lock(&js->lock);
	TAILQ_CONCAT(&ended, &js->ended, link);
	poked = js->poked;
	js->poked = false;
	pthread_mutex_unlock(&js->lock);
	ran = !TAILQ_EMPTY(&ended);
	while ((j = TAILQ_FIRST(&ended))) {
		TAILQ_REMOVE(&ended, j, link);
		js->running--;
		j->done(j);
	}
	if (poked)
		js->on_poke(js->user);
	if (ran && !js->running)
		js->on_idle(js->user);
	return 0;
}

struct jobs *jobs_new(sd_event *loop, void (*on_poke)(void *user), void (*on_idle)(void *user), void *user)
{
	struct jobs *js = calloc(1, sizeof(*js));

	if (!js)
		return NULL;
	js->on_poke = on_poke;
	js->on_idle = on_idle;
	js->user = user;
	js->refs = 1;
	TAILQ_INIT(&js->ended);
	pthread_mutex_init(&js->lock, NULL);
	js->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (js->fd >= 0 && sd_event_add_io(loop, &js->source, js->fd, EPOLLIN, on_event, js) >= 0)
		return js;
	jobs_unref(js);
	return NULL;
}

void jobs_end(struct jobs *js)
{
	sd_event_source_disable_unref(js->source);
	jobs_unref(js);
}

struct jobs *jobs_ref(struct jobs *js)
{
	js->refs++;
	return js;
}

void jobs_unref(void *user)
{
	struct jobs *js = user;

	if (--js->refs)
		return;
	if (js->fd >= 0)
		close(js->fd);
	pthread_mutex_destroy(&js->lock);
	free(js);
}

int jobs_start(struct jobs *js, struct job *j)
{
	pthread_attr_t attr;
	pthread_t t;
	int r;

	j->jobs = js;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	r = pthread_create(&t, &attr, thread, j);
	pthread_attr_destroy(&attr);
	if (!r)
		js->running++;
	return -r;
}

void jobs_poke(struct jobs *js)
{
	pthread_mutex_lock(&js->lock);
	js->poked = true;
	wake(js);
	pthread_mutex_unlock(&js->lock);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "log-queue.h"
#include "monotime.h"

#define QUEUE_SIZE 65536

/* Lines side by side; the thread takes all that there is at once. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	pthread_t thread;
	pid_t pid; /* whose thread it is: a child that was forked has none */
	bool busy, stop;
	unsigned long lost;
	size_t n;
	char lines[QUEUE_SIZE];
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

static void put(const char *text, size_t n)
{
	ssize_t done = 1;

	for (; n && done > 0; text += done, n -= (size_t)done)
		do
			done = write(STDERR_FILENO, text, n);
		while (done < 0 && errno == EINTR);
}

static void put_lost(unsigned long lost)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "%lu lines of the log are lost: nobody took them in time\n",
			 lost);

	put(line, (size_t)n);
}

static void *work(void *arg)
{
	static char taken[QUEUE_SIZE];

	(void)arg;
	pthread_mutex_lock(&queue.lock);
	while (!queue.stop || queue.n) {
		unsigned long lost = queue.lost;
		size_t n = queue.n;

		if (!n) {
			queue.busy = false;
			pthread_cond_broadcast(&queue.idle);
			pthread_cond_wait(&queue.work, &queue.lock);
			continue;
		}
		queue.busy = true;
		memcpy(taken, queue.lines, n);
		queue.n = 0;
		queue.lost = 0;
		pthread_mutex_unlock(&queue.lock);
		put(taken, n);
		if (lost)
			put_lost(lost);
		pthread_mutex_lock(&queue.lock);
	}
	queue.busy = false;
	pthread_cond_broadcast(&queue.idle);
	pthread_mutex_unlock(&queue.lock);
	return NULL;
}

int log_queue_start(void)
{
	pthread_condattr_t clock;
	pthread_attr_t small;
	sigset_t all;
	int r;

	sigfillset(&all);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&queue.idle, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);
	pthread_attr_setsigmask_np(&small, &all);
	queue.stop = false;
	queue.busy = true;
	r = pthread_create(&queue.thread, &small, work, NULL);
	pthread_attr_destroy(&small);
	if (!r)
		queue.pid = getpid();
	return -r;
}

bool log_queue_stop(uint64_t wait_us)
{
	struct monotime by = mono_add(mono_now(), wait_us);
	struct timespec ts = {(time_t)(by.us / USEC_PER_SEC), (long)(by.us % USEC_PER_SEC * 1000)};
	bool idle;

	if (queue.pid != getpid())
		return true;
	pthread_mutex_lock(&queue.lock);
	queue.stop = true;
	pthread_cond_signal(&queue.work);
	while ((queue.busy || queue.n) && !pthread_cond_timedwait(&queue.idle, &queue.lock, &ts))
		;
	idle = !queue.busy && !queue.n;
	pthread_mutex_unlock(&queue.lock);
	if (!idle)
		return false;
	pthread_join(queue.thread, NULL);
	queue.pid = 0;
	return true;
}

bool log_queue_add(const char *line, size_t n)
{
	if (!queue.pid || queue.pid != getpid())
		return false;
	pthread_mutex_lock(&queue.lock);
	if (n <= sizeof(queue.lines) - queue.n) {
		memcpy(queue.lines + queue.n, line, n);
		queue.n += n;
		pthread_cond_signal(&queue.work);
	} else {
		queue.lost++;
	}
	pthread_mutex_unlock(&queue.lock);
	return true;
}

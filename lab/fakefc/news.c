/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "news.h"
#include "uevent.h"

struct item {
	STAILQ_ENTRY(item) link;
	uint64_t folder; /* 0: a uevent */
	const char *action;
	char name[512]; /* of the entry; else the device's path */
	char subsystem[32];
};

struct news {
	struct fuse_session *se;
	int uevents;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	STAILQ_HEAD(, item) items;
	bool stop;
};

static void tell(const struct news *n, const struct item *i)
{
	if (i->folder)
		fuse_lowlevel_notify_inval_entry(n->se, i->folder, i->name, strlen(i->name));
	else if (n->uevents >= 0)
		uevent_send(n->uevents, i->action, i->name, i->subsystem);
}

static struct item *next(struct news *n)
{
	struct item *i = NULL;

	pthread_mutex_lock(&n->lock);
	while (!n->stop && STAILQ_EMPTY(&n->items))
		pthread_cond_wait(&n->wake, &n->lock);
	if (!n->stop) {
		i = STAILQ_FIRST(&n->items);
		STAILQ_REMOVE_HEAD(&n->items, link);
	}
	pthread_mutex_unlock(&n->lock);
	return i;
}

static void *run(void *arg)
{
	struct news *n = arg;
	struct item *i;

	while ((i = next(n))) {
		tell(n, i);
		free(i);
	}
	return NULL;
}

struct news *news_new(struct fuse_session *se, int uevents)
{
	struct news *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->se = se;
	n->uevents = uevents;
	STAILQ_INIT(&n->items);
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->wake, NULL);
	if (!pthread_create(&n->thread, NULL, run, n))
		return n;
	free(n);
	return NULL;
}

void news_free(struct news *n)
{
	struct item *i;

	pthread_mutex_lock(&n->lock);
	n->stop = true;
	pthread_cond_signal(&n->wake);
	pthread_mutex_unlock(&n->lock);
	pthread_join(n->thread, NULL);
	while ((i = STAILQ_FIRST(&n->items))) {
		STAILQ_REMOVE_HEAD(&n->items, link);
		free(i);
	}
	pthread_cond_destroy(&n->wake);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static void add(struct news *n, struct item *i)
{
	pthread_mutex_lock(&n->lock);
	STAILQ_INSERT_TAIL(&n->items, i, link);
	pthread_cond_signal(&n->wake);
	pthread_mutex_unlock(&n->lock);
}

void news_gone(struct news *n, uint64_t folder, const char *name)
{
	struct item *i = calloc(1, sizeof(*i));

	if (!i)
		return;
	i->folder = folder;
	snprintf(i->name, sizeof(i->name), "%s", name);
	add(n, i);
}

void news_uevent(struct news *n, const char *action, const char *devpath, const char *subsystem)
{
	struct item *i = calloc(1, sizeof(*i));

	if (!i)
		return;
	i->action = action;
	snprintf(i->name, sizeof(i->name), "%s", devpath);
	snprintf(i->subsystem, sizeof(i->subsystem), "%s", subsystem);
	add(n, i);
}

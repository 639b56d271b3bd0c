/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be mended, and when the next attempt is due. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mend.h"

#define AGAIN_US (500 * USEC_PER_MSEC) /* the first time; doubled up to */
#define AGAIN_MAX_US (10 * USEC_PER_SEC)

struct mending {
	TAILQ_ENTRY(mending) link;
	char uuid[VIR_UUID_STRING_BUFLEN];
	bool running;
	unsigned failures; /* in a row */
	struct monotime retry; /* not before */
	char told[160]; /* what was told of it last */
};

static struct mending *find(struct virt *v, const char *uuid)
{
	struct mending *g;

	TAILQ_FOREACH (g, &v->mends, link)
		if (!strcmp(g->uuid, uuid))
			return g;
	return NULL;
}

static int on_due(sd_event_source *s, uint64_t usec, void *user);

static void look(struct virt *v)
{
	struct monotime now = mono_now(), due = MONOTIME_NEVER;
	struct mending *g;

	TAILQ_FOREACH (g, &v->mends, link) {
		if (!g->running && mono_reached(g->retry, now)) {
			g->running = task_mend(v, g->uuid);
			g->retry = mono_add(now, AGAIN_MAX_US);
		}
		if (!g->running)
			due = mono_min(due, g->retry);
	}
	virt_timer(v, &v->mend_timer, due, on_due);
}

static int on_due(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	look(user);
	return 0;
}

void mend_add(struct virt *v, const char *uuid)
{
	struct mending *g = find(v, uuid);

	if (g || v->stopped)
		return;
	g = calloc(1, sizeof(*g));
	if (!g) {
		log_err("%s: a migration that was cut off waits for the next start of vhba-virt", uuid);
		return;
	}
	snprintf(g->uuid, sizeof(g->uuid), "%s", uuid);
	g->retry = mono_now();
	TAILQ_INSERT_TAIL(&v->mends, g, link);
	look(v);
}

void mend_done(struct virt *v, const char *uuid, const struct verror *e)
{
	struct mending *g = find(v, uuid);
	uint64_t us;
	char line[512];

	if (!g)
		return;
	if (!e) {
		TAILQ_REMOVE(&v->mends, g, link);
		free(g);
		return;
	}
	if (strcmp(g->told, e->seen) != 0 || !g->failures)
		log_warning("%s: %s", uuid, verror_line(e, line, sizeof(line)));
	snprintf(g->told, sizeof(g->told), "%s", e->seen);
	us = AGAIN_US << (g->failures < 5 ? g->failures : 5);
	g->failures++;
	g->running = false;
	g->retry = mono_add(mono_now(), us < AGAIN_MAX_US ? us : AGAIN_MAX_US);
	if (!v->stopped)
		look(v);
}

void mend_begin(struct virt *v)
{
	char(*uuids)[VIR_UUID_STRING_BUFLEN] = calloc(NOTES_MAX, sizeof(*uuids));
	unsigned n = uuids ? notes_list(v->o->notes, uuids, NOTES_MAX) : 0;

	for (unsigned i = 0; i < n; i++) {
		log_notice("%s: its migration was cut off", uuids[i]);
		mend_add(v, uuids[i]);
	}
	free(uuids);
}

void mend_stop(struct virt *v)
{
	v->mend_timer = sd_event_source_disable_unref(v->mend_timer);
}

void mend_end(struct virt *v)
{
	struct mending *g;

	while ((g = TAILQ_FIRST(&v->mends))) {
		TAILQ_REMOVE(&v->mends, g, link);
		free(g);
	}
}

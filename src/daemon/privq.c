/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "privq.h"
#include "work.h"

/* The helper tells its own timeouts; this end steps in only when it does not. */
#define GRACE_US (200 * USEC_PER_MSEC)

struct pending {
	TAILQ_ENTRY(pending) link;
	struct priv_request req;
	bool sent;
	struct monotime by;
	privq_done *done;
	void *user;
};

struct privq {
	TAILQ_HEAD(, pending) pending;
	sd_event *loop;
	sd_event_source *io, *timer, *kick;
	int fd;
	unsigned unsent;
	struct monotime
		due; /* the earliest time of what is pending, or an earlier one of what has ended since */
	uint32_t last_id;
	privq_done *late;
	void (*gone)(void *user);
	void *user;
	bool broken;
};

static void finish(struct privq *q, struct pending *p, const struct priv_reply *r)
{
	TAILQ_REMOVE(&q->pending, p, link);
	q->unsent -= !p->sent;
	p->done(p->user, r);
	free(p);
}

static void finish_error(struct privq *q, struct pending *p, int err, const char *text)
{
	struct priv_reply r = {.version = PRIV_VERSION, .id = p->req.id, .verb = p->req.verb, .err = err};

	snprintf(r.text, sizeof(r.text), "%s", text);
	finish(q, p, &r);
}

/* Called for each request and each answer, of which there are many at once: it looks at none of them. */
static void rearm(struct privq *q)
{
	if (TAILQ_EMPTY(&q->pending))
		q->due = MONOTIME_NEVER;
	if (q->io)
		sd_event_source_set_io_events(q->io, EPOLLIN | (q->unsent ? EPOLLOUT : 0));
	if (q->due.us == MONOTIME_NEVER.us) {
		sd_event_source_set_enabled(q->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(q->timer, q->due.us);
	sd_event_source_set_enabled(q->timer, SD_EVENT_ONESHOT);
}

static void fail_all(struct privq *q)
{
	struct pending *p;

	while ((p = TAILQ_FIRST(&q->pending)))
		finish_error(q, p, -EPIPE, "vhba-priv is gone");
}

static void break_off(struct privq *q)
{
	if (q->broken)
		return;
	q->broken = true;
	q->io = sd_event_source_disable_unref(q->io);
	fail_all(q);
	q->gone(q->user);
}

static void take(struct privq *q, const struct priv_reply *r)
{
	struct pending *p;

	if (r->flags & PRIV_LATE) {
		log_notice("%s (request %u) ended late: %s", priv_verb_name(r->verb), r->id,
			   r->err ? strerror(-r->err) : "done");
		q->late(q->user, r);
		return;
	}
	TAILQ_FOREACH (p, &q->pending, link)
		if (p->req.id == r->id)
			break;
	if (p)
		finish(q, p, r);
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct privq *q = user;
	struct priv_reply reply;
	struct monotime end = mono_add(mono_now(), WORK_SLICE_US);
	struct pending *p;
	int r = -EAGAIN;

	(void)s;
	/* What is left makes the descriptor readable again. */
	while (!q->broken && !mono_reached(end, mono_now()) && (r = priv_recv(fd, &reply)) != -EAGAIN &&
	       r != -EPIPE && r != -ECONNRESET) {
		if (r)
			continue;
		take(q, &reply);
		priv_reply_close(&reply);
	}
	if (r == -EPIPE || r == -ECONNRESET || (revents & EPOLLERR)) {
		break_off(q);
		return 0;
	}
	for (p = q->unsent ? TAILQ_FIRST(&q->pending) : NULL; p; p = TAILQ_NEXT(p, link)) {
		if (p->sent)
			continue;
		r = priv_send(fd, &p->req);
		if (r == -EAGAIN)
			break;
		if (r) {
			break_off(q);
			return 0;
		}
		p->sent = true;
		q->unsent--;
	}
	rearm(q);
	return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *user)
{
	struct monotime now = mono_now();
	struct privq *q = user;
	struct pending *p, *next;

	(void)s;
	(void)usec;
	if (q->broken)
		fail_all(q);
	for (p = TAILQ_FIRST(&q->pending); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (mono_reached(p->by, now))
			finish_error(q, p, -ETIMEDOUT, "vhba-priv did not answer in time");
	}
	q->due = MONOTIME_NEVER;
	TAILQ_FOREACH (p, &q->pending, link)
		q->due = mono_min(q->due, p->by);
	rearm(q);
	return 0;
}

struct privq *privq_new(sd_event *loop, int fd, privq_done *late, void (*gone)(void *user), void *user,
			struct verror *e)
{
	struct privq *q = calloc(1, sizeof(*q));

	if (!q) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	TAILQ_INIT(&q->pending);
	q->due = MONOTIME_NEVER;
	q->loop = loop;
	q->fd = fd;
	q->late = late;
	q->gone = gone;
	q->user = user;
	if (sd_event_add_io(loop, &q->io, fd, EPOLLIN, on_io, q) < 0 ||
	    sd_event_add_time(loop, &q->timer, CLOCK_MONOTONIC, 0, 1, on_timer, q) < 0) {
		verror_set(e, VHBA_E_INTERNAL, "vhba-priv's socket can't be watched");
		sd_event_source_disable_unref(q->io);
		free(q);
		return NULL;
	}
	sd_event_source_set_enabled(q->timer, SD_EVENT_OFF);
	return q;
}

void privq_free(struct privq *q)
{
	if (!q)
		return;
	q->broken = true;
	fail_all(q);
	sd_event_source_disable_unref(q->io);
	sd_event_source_disable_unref(q->timer);
	close(q->fd);
	free(q);
}

void privq_call(struct privq *q, struct priv_request *req, uint64_t timeout_us, privq_done *done, void *user)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p) {
		log_err("out of memory: %s is not asked for", priv_verb_name(req->verb));
		return;
	}
	if (timeout_us > 24 * 3600 * USEC_PER_SEC)
		timeout_us = 24 * 3600 * USEC_PER_SEC;
	if (!++q->last_id)
		q->last_id = 1;
	req->id = q->last_id;
	req->timeout_ms = (uint32_t)((timeout_us + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
	if (!req->timeout_ms)
		req->timeout_ms = 1;
	p->req = *req;
	p->by = mono_add(mono_now(), timeout_us + GRACE_US);
	if (q->broken)
		p->by = mono_now(); /* answered at the next turn of the loop */
	p->done = done;
	p->user = user;
	TAILQ_INSERT_TAIL(&q->pending, p, link);
	p->sent = !q->broken && !priv_send(q->fd, &p->req);
	q->unsent += !p->sent;
	q->due = mono_min(q->due, p->by);
	rearm(q);
}

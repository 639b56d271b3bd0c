/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The helper's end of vhbad's queue of verbs, played by a test: what was asked for, and what it is told. */
#ifndef UT_PRIVQ_H
#define UT_PRIVQ_H

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "privq.h"
#include "ut.h"

static int ut_helper = -1;

static void ut_privq_late(void *user, const struct priv_reply *r)
{
	(void)user;
	(void)r;
}

static void ut_privq_gone(void *user)
{
	(void)user;
}

/* A loop and a queue for this daemon; nothing else of it is set. */
static inline void ut_privq_up(struct daemon *d)
{
	int sv[2];

	if (sd_event_new(&d->loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv))
		abort();
	ut_helper = sv[1];
	works_init(&d->works, d->loop);
	logouts_init(&d->logouts);
	d->privq = privq_new(d->loop, sv[0], ut_privq_late, ut_privq_gone, NULL, NULL);
	if (!d->privq)
		abort();
}

static inline void ut_privq_down(struct daemon *d)
{
	privq_free(d->privq);
	d->logout_timer = sd_event_source_disable_unref(d->logout_timer);
	logouts_clear(&d->logouts);
	works_clear(&d->works);
	sd_event_unref(d->loop);
	close(ut_helper);
}

/* Let the loop do what is due within so long, at least once. */
static inline void ut_privq_run(struct daemon *d, uint64_t us)
{
	while (sd_event_run(d->loop, us) > 0)
		us = 0;
}

/* The next request, or false when there is none. */
static inline bool ut_privq_next(struct priv_request *q)
{
	return recv(ut_helper, q, sizeof(*q), MSG_DONTWAIT) == sizeof(*q);
}

/* Answer a request; r->err and what else it says are the test's. */
static inline void ut_privq_reply(struct daemon *d, const struct priv_request *q, struct priv_reply r)
{
	r.version = PRIV_VERSION;
	r.id = q->id;
	r.verb = q->verb;
	UT_EQ(send(ut_helper, &r, sizeof(r), 0), sizeof(r));
	ut_privq_run(d, 1000000);
}

#endif

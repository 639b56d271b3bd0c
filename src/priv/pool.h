/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Children that run verbs.  A few stand ready, so that a verb does not pay for a fork, and more stay for a
 * second after their work; one that does not end
 * in time is abandoned (it may sit in the kernel, where no signal reaches it) and replaced.  A request's time
 * runs from pool_submit; one that is still queued when it ends is answered and never begun.  Of the orders
 * that change one vport (by its WWPN) the last one counts: an earlier one that is queued is cancelled, one
 * that is at work is killed, and the last one is begun when nobody is at work on the vport any more.  One
 * thread, no blocking call.
 */
#ifndef VHBA_POOL_H
#define VHBA_POOL_H

#include <poll.h>
#include <stddef.h>

#include "monotime.h"
#include "priv.h"

#define POOL_IDLE 4 /* stand ready */
#define POOL_KEEP 16 /* stay for a second after their work */
#define POOL_MAX 128 /* at work at once; more requests wait */
#define POOL_CREATES                                                                                         \
	3 /* vport_create at once on one host: one at work, one behind it (vport_lock.h), one that looks at  \
	     what it has made */
#define POOL_QUICK 16 /* verbs at once that only write what the kernel takes at once: no fork is worth it */
#define POOL_NAMES 2 /* symbolic names at once, and none while a vport_create is queued */
#define POOL_STUCK 64 /* abandoned ones; beyond, verbs are refused */
#define POOL_FDS (POOL_MAX + POOL_STUCK) /* never more than these have work */

struct pool;

/* lock: the file of priv_spawn, which children lock vports in; -1: they do not. */
struct pool *pool_new(int lock);
void pool_free(struct pool *p);

/* Take a request: it is begun now, or queued. 0; -EAGAIN: too many are stuck in the kernel; -ENOBUFS: the
 * queue is full; -ENOMEM. */
int pool_submit(struct pool *p, const struct priv_request *q);

/* Fill fds (room for max) with what to poll; returns how many. */
size_t pool_fds(const struct pool *p, struct pollfd *fds, size_t max);

/* After poll: collect what ended, find what is late.  Answers are queued for pool_next_reply. */
void pool_run(struct pool *p, struct monotime now);

/* The next answer, with its file descriptors; 0 when there is none. */
int pool_next_reply(struct pool *p, struct priv_reply *r);

/* When pool_run wants to be called at the latest. */
struct monotime pool_due(const struct pool *p);

#endif

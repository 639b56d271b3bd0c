/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A thread that serves request queues. It waits for kicks, ends of I/O and calls in one place, its io_uring,
 * and shares no lock with other workers on a command's way.
 *
 * worker_call is for the device's thread, worker_return for the pool's threads, worker_notice for any; the
 * other functions are for the worker itself.
 */
#ifndef VHBA_IO_WORKER_H
#define VHBA_IO_WORKER_H

#include <stdint.h>

#include "queue.h"

struct worker;
struct commands;

/* poll_us: how long to look for more before sleeping; 0: not at all. NULL with errno. */
struct worker *worker_new(struct queue_shared *, uint64_t poll_us);

/* It serves nothing any more, and has no task under way. */
void worker_free(struct worker *);

/* Call fn in the worker between two commands, and return when it has returned. */
void worker_call(struct worker *, void (*fn)(struct worker *, void *), void *arg);

/* The same in two steps, so that several workers do it at once. */
void worker_ask(struct worker *, void (*fn)(struct worker *, void *), void *arg);
void worker_await(struct worker *);

/* Within a call: serve this queue too. A worker serves each queue until its end. */
void worker_serve(struct worker *, struct queue *);

/*
 * Within a call: from now on, notice the device when none of the worker's commands is under way, and when no
 * orphan is left.
 */
void worker_watch(struct worker *);

/*
 * Any thread: name the orphans in the log, soon; nobody waits for it, since there may be many, and a log may
 * be slow.
 */
void worker_name_orphans(struct worker *);

/* Commands whose answer is owed, and orphans, as of the last notice (or worker_watch). */
unsigned worker_busy(const struct worker *);
unsigned worker_orphans(const struct worker *);

struct engine *worker_engine(struct worker *);
struct commands *worker_commands(struct worker *);

/* When its turn began: a command's time without a look at the clock for each. */
struct monotime worker_now(const struct worker *);

/* The pool is done with a task. */
void worker_return(struct worker *, struct io_task *);

void worker_notice(struct queue_shared *);

#endif

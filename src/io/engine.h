/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One worker's io_uring: the I/O of its tasks, and the eventfds that wake it.
 *
 * The worker alone calls these, but for engine_close, when it has ended.
 */
#ifndef VHBA_IO_ENGINE_H
#define VHBA_IO_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <liburing.h>

#include "monotime.h"
#include "task.h"

/* What an end of io_uring's is about, in the low bits of its user data; the pointer is in the others. */
enum engine_kind {
	ENGINE_TASK, /* struct io_task */
	ENGINE_KICK, /* struct queue */
	ENGINE_WAKE, /* the worker itself */
	ENGINE_NOTHING, /* of no interest: a request to cancel another */
	ENGINE_KINDS = 4,
};

struct engine {
	struct io_uring ring;
};

int engine_open(struct engine *); /* 0 or -errno */
void engine_close(struct engine *);

/*
 * Start the task's io. Returns false when that has been done already by a call, or could not be started:
 * *result is what disk_end wants to know then.
 */
bool engine_submit(struct engine *, struct io_task *, int64_t *result);

/* The end of what was submitted was seen: the iovecs are the task's again. */
void engine_ended(struct io_task *);

/* The task ends in so many microseconds, with -ETIME. False: it doesn't, the kernel takes nothing. */
bool engine_delay(struct engine *, struct io_task *, uint32_t us);

/* Ask the kernel to give it up; it ends anyhow, with -ECANCELED or done. */
void engine_cancel(struct engine *, struct io_task *);

/* An end of this kind each time that the eventfd is written, until engine_ignore. */
void engine_watch(struct engine *, int fd, enum engine_kind, void *);
void engine_ignore(struct engine *, enum engine_kind, void *);

/* For any ring that was made disabled, in the thread that is to use it: see engine.c. 0 or -errno. */
int engine_restrict(struct io_uring *, const uint8_t *ops, unsigned n);

/* Hand over what was prepared, and bring in what has ended. */
void engine_enter(struct engine *);

/* The same, and wait until there is an end; until MONOTIME_NEVER: however long it takes. */
void engine_wait(struct engine *, struct monotime until);

/* Nothing that engine_enter would bring in. */
bool engine_quiet(const struct engine *);

static inline enum engine_kind engine_kind(uint64_t data)
{
	return (enum engine_kind)(data % ENGINE_KINDS);
}

static inline void *engine_pointer(uint64_t data)
{
	return (void *)(uintptr_t)(data & ~(uint64_t)(ENGINE_KINDS - 1));
}

#endif

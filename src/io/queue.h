/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request queue: its ring, its tasks, and the way of a command from one to a LUN and back.
 *
 * The device (the thread that speaks with the front end) makes and frees a queue; in between everything is
 * done by the queue's worker, mostly when it is called by the device (worker_call).
 */
#ifndef VHBA_IO_QUEUE_H
#define VHBA_IO_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "blk_facts.h"
#include "engine.h"
#include "limit.h"
#include "lun.h"
#include "task.h"
#include "virtqueue.h"

struct worker;
struct device_type;

/* Somebody who waits until some tasks have ended: a task management function, the removal of a LUN. */
struct waiter {
	atomic_uint left; /* tasks, of all queues, and one more while they are counted */
};

/* What all queues have in common. Nobody changes it but the device, before there is a worker. */
struct queue_shared {
	const struct device_type *type;
	struct pool *pool;
	int notice; /* eventfd to the device: look at waiters, and at what is still under way */
	uint64_t nexus; /* the guest's port, as the disks know it */
	struct limits limits;
	struct blk_facts blk; /* of a virtio-blk device */
	struct waiter waiter[TASK_WAITERS];
};

/* All that the front end said of a ring, as it applies from now on. The fds stay the device's. */
struct queue_setup {
	struct vq_setup vq;
	struct memory *mem;
	struct dirty *log; /* NULL: none is kept */
	struct inflight_queue *inflight;
	uint64_t features; /* agreed upon */
	int kick, call;
	uint16_t base;
	bool adrift; /* base isn't known: a killed process had the ring */
};

struct queue {
	struct worker *worker;
	struct queue_shared *shared;
	unsigned index; /* of its ring */
	struct virtqueue vq;
	uint64_t features;
	const struct lun_table *luns;
	int kick;
	bool running; /* the ring is read */
	bool armed; /* the guest kicks when it adds something */
	_Atomic uint64_t first; /* when the first command since the start was taken, us; 0: none was */
	struct monotime resume; /* the VM has taken what it may: the ring is read again then; 0: no */
	struct memory_use *use;
	struct io_task *tasks, *free;
	struct iovec *iov; /* tasks_n times iov_room */
	unsigned tasks_n, iov_room;
	unsigned busy; /* tasks whose answer is owed */
	unsigned orphans; /* tasks that are answered but not ended */
};

/* The device, while the queue isn't running and has no orphans: room for a ring of this size. 0 or -ENOMEM.
 */
int queue_room(struct queue *, unsigned size);
void queue_free(struct queue *);

/* For queue.c: tasks that begin from now on use this memory; a task is free again. */
int queue_use_memory(struct queue *, struct memory *);
void queue_task_free(struct io_task *);

/* For command.c: the task's answer is complete; or a thread is to find one. */
void queue_finish(struct io_task *);
void queue_to_pool(struct io_task *);

/*
 * For queue_abandon.c. The guest learns how a command has ended; data that were written are logged before the
 * guest, or its next host, can rely on them. Or: the command is as if it had never been taken from the ring.
 */
void queue_answer(struct io_task *);
void queue_take_back(struct io_task *);

/* In the worker: begin, go on with another setup, or stop to read the ring. Return 0 or -errno. */
int queue_start(struct queue *, const struct queue_setup *);
int queue_change(struct queue *, const struct queue_setup *);
void queue_stop(struct queue *);

/*
 * In the worker, of a ring that a killed process had and that is not to be read now: it is started and
 * stopped; what was under way goes back into it, but for what may have been executed and does harm when
 * repeated.
 */
int queue_settle(struct queue *, const struct queue_setup *, unsigned *n); /* adds how many it was */

/*
 * In the worker: stop to read the ring, and answer nothing that doesn't end by itself: a successor of this
 * process goes on with it.
 */
void queue_leave(struct queue *);

/*
 * Time is up: every command that is still under way is answered now, with BUSY where repeating it does no
 * harm, or goes back into the ring (device_type.h). True: what is left may still write into the guest's
 * memory; then, when all queues have done so, queue_close_memory: what is left of them touches nothing of the
 * guest's.
 */
bool queue_abandon(struct queue *);
void queue_close_memory(struct queue *);

/* For those who read the log after a move that is unconfirmed: a line for each of them. */
void queue_name_orphans(const struct queue *);

/* Which commands a task management function means. */
struct queue_match {
	uint16_t lun;
	bool all_luns, all_tags;
	bool orphans; /* also those that are answered */
	uint64_t tag;
};

/* Count those that match; when abort is set, end them soon, and let waiter[w] wait for their end. */
unsigned queue_match(struct queue *, const struct queue_match *, bool abort, unsigned w);

/* Take what is in the ring. True: there was something. */
bool queue_run(struct queue *);

/* The guest is asked to kick from now on. False: there is something already. */
bool queue_arm(struct queue *);

/* What was submitted has ended; the pool is done with it. */
void queue_io_ended(struct io_task *, int64_t result);
void queue_pool_ended(struct io_task *);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command of the guest's in this process: from the ring, through a LUN, back to the ring.
 *
 * All are made when their queue starts, and belong to the worker of that queue; only between pool_submit and
 * worker_return is one in the hands of a thread of the pool.
 */
#ifndef VHBA_IO_TASK_H
#define VHBA_IO_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>
#include <linux/virtio_blk.h>

#include "disk.h"
#include "memory.h"
#include "monotime.h"
#include "pool.h"
#include "scsi_task.h"

#define TASK_RESPONSE_IOV 8 /* pieces that a response, at most 108 bytes, may come in */
#define TASK_BOUNCE_MAX (4u << 20) /* Data-In of a blocking command; a guest's driver asks for less */
#define TASK_PARAMETERS 24 /* of a command that the guest knows by another form */
#define TASK_WAITERS 8 /* what can wait for tasks to end, at once */

struct queue;
struct lun;

/* A table of the guest's memory, and how many of one queue's tasks use it. */
struct memory_use {
	struct memory *mem;
	unsigned tasks;
	bool current;
};

enum task_state {
	TASK_FREE,
	TASK_KERNEL, /* submitted: it can't be called back */
	TASK_LATER, /* waits for the time at which it is sent to its LUN again */
	TASK_COMMAND, /* likewise, but with a buffer of its own (command.h) */
	TASK_POOL, /* waits for a thread of the pool, or is run by one */
};

struct io_task {
	struct scsi_task scsi;
	struct disk_io io;
	struct queue *queue;
	struct memory_use *use;
	struct lun *lun;
	uint64_t tag;
	struct monotime begun; /* as of its worker's turn */
	uint8_t address[8]; /* the LUN, as the guest wrote it */
	uint16_t head;
	uint8_t verdict; /* what the device itself says of it, in its type's own words; 0: all is well */
	enum task_state state;
	bool orphan; /* answered already: what is left of it touches nothing of the guest's */
	bool aborted; /* a task management function ends it: the guest is told so */
	uint16_t tries; /* how often it has been sent to the LUN again */
	uint8_t waiters; /* a bit for each of device.waiter[] that waits for its end */

	struct virtio_blk_outhdr blk; /* the request, of virtio-blk */
	uint8_t parameters[TASK_PARAMETERS];
	struct iovec own; /* what scsi.out is when the data are not the guest's */

	struct iovec response[TASK_RESPONSE_IOV];
	unsigned response_n;
	struct iovec *iov; /* room for VQ_IOV_MAX; scsi.out and scsi.in are parts of it */
	struct iovec first, last; /* as they were before a part of them was submitted */
	unsigned first_at, last_at;

	bool rescued; /* in the pool since the file, opened with O_DIRECT, refused the guest's addresses */
	int64_t rescue; /* what came of it, for disk_end */
	void *bounce; /* Data-In of a task in the pool, until it ends; with rescued, the data */
	struct iovec bounce_iov;
	const struct iovec *guest_in; /* what scsi.in was meanwhile */
	unsigned guest_in_n;
	struct io_task *next_free;
	struct pool_job job;
	TAILQ_ENTRY(io_task) link; /* on the way back from the pool */
};

#endif

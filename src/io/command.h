/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of a task that is neither READ nor WRITE by a bsg node, as far as its kernel and its path have one;
 * all others go by a thread of the pool and the sg node (queue.c).
 *
 * Its data go through a buffer of its own: nothing of the guest's is the kernel's meanwhile, so the task can
 * be given up. What the kernel refuses to do by this node, a thread does. All is done by the worker.
 */
#ifndef VHBA_IO_COMMAND_H
#define VHBA_IO_COMMAND_H

#include "path.h"
#include "task.h"

struct command {
	struct io_task *task;
	struct path *path;
	uint32_t tried; /* paths by which no target has answered */
	bool asks; /* it is an INQUIRY in the task's place: does the node take commands? */
	struct sg_command sg;
	uint32_t size; /* of data */
	_Alignas(64) uint8_t data[];
};

/* False: a thread has to do it. */
bool command_begin(struct io_task *);

/* By commands_reap. The command is free afterwards, or was sent again. */
void command_ended(struct command *, enum sg_end);

#endif

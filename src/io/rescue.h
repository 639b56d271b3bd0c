/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * READ and WRITE between a file that was opened with O_DIRECT and guest memory that it refuses for its
 * alignment: by way of a buffer, in the pool. Firmware and some drivers give such memory, seldom enough.
 */
#ifndef VHBA_IO_RESCUE_H
#define VHBA_IO_RESCUE_H

#include "task.h"

/* In the worker: the task goes to the pool, and comes back by worker_return. */
void rescue_begin(struct io_task *);

/* In the worker, afterwards: the data are the guest's, unless the task is an orphan. What disk_end is to be
 * told. */
int64_t rescue_end(struct io_task *);

#endif

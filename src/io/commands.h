/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One worker's second io_uring: commands that go to bsg nodes, so that no thread waits for them. READ and
 * WRITE have a ring of their own (engine.h), whose entries are half as large.
 *
 * The worker alone calls these, but for commands_close, when it has ended.
 */
#ifndef VHBA_IO_COMMANDS_H
#define VHBA_IO_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>
#include <liburing.h>

#include "scsi_task.h"

#define COMMANDS_MAX 64 /* under way at once */
#define COMMANDS_BYTES (4u << 20) /* of their data, in buffers of this process */

struct command;

struct commands {
	struct io_uring ring;
	bool open;
	int wake; /* eventfd: one has ended, or is to be handed over again */
	unsigned n;
	uint32_t bytes;
	struct command *slot[COMMANDS_MAX]; /* which have the place in sense; NULL: free */
	uint8_t (*sense)[SCSI_SENSE_MAX];
};

/* With a kernel that has no such rings it stays closed, and nothing has room. wake: the worker's eventfd. */
void commands_open(struct commands *, int wake);
void commands_close(struct commands *);

/* Is there room for one more, with so many bytes of data? */
bool commands_room(const struct commands *, uint32_t bytes);

/* There is room: it goes to its path's bsg node. Ends by command_ended, which may send it again. */
void commands_send(struct commands *, struct command *);

/* After a wake-up: command_ended for all that have ended. */
void commands_reap(struct commands *);

#endif

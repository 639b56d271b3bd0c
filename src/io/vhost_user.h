/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The back end's half of vhost-user: from messages to the device.
 *
 * What GET_VRING_BASE asks is answered when the device has stopped; nothing else is read from the front end
 * before.
 */
#ifndef VHBA_IO_VHOST_USER_H
#define VHBA_IO_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "keep.h"
#include "vhost_conn.h"

struct vu_answer {
	bool owed;
	uint32_t size;
	union vu_payload payload;
	int fd; /* -1: none */
};

struct vhost_user {
	struct vu_conn conn;
	struct device *device;
	struct keep *keep; /* NULL: nobody holds anything */
	uint64_t protocol_features;
	int backend_fd; /* where this end asks and tells; -1: nowhere */
	bool base_owed; /* GET_VRING_BASE is unanswered */
	bool reset_owed; /* so is RESET_DEVICE, or RESET_OWNER, which have the same end */
	unsigned base_ring;
	struct vu_header asked; /* by the message that is owed an answer */
	struct vu_answer answer; /* to the message in hand */
	bool done; /* it was not refused */
	bool again; /* a process that was killed may have handled it */
	unsigned left; /* commands that a predecessor had left in the kernel, as it was kept */
};

/* The fd is the connection's from now on; -1: it comes later (vhost_keep.h). */
void vu_open(struct vhost_user *, struct device *, int fd, struct keep *);
void vu_close(struct vhost_user *);

/* More may be read. */
bool vu_wants(const struct vhost_user *);

/* Take the messages that there are. Returns 0, or -errno: the connection is of no use any more. */
int vu_run(struct vhost_user *);

/* The device may have stopped: answer what waits for that. As vu_run. */
int vu_turn(struct vhost_user *);

/* Handle a message that isn't in the socket, and answer nobody. Returns 0, or -errno: it is refused. */
int vu_replay(struct vhost_user *, struct vu_message *);

/* This is a killed process's successor, and has replayed what it said: take up the message in its hand. As
 * vu_run. */
int vu_succeed(struct vhost_user *);

#endif

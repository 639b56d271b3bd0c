/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhost-user messages on a stream socket: whole ones with their fds come out, however they were cut.
 * Never blocks. A message's fds are closed with the next one, unless they were taken.
 */
#ifndef VHBA_IO_VHOST_CONN_H
#define VHBA_IO_VHOST_CONN_H

#include <stdint.h>

#include "vhost_msg.h"

struct vu_message {
	struct vu_header header;
	union vu_payload payload;
	int fd[VU_FDS_MAX]; /* -1: taken */
	unsigned fds;
};

struct vu_conn {
	int fd;
	struct vu_message in;
	uint32_t have; /* bytes of header and payload */
};

void vu_conn_init(struct vu_conn *, int fd); /* the fd is the connection's from now on */
void vu_conn_close(struct vu_conn *);

/*
 * Read what there is, up to one message. 1: it is in ->in; 0: not yet; -ECONNRESET: the front end has gone;
 * -EPROTO: what it sends is no vhost-user; or another -errno.
 */
int vu_conn_read(struct vu_conn *);

/* Answer a message. fd -1: none. Returns 0 or -errno; -EAGAIN: the front end doesn't read. */
int vu_conn_reply(struct vu_conn *, uint32_t request, const void *payload, uint32_t size, int fd);

/* The message's fd becomes the caller's. */
int vu_message_take(struct vu_message *, unsigned i);

#endif

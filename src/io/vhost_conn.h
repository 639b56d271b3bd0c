/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhost-user messages on a stream socket: whole ones with their fds come out, however they were cut.
 * Never blocks. A message's fds are closed with the next one, unless they were taken.
 *
 * A process that is killed between a message and its reply is followed by another on the same connection,
 * which has to know whether the front end waits for an answer. So a message stays in the socket (MSG_PEEK)
 * until it is answered; and whether it was answered, and whether it was consumed, stands in a page that the
 * successor gets. No instant is left between the system call and the note of it: sendmmsg and recvmmsg
 * themselves write what they have done (msg_len), and a signal can't come in between (net/socket.c:
 * __sys_sendmmsg, do_recvmmsg).
 *
 * Only a message that comes in pieces is consumed before it is whole. No front end is known to send one so.
 */
#ifndef VHBA_IO_VHOST_CONN_H
#define VHBA_IO_VHOST_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "vhost_msg.h"

struct vu_message {
	struct vu_header header;
	union vu_payload payload;
	int fd[VU_FDS_MAX]; /* -1: taken */
	unsigned fds;
};

/* How far the message in hand is. msg_len of either: 0, or it has been done. */
struct vu_mark {
	struct mmsghdr reply, taken;
};

struct vu_conn {
	int fd;
	struct vu_message in;
	uint32_t have; /* bytes of header and payload */
	uint32_t peeked; /* bytes of the message in hand that are still in the socket */
	struct vu_mark own, *mark;
};

void vu_conn_init(struct vu_conn *, int fd); /* the fd is the connection's from now on */

/* The mark is in this file, which stays the caller's. Returns 0 or -errno. */
int vu_conn_mark(struct vu_conn *, int memfd);
int vu_conn_mark_new(void); /* such a file, empty; or -1 */
void vu_conn_close(struct vu_conn *);

/*
 * Read what there is, up to one message. 1: it is in ->in; 0: not yet; -ECONNRESET: the front end has gone;
 * -EPROTO: what it sends is no vhost-user; or another -errno.
 */
int vu_conn_read(struct vu_conn *);

/* The message in hand has been done, and answered if it wants that. Returns 0 or -errno. */
int vu_conn_done(struct vu_conn *);

/*
 * This end is another's successor: a message that it has answered is consumed, before all else. Returns 0, 1:
 * there may be a message that it has handled and not answered; or -errno.
 */
int vu_conn_succeed(struct vu_conn *);

/* Answer a message. fd -1: none. Returns 0 or -errno; -EAGAIN: the front end doesn't read. */
int vu_conn_reply(struct vu_conn *, uint32_t request, const void *payload, uint32_t size, int fd);

/* How many fds such a message comes with, by its own word. */
unsigned vu_message_fds(const struct vu_message *);

/* The message's fd becomes the caller's. */
int vu_message_take(struct vu_message *, unsigned i);

#endif

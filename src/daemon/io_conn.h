/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control socket of a vhba-io, vhbad's end: requests with their replies in order, and what it says
 * unasked (man 8 vhba-io, CONTROL SOCKET).  Nothing here blocks; what can't be sent at once is queued, with
 * dups of its file descriptors.  Loop thread only.
 */
#ifndef VHBA_IO_CONN_H
#define VHBA_IO_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#define IO_CONN_KEY 64
#define IO_CONN_BYTES 16384 /* of an entry */
#define IO_CONN_FDS 40 /* of a message */
#define IO_KEPT_FDS 8 /* of an entry */

struct io_conn;

/* "ok ...", "error ..."; NULL: it is gone, or the connection is freed. */
typedef void io_conn_reply(void *user, const char *reply);

struct io_conn_ops {
	/* An entry to be kept: replaces that of the same key in its place. fds are taken over. */
	void (*keep)(void *user, const char *key, const void *bytes, size_t len, const int *fds, unsigned n);
	void (*drop)(void *user, const char *key);
	void (*event)(void *user, const char *word, const char *text);
	/* Its end is closed, or what comes is not the protocol: nothing more comes. */
	void (*gone)(void *user);
};

/* fd (connected, non-blocking) is taken over. NULL when there is no memory. */
struct io_conn *io_conn_new(sd_event *loop, int fd, const struct io_conn_ops *ops, void *user);

/* Pending requests get NULL. Not from within a callback of its own but gone. */
void io_conn_free(struct io_conn *c);

/* Its process has ended: what it has said until then is taken now, its end is not told. */
void io_conn_rest(struct io_conn *c);

/* Ask. fds stay the caller's. done may be NULL; it is never called from within. */
void io_conn_ask(struct io_conn *c, const void *text, size_t len, const int *fds, unsigned n,
		 io_conn_reply *done, void *user);
void io_conn_say(struct io_conn *c, io_conn_reply *done, void *user, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static inline bool io_reply_is_ok(const char *reply)
{
	return reply && reply[0] == 'o' && reply[1] == 'k' && (!reply[2] || reply[2] == ' ');
}

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's side of one connection: fed bytes, yields requests that are checked wholly (form, limits,
 * method, permission, parameters), queues replies.  Knows no socket except in the thin helpers at the end; it
 * never blocks.  Not thread-safe: one loop owns a connection.
 *
 * One request at a time: after proto_conn_next has given one, the next comes only when that has had its final
 * answer; further requests wait in the input buffer (and, when that is full, in the kernel's).  The daemon's
 * loop:
 *
 *	readable:  r = proto_conn_read(c, fd);   r < 0: close
 *	           while (proto_conn_next(c, &req)) start req's handler, or answer at once
 *	writable:  r = proto_conn_write(c, fd);  r < 0: close
 *	after each: proto_conn_done(c): close;  watch for proto_conn_events(c)
 *
 * After a final answer call proto_conn_next again: the next request may have arrived already.
 */
#ifndef VHBA_CONN_H
#define VHBA_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <json-c/json.h>

#include "method.h"
#include "proto.h"
#include "verror.h"

/* Who may what: members of read_gid may read; root, admin_uid and members of admin_gid may change (and read).
 * (gid_t)-1 and (uid_t)-1 stand for nobody. */
struct proto_acl {
	gid_t read_gid;
	gid_t admin_gid;
	uid_t admin_uid; /* the daemon's own user: vhba-virt and vhba-io run as it */
};

struct proto_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid; /* for log lines only: it may have been reused */
	enum proto_access access;
};

/* Take the credentials (SO_PEERCRED, SO_PEERGROUPS), right after accept, and what they allow. 0 or -errno. */
int proto_peer_take(int fd, const struct proto_acl *acl, struct proto_peer *peer);

/* A checked request. parameters is borrowed: valid until the request's final answer; NULL when none came.
 * Take a reference (json_object_get) to keep it longer. */
struct proto_request {
	const struct proto_method *method;
	struct json_object *parameters;
	bool more; /* the caller wants lines before the last one */
};

struct proto_conn;

/* The greeting is queued. peer is copied. NULL: no memory. */
struct proto_conn *proto_conn_new(const struct proto_peer *peer);
void proto_conn_free(struct proto_conn *c);
const struct proto_peer *proto_conn_peer(const struct proto_conn *c);

/*
 * Bytes from the peer: at most proto_conn_room(c), which may be 0 while a request is being handled.  Returns
 * 0, -ENOBUFS (more than the room: nothing was taken) or -EPIPE (the connection is done).
 */
int proto_conn_feed(struct proto_conn *c, const void *bytes, size_t len);
size_t proto_conn_room(const struct proto_conn *c);

/* The peer will send nothing more; what it has sent is still answered. */
void proto_conn_eof(struct proto_conn *c);

/*
 * The next request.  False: none is complete, or one is still being handled, or the connection is done.
 * Requests that are wrong are answered in here and never come out.
 */
bool proto_conn_next(struct proto_conn *c, struct proto_request *req);

/* A request is being handled (given out and not finally answered). */
bool proto_conn_busy(const struct proto_conn *c);

/*
 * Answers to the request being handled; objects are taken over (put), also on failure; NULL stands for {}.
 * progress and part queue a line with "continues":true and are dropped with 0 when the caller did not ask for
 * more; reply and error end the request.
 * 0; -ENOTCONN no request is being handled; -EPIPE the connection is done, among others because the peer does
 * not read (then close it). A part longer than PROTO_LINE_MAX is -EMSGSIZE and not sent; such a reply becomes
 * an error to the peer, and -EMSGSIZE.
 */
int proto_conn_progress(struct proto_conn *c, struct json_object *progress);
int proto_conn_part(struct proto_conn *c, struct json_object *parameters);
int proto_conn_reply(struct proto_conn *c, struct json_object *parameters);
int proto_conn_error(struct proto_conn *c, const struct verror *e);

/* The usual progress object: vhba < 0 and text NULL are left out. */
struct json_object *proto_progress_new(const char *phase, int vhba, const char *text);

/* The "error" member of an operation's result or of one of its vhbas: error (the kind's name), what,
 * expected, seen, fix.  NULL: no memory. */
struct json_object *proto_error_new(const struct verror *e);

/* What is to be sent: *len bytes; after some of it has been, say how much. */
const void *proto_conn_out(const struct proto_conn *c, size_t *len);
void proto_conn_sent(struct proto_conn *c, size_t len);

/* The connection is to be closed now: broken, or nothing is left to send after a fatal error or the peer's
 * end. */
bool proto_conn_done(const struct proto_conn *c);

/* EPOLLIN and EPOLLOUT as wanted now. (EPOLLHUP comes unasked.) */
uint32_t proto_conn_events(const struct proto_conn *c);

/*
 * One non-blocking read or write.  read: bytes fed; 0 when nothing was to be read now, or at the peer's end:
 * then proto_conn_events no longer has EPOLLIN, what it sent before is still answered, and proto_conn_done
 * becomes true after that (a peer that has gone wholly shows as EPOLLHUP: close, the operation goes on
 * without its caller); -errno.  write: bytes written, 0 when the peer takes none now, -errno.
 */
ssize_t proto_conn_read(struct proto_conn *c, int fd);
ssize_t proto_conn_write(struct proto_conn *c, int fd);

/*
 * The listening socket: SOCK_NONBLOCK | SOCK_CLOEXEC, path's old socket (never another kind of file) removed,
 * mode 0666 (permission is by credentials). Returns the fd or -errno with *e.
 */
int proto_listen(const char *path, struct verror *e);

#endif

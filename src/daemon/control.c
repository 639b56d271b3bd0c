/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "cleanup.h"
#include "control.h"
#include "log.h"
#include "monotime.h"

#define CONNECTIONS_MAX 320 /* 255 VMs at once, and who looks on */
#define CONNECTIONS_KEPT 64 /* of them for those who may change: nobody else can lock them out */
#define CALM_US (5 * USEC_PER_MSEC) /* after a question that was answered at once, at least */
#define CALM_TIMES 2 /* as long as its answer took */
#define FIRST SD_EVENT_PRIORITY_IMPORTANT
#define ASKS (FIRST - 1) /* before those that order: to read 255 orders takes a while */
#define UNREAD_MAX 65536 /* bytes of answers that wait for a reader while its next request is begun */

struct connection {
	TAILQ_ENTRY(connection) link;
	struct control *control;
	struct proto_conn *proto;
	struct call *call; /* the request being handled */
	sd_event_source *io;
	sd_event_source *calm; /* until its next request comes first again */
	int fd;
	bool asks; /* its last request was one that only reads */
	bool pumping; /* a handler that answers at once must not start the next request from within */
};

struct control {
	TAILQ_HEAD(, connection) connections;
	unsigned count;
	sd_event *loop;
	sd_event_source *listen;
	int fd;
	int spare; /* given up for a moment when there is no other descriptor; -1: it is */
	bool full; /* that a connection was refused has been said */
	struct proto_acl acl;
	control_handler *handler;
	void *user;
};

struct call {
	struct connection *conn; /* NULL: the caller is gone */
	bool more;
	void (*gone)(void *user);
	void *gone_user;
};

static void connection_close(struct connection *n)
{
	struct call *call = steal_ptr(n->call);

	TAILQ_REMOVE(&n->control->connections, n, link);
	n->control->count--;
	sd_event_source_disable_unref(n->io);
	sd_event_source_disable_unref(n->calm);
	proto_conn_free(n->proto);
	close(n->fd);
	free(n);
	if (call) {
		call->conn = NULL;
		if (call->gone)
			call->gone(call->gone_user);
	}
}

static int on_calm(sd_event_source *s, uint64_t usec, void *user)
{
	struct connection *n = user;

	(void)s;
	(void)usec;
	sd_event_source_set_priority(n->io, n->asks ? ASKS : FIRST);
	return 0;
}

/*
 * Requests are read before anything else is done: an operation's time runs from then, and a question gets its
 * answer while 255 VMs keep the loop busy.  Who asks again and again has to wait for its turn, or nothing
 * else would be done.
 */
static void calm_down(struct connection *n, uint64_t took_us)
{
	uint64_t us = CALM_TIMES * took_us > CALM_US ? CALM_TIMES * took_us : CALM_US;
	struct control *c = n->control;
	int r = 0;

	sd_event_source_set_priority(n->io, SD_EVENT_PRIORITY_NORMAL);
	if (!n->calm)
		r = sd_event_add_time_relative(c->loop, &n->calm, CLOCK_MONOTONIC, us, 1, on_calm, n);
	else
		r = sd_event_source_set_time_relative(n->calm, us);
	if (r >= 0)
		sd_event_source_set_priority(n->calm, ASKS);
	if (r >= 0)
		sd_event_source_set_enabled(n->calm, SD_EVENT_ONESHOT);
}

/* Start what is complete. A client that does not read its answers gets no further ones made. */
static void connection_start(struct connection *n)
{
	struct control *c = n->control;
	struct proto_request req;
	size_t unread;

	while (proto_conn_out(n->proto, &unread), unread <= UNREAD_MAX && proto_conn_next(n->proto, &req)) {
		struct call *call = calloc(1, sizeof(*call));
		struct monotime begun = mono_now();

		if (!call)
			break;
		call->conn = n;
		call->more = req.more;
		n->call = call;
		c->handler(c->user, call, &req);
		n->asks = req.method->access == PROTO_ACCESS_READ;
		if (!n->call)
			calm_down(n, mono_since(mono_now(), begun));
	}
}

/* Start what is complete, send what can be sent, watch for what is wanted; false: the connection is closed.
 */
static bool connection_pump(struct connection *n)
{
	ssize_t sent;

	if (n->pumping)
		return true;
	n->pumping = true;
	do {
		connection_start(n);
		sent = proto_conn_write(n->proto, n->fd);
	} while (sent > 0);
	n->pumping = false;
	if (sent < 0 || proto_conn_done(n->proto)) {
		connection_close(n);
		return false;
	}
	sd_event_source_set_io_events(n->io, proto_conn_events(n->proto));
	return true;
}

static int on_connection(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct connection *n = user;

	(void)s;
	if ((revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) && proto_conn_read(n->proto, fd) < 0) {
		connection_close(n);
		return 0;
	}
	if ((revents & (EPOLLHUP | EPOLLERR)) && proto_conn_busy(n->proto)) {
		connection_close(n); /* whoever asked reads no more: its operation goes on without it */
		return 0;
	}
	connection_pump(n);
	return 0;
}

/* Said once until one is taken again, so that a crowd does not fill the log. */
static bool has_room(struct control *c, enum proto_access access)
{
	unsigned max = CONNECTIONS_MAX - (access == PROTO_ACCESS_CHANGE ? 0 : CONNECTIONS_KEPT);
	bool full = c->count >= max;

	if (full && !c->full)
		log_warning("%u connections are open already: more are refused", c->count);
	c->full = full;
	return !full;
}

static int connection_new(struct control *c, int fd)
{
	struct connection *n;
	struct proto_peer peer;
	int r = proto_peer_take(fd, &c->acl, &peer);

	if (r < 0)
		return r;
	if (!has_room(c, peer.access)) {
		close(fd);
		return 0;
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->control = c;
	n->fd = fd;
	n->proto = proto_conn_new(&peer);
	r = n->proto ? sd_event_add_io(c->loop, &n->io, fd, EPOLLIN, on_connection, n) : -ENOMEM;
	if (r < 0) {
		if (n->proto)
			proto_conn_free(n->proto);
		free(n);
		return r;
	}
	sd_event_source_set_priority(n->io, FIRST);
	TAILQ_INSERT_TAIL(&c->connections, n, link);
	c->count++;
	connection_pump(n);
	return 0;
}

static int spare_fd(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/*
 * Who waits in the backlog wakes the loop again and again while accept has no descriptor for it: it is taken
 * with the spare one, and refused.
 */
static void refuse_next(struct control *c)
{
	int conn;

	log_warning("a connection is refused: %s", strerror(errno));
	if (c->spare >= 0)
		close(c->spare);
	conn = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (conn >= 0)
		close(conn);
	c->spare = spare_fd();
}

static int on_listen(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct control *c = user;
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), r;

	(void)s;
	(void)revents;
	if (conn < 0) {
		if (errno == EMFILE || errno == ENFILE)
			refuse_next(c);
		return 0;
	}
	if (c->spare < 0)
		c->spare = spare_fd();
	r = connection_new(c, conn);
	if (r < 0) {
		log_warning("a connection can't be served: %s", strerror(-r));
		close(conn);
	}
	return 0;
}

static void control_close(struct control *c)
{
	if (c->spare >= 0)
		close(c->spare);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

struct control *control_new(sd_event *loop, const char *path, const struct proto_acl *acl,
			    control_handler *handler, void *user, struct verror *e)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	TAILQ_INIT(&c->connections);
	c->loop = loop;
	c->acl = *acl;
	c->handler = handler;
	c->user = user;
	c->spare = spare_fd();
	c->fd = sd_listen_fds(1) == 1 ? SD_LISTEN_FDS_START : proto_listen(path, e);
	if (c->fd < 0) {
		control_close(c);
		return NULL;
	}
	r = sd_event_add_io(loop, &c->listen, c->fd, EPOLLIN, on_listen, c);
	if (r >= 0)
		sd_event_source_set_priority(c->listen, FIRST);
	if (r < 0) {
		verror_set(e, VHBA_E_INTERNAL, "the control socket can't be watched: %s", strerror(-r));
		control_close(c);
		return NULL;
	}
	return c;
}

void control_free(struct control *c)
{
	struct connection *n;

	if (!c)
		return;
	while ((n = TAILQ_FIRST(&c->connections)))
		connection_close(n);
	sd_event_source_disable_unref(c->listen);
	control_close(c);
}

unsigned control_connections(const struct control *c)
{
	return c->count;
}

/* The call is over: its connection may go on with the next request. */
static void call_end(struct call *call)
{
	struct connection *n = call->conn;

	free(call);
	if (n) {
		n->call = NULL;
		connection_pump(n);
	}
}

void call_reply(struct call *call, struct json_object *result)
{
	if (!call || !call->conn) {
		json_object_put(result);
		free(call);
		return;
	}
	proto_conn_reply(call->conn->proto, result);
	call_end(call);
}

void call_error(struct call *call, const struct verror *e)
{
	if (!call || !call->conn) {
		free(call);
		return;
	}
	proto_conn_error(call->conn->proto, e);
	call_end(call);
}

/*
 * After a line that is not the last.  A reader that let its queue fill up is cut off here: the end of the
 * socket comes back as EPOLLHUP, so that the caller's own call is not closed under its feet.
 */
static void connection_watch(struct connection *n)
{
	sd_event_source_set_io_events(n->io, proto_conn_events(n->proto));
	if (proto_conn_done(n->proto))
		shutdown(n->fd, SHUT_RDWR);
}

void call_progress(struct call *call, struct json_object *progress)
{
	if (!call_wants_more(call)) {
		json_object_put(progress);
		return;
	}
	proto_conn_progress(call->conn->proto, progress);
	connection_watch(call->conn);
}

void call_part(struct call *call, struct json_object *parameters)
{
	if (!call_wants_more(call)) {
		json_object_put(parameters);
		return;
	}
	proto_conn_part(call->conn->proto, parameters);
	connection_watch(call->conn);
}

bool call_wants_more(const struct call *call)
{
	return call && call->conn && call->more;
}

bool call_alive(const struct call *call)
{
	return call && call->conn;
}

void call_on_gone(struct call *call, void (*fn)(void *user), void *user)
{
	if (!call)
		return;
	call->gone = fn;
	call->gone_user = user;
}

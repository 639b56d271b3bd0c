/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection: bytes in and out, requests queued, replies taken apart. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cleanup.h"
#include "client.h"
#include "frame.h"
#include "method.h"
#include "proto.h"

#define READ_MAX 16384

struct vhba_conn {
	int fd;
	struct frame_buf in, out;
	size_t scanned;
	struct json_object *line; /* the last one given out: its texts are the caller's until the next call */
	bool greeted;
	bool eof;
	int broken; /* a negative errno: the connection is of no more use */
};

int client_error(struct vhba_error *e, const struct verror *from, int r)
{
	if (!e)
		return r;
	memset(e, 0, sizeof(*e));
	e->kind = from->kind;
	snprintf(e->what, sizeof(e->what), "%s", from->what);
	snprintf(e->expected, sizeof(e->expected), "%s", from->expected);
	snprintf(e->seen, sizeof(e->seen), "%s", from->seen);
	snprintf(e->fix, sizeof(e->fix), "%s", from->fix);
	return r;
}

static void copy_part(struct json_object *parameters, const char *name, char *to, size_t size)
{
	struct json_object *v = proto_get(parameters, name);

	snprintf(to, size, "%s", json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "");
}

void client_error_read(struct vhba_error *e, const char *name, struct json_object *parameters)
{
	memset(e, 0, sizeof(*e));
	e->kind = vhba_error_kind(name);
	copy_part(parameters, "what", e->what, sizeof(e->what));
	copy_part(parameters, "expected", e->expected, sizeof(e->expected));
	copy_part(parameters, "seen", e->seen, sizeof(e->seen));
	copy_part(parameters, "fix", e->fix, sizeof(e->fix));
	if (!e->what[0])
		snprintf(e->what, sizeof(e->what), "%s", name);
}

const char *vhba_error_line(const struct vhba_error *e, char *buf, unsigned long size)
{
	struct verror v = {.kind = e->kind};

	snprintf(v.what, sizeof(v.what), "%s", e->what);
	snprintf(v.expected, sizeof(v.expected), "%s", e->expected);
	snprintf(v.seen, sizeof(v.seen), "%s", e->seen);
	snprintf(v.fix, sizeof(v.fix), "%s", e->fix);
	return verror_line(&v, buf, size);
}

static int open_socket(const char *path, struct verror *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	AUTO_FD int fd = -1;

	if (strlen(path) >= sizeof(addr.sun_path))
		return verror_set(e, VHBA_E_USAGE, "the socket's path is longer than %zu bytes",
				  sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		int err = errno;

		verror_set(e, VHBA_E_IO, "cannot connect to vhbad");
		verror_expected(e, "a socket at %s", path);
		verror_seen(e, "%s", strerror(err));
		verror_fix(e, "is vhbad running, and is this its socket?");
		return -err;
	}
	return steal_fd(&fd);
}

int vhba_connect(const char *path, struct vhba_conn **conn, struct vhba_error *e)
{
	struct verror why = {0};
	struct vhba_conn *c;
	int fd;

	*conn = NULL;
	fd = open_socket(path ? path : VHBA_SOCKET, &why);
	if (fd < 0)
		return client_error(e, &why, fd);
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		verror_set(&why, VHBA_E_INTERNAL, "out of memory");
		return client_error(e, &why, -ENOMEM);
	}
	c->fd = fd;
	c->in.max = PROTO_LINE_MAX;
	c->out.max = PROTO_QUEUE_MAX;
	*conn = c;
	return 0;
}

void vhba_close(struct vhba_conn *conn)
{
	if (!conn)
		return;
	close(conn->fd);
	json_object_put(conn->line);
	frame_buf_clear(&conn->in);
	frame_buf_clear(&conn->out);
	free(conn);
}

int vhba_fd(const struct vhba_conn *conn)
{
	return conn->fd;
}

short vhba_events(const struct vhba_conn *conn)
{
	short events = 0;

	if (conn->broken || conn->eof)
		return 0;
	if (conn->in.len < conn->in.max)
		events |= POLLIN;
	if (conn->out.len)
		events |= POLLOUT;
	return events;
}

/* The connection is of no more use from now on, and why says for what reason. */
static int broken(struct vhba_conn *c, struct vhba_error *e, const struct verror *why, int r)
{
	c->broken = r;
	return client_error(e, why, r);
}

static int is_broken(struct vhba_conn *c, struct vhba_error *e)
{
	struct verror why;

	if (!c->broken)
		return 0;
	verror_set(&why, VHBA_E_IO, "the connection to vhbad is broken");
	verror_fix(&why, "connect again");
	return client_error(e, &why, c->broken);
}

int client_abandon(struct vhba_conn *conn, int r)
{
	conn->broken = -EPIPE;
	return r;
}

static int io_failed(struct vhba_conn *c, struct vhba_error *e, int err)
{
	struct verror why;

	verror_set(&why, VHBA_E_IO, "lost the connection to vhbad");
	verror_seen(&why, "%s", strerror(err));
	verror_fix(&why, "an operation that was begun goes on: see its result with \"log\"");
	return broken(c, e, &why, -err);
}

static int do_write(struct vhba_conn *c, struct vhba_error *e)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, frame_buf_bytes(&c->out), c->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			/* A daemon that has closed may have said why before: that is read first. */
			return errno == EAGAIN || errno == EPIPE ? 0 : io_failed(c, e, errno);
		frame_buf_take(&c->out, (size_t)n);
	}
	return 0;
}

static int do_read(struct vhba_conn *c, struct vhba_error *e)
{
	char buf[READ_MAX];

	while (!c->eof && c->in.len < c->in.max) {
		size_t room = c->in.max - c->in.len;
		ssize_t n = recv(c->fd, buf, room < sizeof(buf) ? room : sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != ECONNRESET)
			return io_failed(c, e, errno);
		if (n <= 0)
			c->eof = true;
		else if (frame_buf_add(&c->in, buf, (size_t)n))
			return io_failed(c, e, ENOMEM);
	}
	return 0;
}

int vhba_process(struct vhba_conn *conn, struct vhba_error *e)
{
	int r = is_broken(conn, e);

	if (!r)
		r = do_write(conn, e);
	return r ? r : do_read(conn, e);
}

int vhba_send(struct vhba_conn *conn, const char *method, const char *parameters, unsigned int flags,
	      struct vhba_error *e)
{
	bool prefixed = !strncmp(method, PROTO_PREFIX, strlen(PROTO_PREFIX));
	struct json_object *line, *p = NULL;
	struct verror why = {0};
	char name[96];
	int r = is_broken(conn, e);

	if (r)
		return r;
	if (parameters && !(p = frame_parse(parameters, strlen(parameters), &why)))
		return client_error(e, &why, -EINVAL);
	line = json_object_new_object();
	if (!line) {
		json_object_put(p);
		verror_set(&why, VHBA_E_INTERNAL, "out of memory");
		return client_error(e, &why, -ENOMEM);
	}
	snprintf(name, sizeof(name), "%s%s", prefixed ? "" : PROTO_PREFIX, method);
	json_object_object_add(line, "method", json_object_new_string(name));
	if (p)
		json_object_object_add(line, "parameters", p);
	if (flags & VHBA_MORE)
		json_object_object_add(line, "more", json_object_new_boolean(true));
	r = frame_print(&conn->out, line, PROTO_REQUEST_MAX);
	json_object_put(line);
	if (!r)
		return 0;
	verror_set(&why, VHBA_E_USAGE, "the request is too long, or too many are queued");
	verror_expected(&why, "at most %d bytes a request", PROTO_REQUEST_MAX);
	return client_error(e, &why, r);
}

static int bad_line(struct vhba_conn *c, struct vhba_error *e, const char *what)
{
	struct verror why;

	verror_set(&why, VHBA_E_IO, "vhbad's line is not of the protocol: %s", what);
	verror_fix(&why, "is this vhbad's socket?");
	return broken(c, e, &why, -EBADMSG);
}

static int take_greeting(struct vhba_conn *c, struct vhba_error *e)
{
	struct json_object *v = proto_get(c->line, "v");
	const char *service = proto_get_text(c->line, "service");
	struct verror why;

	if (!json_object_is_type(v, json_type_int) || !service || strcmp(service, PROTO_SERVICE))
		return bad_line(c, e, "no greeting");
	if (json_object_get_int64(v) > PROTO_VERSION) {
		verror_set(&why, VHBA_E_VERSION, "vhbad speaks a newer version of the protocol");
		verror_expected(&why, "%d", PROTO_VERSION);
		verror_seen(&why, "%s", json_object_get_string(v));
		verror_fix(&why, "update libvhba");
		return broken(c, e, &why, -EPROTO);
	}
	c->greeted = true;
	return 0;
}

/* 1: c->line is the next one; 0: none yet. */
static int next_line(struct vhba_conn *c, struct vhba_error *e)
{
	struct verror why = {0};
	const char *text;
	size_t len;

	json_object_put(c->line);
	c->line = NULL;
	if (!frame_line(&c->in, &c->scanned, &text, &len)) {
		if (c->in.len == c->in.max)
			return bad_line(c, e, "it is too long");
		return c->eof ? io_failed(c, e, ECONNRESET) : 0;
	}
	c->line = frame_parse(text, len, &why);
	c->scanned = 0;
	frame_buf_take(&c->in, len + 1);
	return c->line ? 1 : bad_line(c, e, why.seen);
}

static int take_reply(struct vhba_conn *c, struct vhba_reply *reply, struct vhba_error *e)
{
	struct json_object *error = proto_get(c->line, "error"), *p = proto_get(c->line, "parameters");
	struct json_object *progress = proto_get(c->line, "progress"), *shown;
	bool more = proto_get_bool(c->line, "continues");

	memset(reply, 0, sizeof(*reply));
	if (error) {
		if (!json_object_is_type(error, json_type_string))
			return bad_line(c, e, "an error without a name");
		reply->kind = VHBA_REPLY_ERROR;
		client_error_read(&reply->error, json_object_get_string(error),
				  json_object_is_type(p, json_type_object) ? p : NULL);
		return 1;
	}
	reply->kind = !more ? VHBA_REPLY_FINAL : progress ? VHBA_REPLY_PROGRESS : VHBA_REPLY_PART;
	shown = reply->kind == VHBA_REPLY_PROGRESS ? progress : p;
	if (!json_object_is_type(shown, json_type_object))
		return bad_line(c, e, "a reply without parameters");
	reply->parameters = json_object_to_json_string_ext(shown, JSON_C_TO_STRING_PLAIN |
									  JSON_C_TO_STRING_NOSLASHESCAPE);
	return reply->parameters ? 1 : io_failed(c, e, ENOMEM);
}

int vhba_receive(struct vhba_conn *conn, struct vhba_reply *reply, struct vhba_error *e)
{
	int r = is_broken(conn, e);

	if (r)
		return r;
	r = next_line(conn, e);
	if (r == 1 && !conn->greeted) {
		r = take_greeting(conn, e);
		if (!r)
			r = next_line(conn, e);
	}
	return r == 1 ? take_reply(conn, reply, e) : r;
}

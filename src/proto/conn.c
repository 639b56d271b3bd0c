/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's side of one connection, without its socket: see conn.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "conn.h"
#include "frame.h"

#ifndef VHBA_VERSION
#define VHBA_VERSION "0"
#endif

struct proto_conn {
	struct proto_peer peer;
	struct frame_buf in, out;
	size_t scanned; /* of in: no LF before */
	/* The request being handled; root is NULL when there is none. */
	struct json_object *root;
	struct json_object *id; /* borrowed from root */
	bool more;
	bool eof; /* nothing more comes in */
	bool closing; /* no more requests: close once out is sent */
	bool broken; /* close now */
};

static int queue(struct proto_conn *c, struct json_object *line)
{
	int r;

	if (!line || c->broken) {
		json_object_put(line);
		c->broken = true;
		return -EPIPE;
	}
	r = frame_print(&c->out, line, PROTO_LINE_MAX);
	json_object_put(line);
	if (!r || r == -EMSGSIZE)
		return r;
	/* The peer does not read, or memory is short: a line that is left out would mislead it. */
	c->broken = true;
	frame_buf_clear(&c->out);
	return -EPIPE;
}

struct proto_conn *proto_conn_new(const struct proto_peer *peer)
{
	struct proto_conn *c = calloc(1, sizeof(*c));
	struct json_object *hello;

	if (!c)
		return NULL;
	c->peer = *peer;
	c->in.max = PROTO_REQUEST_MAX;
	c->out.max = PROTO_QUEUE_MAX;
	hello = json_object_new_object();
	if (hello) {
		json_object_object_add(hello, "v", json_object_new_int(PROTO_VERSION));
		json_object_object_add(hello, "service", json_object_new_string(PROTO_SERVICE));
		json_object_object_add(hello, "version", json_object_new_string(VHBA_VERSION));
	}
	queue(c, hello);
	return c;
}

void proto_conn_free(struct proto_conn *c)
{
	if (!c)
		return;
	json_object_put(c->root);
	frame_buf_clear(&c->in);
	frame_buf_clear(&c->out);
	free(c);
}

const struct proto_peer *proto_conn_peer(const struct proto_conn *c)
{
	return &c->peer;
}

size_t proto_conn_room(const struct proto_conn *c)
{
	return c->in.max - c->in.len;
}

int proto_conn_feed(struct proto_conn *c, const void *bytes, size_t len)
{
	int r;

	if (c->broken || c->closing || c->eof)
		return -EPIPE;
	r = frame_buf_add(&c->in, bytes, len);
	if (r == -ENOMEM)
		c->broken = true;
	return r == -ENOMEM ? -EPIPE : r;
}

void proto_conn_eof(struct proto_conn *c)
{
	c->eof = true;
}

/* Begin a line of the current request. */
static struct json_object *line_new(struct proto_conn *c)
{
	struct json_object *o = json_object_new_object();

	if (o && c->id)
		json_object_object_add(o, "id", json_object_get(c->id));
	return o;
}

static void request_end(struct proto_conn *c)
{
	json_object_put(c->root);
	c->root = NULL;
	c->id = NULL;
	c->more = false;
}

/* The parts of e that are there, into o; returns o. */
static struct json_object *add_error(struct json_object *o, const struct verror *e)
{
	const struct {
		const char *name, *text;
	} parts[] = {{"what", e->what}, {"expected", e->expected}, {"seen", e->seen}, {"fix", e->fix}};

	for (size_t i = 0; o && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].text[0])
			json_object_object_add(o, parts[i].name, frame_text_new(parts[i].text));
	return o;
}

struct json_object *proto_error_new(const struct verror *e)
{
	struct json_object *o = json_object_new_object();

	if (o)
		json_object_object_add(o, "error", json_object_new_string(vhba_error_name(e->kind)));
	return add_error(o, e);
}

static int send_error(struct proto_conn *c, const struct verror *e)
{
	struct json_object *line = line_new(c);

	if (line) {
		json_object_object_add(line, "error", json_object_new_string(vhba_error_name(e->kind)));
		json_object_object_add(line, "parameters", add_error(json_object_new_object(), e));
	}
	request_end(c);
	return queue(c, line);
}

/* The line that came is not to be trusted, nor what follows it. */
static void refuse_line(struct proto_conn *c, const struct verror *e)
{
	c->closing = true;
	frame_buf_clear(&c->in);
	c->scanned = 0;
	send_error(c, e);
}

static int check_version(struct json_object *root, struct verror *e)
{
	struct json_object *v = proto_get(root, "v");

	if (!v)
		return 0;
	if (!json_object_is_type(v, json_type_int))
		return verror_set(e, VHBA_E_USAGE, "the request's \"v\" is no integer");
	if (json_object_get_int64(v) <= PROTO_VERSION)
		return 0;
	verror_set(e, VHBA_E_VERSION, "the request is of a newer version of the protocol");
	verror_expected(e, "v at most %d", PROTO_VERSION);
	verror_seen(e, "%" PRId64, json_object_get_int64(v));
	verror_fix(e, "update vhbad");
	return -EPROTO;
}

/* The members of a request besides its parameters. */
static int check_members(struct json_object *root, struct verror *e)
{
	static const struct {
		const char *name;
		json_type type;
		bool required;
	} members[] = {
		{"method", json_type_string, true}, {"parameters", json_type_object, false},
		{"more", json_type_boolean, false}, {"id", json_type_int, false},
		{"v", json_type_int, false},
	};
	const size_t n = sizeof(members) / sizeof(members[0]);
	struct json_object_iterator it = json_object_iter_begin(root), end = json_object_iter_end(root);

	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		const char *key = json_object_iter_peek_name(&it);
		size_t i = 0;

		while (i < n && strcmp(key, members[i].name))
			i++;
		if (i < n && json_object_is_type(json_object_iter_peek_value(&it), members[i].type))
			continue;
		verror_set(e, VHBA_E_USAGE, "the request's member \"%.40s\" is %s", key,
			   i < n ? "of the wrong type" : "unknown");
		verror_expected(e, "method (text), parameters (object), more (boolean), id and v (integers)");
		return -EINVAL;
	}
	if (!proto_get(root, "method"))
		return verror_set(e, VHBA_E_USAGE, "the request has no \"method\"");
	return 0;
}

static int check_access(const struct proto_conn *c, const struct proto_method *m, struct verror *e)
{
	if (c->peer.access >= m->access)
		return 0;
	verror_set(e, VHBA_E_PERMISSION, "%s: not allowed", m->name);
	verror_expected(e, m->access == PROTO_ACCESS_CHANGE ? "root or a member of the admin group"
							    : "a member of the reading group");
	verror_seen(e, "user %u", (unsigned int)c->peer.uid);
	verror_fix(e, "[daemon] read-group and admin-group of vhbad.conf say who may");
	return -EACCES;
}

static int check_request(struct proto_conn *c, struct proto_request *req, struct verror *e)
{
	const char *name;
	int r = check_version(c->root, e);

	if (!r)
		r = check_members(c->root, e);
	if (r)
		return r;
	name = proto_get_text(c->root, "method");
	req->method = strncmp(name, PROTO_PREFIX, strlen(PROTO_PREFIX)) ? NULL : proto_method_find(name);
	if (!req->method) {
		verror_set(e, VHBA_E_USAGE, "unknown method");
		verror_expected(e, "a method of " PROTO_SERVICE ", see vhba-proto(7)");
		verror_seen(e, "%.60s", name);
		return -EINVAL;
	}
	r = check_access(c, req->method, e);
	if (r)
		return r;
	req->more = proto_get_bool(c->root, "more");
	if (req->more && !req->method->more)
		return verror_set(e, VHBA_E_USAGE, "%s: cannot be called with \"more\"", req->method->name);
	req->parameters = proto_get(c->root, "parameters");
	return proto_check_parameters(req->method, req->parameters, e);
}

/* One line out of the buffer. False: none. */
static bool next_line(struct proto_conn *c)
{
	struct verror e = {0};
	const char *line;
	size_t len;

	if (!frame_line(&c->in, &c->scanned, &line, &len)) {
		if (proto_conn_room(c))
			return false;
		verror_set(&e, VHBA_E_USAGE, "the request is too long");
		verror_expected(&e, "at most %d bytes a line", PROTO_REQUEST_MAX);
		refuse_line(c, &e);
		return false;
	}
	c->root = frame_parse(line, len, &e);
	c->scanned = 0;
	if (!c->root) {
		refuse_line(c, &e);
		return false;
	}
	frame_buf_take(&c->in, len + 1);
	/* Known as early as can be, so that an error carries it too. */
	c->id = proto_get(c->root, "id");
	if (!json_object_is_type(c->id, json_type_int))
		c->id = NULL;
	return true;
}

bool proto_conn_next(struct proto_conn *c, struct proto_request *req)
{
	struct verror e;

	while (!c->root && !c->closing && !c->broken && next_line(c)) {
		memset(&e, 0, sizeof(e));
		memset(req, 0, sizeof(*req));
		if (!check_request(c, req, &e)) {
			c->more = req->more;
			return true;
		}
		send_error(c, &e);
	}
	return false;
}

bool proto_conn_busy(const struct proto_conn *c)
{
	return c->root;
}

/* A line that is not the last. */
static int send_part(struct proto_conn *c, const char *key, struct json_object *value)
{
	struct json_object *line;
	int r;

	if (!c->root || !c->more || c->broken) {
		json_object_put(value);
		return c->broken ? -EPIPE : c->root ? 0 : -ENOTCONN;
	}
	line = line_new(c);
	if (line) {
		json_object_object_add(line, "continues", json_object_new_boolean(true));
		json_object_object_add(line, key, value ? value : json_object_new_object());
	} else {
		json_object_put(value);
	}
	r = queue(c, line);
	return r;
}

int proto_conn_progress(struct proto_conn *c, struct json_object *progress)
{
	return send_part(c, "progress", progress);
}

int proto_conn_part(struct proto_conn *c, struct json_object *parameters)
{
	return send_part(c, "parameters", parameters);
}

int proto_conn_reply(struct proto_conn *c, struct json_object *parameters)
{
	struct json_object *line;
	struct verror e;
	int r;

	if (!c->root) {
		json_object_put(parameters);
		return c->broken ? -EPIPE : -ENOTCONN;
	}
	line = line_new(c);
	if (line)
		json_object_object_add(line, "parameters",
				       parameters ? parameters : json_object_new_object());
	else
		json_object_put(parameters);
	r = queue(c, line);
	if (r != -EMSGSIZE) {
		request_end(c);
		return r;
	}
	verror_set(&e, VHBA_E_INTERNAL, "the reply is too long");
	verror_expected(&e, "at most %d bytes", PROTO_LINE_MAX);
	verror_fix(&e, "ask for one VM at a time");
	send_error(c, &e);
	return r;
}

int proto_conn_error(struct proto_conn *c, const struct verror *e)
{
	if (!c->root)
		return c->broken ? -EPIPE : -ENOTCONN;
	return send_error(c, e);
}

struct json_object *proto_progress_new(const char *phase, int vhba, const char *text)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_object_object_add(o, "phase", json_object_new_string(phase));
	if (vhba >= 0)
		json_object_object_add(o, "vhba", json_object_new_int(vhba));
	if (text)
		json_object_object_add(o, "text", frame_text_new(text));
	return o;
}

const void *proto_conn_out(const struct proto_conn *c, size_t *len)
{
	*len = c->out.len;
	return c->out.len ? frame_buf_bytes(&c->out) : NULL;
}

void proto_conn_sent(struct proto_conn *c, size_t len)
{
	frame_buf_take(&c->out, len);
}

bool proto_conn_done(const struct proto_conn *c)
{
	bool line_left = c->in.len && memchr(frame_buf_bytes(&c->in), '\n', c->in.len);

	if (c->broken)
		return true;
	if (c->root || c->out.len)
		return false;
	return c->closing || (c->eof && !line_left);
}

uint32_t proto_conn_events(const struct proto_conn *c)
{
	uint32_t events = 0;

	if (!c->eof && !c->closing && !c->broken && proto_conn_room(c))
		events |= EPOLLIN;
	if (c->out.len && !c->broken)
		events |= EPOLLOUT;
	return events;
}

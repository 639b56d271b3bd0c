/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "fake-server.h"

static void send_all(struct proto_conn *c, struct json_object *list,
		     int (*fn)(struct proto_conn *, struct json_object *))
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		fn(c, json_object_get(json_object_array_get_idx(list, i)));
}

static void send_error(struct proto_conn *c, struct json_object *o)
{
	struct verror e;

	verror_set(&e, vhba_error_kind(proto_get_text(o, "kind")), "%s", proto_get_text(o, "what"));
	verror_expected(&e, "%s", proto_get_text(o, "expected") ?: "");
	verror_seen(&e, "%s", proto_get_text(o, "seen") ?: "");
	verror_fix(&e, "%s", proto_get_text(o, "fix") ?: "");
	proto_conn_error(c, &e);
}

/* Returns -1 when the connection is to be closed. */
static int answer(struct proto_conn *c, int fd, const struct proto_request *req, struct json_object *script)
{
	struct json_object *how = proto_get(script, req->method->name), *p;
	const char *raw = proto_get_text(how, "raw");
	struct verror e;

	send_all(c, proto_get(how, "progress"), proto_conn_progress);
	send_all(c, proto_get(how, "parts"), proto_conn_part);
	if (proto_get_bool(how, "close") || !how)
		return -1;
	if (proto_get_bool(how, "silent"))
		return 0;
	if (raw)
		return send(fd, raw, strlen(raw), MSG_NOSIGNAL) < 0 ? -1 : 0;
	if (proto_get(how, "error")) {
		send_error(c, proto_get(how, "error"));
		return 0;
	}
	p = proto_get(how, "parameters");
	if (proto_check_reply(req->method, p, &e))
		return proto_conn_error(c, &e);
	proto_conn_reply(c, json_object_get(p));
	return 0;
}

static int serve_requests(struct proto_conn *c, int fd, struct json_object *script, FILE *log)
{
	struct proto_request req;

	while (proto_conn_next(c, &req)) {
		if (log) {
			fprintf(log, "%s%s %s\n", req.method->name, req.more ? " more" : "",
				req.parameters ? json_object_to_json_string_ext(req.parameters,
										JSON_C_TO_STRING_PLAIN)
					       : "{}");
			fflush(log);
		}
		if (answer(c, fd, &req, script))
			return -1;
	}
	return 0;
}

static void serve(int fd, struct json_object *script, FILE *log)
{
	const struct proto_peer peer = {0, 0, 1, PROTO_ACCESS_CHANGE};
	struct proto_conn *c = proto_conn_new(&peer);

	while (c && !proto_conn_done(c)) {
		uint32_t want = proto_conn_events(c);
		struct pollfd p = {.fd = fd};

		p.events = (short)((want & EPOLLIN ? POLLIN : 0) | (want & EPOLLOUT ? POLLOUT : 0));
		if (poll(&p, 1, -1) < 0 || proto_conn_write(c, fd) < 0 || proto_conn_read(c, fd) < 0 ||
		    serve_requests(c, fd, script, log) || (p.revents & (POLLHUP | POLLERR)))
			break;
	}
	/* What is queued goes out even when the script says close. */
	if (c)
		proto_conn_write(c, fd);
	proto_conn_free(c);
	close(fd);
}

void fake_serve(int listen_fd, struct json_object *script, FILE *log)
{
	for (;;) {
		struct pollfd p = {.fd = listen_fd, .events = POLLIN};
		int fd;

		poll(&p, 1, -1);
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve(fd, script, log);
	}
}

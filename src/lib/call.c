/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocking conveniences, each on top of vhba_send, vhba_process and vhba_receive. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "monotime.h"

/* Negative errno of a kind, as the daemon's own functions would have returned it. */
static int errno_of(enum vhba_error_kind kind)
{
	return verror_set(NULL, kind, " ");
}

static int wait_for(struct vhba_conn *conn, struct monotime by, struct vhba_error *e)
{
	struct pollfd p = {.fd = vhba_fd(conn), .events = vhba_events(conn)};
	uint64_t left_ms = (mono_left(by, mono_now()) + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
	struct verror why;
	int n;

	n = poll(&p, 1, by.us == MONOTIME_NEVER.us ? -1 : left_ms > INT_MAX ? INT_MAX : (int)left_ms);
	if (n > 0 || (n < 0 && errno == EINTR) || !mono_reached(by, mono_now()))
		return 0;
	verror_set(&why, VHBA_E_DEADLINE, "vhbad has not answered in time");
	verror_fix(&why, "the operation goes on: see its result with \"log\"");
	return client_error(e, &why, -ETIMEDOUT);
}

static int finish(const struct vhba_reply *r, char **reply, struct vhba_error *e)
{
	struct verror why;

	if (r->kind == VHBA_REPLY_ERROR) {
		if (e)
			*e = r->error;
		return errno_of(r->error.kind);
	}
	if (!reply)
		return 0;
	*reply = strdup(r->parameters);
	if (*reply)
		return 0;
	verror_set(&why, VHBA_E_INTERNAL, "out of memory");
	return client_error(e, &why, -ENOMEM);
}

int vhba_call_more(struct vhba_conn *conn, const char *method, const char *parameters, uint64_t timeout_us,
		   vhba_part_fn *part, void *user, char **reply, struct vhba_error *e)
{
	struct monotime by = mono_add(mono_now(), timeout_us);
	struct vhba_reply line;
	int r;

	if (reply)
		*reply = NULL;
	r = vhba_send(conn, method, parameters, part ? VHBA_MORE : 0, e);
	while (!r) {
		r = vhba_process(conn, e);
		if (r)
			return r;
		while ((r = vhba_receive(conn, &line, e)) == 1) {
			if (line.kind == VHBA_REPLY_FINAL || line.kind == VHBA_REPLY_ERROR)
				return finish(&line, reply, e);
			r = part ? part(user, &line) : 0;
			if (r)
				return client_abandon(conn, r);
		}
		if (!r)
			r = wait_for(conn, by, e);
	}
	return r == -ETIMEDOUT ? client_abandon(conn, r) : r;
}

int vhba_call(struct vhba_conn *conn, const char *method, const char *parameters, uint64_t timeout_us,
	      char **reply, struct vhba_error *e)
{
	return vhba_call_more(conn, method, parameters, timeout_us, NULL, NULL, reply, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control socket: connections, and the calls that wait for their answer.  A call outlives its connection:
 * when the caller is gone, its operation goes on and the answer is dropped.  Loop thread only.
 */
#ifndef VHBA_CONTROL_H
#define VHBA_CONTROL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "conn.h"
#include "verror.h"

struct control;
struct call; /* a request that waits for its final answer */

/* Handle a request: answer the call now or later, exactly once, by call_reply or call_error. */
typedef void control_handler(void *user, struct call *call, const struct proto_request *req);

/* Listen (or take the socket that systemd passed) and serve.  NULL with *e set. */
struct control *control_new(sd_event *loop, const char *path, const struct proto_acl *acl,
			    control_handler *handler, void *user, struct verror *e);
void control_free(struct control *c);
unsigned control_connections(const struct control *c);

/* Final answers: result is taken over, the call is freed.  call may be NULL (nobody asked): then result is
 * put. */
void call_reply(struct call *call, struct json_object *result);
void call_error(struct call *call, const struct verror *e);

/* A line before the last one; dropped when the caller did not ask for more or is gone.  Objects are taken
 * over. */
void call_progress(struct call *call, struct json_object *progress);
void call_part(struct call *call, struct json_object *parameters);

/* The caller is still there, and wants lines before the last one. */
bool call_wants_more(const struct call *call);
bool call_alive(const struct call *call);

/* Called (once) when the caller goes before the answer; NULL: not at all. */
void call_on_gone(struct call *call, void (*fn)(void *user), void *user);

#endif

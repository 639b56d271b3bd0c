/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Typed operations, and the reading of their result. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "client.h"
#include "frame.h"
#include "method.h"
#include "monotime.h"

#define ANSWER_GRACE_US (1 * USEC_PER_SEC) /* for the answer's way, on top of the deadline */
#define DEFAULT_WAIT_US (600 * USEC_PER_SEC)

static const struct {
	const char *name;
	enum vhba_exit exit;
} outcomes[] = {
	[VHBA_OUTCOME_DONE] = {"done", VHBA_EXIT_DONE},
	[VHBA_OUTCOME_CONFIRMED] = {"confirmed", VHBA_EXIT_DONE},
	[VHBA_OUTCOME_UNCONFIRMED] = {"unconfirmed", VHBA_EXIT_UNCONFIRMED},
	[VHBA_OUTCOME_FAILED] = {"failed", VHBA_EXIT_OTHER},
};

const char *vhba_outcome_name(enum vhba_outcome outcome)
{
	return (unsigned int)outcome < ARRAY_SIZE(outcomes) ? outcomes[outcome].name : "?";
}

void vhba_result_clear(struct vhba_result *result)
{
	free(result->json);
	memset(result, 0, sizeof(*result));
}

static void read_unproved(struct json_object *list, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(list) && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "",
				      json_object_get_string(json_object_array_get_idx(list, i)));
}

/* A failure's exit code is that of its error's kind, where it names one. */
static enum vhba_exit failed_exit(struct json_object *o)
{
	struct json_object *error = proto_get(o, "error");
	struct json_object *name = json_object_is_type(error, json_type_object) ? proto_get(error, "error")
										: NULL;

	if (!json_object_is_type(name, json_type_string))
		return outcomes[VHBA_OUTCOME_FAILED].exit;
	return vhba_error_exit(vhba_error_kind(json_object_get_string(name)));
}

static int read_result(struct json_object *o, struct vhba_result *result)
{
	struct json_object *outcome = proto_get(o, "outcome"), *unproved = proto_get(o, "unproved");
	const char *name = json_object_is_type(outcome, json_type_string) ? json_object_get_string(outcome)
									  : "";

	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
		if (strcmp(name, outcomes[i].name))
			continue;
		result->outcome = (enum vhba_outcome)i;
		result->exit = i == VHBA_OUTCOME_FAILED ? failed_exit(o) : outcomes[i].exit;
		result->deadline_us = proto_get_uint(o, "deadline_us", 0);
		result->elapsed_us = proto_get_uint(o, "elapsed_us", 0);
		if (json_object_is_type(unproved, json_type_array))
			read_unproved(unproved, result->unproved, sizeof(result->unproved));
		return 0;
	}
	return -EBADMSG;
}

int vhba_result_read(const char *reply, struct vhba_result *result, struct vhba_error *e)
{
	struct verror why = {0};
	struct json_object *o = frame_parse(reply, strlen(reply), &why);
	int r;

	memset(result, 0, sizeof(*result));
	r = o ? read_result(o, result) : -EBADMSG;
	json_object_put(o);
	if (!r)
		result->json = strdup(reply);
	if (!r && result->json)
		return 0;
	verror_set(&why, VHBA_E_INTERNAL, r ? "the reply is not that of an operation" : "out of memory");
	return client_error(e, &why, r ? r : -ENOMEM);
}

/* An operation's call. p is taken over; flag is the name of the boolean that flags & 1 sets, or NULL. */
static int operate(struct vhba_conn *conn, const char *method, const char *vm, uint64_t deadline_us,
		   struct json_object *p, struct vhba_result *result, struct vhba_error *e)
{
	uint64_t wait = deadline_us == VHBA_DEFAULT_US ? DEFAULT_WAIT_US : deadline_us + ANSWER_GRACE_US;
	struct vhba_result dropped = {0}, *to = result ? result : &dropped;
	AUTO_FREE char *reply = NULL;
	int r;

	memset(to, 0, sizeof(*to));
	json_object_object_add(p, "vm", json_object_new_string(vm));
	if (deadline_us != VHBA_DEFAULT_US)
		json_object_object_add(p, "deadline_us", json_object_new_uint64(deadline_us));
	r = vhba_call(conn, method, json_object_to_json_string_ext(p, JSON_C_TO_STRING_PLAIN), wait, &reply,
		      e);
	json_object_put(p);
	if (!r)
		r = vhba_result_read(reply, to, e);
	vhba_result_clear(&dropped);
	return r;
}

static struct json_object *flag(bool set, const char *name)
{
	struct json_object *p = json_object_new_object();

	if (set)
		json_object_object_add(p, name, json_object_new_boolean(true));
	return p;
}

int vhba_attach(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, unsigned int flags,
		struct vhba_result *result, struct vhba_error *e)
{
	struct json_object *p = flag(flags & VHBA_ACCEPT_LUNS, "accept_luns");

	if (flags & VHBA_CHECK_NAMES)
		json_object_object_add(p, "check_names", json_object_new_boolean(true));
	return operate(conn, "attach", vm, deadline_us, p, result, e);
}

int vhba_detach(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, struct vhba_result *result,
		struct vhba_error *e)
{
	return operate(conn, "detach", vm, deadline_us, json_object_new_object(), result, e);
}

int vhba_quiesce(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, uint64_t drain_us,
		 unsigned int flags, struct vhba_result *result, struct vhba_error *e)
{
	struct json_object *p = flag(flags & VHBA_PAUSED, "paused");

	if (drain_us != VHBA_DEFAULT_US)
		json_object_object_add(p, "drain_us", json_object_new_uint64(drain_us));
	return operate(conn, "quiesce", vm, deadline_us, p, result, e);
}

int vhba_resume(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, struct vhba_result *result,
		struct vhba_error *e)
{
	return operate(conn, "resume", vm, deadline_us, json_object_new_object(), result, e);
}

int vhba_release(struct vhba_conn *conn, const char *vm, uint64_t deadline_us, unsigned int flags,
		 struct vhba_result *result, struct vhba_error *e)
{
	return operate(conn, "release", vm, deadline_us, flag(flags & VHBA_MOVED, "moved"), result, e);
}

int vhba_export(struct vhba_conn *conn, const char *vm, char **ticket, struct vhba_error *e)
{
	struct json_object *p = json_object_new_object(), *o = NULL, *t;
	AUTO_FREE char *reply = NULL;
	struct verror why = {0};
	int r;

	*ticket = NULL;
	json_object_object_add(p, "vm", json_object_new_string(vm));
	r = vhba_call(conn, "export", json_object_to_json_string_ext(p, JSON_C_TO_STRING_PLAIN),
		      DEFAULT_WAIT_US, &reply, e);
	json_object_put(p);
	if (r)
		return r;
	o = frame_parse(reply, strlen(reply), &why);
	t = proto_get(o, "ticket");
	if (json_object_is_type(t, json_type_object))
		*ticket = strdup(json_object_to_json_string_ext(t, JSON_C_TO_STRING_PLAIN |
									   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	if (*ticket)
		return 0;
	verror_set(&why, VHBA_E_INTERNAL, "the reply has no ticket");
	return client_error(e, &why, -EBADMSG);
}

int vhba_import(struct vhba_conn *conn, const char *ticket, unsigned int flags, struct vhba_error *e)
{
	struct verror why = {0};
	struct json_object *t = frame_parse(ticket, strlen(ticket), &why), *p;
	int r;

	if (!t)
		return client_error(e, &why, -EINVAL);
	p = flag(flags & VHBA_FORCE, "force");
	if (flags & VHBA_ALTERNATE)
		json_object_object_add(p, "alternate", json_object_new_boolean(true));
	json_object_object_add(p, "ticket", t);
	r = vhba_call(conn, "import", json_object_to_json_string_ext(p, JSON_C_TO_STRING_PLAIN),
		      DEFAULT_WAIT_US, NULL, e);
	json_object_put(p);
	return r;
}

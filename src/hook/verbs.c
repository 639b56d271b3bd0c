/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each verb asks vhbad for, in which order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "hook.h"
#include "textfile.h"

#define TICKET_MAX (256 * 1024)
#define CALL_US (10 * USEC_PER_SEC) /* a question that is no operation */

static uint64_t left(const struct hook *h)
{
	return h->by.us == MONOTIME_NEVER.us ? VHBA_DEFAULT_US : mono_left(h->by, mono_now());
}

/* What is asked for with no time left is refused by vhbad as no time at all. */
static int in_time(const struct hook *h, struct vhba_error *e)
{
	if (left(h) >= USEC_PER_MSEC)
		return 0;
	hook_error(e, VHBA_E_DEADLINE, "the deadline passed before vhbad could be asked", NULL, NULL);
	return -ETIME;
}

static uint64_t call_time(const struct hook *h)
{
	uint64_t us = left(h);

	return us < CALL_US ? us : CALL_US;
}

/* ---- what vhbad knows of the VM ---- */

const char *hook_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : "";
}

uint64_t hook_number(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_uint64(v) : 0;
}

static char *parameters_of(const char *vm)
{
	struct json_object *o = json_object_new_object();
	char *text;

	json_object_object_add(o, "vm", json_object_new_string(vm));
	text = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return text;
}

int hook_look(struct hook *h, const char *vm, struct hook_known *k, struct vhba_error *e)
{
	AUTO_FREE char *parameters = parameters_of(vm), *reply = NULL;
	struct json_object *o, *shown;
	int r = vhba_call(h->conn, "vm.Show", parameters, call_time(h), &reply, e);

	if (r)
		return r;
	o = json_tokener_parse(reply);
	memset(k, 0, sizeof(*k));
	if (json_object_object_get_ex(o, "vm", &shown)) {
		snprintf(k->state, sizeof(k->state), "%s", hook_text(shown, "state"));
		snprintf(k->owner, sizeof(k->owner), "%s", hook_text(shown, "owner"));
		k->generation = hook_number(shown, "generation");
		k->arrives = hook_number(shown, "arrives");
		k->leaving = hook_number(shown, "leaving");
	}
	json_object_put(o);
	return 0;
}

/* A VM that vhbad does not know has nothing here to be moved, if the caller says that such VMs exist. */
static bool is_none_of_ours(struct hook *h, int r, const struct vhba_error *e)
{
	h->nothing = r && h->o->if_known && e->kind == VHBA_E_NOT_FOUND;
	return h->nothing;
}

/* ---- the ticket ---- */

/* A ticket, or the report of pre-migrate that has it in it. */
static struct json_object *read_ticket(const char *path, struct vhba_error *e)
{
	AUTO_FREE char *text = NULL;
	int r = textfile_read(path, TICKET_MAX, &text);
	struct json_object *o = r ? NULL : json_tokener_parse(text), *inner;

	if (json_object_is_type(o, json_type_object)) {
		if (!json_object_object_get_ex(o, "ticket", &inner))
			return o;
		json_object_get(inner);
		json_object_put(o);
		return inner;
	}
	json_object_put(o);
	if (r)
		hook_error(e, VHBA_E_IO, "the ticket can't be read", strerror(-r), NULL);
	else
		hook_error(e, VHBA_E_USAGE, "the file is no ticket", path,
			   "give what pre-migrate printed, or what vhbactl export wrote");
	return NULL;
}

/* Nothing of another VM is brought here by a mistake in a script. */
static int check_vm(const struct hook *h, struct json_object *ticket, struct vhba_error *e)
{
	if (!strcmp(hook_text(ticket, "vm"), h->o->vm) || !strcmp(hook_text(ticket, "uuid"), h->o->vm))
		return 0;
	return hook_error(e, VHBA_E_USAGE, "the ticket is another VM's", hook_text(ticket, "vm"),
			  "name the VM as the ticket does");
}

/* ---- steps ---- */

static void note(struct hook *h, const char *name, const char *outcome, uint64_t elapsed_us,
		 const char *result)
{
	struct json_object *step = json_object_new_object();

	json_object_object_add(step, "step", json_object_new_string(name));
	json_object_object_add(step, "outcome", json_object_new_string(outcome));
	json_object_object_add(step, "elapsed_us", json_object_new_uint64(elapsed_us));
	if (result)
		json_object_object_add(step, "result", json_tokener_parse(result));
	json_object_array_add(h->steps, step);
}

/* The end of an operation: its record is kept, and its outcome is the hook's so far. */
static int noted(struct hook *h, const char *name, int r)
{
	if (!r)
		note(h, name, vhba_outcome_name(h->last.outcome), h->last.elapsed_us, h->last.json);
	return r;
}

static bool failed(const struct hook *h)
{
	return h->last.outcome == VHBA_OUTCOME_FAILED;
}

static int export_ticket(struct hook *h, struct vhba_error *e)
{
	struct monotime start = mono_now();
	AUTO_FREE char *text = NULL;
	int r = vhba_export(h->conn, h->o->vm, &text, e);

	if (r)
		return r;
	h->ticket = json_tokener_parse(text);
	r = h->o->ticket && strcmp(h->o->ticket, "-") ? textfile_write(h->o->ticket, text) : 0;
	if (r) {
		hook_error(e, VHBA_E_IO, "the ticket can't be written", strerror(-r),
			   "the ticket is in this report too; or call the hook again");
		return r;
	}
	note(h, "export", "done", mono_since(mono_now(), start), NULL);
	return 0;
}

int hook_pre_migrate(struct hook *h, struct vhba_error *e)
{
	struct hook_known k;
	int r = hook_look(h, h->o->vm, &k, e);

	if (is_none_of_ours(h, r, e))
		return 0;
	/* A VM that is held already is asked for its proof once more. */
	if (!r)
		r = in_time(h, e);
	if (!r)
		r = noted(h, "quiesce",
			  vhba_quiesce(h->conn, h->o->vm, left(h), h->o->drain_us,
				       h->o->paused ? VHBA_PAUSED : 0, &h->last, e));
	if (r || failed(h))
		return r;
	return export_ticket(h, e);
}

/* ---- before anything is touched ---- */

/* The first check that does not hold says what kind of error this is, to whoever reads one line. */
static int judge(struct hook *h, struct json_object *reply, struct vhba_error *e)
{
	struct json_object *checks = NULL, *first = NULL, *ok;

	json_object_object_get_ex(reply, "checks", &checks);
	for (size_t i = 0; checks && !first && i < json_object_array_length(checks); i++) {
		first = json_object_array_get_idx(checks, i);
		if (!json_object_object_get_ex(first, "ok", &ok) || json_object_get_boolean(ok))
			first = NULL;
	}
	if (!first)
		return 0;
	hook_error(e, VHBA_E_CONSTRAINT, hook_text(first, "what"), hook_text(first, "seen"),
		   hook_text(first, "fix"));
	snprintf(e->expected, sizeof(e->expected), "%s", hook_text(first, "expected"));
	return -EINVAL;
}

static void keep_list(struct json_object **list, struct json_object *reply, const char *key)
{
	json_object_put(*list);
	*list = json_object_object_get_ex(reply, key, list) ? json_object_get(*list) : NULL;
}

int hook_preflight(struct hook *h, struct json_object *ticket, struct vhba_error *e)
{
	struct json_object *o = json_object_new_object();
	struct monotime start = mono_now();
	AUTO_FREE char *reply = NULL;
	int r;

	json_object_object_add(o, "ticket", json_object_get(ticket));
	r = vhba_call(h->conn, "preflight", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		      call_time(h), &reply, e);
	json_object_put(o);
	if (r)
		return r;
	o = json_tokener_parse(reply);
	r = judge(h, o, e);
	keep_list(&h->names, o, "names");
	keep_list(&h->luns, o, "luns");
	json_object_put(o);
	note(h, "preflight", r ? "failed" : "done", mono_since(mono_now(), start), reply);
	return r;
}

bool hook_is_there(struct json_object *name)
{
	struct json_object *v;

	return json_object_object_get_ex(name, "proved", &v) && json_object_get_boolean(v);
}

bool hook_reaches(struct json_object *vhba)
{
	return !strcmp(hook_text(vhba, "reachable"), "seen");
}

int hook_check_migrate(struct hook *h, struct vhba_error *e)
{
	struct json_object *ticket;
	int r;

	if (!h->o->ticket)
		return hook_error(e, VHBA_E_USAGE, "check-migrate needs the ticket", NULL,
				  "give --ticket what vhbactl export wrote on the source");
	ticket = read_ticket(h->o->ticket, e);
	r = ticket ? check_vm(h, ticket, e) : -EINVAL;
	if (!r)
		r = hook_preflight(h, ticket, e);
	json_object_put(ticket);
	return r;
}

/* ---- after the migration ---- */

static int release(struct hook *h, struct vhba_error *e)
{
	int r = in_time(h, e);

	return r ? r : noted(h, "release", vhba_release(h->conn, h->o->vm, left(h), VHBA_MOVED, &h->last, e));
}

static int take_over(struct hook *h, struct json_object *ticket, struct vhba_error *e)
{
	const char *text = json_object_to_json_string_ext(ticket, JSON_C_TO_STRING_PLAIN);
	struct vhba_error unknown = {0};
	struct monotime start;
	struct hook_known k;
	int r = hook_look(h, h->o->vm, &k, &unknown);
	bool here;

	if (r && unknown.kind != VHBA_E_NOT_FOUND) {
		*e = unknown;
		return r;
	}
	/* This very ticket was taken here before: the hook is called again. */
	here = !r && k.generation == hook_number(ticket, "generation");
	if (!here) {
		start = mono_now();
		r = vhba_import(h->conn, text, 0, e);
		if (r)
			return r;
		note(h, "import", "done", mono_since(mono_now(), start), NULL);
	} else if (!strcmp(k.state, "attached")) {
		h->nothing = true;
		return 0;
	}
	r = in_time(h, e);
	return r ? r : noted(h, "attach", vhba_attach(h->conn, h->o->vm, left(h), 0, &h->last, e));
}

int hook_post_migrate(struct hook *h, struct vhba_error *e)
{
	struct json_object *ticket;
	struct hook_known k;
	int r;

	if (h->o->ticket) {
		ticket = read_ticket(h->o->ticket, e);
		r = ticket ? check_vm(h, ticket, e) : -EINVAL;
		if (!r)
			r = take_over(h, ticket, e);
		json_object_put(ticket);
		return r;
	}
	r = hook_look(h, h->o->vm, &k, e);
	if (is_none_of_ours(h, r, e))
		return 0;
	return r ? r : release(h, e);
}

/* ---- the migration is called off ---- */

int hook_abort_migrate(struct hook *h, struct vhba_error *e)
{
	struct hook_known k;
	int r = hook_look(h, h->o->vm, &k, e);

	if (is_none_of_ours(h, r, e))
		return 0;
	if (r)
		return r;
	if (!strcmp(k.state, "attached")) {
		h->nothing = true;
		return 0;
	}
	r = in_time(h, e);
	return r ? r : noted(h, "resume", vhba_resume(h->conn, h->o->vm, left(h), &h->last, e));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One invocation from its connection to its report. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "hook.h"

const struct hook_verb hook_verbs[] = {
	{"check-migrate", hook_check_migrate,
	 "On the destination, with --ticket: whether the VM could come here; nothing is touched."},
	{"pre-migrate", hook_pre_migrate,
	 "End or park all I/O of the VM, log it out, and write the ticket that its identity moves with."},
	{"post-migrate", hook_post_migrate,
	 "On the source: give the identity away; on the destination, with --ticket: take it over and attach "
	 "it."},
	{"abort-migrate", hook_abort_migrate, "Log the VM in again where it was, and open its intake."},
	{NULL, NULL, NULL},
};

int hook_error(struct vhba_error *e, enum vhba_error_kind kind, const char *what, const char *seen,
	       const char *fix)
{
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	snprintf(e->what, sizeof(e->what), "%s", what);
	snprintf(e->seen, sizeof(e->seen), "%s", seen ?: "");
	snprintf(e->fix, sizeof(e->fix), "%s", fix ?: "");
	return -EINVAL;
}

/* ---- the report ---- */

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *error_object(const struct vhba_error *e)
{
	struct json_object *o = json_object_new_object(), *p = json_object_new_object();

	add_text(o, "error", vhba_error_name(e->kind));
	add_text(p, "what", e->what);
	add_text(p, "expected", e->expected);
	add_text(p, "seen", e->seen);
	add_text(p, "fix", e->fix);
	json_object_object_add(o, "parameters", p);
	return o;
}

static const char *outcome_of(const struct hook *h, const struct vhba_error *e)
{
	if (e->kind)
		return "failed";
	return h->nothing ? "none" : vhba_outcome_name(h->last.outcome);
}

static enum vhba_exit exit_of(const struct hook *h, const struct vhba_error *e)
{
	if (e->kind)
		return vhba_error_exit(e->kind);
	return h->nothing ? VHBA_EXIT_DONE : h->last.exit;
}

static void add_unproved(struct json_object *from, bool (*proved)(struct json_object *o),
			 struct json_object *list)
{
	for (size_t i = 0; from && i < json_object_array_length(from); i++) {
		struct json_object *v = json_object_array_get_idx(from, i);

		if (!proved(v))
			json_object_array_add(list, json_object_new_string(hook_text(v, "text")));
	}
}

/* What the operation names, as its own reply has it; and what the preflight could not prove. */
static struct json_object *unproved(const struct hook *h)
{
	struct json_object *o = h->last.json ? json_tokener_parse(h->last.json) : NULL, *list;

	if (!json_object_object_get_ex(o, "unproved", &list))
		list = json_object_new_array();
	else
		json_object_get(list);
	json_object_put(o);
	add_unproved(h->names, hook_is_there, list);
	add_unproved(h->luns, hook_reaches, list);
	return list;
}

static void report(struct hook *h, const struct hook_verb *verb, const struct vhba_error *e)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "hook", verb->name);
	add_text(o, "vm", h->o->vm);
	add_text(o, "outcome", outcome_of(h, e));
	json_object_object_add(o, "exit", json_object_new_int(exit_of(h, e)));
	json_object_object_add(o, "elapsed_us", json_object_new_uint64(mono_since(mono_now(), h->start)));
	if (h->o->deadline_us != VHBA_DEFAULT_US)
		json_object_object_add(o, "deadline_us", json_object_new_uint64(h->o->deadline_us));
	json_object_object_add(o, "unproved", unproved(h));
	json_object_object_add(o, "steps", json_object_get(h->steps));
	if (h->ticket)
		json_object_object_add(o, "ticket", json_object_get(h->ticket));
	if (e->kind)
		json_object_object_add(o, "error", error_object(e));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

int hook_run(const struct hook_verb *verb, const struct hook_options *o)
{
	struct hook h = {.o = o, .start = mono_now(), .by = MONOTIME_NEVER};
	struct vhba_error e = {0};
	char line[1024];
	int exit;

	if (o->deadline_us != VHBA_DEFAULT_US)
		h.by = mono_add(h.start, o->deadline_us);
	h.steps = json_object_new_array();
	if (!vhba_connect(o->socket, &h.conn, &e) && !verb->run(&h, &e))
		e.kind = VHBA_OK;
	if (h.nothing)
		e.kind = VHBA_OK;
	exit = exit_of(&h, &e);
	report(&h, verb, &e);
	if (e.kind)
		fprintf(stderr, "vhba-hook: %s: %s\n", verb->name, vhba_error_line(&e, line, sizeof(line)));
	vhba_close(h.conn);
	vhba_result_clear(&h.last);
	json_object_put(h.steps);
	json_object_put(h.ticket);
	json_object_put(h.names);
	json_object_put(h.luns);
	/* Whoever does not see the report must not take it for done. */
	return fflush(stdout) && !exit ? VHBA_EXIT_OTHER : exit;
}

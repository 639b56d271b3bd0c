/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's hook for QEMU domains.  Calls of libvirt hang in some of its operations, so none is made: what is
 * needed stands in the domain's XML.  Each operation may come twice, and may have been cut off before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cleanup.h"
#include "guard.h"
#include "hook.h"
#include "identity.h"
#include "textfile.h"

#define CALL_US (10 * USEC_PER_SEC)
#define BUSY_US (30 * USEC_PER_SEC)
#define BUSY_LOOK_US (20 * USEC_PER_MSEC)

struct libvirt {
	struct hook h;
	struct identity id;
	const char *vm; /* the identity's UUID */
	const char *socket; /* vhbad's; NULL: the default */
	const char *extra; /* libvirt's last argument */
};

typedef int libvirt_fn(struct libvirt *l, struct vhba_error *e);

/* A VM that vhbad does not know: *known is false. */
static int look(struct libvirt *l, struct hook_known *k, bool *known, struct vhba_error *e)
{
	int r = hook_look(&l->h, l->vm, k, e);

	*known = !r;
	return r && e->kind == VHBA_E_NOT_FOUND ? 0 : r;
}

static bool is_live(const struct hook_known *k)
{
	return strcmp(k->state, "detached") != 0;
}

/* Another operation on the VM is under way, and has a deadline; there is no event for its end here. */
static bool is_worth_waiting(const struct libvirt *l, const struct vhba_error *e)
{
	if (e->kind != VHBA_E_BUSY || mono_reached(mono_add(l->h.start, BUSY_US), mono_now()))
		return false;
	usleep(BUSY_LOOK_US);
	return true;
}

/* ---- a domain that is to come here ---- */

/* What is a file must be the same file: it is there, at least. */
static int files_are_here(struct json_object *ticket, struct vhba_error *e)
{
	struct json_object *luns;

	if (!json_object_object_get_ex(ticket, "luns", &luns))
		return 0;
	for (size_t i = 0; i < json_object_array_length(luns); i++) {
		const char *file = hook_text(json_object_array_get_idx(luns, i), "file");

		if (file[0] && access(file, F_OK))
			return hook_error(e, VHBA_E_CONSTRAINT, "a LUN of the VM is not on this host", file,
					  "give this host the same file, or the same block device");
	}
	return 0;
}

static void say_all(struct json_object *list)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		fprintf(stderr, "vhba: %s\n", hook_text(json_object_array_get_idx(list, i), "text"));
}

/* That LUNs of the array are the same, and not masked, is for certain when the names have logged in here;
 * that nobody but the source has the names, when the source has let them go and the name server has none. */
static void say_what_is_seen(const struct hook *h)
{
	say_all(h->names);
	say_all(h->luns);
}

/*
 * What is known here of a VM that was here before may bear the same generation as its metadata, which was
 * written before it left: that the domain itself comes is what makes it the newer.
 */
static void be_newer(struct json_object *ticket, const struct hook_known *k)
{
	if (hook_number(ticket, "generation") <= k->generation)
		json_object_object_add(ticket, "generation", json_object_new_uint64(k->generation + 1));
}

static int import(struct libvirt *l, struct json_object *ticket, struct vhba_error *e)
{
	/* With two names nothing has to wait until the source has logged out. */
	unsigned flags = identity_moves_beside(ticket) ? VHBA_ALTERNATE : 0;

	/* Metadata prove nothing of where the VM is running now. */
	json_object_object_del(ticket, "stopped");
	return vhba_import(l->h.conn, json_object_to_json_string_ext(ticket, JSON_C_TO_STRING_PLAIN), flags,
			   e);
}

static int this_host(struct libvirt *l, char *name, size_t size, struct vhba_error *e)
{
	AUTO_FREE char *reply = NULL;
	int r = vhba_call(l->h.conn, "status", NULL, CALL_US, &reply, e);
	struct json_object *o = r ? NULL : json_tokener_parse(reply);

	snprintf(name, size, "%s", hook_text(o, "hostname"));
	json_object_put(o);
	return r;
}

static int owned_here(struct libvirt *l, const struct hook_known *k, bool *owned, struct vhba_error *e)
{
	char host[256];
	int r = this_host(l, host, sizeof(host), e);

	*owned = !r && !strcmp(host, k->owner);
	return r;
}

/* Where it is this host's, the registry knows better than the metadata; else they are what came with the
 * domain. */
static int take_in(struct libvirt *l, const struct hook_known *k, bool known, struct vhba_error *e)
{
	bool owned = false;
	int r = known ? owned_here(l, k, &owned, e) : 0;

	if (r || owned)
		return r;
	if (known)
		be_newer(l->id.ticket, k);
	return import(l, l->id.ticket, e);
}

static bool has_disks(struct json_object *ticket)
{
	struct json_object *list;

	return (json_object_object_get_ex(ticket, "vhbas", &list) && json_object_array_length(list)) ||
	       (json_object_object_get_ex(ticket, "luns", &list) && json_object_array_length(list));
}

/*
 * Live, with the names that are live at the source now, if all of its I/O goes through vhba-io here as well.
 * What speaks against it is no failure: then prepare attaches it, when the source has let the names go.
 */
static int expect(struct libvirt *l, struct vhba_error *e)
{
	struct json_object *p = json_object_new_object(), *o;
	AUTO_FREE char *reply = NULL;
	int r;

	json_object_object_del(l->id.ticket, "stopped");
	json_object_object_add(p, "ticket", json_object_get(l->id.ticket));
	do
		r = vhba_call(l->h.conn, "io.Await",
			      json_object_to_json_string_ext(p, JSON_C_TO_STRING_PLAIN), CALL_US, &reply, e);
	while (r && is_worth_waiting(l, e));
	json_object_put(p);
	if (r)
		return r;
	o = json_tokener_parse(reply);
	if (!hook_number(o, "awaited"))
		fprintf(stderr, "vhba: it can't come live: %s\n", hook_text(o, "text"));
	json_object_put(o);
	return 0;
}

static int on_migrate(struct libvirt *l, struct vhba_error *e)
{
	struct hook_known k;
	bool known, owned = false;
	int r = look(l, &k, &known, e);

	if (!r && known && is_live(&k) && !k.arrives)
		return hook_error(
			e, VHBA_E_STATE, "the VM's identity is live on this host", k.state,
			"look here with 'vhbactl vm show': a domain of another libvirt may have it");
	if (!r)
		r = files_are_here(l->id.ticket, e);
	if (!r && known)
		r = owned_here(l, &k, &owned, e);
	/* It runs elsewhere: what an earlier attempt has left here is not the truth. */
	if (!r && owned)
		r = vhba_release(l->h.conn, l->vm, VHBA_DEFAULT_US, VHBA_MOVED, &l->h.last, e);
	if (!r && owned)
		r = look(l, &k, &known, e);
	if (!r && known)
		be_newer(l->id.ticket, &k);
	if (!r)
		r = hook_preflight(&l->h, l->id.ticket, e);
	if (!r)
		say_what_is_seen(&l->h);
	if (!r && has_disks(l->id.ticket) && identity_has_back_end(l->id.ticket))
		r = expect(l, e);
	return r;
}

/* Of an operation that has failed: what it says of the first vhba that has. */
static int failed(const char *what, const struct vhba_result *result, struct vhba_error *e)
{
	struct json_object *o = json_tokener_parse(result->json ? result->json : "{}"), *list, *why = NULL,
			   *p;
	char seen[512];

	if (json_object_object_get_ex(o, "vhbas", &list))
		for (size_t i = 0; i < json_object_array_length(list) && !why; i++)
			json_object_object_get_ex(json_object_array_get_idx(list, i), "error", &why);
	p = why && json_object_object_get_ex(why, "parameters", &p) ? p : why;
	snprintf(seen, sizeof(seen), "%s%s%s", hook_text(p, "what"), hook_text(p, "seen")[0] ? ": " : "",
		 hook_text(p, "seen"));
	hook_error(e, VHBA_E_CONSTRAINT, what, seen[0] ? seen : hook_text(o, "text"), hook_text(p, "fix"));
	json_object_put(o);
	return -EIO;
}

/*
 * One that is held here has been stopped while it was: it goes on with the same vports.  Metadata prove
 * nothing of where a domain runs now, so a name that the fabric shows somewhere is not taken from there.
 */
static int bring_up(struct libvirt *l, bool held, struct vhba_error *e)
{
	struct vhba_result *last = &l->h.last;
	int fd = guard_begin(l->socket, l->vm);
	int r = held ? vhba_resume(l->h.conn, l->vm, VHBA_DEFAULT_US, last, e)
		     : vhba_attach(l->h.conn, l->vm, VHBA_DEFAULT_US, VHBA_CHECK_NAMES, last, e);

	if (!r && last->outcome == VHBA_OUTCOME_FAILED)
		r = failed("the VM's HBAs can't be attached on this host", last, e);
	guard_end(fd, !r || e->kind == VHBA_E_STATE || e->kind == VHBA_E_BUSY);
	return r;
}

static int on_prepare(struct libvirt *l, struct vhba_error *e)
{
	struct hook_known k;
	bool known;
	int r = look(l, &k, &known, e);

	if (r || (known && (k.arrives || !strcmp(k.state, "attached"))))
		return r;
	if (!known || !is_live(&k))
		r = take_in(l, &k, known, e);
	if (r || !has_disks(l->id.ticket))
		return r;
	return bring_up(l, known && !strcmp(k.state, "held"), e);
}

/* ---- a domain that has gone from here ---- */

/* libvirt 9.0 does not say whether it has been stopped or has moved. One that was held before it went has
 * moved. */
static int on_release(struct libvirt *l, struct vhba_error *e)
{
	struct vhba_result *last = &l->h.last;
	struct hook_known k = {.state = ""};
	bool known, moved = !strcmp(l->extra, "migrated");
	int r = look(l, &k, &known, e);

	/* What was expected here has not come. */
	moved |= k.arrives;
	if (r || !known || (!is_live(&k) && !moved))
		return r;
	/* vhbad may be at it still: it began to log out by itself. */
	if (moved || k.leaving || !strcmp(k.state, "held")) {
		do
			r = vhba_release(l->h.conn, l->vm, VHBA_DEFAULT_US, VHBA_MOVED, last, e);
		while (r && is_worth_waiting(l, e));
		return r;
	}
	return vhba_detach(l->h.conn, l->vm, VHBA_DEFAULT_US, last, e);
}

/* ---- the table ---- */

static const struct operation {
	const char *operation, *sub;
	libvirt_fn *run;
} operations[] = {
	{"migrate", "begin", on_migrate},
	{"prepare", "begin", on_prepare},
	{"release", "end", on_release},
};

static int complain(const struct vhba_error *e)
{
	char line[1024];

	fprintf(stderr, "vhba: %s\n", vhba_error_line(e, line, sizeof(line)));
	return 1;
}

/* 0 with *id, ticket or not; or a negative errno with *e. */
static int read_domain(struct identity *id, struct vhba_error *e)
{
	AUTO_FREE char *xml = NULL;
	struct verror why = {0};
	int r = textfile_read("-", IDENTITY_XML_MAX, &xml);

	*id = (struct identity){0};
	if (r)
		return hook_error(e, VHBA_E_IO, "the domain's XML can't be read", strerror(-r), NULL);
	r = identity_read(xml, strlen(xml), id, &why);
	if (!r)
		return 0;
	hook_error(e, why.kind, why.what, why.seen, why.fix);
	snprintf(e->expected, sizeof(e->expected), "%s", why.expected);
	return r;
}

/* A copy of a domain has its metadata too. */
static int is_its_own(const struct libvirt *l, struct vhba_error *e)
{
	if (!strcasecmp(l->vm, l->id.uuid))
		return 0;
	return hook_error(e, VHBA_E_CONSTRAINT, "the domain carries the identity of another VM", l->vm,
			  "give it one of its own, or none: vhbactl domain bind, unbind");
}

static int run(const struct operation *o, const char *socket, const char *extra)
{
	const struct hook_options options = {.deadline_us = VHBA_DEFAULT_US, .drain_us = VHBA_DEFAULT_US};
	struct libvirt l = {.h = {.o = &options, .by = MONOTIME_NEVER}, .socket = socket, .extra = extra};
	struct vhba_error e = {0};
	int r = read_domain(&l.id, &e);

	if (!r && !l.id.ticket)
		return 0;
	l.h.start = mono_now();
	l.h.steps = json_object_new_array();
	l.vm = hook_text(l.id.ticket, "uuid");
	if (!r)
		r = is_its_own(&l, &e);
	if (!r)
		r = vhba_connect(socket, &l.h.conn, &e);
	if (!r)
		r = o->run(&l, &e);
	vhba_close(l.h.conn);
	vhba_result_clear(&l.h.last);
	json_object_put(l.h.steps);
	json_object_put(l.h.names);
	json_object_put(l.h.luns);
	identity_clear(&l.id);
	return r ? complain(&e) : 0;
}

int hook_libvirt(const char *socket, int argc, char **argv)
{
	if (argc < 3) {
		fputs("vhba: usage: DOMAIN OPERATION SUB-OPERATION [EXTRA], as libvirt calls its hooks\n",
		      stderr);
		return VHBA_EXIT_USAGE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (!strcmp(argv[1], operations[i].operation) && !strcmp(argv[2], operations[i].sub))
			return run(&operations[i], socket, argc > 3 ? argv[3] : "-");
	return 0; /* such as reconnect: a guest that runs is left alone */
}

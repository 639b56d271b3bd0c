/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the VM of a ticket could come to this host, before anything is touched. */
#include <stdlib.h>

#include "methods.h"
#include "reach.h"
#include "ticket.h"
#include "whereis.h"

struct preflight {
	struct daemon *d;
	struct call *call;
	struct reg_vm *in;
	struct json_object *checks; /* so far */
};

static bool list_check(void *user, const char *check, const struct reg_vhba *v, const struct verror *e)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "check", json_object_new_string(check));
	if (v)
		json_object_object_add(o, "vhba", json_object_new_int((int)v->index));
	json_object_object_add(o, "ok", json_object_new_boolean(!e));
	if (e) {
		json_object_object_add(o, "what", json_object_new_string(e->what));
		json_object_object_add(o, "expected", json_object_new_string(e->expected));
		json_object_object_add(o, "seen", json_object_new_string(e->seen));
		json_object_object_add(o, "fix", json_object_new_string(e->fix));
	}
	json_object_array_add(user, o);
	return true;
}

static bool all_hold(struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!proto_get_bool(json_object_array_get_idx(list, i), "ok"))
			return false;
	return true;
}

/* Each name of each vhba is a check of its own; of the names that are live now it is said where. */
static void add_names(struct preflight *f, const struct whereis_all *all, struct json_object *names)
{
	for (unsigned i = 0; i < all->n; i++) {
		const struct whereis *w = &all->name[i];
		struct verror e = {0};
		bool good = whereis_judge(w, &e);

		list_check(f->checks, "live", registry_vhba(f->in, w->vhba), good ? NULL : &e);
		if (good && !w->alternate)
			json_object_array_add(names, whereis_show(w));
	}
}

static void on_names(void *user, const struct whereis_all *all)
{
	struct preflight *f = user;
	struct json_object *o = json_object_new_object(), *names = json_object_new_array();

	if (all)
		add_names(f, all, names);
	json_object_object_add(o, "vm", json_object_new_string(f->in->name));
	json_object_object_add(o, "ok", json_object_new_boolean(all && all_hold(f->checks)));
	json_object_object_add(o, "checks", f->checks);
	json_object_object_add(o, "names", names);
	json_object_object_add(o, "luns", reach_show(f->d, f->in));
	call_reply(f->call, o);
	reg_vm_free(f->in);
	free(f);
}

void method_preflight(struct daemon *d, struct call *call, struct json_object *p)
{
	struct preflight *f = calloc(1, sizeof(*f));
	struct verror e;

	verror_set(&e, VHBA_E_INTERNAL, "out of memory");
	if (f)
		f->in = ticket_read(proto_get(p, "ticket"), &e);
	if (!f || !f->in) {
		free(f);
		call_error(call, &e);
		return;
	}
	f->d = d;
	f->call = call;
	f->checks = json_object_new_array();
	methods_look_through(d, f->in, list_check, f->checks);
	whereis_ask(d, f->in, proto_get(p, "ticket"), on_names, f);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tickets: what an identity is moved with, taken, given, and looked through before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ios.h"
#include "methods.h"
#include "op.h"
#include "placement.h"
#include "reservations.h"
#include "ticket.h"

/* What a ticket asks of this host, one check after the other. */
struct wanted {
	struct daemon *d;
	const struct reg_vm *in; /* the ticket's */
	const struct reg_vhba *v; /* the one that is looked at, or NULL */
	bool force;
	bool swapped; /* it comes by the vhbas' alternate names, while the source may be logged in by the
			 others */
	struct vm place; /* where its vhbas would go; in no list */
};

static bool is_newer(struct wanted *w, struct verror *e)
{
	const struct reg_vm *have = registry_find(w->d->reg, w->in->uuid);

	if (have && !methods_detached(w->d, have, e))
		return false;
	if (!have || w->in->generation > have->generation || w->force)
		return true;
	verror_set(e, VHBA_E_STATE, "the ticket of %s is not newer than what is known here", w->in->name);
	verror_expected(e, "a generation above %llu", (unsigned long long)have->generation);
	verror_seen(e, "%llu", (unsigned long long)w->in->generation);
	verror_fix(e, "export it anew where it was last, or use --force");
	return false;
}

static bool vsan_is_known(struct wanted *w, struct verror *e)
{
	return config_known_vsan(w->d->cfg, w->v->vsan, e);
}

static bool zones_are_known(struct wanted *w, struct verror *e)
{
	const char *pos = w->v->zones;
	char zone[REG_NAME_MAX];

	while (registry_next_zone(&pos, zone))
		if (!config_known_zone(w->d->cfg, w->v->vsan, zone, e))
			return false;
	return true;
}

static bool names_are_free(struct wanted *w, struct verror *e)
{
	/* The WWNN is that of both. A source that has just logged out is remembered as a remote port. */
	return methods_idle_name(w->d, w->v->wwpn, e) &&
	       (w->swapped || methods_idle_name(w->d, w->v->wwnn, e));
}

/* Before the source has let it go, the name may be seen in the SAN: only what this host has is in the way. */
static bool names_are_not_here(struct wanted *w, struct verror *e)
{
	char by[96], text[WWN_TEXT];

	if (!fc_name_is_local(&w->d->inv, w->v->wwpn, by, sizeof(by)))
		return true;
	verror_set(e, VHBA_E_EXISTS, "%s is in use on this host", wwn_format(w->v->wwpn, text));
	verror_seen(e, "%s", by);
	return false;
}

static bool has_parent(struct wanted *w, struct verror *e)
{
	const struct config_vsan *vsan = config_known_vsan(w->d->cfg, w->v->vsan, e);

	return vsan && !placement_place(w->d, &w->place, &w->place.vhba[w->v - w->in->vhbas], vsan, e);
}

enum { AT_IMPORT = 1, AT_PREFLIGHT = 2 };

static const struct {
	const char *name;
	unsigned when;
	bool vhba; /* of each vhba; else of the VM */
	bool (*holds)(struct wanted *w, struct verror *e);
} checks[] = {
	{"generation", AT_IMPORT | AT_PREFLIGHT, false, is_newer},
	{"name", AT_IMPORT, true, names_are_free},
	{"name", AT_PREFLIGHT, true, names_are_not_here},
	{"vsan", AT_IMPORT | AT_PREFLIGHT, true, vsan_is_known},
	{"zone", AT_IMPORT | AT_PREFLIGHT, true, zones_are_known},
	{"parent", AT_PREFLIGHT, true, has_parent},
};

/* Calls told for each check that is due, until one says that it is enough: then false. */
static bool look_through(struct wanted *w, unsigned when, methods_told *told, void *user)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		unsigned n = !(checks[i].when & when) ? 0 : checks[i].vhba ? w->in->vhbas_n : 1;

		for (unsigned k = 0; k < n; k++) {
			struct verror e = {0};
			bool good;

			w->v = checks[i].vhba ? &w->in->vhbas[k] : NULL;
			good = checks[i].holds(w, &e);
			if (!told(user, checks[i].name, w->v, good ? NULL : &e))
				return false;
		}
	}
	return true;
}

static bool stop_at_first(void *user, const char *check, const struct reg_vhba *v, const struct verror *e)
{
	if (e)
		*(struct verror *)user = *e;
	return !e;
}

static bool may_import(struct daemon *d, struct reg_vm *in, struct json_object *p, struct verror *e)
{
	struct wanted w = {.d = d,
			   .in = in,
			   .force = proto_get_bool(p, "force"),
			   .swapped = proto_get_bool(p, "alternate")};

	return (!w.swapped || reg_vm_swap_names(in, e)) && look_through(&w, AT_IMPORT, stop_at_first, e);
}

void method_import(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	struct reg_vm *in = ticket_read(proto_get(p, "ticket"), &e);
	struct change *c;

	if (!in || !may_import(d, in, p, &e)) {
		reg_vm_free(in);
		call_error(call, &e);
		return;
	}
	snprintf(in->owner, sizeof(in->owner), "%s", d->cfg->host_name);
	in->io.gate = in->io.kind != REG_IO_NONE && !ticket_stopped(proto_get(p, "ticket"));
	in->io.unfenced = in->io.gate && proto_get_bool(p, "alternate");
	c = methods_change(d, call, in->name, -1);
	methods_changed_or_refused(d, c, registry_import(d->reg, in, methods_changed, c, &e), &e);
	reg_vm_free(in);
}

/* What the last quiesce has read is newer than what came with the identity. */
static struct reg_vm *with_reservations(struct daemon *d, const struct reg_vm *vm)
{
	struct reg_vm *copy = reg_vm_copy(vm);

	for (unsigned i = 0; copy && i < copy->vhbas_n; i++) {
		char *text = reservations_kept(d, vm->uuid, copy->vhbas[i].index);

		if (!text)
			continue;
		free(copy->vhbas[i].reservations);
		copy->vhbas[i].reservations = text;
	}
	return copy;
}

/* Nothing of the VM's I/O is under way here, and nothing will be without a word from whoever exports it. */
static bool is_stopped(struct daemon *d, const struct reg_vm *rv)
{
	const struct vm *vm = vm_find(&d->vms, rv->uuid);

	if (!vm || vm->state == VM_DETACHED)
		return !ios_run(d, rv->uuid);
	if (vm->state != VM_HELD || vm->op)
		return false;
	return vm->quiesce ? quiesce_outcome_now(vm->quiesce) == QO_CONFIRMED
			   : ios_stopped(d, rv->uuid) && !ios_left(d, rv->uuid);
}

/* Its names are proved to be live nowhere, as far as this host had them. */
static bool is_out(struct daemon *d, const struct reg_vm *rv, const struct vm *vm)
{
	if (!vm || vm->state == VM_DETACHED)
		return !strcmp(rv->owner, d->cfg->host_name);
	return vm->state == VM_HELD && !vm->op && vm->quiesce &&
	       quiesce_outcome_now(vm->quiesce) == QO_CONFIRMED;
}

/* True of this moment: what is looked through by it is to be compared with the fabric at once. */
static void say_where(struct daemon *d, const struct reg_vm *rv, struct json_object *ticket)
{
	const struct vm *vm = vm_find(&d->vms, rv->uuid);
	bool out = is_out(d, rv, vm);

	for (unsigned i = 0; i < rv->vhbas_n; i++) {
		struct fc_vport *p = fc_vport_find(&d->inv, rv->vhbas[i].wwpn, NULL);
		const struct fc_host *host = p ? fc_host_find(&d->inv, p->host) : NULL;
		uint32_t id = 0;

		if (vm && vm->state == VM_ATTACHED && host)
			fc_host_read_port_id(host, &id);
		if (id || out)
			ticket_set_port_id(ticket, rv->vhbas[i].index, id);
	}
}

void method_export(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct reg_vm *copy;
	struct json_object *o, *ticket;

	if (!rv) {
		call_error(call, &e);
		return;
	}
	copy = with_reservations(d, rv);
	ticket = ticket_write(copy ? copy : rv, d->cfg->host_name, rv->generation + 1);
	if (rv->io.kind != REG_IO_NONE && is_stopped(d, rv))
		json_object_object_add(ticket, "stopped", json_object_new_string("confirmed"));
	say_where(d, rv, ticket);
	o = json_object_new_object();
	json_object_object_add(o, "ticket", ticket);
	reg_vm_free(copy);
	call_reply(call, o);
}

/* ---- before it comes ---- */

static void place_it(struct wanted *w)
{
	for (unsigned i = 0; i < w->in->vhbas_n && i < VM_VHBAS_MAX; i++)
		w->place.vhba[w->place.count++] =
			(struct vm_vhba){.index = w->in->vhbas[i].index, .parent_host = -1, .host = -1};
	watch_refresh_parents(w->d);
}

bool methods_may_arrive(struct daemon *d, const struct reg_vm *in, struct vm *place, struct verror *e)
{
	struct wanted w = {.d = d, .in = in};
	bool good;

	place_it(&w);
	good = look_through(&w, AT_PREFLIGHT, stop_at_first, e);
	*place = w.place;
	return good;
}

void methods_look_through(struct daemon *d, const struct reg_vm *in, methods_told *told, void *user)
{
	struct wanted w = {.d = d, .in = in};

	place_it(&w);
	look_through(&w, AT_PREFLIGHT, told, user);
}

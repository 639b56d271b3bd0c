/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods that change something: the registry, and operations. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "follow.h"
#include "handover.h"
#include "history.h"
#include "log.h"
#include "reservations.h"
#include "methods.h"
#include "op.h"
#include "ticket.h"

/* ---- helpers ---- */

const struct reg_vm *methods_vm(struct daemon *d, struct json_object *p, struct verror *e)
{
	const char *key = proto_get_text(p, "vm");
	const struct reg_vm *rv = registry_find(d->reg, key);

	if (!rv) {
		verror_set(e, VHBA_E_NOT_FOUND, "there is no VM %s", key);
		verror_expected(e, "a name or UUID of 'vhbactl vm list'");
		verror_fix(e, "add it with 'vhbactl vm add', or import its ticket");
	}
	return rv;
}

/* A VM whose registration may change: nothing of it is live here. */
static bool detached(struct daemon *d, const struct reg_vm *rv, struct verror *e)
{
	const struct vm *vm = vm_find(&d->vms, rv->uuid);

	if (!vm || (vm->state == VM_DETACHED && !vm->op))
		return true;
	verror_set(e, VHBA_E_STATE, "%s can't be changed now", rv->name);
	verror_expected(e, "detached");
	verror_seen(e, "%s", vm_state_name(vm->state));
	verror_fix(e, "'vhbactl detach %s' first", rv->name);
	return false;
}

/* A call that waits for the registry's disk: it names what to answer with when the change is written. */
struct change {
	struct daemon *d;
	struct call *call;
	char vm[REG_NAME_MAX];
	int index; /* of the vhba to answer with; -1: the VM; -2: nothing */
};

static void on_changed(void *user, const struct verror *e)
{
	AUTO_FREE struct change *c = user;
	const struct reg_vm *rv = registry_find(c->d->reg, c->vm);
	struct json_object *o;

	if (e) {
		call_error(c->call, e);
		return;
	}
	o = json_object_new_object();
	if (c->index >= 0 && rv)
		json_object_object_add(o, "vhba",
				       show_vhba(c->d, rv, registry_vhba(rv, (unsigned)c->index), false));
	else if (c->index == -1 && rv)
		json_object_object_add(o, "vm", show_vm(c->d, rv, true));
	call_reply(c->call, o);
}

static struct change *change_new(struct daemon *d, struct call *call, const char *vm, int index)
{
	struct change *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->d = d;
	c->call = call;
	c->index = index;
	snprintf(c->vm, sizeof(c->vm), "%s", vm);
	return c;
}

/* r: what the registry said at once. */
static void changed_or_refused(struct daemon *d, struct change *c, int r, const struct verror *e)
{
	if (!r) {
		daemon_event(d, "registry", c->vm, "changed");
		daemon_registry_changed(d);
		return;
	}
	call_error(c->call, e);
	free(c);
}

/* ---- VMs and vhbas ---- */

static void vm_add(struct daemon *d, struct call *call, struct json_object *p)
{
	const char *name = proto_get_text(p, "name"), *given = proto_get_text(p, "uuid");
	struct change *c = change_new(d, call, name, -1);
	struct verror e;
	char uuid[37];

	snprintf(uuid, sizeof(uuid), "%s", given);
	for (char *s = uuid; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	changed_or_refused(d, c, registry_vm_add(d->reg, name, uuid, d->cfg->host_name, on_changed, c, &e),
			   &e);
}

static void vm_remove(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct change *c;

	if (!rv || !detached(d, rv, &e)) {
		call_error(call, &e);
		return;
	}
	if (strcmp(rv->owner, d->cfg->host_name) && !proto_get_bool(p, "force")) {
		verror_set(&e, VHBA_E_STATE, "the identity of %s is not this host's", rv->name);
		verror_seen(&e, "it belongs to %s", rv->owner[0] ? rv->owner : "whoever imports its ticket");
		verror_fix(&e, "remove it with --force if it shall be forgotten here all the same");
		call_error(call, &e);
		return;
	}
	c = change_new(d, call, rv->name, -2);
	changed_or_refused(d, c, registry_vm_remove(d->reg, rv, on_changed, c, &e), &e);
}

/* What the SAN has under this name: by says it. A target that is configured may be away just now. */
static bool in_san(struct daemon *d, wwn_t name, char *by, size_t size)
{
	const struct config_zone *z = config_zone_of_target(d->cfg, name);

	if (!z)
		return fc_name_in_use(&d->inv, name, by, size);
	snprintf(by, size, "a target of [zone %s]", z->name);
	return true;
}

static bool taken(void *arg, wwn_t name)
{
	struct daemon *d = arg;
	const struct reg_vm *vm;
	char by[96];

	return registry_name_known(d->reg, name, &vm) || in_san(d, name, by, sizeof(by));
}

static bool free_name(struct daemon *d, wwn_t name, struct verror *e)
{
	char by[96], text[WWN_TEXT];

	if (!in_san(d, name, by, sizeof(by)))
		return true;
	verror_set(e, VHBA_E_EXISTS, "%s is in use in the SAN", wwn_format(name, text));
	verror_expected(e, "a World Wide Name that nothing else carries");
	verror_seen(e, "%s", by);
	return false;
}

/* Given by the administrator, both or none; else allocated. */
static bool choose_names(struct daemon *d, struct json_object *p, wwn_t *wwpn, wwn_t *wwnn, struct verror *e)
{
	const char *given_p = proto_get_text(p, "wwpn"), *given_n = proto_get_text(p, "wwnn");

	if (!given_p != !given_n) {
		verror_set(e, VHBA_E_USAGE, "a WWPN and a WWNN are given together, or neither");
		return false;
	}
	if (given_p)
		return !wwn_parse(given_p, wwpn, e) && !wwn_parse(given_n, wwnn, e) &&
		       free_name(d, *wwpn, e) && free_name(d, *wwnn, e);
	do {
		if (wwn_alloc(&d->cfg->names, NULL, taken, d, wwpn, e) ||
		    wwn_alloc(&d->cfg->names, NULL, taken, d, wwnn, e))
			return false;
	} while (*wwpn == *wwnn);
	return true;
}

/* The zones as the registry keeps them, each known and in the VSAN. */
static bool choose_zones(struct daemon *d, struct json_object *p, uint16_t vsan, char *zones, size_t size,
			 struct verror *e)
{
	struct json_object *list = proto_get(p, "zones");
	size_t used = 0;

	if (!config_known_vsan(d->cfg, vsan, e))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));
		const struct config_zone *z = config_known_zone(d->cfg, vsan, name, e);

		if (!z)
			return false;
		used += (size_t)snprintf(zones + used, size - used, "%s%s", i ? "," : "", z->name);
		if (used >= size) {
			verror_set(e, VHBA_E_USAGE, "the zones' names are too long together");
			return false;
		}
	}
	return true;
}

static void vhba_add(struct daemon *d, struct call *call, struct json_object *p)
{
	uint16_t vsan = (uint16_t)proto_get_uint(p, "vsan", 0);
	int index = proto_get(p, "index") ? (int)proto_get_uint(p, "index", 0) : -1;
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	char zones[16 * REG_NAME_MAX];
	wwn_t wwpn, wwnn;
	struct change *c;

	if (!rv || !detached(d, rv, &e) || !choose_zones(d, p, vsan, zones, sizeof(zones), &e) ||
	    !choose_names(d, p, &wwpn, &wwnn, &e)) {
		call_error(call, &e);
		return;
	}
	for (int i = 0; index < 0 && i <= REG_VHBAS_MAX; i++)
		if (!registry_vhba(rv, (unsigned)i))
			index = i;
	c = change_new(d, call, rv->name, index);
	changed_or_refused(
		d, c, registry_vhba_add(d->reg, rv, index, vsan, zones, wwpn, wwnn, on_changed, c, &e), &e);
}

static void vhba_remove(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct change *c;

	if (!rv || !detached(d, rv, &e)) {
		call_error(call, &e);
		return;
	}
	c = change_new(d, call, rv->name, -2);
	changed_or_refused(
		d, c,
		registry_vhba_remove(d->reg, rv, (unsigned)proto_get_uint(p, "index", 0), on_changed, c, &e),
		&e);
}

/* What a ticket asks of this host: VSANs and zones that are known, names that nothing else carries. */
static bool can_host(struct daemon *d, const struct reg_vm *in, struct verror *e)
{
	for (unsigned i = 0; i < in->vhbas_n; i++) {
		const struct reg_vhba *v = &in->vhbas[i];
		const char *pos = v->zones;
		char zone[REG_NAME_MAX];

		if (!free_name(d, v->wwpn, e) || !free_name(d, v->wwnn, e) ||
		    !config_known_vsan(d->cfg, v->vsan, e))
			return false;
		while (registry_next_zone(&pos, zone))
			if (!config_known_zone(d->cfg, v->vsan, zone, e))
				return false;
	}
	return true;
}

static bool may_import(struct daemon *d, const struct reg_vm *in, bool force, struct verror *e)
{
	const struct reg_vm *have = registry_find(d->reg, in->uuid);

	if (have && !detached(d, have, e))
		return false;
	if (!have || in->generation > have->generation || force)
		return can_host(d, in, e);
	verror_set(e, VHBA_E_STATE, "the ticket of %s is not newer than what is known here", in->name);
	verror_expected(e, "a generation above %llu", (unsigned long long)have->generation);
	verror_seen(e, "%llu", (unsigned long long)in->generation);
	verror_fix(e, "export it anew where it was last, or use --force");
	return false;
}

static void import(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	struct reg_vm *in = ticket_read(proto_get(p, "ticket"), &e);
	struct change *c;

	if (!in || !may_import(d, in, proto_get_bool(p, "force"), &e)) {
		reg_vm_free(in);
		call_error(call, &e);
		return;
	}
	snprintf(in->owner, sizeof(in->owner), "%s", d->cfg->host_name);
	c = change_new(d, call, in->name, -1);
	changed_or_refused(d, c, registry_import(d->reg, in, on_changed, c, &e), &e);
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

static void export(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct reg_vm *copy;
	struct json_object *o;

	if (!rv) {
		call_error(call, &e);
		return;
	}
	copy = with_reservations(d, rv);
	o = json_object_new_object();
	json_object_object_add(o, "ticket",
			       ticket_write(copy ? copy : rv, d->cfg->host_name, rv->generation + 1));
	reg_vm_free(copy);
	call_reply(call, o);
}

/* ---- operations ---- */

struct op_spec {
	enum op_kind kind;
	unsigned states; /* mask of the VM states in which it may begin */
	uint64_t (*deadline)(const struct config *c);
};

static uint64_t attach_deadline(const struct config *c)
{
	return c->attach_deadline;
}

static uint64_t quiesce_deadline_of(const struct config *c)
{
	return c->quiesce_deadline;
}

static uint64_t resume_deadline(const struct config *c)
{
	return c->resume_deadline;
}

static uint64_t release_deadline(const struct config *c)
{
	return c->release_deadline;
}

#define IN(s) (1U << VM_##s)
#define LIVE (IN(ATTACHED) | IN(HELD) | IN(FAILED) | IN(QUIESCING) | IN(RESUMING) | IN(RELEASING))

static const struct op_spec specs[PROTO_METHODS] = {
	[PROTO_ATTACH] = {OP_ATTACH, IN(DETACHED) | IN(FAILED), attach_deadline},
	[PROTO_DETACH] = {OP_DETACH, LIVE, release_deadline},
	[PROTO_QUIESCE] = {OP_QUIESCE, LIVE, quiesce_deadline_of},
	[PROTO_RESUME] = {OP_RESUME, LIVE & ~IN(ATTACHED), resume_deadline},
	[PROTO_RELEASE] = {OP_RELEASE, LIVE, release_deadline},
};

/* All of it that an attach would have to wait for is over. */
static bool released(const struct vm *vm)
{
	return vm && vm->quiesce && quiesce_released(vm->quiesce);
}

static bool may_begin(struct daemon *d, const struct op_spec *s, const struct reg_vm *rv, const struct vm *vm,
		      struct verror *e)
{
	bool over = s->kind == OP_ATTACH && released(vm);
	enum vm_state state = vm && !over ? vm->state : VM_DETACHED;

	if (vm && vm->op) {
		verror_set(e, VHBA_E_BUSY, "%s: another operation is under way", rv->name);
		verror_seen(e, "%s", op_kind_name(vm->op->kind));
		verror_fix(e, "wait for its answer: 'vhbactl status' shows it");
		return false;
	}
	if (!(s->states & 1U << state) || (s->kind == OP_ATTACH && vm && vm->quiesce && !over)) {
		verror_set(e, VHBA_E_STATE, "%s: %s is not possible now", rv->name, op_kind_name(s->kind));
		verror_seen(e, "%s is %s", rv->name, vm_state_name(state));
		return false;
	}
	if (s->kind == OP_ATTACH && strcmp(rv->owner, d->cfg->host_name)) {
		verror_set(e, VHBA_E_STATE, "the identity of %s is not this host's", rv->name);
		verror_expected(e, "%s", d->cfg->host_name);
		verror_seen(e, "%s", rv->owner[0] ? rv->owner : "it was moved away");
		verror_fix(e, "import a ticket of it here, or attach it where it is");
		return false;
	}
	if (s->kind == OP_ATTACH && !rv->vhbas_n) {
		verror_set(e, VHBA_E_STATE, "%s has no vhba", rv->name);
		verror_fix(e, "add one: vhbactl vhba add %s --vsan N --zone Z", rv->name);
		return false;
	}
	return true;
}

/* A VM is known here only while it has, or may have, vports. */
static void forget_idle(struct daemon *d, struct vm *vm)
{
	if (vm && !vm->op && !vm->quiesce && vm->state == VM_DETACHED)
		vm_free(&d->vms, vm);
}

static int start(struct op *op, struct json_object *p, struct verror *e)
{
	if (op->kind == OP_ATTACH)
		return op_attach_start(op, proto_get_bool(p, "accept_luns"), e);
	return op_quiesce_start(op, proto_get_uint(p, "drain_us", OP_DRAIN_DEFAULT),
				proto_get_bool(p, "paused"), e);
}

/* A VM that is gone from here already, perhaps with a daemon that was killed before it could say so. */
static bool is_handover(const struct op_spec *s, struct json_object *p, const struct vm *vm)
{
	return s->kind == OP_RELEASE && proto_get_bool(p, "moved") &&
	       (!vm || (vm->state == VM_DETACHED && !vm->op));
}

static void operation(struct daemon *d, struct call *call, struct json_object *p, const struct op_spec *s)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct vm *vm = rv ? vm_find(&d->vms, rv->uuid) : NULL;
	uint64_t deadline_us = proto_get_uint(p, "deadline_us", s->deadline(d->cfg));
	struct op *op;

	if (rv && is_handover(s, p, vm)) {
		handover_call(d, call, rv, deadline_us);
		return;
	}
	if (!rv || !may_begin(d, s, rv, vm, &e)) {
		call_error(call, &e);
		return;
	}
	if (s->kind == OP_ATTACH && released(vm))
		vm_release_over(vm);
	if (!vm || s->kind == OP_ATTACH)
		vm = vm_of_registry(d, rv);
	op = vm ? op_new(d, s->kind, vm, call, deadline_us, &e) : NULL;
	if (!op) {
		call_error(call, &e);
		return;
	}
	op->moved = proto_get_bool(p, "moved");
	if (!start(op, p, &e))
		return;
	op_answer(op, NULL, &e);
	op_end(op);
	forget_idle(d, vm);
}

/* ---- the table ---- */

typedef void handler(struct daemon *d, struct call *call, struct json_object *p);

static void events(struct daemon *d, struct call *call, struct json_object *p)
{
	struct json_object *o = show_events(d, p, call_wants_more(call));

	if (!call_wants_more(call)) {
		call_reply(call, o);
		return;
	}
	call_part(call, o);
	follow_add(d, call);
}

static handler *const handlers[PROTO_METHODS] = {
	[PROTO_VM_ADD] = vm_add,
	[PROTO_VM_REMOVE] = vm_remove,
	[PROTO_VHBA_ADD] = vhba_add,
	[PROTO_VHBA_REMOVE] = vhba_remove,
	[PROTO_EXPORT] = export,
	[PROTO_IMPORT] = import,
	[PROTO_EVENTS] = events,
	[PROTO_VM_LIST] = method_vm_list,
	[PROTO_VM_SHOW] = method_vm_show,
	[PROTO_VHBA_LIST] = method_vhba_list,
	[PROTO_PARENT_LIST] = method_parent_list,
	[PROTO_PARENT_SHOW] = method_parent_show,
	[PROTO_LUN_LIST] = method_lun_list,
	[PROTO_STATUS] = method_status,
	[PROTO_LOG] = method_log,
	[PROTO_PLAN] = method_plan,
	[PROTO_CONFIG_SHOW] = method_config_show,
};

void methods_handle(void *user, struct call *call, const struct proto_request *req)
{
	enum proto_method_id id = proto_method_id(req->method);
	struct daemon *d = user;
	struct verror e;

	if (d->stopping) {
		verror_set(&e, VHBA_E_STATE, "vhbad is ending");
		call_error(call, &e);
		return;
	}
	if (handlers[id])
		handlers[id](d, call, req->parameters);
	else
		operation(d, call, req->parameters, &specs[id]);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods that change something: the registry, and operations. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "domains.h"
#include "follow.h"
#include "history.h"
#include "ios.h"
#include "live.h"
#include "methods.h"
#include "pools.h"

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
bool methods_detached(struct daemon *d, const struct reg_vm *rv, struct verror *e)
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

void methods_changed(void *user, const struct verror *e)
{
	AUTO_FREE struct change *c = user;
	const struct reg_vm *rv = registry_find(c->d->reg, c->vm);
	struct json_object *o;

	if (e) {
		call_error(c->call, e);
		return;
	}
	if (c->removed[0])
		history_forget(c->d, c->removed);
	ios_look(c->d, c->vm);
	o = json_object_new_object();
	if (c->index >= CHANGE_NO_LUN) {
		ios_lun_went(c->d, c->vm, (unsigned)(c->index - CHANGE_NO_LUN));
	} else if (c->index >= CHANGE_LUN && rv) {
		ios_lun_came(c->d, c->vm, (unsigned)(c->index - CHANGE_LUN));
		show_new_lun(rv, (unsigned)(c->index - CHANGE_LUN), o);
	}
	if (c->index >= 0 && c->index < CHANGE_LUN && rv)
		json_object_object_add(o, "vhba",
				       show_vhba(c->d, rv, registry_vhba(rv, (unsigned)c->index), false));
	else if (c->index == -1 && rv)
		json_object_object_add(o, "vm", show_vm(c->d, rv, true));
	call_reply(c->call, o);
}

struct change *methods_change(struct daemon *d, struct call *call, const char *vm, int index)
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
void methods_changed_or_refused(struct daemon *d, struct change *c, int r, const struct verror *e)
{
	if (!r) {
		daemon_event(d, "registry", c->vm, "changed");
		pools_look(d, NULL);
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
	struct change *c = methods_change(d, call, name, -1);
	struct verror e;
	char uuid[37];

	snprintf(uuid, sizeof(uuid), "%s", given);
	for (char *s = uuid; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	methods_changed_or_refused(d, c,
				   registry_vm_add(d->reg, name, uuid, d->cfg->host_name,
						   proto_get_bool(p, "pool"), methods_changed, c, &e),
				   &e);
}

static void vm_remove(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct change *c;

	if (!rv || !methods_detached(d, rv, &e)) {
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
	c = methods_change(d, call, rv->name, -2);
	if (c)
		snprintf(c->removed, sizeof(c->removed), "%s", rv->uuid);
	methods_changed_or_refused(d, c, registry_vm_remove(d->reg, rv, methods_changed, c, &e), &e);
}

/* A target that is configured may be away just now. */
static bool is_target(struct daemon *d, wwn_t name, char *by, size_t size)
{
	const struct config_zone *z = config_zone_of_target(d->cfg, name);

	if (z)
		snprintf(by, size, "a target of [zone %s]", z->name);
	return z;
}

/* What the SAN has, or has had, under this name: by says it. */
static bool in_san(struct daemon *d, wwn_t name, char *by, size_t size)
{
	return is_target(d, name, by, size) || fc_name_in_use(&d->inv, name, by, size);
}

static bool taken(void *arg, wwn_t name)
{
	struct daemon *d = arg;
	const struct reg_vm *vm;
	char by[96];

	return registry_name_known(d->reg, name, &vm) || in_san(d, name, by, sizeof(by));
}

static bool refuse_used(wwn_t name, const char *by, struct verror *e)
{
	char text[WWN_TEXT];

	verror_set(e, VHBA_E_EXISTS, "%s is in use in the SAN", wwn_format(name, text));
	verror_expected(e, "a World Wide Name that nothing else carries");
	verror_seen(e, "%s", by);
	return false;
}

bool methods_free_name(struct daemon *d, wwn_t name, struct verror *e)
{
	char by[96];

	return !in_san(d, name, by, sizeof(by)) || refuse_used(name, by, e);
}

bool methods_idle_name(struct daemon *d, wwn_t name, struct verror *e)
{
	char by[96];

	return (!is_target(d, name, by, sizeof(by)) && !fc_name_is_live(&d->inv, name, by, sizeof(by))) ||
	       refuse_used(name, by, e);
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
		       methods_free_name(d, *wwpn, e) && methods_free_name(d, *wwnn, e);
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

	if (!rv || !methods_detached(d, rv, &e) || !choose_zones(d, p, vsan, zones, sizeof(zones), &e) ||
	    !choose_names(d, p, &wwpn, &wwnn, &e)) {
		call_error(call, &e);
		return;
	}
	for (int i = 0; index < 0 && i <= REG_VHBAS_MAX; i++)
		if (!registry_vhba(rv, (unsigned)i))
			index = i;
	c = methods_change(d, call, rv->name, index);
	methods_changed_or_refused(
		d, c, registry_vhba_add(d->reg, rv, index, vsan, zones, wwpn, wwnn, methods_changed, c, &e),
		&e);
}

/* 0: it is to have none. */
static bool choose_alternate(struct daemon *d, struct json_object *p, wwn_t *alternate, struct verror *e)
{
	const char *given = proto_get_text(p, "alternate_wwpn");

	*alternate = 0;
	if (given && !proto_get_bool(p, "alternate")) {
		verror_set(e, VHBA_E_USAGE, "an alternate WWPN is given, and none is wanted");
		verror_fix(e, "say 'alternate' too");
		return false;
	}
	if (given)
		return !wwn_parse(given, alternate, e) && methods_free_name(d, *alternate, e);
	return !proto_get_bool(p, "alternate") || !wwn_alloc(&d->cfg->names, NULL, taken, d, alternate, e);
}

static void vhba_set(struct daemon *d, struct call *call, struct json_object *p)
{
	unsigned index = (unsigned)proto_get_uint(p, "index", 0);
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	const struct reg_vhba *v = rv ? registry_vhba(rv, index) : NULL;
	bool keeps = v && v->alternate && proto_get_bool(p, "alternate") && !proto_get(p, "alternate_wwpn");
	wwn_t alternate = keeps ? v->alternate : 0;
	struct change *c;

	if (rv && !v)
		verror_set(&e, VHBA_E_NOT_FOUND, "%s has no vhba %u", rv->name, index);
	if (!v || !methods_detached(d, rv, &e) || (!keeps && !choose_alternate(d, p, &alternate, &e))) {
		call_error(call, &e);
		return;
	}
	c = methods_change(d, call, rv->name, (int)index);
	methods_changed_or_refused(
		d, c, registry_set_alternate(d->reg, rv, index, alternate, methods_changed, c, &e), &e);
}

static void vhba_remove(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct change *c;

	if (!rv || !methods_detached(d, rv, &e)) {
		call_error(call, &e);
		return;
	}
	c = methods_change(d, call, rv->name, -2);
	methods_changed_or_refused(d, c,
				   registry_vhba_remove(d->reg, rv, (unsigned)proto_get_uint(p, "index", 0),
							methods_changed, c, &e),
				   &e);
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
	[PROTO_VM_SET] = method_vm_set,
	[PROTO_VHBA_ADD] = vhba_add,
	[PROTO_VHBA_SET] = vhba_set,
	[PROTO_VHBA_REMOVE] = vhba_remove,
	[PROTO_EXPORT] = method_export,
	[PROTO_IMPORT] = method_import,
	[PROTO_PREFLIGHT] = method_preflight,
	[PROTO_EVENTS] = events,
	[PROTO_VM_LIST] = method_vm_list,
	[PROTO_VM_SHOW] = method_vm_show,
	[PROTO_VHBA_LIST] = method_vhba_list,
	[PROTO_PARENT_LIST] = method_parent_list,
	[PROTO_PARENT_SHOW] = method_parent_show,
	[PROTO_LUN_LIST] = method_lun_list,
	[PROTO_LUN_ADD] = method_lun_add,
	[PROTO_LUN_REMOVE] = method_lun_remove,
	[PROTO_POOL_LIST] = method_pool_list,
	[PROTO_POOL_SYNC] = method_pool_sync,
	[PROTO_POOL_SERVE] = method_pool_serve,
	[PROTO_POOL_REPORT] = method_pool_report,
	[PROTO_IO_LIST] = method_io_list,
	[PROTO_IO_STATUS] = method_io_status,
	[PROTO_IO_START] = method_io_start,
	[PROTO_IO_END] = method_io_end,
	[PROTO_IO_UPGRADE] = method_io_upgrade,
	[PROTO_IO_CHECK] = method_io_check,
	[PROTO_IO_LATENCY] = method_io_latency,
	[PROTO_IO_OPEN] = method_io_open,
	[PROTO_IO_AWAIT] = method_io_await,
	[PROTO_DOMAIN_LIST] = method_domain_list,
	[PROTO_DOMAIN_SHOW] = method_domain_show,
	[PROTO_DOMAIN_BIND] = method_domain_bind,
	[PROTO_DOMAIN_UNBIND] = method_domain_unbind,
	[PROTO_DOMAIN_XML] = method_domain_xml,
	[PROTO_MIGRATE] = method_migrate,
	[PROTO_DOMAIN_SERVE] = method_domain_serve,
	[PROTO_DOMAIN_REPORT] = method_domain_report,
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
		method_operation(d, call, req->parameters, id);
}

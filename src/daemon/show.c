/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods that only read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "history.h"
#include "ios.h"
#include "methods.h"
#include "op.h"
#include "placement.h"
#include "result.h"
#include "san.h"

#define ADD(o, key, value) json_object_object_add(o, key, value)
#define TEXT(s) json_object_new_string(s)
#define UINT(n) json_object_new_uint64(n)

static void add_port_id(struct json_object *o, uint32_t id)
{
	char text[16];

	snprintf(text, sizeof(text), "%06" PRIx32, id);
	if (id)
		ADD(o, "port_id", TEXT(text));
}

static void add_host(struct json_object *o, int host)
{
	char text[32];

	snprintf(text, sizeof(text), "host%d", host);
	ADD(o, "host", TEXT(text));
}

/* Where the vhba's vport is now, and why it is not ready. */
static void show_place(struct daemon *d, struct json_object *o, const struct vm *vm, struct vm_vhba *v)
{
	const struct fc_host *host;
	struct verror e;
	char text[512];

	if (!san_locate(d, v))
		return;
	result_add_wwn(o, "parent", v->parent_wwpn);
	snprintf(text, sizeof(text), "vport-%d:%u-%u", v->parent_host, v->channel, v->number);
	ADD(o, "vport", TEXT(text));
	host = fc_host_find(&d->inv, v->host);
	if (!host)
		return;
	add_host(o, v->host);
	fc_inventory_refresh_attributes((struct fc_host *)host);
	add_port_id(o, host->port_id);
	if (vm->state == VM_ATTACHED && (!san_logged_in(d, vm, v, &e) || !san_luns_usable(d, vm, v, &e)))
		ADD(o, "text", TEXT(verror_line(&e, text, sizeof(text))));
}

struct json_object *show_vhba(struct daemon *d, const struct reg_vm *rv, const struct reg_vhba *v, bool whole)
{
	struct json_object *o = json_object_new_object(), *zones = json_object_new_array();
	struct vm *vm = vm_find(&d->vms, rv->uuid);
	struct vm_vhba *place = vm ? vm_find_wwpn(&d->vms, v->wwpn, NULL) : NULL;
	const char *pos = v->zones;
	char zone[REG_NAME_MAX];

	ADD(o, "vm", TEXT(rv->name));
	ADD(o, "index", UINT(v->index));
	result_add_wwn(o, "wwpn", v->wwpn);
	result_add_wwn(o, "wwnn", v->wwnn);
	if (v->alternate)
		result_add_wwn(o, "alternate", v->alternate);
	ADD(o, "vsan", UINT(v->vsan));
	while (registry_next_zone(&pos, zone))
		json_object_array_add(zones, TEXT(zone));
	ADD(o, "zones", zones);
	ADD(o, "state", TEXT(vm ? vm_state_name(vm->state) : "detached"));
	if (!place)
		return o;
	show_place(d, o, vm, place);
	if (whole) {
		const struct fc_host *host = fc_host_find(&d->inv, place->host);
		struct json_object *luns = json_object_new_array();

		ADD(o, "targets", show_vhba_targets(d, v, host));
		show_luns(rv->name, v, host, luns);
		ADD(o, "luns", luns);
	}
	return o;
}

struct json_object *show_vm(struct daemon *d, const struct reg_vm *rv, bool whole)
{
	struct json_object *o = json_object_new_object(), *vhbas;
	const struct vm *vm = vm_find(&d->vms, rv->uuid);

	ADD(o, "name", TEXT(rv->name));
	ADD(o, "uuid", TEXT(rv->uuid));
	ADD(o, "state", TEXT(vm ? vm_state_name(vm->state) : "detached"));
	if (vm && vm->op)
		ADD(o, "operation", TEXT(op_kind_name(vm->op->kind)));
	ADD(o, "owner", TEXT(rv->owner));
	ADD(o, "generation", UINT(rv->generation));
	ADD(o, "vhba_count", UINT(rv->vhbas_n));
	ADD(o, "pool", json_object_new_boolean(rv->pool));
	show_vm_io(d, rv, o);
	if (!whole)
		return o;
	vhbas = json_object_new_array();
	for (unsigned i = 0; i < rv->vhbas_n; i++)
		json_object_array_add(vhbas, show_vhba(d, rv, &rv->vhbas[i], true));
	ADD(o, "vhbas", vhbas);
	return o;
}

void method_vm_list(struct daemon *d, struct call *call, struct json_object *p)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct reg_vm *rv;

	(void)p;
	TAILQ_FOREACH (rv, registry_vms(d->reg), link)
		json_object_array_add(list, show_vm(d, rv, false));
	ADD(o, "vms", list);
	call_reply(call, o);
}

void method_vm_show(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct json_object *o;

	if (!rv) {
		call_error(call, &e);
		return;
	}
	o = json_object_new_object();
	ADD(o, "vm", show_vm(d, rv, true));
	call_reply(call, o);
}

/* Calls each for the VM that is named, or for all; answers an error itself. False: answered. */
static bool for_vms(struct daemon *d, struct call *call, struct json_object *p,
		    void (*each)(struct daemon *d, const struct reg_vm *rv, struct json_object *list),
		    struct json_object *list)
{
	const struct reg_vm *rv;
	struct verror e;

	if (!proto_get(p, "vm")) {
		TAILQ_FOREACH (rv, registry_vms(d->reg), link)
			each(d, rv, list);
		return true;
	}
	rv = methods_vm(d, p, &e);
	if (rv) {
		each(d, rv, list);
		return true;
	}
	json_object_put(list);
	call_error(call, &e);
	return false;
}

static void list_vhbas(struct daemon *d, const struct reg_vm *rv, struct json_object *list)
{
	for (unsigned i = 0; i < rv->vhbas_n; i++)
		json_object_array_add(list, show_vhba(d, rv, &rv->vhbas[i], false));
}

static void list_luns(struct daemon *d, const struct reg_vm *rv, struct json_object *list)
{
	struct vm *vm = vm_find(&d->vms, rv->uuid);

	for (unsigned i = 0; vm && i < vm->count; i++) {
		const struct reg_vhba *v = registry_vhba(rv, vm->vhba[i].index);

		san_locate(d, &vm->vhba[i]);
		if (v)
			show_luns(rv->name, v, fc_host_find(&d->inv, vm->vhba[i].host), list);
	}
	show_guest_luns(rv, list);
}

static void reply_list(struct daemon *d, struct call *call, struct json_object *p, const char *key,
		       void (*each)(struct daemon *d, const struct reg_vm *rv, struct json_object *list))
{
	struct json_object *list = json_object_new_array(), *o;

	if (!for_vms(d, call, p, each, list))
		return;
	o = json_object_new_object();
	ADD(o, key, list);
	call_reply(call, o);
}

void method_vhba_list(struct daemon *d, struct call *call, struct json_object *p)
{
	reply_list(d, call, p, "vhbas", list_vhbas);
}

void method_lun_list(struct daemon *d, struct call *call, struct json_object *p)
{
	reply_list(d, call, p, "luns", list_luns);
}

/* ---- parents ---- */

static struct json_object *show_vport(struct daemon *d, const struct fc_host *parent,
				      const struct fc_vport *v)
{
	struct json_object *o = json_object_new_object();
	const struct vm_vhba *vhba;
	const struct reg_vm *rv;
	struct vm *vm = NULL;
	char text[48];

	result_add_wwn(o, "wwpn", v->wwpn);
	if (v->host >= 0)
		add_host(o, v->host);
	snprintf(text, sizeof(text), "vport-%d:%u-%u", parent->number, v->channel, v->number);
	ADD(o, "vport", TEXT(text));
	if (!fc_vport_read_state(parent, v, text, sizeof(text)))
		ADD(o, "state", TEXT(text));
	ADD(o, "own", json_object_new_boolean(registry_name_known(d->reg, v->wwpn, &rv)));
	vhba = vm_find_wwpn(&d->vms, v->wwpn, &vm);
	if (vhba) {
		ADD(o, "vm", TEXT(vm->name));
		ADD(o, "index", UINT(vhba->index));
	}
	return o;
}

static struct json_object *show_parent(struct daemon *d, const struct fc_host *h)
{
	struct json_object *o = json_object_new_object(), *vports = json_object_new_array();
	const struct config_vsan *vsan = placement_vsan(d, h);
	const struct fc_vport *v;

	result_add_wwn(o, "wwpn", h->wwpn);
	result_add_wwn(o, "wwnn", h->wwnn);
	add_host(o, h->number);
	ADD(o, "driver", TEXT(h->driver));
	ADD(o, "state", TEXT(h->state));
	ADD(o, "speed", TEXT(h->speed));
	if (h->fabric_name)
		result_add_wwn(o, "fabric_name", h->fabric_name);
	add_port_id(o, h->port_id);
	if (vsan)
		ADD(o, "vsan", UINT(vsan->number));
	ADD(o, "npiv_inuse", UINT(h->npiv_inuse));
	ADD(o, "npiv_max", UINT(h->npiv_max));
	if (h->netdev[0])
		ADD(o, "netdev", TEXT(h->netdev));
	ADD(o, "usable",
	    json_object_new_boolean(true)); /* what the configuration leaves out is not in the inventory */
	TAILQ_FOREACH (v, &h->vports, link)
		json_object_array_add(vports, show_vport(d, h, v));
	ADD(o, "vports", vports);
	return o;
}

void method_parent_list(struct daemon *d, struct call *call, struct json_object *p)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct fc_host *h;

	(void)p;
	watch_refresh_parents(d);
	TAILQ_FOREACH (h, &d->inv.hosts, link)
		if (h->parent < 0)
			json_object_array_add(list, show_parent(d, h));
	ADD(o, "parents", list);
	call_reply(call, o);
}

static const struct fc_host *find_parent(struct daemon *d, const char *key)
{
	const struct fc_host *h;
	wwn_t wwpn = 0;
	char name[32];

	wwn_parse(key, &wwpn, NULL);
	TAILQ_FOREACH (h, &d->inv.hosts, link) {
		snprintf(name, sizeof(name), "host%d", h->number);
		if (h->parent < 0 &&
		    (!strcmp(key, name) || (wwpn && h->wwpn == wwpn) || !strcmp(h->netdev, key)))
			return h;
	}
	return NULL;
}

void method_parent_show(struct daemon *d, struct call *call, struct json_object *p)
{
	const struct fc_host *h;
	struct json_object *o;
	struct verror e;

	watch_refresh_parents(d);
	h = find_parent(d, proto_get_text(p, "parent"));
	if (!h) {
		verror_set(&e, VHBA_E_NOT_FOUND, "there is no parent %.80s", proto_get_text(p, "parent"));
		verror_expected(&e, "a WWPN, host or interface of 'vhbactl parent list'");
		call_error(call, &e);
		return;
	}
	o = json_object_new_object();
	ADD(o, "parent", show_parent(d, h));
	ADD(o, "targets", show_targets(h));
	call_reply(call, o);
}

/* ---- the daemon itself ---- */

static uint64_t resident(void)
{
	AUTO_FILE FILE *f = fopen("/proc/self/statm", "re");
	unsigned long total, pages = 0;

	if (f && fscanf(f, "%lu %lu", &total, &pages) != 2)
		pages = 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Into an object without that key, which is a literal: in a third of the time, which 255 operations need. */
static void add_first(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add_ex(o, key, value,
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static struct json_object *show_operations(struct daemon *d)
{
	struct json_object *list = json_object_new_array();
	const struct op *op;

	TAILQ_FOREACH (op, &d->ops, link) {
		struct json_object *o = json_object_new_object();

		add_first(o, "vm", TEXT(op->vm->name));
		add_first(o, "operation", TEXT(op_kind_name(op->kind)));
		add_first(o, "start_us", UINT(op->start.us));
		add_first(o, "deadline_us", UINT(mono_since(op->deadline, op->start)));
		add_first(o, "answered", json_object_new_boolean(op->answered));
		json_object_array_add(list, o);
	}
	return list;
}

static void count_vports(struct daemon *d, struct json_object *o)
{
	uint64_t parents = 0, own = 0, foreign = 0, luns = 0;
	const struct fc_host *h;
	const struct fc_vport *v;
	const struct fc_rport *r;
	const struct fc_lun *l;
	const struct reg_vm *rv;

	TAILQ_FOREACH (h, &d->inv.hosts, link) {
		parents += h->parent < 0;
		TAILQ_FOREACH (v, &h->vports, link)
			*(registry_name_known(d->reg, v->wwpn, &rv) ? &own : &foreign) += 1;
		TAILQ_FOREACH (r, &h->rports, link)
			TAILQ_FOREACH (l, &r->luns, link)
				luns += h->parent >= 0;
	}
	ADD(o, "parents", UINT(parents));
	ADD(o, "vports", UINT(own));
	ADD(o, "foreign_vports", UINT(foreign));
	ADD(o, "luns", UINT(luns));
}

void method_status(struct daemon *d, struct call *call, struct json_object *p)
{
	struct json_object *o = json_object_new_object();
	const struct reg_vm *rv;
	const struct vm *vm;
	uint64_t vhbas = 0, attached = 0;

	(void)p;
	TAILQ_FOREACH (rv, registry_vms(d->reg), link)
		vhbas += rv->vhbas_n;
	TAILQ_FOREACH (vm, &d->vms, link)
		attached += vm->state != VM_DETACHED;
	ADD(o, "version", TEXT(PACKAGE_VERSION));
	ADD(o, "hostname", TEXT(d->cfg->host_name));
	ADD(o, "uptime_us", UINT(mono_since(mono_now(), d->started)));
	ADD(o, "vms", UINT(registry_count(d->reg)));
	ADD(o, "vhbas", UINT(vhbas));
	ADD(o, "attached", UINT(attached));
	count_vports(d, o);
	show_ios_count(d, o);
	ADD(o, "memory", UINT(resident()));
	ADD(o, "events", UINT(d->events.next - 1));
	ADD(o, "operations", show_operations(d));
	call_reply(call, o);
}

void method_log(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	uint64_t last = proto_get_uint(p, "last", 64);
	struct json_object *o, *list;
	size_t n;

	if (!rv) {
		call_error(call, &e);
		return;
	}
	o = json_object_new_object();
	list = history_get(d, rv->uuid);
	n = json_object_array_length(list);
	if (n > last)
		json_object_array_del_idx(list, 0, n - last);
	ADD(o, "vm", TEXT(rv->name));
	ADD(o, "records", list);
	call_reply(call, o);
}

struct json_object *show_events(struct daemon *d, struct json_object *p, bool follow)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	uint64_t oldest = eventlog_oldest(&d->events);
	uint64_t since = proto_get_uint(p, "since", follow ? d->events.next - 1 : 0), from = since + 1;

	if (from < oldest && proto_get(p, "since"))
		ADD(o, "lost", UINT(oldest - from));
	for (uint64_t n = from < oldest ? oldest : from; n < d->events.next; n++)
		json_object_array_add(list, json_object_get(eventlog_get(&d->events, n)));
	ADD(o, "events", list);
	return o;
}

/* The printed configuration is what is in force, section by section. */
void method_config_show(struct daemon *d, struct call *call, struct json_object *p)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	char section[128] = "", *text = NULL, *save = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	(void)p;
	if (f) {
		config_print(d->cfg, f);
		fclose(f);
	}
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *eq = strstr(line, " = ");
		struct json_object *k;

		if (*line == '[')
			snprintf(section, sizeof(section), "%.*s", (int)strcspn(line + 1, "]"), line + 1);
		if (!eq)
			continue;
		*eq = '\0';
		k = json_object_new_object();
		ADD(k, "section", TEXT(section));
		ADD(k, "key", TEXT(line));
		ADD(k, "value", TEXT(eq + 3));
		json_object_array_add(list, k);
	}
	free(text);
	ADD(o, "file", TEXT(d->cfg->path));
	ADD(o, "keys", list);
	call_reply(call, o);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each reply looks like as text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "table.h"

static const struct column vm_columns[] = {
	{"NAME", "name", COL_TEXT},
	{"UUID", "uuid", COL_TEXT},
	{"STATE", "state", COL_TEXT},
	{"OPERATION", "operation", COL_TEXT},
	{"VHBAS", "vhba_count", COL_UINT},
	{"OWNER", "owner", COL_TEXT},
	{NULL},
};

static const struct column vhba_columns[] = {
	{"VM", "vm", COL_TEXT},	      {"INDEX", "index", COL_UINT},
	{"WWPN", "wwpn", COL_TEXT},   {"WWNN", "wwnn", COL_TEXT},
	{"VSAN", "vsan", COL_UINT},   {"ZONES", "zones", COL_LIST},
	{"STATE", "state", COL_TEXT}, {"PARENT", "parent", COL_TEXT},
	{"HOST", "host", COL_TEXT},   {NULL},
};

static const struct column lun_columns[] = {
	{"VM", "vm", COL_TEXT},
	{"VHBA", "index", COL_UINT},
	{"TARGET", "target", COL_TEXT},
	{"LUN", "lun", COL_UINT},
	{"SIZE", "size", COL_SIZE},
	{"SD", "sd", COL_TEXT},
	{"SG", "sg", COL_TEXT},
	{"STATE", "state", COL_TEXT},
	{"DESIGNATOR", "designator", COL_TEXT},
	{"GUEST", "guest_lun", COL_UINT},
	{"FILE", "file", COL_TEXT},
	{NULL},
};

static const struct column pool_columns[] = {
	{"POOL", "name", COL_TEXT},   {"VM", "vm", COL_TEXT},		{"VHBA", "index", COL_UINT},
	{"WWPN", "wwpn", COL_TEXT},   {"OWN", "own", COL_BOOL},		{"WANTED", "wanted", COL_TEXT},
	{"STATE", "state", COL_TEXT}, {"VOLUMES", "volumes", COL_UINT}, {NULL},
};

/* A VM's tree: vhba, target, LUN. */
static const struct column tree_columns[] = {
	{"NAME", "wwpn", COL_TEXT, true},
	{"STATE", "state", COL_TEXT},
	{"VSAN", "vsan", COL_UINT},
	{"ZONES", "zones", COL_LIST},
	{"HOST", "host", COL_TEXT},
	{"PARENT", "parent", COL_TEXT},
	{"SIZE", "size", COL_SIZE},
	{"SD", "sd", COL_TEXT},
	{"SG", "sg", COL_TEXT},
	{"DESIGNATOR", "designator", COL_TEXT},
	{NULL},
};

static const struct column parent_columns[] = {
	{"WWPN", "wwpn", COL_TEXT, true},    {"HOST", "host", COL_TEXT},       {"DRIVER", "driver", COL_TEXT},
	{"STATE", "state", COL_TEXT},	     {"SPEED", "speed", COL_TEXT},     {"VSAN", "vsan", COL_UINT},
	{"FABRIC", "fabric_name", COL_TEXT}, {"PORT_ID", "port_id", COL_TEXT}, {"NETDEV", "netdev", COL_TEXT},
	{"VPORTS", NULL, COL_TEXT},	     {"VM", "vm", COL_TEXT},	       {NULL},
};
#define PARENT_COLUMN_VPORTS 9
#define PARENT_COLUMN_VM 10

static const struct column target_columns[] = {
	{"TARGET", "wwpn", COL_TEXT},
	{"STATE", "state", COL_TEXT},
	{"PORT_ID", "port_id", COL_TEXT},
	{"ZONE", "zone", COL_TEXT},
	{"FAST_IO_FAIL", "fast_io_fail_tmo", COL_TEXT},
	{"DEV_LOSS", "dev_loss_tmo", COL_UINT},
	{NULL},
};

static const struct column check_columns[] = {
	{"CHECK", "check", COL_TEXT},
	{"VHBA", "vhba", COL_UINT},
	{"HOLDS", "ok", COL_BOOL},
	{"SEEN", "seen", COL_TEXT},
	{"EXPECTED", "expected", COL_TEXT},
	{"WHAT TO DO", "fix", COL_TEXT},
	{NULL},
};

static const struct column running_columns[] = {
	{"VM", "vm", COL_TEXT},
	{"OPERATION", "operation", COL_TEXT},
	{"PHASE", "phase", COL_TEXT},
	{"DEADLINE", "deadline_us", COL_TIME},
	{NULL},
};

static const struct column key_columns[] = {
	{"SECTION", "section", COL_TEXT},
	{"KEY", "key", COL_TEXT},
	{"VALUE", "value", COL_TEXT},
	{"DEFAULT", "default", COL_BOOL},
	{NULL},
};

static struct json_object *object(struct json_object *o, const char *key)
{
	struct json_object *v;

	return o && json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_object) ? v
												      : NULL;
}

void show_vms(struct json_object *reply)
{
	table_show(json_list(reply, "vms"), vm_columns, "VMs");
}

/* Why it is not all proved goes below. */
static void show_reach(struct json_object *vhba)
{
	struct json_object *reasons = json_list(vhba, "reasons");

	printf("%s\n", json_text(vhba, "text"));
	for (size_t i = 0; i < json_list_len(reasons); i++)
		printf("  %s\n", json_object_get_string(json_object_array_get_idx(reasons, i)));
}

void show_preflight(struct json_object *reply)
{
	struct json_object *names = json_list(reply, "names"), *luns = json_list(reply, "luns");

	table_show(json_list(reply, "checks"), check_columns, "checks");
	for (size_t i = 0; i < json_list_len(names); i++)
		printf("%s\n", json_text(json_object_array_get_idx(names, i), "text"));
	for (size_t i = 0; i < json_list_len(luns); i++)
		show_reach(json_object_array_get_idx(luns, i));
	printf("%s %s come to this host, as far as it can be known beforehand\n", json_text(reply, "vm"),
	       json_uint(reply, "ok") ? "can" : "can NOT");
}

void show_vhbas(struct json_object *reply)
{
	table_show(json_list(reply, "vhbas"), vhba_columns, "vhbas");
}

void show_luns(struct json_object *reply)
{
	table_show(json_list(reply, "luns"), lun_columns, "LUNs");
}

void show_lun(struct json_object *reply)
{
	struct json_object *l = object(reply, "lun");

	printf("LUN %" PRIu64 "  %s  serial %s%s\n", json_uint(l, "guest_lun"), json_text(l, "file"),
	       json_text(l, "serial"), json_uint(l, "read_only") ? "  read only" : "");
}

void show_pools(struct json_object *reply)
{
	struct json_object *list = json_list(reply, "pools");

	table_show(list, pool_columns, "pools");
	for (size_t i = 0; i < json_list_len(list); i++) {
		struct json_object *p = json_object_array_get_idx(list, i);

		if (json_has(p, "text"))
			printf("%s: %s\n", json_text(p, "name"), json_text(p, "text"));
	}
	if (!json_uint(reply, "served"))
		puts("vhba-virt is not connected: libvirt's pools stay as they are");
}

/* Targets and LUNs below a vhba; a LUN goes below its target, or below the vhba when that is not listed. */
static void add_targets(struct libscols_table *t, struct json_object *vhba, struct libscols_line *up)
{
	struct json_object *targets = json_list(vhba, "targets"), *luns = json_list(vhba, "luns");
	char name[64];

	for (size_t i = 0; i <= json_list_len(targets); i++) {
		bool rest = i == json_list_len(targets);
		struct json_object *target = rest ? NULL : json_object_array_get_idx(targets, i);
		struct libscols_line *line = rest ? up : table_add(t, tree_columns, target, up);

		for (size_t j = 0; j < json_list_len(luns); j++) {
			struct json_object *lun = json_object_array_get_idx(luns, j);
			bool here = !strcmp(json_text(lun, "target"), json_text(target, "wwpn"));
			struct libscols_line *l;

			for (size_t k = 0; rest && k < json_list_len(targets); k++)
				here |= !strcmp(json_text(lun, "target"),
						json_text(json_object_array_get_idx(targets, k), "wwpn"));
			if (here == rest)
				continue;
			l = table_add(t, tree_columns, lun, line);
			snprintf(name, sizeof(name), "LUN %" PRIu64, json_uint(lun, "lun"));
			if (l)
				table_cell(l, 0, name);
		}
	}
}

static void show_tree(struct json_object *vhbas)
{
	struct libscols_table *t = table_new(tree_columns);
	char name[64];

	for (size_t i = 0; t && i < json_list_len(vhbas); i++) {
		struct json_object *v = json_object_array_get_idx(vhbas, i);
		struct libscols_line *line = table_add(t, tree_columns, v, NULL);

		if (!line)
			break;
		snprintf(name, sizeof(name), "%" PRIu64 ": %s", json_uint(v, "index"), json_text(v, "wwpn"));
		table_cell(line, 0, name);
		add_targets(t, v, line);
	}
	if (t)
		table_print(t);
}

void show_vm(struct json_object *reply)
{
	struct json_object *vm = object(reply, "vm"), *vhbas = json_list(vm, "vhbas");

	printf("%s  %s  %s", json_text(vm, "name"), json_text(vm, "uuid"), json_text(vm, "state"));
	if (json_has(vm, "operation"))
		printf(" (%s)", json_text(vm, "operation"));
	if (json_has(vm, "owner"))
		printf("  owner %s, generation %" PRIu64, json_text(vm, "owner"),
		       json_uint(vm, "generation"));
	if (json_has(vm, "io") && strcmp(json_text(vm, "io"), "none"))
		printf("  io %s%s", json_text(vm, "io"), json_uint(vm, "gated") ? ", gated" : "");
	putchar('\n');
	if (json_list_len(vhbas))
		show_tree(vhbas);
	for (size_t i = 0; i < json_list_len(vhbas); i++) {
		struct json_object *v = json_object_array_get_idx(vhbas, i);

		if (json_has(v, "text"))
			printf("vhba %" PRIu64 ": %s\n", json_uint(v, "index"), json_text(v, "text"));
	}
}

void show_vhba(struct json_object *reply)
{
	struct json_object *v = object(reply, "vhba");

	printf("vhba %" PRIu64 "  WWPN %s  WWNN %s  VSAN %" PRIu64 "\n", json_uint(v, "index"),
	       json_text(v, "wwpn"), json_text(v, "wwnn"), json_uint(v, "vsan"));
	if (json_has(v, "alternate"))
		printf("        alternate WWPN %s\n", json_text(v, "alternate"));
}

static void add_parent(struct libscols_table *t, struct json_object *p)
{
	struct libscols_line *line = table_add(t, parent_columns, p, NULL);
	struct json_object *vports = json_list(p, "vports");
	char text[96];

	if (!line)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " of %" PRIu64, json_uint(p, "npiv_inuse"),
		 json_uint(p, "npiv_max"));
	table_cell(line, PARENT_COLUMN_VPORTS, text);
	for (size_t i = 0; i < json_list_len(vports); i++) {
		struct json_object *v = json_object_array_get_idx(vports, i);
		struct libscols_line *child = table_add(t, parent_columns, v, line);

		if (!child)
			return;
		table_cell(child, PARENT_COLUMN_VPORTS, json_uint(v, "own") ? "own" : "foreign");
		snprintf(text, sizeof(text), "%s vhba %" PRIu64, json_text(v, "vm"), json_uint(v, "index"));
		if (json_has(v, "vm"))
			table_cell(child, PARENT_COLUMN_VM, text);
	}
}

void show_parents(struct json_object *reply)
{
	struct json_object *list = json_list(reply, "parents");
	struct libscols_table *t;

	if (!json_list_len(list)) {
		puts("no parents");
		return;
	}
	t = table_new(parent_columns);
	for (size_t i = 0; t && i < json_list_len(list); i++)
		add_parent(t, json_object_array_get_idx(list, i));
	if (t)
		table_print(t);
}

void show_parent(struct json_object *reply)
{
	struct libscols_table *t = table_new(parent_columns);

	if (!t)
		return;
	add_parent(t, object(reply, "parent"));
	table_print(t);
	if (json_list_len(json_list(reply, "targets")))
		table_show(json_list(reply, "targets"), target_columns, "targets");
}

void show_status(struct json_object *reply)
{
	char up[32], memory[32];

	printf("vhbad %s on %s, up %s, %s resident\n", json_text(reply, "version"),
	       json_text(reply, "hostname"), human_time(json_uint(reply, "uptime_us"), up, sizeof(up)),
	       human_size(json_uint(reply, "memory"), memory, sizeof(memory)));
	printf("%" PRIu64 " VMs (%" PRIu64 " attached), %" PRIu64 " vhbas, %" PRIu64 " parents, %" PRIu64
	       " vports, %" PRIu64 " foreign vports\n",
	       json_uint(reply, "vms"), json_uint(reply, "attached"), json_uint(reply, "vhbas"),
	       json_uint(reply, "parents"), json_uint(reply, "vports"), json_uint(reply, "foreign_vports"));
	if (json_uint(reply, "back_ends"))
		printf("%" PRIu64 " I/O back ends (%" PRIu64 " up, %" PRIu64 " with their gate closed)\n",
		       json_uint(reply, "back_ends"), json_uint(reply, "back_ends_up"),
		       json_uint(reply, "gates_closed"));
	table_show(json_list(reply, "operations"), running_columns, "operations under way");
}

void show_config(struct json_object *reply)
{
	printf("%s\n", json_text(reply, "file"));
	table_show(json_list(reply, "keys"), key_columns, "keys");
}

void show_events(struct json_object *reply)
{
	struct json_object *list = json_list(reply, "events");

	if (json_uint(reply, "lost"))
		printf("(%" PRIu64 " older events are gone)\n", json_uint(reply, "lost"));
	for (size_t i = 0; i < json_list_len(list); i++) {
		struct json_object *ev = json_object_array_get_idx(list, i);
		uint64_t us = json_uint(ev, "monotonic_us");

		printf("%" PRIu64 "  %" PRIu64 ".%06" PRIu64 "  %-10s %s%s%s\n", json_uint(ev, "seq"),
		       us / 1000000, us % 1000000, json_text(ev, "kind"), json_text(ev, "vm"),
		       json_has(ev, "vm") ? ": " : "", json_text(ev, "text"));
	}
}

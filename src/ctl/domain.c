/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is shown of libvirt's domains. */
#include <stdio.h>

#include "show.h"
#include "table.h"

static const struct column domain_columns[] = {
	{"DOMAIN", "name", COL_TEXT}, {"STATE", "state", COL_TEXT}, {"BOUND", "bound", COL_BOOL},
	{"VM", "vm", COL_TEXT},	      {"UUID", "uuid", COL_TEXT},   {NULL},
};
static const struct column vhba_columns[] = {
	{"VHBA", "index", COL_UINT}, {"WWPN", "wwpn", COL_TEXT},   {"WWNN", "wwnn", COL_TEXT},
	{"VSAN", "vsan", COL_UINT},  {"ZONES", "zones", COL_LIST}, {NULL},
};
static const struct column lun_columns[] = {
	{"LUN", "lun", COL_UINT},
	{"TARGET", "target", COL_TEXT},
	{"SIZE", "size", COL_SIZE},
	{"DESIGNATOR", "designator", COL_TEXT},
	{NULL},
};

static void show_text(struct json_object *o)
{
	if (json_has(o, "text"))
		printf("%s: %s\n", json_text(o, "name"), json_text(o, "text"));
}

void show_domains(struct json_object *reply)
{
	struct json_object *list = json_list(reply, "domains");

	table_show(list, domain_columns, "domains");
	for (size_t i = 0; i < json_list_len(list); i++)
		show_text(json_object_array_get_idx(list, i));
}

void show_domain(struct json_object *reply)
{
	struct json_object *domain = NULL, *ticket = NULL, *vhbas;

	json_object_object_get_ex(reply, "domain", &domain);
	printf("domain %s (%s), %s\n", json_text(domain, "name"), json_text(domain, "uuid"),
	       json_text(domain, "state"));
	show_text(domain);
	if (!json_object_object_get_ex(reply, "ticket", &ticket)) {
		puts("it carries no identity");
		return;
	}
	printf("carries the identity of %s, generation %llu, written by %s\n", json_text(ticket, "vm"),
	       (unsigned long long)json_uint(ticket, "generation"), json_text(ticket, "exported_by"));
	vhbas = json_list(ticket, "vhbas");
	table_show(vhbas, vhba_columns, "vhbas");
	for (size_t i = 0; i < json_list_len(vhbas); i++) {
		struct json_object *v = json_object_array_get_idx(vhbas, i), *luns = json_list(v, "expected");

		if (luns)
			table_show(luns, lun_columns, "LUNs");
	}
}

void show_domain_xml(struct json_object *reply)
{
	puts(json_text(reply, "xml"));
}

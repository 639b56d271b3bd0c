/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's domains: what is shown of them, and a migration. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "ctl.h"
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

/* ---- a migration ---- */

#define BAR 24

static const struct column check_columns[] = {
	{"CHECK", "check", COL_TEXT},	    {"OK", "ok", COL_BOOL},	{"WHAT", "what", COL_TEXT},
	{"EXPECTED", "expected", COL_TEXT}, {"SEEN", "seen", COL_TEXT}, {NULL},
};

/* [######..................]  25% memory: 61.2 MiB sent, 196.8 of 256.0 MiB remain */
static int show_bar(void *user, const struct vhba_reply *part)
{
	struct json_object *o = json_tokener_parse(part->parameters);
	unsigned full = (unsigned)json_uint(o, "percent") * BAR / 100;
	char bar[BAR + 1] = "", percent[8] = "    ";

	(void)user;
	for (unsigned i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '.';
	if (json_has(o, "percent"))
		snprintf(percent, sizeof(percent), "%3u%%", (unsigned)json_uint(o, "percent") % 1000);
	fprintf(stderr, "\r\033[K[%s] %s %s%s%s", bar, percent, json_text(o, "phase"),
		json_has(o, "text") ? ": " : "", json_text(o, "text"));
	fflush(stderr);
	json_object_put(o);
	return 0;
}

static void show_look(struct json_object *o)
{
	struct json_object *list = json_list(o, "unproved");

	table_show(json_list(o, "checks"), check_columns, "checks");
	for (size_t i = 0; i < json_list_len(list); i++)
		printf("not known yet: %s\n", json_object_get_string(json_object_array_get_idx(list, i)));
	printf("%s %s, %s\n", json_text(o, "domain"),
	       json_uint(o, "ok") ? "can be migrated, as far as it is known" : "can NOT be migrated now",
	       !strcmp(json_text(o, "way"), "held")
		       ? "held: paused from the logout of its names here until they are logged in there"
		       : "live");
}

static void show_move(struct json_object *o)
{
	struct json_object *list = json_list(o, "blackout");
	char text[32];

	printf("%s has moved in %s", json_text(o, "domain"),
	       human_time(json_uint(o, "elapsed_us"), text, sizeof(text)));
	if (json_has(o, "blackout_us"))
		printf("; its guest stood still for %s",
		       human_time(json_uint(o, "blackout_us"), text, sizeof(text)));
	putchar('\n');
	for (size_t i = 0; i < json_list_len(list); i++) {
		struct json_object *p = json_object_array_get_idx(list, i);

		printf("  %-12s %s\n", json_text(p, "phase"),
		       human_time(json_uint(p, "us"), text, sizeof(text)));
	}
	if (json_has(o, "logout_us"))
		printf("  its names left here in %s, %s; how they logged in there: 'vhbactl log' there\n",
		       human_time(json_uint(o, "logout_us"), text, sizeof(text)), json_text(o, "logout"));
}

int ctl_run_migrate(struct ctl *ctl)
{
	bool progress = !ctl->no_progress && isatty(STDERR_FILENO);
	AUTO_FREE char *reply = NULL;
	struct vhba_error e = {0};
	struct json_object *o;
	int r = ctl_call(ctl, "migrate", ctl->parameters, UINT64_MAX, progress ? show_bar : NULL, ctl, &reply,
			 &e);

	if (progress)
		fputs("\r\033[K", stderr);
	if (r)
		return ctl_fail(ctl, &e);
	o = json_tokener_parse(reply);
	r = json_uint(o, "ok") ? VHBA_EXIT_DONE : VHBA_EXIT_CONSTRAINT;
	if (ctl->json)
		printf("%s\n", reply);
	else if (json_uint(o, "dry_run"))
		show_look(o);
	else
		show_move(o);
	json_object_put(o);
	return r;
}

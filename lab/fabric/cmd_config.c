/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands that make the fabric: VSANs, ports, zones, policies, timers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "wwn_text.h"

static bool vsan_domain(struct command *c, struct vsan *v, const char *text)
{
	unsigned long n;

	if (!arg_number(c, "domain", text, DOMAIN_FIRST, DOMAIN_LAST, &n))
		return false;
	if (v->n_logins)
		return fail(c, "VSAN %u has logins: its domain can't change", v->id);
	v->domain = (uint8_t)n;
	return true;
}

static bool vlan_free(struct command *c, const struct vsan *v, unsigned long vlan)
{
	const struct vsan *other;

	TAILQ_FOREACH (other, &c->f->vsans, link)
		if (other != v && other->vlan == vlan)
			return fail(c, "VLAN %lu is VSAN %u's already", vlan, other->id);
	return true;
}

static bool vsan_vlan(struct command *c, struct vsan *v, const char *text)
{
	unsigned long n;

	if (!arg_number(c, "VLAN", text, 1, 4094, &n) || !vlan_free(c, v, n))
		return false;
	v->vlan = (uint16_t)n;
	return true;
}

static bool vsan_name(struct command *c, struct vsan *v, const char *text)
{
	if (!arg_name(c, text, sizeof(v->name)))
		return false;
	strcpy(v->name, text);
	return true;
}

static bool vsan_wwn(struct command *c, struct vsan *v, const char *text)
{
	return arg_wwn(c, text, &v->fabric_wwn);
}

static bool vsan_default(struct command *c, struct vsan *v, const char *text)
{
	if (strcmp(text, "permit") && strcmp(text, "deny"))
		return fail(c, "default: expected permit or deny, seen \"%s\"", text);
	v->permit = !strcmp(text, "permit");
	return true;
}

static const struct {
	const char *word;
	bool (*fn)(struct command *, struct vsan *, const char *);
} vsan_options[] = {
	{"name", vsan_name},	 {"fabric-wwn", vsan_wwn},  {"vlan", vsan_vlan},
	{"domain", vsan_domain}, {"default", vsan_default},
};

static bool vsan_set(struct command *c, struct vsan *v)
{
	for (size_t i = 0; i < sizeof(vsan_options) / sizeof(vsan_options[0]); i++) {
		const char *value = arg_option(c, 2, vsan_options[i].word);

		if (value && !vsan_options[i].fn(c, v, value))
			return false;
	}
	return vlan_free(c, v, v->vlan); /* a new VSAN's is its own number, unless told */
}

static bool cmd_vsan(struct command *c)
{
	static const char *const words[] = {"name", "fabric-wwn", "vlan", "domain", "default", NULL};
	unsigned long id;
	struct vsan *v;
	bool made;

	if (!arg_number(c, "VSAN", c->argv[1], 1, 4094, &id) || !arg_options_known(c, 2, words))
		return false;
	v = vsan_find(c->f, (uint16_t)id);
	made = !v;
	if (made)
		v = vsan_new(c->f, (uint16_t)id);
	if (!v)
		return fail(c, "out of memory");
	if (vsan_set(c, v))
		return true;
	if (made) {
		TAILQ_REMOVE(&c->f->vsans, v, link);
		vsan_free(v);
	}
	return false;
}

/* "10,20" */
static bool port_vsans(struct command *c, struct vsan **list, unsigned *n, const char *text)
{
	char copy[128], *at = copy, *word;

	if (strlen(text) >= sizeof(copy))
		return fail(c, "vsans: too long a list");
	strcpy(copy, text);
	for (*n = 0; (word = strsep(&at, ",")); (*n)++) {
		if (*n == VSANS_OF_PORT_MAX)
			return fail(c, "a port is in at most %d VSANs", VSANS_OF_PORT_MAX);
		list[*n] = arg_vsan(c, word);
		if (!list[*n])
			return false;
	}
	return true;
}

static bool port_new(struct command *c)
{
	static const char *const words[] = {"if", "unix", "vsans", "native", NULL};
	const char *interface, *path, *vsans, *native;
	struct vsan *list[VSANS_OF_PORT_MAX], *untagged = NULL;
	struct fport *p;
	unsigned n;

	if (!arg_name(c, c->argv[1], sizeof(p->name)) || !arg_options_known(c, 2, words))
		return false;
	interface = arg_option(c, 2, "if");
	path = arg_option(c, 2, "unix");
	vsans = arg_option(c, 2, "vsans");
	native = arg_option(c, 2, "native");
	if (!interface == !path || !vsans)
		return fail(c, "port %s: expected one of if and unix, and vsans", c->argv[1]);
	if (interface && strlen(interface) > 15)
		return fail(c, "an interface's name has at most 15 characters, seen \"%s\"", interface);
	if (path && strlen(path) >= sizeof(p->address))
		return fail(c, "a socket's path has at most %zu characters", sizeof(p->address) - 1);
	if (!port_vsans(c, list, &n, vsans) || (native && !(untagged = arg_vsan(c, native))))
		return false;
	p = fport_new(c->f, c->argv[1], path ? PORT_UNIX : PORT_INTERFACE, path ? path : interface);
	if (!p)
		return fail(c, "out of memory");
	p->native = untagged;
	for (unsigned i = 0; i < n; i++)
		fport_add_vsan(c->f, p, list[i]);
	if (untagged)
		fport_add_vsan(c->f, p, untagged);
	return true;
}

static bool port_set(struct command *c, struct fport *p, bool up, bool clear)
{
	if (p->admin_up == up)
		return fail(c, "port %s is %s already", p->name, up ? "up" : "down");
	flog_add(c->f, up ? "port-up" : "port-down", NULL, NULL, "port %s %s by order", p->name,
		 up ? "up" : "down");
	if (!up)
		fport_down(c->f, p, "implicit: port down", clear);
	p->admin_up = up;
	for (unsigned i = 0; i < p->n_vsans; i++)
		p->vsans[i].advert_us = c->f->now;
	return true;
}

static bool cmd_port(struct command *c)
{
	struct fport *p = fport_find(c->f, c->argv[1]);

	if (c->argc == 3 && !strcmp(c->argv[2], "up"))
		return (p = arg_port(c, c->argv[1])) && port_set(c, p, true, false);
	if (!strcmp(c->argv[2], "down")) {
		if (c->argc > 4 || (c->argc == 4 && strcmp(c->argv[3], "clear")))
			return fail(c, "after down: expected clear or nothing");
		return (p = arg_port(c, c->argv[1])) && port_set(c, p, false, c->argc == 4);
	}
	if (p)
		return fail(c, "port \"%s\" is there already", c->argv[1]);
	return port_new(c);
}

static bool cmd_limit(struct command *c)
{
	struct fport *p;
	unsigned long n;

	if (strcmp(c->argv[1], "port") || strcmp(c->argv[3], "logins"))
		return fail(c, "usage: limit port NAME logins N");
	p = arg_port(c, c->argv[2]);
	if (!p || !arg_number(c, "logins", c->argv[4], 0, 65535, &n))
		return false;
	p->login_limit = (unsigned)n;
	return true;
}

/* Tell those whom a change of zoning parts or joins: the member, and its peers before and after. */
static void zoning_changed(struct command *c, struct vsan *v, uint64_t wwpn, struct login **before, size_t n)
{
	struct login *l = vsan_login_by_wwpn(v, wwpn);

	for (size_t i = 0; l && i < n; i++) {
		if (zone_shared(v, wwpn, before[i]->wwpn))
			continue;
		rscn_send(c->f, before[i], l->id);
		rscn_send(c->f, l, before[i]->id);
	}
	arrays_zoning_changed(c->f, v, wwpn);
}

static void zoning_joined(struct command *c, struct vsan *v, uint64_t wwpn, struct login **before, size_t n)
{
	struct login *l = vsan_login_by_wwpn(v, wwpn), **after;
	size_t m = zone_peers(v, wwpn, &after);

	for (size_t i = 0; l && i < m; i++) {
		size_t j = 0;

		while (j < n && before[j] != after[i])
			j++;
		if (j < n)
			continue;
		rscn_send(c->f, after[i], l->id);
		rscn_send(c->f, l, after[i]->id);
	}
	free(after);
}

static bool zone_delete_command(struct command *c, struct vsan *v, const char *name)
{
	struct zone *z;

	if (!zone_find(v, name))
		return fail(c, "no zone \"%s\" in VSAN %u", name, v->id);
	while ((z = zone_find(v, name))) {
		uint64_t wwpn = TAILQ_FIRST(&z->members)->wwpn;
		struct login **before;
		size_t n = zone_peers(v, wwpn, &before);

		zone_remove(v, name, wwpn);
		zoning_changed(c, v, wwpn, before, n);
		free(before);
	}
	flog_add(c->f, "zone", v, NULL, "zone %s deleted", name);
	return true;
}

static bool cmd_zone(struct command *c)
{
	struct vsan *v = arg_vsan(c, c->argv[1]);
	const char *name = c->argv[2], *verb = c->argv[3];
	bool add = !strcmp(verb, "add"), principal = c->argc == 6;
	struct login **before;
	uint64_t wwpn;
	size_t n;
	int r;

	if (!v || !arg_name(c, name, sizeof(((struct zone *)0)->name)))
		return false;
	if (c->argc == 4 && !strcmp(verb, "delete"))
		return zone_delete_command(c, v, name);
	if (c->argc < 5 || (!add && (strcmp(verb, "remove") || principal)) ||
	    (principal && strcmp(c->argv[5], "principal")))
		return fail(c, "usage: zone VSAN NAME add WWPN [principal] | remove WWPN | delete");
	if (!arg_wwn(c, c->argv[4], &wwpn))
		return false;
	n = zone_peers(v, wwpn, &before);
	r = add ? zone_add(v, name, wwpn, principal) : zone_remove(v, name, wwpn);
	if (!r) {
		flog_add(c->f, "zone", v, NULL, "zone %s: %s %s", name, c->argv[4],
			 add ? "added" : "removed");
		zoning_changed(c, v, wwpn, before, n);
		zoning_joined(c, v, wwpn, before, n);
	}
	free(before);
	if (r == -EEXIST)
		return fail(c, "%s is in zone \"%s\" already", c->argv[4], name);
	if (r == -ENOENT)
		return fail(c, "%s is not in zone \"%s\" of VSAN %u", c->argv[4], name, v->id);
	return !r || fail(c, "out of memory");
}

/* What is logged in keeps what it has. */
static void keep_ids(struct fabric *f)
{
	struct vsan *v;
	struct login *l;

	TAILQ_FOREACH (v, &f->vsans, link)
		TAILQ_FOREACH (l, &v->logins, of_vsan)
			vsan_kept_id(v, l->wwpn);
}

static bool cmd_policy(struct command *c)
{
	static const struct {
		const char *what, *no, *yes;
		size_t offset;
	} policies[] = {
		{"dup", "first", "second", offsetof(struct fabric, second_wins)},
		{"fcid", "turn", "persistent", offsetof(struct fabric, keeps_ids)},
	};

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		bool yes = !strcmp(c->argv[2], policies[i].yes);

		if (strcmp(c->argv[1], policies[i].what) || (!yes && strcmp(c->argv[2], policies[i].no)))
			continue;
		*(bool *)((char *)c->f + policies[i].offset) = yes;
		if (c->f->keeps_ids)
			keep_ids(c->f);
		return true;
	}
	return fail(c, "usage: policy dup first|second, or policy fcid turn|persistent");
}

static bool cmd_timer(struct command *c)
{
	static const struct {
		const char *word;
		size_t offset;
		unsigned long least, most;
	} timers[] = {
		{"fka", offsetof(struct fabric, fka_ms), 500, 90000},
		{"vn-ka", offsetof(struct fabric, vn_ka_ms), 500, 900000},
		{"e-d-tov", offsetof(struct fabric, e_d_tov_ms), 100, 60000},
		{"r-a-tov", offsetof(struct fabric, r_a_tov_ms), 100, 120000},
	};
	unsigned long n;

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		if (strcmp(c->argv[1], timers[i].word))
			continue;
		if (!arg_number(c, c->argv[1], c->argv[2], timers[i].least, timers[i].most, &n))
			return false;
		*(uint32_t *)((char *)c->f + timers[i].offset) = (uint32_t)n;
		return true;
	}
	return fail(c, "timer: expected fka, vn-ka, e-d-tov or r-a-tov, seen \"%s\"", c->argv[1]);
}

const struct command_entry commands_config[] = {
	{"vsan", 1, 11, cmd_vsan,
	 "vsan ID [name NAME] [fabric-wwn WWN] [vlan ID] [domain N] [default permit|deny]"},
	{"port", 2, 8, cmd_port,
	 "port NAME if INTERFACE|unix PATH vsans ID,... [native ID] | port NAME down [clear]|up"},
	{"limit", 4, 4, cmd_limit, "limit port NAME logins N (0: none)"},
	{"zone", 3, 5, cmd_zone, "zone VSAN NAME add WWPN [principal] | remove WWPN | delete"},
	{"policy", 2, 2, cmd_policy, "policy dup first|second | policy fcid turn|persistent"},
	{"timer", 2, 2, cmd_timer, "timer fka|vn-ka|e-d-tov|r-a-tov MS"},
	{},
};

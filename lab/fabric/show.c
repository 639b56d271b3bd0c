/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The show commands: each makes rows as JSON; the text form is printed from the same rows. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "row.h"

static struct json_object *login_row(const struct login *l)
{
	struct json_object *o = json_object_new_object();

	row_number(o, "vsan", l->vsan->id);
	row_text(o, "port", l->enode ? l->enode->port->name : array_name(l->array));
	row_id(o, "n_port_id", l->id);
	row_wwn(o, "wwpn", l->wwpn);
	row_wwn(o, "wwnn", l->wwnn);
	row_text(o, "by", l->array ? "target" : l->npiv ? "FDISC" : "FLOGI");
	row_number(o, "since_us", l->since_us);
	return o;
}

static struct json_object *ns_row(const struct login *l)
{
	struct json_object *o = login_row(l);

	row_number(o, "fcp", l->fc4_types[2] & 1);
	row_number(o, "fcp_features", l->fc4_features[7] & 0x0f);
	row_number(o, "scr", l->scr);
	row_text(o, "port_symbol", l->port_symbol);
	row_text(o, "node_symbol", l->node_symbol);
	return o;
}

static struct json_object *logins(struct fabric *f, struct json_object *(*row)(const struct login *))
{
	struct json_object *rows = json_object_new_array();
	const struct vsan *v;
	const struct login *l;

	TAILQ_FOREACH (v, &f->vsans, link)
		TAILQ_FOREACH (l, &v->logins, of_vsan)
			json_object_array_add(rows, row(l));
	return rows;
}

static struct json_object *show_logins(struct command *c)
{
	return logins(c->f, login_row);
}

static struct json_object *show_ns(struct command *c)
{
	return logins(c->f, ns_row);
}

static struct json_object *show_zones(struct command *c)
{
	struct json_object *rows = json_object_new_array();
	const struct zone_member *m;
	const struct zone *z;
	struct vsan *v;

	TAILQ_FOREACH (v, &c->f->vsans, link) {
		TAILQ_FOREACH (z, &v->zones, link) {
			TAILQ_FOREACH (m, &z->members, of_zone) {
				struct json_object *o = json_object_new_object();

				row_number(o, "vsan", v->id);
				row_text(o, "zone", z->name);
				row_wwn(o, "wwpn", m->wwpn);
				row_text(o, "role", m->principal ? "principal" : "member");
				row_text(o, "state", vsan_login_by_wwpn(v, m->wwpn) ? "logged-in" : "absent");
				json_object_array_add(rows, o);
			}
		}
	}
	return rows;
}

static struct json_object *show_vsans(struct command *c)
{
	struct json_object *rows = json_object_new_array();
	const struct vsan *v;

	TAILQ_FOREACH (v, &c->f->vsans, link) {
		struct json_object *o = json_object_new_object();

		row_number(o, "vsan", v->id);
		row_text(o, "name", v->name);
		row_number(o, "vlan", v->vlan);
		row_wwn(o, "fabric_wwn", v->fabric_wwn);
		row_number(o, "domain", v->domain);
		row_text(o, "default", v->permit ? "permit" : "deny");
		row_text(o, "servers", v->silent ? "silent" : "up");
		row_number(o, "logins", v->n_logins);
		row_number(o, "dropped_zoning", v->dropped_zoning);
		row_number(o, "dropped_no_port", v->dropped_no_port);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *show_ports(struct command *c)
{
	struct json_object *rows = json_object_new_array();

	for (unsigned i = 0; i < c->f->n_ports; i++) {
		const struct fport *p = c->f->ports[i];
		struct json_object *o = json_object_new_object();
		char vsans[128] = "";

		for (unsigned j = 0; j < p->n_vsans; j++)
			snprintf(vsans + strlen(vsans), sizeof(vsans) - strlen(vsans), "%s%u", j ? "," : "",
				 p->vsans[j].vsan->id);
		row_text(o, "port", p->name);
		row_text(o, "kind", p->kind == PORT_UNIX ? "unix" : "if");
		row_text(o, "address", p->address);
		row_text(o, "vsans", vsans);
		row_text(o, "state", !p->admin_up ? "down" : p->carrier ? "up" : "no-carrier");
		row_number(o, "mtu", p->mtu);
		row_number(o, "logins", p->logins);
		row_number(o, "limit", p->login_limit);
		row_number(o, "frames_in", p->frames_in);
		row_number(o, "frames_out", p->frames_out);
		row_number(o, "bad", p->bad);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *show_targets(struct command *c)
{
	return arrays_json(c->f);
}

static struct json_object *show_exchanges(struct command *c)
{
	return arrays_exchanges_json(c->f);
}

static void print_rows(FILE *t, struct json_object *rows)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		bool first = true;

		json_object_object_foreach (json_object_array_get_idx(rows, i), key, value) {
			const char *text = json_object_get_string(value);

			fprintf(t, "%s%s %s", first ? "" : "  ", key, *text ? text : "-");
			first = false;
		}
		fprintf(t, "\n");
	}
}

static bool show_log(struct command *c)
{
	unsigned long n = 10000;
	char *text;

	if (c->argc > 2 && !arg_number(c, "log", c->argv[2], 1, 10000, &n))
		return false;
	if (c->json) {
		c->data = flog_json(c->f->log, n);
		return true;
	}
	text = flog_text(c->f->log, n);
	if (text)
		fputs(text, c->text);
	free(text);
	return true;
}

static bool cmd_show(struct command *c)
{
	static const struct {
		const char *word;
		struct json_object *(*fn)(struct command *);
	} what[] = {
		{"logins", show_logins},       {"ns", show_ns},	      {"zones", show_zones},
		{"vsans", show_vsans},	       {"ports", show_ports}, {"targets", show_targets},
		{"exchanges", show_exchanges},
	};
	struct json_object *rows;

	if (!strcmp(c->argv[1], "log"))
		return show_log(c);
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		if (strcmp(what[i].word, c->argv[1]) || c->argc != 2)
			continue;
		rows = what[i].fn(c);
		if (c->json) {
			c->data = rows;
			return true;
		}
		print_rows(c->text, rows);
		json_object_put(rows);
		return true;
	}
	return fail(c, "usage: %s", commands_show[0].usage);
}

const struct command_entry commands_show[] = {
	{"show", 1, 2, cmd_show, "show logins|ns|zones|vsans|ports|targets|exchanges|log [N] [--json]"},
	{},
};

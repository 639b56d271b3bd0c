/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The target's state as JSON. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "row.h"
#include "target_private.h"

static struct json_object *logins(const struct target *t)
{
	struct json_object *list = json_object_new_array();
	const struct initiator *i;

	TAILQ_FOREACH (i, &t->initiators, link) {
		struct json_object *o;

		if (!i->id)
			continue;
		o = json_object_new_object();
		row_wwn(o, "wwpn", i->wwpn);
		row_id(o, "n_port_id", i->id);
		json_object_object_add(o, "process_login", json_object_new_boolean(i->process_login));
		row_number(o, "commands", i->commands);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *exchanges(const struct target *t)
{
	static const char *const states[] = {[EX_DATA] = "data", [EX_HELD] = "held", [EX_SLOW] = "slow"};
	struct json_object *list = json_object_new_array();
	const struct exchange *e;

	TAILQ_FOREACH (e, &t->exchanges, link) {
		struct json_object *o = json_object_new_object();

		row_wwn(o, "initiator", e->from->wwpn);
		row_id(o, "n_port_id", e->s_id);
		row_number(o, "ox_id", e->ox_id);
		row_number(o, "rx_id", e->rx_id);
		row_number(o, "lun", e->lun);
		row_number(o, "opcode", e->cdb[0]);
		row_text(o, "state", states[e->state]);
		row_number(o, "received", e->got);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *faults(const struct target *t)
{
	const struct {
		const char *name;
		bool on;
	} all[] = {
		{"hang", t->faults.hang},	  {"hang-all", t->faults.hang_all},
		{"slow", t->faults.slow_us != 0}, {"busy", t->faults.busy != 0},
		{"check", t->faults.check != 0},  {"hold-writes", t->faults.hold_writes},
	};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].on)
			json_object_array_add(list, json_object_new_string(all[i].name));
	return list;
}

static struct json_object *luns(const struct target *t)
{
	struct json_object *list = json_object_new_array();

	for (uint16_t lun = 0; lun < TARGET_LUNS; lun++) {
		struct json_object *o;

		if (!t->luns[lun])
			continue;
		o = json_object_new_object();
		row_number(o, "lun", lun);
		row_text(o, "name", lun_store_name(t->luns[lun]));
		json_object_array_add(list, o);
	}
	return list;
}

char *target_status_json(const struct target *t)
{
	struct json_object *o = json_object_new_object();
	char *text;

	row_number(o, "commands", t->count.commands);
	row_number(o, "bytes_read", t->count.data_in);
	row_number(o, "bytes_written", t->count.data_out);
	row_number(o, "check_conditions", t->count.checks);
	row_number(o, "aborts", t->count.aborts);
	row_number(o, "dropped", t->count.dropped);
	row_number(o, "task_management", t->count.task_management);
	json_object_object_add(o, "logins", logins(t));
	json_object_object_add(o, "exchanges", exchanges(t));
	json_object_object_add(o, "luns", luns(t));
	json_object_object_add(o, "faults", faults(t));
	text = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return text;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What replies about I/O back ends look like as text. */
#include <inttypes.h>
#include <stdio.h>

#include "show.h"
#include "table.h"

static const struct column columns[] = {
	{"VM", "vm", COL_TEXT},		{"NAME", "name", COL_TEXT},
	{"STATE", "state", COL_TEXT},	{"DEVICE", "device", COL_TEXT},
	{"FRONT", "front", COL_BOOL},	{"GATE", "gate", COL_TEXT},
	{"PID", "pid", COL_UINT},	{"RESTARTS", "restarts", COL_UINT},
	{"SOCKET", "socket", COL_TEXT}, {NULL},
};

static void show_texts(struct json_object *list)
{
	for (size_t i = 0; i < json_list_len(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (json_has(o, "text"))
			printf("%s %s: %s\n", json_text(o, "vm"), json_text(o, "name"), json_text(o, "text"));
		if (json_has(o, "waits"))
			printf("%s %s: %s\n", json_text(o, "vm"), json_text(o, "name"),
			       json_text(o, "waits"));
	}
}

void show_latency(struct json_object *reply)
{
	static const struct column of_latency[] = {
		{"VM", "vm", COL_TEXT},
		{"NAME", "name", COL_TEXT},
		{"LUN", "guest_lun", COL_UINT},
		{"BELOW_US", "below_us", COL_UINT},
		{"COMMANDS", "commands", COL_UINT},
		{NULL},
	};

	table_show(json_list(reply, "latency"), of_latency, "commands");
}

void show_ios(struct json_object *reply)
{
	struct json_object *list = json_list(reply, "back_ends");

	table_show(list, columns, "I/O back ends");
	show_texts(list);
}

void show_io(struct json_object *reply)
{
	struct json_object *list = json_list(reply, "back_ends");

	show_ios(reply);
	for (size_t i = 0; i < json_list_len(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		printf("%s: %" PRIu64 " commands under way, %" PRIu64 " left in the kernel, %" PRIu64
		       " entries held%s%s\n",
		       json_text(o, "name"), json_uint(o, "busy"), json_uint(o, "orphans"),
		       json_uint(o, "kept"), json_uint(o, "held") ? ", quiesced" : "",
		       json_uint(o, "logging") ? ", being migrated" : "");
	}
}

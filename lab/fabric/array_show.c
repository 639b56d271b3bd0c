/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in targets as JSON. */
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "array.h"
#include "wwn_text.h"

static void put_text(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void put_wwn(struct json_object *o, const char *key, uint64_t wwn)
{
	char text[WWN_TEXT_SIZE];

	put_text(o, key, wwn_format(wwn, text));
}

static struct json_object *target_row(const struct array *a)
{
	struct json_object *o = json_object_new_object(), *status;
	char *text = target_status_json(a->target), id[16];

	put_text(o, "target", target_name(a->target));
	json_object_object_add(o, "vsan", json_object_new_int(a->vsan->id));
	put_wwn(o, "wwpn", target_wwpn(a->target));
	put_wwn(o, "wwnn", target_wwnn(a->target));
	put_text(o, "state", a->login ? "online" : "offline");
	if (a->login) {
		snprintf(id, sizeof(id), "%06x", a->login->id);
		put_text(o, "n_port_id", id);
	}
	status = text ? json_tokener_parse(text) : NULL;
	if (status)
		json_object_object_add(o, "status", status);
	free(text);
	return o;
}

struct json_object *arrays_json(const struct fabric *f)
{
	struct json_object *rows = json_object_new_array();
	const struct array *a;

	TAILQ_FOREACH (a, &f->arrays, link)
		json_object_array_add(rows, target_row(a));
	return rows;
}

/* The open exchanges of all targets, one row each, as the targets tell them. */
struct json_object *arrays_exchanges_json(const struct fabric *f)
{
	struct json_object *rows = json_object_new_array(), *status, *list;
	const struct array *a;

	TAILQ_FOREACH (a, &f->arrays, link) {
		char *text = target_status_json(a->target);

		status = text ? json_tokener_parse(text) : NULL;
		if (status && json_object_object_get_ex(status, "exchanges", &list) &&
		    json_object_is_type(list, json_type_array)) {
			for (size_t i = 0; i < json_object_array_length(list); i++) {
				struct json_object *one = json_object_get(json_object_array_get_idx(list, i));

				put_text(one, "target", target_name(a->target));
				json_object_array_add(rows, one);
			}
		}
		json_object_put(status);
		free(text);
	}
	return rows;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in targets as JSON. */
#include <stdlib.h>

#include <json-c/json.h>

#include "array.h"
#include "row.h"

static struct json_object *target_row(const struct array *a)
{
	struct json_object *o = json_object_new_object(), *status;
	char *text = target_status_json(a->target);

	row_text(o, "target", target_name(a->target));
	row_number(o, "vsan", a->vsan->id);
	row_wwn(o, "wwpn", target_wwpn(a->target));
	row_wwn(o, "wwnn", target_wwnn(a->target));
	row_text(o, "state", a->login ? "online" : "offline");
	if (a->login)
		row_id(o, "n_port_id", a->login->id);
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

				row_text(one, "target", target_name(a->target));
				json_object_array_add(rows, one);
			}
		}
		json_object_put(status);
		free(text);
	}
	return rows;
}

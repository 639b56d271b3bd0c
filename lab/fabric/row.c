/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include <json-c/json.h>

#include "row.h"
#include "wwn_text.h"

void row_text(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

void row_number(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

void row_wwn(struct json_object *o, const char *key, uint64_t wwn)
{
	char text[WWN_TEXT_SIZE];

	row_text(o, key, wwn_format(wwn, text));
}

void row_id(struct json_object *o, const char *key, uint32_t n_port_id)
{
	char text[16];

	snprintf(text, sizeof(text), "%06x", n_port_id);
	row_text(o, key, text);
}

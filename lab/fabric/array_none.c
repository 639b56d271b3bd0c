/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The switch without built-in targets. */
#include <json-c/json.h>

#include "command.h"

const char *array_name(const struct array *a)
{
	return "";
}

void array_input(struct fabric *f, struct array *a, const struct frame *fr)
{
}

void arrays_nport_gone(struct fabric *f, struct vsan *v, uint32_t id, const char *why)
{
}

bool arrays_pump(struct fabric *f)
{
	return false;
}

void arrays_run(struct fabric *f)
{
}

uint64_t arrays_deadline(const struct fabric *f)
{
	return UINT64_MAX;
}

void arrays_free(struct fabric *f)
{
}

void arrays_zoning_changed(struct fabric *f, struct vsan *v, uint64_t wwpn)
{
}

struct json_object *arrays_json(const struct fabric *f)
{
	return json_object_new_array();
}

struct json_object *arrays_exchanges_json(const struct fabric *f)
{
	return json_object_new_array();
}

const struct command_entry commands_target[] = {{}};

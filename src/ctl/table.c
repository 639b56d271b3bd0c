/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "table.h"

const char *json_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	return o && json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : "";
}

bool json_has(struct json_object *o, const char *key)
{
	return o && json_object_object_get_ex(o, key, NULL);
}

uint64_t json_uint(struct json_object *o, const char *key)
{
	struct json_object *v;

	return o && json_object_object_get_ex(o, key, &v) ? json_object_get_uint64(v) : 0;
}

struct json_object *json_list(struct json_object *o, const char *key)
{
	struct json_object *v;

	return o && json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_array) ? v
												     : NULL;
}

size_t json_list_len(struct json_object *list)
{
	return list ? json_object_array_length(list) : 0;
}

const char *human_size(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)bytes;
	size_t u = 0;

	for (; v >= 1024 && u + 1 < sizeof(units) / sizeof(units[0]); u++)
		v /= 1024;
	snprintf(buf, size, v == (double)(uint64_t)v ? "%.0f %s" : "%.1f %s", v, units[u]);
	return buf;
}

const char *human_time(uint64_t us, char *buf, size_t size)
{
	static const struct {
		uint64_t below, unit;
		const char *name;
	} units[] = {
		{1000, 1, "us"},
		{1000000, 1000, "ms"},
		{UINT64_C(120) * 1000000, 1000000, "s"},
		{UINT64_C(7200) * 1000000, 60000000, "min"},
		{UINT64_C(48) * 3600000000, UINT64_C(3600000000), "h"},
		{UINT64_MAX, UINT64_C(86400000000), "d"},
	};
	size_t i = 0;
	double v;
	int n;

	while (us >= units[i].below && i + 1 < sizeof(units) / sizeof(units[0]))
		i++;
	v = (double)us / (double)units[i].unit;
	n = snprintf(buf, size, "%.*f", units[i].unit == 1 || v >= 100 ? 0 : v >= 10 ? 1 : 2, v);
	if (n < 0 || (size_t)n >= size)
		return buf;
	/* No zeros that say nothing. */
	if (strchr(buf, '.')) {
		while (buf[n - 1] == '0')
			n--;
		if (buf[n - 1] == '.')
			n--;
	}
	snprintf(buf + n, size - (size_t)n, " %s", units[i].name);
	return buf;
}

struct libscols_table *table_new(const struct column *columns)
{
	struct libscols_table *t = scols_new_table();

	if (!t)
		return NULL;
	for (; columns->head; columns++) {
		bool right = columns->kind == COL_UINT || columns->kind == COL_SIZE ||
			     columns->kind == COL_TIME;

		scols_table_new_column(t, columns->head, 0,
				       (right ? SCOLS_FL_RIGHT : 0) | (columns->tree ? SCOLS_FL_TREE : 0));
	}
	return t;
}

static void join(struct json_object *list, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < json_list_len(list) && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "," : "",
				      json_object_get_string(json_object_array_get_idx(list, i)));
}

static const char *cell_text(const struct column *c, struct json_object *o, char *buf, size_t size)
{
	if (!c->key || !json_has(o, c->key))
		return "";
	switch (c->kind) {
	case COL_TEXT:
		return json_text(o, c->key);
	case COL_UINT:
		snprintf(buf, size, "%" PRIu64, json_uint(o, c->key));
		return buf;
	case COL_SIZE:
		return human_size(json_uint(o, c->key), buf, size);
	case COL_TIME:
		return human_time(json_uint(o, c->key), buf, size);
	case COL_LIST:
		join(json_list(o, c->key), buf, size);
		return buf;
	case COL_BOOL:
		return json_uint(o, c->key) ? "yes" : "no";
	}
	return "";
}

struct libscols_line *table_add(struct libscols_table *t, const struct column *columns, struct json_object *o,
				struct libscols_line *parent)
{
	struct libscols_line *line = scols_table_new_line(t, parent);
	char buf[512];

	for (size_t i = 0; line && columns[i].head; i++)
		scols_line_set_data(line, i, cell_text(&columns[i], o, buf, sizeof(buf)));
	return line;
}

void table_cell(struct libscols_line *line, size_t column, const char *text)
{
	scols_line_set_data(line, column, text);
}

void table_print(struct libscols_table *t)
{
	scols_print_table(t);
	scols_unref_table(t);
}

void table_show(struct json_object *list, const struct column *columns, const char *what)
{
	struct libscols_table *t;

	if (!json_list_len(list)) {
		printf("no %s\n", what);
		return;
	}
	t = table_new(columns);
	for (size_t i = 0; t && i < json_list_len(list); i++)
		table_add(t, columns, json_object_array_get_idx(list, i), NULL);
	if (t)
		table_print(t);
}

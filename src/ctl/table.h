/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays of objects as aligned tables and trees. */
#ifndef VHBA_TABLE_H
#define VHBA_TABLE_H

#include <json-c/json.h>
#include <libsmartcols.h>

enum column_kind { COL_TEXT, COL_UINT, COL_SIZE, COL_TIME, COL_LIST, COL_BOOL };

struct column {
	const char *head; /* NULL ends the list */
	const char *key;
	enum column_kind kind;
	bool tree; /* the column that carries the branches */
};

/* A new table; a pointer to columns is kept by the caller. NULL when memory is short. */
struct libscols_table *table_new(const struct column *columns);

/* A line from an object's fields by the columns' keys; absent ones stay empty. parent may be NULL. */
struct libscols_line *table_add(struct libscols_table *t, const struct column *columns, struct json_object *o,
				struct libscols_line *parent);

/* Write one cell of a line. */
void table_cell(struct libscols_line *line, size_t column, const char *text);

/* Print to stdout and free. */
void table_print(struct libscols_table *t);

/* All of an array at once; what says what there is none of. */
void table_show(struct json_object *list, const struct column *columns, const char *what);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fields of a row, as the show commands print them in JSON. */
#ifndef FABRIC_ROW_H
#define FABRIC_ROW_H

#include <stdint.h>

struct json_object;

void row_text(struct json_object *o, const char *key, const char *value);
void row_number(struct json_object *o, const char *key, uint64_t value);
void row_wwn(struct json_object *o, const char *key, uint64_t wwn);
void row_id(struct json_object *o, const char *key, uint32_t n_port_id); /* 6 hexadecimal digits */

#endif

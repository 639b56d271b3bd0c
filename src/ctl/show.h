/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Replies as text: tables by libsmartcols, on stdout. */
#ifndef VHBA_SHOW_H
#define VHBA_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

void show_vms(struct json_object *reply);
void show_vm(struct json_object *reply);
void show_vhba(struct json_object *reply);
void show_vhbas(struct json_object *reply);
void show_parents(struct json_object *reply);
void show_parent(struct json_object *reply);
void show_luns(struct json_object *reply);
void show_ios(struct json_object *reply);
void show_latency(struct json_object *reply);
void show_io(struct json_object *reply);
void show_lun(struct json_object *reply);
void show_pools(struct json_object *reply);
void show_domains(struct json_object *reply);
void show_domain(struct json_object *reply);
void show_domain_xml(struct json_object *reply);
void show_preflight(struct json_object *reply);
void show_result(struct json_object *reply); /* of an operation */
void show_status(struct json_object *reply);
void show_log(struct json_object *reply);
void show_config(struct json_object *reply);
void show_events(struct json_object *reply); /* one line each, for streaming */

/* Fetching with defaults, whatever the object holds. */
const char *json_text(struct json_object *o, const char *key); /* "" when absent */
uint64_t json_uint(struct json_object *o, const char *key);
bool json_has(struct json_object *o, const char *key);
struct json_object *json_list(struct json_object *o, const char *key); /* NULL when it is no array */
size_t json_list_len(struct json_object *list);

/* "1.5 GiB"; returns buf. */
const char *human_size(uint64_t bytes, char *buf, size_t size);
/* "497 ms", "1.25 s"; returns buf. */
const char *human_time(uint64_t us, char *buf, size_t size);

#endif

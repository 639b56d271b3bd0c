/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a person or an orchestrator sees of an operation: one JSON shape for all kinds, documented field by
 * field in the method table of src/proto.  Pure: reads the machines, writes objects that the caller owns.
 */
#ifndef VHBA_RESULT_H
#define VHBA_RESULT_H

#include <json-c/json.h>

#include "attach.h"
#include "quiesce.h"
#include "vm.h"

/* The result of the request that the machine answered last; operation is what the caller asked for, and when.
 */
struct json_object *result_quiesce(const struct vm *vm, const struct quiesce_result *r, const char *operation,
				   struct monotime start, struct monotime deadline);

/* The phases that an attachment went through: the same shape. */
struct json_object *result_attach_phases(const struct attach *a, unsigned vhba, struct monotime now);

/* What every operation's result begins with. */
struct json_object *result_head(const char *operation, const char *vm, const char *outcome,
				struct monotime start, uint64_t deadline_us, uint64_t elapsed_us);

/* {"index","wwpn","parent"}: the beginning of every vhba's entry. */
struct json_object *result_vhba(const struct vm_vhba *v);

/* Add a WWN as text with colons. */
void result_add_wwn(struct json_object *o, const char *key, uint64_t wwn);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods' handlers; shapes are in src/proto/methods.c.  show_* return objects that the caller owns. */
#ifndef VHBA_METHODS_H
#define VHBA_METHODS_H

#include "daemon.h"

/* The VM that "vm" names; NULL with *e. */
const struct reg_vm *methods_vm(struct daemon *d, struct json_object *p, struct verror *e);

/* whole: with its vhbas, their targets and LUNs. */
struct json_object *show_vm(struct daemon *d, const struct reg_vm *rv, bool whole);
struct json_object *show_vhba(struct daemon *d, const struct reg_vm *rv, const struct reg_vhba *v,
			      bool whole);
/* What a quiesce of a VM with vports here would do; drain_us as op_quiesce_start has it. */
struct json_object *show_plan(struct daemon *d, struct vm *vm, uint64_t deadline_us, uint64_t drain_us);
struct json_object *show_events(struct daemon *d, struct json_object *p, bool follow);

void method_vm_list(struct daemon *d, struct call *call, struct json_object *p);
void method_vm_show(struct daemon *d, struct call *call, struct json_object *p);
void method_vhba_list(struct daemon *d, struct call *call, struct json_object *p);
void method_parent_list(struct daemon *d, struct call *call, struct json_object *p);
void method_parent_show(struct daemon *d, struct call *call, struct json_object *p);
void method_lun_list(struct daemon *d, struct call *call, struct json_object *p);
void method_status(struct daemon *d, struct call *call, struct json_object *p);
void method_log(struct daemon *d, struct call *call, struct json_object *p);
void method_plan(struct daemon *d, struct call *call, struct json_object *p); /* plan_show.c */
void method_config_show(struct daemon *d, struct call *call, struct json_object *p);

/* show_san.c: the targets that a host sees; those of a vhba, with its zones' that are missing (host NULL:
 * all) */
struct json_object *show_targets(const struct fc_host *host);
struct json_object *show_vhba_targets(const struct daemon *d, const struct reg_vhba *v,
				      const struct fc_host *host);
/* A vhba's LUNs and those that are missing, appended to list. */
void show_luns(const char *vm, const struct reg_vhba *v, const struct fc_host *host,
	       struct json_object *list);

#endif

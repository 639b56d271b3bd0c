/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods' handlers; shapes are in src/proto/methods.c.  show_* return objects that the caller owns. */
#ifndef VHBA_METHODS_H
#define VHBA_METHODS_H

#include "daemon.h"

/* The VM that "vm" names; NULL with *e. */
const struct reg_vm *methods_vm(struct daemon *d, struct json_object *p, struct verror *e);

/* True: its registration may change, since nothing of it is live here. */
bool methods_detached(struct daemon *d, const struct reg_vm *rv, struct verror *e);

/* True: nothing in the SAN, as far as it is seen or configured, carries the name, or has carried it. */
bool methods_free_name(struct daemon *d, wwn_t name, struct verror *e);
/* True: nothing carries it now. */
bool methods_idle_name(struct daemon *d, wwn_t name, struct verror *e);

#define CHANGE_LUN 1000
#define CHANGE_NO_LUN 2000 /* + n: LUN n of the guest's is gone */
/* A call that waits for the registry's disk: it names what to answer with when the change is written. */
struct change {
	struct daemon *d;
	struct call *call;
	char vm[REG_NAME_MAX];
	char removed[37]; /* the UUID of a VM that goes; else "" */
	int index; /* of the vhba to answer with; -1: the VM; -2: nothing; CHANGE_LUN + n: the guest's LUN n
		    */
};
struct change *methods_change(struct daemon *d, struct call *call, const char *vm, int index); /* or NULL */
void methods_changed(void *user, const struct verror *e); /* the registry's reg_done: answers, and frees */
/* r: what the registry said at once. */
void methods_changed_or_refused(struct daemon *d, struct change *c, int r, const struct verror *e);

/* whole: with its vhbas, their targets and LUNs. */
struct json_object *show_vm(struct daemon *d, const struct reg_vm *rv, bool whole);
struct json_object *show_vhba(struct daemon *d, const struct reg_vm *rv, const struct reg_vhba *v,
			      bool whole);
/* What a quiesce of a VM with vports here would do; drain_us as op_quiesce_start has it. */
struct json_object *show_plan(struct daemon *d, struct vm *vm, uint64_t deadline_us, uint64_t drain_us);
struct json_object *show_events(struct daemon *d, struct json_object *p, bool follow);

/* methods_op.c: attach, quiesce and so on */
void method_operation(struct daemon *d, struct call *call, struct json_object *p, enum proto_method_id id);

/* methods_ticket.c */
void method_export(struct daemon *d, struct call *call, struct json_object *p);
void method_import(struct daemon *d, struct call *call, struct json_object *p);
/* Whether a VM may come here while it is live elsewhere; place: the parents that would carry it. */
bool methods_may_arrive(struct daemon *d, const struct reg_vm *in, struct vm *place, struct verror *e);
/* One check, of that vhba or of the VM (NULL); e: what does not hold, or NULL.  False: no more. */
typedef bool methods_told(void *user, const char *check, const struct reg_vhba *v, const struct verror *e);
/* The same, told one by one; the fabric is not asked. */
void methods_look_through(struct daemon *d, const struct reg_vm *in, methods_told *told, void *user);

/* preflight.c */
void method_preflight(struct daemon *d, struct call *call, struct json_object *p);

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

/* methods_lun.c */
void method_lun_add(struct daemon *d, struct call *call, struct json_object *p);
void method_lun_remove(struct daemon *d, struct call *call, struct json_object *p);
void method_vm_set(struct daemon *d, struct call *call, struct json_object *p);
/* What carries its I/O, added to a VM's object. */
void show_vm_io(struct daemon *d, const struct reg_vm *rv, struct json_object *o);
/* {"lun"}: one that has come. */
void show_new_lun(const struct reg_vm *rv, unsigned number, struct json_object *o);
/* Files are appended to the list of a VM's LUNs, and an array's get the guest's number. */
void show_guest_luns(const struct reg_vm *rv, struct json_object *list);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An operation on a VM: one object with a deadline, an owner and a result.  At most one per VM is under way.
 * What a person or an orchestrator sees of it comes from its record.  Loop thread only.
 *
 * op_attach.c drives the attachment machine (attach.h), op_quiesce.c the quiesce machine for quiesce, resume,
 * release and detach.  Both send verbs to vhba-priv through privq.h and look at the inventory through san.h;
 * what comes back (a helper's answer, a change of the inventory, a timer) is handed to the machine as an
 * event.
 */
#ifndef VHBA_OP_H
#define VHBA_OP_H

#include <json-c/json.h>
#include <systemd/sd-event.h>

#include "attach.h"
#include "control.h"
#include "daemon.h"
#include "vm.h"

enum op_kind { OP_ATTACH, OP_DETACH, OP_QUIESCE, OP_RESUME, OP_RELEASE, OP_KINDS_ };

struct attach_run; /* op_attach.c */
struct op_pools; /* op_pools.c */

#define OP_DRAIN_DEFAULT UINT64_MAX
struct op_ask { /* what was asked for */
	uint64_t drain_us; /* the caller's, or OP_DRAIN_DEFAULT */
	bool owner_paused;
	bool await; /* attach: the names may be logged in elsewhere still, and are waited for */
	bool check_names; /* attach: nobody knows whether they are, and if they are it is refused */
};

struct op {
	TAILQ_ENTRY(op) link;
	struct daemon *d;
	enum op_kind kind;
	struct vm *vm;
	struct call *call; /* NULL: nobody waits for the answer (any more) */
	uint64_t id;
	struct monotime start, deadline;
	bool moved; /* release: the identity belongs elsewhere from now on */
	bool settled; /* attach: all is ready, the result is about to be written */
	bool waits_for_pools; /* op_pools.c: libvirt's pools are being stopped, nothing else has begun */
	bool answered; /* the result is out; what follows goes on in the background */
	sd_event_source *timer;
	void (*on_wake)(struct op *op);
	struct attach_run *attach;
	struct op_pools *pools; /* of op_pools.c; NULL: there were none to stop */
	struct op_ask ask;
	struct work begin; /* methods_op.c: it has been taken, and begins in a turn of its own */
};

const char *op_kind_name(enum op_kind kind);

/*
 * Begin one; vm->op must be NULL.  call is taken over (answered by op_answer).  NULL with *e set; then the
 * call is still the caller's.
 */
struct op *op_new(struct daemon *d, enum op_kind kind, struct vm *vm, struct call *call, uint64_t deadline_us,
		  struct verror *e);

/* One that nobody has asked for, so that it has been answered already: it keeps others off the VM. NULL: no
 * memory. */
struct op *op_unasked(struct daemon *d, enum op_kind kind, struct vm *vm, uint64_t deadline_us);

/* Send the result (taken over) to the caller, keep it for "vhbactl log", tell the watchers. Once per
 * operation. */
void op_answer(struct op *op, struct json_object *result, const struct verror *e);

/* The operation is over: the VM is free for the next one. Frees op; what was not answered is answered as
 * unfinished. */
void op_end(struct op *op);

/* It could not begin: answers so, and ends it. May free the VM: it is known only while it may have vports. */
void op_refuse(struct op *op, const struct verror *e);

/* vhbad ends: the caller is told how it stands, the rest is in the journal. Frees op. */
void op_leave(struct op *op);

/* Operations of other VMs that somebody waits for. */
unsigned op_crowd(const struct daemon *d, const struct vm *vm);

/* Tell who waits with "more" where it stands. vhba: the registry's index, or -1. */
void op_progress(struct op *op, const char *phase, int vhba, const char *text);

/* Call fn(op) at t (MONOTIME_NEVER: not at all). Replaces the earlier order. */
void op_wake_at(struct op *op, struct monotime t, void (*fn)(struct op *));

/* The caller's connection is gone: the operation goes on to a defined end. */
void op_caller_gone(struct op *op);

/*
 * methods_op.c: one that vhbad itself asks for (live.c), by its configured deadline.  False: it could not
 * begin, and the log says why.  await: names may be logged in elsewhere still, and are waited for.
 */
#define OP_AWAIT "await" /* among the parameters; no caller's */
bool op_begin_unasked(struct daemon *d, enum proto_method_id id, const struct reg_vm *rv, bool await);

/* op_attach.c */
int op_attach_start(struct op *op, bool accept_luns, struct verror *e);
void op_attach_look(struct op *op); /* what is due, and how far it has come */
void op_attach_news(struct op *op, int vhba); /* the inventory changed around this one of the VM's; -1: all */
void op_attach_free(struct attach_run *run);
/* An attach that a daemon before this one left unfinished: what it made is deleted, in the background. */
int op_attach_take_back(struct daemon *d, const struct journal_op *found, const char *name, struct verror *e);

/* op_quiesce.c: quiesce, resume, release, detach. */
void op_quiesce_config(const struct config *c, struct quiesce_config *qc, uint64_t drain_us);
int op_quiesce_start(struct op *op, const struct op_ask *ask, struct verror *e);
/* The state that the VM is in while it lasts. */
enum vm_state op_quiesce_state(enum op_kind kind);
/* A release that has been answered and of which at most the proof is awaited (quiesce_released) ends here.
 * May free vm. */
void vm_release_over(struct vm *vm);
/* The inventory changed around this VM: its machine looks again. */
void vm_wake(struct daemon *d, struct vm *vm);
/*
 * Rebuild the machine from a journal found at start, and go on.  0 without vm->quiesce: nothing had begun.
 * On error the journal is set aside and the VM has no machine; its vhbas may be the journal's.
 */
int vm_quiesce_restore(struct daemon *d, struct vm *vm, const struct journal_op *found, struct verror *e);

/* op_io.c: the same for a VM without vhbas, whose LUNs are files. */
bool op_io_is_one(const struct reg_vm *rv);
int op_io_start(struct op *op, struct verror *e);
/* What runs of it here is known as a VM that is attached, or held. */
int op_io_adopt(struct daemon *d, const struct reg_vm *rv, struct verror *e);

/*
 * op_pools.c: libvirt's pools of the VM are stopped before its vports are logged out, since a refresh of a
 * pool on a disabled vport blocks libvirt.  True: that is awaited, for the configured time and a quarter of
 * the deadline at most; then it goes on by op_quiesce_start, and the record says how it was.
 */
bool op_pools_begin(struct op *op, const struct op_ask *ask);
/* How much of a deadline that may take at most; 0: nothing is waited for. us */
uint64_t op_pools_most(struct daemon *d, const struct vm *vm, uint64_t deadline_us);
/* The deadline that leaves so much for what comes after; UINT64_MAX stays. us */
uint64_t op_pools_before(struct daemon *d, const struct vm *vm, uint64_t us);
void op_pools_news(struct op *op); /* vhba-virt has reported, or is gone; may free op and the VM */
struct json_object *op_pools_phase(const struct op *op); /* for the record; NULL: nothing was waited for */
void op_pools_free(struct op_pools *op);

#endif

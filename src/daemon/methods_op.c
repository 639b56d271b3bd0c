/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods that begin an operation: may it, and on what. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "handover.h"
#include "log.h"
#include "methods.h"
#include "op.h"

struct op_spec {
	enum op_kind kind;
	unsigned states; /* mask of the VM states in which it may begin */
	uint64_t (*deadline)(const struct config *c);
};

static uint64_t attach_deadline(const struct config *c)
{
	return c->attach_deadline;
}

static uint64_t quiesce_deadline_of(const struct config *c)
{
	return c->quiesce_deadline;
}

static uint64_t resume_deadline(const struct config *c)
{
	return c->resume_deadline;
}

static uint64_t release_deadline(const struct config *c)
{
	return c->release_deadline;
}

#define IN(s) (1U << VM_##s)
#define LIVE (IN(ATTACHED) | IN(HELD) | IN(FAILED) | IN(QUIESCING) | IN(RESUMING) | IN(RELEASING))

static const struct op_spec specs[PROTO_METHODS] = {
	[PROTO_ATTACH] = {OP_ATTACH, IN(DETACHED) | IN(FAILED), attach_deadline},
	[PROTO_DETACH] = {OP_DETACH, LIVE, release_deadline},
	[PROTO_QUIESCE] = {OP_QUIESCE, LIVE, quiesce_deadline_of},
	[PROTO_RESUME] = {OP_RESUME, LIVE & ~IN(ATTACHED), resume_deadline},
	[PROTO_RELEASE] = {OP_RELEASE, LIVE, release_deadline},
};

/* All of it that an attach would have to wait for is over. */
static bool released(const struct vm *vm)
{
	return vm && vm->quiesce && quiesce_released(vm->quiesce);
}

static bool state_fits(const struct op_spec *s, const char *name, const struct vm *vm, struct verror *e)
{
	bool over = s->kind == OP_ATTACH && released(vm);
	enum vm_state state = vm && !over ? vm->state : VM_DETACHED;

	if (s->states & 1U << state && (s->kind != OP_ATTACH || !vm || !vm->quiesce || over))
		return true;
	verror_set(e, VHBA_E_STATE, "%s: %s is not possible now", name, op_kind_name(s->kind));
	verror_seen(e, "%s is %s", name, vm_state_name(state));
	return false;
}

/* It would log in by names that are live elsewhere. */
static bool is_awaited(const struct op_spec *s, const struct reg_vm *rv, struct json_object *p)
{
	return s->kind == OP_ATTACH && rv->io.arrives && rv->vhbas_n && !proto_get_bool(p, OP_AWAIT);
}

static bool may_begin(struct daemon *d, const struct op_spec *s, const struct reg_vm *rv, const struct vm *vm,
		      struct json_object *p, struct verror *e)
{
	if (vm && vm->op) {
		verror_set(e, VHBA_E_BUSY, "%s: another operation is under way", rv->name);
		verror_seen(e, "%s", op_kind_name(vm->op->kind));
		verror_fix(e, "wait for its answer: 'vhbactl status' shows it");
		return false;
	}
	if (!state_fits(s, rv->name, vm, e))
		return false;
	if (s->kind == OP_ATTACH && strcmp(rv->owner, d->cfg->host_name)) {
		verror_set(e, VHBA_E_STATE, "the identity of %s is not this host's", rv->name);
		verror_expected(e, "%s", d->cfg->host_name);
		verror_seen(e, "%s", rv->owner[0] ? rv->owner : "it was moved away");
		verror_fix(e, "import a ticket of it here, or attach it where it is");
		return false;
	}
	if (is_awaited(s, rv, p)) {
		verror_set(e, VHBA_E_STATE, "%s is expected by a live migration", rv->name);
		verror_seen(e, "its guest has not begun to run here");
		verror_fix(e, "when it does, it is attached; give it up by 'vhbactl release %s --moved'",
			   rv->name);
		return false;
	}
	if (s->kind == OP_ATTACH && !rv->vhbas_n && !op_io_is_one(rv)) {
		verror_set(e, VHBA_E_STATE, "%s has no vhba", rv->name);
		verror_fix(e, "add one: vhbactl vhba add %s --vsan N --zone Z", rv->name);
		return false;
	}
	return true;
}

/* What was the VM's state when it was taken may have ended since. */
static void begin(struct work *w)
{
	struct op *op = (struct op *)((char *)w - offsetof(struct op, begin));
	const struct op_spec *s = NULL;
	struct verror e;

	for (size_t i = 0; !s; i++)
		s = specs[i].states && specs[i].kind == op->kind ? &specs[i] : NULL;
	if (!state_fits(s, op->vm->name, op->vm, &e) ||
	    (!op_pools_begin(op, &op->ask) && op_quiesce_start(op, &op->ask, &e)))
		op_refuse(op, &e);
}

/*
 * When many come at once, each is read, and its time runs, before the first begins: that takes longer.
 */
static int start(struct op *op, struct json_object *p, struct verror *e)
{
	op->ask = (struct op_ask){.drain_us = proto_get_uint(p, "drain_us", OP_DRAIN_DEFAULT),
				  .owner_paused = proto_get_bool(p, "paused"),
				  .await = proto_get_bool(p, OP_AWAIT),
				  .check_names = proto_get_bool(p, "check_names")};
	if (!op->vm->count)
		return op_io_start(op, e);
	if (op->kind == OP_ATTACH)
		return op_attach_start(op, proto_get_bool(p, "accept_luns"), e);
	op->begin.fn = begin;
	work_queue(&op->d->works, &op->begin);
	return 0;
}

/* A VM that is gone from here already, perhaps with a daemon that was killed before it could say so. */
static bool is_handover(const struct op_spec *s, struct json_object *p, const struct vm *vm)
{
	return s->kind == OP_RELEASE && proto_get_bool(p, "moved") &&
	       (!vm || (vm->state == VM_DETACHED && !vm->op));
}

/* False with *e: the call is the caller's still. */
static bool operate(struct daemon *d, struct call *call, const struct op_spec *s, const struct reg_vm *rv,
		    struct json_object *p, struct verror *e)
{
	struct vm *vm = vm_find(&d->vms, rv->uuid);
	uint64_t deadline_us = proto_get_uint(p, "deadline_us", s->deadline(d->cfg));
	struct op *op;

	if (is_handover(s, p, vm)) {
		handover_call(d, call, rv, deadline_us);
		return true;
	}
	if (!may_begin(d, s, rv, vm, p, e))
		return false;
	if (s->kind == OP_ATTACH && released(vm))
		vm_release_over(vm);
	if (!vm || s->kind == OP_ATTACH)
		vm = vm_of_registry(d, rv);
	if (!vm)
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
	op = vm ? op_new(d, s->kind, vm, call, deadline_us, e) : NULL;
	if (!op)
		return false;
	op->moved = proto_get_bool(p, "moved");
	if (start(op, p, e))
		op_refuse(op, e);
	return true;
}

void method_operation(struct daemon *d, struct call *call, struct json_object *p, enum proto_method_id id)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);

	if (!rv || !operate(d, call, &specs[id], rv, p, &e))
		call_error(call, &e);
}

bool op_begin_unasked(struct daemon *d, enum proto_method_id id, const struct reg_vm *rv, bool await)
{
	struct json_object *p = json_object_new_object();
	struct verror e = {0};
	char line[400];
	bool begun;

	json_object_object_add(p, OP_AWAIT, json_object_new_boolean(await));
	/* The back end waits for what is under way until its own deadline: what is left then doesn't end. */
	if (id == PROTO_QUIESCE && d->cfg->io_deadline < d->cfg->drain)
		json_object_object_add(p, "drain_us", json_object_new_uint64(d->cfg->io_deadline));
	begun = operate(d, NULL, &specs[id], rv, p, &e);
	if (!begun)
		log_err("%s", verror_line(&e, line, sizeof(line)));
	json_object_put(p);
	return begun;
}

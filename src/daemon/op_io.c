/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations on a VM that has an I/O back end and no vhba: its LUNs are files.  There is nothing to log out:
 * that its back end has stopped, with nothing left in the kernel, is all that there is to prove.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "handover.h"
#include "ios.h"
#include "op.h"
#include "result.h"

#define POLL_US (5 * USEC_PER_MSEC) /* the back end tells; this is for one that doesn't */

bool op_io_is_one(const struct reg_vm *rv)
{
	return !rv->vhbas_n && rv->io.kind != REG_IO_NONE;
}

int op_io_adopt(struct daemon *d, const struct reg_vm *rv, struct verror *e)
{
	struct vm *vm = op_io_is_one(rv) ? vm_of_registry(d, rv) : NULL;

	if (!op_io_is_one(rv))
		return 0;
	if (!vm)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	if (vm->state == VM_DETACHED)
		vm_set_state(vm, ios_stopped(d, rv->uuid) ? VM_HELD : VM_ATTACHED);
	return 0;
}

/* ---- the answer ---- */

static struct json_object *phase(const struct op *op, const char *outcome, const char *text)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(o, "phase", json_object_new_string("stop"));
	json_object_object_add(o, "start_us", json_object_new_uint64(op->start.us));
	json_object_object_add(o, "end_us", json_object_new_uint64(mono_now().us));
	json_object_object_add(o, "outcome", json_object_new_string(outcome));
	if (text)
		json_object_object_add(o, "text", json_object_new_string(text));
	json_object_array_add(list, o);
	return list;
}

static void answer(struct op *op, const char *outcome, const char *text)
{
	struct monotime now = mono_now();
	struct json_object *unproved = json_object_new_array();
	struct json_object *o = result_head(op_kind_name(op->kind), op->vm->name, outcome, op->start,
					    mono_since(op->deadline, op->start), mono_since(now, op->start));

	if (text)
		json_object_array_add(unproved, json_object_new_string(text));
	json_object_object_add(o, "unproved", unproved);
	if (text)
		json_object_object_add(o, "text", json_object_new_string(text));
	json_object_object_add(o, "phases", phase(op, text ? "unconfirmed" : "done", text));
	json_object_object_add(o, "vhbas", json_object_new_array());
	op_answer(op, o, NULL);
}

/* ---- its end ---- */

static void end(struct op *op, const char *outcome, const char *text)
{
	bool gone = op->kind == OP_RELEASE || op->kind == OP_DETACH;
	bool moved = op->kind == OP_RELEASE && op->moved;
	struct daemon *d = op->d;
	struct vm *vm = op->vm;

	vm_set_state(vm, gone ? VM_DETACHED : op->kind == OP_QUIESCE ? VM_HELD : VM_ATTACHED);
	if (gone)
		ios_end(d, vm->uuid);
	answer(op, outcome, text);
	op_end(op);
	if (moved)
		handover_begin(d, vm->uuid);
	if (gone)
		vm_free(&d->vms, vm);
}

static void look(struct op *op)
{
	uint64_t left = ios_left(op->d, op->vm->uuid);
	struct monotime now = mono_now();
	char text[96];

	if (!left) {
		end(op, "confirmed", NULL);
		return;
	}
	if (!mono_reached(op->deadline, mono_add(now, op->d->cfg->margin + POLL_US))) {
		op_wake_at(op, mono_add(now, POLL_US), look);
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64 " commands are not known to have ended", left);
	end(op, "unconfirmed", text);
}

/* ---- what the back ends say ---- */

struct asked {
	struct daemon *d;
	uint64_t id;
};

static struct op *op_of(const struct asked *a)
{
	struct op *op;

	TAILQ_FOREACH (op, &a->d->ops, link)
		if (op->id == a->id)
			return op;
	return NULL;
}

static void fail(struct op *op, const char *why, enum vm_state state)
{
	struct verror e;

	verror_set(&e, VHBA_E_IO, "%s: %s could not be done", op->vm->name, op_kind_name(op->kind));
	verror_seen(&e, "%s", why);
	vm_set_state(op->vm, state);
	op_answer(op, NULL, &e);
	op_end(op);
}

static void on_stopped(void *user, const char *why)
{
	AUTO_FREE struct asked *a = user;
	struct op *op = op_of(a);

	if (op && why)
		fail(op, why, VM_FAILED);
	else if (op)
		op_wake_at(op, mono_now(), look);
}

static void on_going(void *user, const char *why)
{
	AUTO_FREE struct asked *a = user;
	struct op *op = op_of(a);

	if (op && why)
		fail(op, why, VM_FAILED);
	else if (op)
		end(op, "done", NULL);
}

static void too_late(struct op *op)
{
	fail(op, "the back end has not answered by the deadline", VM_FAILED);
}

int op_io_start(struct op *op, struct verror *e)
{
	const struct reg_vm *rv = registry_find(op->d->reg, op->vm->uuid);
	struct asked *a;

	if (op->kind == OP_ATTACH) {
		int r = ios_start(op->d, rv, rv->io.gate, e);

		if (!r)
			end(op, "done", NULL);
		return r;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	a->d = op->d;
	a->id = op->id;
	vm_set_state(op->vm, op_quiesce_state(op->kind));
	op_wake_at(op, op->deadline, too_late);
	if (op->kind == OP_RESUME)
		ios_go_on(op->d, op->vm->uuid, on_going, a);
	else
		ios_stop(op->d, op->vm->uuid, on_stopped, a);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operation waits for before it logs a VM out: that libvirt's pools of it are stopped. */
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "op.h"
#include "pools.h"

struct op_pools {
	struct op_ask ask;
	enum vm_state was;
	struct monotime end; /* 0: they are still waited for */
	bool stopped, gone;
};

static const char *why(const struct op_pools *w)
{
	return w->gone ? "vhba-virt is gone: whether libvirt's pools are stopped is not known"
		       : "libvirt has not stopped its pools in time";
}

static void go_on(struct op *op)
{
	struct op_pools *w = op->pools;
	struct verror e;

	w->end = mono_now();
	w->stopped = pools_stopped(op->d, op->vm);
	w->gone = !pools_served(op->d);
	op->waits_for_pools = false;
	op_wake_at(op, MONOTIME_NEVER, NULL);
	if (!w->stopped)
		daemon_event(op->d, "pool", op->vm->name,
			     "libvirt has not stopped its pools in time: going on");
	vm_set_state(op->vm, w->was);
	if (!op_quiesce_start(op, &w->ask, &e))
		return;
	pools_look(op->d, op->vm->uuid);
	op_refuse(op, &e);
}

#define SHARE 4 /* of the deadline: so much at most */

/* Of whatever deadline, at most; 0: there is nothing to wait for. */
static uint64_t bound(struct daemon *d, const struct vm *vm)
{
	const struct reg_vm *rv;

	if (vm->quiesce || !pools_served(d))
		return 0;
	rv = registry_find(d->reg, vm->uuid);
	return rv && rv->pool ? d->cfg->pool_stop : 0;
}

uint64_t op_pools_most(struct daemon *d, const struct vm *vm, uint64_t deadline_us)
{
	uint64_t most = bound(d, vm);

	return deadline_us / SHARE < most ? deadline_us / SHARE : most;
}

uint64_t op_pools_before(struct daemon *d, const struct vm *vm, uint64_t us)
{
	uint64_t most = bound(d, vm), share = us / (SHARE - 1) + 1;

	if (us == UINT64_MAX || !most)
		return us;
	return us + (share < most ? share : most);
}

bool op_pools_begin(struct op *op, const struct op_ask *ask)
{
	uint64_t us = op_pools_most(op->d, op->vm, mono_left(op->deadline, op->start));
	enum vm_state was = op->vm->state;
	struct op_pools *w;

	if (op->kind == OP_RESUME || !us)
		return false;
	vm_set_state(op->vm, op_quiesce_state(op->kind));
	w = pools_stopped(op->d, op->vm) ? NULL : calloc(1, sizeof(*w));
	if (!w) {
		vm_set_state(op->vm, was);
		return false;
	}
	w->ask = *ask;
	w->was = was;
	op->pools = w;
	op->waits_for_pools = true;
	op_progress(op, "pool", -1, NULL);
	op_wake_at(op, mono_add(op->start, us), go_on);
	return true;
}

void op_pools_news(struct op *op)
{
	if (!pools_served(op->d) || pools_stopped(op->d, op->vm))
		go_on(op);
}

struct json_object *op_pools_phase(const struct op *op)
{
	const struct op_pools *w = op->pools;
	struct json_object *o;

	if (!w)
		return NULL;
	o = json_object_new_object();
	json_object_object_add(o, "phase", json_object_new_string("pool"));
	json_object_object_add(o, "start_us", json_object_new_uint64(op->start.us));
	json_object_object_add(o, "end_us", json_object_new_uint64(w->end.us));
	json_object_object_add(o, "outcome", json_object_new_string(w->stopped ? "done" : "unconfirmed"));
	if (!w->stopped)
		json_object_object_add(o, "text", json_object_new_string(why(w)));
	return o;
}

void op_pools_free(struct op_pools *w)
{
	free(w);
}

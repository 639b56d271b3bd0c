/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of an attachment that was not to be: also of one that a killed daemon left, by the names in its
 * journal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach_run.h"
#include "cleanup.h"
#include "log.h"
#include "san.h"

#define TAKE_BACK_US (60 * USEC_PER_SEC) /* how long one delete may take; then it is asked for again */
#define SEE_US (100 * USEC_PER_MSEC)

void attach_see_leftover(struct op *op)
{
	struct attach *a = &op->attach->machine;
	struct daemon *d = op->d;
	struct vm *vm = op->vm;
	bool left_over = false;

	for (unsigned i = 0; i < a->count; i++) {
		if (a->vhba[i].state == ATTACH_UNDOING || a->vhba[i].state == ATTACH_CREATING) {
			op_wake_at(op, mono_add(mono_now(), SEE_US), attach_see_leftover);
			return;
		}
		left_over |= a->vhba[i].state == ATTACH_LEFT;
	}
	vm_set_state(vm, left_over ? VM_FAILED : VM_DETACHED);
	if (op->attach->journal)
		journal_end(steal_ptr(op->attach->journal), "failed", a->why.what, mono_now().us, 4);
	op_end(op);
	if (!left_over)
		vm_free(&d->vms, vm);
}

static void nobody_asked(void *ctx, bool ok)
{
	(void)ctx;
	(void)ok;
}

static const struct attach_ops take_back_ops = {attach_begin, attach_changed, nobody_asked};

static bool has(const struct vm *vm, uint64_t wwpn)
{
	for (unsigned i = 0; i < vm->count; i++)
		if (vm->vhba[i].wwpn == wwpn)
			return true;
	return false;
}

/* A name stands in a record for each step of its vhba, the parent that was chosen beside it. */
static void take_names(struct daemon *d, struct vm *vm, const struct journal_op *found)
{
	vm->count = 0;
	for (size_t i = 0; i < found->n && vm->count < VM_VHBAS_MAX; i++) {
		struct vm_vhba *v = &vm->vhba[vm->count];
		const struct fc_host *parent;
		uint64_t index = 0;

		*v = (struct vm_vhba){.parent_host = -1, .host = -1};
		if (journal_get_hex(&found->rec[i], "wwpn", &v->wwpn) ||
		    journal_get_hex(&found->rec[i], "wwnn", &v->wwnn) || has(vm, v->wwpn))
			continue;
		journal_get_u64(&found->rec[i], "vhba", &index);
		journal_get_hex(&found->rec[i], "parent", &v->parent_wwpn);
		v->index = (unsigned)index;
		parent = fc_parent_find(&d->inv, v->parent_wwpn);
		v->parent_host = parent ? parent->number : -1;
		san_locate(d, v);
		/* With its parent the vport has gone. */
		if (v->parent_host >= 0)
			vm->count++;
	}
}

int op_attach_take_back(struct daemon *d, const struct journal_op *found, const char *name, struct verror *e)
{
	struct attach_run *run = calloc(1, sizeof(*run));
	struct vm *vm = run ? vm_new(&d->vms, found->head.vm, name) : NULL;
	struct op *op = vm ? op_unasked(d, OP_ATTACH, vm, TAKE_BACK_US) : NULL;
	char dir[256];

	if (!op) {
		free(run);
		if (vm)
			vm_free(&d->vms, vm);
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return -ENOMEM;
	}
	op->attach = run;
	snprintf(dir, sizeof(dir), "%s/journal", d->cfg->run_dir);
	run->journal = journal_reopen(dir, found, e);
	if (!run->journal)
		log_warning("%s", e->what);
	take_names(d, vm, found);
	attach_init(&run->machine, &take_back_ops, op, vm->count, op->start, op->deadline, 0);
	verror_set(&run->machine.why, VHBA_E_IO, "vhbad ended before it was done: taken back");
	vm_set_state(vm, VM_RELEASING);
	log_notice("%s: taking back %u vhbas of an attach that was cut off", name, vm->count);
	attach_take_back(&run->machine, mono_now());
	op_wake_at(op, mono_now(), attach_see_leftover);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * At start: vports are found by WWPN, journals say what was under way.  An attach that had not been answered
 * is undone, a quiesce, resume or release is finished by its machine; what is simply there is taken over as
 * attached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "journal.h"
#include "log.h"
#include "op.h"
#include "privq.h"
#include "san.h"
#include "timers.h"
#include "vhba_profile.h"

struct vm *vm_of_registry(struct daemon *d, const struct reg_vm *rv)
{
	struct vm *vm = vm_find(&d->vms, rv->uuid);

	if (!vm)
		vm = vm_new(&d->vms, rv->uuid, rv->name);
	if (!vm || vm->quiesce)
		return vm;
	vm->count = 0;
	for (unsigned i = 0; i < rv->vhbas_n && i < VM_VHBAS_MAX; i++) {
		struct vm_vhba *v = &vm->vhba[vm->count++];
		bool known = v->wwpn == rv->vhbas[i].wwpn;

		*v = (struct vm_vhba){.index = rv->vhbas[i].index,
				      .wwpn = rv->vhbas[i].wwpn,
				      .wwnn = rv->vhbas[i].wwnn,
				      .parent_host = -1,
				      .host = -1,
				      .named = known && v->named};
		if (san_locate(d, v) && !known)
			v->named = true; /* an earlier vhbad has cared for it */
	}
	return vm;
}

static void end_journal(struct daemon *d, const char *dir, const struct journal_op *op, const char *how)
{
	struct verror e;
	struct journal *j = journal_reopen(dir, op, &e);

	(void)d;
	if (j)
		journal_end(j, how, "found after a restart", mono_now().us, 4);
	else
		log_warning("%s", e.what);
}

static void take_back(struct daemon *d, const char *dir, const struct journal_op *op)
{
	const struct reg_vm *rv = registry_find(d->reg, op->head.vm);
	struct verror e;

	if (vm_find(&d->vms, op->head.vm))
		end_journal(d, dir, op, "superseded");
	else if (op_attach_take_back(d, op, rv ? rv->name : op->head.vm, &e))
		log_err("%s: %s", op->head.vm, e.what);
}

static void resume_operation(struct daemon *d, const char *dir, const struct journal_op *op)
{
	const struct reg_vm *rv = registry_find(d->reg, op->head.vm);
	struct verror e;
	struct vm *vm;

	if (op->head.kind == JOURNAL_ATTACH) {
		take_back(d, dir, op);
		return;
	}
	vm = rv ? vm_of_registry(d, rv) : NULL;
	if (!vm) {
		log_warning("a journal speaks of a VM %s that the registry does not know", op->head.vm);
		return;
	}
	if (vm->quiesce) {
		end_journal(d, dir, op, "superseded");
		return;
	}
	log_notice("%s: going on with the %s that was under way", vm->name, journal_kind_name(op->head.kind));
	if (vm_quiesce_restore(d, vm, op, &e)) {
		log_err("%s: its journal can't be followed: %s", vm->name, e.what);
		vm_of_registry(d, rv);
		vm_set_state(vm, VM_FAILED);
	} else if (!vm->quiesce) {
		vm_free(&d->vms, vm); /* nothing had begun: it is taken over as it is found */
	}
}

static bool in_unfinished_attach(const struct journal_list *list, const char *uuid)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->op[i].head.kind == JOURNAL_ATTACH && !strcmp(list->op[i].head.vm, uuid))
			return true;
	return false;
}

static void adopt_vm(struct daemon *d, const struct reg_vm *rv)
{
	unsigned there = 0;
	struct vm *vm;

	for (unsigned i = 0; i < rv->vhbas_n; i++)
		there += fc_vport_find(&d->inv, rv->vhbas[i].wwpn, NULL) != NULL;
	if (!there || vm_find(&d->vms, rv->uuid))
		return;
	vm = vm_of_registry(d, rv);
	if (!vm)
		return;
	vm_set_state(vm, there == rv->vhbas_n ? VM_ATTACHED : VM_FAILED);
	timers_look(d, vm);
	daemon_event(d, "state", vm->name, "adopted: %u of %u vports are there", there, rv->vhbas_n);
}

void adopt_all(struct daemon *d)
{
	struct journal_list list = {0};
	const struct reg_vm *rv;
	struct verror e;
	char dir[256];

	snprintf(dir, sizeof(dir), "%s/journal", d->cfg->run_dir);
	if (journal_load(dir, JOURNAL_UNFINISHED, NULL, &list, &e))
		log_err("the journals can't be read: %s", e.what);
	/* The newest first: of a VM with several only that one is true. */
	for (size_t i = list.n; i-- > 0;)
		resume_operation(d, dir, &list.op[i]);
	TAILQ_FOREACH (rv, registry_vms(d->reg), link)
		if (!in_unfinished_attach(&list, rv->uuid))
			adopt_vm(d, rv);
	journal_list_free(&list);
}

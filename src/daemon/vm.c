/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "log.h"
#include "vm.h"

static const char *const state_names[VM_STATES_] = {
	[VM_DETACHED] = "detached",   [VM_ATTACHING] = "attaching", [VM_ATTACHED] = "attached",
	[VM_QUIESCING] = "quiescing", [VM_HELD] = "held",	    [VM_RESUMING] = "resuming",
	[VM_RELEASING] = "releasing", [VM_FAILED] = "failed",
};

const char *vm_state_name(enum vm_state s)
{
	return s < VM_STATES_ ? state_names[s] : "?";
}

struct vm *vm_new(struct vm_list *list, const char *uuid, const char *name)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return NULL;
	snprintf(vm->uuid, sizeof(vm->uuid), "%s", uuid);
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	vm->since = mono_now();
	TAILQ_INSERT_TAIL(list, vm, link);
	return vm;
}

void vm_free(struct vm_list *list, struct vm *vm)
{
	TAILQ_REMOVE(list, vm, link);
	driver_free(vm->driver);
	quiesce_free(vm->quiesce);
	if (vm->journal)
		journal_close(vm->journal);
	free(vm);
}

struct vm *vm_find(const struct vm_list *list, const char *uuid)
{
	struct vm *vm;

	TAILQ_FOREACH (vm, list, link)
		if (!strcmp(vm->uuid, uuid))
			return vm;
	return NULL;
}

static bool has_wwpn(const struct vm_vhba *v, uint64_t key)
{
	return v->wwpn == key;
}

static bool has_host(const struct vm_vhba *v, uint64_t key)
{
	return v->host >= 0 && (uint64_t)v->host == key;
}

static struct vm_vhba *find_vhba(const struct vm_list *list, bool (*match)(const struct vm_vhba *, uint64_t),
				 uint64_t key, struct vm **found)
{
	struct vm *vm;

	TAILQ_FOREACH (vm, list, link) {
		for (unsigned i = 0; i < vm->count; i++) {
			if (match(&vm->vhba[i], key)) {
				if (found)
					*found = vm;
				return &vm->vhba[i];
			}
		}
	}
	return NULL;
}

struct vm_vhba *vm_find_wwpn(const struct vm_list *list, uint64_t wwpn, struct vm **vm)
{
	return find_vhba(list, has_wwpn, wwpn, vm);
}

struct vm_vhba *vm_find_host(const struct vm_list *list, int host, struct vm **vm)
{
	return host < 0 ? NULL : find_vhba(list, has_host, (uint64_t)host, vm);
}

void vm_set_state(struct vm *vm, enum vm_state state)
{
	if (vm->state == state)
		return;
	log_info("%s: %s, was %s", vm->name, state_names[state], state_names[vm->state]);
	vm->state = state;
	vm->since = mono_now();
}

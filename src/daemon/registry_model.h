/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry's model in memory: VMs in the order of their names, found by name, by UUID and by WWN, and
 * every WWN that was ever given, with the VM that it was given to.  It knows no disk and no pending change.
 * Inside src/daemon/registry*.c only; loop thread only.
 */
#ifndef VHBA_REGISTRY_MODEL_H
#define VHBA_REGISTRY_MODEL_H

#include "registry.h"

struct reg_model {
	struct reg_vm_list vms;
	unsigned count;
	void *by_name, *by_uuid, *names; /* tsearch(3) trees */
};

void model_init(struct reg_model *m);
void model_clear(struct reg_model *m);

struct reg_vm *model_find_name(const struct reg_model *m, const char *name);

/* In any case of letters. */
struct reg_vm *model_find_uuid(const struct reg_model *m, const char *uuid);

/*
 * The VM of that UUID becomes this one, taken over (NULL: there is none).  Its WWNs are remembered for ever,
 * whatever becomes of the change.  0, or -ENOMEM with the model as it was, but for remembered WWNs.
 */
int model_replace(struct reg_model *m, const char *uuid, struct reg_vm *vm);

/* Remember that the WWN was given to that VM; who had it first keeps it. 0 or -ENOMEM. */
int model_remember(struct reg_model *m, wwn_t wwn, const char *uuid);

/* Was it ever given? uuid is whom to; "" for a name whose VM is not known. */
bool model_remembers(const struct reg_model *m, wwn_t wwn, char uuid[37]);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between registry.c, which queues changes and settles them, and registry_change.c, which checks and makes
 * them.  Inside src/daemon/registry*.c only; loop thread only.
 */
#ifndef VHBA_REGISTRY_CHANGE_H
#define VHBA_REGISTRY_CHANGE_H

#include "registry_db.h"
#include "registry_model.h"

/* The loop's own list, since a transaction itself hangs in the thread's. */
struct waiting {
	TAILQ_ENTRY(waiting) link;
	struct regdb_tx *tx;
};

struct registry {
	struct regdb *db;
	struct reg_model model;
	uint64_t write_us;
	bool closing; /* no change begins any more */
	TAILQ_HEAD(, waiting) waiting; /* transactions that the disk has not answered */
};

/* The VM becomes after (taken over, also on failure; NULL: none), in the model now, on the disk soon. */
int registry_submit(struct registry *r, const char *uuid, struct reg_vm *after, reg_done *done, void *arg,
		    struct verror *e);

/* A copy to change; NULL with *e when the VM is not to be changed now. */
struct reg_vm *registry_changeable(const struct reg_vm *vm, struct verror *e);

/* registry_lun.c: the guest's LUNs of a VM that comes from outside: numbers that ascend, each a file or an
 * array's. */
int registry_check_luns(const struct reg_vm *vm, struct verror *e);
/* The numbers of an array's LUNs are given anew. */
void registry_forget_paths(struct reg_vm *vm);
/* Of a VM with a back end each expected LUN gets a number; where paths are the guest's, each of its paths. 0
 * or -ENOMEM. */
int registry_number_luns(struct reg_vm *vm);

/* -EBUSY with *e when a change under way may yet give this name or UUID back to the VM that had it. */
int registry_check_reserved(const struct registry *r, const char *name, const char *uuid, struct verror *e);

#endif

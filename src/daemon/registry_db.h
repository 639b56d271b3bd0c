/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry's disk side: one transaction after another, in the order in which they were queued, in a
 * thread of its own. regdb_submit and regdb_next are called by the loop; nothing here touches the model.
 */
#ifndef VHBA_REGISTRY_DB_H
#define VHBA_REGISTRY_DB_H

#include "registry.h"

struct regdb;

/* What is loaded; vm is taken over on success.  0, or a negative error that ends the loading. */
typedef int regdb_on_vm(void *arg, struct reg_vm *vm);
typedef int regdb_on_name(void *arg, wwn_t name, const char *uuid);

/* What a transaction does: the VM's rows are replaced by these (NULL: only removed), and the names are kept
 * for ever. */
struct regdb_tx {
	TAILQ_ENTRY(regdb_tx) link;
	char uuid[37];
	struct reg_vm *vm; /* owned */
	struct verror error; /* kind VHBA_OK when it is on the disk */
	struct monotime by;
	bool told; /* the loop's: the callback has been called */
	struct reg_vm *before; /* the loop's: the model's state to go back to; owned */
	reg_done *done;
	void *arg;
};

/* Open, check, migrate; calls name for every name ever given, then each for every VM.  NULL with *e. */
struct regdb *regdb_open(const char *path, regdb_on_vm *each, regdb_on_name *name, void *arg,
			 struct verror *e);

/*
 * Ends the thread once the queue is empty: true, what has ended is there for regdb_next, then regdb_free.
 * False at the deadline: the disk hangs, and the thread with all that it has is the process's to end.
 */
bool regdb_stop(struct regdb *db, struct monotime by);
void regdb_free(struct regdb *db);
int regdb_fd(const struct regdb *db);
void regdb_submit(struct regdb *db, struct regdb_tx *tx);

/* The next transaction that has ended, or NULL. */
struct regdb_tx *regdb_next(struct regdb *db);

#endif

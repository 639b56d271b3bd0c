/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry's disk side: one transaction after another, in the order in which they were queued, in a
 * thread of its own. regdb_submit and regdb_next are called by the loop; nothing here touches the model.
 */
#ifndef VHBA_REGISTRY_DB_H
#define VHBA_REGISTRY_DB_H

#include <sqlite3.h>

#include "registry.h"

struct regdb;

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

/* Open, check, migrate; calls each for every VM and name_seen for every name ever allocated. NULL with *e. */
struct regdb *regdb_open(const char *path, void (*each)(void *arg, struct reg_vm *vm),
			 void (*name_seen)(void *arg, wwn_t w), void *arg, struct verror *e);

/* Ends the thread once the queue is empty, or at the deadline (then the process should exit). */
void regdb_close(struct regdb *db, struct monotime by);
int regdb_fd(const struct regdb *db);
void regdb_submit(struct regdb *db, struct regdb_tx *tx);

/* The next transaction that has ended, or NULL. */
struct regdb_tx *regdb_next(struct regdb *db);

/* One transaction, in the calling thread: 0 or a negative error with tx->error set. For tests too. */
int regdb_apply(sqlite3 *sql, struct regdb_tx *tx);

#endif

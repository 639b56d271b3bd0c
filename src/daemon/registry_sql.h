/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry's file: its schema, how it is opened and loaded, and how one transaction is written.
 * Inside src/daemon/registry*.c only; a connection is used by one thread at a time.
 */
#ifndef VHBA_REGISTRY_SQL_H
#define VHBA_REGISTRY_SQL_H

#include <sqlite3.h>

#include "registry_db.h"

#define REGSQL_VERSION 7

/*
 * The file, made when there is none; checked, and migrated to REGSQL_VERSION in one transaction.  NULL with
 * *e: VHBA_E_VERSION when a newer program wrote it, VHBA_E_BUSY when another process has it, VHBA_E_IO when
 * it is damaged or can't be opened.
 */
sqlite3 *regsql_open(const char *path, struct verror *e);

/* 0, or a negative error with *e. */
int regsql_load(sqlite3 *sql, regdb_on_vm *each, regdb_on_name *name, void *arg, struct verror *e);

/* One transaction; says in tx->error how it ended. */
void regsql_apply(sqlite3 *sql, struct regdb_tx *tx);

#endif

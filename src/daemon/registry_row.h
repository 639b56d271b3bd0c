/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values in and out of SQLite's statements. Inside src/daemon/registry_sql.c and registry_row.c only. */
#ifndef VHBA_REGISTRY_ROW_H
#define VHBA_REGISTRY_ROW_H

#include <sqlite3.h>

#include "registry.h"

/* Run one statement with its values; types has a letter for each: t text, w World Wide Name (wwn_t), n
 * number (uint64_t).  SQLITE_OK or SQLite's error. */
int regrow_run(sqlite3 *sql, const char *text, const char *types, ...);

wwn_t regrow_wwn(sqlite3_stmt *s, int column);

/* vm.io_gate: 0 is open. */
enum { REGROW_GATED = 1, REGROW_UNFENCED, REGROW_ARRIVES };
uint64_t regrow_gate(const struct reg_io *io);

/* Cut at size. */
void regrow_text(sqlite3_stmt *s, int column, char *buf, size_t size);

#endif

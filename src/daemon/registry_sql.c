/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry_row.h"
#include "registry_sql.h"

/* ---- the schema: step i leads from version i to i + 1; a step never changes once it has been released ----
 */

static const char *const steps[REGSQL_VERSION] = {
	"CREATE TABLE vm(uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,"
	" generation INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE vhba(uuid TEXT NOT NULL REFERENCES vm(uuid) ON DELETE CASCADE, idx INTEGER NOT NULL,"
	" vsan INTEGER NOT NULL, zones TEXT NOT NULL, wwpn TEXT NOT NULL, wwnn TEXT NOT NULL,"
	" known INTEGER NOT NULL, PRIMARY KEY(uuid, idx)) WITHOUT ROWID;"
	"CREATE TABLE lun(uuid TEXT NOT NULL, idx INTEGER NOT NULL, designator TEXT NOT NULL,"
	" lun INTEGER NOT NULL, target TEXT NOT NULL, size INTEGER NOT NULL,"
	" FOREIGN KEY(uuid, idx) REFERENCES vhba(uuid, idx) ON DELETE CASCADE);"
	"CREATE INDEX lun_vhba ON lun(uuid, idx);"
	"CREATE TABLE name(wwn TEXT PRIMARY KEY) WITHOUT ROWID;",

	/* A name remembers the VM that it was given to, and no two vhbas ever share a WWPN. */
	"ALTER TABLE name ADD COLUMN uuid TEXT NOT NULL DEFAULT '';"
	"UPDATE name SET uuid = coalesce((SELECT uuid FROM vhba WHERE wwn IN (wwpn, wwnn)), '');"
	"CREATE UNIQUE INDEX vhba_wwpn ON vhba(wwpn);",

	/* Registrations and reservations as they were when the identity came here. */
	"ALTER TABLE vhba ADD COLUMN reservations TEXT NOT NULL DEFAULT '';",

	/* Whether libvirt is to have storage pools of it. */
	"ALTER TABLE vm ADD COLUMN pool INTEGER NOT NULL DEFAULT 0;",

	/* What carries its I/O, and the guest's numbers of its LUNs. */
	"ALTER TABLE vm ADD COLUMN io INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE vm ADD COLUMN io_workers INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE vm ADD COLUMN io_iops INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE vm ADD COLUMN io_mbps INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE vm ADD COLUMN io_gate INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE guest_lun(uuid TEXT NOT NULL REFERENCES vm(uuid) ON DELETE CASCADE,"
	" number INTEGER NOT NULL, designator TEXT NOT NULL, file TEXT NOT NULL, serial TEXT NOT NULL,"
	" read_only INTEGER NOT NULL, direct INTEGER NOT NULL, PRIMARY KEY(uuid, number)) WITHOUT ROWID;",

	/* The WWPN that another host logs in by while this one still is. */
	"ALTER TABLE vhba ADD COLUMN alternate TEXT NOT NULL DEFAULT '';",

	/* Whether each path of an array's LUN is a LUN of the guest's by itself, and which path that is. */
	"ALTER TABLE vm ADD COLUMN io_paths_guest INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE guest_lun ADD COLUMN vhba INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE guest_lun ADD COLUMN target TEXT NOT NULL DEFAULT '';",
};

static int migrate(sqlite3 *sql, int from)
{
	char version[48];
	int r = sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	for (int i = from; r == SQLITE_OK && i < REGSQL_VERSION; i++)
		r = sqlite3_exec(sql, steps[i], NULL, NULL, NULL);
	snprintf(version, sizeof(version), "PRAGMA user_version = %d", REGSQL_VERSION);
	if (r == SQLITE_OK)
		r = sqlite3_exec(sql, version, NULL, NULL, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL);
	return r;
}

/* ---- opening ---- */

/* The first column of the first row. */
static int first_text(sqlite3 *sql, const char *query, char *text, size_t size)
{
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql, query, -1, &s, NULL);

	if (r != SQLITE_OK)
		return r;
	r = sqlite3_step(s);
	if (r == SQLITE_ROW)
		regrow_text(s, 0, text, size);
	sqlite3_finalize(s);
	return r == SQLITE_ROW ? SQLITE_OK : r == SQLITE_DONE ? SQLITE_CORRUPT : r;
}

static int damaged(struct verror *e, const char *path, const char *seen)
{
	verror_set(e, VHBA_E_IO, "%s is damaged", path);
	verror_expected(e, "a registry that passes SQLite's integrity check");
	verror_seen(e, "%s", seen);
	verror_fix(e,
		   "put back a copy of it with its -wal file, or move it away and import the VMs' tickets");
	return -EIO;
}

static int cannot(struct verror *e, sqlite3 *sql, const char *path, int r)
{
	const char *why = sql ? sqlite3_errmsg(sql) : sqlite3_errstr(r);

	if ((r & 0xff) == SQLITE_CORRUPT || (r & 0xff) == SQLITE_NOTADB)
		return damaged(e, path, why);
	if ((r & 0xff) == SQLITE_BUSY || (r & 0xff) == SQLITE_LOCKED) {
		verror_set(e, VHBA_E_BUSY, "%s is in use by another process", path);
		verror_expected(e, "to have it alone");
		verror_fix(e, "stop the other vhbad, or give this one a state-dir of its own");
		return -EBUSY;
	}
	verror_set(e, VHBA_E_IO, "%s can't be opened: %s", path, why);
	verror_fix(e, "look at the folder's owner and mode, and at the disk's room");
	return -EIO;
}

/* In this order: the lock is taken for good before the log is opened, so that nobody else can have it. */
static int set_up(sqlite3 *sql)
{
	static const char before[] = "PRAGMA trusted_schema=OFF; PRAGMA locking_mode=EXCLUSIVE;";
	static const char after[] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-512;"
				    "PRAGMA temp_store=MEMORY;";
	char mode[16] = "";
	int r = sqlite3_exec(sql, before, NULL, NULL, NULL);

	if (r == SQLITE_OK)
		r = first_text(sql, "PRAGMA journal_mode=WAL", mode, sizeof(mode));
	if (r == SQLITE_OK && strcmp(mode, "wal"))
		r = SQLITE_CANTOPEN;
	return r == SQLITE_OK ? sqlite3_exec(sql, after, NULL, NULL, NULL) : r;
}

static int check_schema(sqlite3 *sql, const char *path, struct verror *e)
{
	char text[128] = "";
	int r = first_text(sql, "PRAGMA integrity_check(1)", text, sizeof(text));
	long version;

	if (r != SQLITE_OK)
		return cannot(e, sql, path, r);
	if (strcmp(text, "ok"))
		return damaged(e, path, text);
	r = first_text(sql, "PRAGMA user_version", text, sizeof(text));
	if (r != SQLITE_OK)
		return cannot(e, sql, path, r);
	version = strtol(text, NULL, 10);
	if (version < 0 || version > REGSQL_VERSION) {
		verror_set(e, VHBA_E_VERSION, "%s was written by a newer vhbad", path);
		verror_expected(e, "schema version %d or older", REGSQL_VERSION);
		verror_seen(e, "%ld", version);
		verror_fix(e, "install that vhbad; this one leaves the file alone");
		return -EPROTO;
	}
	r = version < REGSQL_VERSION ? migrate(sql, (int)version) : SQLITE_OK;
	/* A file that its newest step does not fit has been made by something else. */
	if (r == SQLITE_OK)
		r = first_text(sql,
			       "SELECT count(*) FROM vm JOIN guest_lun USING(uuid) JOIN vhba USING(uuid) "
			       "JOIN lun USING(uuid, idx)",
			       text, sizeof(text));
	if (r == SQLITE_ERROR)
		return damaged(e, path, sqlite3_errmsg(sql));
	return r == SQLITE_OK ? 0 : cannot(e, sql, path, r);
}

/* SQLite gives its other files the mode of this one; identities are not for everybody. */
static int make_file(const char *path, struct verror *e)
{
	AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd >= 0)
		return 0;
	verror_set(e, VHBA_E_IO, "%s can't be opened: %s", path, strerror(errno));
	verror_fix(e, "look at the owner and the mode of the folder (state-dir)");
	return -EIO;
}

sqlite3 *regsql_open(const char *path, struct verror *e)
{
	sqlite3 *sql = NULL;
	int r;

	if (make_file(path, e))
		return NULL;
	r = sqlite3_open_v2(path, &sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_OK)
		r = set_up(sql);
	r = r == SQLITE_OK ? check_schema(sql, path, e) : cannot(e, sql, path, r);
	if (!r)
		return sql;
	sqlite3_close(sql);
	return NULL;
}

/* ---- writing ---- */

static int write_name(sqlite3 *sql, const char *uuid, wwn_t wwn)
{
	return regrow_run(sql, "INSERT INTO name(wwn, uuid) VALUES(?,?) ON CONFLICT(wwn) DO NOTHING", "wt",
			  wwn, uuid);
}

static int write_vhba(sqlite3 *sql, const char *uuid, const struct reg_vhba *v)
{
	int r = regrow_run(sql, "INSERT INTO vhba VALUES(?,?,?,?,?,?,?,?,?)", "tnntwwntw", uuid,
			   (uint64_t)v->index, (uint64_t)v->vsan, v->zones, v->wwpn, v->wwnn,
			   (uint64_t)v->known, v->reservations ? v->reservations : "", v->alternate);

	if (r == SQLITE_OK)
		r = write_name(sql, uuid, v->wwpn);
	if (r == SQLITE_OK)
		r = write_name(sql, uuid, v->wwnn);
	if (r == SQLITE_OK && v->alternate)
		r = write_name(sql, uuid, v->alternate);
	for (unsigned i = 0; r == SQLITE_OK && i < v->luns_n; i++) {
		const struct reg_lun *l = &v->luns[i];

		r = regrow_run(sql, "INSERT INTO lun VALUES(?,?,?,?,?,?)", "tntnwn", uuid, (uint64_t)v->index,
			       l->designator, l->lun, l->target, l->size);
	}
	return r;
}

static int write_guest_lun(sqlite3 *sql, const char *uuid, const struct reg_guest_lun *l)
{
	return regrow_run(sql, "INSERT INTO guest_lun VALUES(?,?,?,?,?,?,?,?,?)", "tntttnnnw", uuid,
			  (uint64_t)l->number, l->designator, l->file, l->serial, (uint64_t)l->read_only,
			  (uint64_t)l->direct, (uint64_t)l->vhba, l->target);
}

static int write_vm(sqlite3 *sql, const struct regdb_tx *tx)
{
	const struct reg_vm *vm = tx->vm;
	int r = regrow_run(sql, "DELETE FROM vm WHERE uuid = ?", "t", tx->uuid);

	if (r != SQLITE_OK || !vm)
		return r;
	r = regrow_run(sql, "INSERT INTO vm VALUES(?,?,?,?,?,?,?,?,?,?,?)", "tttnnnnnnnn", vm->uuid, vm->name,
		       vm->owner, vm->generation, (uint64_t)vm->pool, (uint64_t)vm->io.kind,
		       (uint64_t)vm->io.workers, vm->io.iops, vm->io.mbps, regrow_gate(&vm->io),
		       (uint64_t)vm->io.paths_guest);
	for (unsigned i = 0; r == SQLITE_OK && i < vm->vhbas_n; i++)
		r = write_vhba(sql, vm->uuid, &vm->vhbas[i]);
	for (unsigned i = 0; r == SQLITE_OK && i < vm->guest_luns_n; i++)
		r = write_guest_lun(sql, vm->uuid, &vm->guest_luns[i]);
	return r;
}

void regsql_apply(sqlite3 *sql, struct regdb_tx *tx)
{
	int r;

	/* One that could not be rolled back when the disk failed would let no other begin. */
	if (!sqlite3_get_autocommit(sql))
		sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
	r = sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (r == SQLITE_OK)
		r = write_vm(sql, tx);
	if (r == SQLITE_OK)
		r = sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL);
	if (r == SQLITE_OK)
		return;
	verror_set(&tx->error, VHBA_E_IO, "the registry could not be written");
	verror_expected(&tx->error, "the disk under the state-dir to take it");
	verror_seen(&tx->error, "%s", sqlite3_errmsg(sql));
	verror_fix(&tx->error, "look at that disk, then try again");
	if (!sqlite3_get_autocommit(sql))
		sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "registry_db.h"

#define SCHEMA_VERSION 1

TAILQ_HEAD(tx_list, regdb_tx);

struct regdb {
	sqlite3 *sql; /* the thread's, once it runs */
	pthread_t thread;
	int fd;
	/* below: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct tx_list queue, ended;
	bool busy, stop;
};

static const char schema[] =
	"CREATE TABLE vm(uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, generation "
	"INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE vhba(uuid TEXT NOT NULL REFERENCES vm(uuid) ON DELETE CASCADE, idx INTEGER NOT NULL,"
	" vsan INTEGER NOT NULL, zones TEXT NOT NULL, wwpn TEXT NOT NULL, wwnn TEXT NOT NULL, known INTEGER "
	"NOT NULL,"
	" PRIMARY KEY(uuid, idx)) WITHOUT ROWID;"
	"CREATE TABLE lun(uuid TEXT NOT NULL, idx INTEGER NOT NULL, designator TEXT NOT NULL, lun INTEGER "
	"NOT NULL,"
	" target TEXT NOT NULL, size INTEGER NOT NULL,"
	" FOREIGN KEY(uuid, idx) REFERENCES vhba(uuid, idx) ON DELETE CASCADE);"
	"CREATE INDEX lun_vhba ON lun(uuid, idx);"
	"CREATE TABLE name(wwn TEXT PRIMARY KEY) WITHOUT ROWID;"
	"PRAGMA user_version = 1;";

/* ---- statements: one row of a statement with its values, by a format of one letter each ---- */

static int bind_all(sqlite3_stmt *s, const char *types, va_list ap)
{
	char hex[17];
	int r = SQLITE_OK;

	for (int i = 1; *types && r == SQLITE_OK; types++, i++) {
		if (*types == 't')
			r = sqlite3_bind_text(s, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
		else if (*types == 'w')
			r = sqlite3_bind_text(
				s, i, (snprintf(hex, sizeof(hex), "%016" PRIx64, va_arg(ap, uint64_t)), hex),
				16, SQLITE_TRANSIENT);
		else
			r = sqlite3_bind_int64(s, i, (sqlite3_int64)va_arg(ap, uint64_t));
	}
	return r;
}

/* types: t text, w World Wide Name, n number (uint64_t). */
static int run(sqlite3 *sql, const char *text, const char *types, ...)
{
	sqlite3_stmt *s;
	va_list ap;
	int r = sqlite3_prepare_v2(sql, text, -1, &s, NULL);

	if (r != SQLITE_OK)
		return r;
	va_start(ap, types);
	r = bind_all(s, types, ap);
	va_end(ap);
	if (r == SQLITE_OK)
		r = sqlite3_step(s);
	sqlite3_finalize(s);
	return r == SQLITE_DONE || r == SQLITE_ROW ? SQLITE_OK : r;
}

static int write_vhba(sqlite3 *sql, const char *uuid, const struct reg_vhba *v)
{
	int r = run(sql, "INSERT INTO vhba VALUES(?,?,?,?,?,?,?)", "tnntwwn", uuid, (uint64_t)v->index,
		    (uint64_t)v->vsan, v->zones, v->wwpn, v->wwnn, (uint64_t)v->known);

	if (r == SQLITE_OK)
		r = run(sql, "INSERT OR IGNORE INTO name VALUES(?)", "w", v->wwpn);
	if (r == SQLITE_OK)
		r = run(sql, "INSERT OR IGNORE INTO name VALUES(?)", "w", v->wwnn);
	for (unsigned i = 0; r == SQLITE_OK && i < v->luns_n; i++) {
		const struct reg_lun *l = &v->luns[i];

		r = run(sql, "INSERT INTO lun VALUES(?,?,?,?,?,?)", "tntnwn", uuid, (uint64_t)v->index,
			l->designator, l->lun, l->target, l->size);
	}
	return r;
}

static int write_vm(sqlite3 *sql, const struct regdb_tx *tx)
{
	const struct reg_vm *vm = tx->vm;
	int r = run(sql, "DELETE FROM vm WHERE uuid = ?", "t", tx->uuid);

	if (r != SQLITE_OK || !vm)
		return r;
	r = run(sql, "INSERT INTO vm VALUES(?,?,?,?)", "tttn", vm->uuid, vm->name, vm->owner, vm->generation);
	for (unsigned i = 0; r == SQLITE_OK && i < vm->vhbas_n; i++)
		r = write_vhba(sql, vm->uuid, &vm->vhbas[i]);
	return r;
}

int regdb_apply(sqlite3 *sql, struct regdb_tx *tx)
{
	int r = run(sql, "BEGIN IMMEDIATE", "");

	if (r == SQLITE_OK)
		r = write_vm(sql, tx);
	if (r == SQLITE_OK)
		r = run(sql, "COMMIT", "");
	if (r == SQLITE_OK)
		return 0;
	verror_set(&tx->error, VHBA_E_IO, "the registry could not be written: %s", sqlite3_errmsg(sql));
	verror_fix(&tx->error, "look at the disk under the state-dir, then try again");
	run(sql, "ROLLBACK", "");
	return -EIO;
}

/* ---- loading ---- */

static wwn_t column_wwn(sqlite3_stmt *s, int i)
{
	const char *text = (const char *)sqlite3_column_text(s, i);

	return text ? strtoull(text, NULL, 16) : 0;
}

static void column_text(sqlite3_stmt *s, int i, char *buf, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(s, i);

	snprintf(buf, size, "%s", text ? text : "");
}

static int load_luns(sqlite3 *sql, const char *uuid, struct reg_vhba *v)
{
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(
		sql,
		"SELECT designator, lun, target, size FROM lun WHERE uuid = ? AND idx = ? ORDER BY rowid", -1,
		&s, NULL);

	if (r != SQLITE_OK)
		return r;
	sqlite3_bind_text(s, 1, uuid, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, v->index);
	while ((r = sqlite3_step(s)) == SQLITE_ROW && v->luns_n < REG_LUNS_MAX) {
		struct reg_lun *more = reallocarray(v->luns, v->luns_n + 1, sizeof(*more)), *l;

		if (!more)
			break;
		v->luns = more;
		l = &more[v->luns_n++];
		column_text(s, 0, l->designator, sizeof(l->designator));
		l->lun = (uint64_t)sqlite3_column_int64(s, 1);
		l->target = column_wwn(s, 2);
		l->size = (uint64_t)sqlite3_column_int64(s, 3);
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int load_vhbas(sqlite3 *sql, struct reg_vm *vm)
{
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(
		sql, "SELECT idx, vsan, zones, wwpn, wwnn, known FROM vhba WHERE uuid = ? ORDER BY idx", -1,
		&s, NULL);

	if (r != SQLITE_OK)
		return r;
	sqlite3_bind_text(s, 1, vm->uuid, -1, SQLITE_STATIC);
	while ((r = sqlite3_step(s)) == SQLITE_ROW && vm->vhbas_n < REG_VHBAS_MAX) {
		struct reg_vhba *more = reallocarray(vm->vhbas, vm->vhbas_n + 1, sizeof(*more)), *v;
		const char *zones = (const char *)sqlite3_column_text(s, 2);

		if (!more)
			break;
		vm->vhbas = more;
		v = &more[vm->vhbas_n++];
		*v = (struct reg_vhba){.index = (unsigned)sqlite3_column_int64(s, 0),
				       .vsan = (uint16_t)sqlite3_column_int64(s, 1),
				       .zones = strdup(zones ? zones : ""),
				       .wwpn = column_wwn(s, 3),
				       .wwnn = column_wwn(s, 4),
				       .known = sqlite3_column_int64(s, 5) != 0};
		if (load_luns(sql, vm->uuid, v) != SQLITE_OK)
			break;
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : SQLITE_CORRUPT;
}

static int load_vms(sqlite3 *sql, void (*each)(void *arg, struct reg_vm *vm), void *arg)
{
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql, "SELECT uuid, name, owner, generation FROM vm ORDER BY name", -1, &s,
				   NULL);

	if (r != SQLITE_OK)
		return r;
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		struct reg_vm *vm = calloc(1, sizeof(*vm));

		if (!vm)
			break;
		column_text(s, 0, vm->uuid, sizeof(vm->uuid));
		column_text(s, 1, vm->name, sizeof(vm->name));
		column_text(s, 2, vm->owner, sizeof(vm->owner));
		vm->generation = (uint64_t)sqlite3_column_int64(s, 3);
		if (load_vhbas(sql, vm) != SQLITE_OK) {
			reg_vm_free(vm);
			r = SQLITE_CORRUPT;
			break;
		}
		each(arg, vm);
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int load_names(sqlite3 *sql, void (*name_seen)(void *arg, wwn_t w), void *arg)
{
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql, "SELECT wwn FROM name", -1, &s, NULL);

	if (r != SQLITE_OK)
		return r;
	while ((r = sqlite3_step(s)) == SQLITE_ROW)
		name_seen(arg, column_wwn(s, 0));
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

/* ---- opening ---- */

static int first_text(sqlite3 *sql, const char *query, char *text, size_t size)
{
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql, query, -1, &s, NULL);

	if (r != SQLITE_OK)
		return r;
	r = sqlite3_step(s);
	if (r == SQLITE_ROW)
		column_text(s, 0, text, size);
	sqlite3_finalize(s);
	return r == SQLITE_ROW ? SQLITE_OK : SQLITE_CORRUPT;
}

static int check_schema(sqlite3 *sql, const char *path, struct verror *e)
{
	char text[128] = "";
	long version;

	if (first_text(sql, "PRAGMA integrity_check(1)", text, sizeof(text)) != SQLITE_OK ||
	    strcmp(text, "ok")) {
		verror_set(e, VHBA_E_IO, "%s is damaged", path);
		verror_seen(e, "%s", text[0] ? text : sqlite3_errmsg(sql));
		verror_fix(e, "put back a copy, or move it away and import the VMs' tickets again");
		return -EIO;
	}
	if (first_text(sql, "PRAGMA user_version", text, sizeof(text)) != SQLITE_OK)
		return verror_set(e, VHBA_E_IO, "%s can't be read: %s", path, sqlite3_errmsg(sql));
	version = strtol(text, NULL, 10);
	if (version > SCHEMA_VERSION) {
		verror_set(e, VHBA_E_VERSION, "%s was written by a newer vhbad", path);
		verror_expected(e, "schema version %d", SCHEMA_VERSION);
		verror_seen(e, "%ld", version);
		verror_fix(e, "install that vhbad; this one leaves the file alone");
		return -EPROTO;
	}
	if (!version &&
	    (run(sql, "BEGIN", "") != SQLITE_OK || sqlite3_exec(sql, schema, NULL, NULL, NULL) != SQLITE_OK ||
	     run(sql, "COMMIT", "") != SQLITE_OK))
		return verror_set(e, VHBA_E_IO, "%s can't be made: %s", path, sqlite3_errmsg(sql));
	return 0;
}

static int open_sql(const char *path, sqlite3 **sql, struct verror *e)
{
	static const char setup[] =
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
		"PRAGMA trusted_schema=OFF; PRAGMA cache_size=-512; PRAGMA busy_timeout=1000;";
	int r = sqlite3_open_v2(path, sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				NULL);

	if (r == SQLITE_OK)
		r = sqlite3_exec(*sql, setup, NULL, NULL, NULL);
	if (r == SQLITE_OK)
		return check_schema(*sql, path, e);
	verror_set(e, VHBA_E_IO, "%s can't be opened: %s", path, sqlite3_errmsg(*sql));
	verror_fix(e, r == SQLITE_NOTADB ? "it is no SQLite database: move it away"
					 : "look at the folder's owner and mode");
	return -EIO;
}

/* ---- the thread ---- */

static void *work(void *arg)
{
	struct regdb *db = arg;

	pthread_mutex_lock(&db->lock);
	for (;;) {
		struct regdb_tx *tx = TAILQ_FIRST(&db->queue);
		uint64_t one = 1;

		if (!tx) {
			db->busy = false;
			pthread_cond_broadcast(&db->idle);
			if (db->stop)
				break;
			pthread_cond_wait(&db->work, &db->lock);
			continue;
		}
		TAILQ_REMOVE(&db->queue, tx, link);
		pthread_mutex_unlock(&db->lock);
		regdb_apply(db->sql, tx);
		pthread_mutex_lock(&db->lock);
		TAILQ_INSERT_TAIL(&db->ended, tx, link);
		if (write(db->fd, &one, sizeof(one)) < 0)
			continue; /* the counter is full: the loop is woken anyway */
	}
	pthread_mutex_unlock(&db->lock);
	return NULL;
}

static int start_thread(struct regdb *db)
{
	pthread_condattr_t attr;
	pthread_attr_t small;
	int r;

	pthread_mutex_init(&db->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&db->work, NULL);
	pthread_cond_init(&db->idle, &attr);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);
	r = pthread_create(&db->thread, &small, work, db);
	pthread_attr_destroy(&small);
	pthread_condattr_destroy(&attr);
	return -r;
}

struct regdb *regdb_open(const char *path, void (*each)(void *arg, struct reg_vm *vm),
			 void (*name_seen)(void *arg, wwn_t w), void *arg, struct verror *e)
{
	struct regdb *db = calloc(1, sizeof(*db));
	int r;

	if (!db)
		return NULL;
	TAILQ_INIT(&db->queue);
	TAILQ_INIT(&db->ended);
	db->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	r = open_sql(path, &db->sql, e);
	if (!r &&
	    (load_vms(db->sql, each, arg) != SQLITE_OK || load_names(db->sql, name_seen, arg) != SQLITE_OK))
		r = verror_set(e, VHBA_E_IO, "%s can't be read: %s", path, sqlite3_errmsg(db->sql));
	if (!r && start_thread(db))
		r = verror_set(e, VHBA_E_INTERNAL, "no thread for the registry");
	if (!r)
		return db;
	sqlite3_close(db->sql);
	close(db->fd);
	free(db);
	return NULL;
}

void regdb_close(struct regdb *db, struct monotime by)
{
	struct timespec ts = {(time_t)(by.us / USEC_PER_SEC), (long)(by.us % USEC_PER_SEC * 1000)};
	bool idle;

	pthread_mutex_lock(&db->lock);
	db->stop = true;
	pthread_cond_signal(&db->work);
	while ((db->busy || !TAILQ_EMPTY(&db->queue)) && !pthread_cond_timedwait(&db->idle, &db->lock, &ts))
		;
	idle = !db->busy;
	pthread_mutex_unlock(&db->lock);
	if (!idle)
		return; /* the disk hangs: the thread and its memory are the process's to end */
	pthread_join(db->thread, NULL);
	sqlite3_close(db->sql);
	close(db->fd);
	free(db);
}

int regdb_fd(const struct regdb *db)
{
	return db->fd;
}

void regdb_submit(struct regdb *db, struct regdb_tx *tx)
{
	pthread_mutex_lock(&db->lock);
	TAILQ_INSERT_TAIL(&db->queue, tx, link);
	db->busy = true;
	pthread_cond_signal(&db->work);
	pthread_mutex_unlock(&db->lock);
}

struct regdb_tx *regdb_next(struct regdb *db)
{
	struct regdb_tx *tx;
	uint64_t n;

	pthread_mutex_lock(&db->lock);
	tx = TAILQ_FIRST(&db->ended);
	if (tx)
		TAILQ_REMOVE(&db->ended, tx, link);
	else if (read(db->fd, &n, sizeof(n)) < 0)
		n = 0; /* nothing had been counted */
	pthread_mutex_unlock(&db->lock);
	return tx;
}

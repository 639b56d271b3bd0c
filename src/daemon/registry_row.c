/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry_row.h"
#include "registry_sql.h"

static int bind_all(sqlite3_stmt *s, const char *types, va_list ap)
{
	char hex[17];
	int r = SQLITE_OK;

	for (int i = 1; *types && r == SQLITE_OK; types++, i++) {
		if (*types == 't') {
			r = sqlite3_bind_text(s, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
		} else if (*types == 'w') {
			snprintf(hex, sizeof(hex), "%016" PRIx64, va_arg(ap, wwn_t));
			r = sqlite3_bind_text(s, i, hex, 16, SQLITE_TRANSIENT);
		} else {
			r = sqlite3_bind_int64(s, i, (sqlite3_int64)va_arg(ap, uint64_t));
		}
	}
	return r;
}

int regrow_run(sqlite3 *sql, const char *text, const char *types, ...)
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

wwn_t regrow_wwn(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? strtoull(text, NULL, 16) : 0;
}

void regrow_text(sqlite3_stmt *s, int column, char *buf, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	snprintf(buf, size, "%s", text ? text : "");
}

uint64_t regrow_gate(const struct reg_io *io)
{
	if (!io->gate)
		return 0;
	return io->arrives ? REGROW_ARRIVES : io->unfenced ? REGROW_UNFENCED : REGROW_GATED;
}

/* ---- loading ---- */

/* One more element at the end of an array; NULL when there is no memory. */
static void *grow(void *array, unsigned n, size_t size)
{
	char *more = reallocarray(*(void **)array, n + 1, size);

	if (!more)
		return NULL;
	*(void **)array = more;
	return memset(more + n * size, 0, size);
}

static int load_luns(sqlite3 *sql, const char *uuid, struct reg_vhba *v)
{
	static const char query[] =
		"SELECT designator, lun, target, size FROM lun WHERE uuid = ? AND idx = ? ORDER BY rowid";
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql, query, -1, &s, NULL);

	if (r != SQLITE_OK)
		return r;
	sqlite3_bind_text(s, 1, uuid, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, v->index);
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		struct reg_lun *l;

		r = v->luns_n < REG_LUNS_MAX ? SQLITE_NOMEM : SQLITE_CORRUPT;
		if (r == SQLITE_CORRUPT || !(l = grow(&v->luns, v->luns_n, sizeof(*l))))
			break;
		v->luns_n++;
		regrow_text(s, 0, l->designator, sizeof(l->designator));
		l->lun = (uint64_t)sqlite3_column_int64(s, 1);
		l->target = regrow_wwn(s, 2);
		l->size = (uint64_t)sqlite3_column_int64(s, 3);
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int load_vhba(sqlite3 *sql, sqlite3_stmt *s, struct reg_vm *vm)
{
	const char *zones = (const char *)sqlite3_column_text(s, 2);
	const char *reservations = (const char *)sqlite3_column_text(s, 6);
	struct reg_vhba *v = grow(&vm->vhbas, vm->vhbas_n, sizeof(*v));

	if (!v)
		return SQLITE_NOMEM;
	vm->vhbas_n++;
	v->index = (unsigned)sqlite3_column_int64(s, 0);
	v->vsan = (uint16_t)sqlite3_column_int64(s, 1);
	v->wwpn = regrow_wwn(s, 3);
	v->wwnn = regrow_wwn(s, 4);
	v->known = sqlite3_column_int64(s, 5) != 0;
	v->alternate = regrow_wwn(s, 7);
	v->zones = strdup(zones ? zones : "");
	v->reservations = strdup(reservations ? reservations : "");
	return v->zones && v->reservations ? load_luns(sql, vm->uuid, v) : SQLITE_NOMEM;
}

static int load_vhbas(sqlite3 *sql, struct reg_vm *vm)
{
	static const char query[] = "SELECT idx, vsan, zones, wwpn, wwnn, known, reservations, alternate "
				    "FROM vhba "
				    "WHERE uuid = ? ORDER BY idx";
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql, query, -1, &s, NULL);

	if (r != SQLITE_OK)
		return r;
	sqlite3_bind_text(s, 1, vm->uuid, -1, SQLITE_STATIC);
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		r = vm->vhbas_n < REG_VHBAS_MAX ? load_vhba(sql, s, vm) : SQLITE_CORRUPT;
		if (r != SQLITE_OK)
			break;
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int load_guest_lun(sqlite3_stmt *s, struct reg_vm *vm)
{
	struct reg_guest_lun *l = grow(&vm->guest_luns, vm->guest_luns_n, sizeof(*l));

	if (!l)
		return SQLITE_NOMEM;
	vm->guest_luns_n++;
	l->number = (unsigned)sqlite3_column_int64(s, 0);
	regrow_text(s, 1, l->designator, sizeof(l->designator));
	regrow_text(s, 2, l->file, sizeof(l->file));
	regrow_text(s, 3, l->serial, sizeof(l->serial));
	l->read_only = sqlite3_column_int64(s, 4) != 0;
	l->direct = sqlite3_column_int64(s, 5) != 0;
	l->vhba = (unsigned)sqlite3_column_int64(s, 6);
	l->target = regrow_wwn(s, 7);
	return l->number < REG_GUEST_LUNS ? SQLITE_OK : SQLITE_CORRUPT;
}

static int load_guest_luns(sqlite3 *sql, struct reg_vm *vm)
{
	static const char query[] =
		"SELECT number, designator, file, serial, read_only, direct, vhba, target FROM guest_lun "
		"WHERE uuid = ? ORDER BY number";
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql, query, -1, &s, NULL);

	if (r != SQLITE_OK)
		return r;
	sqlite3_bind_text(s, 1, vm->uuid, -1, SQLITE_STATIC);
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		r = load_guest_lun(s, vm);
		if (r != SQLITE_OK)
			break;
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

/* A kind that is none is one that this program can't know of: the file is of this version. */
static int load_io(sqlite3_stmt *s, struct reg_io *io)
{
	int64_t kind = sqlite3_column_int64(s, 5);

	if (kind < 0 || kind >= REG_IO_KINDS_)
		return SQLITE_CORRUPT;
	io->kind = (enum reg_io_kind)kind;
	io->workers = (unsigned)sqlite3_column_int64(s, 6);
	io->iops = (uint64_t)sqlite3_column_int64(s, 7);
	io->mbps = (uint64_t)sqlite3_column_int64(s, 8);
	io->gate = sqlite3_column_int64(s, 9) != 0;
	io->unfenced = sqlite3_column_int64(s, 9) == REGROW_UNFENCED;
	io->arrives = sqlite3_column_int64(s, 9) == REGROW_ARRIVES;
	io->paths_guest = sqlite3_column_int64(s, 10) != 0;
	return SQLITE_OK;
}

static int load_vm(sqlite3 *sql, sqlite3_stmt *s, regdb_on_vm *each, void *arg)
{
	struct reg_vm *vm = calloc(1, sizeof(*vm));
	int r;

	if (!vm)
		return SQLITE_NOMEM;
	regrow_text(s, 0, vm->uuid, sizeof(vm->uuid));
	regrow_text(s, 1, vm->name, sizeof(vm->name));
	regrow_text(s, 2, vm->owner, sizeof(vm->owner));
	vm->generation = (uint64_t)sqlite3_column_int64(s, 3);
	vm->pool = sqlite3_column_int64(s, 4) != 0;
	r = load_io(s, &vm->io);
	if (r == SQLITE_OK)
		r = load_vhbas(sql, vm);
	if (r == SQLITE_OK)
		r = load_guest_luns(sql, vm);
	if (r == SQLITE_OK && !each(arg, vm))
		return SQLITE_OK;
	reg_vm_free(vm);
	return r == SQLITE_OK ? SQLITE_NOMEM : r;
}

static int load_vms(sqlite3 *sql, regdb_on_vm *each, void *arg)
{
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql,
				   "SELECT uuid, name, owner, generation, pool, io, io_workers, io_iops, "
				   "io_mbps, io_gate, io_paths_guest FROM vm ORDER BY name",
				   -1, &s, NULL);

	if (r != SQLITE_OK)
		return r;
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		r = load_vm(sql, s, each, arg);
		if (r != SQLITE_OK)
			break;
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

static int load_names(sqlite3 *sql, regdb_on_name *name, void *arg)
{
	sqlite3_stmt *s;
	int r = sqlite3_prepare_v2(sql, "SELECT wwn, uuid FROM name", -1, &s, NULL);
	char uuid[37];

	if (r != SQLITE_OK)
		return r;
	while ((r = sqlite3_step(s)) == SQLITE_ROW) {
		regrow_text(s, 1, uuid, sizeof(uuid));
		r = name(arg, regrow_wwn(s, 0), uuid) ? SQLITE_NOMEM : SQLITE_OK;
		if (r != SQLITE_OK)
			break;
	}
	sqlite3_finalize(s);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

int regsql_load(sqlite3 *sql, regdb_on_vm *each, regdb_on_name *name, void *arg, struct verror *e)
{
	int r = load_names(sql, name, arg);

	if (r == SQLITE_OK)
		r = load_vms(sql, each, arg);
	if (r == SQLITE_OK)
		return 0;
	verror_set(e, VHBA_E_IO, "the registry can't be read: %s", sqlite3_errstr(r));
	verror_fix(e, "put back a copy of it, or move it away and import the VMs' tickets");
	return -EIO;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"
#include "log.h"
#include "registry_change.h"

#define DB_FILE "registry.db"

/* ---- reading ---- */

const struct reg_vm_list *registry_vms(const struct registry *r)
{
	return &r->model.vms;
}

unsigned registry_count(const struct registry *r)
{
	return r->model.count;
}

const struct reg_vm *registry_find(const struct registry *r, const char *key)
{
	const struct reg_vm *vm = model_find_name(&r->model, key);

	return vm ? vm : model_find_uuid(&r->model, key);
}

bool registry_name_known(const struct registry *r, wwn_t name, const struct reg_vm **owner)
{
	const struct reg_vm *vm;
	char uuid[37];

	*owner = NULL;
	if (!model_remembers(&r->model, name, uuid))
		return false;
	vm = model_find_uuid(&r->model, uuid);
	for (unsigned i = 0; vm && i < vm->vhbas_n; i++)
		if (vm->vhbas[i].wwpn == name || vm->vhbas[i].wwnn == name || vm->vhbas[i].alternate == name)
			*owner = vm;
	return true;
}

/* ---- opening and closing ---- */

/* Two VMs of one UUID or name can't be told apart: such a file is damaged. */
static int on_vm(void *arg, struct reg_vm *vm)
{
	struct registry *r = arg;

	if (model_find_uuid(&r->model, vm->uuid) || model_find_name(&r->model, vm->name))
		return -EEXIST;
	return model_replace(&r->model, vm->uuid, vm);
}

static int on_name(void *arg, wwn_t name, const char *uuid)
{
	struct registry *r = arg;

	return model_remember(&r->model, name, uuid);
}

struct registry *registry_open(const char *dir, uint64_t write_us, struct verror *e)
{
	struct registry *r = calloc(1, sizeof(*r));
	char path[PATH_MAX];

	if (!r) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	model_init(&r->model);
	TAILQ_INIT(&r->waiting);
	r->write_us = write_us;
	snprintf(path, sizeof(path), "%s/" DB_FILE, dir);
	r->db = regdb_open(path, on_vm, on_name, r, e);
	if (r->db)
		return r;
	model_clear(&r->model);
	free(r);
	return NULL;
}

static void free_tx(struct regdb_tx *tx)
{
	reg_vm_free(tx->vm);
	reg_vm_free(tx->before);
	free(tx);
}

int registry_fd(const struct registry *r)
{
	return regdb_fd(r->db);
}

/* ---- how changes end ---- */

static void tell(struct regdb_tx *tx, const struct verror *e)
{
	if (tx->told)
		return;
	tx->told = true;
	if (tx->done)
		tx->done(tx->arg, e);
}

static void forget(struct registry *r, const struct regdb_tx *tx)
{
	struct waiting *w;

	TAILQ_FOREACH (w, &r->waiting, link)
		if (w->tx == tx)
			break;
	if (!w)
		return;
	TAILQ_REMOVE(&r->waiting, w, link);
	free(w);
}

static void settle(struct registry *r, struct regdb_tx *tx)
{
	struct reg_vm *vm, *before = steal_ptr(tx->before);

	forget(r, tx);
	if (tx->error.kind && !model_replace(&r->model, tx->uuid, before))
		before = NULL;
	else if (tx->error.kind)
		log_err("out of memory: a change that failed is not taken back until the next start");
	reg_vm_free(before);
	vm = model_find_uuid(&r->model, tx->uuid);
	if (vm)
		vm->pending = vm->uncertain = false;
	tell(tx, tx->error.kind ? &tx->error : NULL);
	free_tx(tx);
}

static void tell_late(struct registry *r, struct regdb_tx *tx)
{
	struct reg_vm *vm = model_find_uuid(&r->model, tx->uuid);
	struct verror e;

	if (vm)
		vm->uncertain = true;
	verror_set(&e, VHBA_E_DEADLINE, "the registry's disk has not answered in time");
	verror_expected(&e, "an answer within %llu ms", (unsigned long long)(r->write_us / USEC_PER_MSEC));
	verror_seen(&e, "none: the change may yet be written; the VM takes no other until then");
	verror_fix(&e, "look at the disk under the state-dir");
	tell(tx, &e);
}

void registry_dispatch(struct registry *r, struct monotime now)
{
	struct regdb_tx *tx;
	struct waiting *w;

	while ((tx = regdb_next(r->db)))
		settle(r, tx);
	do {
		TAILQ_FOREACH (w, &r->waiting, link)
			if (!w->tx->told && mono_reached(w->tx->by, now))
				break;
		if (w)
			tell_late(r, w->tx); /* may change the list: it is looked through again */
	} while (w);
}

struct monotime registry_due(const struct registry *r)
{
	struct monotime due = MONOTIME_NEVER;
	const struct waiting *w;

	TAILQ_FOREACH (w, &r->waiting, link)
		if (!w->tx->told)
			due = mono_min(due, w->tx->by);
	return due;
}

void registry_close(struct registry *r)
{
	struct regdb_tx *tx;
	struct waiting *w;

	if (!r)
		return;
	r->closing = true;
	if (regdb_stop(r->db, mono_add(mono_now(), r->write_us))) {
		while ((tx = regdb_next(r->db)))
			settle(r, tx);
		regdb_free(r->db);
	}
	while ((w = TAILQ_FIRST(&r->waiting))) {
		TAILQ_REMOVE(&r->waiting, w, link);
		free(w);
	}
	model_clear(&r->model);
	free(r);
}

/* ---- how they begin ---- */

int registry_check_reserved(const struct registry *r, const char *name, const char *uuid, struct verror *e)
{
	const struct waiting *w;

	TAILQ_FOREACH (w, &r->waiting, link) {
		const struct regdb_tx *tx = w->tx;
		bool same = !strcasecmp(tx->uuid, uuid);

		if (!same && (!tx->before || strcmp(tx->before->name, name)))
			continue;
		verror_set(e, VHBA_E_BUSY, "%s: an earlier change is still being written",
			   tx->before ? tx->before->name : name);
		verror_fix(e, "try again");
		return -EBUSY;
	}
	return 0;
}

static int refuse(struct regdb_tx *tx, struct waiting *w, struct reg_vm *after, struct verror *e)
{
	if (tx)
		free_tx(tx);
	free(w);
	reg_vm_free(after);
	return verror_set(e, VHBA_E_INTERNAL, "out of memory");
}

int registry_submit(struct registry *r, const char *uuid, struct reg_vm *after, reg_done *done, void *arg,
		    struct verror *e)
{
	struct regdb_tx *tx = calloc(1, sizeof(*tx));
	struct waiting *w = calloc(1, sizeof(*w));
	const struct reg_vm *before = model_find_uuid(&r->model, uuid);

	if (!tx || !w || (after && registry_number_luns(after)) ||
	    (after && !(tx->vm = reg_vm_copy(after))) || (before && !(tx->before = reg_vm_copy(before))))
		return refuse(tx, w, after, e);
	if (r->closing) {
		refuse(tx, w, after, NULL);
		return verror_set(e, VHBA_E_STATE, "the registry is being closed");
	}
	snprintf(tx->uuid, sizeof(tx->uuid), "%s", before ? before->uuid : uuid);
	if (after)
		after->pending = true;
	if (model_replace(&r->model, tx->uuid, after))
		return refuse(tx, w, after, e);
	tx->by = mono_add(mono_now(), r->write_us);
	tx->done = done;
	tx->arg = arg;
	w->tx = tx;
	TAILQ_INSERT_TAIL(&r->waiting, w, link);
	regdb_submit(r->db, tx);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry_db.h"

#define DB_FILE "registry.db"

struct registry {
	struct regdb *db;
	struct reg_vm_list vms;
	unsigned count;
	void *names; /* a tree of every name ever allocated */
	uint64_t write_us;
	TAILQ_HEAD(, waiting) waiting; /* transactions that the disk has not answered */
};

/* The loop's own list, since a transaction itself hangs in the thread's. */
struct waiting {
	TAILQ_ENTRY(waiting) link;
	struct regdb_tx *tx;
};

/* ---- objects ---- */

void reg_vm_free(struct reg_vm *vm)
{
	if (!vm)
		return;
	for (unsigned i = 0; i < vm->vhbas_n; i++) {
		free(vm->vhbas[i].zones);
		free(vm->vhbas[i].luns);
	}
	free(vm->vhbas);
	free(vm);
}

struct reg_vm *reg_vm_copy(const struct reg_vm *vm)
{
	struct reg_vm *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = *vm;
	c->vhbas = calloc(vm->vhbas_n ? vm->vhbas_n : 1, sizeof(*c->vhbas));
	if (!c->vhbas)
		return free(c), NULL;
	for (unsigned i = 0; i < vm->vhbas_n; i++) {
		struct reg_vhba *v = &c->vhbas[i];

		*v = vm->vhbas[i];
		v->zones = strdup(vm->vhbas[i].zones ? vm->vhbas[i].zones : "");
		v->luns = v->luns_n ? calloc(v->luns_n, sizeof(*v->luns)) : NULL;
		if (v->luns)
			memcpy(v->luns, vm->vhbas[i].luns, v->luns_n * sizeof(*v->luns));
		else
			v->luns_n = 0;
	}
	return c;
}

/* ---- names ---- */

static int compare_names(const void *a, const void *b)
{
	wwn_t x = *(const wwn_t *)a, y = *(const wwn_t *)b;

	return x < y ? -1 : x > y;
}

static void name_add(struct registry *r, wwn_t name)
{
	wwn_t *copy = malloc(sizeof(*copy)), **found;

	if (!copy)
		return;
	*copy = name;
	found = tsearch(copy, &r->names, compare_names);
	if (!found || *found != copy)
		free(copy);
}

bool registry_name_known(const struct registry *r, wwn_t name, const struct reg_vm **owner)
{
	const struct reg_vm *vm;

	*owner = NULL;
	if (!tfind(&name, (void *const *)&r->names, compare_names))
		return false;
	TAILQ_FOREACH (vm, &r->vms, link)
		for (unsigned i = 0; i < vm->vhbas_n; i++)
			if (vm->vhbas[i].wwpn == name || vm->vhbas[i].wwnn == name)
				*owner = vm;
	return true;
}

/* ---- the model ---- */

static void insert(struct registry *r, struct reg_vm *vm)
{
	struct reg_vm *after;

	r->count++;
	TAILQ_FOREACH (after, &r->vms, link) {
		if (strcmp(after->name, vm->name) > 0) {
			TAILQ_INSERT_BEFORE(after, vm, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&r->vms, vm, link);
}

static struct reg_vm *find_uuid(const struct registry *r, const char *uuid)
{
	struct reg_vm *vm;

	TAILQ_FOREACH (vm, &r->vms, link)
		if (!strcasecmp(vm->uuid, uuid))
			return vm;
	return NULL;
}

/* The model's VM of that UUID becomes this one (NULL: there is none). */
static void replace(struct registry *r, const char *uuid, struct reg_vm *vm)
{
	struct reg_vm *old = find_uuid(r, uuid);

	if (old) {
		TAILQ_REMOVE(&r->vms, old, link);
		r->count--;
		reg_vm_free(old);
	}
	if (!vm)
		return;
	insert(r, vm);
	for (unsigned i = 0; i < vm->vhbas_n; i++) {
		name_add(r, vm->vhbas[i].wwpn);
		name_add(r, vm->vhbas[i].wwnn);
	}
}

const struct reg_vm_list *registry_vms(const struct registry *r)
{
	return &r->vms;
}

unsigned registry_count(const struct registry *r)
{
	return r->count;
}

const struct reg_vm *registry_find(const struct registry *r, const char *key)
{
	const struct reg_vm *vm;

	TAILQ_FOREACH (vm, &r->vms, link)
		if (!strcmp(vm->name, key) || !strcasecmp(vm->uuid, key))
			return vm;
	return NULL;
}

const struct reg_vhba *registry_vhba(const struct reg_vm *vm, unsigned index)
{
	for (unsigned i = 0; i < vm->vhbas_n; i++)
		if (vm->vhbas[i].index == index)
			return &vm->vhbas[i];
	return NULL;
}

bool registry_next_zone(const char **pos, char zone[REG_NAME_MAX])
{
	size_t n = strcspn(*pos, ",");

	if (!**pos)
		return false;
	snprintf(zone, REG_NAME_MAX, "%.*s", (int)n, *pos);
	*pos += n + ((*pos)[n] == ',');
	return true;
}

/* ---- opening ---- */

static void on_vm(void *arg, struct reg_vm *vm)
{
	replace(arg, vm->uuid, vm);
}

static void on_name(void *arg, wwn_t name)
{
	name_add(arg, name);
}

struct registry *registry_open(const char *dir, uint64_t write_us, struct verror *e)
{
	struct registry *r = calloc(1, sizeof(*r));
	char path[PATH_MAX];

	if (!r) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	TAILQ_INIT(&r->vms);
	TAILQ_INIT(&r->waiting);
	r->write_us = write_us;
	snprintf(path, sizeof(path), "%s/" DB_FILE, dir);
	r->db = regdb_open(path, on_vm, on_name, r, e);
	if (r->db)
		return r;
	registry_close(r);
	return NULL;
}

static void free_tx(struct regdb_tx *tx)
{
	reg_vm_free(tx->vm);
	reg_vm_free(tx->before);
	free(tx);
}

void registry_close(struct registry *r)
{
	struct reg_vm *vm;
	struct waiting *w;
	struct regdb_tx *tx;

	if (!r)
		return;
	if (r->db) {
		while ((tx = regdb_next(r->db)))
			free_tx(tx);
		regdb_close(r->db, mono_add(mono_now(), r->write_us));
	}
	while ((w = TAILQ_FIRST(&r->waiting))) {
		TAILQ_REMOVE(&r->waiting, w, link);
		free(w);
	}
	while ((vm = TAILQ_FIRST(&r->vms))) {
		TAILQ_REMOVE(&r->vms, vm, link);
		reg_vm_free(vm);
	}
	tdestroy(r->names, free);
	free(r);
}

int registry_fd(const struct registry *r)
{
	return regdb_fd(r->db);
}

/* ---- changes ---- */

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
	struct reg_vm *vm;

	forget(r, tx);
	if (tx->error.kind)
		replace(r, tx->uuid, steal_ptr(tx->before));
	vm = find_uuid(r, tx->uuid);
	if (vm)
		vm->pending = false;
	tell(tx, tx->error.kind ? &tx->error : NULL);
	free_tx(tx);
}

void registry_dispatch(struct registry *r, struct monotime now)
{
	struct regdb_tx *tx;
	struct waiting *w;

	while ((tx = regdb_next(r->db)))
		settle(r, tx);
	TAILQ_FOREACH (w, &r->waiting, link) {
		struct verror e;

		if (w->tx->told || !mono_reached(w->tx->by, now))
			continue;
		verror_set(&e, VHBA_E_DEADLINE, "the registry's disk has not answered in time");
		verror_seen(&e, "the change may yet be written; the VM takes no other until then");
		verror_fix(&e, "look at the disk under the state-dir");
		tell(w->tx, &e);
		return registry_dispatch(r, now); /* the callback may have changed the list */
	}
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

/* The VM becomes after (taken over; NULL: none), in the model now, on the disk soon. */
static int submit(struct registry *r, const char *uuid, struct reg_vm *after, reg_done *done, void *arg,
		  struct verror *e)
{
	struct regdb_tx *tx = calloc(1, sizeof(*tx));
	struct waiting *w = calloc(1, sizeof(*w));
	const struct reg_vm *before = find_uuid(r, uuid);

	if (!tx || !w || (after && !(tx->vm = reg_vm_copy(after))) ||
	    (before && !(tx->before = reg_vm_copy(before)))) {
		if (tx)
			free_tx(tx);
		free(w);
		reg_vm_free(after);
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	}
	snprintf(tx->uuid, sizeof(tx->uuid), "%s", uuid);
	tx->by = mono_add(mono_now(), r->write_us);
	tx->done = done;
	tx->arg = arg;
	w->tx = tx;
	TAILQ_INSERT_TAIL(&r->waiting, w, link);
	if (after)
		after->pending = true;
	replace(r, tx->uuid, after);
	regdb_submit(r->db, tx);
	return 0;
}

/* A copy to change; NULL when the VM is not to be changed now. */
static struct reg_vm *changeable(const struct reg_vm *vm, struct verror *e)
{
	struct reg_vm *c;

	if (vm->pending) {
		verror_set(e, VHBA_E_BUSY, "%s: an earlier change is still being written", vm->name);
		verror_fix(e, "try again");
		return NULL;
	}
	c = reg_vm_copy(vm);
	if (!c)
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
	return c;
}

int registry_vm_add(struct registry *r, const char *name, const char *uuid, const char *owner, reg_done *done,
		    void *arg, struct verror *e)
{
	const struct reg_vm *other = registry_find(r, name);
	struct reg_vm *vm;

	if (!other)
		other = registry_find(r, uuid);
	if (other) {
		verror_set(e, VHBA_E_EXISTS, "a VM %s with UUID %s is there already", other->name,
			   other->uuid);
		verror_expected(e, "a name and a UUID of its own");
		return -EEXIST;
	}
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	snprintf(vm->uuid, sizeof(vm->uuid), "%s", uuid);
	snprintf(vm->owner, sizeof(vm->owner), "%s", owner);
	return submit(r, vm->uuid, vm, done, arg, e);
}

int registry_vm_remove(struct registry *r, const struct reg_vm *vm, reg_done *done, void *arg,
		       struct verror *e)
{
	struct reg_vm *c = changeable(vm, e);
	char uuid[37];

	if (!c)
		return -EBUSY;
	strcpy(uuid, c->uuid);
	reg_vm_free(c);
	return submit(r, uuid, NULL, done, arg, e);
}

static int lowest_free(const struct reg_vm *vm)
{
	int index = 0;

	while (registry_vhba(vm, (unsigned)index))
		index++;
	return index;
}

static int check_new_name(const struct registry *r, wwn_t name, struct verror *e)
{
	const struct reg_vm *vm;
	char text[WWN_TEXT];

	if (!registry_name_known(r, name, &vm))
		return 0;
	verror_set(e, VHBA_E_EXISTS, "%s has been given to a vhba already", wwn_format(name, text));
	verror_expected(
		e, "a name that was never used: it stays bound to what it named, also after its removal");
	verror_seen(e, "%s", vm ? vm->name : "a vhba that was removed");
	return -EEXIST;
}

int registry_vhba_add(struct registry *r, const struct reg_vm *vm, int index, uint16_t vsan,
		      const char *zones, wwn_t wwpn, wwn_t wwnn, reg_done *done, void *arg, struct verror *e)
{
	struct reg_vhba v = {.vsan = vsan, .wwpn = wwpn, .wwnn = wwnn}, *more;
	struct reg_vm *c;
	unsigned at = 0;

	if (index < 0)
		index = lowest_free(vm);
	if (registry_vhba(vm, (unsigned)index))
		return verror_set(e, VHBA_E_EXISTS, "%s has a vhba %d already", vm->name, index);
	if (vm->vhbas_n >= REG_VHBAS_MAX || index >= REG_VHBAS_MAX) {
		verror_set(e, VHBA_E_USAGE, "%s can't have vhba %d", vm->name, index);
		verror_expected(e, "at most %d vhbas, index 0..%d", REG_VHBAS_MAX, REG_VHBAS_MAX - 1);
		return -EINVAL;
	}
	if (check_new_name(r, wwpn, e) || (wwnn != wwpn && check_new_name(r, wwnn, e)))
		return -EEXIST;
	c = changeable(vm, e);
	if (!c)
		return -EBUSY;
	more = reallocarray(c->vhbas, c->vhbas_n + 1, sizeof(*more));
	v.index = (unsigned)index;
	v.zones = strdup(zones);
	if (!more || !v.zones) {
		free(v.zones);
		reg_vm_free(c);
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	}
	c->vhbas = more;
	while (at < c->vhbas_n && more[at].index < v.index)
		at++;
	memmove(more + at + 1, more + at, (c->vhbas_n - at) * sizeof(*more));
	more[at] = v;
	c->vhbas_n++;
	return submit(r, c->uuid, c, done, arg, e);
}

/* The vhba of the copy; the copy is freed when there is none. */
static struct reg_vhba *vhba_of(struct reg_vm *c, unsigned index, struct verror *e)
{
	struct reg_vhba *v = (struct reg_vhba *)registry_vhba(c, index);

	if (v)
		return v;
	verror_set(e, VHBA_E_NOT_FOUND, "%s has no vhba %u", c->name, index);
	reg_vm_free(c);
	return NULL;
}

int registry_vhba_remove(struct registry *r, const struct reg_vm *vm, unsigned index, reg_done *done,
			 void *arg, struct verror *e)
{
	struct reg_vm *c = changeable(vm, e);
	struct reg_vhba *v = c ? vhba_of(c, index, e) : NULL;

	if (!v)
		return -ENOENT;
	free(v->zones);
	free(v->luns);
	memmove(v, v + 1, (size_t)(c->vhbas + c->vhbas_n - v - 1) * sizeof(*v));
	c->vhbas_n--;
	return submit(r, c->uuid, c, done, arg, e);
}

int registry_set_expected(struct registry *r, const struct reg_vm *vm, unsigned index,
			  const struct reg_lun *luns, unsigned n, reg_done *done, void *arg, struct verror *e)
{
	struct reg_vm *c = changeable(vm, e);
	struct reg_vhba *v = c ? vhba_of(c, index, e) : NULL;
	struct reg_lun *copy = calloc(n ? n : 1, sizeof(*copy));

	if (!v || !copy || n > REG_LUNS_MAX) {
		free(copy);
		if (v)
			reg_vm_free(c);
		return v ? verror_set(e, VHBA_E_USAGE, "%u LUNs are more than a vhba can expect", n)
			 : -ENOENT;
	}
	memcpy(copy, luns, n * sizeof(*copy));
	free(v->luns);
	v->luns = copy;
	v->luns_n = n;
	v->known = true;
	return submit(r, c->uuid, c, done, arg, e);
}

int registry_set_owner(struct registry *r, const struct reg_vm *vm, const char *owner, uint64_t generation,
		       reg_done *done, void *arg, struct verror *e)
{
	struct reg_vm *c = changeable(vm, e);

	if (!c)
		return -EBUSY;
	snprintf(c->owner, sizeof(c->owner), "%s", owner);
	c->generation = generation;
	return submit(r, c->uuid, c, done, arg, e);
}

/* Another VM's, or a removed one's: a name comes back only with the VM that it always named. */
static int check_import_name(const struct registry *r, const struct reg_vm *vm, wwn_t name, struct verror *e)
{
	const struct reg_vm *owner;
	char text[WWN_TEXT];

	if (!registry_name_known(r, name, &owner) || !owner || !strcasecmp(owner->uuid, vm->uuid))
		return 0;
	verror_set(e, VHBA_E_EXISTS, "%s is in the ticket of %s, but belongs to %s here",
		   wwn_format(name, text), vm->name, owner->name);
	return -EEXIST;
}

int registry_import(struct registry *r, const struct reg_vm *vm, reg_done *done, void *arg, struct verror *e)
{
	const struct reg_vm *same = find_uuid(r, vm->uuid), *named = registry_find(r, vm->name);
	struct reg_vm *c;

	if (named && named != same)
		return verror_set(e, VHBA_E_EXISTS, "another VM is called %s here (UUID %s)", vm->name,
				  named->uuid);
	for (unsigned i = 0; i < vm->vhbas_n; i++)
		if (check_import_name(r, vm, vm->vhbas[i].wwpn, e) ||
		    check_import_name(r, vm, vm->vhbas[i].wwnn, e))
			return -EEXIST;
	if (same && same->pending)
		return verror_set(e, VHBA_E_BUSY, "%s: an earlier change is still being written", same->name);
	c = reg_vm_copy(vm);
	if (!c)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	return submit(r, c->uuid, c, done, arg, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "method.h"
#include "registry_change.h"

static int no_memory(struct verror *e)
{
	return verror_set(e, VHBA_E_INTERNAL, "out of memory");
}

/* ---- what may be registered ---- */

static int check_vm(const struct reg_vm *vm, struct verror *e)
{
	if (!reg_name_is_good(vm->name) || proto_is_uuid(vm->name)) {
		verror_set(e, VHBA_E_USAGE, "'%s' is no name for a VM", vm->name);
		verror_expected(e, "1..%d letters, digits and \"._+@:-\", no UUID", REG_NAME_MAX - 1);
		return -EINVAL;
	}
	if (!proto_is_uuid(vm->uuid) || vm->uuid[strspn(vm->uuid, "0-")] == '\0') {
		verror_set(e, VHBA_E_USAGE, "'%s' is no UUID for a VM", vm->uuid);
		verror_expected(e, "8-4-4-4-12 hexadecimal digits, not all 0");
		return -EINVAL;
	}
	if (vm->vhbas_n <= REG_VHBAS_MAX)
		return 0;
	verror_set(e, VHBA_E_USAGE, "%s has too many vhbas", vm->name);
	verror_expected(e, "at most %d", REG_VHBAS_MAX);
	verror_seen(e, "%u", vm->vhbas_n);
	return -EINVAL;
}

static int check_vhba(const struct reg_vm *vm, const struct reg_vhba *v, struct verror *e)
{
	const char *pos = v->zones;
	char zone[REG_NAME_MAX];
	size_t length = strlen(pos);
	bool good = length < REG_ZONES_MAX && (!length || pos[length - 1] != ',');

	while (good && *pos)
		good = strcspn(pos, ",") < REG_NAME_MAX && registry_next_zone(&pos, zone) &&
		       reg_name_is_good(zone);
	if (!good) {
		verror_set(e, VHBA_E_USAGE, "%s vhba %u: malformed zones", vm->name, v->index);
		verror_expected(e, "names of zones, separated by commas, less than %d bytes", REG_ZONES_MAX);
		verror_seen(e, "'%.100s'", v->zones);
		return -EINVAL;
	}
	if (v->index < REG_VHBAS_MAX && v->vsan && v->vsan <= REG_VSAN_MAX && v->wwpn && v->wwnn &&
	    v->luns_n <= REG_LUNS_MAX)
		return 0;
	verror_set(e, VHBA_E_USAGE, "%s can't have vhba %u", vm->name, v->index);
	verror_expected(e, "an index 0..%d, a VSAN 1..%d, a WWPN and a WWNN, at most %d LUNs",
			REG_VHBAS_MAX - 1, REG_VSAN_MAX, REG_LUNS_MAX);
	verror_seen(e, "index %u, VSAN %u, %u LUNs%s", v->index, v->vsan, v->luns_n,
		    v->wwpn && v->wwnn ? "" : ", a nil name");
	return -EINVAL;
}

/* A UUID has one spelling in the registry, so that the disk compares it as the model does. */
static void set_uuid(struct reg_vm *vm, const char *uuid)
{
	snprintf(vm->uuid, sizeof(vm->uuid), "%s", uuid);
	for (char *p = vm->uuid; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

/* ---- changes of a VM ---- */

struct reg_vm *registry_changeable(const struct reg_vm *vm, struct verror *e)
{
	struct reg_vm *c;

	if (vm->pending) {
		verror_set(e, VHBA_E_BUSY, "%s: an earlier change is still being written", vm->name);
		verror_fix(e, vm->uncertain ? "look at the disk under the state-dir: it does not answer"
					    : "try again");
		return NULL;
	}
	c = reg_vm_copy(vm);
	if (!c)
		no_memory(e);
	return c;
}

int registry_vm_add(struct registry *r, const char *name, const char *uuid, const char *owner, bool pool,
		    reg_done *done, void *arg, struct verror *e)
{
	const struct reg_vm *other = model_find_name(&r->model, name);
	struct reg_vm *vm;

	if (!other)
		other = model_find_uuid(&r->model, uuid);
	if (other) {
		verror_set(e, VHBA_E_EXISTS, "a VM %s with UUID %s is there already", other->name,
			   other->uuid);
		verror_expected(e, "a name and a UUID of its own");
		return -EEXIST;
	}
	if (registry_check_reserved(r, name, uuid, e))
		return -EBUSY;
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return no_memory(e);
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	snprintf(vm->owner, sizeof(vm->owner), "%s", owner);
	vm->pool = pool;
	set_uuid(vm, uuid);
	/* One that does not fit has been cut: it is refused for what it is, not taken for what is left. */
	if (strlen(name) >= sizeof(vm->name) || strlen(uuid) >= sizeof(vm->uuid))
		vm->name[0] = '\0';
	if (!check_vm(vm, e))
		return registry_submit(r, vm->uuid, vm, done, arg, e);
	reg_vm_free(vm);
	return -EINVAL;
}

int registry_vm_remove(struct registry *r, const struct reg_vm *vm, reg_done *done, void *arg,
		       struct verror *e)
{
	struct reg_vm *c = registry_changeable(vm, e);
	char uuid[37];

	if (!c)
		return -EBUSY;
	memcpy(uuid, c->uuid, sizeof(uuid));
	reg_vm_free(c);
	return registry_submit(r, uuid, NULL, done, arg, e);
}

int registry_set_owner(struct registry *r, const struct reg_vm *vm, const char *owner, uint64_t generation,
		       reg_done *done, void *arg, struct verror *e)
{
	struct reg_vm *c = registry_changeable(vm, e);

	if (!c)
		return -EBUSY;
	snprintf(c->owner, sizeof(c->owner), "%s", owner);
	c->generation = generation;
	c->io.arrives &= owner[0] != '\0';
	return registry_submit(r, c->uuid, c, done, arg, e);
}

int registry_set(struct registry *r, const struct reg_vm *vm, bool pool, const struct reg_io *io,
		 reg_done *done, void *arg, struct verror *e)
{
	struct reg_vm *c = registry_changeable(vm, e);

	if (!c)
		return -EBUSY;
	if (c->io.paths_guest != io->paths_guest)
		registry_forget_paths(c);
	c->pool = pool;
	c->io = *io;
	return registry_submit(r, c->uuid, c, done, arg, e);
}

/* ---- changes of a vhba ---- */

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

static int check_new_vhba(const struct registry *r, const struct reg_vm *vm, const struct reg_vhba *v,
			  struct verror *e)
{
	if (check_vhba(vm, v, e))
		return -EINVAL;
	if (registry_vhba(vm, v->index))
		return verror_set(e, VHBA_E_EXISTS, "%s has a vhba %u already", vm->name, v->index);
	if (check_new_name(r, v->wwpn, e) || check_new_name(r, v->wwnn, e))
		return -EEXIST;
	return 0;
}

/* At its place, so that the indexes ascend. Takes v->zones over, also on failure. */
static int insert_vhba(struct reg_vm *vm, struct reg_vhba *v)
{
	struct reg_vhba *more = reallocarray(vm->vhbas, vm->vhbas_n + 1, sizeof(*more));
	unsigned at = 0;

	if (!more) {
		free(v->zones);
		return -ENOMEM;
	}
	vm->vhbas = more;
	while (at < vm->vhbas_n && more[at].index < v->index)
		at++;
	memmove(more + at + 1, more + at, (vm->vhbas_n - at) * sizeof(*more));
	more[at] = *v;
	vm->vhbas_n++;
	return 0;
}

int registry_vhba_add(struct registry *r, const struct reg_vm *vm, int index, uint16_t vsan,
		      const char *zones, wwn_t wwpn, wwn_t wwnn, reg_done *done, void *arg, struct verror *e)
{
	struct reg_vhba v = {.vsan = vsan, .wwpn = wwpn, .wwnn = wwnn, .zones = strdup(zones)};
	struct reg_vm *c = NULL;
	int ret;

	if (!v.zones)
		return no_memory(e);
	while (index < 0 && registry_vhba(vm, v.index))
		v.index++;
	if (index >= 0)
		v.index = (unsigned)index;
	ret = check_new_vhba(r, vm, &v, e);
	if (!ret && !(c = registry_changeable(vm, e)))
		ret = -EBUSY;
	if (ret) {
		free(v.zones);
		return ret;
	}
	if (!insert_vhba(c, &v))
		return registry_submit(r, c->uuid, c, done, arg, e);
	reg_vm_free(c);
	return no_memory(e);
}

/* The vhba of the copy; the copy is freed when there is none. */
static struct reg_vhba *vhba_of(struct reg_vm *c, unsigned index, struct verror *e)
{
	for (unsigned i = 0; i < c->vhbas_n; i++)
		if (c->vhbas[i].index == index)
			return &c->vhbas[i];
	verror_set(e, VHBA_E_NOT_FOUND, "%s has no vhba %u", c->name, index);
	reg_vm_free(c);
	return NULL;
}

int registry_vhba_remove(struct registry *r, const struct reg_vm *vm, unsigned index, reg_done *done,
			 void *arg, struct verror *e)
{
	struct reg_vm *c = registry_changeable(vm, e);
	struct reg_vhba *v;

	if (!c)
		return -EBUSY;
	v = vhba_of(c, index, e);
	if (!v)
		return -ENOENT;
	free(v->zones);
	free(v->reservations);
	free(v->luns);
	memmove(v, v + 1, (size_t)(c->vhbas + c->vhbas_n - v - 1) * sizeof(*v));
	c->vhbas_n--;
	return registry_submit(r, c->uuid, c, done, arg, e);
}

int registry_set_expected(struct registry *r, const struct reg_vm *vm, unsigned index,
			  const struct reg_lun *luns, unsigned n, reg_done *done, void *arg, struct verror *e)
{
	struct reg_vm *c;
	struct reg_vhba *v;

	if (n > REG_LUNS_MAX) {
		verror_set(e, VHBA_E_USAGE, "%u LUNs are more than a vhba can expect", n);
		verror_expected(e, "at most %d", REG_LUNS_MAX);
		return -EINVAL;
	}
	c = registry_changeable(vm, e);
	if (!c)
		return -EBUSY;
	v = vhba_of(c, index, e);
	if (!v)
		return -ENOENT;
	free(v->luns);
	v->luns = n ? calloc(n, sizeof(*v->luns)) : NULL;
	v->luns_n = v->luns ? n : 0;
	v->known = true;
	if (v->luns)
		memcpy(v->luns, luns, n * sizeof(*luns));
	if (v->luns_n == n)
		return registry_submit(r, c->uuid, c, done, arg, e);
	reg_vm_free(c);
	return no_memory(e);
}

int registry_set_alternate(struct registry *r, const struct reg_vm *vm, unsigned index, wwn_t alternate,
			   reg_done *done, void *arg, struct verror *e)
{
	struct reg_vm *c;
	struct reg_vhba *v;

	const struct reg_vhba *now = registry_vhba(vm, index);

	if (alternate && !(now && now->alternate == alternate) && check_new_name(r, alternate, e))
		return -EEXIST;
	c = registry_changeable(vm, e);
	if (!c)
		return -EBUSY;
	v = vhba_of(c, index, e);
	if (!v)
		return -ENOENT;
	v->alternate = alternate;
	return registry_submit(r, c->uuid, c, done, arg, e);
}

/* ---- import ---- */

/* A name comes back only with the VM that it always named. */
static int check_import_name(const struct registry *r, const struct reg_vm *vm, wwn_t name, struct verror *e)
{
	char text[WWN_TEXT], uuid[37];

	if (!model_remembers(&r->model, name, uuid) || !strcasecmp(uuid, vm->uuid))
		return 0;
	verror_set(e, VHBA_E_EXISTS, "%s of %s has been given to another VM here", wwn_format(name, text),
		   vm->name);
	verror_expected(e, "a name that was never used, or that was given to %s", vm->uuid);
	verror_seen(e, "it was given to %s", uuid[0] ? uuid : "a VM that was removed");
	return -EEXIST;
}

static bool has_name(const struct reg_vhba *v, wwn_t name)
{
	return name && (name == v->wwpn || name == v->wwnn || name == v->alternate);
}

/* No name twice among the vhbas before this one; a vhba's own WWPN and WWNN may be the same. */
static bool repeats(const struct reg_vm *vm, unsigned i)
{
	const struct reg_vhba *v = &vm->vhbas[i];

	if (v->alternate && (v->alternate == v->wwpn || v->alternate == v->wwnn))
		return true;
	for (unsigned k = 0; k < i; k++) {
		const struct reg_vhba *o = &vm->vhbas[k];

		if (o->index >= v->index || has_name(o, v->wwpn) || has_name(o, v->wwnn) ||
		    has_name(o, v->alternate))
			return true;
	}
	return false;
}

static int check_import(const struct registry *r, const struct reg_vm *vm, struct verror *e)
{
	const struct reg_vm *same = model_find_uuid(&r->model, vm->uuid);
	const struct reg_vm *named = model_find_name(&r->model, vm->name);

	if (check_vm(vm, e) || registry_check_luns(vm, e))
		return -EINVAL;
	if (named && named != same)
		return verror_set(e, VHBA_E_EXISTS, "another VM is called %s here (UUID %s)", vm->name,
				  named->uuid);
	if (registry_check_reserved(r, vm->name, vm->uuid, e))
		return -EBUSY;
	if (same && same->pending)
		return verror_set(e, VHBA_E_BUSY, "%s: an earlier change is still being written", same->name);
	for (unsigned i = 0; i < vm->vhbas_n; i++) {
		if (check_vhba(vm, &vm->vhbas[i], e))
			return -EINVAL;
		if (check_import_name(r, vm, vm->vhbas[i].wwpn, e) ||
		    check_import_name(r, vm, vm->vhbas[i].wwnn, e) ||
		    (vm->vhbas[i].alternate && check_import_name(r, vm, vm->vhbas[i].alternate, e)))
			return -EEXIST;
		if (!repeats(vm, i))
			continue;
		verror_set(e, VHBA_E_USAGE, "%s: vhba %u has an index or a name of another one", vm->name,
			   vm->vhbas[i].index);
		verror_expected(e, "indexes that ascend, and names of its own for each");
		return -EINVAL;
	}
	return 0;
}

int registry_import(struct registry *r, const struct reg_vm *vm, reg_done *done, void *arg, struct verror *e)
{
	struct reg_vm *c;
	int ret = check_import(r, vm, e);

	if (ret)
		return ret;
	c = reg_vm_copy(vm);
	if (!c)
		return no_memory(e);
	/* The spelling that is here already is what others have noted. */
	if (model_find_uuid(&r->model, vm->uuid))
		snprintf(c->uuid, sizeof(c->uuid), "%s", model_find_uuid(&r->model, vm->uuid)->uuid);
	else
		set_uuid(c, vm->uuid);
	return registry_submit(r, c->uuid, c, done, arg, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers by which a guest knows its LUNs: given once, kept, carried by the ticket. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registry_change.h"

static const char *const io_names[REG_IO_KINDS_] = {
	[REG_IO_NONE] = "none",
	[REG_IO_SCSI] = "scsi",
	[REG_IO_BLK] = "blk",
};

const char *reg_io_name(enum reg_io_kind kind)
{
	return kind < REG_IO_KINDS_ ? io_names[kind] : "?";
}

enum reg_io_kind reg_io_parse(const char *name)
{
	enum reg_io_kind kind = REG_IO_NONE;

	while (kind < REG_IO_KINDS_ && strcmp(name, io_names[kind]))
		kind++;
	return kind;
}

/* ---- finding ---- */

const struct reg_guest_lun *reg_guest_lun(const struct reg_vm *vm, unsigned number)
{
	for (unsigned i = 0; i < vm->guest_luns_n; i++)
		if (vm->guest_luns[i].number == number)
			return &vm->guest_luns[i];
	return NULL;
}

static bool has_path(const struct reg_guest_lun *l, const char *designator, unsigned vhba, wwn_t target)
{
	return !strcmp(l->designator, designator) && (!l->target || (l->vhba == vhba && l->target == target));
}

const struct reg_guest_lun *reg_guest_lun_of(const struct reg_vm *vm, const char *designator, unsigned vhba,
					     wwn_t target)
{
	for (unsigned i = 0; designator[0] && i < vm->guest_luns_n; i++)
		if (has_path(&vm->guest_luns[i], designator, vhba, target))
			return &vm->guest_luns[i];
	return NULL;
}

static bool is_expected(const struct reg_vm *vm, const struct reg_guest_lun *l)
{
	for (unsigned i = 0; i < vm->vhbas_n; i++)
		for (unsigned k = 0; k < vm->vhbas[i].luns_n; k++)
			if (has_path(l, vm->vhbas[i].luns[k].designator, vm->vhbas[i].index,
				     vm->vhbas[i].luns[k].target))
				return true;
	return false;
}

/* ---- what may be one ---- */

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

bool reg_file_is_good(const char *file)
{
	return file[0] == '/' && strlen(file) < REG_FILE_MAX && !strchr(file, ',') && is_printable(file);
}

bool reg_serial_is_good(const char *serial)
{
	size_t n = strlen(serial);

	return n && n < REG_SERIAL &&
	       strspn(serial, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+:-") == n;
}

static int bad_lun(const struct reg_vm *vm, unsigned number, struct verror *e)
{
	verror_set(e, VHBA_E_USAGE, "%s can't have LUN %u", vm->name, number);
	verror_expected(e,
			"a number 0..%d of its own, and an absolute path without commas with a serial "
			"number, or a designator, with a path where paths are the guest's",
			REG_GUEST_LUNS - 1);
	return -EINVAL;
}

int registry_check_luns(const struct reg_vm *vm, struct verror *e)
{
	for (unsigned i = 0; i < vm->guest_luns_n; i++) {
		const struct reg_guest_lun *l = &vm->guest_luns[i];
		bool file = l->file[0];

		if (l->number >= REG_GUEST_LUNS || (i && l->number <= vm->guest_luns[i - 1].number) ||
		    file == !!l->designator[0] || (!file && vm->io.paths_guest != !!l->target) ||
		    (file && (!reg_file_is_good(l->file) || !reg_serial_is_good(l->serial))))
			return bad_lun(vm, l->number, e);
	}
	return vm->io.kind < REG_IO_KINDS_ ? 0 : bad_lun(vm, 0, e);
}

/* ---- changes ---- */

static int insert(struct reg_vm *vm, const struct reg_guest_lun *l)
{
	struct reg_guest_lun *more = reallocarray(vm->guest_luns, vm->guest_luns_n + 1, sizeof(*more));
	unsigned at = 0;

	if (!more)
		return -ENOMEM;
	vm->guest_luns = more;
	while (at < vm->guest_luns_n && more[at].number < l->number)
		at++;
	memmove(more + at + 1, more + at, (vm->guest_luns_n - at) * sizeof(*more));
	more[at] = *l;
	vm->guest_luns_n++;
	return 0;
}

static void take_out(struct reg_vm *vm, const struct reg_guest_lun *l)
{
	unsigned at = (unsigned)(l - vm->guest_luns);

	vm->guest_luns_n--;
	memmove(vm->guest_luns + at, vm->guest_luns + at + 1,
		(vm->guest_luns_n - at) * sizeof(*vm->guest_luns));
}

void registry_forget_paths(struct reg_vm *vm)
{
	for (unsigned i = vm->guest_luns_n; i--;)
		if (!vm->guest_luns[i].file[0])
			take_out(vm, &vm->guest_luns[i]);
}

/* The lowest that is free; else that of an array's LUN that is expected no more; else REG_GUEST_LUNS. */
static unsigned free_number(struct reg_vm *vm)
{
	unsigned number = 0;

	while (number < REG_GUEST_LUNS && reg_guest_lun(vm, number))
		number++;
	for (unsigned i = 0; number == REG_GUEST_LUNS && i < vm->guest_luns_n; i++) {
		const struct reg_guest_lun *l = &vm->guest_luns[i];

		if (l->file[0] || is_expected(vm, l))
			continue;
		number = l->number;
		take_out(vm, l);
	}
	return number;
}

int registry_number_luns(struct reg_vm *vm)
{
	for (unsigned i = 0; vm->io.kind != REG_IO_NONE && i < vm->vhbas_n; i++) {
		for (unsigned k = 0; k < vm->vhbas[i].luns_n; k++) {
			const struct reg_lun *path = &vm->vhbas[i].luns[k];
			struct reg_guest_lun l = {0};

			snprintf(l.designator, sizeof(l.designator), "%s", path->designator);
			if (vm->io.paths_guest) {
				l.vhba = vm->vhbas[i].index;
				l.target = path->target;
			}
			if (!l.designator[0] || (vm->io.paths_guest && !l.target) ||
			    reg_guest_lun_of(vm, l.designator, l.vhba, l.target))
				continue;
			l.number = free_number(vm);
			if (l.number < REG_GUEST_LUNS && insert(vm, &l))
				return -ENOMEM;
		}
	}
	return 0;
}

static int check_new(const struct reg_vm *vm, const struct reg_guest_lun *l, struct verror *e)
{
	if (l->number >= REG_GUEST_LUNS || !reg_file_is_good(l->file) || !reg_serial_is_good(l->serial))
		return bad_lun(vm, l->number, e);
	if (reg_guest_lun(vm, l->number))
		return verror_set(e, VHBA_E_EXISTS, "%s has a LUN %u already", vm->name, l->number);
	for (unsigned i = 0; i < vm->guest_luns_n; i++)
		if (!strcmp(vm->guest_luns[i].file, l->file))
			return verror_set(e, VHBA_E_EXISTS, "%s is LUN %u of %s already", l->file,
					  vm->guest_luns[i].number, vm->name);
	return 0;
}

int registry_lun_add(struct registry *r, const struct reg_vm *vm, const struct reg_guest_lun *l,
		     reg_done *done, void *arg, struct verror *e)
{
	struct reg_vm *c = registry_changeable(vm, e);
	struct reg_guest_lun add = *l;
	int ret;

	if (!c)
		return -EBUSY;
	if (add.number == REG_GUEST_LUNS)
		add.number = free_number(c);
	ret = check_new(c, &add, e);
	if (!ret && insert(c, &add))
		ret = verror_set(e, VHBA_E_INTERNAL, "out of memory");
	if (!ret)
		return registry_submit(r, c->uuid, c, done, arg, e);
	reg_vm_free(c);
	return ret;
}

int registry_lun_remove(struct registry *r, const struct reg_vm *vm, unsigned number, reg_done *done,
			void *arg, struct verror *e)
{
	struct reg_vm *c = registry_changeable(vm, e);
	const struct reg_guest_lun *l = c ? reg_guest_lun(c, number) : NULL;
	int ret = 0;

	if (!c)
		return -EBUSY;
	if (!l) {
		ret = verror_set(e, VHBA_E_NOT_FOUND, "the guest of %s has no LUN %u", vm->name, number);
	} else if (!l->file[0] && is_expected(c, l)) {
		ret = verror_set(e, VHBA_E_STATE, "LUN %u of %s is an array's", number, vm->name);
		verror_seen(e, "%s is in the expected set of a vhba", l->designator);
		verror_fix(e, "have the array hide it, then 'vhbactl attach %s --accept-luns'", vm->name);
	}
	if (!ret) {
		take_out(c, l);
		return registry_submit(r, c->uuid, c, done, arg, e);
	}
	reg_vm_free(c);
	return ret;
}

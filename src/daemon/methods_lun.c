/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What carries a VM's I/O, and the LUNs that its guest has by an I/O back end. */
#include <stdio.h>
#include <string.h>

#include "ios.h"
#include "live.h"
#include "methods.h"

#define ADD(o, key, value) json_object_object_add(o, key, value)

/* ---- shown ---- */

void show_vm_io(struct daemon *d, const struct reg_vm *rv, struct json_object *o)
{
	const struct reg_io *io = &rv->io;

	ADD(o, "io", json_object_new_string(reg_io_name(io->kind)));
	if (io->workers)
		ADD(o, "io_workers", json_object_new_uint64(io->workers));
	if (io->iops)
		ADD(o, "limit_iops", json_object_new_uint64(io->iops));
	if (io->mbps)
		ADD(o, "limit_mbps", json_object_new_uint64(io->mbps));
	if (io->paths_guest)
		ADD(o, "paths", json_object_new_string("guest"));
	if (io->gate)
		ADD(o, "gated", json_object_new_boolean(true));
	if (io->arrives)
		ADD(o, "arrives", json_object_new_boolean(true));
	if (live_leaves(d, rv->uuid))
		ADD(o, "leaving", json_object_new_boolean(true));
}

static struct json_object *show_file(const struct reg_vm *rv, const struct reg_guest_lun *l)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "vm", json_object_new_string(rv->name));
	ADD(o, "guest_lun", json_object_new_uint64(l->number));
	if (!l->file[0])
		return o;
	ADD(o, "file", json_object_new_string(l->file));
	ADD(o, "serial", json_object_new_string(l->serial));
	ADD(o, "read_only", json_object_new_boolean(l->read_only));
	ADD(o, "direct", json_object_new_boolean(l->direct));
	return o;
}

void show_new_lun(const struct reg_vm *rv, unsigned number, struct json_object *o)
{
	const struct reg_guest_lun *l = reg_guest_lun(rv, number);

	if (l)
		ADD(o, "lun", show_file(rv, l));
}

/* Of a row that says a vhba's LUN by a target; NULL: the guest doesn't have it by that. */
static const struct reg_guest_lun *number_of(const struct reg_vm *rv, struct json_object *o)
{
	const char *designator = proto_get_text(o, "designator"), *vm = proto_get_text(o, "vm"),
		   *target = proto_get_text(o, "target");
	wwn_t wwpn = 0;

	if (!designator || !vm || strcmp(vm, rv->name) || !target || wwn_parse(target, &wwpn, NULL))
		return NULL;
	return reg_guest_lun_of(rv, designator, (unsigned)proto_get_uint(o, "index", 0), wwpn);
}

void show_guest_luns(const struct reg_vm *rv, struct json_object *list)
{
	for (size_t i = 0; rv->io.kind != REG_IO_NONE && i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const struct reg_guest_lun *l = number_of(rv, o);

		if (l)
			ADD(o, "guest_lun", json_object_new_uint64(l->number));
	}
	for (unsigned i = 0; i < rv->guest_luns_n; i++)
		if (rv->guest_luns[i].file[0])
			json_object_array_add(list, show_file(rv, &rv->guest_luns[i]));
}

/* ---- changed ---- */

static bool read_io(struct json_object *p, struct reg_io *io, struct verror *e)
{
	const char *kind = proto_get_text(p, "io"), *paths = proto_get_text(p, "paths");

	if (kind)
		io->kind = reg_io_parse(kind);
	if (io->kind == REG_IO_KINDS_) {
		verror_set(e, VHBA_E_USAGE, "'%s' carries no I/O", kind);
		verror_expected(e, "none, scsi or blk");
		return false;
	}
	if (paths && strcmp(paths, "merged") && strcmp(paths, "guest")) {
		verror_set(e, VHBA_E_USAGE, "'%s' is no way to show paths", paths);
		verror_expected(e, "merged or guest");
		return false;
	}
	if (paths)
		io->paths_guest = !strcmp(paths, "guest");
	/* It has no name by which a guest could tell that two disks are one. */
	if (io->paths_guest && io->kind == REG_IO_BLK) {
		verror_set(e, VHBA_E_USAGE, "a virtio-blk device has all paths of its LUN");
		verror_expected(e, "--io scsi where paths are the guest's");
		verror_fix(e, "--paths merged");
		return false;
	}
	io->workers = (unsigned)proto_get_uint(p, "io_workers", io->workers);
	io->iops = proto_get_uint(p, "limit_iops", io->iops);
	io->mbps = proto_get_uint(p, "limit_mbps", io->mbps);
	return true;
}

/* The guest has the devices that it was started with, and knows its LUNs by their numbers. */
static bool may_set(struct daemon *d, const struct reg_vm *rv, const struct reg_io *io, struct verror *e)
{
	bool renumbers = io->paths_guest != rv->io.paths_guest;

	if ((io->kind != rv->io.kind || renumbers) && !methods_detached(d, rv, e))
		return false;
	if (!renumbers || !ios_run(d, rv->uuid))
		return true;
	verror_set(e, VHBA_E_STATE, "the LUNs of %s can't get other numbers now", rv->name);
	verror_expected(e, "no vhba-io that serves it");
	verror_fix(e, "'vhbactl io end %s' first, when its QEMU has ended", rv->name);
	return false;
}

void method_vm_set(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct reg_io io = rv ? rv->io : (struct reg_io){0};
	struct change *c;
	bool pool;

	if (!rv || !read_io(p, &io, &e) || !may_set(d, rv, &io, &e)) {
		call_error(call, &e);
		return;
	}
	pool = proto_get(p, "pool") ? proto_get_bool(p, "pool") : rv->pool;
	c = methods_change(d, call, rv->name, -1);
	methods_changed_or_refused(d, c, registry_set(d->reg, rv, pool, &io, methods_changed, c, &e), &e);
}

/* The same wherever the VM is. */
static void make_serial(const struct reg_vm *rv, struct reg_guest_lun *l)
{
	snprintf(l->serial, sizeof(l->serial), "%.8s%.4s-%u", rv->uuid, rv->uuid + 9, l->number);
}

static unsigned lowest_free(const struct reg_vm *rv)
{
	unsigned n = 0;

	while (n < REG_GUEST_LUNS && reg_guest_lun(rv, n))
		n++;
	return n;
}

void method_lun_add(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	const char *serial = proto_get_text(p, "serial");
	struct reg_guest_lun l = {.read_only = proto_get_bool(p, "read_only"),
				  .direct = proto_get_bool(p, "direct")};
	struct change *c;

	if (!rv) {
		call_error(call, &e);
		return;
	}
	l.number = (unsigned)proto_get_uint(p, "number", lowest_free(rv));
	snprintf(l.file, sizeof(l.file), "%s", proto_get_text(p, "file"));
	make_serial(rv, &l);
	if (serial)
		snprintf(l.serial, sizeof(l.serial), "%s", serial);
	c = methods_change(d, call, rv->name, CHANGE_LUN + (int)l.number);
	methods_changed_or_refused(d, c, registry_lun_add(d->reg, rv, &l, methods_changed, c, &e), &e);
}

void method_lun_remove(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	unsigned number = (unsigned)proto_get_uint(p, "number", 0);
	struct change *c;

	if (!rv) {
		call_error(call, &e);
		return;
	}
	c = methods_change(d, call, rv->name, CHANGE_NO_LUN + (int)number);
	methods_changed_or_refused(d, c, registry_lun_remove(d->reg, rv, number, methods_changed, c, &e), &e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this host knows of VMs for good: identities, constraints, expected LUN sets, names that were ever
 * allocated.
 *
 * SQLite (WAL, synchronous=FULL) in STATE-DIR/registry.db, written by one thread of its own, so that the
 * daemon's loop never waits for a disk.  The loop reads a model in memory.  A change is checked against the
 * model, applied to it, and queued; when the disk has it (or not) the change's callback is called in the
 * loop, and a change that failed is taken back.  While a VM's change is being written the next one to it is
 * refused (VHBA_E_BUSY), and so is a new VM with its name or UUID.
 *
 * One process at a time has the file; the next one is refused (VHBA_E_BUSY).  A World Wide Name belongs for
 * ever to the VM that it was first given to, by its UUID: it comes back with that VM's ticket only.
 *
 * All functions: loop thread only.  Objects belong to the registry and are valid until the next change or
 * dispatch.
 */
#ifndef VHBA_REGISTRY_H
#define VHBA_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "monotime.h"
#include "verror.h"
#include "wwn.h"

#define REG_NAME_MAX 64
#define REG_DESIGNATOR 80
#define REG_VHBAS_MAX 16
#define REG_LUNS_MAX 1024 /* expected by one vhba */
#define REG_ZONES_MAX 1024 /* bytes of a vhba's zones with their commas and NUL */
#define REG_VSAN_MAX 4093
#define REG_GUEST_LUNS 256 /* of a VM with an I/O back end: numbers 0.. */
#define REG_FILE_MAX 256 /* bytes of a path with its NUL */
#define REG_SERIAL 21

/* What carries a VM's I/O. The numbers are those of the file. */
enum reg_io_kind {
	REG_IO_NONE, /* the host's block devices, as QEMU opens them */
	REG_IO_SCSI, /* vhba-io, one virtio-scsi device with all LUNs */
	REG_IO_BLK, /* vhba-io, one virtio-blk device a LUN */
	REG_IO_KINDS_
};

struct reg_io {
	enum reg_io_kind kind;
	unsigned workers; /* 0: as configured */
	uint64_t iops, mbps; /* 0: no limit */
	bool paths_guest; /* each path of an array's LUN is a LUN of the guest's by itself */
	bool gate; /* it came with a ticket, and that the source is done has not been shown yet */
	bool unfenced; /* and by other names than the source's: its own login doesn't end that one's */
	bool arrives; /* and it is on its way here, running: see live.h */
};

/* A LUN by the number that the guest knows it by, which stays: an array's (by its designator), one path of
 * it, or a file's. */
struct reg_guest_lun {
	unsigned number;
	char designator[REG_DESIGNATOR]; /* "": a file */
	unsigned vhba; /* of the path, if it has a target */
	wwn_t target; /* the path's target port; 0: all paths are this LUN */
	char file[REG_FILE_MAX]; /* "": an array's; or a block device */
	char serial[REG_SERIAL]; /* of a file */
	bool read_only, direct; /* of a file; direct: past the host's page cache */
};

struct reg_lun {
	char designator[REG_DESIGNATOR];
	uint64_t lun;
	wwn_t target; /* the target port's WWPN */
	uint64_t size; /* bytes */
};

struct reg_vhba {
	unsigned index;
	uint16_t vsan;
	wwn_t wwpn, wwnn;
	wwn_t alternate; /* the WWPN that another host logs in by while this one still is; 0: none */
	bool known; /* the expected set has been recorded */
	char *zones; /* names, separated by commas */
	char *reservations; /* as reservations.h has them, when the identity came here; NULL or "": not known
			     */
	unsigned luns_n;
	struct reg_lun *luns;
};

struct reg_vm {
	TAILQ_ENTRY(reg_vm) link;
	char uuid[37];
	char name[REG_NAME_MAX];
	char owner[REG_NAME_MAX]; /* the host that may attach it; "": it was moved away */
	uint64_t generation; /* grows with every export */
	bool pool; /* libvirt has a storage pool of each vhba while it is attached */
	struct reg_io io;
	bool pending; /* a change is being written */
	bool uncertain; /* and the disk has not answered in time */
	unsigned vhbas_n;
	struct reg_vhba *vhbas; /* by index, ascending */
	unsigned guest_luns_n;
	struct reg_guest_lun *guest_luns; /* by number, ascending */
};

TAILQ_HEAD(reg_vm_list, reg_vm);

struct registry;

/* How a change ended: e NULL when it is on the disk. */
typedef void reg_done(void *arg, const struct verror *e);

/*
 * Open (or make) the database; checks its integrity and its schema's version, and loads the model.  write_us
 * bounds each write.  This one may wait for the disk: it is called before the loop runs.  NULL with *e.
 */
struct registry *registry_open(const char *dir, uint64_t write_us, struct verror *e);

/* Waits for what is queued, at most write_us; what has ended by then is still told. */
void registry_close(struct registry *r);

/* Becomes readable when a change has ended. */
int registry_fd(const struct registry *r);

/* Call the callbacks of what has ended, and of what is late (VHBA_E_DEADLINE: it settles when the disk
 * answers). */
void registry_dispatch(struct registry *r, struct monotime now);

/* When registry_dispatch wants to be called at the latest. */
struct monotime registry_due(const struct registry *r);

const struct reg_vm_list *registry_vms(const struct registry *r);
unsigned registry_count(const struct registry *r);

/* By name or UUID; NULL when there is none. */
const struct reg_vm *registry_find(const struct registry *r, const char *name_or_uuid);
const struct reg_vhba *registry_vhba(const struct reg_vm *vm, unsigned index);

/* NULL: the guest has none of that number. */
const struct reg_guest_lun *reg_guest_lun(const struct reg_vm *vm, unsigned number);
/* That of an array's LUN, whose path goes from that vhba to that target port. */
const struct reg_guest_lun *reg_guest_lun_of(const struct reg_vm *vm, const char *designator, unsigned vhba,
					     wwn_t target);
const char *reg_io_name(enum reg_io_kind kind); /* "none", "scsi", "blk" */
enum reg_io_kind reg_io_parse(const char *name); /* REG_IO_KINDS_: none of them */

/* What may be served as a LUN: an absolute path without commas or control characters. */
bool reg_file_is_good(const char *file);
bool reg_serial_is_good(const char *serial);

/* Whose name is it, or was it ever allocated?  *vm may be NULL on return when it is nobody's any more. */
bool registry_name_known(const struct registry *r, wwn_t name, const struct reg_vm **vm);

/* What a VM or a zone may be called: 1..63 letters, digits and "._+@:-", a letter or digit first. */
bool reg_name_is_good(const char *name);

/* A name of a comma-separated list, from *pos on; false at its end. For reg_vhba.zones. */
bool registry_next_zone(const char **pos, char zone[REG_NAME_MAX]);

/* ---- changes: 0 (done will be called, once), or a negative error with *e (done will not be called) ---- */

int registry_vm_add(struct registry *r, const char *name, const char *uuid, const char *owner, bool pool,
		    reg_done *done, void *arg, struct verror *e);
int registry_vm_remove(struct registry *r, const struct reg_vm *vm, reg_done *done, void *arg,
		       struct verror *e);

/* index < 0: the lowest free one.  The names must be free: see registry_name_known. */
int registry_vhba_add(struct registry *r, const struct reg_vm *vm, int index, uint16_t vsan,
		      const char *zones, wwn_t wwpn, wwn_t wwnn, reg_done *done, void *arg, struct verror *e);
int registry_vhba_remove(struct registry *r, const struct reg_vm *vm, unsigned index, reg_done *done,
			 void *arg, struct verror *e);

/* 0: it has none any more. The name must be free. */
int registry_set_alternate(struct registry *r, const struct reg_vm *vm, unsigned index, wwn_t alternate,
			   reg_done *done, void *arg, struct verror *e);

/* The expected set of a vhba, copied. */
int registry_set_expected(struct registry *r, const struct reg_vm *vm, unsigned index,
			  const struct reg_lun *luns, unsigned n, reg_done *done, void *arg,
			  struct verror *e);
int registry_set_owner(struct registry *r, const struct reg_vm *vm, const char *owner, uint64_t generation,
		       reg_done *done, void *arg, struct verror *e);
int registry_set(struct registry *r, const struct reg_vm *vm, bool pool, const struct reg_io *io,
		 reg_done *done, void *arg, struct verror *e);

/* A file or block device becomes a LUN of the guest's; l->number REG_GUEST_LUNS: the lowest free one. */
int registry_lun_add(struct registry *r, const struct reg_vm *vm, const struct reg_guest_lun *l,
		     reg_done *done, void *arg, struct verror *e);
/* An array's only when it is expected no more. */
int registry_lun_remove(struct registry *r, const struct reg_vm *vm, unsigned number, reg_done *done,
			void *arg, struct verror *e);

/* The whole VM, copied; replaces the one of the same UUID. Its names may be known only as that VM's. */
int registry_import(struct registry *r, const struct reg_vm *vm, reg_done *done, void *arg, struct verror *e);

/* Each vhba's WWPN and its alternate change places. False with *e, and nothing has changed: one has none. */
bool reg_vm_swap_names(struct reg_vm *vm, struct verror *e);
bool reg_vm_has_alternates(const struct reg_vm *vm); /* any */

/* Deep copies outside the list. */
struct reg_vm *reg_vm_copy(const struct reg_vm *vm);
void reg_vm_free(struct reg_vm *vm);

#endif

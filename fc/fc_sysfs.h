/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the inventory's objects are read from sysfs. Inside fc/ only. */
#ifndef FC_SYSFS_H
#define FC_SYSFS_H

#include <dirent.h>
#include <stdbool.h>

#include "inventory.h"

#define RPORT "rport-%d:%u-%u"
#define VPORT "vport-%d:%u-%u"

/*
 * The folder of the host's device, /sys/devices/.../hostN: open for as long as the model has the host, since
 * a path from the root has some twenty steps, each of which is looked up under the lock that whoever makes
 * devices waits for (kernfs_rwsem).  -1 with errno.
 */
int fc_sysfs_device(const struct fc_host *h);

/* Below it: an attribute, as sysroot_read and sysroot_read_u64; a folder, as sysroot_open_dir. */
ssize_t fc_sysfs_read(const struct fc_host *h, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int fc_sysfs_read_u64(const struct fc_host *h, uint64_t *v, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int fc_sysfs_open(const struct fc_host *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* In an open folder, dir: an attribute, "" or 0 when it can't be read. */
void fc_sysfs_text(int dir, const char *attr, char *buf, size_t size);
uint64_t fc_sysfs_number(int dir, const char *attr);
/* An entry that begins so and fits into name. */
bool fc_sysfs_first_entry(int dir, const char *path, const char *prefix, char *name, size_t size);

/* Is errno a passing want of descriptors or memory? Then what was known is nearer to the truth than nothing.
 */
bool fc_sysfs_is_want(void);

/*
 * Where the host hangs tells what it is: under a vport of a parent, or under an FCoE interface.  False when
 * it does not hang anywhere any more: it could be taken for a parent.
 */
bool fc_sysfs_read_place(struct fc_host *h);

/* The attributes of h->number; false when it is gone (or going). */
bool fc_sysfs_read_host(struct fc_host *h);

/* Its vports, rports and LUNs. */
void fc_sysfs_read_children(struct fc_host *h);

/* One vport, rport or LUN; it is dropped when it is gone, and added when it is new, an rport with its LUNs.
 */
void fc_sysfs_read_vport(struct fc_host *h, const struct fc_part *part);
void fc_sysfs_read_rport(struct fc_host *h, const struct fc_part *part);
void fc_sysfs_read_lun(struct fc_host *h, const struct fc_part *part);

/* fc_sysfs_lun.c: one LUN of a known rport; all those of its target's open folder */
void fc_sysfs_update_lun(const struct fc_host *h, struct fc_rport *r, const struct fc_part *part);
void fc_sysfs_read_target(const struct fc_host *h, struct fc_rport *r, int rport, const char *target);

/* What of an rport changes, into *r; one without a name is read as a whole, and dropped when it is gone. */
void fc_sysfs_refresh_rport(struct fc_host *h, struct fc_rport *r);

struct fc_vport *fc_sysfs_vport_known(const struct fc_host *h, unsigned channel, unsigned number);
struct fc_rport *fc_sysfs_rport_known(const struct fc_host *h, unsigned channel, unsigned number);
struct fc_lun *fc_sysfs_lun_known(const struct fc_rport *r, const struct fc_part *part);

/* Has it told its end? Notes that its folder is still there. */
bool fc_sysfs_told_its_end(struct fc_host *h, unsigned channel, unsigned number);

/* By what is in *l. */
bool fc_lun_is_usable(const struct fc_lun *l);

void fc_sysfs_drop_rports(struct fc_host *h);
void fc_sysfs_drop_rport(struct fc_host *h, struct fc_rport *r);
void fc_sysfs_drop_lun(struct fc_rport *r, struct fc_lun *l);

#endif

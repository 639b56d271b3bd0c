/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VM's LUNs as devices of its libvirt domain: printed, or put into the domain's XML in the place of those
 * that were put there before.  What is ours is known by its alias, ua-vhba-..., or its id on QEMU's command
 * line, vhba-...  Pure.
 */
#ifndef VHBA_DEVXML_H
#define VHBA_DEVXML_H

#include <stdbool.h>
#include <stddef.h>

#include "verror.h"

enum devxml_via { VIA_SCSI, VIA_BLK, VIA_LUN, VIA_HOSTDEV, VIA_COUNT_ };

struct devxml_lun {
	unsigned number; /* the guest's: no two have the same */
	char path[128]; /* VIA_BLK: the back end's socket; VIA_LUN: the block device */
	unsigned host, channel, target, lun; /* VIA_HOSTDEV */
};

struct devxml {
	enum devxml_via via;
	char socket[128]; /* VIA_SCSI */
	struct devxml_lun *luns; /* the others */
	unsigned n;
};

/* "vhost-user-scsi" and so on; VIA_COUNT_: there is no such name. */
const char *devxml_name(enum devxml_via via);
enum devxml_via devxml_by_name(const char *name);

/* What is to be in the domain, as elements one after the other. The caller frees it; NULL: no memory. */
char *devxml_print(const struct devxml *d);

/* The domain's XML with it; NULL with *e. */
char *devxml_apply(const struct devxml *d, const char *domain, struct verror *e);

#endif

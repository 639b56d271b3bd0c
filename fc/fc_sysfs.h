/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the inventory's objects are read from sysfs. Inside fc/ only. */
#ifndef FC_SYSFS_H
#define FC_SYSFS_H

#include <stdbool.h>

#include "inventory.h"

/* The attributes of h->number; false when it is gone (or going). */
bool fc_sysfs_read_host(struct fc_host *h);

/* Its vports, rports and LUNs. */
void fc_sysfs_read_children(struct fc_host *h);

/* By what is in *l. */
bool fc_lun_is_usable(const struct fc_lun *l);

void fc_sysfs_drop_rports(struct fc_host *h);

#endif

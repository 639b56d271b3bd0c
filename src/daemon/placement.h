/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * On which parent a vhba's vport goes: Online, in the VSAN, below its vport limit, the fewest vports, and two
 * vhbas of one VM never on one parent when another would do.
 */
#ifndef VHBA_PLACEMENT_H
#define VHBA_PLACEMENT_H

#include "daemon.h"

/* Is the parent in the VSAN? If not, seen says in what it is. */
bool placement_in_vsan(const struct daemon *d, const struct fc_host *parent, const struct config_vsan *vsan,
		       char *seen, size_t size);

/* The VSAN that a parent was verified to be in; NULL: none that is configured. */
const struct config_vsan *placement_vsan(const struct daemon *d, const struct fc_host *parent);

/*
 * Fills parent_wwpn and parent_host of every vhba of the VM (and host, where its vport is there already).  0,
 * or a negative error: *e names for the first vhba that can't be placed every candidate and why not.
 */
int placement_choose(struct daemon *d, struct vm *vm, struct verror *e);

/* One vhba, of a VM that need not be in any list: its parent, beside those that the VM's others have. 0, or
 * -ENODEV. */
int placement_place(const struct daemon *d, const struct vm *vm, struct vm_vhba *v,
		    const struct config_vsan *vsan, struct verror *e);

/* Could waiting help: is there a parent that may yet come Online in the VSAN of each vhba? */
bool placement_may_change(struct daemon *d, const struct vm *vm);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disks that have lost their size.  Whoever closes a disk that it could write to makes udev have the kernel
 * look at it anew; while the vport is logged out after an abort that leaves the disk with a capacity of 0,
 * and nothing gives it back after the login.
 */
#ifndef VHBA_SIZES_H
#define VHBA_SIZES_H

#include "daemon.h"

/* The vhba is not ready: if a disk of it lacks its size it is read anew, and the VM's machine then woken. */
void sizes_look(struct daemon *d, struct vm_vhba *v);

/* Its targets are asked for their LUNs; what has come is told by events.  Asked for again meanwhile, once
 * more when that has ended, for all who did: each LUN tells that there are others. */
void sizes_scan(struct daemon *d, struct vm_vhba *v);

/*
 * The array has told of something new by a unit attention, which the host's kernel has kept for itself:
 * capacities of a VM with pools or an I/O back end are read anew, its pools have the LUNs that have come, and
 * the guest on a back end is told what has changed of that LUN.
 */
void sizes_attention(struct daemon *d, enum fc_attention attention, int host, const struct fc_part *part);

#endif

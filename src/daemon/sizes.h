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

/* The array has told of new capacities or LUNs on that host: those of a VM with pools are read anew. */
void sizes_attention(struct daemon *d, enum fc_attention attention, int host);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The folder that a pool takes its volumes' paths from: links to udev's names of the disks,
 * /dev/disk/by-npiv/INITIATOR- TARGET-lun-N, under the same names.  Since they lead to names and not to
 * nodes, a disk that goes takes its link's meaning along: it never leads to what has the node next.
 *
 * A LUN that is seen through several targets has one link: libvirt takes no volume twice, and its whole pool
 * fails over a second path (it knows a volume by the LUN's designator).  Any thread.
 */
#ifndef VHBA_LINKS_H
#define VHBA_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "verror.h"

#define LINK_NAME 72

struct pool_lun {
	uint64_t target, lun, size;
	char designator[257];
};

/*
 * The links' names for these LUNs, in their order: each LUN once, by its lowest target and number.  names has
 * room for n.  Returns how many; luns is sorted.
 */
unsigned links_choose(uint64_t initiator, struct pool_lun *luns, unsigned n, char (*names)[LINK_NAME]);

/* The folder has these and nothing else; it and the one above it are made. 0, or a negative errno with *e. */
int links_make(const char *dir, const char *by, char (*names)[LINK_NAME], unsigned n, struct verror *e);

/* The first of these in a folder that leads to no block device (udev has not made it yet); NULL: all do. */
const char *links_missing(const char *dir, char (*names)[LINK_NAME], unsigned n);

/* The folder with its links goes; nothing happens when there is none. */
void links_remove(const char *dir);

#endif

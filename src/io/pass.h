/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SCSI device of the host's as a unit: the guest sees the array's own LUN.
 *
 * READ and WRITE go to the sd node, with O_DIRECT, by io_uring. All other commands go to the sg node by
 *SG_IO, as they are; so does a READ or WRITE that failed, since only then the target's own status and sense
 *come along. What answers is always the target, but for these:
 *
 *	- a command that the path took away, or that was never sent, ends as repeat.h says;
 *	- a unit attention that this device raises itself (units that come and go, resets) goes before;
 *	- a reset ends the guest's own commands and is told to the guest; the LUN isn't reset, since others
 *use it too, and Linux lets only root do it.
 *
 * A unit attention of the target's that meets a READ or WRITE is taken by the host's sd, which then repeats
 * the command.
 */
#ifndef VHBA_IO_PASS_H
#define VHBA_IO_PASS_H

#include <stdint.h>

#include "unit.h"
#include "verror.h"

struct pass_config {
	int sd; /* the block device, opened with O_DIRECT */
	int sg; /* the same device's sg node */
	uint32_t block_size; /* logical, bytes: a power of two, 512..4096 */
	uint64_t size; /* bytes */
	const char *name; /* for the log; copied */
};

/* Both fds become the unit's. NULL: no memory, and they are still the caller's. */
struct unit *pass_new(const struct pass_config *);

/* Open the sd node and its sg node, which sysfs names. Returns 0, or -errno with *e said; then both are -1.
 */
int pass_open_path(const char *path, bool read_only, int *sd, int *sg, struct verror *e);

/*
 * Two descriptors as a unit, once they are seen to be of one device. Both become the unit's; NULL with *e
 * said, and they are still the caller's. Sends no command.
 */
struct unit *pass_open(int sd, int sg, const char *name, struct verror *e);

#endif

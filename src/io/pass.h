/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SCSI device of the host's as a unit: the guest sees the array's own LUN.
 *
 * READ and WRITE go to the sd node, with O_DIRECT, by io_uring. All other commands go as they are: to the bsg
 * node by io_uring, where that works (command.h), else to the sg node by SG_IO; and by SG_IO a READ or WRITE
 * that failed, since only then the target's own status and sense come along. What answers is always the
 * target, but for these:
 *
 *	- a command that the path took away, or that was never sent, ends as repeat.h says;
 *	- a unit attention that this device raises itself (units that come and go, resets) goes before;
 *	- a reset ends the guest's own commands and is told to the guest; the LUN isn't reset, since others
 * use it too, and Linux lets only root do it.
 *
 * With several paths to the LUN, a command goes by the best; when no target answers there, it goes by the
 * next one, unless it may have been executed and does harm when repeated.
 *
 * A unit attention of the target's that meets a READ or WRITE is taken by the host's sd, which then repeats
 * the command.
 */
#ifndef VHBA_IO_PASS_H
#define VHBA_IO_PASS_H

#include <stdint.h>

#include "path.h"
#include "unit.h"
#include "verror.h"

/*
 * Without any path it is absent: what the guest asks is BUSY, and no block size is needed. Otherwise: the
 * paths become the unit's, all with blocks of that size (bytes: a power of two, 512..4096). NULL: no
 * memory, and they are still the caller's.
 */
struct unit *pass_new(const struct paths *, uint32_t block_size, uint64_t bytes);

/*
 * The same, once the nodes of each are seen to be of one device, and all devices of one LUN. NULL with *e
 * said, and the paths are still the caller's.
 */
struct unit *pass_open(const struct paths *, struct verror *e);

#endif

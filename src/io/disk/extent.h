/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocks that a CDB speaks of (SPC-4, 4.2.2; SBC-3, 5): where READ, WRITE and their like have them. */
#ifndef VHBA_DISK_EXTENT_H
#define VHBA_DISK_EXTENT_H

#include <stdint.h>

struct extent {
	uint64_t lba, n;
};

struct extent extent_of(const uint8_t *cdb);

#endif

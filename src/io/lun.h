/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The logical units that a VM sees, by their number.
 *
 * A table never changes once it is shown to the workers; adding and removing make another one, and who made
 * it frees the old one and the unit when no worker has them any more.
 */
#ifndef VHBA_IO_LUN_H
#define VHBA_IO_LUN_H

#include <stdbool.h>
#include <stdint.h>

#include "latency.h"
#include "unit.h"

#define LUN_NUMBERS 256 /* 0..255: what peripheral device addressing has room for (SAM-5, 4.7.7.2) */

struct lun {
	uint16_t number;
	struct unit *unit;
	bool aligned; /* the file was opened with O_DIRECT: not any address will do */
	struct latency latency;
	bool direct_call; /* the file is memory: a call is sooner done than handed to io_uring */
};

struct lun_table {
	unsigned n;
	struct lun *lun[LUN_NUMBERS]; /* by number; NULL: none */
};

/* The unit becomes the LUN's. NULL: no memory, and it is still the caller's. */
struct lun *lun_new(uint16_t number, struct unit *);
void lun_free(struct lun *); /* and its unit */

/* A copy of the table (NULL: an empty one) with this LUN in place number; lun NULL: without one. */
struct lun_table *lun_table_with(const struct lun_table *, uint16_t number, struct lun *);

#endif

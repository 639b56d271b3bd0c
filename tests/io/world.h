/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A front end and a back end that found each other; LUNs 0 and 1 are there and ready. */
#ifndef VHBA_TESTS_WORLD_H
#define VHBA_TESTS_WORLD_H

#include "backend.h"
#include "front.h"

#define WORLD_MEMORY (16u << 20)

struct world {
	char folder[64];
	struct backend back;
	struct front front;
};

void world_begin_with(struct world *, struct backend_options, unsigned queues, unsigned size,
		      uint64_t features);
void world_begin(struct world *); /* 2 LUNs, 1 request queue of 128 */
void world_end(struct world *);

#endif

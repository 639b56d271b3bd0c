/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands of a guest that are always under way, on LUNs 0 and 1 and all request rings: each that ends is
 * begun anew, or repeated when it was BUSY. Writes and reads take turns, and what is read is compared.
 */
#ifndef VHBA_TESTS_LOAD_H
#define VHBA_TESTS_LOAD_H

#include "front.h"

#define LOAD 24

struct load {
	struct front_req req[LOAD];
	uint64_t out[LOAD], in[LOAD];
	bool writes[LOAD];
	unsigned ended, busy, failed;
};

void load_begin(struct front *, struct load *);

/* Take ends until so many more have come; what ended is begun again when more is set. */
void load_turn(struct front *, struct load *, unsigned ends, bool more);

/* Until all have ended; a test failure when one has failed. */
void load_end(struct front *, struct load *);

#endif

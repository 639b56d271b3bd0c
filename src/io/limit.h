/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much a VM may take of its storage: commands and bytes in a second. What it didn't take in the last
 * while it may catch up at once, so short bursts are not held up.
 *
 * A command is taken when all that was taken before is paid off by time, and is then charged for; so the
 * first one goes whatever its size. Any thread may call any function; without a limit none of them looks at
 * anything shared that changes.
 */
#ifndef VHBA_IO_LIMIT_H
#define VHBA_IO_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "monotime.h"

#define LIMIT_MAX UINT64_C(1000000000000) /* of each, in a second */

struct limit {
	uint64_t per_second; /* 0: none */
	_Atomic uint64_t paid; /* CLOCK_MONOTONIC, ns: when all that was taken is paid off */
};

struct limits {
	struct limit commands, bytes;
	uint64_t burst_us; /* as much as passes in that time may be caught up; at most 1 h */
};

static inline bool limits_set(const struct limits *l)
{
	return l->commands.per_second || l->bytes.per_second;
}

/* May the next command be taken? *when: else from then on. */
bool limits_pass(struct limits *, struct monotime now, struct monotime *when);

/* It was taken, with so much data. */
void limits_charge(struct limits *, struct monotime now, uint64_t bytes);

#endif

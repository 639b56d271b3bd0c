/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Monotonic time and deadlines.  A struct, so that a wall-clock value or a duration cannot be passed for a
 * point in time.  Durations are plain microseconds (uint64_t ..._us).  All functions are thread-safe.
 */
#ifndef VHBA_MONOTIME_H
#define VHBA_MONOTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A point in time on CLOCK_MONOTONIC, in microseconds. */
struct monotime {
	uint64_t us;
};

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)
#define MONOTIME_NEVER ((struct monotime){UINT64_MAX})

struct monotime mono_now(void);

/* Saturates at MONOTIME_NEVER. */
struct monotime mono_add(struct monotime t, uint64_t us);

/* later - earlier in microseconds; 0 when "later" is not later. */
uint64_t mono_since(struct monotime later, struct monotime earlier);

/* Microseconds left from now until t; 0 when it has passed. */
uint64_t mono_left(struct monotime t, struct monotime now);

static inline bool mono_reached(struct monotime t, struct monotime now)
{
	return now.us >= t.us;
}

static inline struct monotime mono_min(struct monotime a, struct monotime b)
{
	return a.us < b.us ? a : b;
}

/*
 * Parse a duration: a decimal number with an optional fraction and one of the units us, ms, s, m, h;
 * "500ms", "1.5s", "10s".  A number without a unit is refused, except 0.  Returns 0, -EINVAL or -ERANGE
 * (more than 24 h).
 */
int duration_parse(const char *s, uint64_t *us);

/* The same, printed: the largest unit that loses nothing ("1500ms", "2s"). Returns buf. */
const char *duration_format(uint64_t us, char *buf, size_t size);

#endif

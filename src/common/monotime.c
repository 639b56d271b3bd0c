/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "monotime.h"

static const struct {
	const char *name;
	uint64_t us;
} units[] = {
	{"h", 3600 * USEC_PER_SEC},
	{"m", 60 * USEC_PER_SEC},
	{"s", USEC_PER_SEC},
	{"ms", USEC_PER_MSEC},
	{"us", 1},
};

#define DURATION_MAX (24 * 3600 * USEC_PER_SEC)

struct monotime mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct monotime){(uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000};
}

struct monotime mono_add(struct monotime t, uint64_t us)
{
	return (struct monotime){us > UINT64_MAX - t.us ? UINT64_MAX : t.us + us};
}

uint64_t mono_since(struct monotime later, struct monotime earlier)
{
	return later.us > earlier.us ? later.us - earlier.us : 0;
}

uint64_t mono_left(struct monotime t, struct monotime now)
{
	return mono_since(t, now);
}

static int unit_find(const char *s, uint64_t *us)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!strcmp(s, units[i].name)) {
			*us = units[i].us;
			return 0;
		}
	}
	return -EINVAL;
}

int duration_parse(const char *s, uint64_t *us)
{
	uint64_t whole = 0, frac = 0, scale = 1, unit;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++) {
		if (whole > DURATION_MAX)
			return -ERANGE;
		whole = whole * 10 + (uint64_t)(*s - '0');
	}
	if (*s == '.') {
		if (!isdigit((unsigned char)*++s))
			return -EINVAL;
		for (; isdigit((unsigned char)*s); s++) {
			if (scale >= USEC_PER_SEC)
				continue; /* below a microsecond */
			frac = frac * 10 + (uint64_t)(*s - '0');
			scale *= 10;
		}
	}
	if (!*s && !whole && !frac) {
		*us = 0;
		return 0;
	}
	if (unit_find(s, &unit))
		return -EINVAL;
	if (whole > DURATION_MAX / unit)
		return -ERANGE;
	*us = whole * unit + frac * unit / scale;
	return *us > DURATION_MAX ? -ERANGE : 0;
}

const char *duration_format(uint64_t us, char *buf, size_t size)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && (!us || us % units[i].us))
		i++;
	if (!us)
		snprintf(buf, size, "0s");
	else
		snprintf(buf, size, "%" PRIu64 "%s", us / units[i].us, units[i].name);
	return buf;
}

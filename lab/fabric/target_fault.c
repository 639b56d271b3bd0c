/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults by command, and their end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target_private.h"

struct order {
	struct target *t;
	int argc;
	char **argv;
	uint64_t now_us;
};

static bool number(const char *text, int base, long max, long *n)
{
	char *end;

	errno = 0;
	*n = strtol(text, &end, base);
	return !errno && end != text && !*end && *n >= 0 && *n <= max;
}

/* The word at this place says how often; without it: for good. */
static bool times(const struct order *o, int at, long *n)
{
	if (o->argc > at)
		return number(o->argv[at], 10, 1000000000, n) && *n > 0;
	*n = -1;
	return true;
}

static bool fault_hang(struct order *o)
{
	if (o->argc != 1)
		return false;
	o->t->faults.hang = true;
	return true;
}

static bool fault_hang_all(struct order *o)
{
	if (o->argc != 1)
		return false;
	o->t->faults.hang = o->t->faults.hang_all = true;
	return true;
}

static bool fault_hold_writes(struct order *o)
{
	if (o->argc != 1)
		return false;
	o->t->faults.hold_writes = true;
	return true;
}

static bool fault_slow(struct order *o)
{
	long ms;

	if (o->argc != 2 || !number(o->argv[1], 10, 3600000, &ms) || !ms)
		return false;
	o->t->faults.slow_us = (uint64_t)ms * 1000;
	return true;
}

static bool fault_busy(struct order *o)
{
	return o->argc <= 2 && times(o, 1, &o->t->faults.busy);
}

static bool fault_check(struct order *o)
{
	long key, asc, ascq, n;

	if (o->argc < 4 || o->argc > 5 || !number(o->argv[1], 16, 0xf, &key) ||
	    !number(o->argv[2], 16, 0xff, &asc) || !number(o->argv[3], 16, 0xff, &ascq) || !times(o, 4, &n))
		return false;
	o->t->faults.key = (uint8_t)key;
	o->t->faults.asc = (uint8_t)asc;
	o->t->faults.ascq = (uint8_t)ascq;
	o->t->faults.check = n;
	return true;
}

static struct exchange *first_kept(struct target *t)
{
	struct exchange *e;

	TAILQ_FOREACH (e, &t->exchanges, link)
		if (e->state != EX_DATA)
			return e;
	return NULL;
}

/*
 * What was held goes on in the order in which it came; but not what has been aborted since, through another
 * port of the array or by one that was held before it.
 */
static bool fault_heal(struct order *o)
{
	struct target *t = o->t;
	struct exchange *e;

	if (o->argc != 1)
		return false;
	memset(&t->faults, 0, sizeof(t->faults));
	target_read_notices(t);
	while ((e = first_kept(t))) {
		if (e->state == EX_SLOW || e->received)
			exchange_execute(t, e);
		else
			exchange_begin(t, e, o->now_us); /* answered, or waits for its data */
		target_read_notices(t);
	}
	target_ask_data(t);
	return true;
}

static const struct {
	const char *name, *usage;
	bool (*set)(struct order *o);
} kinds[] = {
	{"hang", "hang", fault_hang},
	{"hang-all", "hang-all", fault_hang_all},
	{"slow", "slow MS", fault_slow},
	{"busy", "busy [N]", fault_busy},
	{"check", "check KEY ASC ASCQ [N], hexadecimal", fault_check},
	{"hold-writes", "hold-writes", fault_hold_writes},
	{"heal", "heal", fault_heal},
};

int target_fault(struct target *t, int argc, char **argv, uint64_t now_us, char *err, size_t err_size)
{
	struct order o = {t, argc, argv, now_us};

	for (size_t i = 0; argc > 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[0], kinds[i].name))
			continue;
		if (kinds[i].set(&o))
			return 0;
		snprintf(err, err_size, "expected: %s", kinds[i].usage);
		return -EINVAL;
	}
	snprintf(err, err_size, "expected hang, hang-all, slow, busy, check, hold-writes or heal");
	return -EINVAL;
}

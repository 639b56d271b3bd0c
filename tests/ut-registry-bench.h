/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the registry's tests share: changes that wait for the disk. */
#ifndef UT_REGISTRY_BENCH_H
#define UT_REGISTRY_BENCH_H

#include <poll.h>
#include <string.h>

#include "registry.h"

#define UUID_A "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define UUID_B "6ba7b811-9dad-11d1-80b4-00c04fd430c8"

struct told {
	int calls;
	bool good;
	struct verror error;
};

static inline void tell(void *arg, const struct verror *e)
{
	struct told *t = arg;

	t->calls++;
	t->good = !e;
	if (e)
		t->error = *e;
}

/* Dispatches until the change has been told. */
static inline bool settle(struct registry *r, struct told *t)
{
	struct pollfd p = {.fd = registry_fd(r), .events = POLLIN};

	for (int i = 0; !t->calls && i < 1000; i++) {
		poll(&p, 1, 10);
		registry_dispatch(r, mono_now());
	}
	return t->calls == 1 && t->good;
}

#endif

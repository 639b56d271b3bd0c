/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between pools.c, which keeps them, pools_show.c and pools_sync.c. Inside src/daemon/pools*.c only. */
#ifndef VHBA_POOLS_PRIVATE_H
#define VHBA_POOLS_PRIVATE_H

#include "pools.h"

enum pool_wanted { POOL_ABSENT, POOL_STOPPED, POOL_KEPT, POOL_RUNNING };

struct pool {
	TAILQ_ENTRY(pool) link;
	uint64_t wwpn;
	unsigned index;
	char uuid[37]; /* of the VM */
	char name[96];
	bool dirty;
	enum pool_wanted wanted;
	uint64_t serial; /* of the last order */
	uint64_t sync; /* how often a refresh was asked for */
	char *told; /* the last order without its number; NULL: not told */
	/* as reported */
	char state[16];
	char text[400];
	uint64_t volumes, serial_seen, sync_seen;
};

TAILQ_HEAD(pool_list, pool);
TAILQ_HEAD(sync_list, sync);

struct pools {
	struct daemon *d;
	struct pool_list list; /* in no order */
	struct call *serve; /* vhba-virt's; NULL: it is not connected */
	bool all; /* the registry is to be looked through */
	bool begin; /* serve is to be told that all have been told */
	struct json_object *others; /* as reported; NULL: none */
	struct work work;
	sd_event_source *timer; /* what is not settled is looked at again: no event tells when a path runs */
	struct sync_list syncs; /* callers of pool.Sync */
};

const char *pool_wanted_name(enum pool_wanted w);

/* What is wanted of it now. */
enum pool_wanted pool_wanted_now(struct daemon *d, const struct pool *p);

/* The order, without serial. */
struct json_object *pool_order(struct daemon *d, const struct pool *p);

/* Reply of pool.List for a VM, or for all (NULL). */
struct json_object *pools_show(struct pools *ps, const struct reg_vm *rv);

/* pools_sync.c: a report has come; the daemon ends (after vhba-priv's queue). */
void pools_synced(struct pools *ps);
void pools_end_syncs(struct pools *ps);

#endif

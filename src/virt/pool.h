/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An own pool: what is wanted of it, what libvirt has, and what is therefore to be done next.  Pure: it knows
 * no libvirt, no clock and no socket.  Loop thread only.
 */
#ifndef VHBA_POOL_H
#define VHBA_POOL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "links.h"
#include "lv.h"
#include "monotime.h"

#define POOL_LUNS_MAX 4096

enum pool_want { WANT_ABSENT, WANT_STOPPED, WANT_KEPT, WANT_RUNNING };
enum pool_step { STEP_NONE, STEP_LOOK, STEP_START, STEP_REFRESH, STEP_STOP, STEP_UNDEFINE, STEP_SERVE };

/* vhbad's order, man 7 vhba-proto, pool.Serve. */
struct pool_order {
	char name[80];
	uint64_t wwpn;
	enum pool_want want;
	int host; /* the vport's Scsi_Host; -1: none */
	bool settled;
	uint64_t serial, sync;
	unsigned n; /* links: each LUN once */
	char (*links)[LINK_NAME];
	char *key; /* the links with their sizes: differs when a refresh is due */
};

/* 0, or -EINVAL with *e. Cleared by pool_order_clear, also after a failure. */
int pool_order_read(struct json_object *o, struct pool_order *order, struct verror *e);
void pool_order_clear(struct pool_order *order);

struct pool {
	TAILQ_ENTRY(pool) link;
	struct pool_order order;
	bool told; /* by this connection to vhbad */
	enum pool_step step; /* under way */
	/* what libvirt has */
	enum lv_state seen;
	int seen_host, volumes;
	/* what was done last */
	char *key; /* of the last start or refresh that ended well */
	uint64_t sync;
	unsigned failures; /* in a row */
	struct monotime retry; /* not before */
	char text[400]; /* why it is not as wanted; "": it is */
	/* One that somebody has defined by hand runs on the same vport: libvirt takes no second one there. */
	bool hand_known; /* it has been looked for one, or that can't be done */
	char hand[POOL_UUID]; /* "": none */
	char *hand_key; /* of its last refresh from here that ended well */
	char *reported;
};

/* What to do now; STEP_NONE when nothing is, or when p->retry is to be waited for. */
enum pool_step pool_next(const struct pool *p, struct monotime now);

/* Which pool by hand runs on its vport now; NULL: none does. */
void pool_beside(struct pool *p, const char *uuid);

/* An order has come, taken over. */
void pool_take(struct pool *p, struct pool_order *order);

/*
 * A step has ended: with e, or NULL; seen is what libvirt has now (LV_UNKNOWN: it can't be told).  key and
 * sync are of the order that it was begun by; key is taken over.
 */
void pool_done(struct pool *p, enum pool_step step, const struct verror *e, enum lv_state seen, int host,
	       int volumes, char *key, uint64_t sync, struct monotime now);

/* "busy" and the like, for the report. */
const char *pool_state_name(const struct pool *p);

/* Its entry for pool.Report. */
struct json_object *pool_report(const struct pool *p);

void pool_free(struct pool *p);

#endif

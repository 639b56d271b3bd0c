/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "method.h"
#include "pool.h"

#define RETRY_US USEC_PER_SEC /* the first time; doubled up to */
#define RETRY_MAX_US (30 * USEC_PER_SEC)

/* ---- orders ---- */

static int refuse(struct verror *e, const char *what)
{
	verror_set(e, VHBA_E_USAGE, "vhbad's order of a pool is malformed: %s", what);
	return -EINVAL;
}

static int read_want(const char *text, enum pool_want *want)
{
	static const char *const names[] = {"absent", "stopped", "kept", "running"};

	for (unsigned i = 0; text && i < ARRAY_SIZE(names); i++)
		if (!strcmp(text, names[i]))
			return *want = (enum pool_want)i, 0;
	return -EINVAL;
}

static int read_lun(struct json_object *o, struct pool_lun *l)
{
	const char *target = proto_get_text(o, "target"), *designator = proto_get_text(o, "designator");

	if (!target || proto_wwn_parse(target, &l->target))
		return -EINVAL;
	l->lun = proto_get_uint(o, "lun", 0);
	l->size = proto_get_uint(o, "size", 0);
	snprintf(l->designator, sizeof(l->designator), "%s", designator ? designator : "");
	return 0;
}

/* A size is the LUN's, whichever of its paths shows it. */
static char *write_key(const struct pool_order *order, const struct pool_lun *luns, unsigned n)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "host%d", order->host);
	for (unsigned i = 0; i < order->n; i++)
		fprintf(f, " %s", order->links[i]);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, " %" PRIu64, luns[i].size);
	return fclose(f) ? NULL : text;
}

static int read_luns(struct json_object *list, struct pool_order *order, struct verror *e)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	AUTO_FREE struct pool_lun *luns = calloc(n + 1, sizeof(*luns));

	if (n > POOL_LUNS_MAX)
		return refuse(e, "too many LUNs");
	order->links = calloc(n + 1, sizeof(*order->links));
	for (size_t i = 0; luns && i < n; i++)
		if (read_lun(json_object_array_get_idx(list, i), &luns[i]))
			return refuse(e, "a LUN");
	if (luns && order->links) {
		order->n = links_choose(order->wwpn, luns, (unsigned)n, order->links);
		order->key = write_key(order, luns, (unsigned)n);
	}
	return order->key ? 0 : verror_set(e, VHBA_E_INTERNAL, "out of memory");
}

int pool_order_read(struct json_object *o, struct pool_order *order, struct verror *e)
{
	const char *name = proto_get_text(o, "name"), *wwpn = proto_get_text(o, "wwpn"),
		   *host = proto_get_text(o, "host");

	*order = (struct pool_order){.host = -1};
	if (!name || !name[0] || strlen(name) >= sizeof(order->name) ||
	    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+@:-")])
		return refuse(e, "name");
	if (!wwpn || proto_wwn_parse(wwpn, &order->wwpn))
		return refuse(e, "WWPN");
	if (read_want(proto_get_text(o, "wanted"), &order->want))
		return refuse(e, "what is wanted");
	if (host && (sscanf(host, "host%d", &order->host) != 1 || order->host < 0))
		return refuse(e, "host");
	strcpy(order->name, name);
	order->settled = proto_get_bool(o, "settled");
	order->serial = proto_get_uint(o, "serial", 0);
	order->sync = proto_get_uint(o, "sync", 0);
	return read_luns(proto_get(o, "luns"), order, e);
}

void pool_order_clear(struct pool_order *order)
{
	free(order->links);
	free(order->key);
	*order = (struct pool_order){.host = -1};
}

/* ---- what is next ---- */

static bool differs(const struct pool *p, const char *key)
{
	return p->order.settled && (!key || strcmp(key, p->order.key) || p->sync != p->order.sync);
}

static bool stale(const struct pool *p)
{
	return differs(p, p->key);
}

/* Nothing but refreshed: its owner has started it, and stopping it may delete the vport. */
static enum pool_step serve(const struct pool *p)
{
	return differs(p, p->hand_key) ? STEP_SERVE : STEP_NONE;
}

/* An adapter that is another host's would show another vport's LUNs, or none. */
static bool elsewhere(const struct pool *p)
{
	return p->seen_host != p->order.host;
}

enum pool_step pool_next(const struct pool *p, struct monotime now)
{
	bool running = p->seen == LV_RUNNING;

	if (p->step != STEP_NONE || !mono_reached(p->retry, now))
		return STEP_NONE;
	if (p->seen == LV_UNKNOWN)
		return STEP_LOOK;
	switch (p->order.want) {
	case WANT_ABSENT:
		return running ? STEP_STOP : p->seen == LV_STOPPED ? STEP_UNDEFINE : STEP_NONE;
	case WANT_STOPPED:
		return running ? STEP_STOP : STEP_NONE;
	case WANT_KEPT:
		if (!running)
			return p->hand[0] ? serve(p) : STEP_NONE;
		return elsewhere(p) ? STEP_STOP : stale(p) ? STEP_REFRESH : STEP_NONE;
	case WANT_RUNNING:
		if (!running)
			return p->hand[0] ? serve(p) : STEP_START;
		return elsewhere(p) ? STEP_STOP : stale(p) ? STEP_REFRESH : STEP_NONE;
	}
	return STEP_NONE;
}

void pool_beside(struct pool *p, const char *uuid)
{
	p->hand_known = true;
	if (uuid && !strcmp(p->hand, uuid))
		return;
	snprintf(p->hand, sizeof(p->hand), "%s", uuid ? uuid : "");
	free(steal_ptr(p->hand_key));
	p->retry = (struct monotime){0}; /* what it was in the way of may do now */
	p->failures = 0;
}

/* What has failed for an earlier order may do at once for this one. */
void pool_take(struct pool *p, struct pool_order *order)
{
	pool_order_clear(&p->order);
	p->order = *order;
	*order = (struct pool_order){0};
	p->told = true;
	p->failures = 0;
	p->retry = (struct monotime){0};
	p->text[0] = '\0';
}

static void retry_later(struct pool *p, struct monotime now)
{
	uint64_t us = RETRY_US << (p->failures < 5 ? p->failures : 5);

	p->failures++;
	p->retry = mono_add(now, us < RETRY_MAX_US ? us : RETRY_MAX_US);
}

void pool_done(struct pool *p, enum pool_step step, const struct verror *e, enum lv_state seen, int host,
	       int volumes, char *key, uint64_t sync, struct monotime now)
{
	bool listed = step == STEP_START || step == STEP_REFRESH;

	p->step = STEP_NONE;
	p->seen = seen;
	p->seen_host = host;
	p->volumes = volumes;
	if (!e && (listed || step == STEP_SERVE)) {
		char **kept = listed ? &p->key : &p->hand_key;

		free(*kept);
		*kept = steal_ptr(key);
		p->sync = sync;
	}
	free(key);
	if (seen != LV_RUNNING)
		free(steal_ptr(p->key));
	p->text[0] = '\0';
	if (e) {
		verror_line(e, p->text, sizeof(p->text));
		retry_later(p, now);
	} else if (seen == LV_RUNNING && (unsigned)volumes < p->order.n) {
		snprintf(p->text, sizeof(p->text), "libvirt lists %d of %u volumes", volumes, p->order.n);
		free(steal_ptr(p->key)); /* to be refreshed once more */
		if (listed)
			retry_later(p, now);
	} else {
		p->failures = 0;
		if (p->hand[0] && seen != LV_RUNNING && p->order.want >= WANT_KEPT)
			snprintf(p->text, sizeof(p->text),
				 "a pool that was defined by hand runs on its vport, and is refreshed in its "
				 "place");
	}
}

/* ---- its report ---- */

const char *pool_state_name(const struct pool *p)
{
	static const char *const names[] = {"unknown", "absent", "stopped", "running"};

	if (p->step == STEP_START || p->step == STEP_UNDEFINE)
		return "busy";
	return names[p->seen];
}

struct json_object *pool_report(const struct pool *p)
{
	struct json_object *o = json_object_new_object();
	char wwpn[24];

	json_object_object_add(o, "wwpn", json_object_new_string(proto_wwn_format(p->order.wwpn, wwpn)));
	json_object_object_add(o, "state", json_object_new_string(pool_state_name(p)));
	json_object_object_add(o, "serial", json_object_new_uint64(p->order.serial));
	json_object_object_add(o, "sync", json_object_new_uint64(p->sync));
	if (p->seen == LV_RUNNING)
		json_object_object_add(o, "volumes", json_object_new_int(p->volumes));
	if (p->text[0])
		json_object_object_add(o, "text", json_object_new_string(p->text));
	return o;
}

void pool_free(struct pool *p)
{
	pool_order_clear(&p->order);
	free(p->key);
	free(p->hand_key);
	free(p->reported);
	free(p);
}

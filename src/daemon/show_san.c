/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A vhba's targets and LUNs as JSON: what is there now, and what is expected and is not. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "methods.h"
#include "result.h"

#define ADD(o, key, value) json_object_object_add(o, key, value)
#define TEXT(s) json_object_new_string(s)
#define UINT(n) json_object_new_uint64(n)

/* ---- targets ---- */

static struct json_object *target_object(wwn_t wwpn, const char *state)
{
	struct json_object *o = json_object_new_object();

	result_add_wwn(o, "wwpn", wwpn);
	ADD(o, "state", TEXT(state));
	return o;
}

static struct json_object *seen_target(const struct fc_host *host, const struct fc_rport *r)
{
	char state[32], text[16];
	struct json_object *o;

	if (fc_rport_read_state(host, r, state, sizeof(state)))
		snprintf(state, sizeof(state), "gone");
	o = target_object(r->wwpn, state);
	snprintf(text, sizeof(text), "%06" PRIx32, r->port_id);
	if (r->port_id)
		ADD(o, "port_id", TEXT(text));
	snprintf(text, sizeof(text), "%d", r->fast_io_fail);
	ADD(o, "fast_io_fail_tmo", TEXT(r->fast_io_fail < 0 ? "off" : text));
	if (r->dev_loss >= 0)
		ADD(o, "dev_loss_tmo", UINT((uint64_t)r->dev_loss));
	return o;
}

struct json_object *show_targets(const struct fc_host *host)
{
	struct json_object *list = json_object_new_array();
	const struct fc_rport *r;

	if (host)
		fc_host_refresh_rports((struct fc_host *)host);
	if (host)
		TAILQ_FOREACH (r, &host->rports, link)
			if (r->is_target)
				json_object_array_add(list, seen_target(host, r));
	return list;
}

/* The zone of the vhba that expects it; NULL: none. */
static const struct config_zone *zone_of(const struct daemon *d, const struct reg_vhba *v, wwn_t target)
{
	const char *pos = v->zones;
	char zone[REG_NAME_MAX];

	while (registry_next_zone(&pos, zone)) {
		const struct config_zone *z = config_zone(d->cfg, zone);

		for (unsigned i = 0; z && i < z->count; i++)
			if (z->targets[i] == target)
				return z;
	}
	return NULL;
}

static void add_missing_targets(const struct daemon *d, const struct reg_vhba *v, const struct fc_host *host,
				struct json_object *list)
{
	const char *pos = v->zones;
	char zone[REG_NAME_MAX];

	while (registry_next_zone(&pos, zone)) {
		const struct config_zone *z = config_zone(d->cfg, zone);

		for (unsigned i = 0; z && i < z->count; i++) {
			const struct fc_rport *r = host ? fc_rport_find(host, z->targets[i]) : NULL;
			struct json_object *o;

			if (r && r->is_target)
				continue;
			o = target_object(z->targets[i], "missing");
			ADD(o, "zone", TEXT(z->name));
			json_object_array_add(list, o);
		}
	}
}

struct json_object *show_vhba_targets(const struct daemon *d, const struct reg_vhba *v,
				      const struct fc_host *host)
{
	struct json_object *list = json_object_new_array();
	const struct config_zone *z;
	const struct fc_rport *r;

	if (host) {
		fc_host_refresh_rports((struct fc_host *)host);
		TAILQ_FOREACH (r, &host->rports, link) {
			struct json_object *o;

			if (!r->is_target)
				continue;
			o = seen_target(host, r);
			z = zone_of(d, v, r->wwpn);
			if (z)
				ADD(o, "zone", TEXT(z->name));
			json_object_array_add(list, o);
		}
	}
	add_missing_targets(d, v, host, list);
	return list;
}

/* ---- LUNs ---- */

static struct json_object *lun_object(const char *vm, unsigned index, wwn_t target, uint64_t lun,
				      const char *designator, uint64_t size, const char *state, bool usable)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "vm", TEXT(vm));
	ADD(o, "index", UINT(index));
	ADD(o, "designator", TEXT(designator));
	ADD(o, "lun", UINT(lun));
	result_add_wwn(o, "target", target);
	ADD(o, "size", UINT(size));
	ADD(o, "state", TEXT(state));
	ADD(o, "usable", json_object_new_boolean(usable));
	return o;
}

static const struct reg_lun *expected(const struct reg_vhba *v, wwn_t target, const struct fc_lun *l)
{
	for (unsigned i = 0; i < v->luns_n; i++)
		if (v->luns[i].lun == l->lun && v->luns[i].target == target &&
		    !strcmp(v->luns[i].designator, l->designator))
			return &v->luns[i];
	return NULL;
}

static struct json_object *seen_lun(const char *vm, const struct reg_vhba *v, const struct fc_host *host,
				    const struct fc_rport *r, struct fc_lun *l)
{
	struct json_object *o;
	uint64_t busy;
	char text[64];

	fc_lun_refresh_state(host, l);
	o = lun_object(vm, v->index, r->wwpn, l->lun, l->designator, l->size, l->state, l->usable);
	snprintf(text, sizeof(text), "%d:%u:%u:%" PRIu64, host->number, l->channel, l->target, l->lun);
	ADD(o, "hctl", TEXT(text));
	if (l->sd[0])
		ADD(o, "sd", TEXT(l->sd));
	if (l->sg[0])
		ADD(o, "sg", TEXT(l->sg));
	if (!fc_lun_read_busy(host, l, &busy))
		ADD(o, "inflight", UINT(busy));
	if (v->known)
		ADD(o, "expected", json_object_new_boolean(expected(v, r->wwpn, l) != NULL));
	return o;
}

static bool is_seen(const struct fc_host *host, const struct reg_lun *want)
{
	const struct fc_rport *r = host ? fc_rport_find(host, want->target) : NULL;
	const struct fc_lun *l;

	if (!r)
		return false;
	TAILQ_FOREACH (l, &r->luns, link)
		if (l->lun == want->lun && !strcmp(l->designator, want->designator))
			return true;
	return false;
}

void show_luns(const char *vm, const struct reg_vhba *v, const struct fc_host *host, struct json_object *list)
{
	const struct fc_rport *r;
	struct fc_lun *l;

	if (host)
		TAILQ_FOREACH (r, &host->rports, link)
			TAILQ_FOREACH (l, &r->luns, link)
				json_object_array_add(list, seen_lun(vm, v, host, r, l));
	for (unsigned i = 0; i < v->luns_n; i++) {
		const struct reg_lun *want = &v->luns[i];
		struct json_object *o;

		if (is_seen(host, want))
			continue;
		o = lun_object(vm, v->index, want->target, want->lun, want->designator, want->size, "missing",
			       false);
		ADD(o, "expected", json_object_new_boolean(true));
		json_object_array_add(list, o);
	}
}

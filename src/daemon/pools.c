/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "methods.h"
#include "op.h"
#include "pools_private.h"

#define SETTLE_US (2 * USEC_PER_SEC) /* between two looks at paths that are blocked */

static struct pool *find(const struct pools *ps, uint64_t wwpn)
{
	struct pool *p;

	TAILQ_FOREACH (p, &ps->list, link)
		if (p->wwpn == wwpn)
			return p;
	return NULL;
}

static void drop(struct pools *ps, struct pool *p)
{
	TAILQ_REMOVE(&ps->list, p, link);
	free(p->told);
	free(p);
}

/* ---- what is wanted ---- */

static void add(struct pools *ps, const struct reg_vm *rv, const struct reg_vhba *v)
{
	struct pool *p = find(ps, v->wwpn);

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return;
		p->wwpn = v->wwpn;
		snprintf(p->state, sizeof(p->state), "unknown");
		TAILQ_INSERT_TAIL(&ps->list, p, link);
	}
	p->index = v->index;
	snprintf(p->uuid, sizeof(p->uuid), "%s", rv->uuid);
	snprintf(p->name, sizeof(p->name), "vhba-%s-%u", rv->name, v->index);
}

/* Those that the registry has; what it has no more is wanted absent, until it is. */
static void look_through(struct pools *ps)
{
	const struct reg_vm *rv;
	struct pool *p;

	ps->all = false;
	TAILQ_FOREACH (rv, registry_vms(ps->d->reg), link)
		for (unsigned i = 0; rv->pool && i < rv->vhbas_n; i++)
			add(ps, rv, &rv->vhbas[i]);
	TAILQ_FOREACH (p, &ps->list, link)
		p->dirty = true;
}

/* Told once more only when it differs. */
static void tell(struct pools *ps, struct pool *p)
{
	struct json_object *o, *part;
	const char *text;

	p->dirty = false;
	p->wanted = pool_wanted_now(ps->d, p);
	if (!ps->serve)
		return;
	o = pool_order(ps->d, p);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	if (p->told && !strcmp(p->told, text)) {
		json_object_put(o);
		return;
	}
	free(p->told);
	p->told = strdup(text);
	json_object_object_add(o, "serial", json_object_new_uint64(++p->serial));
	part = json_object_new_object();
	json_object_object_add(part, "pool", o);
	call_part(ps->serve, part);
}

static bool over(const struct pools *ps, const struct pool *p)
{
	const struct reg_vm *rv = registry_find(ps->d->reg, p->uuid);

	for (unsigned i = 0; rv && rv->pool && i < rv->vhbas_n; i++)
		if (rv->vhbas[i].wwpn == p->wwpn)
			return false;
	return !strcmp(p->state, "absent") || !ps->serve;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *user)
{
	struct pools *ps = user;
	struct pool *p;

	(void)s;
	(void)usec;
	TAILQ_FOREACH (p, &ps->list, link)
		p->dirty |= p->wanted == POOL_KEPT;
	work_queue(&ps->d->works, &ps->work);
	return 0;
}

static void run(struct work *w)
{
	struct pools *ps = (struct pools *)((char *)w - offsetof(struct pools, work));
	struct pool *p, *next;
	bool kept = false;

	if (ps->all)
		look_through(ps);
	for (p = TAILQ_FIRST(&ps->list); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->dirty)
			tell(ps, p);
		kept |= p->wanted == POOL_KEPT;
		if (over(ps, p))
			drop(ps, p);
	}
	if (ps->begin && ps->serve) {
		struct json_object *part = json_object_new_object();

		ps->begin = false;
		json_object_object_add(part, "complete", json_object_new_boolean(true));
		call_part(ps->serve, part);
	}
	daemon_timer(ps->d, &ps->timer, kept && ps->serve ? mono_add(mono_now(), SETTLE_US) : MONOTIME_NEVER,
		     on_timer, ps);
}

void pools_look(struct daemon *d, const char *uuid)
{
	struct pools *ps = d->pools;
	struct pool *p;

	if (!ps)
		return;
	ps->all |= !uuid;
	TAILQ_FOREACH (p, &ps->list, link)
		p->dirty |= uuid && !strcmp(p->uuid, uuid);
	work_queue(&d->works, &ps->work);
}

bool pools_stopped(struct daemon *d, const struct vm *vm)
{
	struct pool *p;
	bool stopped = true;

	TAILQ_FOREACH (p, &d->pools->list, link) {
		if (strcmp(p->uuid, vm->uuid))
			continue;
		tell(d->pools, p);
		stopped &= p->serial_seen == p->serial &&
			   (!strcmp(p->state, "stopped") || !strcmp(p->state, "absent"));
	}
	return stopped;
}

bool pools_served(const struct daemon *d)
{
	return d->pools && d->pools->serve;
}

/* ---- vhba-virt ---- */

/* uuid NULL: of any VM. */
static void wake(struct pools *ps, const char *uuid)
{
	struct op *op, *next;

	for (op = TAILQ_FIRST(&ps->d->ops); op; op = next) {
		next = TAILQ_NEXT(op, link);
		if (op->waits_for_pools && (!uuid || !strcmp(op->vm->uuid, uuid)))
			op_pools_news(op);
	}
}

static void on_gone(void *user)
{
	struct pools *ps = user;
	struct call *call = steal_ptr(ps->serve);
	struct pool *p;

	log_notice("vhba-virt is gone: libvirt's pools stay as they are");
	call_reply(call, NULL);
	TAILQ_FOREACH (p, &ps->list, link) {
		free(steal_ptr(p->told));
		snprintf(p->state, sizeof(p->state), "unknown");
	}
	wake(ps, NULL);
}

void method_pool_serve(struct daemon *d, struct call *call, struct json_object *p)
{
	struct pools *ps = d->pools;
	struct verror e;

	(void)p;
	if (!call_wants_more(call)) {
		verror_set(&e, VHBA_E_USAGE, "pool.Serve is for callers that stay");
		verror_expected(&e, "\"more\"");
		call_error(call, &e);
		return;
	}
	if (ps->serve) {
		verror_set(&e, VHBA_E_BUSY, "another vhba-virt is connected");
		call_error(call, &e);
		return;
	}
	log_notice("vhba-virt is connected");
	ps->serve = call;
	ps->begin = true;
	call_on_gone(call, on_gone, ps);
	pools_look(d, NULL);
}

static void take(struct pools *ps, struct json_object *in)
{
	const char *state = proto_get_text(in, "state"), *text = proto_get_text(in, "text");
	const struct reg_vm *rv;
	struct pool *p;
	uint64_t wwpn;

	if (proto_wwn_parse(proto_get_text(in, "wwpn"), &wwpn) || !(p = find(ps, wwpn)))
		return;
	rv = registry_find(ps->d->reg, p->uuid);
	if (strcmp(p->state, state) || strcmp(p->text, text ? text : ""))
		daemon_event(ps->d, "pool", rv ? rv->name : NULL, "%s is %s%s%.300s", p->name, state,
			     text ? ": " : "", text ? text : "");
	snprintf(p->state, sizeof(p->state), "%s", state);
	snprintf(p->text, sizeof(p->text), "%s", text ? text : "");
	p->volumes = proto_get_uint(in, "volumes", 0);
	p->serial_seen = proto_get_uint(in, "serial", 0);
	p->sync_seen = proto_get_uint(in, "sync", 0);
	wake(ps, p->uuid);
}

void method_pool_report(struct daemon *d, struct call *call, struct json_object *p)
{
	struct json_object *own = proto_get(p, "pools"), *others = proto_get(p, "others");
	struct pools *ps = d->pools;

	if (others) {
		json_object_put(ps->others);
		ps->others = json_object_get(others);
	}
	for (size_t i = 0; own && i < json_object_array_length(own); i++)
		take(ps, json_object_array_get_idx(own, i));
	work_queue(&d->works, &ps->work); /* one that has gone is forgotten */
	pools_synced(ps);
	call_reply(call, NULL);
}

void method_pool_list(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = proto_get(p, "vm") ? methods_vm(d, p, &e) : NULL;

	if (proto_get(p, "vm") && !rv)
		call_error(call, &e);
	else
		call_reply(call, pools_show(d->pools, rv));
}

/* ---- their life ---- */

struct pools *pools_new(struct daemon *d)
{
	struct pools *ps = calloc(1, sizeof(*ps));

	if (!ps)
		return NULL;
	ps->d = d;
	ps->all = true;
	ps->work.fn = run;
	TAILQ_INIT(&ps->list);
	TAILQ_INIT(&ps->syncs);
	return ps;
}

void pools_free(struct pools *ps)
{
	if (!ps)
		return;
	pools_end_syncs(ps);
	if (ps->serve) {
		call_on_gone(ps->serve, NULL, NULL);
		call_reply(ps->serve, NULL);
	}
	while (!TAILQ_EMPTY(&ps->list))
		drop(ps, TAILQ_FIRST(&ps->list));
	work_cancel(&ps->d->works, &ps->work);
	sd_event_source_disable_unref(ps->timer);
	json_object_put(ps->others);
	free(ps);
}

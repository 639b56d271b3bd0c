/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool.Sync: the kernel looks for LUNs and reads all sizes anew, then vhba-virt refreshes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "methods.h"
#include "pools_private.h"
#include "privq.h"

#define SYNC_US (25 * USEC_PER_SEC) /* the default deadline */

struct sync {
	TAILQ_ENTRY(sync) link;
	struct pools *ps;
	struct call *call; /* NULL: answered */
	char uuid[37]; /* of the VM; "": of all */
	struct monotime by;
	unsigned reading; /* requests to vhba-priv that have not been answered */
	sd_event_source *timer;
};

struct reading {
	struct sync *s;
	int host;
};

static bool concerns(const struct sync *s, const struct pool *p)
{
	return !s->uuid[0] || !strcmp(s->uuid, p->uuid);
}

static void answer(struct sync *s, const struct verror *e)
{
	struct call *call = steal_ptr(s->call);

	sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	if (e)
		call_error(call, e);
	else
		call_reply(call,
			   pools_show(s->ps, s->uuid[0] ? registry_find(s->ps->d->reg, s->uuid) : NULL));
}

/* What was asked of vhba-priv is waited for also when the caller has its answer. */
static void drop_if_over(struct sync *s)
{
	if (s->call || s->reading)
		return;
	TAILQ_REMOVE(&s->ps->syncs, s, link);
	sd_event_source_disable_unref(s->timer);
	free(s);
}

static const struct pool *awaited(const struct sync *s)
{
	const struct pool *p;

	TAILQ_FOREACH (p, &s->ps->list, link)
		if (concerns(s, p) && p->wanted == POOL_RUNNING && p->sync_seen < p->sync)
			return p;
	return NULL;
}

static void look(struct sync *s)
{
	if (s->call && !s->reading && (!s->ps->serve || !awaited(s)))
		answer(s, NULL);
	drop_if_over(s);
}

void pools_synced(struct pools *ps)
{
	struct sync *s, *next;

	for (s = TAILQ_FIRST(&ps->syncs); s; s = next) {
		next = TAILQ_NEXT(s, link);
		look(s);
	}
}

static int on_late(sd_event_source *source, uint64_t usec, void *user)
{
	struct sync *s = user;
	const struct pool *p = awaited(s);
	struct verror e;

	(void)source;
	(void)usec;
	verror_set(&e, VHBA_E_DEADLINE, "not all pools have been refreshed in time");
	if (s->reading)
		verror_seen(&e, "the kernel still looks for LUNs");
	else if (p)
		verror_seen(&e, "%s is %s%s%.80s", p->name, p->state, p->text[0] ? ": " : "", p->text);
	verror_fix(&e, "it goes on: see 'vhbactl pool list'");
	answer(s, &e);
	drop_if_over(s);
	return 0;
}

static void begin_refresh(struct sync *s)
{
	struct pool *p;

	TAILQ_FOREACH (p, &s->ps->list, link) {
		if (!concerns(s, p))
			continue;
		p->sync++;
		p->dirty = true;
	}
	work_queue(&s->ps->d->works, &s->ps->work);
	look(s);
}

static void on_read(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct reading *one = user;
	struct sync *s = one->s;

	(void)r;
	watch_refresh(s->ps->d, one->host);
	if (!--s->reading)
		begin_refresh(s);
}

static void read_host(struct sync *s, int host, uint32_t verb)
{
	struct priv_request q = {.verb = verb, .host = host, .number = 1};
	struct reading *one = calloc(1, sizeof(*one));

	if (!one)
		return;
	one->s = s;
	one->host = host;
	s->reading++;
	privq_call(s->ps->d->privq, &q, mono_left(s->by, mono_now()), on_read, one);
}

static void begin(struct sync *s)
{
	const struct pool *p;

	TAILQ_FOREACH (p, &s->ps->list, link) {
		const struct vm_vhba *v = vm_find_wwpn(&s->ps->d->vms, p->wwpn, NULL);

		if (!concerns(s, p) || !v || v->host < 0 || pool_wanted_now(s->ps->d, p) < POOL_KEPT)
			continue;
		read_host(s, v->host, PRIV_SCAN);
		read_host(s, v->host, PRIV_READ_SIZES);
	}
	if (!s->reading)
		begin_refresh(s);
}

void method_pool_sync(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = proto_get(p, "vm") ? methods_vm(d, p, &e) : NULL;
	struct sync *s = NULL;

	if (proto_get(p, "vm") && !rv) {
		call_error(call, &e);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		verror_set(&e, VHBA_E_INTERNAL, "out of memory");
		call_error(call, &e);
		return;
	}
	s->ps = d->pools;
	s->call = call;
	snprintf(s->uuid, sizeof(s->uuid), "%s", rv ? rv->uuid : "");
	s->by = mono_add(mono_now(), proto_get_uint(p, "deadline_us", SYNC_US));
	TAILQ_INSERT_TAIL(&d->pools->syncs, s, link);
	daemon_timer(d, &s->timer, s->by, on_late, s);
	begin(s);
}

void pools_end_syncs(struct pools *ps)
{
	struct sync *s;

	while ((s = TAILQ_FIRST(&ps->syncs))) {
		TAILQ_REMOVE(&ps->syncs, s, link);
		call_reply(s->call, NULL);
		sd_event_source_disable_unref(s->timer);
		free(s);
	}
}

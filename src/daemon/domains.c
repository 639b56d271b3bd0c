/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "domains.h"
#include "log.h"
#include "methods.h"

#define ANSWER_US (25 * USEC_PER_SEC) /* libvirt may block for longer than anybody waits */

/* An order that vhba-virt has not done yet. */
struct order {
	TAILQ_ENTRY(order) link;
	struct domains *ds;
	uint64_t serial;
	struct call *call;
	sd_event_source *timer; /* NULL: it ends when it ends */
};

TAILQ_HEAD(order_list, order);

struct domains {
	struct daemon *d;
	struct call *serve; /* vhba-virt's; NULL: it is not connected */
	uint64_t serial; /* of the last order */
	struct order_list orders;
};

static struct order *find(struct domains *ds, uint64_t serial)
{
	struct order *o;

	TAILQ_FOREACH (o, &ds->orders, link)
		if (o->serial == serial)
			return o;
	return NULL;
}

/* Either the one or the other. */
static void end(struct order *o, struct json_object *reply, const struct verror *e)
{
	TAILQ_REMOVE(&o->ds->orders, o, link);
	sd_event_source_disable_unref(o->timer);
	call_on_gone(o->call, NULL, NULL);
	if (e)
		call_error(o->call, e);
	else
		call_reply(o->call, reply);
	free(o);
}

static void tell(struct domains *ds, uint64_t serial, const char *verb, struct json_object *parameters)
{
	struct json_object *part = json_object_new_object(), *o = json_object_new_object();

	json_object_object_add(o, "serial", json_object_new_uint64(serial));
	json_object_object_add(o, "verb", json_object_new_string(verb));
	if (parameters)
		json_object_object_add(o, "parameters", json_object_get(parameters));
	json_object_object_add(part, "order", o);
	call_part(ds->serve, part);
}

static int on_late(sd_event_source *s, uint64_t usec, void *user)
{
	struct verror e;

	(void)s;
	(void)usec;
	verror_set(&e, VHBA_E_DEADLINE, "libvirt has not answered in time");
	verror_fix(&e, "it goes on there: see whether 'virsh list' answers");
	end(user, NULL, &e);
	return 0;
}

/* What libvirt has begun for a caller who has gone is taken back, as with virsh. */
static void on_caller_gone(void *user)
{
	struct order *o = user;

	if (o->ds->serve)
		tell(o->ds, o->serial, "cancel", NULL);
}

/* lasts: as long as it takes, and until the caller goes. */
static void order(struct daemon *d, struct call *call, const char *verb, struct json_object *p, bool lasts)
{
	struct domains *ds = d->domains;
	struct order *o = ds->serve ? calloc(1, sizeof(*o)) : NULL;
	struct verror e;

	if (!o) {
		verror_set(&e, VHBA_E_STATE, "libvirt can't be asked");
		verror_expected(&e, "vhba-virt connected to vhbad");
		verror_fix(&e, "systemctl start vhba-virt");
		call_error(call, &e);
		return;
	}
	o->ds = ds;
	o->serial = ++ds->serial;
	o->call = call;
	TAILQ_INSERT_TAIL(&ds->orders, o, link);
	if (lasts)
		call_on_gone(call, on_caller_gone, o);
	else
		daemon_timer(d, &o->timer, mono_add(mono_now(), ANSWER_US), on_late, o);
	tell(ds, o->serial, verb, p);
}

void method_domain_list(struct daemon *d, struct call *call, struct json_object *p)
{
	order(d, call, "domain.List", p, false);
}

void method_domain_show(struct daemon *d, struct call *call, struct json_object *p)
{
	order(d, call, "domain.Show", p, false);
}

void method_domain_bind(struct daemon *d, struct call *call, struct json_object *p)
{
	order(d, call, "domain.Bind", p, false);
}

void method_domain_unbind(struct daemon *d, struct call *call, struct json_object *p)
{
	order(d, call, "domain.Unbind", p, false);
}

void method_domain_xml(struct daemon *d, struct call *call, struct json_object *p)
{
	order(d, call, "domain.Xml", p, false);
}

void method_migrate(struct daemon *d, struct call *call, struct json_object *p)
{
	order(d, call, "migrate", p, true);
}

/* ---- vhba-virt ---- */

static void on_gone(void *user)
{
	struct domains *ds = user;
	struct order *o;
	struct verror e;

	call_reply(steal_ptr(ds->serve), NULL);
	verror_set(&e, VHBA_E_IO, "vhba-virt has ended meanwhile");
	verror_fix(&e, "what it had asked of libvirt may have been done; it brings a migration to its end "
		       "when it is "
		       "back: 'vhbactl domain list'");
	while ((o = TAILQ_FIRST(&ds->orders)))
		end(o, NULL, &e);
}

void method_domain_serve(struct daemon *d, struct call *call, struct json_object *p)
{
	struct domains *ds = d->domains;
	struct verror e;

	(void)p;
	if (!call_wants_more(call)) {
		verror_set(&e, VHBA_E_USAGE, "domain.Serve is for callers that stay");
		verror_expected(&e, "\"more\"");
		call_error(call, &e);
		return;
	}
	if (ds->serve) {
		verror_set(&e, VHBA_E_BUSY, "another vhba-virt is connected");
		call_error(call, &e);
		return;
	}
	ds->serve = call;
	call_on_gone(call, on_gone, ds);
}

static void read_error(struct json_object *in, struct verror *e)
{
	const char *what = proto_get_text(in, "what"), *expected = proto_get_text(in, "expected"),
		   *seen = proto_get_text(in, "seen"), *fix = proto_get_text(in, "fix");

	verror_set(e, vhba_error_kind(proto_get_text(in, "error")), "%s", what);
	if (expected)
		verror_expected(e, "%s", expected);
	if (seen)
		verror_seen(e, "%s", seen);
	if (fix)
		verror_fix(e, "%s", fix);
}

void method_domain_report(struct daemon *d, struct call *call, struct json_object *p)
{
	struct order *o = find(d->domains, proto_get_uint(p, "serial", 0));
	struct json_object *progress = proto_get(p, "progress"), *error = proto_get(p, "error");
	struct verror e;

	if (o && progress) {
		call_progress(o->call, json_object_get(progress));
	} else if (o && error) {
		read_error(error, &e);
		end(o, NULL, &e);
	} else if (o) {
		end(o, json_object_get(proto_get(p, "reply")), NULL);
	}
	call_reply(call, NULL);
}

/* ---- their life ---- */

struct domains *domains_new(struct daemon *d)
{
	struct domains *ds = calloc(1, sizeof(*ds));

	if (!ds)
		return NULL;
	ds->d = d;
	TAILQ_INIT(&ds->orders);
	return ds;
}

void domains_free(struct domains *ds)
{
	struct order *o;
	struct verror e;

	if (!ds)
		return;
	verror_set(&e, VHBA_E_STATE, "vhbad is ending");
	while ((o = TAILQ_FIRST(&ds->orders)))
		end(o, NULL, &e);
	if (ds->serve) {
		call_on_gone(ds->serve, NULL, NULL);
		call_reply(ds->serve, NULL);
	}
	free(ds);
}

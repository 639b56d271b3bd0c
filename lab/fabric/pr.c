/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service actions of PERSISTENT RESERVE OUT (SPC-4 5.9). */
#include <stdlib.h>
#include <string.h>

#include "lun.h"

#define UA_PREEMPTED 0x03 /* 2Ah: RESERVATIONS PREEMPTED */
#define UA_RELEASED 0x04 /* RESERVATIONS RELEASED */
#define UA_REGISTRATIONS 0x05 /* REGISTRATIONS PREEMPTED */

static bool same(const struct pr_nexus *a, const struct pr_nexus *b)
{
	return a->initiator == b->initiator && a->target == b->target;
}

static struct pr_registrant *find(const struct pr_state *p, const struct pr_nexus *n)
{
	for (size_t i = 0; i < p->count; i++)
		if (same(&p->registrants[i].nexus, n))
			return &p->registrants[i];
	return NULL;
}

bool pr_for_all(const struct pr_state *p)
{
	return p->type == PR_WRITE_EXCLUSIVE_ALL || p->type == PR_EXCLUSIVE_ACCESS_ALL;
}

static bool shared_by_registrants(enum pr_type type)
{
	return type >= PR_WRITE_EXCLUSIVE_REGISTRANTS;
}

bool pr_is_holder(const struct pr_state *p, const struct pr_registrant *r)
{
	return p->type != PR_NONE && (pr_for_all(p) || r->holder);
}

bool pr_conflicts(const struct pr_state *p, const struct pr_nexus *n, enum pr_access access)
{
	const struct pr_registrant *r = find(p, n);

	if (p->type == PR_NONE || access == PR_ACCESS_FREE)
		return false;
	if (r && (pr_is_holder(p, r) || shared_by_registrants(p->type)))
		return false;
	switch (p->type) {
	case PR_WRITE_EXCLUSIVE:
	case PR_WRITE_EXCLUSIVE_REGISTRANTS:
	case PR_WRITE_EXCLUSIVE_ALL:
		return access == PR_ACCESS_WRITE;
	default:
		return true;
	}
}

void pr_free(struct pr_state *p)
{
	free(p->registrants);
	memset(p, 0, sizeof(*p));
}

static void tell(struct lun_store *s, const struct pr_nexus *to, uint8_t ascq, bool abort)
{
	struct lun_notice n = {
		.to = *to, .asc = 0x2a, .ascq = ascq, .abort = abort, .why = "PREEMPT AND ABORT"};

	lun_notify(s, &n);
}

static void tell_others(struct lun_store *s, const struct pr_nexus *by, uint8_t ascq)
{
	const struct pr_state *p = lun_store_pr(s);

	for (size_t i = 0; i < p->count; i++)
		if (!same(&p->registrants[i].nexus, by))
			tell(s, &p->registrants[i].nexus, ascq, false);
}

static bool make_room(struct pr_state *p, size_t more)
{
	size_t room = p->room ? p->room : 8;
	struct pr_registrant *r;

	if (more > PR_REGISTRANTS_MAX - p->count)
		return false;
	while (room < p->count + more)
		room *= 2;
	if (room == p->room)
		return true;
	r = reallocarray(p->registrants, room, sizeof(*r));
	if (!r)
		return false;
	p->registrants = r;
	p->room = room;
	return true;
}

static void release(struct lun_store *s, const struct pr_nexus *by)
{
	struct pr_state *p = lun_store_pr(s);
	enum pr_type type = p->type;

	p->type = PR_NONE;
	for (size_t i = 0; i < p->count; i++)
		p->registrants[i].holder = false;
	if (shared_by_registrants(type))
		tell_others(s, by, UA_RELEASED);
}

/* The last registrant of a reservation for all takes it along (SPC-4 5.9.11.2). */
static void remove_one(struct lun_store *s, struct pr_registrant *r)
{
	struct pr_state *p = lun_store_pr(s);
	struct pr_nexus nexus = r->nexus;
	bool ends = pr_is_holder(p, r) && (!pr_for_all(p) || p->count == 1);

	if (ends)
		release(s, &nexus);
	*r = p->registrants[--p->count];
}

/* For a key there is room. Says whether anything has changed. */
static bool register_one(struct lun_store *s, const struct pr_nexus *n, uint64_t key)
{
	struct pr_state *p = lun_store_pr(s);
	struct pr_registrant *r = find(p, n);

	if (r && key)
		r->key = key;
	else if (r)
		remove_one(s, r);
	else if (key)
		p->registrants[p->count++] = (struct pr_registrant){.nexus = *n, .key = key};
	return r || key;
}

static struct pr_nexus nexus_of(const struct lun_store *s, const struct pr_order *o, unsigned int port)
{
	if (!o->all_ports)
		return o->nexus;
	return (struct pr_nexus){.initiator = o->nexus.initiator, .target = lun_port_wwpn(s, port)};
}

static enum pr_result order_register(struct lun_store *s, const struct pr_order *o)
{
	struct pr_state *p = lun_store_pr(s);
	const struct pr_registrant *r = find(p, &o->nexus);
	unsigned int ports = o->all_ports ? lun_ports(s) : 1;
	bool changed = false;
	size_t missing = 0;

	if (o->action == PR_REGISTER && o->key != (r ? r->key : 0))
		return PR_CONFLICT;
	for (unsigned int i = 0; i < ports; i++) {
		struct pr_nexus n = nexus_of(s, o, i);

		missing += !find(p, &n);
	}
	if (o->action_key && !make_room(p, missing))
		return PR_NO_ROOM;
	for (unsigned int i = 0; i < ports; i++) {
		struct pr_nexus n = nexus_of(s, o, i);

		changed |= register_one(s, &n, o->action_key);
	}
	p->generation += changed;
	return PR_GOOD;
}

static bool good_type(uint8_t type)
{
	return type == PR_WRITE_EXCLUSIVE || type == PR_EXCLUSIVE_ACCESS ||
	       (type >= PR_WRITE_EXCLUSIVE_REGISTRANTS && type <= PR_EXCLUSIVE_ACCESS_ALL);
}

static enum pr_result order_reserve(struct lun_store *s, const struct pr_order *o)
{
	struct pr_state *p = lun_store_pr(s);
	struct pr_registrant *r = find(p, &o->nexus);

	if (p->type != PR_NONE)
		return pr_is_holder(p, r) && p->type == (enum pr_type)o->type ? PR_GOOD : PR_CONFLICT;
	p->type = o->type;
	r->holder = !pr_for_all(p);
	return PR_GOOD;
}

static enum pr_result order_release(struct lun_store *s, const struct pr_order *o)
{
	struct pr_state *p = lun_store_pr(s);

	if (!pr_is_holder(p, find(p, &o->nexus)))
		return PR_GOOD;
	if (o->scope || p->type != (enum pr_type)o->type)
		return PR_BAD_RELEASE;
	release(s, &o->nexus);
	return PR_GOOD;
}

static enum pr_result order_clear(struct lun_store *s, const struct pr_order *o)
{
	struct pr_state *p = lun_store_pr(s);

	tell_others(s, &o->nexus, UA_PREEMPTED);
	p->count = 0;
	p->type = PR_NONE;
	p->generation++;
	return PR_GOOD;
}

/* Removes the registrations with the service action's key (0: all); how many. Who asks hears nothing. */
static size_t remove_key(struct lun_store *s, const struct pr_order *o, bool keep_own)
{
	struct pr_state *p = lun_store_pr(s);
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct pr_registrant r = p->registrants[i];
		bool own = same(&r.nexus, &o->nexus);

		if ((own && keep_own) || (o->action_key && r.key != o->action_key)) {
			p->registrants[kept++] = r;
			continue;
		}
		if (!own)
			tell(s, &r.nexus, UA_REGISTRATIONS, o->action == PR_PREEMPT_AND_ABORT);
		n++;
	}
	p->count = kept;
	return n;
}

static bool held_by_key(const struct pr_state *p, uint64_t key)
{
	if (p->type == PR_NONE)
		return false;
	if (pr_for_all(p))
		return key == 0;
	for (size_t i = 0; i < p->count; i++)
		if (p->registrants[i].holder)
			return p->registrants[i].key == key;
	return false;
}

/*
 * Who takes the reservation keeps its registration; who only removes registrations loses its own too, when it
 * has that key (SPC-4 5.9.11.4).
 */
static enum pr_result order_preempt(struct lun_store *s, const struct pr_order *o)
{
	struct pr_state *p = lun_store_pr(s);
	bool takes = held_by_key(p, o->action_key);
	enum pr_type before = p->type;
	size_t removed;

	if (!o->action_key && !takes)
		return PR_BAD_KEY;
	if (takes && (o->scope || !good_type(o->type)))
		return PR_BAD_TYPE;
	removed = remove_key(s, o, takes);
	if (!takes && !removed)
		return PR_CONFLICT;
	p->generation++;
	if (!p->count) /* of a reservation for all registrants, the last */
		p->type = PR_NONE;
	if (!takes)
		return PR_GOOD;
	for (size_t i = 0; i < p->count; i++)
		p->registrants[i].holder = false;
	p->type = o->type;
	find(p, &o->nexus)->holder = !pr_for_all(p);
	if (before != p->type)
		tell_others(s, &o->nexus, UA_RELEASED);
	return PR_GOOD;
}

static const struct {
	enum pr_result (*run)(struct lun_store *s, const struct pr_order *o);
	bool typed; /* scope and type must be right */
} actions[] = {
	[PR_REGISTER] = {order_register, false},
	[PR_RESERVE] = {order_reserve, true},
	[PR_RELEASE] = {order_release, false},
	[PR_CLEAR] = {order_clear, false},
	[PR_PREEMPT] = {order_preempt, false},
	[PR_PREEMPT_AND_ABORT] = {order_preempt, false},
	[PR_REGISTER_AND_IGNORE] = {order_register, false},
};

enum pr_result pr_order(struct lun_store *s, const struct pr_order *o)
{
	const struct pr_registrant *r = find(lun_store_pr(s), &o->nexus);

	if (o->action != PR_REGISTER && o->action != PR_REGISTER_AND_IGNORE && (!r || r->key != o->key))
		return PR_CONFLICT;
	if (actions[o->action].typed && (o->scope || !good_type(o->type)))
		return PR_BAD_TYPE;
	return actions[o->action].run(s, o);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cleanup.h"
#include "pr.h"

bool pr_type_valid(uint8_t type)
{
	return type <= PR_EXCLUSIVE_ACCESS_AR && (1 << type & 0x1ea); /* 1, 3, 5, 6, 7, 8 */
}

bool pr_all_registrants(const struct pr *p)
{
	return p->type == PR_WRITE_EXCLUSIVE_AR || p->type == PR_EXCLUSIVE_ACCESS_AR;
}

static bool registrants_only(const struct pr *p)
{
	return p->type == PR_WRITE_EXCLUSIVE_RO || p->type == PR_EXCLUSIVE_ACCESS_RO;
}

const struct pr_registration *pr_find(const struct pr *p, uint64_t nexus)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->reg[i].nexus == nexus)
			return &p->reg[i];
	return NULL;
}

bool pr_holds(const struct pr *p, uint64_t nexus)
{
	if (!p->type || !pr_find(p, nexus))
		return false;
	return pr_all_registrants(p) || p->holder == nexus;
}

bool pr_forbids_write(const struct pr *p, uint64_t nexus)
{
	if (!p->type || pr_holds(p, nexus))
		return false;
	return !(registrants_only(p) && pr_find(p, nexus));
}

bool pr_forbids_read(const struct pr *p, uint64_t nexus)
{
	bool exclusive = p->type == PR_EXCLUSIVE_ACCESS || p->type == PR_EXCLUSIVE_ACCESS_RO ||
			 p->type == PR_EXCLUSIVE_ACCESS_AR;

	return exclusive && pr_forbids_write(p, nexus);
}

bool pr_sound(const struct pr *p)
{
	if (p->n > PR_MAX || (p->type && !pr_type_valid(p->type)))
		return false;
	for (unsigned i = 0; i < p->n; i++)
		if (!p->reg[i].nexus || !p->reg[i].key || pr_find(p, p->reg[i].nexus) != &p->reg[i])
			return false;
	if (!p->type)
		return !p->holder;
	if (pr_all_registrants(p))
		return !p->holder && p->n;
	return pr_find(p, p->holder);
}

static void tell(struct pr_effect *e, uint64_t nexus, enum disk_attention what)
{
	e->notice[e->n++] = (struct pr_notice){.nexus = nexus, .what = what};
}

static void tell_registered(const struct pr *p, struct pr_effect *e, uint64_t except,
			    enum disk_attention what)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->reg[i].nexus != except)
			tell(e, p->reg[i].nexus, what);
}

static void set_reservation(struct pr *p, uint8_t type, uint64_t holder)
{
	p->type = type;
	p->holder = pr_all_registrants(p) ? 0 : holder;
}

/* A reservation in which others had a share ends: they are told (SPC-4, 5.13.11.2). */
static void release(struct pr *p, struct pr_effect *e, uint64_t by)
{
	if (registrants_only(p) || pr_all_registrants(p))
		tell_registered(p, e, by, DISK_UA_RESERVATIONS_RELEASED);
	set_reservation(p, PR_NONE, 0);
}

static bool put_key(struct pr *p, uint64_t nexus, uint64_t key)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->reg[i].nexus == nexus) {
			p->reg[i].key = key;
			return true;
		}
	if (p->n == PR_MAX)
		return false;
	p->reg[p->n++] = (struct pr_registration){.nexus = nexus, .key = key};
	return true;
}

static void drop(struct pr *p, uint64_t nexus)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->reg[i].nexus == nexus) {
			memmove(&p->reg[i], &p->reg[i + 1], (p->n - i - 1) * sizeof(p->reg[0]));
			p->n--;
			return;
		}
}

/* Unregistering takes the reservation along with its last holder (SPC-4, 5.13.11.3). */
static void unregister(struct pr *p, struct pr_effect *e, uint64_t nexus)
{
	bool held = pr_holds(p, nexus);

	drop(p, nexus);
	if (held && (!pr_all_registrants(p) || !p->n))
		release(p, e, nexus);
}

static enum pr_result do_register(struct pr *p, const struct pr_request *r, struct pr_effect *e)
{
	const struct pr_registration *mine = pr_find(p, r->nexus);
	bool ignore = r->action == PR_REGISTER_AND_IGNORE;

	if (!ignore && r->key != (mine ? mine->key : 0))
		return PR_CONFLICT;
	if (r->others_n && (mine || ignore))
		return PR_BAD_PARAMETER;
	if (!mine && !r->action_key)
		return PR_GOOD;
	p->generation++;
	p->aptpl = r->aptpl;
	if (!r->action_key) {
		unregister(p, e, r->nexus);
		return PR_GOOD;
	}
	if (!put_key(p, r->nexus, r->action_key))
		return PR_FULL;
	for (unsigned i = 0; i < r->others_n; i++)
		if (!put_key(p, r->others[i], r->action_key))
			return PR_FULL;
	return PR_GOOD;
}

static enum pr_result do_reserve(struct pr *p, const struct pr_request *r, struct pr_effect *e)
{
	if (r->scope || !pr_type_valid(r->type))
		return PR_BAD_TYPE;
	if (!p->type)
		set_reservation(p, r->type, r->nexus);
	else if (!pr_holds(p, r->nexus) || p->type != r->type)
		return PR_CONFLICT;
	return PR_GOOD;
}

static enum pr_result do_release(struct pr *p, const struct pr_request *r, struct pr_effect *e)
{
	if (!pr_holds(p, r->nexus))
		return PR_GOOD;
	if (r->scope || r->type != p->type)
		return PR_BAD_RELEASE;
	release(p, e, r->nexus);
	return PR_GOOD;
}

static enum pr_result do_clear(struct pr *p, const struct pr_request *r, struct pr_effect *e)
{
	tell_registered(p, e, r->nexus, DISK_UA_RESERVATIONS_PREEMPTED);
	set_reservation(p, PR_NONE, 0);
	p->n = 0;
	p->generation++;
	return PR_GOOD;
}

/* Remove all that have the key (any key, when all is set), but for "keep". Returns how many. */
static unsigned remove_key(struct pr *p, struct pr_effect *e, const struct pr_request *r, bool all,
			   uint64_t keep)
{
	unsigned kept = 0, removed;

	for (unsigned i = 0; i < p->n; i++) {
		if (p->reg[i].nexus == keep || !(all || p->reg[i].key == r->action_key))
			p->reg[kept++] = p->reg[i];
		else if (p->reg[i].nexus != r->nexus)
			tell(e, p->reg[i].nexus, DISK_UA_REGISTRATIONS_PREEMPTED);
	}
	removed = p->n - kept;
	p->n = kept;
	return removed;
}

/* The reservation itself is taken over (SPC-4, 5.13.11.4.3). */
static enum pr_result preempt_reservation(struct pr *p, const struct pr_request *r, struct pr_effect *e,
					  bool all)
{
	uint8_t before = p->type;

	if (r->scope || !pr_type_valid(r->type))
		return PR_BAD_TYPE;
	remove_key(p, e, r, all, r->nexus);
	set_reservation(p, r->type, r->nexus);
	if (r->type != before)
		tell_registered(p, e, r->nexus, DISK_UA_RESERVATIONS_RELEASED);
	p->generation++;
	return PR_GOOD;
}

static enum pr_result do_preempt(struct pr *p, const struct pr_request *r, struct pr_effect *e)
{
	const struct pr_registration *holder = pr_find(p, p->holder);

	if (pr_all_registrants(p) && !r->action_key)
		return preempt_reservation(p, r, e, true);
	if (!r->action_key)
		return PR_BAD_PARAMETER;
	if (holder && holder->key == r->action_key)
		return preempt_reservation(p, r, e, false);
	/* registrations only (5.13.11.4.4): one's own too, if it has that key */
	if (!remove_key(p, e, r, false, 0))
		return PR_CONFLICT;
	if (p->type && !p->n)
		set_reservation(p, PR_NONE, 0);
	p->generation++;
	return PR_GOOD;
}

static enum pr_result do_move(struct pr *p, const struct pr_request *r, struct pr_effect *e)
{
	uint64_t to = r->others[0];

	if (!pr_holds(p, r->nexus) || pr_all_registrants(p))
		return PR_CONFLICT;
	if (!r->action_key || r->others_n != 1 || to == r->nexus)
		return PR_BAD_PARAMETER;
	if (!put_key(p, to, r->action_key))
		return PR_FULL;
	set_reservation(p, p->type, to);
	if (r->unregister)
		drop(p, r->nexus);
	p->aptpl = r->aptpl;
	p->generation++;
	return PR_GOOD;
}

static const struct action {
	enum pr_result (*execute)(struct pr *, const struct pr_request *, struct pr_effect *);
	bool by_registrant; /* only with one's own key */
} actions[PR_ACTION_N] = {
	[PR_REGISTER] = {do_register, false},
	[PR_RESERVE] = {do_reserve, true},
	[PR_RELEASE] = {do_release, true},
	[PR_CLEAR] = {do_clear, true},
	[PR_PREEMPT] = {do_preempt, true},
	[PR_PREEMPT_AND_ABORT] = {do_preempt, true},
	[PR_REGISTER_AND_IGNORE] = {do_register, false},
	[PR_REGISTER_AND_MOVE] = {do_move, true},
};

enum pr_result pr_execute(struct pr *p, const struct pr_request *r, struct pr_effect *e)
{
	const struct pr_registration *mine = pr_find(p, r->nexus);
	const struct action *a = &actions[r->action];

	e->n = 0;
	if (a->by_registrant && (!mine || mine->key != r->key))
		return PR_CONFLICT;
	return a->execute(p, r, e);
}

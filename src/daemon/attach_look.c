/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at the inventory for an attach: at what, and when again. */
#include <inttypes.h>
#include <string.h>

#include "attach_run.h"
#include "san.h"

#define LOOK_MIN_US (2 * USEC_PER_MSEC)
#define LOOK_MAX_US (250 * USEC_PER_MSEC)
#define LOOK_LOST_US USEC_PER_SEC
#define LOOK_NAME_US (16 * USEC_PER_MSEC) /* a guest stands still */
#define NAME_OFTEN_US (3 * USEC_PER_SEC)

void attach_look_soon(struct op *op, unsigned i)
{
	op->attach->look[i] = (struct look){mono_now(), LOOK_MIN_US};
}

static bool all_luns_seen(struct op *op, unsigned i, struct verror *e)
{
	const struct fc_host *host = fc_host_find(&op->d->inv, op->vm->vhba[i].host);
	const struct asked *a = &op->attach->asked[i];
	const struct fc_rport *r;
	const struct fc_lun *l;
	uint64_t usable = 0;

	if (host)
		TAILQ_FOREACH (r, &host->rports, link)
			TAILQ_FOREACH (l, &r->luns, link)
				usable += l->usable;
	if (!a->waiting && a->luns && usable >= a->luns)
		return true;
	verror_set(e, VHBA_E_CONSTRAINT, "vhba %u: its LUNs are not all usable", op->vm->vhba[i].index);
	if (a->luns)
		verror_expected(e, "%" PRIu64 " LUNs, as the targets report", a->luns);
	else
		verror_expected(e, "at least one LUN at every target of its zones");
	verror_seen(e, "%" PRIu64 " usable", usable);
	verror_fix(e, "check the array's LUN masking");
	return false;
}

/* Waiting for something that can be seen. */
static bool is_looking(enum attach_state s)
{
	return s == ATTACH_NAME || s == ATTACH_LOGGING_IN || s == ATTACH_ASKING || s == ATTACH_LUNS;
}

static void look_at(struct op *op, unsigned i)
{
	struct attach *a = &op->attach->machine;
	struct vm_vhba *v = &op->vm->vhba[i];
	struct verror *why = &op->attach->missing[i];
	struct monotime now = mono_now();
	enum attach_state s = a->vhba[i].state;

	if (s == ATTACH_TIMERS && op->attach->timers_right[i]) {
		attach_event(a, i, ATTACH_EV_TIMERS_SET, now);
		s = a->vhba[i].state;
	}
	if (s == ATTACH_NAME) {
		attach_ask_name(op, i);
		return;
	}
	if (!is_looking(s))
		return;
	if (!san_locate(op->d, v)) {
		verror_set(why, VHBA_E_IO, "vhba %u: its vport vanished", v->index);
		attach_fail(a, why);
		attach_event(a, i, ATTACH_EV_LOST, now);
	} else if (s == ATTACH_LOGGING_IN && san_logged_in(op->d, op->vm, v, why)) {
		attach_event(a, i, ATTACH_EV_LOGGED_IN, now);
	} else if (s == ATTACH_ASKING && !attach_ask_targets(op, i) && all_luns_seen(op, i, why)) {
		attach_event(a, i, ATTACH_EV_ASKED, now);
		attach_event(a, i, ATTACH_EV_USABLE, now);
	} else if (s == ATTACH_LUNS && san_luns_usable(op->d, op->vm, v, why)) {
		attach_event(a, i, ATTACH_EV_USABLE, now);
	} else {
		return;
	}
	if (a->vhba[i].state != s)
		memset(why, 0, sizeof(*why));
}

/* A target that has not been seen yet comes with an event: till then there is nothing to read. */
static bool waits_for_event(struct op *op, unsigned i)
{
	const struct vm_vhba *v = &op->vm->vhba[i];

	return op->attach->machine.vhba[i].state == ATTACH_LOGGING_IN &&
	       fc_vport_find(&op->d->inv, v->wwpn, NULL) && !san_sees_targets(op->d, op->vm, v);
}

static bool asks_often(const struct op *op, unsigned i)
{
	const struct attach_vhba *v = &op->attach->machine.vhba[i];

	return v->state == ATTACH_NAME && mono_since(mono_now(), v->since) < NAME_OFTEN_US;
}

static void put_off(struct look *look, uint64_t max_us)
{
	look->at = mono_add(mono_now(), look->backoff_us);
	look->backoff_us = look->backoff_us * 2 > max_us ? max_us : look->backoff_us * 2;
}

/*
 * Nobody tells when a vport becomes Active or an rport Online: look again, while somebody waits, ever more
 * rarely.  What comes with an event is looked for as well at last: the kernel sends some before there is
 * anything to read.
 */
void attach_look_due(struct op *op, unsigned i)
{
	struct look *look = &op->attach->look[i];
	bool waits = waits_for_event(op, i);

	if (!mono_reached(look->at, mono_now()))
		return;
	if (waits && look->backoff_us == LOOK_LOST_US) {
		watch_refresh(op->d, op->vm->vhba[i].host);
		waits = waits_for_event(op, i);
	}
	put_off(look, waits ? LOOK_LOST_US : asks_often(op, i) ? LOOK_NAME_US : LOOK_MAX_US);
	if (!waits)
		look_at(op, i);
}

/* Before the undoing begins: what was lacking. */
void attach_look_last(struct op *op)
{
	struct attach *a = &op->attach->machine;

	for (unsigned i = 0; i < a->count && !a->undoing && mono_reached(a->undo_at, mono_now()); i++)
		look_at(op, i);
}

struct monotime attach_next_look(const struct attach_run *run)
{
	struct monotime next = attach_due(&run->machine);

	if (!run->placed)
		return mono_min(next, run->look[0].at);
	for (unsigned i = 0; i < run->machine.count; i++) {
		enum attach_state s = run->machine.vhba[i].state;

		if (is_looking(s) || (s == ATTACH_TIMERS && run->timers_right[i]))
			next = mono_min(next, run->look[i].at);
	}
	return next;
}

void attach_look_now(struct op *op, unsigned i)
{
	if (!waits_for_event(op, i))
		look_at(op, i);
}

void attach_place_later(struct attach_run *run)
{
	put_off(&run->look[0], LOOK_MAX_US);
}

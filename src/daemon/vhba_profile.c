/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "vhba_profile.h"

#define AGAIN_US (200 * USEC_PER_MSEC) /* between two deletes */

const struct fc_profile *vhba_profile(const struct daemon *d, const struct vm_vhba *v)
{
	const struct fc_host *parent = fc_host_find(&d->inv, v->parent_host);

	return fc_profile_find(parent ? parent->driver : "");
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void vhba_profile_quiesce(const struct fc_profile *p, uint64_t r_a_tov_us, unsigned rports,
			  struct quiesce_profile *q)
{
	uint64_t disable = fc_bound_us(&p->disable, r_a_tov_us, rports);
	uint64_t ends = sum(disable, fc_bound_us(&p->abort_after, r_a_tov_us, rports));

	*q = (struct quiesce_profile){
		.driver = p->family,
		.fast_fail_us = 500 * USEC_PER_MSEC,
		.disable_us = sum(disable, p->patience_ms * USEC_PER_MSEC),
		.rport_slack_us = 50 * USEC_PER_MSEC,
		.escalate_us = p->escalate_ms * USEC_PER_MSEC,
		.reserve_us = sum(ends, PROFILE_FAST_FAIL_US + PROFILE_VERIFY_US),
		.disable_ends = p->abort == FC_ABORT_LOCAL || p->abort == FC_ABORT_CLEANUP ||
				p->abort == FC_ABORT_FLUSH,
		.drain_first = p->drain_first,
	};
}

/* libfc has one queue for all rports (rport_event_queue), and waits for an RCU grace period for each LUN. */
#define CROWD_US (50 * USEC_PER_MSEC)

void vhba_profile_crowd(unsigned others, struct quiesce_profile *q)
{
	q->fast_fail_us = sum(q->fast_fail_us, others * CROWD_US);
	q->disable_us = sum(q->disable_us, others * CROWD_US);
	q->escalate_us = q->escalate_us ? sum(q->escalate_us, others * CROWD_US) : 0;
}

/* ---- deletes that want to be asked for again ---- */

struct again {
	struct daemon *d;
	struct priv_request req;
	struct monotime by;
	sd_event_source *timer;
	bool told;
	privq_done *done;
	void *user;
};

static void on_deleted(void *user, const struct priv_reply *r);

static void send_again(struct again *a)
{
	privq_call(a->d->privq, &a->req, mono_left(a->by, mono_now()), on_deleted, a);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *user)
{
	struct again *a = user;

	(void)usec;
	a->timer = sd_event_source_unref(s);
	send_again(a);
	return 0;
}

static void on_deleted(void *user, const struct priv_reply *r)
{
	struct again *a = user;

	if (r->err == -EAGAIN && mono_left(a->by, mono_now()) > 2 * AGAIN_US &&
	    sd_event_add_time_relative(a->d->loop, &a->timer, CLOCK_MONOTONIC, AGAIN_US, 0, on_timer, a) >=
		    0) {
		if (!a->told)
			log_notice("vport_delete on host%d is asked for again: %s", a->req.host,
				   r->text[0] ? r->text : strerror(EAGAIN));
		a->told = true;
		return;
	}
	a->done(a->user, r);
	free(a);
}

void vhba_delete(struct daemon *d, struct priv_request *q, uint64_t timeout_us, privq_done *done, void *user)
{
	struct again *a = calloc(1, sizeof(*a));

	if (!a) {
		privq_call(d->privq, q, timeout_us, done, user);
		return;
	}
	*a = (struct again){
		.d = d, .req = *q, .by = mono_add(mono_now(), timeout_us), .done = done, .user = user};
	send_again(a);
}

/* ---- words and looks ---- */

enum vhba_error_kind vhba_create_error(const struct fc_profile *p, const struct priv_reply *r, unsigned index,
				       struct verror *e)
{
	const struct fc_errno *why = r->err < 0 ? fc_create_errno(p, -r->err) : NULL;

	verror_set(e, why ? why->kind : VHBA_E_IO, "vhba %u: its vport can't be created%s%s", index,
		   why ? ": " : "", why ? why->means : "");
	verror_seen(e, "%s%s%s (%s)", strerror(-r->err), r->text[0] ? ": " : "", r->text, p->family);
	if (why && why->fix)
		verror_fix(e, "%s", why->fix);
	return e->kind;
}

bool vhba_is_disabled(const struct daemon *d, const struct fc_profile *p, const struct vm_vhba *v, char *text,
		      size_t size)
{
	struct fc_host *parent;
	const struct fc_vport *vport = fc_vport_find(&d->inv, v->wwpn, &parent);
	char state[32] = "gone";

	if (!(p->proof & FC_PROOF_STATE) || !vport)
		return true;
	if (fc_vport_read_state(parent, vport, state, sizeof(state)) || !strcmp(state, "Disabled"))
		return true;
	snprintf(text, size, "vport_disable was taken, but vport_state is %s", state);
	return false;
}

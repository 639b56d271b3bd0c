/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "plan.h"
#include "vhba_profile.h"

#define LONGEST_US (UINT64_C(24) * 3600 * USEC_PER_SEC) /* of a deadline */

/* The way through the machine's table, with what a person is told of each edge. */
static const struct {
	enum quiesce_state from;
	enum quiesce_ev ev;
	bool blocked; /* only where a target port is Blocked already */
	const char *when;
} way[] = {
	{QS_ATTACHED, QE_QUIESCE, false, "always"},
	{QS_STOP, QE_INTAKE_CLOSED, false, "always"},
	{QS_DRAIN, QE_COUNT_ZERO_UNSYNCED, false, "nothing is in flight, and a LUN has a write cache"},
	{QS_DRAIN, QE_COUNT_ZERO, false, "nothing is in flight: a hold"},
	{QS_DRAIN, QE_STEP_END, false, "commands are left: an abort"},
	{QS_FAST_FAIL, QE_FAST_FAIL_BUSY_SHORT, true,
	 "a target is Blocked, and its own fast_io_fail ends in time"},
	{QS_FAST_FAIL, QE_FAST_FAIL_SET, false, "abort"},
	{QS_DISABLE_ABORT, QE_STEP_END, false, "hard stop: a step failed, or ended nothing in time"},
	{QS_DISABLE_ABORT, QE_DISABLED, false, "always"},
	{QS_VERIFY, QE_PROVED, false, "always"},
};

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The machine's bounds for this vhba. */
static struct quiesce_profile bounds_of(const struct plan_in *in)
{
	struct quiesce_profile q;

	vhba_profile_quiesce(in->profile, in->r_a_tov_us, in->rports, &q);
	return q;
}

static uint64_t left_of(const struct plan_in *in, uint64_t deadline_us)
{
	return deadline_us > in->cfg->answer_margin_us ? deadline_us - in->cfg->answer_margin_us : 0;
}

/* Closing the intake, as the machine bounds it: what comes after has the rest. */
static uint64_t stop_bound(const struct plan_in *in, uint64_t left)
{
	return !in->served ? 0 : left / 4 < in->cfg->stop_us ? left / 4 : in->cfg->stop_us;
}

static uint64_t drain_bound(const struct plan_in *in, uint64_t left)
{
	struct quiesce_profile q = bounds_of(in);

	return quiesce_drain_us(in->cfg, &q, left - stop_bound(in, left));
}

static uint64_t bound(const struct plan_in *in, const struct fc_bound *b)
{
	return fc_bound_us(b, in->r_a_tov_us, in->rports);
}

/* What an rport that is Blocked waits for by itself. */
static uint64_t rport_wait(const struct plan_in *in)
{
	return in->fast_io_fail < 0
		       ? UINT64_MAX
		       : (uint64_t)in->fast_io_fail * USEC_PER_SEC + bounds_of(in).rport_slack_us;
}

/* What follows the drain, to the last command's end and a look at it; usual: the fabric answers. */
static uint64_t after_drain(const struct plan_in *in, bool usual, bool waits)
{
	const struct fc_profile *p = in->profile;
	uint64_t logout = usual ? bound(in, &p->usual)
				: sum(bound(in, &p->disable), bound(in, &p->abort_after));
	uint64_t us = PROFILE_FAST_FAIL_US + PROFILE_VERIFY_US;

	if (in->blocked && !waits)
		return sum(us, bound(in, &p->delete));
	return sum(sum(us, logout), in->blocked ? rport_wait(in) : 0);
}

/* Would the machine wait for the Blocked rport's own fast_io_fail? As it decides: does that end before the
 * answer? */
static bool would_wait(const struct plan_in *in, uint64_t left)
{
	uint64_t before = stop_bound(in, left) + drain_bound(in, left) + PROFILE_FAST_FAIL_US;

	return sum(before, rport_wait(in)) < left;
}

static bool fits(const struct plan_in *in, uint64_t deadline_us, bool usual, bool waits)
{
	uint64_t left = left_of(in, deadline_us), drain = drain_bound(in, left);

	/* Who must drain first is not helped by a deadline that leaves no time for that. */
	if (!usual && in->profile->drain_first && drain < in->cfg->drain_us)
		return false;
	return sum(stop_bound(in, left) + drain, after_drain(in, usual, waits)) <= left;
}

static bool met(const struct plan_in *in, uint64_t deadline_us, bool usual)
{
	return fits(in, deadline_us, usual, would_wait(in, left_of(in, deadline_us)));
}

/* In whole milliseconds: from there on it fits. */
static uint64_t search(const struct plan_in *in, bool usual, bool waits)
{
	uint64_t low = 0, high = LONGEST_US / USEC_PER_MSEC;

	if (!fits(in, LONGEST_US, usual, waits))
		return UINT64_MAX;
	while (high - low > 1) {
		uint64_t mid = (low + high) / 2;

		if (fits(in, mid * USEC_PER_MSEC, usual, waits))
			high = mid;
		else
			low = mid;
	}
	return high * USEC_PER_MSEC;
}

/* With a deadline beyond a Blocked rport's own fast_io_fail the machine waits for that, with a shorter one it
 * deletes. */
static uint64_t smallest(const struct plan_in *in, bool usual)
{
	uint64_t by_delete = search(in, usual, false), by_itself = search(in, usual, true);

	if (by_delete < by_itself && met(in, by_delete, usual))
		return by_delete;
	return by_itself;
}

/* ---- the steps ---- */

static uint64_t step_bound(const struct plan_in *in, enum quiesce_state s, uint64_t left)
{
	switch (s) {
	case QS_STOP:
		return stop_bound(in, left);
	case QS_DRAIN:
		return drain_bound(in, left);
	case QS_SYNC: {
		uint64_t drain = drain_bound(in, left);

		return in->cfg->sync_us < drain ? in->cfg->sync_us : drain;
	}
	case QS_FAST_FAIL:
		return PROFILE_FAST_FAIL_US;
	case QS_RPORT_WAIT:
		return rport_wait(in);
	case QS_DISABLE_HOLD:
		return bound(in, &in->profile->disable);
	case QS_DISABLE_ABORT:
		return sum(bound(in, &in->profile->disable), bound(in, &in->profile->abort_after));
	case QS_HARD_STOP:
		return bound(in, &in->profile->delete);
	case QS_VERIFY:
		return left;
	default:
		return 0; /* held: it is over */
	}
}

static void add(char *text, size_t size, const char *more)
{
	size_t n = strlen(text);

	snprintf(text + n, size - n, "%s%s", n ? ", " : "", more);
}

static void proof_of(const struct plan_in *in, enum quiesce_state s, char *text, size_t size)
{
	text[0] = '\0';
	switch (s) {
	case QS_STOP:
		snprintf(text, size,
			 in->served ? "its vhba-io has stopped its rings" : "its owner has paused it");
		break;
	case QS_DRAIN:
	case QS_RPORT_WAIT:
		snprintf(text, size, "%s", fc_proof_text(FC_PROOF_BUSY));
		break;
	case QS_SYNC:
		snprintf(text, size, "SYNCHRONIZE CACHE has ended, or its time is over");
		break;
	case QS_FAST_FAIL:
		snprintf(text, size, "fast_io_fail_tmo 0 is taken by %u target port%s", in->rports,
			 in->rports == 1 ? "" : "s");
		break;
	case QS_DISABLE_HOLD:
	case QS_DISABLE_ABORT:
		for (unsigned bit = 1; bit <= FC_PROOF_BUSY; bit <<= 1)
			if (in->profile->proof & bit)
				add(text, size, fc_proof_text((enum fc_proof)bit));
		break;
	case QS_HARD_STOP:
		snprintf(text, size, "the vport is gone from sysfs");
		break;
	default:
		snprintf(text, size, "%s, %s, the name server does not know the WWPN",
			 fc_proof_text(FC_PROOF_BUSY), fc_proof_text(FC_PROOF_RPORTS));
	}
}

void plan_make(const struct plan_in *in, uint64_t deadline_us, struct plan *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ARRAY_SIZE(way) && out->n < PLAN_STEPS_MAX; i++) {
		const struct quiesce_entry *e = quiesce_entry(way[i].from, way[i].ev);
		struct plan_step *s = &out->step[out->n];

		if (e->how != QH_GO || (way[i].blocked && !in->blocked))
			continue;
		s->state = e->next;
		s->action = e->action;
		s->when = way[i].when;
		s->bound_us = step_bound(in, e->next, left_of(in, deadline_us));
		s->aborts = e->next == QS_DISABLE_ABORT || e->next == QS_HARD_STOP ||
			    e->next == QS_RPORT_WAIT;
		proof_of(in, e->next, s->proof, sizeof(s->proof));
		out->n++;
	}
	out->met = met(in, deadline_us, false);
	out->smallest_us = smallest(in, false);
	out->usual_us = smallest(in, true);
}

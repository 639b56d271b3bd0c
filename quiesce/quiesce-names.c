/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine's words and defaults.
 */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "quiesce-int.h"

static const char *const actions[QA_ACTIONS] = {
	[QA_NONE] = "-",
	[QA_STOP_INTAKE] = "stop-intake",
	[QA_OPEN_INTAKE] = "open-intake",
	[QA_COUNT] = "count",
	[QA_RECHECK] = "recheck",
	[QA_AGAIN] = "again",
	[QA_PUT_OFF] = "put-off",
	[QA_SYNC] = "sync-cache",
	[QA_FAST_FAIL] = "set-fast-fail",
	[QA_WAIT_RPORT] = "wait-rport",
	[QA_DISABLE] = "disable",
	[QA_DELETE] = "delete-vport",
	[QA_VERIFY] = "verify",
	[QA_EVIDENCE] = "evidence",
	[QA_ENABLE] = "enable",
	[QA_CREATE] = "create-vport",
	[QA_CHECK_READY] = "check-ready",
	[QA_RESTORE_TIMERS] = "restore-timers",
	[QA_NOTE] = "note",
	[QA_REST] = "rest",
};

static const char *const phases[QP_PHASES] = {
	[QP_STOP] = "stop", [QP_DRAIN] = "drain",   [QP_LOGOUT] = "logout",   [QP_VERIFY] = "verify",
	[QP_HOLD] = "hold", [QP_RESUME] = "resume", [QP_RELEASE] = "release", [QP_ANSWER] = "answer",
};

static const char *const outcomes[QO_OUTCOMES] = {
	[QO_NONE] = "none",
	[QO_CONFIRMED] = "confirmed",
	[QO_UNCONFIRMED] = "unconfirmed",
	[QO_FAILED] = "failed",
};

static const char *const requests[QR_REQUESTS] = {
	[QR_NONE] = "none",
	[QR_QUIESCE] = "quiesce",
	[QR_RESUME] = "resume",
	[QR_RELEASE] = "release",
};

static const struct {
	enum quiesce_evidence bit;
	const char *name;
} evidences[] = {
	{QV_IN_FLIGHT_ENDED, "in-flight ended"},
	{QV_TARGETS_LOGGED_OUT, "targets logged out"},
	{QV_FABRIC_LOGGED_OUT, "fabric logged out"},
};

static const char *pick(const char *const *names, size_t n, unsigned int i)
{
	return i < n && names[i] ? names[i] : "?";
}

const char *quiesce_state_name(enum quiesce_state s)
{
	return (unsigned int)s < QS_STATES ? q_states[s].name : "?";
}

const char *quiesce_ev_name(enum quiesce_ev e)
{
	return (unsigned int)e < QE_EVENTS ? q_evs[e].name : "?";
}

const char *quiesce_action_name(enum quiesce_action a)
{
	return pick(actions, QA_ACTIONS, a);
}

const char *quiesce_phase_name(enum quiesce_phase p)
{
	return pick(phases, QP_PHASES, p);
}

const char *quiesce_outcome_name(enum quiesce_outcome o)
{
	return pick(outcomes, QO_OUTCOMES, o);
}

const char *quiesce_request_name(enum quiesce_request r)
{
	return pick(requests, QR_REQUESTS, r);
}

enum quiesce_phase quiesce_state_phase(enum quiesce_state s)
{
	return (unsigned int)s < QS_STATES ? q_states[s].phase : QP_PHASES;
}

const char *quiesce_evidence_name(enum quiesce_evidence one_bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(evidences); i++)
		if (evidences[i].bit == one_bit)
			return evidences[i].name;
	return "?";
}

const char *quiesce_evidence_text(unsigned int mask, char *buf, size_t size)
{
	size_t len = 0;

	snprintf(buf, size, "nothing");
	for (size_t i = 0; i < ARRAY_SIZE(evidences); i++) {
		if (!(mask & evidences[i].bit) || len >= size)
			continue;
		len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "", evidences[i].name);
	}
	return buf;
}

/*
 * Where a vhba has no profile.  As fc/profile.c has it of libfc: a disable took at most 146 ms on Linux 6.1
 * under emulation; fast_io_fail 0 fails commands back about 30 ms after the disable's write began.
 */
const struct quiesce_profile quiesce_profile_libfc = {
	.driver = "libfc",
	.fast_fail_us = 500 * USEC_PER_MSEC,
	.disable_us = 1 * USEC_PER_SEC, /* 150 ms and the patience */
	.rport_slack_us = 50 * USEC_PER_MSEC,
	.escalate_us = 300 * USEC_PER_MSEC,
	.reserve_us = 165 * USEC_PER_MSEC,
	.disable_ends = true,
};

void quiesce_config_init(struct quiesce_config *cfg)
{
	*cfg = (struct quiesce_config){
		.answer_margin_us = 5 * USEC_PER_MSEC,
		.stop_us = 500 * USEC_PER_MSEC,
		.drain_us = 5 * USEC_PER_SEC,
		.sync_us = 250 * USEC_PER_MSEC,
		.drain_poll_min_us = 1 * USEC_PER_MSEC,
		.drain_poll_max_us = 20 * USEC_PER_MSEC,
		.verify_poll_min_us = 2 * USEC_PER_MSEC,
		.verify_poll_max_us = 100 * USEC_PER_MSEC,
		.background_poll_max_us = 1 * USEC_PER_SEC,
		.background_us = 120 * USEC_PER_SEC,
		.hold_us = 60 * USEC_PER_SEC,
	};
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The quiesce machine's ops on the rport timers. */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "quiesce_verb.h"
#include "timers.h"

/*
 * When the Blocked targets' own fast_io_fail will have ended: since when they are Blocked is not known, so
 * within its whole length from now.  They have what they had when they were blocked, whatever the
 * configuration says.
 */
static struct monotime blocked_until(struct driver *dr, const struct vm_vhba *v)
{
	struct fc_host *host = fc_host_find(&dr->d->inv, v->host);
	struct fc_rport *r;
	char state[32];
	int longest = 0;

	for (r = host ? TAILQ_FIRST(&host->rports) : NULL; r; r = TAILQ_NEXT(r, link)) {
		if (!r->is_target || fc_rport_read_state(host, r, state, sizeof(state)) ||
		    strcmp(state, "Blocked") || fc_rport_read_timers(host, r))
			continue;
		if (r->fast_io_fail < 0)
			return MONOTIME_NEVER;
		longest = r->fast_io_fail > longest ? r->fast_io_fail : longest;
	}
	return mono_add(mono_now(), (uint64_t)longest * USEC_PER_SEC);
}

static void on_fast_fail(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = verb_driver(vc);
	struct quiesce_arg arg = {.until = MONOTIME_NEVER};
	char text[QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (r->err) {
		driver_queue_text(dr, &vc->call, QE_FAST_FAIL_FAILED, arg,
				  verb_reply_text(dr, vc, r, text, sizeof(text)));
		return;
	}
	if (r->value)
		arg.until = blocked_until(dr, verb_vhba(dr, &vc->call));
	driver_queue_text(dr, &vc->call, r->value ? QE_FAST_FAIL_BUSY : QE_FAST_FAIL_SET, arg, r->text);
}

int quiesce_op_set_fast_fail(void *user, const struct quiesce_call *c)
{
	const struct vm_vhba *v = verb_vhba(user, c);
	struct priv_request q = {.verb = PRIV_RPORT_TIMERS,
				 .host = v->host,
				 .wwpn = v->wwpn,
				 .fast_io_fail = 0,
				 .dev_loss = -2};
	int err;

	if (driver_waits(user, c, quiesce_op_set_fast_fail, QE_FAST_FAIL_FAILED))
		return 0;
	err = verb_send(user, c, &q, on_fast_fail, 0, 0);
	driver_tell_maps(user, (unsigned)c->vhba, PRIV_MAPS_FAIL);
	return err;
}

/* After a vport was created again its rports are new ones: they get the policy. */
int quiesce_op_restore_timers(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	const struct vm_vhba *v = verb_vhba(dr, c);
	struct priv_request q = {.verb = PRIV_RPORT_TIMERS,
				 .host = v->host,
				 .wwpn = v->wwpn,
				 .fast_io_fail = timers_fast_io_fail_of(dr->d, dr->vm->uuid),
				 .dev_loss = dr->d->cfg->dev_loss};
	char ours[32];

	snprintf(ours, sizeof(ours), "rport-%d:", v->host);
	if (c->timers && strstr(c->timers, ours)) {
		q.verb = PRIV_RPORT_RESTORE;
		snprintf(q.text, sizeof(q.text), "%s", c->timers);
	}
	driver_tell_maps(user, (unsigned)c->vhba, PRIV_MAPS_RESTORE);
	return verb_send(user, c, &q, verb_done, QE_TIMERS_RESTORED, QE_TIMERS_FAILED);
}

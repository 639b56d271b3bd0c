/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The quiesce machine's ops on the vport itself, and what has to wait for its rport timers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "quiesce_verb.h"
#include "san.h"
#include "vhba_profile.h"

bool driver_waits(struct driver *dr, const struct quiesce_call *c, quiesce_op_fn *fn, enum quiesce_ev bad)
{
	dr->waits[c->vhba].fn = NULL;
	if (!verb_vhba(dr, c)->timers_pending)
		return false;
	dr->waits[c->vhba].call =
		(struct quiesce_call){.vhba = c->vhba, .token = c->token, .id = c->id, .by = c->by};
	dr->waits[c->vhba].bad = bad;
	dr->waits[c->vhba].fn = fn;
	return true;
}

void driver_forget_waiting(struct driver *dr, const struct quiesce_call *c)
{
	dr->waits[c->vhba].fn = NULL;
}

void driver_timers_set(struct driver *dr, unsigned vhba)
{
	quiesce_op_fn *fn = steal_ptr(dr->waits[vhba].fn);
	int err = fn ? fn(dr, &dr->waits[vhba].call) : 0;

	if (err)
		driver_queue_text(dr, &dr->waits[vhba].call, dr->waits[vhba].bad, (struct quiesce_arg){0},
				  strerror(-err));
}

/* ---- logouts, and their turns ---- */

static bool wants_logout(const struct driver *dr, unsigned vhba)
{
	enum quiesce_state s = vhba < dr->vm->count ? quiesce_state(dr->vm->quiesce, vhba) : QS_HELD;

	return s == QS_DISABLE_HOLD || s == QS_DISABLE_ABORT;
}

#define TURN_LOST_US USEC_PER_SEC /* it is told when its turn comes; this is for what nobody thought of */

static int on_turn_over(sd_event_source *s, uint64_t usec, void *user);

static void arm_turns(struct daemon *d)
{
	daemon_timer(d, &d->logout_timer, logouts_due(&d->logouts), on_turn_over, d);
}

/* Those whose turn it is now ask for it again. */
static void give_turns(struct daemon *d)
{
	struct logout_id id;

	while (logouts_next(&d->logouts, mono_now(), &id)) {
		struct vm *vm = vm_find(&d->vms, id.uuid);

		if (vm && vm->quiesce && wants_logout(vm->driver, id.vhba))
			driver_wake(vm->driver, (int)id.vhba);
		else
			logouts_end(&d->logouts, &id);
	}
	arm_turns(d);
}

static int on_turn_over(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	give_turns(user);
	return 0;
}

static struct logout_id logout_id(const char *uuid, int vhba)
{
	struct logout_id id = {.vhba = (unsigned)vhba};

	strcpy(id.uuid, uuid);
	return id;
}

static bool is_its_turn(struct driver *dr, const struct quiesce_call *c)
{
	struct logout_id id = logout_id(dr->vm->uuid, c->vhba);
	const struct op *op = dr->vm->op;
	struct monotime by = op && !op->answered ? op->deadline : MONOTIME_NEVER;
	unsigned before = 0;
	char text[80];
	bool now = logouts_ask(&dr->d->logouts, &id, vhba_profile(dr->d, verb_vhba(dr, c)), by, mono_now(),
			       &before);

	if (!now) {
		snprintf(text, sizeof(text), "its logout waits for its turn, %u go before it", before);
		driver_queue_text(dr, c, QE_DISABLE_AGAIN,
				  (struct quiesce_arg){.until = mono_add(mono_now(), TURN_LOST_US)}, text);
	}
	arm_turns(dr->d);
	return now;
}

/* With some drivers its success says nothing. */
static void on_disabled(void *user, const struct priv_reply *r)
{
	struct verb_call *vc = user;
	struct logout_id id = logout_id(vc->uuid, vc->call.vhba);
	struct driver *dr = verb_driver(vc);
	const struct vm_vhba *v = dr ? verb_vhba(dr, &vc->call) : NULL;
	struct priv_reply no = *r;

	logouts_end(&vc->d->logouts, &id);
	give_turns(vc->d);
	if (v && !r->err && !vhba_is_disabled(dr->d, vhba_profile(dr->d, v), v, no.text, sizeof(no.text)))
		no.err = -EIO;
	verb_done(vc, &no);
}

int quiesce_op_disable(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct priv_request q = verb_vport_request(verb_vhba(dr, c), PRIV_VPORT_DISABLE);

	/* What slips into a hold is to be parked. */
	q.target = quiesce_state(dr->vm->quiesce, (unsigned)c->vhba) == QS_DISABLE_ABORT;
	if (driver_waits(user, c, quiesce_op_disable, QE_DISABLE_FAILED))
		return 0;
	if (!is_its_turn(user, c))
		return 0;
	return verb_send(user, c, &q, on_disabled, QE_DISABLED, QE_DISABLE_FAILED);
}

int quiesce_op_enable(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct priv_request q = verb_vport_request(verb_vhba(dr, c), PRIV_VPORT_ENABLE);
	int err;

	driver_forget_waiting(dr, c);
	q.target = dr->login[c->vhba].watch.anew;
	err = verb_send(dr, c, &q, verb_done, QE_ENABLED, QE_ENABLE_FAILED);
	/* The helper is at work meanwhile. */
	driver_login_begins(dr, c->vhba);
	return err;
}

/* Half of the time that the caller waits at most: the rest is for the delete, and for proving it. */
static uint32_t drain_ms(const struct driver *dr)
{
	const struct op *op = dr->vm->op;
	uint64_t us = op ? mono_left(op->deadline, mono_now()) / 2 : 0;

	return (uint32_t)((us < dr->d->cfg->drain ? us : dr->d->cfg->drain) / USEC_PER_MSEC);
}

int quiesce_op_delete(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct priv_request q = verb_vport_request(verb_vhba(dr, c), PRIV_VPORT_DELETE);
	bool hard = quiesce_state(dr->vm->quiesce, (unsigned)c->vhba) == QS_HARD_STOP;
	int err;

	driver_forget_waiting(dr, c);
	/* Of a VM that is attached this is the drain; one that is held has no target that is Online. */
	if (!hard)
		q.target = drain_ms(dr);
	err = verb_send_delete(dr, c, &q, verb_done, QE_DELETED, QE_DELETE_FAILED);
	if (hard)
		driver_tell_maps(dr, (unsigned)c->vhba, PRIV_MAPS_FAIL);
	return err;
}

static int create(struct driver *dr, const struct quiesce_call *c)
{
	const struct vm_vhba *v = verb_vhba(dr, c);
	struct priv_request q = verb_vport_request(v, PRIV_VPORT_CREATE);

	driver_login_begins(dr, c->vhba);
	return verb_send(dr, c, &q, verb_done, QE_CREATED, QE_CREATE_FAILED);
}

static void on_gone_create(void *user, const struct priv_reply *r)
{
	struct verb_call *vc = user;
	struct driver *dr = verb_driver(vc);

	if (!dr || (r->err && r->err != -ENODEV)) {
		verb_done(vc, r);
		return;
	}
	verb_look_again(dr, vc->call.vhba);
	if (create(dr, &vc->call))
		driver_queue(dr, &vc->call, vc->bad);
	free(vc);
}

int quiesce_op_create(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct vm_vhba *v = verb_vhba(dr, c);
	struct priv_request q;

	driver_forget_waiting(dr, c);
	if (!san_locate(dr->d, v))
		return create(dr, c);
	if (!vhba_profile(dr->d, v)->delete_again)
		return quiesce_op_enable(user, c); /* it exists: creating what is there means enabling it */
	/* Its delete has begun and was put off: it can't be enabled any more, only deleted. */
	q = verb_vport_request(v, PRIV_VPORT_DELETE);
	return verb_send_delete(dr, c, &q, on_gone_create, QE_CREATED, QE_CREATE_FAILED);
}

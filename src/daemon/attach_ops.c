/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attachment machine's ops: verbs of vhba-priv, and what their answers mean to it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach_run.h"
#include "cleanup.h"
#include "log.h"
#include "privq.h"
#include "timers.h"
#include "vhba_profile.h"

struct op *attach_op_of(const struct attach_verb *v)
{
	struct op *op;

	TAILQ_FOREACH (op, &v->d->ops, link)
		if (op->id == v->op_id)
			return op;
	return NULL;
}

static struct attach_verb *verb_new(struct op *op, unsigned i)
{
	struct attach_verb *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->d = op->d;
	v->op_id = op->id;
	v->vhba = i;
	return v;
}

static void send_verb(struct op *op, unsigned i, struct priv_request *req, uint64_t timeout_us,
		      privq_done *done)
{
	struct attach_verb *v = verb_new(op, i);

	if (v)
		privq_call(op->d->privq, req, timeout_us, done, v);
}

static void create_failed(struct op *op, unsigned i, const struct priv_reply *r)
{
	const struct vm_vhba *v = &op->vm->vhba[i];
	struct verror e;

	vhba_create_error(vhba_profile(op->d, v), r, v->index, &e);
	attach_fail(&op->attach->machine, &e);
	attach_event(&op->attach->machine, i, ATTACH_EV_FAILED, mono_now());
}

/* ---- the verbs' answers ---- */

static void on_created(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct attach_verb *v = user;
	struct op *op = attach_op_of(v);
	struct vm_vhba *vv;

	if (!op)
		return;
	vv = &op->vm->vhba[v->vhba];
	if (r->err) {
		create_failed(op, v->vhba, r);
		op_attach_look(op);
		return;
	}
	vv->channel = r->channel;
	vv->number = r->number;
	vv->host = r->value;
	vv->named = false;
	/* What there is on its host comes, or has come, by events of their own. */
	fc_inventory_vport_made(&v->d->inv, vv->parent_host,
				&(struct fc_vport){.channel = r->channel,
						   .number = r->number,
						   .wwpn = vv->wwpn,
						   .wwnn = vv->wwnn,
						   .host = vv->host});
	attach_event(&op->attach->machine, v->vhba, ATTACH_EV_CREATED, mono_now());
}

static void begin_delete(struct op *op, unsigned i);

static void on_deleted(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct attach_verb *v = user;
	struct op *op = attach_op_of(v);
	bool good = !r->err || r->err == -ENODEV;

	if (!op)
		return;
	/* It goes on in the kernel, or has not begun since somebody else is at work on the vport there: only
	 * the end of that tells. */
	if (r->err == -ETIMEDOUT) {
		log_warning("%s: vhba %u: its vport is not deleted yet: %s", op->vm->name,
			    op->vm->vhba[v->vhba].index, r->text);
		begin_delete(op, v->vhba);
		return;
	}
	op->vm->vhba[v->vhba].host = good ? -1 : op->vm->vhba[v->vhba].host;
	if (r->err)
		watch_refresh(v->d, op->vm->vhba[v->vhba].parent_host);
	else
		fc_inventory_vport_gone(&v->d->inv, op->vm->vhba[v->vhba].parent_host, r->channel, r->number);
	op = attach_op_of(v);
	if (op)
		attach_event(&op->attach->machine, v->vhba,
			     good ? ATTACH_EV_DELETED : ATTACH_EV_DELETE_FAILED, mono_now());
}

static void on_timers(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct attach_verb *v = user;
	struct op *op = attach_op_of(v);

	if (!op)
		return;
	if (r->err)
		log_warning("%s: vhba %u: the rport timers could not be set: %s", op->vm->name,
			    op->vm->vhba[v->vhba].index, strerror(-r->err));
	attach_event(&op->attach->machine, v->vhba, ATTACH_EV_TIMERS_SET, mono_now());
}

static void on_asked(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct attach_verb *v = user;
	struct op *op = attach_op_of(v);
	struct asked *a;

	if (!op)
		return;
	a = &op->attach->asked[v->vhba];
	a->waiting--;
	a->luns += r->err ? 0 : r->count;
	a->failed |= r->err != 0;
	if (r->err)
		log_notice("%s: vhba %u: REPORT LUNS: %s %s", op->vm->name, op->vm->vhba[v->vhba].index,
			   strerror(-r->err), r->text);
	if (a->waiting)
		return;
	/* Without every target's answer the set would not be the whole one: the next look asks them all
	 * again. */
	if (a->failed) {
		*a = (struct asked){.luns = 0};
		return;
	}
	attach_look_soon(op, v->vhba);
	op_attach_look(op);
}

/* ---- what the machine begins ---- */

static uint64_t left(const struct op *op)
{
	return mono_left(op->deadline, mono_now());
}

static void begin_create(struct op *op, unsigned i)
{
	const struct vm_vhba *v = &op->vm->vhba[i];
	const struct fc_host *parent = fc_host_find(&op->d->inv, v->parent_host);
	struct priv_request q = {
		.verb = PRIV_VPORT_CREATE, .host = v->parent_host, .wwpn = v->wwpn, .wwnn = v->wwnn};

	if (parent)
		q.number = fc_vport_next_number(parent);
	send_verb(op, i, &q, left(op), on_created);
}

#define PROBE_MS 1000 /* what the kernel and udev ask the new LUNs ends within so long, or with the vport */

/* SCSI error handling that is under way is waited for: a LUN reset a LUN, a host reset, a test a LUN. */
#define LEFTOVER_US (120 * USEC_PER_SEC)

static void begin_delete(struct op *op, unsigned i)
{
	const struct vm_vhba *v = &op->vm->vhba[i];
	struct priv_request q = {.verb = PRIV_VPORT_DELETE,
				 .host = v->parent_host,
				 .channel = v->channel,
				 .number = v->number,
				 .wwpn = v->wwpn,
				 .wwnn = v->wwnn,
				 .target = PROBE_MS};
	struct attach_verb *verb = verb_new(op, i);
	uint64_t t = left(op);

	/* Undoing goes on after the answer: what was made must not stay. */
	if (verb)
		vhba_delete(op->d, &q, t > LEFTOVER_US ? t : LEFTOVER_US, on_deleted, verb);
}

/* All its targets have the policy: with the kernel's own defaults as policy there is nothing to set. */
static bool timers_right(struct op *op, unsigned i)
{
	const struct config *c = op->d->cfg;
	int fast_io_fail = timers_fast_io_fail_of(op->d, op->vm->uuid);
	struct fc_host *host = fc_host_find(&op->d->inv, op->vm->vhba[i].host);
	struct fc_rport *r;
	unsigned targets = 0;

	if (!host)
		return false;
	TAILQ_FOREACH (r, &host->rports, link) {
		if (!fc_rport_read_is_target(host, r))
			continue;
		if (fc_rport_read_timers(host, r) || r->dev_loss != c->dev_loss ||
		    r->fast_io_fail != fast_io_fail)
			return false;
		targets++;
	}
	return targets > 0;
}

static void begin_timers(struct op *op, unsigned i)
{
	struct priv_request q = {.verb = PRIV_RPORT_TIMERS,
				 .host = op->vm->vhba[i].host,
				 .wwpn = op->vm->vhba[i].wwpn,
				 .fast_io_fail = timers_fast_io_fail_of(op->d, op->vm->uuid),
				 .dev_loss = op->d->cfg->dev_loss};

	op->attach->timers_right[i] = timers_right(op, i);
	if (!op->attach->timers_right[i])
		send_verb(op, i, &q, left(op), on_timers);
}

bool attach_ask_targets(struct op *op, unsigned i)
{
	const struct fc_host *host = fc_host_find(&op->d->inv, op->vm->vhba[i].host);
	struct asked *a = &op->attach->asked[i];
	struct fc_rport *r;
	bool all = true;

	if (a->waiting || a->luns || !host)
		return false;
	TAILQ_FOREACH (r, &host->rports, link)
		all &= !fc_rport_read_is_target(host, r) || !TAILQ_EMPTY(&r->luns);
	if (!all)
		return false;
	TAILQ_FOREACH (r, &host->rports, link) {
		const struct fc_lun *l = TAILQ_FIRST(&r->luns);
		struct priv_request q = {.verb = PRIV_REPORT_LUNS, .host = host->number};

		if (!r->is_target || !l)
			continue;
		q.channel = l->channel;
		q.target = l->target;
		a->waiting++;
		send_verb(op, i, &q, left(op), on_asked);
	}
	return true;
}

void attach_begin(void *ctx, unsigned i, enum attach_action action)
{
	static void (*const actions[ATTACH_ACTIONS_])(struct op * op, unsigned i) = {
		[ATTACH_DO_CREATE] = begin_create,
		[ATTACH_DO_TIMERS] = begin_timers,
		[ATTACH_DO_DELETE] = begin_delete,
	};
	struct op *op = ctx;

	if (actions[action])
		actions[action](op, i);
	/* Looking and asking are done by op_attach_look, which the turn of the loop after this one calls;
	 * after the answer nothing is looked for, and the wake is the undoing's. */
	if (!op->answered)
		op_wake_at(op, mono_now(), op_attach_look);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's end of the attachment machine: places the vhbas, sends the verbs, looks at the inventory. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "journal.h"
#include "log.h"
#include "op.h"
#include "placement.h"
#include "privq.h"
#include "result.h"
#include "san.h"

#define UNDO_US (2 * USEC_PER_SEC)
#define LOOK_MIN_US (2 * USEC_PER_MSEC)
#define LOOK_MAX_US (250 * USEC_PER_MSEC)

/* What the targets of one vhba said they show (first attach only). */
struct asked {
	unsigned waiting; /* questions under way */
	uint64_t luns; /* how many the targets named in all */
};

struct attach_run {
	struct attach machine;
	struct asked asked[ATTACH_VHBAS_MAX];
	struct verror missing[ATTACH_VHBAS_MAX]; /* what the last look found lacking */
	struct journal *journal;
	bool timers_right[ATTACH_VHBAS_MAX]; /* found so: no verb is under way for them */
	bool placed, record; /* record: the expected sets are written at the end */
	unsigned writing;
	uint64_t backoff_us;
};

/* A verb under way: the operation may be gone when its answer comes. */
struct verb {
	struct daemon *d;
	uint64_t op_id;
	unsigned vhba;
};

static struct op *op_of(const struct verb *v)
{
	struct op *op;

	TAILQ_FOREACH (op, &v->d->ops, link)
		if (op->id == v->op_id)
			return op;
	return NULL;
}

static void send_verb(struct op *op, unsigned i, struct priv_request *req, uint64_t timeout_us,
		      privq_done *done)
{
	struct verb *v = calloc(1, sizeof(*v));

	if (!v)
		return;
	v->d = op->d;
	v->op_id = op->id;
	v->vhba = i;
	privq_call(op->d->privq, req, timeout_us, done, v);
}

static void journal(struct op *op, unsigned i, const char *step)
{
	const struct vm_vhba *v = &op->vm->vhba[i];
	struct journal_record r;

	if (!op->attach->journal)
		return;
	journal_record_init(&r, step, mono_now().us);
	journal_put_u64(&r, "vhba", v->index);
	journal_put_hex(&r, "wwpn", v->wwpn);
	journal_put_hex(&r, "wwnn", v->wwnn);
	journal_put_hex(&r, "parent", v->parent_wwpn);
	if (journal_append(op->attach->journal, &r))
		log_warning("%s: the journal could not be written", op->vm->name);
}

static void fail(struct op *op, unsigned i, enum vhba_error_kind kind, const struct priv_reply *r)
{
	struct vm_vhba *v = &op->vm->vhba[i];
	char wwn[WWN_TEXT];
	struct verror e;

	verror_set(&e, kind, "vhba %u: %s failed", v->index, priv_verb_name(r->verb));
	verror_seen(&e, "%s%s%s", strerror(-r->err), r->text[0] ? ": " : "", r->text);
	if (r->verb == PRIV_VPORT_CREATE && (r->err == -EINVAL || r->err == -ENOTUNIQ))
		verror_fix(&e, "does the parent carry %s already?", wwn_format(v->wwpn, wwn));
	if (r->err == -ENOSPC)
		verror_expected(&e, "room for one more vport on the parent");
	attach_fail(&op->attach->machine, &e);
	attach_event(&op->attach->machine, i, ATTACH_EV_FAILED, mono_now());
}

/* ---- the verbs' answers ---- */

static void on_created(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb *v = user;
	struct op *op = op_of(v);
	struct vm_vhba *vv;

	if (!op)
		return;
	vv = &op->vm->vhba[v->vhba];
	if (r->err) {
		fail(op, v->vhba, r->err == -ENOSPC ? VHBA_E_CONSTRAINT : VHBA_E_IO, r);
		op_attach_look(op);
		return;
	}
	vv->channel = r->channel;
	vv->number = r->number;
	vv->host = r->value;
	watch_refresh(v->d, vv->parent_host);
	if (vv->host >= 0)
		watch_refresh(v->d, vv->host);
	op = op_of(v); /* the refresh may have woken and ended it */
	if (op)
		attach_event(&op->attach->machine, v->vhba, ATTACH_EV_CREATED, mono_now());
}

static void on_deleted(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb *v = user;
	struct op *op = op_of(v);
	bool good = !r->err || r->err == -ENODEV;

	if (!op)
		return;
	op->vm->vhba[v->vhba].host = good ? -1 : op->vm->vhba[v->vhba].host;
	watch_refresh(v->d, op->vm->vhba[v->vhba].parent_host);
	op = op_of(v);
	if (op)
		attach_event(&op->attach->machine, v->vhba,
			     good ? ATTACH_EV_DELETED : ATTACH_EV_DELETE_FAILED, mono_now());
}

static void on_timers(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb *v = user;
	struct op *op = op_of(v);

	if (!op)
		return;
	if (r->err)
		log_warning("%s: vhba %u: the rport timers could not be set: %s", op->vm->name,
			    op->vm->vhba[v->vhba].index, strerror(-r->err));
	attach_event(&op->attach->machine, v->vhba, ATTACH_EV_TIMERS_SET, mono_now());
}

static void on_asked(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb *v = user;
	struct op *op = op_of(v);
	struct asked *a;

	if (!op)
		return;
	a = &op->attach->asked[v->vhba];
	a->waiting--;
	a->luns += r->err ? 0 : r->count;
	if (r->err)
		log_notice("%s: vhba %u: REPORT LUNS: %s %s", op->vm->name, op->vm->vhba[v->vhba].index,
			   strerror(-r->err), r->text);
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
	struct priv_request q = {
		.verb = PRIV_VPORT_CREATE, .host = v->parent_host, .wwpn = v->wwpn, .wwnn = v->wwnn};

	snprintf(q.name, sizeof(q.name), "vhba %.40s %u", op->vm->name, v->index);
	send_verb(op, i, &q, left(op), on_created);
}

static void begin_delete(struct op *op, unsigned i)
{
	const struct vm_vhba *v = &op->vm->vhba[i];
	struct priv_request q = {
		.verb = PRIV_VPORT_DELETE, .host = v->parent_host, .wwpn = v->wwpn, .wwnn = v->wwnn};
	uint64_t t = left(op);

	/* Undoing goes on after the answer: what was made must not stay. */
	send_verb(op, i, &q, t > 30 * USEC_PER_SEC ? t : 30 * USEC_PER_SEC, on_deleted);
}

/* All its targets have the policy: with the kernel's own defaults as policy there is nothing to set. */
static bool timers_right(struct op *op, unsigned i)
{
	const struct config *c = op->d->cfg;
	const struct fc_host *host;
	const struct fc_rport *r;
	unsigned targets = 0;

	watch_refresh(op->d, op->vm->vhba[i].host); /* a role comes without an event */
	host = fc_host_find(&op->d->inv, op->vm->vhba[i].host);
	if (!host)
		return false;
	TAILQ_FOREACH (r, &host->rports, link) {
		if (!r->is_target)
			continue;
		if (r->dev_loss != c->dev_loss || r->fast_io_fail != c->fast_io_fail)
			return false;
		targets++;
	}
	return targets > 0;
}

static void begin_timers(struct op *op, unsigned i)
{
	struct priv_request q = {.verb = PRIV_RPORT_TIMERS,
				 .host = op->vm->vhba[i].host,
				 .fast_io_fail = op->d->cfg->fast_io_fail,
				 .dev_loss = op->d->cfg->dev_loss};

	op->attach->timers_right[i] = timers_right(op, i);
	if (!op->attach->timers_right[i])
		send_verb(op, i, &q, left(op), on_timers);
}

/* Every target that shows a LUN is asked how many there are, so that the set that is recorded is the whole
 * one. */
static bool ask_targets(struct op *op, unsigned i)
{
	const struct fc_host *host = fc_host_find(&op->d->inv, op->vm->vhba[i].host);
	struct asked *a = &op->attach->asked[i];
	const struct fc_rport *r;
	bool all = true;

	if (a->waiting || a->luns || !host)
		return false;
	TAILQ_FOREACH (r, &host->rports, link)
		all &= !r->is_target || !TAILQ_EMPTY(&r->luns);
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

static void begin(void *ctx, unsigned i, enum attach_action action)
{
	static void (*const actions[ATTACH_ACTIONS_])(struct op * op, unsigned i) = {
		[ATTACH_DO_CREATE] = begin_create,
		[ATTACH_DO_TIMERS] = begin_timers,
		[ATTACH_DO_DELETE] = begin_delete,
	};
	struct op *op = ctx;

	if (actions[action])
		actions[action](op, i);
	/* Looking and asking are done by op_attach_look, which the turn of the loop after this one calls. */
	op_wake_at(op, mono_now(), op_attach_look);
}

static void changed(void *ctx, unsigned i, enum attach_state from, enum attach_state to)
{
	struct op *op = ctx;

	(void)from;
	op->attach->backoff_us = LOOK_MIN_US;
	journal(op, i, attach_state_name(to));
	op_progress(op, attach_state_name(to), (int)op->vm->vhba[i].index, NULL);
}

/* ---- the answer ---- */

static struct json_object *build_result(struct op *op, bool ok)
{
	struct json_object *o = json_object_new_object(), *vhbas = json_object_new_array();
	struct attach *a = &op->attach->machine;
	struct monotime now = mono_now();

	json_object_object_add(o, "operation", json_object_new_string("attach"));
	json_object_object_add(o, "vm", json_object_new_string(op->vm->name));
	json_object_object_add(o, "outcome", json_object_new_string(ok ? "done" : "failed"));
	json_object_object_add(o, "start_us", json_object_new_uint64(op->start.us));
	json_object_object_add(o, "deadline_us", json_object_new_uint64(mono_since(op->deadline, op->start)));
	json_object_object_add(o, "elapsed_us", json_object_new_uint64(mono_since(now, op->start)));
	json_object_object_add(o, "unproved", json_object_new_array());
	for (unsigned i = 0; i < op->vm->count; i++) {
		struct json_object *v = result_vhba(&op->vm->vhba[i]);

		json_object_object_add(v, "outcome", json_object_new_string(ok ? "done" : "failed"));
		json_object_object_add(v, "state",
				       json_object_new_string(attach_state_name(a->vhba[i].state)));
		json_object_object_add(v, "phases", result_attach_phases(a, i, now));
		json_object_array_add(vhbas, v);
	}
	json_object_object_add(o, "vhbas", vhbas);
	return o;
}

static void finish(struct op *op, bool ok, const struct verror *e)
{
	struct attach_run *run = op->attach;
	struct vm *vm = op->vm;

	vm_set_state(vm, ok ? VM_ATTACHED : VM_DETACHED);
	op_answer(op, build_result(op, ok), e);
	if (run->journal)
		journal_end(steal_ptr(run->journal), ok ? "done" : "failed", e ? e->what : "", mono_now().us,
			    4);
}

/* The undoing goes on in the background until nothing is left, or it is known what is. */
static void on_leftover(struct op *op)
{
	struct attach *a = &op->attach->machine;
	struct daemon *d = op->d;
	struct vm *vm = op->vm;
	bool left_over = false;

	for (unsigned i = 0; i < a->count; i++) {
		if (a->vhba[i].state == ATTACH_UNDOING || a->vhba[i].state == ATTACH_CREATING) {
			op_wake_at(op, mono_add(mono_now(), 100 * USEC_PER_MSEC), on_leftover);
			return;
		}
		left_over |= a->vhba[i].state == ATTACH_LEFT;
	}
	vm_set_state(vm, left_over ? VM_FAILED : VM_DETACHED);
	op_end(op);
	if (!left_over)
		vm_free(&d->vms, vm);
}

static void on_recorded(void *user, const struct verror *e)
{
	AUTO_FREE struct verb *v = user;
	struct op *op = op_of(v);

	if (!op)
		return;
	if (e)
		log_warning("%s: the expected LUN set could not be recorded: %s", op->vm->name, e->what);
	if (--op->attach->writing)
		return;
	finish(op, true, NULL);
	op_end(op);
}

static unsigned seen_luns(struct op *op, unsigned i, struct reg_lun *luns, unsigned max)
{
	const struct fc_host *host = fc_host_find(&op->d->inv, op->vm->vhba[i].host);
	const struct fc_rport *r;
	const struct fc_lun *l;
	unsigned n = 0;

	if (!host)
		return 0;
	TAILQ_FOREACH (r, &host->rports, link) {
		TAILQ_FOREACH (l, &r->luns, link) {
			if (l->type != 0 || !l->usable || n == max)
				continue;
			memcpy(luns[n].designator, l->designator, sizeof(luns[n].designator));
			luns[n].lun = l->lun;
			luns[n].target = r->wwpn;
			luns[n].size = l->size;
			n++;
		}
	}
	return n;
}

/* The registry takes one change of a VM at a time: all vhbas' sets go as one import of the VM onto itself. */
static bool record_sets(struct op *op)
{
	const struct reg_vm *rv = registry_find(op->d->reg, op->vm->uuid);
	struct reg_vm *copy = rv ? reg_vm_copy(rv) : NULL;
	struct verb *v = calloc(1, sizeof(*v));
	struct verror e;

	for (unsigned i = 0; copy && v && i < copy->vhbas_n && i < op->vm->count; i++) {
		struct reg_vhba *rvh = &copy->vhbas[i];
		struct reg_lun *luns = calloc(REG_LUNS_MAX, sizeof(*luns));

		if (!luns || op->attach->machine.vhba[i].known) {
			free(luns);
			continue;
		}
		free(rvh->luns);
		rvh->luns_n = seen_luns(op, i, luns, REG_LUNS_MAX);
		rvh->luns = reallocarray(luns, rvh->luns_n ? rvh->luns_n : 1, sizeof(*luns));
		rvh->known = true;
	}
	if (copy && v) {
		v->d = op->d;
		v->op_id = op->id;
		if (!registry_import(op->d->reg, copy, on_recorded, v, &e)) {
			op->attach->writing = 1;
			daemon_registry_changed(op->d);
			reg_vm_free(copy);
			return true;
		}
		log_warning("%s: the expected LUN set could not be recorded: %s", op->vm->name, e.what);
	}
	reg_vm_free(copy);
	free(v);
	return false;
}

static void answer(void *ctx, bool ok)
{
	struct op *op = ctx;
	struct attach_run *run = op->attach;
	struct verror e = run->machine.why;

	if (ok) {
		op->settled = true;
		return; /* op_attach_look ends it: the machine is still on the stack */
	}
	for (unsigned i = 0; !e.kind && i < run->machine.count; i++)
		if (run->missing[i].kind)
			e = run->missing[i];
	if (!e.kind)
		verror_set(&e, VHBA_E_DEADLINE, "%s could not be attached by the deadline", op->vm->name);
	finish(op, false, &e);
	op_wake_at(op, mono_now(), on_leftover);
}

static const struct attach_ops ops = {begin, changed, answer};

/* ---- looking ---- */

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
	if (s != ATTACH_LOGGING_IN && s != ATTACH_ASKING && s != ATTACH_LUNS)
		return;
	if (!san_locate(op->d, v)) {
		verror_set(why, VHBA_E_IO, "vhba %u: its vport vanished", v->index);
		attach_fail(a, why);
		attach_event(a, i, ATTACH_EV_LOST, now);
	} else if (s == ATTACH_LOGGING_IN && san_logged_in(op->d, op->vm, v, why)) {
		attach_event(a, i, ATTACH_EV_LOGGED_IN, now);
	} else if (s == ATTACH_ASKING && !ask_targets(op, i) && all_luns_seen(op, i, why)) {
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

/* Nobody tells when a vport becomes Active or an rport Online: look again, while somebody waits, ever more
 * rarely. */
static void look_later(struct op *op)
{
	struct attach_run *run = op->attach;
	struct monotime next = mono_add(mono_now(), run->backoff_us);

	run->backoff_us = run->backoff_us * 2 > LOOK_MAX_US ? LOOK_MAX_US : run->backoff_us * 2;
	op_wake_at(op, mono_min(next, attach_due(&run->machine)), op_attach_look);
}

static void place(struct op *op);

void op_attach_look(struct op *op)
{
	struct attach_run *run = op->attach;

	if (op->answered || run->writing)
		return;
	if (!run->placed)
		place(op);
	for (unsigned i = 0; run->placed && !op->settled && !op->answered && i < op->vm->count; i++) {
		if (!run->machine.vhba[i].known && run->machine.vhba[i].state == ATTACH_LOGGING_IN)
			watch_refresh(op->d, op->vm->vhba[i].host);
		look_at(op, i);
	}
	attach_tick(&run->machine, mono_now());
	if (op->answered)
		return;
	if (!op->settled) {
		look_later(op);
		return;
	}
	if (run->record && record_sets(op))
		return;
	finish(op, true, NULL);
	op_end(op);
}

/* ---- starting ---- */

static void begin_all(struct op *op)
{
	struct attach_run *run = op->attach;

	run->placed = true;
	for (unsigned i = 0; i < op->vm->count; i++) {
		struct vm_vhba *v = &op->vm->vhba[i];
		bool there = v->host >= 0;

		attach_event(&run->machine, i, there ? ATTACH_EV_ADOPT : ATTACH_EV_START, mono_now());
	}
}

/* A parent that is just logging in may do in a moment: only the deadline ends the search. */
static void place(struct op *op)
{
	struct attach_run *run = op->attach;
	struct verror e;

	watch_refresh_parents(op->d);
	if (!placement_choose(op->d, op->vm, &e)) {
		begin_all(op);
		return;
	}
	run->missing[0] = e;
	if (!placement_may_change(op->d, op->vm)) {
		attach_fail(&run->machine, &e);
		attach_event(&run->machine, 0, ATTACH_EV_FAILED, mono_now());
	}
}

void op_attach_free(struct attach_run *run)
{
	if (!run)
		return;
	if (run->journal)
		journal_close(run->journal);
	free(run);
}

int op_attach_start(struct op *op, bool accept_luns, struct verror *e)
{
	const struct reg_vm *rv = registry_find(op->d->reg, op->vm->uuid);
	struct journal_head head = {.kind = JOURNAL_ATTACH, .id = op->id};
	struct attach_run *run = calloc(1, sizeof(*run));
	char dir[256];

	if (!run)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	op->attach = run;
	run->backoff_us = LOOK_MIN_US;
	snprintf(head.vm, sizeof(head.vm), "%s", op->vm->uuid);
	snprintf(dir, sizeof(dir), "%s/journal", op->d->cfg->run_dir);
	run->journal = journal_begin(dir, &head, NULL, e);
	if (!run->journal)
		return -EIO;
	attach_init(&run->machine, &ops, op, op->vm->count, op->start, op->deadline, UNDO_US);
	for (unsigned i = 0; i < op->vm->count; i++) {
		const struct reg_vhba *v = registry_vhba(rv, op->vm->vhba[i].index);

		run->machine.vhba[i].known = v && v->known && !accept_luns;
		run->record |= !run->machine.vhba[i].known;
	}
	vm_set_state(op->vm, VM_ATTACHING);
	op_attach_look(op);
	return 0;
}

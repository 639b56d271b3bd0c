/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Quiesce, resume, release and detach as operations: the pump between the loop and a VM's quiesce machine,
 * whose ops are in quiesce_ops.c.  An op must not call the machine from within itself, so what is known at
 * once is queued and handed over after the machine has returned, in slices (work.h).
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "driver.h"
#include "handover.h"
#include "ios.h"
#include "live.h"
#include "log.h"
#include "pools.h"
#include "san.h"
#include "timers.h"
#include "vhba_profile.h"

/* What is known of an op's end, until the machine may be told. */
struct pending {
	TAILQ_ENTRY(pending) link;
	int vhba;
	enum quiesce_ev ev;
	struct quiesce_arg arg;
	char text[QUIESCE_TIMERS_MAX];
};

static void after(struct driver *dr);

void driver_queue_text(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev ev,
		       struct quiesce_arg arg, const char *text)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p) {
		log_err("%s: out of memory: %s is lost", dr->vm->name, quiesce_ev_name(ev));
		return;
	}
	p->vhba = c->vhba;
	p->ev = ev;
	p->arg = arg;
	p->arg.token = c->token;
	snprintf(p->text, sizeof(p->text), "%s", text ? text : "");
	p->arg.text = p->text[0] ? p->text : NULL;
	TAILQ_INSERT_TAIL(&dr->pending, p, link);
	work_queue(&dr->d->works, &dr->work);
}

void driver_queue(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev ev)
{
	driver_queue_text(dr, c, ev, (struct quiesce_arg){0}, NULL);
}

void driver_wake(struct driver *dr, int vhba)
{
	driver_queue(dr, &(struct quiesce_call){.vhba = vhba}, QE_WAKE);
}

/* What others do just now: those that somebody waits for, or those that log out. */
static void know_crowd(struct driver *dr)
{
	unsigned asked = op_crowd(dr->d, dr->vm), n = dr->d->logouts.n;

	n = n > asked ? n : asked;
	if (n == dr->crowd)
		return;
	dr->crowd = n;
	for (unsigned i = 0; i < dr->vm->count; i++) {
		dr->profile[i] = dr->alone[i];
		vhba_profile_crowd(n, &dr->profile[i]);
	}
}

static void hand_over(struct work *w)
{
	struct driver *dr = (struct driver *)((char *)w - offsetof(struct driver, work));
	struct pending *p;

	know_crowd(dr);
	while ((p = TAILQ_FIRST(&dr->pending))) {
		TAILQ_REMOVE(&dr->pending, p, link);
		quiesce_event(dr->vm->quiesce, p->vhba, p->ev, &p->arg, mono_now());
		free(p);
	}
	driver_add_later(dr);
	after(dr);
}

/* Whose answer is due before that of dr by its deadline; dr itself: nobody's. */
static struct driver *most_urgent(struct driver *dr)
{
	const struct op *first = dr->vm->op, *op;

	TAILQ_FOREACH (op, &dr->d->ops, link)
		if (!op->answered && op->vm->driver && op->deadline.us < first->deadline.us)
			first = op;
	return first->vm->driver;
}

static void tick(struct driver *dr)
{
	know_crowd(dr);
	quiesce_tick(dr->vm->quiesce, mono_now());
	driver_add_later(dr);
	after(dr);
}

/*
 * Of many the one that was asked last wakes first, since it knew of the most others (before_crowd): its turn
 * is that of the one that is due first.
 */
static int on_tick(sd_event_source *s, uint64_t usec, void *user)
{
	struct driver *dr = user, *first = dr;

	(void)s;
	(void)usec;
	if (dr->vm->op && mono_reached(quiesce_answer_at(dr->vm->quiesce), mono_now()))
		first = most_urgent(dr);
	if (first != dr) {
		quiesce_trade_answers(dr->vm->quiesce, first->vm->quiesce);
		tick(first);
	}
	tick(dr);
	return 0;
}

/* ---- its life ---- */

void driver_free(struct driver *dr)
{
	struct pending *p;

	if (!dr)
		return;
	while ((p = TAILQ_FIRST(&dr->pending))) {
		TAILQ_REMOVE(&dr->pending, p, link);
		free(p);
	}
	sd_event_source_disable_unref(dr->timer);
	json_object_put(dr->answered.pools);
	work_cancel(&dr->d->works, &dr->work);
	free(dr);
}

static struct driver *driver_new(struct daemon *d, struct vm *vm)
{
	struct driver *dr = calloc(1, sizeof(*dr));

	if (!dr)
		return NULL;
	dr->d = d;
	dr->vm = vm;
	TAILQ_INIT(&dr->pending);
	dr->work.fn = hand_over;
	return dr;
}

void op_quiesce_config(const struct config *c, struct quiesce_config *qc, uint64_t drain_us)
{
	quiesce_config_init(qc);
	qc->answer_margin_us = c->margin;
	qc->drain_given = drain_us != OP_DRAIN_DEFAULT;
	qc->drain_us = qc->drain_given ? drain_us : c->drain;
	qc->sync_us = c->sync_cache;
	qc->hold_us = c->hold;
}

#define ANSWER_US 2000 /* what an answer takes at most, its record and all */

/* Of answers that fall due together each has to be given by its deadline: they are spread before it. */
static struct monotime before_crowd(const struct op *op)
{
	uint64_t spread = op_crowd(op->d, op->vm) * (uint64_t)ANSWER_US;
	uint64_t most = mono_left(op->deadline, mono_now()) / 4;

	return (struct monotime){op->deadline.us - (spread < most ? spread : most)};
}

#define LOOK_US 500 /* what a look takes at most */

static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Looks at what does not tell that it has changed leave half of the time for other work, however many look.
 */
static void look_less(struct quiesce_config *qc, unsigned others)
{
	uint64_t us = 2 * (uint64_t)others * LOOK_US;

	qc->drain_poll_min_us = longer(qc->drain_poll_min_us, us / 16);
	qc->drain_poll_max_us = longer(qc->drain_poll_max_us, us);
	qc->verify_poll_min_us = longer(qc->verify_poll_min_us, us / 16);
	qc->verify_poll_max_us = longer(qc->verify_poll_max_us, us);
}

/* What the machine must know of each vhba's driver, as it is on its parent now. */
static void set_profiles(struct driver *dr, struct quiesce_vhba *ids, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct vm_vhba *v = &dr->vm->vhba[i];
		uint64_t online, total = 0;

		san_targets(dr->d, v, &online, &total, NULL, 0);
		vhba_profile_quiesce(vhba_profile(dr->d, v), FC_R_A_TOV_US, (unsigned)total, &dr->alone[i]);
		dr->profile[i] = dr->alone[i];
		ids[i].profile = &dr->profile[i];
	}
	dr->crowd = 0;
	know_crowd(dr);
}

static struct quiesce *machine_new(struct driver *dr, uint64_t drain_us)
{
	struct quiesce_vhba ids[QUIESCE_VHBA_MAX] = {0};
	struct quiesce_config qc;

	op_quiesce_config(dr->d->cfg, &qc, drain_us);
	look_less(&qc, op_crowd(dr->d, dr->vm));
	for (unsigned i = 0; i < dr->vm->count; i++) {
		const struct vm_vhba *v = &dr->vm->vhba[i];

		ids[i] = (struct quiesce_vhba){
			.index = v->index, .wwpn = v->wwpn, .wwnn = v->wwnn, .parent_wwpn = v->parent_wwpn};
	}
	set_profiles(dr, ids, dr->vm->count);
	return quiesce_new(&qc, &quiesce_driver_ops, dr, ids, dr->vm->count);
}

/* The machine is over: all attached again, or all gone. */
static void retire(struct driver *dr)
{
	struct daemon *d = dr->d;
	struct vm *vm = dr->vm;
	bool gone = quiesce_released(vm->quiesce);
	const struct quiesce_result *r = quiesce_result(vm->quiesce);

	if (vm->journal)
		journal_end(steal_ptr(vm->journal), quiesce_outcome_name(r->outcome), r->text, mono_now().us,
			    4);
	quiesce_free(steal_ptr(vm->quiesce));
	vm->driver = NULL;
	driver_free(dr);
	vm_set_state(vm, gone ? VM_DETACHED : VM_ATTACHED);
	if (gone)
		ios_end(d, vm->uuid);
	timers_look(d, vm);
	pools_look(d, vm->uuid);
	live_look(d, vm->uuid);
	if (gone && !vm->op)
		vm_free(&d->vms, vm);
}

static void end_op(struct driver *dr)
{
	struct op *op = dr->vm->op;

	if (op->kind == OP_RELEASE && op->moved && quiesce_result(dr->vm->quiesce)->outcome != QO_FAILED)
		handover_begin(dr->d, dr->vm->uuid);
	op_end(op);
}

/* After every event and tick: what is next, and is anything over? */
static void after(struct driver *dr)
{
	struct vm *vm = dr->vm;

	if (vm->op && vm->op->answered)
		end_op(dr);
	if (quiesce_finished(vm->quiesce) && TAILQ_EMPTY(&dr->pending)) {
		retire(dr);
		return;
	}
	if (quiesce_idle(vm->quiesce))
		live_look(dr->d, vm->uuid); /* it looks for the proof no more */
	daemon_deadline(dr->d, &dr->timer, quiesce_deadline(vm->quiesce), on_tick, dr);
}

void vm_release_over(struct vm *vm)
{
	retire(vm->driver);
}

void vm_wake(struct daemon *d, struct vm *vm)
{
	(void)d;
	if (!vm->quiesce || quiesce_idle(vm->quiesce))
		return;
	quiesce_event(vm->quiesce, QUIESCE_VM, QE_WAKE, NULL, mono_now());
	after(vm->driver);
}

static int begin_machine(struct op *op, uint64_t drain_us, struct verror *e)
{
	static const enum journal_kind kinds[OP_KINDS_] = {
		[OP_QUIESCE] = JOURNAL_QUIESCE,
		[OP_RESUME] = JOURNAL_RESUME,
		[OP_RELEASE] = JOURNAL_RELEASE,
		[OP_DETACH] = JOURNAL_RELEASE,
	};
	struct journal_head head = {.kind = kinds[op->kind], .id = op->id};
	struct vm *vm = op->vm;
	char dir[256];

	snprintf(head.vm, sizeof(head.vm), "%s", vm->uuid);
	snprintf(dir, sizeof(dir), "%s/journal", op->d->cfg->run_dir);
	for (unsigned i = 0; i < vm->count; i++)
		san_locate(op->d, &vm->vhba[i]);
	vm->journal = journal_begin(dir, &head, NULL, e);
	if (!vm->journal)
		return -EIO;
	vm->driver = driver_new(op->d, vm);
	vm->quiesce = vm->driver ? machine_new(vm->driver, drain_us) : NULL;
	if (vm->quiesce) {
		driver_note_port_ids(vm->driver);
		return 0;
	}
	driver_free(steal_ptr(vm->driver));
	journal_end(steal_ptr(vm->journal), "failed", "out of memory", mono_now().us, 0);
	return verror_set(e, VHBA_E_INTERNAL, "out of memory");
}

static int refused(const struct op *op, int err, struct verror *e)
{
	char d[32];

	if (err == -ETIME) {
		verror_set(e, VHBA_E_DEADLINE, "the deadline leaves no time");
		verror_expected(e, "more than the answer's margin, %s",
				duration_format(op->d->cfg->margin, d, sizeof(d)));
	} else if (err == -EBUSY) {
		verror_set(e, VHBA_E_BUSY, "%s: an earlier request has not been answered yet", op->vm->name);
	} else {
		verror_set(e, VHBA_E_STATE, "%s can't be done now", op_kind_name(op->kind));
		verror_seen(e, "%s is %s", op->vm->name, vm_state_name(op->vm->state));
	}
	return err;
}

static const struct {
	enum quiesce_ev ev;
	enum vm_state state;
} begin[OP_KINDS_] = {
	[OP_QUIESCE] = {QE_QUIESCE, VM_QUIESCING},
	[OP_RESUME] = {QE_RESUME, VM_RESUMING},
	[OP_RELEASE] = {QE_RELEASE, VM_RELEASING},
	[OP_DETACH] = {QE_RELEASE, VM_RELEASING},
};

enum vm_state op_quiesce_state(enum op_kind kind)
{
	return begin[kind].state;
}

int op_quiesce_start(struct op *op, const struct op_ask *ask, struct verror *e)
{
	struct quiesce_arg arg = {.deadline = before_crowd(op),
				  .owner_paused = ask->owner_paused && !ios_run(op->d, op->vm->uuid)};
	struct vm *vm = op->vm;
	bool fresh = !vm->quiesce;
	enum vm_state was = vm->state;
	int r = fresh ? begin_machine(op, ask->drain_us, e) : 0;

	if (r)
		return r;
	/* A hold counts on the timers, and an abort notes them for the resume: they must be the right ones.
	 */
	if (fresh && op->kind == OP_QUIESCE)
		timers_look_before_quiesce(op->d, vm);
	vm_set_state(vm, begin[op->kind].state);
	r = quiesce_event(vm->quiesce, QUIESCE_VM, begin[op->kind].ev, &arg, mono_now());
	if (r) {
		vm_set_state(vm, was);
		refused(op, r, e);
		if (fresh) {
			quiesce_free(steal_ptr(vm->quiesce));
			driver_free(steal_ptr(vm->driver));
			journal_end(steal_ptr(vm->journal), "refused", e->what, mono_now().us, 0);
		}
		return r;
	}
	pools_look(op->d, vm->uuid);
	work_queue(&op->d->works, &vm->driver->work);
	return 0;
}

/* What is under way shows as such until it is answered; then answer() tells. */
static enum vm_state state_restored(const struct quiesce *q)
{
	static const struct {
		enum vm_state begun, rests;
	} states[QR_REQUESTS] = {
		[QR_NONE] = {VM_HELD, VM_HELD},
		[QR_QUIESCE] = {VM_QUIESCING, VM_HELD},
		[QR_RESUME] = {VM_RESUMING, VM_ATTACHED},
		[QR_RELEASE] = {VM_RELEASING, VM_DETACHED},
	};
	const struct quiesce_result *r = quiesce_result(q);

	if (!quiesce_answered(q))
		return states[quiesce_request(q)].begun;
	return r->outcome == QO_FAILED ? VM_FAILED : states[r->request].rests;
}

/* A journal that can't be followed is set aside: the next request begins anew. */
static int give_up_restore(struct vm *vm, struct verror *e)
{
	quiesce_free(steal_ptr(vm->quiesce));
	driver_free(steal_ptr(vm->driver));
	if (vm->journal)
		journal_end(steal_ptr(vm->journal), "unreadable", e->what, mono_now().us, 4);
	return -EIO;
}

static void take_vhbas(struct daemon *d, struct vm *vm, const struct quiesce_vhba ids[], int n)
{
	vm->count = (unsigned)n;
	for (int i = 0; i < n; i++) {
		const struct fc_host *parent = fc_parent_find(&d->inv, ids[i].parent_wwpn);

		vm->vhba[i] = (struct vm_vhba){.index = ids[i].index,
					       .wwpn = ids[i].wwpn,
					       .wwnn = ids[i].wwnn,
					       .parent_wwpn = ids[i].parent_wwpn,
					       .parent_host = parent ? parent->number : -1,
					       .host = -1};
		san_locate(d, &vm->vhba[i]);
	}
}

int vm_quiesce_restore(struct daemon *d, struct vm *vm, const struct journal_op *found, struct verror *e)
{
	struct quiesce_vhba ids[QUIESCE_VHBA_MAX];
	struct quiesce_config qc;
	char dir[256];
	int n = quiesce_restore_ids(found->rec, found->n, ids);

	snprintf(dir, sizeof(dir), "%s/journal", d->cfg->run_dir);
	vm->journal = journal_reopen(dir, found, e);
	if (!vm->journal)
		return -EIO;
	if (n < 0) {
		verror_set(e, VHBA_E_INTERNAL, "it does not name its vhbas");
		return give_up_restore(vm, e);
	}
	if (!n) {
		journal_end(steal_ptr(vm->journal), "refused", "killed before it had begun", mono_now().us,
			    4);
		return 0;
	}
	take_vhbas(d, vm, ids, n);
	vm->driver = driver_new(d, vm);
	op_quiesce_config(d->cfg, &qc, OP_DRAIN_DEFAULT);
	if (vm->driver)
		set_profiles(vm->driver, ids, (unsigned)n);
	vm->quiesce = vm->driver ? quiesce_new(&qc, &quiesce_driver_ops, vm->driver, ids, (unsigned)n) : NULL;
	if (!vm->quiesce) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return give_up_restore(vm, e);
	}
	if (quiesce_restore(vm->quiesce, found->rec, found->n, mono_now(), e))
		return give_up_restore(vm, e);
	if (quiesce_answered(vm->quiesce) && !vm->driver->answered.id)
		driver_note_earlier(vm->driver);
	vm_set_state(vm, state_restored(vm->quiesce));
	work_queue(&d->works, &vm->driver->work);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's end of the quiesce machine: its ops become verbs of vhba-priv or looks at the inventory, and
 * what comes back becomes events.  An op must not call the machine from within itself, so what is known at
 * once is queued and handed over in the same turn of the loop, after the machine has returned.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ct.h"
#include "driver.h"
#include "log.h"
#include "privq.h"
#include "result.h"
#include "san.h"

/* What is known of an op's end, until the machine may be told. */
struct pending {
	TAILQ_ENTRY(pending) link;
	int vhba;
	enum quiesce_ev ev;
	struct quiesce_arg arg;
	char text[QUIESCE_TIMERS_MAX];
};

TAILQ_HEAD(pending_list, pending);

/* One per VM that has a machine; the user pointer of its ops. */
struct driver {
	struct daemon *d;
	struct vm *vm;
	struct pending_list pending;
	sd_event_source *timer, *defer;
};

/* A verb under way for the machine; the VM may be gone when its answer comes. */
struct verb_call {
	struct daemon *d;
	char uuid[37];
	struct quiesce_call call;
	enum quiesce_ev good, bad;
};

static void after(struct driver *dr);

static void queue_text(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev ev,
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
	sd_event_source_set_enabled(dr->defer, SD_EVENT_ONESHOT);
}

static void queue(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev ev)
{
	queue_text(dr, c, ev, (struct quiesce_arg){0}, NULL);
}

static int on_defer(sd_event_source *s, void *user)
{
	struct driver *dr = user;
	struct pending *p;

	(void)s;
	while ((p = TAILQ_FIRST(&dr->pending))) {
		TAILQ_REMOVE(&dr->pending, p, link);
		quiesce_event(dr->vm->quiesce, p->vhba, p->ev, &p->arg, mono_now());
		free(p);
	}
	after(dr);
	return 0;
}

static int on_tick(sd_event_source *s, uint64_t usec, void *user)
{
	struct driver *dr = user;

	(void)s;
	(void)usec;
	quiesce_tick(dr->vm->quiesce, mono_now());
	after(dr);
	return 0;
}

/* ---- verbs of vhba-priv ---- */

static struct driver *driver_of(const struct verb_call *vc)
{
	struct vm *vm = vm_find(&vc->d->vms, vc->uuid);

	return vm && vm->quiesce ? vm->driver : NULL;
}

static const char *reply_text(const struct priv_reply *r, char *buf, size_t size)
{
	snprintf(buf, size, "%s: %s%s%.100s", priv_verb_name(r->verb), strerror(-r->err),
		 r->text[0] ? ": " : "", r->text);
	return buf;
}

/* After a verb that makes or unmakes hosts the inventory is read anew at once: uevents come later. */
static void look_again(struct driver *dr, int vhba)
{
	struct vm_vhba *v = &dr->vm->vhba[vhba];
	int host = v->host;

	watch_refresh(dr->d, v->parent_host);
	if (host >= 0)
		watch_refresh(dr->d, host);
	san_locate(dr->d, v);
	if (v->host >= 0 && v->host != host)
		watch_refresh(dr->d, v->host);
}

static void on_verb(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = driver_of(vc);
	bool gone = r->verb == PRIV_VPORT_DELETE && r->err == -ENODEV;
	char text[QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (r->verb == PRIV_VPORT_DELETE || r->verb == PRIV_VPORT_CREATE)
		look_again(dr, vc->call.vhba);
	if (!r->err || gone)
		queue(dr, &vc->call, vc->good);
	else
		queue_text(dr, &vc->call, vc->bad, (struct quiesce_arg){0},
			   reply_text(r, text, sizeof(text)));
}

static int send_verb(struct driver *dr, const struct quiesce_call *c, struct priv_request *q,
		     privq_done *done, enum quiesce_ev good, enum quiesce_ev bad)
{
	struct verb_call *vc = calloc(1, sizeof(*vc));
	uint64_t left = mono_left(c->by, mono_now());

	if (!vc)
		return -ENOMEM;
	vc->d = dr->d;
	strcpy(vc->uuid, dr->vm->uuid);
	vc->call = *c;
	vc->good = good;
	vc->bad = bad;
	/* A verb outlives the machine's patience rather than being cut off at its edge: its end is news all
	 * the same. */
	privq_call(dr->d->privq, q, left + USEC_PER_SEC, done, vc);
	return 0;
}

static struct vm_vhba *vhba_of(struct driver *dr, const struct quiesce_call *c)
{
	return &dr->vm->vhba[c->vhba];
}

static struct priv_request vport_request(const struct vm_vhba *v, enum priv_verb verb)
{
	return (struct priv_request){.verb = verb,
				     .host = v->parent_host,
				     .channel = v->channel,
				     .number = v->number,
				     .wwpn = v->wwpn,
				     .wwnn = v->wwnn};
}

static int op_disable(void *user, const struct quiesce_call *c)
{
	struct priv_request q = vport_request(vhba_of(user, c), PRIV_VPORT_DISABLE);

	return send_verb(user, c, &q, on_verb, QE_DISABLED, QE_DISABLE_FAILED);
}

static int op_enable(void *user, const struct quiesce_call *c)
{
	struct priv_request q = vport_request(vhba_of(user, c), PRIV_VPORT_ENABLE);

	return send_verb(user, c, &q, on_verb, QE_ENABLED, QE_ENABLE_FAILED);
}

static int op_delete(void *user, const struct quiesce_call *c)
{
	struct priv_request q = vport_request(vhba_of(user, c), PRIV_VPORT_DELETE);

	return send_verb(user, c, &q, on_verb, QE_DELETED, QE_DELETE_FAILED);
}

static int op_create(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct vm_vhba *v = vhba_of(dr, c);
	struct priv_request q;

	if (san_locate(dr->d, v))
		return op_enable(user, c); /* it exists: creating what is there means enabling it */
	q = vport_request(v, PRIV_VPORT_CREATE);
	snprintf(q.name, sizeof(q.name), "vhba %.40s %u", dr->vm->name, v->index);
	return send_verb(user, c, &q, on_verb, QE_CREATED, QE_CREATE_FAILED);
}

/* ---- rport timers ---- */

static void on_fast_fail(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = driver_of(vc);
	int policy = vc->d->cfg->fast_io_fail;
	struct quiesce_arg arg = {.until = MONOTIME_NEVER};
	char text[QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (r->err) {
		queue_text(dr, &vc->call, QE_FAST_FAIL_FAILED, arg, reply_text(r, text, sizeof(text)));
		return;
	}
	/* When it was Blocked is not known: its own fast_io_fail ends within its whole length from now. */
	if (policy >= 0)
		arg.until = mono_add(mono_now(), (uint64_t)policy * USEC_PER_SEC);
	queue_text(dr, &vc->call, r->value ? QE_FAST_FAIL_BUSY : QE_FAST_FAIL_SET, arg, r->text);
}

static int op_set_fast_fail(void *user, const struct quiesce_call *c)
{
	struct priv_request q = {
		.verb = PRIV_RPORT_TIMERS, .host = vhba_of(user, c)->host, .fast_io_fail = 0, .dev_loss = -2};

	return send_verb(user, c, &q, on_fast_fail, 0, 0);
}

/* After a vport was created again its rports are new ones: they get the policy. */
static int op_restore_timers(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	const struct vm_vhba *v = vhba_of(dr, c);
	struct priv_request q = {.verb = PRIV_RPORT_TIMERS,
				 .host = v->host,
				 .fast_io_fail = dr->d->cfg->fast_io_fail,
				 .dev_loss = dr->d->cfg->dev_loss};
	char ours[32];

	snprintf(ours, sizeof(ours), "rport-%d:", v->host);
	if (c->timers && strstr(c->timers, ours)) {
		q.verb = PRIV_RPORT_RESTORE;
		snprintf(q.text, sizeof(q.text), "%s", c->timers);
	}
	return send_verb(user, c, &q, on_verb, QE_TIMERS_RESTORED, QE_TIMERS_FAILED);
}

/* ---- looks at the inventory: the answer is known at once ---- */

static int op_count(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct quiesce_arg arg = {0};

	if (san_inflight(dr->d, vhba_of(dr, c), &arg.count))
		queue(dr, c, QE_COUNT_FAILED);
	else
		queue_text(dr, c, QE_COUNT, arg, NULL);
	return 0;
}

static int op_read_ports(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct quiesce_arg arg = {0};

	if (san_targets(dr->d, vhba_of(dr, c), &arg.count, &arg.total))
		queue(dr, c, QE_PORTS_FAILED);
	else
		queue_text(dr, c, QE_PORTS, arg, NULL);
	return 0;
}

static int op_check_ready(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct vm_vhba *v = vhba_of(dr, c);
	struct verror e = {0};
	char line[QUIESCE_TEXT_MAX];

	san_locate(dr->d, v);
	if (v->host >= 0)
		watch_refresh(dr->d, v->host);
	if (san_logged_in(dr->d, dr->vm, v, &e) && san_luns_usable(dr->d, dr->vm, v, &e))
		queue(dr, c, QE_LUNS_READY);
	else
		queue_text(dr, c, QE_LUNS_NOT_READY, (struct quiesce_arg){0},
			   verror_line(&e, line, sizeof(line)));
	return 0;
}

/*
 * No vhba-io carries this VM's I/O: it is on the kernel's block path, whose owner pauses it.  What is
 * submitted all the same is parked by the logout, and the machine sees and says that.
 */
static int op_intake(void *user, const struct quiesce_call *c, enum quiesce_ev ev)
{
	queue(user, c, ev);
	return 0;
}

static int op_stop_intake(void *user, const struct quiesce_call *c)
{
	return op_intake(user, c, QE_INTAKE_CLOSED);
}

static int op_open_intake(void *user, const struct quiesce_call *c)
{
	return op_intake(user, c, QE_INTAKE_OPENED);
}

/* ---- the fabric's word ---- */

static void on_fabric(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = driver_of(vc);
	char text[QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (r->err) {
		queue_text(dr, &vc->call, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0},
			   reply_text(r, text, sizeof(text)));
	} else if (r->value == CT_ABSENT) {
		queue(dr, &vc->call, QE_FABRIC_ABSENT);
	} else if (r->value == CT_PRESENT) {
		snprintf(text, sizeof(text), "%06" PRIx32, r->port_id);
		queue_text(dr, &vc->call, QE_FABRIC_PRESENT, (struct quiesce_arg){0}, text);
	} else {
		snprintf(text, sizeof(text), "the name server's answer proves nothing (reason %04x)",
			 r->number);
		queue_text(dr, &vc->call, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0}, text);
	}
}

static int op_verify_fabric(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	const struct vm_vhba *v = vhba_of(dr, c);
	struct priv_request q = {.verb = PRIV_CT_GID_PN, .host = v->parent_host, .wwpn = v->wwpn};
	const struct fc_host *parent;
	char text[QUIESCE_TEXT_MAX];

	watch_refresh_parents(dr->d);
	parent = fc_host_find(&dr->d->inv, v->parent_host);
	if (!parent || strcmp(parent->state, "Online")) {
		/* In Linux 6.1 a question to a dead fabric looks answered, and can take the kernel down
		 * later. */
		snprintf(text, sizeof(text), "the parent is %s: the name server can't be asked",
			 parent ? parent->state : "gone");
		queue_text(dr, c, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0}, text);
		return 0;
	}
	return send_verb(user, c, &q, on_fabric, 0, 0);
}

/* ---- what the machine tells ---- */

static int write_journal(void *user, const struct journal_record *r)
{
	struct driver *dr = user;
	int err = dr->vm->journal ? journal_append(dr->vm->journal, r) : 0;

	if (err)
		log_warning("%s: the journal could not be written: %s", dr->vm->name, strerror(-err));
	return err;
}

static const struct {
	enum vm_state good, bad;
} after_request[QR_REQUESTS] = {
	[QR_QUIESCE] = {VM_HELD, VM_FAILED},
	[QR_RESUME] = {VM_ATTACHED, VM_FAILED},
	[QR_RELEASE] = {VM_DETACHED, VM_FAILED},
};

static void answer(void *user, const struct quiesce_result *r)
{
	struct driver *dr = user;
	struct op *op = dr->vm->op;
	enum vm_state s = r->outcome == QO_FAILED ? after_request[r->request].bad
						  : after_request[r->request].good;

	if (r->rolled_back)
		s = VM_ATTACHED;
	if (s != VM_DETACHED)
		vm_set_state(dr->vm, s);
	if (op)
		op_answer(op, result_quiesce(dr->vm, r, op_kind_name(op->kind), op->start, op->deadline),
			  NULL);
}

static void on_changed(void *user, int vhba)
{
	struct driver *dr = user;
	struct quiesce *q = dr->vm->quiesce;
	struct op *op = dr->vm->op;

	if (!op || !q || vhba < 0)
		return;
	op_progress(op, quiesce_state_name(quiesce_state(q, (unsigned)vhba)), (int)dr->vm->vhba[vhba].index,
		    NULL);
}

static const struct quiesce_ops ops = {
	.stop_intake = op_stop_intake,
	.open_intake = op_open_intake,
	.count_inflight = op_count,
	.set_fast_fail = op_set_fast_fail,
	.disable = op_disable,
	.delete_vport = op_delete,
	.enable = op_enable,
	.create_vport = op_create,
	.verify_fabric = op_verify_fabric,
	.read_ports = op_read_ports,
	.check_ready = op_check_ready,
	.restore_timers = op_restore_timers,
	.journal = write_journal,
	.answer = answer,
	.changed = on_changed,
};

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
	sd_event_source_disable_unref(dr->defer);
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
	if (sd_event_add_defer(d->loop, &dr->defer, on_defer, dr) < 0) {
		free(dr);
		return NULL;
	}
	sd_event_source_set_enabled(dr->defer, SD_EVENT_OFF);
	return dr;
}

static void configure(const struct config *c, struct quiesce_config *qc, uint64_t drain_us)
{
	quiesce_config_init(qc);
	qc->answer_margin_us = c->margin;
	qc->drain_us = drain_us;
	qc->hold_us = c->hold;
}

static struct quiesce *machine_new(struct driver *dr, uint64_t drain_us)
{
	struct quiesce_vhba ids[QUIESCE_VHBA_MAX] = {0};
	struct quiesce_config qc;

	configure(dr->d->cfg, &qc, drain_us);
	for (unsigned i = 0; i < dr->vm->count; i++) {
		const struct vm_vhba *v = &dr->vm->vhba[i];

		ids[i] = (struct quiesce_vhba){
			.index = v->index, .wwpn = v->wwpn, .wwnn = v->wwnn, .parent_wwpn = v->parent_wwpn};
	}
	return quiesce_new(&qc, &ops, dr, ids, dr->vm->count);
}

/* The machine is over: all attached again, or all gone. */
static void retire(struct driver *dr)
{
	struct daemon *d = dr->d;
	struct vm *vm = dr->vm;
	bool gone = quiesce_state(vm->quiesce, 0) == QS_GONE;
	const struct quiesce_result *r = quiesce_result(vm->quiesce);

	if (vm->journal)
		journal_end(steal_ptr(vm->journal), quiesce_outcome_name(r->outcome), r->text, mono_now().us,
			    4);
	quiesce_free(steal_ptr(vm->quiesce));
	vm->driver = NULL;
	driver_free(dr);
	vm_set_state(vm, gone ? VM_DETACHED : VM_ATTACHED);
	if (gone && !vm->op)
		vm_free(&d->vms, vm);
}

static void moved_away(void *user, const struct verror *e)
{
	(void)user;
	if (e)
		log_warning("the new owner could not be recorded: %s", e->what);
}

static void end_op(struct driver *dr)
{
	struct op *op = dr->vm->op;
	struct daemon *d = dr->d;
	const struct reg_vm *rv = registry_find(d->reg, dr->vm->uuid);
	struct verror e;

	if (op->kind == OP_RELEASE && op->moved && rv &&
	    quiesce_result(dr->vm->quiesce)->outcome != QO_FAILED) {
		if (registry_set_owner(d->reg, rv, "", rv->generation + 1, moved_away, NULL, &e))
			moved_away(NULL, &e);
		daemon_registry_changed(d);
	}
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
	daemon_timer(dr->d, &dr->timer, quiesce_deadline(vm->quiesce), on_tick, dr);
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
	if (vm->quiesce)
		return 0;
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

int op_quiesce_start(struct op *op, uint64_t drain_us, bool owner_paused, struct verror *e)
{
	static const struct {
		enum quiesce_ev ev;
		enum vm_state state;
	} begin[OP_KINDS_] = {
		[OP_QUIESCE] = {QE_QUIESCE, VM_QUIESCING},
		[OP_RESUME] = {QE_RESUME, VM_RESUMING},
		[OP_RELEASE] = {QE_RELEASE, VM_RELEASING},
		[OP_DETACH] = {QE_RELEASE, VM_RELEASING},
	};
	struct quiesce_arg arg = {.deadline = op->deadline, .owner_paused = owner_paused};
	struct vm *vm = op->vm;
	bool fresh = !vm->quiesce;
	enum vm_state was = vm->state;
	int r = fresh ? begin_machine(op, drain_us, e) : 0;

	if (r)
		return r;
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
	sd_event_source_set_enabled(vm->driver->defer, SD_EVENT_ONESHOT);
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

int vm_quiesce_restore(struct daemon *d, struct vm *vm, const struct journal_op *found, struct verror *e)
{
	struct quiesce_vhba ids[QUIESCE_VHBA_MAX];
	struct quiesce_config qc;
	char dir[256];
	int n = quiesce_restore_ids(found->rec, found->n, ids);

	if (n <= 0)
		return verror_set(e, VHBA_E_INTERNAL, "the journal of %s names no vhba", vm->name);
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
	snprintf(dir, sizeof(dir), "%s/journal", d->cfg->run_dir);
	vm->journal = journal_reopen(dir, found, e);
	if (!vm->journal)
		return -EIO;
	vm->driver = driver_new(d, vm);
	configure(d->cfg, &qc, d->cfg->drain);
	vm->quiesce = vm->driver ? quiesce_new(&qc, &ops, vm->driver, ids, (unsigned)n) : NULL;
	if (!vm->quiesce)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	n = quiesce_restore(vm->quiesce, found->rec, found->n, mono_now(), e);
	if (n)
		return n;
	vm_set_state(vm, state_restored(vm->quiesce));
	sd_event_source_set_enabled(vm->driver->defer, SD_EVENT_ONESHOT);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The quiesce machine's ops: each becomes a verb of vhba-priv or a look at the inventory, and its end an
 * event. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ct.h"
#include "driver.h"
#include "history.h"
#include "log.h"
#include "privq.h"
#include "reservations.h"
#include "result.h"
#include "san.h"
#include "sizes.h"
#include "vhba_profile.h"
#include "vport_name.h"

/* A verb under way for the machine; the VM may be gone when its answer comes. */
struct verb_call {
	struct daemon *d;
	char uuid[37];
	struct quiesce_call call;
	enum quiesce_ev good, bad;
	char said[120]; /* of the caches, while the reservations are read */
};

/* ---- verbs of vhba-priv ---- */

static struct driver *driver_of(const struct verb_call *vc)
{
	struct vm *vm = vm_find(&vc->d->vms, vc->uuid);

	return vm && vm->quiesce ? vm->driver : NULL;
}

static const char *reply_text(const struct driver *dr, const struct verb_call *vc, const struct priv_reply *r,
			      char *buf, size_t size)
{
	const struct fc_errno *why =
		r->verb == PRIV_VPORT_CREATE
			? fc_create_errno(vhba_profile(dr->d, &dr->vm->vhba[vc->call.vhba]), -r->err)
			: NULL;

	if (why) {
		snprintf(buf, size, "%s: %s: %.100s", priv_verb_name(r->verb), strerror(-r->err), why->means);
		return buf;
	}
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
	if (r->verb == PRIV_VPORT_CREATE)
		dr->vm->vhba[vc->call.vhba].named = false;
	if (!r->err || gone)
		driver_queue(dr, &vc->call, vc->good);
	else
		driver_queue_text(dr, &vc->call, vc->bad, (struct quiesce_arg){0},
				  reply_text(dr, vc, r, text, sizeof(text)));
}

static struct verb_call *verb_new(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev good,
				  enum quiesce_ev bad)
{
	struct verb_call *vc = calloc(1, sizeof(*vc));

	if (!vc)
		return NULL;
	vc->d = dr->d;
	strcpy(vc->uuid, dr->vm->uuid);
	vc->call = *c;
	vc->good = good;
	vc->bad = bad;
	return vc;
}

/* A verb outlives the machine's patience rather than being cut off at its edge: its end is news all the same.
 */
static uint64_t verb_time(const struct quiesce_call *c)
{
	return mono_left(c->by, mono_now()) + USEC_PER_SEC;
}

static int send_verb(struct driver *dr, const struct quiesce_call *c, struct priv_request *q,
		     privq_done *done, enum quiesce_ev good, enum quiesce_ev bad)
{
	struct verb_call *vc = verb_new(dr, c, good, bad);

	if (!vc)
		return -ENOMEM;
	privq_call(dr->d->privq, q, verb_time(c), done, vc);
	return 0;
}

static int send_delete(struct driver *dr, const struct quiesce_call *c, struct priv_request *q,
		       privq_done *done, enum quiesce_ev good, enum quiesce_ev bad)
{
	struct verb_call *vc = verb_new(dr, c, good, bad);

	if (!vc)
		return -ENOMEM;
	vhba_delete(dr->d, vhba_profile(dr->d, &dr->vm->vhba[c->vhba]), q, verb_time(c), done, vc);
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

/*
 * A vhba's timers are being set back: what changes them, or is done with them, comes after.  A newer op on
 * the vport takes its place.
 */
static bool waits(struct driver *dr, const struct quiesce_call *c, quiesce_op_fn *fn, enum quiesce_ev bad)
{
	dr->waits[c->vhba].fn = NULL;
	if (!vhba_of(dr, c)->timers_pending)
		return false;
	dr->waits[c->vhba].call =
		(struct quiesce_call){.vhba = c->vhba, .token = c->token, .id = c->id, .by = c->by};
	dr->waits[c->vhba].bad = bad;
	dr->waits[c->vhba].fn = fn;
	return true;
}

static void forget_waiting(struct driver *dr, const struct quiesce_call *c)
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

/* With some drivers its success says nothing. */
static void on_disabled(void *user, const struct priv_reply *r)
{
	struct verb_call *vc = user;
	struct driver *dr = driver_of(vc);
	const struct vm_vhba *v = dr ? vhba_of(dr, &vc->call) : NULL;
	struct priv_reply no = *r;

	if (v && !r->err && !vhba_is_disabled(dr->d, vhba_profile(dr->d, v), v, no.text, sizeof(no.text)))
		no.err = -EIO;
	on_verb(vc, &no);
}

static int op_disable(void *user, const struct quiesce_call *c)
{
	struct priv_request q = vport_request(vhba_of(user, c), PRIV_VPORT_DISABLE);

	if (waits(user, c, op_disable, QE_DISABLE_FAILED))
		return 0;
	return send_verb(user, c, &q, on_disabled, QE_DISABLED, QE_DISABLE_FAILED);
}

static int op_enable(void *user, const struct quiesce_call *c)
{
	struct priv_request q = vport_request(vhba_of(user, c), PRIV_VPORT_ENABLE);

	forget_waiting(user, c);
	return send_verb(user, c, &q, on_verb, QE_ENABLED, QE_ENABLE_FAILED);
}

/* Nobody waits for it: multipathd may be busy with the very paths. */
#define MAPS_US (10 * USEC_PER_SEC)

static void tell_maps(struct driver *dr, unsigned vhba, enum priv_verb verb);

static void on_maps(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct vm *vm = vm_find(&vc->d->vms, vc->uuid);
	struct driver *dr = driver_of(vc);
	bool fail = r->verb == PRIV_MAPS_FAIL;
	const char *does = fail ? "fail what has no path" : "are as configured again";

	if (!vm || (!r->err && !r->count && !r->value))
		return;
	if (r->err || r->value)
		log_warning("%s: multipath maps do not all %s: %s: %.200s", vm->name, does,
			    r->err ? strerror(-r->err) : "refused", r->text);
	if (r->count)
		daemon_event(vc->d, "multipath", vm->name, "%u maps %s: %.200s", r->count, does, r->text);
	/* It came through after the resume that had given them their policy back. */
	if (fail && dr &&
	    quiesce_state_phase(quiesce_state(vm->quiesce, (unsigned)vc->call.vhba)) == QP_RESUME)
		tell_maps(dr, (unsigned)vc->call.vhba, PRIV_MAPS_RESTORE);
}

static void tell_maps(struct driver *dr, unsigned vhba, enum priv_verb verb)
{
	const struct quiesce_call c = {.vhba = (int)vhba};
	const struct vm_vhba *v = &dr->vm->vhba[vhba];
	struct priv_request q = {.verb = verb, .host = v->host, .wwpn = v->wwpn};
	struct verb_call *vc = v->host >= 0 ? verb_new(dr, &c, 0, 0) : NULL;

	if (vc)
		privq_call(dr->d->privq, &q, MAPS_US, on_maps, vc);
}

static int op_delete(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct priv_request q = vport_request(vhba_of(dr, c), PRIV_VPORT_DELETE);
	int err;

	forget_waiting(dr, c);
	err = send_delete(dr, c, &q, on_verb, QE_DELETED, QE_DELETE_FAILED);
	if (quiesce_state(dr->vm->quiesce, (unsigned)c->vhba) == QS_HARD_STOP)
		tell_maps(dr, (unsigned)c->vhba, PRIV_MAPS_FAIL);
	return err;
}

static int create(struct driver *dr, const struct quiesce_call *c)
{
	const struct vm_vhba *v = vhba_of(dr, c);
	struct priv_request q = vport_request(v, PRIV_VPORT_CREATE);

	return send_verb(dr, c, &q, on_verb, QE_CREATED, QE_CREATE_FAILED);
}

static void on_gone_create(void *user, const struct priv_reply *r)
{
	struct verb_call *vc = user;
	struct driver *dr = driver_of(vc);

	if (!dr || (r->err && r->err != -ENODEV)) {
		on_verb(vc, r);
		return;
	}
	look_again(dr, vc->call.vhba);
	if (create(dr, &vc->call))
		driver_queue(dr, &vc->call, vc->bad);
	free(vc);
}

static int op_create(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct vm_vhba *v = vhba_of(dr, c);
	struct priv_request q;

	forget_waiting(dr, c);
	if (!san_locate(dr->d, v))
		return create(dr, c);
	if (!vhba_profile(dr->d, v)->delete_again)
		return op_enable(user, c); /* it exists: creating what is there means enabling it */
	/* Its delete has begun and was put off: it can't be enabled any more, only deleted. */
	q = vport_request(v, PRIV_VPORT_DELETE);
	return send_delete(dr, c, &q, on_gone_create, QE_CREATED, QE_CREATE_FAILED);
}

/* ---- write caches ---- */

/* Read while the LUNs still answer: they are compared where the identity goes. */
static void on_reservations(void *user, const char *text, const char *why)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = driver_of(vc);
	char said[2 * QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (text)
		reservations_keep(dr->d, dr->vm->uuid, vhba_of(dr, &vc->call)->index, text);
	if (!text)
		snprintf(said, sizeof(said), "%s; reservations not read: %.60s", vc->said, why);
	else if (reservations_count(text))
		snprintf(said, sizeof(said), "%s; reservations read: %u", vc->said, reservations_count(text));
	else
		snprintf(said, sizeof(said), "%s", vc->said);
	driver_queue_text(dr, &vc->call, vc->good, (struct quiesce_arg){0}, said);
}

static void read_reservations(struct driver *dr, struct verb_call *vc)
{
	const struct vm_vhba *v = vhba_of(dr, &vc->call);

	reservations_forget(dr->d, dr->vm->uuid, v->index);
	reservations_read(dr->d, v, false, vc->call.by, on_reservations, vc);
}

static void on_sync(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = driver_of(vc);

	if (!dr)
		return;
	vc->good = r->err || r->value ? QE_SYNC_FAILED : QE_SYNCED;
	if (r->err)
		snprintf(vc->said, sizeof(vc->said), "%.100s",
			 r->err == -EBUSY ? r->text : strerror(-r->err));
	else if (r->value)
		snprintf(vc->said, sizeof(vc->said), "%d of %u LUNs: %.80s", r->value,
			 r->count + (unsigned)r->value, r->text);
	else
		snprintf(vc->said, sizeof(vc->said), "%u LUNs", r->count);
	/* Whoever does not answer is asked nothing more. */
	if (r->err || r->number)
		driver_queue_text(dr, &vc->call, vc->good, (struct quiesce_arg){0}, vc->said);
	else
		read_reservations(dr, steal_ptr(vc));
}

/* The verb ends itself before the machine's patience does, so that it can tell what has not ended. */
static int op_sync_cache(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	const struct vm_vhba *v = vhba_of(dr, c);
	uint64_t left = mono_left(c->by, mono_now());
	struct priv_request q = {.verb = PRIV_SYNC_CACHE, .host = v->host, .wwpn = v->wwpn};

	if (!san_write_back(dr->d, v)) {
		struct verb_call *vc = verb_new(dr, c, QE_SYNCED, 0);

		if (!vc)
			return -ENOMEM;
		snprintf(vc->said, sizeof(vc->said), "no LUN has a volatile one");
		read_reservations(dr, vc);
		return 0;
	}
	q.number = (uint32_t)(left * 7 / 8 / USEC_PER_MSEC);
	return send_verb(dr, c, &q, on_sync, 0, 0);
}

/* ---- rport timers ---- */

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
	struct driver *dr = driver_of(vc);
	struct quiesce_arg arg = {.until = MONOTIME_NEVER};
	char text[QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (r->err) {
		driver_queue_text(dr, &vc->call, QE_FAST_FAIL_FAILED, arg,
				  reply_text(dr, vc, r, text, sizeof(text)));
		return;
	}
	if (r->value)
		arg.until = blocked_until(dr, vhba_of(dr, &vc->call));
	driver_queue_text(dr, &vc->call, r->value ? QE_FAST_FAIL_BUSY : QE_FAST_FAIL_SET, arg, r->text);
}

static int op_set_fast_fail(void *user, const struct quiesce_call *c)
{
	const struct vm_vhba *v = vhba_of(user, c);
	struct priv_request q = {.verb = PRIV_RPORT_TIMERS,
				 .host = v->host,
				 .wwpn = v->wwpn,
				 .fast_io_fail = 0,
				 .dev_loss = -2};
	int err;

	if (waits(user, c, op_set_fast_fail, QE_FAST_FAIL_FAILED))
		return 0;
	err = send_verb(user, c, &q, on_fast_fail, 0, 0);
	tell_maps(user, (unsigned)c->vhba, PRIV_MAPS_FAIL);
	return err;
}

/* After a vport was created again its rports are new ones: they get the policy. */
static int op_restore_timers(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	const struct vm_vhba *v = vhba_of(dr, c);
	struct priv_request q = {.verb = PRIV_RPORT_TIMERS,
				 .host = v->host,
				 .wwpn = v->wwpn,
				 .fast_io_fail = dr->d->cfg->fast_io_fail,
				 .dev_loss = dr->d->cfg->dev_loss};
	char ours[32];

	snprintf(ours, sizeof(ours), "rport-%d:", v->host);
	if (c->timers && strstr(c->timers, ours)) {
		q.verb = PRIV_RPORT_RESTORE;
		snprintf(q.text, sizeof(q.text), "%s", c->timers);
	}
	tell_maps(user, (unsigned)c->vhba, PRIV_MAPS_RESTORE);
	return send_verb(user, c, &q, on_verb, QE_TIMERS_RESTORED, QE_TIMERS_FAILED);
}

/* ---- looks at the inventory: the answer is known at once ---- */

static int op_count(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct quiesce_arg arg = {0};

	if (san_inflight(dr->d, vhba_of(dr, c), &arg.count))
		driver_queue(dr, c, QE_COUNT_FAILED);
	else
		driver_queue_text(dr, c, QE_COUNT, arg, NULL);
	return 0;
}

static int op_read_ports(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct quiesce_arg arg = {0};
	char states[QUIESCE_PORTS_MAX];

	if (san_targets(dr->d, vhba_of(dr, c), &arg.count, &arg.total, states, sizeof(states)))
		driver_queue(dr, c, QE_PORTS_FAILED);
	else
		driver_queue_text(dr, c, QE_PORTS, arg, states);
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
		return driver_queue(dr, c, QE_LUNS_READY), 0;
	sizes_look(dr->d, v);
	driver_queue_text(dr, c, QE_LUNS_NOT_READY, (struct quiesce_arg){0},
			  verror_line(&e, line, sizeof(line)));
	return 0;
}

/*
 * No vhba-io carries this VM's I/O: it is on the kernel's block path, whose owner pauses it.  What is
 * submitted all the same is parked by the logout, and the machine sees and says that.
 */
static int op_intake(void *user, const struct quiesce_call *c, enum quiesce_ev ev)
{
	driver_queue(user, c, ev);
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
		driver_queue_text(dr, &vc->call, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0},
				  reply_text(dr, vc, r, text, sizeof(text)));
	} else if (r->value == CT_ABSENT) {
		driver_queue(dr, &vc->call, QE_FABRIC_ABSENT);
	} else if (r->value == CT_PRESENT) {
		snprintf(text, sizeof(text), "%06" PRIx32, r->port_id);
		driver_queue_text(dr, &vc->call, QE_FABRIC_PRESENT, (struct quiesce_arg){0}, text);
	} else {
		snprintf(text, sizeof(text), "the name server's answer proves nothing (reason %04x)",
			 r->number);
		driver_queue_text(dr, &vc->call, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0}, text);
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
	if (!parent || !fc_may_ask_fabric(fc_profile_find(parent->driver), true, parent->state)) {
		/* In Linux 6.1 a question to a dead fabric looks answered, and can take the kernel down
		 * later. */
		snprintf(text, sizeof(text), "the parent is %s: the name server can't be asked",
			 parent ? parent->state : "gone");
		driver_queue_text(dr, c, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0}, text);
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
	if (r->request == QR_RESUME && r->outcome == QO_CONFIRMED)
		vport_name(dr->d, dr->vm);
	if (op) {
		dr->answered.id = op->id;
		dr->answered.kind = op->kind;
		dr->answered.start = op->start;
		dr->answered.deadline = op->deadline;
		op_answer(op, result_quiesce(dr->vm, r, op_kind_name(op->kind), op->start, op->deadline),
			  NULL);
	}
}

static void add_proof(struct driver *dr)
{
	const struct quiesce_result *r = quiesce_result(dr->vm->quiesce);
	struct json_object *o;

	if (!dr->answered.id || !quiesce_answered(dr->vm->quiesce) ||
	    quiesce_outcome_now(dr->vm->quiesce) == r->outcome)
		return;
	o = result_quiesce(dr->vm, r, op_kind_name(dr->answered.kind), dr->answered.start,
			   dr->answered.deadline);
	history_add(dr->d, dr->vm->uuid, dr->answered.id, o);
	json_object_put(o);
}

static void on_changed(void *user, int vhba)
{
	struct driver *dr = user;
	struct quiesce *q = dr->vm->quiesce;
	struct op *op = dr->vm->op;

	if (!q || vhba < 0)
		return;
	add_proof(dr);
	if (!op)
		return;
	op_progress(op, quiesce_state_name(quiesce_state(q, (unsigned)vhba)), (int)dr->vm->vhba[vhba].index,
		    NULL);
}

const struct quiesce_ops quiesce_driver_ops = {
	.stop_intake = op_stop_intake,
	.open_intake = op_open_intake,
	.count_inflight = op_count,
	.sync_cache = op_sync_cache,
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

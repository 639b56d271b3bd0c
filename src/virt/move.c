/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/virterror.h>

#include "cleanup.h"
#include "domain.h"
#include "mend.h"
#include "method.h"
#include "move.h"

#define CALL_US (10 * USEC_PER_SEC)
#define QUIESCE_US (15 * USEC_PER_SEC) /* when the caller gives no deadline */
#define MENDS 30
#define MEND_US (500 * USEC_PER_MSEC)
#define GRACE_US USEC_PER_SEC /* an answer's way */
#define OPERATION_US (600 * USEC_PER_SEC)
#define ADD(o, key, value) json_object_object_add(o, key, value)
#define STRING(s) json_object_new_string(s)
#define UINT(n) json_object_new_uint64(n)

static struct json_object *of_vm(const struct move *m)
{
	struct json_object *p = json_object_new_object();

	ADD(p, "vm", STRING(m->uuid));
	return p;
}

/* ---- what is looked at before anything is touched ---- */

static bool runs(struct move *m, struct verror *e)
{
	if (virDomainIsActive(m->dom) == 1)
		return true;
	verror_set(e, VHBA_E_STATE, "the domain does not run");
	verror_fix(e, "start it; or migrate it with virsh migrate --offline");
	return false;
}

static bool is_bound(struct move *m, struct verror *e)
{
	struct identity id;
	int r = domain_identity(m->dom, &id, e);
	bool bound = id.ticket;

	identity_clear(&id);
	if (!r && !bound) {
		verror_set(e, VHBA_E_STATE, "the domain carries no identity");
		verror_fix(e, "vhbactl domain bind %s", virDomainGetName(m->dom));
	}
	return !r && bound;
}

static bool is_attached(struct move *m, struct verror *e)
{
	const char *state = proto_get_text(m->vm, "state");

	if (!m->names || !strcmp(state, "attached"))
		return true;
	verror_set(e, VHBA_E_STATE, "the VM can't move now");
	verror_expected(e, "attached");
	verror_seen(e, "%s", state);
	return false;
}

static bool is_elsewhere(struct move *m, struct verror *e)
{
	char *here = virConnectGetHostname(m->t->conn), *there = virConnectGetHostname(m->dest);
	bool other = !here || !there || strcmp(here, there);

	free(here);
	free(there);
	if (!other)
		verror_set(e, VHBA_E_CONSTRAINT, "the destination is this host");
	return other;
}

static bool is_free_there(struct move *m, struct verror *e)
{
	virDomainPtr dom = virDomainLookupByUUIDString(m->dest, m->uuid);
	bool taken = dom && virDomainIsActive(dom) == 1;

	if (dom)
		virDomainFree(dom);
	if (taken)
		verror_set(e, VHBA_E_EXISTS, "the domain runs on the destination already");
	return !taken;
}

static bool has_memory(struct move *m, struct verror *e)
{
	unsigned long long there = virNodeGetFreeMemory(m->dest),
			   wants = virDomainGetMaxMemory(m->dom) * 1024ULL;

	if (!there || there >= wants)
		return true;
	verror_set(e, VHBA_E_CONSTRAINT, "the destination has too little free memory");
	verror_expected(e, "%llu MiB", wants >> 20);
	verror_seen(e, "%llu MiB", there >> 20);
	return false;
}

static const struct {
	const char *name;
	bool (*holds)(struct move *m, struct verror *e);
} checks[] = {
	{"running", runs},	   {"identity", is_bound},
	{"attached", is_attached}, {"destination", is_elsewhere},
	{"free", is_free_there},   {"memory", has_memory},
};

static void add_check(struct move *m, const char *name, const struct verror *e)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "check", STRING(name));
	ADD(o, "ok", json_object_new_boolean(!e));
	if (e) {
		ADD(o, "what", STRING(e->what));
		ADD(o, "expected", STRING(e->expected));
		ADD(o, "seen", STRING(e->seen));
		ADD(o, "fix", STRING(e->fix));
	}
	json_object_array_add(m->checks, o);
}

/* There is no way to ask the vhbad there from here. */
static const char *reach(struct move *m)
{
	if (identity_moves_beside(m->vm))
		return "destination: the same LUNs: the alternate names prove it there before the "
		       "guest stops";
	return "destination: the same LUNs, until the names log in there; what its own ports see "
	       "is said there by 'vhbactl preflight'";
}

/* All of them are made, the first that does not hold is the error. */
static int look(struct move *m)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct verror e = {0};
		bool good = checks[i].holds(m, &e);

		add_check(m, checks[i].name, good ? NULL : &e);
		if (!good && !r) {
			m->t->e = e;
			r = -EINVAL;
		}
	}
	json_object_array_add(
		m->unproved,
		STRING("destination: its identity check, VSANs, zones and a parent with room: its hook "
		       "looks at them when the migration begins"));
	if (m->names)
		json_object_array_add(m->unproved, STRING(reach(m)));
	return r;
}

/* ---- the source's side ---- */

static int quiesce(struct move *m)
{
	uint64_t left = mono_left(m->by, mono_now()), us = left < QUIESCE_US ? left : QUIESCE_US;
	struct json_object *p = of_vm(m), *reply, *list;
	struct monotime start = mono_now();
	const char *outcome;
	int r = -EIO;

	ADD(p, "deadline_us", UINT(us > 1000 ? us : 1000));
	ADD(p, "paused", json_object_new_boolean(true));
	reply = task_ask(m->t, "quiesce", p, us + GRACE_US);
	m->quiesce_us = mono_since(mono_now(), start);
	outcome = proto_get_text(reply, "outcome");
	if (outcome && !strcmp(outcome, "confirmed")) {
		r = 0;
	} else if (outcome) {
		list = proto_get(reply, "unproved");
		verror_set(&m->t->e, VHBA_E_UNCONFIRMED,
			   "the VM's names are not proved to have left the fabric here");
		verror_expected(&m->t->e, "confirmed");
		verror_seen(&m->t->e, "%s %s", outcome, list ? json_object_to_json_string(list) : "");
		verror_fix(&m->t->e, "give it a longer --deadline: 'vhbactl plan' says which is enough");
	}
	json_object_put(reply);
	return r;
}

static int suspend(struct move *m)
{
	if (!m->suspended)
		return 0; /* it is paused by its owner, and stays so */
	m->times->paused = mono_now().us;
	return virDomainSuspend(m->dom) ? domain_failed(m->t, "the guest can't be paused") : 0;
}

/* ---- what is kept of it, in case that this process does not live to its end ---- */

static int note(struct move *m, bool begun)
{
	struct move_note n = {.begun = begun, .suspended = m->suspended};
	int r;

	snprintf(n.uuid, sizeof(n.uuid), "%s", m->uuid);
	snprintf(n.uri, sizeof(n.uri), "%s", proto_get_text(m->t->parameters, "uri"));
	r = notes_write(m->t->notes, &n);
	if (!r)
		return 0;
	verror_set(&m->t->e, VHBA_E_IO, "the migration can't be noted in %s", m->t->notes);
	verror_seen(&m->t->e, "%s", strerror(-r));
	return r;
}

static int note_new(struct move *m)
{
	struct move_note n;
	int state = 0;

	if (notes_read(m->t->notes, m->uuid, &n) != -ENOENT) {
		verror_set(&m->t->e, VHBA_E_BUSY, "an earlier migration of it was cut off, and is not over");
		verror_fix(&m->t->e, "see what vhba-virt says of it in its log");
		return -EBUSY;
	}
	virDomainGetState(m->dom, &state, NULL, 0);
	m->suspended = m->held && state != VIR_DOMAIN_PAUSED;
	return note(m, false);
}

/* A step is left: it is for the loop to try again, beyond this task. */
static void leave(struct move *m)
{
	snprintf(m->t->unfinished, sizeof(m->t->unfinished), "%s", m->uuid);
}

/*
 * As it was before, whatever has happened; the error that led here is kept, with what is left to be done.  0:
 * it had moved all the same.
 */
static int take_back(struct move *m, int r)
{
	struct verror kept = m->t->e;
	bool over = false, moved = false;

	move_progress(m, "taking back", 101, NULL);
	for (int i = 0; !over && i < MENDS; i++) {
		if (i)
			usleep(MEND_US); /* vhbad is being started anew, or still ends the quiesce */
		over = !mend_note(m->t, m->uuid, &moved);
	}
	if (over && moved) {
		m->t->e = (struct verror){0};
		return 0;
	}
	if (over && (m->held || !kept.fix[0])) {
		verror_fix(&kept, "the guest goes on where it was");
	} else if (!over) {
		verror_fix(&kept, "vhba-virt goes on trying to bring it to its end: %s",
			   m->t->e.seen[0] ? m->t->e.seen : m->t->e.what);
		leave(m);
	}
	m->t->e = kept;
	return r;
}

/* libvirt's hook has done it where there is one. */
static bool give_away(struct move *m)
{
	struct json_object *p = of_vm(m), *reply;
	bool done;

	ADD(p, "moved", json_object_new_boolean(true));
	reply = task_ask(m->t, "release", p, OPERATION_US);
	done = reply || m->t->e.kind == VHBA_E_NOT_FOUND;
	json_object_put(reply);
	return done;
}

/* ---- the whole ---- */

static int leave_source(struct move *m)
{
	int r = domain_write_identity(m->t, m->dom, NULL);

	if (!r && m->held) {
		move_progress(m, "quiesce", 101, NULL);
		r = suspend(m);
		if (!r)
			r = quiesce(m);
	}
	return r;
}

static int arrive(struct move *m)
{
	struct verror e = {0};

	if (m->suspended && virDomainResume(m->arrived)) {
		domain_failed(m->t, "the guest is on the destination, but can't be resumed there");
		verror_fix(&m->t->e, "virsh -c %s resume %s", proto_get_text(m->t->parameters, "uri"),
			   virDomainGetName(m->arrived));
		e = m->t->e;
	} else if (m->suspended) {
		m->times->resumed = mono_now().us;
	}
	if (!give_away(m) || e.kind)
		leave(m);
	else
		notes_remove(m->t->notes, m->uuid);
	m->t->e = e;
	return e.kind ? -EIO : 0;
}

static int go(struct move *m)
{
	int r = note_new(m);

	if (r)
		return r;
	r = leave_source(m);
	if (!r)
		r = note(m, true);
	if (!r)
		r = move_job(m);
	return r ? take_back(m, r) : arrive(m);
}

static void add_span(struct json_object *list, const char *phase, uint64_t from, uint64_t to)
{
	struct json_object *o;

	if (!from || !to || to < from)
		return;
	o = json_object_new_object();
	ADD(o, "phase", STRING(phase));
	ADD(o, "us", UINT(to - from));
	json_object_array_add(list, o);
}

/*
 * The guest's disks wait longer than it stands still: for the logout here, which is told, and for the login
 * there, of which the record of the attach says how long it took.
 */
static void add_logout(struct move *m, struct json_object *o)
{
	struct verror kept = m->t->e;
	struct json_object *reply = task_ask(m->t, "log", of_vm(m), CALL_US), *list, *last = NULL;

	list = proto_get(reply, "records");
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *r = json_object_array_get_idx(list, i);
		const char *operation = proto_get_text(r, "operation");

		if (operation && !strcmp(operation, "quiesce") && proto_get_uint(r, "start_us", 0) > m->call)
			last = r;
	}
	if (last) {
		ADD(o, "logout_us", UINT(proto_get_uint(last, "elapsed_us", 0)));
		ADD(o, "logout", STRING(proto_get_text(last, "outcome")));
	}
	json_object_put(reply);
	m->t->e = kept;
}

/* From the guest's last instruction here to its first there. */
static void add_blackout(const struct move *m, struct json_object *o)
{
	const struct move_times *at = m->times;
	struct json_object *list = json_object_new_array();

	if (m->held) {
		add_span(list, "quiesce", at->paused, m->call);
		add_span(list, "attach", m->call, at->prepared);
		add_span(list, "memory", at->prepared, at->left);
		add_span(list, "resume", at->left, at->resumed);
	} else {
		add_span(list, "switch-over", at->paused, at->resumed);
	}
	if (at->paused && at->resumed > at->paused)
		ADD(o, "blackout_us", UINT(at->resumed - at->paused));
	ADD(o, "blackout", list);
}

static struct json_object *report(struct move *m, bool dry, bool good)
{
	struct json_object *o = json_object_new_object();
	struct monotime now = mono_now();

	ADD(o, "domain", STRING(virDomainGetName(m->dom)));
	ADD(o, "vm", STRING(proto_get_text(m->vm, "name")));
	ADD(o, "way", STRING(m->held ? "held" : "live"));
	ADD(o, "dry_run", json_object_new_boolean(dry));
	ADD(o, "ok", json_object_new_boolean(good));
	ADD(o, "elapsed_us", UINT(mono_since(now, m->start)));
	ADD(o, "checks", json_object_get(m->checks));
	ADD(o, "unproved", dry ? json_object_get(m->unproved) : json_object_new_array());
	if (!dry) {
		ADD(o, "bytes", UINT(m->bytes));
		add_blackout(m, o);
		if (m->names && !m->held)
			add_logout(m, o);
	}
	return o;
}

/* vhbad takes the names from there to here when its back end's rings stop there and start here. */
static bool goes_by_itself(struct json_object *vm)
{
	const char *io = proto_get_text(vm, "io");

	return io && !strcmp(io, "scsi");
}

static int open_both(struct move *m)
{
	struct json_object *shown, *vhbas;

	m->dom = domain_find(m->t);
	if (!m->dom)
		return -ENOENT;
	virDomainGetUUIDString(m->dom, m->uuid);
	shown = task_ask(m->t, "vm.Show", of_vm(m), CALL_US);
	m->vm = json_object_get(proto_get(shown, "vm"));
	json_object_put(shown);
	m->times = move_times_new(m->uuid);
	if (!m->vm || !m->times)
		return -ENOENT;
	vhbas = proto_get(m->vm, "vhbas");
	m->names = vhbas && json_object_array_length(vhbas);
	m->held = m->names && !identity_moves_beside(m->vm) && !goes_by_itself(m->vm);
	return lv_open(proto_get_text(m->t->parameters, "uri"), &m->dest, &m->t->e);
}

static void close_both(struct move *m)
{
	if (m->arrived)
		virDomainFree(m->arrived);
	if (m->dom)
		virDomainFree(m->dom);
	if (m->dest)
		virConnectClose(m->dest);
	move_times_unref(m->times);
	json_object_put(m->vm);
	json_object_put(m->checks);
	json_object_put(m->unproved);
}

int domain_migrate(struct task *t)
{
	uint64_t us = proto_get_uint(t->parameters, "deadline_us", 0);
	bool dry = proto_get_bool(t->parameters, "dry_run");
	struct move m = {.t = t, .start = mono_now(), .by = MONOTIME_NEVER};
	int r;

	if (us)
		m.by = mono_add(m.start, us);
	m.checks = json_object_new_array();
	m.unproved = json_object_new_array();
	r = open_both(&m);
	if (!r)
		r = look(&m);
	/* A dry run says all that it has found, also what does not hold. */
	if (m.dest && dry) {
		t->reply = report(&m, true, !r);
		r = 0;
	} else if (!r) {
		r = go(&m);
		if (!r)
			t->reply = report(&m, false, true);
	}
	close_both(&m);
	return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "cleanup.h"
#include "domain.h"
#include "log.h"
#include "mend.h"
#include "method.h"

#define CALL_US (10 * USEC_PER_SEC)
#define OPERATION_US (600 * USEC_PER_SEC)
#define ADD(o, key, value) json_object_object_add(o, key, value)
#define STRING(s) json_object_new_string(s)

enum mend_what mend_what(enum mend_where here, enum mend_where there)
{
	/* What runs here has been resumed by libvirt: it does that only when the destination has given it up.
	 */
	static const enum mend_what table[MEND_WHERES_][MEND_WHERES_] = {
		/* there: unknown, absent, coming, paused, runs */
		[MEND_UNKNOWN] = {MEND_WAIT, MEND_WAIT, MEND_WAIT, MEND_WAIT, MEND_WAIT},
		[MEND_ABSENT] = {MEND_WAIT, MEND_ENDED, MEND_WAIT, MEND_MOVED, MEND_MOVED},
		[MEND_COMING] = {MEND_WAIT, MEND_WAIT, MEND_WAIT, MEND_WAIT, MEND_WAIT},
		[MEND_PAUSED] = {MEND_WAIT, MEND_STAYS, MEND_WAIT, MEND_MOVED, MEND_MOVED},
		[MEND_RUNS] = {MEND_STAYS, MEND_STAYS, MEND_STAYS, MEND_STAYS, MEND_TWICE},
	};

	return table[here][there];
}

/* One attempt. */
struct mend {
	struct task *t;
	struct move_note note;
	virConnectPtr from, to; /* NULL: does not answer, or is not known */
	virDomainPtr here, there; /* NULL: not there */
	enum mend_where at; /* here */
	int reason; /* why it is paused here */
	bool moved;
};

/* ---- where it is ---- */

static enum mend_where where_is(virConnectPtr c, const char *uuid, virDomainPtr *dom, int *reason)
{
	int state = 0;

	if (!c)
		return MEND_UNKNOWN;
	*dom = virDomainLookupByUUIDString(c, uuid);
	if (!*dom)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? MEND_ABSENT : MEND_UNKNOWN;
	if (virDomainGetState(*dom, &state, reason, 0))
		return MEND_UNKNOWN;
	if (state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED)
		return MEND_ABSENT;
	return state == VIR_DOMAIN_PAUSED ? MEND_PAUSED : MEND_RUNS;
}

static bool has_job(virDomainPtr dom)
{
	virDomainJobInfo info = {.type = VIR_DOMAIN_JOB_NONE};

	if (virDomainGetJobInfo(dom, &info))
		return virGetLastErrorCode() != VIR_ERR_NO_SUPPORT;
	return info.type != VIR_DOMAIN_JOB_NONE;
}

static void look_here(struct mend *m)
{
	enum mend_where w = where_is(m->from, m->note.uuid, &m->here, &m->reason);

	m->at = (w == MEND_PAUSED || w == MEND_RUNS) && has_job(m->here) ? MEND_COMING : w;
}

/*
 * The source is ended by what this says, so it must be sure.  One that comes has a job there, is starting up
 * or is paused for the migration; one that has come, paused as it was here, is paused by its user.
 */
static bool has_come(virDomainPtr dom, enum mend_where w, int reason)
{
	if (has_job(dom))
		return false;
	return w == MEND_RUNS || reason == VIR_DOMAIN_PAUSED_USER || reason == VIR_DOMAIN_PAUSED_IOERROR;
}

static enum mend_where look_there(struct mend *m)
{
	enum mend_where w;
	int reason = 0;

	if (!m->note.begun)
		return MEND_ABSENT;
	/* Where to, only the caller of that migration knows: what has gone from here has moved. */
	if (!m->note.uri[0])
		return m->at == MEND_ABSENT ? MEND_RUNS : MEND_UNKNOWN;
	w = where_is(m->to, m->note.uuid, &m->there, &reason);
	if ((w == MEND_PAUSED || w == MEND_RUNS) && !has_come(m->there, w, reason))
		return MEND_COMING;
	return w;
}

/* ---- what is to be done ---- */

static struct json_object *of_vm(const struct mend *m)
{
	struct json_object *p = json_object_new_object();

	ADD(p, "vm", STRING(m->note.uuid));
	return p;
}

struct known {
	char state[16]; /* "" with t->e: it can't be told; "unknown": vhbad has no such VM */
	bool owned; /* by this host or another, as far as it is known here */
};

static int look_at_vm(struct mend *m, struct known *k)
{
	struct json_object *reply = task_ask(m->t, "vm.Show", of_vm(m), CALL_US),
			   *vm = proto_get(reply, "vm");
	const char *state = proto_get_text(vm, "state"), *owner = proto_get_text(vm, "owner");

	if (!state && m->t->e.kind == VHBA_E_NOT_FOUND)
		state = "unknown";
	snprintf(k->state, sizeof(k->state), "%s", state ? state : "");
	k->owned = owner && owner[0];
	json_object_put(reply);
	return state ? 0 : -EIO;
}

static bool is(const struct known *k, const char *state)
{
	return !strcmp(k->state, state);
}

/* It may be coming, and its VM attached for it, since it was looked for. */
static bool still_absent(struct mend *m)
{
	virDomainPtr dom;
	bool active;

	if (m->at != MEND_ABSENT)
		return true;
	dom = virDomainLookupByUUIDString(m->from, m->note.uuid);
	active = dom && virDomainIsActive(dom) == 1;
	if (dom)
		virDomainFree(dom);
	if (!active)
		return true;
	verror_set(&m->t->e, VHBA_E_BUSY, "the domain is being started");
	return false;
}

static int ask(struct mend *m, const char *method, struct json_object *p)
{
	struct json_object *reply = task_ask(m->t, method, p, OPERATION_US);
	const char *outcome = proto_get_text(reply, "outcome");
	int r = reply ? 0 : -EIO;

	if (outcome && !strcmp(outcome, "failed")) {
		verror_set(&m->t->e, VHBA_E_IO, "%s: the VM could not be brought to its state", method);
		verror_seen(&m->t->e, "%s",
			    proto_get_text(reply, "text") ? proto_get_text(reply, "text") : outcome);
		r = -EIO;
	}
	json_object_put(reply);
	return r;
}

static int resume_guest(struct task *t, virDomainPtr dom, const char *where)
{
	if (!virDomainResume(dom))
		return 0;
	domain_failed(t, "the guest can't be resumed");
	verror_fix(&t->e, "virsh%s%s resume %s", where[0] ? " -c " : "", where, virDomainGetName(dom));
	return -EIO;
}

static int stays(struct mend *m)
{
	struct known k;
	int r = look_at_vm(m, &k);

	if (!r && !is(&k, "attached") && !is(&k, "detached") && !is(&k, "unknown"))
		r = ask(m, "resume", of_vm(m));
	/* A guest that its owner had paused stays so. */
	if (!r && m->at == MEND_PAUSED && (m->note.suspended || m->reason == VIR_DOMAIN_PAUSED_MIGRATION))
		r = resume_guest(m->t, m->here, "");
	return r;
}

/* libvirt's last step, which nobody has taken: the destination has taken it over, so this copy must never
 * run.
 */
static int end_here(struct mend *m)
{
	bool defined = m->here && virDomainIsPersistent(m->here) == 1 && m->there &&
		       virDomainIsPersistent(m->there) == 1;

	if (m->here && virDomainIsActive(m->here) == 1 && virDomainDestroy(m->here))
		return domain_failed(m->t, "what is left of the domain here can't be ended");
	if (defined)
		virDomainUndefine(m->here);
	return 0;
}

static int give_away(struct mend *m)
{
	struct json_object *p;
	struct known k;
	int r = look_at_vm(m, &k);

	if (r || is(&k, "unknown") || (is(&k, "detached") && !k.owned))
		return r;
	if (!still_absent(m))
		return -EAGAIN;
	p = of_vm(m);
	ADD(p, "moved", json_object_new_boolean(true));
	return ask(m, "release", p);
}

static int moved(struct mend *m)
{
	int state = 0, r = end_here(m);

	m->moved = true;
	if (!r && m->note.suspended && m->there && !virDomainGetState(m->there, &state, NULL, 0) &&
	    state == VIR_DOMAIN_PAUSED)
		r = resume_guest(m->t, m->there, m->note.uri);
	return r ? r : give_away(m);
}

/* libvirt's hook has detached it, unless it could not. */
static int ended(struct mend *m)
{
	struct known k;
	int r = look_at_vm(m, &k);

	if (r || is(&k, "detached") || is(&k, "unknown"))
		return r;
	return still_absent(m) ? ask(m, "detach", of_vm(m)) : -EAGAIN;
}

static int twice(struct mend *m)
{
	verror_set(&m->t->e, VHBA_E_STATE, "the domain runs here and at %s", m->note.uri);
	verror_fix(&m->t->e, "end one of the two at once: virsh destroy");
	return -EBUSY;
}

static int not_yet(struct mend *m)
{
	struct task *t = m->t;
	struct verror why = t->e;

	verror_set(&t->e, VHBA_E_BUSY, "a migration was cut off, and it is not known where the domain is");
	verror_expected(&t->e, "an answer of %s",
			!m->from	 ? "libvirt here"
			: m->note.uri[0] ? m->note.uri
					 : "its caller");
	verror_seen(&t->e, "%s", why.kind ? (why.seen[0] ? why.seen : why.what) : "it is still under way");
	verror_fix(&t->e, "if it is sure not to run there: vhbactl resume %s; virsh resume %s", m->note.uuid,
		   m->note.uuid);
	return -EAGAIN;
}

static int act(struct mend *m)
{
	static int (*const acts[])(struct mend * m) = {
		[MEND_WAIT] = not_yet, [MEND_STAYS] = stays, [MEND_MOVED] = moved,
		[MEND_ENDED] = ended,  [MEND_TWICE] = twice,
	};
	static const char *const said[] = {
		[MEND_STAYS] = "goes on here", [MEND_MOVED] = "has moved", [MEND_ENDED] = "has ended"};
	enum mend_what what;
	int r;

	look_here(m);
	what = mend_what(m->at, look_there(m));
	r = acts[what](m);
	if (r)
		return r;
	notes_remove(m->t->notes, m->note.uuid);
	log_notice("%s: its migration was cut off; it %s", m->note.uuid, said[what]);
	return 0;
}

int mend_note(struct task *t, const char *uuid, bool *moved_away)
{
	struct mend m = {.t = t};
	int r = notes_read(t->notes, uuid, &m.note);

	t->e = (struct verror){0};
	if (r == -ENOENT)
		return 0;
	if (r) {
		verror_set(&t->e, VHBA_E_VERSION, "the note of a migration can't be read");
		verror_fix(&t->e, "see what %s/%s.move says, and remove it", t->notes, uuid);
		return r;
	}
	lv_open(t->uri, &m.from, &t->e);
	if (m.note.uri[0] && m.note.begun)
		lv_open(m.note.uri, &m.to, &t->e);
	r = act(&m);
	if (moved_away)
		*moved_away = m.moved;
	if (m.here)
		virDomainFree(m.here);
	if (m.there)
		virDomainFree(m.there);
	if (m.from)
		virConnectClose(m.from);
	if (m.to)
		virConnectClose(m.to);
	return r;
}

int domain_mend(struct task *t)
{
	return mend_note(t, proto_get_text(t->parameters, "domain"), NULL);
}

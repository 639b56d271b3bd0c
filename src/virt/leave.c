/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The source's side of a live migration, whoever asked for it: followed from its beginning, as QEMU tells of
 * it, until libvirt says how it ended.  There libvirt calls no hook before the domain has gone, and then does
 * not say why.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "domain.h"
#include "log.h"
#include "mend.h"
#include "method.h"

#define CALL_US (10 * USEC_PER_SEC)
#define ASKS 20 /* of vhbad, which may be being started anew */
#define ASK_US (500 * USEC_PER_MSEC)
#define FLUSH_US (2 * USEC_PER_SEC) /* for what QEMU still has to write when it has paused the guest */
#define QUIESCE_US (15 * USEC_PER_SEC)
#define GRACE_US USEC_PER_SEC /* an answer's way */
#define HELD_US (5 * USEC_PER_SEC) /* then something that QEMU still wants to write may be parked */
#define LOOK_US (2 * USEC_PER_SEC) /* libvirt's word may have got lost with a connection */
#define OPERATION_US (600 * USEC_PER_SEC)
#define BIT(what) (1U << (what))
#define ENDS                                                                                                 \
	(BIT(FOLLOW_GONE) | BIT(FOLLOW_RESUMES) | BIT(FOLLOW_ARRIVES) | BIT(FOLLOW_STOPS) | BIT(FOLLOW_FAILS))
#define DECIDED (ENDS | BIT(FOLLOW_DONE)) /* there is nothing to be quiesced any more */

struct leave {
	struct task *t;
	const char *uuid;
	virDomainPtr dom;
	struct json_object *vm; /* vm.Show's; NULL: vhbad can't be asked */
	bool known; /* to vhbad, as far as it can be asked */
};

static struct json_object *of_vm(const struct leave *l)
{
	struct json_object *p = json_object_new_object();

	json_object_object_add(p, "vm", json_object_new_string(l->uuid));
	return p;
}

static void look_at_vm(struct leave *l)
{
	struct json_object *shown = NULL;

	for (int i = 0; !shown && i < ASKS; i++) {
		if (i)
			usleep(ASK_US);
		l->t->e = (struct verror){0};
		shown = task_ask(l->t, "vm.Show", of_vm(l), CALL_US);
		if (!shown && l->t->e.kind == VHBA_E_NOT_FOUND)
			break;
	}
	l->known = shown || l->t->e.kind != VHBA_E_NOT_FOUND;
	l->vm = json_object_get(proto_get(shown, "vm"));
	json_object_put(shown);
}

/* It carries an identity that vhbad has here. */
static bool is_ours(struct leave *l)
{
	struct identity id = {0};
	bool bound;

	l->dom = domain_find(l->t);
	bound = l->dom && !domain_identity(l->dom, &id, &l->t->e) && id.ticket;
	identity_clear(&id);
	if (bound)
		look_at_vm(l);
	return bound && l->known;
}

/* False: there is one already, of who migrates it; or it can't be noted. */
static bool note(struct leave *l, bool begun)
{
	struct move_note n;

	if (notes_read(l->t->notes, l->uuid, &n) != -ENOENT)
		return false;
	n = (struct move_note){.begun = begun};
	snprintf(n.uuid, sizeof(n.uuid), "%s", l->uuid);
	return !notes_write(l->t->notes, &n);
}

/* Its other names are logged in at the destination: these can go. */
static bool stands_beside(struct leave *l)
{
	return l->vm && identity_moves_beside(l->vm) && !strcmp(proto_get_text(l->vm, "state"), "attached");
}

/* What QEMU parks now would keep it from ending: it has nothing more to write when it says so. */
static bool quiesce(struct leave *l)
{
	struct monotime by = mono_add(mono_now(), FLUSH_US);
	struct json_object *p, *reply;

	if (task_wait(l->t, BIT(FOLLOW_FLUSHED) | DECIDED, by) & DECIDED)
		return false;
	p = of_vm(l);
	json_object_object_add(p, "deadline_us", json_object_new_uint64(QUIESCE_US));
	json_object_object_add(p, "paused", json_object_new_boolean(true));
	reply = task_ask(l->t, "quiesce", p, QUIESCE_US + GRACE_US);
	json_object_put(reply);
	return reply;
}

static void resume(struct leave *l)
{
	log_warning("%s: the migration has not gone on since the VM was quiesced: it is resumed", l->uuid);
	json_object_put(task_ask(l->t, "resume", of_vm(l), OPERATION_US));
}

/* Only the source can tell of the migration as a job. */
static bool migrates_from_here(struct leave *l)
{
	virDomainJobInfo info = {.type = VIR_DOMAIN_JOB_NONE};

	return !virDomainGetJobInfo(l->dom, &info) && info.type != VIR_DOMAIN_JOB_NONE;
}

/* What libvirt says of its end may have got lost with a connection. True: one of these has been told. */
static bool wait_for(struct leave *l, unsigned whats)
{
	while (!(task_wait(l->t, whats | DECIDED, mono_add(mono_now(), LOOK_US)) & (whats | DECIDED)))
		if (!migrates_from_here(l))
			return false;
	return task_wait(l->t, whats, mono_now()) & whats;
}

/* QEMU wants nothing written any more when libvirt has handed it over, however long it takes to end here. */
static void wait_for_end(struct leave *l, bool held)
{
	struct monotime since = mono_now();
	unsigned told;

	while (!((told = task_wait(l->t, ENDS, mono_add(mono_now(), LOOK_US))) & ENDS) &&
	       migrates_from_here(l)) {
		if (!held || told & BIT(FOLLOW_DONE) || mono_since(mono_now(), since) < HELD_US)
			continue;
		resume(l);
		held = false;
	}
}

static void leave_to_mend(struct leave *l)
{
	snprintf(l->t->unfinished, sizeof(l->t->unfinished), "%s", l->uuid);
}

static void clear(struct leave *l)
{
	json_object_put(l->vm);
	if (l->dom)
		virDomainFree(l->dom);
}

/* The rest is as with a migration that was cut off: it has gone, and is given away, or goes on here. */
int domain_leave(struct task *t)
{
	struct leave l = {.t = t, .uuid = proto_get_text(t->parameters, "domain")};
	bool ours = is_ours(&l), noted;

	if (ours && migrates_from_here(&l)) {
		noted = note(&l, true);
		wait_for_end(&l, stands_beside(&l) && wait_for(&l, BIT(FOLLOW_LEAVES)) && quiesce(&l));
		if (noted)
			leave_to_mend(&l);
	}
	clear(&l);
	return 0;
}

/* By now libvirt knows nothing of it any more. What its hook has detached was the domain's. */
int domain_gone(struct task *t)
{
	struct leave l = {.t = t, .uuid = proto_get_text(t->parameters, "domain")};
	const char *state, *owner;

	look_at_vm(&l);
	state = proto_get_text(l.vm, "state");
	owner = proto_get_text(l.vm, "owner");
	if (state && !strcmp(state, "detached") && owner && owner[0] && note(&l, true))
		leave_to_mend(&l);
	clear(&l);
	return 0;
}

/* libvirt's hook has detached it, unless vhbad could not be asked then. */
int domain_stopped(struct task *t)
{
	struct leave l = {.t = t, .uuid = proto_get_text(t->parameters, "domain")};
	const char *state;

	if (is_ours(&l)) {
		state = proto_get_text(l.vm, "state");
		if ((!state || strcmp(state, "detached") != 0) && note(&l, false))
			leave_to_mend(&l);
	}
	clear(&l);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs of vhba-priv on behalf of a quiesce machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "quiesce_verb.h"
#include "san.h"
#include "vhba_profile.h"

struct driver *verb_driver(const struct verb_call *vc)
{
	struct vm *vm = vm_find(&vc->d->vms, vc->uuid);

	return vm && vm->quiesce ? vm->driver : NULL;
}

const char *verb_reply_text(const struct driver *dr, const struct verb_call *vc, const struct priv_reply *r,
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

void verb_look_again(struct driver *dr, int vhba)
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

/* A delete that was done leaves nothing to read: of what else the vport had, events tell. */
static void take_delete(struct driver *dr, int vhba, const struct priv_reply *r)
{
	struct vm_vhba *v = &dr->vm->vhba[vhba];

	if (r->err) {
		verb_look_again(dr, vhba);
		return;
	}
	fc_inventory_vport_gone(&dr->d->inv, v->parent_host, r->channel, r->number);
	san_locate(dr->d, v);
}

/* What a failure is to the machine: nothing was begun where it is to be asked for again. */
static enum quiesce_ev failure(const struct verb_call *vc, const struct priv_reply *r)
{
	if (r->err == -EAGAIN && vc->bad == QE_DISABLE_FAILED)
		return QE_DISABLE_AGAIN;
	return r->err == -EAGAIN && vc->bad == QE_DELETE_FAILED ? QE_DELETE_AGAIN : vc->bad;
}

void verb_done(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = verb_driver(vc);
	bool gone = r->verb == PRIV_VPORT_DELETE && r->err == -ENODEV;
	char text[QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (r->verb == PRIV_VPORT_DELETE)
		take_delete(dr, vc->call.vhba, r);
	else if (r->verb == PRIV_VPORT_CREATE)
		verb_look_again(dr, vc->call.vhba);
	if (r->verb == PRIV_VPORT_CREATE)
		dr->vm->vhba[vc->call.vhba].named = false;
	if (!r->err || gone)
		driver_queue(dr, &vc->call, vc->good);
	else
		driver_queue_text(dr, &vc->call, failure(vc, r), (struct quiesce_arg){0},
				  r->err == -EAGAIN && r->text[0]
					  ? r->text
					  : verb_reply_text(dr, vc, r, text, sizeof(text)));
}

struct verb_call *verb_new(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev good,
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

uint64_t verb_time(const struct quiesce_call *c)
{
	return mono_left(c->by, mono_now()) + USEC_PER_SEC;
}

int verb_send(struct driver *dr, const struct quiesce_call *c, struct priv_request *q, privq_done *done,
	      enum quiesce_ev good, enum quiesce_ev bad)
{
	struct verb_call *vc = verb_new(dr, c, good, bad);

	if (!vc)
		return -ENOMEM;
	privq_call(dr->d->privq, q, verb_time(c), done, vc);
	return 0;
}

int verb_send_delete(struct driver *dr, const struct quiesce_call *c, struct priv_request *q,
		     privq_done *done, enum quiesce_ev good, enum quiesce_ev bad)
{
	const struct fc_profile *p = vhba_profile(dr->d, &dr->vm->vhba[c->vhba]);
	struct verb_call *vc = verb_new(dr, c, good, bad);

	if (!vc)
		return -ENOMEM;
	/* Otherwise the machine itself asks again, as long as it wants the vport gone. */
	if (p->delete_again)
		vhba_delete(dr->d, q, verb_time(c), done, vc);
	else
		privq_call(dr->d->privq, q, verb_time(c), done, vc);
	return 0;
}

struct vm_vhba *verb_vhba(struct driver *dr, const struct quiesce_call *c)
{
	return &dr->vm->vhba[c->vhba];
}

struct priv_request verb_vport_request(const struct vm_vhba *v, enum priv_verb verb)
{
	return (struct priv_request){.verb = verb,
				     .host = v->parent_host,
				     .channel = v->channel,
				     .number = v->number,
				     .wwpn = v->wwpn,
				     .wwnn = v->wwnn};
}

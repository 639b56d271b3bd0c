/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * io.Await: a VM comes by a live migration.  Its names are still live at the source, and are seen there now:
 * only who has been shown a name can be told by its absence that it has gone.  Where that isn't so it can't
 * come live, and nothing is changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ios_private.h"
#include "methods.h"
#include "name_ask.h"
#include "op.h"
#include "reach.h"
#include "ticket.h"

struct await {
	struct daemon *d;
	struct call *call;
	struct reg_vm *in;
	unsigned left; /* answers of name servers */
	wwn_t witness[VM_VHBAS_MAX]; /* by index */
	char why[320]; /* it can't come live; "": it can, so far */
};

struct await_name {
	struct await *a;
	const struct reg_vhba *v;
	wwn_t parent;
};

static void await_free(struct await *a)
{
	reg_vm_free(a->in);
	free(a);
}

static void answer(struct await *a)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "awaited", json_object_new_boolean(!a->why[0]));
	if (a->why[0])
		json_object_object_add(o, "text", json_object_new_string(a->why));
	call_reply(a->call, o);
	await_free(a);
}

static void refuse(struct await *a, const struct verror *e)
{
	call_error(a->call, e);
	await_free(a);
}

static void note_witnesses(struct await *a)
{
	struct io *io = io_find(a->d, a->in->uuid, "scsi");

	if (!io)
		return;
	memcpy(io->live.witness, a->witness, sizeof(io->live.witness));
	io_record_write(io);
}

/* It may be of no other attempt: what that one has left has been taken away. */
static void on_written(void *user, const struct verror *e)
{
	struct await *a = user;
	const struct reg_vm *rv = registry_find(a->d->reg, a->in->uuid);
	struct verror why;

	if (e) {
		refuse(a, e);
	} else if (a->d->stopping) {
		verror_set(&why, VHBA_E_IO, "vhbad ends");
		verror_fix(&why, "ask again when it is started");
		refuse(a, &why);
	} else if (!rv || op_io_adopt(a->d, rv, &why) || ios_start(a->d, rv, true, &why)) {
		if (!rv)
			verror_set(&why, VHBA_E_NOT_FOUND, "%s is not registered any more", a->in->name);
		refuse(a, &why);
	} else {
		note_witnesses(a);
		daemon_event(a->d, "move", rv->name, "it is expected by a live migration");
		reach_note(a->d, rv);
		answer(a);
	}
}

static void import(struct await *a)
{
	struct verror e;

	snprintf(a->in->owner, sizeof(a->in->owner), "%s", a->d->cfg->host_name);
	a->in->io.gate = a->in->io.arrives = true;
	a->in->io.unfenced = false;
	if (registry_import(a->d->reg, a->in, on_written, a, &e))
		refuse(a, &e);
	else
		daemon_registry_changed(a->d);
}

static void looked(struct await *a)
{
	if (--a->left)
		return;
	if (a->why[0])
		answer(a);
	else
		import(a);
}

static void on_name(void *user, enum ct_answer found, uint32_t port_id, const char *why)
{
	AUTO_FREE struct await_name *n = user;
	struct await *a = n->a;
	char text[WWN_TEXT];

	(void)port_id;
	if (found == CT_PRESENT)
		a->witness[n->v->index] = n->parent;
	else
		snprintf(a->why, sizeof(a->why), "%s is not shown to the parent here: %s",
			 wwn_format(n->v->wwpn, text),
			 found == CT_ABSENT ? "it is logged in nowhere, or zoning hides it" : why);
	looked(a);
}

static bool can_be_live(struct await *a)
{
	const struct reg_vm *in = a->in;

	if (in->io.kind == REG_IO_NONE)
		snprintf(a->why, sizeof(a->why), "its LUNs are the host's block devices");
	else if (in->io.kind == REG_IO_BLK && in->vhbas_n)
		snprintf(a->why, sizeof(a->why),
			 "a virtio-blk device shows its LUN's size, which is not known before the login");
	else
		return true;
	return false;
}

static void ask_all(struct await *a, const struct vm *place)
{
	a->left = 1;
	for (unsigned i = 0; i < place->count; i++) {
		struct await_name *n = calloc(1, sizeof(*n));

		if (!n) {
			snprintf(a->why, sizeof(a->why), "out of memory");
			continue;
		}
		*n = (struct await_name){a, &a->in->vhbas[i], place->vhba[i].parent_wwpn};
		a->left++;
		name_ask(a->d, n->parent, n->v->wwpn, on_name, n);
	}
	looked(a);
}

void method_io_await(struct daemon *d, struct call *call, struct json_object *p)
{
	struct await *a = calloc(1, sizeof(*a));
	struct verror e;
	struct vm place;

	if (!a) {
		verror_set(&e, VHBA_E_INTERNAL, "out of memory");
		call_error(call, &e);
		return;
	}
	a->d = d;
	a->call = call;
	a->in = ticket_read(proto_get(p, "ticket"), &e);
	if (!a->in)
		refuse(a, &e);
	else if (!can_be_live(a))
		answer(a);
	else if (!methods_may_arrive(d, a->in, &place, &e))
		refuse(a, &e);
	else
		ask_all(a, &place);
}

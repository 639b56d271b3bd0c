/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "op.h"
#include "privq.h"
#include "vport_name.h"

#define NAME_US (60 * USEC_PER_SEC) /* vhba-priv lets vports that are to be made go before */

/* It is for people: without it everything works. */
static void on_named(void *user, const struct priv_reply *r)
{
	(void)user;
	if (r->err)
		log_debug("a vport has no symbolic name: %s: %s", strerror(-r->err), r->text);
}

static void name_all(struct daemon *d, struct vm *vm)
{
	for (unsigned i = 0; i < vm->count; i++) {
		struct vm_vhba *v = &vm->vhba[i];
		struct priv_request q = {.verb = PRIV_VPORT_NAME,
					 .host = v->parent_host,
					 .channel = v->channel,
					 .number = v->number,
					 .wwpn = v->wwpn};

		if (v->named || v->host < 0)
			continue;
		v->named = true;
		snprintf(q.name, sizeof(q.name), "vhba %.40s %u", vm->name, v->index);
		privq_call(d->privq, &q, NAME_US, on_named, NULL);
	}
}

static bool somebody_waits(const struct daemon *d)
{
	const struct op *op;

	TAILQ_FOREACH (op, &d->ops, link)
		if (op->kind == OP_ATTACH && !op->answered)
			return true;
	return false;
}

void vport_names(struct daemon *d)
{
	struct vm *vm;

	if (somebody_waits(d))
		return;
	TAILQ_FOREACH (vm, &d->vms, link)
		if (vm->state == VM_ATTACHED)
			name_all(d, vm);
}

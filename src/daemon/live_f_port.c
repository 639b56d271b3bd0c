/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a VM's vports are before it leaves: the F_Ports of their parents (GFPN_ID). */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ct.h"
#include "ios_private.h"
#include "log.h"
#include "privq.h"
#include "profile.h"

#define ASK_US (2 * USEC_PER_SEC)

struct f_port_ask {
	struct daemon *d;
	char uuid[37], name[16];
	unsigned vhba;
};

static void on_answer(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct f_port_ask *a = user;
	struct io *io = io_find(a->d, a->uuid, a->name);

	if (r->err || r->value != CT_PRESENT)
		log_debug("vhba %u: the name of its F_Port is not known", a->vhba);
	if (!io || r->err || !r->own_f_port)
		return;
	io->live.f_port[a->vhba] = r->own_f_port;
	io_record_write(io);
}

static void ask(struct io *io, const struct vm_vhba *v)
{
	struct fc_host *parent = fc_host_find(&io->d->inv, v->parent_host);
	struct priv_request q = {.verb = PRIV_CT_GFPN_ID, .host = v->parent_host};
	struct f_port_ask *a;

	if (parent)
		fc_host_refresh_state(parent);
	if (!parent || !fc_may_ask_fabric(fc_profile_find(parent->driver), true, parent->state))
		return;
	a = calloc(1, sizeof(*a));
	if (!a)
		return;
	*a = (struct f_port_ask){.d = io->d, .vhba = v->index};
	strcpy(a->uuid, io->uuid);
	strcpy(a->name, io->name);
	privq_call(io->d->privq, &q, ASK_US, on_answer, a);
}

void live_f_ports_ask(struct io *io)
{
	const struct vm *vm = vm_find(&io->d->vms, io->uuid);

	if (!vm || vm->state != VM_ATTACHED)
		return;
	memset(io->live.f_port, 0, sizeof(io->live.f_port));
	for (unsigned i = 0; i < vm->count; i++)
		if (vm->vhba[i].host >= 0 && vm->vhba[i].index < VM_VHBAS_MAX)
			ask(io, &vm->vhba[i]);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "op.h"
#include "privq.h"
#include "san.h"
#include "sizes.h"

#define READ_US (5 * USEC_PER_SEC)
#define SCAN_US (20 * USEC_PER_SEC)

struct reading {
	struct daemon *d;
	uint64_t wwpn; /* of the vhba */
};

static void on_read(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct reading *s = user;
	struct vm *vm = NULL;
	struct vm_vhba *v = vm_find_wwpn(&s->d->vms, s->wwpn, &vm);

	if (!v)
		return;
	v->sizes_pending = false;
	if (r->err)
		log_warning("%s: vhba %u: a capacity could not be read: %s: %s", vm->name, v->index,
			    strerror(-r->err), r->text);
	watch_refresh(s->d, v->host);
	vm_wake(s->d, vm);
}

static void read_sizes(struct daemon *d, struct vm_vhba *v, bool all)
{
	struct priv_request q = {.verb = PRIV_READ_SIZES, .host = v->host, .number = all};
	struct reading *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	s->d = d;
	s->wwpn = v->wwpn;
	v->sizes_pending = true;
	privq_call(d->privq, &q, READ_US, on_read, s);
}

void sizes_look(struct daemon *d, struct vm_vhba *v)
{
	if (!v->sizes_pending && san_lacks_size(d, v))
		read_sizes(d, v, false);
}

/* ---- what the array tells by a unit attention ---- */

static void on_scanned(void *user, const struct priv_reply *r)
{
	(void)user;
	(void)r; /* what has come is told by events */
}

/* Elsewhere a host keeps what it has, as it does without vhbad; who has pools is to see all in them. */
void sizes_attention(struct daemon *d, enum fc_attention attention, int host)
{
	struct priv_request scan = {.verb = PRIV_SCAN, .host = host};
	struct vm *vm = NULL;
	struct vm_vhba *v = vm_find_host(&d->vms, host, &vm);
	const struct reg_vm *rv = v ? registry_find(d->reg, vm->uuid) : NULL;

	if (!rv || !rv->pool || vm->state != VM_ATTACHED)
		return;
	if (attention == FC_UA_LUNS)
		privq_call(d->privq, &scan, SCAN_US, on_scanned, NULL);
	else if (attention == FC_UA_CAPACITY && !v->sizes_pending)
		read_sizes(d, v, true);
}

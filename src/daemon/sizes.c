/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ios.h"
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

static void read_all(struct daemon *d, struct vm_vhba *v);

static void on_read(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct reading *s = user;
	struct vm *vm = NULL;
	struct vm_vhba *v = vm_find_wwpn(&s->d->vms, s->wwpn, &vm);

	if (!v)
		return;
	v->sizes_pending = false;
	if (v->sizes_again) {
		read_all(s->d, v);
		return;
	}
	if (r->err)
		log_warning("%s: vhba %u: a capacity could not be read: %s: %s", vm->name, v->index,
			    strerror(-r->err), r->text);
	watch_refresh(s->d, v->host);
	ios_check(s->d, vm->uuid);
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

/* One that is told of while they are read may have come too late for that. */
static void read_all(struct daemon *d, struct vm_vhba *v)
{
	v->sizes_again = v->sizes_pending;
	if (!v->sizes_pending)
		read_sizes(d, v, true);
}

void sizes_look(struct daemon *d, struct vm_vhba *v)
{
	if (!v->sizes_pending && san_lacks_size(d, v))
		read_sizes(d, v, false);
}

/* ---- what the array tells by a unit attention ---- */

/* What has come is told by events. */
static void on_scanned(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct reading *s = user;
	struct vm *vm = NULL;
	struct vm_vhba *v = vm_find_wwpn(&s->d->vms, s->wwpn, &vm);

	(void)r;
	if (!v)
		return;
	v->scan_pending = false;
	if (v->scan_again)
		sizes_scan(s->d, v);
}

void sizes_scan(struct daemon *d, struct vm_vhba *v)
{
	struct priv_request q = {.verb = PRIV_SCAN, .host = v->host};
	struct reading *s;

	v->scan_again = v->scan_pending;
	if (v->scan_pending || !(s = calloc(1, sizeof(*s))))
		return;
	s->d = d;
	s->wwpn = v->wwpn;
	v->scan_pending = true;
	privq_call(d->privq, &q, SCAN_US, on_scanned, s);
}

/* The LUN that a host has there; NULL: none. */
static const struct fc_lun *lun_at(const struct daemon *d, int host, const struct fc_part *part)
{
	const struct fc_host *h = fc_host_find(&d->inv, host);
	const struct fc_rport *r;
	const struct fc_lun *l;

	if (!h || part->kind != FC_PART_LUN)
		return NULL;
	TAILQ_FOREACH (r, &h->rports, link)
		TAILQ_FOREACH (l, &r->luns, link)
			if (l->target == part->target && l->lun == part->lun)
				return l;
	return NULL;
}

/* What one path was told goes for each number that the guest has of the LUN. */
static void changed(struct daemon *d, const struct reg_vm *rv, const struct fc_lun *l)
{
	for (unsigned i = 0; l && l->designator[0] && i < rv->guest_luns_n; i++)
		if (!strcmp(rv->guest_luns[i].designator, l->designator))
			ios_lun_changed(d, rv->uuid, rv->guest_luns[i].number);
}

/* Elsewhere a host keeps what it has, as it does without vhbad; who has pools is to see all in them. */
void sizes_attention(struct daemon *d, enum fc_attention attention, int host, const struct fc_part *part)
{
	struct vm *vm = NULL;
	struct vm_vhba *v = vm_find_host(&d->vms, host, &vm);
	const struct reg_vm *rv = v ? registry_find(d->reg, vm->uuid) : NULL;
	bool io = rv && rv->io.kind != REG_IO_NONE;

	if (!rv || vm->state != VM_ATTACHED)
		return;
	if (attention == FC_UA_LUNS && rv->pool)
		sizes_scan(d, v);
	/* What one path was told of, the others are when a command goes by them, which may be never. */
	for (unsigned i = 0; attention == FC_UA_CAPACITY && (rv->pool || io) && i < vm->count; i++)
		if (vm->vhba[i].host >= 0)
			read_all(d, &vm->vhba[i]);
	if (attention == FC_UA_PARAMETERS && io)
		changed(d, rv, lun_at(d, host, part));
}

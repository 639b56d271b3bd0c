/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "placement.h"
#include "san.h"

bool placement_in_vsan(const struct daemon *d, const struct fc_host *parent, const struct config_vsan *vsan,
		       char *seen, size_t size)
{
	(void)d;
	if (vsan->fabric_name && parent->fabric_name != vsan->fabric_name) {
		snprintf(seen, size, "fabric %016" PRIx64, parent->fabric_name);
		return false;
	}
	if (vsan->vlan && parent->vlan != vsan->vlan) {
		if (parent->vlan)
			snprintf(seen, size, "VLAN %u", parent->vlan);
		else
			snprintf(seen, size, "no FCoE VLAN");
		return false;
	}
	return true;
}

const struct config_vsan *placement_vsan(const struct daemon *d, const struct fc_host *parent)
{
	char seen[40];

	for (unsigned i = 0; i < d->cfg->vsans_n; i++)
		if (placement_in_vsan(d, parent, &d->cfg->vsans[i], seen, sizeof(seen)))
			return &d->cfg->vsans[i];
	return NULL;
}

/* VMs' vhbas that have been placed on it and whose vport is not there yet: listed ones are left out on
 * demand. */
static unsigned planned(const struct daemon *d, const struct fc_host *h, bool listed)
{
	const struct vm *vm;
	unsigned n = 0;

	TAILQ_FOREACH (vm, &d->vms, link) {
		for (unsigned i = 0; vm->state == VM_ATTACHING && i < vm->count; i++) {
			const struct vm_vhba *v = &vm->vhba[i];

			n += v->parent_wwpn == h->wwpn && v->host < 0 &&
			     (listed || !fc_vport_find(&d->inv, v->wwpn, NULL));
		}
	}
	return n;
}

/* The kernel may count some of those that are planned already. */
static unsigned load(const struct daemon *d, const struct fc_host *h)
{
	return h->npiv_inuse + planned(d, h, true);
}

/* So this is looked into where it matters. */
static unsigned exact_load(const struct daemon *d, const struct fc_host *h)
{
	unsigned n = planned(d, h, false);
	const struct fc_vport *v;

	TAILQ_FOREACH (v, &h->vports, link)
		n++;
	return n > h->npiv_inuse ? n : h->npiv_inuse;
}

static bool fits(const struct daemon *d, const struct fc_host *h, const struct config_vsan *vsan, char *seen,
		 size_t size)
{
	if (!placement_in_vsan(d, h, vsan, seen, size))
		return false;
	if (strcmp(h->state, "Online"))
		return snprintf(seen, size, "%s", h->state), false;
	if (load(d, h) >= h->npiv_max && exact_load(d, h) >= h->npiv_max)
		return snprintf(seen, size, "%u of %u vports in use", exact_load(d, h), h->npiv_max), false;
	return true;
}

static bool used_by(const struct vm *vm, wwn_t parent)
{
	for (unsigned i = 0; i < vm->count; i++)
		if (vm->vhba[i].parent_wwpn == parent)
			return true;
	return false;
}

static const struct fc_host *choose(const struct daemon *d, const struct vm *vm,
				    const struct config_vsan *vsan)
{
	const struct fc_host *h, *best = NULL;
	char seen[64];

	TAILQ_FOREACH (h, &d->inv.hosts, link) {
		bool shared, best_shared;

		if (h->parent >= 0 || !fits(d, h, vsan, seen, sizeof(seen)))
			continue;
		shared = used_by(vm, h->wwpn);
		best_shared = best && used_by(vm, best->wwpn);
		if (!best || (best_shared && !shared) ||
		    (best_shared == shared && load(d, h) < load(d, best)))
			best = h;
	}
	return best;
}

static void explain(const struct daemon *d, const struct vm_vhba *v, const struct config_vsan *vsan,
		    struct verror *e)
{
	char all[160] = "", seen[64];
	const struct fc_host *h;

	TAILQ_FOREACH (h, &d->inv.hosts, link) {
		size_t used = strlen(all);

		if (h->parent < 0 && !fits(d, h, vsan, seen, sizeof(seen)))
			snprintf(all + used, sizeof(all) - used, "%shost%d: %s", used ? ", " : "", h->number,
				 seen);
	}
	verror_set(e, VHBA_E_CONSTRAINT, "vhba %u: no parent can carry it", v->index);
	verror_expected(e, "an Online parent in VSAN %u (%s%s) with room for a vport", vsan->number,
			vsan->fabric_name ? "by fabric name" : "by VLAN", vsan->name[0] ? "" : ", unnamed");
	verror_seen(e, "%s", all[0] ? all : "no parent at all");
	verror_fix(e, "'vhbactl parent list' shows them; [parents] and [fcoe IF] of vhbad.conf choose them");
}

static const struct config_vsan *vsan_of(struct daemon *d, const struct vm *vm, const struct vm_vhba *v,
					 struct verror *e)
{
	const struct reg_vm *rv = registry_find(d->reg, vm->uuid);
	const struct reg_vhba *rvh = rv ? registry_vhba(rv, v->index) : NULL;
	const struct config_vsan *vsan = rvh ? config_vsan(d->cfg, rvh->vsan) : NULL;

	if (!vsan) {
		verror_set(e, VHBA_E_CONSTRAINT, "vhba %u: its VSAN is not known on this host", v->index);
		verror_expected(e, "a section [vsan %u] in vhbad.conf", rvh ? rvh->vsan : 0);
		verror_seen(e, "none");
	}
	return vsan;
}

/* Those that have a vport stand where they are; the others' places of an earlier try are given up. */
static void locate_all(struct daemon *d, struct vm *vm)
{
	for (unsigned i = 0; i < vm->count; i++) {
		if (san_locate(d, &vm->vhba[i]))
			continue;
		vm->vhba[i].parent_wwpn = 0;
		vm->vhba[i].parent_host = -1;
	}
}

int placement_place(const struct daemon *d, const struct vm *vm, struct vm_vhba *v,
		    const struct config_vsan *vsan, struct verror *e)
{
	const struct fc_host *h = choose(d, vm, vsan);

	if (!h) {
		explain(d, v, vsan, e);
		return -ENODEV;
	}
	v->parent_wwpn = h->wwpn;
	v->parent_host = h->number;
	return 0;
}

int placement_choose(struct daemon *d, struct vm *vm, struct verror *e)
{
	locate_all(d, vm);
	for (unsigned i = 0; i < vm->count; i++) {
		struct vm_vhba *v = &vm->vhba[i];
		const struct config_vsan *vsan = vsan_of(d, vm, v, e);

		if (!vsan)
			return -ENODEV;
		if (v->host < 0 && placement_place(d, vm, v, vsan, e))
			return -ENODEV;
	}
	return 0;
}

bool placement_may_change(struct daemon *d, const struct vm *vm)
{
	for (unsigned i = 0; i < vm->count; i++) {
		const struct config_vsan *vsan = vsan_of(d, vm, &vm->vhba[i], NULL);
		const struct fc_host *h;
		bool hope = !TAILQ_EMPTY(&d->fcoe) && vsan; /* an FCoE parent may still be coming up */
		char seen[64];

		TAILQ_FOREACH (h, &d->inv.hosts, link)
			hope |= vsan && h->parent < 0 && h->npiv_inuse < h->npiv_max &&
				strcmp(h->state, "Online") &&
				(!vsan->vlan || placement_in_vsan(d, h, vsan, seen, sizeof(seen)));
		if (!hope)
			return false;
	}
	return true;
}

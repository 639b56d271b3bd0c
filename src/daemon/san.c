/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "result.h"
#include "san.h"

bool san_locate(struct daemon *d, struct vm_vhba *v)
{
	struct fc_host *parent;
	struct fc_vport *p = fc_vport_find(&d->inv, v->wwpn, &parent);

	v->host = p ? p->host : -1;
	if (!p)
		return false;
	v->parent_host = parent->number;
	v->parent_wwpn = parent->wwpn;
	v->channel = p->channel;
	v->number = p->number;
	return true;
}

/* What the registry says of this vhba; NULL when it was removed meanwhile. */
static const struct reg_vhba *registered(struct daemon *d, const struct vm *vm, const struct vm_vhba *v)
{
	const struct reg_vm *rv = registry_find(d->reg, vm->uuid);

	return rv ? registry_vhba(rv, v->index) : NULL;
}

static bool active(struct daemon *d, const struct vm_vhba *v, struct verror *e)
{
	struct fc_host *parent;
	struct fc_vport *p = fc_vport_find(&d->inv, v->wwpn, &parent);
	char state[32] = "gone", wwn[WWN_TEXT];

	if (p && fc_vport_read_state(parent, p, state, sizeof(state)))
		watch_refresh(d, parent->number); /* it went without a word: the next look will know */
	else if (p && !strcmp(state, "Active"))
		return true;
	verror_set(e, VHBA_E_CONSTRAINT, "vhba %u: its vport %s is not logged in to the fabric", v->index,
		   wwn_format(v->wwpn, wwn));
	verror_expected(e, "Active");
	verror_seen(e, "%s", state);
	verror_fix(
		e,
		"Initializing for long: another port holds the same WWPN, or the switch refuses the login");
	return false;
}

static bool target_online(const struct fc_host *host, wwn_t target, char *seen, size_t size)
{
	struct fc_rport *r = host ? fc_rport_find(host, target) : NULL;
	char state[32] = "";

	if (!r)
		return snprintf(seen, size, "it is not visible"), false;
	if (fc_rport_read_state(host, r, state, sizeof(state)))
		return snprintf(seen, size, "it has gone"), false;
	if (strcmp(state, "Online"))
		return snprintf(seen, size, "it is %s", state), false;
	if (!fc_rport_read_is_target(host, r))
		return snprintf(seen, size, "it has not logged in as an FCP target"), false;
	return true;
}

bool san_logged_in(struct daemon *d, const struct vm *vm, const struct vm_vhba *v, struct verror *e)
{
	const struct reg_vhba *rv = registered(d, vm, v);
	const struct fc_host *host = fc_host_find(&d->inv, v->host);
	const char *pos = rv ? rv->zones : "";
	const struct config_zone *z;
	char zone[REG_NAME_MAX], seen[64], wwn[WWN_TEXT];

	if (!active(d, v, e))
		return false;
	while (registry_next_zone(&pos, zone)) {
		z = config_known_zone(d->cfg, rv->vsan, zone, e);
		if (!z)
			return false;
		for (unsigned i = 0; i < z->count; i++) {
			if (target_online(host, z->targets[i], seen, sizeof(seen)))
				continue;
			verror_set(e, VHBA_E_CONSTRAINT, "vhba %u: zone %s is not effective", v->index, zone);
			verror_expected(e, "target %s logged in", wwn_format(z->targets[i], wwn));
			verror_seen(e, "%s", seen);
			verror_fix(e, "zone %s with it in VSAN %u", wwn_format(v->wwpn, wwn), rv->vsan);
			return false;
		}
	}
	return true;
}

bool san_sees_targets(struct daemon *d, const struct vm *vm, const struct vm_vhba *v)
{
	const struct reg_vhba *rv = registered(d, vm, v);
	const struct fc_host *host = fc_host_find(&d->inv, v->host);
	const char *pos = rv ? rv->zones : "";
	const struct config_zone *z;
	char zone[REG_NAME_MAX];

	while (registry_next_zone(&pos, zone)) {
		z = config_known_zone(d->cfg, rv->vsan, zone, NULL);
		for (unsigned i = 0; z && i < z->count; i++)
			if (!host || !fc_rport_find(host, z->targets[i]))
				return false;
	}
	return host;
}

/* As it is now. */
static const struct fc_lun *find_lun(const struct fc_host *host, const struct reg_lun *want)
{
	struct fc_rport *r = host ? fc_rport_find(host, want->target) : NULL;
	struct fc_lun *l;

	if (!r)
		return NULL;
	TAILQ_FOREACH (l, &r->luns, link)
		if (l->lun == want->lun)
			break;
	if (l)
		fc_lun_refresh_state(host, l);
	return l;
}

static const char *disk_text(const struct fc_lun *l)
{
	return !l->sd[0] ? "no disk" : !l->size ? "a disk of no size" : l->sd;
}

bool san_luns_usable(struct daemon *d, const struct vm *vm, const struct vm_vhba *v, struct verror *e)
{
	const struct reg_vhba *rv = registered(d, vm, v);
	const struct fc_host *host = fc_host_find(&d->inv, v->host);
	char wwn[WWN_TEXT];

	for (unsigned i = 0; rv && i < rv->luns_n; i++) {
		const struct reg_lun *want = &rv->luns[i];
		const struct fc_lun *l = find_lun(host, want);

		if (l && l->usable && !strcmp(l->designator, want->designator))
			continue;
		verror_set(e, VHBA_E_CONSTRAINT, "vhba %u: LUN %" PRIu64 " of %s is not usable", v->index,
			   want->lun, wwn_format(want->target, wwn));
		verror_expected(e, "%s", want->designator);
		if (!l)
			verror_seen(e, "no such LUN");
		else if (!l->designator[0] || !l->usable)
			verror_seen(e, "state %s, %s, %s", l->state, disk_text(l),
				    l->designator[0] ? l->designator : "no designator");
		else
			verror_seen(e, "%s", l->designator);
		verror_fix(e, "check the array's LUN masking for %s; --accept-luns records the set anew",
			   wwn_format(v->wwpn, wwn));
		return false;
	}
	return true;
}

int san_inflight(struct daemon *d, const struct vm_vhba *v, uint64_t *count)
{
	const struct fc_host *host = fc_host_find(&d->inv, v->host);
	const struct fc_rport *r;
	const struct fc_lun *l;

	*count = 0;
	if (!host)
		return 0;
	TAILQ_FOREACH (r, &host->rports, link) {
		TAILQ_FOREACH (l, &r->luns, link) {
			uint64_t busy;

			if (!fc_lun_read_busy(host, l, &busy))
				*count += busy;
		}
	}
	return 0;
}

bool san_lacks_size(struct daemon *d, const struct vm_vhba *v)
{
	const struct fc_host *host = fc_host_find(&d->inv, v->host);
	const struct fc_rport *r;
	const struct fc_lun *l;

	if (!host)
		return false;
	TAILQ_FOREACH (r, &host->rports, link)
		TAILQ_FOREACH (l, &r->luns, link)
			if (l->sd[0] && !l->size && !strcmp(l->state, "running"))
				return true;
	return false;
}

bool san_write_back(struct daemon *d, const struct vm_vhba *v)
{
	const struct fc_host *host = fc_host_find(&d->inv, v->host);
	const struct fc_rport *r;
	const struct fc_lun *l;

	if (!host)
		return false;
	TAILQ_FOREACH (r, &host->rports, link)
		TAILQ_FOREACH (l, &r->luns, link)
			if (fc_lun_write_back(host, l))
				return true;
	return false;
}

int san_targets(struct daemon *d, const struct vm_vhba *v, uint64_t *online, uint64_t *total, char *buf,
		size_t size)
{
	const struct fc_host *host = fc_host_find(&d->inv, v->host);
	const struct fc_rport *r;
	char state[32], one[64];
	size_t used = 0, n;

	*online = 0;
	*total = 0;
	if (size)
		buf[0] = '\0';
	if (!host)
		return 0;
	TAILQ_FOREACH (r, &host->rports, link) {
		if (!r->is_target || fc_rport_read_state(host, r, state, sizeof(state)))
			continue;
		n = (size_t)snprintf(one, sizeof(one), "%s%016" PRIx64 " %s", used ? "," : "", r->wwpn,
				     state);
		if (used + n < size) {
			memcpy(buf + used, one, n + 1);
			used += n;
		}
		++*total;
		*online += !strcmp(state, "Online");
	}
	return 0;
}

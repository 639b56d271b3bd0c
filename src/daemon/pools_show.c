/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "pools_private.h"
#include "result.h"
#include "san.h"

#define ADD(o, key, value) json_object_object_add(o, key, value)
#define TEXT(s) json_object_new_string(s)
#define UINT(n) json_object_new_uint64(n)

const char *pool_wanted_name(enum pool_wanted w)
{
	static const char *const names[] = {"absent", "stopped", "kept", "running"};

	return names[w];
}

static const struct vm_vhba *place(struct daemon *d, const struct pool *p, struct vm **vm)
{
	const struct vm_vhba *v = vm_find_wwpn(&d->vms, p->wwpn, vm);

	return v && v->host >= 0 ? v : NULL;
}

enum pool_wanted pool_wanted_now(struct daemon *d, const struct pool *p)
{
	const struct reg_vm *rv = registry_find(d->reg, p->uuid);
	struct vm *vm = NULL;
	const struct vm_vhba *v = place(d, p, &vm);
	struct verror e;

	if (!rv || !rv->pool || !vm || vm->state == VM_DETACHED)
		return POOL_ABSENT;
	if (!v || vm->state != VM_ATTACHED)
		return POOL_STOPPED;
	return san_luns_usable(d, vm, v, &e) ? POOL_RUNNING : POOL_KEPT;
}

/* The disks that have a node; false: one of them does not run, and who opens it may wait. */
static bool add_luns(struct json_object *list, const struct fc_host *host)
{
	const struct fc_rport *r;
	const struct fc_lun *l;
	bool settled = true;

	TAILQ_FOREACH (r, &host->rports, link) {
		TAILQ_FOREACH (l, &r->luns, link) {
			struct json_object *o;

			if (l->type != 0 || !l->sd[0])
				continue;
			/* A LUN that the array has taken away leaves its disk, which answers at once that it
			 * has no size: nobody waits for it. */
			if (!l->size && !strcmp(l->state, "running"))
				continue;
			settled &= l->usable;
			o = json_object_new_object();
			result_add_wwn(o, "target", r->wwpn);
			ADD(o, "lun", UINT(l->lun));
			ADD(o, "designator", TEXT(l->designator));
			ADD(o, "size", UINT(l->size));
			json_object_array_add(list, o);
		}
	}
	return settled;
}

struct json_object *pool_order(struct daemon *d, const struct pool *p)
{
	struct json_object *o = json_object_new_object(), *luns = json_object_new_array();
	bool live = p->wanted == POOL_RUNNING || p->wanted == POOL_KEPT, settled = true;
	const struct vm_vhba *v = place(d, p, NULL);
	const struct fc_host *host = v ? fc_host_find(&d->inv, v->host) : NULL;
	char text[16];

	ADD(o, "name", TEXT(p->name));
	result_add_wwn(o, "wwpn", p->wwpn);
	ADD(o, "wanted", TEXT(pool_wanted_name(p->wanted)));
	if (live && host) {
		snprintf(text, sizeof(text), "host%d", v->host);
		ADD(o, "host", TEXT(text));
		settled = add_luns(luns, host);
	}
	ADD(o, "settled", json_object_new_boolean(settled));
	ADD(o, "sync", UINT(p->sync));
	ADD(o, "luns", luns);
	return o;
}

static struct json_object *show_pool(struct daemon *d, const struct pool *p)
{
	const struct reg_vm *rv = registry_find(d->reg, p->uuid);
	struct json_object *o = json_object_new_object();

	ADD(o, "name", TEXT(p->name));
	result_add_wwn(o, "wwpn", p->wwpn);
	if (rv)
		ADD(o, "vm", TEXT(rv->name));
	ADD(o, "index", UINT(p->index));
	ADD(o, "own", json_object_new_boolean(true));
	ADD(o, "wanted", TEXT(pool_wanted_name(p->wanted)));
	ADD(o, "state", TEXT(p->state));
	if (!strcmp(p->state, "running"))
		ADD(o, "volumes", UINT(p->volumes));
	if (p->text[0])
		ADD(o, "text", TEXT(p->text));
	return o;
}

/* What others have defined counts here only with a WWPN that the registry has given. */
static void add_others(struct pools *ps, const struct reg_vm *only, struct json_object *list)
{
	for (size_t i = 0; ps->others && i < json_object_array_length(ps->others); i++) {
		struct json_object *in = json_object_array_get_idx(ps->others, i), *o;
		const struct reg_vm *rv;
		uint64_t wwpn;

		if (proto_wwn_parse(proto_get_text(in, "wwpn"), &wwpn) ||
		    !registry_name_known(ps->d->reg, wwpn, &rv) || (only && rv != only))
			continue;
		o = json_object_new_object();
		ADD(o, "name", TEXT(proto_get_text(in, "name")));
		result_add_wwn(o, "wwpn", wwpn);
		if (rv)
			ADD(o, "vm", TEXT(rv->name));
		for (unsigned k = 0; rv && k < rv->vhbas_n; k++)
			if (rv->vhbas[k].wwpn == wwpn)
				ADD(o, "index", UINT(rv->vhbas[k].index));
		ADD(o, "own", json_object_new_boolean(false));
		ADD(o, "state", TEXT(proto_get_text(in, "state")));
		if (proto_get_text(in, "text"))
			ADD(o, "text", TEXT(proto_get_text(in, "text")));
		json_object_array_add(list, o);
	}
}

static void add_own(struct pools *ps, const struct reg_vm *rv, struct json_object *list)
{
	for (unsigned i = 0; i < rv->vhbas_n; i++) {
		const struct pool *p;

		TAILQ_FOREACH (p, &ps->list, link)
			if (p->wwpn == rv->vhbas[i].wwpn)
				json_object_array_add(list, show_pool(ps->d, p));
	}
}

struct json_object *pools_show(struct pools *ps, const struct reg_vm *only)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct reg_vm *rv;

	TAILQ_FOREACH (rv, registry_vms(ps->d->reg), link)
		if (!only || rv == only)
			add_own(ps, rv, list);
	add_others(ps, only, list);
	ADD(o, "pools", list);
	ADD(o, "served", json_object_new_boolean(ps->serve != NULL));
	return o;
}

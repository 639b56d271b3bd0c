/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "fc.h"
#include "lun.h"

#define TYPE_FCP_BYTE 2 /* of the FC-4 TYPEs: word 0, big-endian, bit 8 */
#define FEATURE_TARGET_INIT 0x01 /* of FCP, low half of byte 7: target function */

struct array *array_find(struct fabric *f, const char *name)
{
	struct array *a;

	TAILQ_FOREACH (a, &f->arrays, link)
		if (!strcmp(array_name(a), name))
			return a;
	return NULL;
}

const char *array_name(const struct array *a)
{
	return target_name(a->target);
}

struct array *array_new(struct fabric *f, struct vsan *v, const char *name, uint64_t wwpn, uint64_t wwnn)
{
	struct target_config c = {.name = name, .wwpn = wwpn, .wwnn = wwnn, .vsan = v->id};
	struct array *a = calloc(1, sizeof(*a));

	if (a)
		a->target = target_new(&c);
	if (!a || !a->target) {
		free(a);
		return NULL;
	}
	a->vsan = v;
	TAILQ_INSERT_TAIL(&f->arrays, a, link);
	array_online(f, a);
	return a;
}

int array_online(struct fabric *f, struct array *a)
{
	struct login_request q = {.wwpn = target_wwpn(a->target), .wwnn = target_wwnn(a->target), .array = a};

	if (a->login)
		return -EALREADY;
	if (vsan_login_by_wwpn(a->vsan, q.wwpn))
		return -EEXIST;
	q.max_payload = FC_PAYLOAD_MAX;
	a->login = login_new(f, a->vsan, &q);
	if (!a->login)
		return -ENOMEM;
	a->login->fc4_types[TYPE_FCP_BYTE] = 1;
	a->login->fc4_features[7] = FEATURE_TARGET_INIT;
	snprintf(a->login->port_symbol, sizeof(a->login->port_symbol), "%s", target_name(a->target));
	target_set_port_id(a->target, a->login->id);
	return 0;
}

int array_offline(struct fabric *f, struct array *a, const char *why)
{
	struct login *l = a->login;

	if (!l)
		return -EALREADY;
	a->login = NULL;
	target_set_port_id(a->target, 0);
	login_end(f, l, why);
	return 0;
}

void array_input(struct fabric *f, struct array *a, const struct frame *fr)
{
	target_input(a->target, fr, f->now);
}

void arrays_nport_gone(struct fabric *f, struct vsan *v, uint32_t id, const char *why)
{
	struct array *a;

	TAILQ_FOREACH (a, &f->arrays, link)
		if (a->vsan == v && a->login)
			target_nport_gone(a->target, id, why, f->now);
}

void arrays_zoning_changed(struct fabric *f, struct vsan *v, uint64_t wwpn)
{
	struct login *l;
	struct array *a;

	TAILQ_FOREACH (a, &f->arrays, link) {
		if (a->vsan != v || !a->login)
			continue;
		TAILQ_FOREACH (l, &v->logins, of_vsan)
			if ((l->wwpn == wwpn || a->login->wwpn == wwpn) &&
			    !zone_shared(v, a->login->wwpn, l->wwpn))
				target_nport_gone(a->target, l->id, "zone removed", f->now);
	}
}

static bool pump(struct fabric *f, struct array *a)
{
	struct target_event *e;
	struct frame *fr;
	bool any = false;

	while ((e = target_next_event(a->target))) {
		flog_add(f, "target", a->vsan, a->login, "%s: %s", target_name(a->target), e->text);
		free(e);
	}
	while ((fr = target_output(a->target))) {
		fr->vsan = a->vsan->id;
		fabric_emit(f, fr);
		any = true;
	}
	return any;
}

bool arrays_pump(struct fabric *f)
{
	struct array *a;
	bool any = false;

	TAILQ_FOREACH (a, &f->arrays, link)
		any |= pump(f, a);
	return any;
}

void arrays_run(struct fabric *f)
{
	struct array *a;

	TAILQ_FOREACH (a, &f->arrays, link)
		if (target_deadline(a->target) <= f->now)
			target_run(a->target, f->now);
}

uint64_t arrays_deadline(const struct fabric *f)
{
	uint64_t first = UINT64_MAX;
	const struct array *a;

	TAILQ_FOREACH (a, &f->arrays, link)
		if (target_deadline(a->target) < first)
			first = target_deadline(a->target);
	return first;
}

void arrays_free(struct fabric *f)
{
	struct lun_name *l;
	struct array *a;

	while ((a = TAILQ_FIRST(&f->arrays))) {
		TAILQ_REMOVE(&f->arrays, a, link);
		if (a->login)
			array_offline(f, a, "end");
		target_free(a->target);
		free(a);
	}
	while ((l = TAILQ_FIRST(&f->luns))) {
		TAILQ_REMOVE(&f->luns, l, link);
		lun_store_unref(l->store);
		free(l);
	}
}

struct lun_name *lun_name_find(struct fabric *f, const char *name)
{
	struct lun_name *l;

	TAILQ_FOREACH (l, &f->luns, link)
		if (!strcmp(l->name, name))
			return l;
	return NULL;
}

int lun_name_add(struct fabric *f, const char *name, struct lun_store *store)
{
	struct lun_name *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->store = store;
	TAILQ_INSERT_TAIL(&f->luns, l, link);
	return 0;
}

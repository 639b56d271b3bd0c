/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "core.h"

#define ID_FIRST 0x0100 /* area 1, port 0 */
#define ID_END 0xff00

/* An N_Port_ID that belongs to a WWPN, logged in or not. */
struct kept_id {
	struct hash_entry by_wwpn;
	uint32_t id;
};

static uint8_t free_domain(const struct fabric *f)
{
	const struct vsan *v;
	unsigned n = DOMAIN_FIRST;

	TAILQ_FOREACH (v, &f->vsans, link)
		n++;
	return (uint8_t)(n > DOMAIN_LAST ? DOMAIN_LAST : n);
}

struct vsan *vsan_new(struct fabric *f, uint16_t id)
{
	struct vsan *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->id = v->vlan = id;
	v->domain = free_domain(f);
	v->next_id = ID_FIRST;
	/* NAA 1 under a locally administered OUI. */
	v->fabric_wwn = UINT64_C(0x1000020000000000) | id;
	snprintf(v->name, sizeof(v->name), "VSAN%u", id);
	TAILQ_INIT(&v->logins);
	TAILQ_INIT(&v->zones);
	TAILQ_INSERT_TAIL(&f->vsans, v, link);
	return v;
}

static void free_kept(struct vsan *v)
{
	for (size_t i = 0; i < v->kept.size; i++) {
		struct hash_entry *e, *next;

		for (e = v->kept.buckets[i]; e; e = next) {
			next = e->next;
			free(hash_object(e, struct kept_id, by_wwpn));
		}
	}
	hash_free(&v->kept);
}

void vsan_free(struct vsan *v)
{
	struct zone *z;

	while ((z = TAILQ_FIRST(&v->zones)))
		zone_delete(z);
	free_kept(v);
	hash_free(&v->wwpns);
	hash_free(&v->ids);
	hash_free(&v->zone_wwpns);
	hash_free(&v->zone_pairs);
	free(v);
}

struct vsan *vsan_find(struct fabric *f, uint16_t id)
{
	struct vsan *v;

	TAILQ_FOREACH (v, &f->vsans, link)
		if (v->id == id)
			return v;
	return NULL;
}

struct login *vsan_login_by_id(struct vsan *v, uint32_t id)
{
	struct hash_entry *e = hash_find(&v->ids, id);

	return e ? hash_object(e, struct login, by_id) : NULL;
}

struct login *vsan_login_by_wwpn(struct vsan *v, uint64_t wwpn)
{
	struct hash_entry *e = hash_find(&v->wwpns, wwpn);

	return e ? hash_object(e, struct login, by_wwpn) : NULL;
}

static bool is_kept(const struct vsan *v, uint32_t id)
{
	for (size_t i = 0; i < v->kept.size; i++)
		for (const struct hash_entry *e = v->kept.buckets[i]; e; e = e->next)
			if (hash_object(e, const struct kept_id, by_wwpn)->id == id)
				return true;
	return false;
}

uint32_t vsan_free_id(struct vsan *v)
{
	for (unsigned tries = 0; tries < ID_END - ID_FIRST; tries++) {
		uint32_t id = (uint32_t)v->domain << 16 | v->next_id;

		v->next_id = v->next_id + 1 == ID_END ? ID_FIRST : (uint16_t)(v->next_id + 1);
		if (!hash_find(&v->ids, id) && !is_kept(v, id))
			return id;
	}
	return 0;
}

uint32_t vsan_kept_id(struct vsan *v, uint64_t wwpn)
{
	struct hash_entry *e = hash_find(&v->kept, wwpn);
	struct login *l = vsan_login_by_wwpn(v, wwpn);
	struct kept_id *k;

	if (e)
		return hash_object(e, struct kept_id, by_wwpn)->id;
	k = calloc(1, sizeof(*k));
	if (k)
		k->id = l ? l->id : vsan_free_id(v);
	if (k && k->id && !hash_add(&v->kept, &k->by_wwpn, wwpn))
		return k->id;
	free(k);
	return 0;
}

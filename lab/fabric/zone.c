/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* All memberships of one WWPN in a VSAN. */
struct wwpn_zones {
	struct hash_entry entry;
	TAILQ_HEAD(, zone_member) members;
	unsigned n;
};

static uint64_t pair_key(const struct zone *z, uint64_t wwpn)
{
	return wwpn ^ ((uint64_t)z->serial << 32 | z->serial);
}

static struct wwpn_zones *zones_of(struct vsan *v, uint64_t wwpn)
{
	struct hash_entry *e = hash_find(&v->zone_wwpns, wwpn);

	return e ? hash_object(e, struct wwpn_zones, entry) : NULL;
}

static struct zone_member *member_find(struct zone *z, uint64_t wwpn)
{
	uint64_t key = pair_key(z, wwpn);
	struct hash_entry *e = hash_find(&z->vsan->zone_pairs, key);

	for (; e; e = e->next) {
		struct zone_member *m = hash_object(e, struct zone_member, pair);

		if (e->key == key && m->zone == z && m->wwpn == wwpn)
			return m;
	}
	return NULL;
}

struct zone *zone_find(struct vsan *v, const char *name)
{
	struct zone *z;

	TAILQ_FOREACH (z, &v->zones, link)
		if (!strcmp(z->name, name))
			return z;
	return NULL;
}

static struct zone *zone_new(struct vsan *v, const char *name)
{
	static uint32_t serial;
	struct zone *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->vsan = v;
	z->serial = ++serial;
	snprintf(z->name, sizeof(z->name), "%s", name);
	TAILQ_INIT(&z->members);
	TAILQ_INSERT_TAIL(&v->zones, z, link);
	return z;
}

static struct wwpn_zones *zones_of_new(struct vsan *v, uint64_t wwpn)
{
	struct wwpn_zones *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	TAILQ_INIT(&w->members);
	if (hash_add(&v->zone_wwpns, &w->entry, wwpn)) {
		free(w);
		return NULL;
	}
	return w;
}

int zone_add(struct vsan *v, const char *name, uint64_t wwpn, bool principal)
{
	struct zone *z = zone_find(v, name);
	struct wwpn_zones *w = zones_of(v, wwpn);
	struct zone_member *m;

	if (z && member_find(z, wwpn))
		return -EEXIST;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	if (!z)
		z = zone_new(v, name);
	if (!w)
		w = zones_of_new(v, wwpn);
	if (!z || !w || hash_add(&v->zone_pairs, &m->pair, pair_key(z, wwpn))) {
		free(m);
		return -ENOMEM;
	}
	m->zone = z;
	m->wwpn = wwpn;
	m->principal = principal;
	z->principals += principal;
	TAILQ_INSERT_TAIL(&z->members, m, of_zone);
	TAILQ_INSERT_TAIL(&w->members, m, of_wwpn);
	w->n++;
	return 0;
}

static void member_delete(struct zone_member *m)
{
	struct vsan *v = m->zone->vsan;
	struct wwpn_zones *w = zones_of(v, m->wwpn);

	hash_remove(&v->zone_pairs, &m->pair);
	TAILQ_REMOVE(&m->zone->members, m, of_zone);
	TAILQ_REMOVE(&w->members, m, of_wwpn);
	if (!--w->n) {
		hash_remove(&v->zone_wwpns, &w->entry);
		free(w);
	}
	m->zone->principals -= m->principal;
	free(m);
}

void zone_delete(struct zone *z)
{
	struct zone_member *m;

	while ((m = TAILQ_FIRST(&z->members)))
		member_delete(m);
	TAILQ_REMOVE(&z->vsan->zones, z, link);
	free(z);
}

int zone_remove(struct vsan *v, const char *name, uint64_t wwpn)
{
	struct zone *z = zone_find(v, name);
	struct zone_member *m = z ? member_find(z, wwpn) : NULL;

	if (!m)
		return -ENOENT;
	member_delete(m);
	if (TAILQ_EMPTY(&z->members))
		zone_delete(z);
	return 0;
}

static bool members_see(const struct zone_member *a, const struct zone_member *b)
{
	return !a->zone->principals || a->principal || b->principal;
}

bool zone_shared(struct vsan *v, uint64_t a, uint64_t b)
{
	struct wwpn_zones *wa, *wb;
	const struct zone_member *m;

	if (a == b)
		return true;
	wa = zones_of(v, a);
	wb = zones_of(v, b);
	if (!wa || !wb)
		return v->permit && !wa && !wb;
	if (wa->n > wb->n) {
		struct wwpn_zones *w = wa;

		wa = wb;
		wb = w;
	}
	TAILQ_FOREACH (m, &wa->members, of_wwpn) {
		const struct zone_member *other = member_find(m->zone, m->wwpn == a ? b : a);

		if (other && members_see(m, other))
			return true;
	}
	return false;
}

static size_t peers_unzoned(struct vsan *v, uint64_t wwpn, struct login ***list)
{
	struct login *l;
	size_t n = 0;

	*list = v->permit ? calloc(v->n_logins, sizeof(struct login *)) : NULL;
	if (!*list)
		return 0;
	TAILQ_FOREACH (l, &v->logins, of_vsan)
		if (l->wwpn != wwpn && !zones_of(v, l->wwpn))
			(*list)[n++] = l;
	return n;
}

size_t zone_peers(struct vsan *v, uint64_t wwpn, struct login ***list)
{
	struct wwpn_zones *w = zones_of(v, wwpn);
	const struct zone_member *mine, *m;
	size_t n = 0, room = 0;

	if (!w)
		return peers_unzoned(v, wwpn, list);
	*list = NULL;
	TAILQ_FOREACH (mine, &w->members, of_wwpn) {
		TAILQ_FOREACH (m, &mine->zone->members, of_zone) {
			struct login *l = m == mine || !members_see(mine, m) ? NULL
									     : vsan_login_by_wwpn(v, m->wwpn);

			if (!l)
				continue;
			if (n == room) {
				struct login **more;

				room = room ? 2 * room : 16;
				more = reallocarray(*list, room, sizeof(struct login *));
				if (!more)
					return n;
				*list = more;
			}
			(*list)[n++] = l;
		}
	}
	return n;
}

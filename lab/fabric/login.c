/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fabric logins: what one, and its end, change. */
#include <stdlib.h>
#include <string.h>

#include "core.h"

static int login_index(struct vsan *v, struct login *l)
{
	if (hash_add(&v->wwpns, &l->by_wwpn, l->wwpn))
		return -1;
	if (hash_add(&v->ids, &l->by_id, l->id)) {
		hash_remove(&v->wwpns, &l->by_wwpn);
		return -1;
	}
	TAILQ_INSERT_TAIL(&v->logins, l, of_vsan);
	v->n_logins++;
	return 0;
}

struct login *login_new(struct fabric *f, struct vsan *v, const struct login_request *r)
{
	struct login *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->vsan = v;
	l->wwpn = r->wwpn;
	l->wwnn = r->wwnn;
	l->npiv = r->npiv;
	l->max_payload = r->max_payload;
	l->array = r->array;
	l->since_us = l->seen_us = f->now;
	l->id = f->keeps_ids ? vsan_kept_id(v, l->wwpn) : vsan_free_id(v);
	if (!l->id || login_index(v, l)) {
		free(l);
		return NULL;
	}
	if (r->enode) {
		l->enode = r->enode;
		LIST_INSERT_HEAD(&r->enode->logins, l, of_enode);
		r->enode->port->logins++;
	}
	flog_add(f, "login", v, l, "%s on %s",
		 l->array  ? "target"
		 : l->npiv ? "FDISC"
			   : "FLOGI",
		 l->enode ? l->enode->port->name : "the array");
	rscn_changed(f, v, l->wwpn, l->id);
	return l;
}

void login_end(struct fabric *f, struct login *l, const char *how)
{
	struct vsan *v = l->vsan;

	hash_remove(&v->wwpns, &l->by_wwpn);
	hash_remove(&v->ids, &l->by_id);
	TAILQ_REMOVE(&v->logins, l, of_vsan);
	v->n_logins--;
	if (l->enode) {
		LIST_REMOVE(l, of_enode);
		l->enode->port->logins--;
	}
	flog_add(f, "logout", v, l, "%s", how);
	arrays_nport_gone(f, v, l->id, how);
	rscn_changed(f, v, l->wwpn, l->id);
	free(l);
}

struct enode *enode_find(struct fport *p, struct vsan *v, const uint8_t *mac)
{
	struct enode *e;

	LIST_FOREACH (e, &p->enodes, link)
		if (e->vsan == v && !memcmp(e->mac, mac, MAC_LEN))
			return e;
	return NULL;
}

struct enode *enode_new(struct fabric *f, struct fport *p, struct vsan *v, const uint8_t *mac)
{
	struct enode *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	LIST_INIT(&e->logins);
	e->port = p;
	e->vsan = v;
	e->seen_us = f->now;
	memcpy(e->mac, mac, MAC_LEN);
	LIST_INSERT_HEAD(&p->enodes, e, link);
	return e;
}

void enode_free_if_empty(struct enode *e)
{
	if (!LIST_EMPTY(&e->logins))
		return;
	LIST_REMOVE(e, link);
	free(e);
}

void enode_end(struct fabric *f, struct enode *e, const char *how, bool clear)
{
	struct login *l;

	if (clear)
		fport_clear_links(f, e, NULL, 0);
	while ((l = LIST_FIRST(&e->logins)))
		login_end(f, l, how);
	enode_free_if_empty(e);
}

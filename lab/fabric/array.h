/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in targets (arrays' ports), and the LUN stores that they show; what the commands do with them. */
#ifndef FABRIC_ARRAY_H
#define FABRIC_ARRAY_H

#include "core.h"
#include "target.h"

struct lun_store;

struct array {
	TAILQ_ENTRY(array) link;
	struct target *target;
	struct vsan *vsan;
	struct login *login; /* NULL: offline */
};

struct array *array_find(struct fabric *f, const char *name);
/* Logs it in at once. NULL when memory is short. */
struct array *array_new(struct fabric *f, struct vsan *v, const char *name, uint64_t wwpn, uint64_t wwnn);
int array_online(struct fabric *f, struct array *a); /* -EALREADY, -ENOMEM, -EEXIST: its WWPN is logged in */
int array_offline(struct fabric *f, struct array *a, const char *why); /* -EALREADY */

/* A LUN's bytes, by the name that the commands use. */
struct lun_name {
	TAILQ_ENTRY(lun_name) link;
	char name[32];
	struct lun_store *store;
};
struct lun_name *lun_name_find(struct fabric *f, const char *name);
/* Takes the store; -ENOMEM: it stays the caller's. */
int lun_name_add(struct fabric *f, const char *name, struct lun_store *store);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's calls.  Each may block for as long as libvirt does (30 s and more): jobs' threads only.  What
 * went wrong stands in *e in libvirt's words.  A connection may be used by several threads at once.
 */
#ifndef VHBA_LV_H
#define VHBA_LV_H

#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stdint.h>

#include "poolxml.h"
#include "verror.h"

enum lv_state { LV_UNKNOWN, LV_ABSENT, LV_STOPPED, LV_RUNNING };

/* What libvirt has of a pool. */
struct lv_pool {
	char name[80];
	char uuid[POOL_UUID];
	enum lv_state state;
	bool autostart;
	struct poolxml_adapter adapter;
};

/* Before any other, once; starts the thread of libvirt's own event loop. */
int lv_init(struct verror *e);

/* Dead peers are noticed within 20 s. */
int lv_open(const char *uri, virConnectPtr *c, struct verror *e);

/* The own pool of that WWPN, with its volumes when it runs. */
int lv_look(virConnectPtr c, uint64_t wwpn, struct lv_pool *p, int *volumes, struct verror *e);

/* Define it by this XML, in place of what has its UUID and does not run, and start it. */
int lv_start(virConnectPtr c, uint64_t wwpn, const char *xml, struct verror *e);

/* Of what is not there, or is not running, nothing is refreshed, stopped or undefined: 0. */
int lv_refresh(virConnectPtr c, uint64_t wwpn, struct verror *e);
int lv_stop(virConnectPtr c, uint64_t wwpn, struct verror *e);
int lv_undefine(virConnectPtr c, uint64_t wwpn, struct verror *e);

/* That pool, whoever's it is, if it is there and runs. */
int lv_refresh_other(virConnectPtr c, const char *uuid, struct verror *e);

/* All pools of type scsi; waits for each that is just being refreshed. *list is the caller's to free. */
int lv_list(virConnectPtr c, struct lv_pool **list, unsigned *n, struct verror *e);

#endif

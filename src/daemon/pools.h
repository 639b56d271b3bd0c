/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's storage pools, seen from here: of each vhba of a VM with "pool" what is wanted, told to vhba-virt
 * (pool.Serve) as it changes, and what it has reported (pool.Report).  Nothing here calls libvirt, and
 * nothing waits for vhba-virt but by a timer.  Loop thread only.
 *
 * An order has a number, and a report names the last one that was taken in: that a pool is stopped counts
 * only from whoever knows that it was to be stopped.
 */
#ifndef VHBA_POOLS_H
#define VHBA_POOLS_H

#include <json-c/json.h>

#include "daemon.h"

struct pools *pools_new(struct daemon *d); /* NULL: no memory */
void pools_free(struct pools *ps);

/* Something of the VM has changed (NULL: of any, or the registry has): what is wanted is looked at soon. */
void pools_look(struct daemon *d, const char *uuid);

/* vhba-virt is connected. */
bool pools_served(const struct daemon *d);

/*
 * Libvirt has no pool of the VM that runs, as vhba-virt has reported since it knows what is wanted; that is
 * told now, if it has not been.
 */
bool pools_stopped(struct daemon *d, const struct vm *vm);

/* pool.Serve, pool.Report, pool.List, pool.Sync */
void method_pool_serve(struct daemon *d, struct call *call, struct json_object *p);
void method_pool_report(struct daemon *d, struct call *call, struct json_object *p);
void method_pool_list(struct daemon *d, struct call *call, struct json_object *p);
void method_pool_sync(struct daemon *d, struct call *call, struct json_object *p);

#endif

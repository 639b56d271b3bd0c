/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What operations ask of the inventory: one vhba's vport, targets and LUNs, as sysfs shows them now.  Reads
 * only, never anything that can block.  Loop thread only.
 */
#ifndef VHBA_SAN_H
#define VHBA_SAN_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon.h"
#include "vm.h"

/* Find the vport that carries v->wwpn on our parents and note where it is. False (and host -1) when there is
 * none. */
bool san_locate(struct daemon *d, struct vm_vhba *v);

/* Active, and all targets of the vhba's zones logged in? If not, *e says what was expected and what is seen.
 */
bool san_logged_in(struct daemon *d, const struct vm *vm, const struct vm_vhba *v, struct verror *e);

/* Is there a remote port for each target of its zones?  They come with events: nothing is read, and as long
 * as one lacks the vhba is not logged in. */
bool san_sees_targets(struct daemon *d, const struct vm *vm, const struct vm_vhba *v);

/* Every expected LUN a usable device? If not, *e says which is not. */
bool san_luns_usable(struct daemon *d, const struct vm *vm, const struct vm_vhba *v, struct verror *e);

/* Commands in flight on all LUNs of the vhba, passthrough included; 0 when it has no vport. */
int san_inflight(struct daemon *d, const struct vm_vhba *v, uint64_t *count);

/* Is any of its LUNs a disk that runs and has no size? */
bool san_lacks_size(struct daemon *d, const struct vm_vhba *v);

/* Has any of its LUNs a volatile write cache? */
bool san_write_back(struct daemon *d, const struct vm_vhba *v);

/* Target rports of the vhba: how many are Online, how many there are; and each one's state in buf, as
 * "5006016000000a01 Online,5006016000000a02 Not Present", as many as fit. size 0: not asked for. */
int san_targets(struct daemon *d, const struct vm_vhba *v, uint64_t *online, uint64_t *total, char *buf,
		size_t size);

#endif

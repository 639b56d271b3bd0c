/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One process at a time changes a vport, also when an earlier vhba-priv was killed and has left a child in
 * the kernel: libfc of Linux 6.1 uses a vport after it is freed when it is disabled and deleted at once, and
 * a vport that is being created can't be found by who would take it back.  Record locks on the file that
 * vhbad hands on (priv_spawn) are let go by the kernel when their process has really ended.  For a child,
 * which has one thread and one request at a time.
 */
#ifndef VHBA_VPORT_LOCK_H
#define VHBA_VPORT_LOCK_H

#include <stdint.h>

/*
 * A request begins, in whose time everything below waits; fd -1: nothing is locked.  Who asked waits for
 * timeout_ms: what could not begin in the most of it does not begin any more.
 */
void vport_lock_begin(int fd, uint32_t timeout_ms);

/* Wait until nobody has the vport with this WWPN. 0; -ETIMEDOUT; -errno. */
int vport_lock(uint64_t wwpn);
void vport_unlock(uint64_t wwpn);

/*
 * Wait until nobody makes a vport with RTNL held, as fcoe_vport_create does for nearly all of its time: who
 * waits for that in the kernel turns round on a processor, takes what the maker needs, and feels no signal.
 */
int vport_lock_rtnl(void);
void vport_unlock_rtnl(void);

#endif

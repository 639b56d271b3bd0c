/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One process at a time changes a vport, also when an earlier vhba-priv was killed and has left a child in
 * the kernel: libfc of Linux 6.1 uses a vport after it is freed when it is disabled and deleted at once, and
 * a vport that is being created can't be found by who would take it back.  Record locks on the file that
 * vhbad hands on (priv_spawn) are let go by the kernel when their process has really ended.  For a child,
 * which has one thread.
 */
#ifndef VHBA_VPORT_LOCK_H
#define VHBA_VPORT_LOCK_H

#include <stdint.h>

/* Wait until nobody has the vport with this WWPN, at most for so long. 0; -ETIMEDOUT; -errno. */
int vport_lock(int fd, uint64_t wwpn, uint32_t timeout_ms);
void vport_unlock(int fd, uint64_t wwpn);

#endif

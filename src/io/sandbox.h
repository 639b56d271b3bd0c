/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the process gives up once it has all that it needs: new privileges, and every system call that serving
 * a guest doesn't take. Nothing can be opened, run or connected any more; fds come in over sockets only.
 */
#ifndef VHBA_IO_SANDBOX_H
#define VHBA_IO_SANDBOX_H

#include "verror.h"

/* For all threads. 0, or -errno with *e said. */
int sandbox_enter(struct verror *e);

#endif

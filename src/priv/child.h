/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child of vhba-priv: one verb after the other, each of which may block in the kernel for as long as it
 * likes. */
#ifndef VHBA_CHILD_H
#define VHBA_CHILD_H

#include <stdbool.h>

#include "priv.h"

/* Does it change the vport that it names? Of those there is one at a time for a vport. */
bool child_changes_vport(const struct priv_request *q);

/* Carries out what comes through the socket fd, and answers there, until its other end is closed. lock: see
 * pool_new. */
_Noreturn void child_work(int lock, int fd);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What vhbad has begun for a hook goes on when the hook is killed, but libvirt then gives the domain up
 * without calling any hook again: the VM's names would stay logged in here while it runs elsewhere.  So a
 * second process waits for the hook's end, and detaches the VM when the hook has not said that all is well.
 */
#ifndef VHBA_GUARD_H
#define VHBA_GUARD_H

#include <stdbool.h>

/* A descriptor to give to guard_end; -1: there is no guard. */
int guard_begin(const char *socket, const char *vm);

/* good: what was begun stays. */
void guard_end(int fd, bool good);

#endif

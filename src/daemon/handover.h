/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who a VM's identity belongs to, when this host gives it away ("release --moved").  That is a change of the
 * registry like any other, but one that must not get lost: while an earlier change of the VM waits for a disk
 * that hangs, it waits for that one.  Loop thread only.
 */
#ifndef VHBA_HANDOVER_H
#define VHBA_HANDOVER_H

#include "daemon.h"

/* The VM belongs to whoever imports its ticket. */
void handover_begin(struct daemon *d, const char *uuid);

/* The same as the answer to "release --moved" of a VM that has nothing here any more; the call is taken over.
 */
void handover_call(struct daemon *d, struct call *call, const struct reg_vm *rv, uint64_t deadline_us);

/* After the registry's changes have ended: those that wait try again. */
void handover_retry(struct daemon *d);

void handover_free(struct daemon *d);

#endif

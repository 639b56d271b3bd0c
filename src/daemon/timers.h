/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rport timers of attached VMs are kept as the configuration has them.  The kernel does not tell when
 * somebody else, such as multipathd, writes them, so they are looked at when an event of the VM's hosts, or
 * of a multipath map on its paths, comes, and always right before a quiesce; never from a timer.  Loop thread
 * only.
 */
#ifndef VHBA_TIMERS_H
#define VHBA_TIMERS_H

#include "daemon.h"
#include "vm.h"

/*
 * Look at the target ports of an attached VM that nothing is being done with.  What differs from the
 * configuration is said once, and set back ([timers] keep).  Blocked ports take no timers (EBUSY) and are
 * left for the next look.
 */
void timers_look(struct daemon *d, struct vm *vm);

/* At those of one of its vhbas: the one that an event is about. */
void timers_look_vhba(struct daemon *d, struct vm *vm, struct vm_vhba *v);

/* The same for a VM that is about to be quiesced: vm_vhba's timers_pending tells what is under way. */
void timers_look_before_quiesce(struct daemon *d, struct vm *vm);

#endif

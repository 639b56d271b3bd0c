/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rport timers of attached VMs are kept as the configuration has them.  The kernel does not tell when
 * somebody else, such as multipathd, writes them, so they are looked at when an event of the VM's hosts, or
 * of a multipath map on its paths, comes, and always right before a quiesce; never from a timer.  Loop thread
 * only.
 */
#ifndef VHBA_TIMERS_H
#define VHBA_TIMERS_H

#include "config.h"
#include "daemon.h"
#include "registry.h"
#include "vm.h"

/*
 * The fast_io_fail_tmo of a VM's target ports, s; -1: off.  vm NULL: of one that is not registered.
 *
 * Where nothing is said of it ("auto"): while a port is Blocked its commands are parked, until dev_loss_tmo
 * at worst.  For who has that path alone there is nothing better.  A vhba-io with several ports to go by
 * would send them by another: 5 s is longer than a link that bounces and a login that is done anew, which
 * libfc gives up when the time ends in its middle.  What fails here reaches no guest: without any path it is
 * told BUSY.
 */
int timers_fast_io_fail(const struct config *c, const struct reg_vm *vm);
int timers_fast_io_fail_of(const struct daemon *d, const char *uuid);

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

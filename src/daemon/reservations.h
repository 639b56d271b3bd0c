/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registrations and reservations of a vhba's LUNs, as its WWPN has them: read at the source before the
 * logout, carried in the ticket, compared at the destination after the attach.  They follow the WWPN, so
 * nothing should have changed.
 *
 * As text: "TARGET/LUN=KEY,TYPE,HOLDER;" for each LUN where the WWPN is registered or a reservation is held
 * (as PRIV_RESERVATIONS gives it), "-" where there is none, "" where it is not known.  What was read last
 * lies on /run, so that a quiesce waits for no disk, and a daemon that is started anew still has it.  Loop
 * thread only.
 */
#ifndef VHBA_RESERVATIONS_H
#define VHBA_RESERVATIONS_H

#include <stdbool.h>

#include "daemon.h"
#include "monotime.h"
#include "vm.h"

#define RESERVATIONS_MAX 32768 /* bytes with the NUL */

/* Well-formed and not too long: what comes in a ticket is hostile. */
bool reservations_good(const char *text);

/* The text, or NULL and why it could not be read. Both are the callee's for the call only. */
typedef void reservations_done(void *user, const char *text, const char *why);

/* Ask all LUNs of a vhba; done is called once, at `by` or a little later, and may be called at once.  busy:
 * also while commands are in flight, which may be such as don't end. */
void reservations_read(struct daemon *d, const struct vm_vhba *v, bool busy, struct monotime by,
		       reservations_done *done, void *user);

/* How many LUNs the text names. */
unsigned reservations_count(const char *text);

/* On /run, by the VM's UUID and the vhba's index. kept: the caller's, NULL when there is none. */
int reservations_open(struct daemon *d);
void reservations_keep(struct daemon *d, const char *uuid, unsigned index, const char *text);
char *reservations_kept(struct daemon *d, const char *uuid, unsigned index);
void reservations_forget(struct daemon *d, const char *uuid, unsigned index);

/* Calls fn with a sentence for each LUN that differs; returns how many do. */
unsigned reservations_compare(const char *before, const char *now, void (*fn)(void *user, const char *text),
			      void *user);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The login of a vport that is resumed: is it on its way, or does it stand still for good?  The decision
 * alone: it knows no clock and no inventory.
 *
 * A libfc port whose login to the name server fails for good (it was logged out of the fabric in the middle
 * of it, or nobody answered) stays as it is for ever: fc_lport_rport_callback (fc_lport.c, Linux 6.1) forgets
 * the name server and begins nothing.
 *
 * Nor is a login to a target that loses its request: when dev_loss_tmo or fast_io_fail_tmo of a target ends,
 * the kernel ends all exchanges with its N_Port_ID (fc_rport_terminate_io), a new login's PLOGI or PRLI among
 * them, and nobody sends those again (fc_rport_plogi_resp, fc_rport_prli_resp: FC_EX_CLOSED).  The port is
 * Online then, and its target Not Present.
 *
 * In both cases only logging in anew helps.  Nothing tells them from a login that takes its time, so each
 * next one gets twice as long; but a target that went before our eyes is one whose login was most likely
 * lost.
 */
#ifndef VHBA_LOGIN_H
#define VHBA_LOGIN_H

#include <stdbool.h>

#include "monotime.h"

#define LOGIN_US (10 * USEC_PER_SEC)
#define LOGIN_LOST_US (2 * USEC_PER_SEC)
#define LOGIN_SCAN_US (2 * USEC_PER_SEC)

/* What is seen of a vport that is not ready yet. */
struct login_seen {
	bool parent; /* its parent is Online */
	bool port; /* it is logged in to the fabric itself */
	bool sticks; /* its driver's logins may stand still */
	unsigned online, blocked, away; /* its remote ports */
	unsigned usable; /* LUNs */
};

struct login_watch {
	struct monotime since; /* nothing has come since then; 0: no login is under way */
	uint64_t patience_us; /* until it is taken for stuck; 0: the first time */
	unsigned best; /* what there was at most */
	unsigned blocked, away; /* at the last look */
	bool scanned;
	bool anew; /* the next login is begun because this one was stuck */
};

enum login_next {
	LOGIN_WAIT,
	LOGIN_SCAN, /* its targets are there: look for LUNs */
	LOGIN_ANEW,
};

/* A login begins, of what is so far; true: the one before was stuck. */
bool login_begins(struct login_watch *w, const struct login_seen *seen, struct monotime now);

enum login_next login_look(struct login_watch *w, const struct login_seen *seen, struct monotime now);

#endif

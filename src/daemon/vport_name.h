/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The symbolic names of VMs' vports ("vhba db1 0"), which the fabric's name server shows to people
 * (RSPN_ID).  Set only when a vport is logged in: libfc takes the name's length twice while it logs in
 * (fc_lport_enter_ns, fc_ct_ns_fill), and a name that has grown in between is written past the end of its
 * frame.  Loop thread only.
 */
#ifndef VHBA_VPORT_NAME_H
#define VHBA_VPORT_NAME_H

#include "daemon.h"

/*
 * Of the attached VMs' vports that have none yet; begins it, and nobody waits for it. As long as an attach is
 * under way it does nothing: whoever waits for LUNs goes before, and the attach that ends last has it done
 * for all.
 */
void vport_names(struct daemon *d);

#endif

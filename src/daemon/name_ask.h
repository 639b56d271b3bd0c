/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking the fabric whether somebody is logged in by a name (ct.h). Loop thread only. */
#ifndef VHBA_NAME_ASK_H
#define VHBA_NAME_ASK_H

#include "ct.h"
#include "daemon.h"

/* port_id: where it is, when it is present; why: when there is no proof, of its lifetime. */
typedef void name_told(void *user, enum ct_answer answer, uint32_t port_id, const char *why);

/*
 * What the name server shows to that parent.  told is called once, perhaps before this returns.  Zoning
 * bounds what it shows: absence proves something only to a parent that has been shown the name before.
 */
void name_ask(struct daemon *d, wwn_t parent, wwn_t wwpn, name_told *told, void *user);

#endif

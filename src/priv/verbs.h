/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The closed list of what vhba-priv does.  A verb runs in a child of its own and may block for as long as the
 * kernel does.  It validates its identifiers itself: the request is as hostile as any.
 */
#ifndef VHBA_VERBS_H
#define VHBA_VERBS_H

#include <stdbool.h>
#include <stddef.h>

#include "priv.h"

/* 0 or -errno; on an error r->text may say what was seen. */
typedef int verb_fn(const struct priv_request *q, struct priv_reply *r);

/*
 * Is a datagram of len bytes a request: whole, of this version, with a verb, a timeout and terminated texts?
 * What the fields say is left to the verb.
 */
bool verb_check_request(const struct priv_request *q, size_t len);

/* NULL for a number that is none. */
verb_fn *verb_find(uint32_t verb);

/* verbs_net.c */
verb_fn verb_fip_vlans, verb_netdev_vlan, verb_link_add, verb_link_delete, verb_fcoe_create,
	verb_fcoe_destroy;

/* fip_vlan.c: bytes from the wire.  Adds the VLANs of a FIP VLAN notification to list; returns how many were
 * added, or -EBADMSG. */
int fip_vlan_parse(const uint8_t *frame, size_t len, uint16_t *list, size_t max, size_t *n);

/* A VLAN request as FC-BB-6 7.9.8.3.1 has it, from this MAC; returns its length. */
size_t fip_vlan_request(uint8_t frame[64], const uint8_t mac[6]);

/* An interface name as the kernel takes it: 1..15 characters, no '/', no blank, not "." or "..". 0 or
 * -EINVAL. */
int verb_check_ifname(const char *name);

#endif

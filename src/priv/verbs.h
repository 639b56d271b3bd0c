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

/* 0, or -ENODEV with r->text when there is no such fc_host. */
int verb_check_fc_host(int host, struct priv_reply *r);

/* The same, and -EOPNOTSUPP when it can't have vports. */
int verb_check_parent(int host, struct priv_reply *r);

/*
 * The host's device folder, open; -1 with errno.  A path from the root has some twenty steps, each of which
 * is looked up under the lock that a making of vports waits for (kernfs_rwsem).
 */
int verb_open_device(int host);

struct fc_profile;
/* That of the driver of this host; the unknown driver's when the host is gone. */
const struct fc_profile *verb_profile(int host);
/* The same by the host's device folder, open; -1: it is gone. */
const struct fc_profile *verb_profile_at(int device, int host);

/* sysroot_write, but for what must never be written (fc_may_write): -EPERM. */
int verb_write(const char *value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Call fn for every entry of a host's device folder that starts with prefix, until it returns non-zero;
 * returns that, 0, or -errno. */
int verb_each_child(int host, const char *prefix, int (*fn)(const char *name, void *arg), void *arg);

/* The sg node of "H:C:T:L", O_RDWR | O_NONBLOCK; -errno. */
int verb_open_lun(const char *device);

/* REPORT LUNS data as it came from a target: count is how many LUNs it has, text their numbers as in H:C:T:L,
 * as many as there is room for. */
void verb_list_luns(const uint8_t *data, size_t len, struct priv_reply *r);

/*
 * verbs_lun.c: wait until no command of that (vport's own) host is in flight, for so long at most, as long as
 * it has a target that is Online: elsewhere none ends by itself. Returns how many are left.
 */
uint64_t verb_let_end(int host, uint32_t ms);
/* The same after a logout, which ends them all. */
uint64_t verb_await_cut_off(int host, uint32_t ms);
/* What runs takes no more commands, without waiting for those in flight (SDEV_OFFLINE); and does so again. */
void verb_close_luns(int host);
void verb_open_luns(int host);
verb_fn verb_sync_cache, verb_reservations;
verb_fn verb_read_sizes;

/* 0, or -ENODEV with r->text: is q->host the fc_host that carries q->wwpn?  A number may have been given to
 * another. */
int verb_check_vport_host(const struct priv_request *q, struct priv_reply *r);

/* verbs_vport.c */
verb_fn verb_vport_create, verb_vport_delete, verb_vport_disable, verb_vport_enable, verb_vport_name;

/* verbs_open.c */
verb_fn verb_lun_open;

/* verbs_map.c */
verb_fn verb_maps_fail, verb_maps_restore;

/* verbs_rport.c */
verb_fn verb_rport_timers, verb_rport_restore;
bool verb_is_target(const char *rport); /* "rport-H:C-N" */

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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FC_NETDEV_H
#define FC_NETDEV_H

#include <stdint.h>

/*
 * The VLAN that an interface carries: its own, or that of the VLAN interface under it (macvlan over VLAN).
 * 0: none.  Read from /proc/net/vlan and the lower_* links of sysfs.
 */
uint16_t fc_netdev_vlan(const char *ifname);

#endif

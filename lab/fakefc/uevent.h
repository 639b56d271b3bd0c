/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Uevents as the kernel's own: what a privileged process sends to NETLINK_KOBJECT_UEVENT goes out to all
 * listeners of the network namespace as if from the kernel (uevent_net_broadcast of lib/kobject_uevent.c).
 */
#ifndef FAKEFC_UEVENT_H
#define FAKEFC_UEVENT_H

/* The socket, or -errno. */
int uevent_open(void);

/* 0 or -errno (-EPERM: CAP_SYS_ADMIN is needed). */
int uevent_send(int fd, const char *action, const char *devpath, const char *subsystem);

#endif

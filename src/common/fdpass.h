/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File descriptors along with a message of an AF_UNIX socket (SCM_RIGHTS, unix(7)).  Plain memory and
 * close(2) only, so also for the child of a process with threads.
 */
#ifndef VHBA_FDPASS_H
#define VHBA_FDPASS_H

#include <sys/socket.h>

/* Room for up to max of them; what it is not, the kernel closes and says MSG_CTRUNC. */
#define FDPASS_ROOM(max)                                                                                     \
	union {                                                                                              \
		char room[CMSG_SPACE((max) * sizeof(int))];                                                  \
		struct cmsghdr align;                                                                        \
	}

/* The message is to carry n of them (or 0), which stay the caller's. room: for n, for as long as h. */
void fdpass_put(struct msghdr *h, void *room, const int *fds, unsigned n);

/*
 * Those that a message that was received came with, the caller's from now on.  How many there were: of more
 * than max the rest is closed.
 */
unsigned fdpass_take(struct msghdr *h, int *fds, unsigned max);

#endif

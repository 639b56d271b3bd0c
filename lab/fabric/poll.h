/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an epoll event is about, in its 64-bit data: the room that registered it, and a number of the room's.
 */
#ifndef FABRIC_POLL_H
#define FABRIC_POLL_H

#include <stdint.h>
#include <sys/epoll.h>

enum poll_room { POLL_SIGNAL, POLL_LINKS, POLL_PORT, POLL_LISTEN, POLL_CONTROL, POLL_CLIENT };

static inline int poll_set(int epfd, int op, int fd, uint32_t events, enum poll_room room, uint32_t number)
{
	struct epoll_event e = {.events = events, .data.u64 = (uint64_t)room << 32 | number};

	return epoll_ctl(epfd, op, fd, &e);
}

#endif

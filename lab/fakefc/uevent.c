/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "uevent.h"

#define MESSAGE_MAX 2048 /* UEVENT_BUFFER_SIZE, with the number that the kernel adds */

int uevent_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	return fd < 0 ? -errno : fd;
}

int uevent_send(int fd, const char *action, const char *devpath, const char *subsystem)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	char text[MESSAGE_MAX - 64];
	struct nlmsghdr h = {.nlmsg_type = NLMSG_MIN_TYPE, .nlmsg_flags = NLM_F_REQUEST};
	struct iovec iov[] = {{&h, sizeof(h)}, {text, 0}};
	struct msghdr msg = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = iov, .msg_iovlen = 2};
	int n = snprintf(text, sizeof(text), "%s@%s%cACTION=%s%cDEVPATH=%s%cSUBSYSTEM=%s", action, devpath,
			 '\0', action, '\0', devpath, '\0', subsystem);

	if ((size_t)n >= sizeof(text))
		return -EMSGSIZE;
	iov[1].iov_len = (size_t)n + 1;
	h.nlmsg_len = (uint32_t)(sizeof(h) + iov[1].iov_len);
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

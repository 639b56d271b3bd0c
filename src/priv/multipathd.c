/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "multipathd.h"
#include "sysroot.h"

#define ABSTRACT "/org/kernel/linux/storage/multipathd"
#define ANSWER_MAX (1024 * 1024)

/* In the abstract name space; in a test's tree a file. */
static socklen_t address(struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (sysroot_get()[0] && strcmp(sysroot_get(), "/")) {
		if (!sysroot_path(a->sun_path, sizeof(a->sun_path), "/run/multipathd.socket"))
			return 0;
		return sizeof(*a);
	}
	memcpy(a->sun_path + 1, ABSTRACT, strlen(ABSTRACT));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(ABSTRACT));
}

static int set_timeouts(int fd, struct monotime by)
{
	uint64_t us = mono_left(by, mono_now());
	struct timeval t = {.tv_sec = (time_t)(us / USEC_PER_SEC),
			    .tv_usec = (suseconds_t)(us % USEC_PER_SEC)};

	if (!us)
		return -ETIMEDOUT;
	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) ||
			       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t))
		       ? -errno
		       : 0;
}

static int error_of(ssize_t n)
{
	if (n >= 0)
		return -EPROTO;
	return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
}

static int get(int fd, void *buf, size_t size, struct monotime by)
{
	char *p = buf;

	while (size) {
		int err = set_timeouts(fd, by);
		ssize_t n = err ? 0 : recv(fd, p, size, 0);

		if (err || n <= 0)
			return err ? err : error_of(n);
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int answer(int fd, char *buf, size_t size, struct monotime by)
{
	size_t len, keep;
	int err = get(fd, &len, sizeof(len), by);

	if (!err && (!len || len > ANSWER_MAX))
		err = -EPROTO;
	if (err)
		return err;
	keep = len < size ? len : size - 1;
	err = get(fd, buf, keep, by);
	buf[err ? 0 : keep] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return err;
}

int multipathd_command(const char *command, char *buf, size_t size, struct monotime by)
{
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(command) + 1;
	struct sockaddr_un a;
	socklen_t a_len = address(&a);
	int err = fd < 0 ? -errno : !a_len ? -ENAMETOOLONG : set_timeouts(fd, by);

	if (err)
		return err;
	if (connect(fd, (struct sockaddr *)&a, a_len))
		return error_of(-1);
	if (send(fd, &len, sizeof(len), MSG_NOSIGNAL) != sizeof(len) ||
	    send(fd, command, len, MSG_NOSIGNAL) != (ssize_t)len)
		return error_of(-1);
	return answer(fd, buf, size, by);
}

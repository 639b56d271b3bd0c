/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "vhost_conn.h"

static void drop_fds(struct vu_message *m)
{
	for (unsigned i = 0; i < m->fds; i++)
		cleanup_fd(&m->fd[i]);
	m->fds = 0;
}

void vu_conn_init(struct vu_conn *c, int fd)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
}

void vu_conn_close(struct vu_conn *c)
{
	drop_fds(&c->in);
	cleanup_fd(&c->fd);
	c->fd = -1;
}

int vu_message_take(struct vu_message *m, unsigned i)
{
	return i < m->fds ? steal_fd(&m->fd[i]) : -1;
}

static int keep_fds(struct vu_message *m, struct msghdr *h)
{
	int err = h->msg_flags & MSG_CTRUNC ? -EPROTO : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (m->fds < VU_FDS_MAX) {
				m->fd[m->fds++] = fd;
				continue;
			}
			close(fd);
			err = -EPROTO;
		}
	}
	return err;
}

/* Up to len bytes. Returns their number, 0 for none now, or -errno. */
static ssize_t take(struct vu_conn *c, void *buf, size_t len)
{
	union {
		char room[CMSG_SPACE(VU_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {buf, len};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.room,
			   .msg_controllen = sizeof(control.room)};
	ssize_t n;
	int err;

	do
		n = recvmsg(c->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	err = keep_fds(&c->in, &h);
	if (err)
		return err;
	return n ? n : -ECONNRESET;
}

static int check_header(const struct vu_header *h)
{
	if ((h->flags & VU_VERSION_MASK) != VU_VERSION || (h->flags & VU_REPLY) ||
	    h->size > sizeof(union vu_payload))
		return -EPROTO;
	return 0;
}

int vu_conn_read(struct vu_conn *c)
{
	const uint32_t head = sizeof(c->in.header);
	ssize_t n;

	if (!c->have) {
		drop_fds(&c->in);
		memset(&c->in.payload, 0, sizeof(c->in.payload));
	}
	while (c->have < head) {
		n = take(c, (uint8_t *)&c->in.header + c->have, head - c->have);
		if (n <= 0)
			return (int)n;
		c->have += (uint32_t)n;
		if (c->have == head && check_header(&c->in.header))
			return -EPROTO;
	}
	while (c->have < head + c->in.header.size) {
		uint32_t at = c->have - head;

		n = take(c, (uint8_t *)&c->in.payload + at, c->in.header.size - at);
		if (n <= 0)
			return (int)n;
		c->have += (uint32_t)n;
	}
	c->have = 0;
	return 1;
}

int vu_conn_reply(struct vu_conn *c, uint32_t request, const void *payload, uint32_t size, int fd)
{
	struct vu_header head = {request, VU_VERSION | VU_REPLY, size};
	struct iovec iov[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)payload, size}};
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr h = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	memset(&control, 0, sizeof(control));
	if (fd >= 0) {
		struct cmsghdr *m = &control.align;

		h.msg_control = control.room;
		h.msg_controllen = sizeof(control.room);
		m->cmsg_level = SOL_SOCKET;
		m->cmsg_type = SCM_RIGHTS;
		m->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(m), &fd, sizeof(fd));
	}
	do
		n = sendmsg(c->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(head) + size ? 0 : -EAGAIN;
}

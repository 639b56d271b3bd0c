/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "fdpass.h"
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
	c->mark = &c->own;
}

int vu_conn_mark_new(void)
{
	int fd = memfd_create("vhba-mark", MFD_CLOEXEC);

	if (fd < 0 || !ftruncate(fd, sizeof(struct vu_mark)))
		return fd;
	close(fd);
	return -1;
}

int vu_conn_mark(struct vu_conn *c, int memfd)
{
	void *map = mmap(NULL, sizeof(struct vu_mark), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 memfd, 0);

	if (map == MAP_FAILED)
		return -errno;
	if (c->mark != &c->own)
		munmap(c->mark, sizeof(*c->mark));
	c->mark = map;
	return 0;
}

void vu_conn_close(struct vu_conn *c)
{
	drop_fds(&c->in);
	if (c->mark != &c->own)
		munmap(c->mark, sizeof(*c->mark));
	c->mark = &c->own;
	cleanup_fd(&c->fd);
	c->fd = -1;
}

int vu_message_take(struct vu_message *m, unsigned i)
{
	return i < m->fds ? steal_fd(&m->fd[i]) : -1;
}

static int keep_fds(struct vu_message *m, struct msghdr *h)
{
	unsigned free = VU_FDS_MAX - m->fds, n = fdpass_take(h, m->fd + m->fds, free);

	m->fds += n < free ? n : free;
	return n > free || h->msg_flags & MSG_CTRUNC ? -EPROTO : 0;
}

/* Up to len bytes. Returns their number, 0 for none now, or -errno. */
static ssize_t take(struct vu_conn *c, struct iovec *iov, unsigned iovs, int flags)
{
	FDPASS_ROOM(VU_FDS_MAX) room;
	struct msghdr h = {
		.msg_iov = iov, .msg_iovlen = iovs, .msg_control = &room, .msg_controllen = sizeof(room)};
	ssize_t n;
	int err;

	do
		n = recvmsg(c->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);
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

/* ---- the mark ---- */

/* In this order: who is killed in between has consumed the one before. */
static void begin_mark(struct vu_mark *m, bool taken)
{
	__atomic_store_n(&m->taken.msg_len, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&m->reply.msg_len, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&m->taken.msg_len, taken, __ATOMIC_RELEASE);
}

int vu_conn_done(struct vu_conn *c)
{
	uint8_t rest[sizeof(struct vu_header) + sizeof(union vu_payload)];

	while (c->peeked) {
		struct iovec iov = {rest, c->peeked};
		struct mmsghdr *m = &c->mark->taken;
		int n;

		m->msg_hdr = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
		n = recvmmsg(c->fd, m, 1, MSG_DONTWAIT, NULL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1 || !m->msg_len || m->msg_len > c->peeked)
			return -EPROTO; /* it has been there */
		c->peeked -= m->msg_len;
	}
	return 0;
}

int vu_conn_succeed(struct vu_conn *c)
{
	struct vu_header h;
	ssize_t n;

	if (c->mark->taken.msg_len)
		return 0;
	if (!c->mark->reply.msg_len)
		return 1;
	n = recv(c->fd, &h, sizeof(h), MSG_PEEK | MSG_DONTWAIT);
	if (n != sizeof(h) || h.size > sizeof(union vu_payload))
		return -EPROTO;
	c->peeked = sizeof(h) + h.size;
	return vu_conn_done(c);
}

/* ---- messages ---- */

unsigned vu_message_fds(const struct vu_message *m)
{
	switch (m->header.request) {
	case VU_SET_MEM_TABLE:
		return m->payload.memory.n;
	case VU_SET_VRING_KICK:
	case VU_SET_VRING_CALL:
	case VU_SET_VRING_ERR:
		return !(m->payload.u64 & VU_NO_FD);
	case VU_ADD_MEM_REG:
	case VU_SET_LOG_BASE:
	case VU_SET_INFLIGHT_FD:
	case VU_SET_BACKEND_REQ_FD:
		return 1;
	default:
		return 0;
	}
}

enum { NOTHING, WHOLE, PIECES };

/*
 * What there is, and in ->in a message that is there as a whole; or -errno.
 *
 * The kernel peeks on until it has found fds, beyond the bytes that were asked for: they may be another
 * message's (unix_stream_read_generic: "goto again" doesn't look at the size). So one byte more is asked for.
 * It is there only if what comes before had no fds.
 */
static int peek(struct vu_conn *c)
{
	uint8_t other;
	struct iovec iov[3] = {{&c->in.header, sizeof(c->in.header)}, {&c->in.payload, 0}, {&other, 1}};
	ssize_t n = recv(c->fd, &c->in.header, sizeof(c->in.header), MSG_PEEK | MSG_DONTWAIT);
	size_t size;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? NOTHING : -errno;
	if (!n)
		return -ECONNRESET;
	if (n != sizeof(c->in.header))
		return PIECES;
	if (check_header(&c->in.header))
		return -EPROTO;
	iov[1].iov_len = c->in.header.size;
	size = sizeof(c->in.header) + c->in.header.size;
	n = take(c, iov, 3, MSG_PEEK);
	if (n < 0)
		return (int)n;
	if ((size_t)n != size)
		drop_fds(&c->in);
	if ((size_t)n < size || ((size_t)n > size && vu_message_fds(&c->in)))
		return PIECES; /* or several messages in one */
	c->peeked = (uint32_t)size;
	begin_mark(c->mark, false);
	return WHOLE;
}

static ssize_t piece(struct vu_conn *c, void *to, size_t len)
{
	struct iovec iov = {to, len};
	ssize_t n = take(c, &iov, 1, 0);

	if (n > 0)
		c->have += (uint32_t)n;
	return n;
}

int vu_conn_read(struct vu_conn *c)
{
	const uint32_t head = sizeof(c->in.header);
	ssize_t n;
	int r;

	if (!c->have) {
		drop_fds(&c->in);
		memset(&c->in.payload, 0, sizeof(c->in.payload));
		r = peek(c);
		if (r != PIECES)
			return r;
	}
	while (c->have < head) {
		n = piece(c, (uint8_t *)&c->in.header + c->have, head - c->have);
		if (n <= 0)
			return (int)n;
		if (c->have == head && check_header(&c->in.header))
			return -EPROTO;
	}
	while (c->have < head + c->in.header.size) {
		uint32_t at = c->have - head;

		n = piece(c, (uint8_t *)&c->in.payload + at, c->in.header.size - at);
		if (n <= 0)
			return (int)n;
	}
	c->have = 0;
	begin_mark(c->mark, true);
	return 1;
}

int vu_conn_reply(struct vu_conn *c, uint32_t request, const void *payload, uint32_t size, int fd)
{
	struct vu_header head = {request, VU_VERSION | VU_REPLY, size};
	struct iovec iov[2] = {{&head, sizeof(head)}, {(void *)(uintptr_t)payload, size}};
	FDPASS_ROOM(1) room;
	struct mmsghdr *note = &c->mark->reply;
	struct msghdr h = {.msg_iov = iov, .msg_iovlen = 2};
	int n;

	fdpass_put(&h, &room, &fd, fd >= 0);
	note->msg_hdr = h;
	do
		n = sendmmsg(c->fd, note, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return note->msg_len == sizeof(head) + size ? 0 : -EAGAIN;
}

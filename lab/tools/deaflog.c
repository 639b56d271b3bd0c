/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * deaflog LISTEN CONNECT: stands between a vhost-user front end and a back end, and takes the log of written
 * pages away: the back end marks one that nobody reads. What it writes into the used rings is still told, so
 * that a guest that moves keeps its rings and loses nothing but data: a test that needs the log has to fail
 * then.
 *
 * One front end, then the end. It understands as much of the messages as that takes.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "fdpass.h"
#include "vhost_msg.h"

#define RINGS_MAX 32
#define PAGE 4096u

struct ring {
	uint64_t used; /* gpa; 0: not told yet */
	unsigned size;
};

static struct {
	uint8_t *real, *fake;
	size_t size;
	struct ring ring[RINGS_MAX];
} deaf;

struct message {
	struct vu_header header;
	union vu_payload payload;
	int fds[VU_FDS_MAX];
	unsigned n;
};

static void die(const char *what)
{
	fprintf(stderr, "deaflog: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int unix_socket(const char *path, bool listens)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0 || (listens ? bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1)
			       : connect(fd, (struct sockaddr *)&a, sizeof(a))))
		die(path);
	return fd;
}

/* False: the other end has gone. */
static bool receive(int sock, struct message *m)
{
	FDPASS_ROOM(VU_FDS_MAX) control;
	struct iovec iov = {&m->header, sizeof(m->header)};
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	m->n = 0;
	if (recvmsg(sock, &h, MSG_WAITALL | MSG_CMSG_CLOEXEC) != sizeof(m->header))
		return false;
	m->n = fdpass_take(&h, m->fds, VU_FDS_MAX);
	if (m->header.size > sizeof(m->payload))
		die("a message is too long");
	return !m->header.size ||
	       recv(sock, &m->payload, m->header.size, MSG_WAITALL) == (ssize_t)m->header.size;
}

static void pass_on(int sock, struct message *m)
{
	FDPASS_ROOM(VU_FDS_MAX) control;
	struct iovec iov[2] = {{&m->header, sizeof(m->header)}, {&m->payload, m->header.size}};
	struct msghdr h = {.msg_iov = iov, .msg_iovlen = 2};

	fdpass_put(&h, &control, m->fds, m->n);
	if (sendmsg(sock, &h, MSG_NOSIGNAL) != (ssize_t)(sizeof(m->header) + m->header.size))
		exit(0); /* it has gone */
	for (unsigned i = 0; i < m->n; i++)
		close(m->fds[i]);
}

static uint8_t *map(int fd, size_t size, uint64_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* The front end's log stays here, and the back end gets another. */
static void swap_log(struct message *m)
{
	struct vu_log *l = &m->payload.log;
	int fake = memfd_create("deaf", MFD_CLOEXEC);

	if (m->n != 1 || fake < 0 || ftruncate(fake, (off_t)(l->offset + l->size)))
		die("a log");
	if (deaf.real) {
		munmap(deaf.real, deaf.size);
		munmap(deaf.fake, deaf.size);
	}
	deaf.size = l->size;
	deaf.real = map(m->fds[0], l->size, l->offset);
	deaf.fake = map(fake, l->size, l->offset);
	close(m->fds[0]);
	m->fds[0] = fake;
}

/* Before the front end goes on: the used rings' pages, as the back end marked them. */
static void tell_rings(void)
{
	for (unsigned i = 0; deaf.real && i < RINGS_MAX; i++) {
		const struct ring *r = &deaf.ring[i];
		uint64_t last = (r->used + 6 + 8ull * r->size) / PAGE;

		for (uint64_t page = r->used / PAGE; r->used && page <= last && page / 8 < deaf.size; page++)
			__atomic_fetch_or(&deaf.real[page / 8],
					  (uint8_t)(deaf.fake[page / 8] & 1u << page % 8), __ATOMIC_SEQ_CST);
	}
}

static void look(struct message *m, bool from_front)
{
	const struct vu_state *s = &m->payload.state;
	const struct vu_address *a = &m->payload.address;

	if (!from_front && m->header.request == VU_GET_VRING_BASE)
		tell_rings();
	if (!from_front)
		return;
	if (m->header.request == VU_SET_LOG_BASE)
		swap_log(m);
	else if (m->header.request == VU_SET_VRING_NUM && s->index < RINGS_MAX)
		deaf.ring[s->index].size = s->num;
	else if (m->header.request == VU_SET_VRING_ADDR && a->index < RINGS_MAX)
		deaf.ring[a->index].used = a->flags & VU_RING_LOG ? a->log : 0;
}

int main(int argc, char **argv)
{
	struct pollfd p[2];
	int listener, end[2];

	if (argc != 3) {
		fprintf(stderr, "usage: deaflog LISTEN CONNECT\n");
		return 2;
	}
	listener = unix_socket(argv[1], true);
	end[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (end[0] < 0)
		die("accept");
	end[1] = unix_socket(argv[2], false);
	for (;;) {
		struct message m;

		p[0] = (struct pollfd){end[0], POLLIN, 0};
		p[1] = (struct pollfd){end[1], POLLIN, 0};
		if (poll(p, 2, -1) < 0)
			die("poll");
		for (unsigned i = 0; i < 2; i++) {
			if (!p[i].revents)
				continue;
			if (!receive(end[i], &m))
				return 0;
			look(&m, i == 0);
			pass_on(end[!i], &m);
		}
	}
}

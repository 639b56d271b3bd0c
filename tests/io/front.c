/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "cleanup.h"
#include "fdpass.h"
#include "front.h"
#include "inflight.h"

#define BIT(n) (UINT64_C(1) << (n))

void front_die(const char *what)
{
	printf("Bail out! front end: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	abort();
}

int front_dial(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		front_die(path);
	return fd;
}

/* ---- memory ---- */

void *front_at(struct front *f, uint64_t gpa)
{
	uint64_t half = f->mem_size / 2;

	return gpa >= FRONT_HIGH_GPA ? f->mem + half + (gpa - FRONT_HIGH_GPA) : f->mem + gpa;
}

uint64_t front_alloc(struct front *f, size_t len, size_t align, bool high)
{
	uint64_t *used = high ? &f->used_high : &f->used_low, at = (*used + align - 1) / align * align;

	if (at + len > f->mem_size / 2) {
		errno = ENOMEM;
		front_die("the guest's memory is full");
	}
	*used = at + len;
	return high ? FRONT_HIGH_GPA + at : at;
}

bool front_log_has(const struct front *f, uint64_t gpa)
{
	uint64_t page = gpa / 4096;

	return page / 8 < f->log_size && (f->log[page / 8] >> page % 8 & 1);
}

/* ---- messages ---- */

static void send_all(struct front *f, struct vu_header *h, const void *payload, const int *fds, unsigned n)
{
	struct iovec iov[2] = {{h, sizeof(*h)}, {(void *)(uintptr_t)payload, h->size}};
	FDPASS_ROOM(VU_FDS_MAX) control;
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};

	fdpass_put(&m, &control, fds, n);
	if (sendmsg(f->sock, &m, MSG_NOSIGNAL) != (ssize_t)(sizeof(*h) + h->size) && errno != EPIPE)
		front_die("send");
}

uint64_t front_send(struct front *f, uint32_t request, const void *payload, uint32_t size, const int *fds,
		    unsigned n, bool need_reply)
{
	struct vu_header h = {request, VU_VERSION | (need_reply ? VU_NEED_REPLY : 0), size};
	uint64_t ack = 0;

	send_all(f, &h, payload, fds, n);
	if (need_reply && front_receive(f, request, &ack, sizeof(ack), NULL) != sizeof(ack))
		front_die("an acknowledgement of a wrong size");
	return ack;
}

static void read_all(struct front *f, void *buf, size_t len, int *fd)
{
	size_t done = 0;

	while (done < len) {
		FDPASS_ROOM(1) control;
		struct pollfd p = {f->sock, POLLIN, 0};
		struct iovec iov = {(uint8_t *)buf + done, len - done};
		struct msghdr m = {.msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = &control,
				   .msg_controllen = sizeof(control)};
		ssize_t n = poll(&p, 1, FRONT_PATIENCE_MS) == 1 ? recvmsg(f->sock, &m, MSG_CMSG_CLOEXEC) : -1;

		if (n <= 0)
			front_die("no reply");
		fdpass_take(&m, fd, !!fd);
		done += (size_t)n;
	}
}

uint32_t front_receive(struct front *f, uint32_t request, void *payload, uint32_t size, int *fd)
{
	struct vu_header h;

	read_all(f, &h, sizeof(h), fd);
	if (h.request != request || h.flags != (VU_VERSION | VU_REPLY) || h.size > size) {
		errno = EPROTO;
		front_die("a reply to something else");
	}
	read_all(f, payload, h.size, NULL);
	return h.size;
}

bool front_is_left(struct front *f)
{
	struct pollfd p = {f->sock, POLLIN, 0};
	char c;

	return poll(&p, 1, FRONT_PATIENCE_MS) == 1 && recv(f->sock, &c, 1, MSG_DONTWAIT) <= 0;
}

static uint64_t get(struct front *f, uint32_t request)
{
	uint64_t v;

	front_send(f, request, NULL, 0, NULL, 0, false);
	front_receive(f, request, &v, sizeof(v), NULL);
	return v;
}

static void set(struct front *f, uint32_t request, uint64_t v)
{
	if (front_send(f, request, &v, sizeof(v), NULL, 0, true))
		front_die("a setting is refused");
}

static void set_state(struct front *f, uint32_t request, unsigned ring, unsigned num)
{
	struct vu_state s = {ring, num};

	if (front_send(f, request, &s, sizeof(s), NULL, 0, true))
		front_die("a ring's setting is refused");
}

static void set_fd(struct front *f, uint32_t request, unsigned ring, int fd)
{
	uint64_t v = ring | (fd < 0 ? VU_NO_FD : 0);

	if (front_send(f, request, &v, sizeof(v), &fd, fd >= 0, true))
		front_die("a ring's fd is refused");
}

/* ---- QEMU's order ---- */

void front_negotiate(struct front *f)
{
	uint64_t has = get(f, VU_GET_FEATURES), protocol;

	f->features = f->features ? f->features & has : has & ~BIT(VHOST_F_LOG_ALL);
	f->features |= BIT(VU_F_PROTOCOL_FEATURES);
	protocol = get(f, VU_GET_PROTOCOL_FEATURES);
	front_send(f, VU_SET_PROTOCOL_FEATURES, &protocol, sizeof(protocol), NULL, 0, false);
	if (get(f, VU_GET_QUEUE_NUM) < f->rings)
		front_die("too few queues");
	front_send(f, VU_SET_OWNER, NULL, 0, NULL, 0, false);
	set(f, VU_SET_FEATURES, f->features);
}

void front_share_memory(struct front *f)
{
	uint64_t half = f->mem_size / 2, uva = (uintptr_t)f->mem;
	struct vu_memory m = {.n = 2,
			      .region = {{0, half, uva, 0}, {FRONT_HIGH_GPA, half, uva + half, half}}};
	int fds[2] = {f->memfd, f->memfd};

	if (front_send(f, VU_SET_MEM_TABLE, &m, 8 + 2 * sizeof(m.region[0]), fds, 2, true))
		front_die("the memory is refused");
}

void front_set_ring_address(struct front *f, unsigned ring, bool log)
{
	struct front_ring *r = &f->ring[ring];
	struct vu_address a = {ring,
			       log ? VU_RING_LOG : 0,
			       (uintptr_t)front_at(f, r->desc),
			       (uintptr_t)front_at(f, r->used),
			       (uintptr_t)front_at(f, r->avail),
			       r->used};

	if (front_send(f, VU_SET_VRING_ADDR, &a, sizeof(a), NULL, 0, true))
		front_die("a ring's address is refused");
}

void front_start(struct front *f, const uint16_t *base)
{
	bool log = f->features >> VHOST_F_LOG_ALL & 1;

	set(f, VU_SET_FEATURES, f->features);
	front_share_memory(f);
	for (unsigned i = 0; i < f->rings; i++) {
		set_state(f, VU_SET_VRING_NUM, i, f->size);
		set_state(f, VU_SET_VRING_BASE, i, base ? base[i] : 0);
		front_set_ring_address(f, i, log);
		set_fd(f, VU_SET_VRING_KICK, i, f->ring[i].kick);
	}
	for (unsigned i = 0; i < f->rings; i++)
		set_state(f, VU_SET_VRING_ENABLE, i, 1);
	for (unsigned i = 0; i < f->rings; i++)
		set_fd(f, VU_SET_VRING_CALL, i, f->ring[i].call);
}

void front_stop(struct front *f, uint16_t *base)
{
	for (unsigned i = 0; i < f->rings; i++)
		set_state(f, VU_SET_VRING_ENABLE, i, 0);
	for (unsigned i = 0; i < f->rings; i++) {
		struct vu_state s = {i, 0};

		front_send(f, VU_GET_VRING_BASE, &s, sizeof(s), NULL, 0, false);
		front_receive(f, VU_GET_VRING_BASE, &s, sizeof(s), NULL);
		if (base)
			base[i] = (uint16_t)s.num;
	}
}

void front_log_start(struct front *f)
{
	struct vu_log l = {.size = ((FRONT_HIGH_GPA + f->mem_size) / 4096 + 7) / 8};
	uint64_t zero = 1;

	f->log_size = l.size;
	f->log_fd = memfd_create("log", MFD_CLOEXEC);
	if (f->log_fd < 0 || ftruncate(f->log_fd, (off_t)l.size))
		front_die("log");
	f->log = mmap(NULL, l.size, PROT_READ | PROT_WRITE, MAP_SHARED, f->log_fd, 0);
	if (f->log == MAP_FAILED)
		front_die("log");
	front_send(f, VU_SET_LOG_BASE, &l, sizeof(l), &f->log_fd, 1, false);
	if (front_receive(f, VU_SET_LOG_BASE, &zero, sizeof(zero), NULL) != sizeof(zero))
		front_die("SET_LOG_BASE");
	f->features |= BIT(VHOST_F_LOG_ALL);
	set(f, VU_SET_FEATURES, f->features);
	for (unsigned i = 0; i < f->rings; i++)
		front_set_ring_address(f, i, true);
}

void front_log_stop(struct front *f)
{
	f->features &= ~BIT(VHOST_F_LOG_ALL);
	set(f, VU_SET_FEATURES, f->features);
	for (unsigned i = 0; i < f->rings; i++)
		front_set_ring_address(f, i, false);
	munmap(f->log, f->log_size);
	close(f->log_fd);
	f->log_fd = -1;
	f->log = NULL;
	f->log_size = 0;
}

void front_get_inflight(struct front *f)
{
	f->inflight = (struct vu_inflight){0, 0, (uint16_t)f->rings, (uint16_t)f->size};
	front_send(f, VU_GET_INFLIGHT_FD, &f->inflight, sizeof(f->inflight), NULL, 0, false);
	front_receive(f, VU_GET_INFLIGHT_FD, &f->inflight, sizeof(f->inflight), &f->inflight_fd);
	if (f->inflight_fd < 0)
		front_die("GET_INFLIGHT_FD");
	front_set_inflight(f);
}

void front_set_inflight(struct front *f)
{
	if (front_send(f, VU_SET_INFLIGHT_FD, &f->inflight, sizeof(f->inflight), &f->inflight_fd, 1, true))
		front_die("SET_INFLIGHT_FD");
}

void front_move(struct front *f, int sock)
{
	close(f->sock);
	f->sock = sock;
}

/* ---- rings ---- */

static void ring_init(struct front *f, unsigned i)
{
	struct front_ring *r = &f->ring[i];
	bool high = i & 1;

	memset(r, 0, sizeof(*r));
	r->size = f->size;
	r->desc = front_alloc(f, r->size * sizeof(struct vring_desc), 4096, high);
	r->avail = front_alloc(f, 6 + 2 * r->size, 2, high);
	r->used = front_alloc(f, 6 + 8 * r->size, 4096, high);
	r->slots = front_alloc(f, r->size * (FRONT_SLOT_SIZE + FRONT_INDIRECT_SIZE), 4096, high);
	r->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->kick < 0 || r->call < 0)
		front_die("eventfd");
	for (unsigned j = r->size; j--;)
		r->free[r->free_n++] = (uint16_t)j;
}

bool front_huge_pages;

void front_init(struct front *f, int sock, size_t mem_size, unsigned queues, unsigned ring_size,
		uint64_t features)
{
	memset(f, 0, sizeof(*f));
	f->sock = sock;
	f->log_fd = f->inflight_fd = -1;
	f->mem_size = mem_size;
	f->features = features;
	f->rings = 2 + queues;
	f->size = ring_size;
	f->memfd = memfd_create("guest", MFD_CLOEXEC | (front_huge_pages ? MFD_HUGETLB : 0));
	if (f->rings > FRONT_RINGS || ring_size > FRONT_SIZE_MAX || f->memfd < 0 ||
	    ftruncate(f->memfd, (off_t)mem_size))
		front_die("memory");
	f->mem = mmap(NULL, mem_size, PROT_READ | PROT_WRITE, MAP_SHARED, f->memfd, 0);
	if (f->mem == MAP_FAILED)
		front_die("memory");
	for (unsigned i = 0; i < f->rings; i++)
		ring_init(f, i);
}

void front_end(struct front *f)
{
	for (unsigned i = 0; i < f->rings; i++) {
		close(f->ring[i].kick);
		close(f->ring[i].call);
	}
	if (f->log)
		munmap(f->log, f->log_size);
	munmap(f->mem, f->mem_size);
	close(f->memfd);
	cleanup_fd(&f->log_fd);
	cleanup_fd(&f->inflight_fd);
	cleanup_fd(&f->sock);
}

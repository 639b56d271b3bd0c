/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of a front end: header, a byte that says how many fds come along and of which kind, payload; again
 * and again. The device is a real one without LUNs, whose rings are started when the messages say so.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "vhost_user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEM_SIZE (64 * 4096)

static struct device *device;
static int memfd = -1;

static void make_device(void)
{
	struct device_config c = {
		.type = &device_type_scsi, .workers = 1, .blocking = 1, .deadline_us = 1000, .nexus = 1};
	struct verror e;

	log_open("fuzz", 0);
	device = device_new(&c, &e);
	memfd = memfd_create("fuzz", MFD_CLOEXEC);
	if (!device || memfd < 0 || ftruncate(memfd, MEM_SIZE))
		abort();
}

/* Sends one message; returns the bytes of data that it took, 0 at the end. */
static size_t send_one(int sock, const uint8_t *data, size_t size)
{
	struct vu_header h;
	struct iovec iov[2];
	union {
		char room[CMSG_SPACE(VU_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	unsigned fds, n = 0;
	int fd[VU_FDS_MAX];

	if (size < 8)
		return 0;
	h = (struct vu_header){data[0], data[1], data[2]};
	fds = data[3] % (VU_FDS_MAX + 1);
	if (h.size > size - 4)
		h.size = (uint32_t)(size - 4);
	iov[0] = (struct iovec){&h, sizeof(h)};
	iov[1] = (struct iovec){(void *)(uintptr_t)(data + 4), h.size};
	for (; n < fds; n++)
		fd[n] = data[3] & 0x80 ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : dup(memfd);
	memset(&control, 0, sizeof(control));
	if (n) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fd, n * sizeof(int));
	}
	if (sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		h.size = (uint32_t)(size - 4);
	while (n)
		close(fd[--n]);
	return 4 + h.size;
}

static void settle(struct vhost_user *v)
{
	while (device->state != DEVICE_STOPPED || device->lun_job)
		device_turn(device);
	if (v)
		vu_turn(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhost_user v;
	char sink[4096];
	int pair[2];
	size_t n;

	if (!device)
		make_device();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	vu_open(&v, device, pair[1]);
	while ((n = send_one(pair[0], data, size))) {
		data += n;
		size -= n;
		if (vu_run(&v))
			break;
		device_turn(device);
		if (!vu_wants(&v))
			settle(&v);
		while (recv(pair[0], sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
	}
	vu_close(&v);
	close(pair[0]);
	device_stop(device);
	settle(NULL);
	device_forget(device);
	device_set_memory(device, memory_new());
	return 0;
}

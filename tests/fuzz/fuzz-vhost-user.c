/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of a front end: header, a byte that says how many fds come along and of which kind, payload; again
 * and again. The device is a real one, whose rings are started when the messages say so: without LUNs, or
 * when the first byte's highest bit is set, a virtio-blk device.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdpass.h"
#include "fuzz-device.h"
#include "vhost_user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct device *device;

/* Sends one message; returns the bytes of data that it took, 0 at the end. */
static size_t send_one(int sock, const uint8_t *data, size_t size)
{
	struct vu_header h;
	struct iovec iov[2];
	FDPASS_ROOM(VU_FDS_MAX) control;
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	unsigned fds, n = 0;
	int fd[VU_FDS_MAX];

	if (size < 8)
		return 0;
	h = (struct vu_header){data[0] & 0x7f, data[1], data[2]};
	fds = data[3] % (VU_FDS_MAX + 1);
	if (h.size > size - 4)
		h.size = (uint32_t)(size - 4);
	iov[0] = (struct iovec){&h, sizeof(h)};
	iov[1] = (struct iovec){(void *)(uintptr_t)(data + 4), h.size};
	for (; n < fds; n++)
		fd[n] = data[3] & 0x80 ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : dup(fuzz_memfd);
	fdpass_put(&m, &control, fd, n);
	if (sendmsg(sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		h.size = (uint32_t)(size - 4);
	while (n)
		close(fd[--n]);
	return 4 + h.size;
}

static void settle(struct vhost_user *v)
{
	fuzz_settle(device);
	if (v)
		vu_turn(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhost_user v;
	char sink[4096];
	int pair[2];
	size_t n;

	fuzz_devices(false, false);
	device = fuzz_device[size && data[0] & 0x80];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	vu_open(&v, device, pair[1], NULL);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a holder gives to a successor: which key, how many fds and of which kind, how many bytes, and these;
 * again and again. Then the device goes on, as far as it can, and is stopped. The first byte's highest bit: a
 * virtio-blk device.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "fuzz-device.h"
#include "vhost_keep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct device *device;

static const char *const keys[] = {"version", "conn",  "mark",	   "front",   "backend", "mem",
				   "slot-0",  "log",   "inflight", "ring-0",  "ring-1",	 "ring-2",
				   "ring-3",  "ring-", "held",	   "powered", "left",	 "events"};

static int make_fd(unsigned kind)
{
	int pair[2];

	switch (kind) {
	case 0:
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	case 1:
		return dup(fuzz_memfd);
	default:
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			abort();
		close(pair[0]);
		return pair[1];
	}
}

/* One entry; returns the bytes of data that it took, 0 at the end. */
static size_t give(struct vhost_user *v, const uint8_t *data, size_t size)
{
	int fds[KEEP_FDS_MAX];
	const char *key, *why;
	const uint8_t *bytes;
	size_t len, used;
	unsigned n = 0;
	char text[1024];

	if (size < 4)
		return 0;
	key = keys[(data[0] & 0x7f) % ARRAY_SIZE(keys)];
	used = data[2] | (size_t)data[3] << 8;
	if (used > size - 4)
		used = size - 4;
	if (used > sizeof(text) - KEEP_KEY_MAX)
		used = sizeof(text) - KEEP_KEY_MAX;
	/* as it comes by the control socket */
	memcpy(text, key, strlen(key) + 1);
	memcpy(text + strlen(key) + 1, data + 4, used);
	if (!keep_parse(text, strlen(key) + 1 + used, &bytes, &len))
		abort();
	for (; n < data[1] % (KEEP_FDS_MAX + 1); n++)
		fds[n] = make_fd(data[1] >> 6);
	vu_restore(v, text, bytes, len, fds, n, &why);
	while (n)
		cleanup_fd(&fds[--n]);
	return 4 + used;
}

static void settle(struct vhost_user *v)
{
	fuzz_settle(device);
	vu_turn(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhost_user v;
	struct keep keep;
	size_t n;

	fuzz_devices(true, true);
	device = fuzz_device[size && data[0] & 0x80];
	keep_init(&keep);
	device_bar(device, BAR_TAKE_OVER, true);
	vu_open(&v, device, -1, &keep);
	while ((n = give(&v, data, size))) {
		data += n;
		size -= n;
	}
	if (v.conn.fd >= 0)
		vu_succeed(&v);
	device_succeed(device, v.left);
	for (unsigned i = 0; i < 3; i++)
		device_turn(device);
	device_stop(device);
	settle(&v);
	vu_keep(&v, NULL);
	vu_close(&v);
	keep_end(&keep);
	device_forget(device);
	device_set_memory(device, memory_new());
	device->powered = false;
	return 0;
}

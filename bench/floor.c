/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's floor, for the measurements: bare writes to vport_create and vport_delete, and the time until
 * the kernel's own uevent says that the block device is there.  No udev, no daemon in between.
 *
 *   floor create HOST WWPN WWNN [COUNT]   make COUNT vports, names counting up, then wait for a disk of each
 *   floor delete HOST WWPN WWNN [COUNT]   delete them
 *   floor move FROM TO WWPN WWNN          delete on one host, create on another, wait for the disk
 *
 * Prints microseconds on stdout: the whole, from the first write until the last disk's uevent; of a move also
 * the delete's part and the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "monotime.h"
#include "sysroot.h"

#define WAIT_US (120 * USEC_PER_SEC)

static int uevents_open(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT), size = 16 << 20;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Is this uevent the "add" of a whole disk? */
static bool is_disk_add(const char *buf, size_t len)
{
	bool disk = false;

	if (strncmp(buf, "add@", 4))
		return false;
	for (size_t i = 0; i < len; i += strlen(buf + i) + 1)
		disk |= !strcmp(buf + i, "DEVTYPE=disk");
	return disk;
}

static int wait_disks(int fd, unsigned long count, struct monotime until)
{
	char buf[16384];

	while (count) {
		struct pollfd p = {fd, POLLIN, 0};
		uint64_t left = mono_left(until, mono_now());
		ssize_t n;

		if (!left || poll(&p, 1, (int)(left / USEC_PER_MSEC) + 1) <= 0)
			return -ETIMEDOUT;
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		if (n < 0)
			return -errno;
		buf[n] = '\0';
		count -= is_disk_add(buf, (size_t)n);
	}
	return 0;
}

static int write_names(const char *attr, const char *host, uint64_t wwpn, uint64_t wwnn, unsigned long count)
{
	char text[64];

	for (unsigned long i = 0; i < count; i++) {
		int r;

		snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, wwpn + i, wwnn + i);
		r = sysroot_write(text, "/sys/class/fc_host/%s/%s", host, attr);
		if (r)
			return fprintf(stderr, "floor: %s on %s: %s\n", attr, host, strerror(-r)), r;
	}
	return 0;
}

static int run(int argc, char **argv)
{
	bool create = !strcmp(argv[1], "create"), move = !strcmp(argv[1], "move");
	const char *to = argv[move ? 3 : 2];
	uint64_t wwpn = strtoull(argv[move ? 4 : 3], NULL, 16), wwnn = strtoull(argv[move ? 5 : 4], NULL, 16);
	unsigned long count = !move && argc == 6 ? strtoul(argv[5], NULL, 10) : 1;
	AUTO_FD int fd = uevents_open();
	struct monotime start, deleted;
	int r = 0;

	if (fd < 0)
		return fprintf(stderr, "floor: no uevents: %s\n", strerror(errno)), 1;
	start = mono_now();
	if (!create)
		r = write_names("vport_delete", argv[2], wwpn, wwnn, count);
	deleted = mono_now();
	if (!r && (create || move))
		r = write_names("vport_create", to, wwpn, wwnn, count);
	if (!r && (create || move))
		r = wait_disks(fd, count, mono_add(start, WAIT_US));
	if (r)
		return fprintf(stderr, "floor: %s: %s\n", argv[1], strerror(-r)), 1;
	printf("%" PRIu64, mono_since(mono_now(), start));
	if (move)
		printf(" %" PRIu64 " %" PRIu64, mono_since(deleted, start), mono_since(mono_now(), deleted));
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	if ((argc == 6 && !strcmp(argv[1], "move")) ||
	    ((argc == 5 || argc == 6) && (!strcmp(argv[1], "create") || !strcmp(argv[1], "delete"))))
		return run(argc, argv);
	fprintf(stderr, "usage: %s create|delete HOST WWPN WWNN [COUNT] | move FROM TO WWPN WWNN\n", argv[0]);
	return 2;
}

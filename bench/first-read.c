/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "first-read.h"
#include "sysroot.h"

#define BLOCK 4096

static int read_one(const char *disk)
{
	AUTO_FREE void *block = NULL;
	char path[64];
	AUTO_FD int fd = open(sysroot_path(path, sizeof(path), "/dev/%s", disk),
			      O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0 || posix_memalign(&block, BLOCK, BLOCK))
		return -errno;
	return pread(fd, block, BLOCK, 0) == BLOCK ? 0 : -EIO;
}

int first_reads(char **disks, int n)
{
	int failed = 0;

	for (int i = 0; i < n; i++) {
		int r = read_one(disks[i]);

		if (!r)
			continue;
		fprintf(stderr, "reading %s: %s\n", disks[i], strerror(-r));
		failed++;
	}
	return failed;
}

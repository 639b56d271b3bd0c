/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The disk's file, where a thread may wait for it. */
#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "disk_private.h"

void *file_buffer(size_t size)
{
	void *p = NULL;

	return posix_memalign(&p, 4096, size) ? NULL : p;
}

int file_read(struct disk *d, uint64_t offset, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(d->fd, (uint8_t *)buf + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int file_write(struct disk *d, uint64_t offset, const void *buf, size_t len, bool stable)
{
	size_t done = 0;
	struct iovec v;
	ssize_t n;

	while (done < len) {
		v.iov_base = (uint8_t *)(uintptr_t)buf + done;
		v.iov_len = len - done;
		n = pwritev2(d->fd, &v, 1, (off_t)(offset + done), stable ? RWF_DSYNC : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int file_flush(struct disk *d)
{
	return fdatasync(d->fd) ? -errno : 0;
}

int file_size(int fd, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISBLK(st.st_mode))
		return ioctl(fd, BLKGETSIZE64, bytes) ? -errno : 0;
	if (!S_ISREG(st.st_mode))
		return -ENOTBLK;
	*bytes = (uint64_t)st.st_size;
	return 0;
}

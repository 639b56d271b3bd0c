/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "lock.h"

static struct flock byte_of(uint64_t nexus, short type)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)(nexus & INT64_MAX), .l_len = 1};
}

static int set(int fd, uint64_t nexus, short type)
{
	struct flock l = byte_of(nexus, type);

	if (!fcntl(fd, F_OFD_SETLK, &l))
		return 0;
	switch (errno) {
	case EAGAIN:
	case EACCES:
		return -EAGAIN;
	case EINVAL:
	case ENOLCK:
	case ENOSYS:
	case EOPNOTSUPP:
		return -EOPNOTSUPP;
	default:
		return -errno;
	}
}

int lock_take(int fd, uint64_t nexus)
{
	int mode = fcntl(fd, F_GETFL);
	struct flock other = byte_of(nexus, F_WRLCK);

	if (mode < 0)
		return -errno;
	if ((mode & O_ACCMODE) != O_RDONLY)
		return set(fd, nexus, F_WRLCK);
	if (!fcntl(fd, F_OFD_GETLK, &other) && other.l_type != F_UNLCK)
		return -EAGAIN;
	return set(fd, nexus, F_RDLCK);
}

int lock_release(int fd, uint64_t nexus)
{
	return set(fd, nexus, F_UNLCK);
}

int lock_reopen(int fd)
{
	char path[64];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, (flags & (O_ACCMODE | O_DIRECT | O_NONBLOCK | O_SYNC | O_DSYNC)) | O_CLOEXEC);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "sysroot.h"

static char root[PATH_MAX / 2];
static bool root_known;

void sysroot_set(const char *prefix)
{
	size_t n;

	if (!prefix)
		prefix = getenv("VHBA_SYSROOT");
	if (!prefix)
		prefix = "";
	n = strlen(prefix);
	while (n && prefix[n - 1] == '/')
		n--;
	if (n >= sizeof(root))
		n = sizeof(root) - 1;
	memcpy(root, prefix, n);
	root[n] = '\0';
	root_known = true;
}

const char *sysroot_get(void)
{
	if (!root_known)
		sysroot_set(NULL);
	return root;
}

static const char *vpath(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static const char *vpath(char *buf, size_t size, const char *fmt, va_list ap)
{
	size_t n = strlen(sysroot_get());
	int r;

	if (n >= size)
		goto too_long;
	memcpy(buf, root, n);
	r = vsnprintf(buf + n, size - n, fmt, ap);
	if (r >= 0 && (size_t)r < size - n)
		return buf;
too_long:
	errno = ENAMETOOLONG;
	return NULL;
}

#define VPATH(buf)                                                                                           \
	({                                                                                                   \
		va_list ap_;                                                                                 \
		const char *p_;                                                                              \
		va_start(ap_, fmt);                                                                          \
		p_ = vpath(buf, sizeof(buf), fmt, ap_);                                                      \
		va_end(ap_);                                                                                 \
		p_;                                                                                          \
	})

const char *sysroot_path(char *buf, size_t size, const char *fmt, ...)
{
	const char *p;
	va_list ap;

	va_start(ap, fmt);
	p = vpath(buf, size, fmt, ap);
	va_end(ap);
	return p;
}

/* What is read is regular, or looks so: less than there was room for is all that there is. */
static ssize_t read_all(int dir, const char *path, void *buf, size_t size)
{
	AUTO_FD int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size);

	return n < 0 ? -errno : n;
}

static ssize_t read_text(int dir, const char *path, char *buf, size_t size)
{
	ssize_t n = read_all(dir, path, buf, size);

	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -EMSGSIZE;
	while (n && isspace((unsigned char)buf[n - 1]))
		n--;
	buf[n] = '\0';
	return n;
}

static int read_u64(int dir, const char *path, uint64_t *v)
{
	char text[64], *end;
	ssize_t n = read_text(dir, path, text, sizeof(text));

	if (n < 0)
		return (int)n;
	errno = 0;
	*v = strtoull(text, &end, 0);
	return !n || *end || errno || !isdigit((unsigned char)text[0]) ? -EINVAL : 0;
}

ssize_t sysroot_read(char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];

	if (!VPATH(path))
		return -errno;
	return read_text(AT_FDCWD, path, buf, size);
}

ssize_t sysroot_read_bin(void *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];

	if (!VPATH(path))
		return -errno;
	return read_all(AT_FDCWD, path, buf, size);
}

int sysroot_read_u64(uint64_t *v, const char *fmt, ...)
{
	char path[PATH_MAX];

	if (!VPATH(path))
		return -errno;
	return read_u64(AT_FDCWD, path, v);
}

int sysroot_open_dir(const char *fmt, ...)
{
	char path[PATH_MAX];

	return VPATH(path) ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
}

ssize_t sysroot_read_at(int dir, char *buf, size_t size, const char *name)
{
	return read_text(dir, name, buf, size);
}

ssize_t sysroot_read_bin_at(int dir, void *buf, size_t size, const char *name)
{
	return read_all(dir, name, buf, size);
}

int sysroot_read_u64_at(int dir, uint64_t *v, const char *name)
{
	return read_u64(dir, name, v);
}

DIR *sysroot_list_at(int dir, const char *name)
{
	int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

int sysroot_open_write_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int sysroot_put(int fd, const char *value)
{
	size_t len = strlen(value);
	ssize_t n = write(fd, value, len);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int sysroot_write(const char *value, const char *fmt, ...)
{
	char path[PATH_MAX];
	AUTO_FD int fd = -1;

	if (!VPATH(path))
		return -errno;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : sysroot_put(fd, value);
}

bool sysroot_exists(const char *fmt, ...)
{
	char path[PATH_MAX];

	return VPATH(path) && !access(path, F_OK);
}

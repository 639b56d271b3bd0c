/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one place that knows where sysfs and the device nodes are: "/" in production, a fake tree under
 * test (VHBA_SYSROOT), for reads and for writes.  Paths given to these functions start with "/sys/..." or
 * "/dev/...".  Thread-safe once sysroot_set (or the first use) has returned.
 */
#ifndef VHBA_SYSROOT_H
#define VHBA_SYSROOT_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* prefix is copied; NULL means the environment's VHBA_SYSROOT, or "/". */
void sysroot_set(const char *prefix);
const char *sysroot_get(void);

/* The path under the root, in buf. Returns buf, or NULL with errno ENAMETOOLONG. */
const char *sysroot_path(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Read an attribute into buf, NUL-terminated, trailing white space removed.  Returns the length, or
 * -errno; -EMSGSIZE when it does not fit.
 */
ssize_t sysroot_read(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same for binary attributes: no termination, no trimming. */
ssize_t sysroot_read_bin(void *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Numbers in any C notation ("0x10", "16"). Return 0 or -errno; -EINVAL for text. */
int sysroot_read_u64(uint64_t *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The same in a folder that is open: a path in sysfs is long, and each step of it is looked up under a lock
 * that whoever makes devices waits for.  sysroot_open_dir returns a descriptor for that, or -1 with errno.
 */
int sysroot_open_dir(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
ssize_t sysroot_read_at(int dir, char *buf, size_t size, const char *name);
ssize_t sysroot_read_bin_at(int dir, void *buf, size_t size, const char *name);
int sysroot_read_u64_at(int dir, uint64_t *v, const char *name);

/* A folder's entries; "." is dir's own.  NULL with errno, dir's opening's if that is -1. */
DIR *sysroot_list_at(int dir, const char *name);

/*
 * Write the whole value in one write(2).  Returns 0, -errno, or -EIO after a short write (qla2xxx tells
 * a failed vport by one; the rest must never be written again).  May block for as long as the driver does.
 */
int sysroot_write(const char *value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same in two steps, for who must be quick between them, in a folder that is open: a descriptor or
 * -errno; what sysroot_write returns. */
int sysroot_open_write_at(int dir, const char *name);
int sysroot_put(int fd, const char *value);

bool sysroot_exists(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

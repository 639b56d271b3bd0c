/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which process may have commands under way to a file: a write lock of the open file description (OFD) on one
 * byte, at an offset that is made of the guest's port name, so that two guests which share a disk don't
 * exclude each other.
 *
 * It outlives the process: a request that is under way in the kernel has a reference on the description by
 * which it was made, and only the last one gone releases the lock (locks_remove_file by __fput; io_uring:
 * io_put_file). So who gets it knows that nothing of a killed predecessor's can come late, neither to the
 * file nor into the guest's memory. For this each process has descriptions of its own: one that is shared is
 * locked for both.
 *
 * An sg node is an exception, a bsg node is none: a thread that is killed in SG_IO leaves its command behind
 * without a reference (drivers/scsi/sg.c: sg_ioctl_common, sg_rq_end_io_usercontext). The sd node's lock says
 * nothing of those.
 */
#ifndef VHBA_IO_LOCK_H
#define VHBA_IO_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Returns 0, -EAGAIN: another has it; -EOPNOTSUPP: the file system has no such locks; or -errno. A file that
 * was opened for reading only gets a read lock, once nobody else has any.
 */
int lock_take(int fd, uint64_t nexus);
int lock_release(int fd, uint64_t nexus);

/* An fd on a description of its own, by the same mode and flags. -1 with errno: it is not to be had. */
int lock_reopen(int fd);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes and pieces of iovecs over a guest's memory. */
#ifndef VHBA_IO_IOV_H
#define VHBA_IO_IOV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* Bytes between a flat buffer and iovecs; return how many there was room for. */
size_t iov_get(const struct iovec *, unsigned n, void *buf, size_t len);
size_t iov_put(const struct iovec *, unsigned n, const void *buf, size_t len);

/*
 * Take len bytes off the front, which there are, into parts, if that isn't NULL. False: more pieces than
 * there is room for.
 */
bool iov_take(struct iovec **, unsigned *n, size_t len, struct iovec *parts, unsigned *parts_n,
	      unsigned room);

#endif

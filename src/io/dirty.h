/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The front end's log of pages that the device has written, kept while a migration runs: one bit a page of
 * 4096 bytes, by the guest's physical address.  Any number of threads mark at once.
 *
 * A page is marked after the data are there, never before: the front end clears the bit and then reads the
 * page, so a mark that comes first may be taken with the old content.
 *
 * Source: the vhost-user protocol, "Migration".
 */
#ifndef VHBA_IO_DIRTY_H
#define VHBA_IO_DIRTY_H

#include <stddef.h>
#include <stdint.h>

#define DIRTY_PAGE 4096

struct dirty;

/* Maps size bytes of the file from offset on; the fd stays the caller's. NULL with errno. */
struct dirty *dirty_new(int fd, uint64_t size, uint64_t offset);
struct dirty *dirty_ref(struct dirty *);
void dirty_unref(struct dirty *); /* NULL is good */

/* Pages that the log has no bit for are passed over. */
void dirty_mark(struct dirty *, uint64_t gpa, size_t len);

#endif

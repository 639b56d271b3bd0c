/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's memory: which of the guest's physical addresses (gpa) lie where in this process.
 *
 * A table is built by one thread (memory_new or memory_clone, then memory_add and memory_remove) and never
 * changes once it is shown to another.  An update is another table: who reads one holds a reference, so a
 * region goes when the last command that uses it has ended.  References may be taken and dropped by any
 * thread.
 *
 * Addresses and lengths come from the front end and from the guest: nothing is taken on trust.
 *
 * Source: the vhost-user protocol, "Memory region description"; virtio 1.1, 2.6.
 */
#ifndef VHBA_IO_MEMORY_H
#define VHBA_IO_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_REGIONS_MAX 509 /* what GET_MAX_MEM_SLOTS says; QEMU asks for no more than 512 */

/* As in the message: addresses of the guest, of the front end's process, and in the file. Bytes. */
struct memory_layout {
	uint64_t gpa, size, uva, offset;
};

struct memory;

struct memory *memory_new(void);

/* Another table with the same regions. */
struct memory *memory_clone(const struct memory *);

struct memory *memory_ref(struct memory *);
void memory_unref(struct memory *); /* NULL is good */

/*
 * Map a region; the fd stays the caller's.  Returns 0, -EINVAL (sizes that overflow, more than the file has),
 * -EEXIST (overlaps another), -ENOSPC (no slot left), -ENOMEM, or why it can't be mapped.
 */
int memory_add(struct memory *, const struct memory_layout *, int fd);

/* The region with just these gpa, size and uva. Returns 0 or -ENOENT. */
int memory_remove(struct memory *, const struct memory_layout *);

unsigned memory_regions(const struct memory *);

/* Where gpa is, and in *run how many bytes follow it there, at most len. NULL: not the guest's memory. */
void *memory_at(const struct memory *, uint64_t gpa, size_t len, size_t *run);

/* All len bytes from the front end's address uva on, within one region; else NULL. */
void *memory_at_uva(const struct memory *, uint64_t uva, size_t len);

/* The reverse of memory_at, for what memory_at gave. False: none of the guest's. */
bool memory_gpa(const struct memory *, const void *at, uint64_t *gpa);

/* Copy out of the guest, across regions. Returns false when a byte of it is not the guest's. */
bool memory_read(const struct memory *, uint64_t gpa, void *buf, size_t len);

/*
 * Closed, neither this process nor the kernel in its name can write to the guest's memory by these
 * addresses: a read that ends too late fails instead. Pages that a device already has are not stopped.
 */
int memory_close(const struct memory *, bool closed);

#endif

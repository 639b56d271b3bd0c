/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "dirty.h"

struct dirty {
	atomic_uint refs;
	void *map;
	size_t map_len;
	uint8_t *bits;
	uint64_t pages;
};

struct dirty *dirty_new(int fd, uint64_t size, uint64_t offset)
{
	uint64_t skip = offset % 4096, end;
	struct dirty *d;
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	if (!size || size > UINT64_MAX / 8 || __builtin_add_overflow(offset, size, &end) ||
	    (S_ISREG(st.st_mode) && end > (uint64_t)st.st_size)) {
		errno = EINVAL;
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->map_len = size + skip;
	d->map = mmap(NULL, d->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(offset - skip));
	if (d->map == MAP_FAILED) {
		free(d);
		return NULL;
	}
	d->refs = 1;
	d->bits = (uint8_t *)d->map + skip;
	d->pages = size * 8;
	return d;
}

struct dirty *dirty_ref(struct dirty *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

void dirty_unref(struct dirty *d)
{
	if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	munmap(d->map, d->map_len);
	free(d);
}

void dirty_mark(struct dirty *d, uint64_t gpa, size_t len)
{
	uint64_t page = gpa / DIRTY_PAGE, last;

	if (!len)
		return;
	last = (gpa + (len - 1)) / DIRTY_PAGE;
	for (; page <= last && page < d->pages; page++)
		__atomic_fetch_or(&d->bits[page / 8], (uint8_t)(1 << page % 8), __ATOMIC_SEQ_CST);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "memory.h"

struct region {
	struct memory_layout at;
	uint8_t *host; /* where gpa is */
	void *map;
	size_t map_len;
	atomic_uint refs; /* one a table */
};

struct memory {
	atomic_uint refs;
	unsigned n;
	struct region *r[MEMORY_REGIONS_MAX]; /* by gpa, ascending; they don't overlap */
};

struct memory *memory_new(void)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m)
		m->refs = 1;
	return m;
}

struct memory *memory_clone(const struct memory *old)
{
	struct memory *m = memory_new();

	if (!m)
		return NULL;
	m->n = old->n;
	for (unsigned i = 0; i < m->n; i++) {
		m->r[i] = old->r[i];
		atomic_fetch_add(&m->r[i]->refs, 1);
	}
	return m;
}

static void region_unref(struct region *r)
{
	if (atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	munmap(r->map, r->map_len);
	free(r);
}

struct memory *memory_ref(struct memory *m)
{
	atomic_fetch_add(&m->refs, 1);
	return m;
}

void memory_unref(struct memory *m)
{
	if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
		return;
	for (unsigned i = 0; i < m->n; i++)
		region_unref(m->r[i]);
	free(m);
}

static bool apart(uint64_t a, uint64_t b, uint64_t a_size, uint64_t b_size)
{
	return a + (a_size - 1) < b || b + (b_size - 1) < a;
}

static int check(const struct memory *m, const struct memory_layout *l, int fd, struct stat *st)
{
	uint64_t end;

	if (!l->size || __builtin_add_overflow(l->gpa, l->size, &end) ||
	    __builtin_add_overflow(l->uva, l->size, &end) || __builtin_add_overflow(l->offset, l->size, &end))
		return -EINVAL;
	if (fstat(fd, st))
		return -errno;
	/* touching what the file doesn't have would end this process by SIGBUS */
	if (S_ISREG(st->st_mode) && end > (uint64_t)st->st_size)
		return -EINVAL;
	if (m->n == MEMORY_REGIONS_MAX)
		return -ENOSPC;
	for (unsigned i = 0; i < m->n; i++) {
		const struct memory_layout *o = &m->r[i]->at;

		if (!apart(l->gpa, o->gpa, l->size, o->size) || !apart(l->uva, o->uva, l->size, o->size))
			return -EEXIST;
	}
	return 0;
}

int memory_add(struct memory *m, const struct memory_layout *l, int fd)
{
	struct region *r;
	struct stat st;
	uint64_t unit, skip;
	unsigned i;
	int err = check(m, l, fd, &st);

	if (err)
		return err;
	/* hugetlbfs maps whole huge pages only, and says their size as st_blksize */
	unit = st.st_blksize > 4096 ? (uint64_t)st.st_blksize : 4096;
	skip = l->offset % unit;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->at = *l;
	r->refs = 1;
	r->map_len = (l->size + skip + unit - 1) / unit * unit;
	r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		      (off_t)(l->offset - skip));
	if (r->map == MAP_FAILED) {
		err = -errno;
		free(r);
		return err;
	}
	madvise(r->map, r->map_len, MADV_DONTDUMP);
	r->host = (uint8_t *)r->map + skip;
	for (i = m->n++; i && m->r[i - 1]->at.gpa > l->gpa; i--)
		m->r[i] = m->r[i - 1];
	m->r[i] = r;
	return 0;
}

int memory_remove(struct memory *m, const struct memory_layout *l)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct memory_layout *o = &m->r[i]->at;

		if (o->gpa != l->gpa || o->size != l->size || o->uva != l->uva)
			continue;
		region_unref(m->r[i]);
		m->n--;
		memmove(&m->r[i], &m->r[i + 1], (m->n - i) * sizeof(m->r[0]));
		return 0;
	}
	return -ENOENT;
}

unsigned memory_regions(const struct memory *m)
{
	return m->n;
}

void *memory_at(const struct memory *m, uint64_t gpa, size_t len, size_t *run)
{
	unsigned low = 0, high = m->n;

	/* the last region that begins at gpa or below */
	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (m->r[mid]->at.gpa <= gpa)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	const struct region *r = m->r[low - 1];
	uint64_t in = gpa - r->at.gpa;

	if (in >= r->at.size)
		return NULL;
	*run = r->at.size - in < len ? (size_t)(r->at.size - in) : len;
	return r->host + in;
}

void *memory_at_uva(const struct memory *m, uint64_t uva, size_t len)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct region *r = m->r[i];
		uint64_t in = uva - r->at.uva;

		if (uva >= r->at.uva && in < r->at.size && r->at.size - in >= len)
			return r->host + in;
	}
	return NULL;
}

bool memory_gpa(const struct memory *m, const void *at, uint64_t *gpa)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct region *r = m->r[i];
		uintptr_t in = (uintptr_t)at - (uintptr_t)r->host;

		if ((uintptr_t)at < (uintptr_t)r->host || in >= r->at.size)
			continue;
		*gpa = r->at.gpa + in;
		return true;
	}
	return false;
}

bool memory_read(const struct memory *m, uint64_t gpa, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t run;

	while (len) {
		const void *from = memory_at(m, gpa, len, &run);

		if (!from)
			return false;
		memcpy(to, from, run);
		to += run;
		len -= run;
		if (__builtin_add_overflow(gpa, run, &gpa) && len)
			return false;
	}
	return true;
}

int memory_close(const struct memory *m, bool closed)
{
	int err = 0;

	for (unsigned i = 0; i < m->n; i++)
		if (mprotect(m->r[i]->map, m->r[i]->map_len, closed ? PROT_READ : PROT_READ | PROT_WRITE))
			err = -errno;
	return err;
}

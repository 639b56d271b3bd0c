/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A LUN's bytes, in memory or in a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"
#include "lun.h"
#include "lun_private.h"

static const uint64_t bytes_max = (uint64_t)1 << 62;

static bool size_ok(uint64_t blocks, uint32_t block_size)
{
	if (block_size < 512 || block_size > 65536 || (block_size & (block_size - 1)) || !blocks) {
		errno = EINVAL;
		return false;
	}
	if (blocks > bytes_max / block_size) {
		errno = EOVERFLOW;
		return false;
	}
	return true;
}

/* NAA 6 under a locally made company identifier, the rest an FNV-1a hash of the name. */
static void naa_of_name(const char *name, uint8_t id[LUN_NAA_LEN])
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	put_be64(id, UINT64_C(0x6020000000000000));
	put_be64(id + 8, h);
}

static struct lun_store *store_new(const char *name, uint64_t blocks, uint32_t block_size,
				   const uint8_t naa_id[LUN_NAA_LEN])
{
	struct lun_store *s;

	if (!size_ok(blocks, block_size))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->references = 1;
	s->fd = -1;
	s->blocks = blocks;
	s->block_size = block_size;
	snprintf(s->name, sizeof(s->name), "%s", name);
	if (naa_id)
		memcpy(s->naa, naa_id, LUN_NAA_LEN);
	else
		naa_of_name(name, s->naa);
	return s;
}

static size_t bytes_of(const struct lun_store *s, uint64_t blocks)
{
	return (size_t)(blocks * s->block_size);
}

struct lun_store *lun_store_new_memory(const char *name, uint64_t blocks, uint32_t block_size,
				       const uint8_t naa_id[LUN_NAA_LEN])
{
	struct lun_store *s = store_new(name, blocks, block_size, naa_id);

	if (!s)
		return NULL;
	s->memory = mmap(NULL, bytes_of(s, blocks), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->memory == MAP_FAILED) {
		int saved = errno;

		free(s);
		errno = saved;
		return NULL;
	}
	return s;
}

static int file_fits(int fd, off_t bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return st.st_size < bytes && ftruncate(fd, bytes) ? -errno : 0;
}

struct lun_store *lun_store_new_file(const char *name, const char *path, uint64_t blocks, uint32_t block_size,
				     const uint8_t naa_id[LUN_NAA_LEN])
{
	struct lun_store *s = store_new(name, blocks, block_size, naa_id);
	int r;

	if (!s)
		return NULL;
	s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	r = s->fd < 0 ? -errno : file_fits(s->fd, (off_t)bytes_of(s, blocks));
	if (r) {
		lun_store_unref(s);
		errno = -r;
		return NULL;
	}
	return s;
}

struct lun_store *lun_store_ref(struct lun_store *s)
{
	s->references++;
	return s;
}

void lun_store_unref(struct lun_store *s)
{
	if (!s || --s->references)
		return;
	if (s->memory)
		munmap(s->memory, bytes_of(s, s->blocks));
	if (s->fd >= 0)
		close(s->fd);
	pr_free(&s->pr);
	free(s->notices);
	free(s);
}

const char *lun_store_name(const struct lun_store *s)
{
	return s->name;
}

const uint8_t *lun_store_naa(const struct lun_store *s)
{
	return s->naa;
}

uint64_t lun_store_blocks(const struct lun_store *s)
{
	return s->blocks;
}

uint32_t lun_store_block_size(const struct lun_store *s)
{
	return s->block_size;
}

struct pr_state *lun_store_pr(struct lun_store *s)
{
	return &s->pr;
}

bool lun_store_has(const struct lun_store *s, uint64_t lba, uint64_t count)
{
	return lba <= s->blocks && count <= s->blocks - lba;
}

/* What a file's hole past its end lacks reads as zeros. */
static int file_read(int fd, uint8_t *to, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pread(fd, to, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) {
			memset(to, 0, len);
			return 0;
		}
		to += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int file_write(int fd, const uint8_t *from, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, from, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		from += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int lun_store_read(struct lun_store *s, uint64_t lba, uint32_t count, void *to)
{
	if (!s->memory)
		return file_read(s->fd, to, bytes_of(s, count), (off_t)bytes_of(s, lba));
	memcpy(to, s->memory + bytes_of(s, lba), bytes_of(s, count));
	return 0;
}

int lun_store_write(struct lun_store *s, uint64_t lba, uint32_t count, const void *from)
{
	if (!count)
		return 0; /* then there is no buffer either */
	if (!s->memory)
		return file_write(s->fd, from, bytes_of(s, count), (off_t)bytes_of(s, lba));
	memcpy(s->memory + bytes_of(s, lba), from, bytes_of(s, count));
	return 0;
}

/* Whole pages go back to the system; the ends are cleared by hand. */
static int memory_unmap(uint8_t *from, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t head = (page - (uintptr_t)from % page) % page, whole;

	if (head >= len) {
		memset(from, 0, len);
		return 0;
	}
	whole = (len - head) / page * page;
	memset(from, 0, head);
	memset(from + head + whole, 0, len - head - whole);
	return whole && madvise(from + head, whole, MADV_DONTNEED) ? -errno : 0;
}

static int file_zero(int fd, off_t at, off_t len)
{
	static const uint8_t zeros[65536];

	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len))
		return 0;
	if (errno != EOPNOTSUPP)
		return -errno;
	for (; len > 0; at += (off_t)sizeof(zeros), len -= (off_t)sizeof(zeros)) {
		size_t n = len < (off_t)sizeof(zeros) ? (size_t)len : sizeof(zeros);
		int r = file_write(fd, zeros, n, at);

		if (r)
			return r;
	}
	return 0;
}

int lun_store_unmap(struct lun_store *s, uint64_t lba, uint64_t count)
{
	if (!count)
		return 0;
	if (s->memory)
		return memory_unmap(s->memory + bytes_of(s, lba), bytes_of(s, count));
	return file_zero(s->fd, (off_t)bytes_of(s, lba), (off_t)bytes_of(s, count));
}

int lun_store_sync(struct lun_store *s)
{
	return s->fd >= 0 && fdatasync(s->fd) ? -errno : 0;
}

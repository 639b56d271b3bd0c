/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocks.h"
#include "cleanup.h"

/* FNV-1a over 64-bit words: it tells torn and misplaced blocks, which is all that is asked. */
static uint64_t block_sum(const struct block *b)
{
	struct block copy = *b;
	uint64_t h = UINT64_C(0xcbf29ce484222325), w;

	copy.sum = 0;
	for (size_t i = 0; i < sizeof(copy); i += sizeof(w)) {
		memcpy(&w, (const uint8_t *)&copy + i, sizeof(w));
		h = (h ^ w) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	return h;
}

void block_fill(struct block *b, uint64_t stream, uint64_t number, uint64_t seq)
{
	uint64_t x = seq * UINT64_C(0x9e3779b97f4a7c15) + number;

	b->magic = BLOCK_MAGIC;
	b->stream = stream;
	b->number = number;
	b->seq = seq;
	for (size_t i = 0; i + 8 <= sizeof(b->filler); i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(b->filler + i, &x, 8);
	}
	b->sum = 0;
	b->sum = block_sum(b);
}

const char *block_check(const struct block *b, uint64_t number)
{
	if (b->magic != BLOCK_MAGIC)
		return "never written, or overwritten by something else";
	if (b->sum != block_sum(b))
		return "torn: the checksum is wrong";
	if (b->number != number)
		return "misplaced: it belongs to another block number";
	return NULL;
}

static size_t ledger_size(uint64_t blocks)
{
	return sizeof(struct ledger) + blocks * sizeof(struct ledger_entry);
}

struct ledger *ledger_map(const char *path, uint64_t first, uint64_t blocks, bool create)
{
	AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0644);
	struct ledger *l;
	struct stat st;

	if (fd < 0 || (create && ftruncate(fd, (off_t)ledger_size(blocks))) || fstat(fd, &st))
		return NULL;
	if ((size_t)st.st_size < sizeof(*l)) {
		errno = EINVAL;
		return NULL;
	}
	l = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (l == MAP_FAILED)
		return NULL;
	if (create) {
		l->magic = LEDGER_MAGIC;
		l->first = first;
		l->blocks = blocks;
	} else if (l->magic != LEDGER_MAGIC || l->blocks > UINT32_MAX ||
		   (size_t)st.st_size != ledger_size(l->blocks)) {
		errno = EINVAL;
		return NULL;
	}
	return l;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "blocks.h"

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

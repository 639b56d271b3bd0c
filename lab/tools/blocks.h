/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks that prove themselves: each carries which stream wrote it, where it belongs, its sequence number and
 * a checksum over all of it.  The ledger says, per block, what was begun and what was told to be written.
 */
#ifndef LAB_BLOCKS_H
#define LAB_BLOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BLOCK_SIZE 4096
#define BLOCK_MAGIC UINT64_C(0x76686261626c6b31) /* "vhbablk1" */
#define LEDGER_MAGIC UINT64_C(0x766862616c656431)

struct block {
	uint64_t magic;
	uint64_t stream; /* which path and thread wrote it */
	uint64_t number; /* block number on the device */
	uint64_t seq; /* counts up per block */
	uint64_t sum; /* over the whole block with this field 0 */
	uint8_t filler[BLOCK_SIZE - 40];
};

_Static_assert(sizeof(struct block) == BLOCK_SIZE, "a block is one page");

/* On tmpfs, mapped shared: it survives the writer's death at any instant. */
struct ledger {
	uint64_t magic;
	uint64_t first; /* first block on the device */
	uint64_t blocks; /* how many entries follow */
	_Atomic uint64_t written, failed;
	struct ledger_entry {
		_Atomic uint64_t begun; /* the newest sequence number that a write was submitted with */
		_Atomic uint64_t told; /* the newest that the kernel said was written */
	} entry[];
};

void block_fill(struct block *b, uint64_t stream, uint64_t number, uint64_t seq);

/* NULL when the block is whole and belongs there, else what is wrong with it. */
const char *block_check(const struct block *b, uint64_t number);

/* Maps a ledger for good. create: a new one of that many blocks; else what is there. NULL with errno. */
struct ledger *ledger_map(const char *path, uint64_t first, uint64_t blocks, bool create);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk's state file that somebody else wrote: what is taken must be sound, and be the same once written
 * again. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "be.h"
#include "state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t slot[STATE_SLOT_SIZE] = {0}, again[STATE_SLOT_SIZE];
	struct disk_state s, same;
	uint64_t seq, seq2;
	uint32_t len;

	memcpy(slot, data, size < sizeof(slot) ? size : sizeof(slot));
	/* a checksum that is right gets past the first check */
	len = get_be32(slot + 12);
	if (len >= 32 && len <= sizeof(slot)) {
		put_be32(0, slot + 24);
		put_be32((uint32_t)crc32(0, slot, len), slot + 24);
	}
	if (state_decode(slot, &s, &seq) != STATE_READ)
		return 0;
	if (!pr_sound(&s.pr))
		abort();
	state_encode(again, &s, seq);
	if (state_decode(again, &same, &seq2) != STATE_READ || seq != seq2 || memcmp(&s, &same, sizeof(s)))
		abort();
	return 0;
}

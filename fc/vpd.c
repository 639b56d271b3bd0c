/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "vpd.h"

/* SPC-4 table 595 (designator type), the better the lower in this table. */
static const struct {
	uint8_t type;
	const char *prefix;
	int text; /* ASCII as it stands; else in hex */
} kinds[] = {{3, "naa.", 0}, {2, "eui.", 0}, {1, "t10.", 1}};

static int rank_of(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == type)
			return (int)i;
	return -1;
}

static void print(int rank, const uint8_t *id, size_t len, char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "%s", kinds[rank].prefix);

	for (size_t i = 0; i < len && n + 3 < size; i++) {
		if (kinds[rank].text)
			text[n++] = isgraph(id[i]) ? (char)id[i] : '_';
		else
			n += (size_t)snprintf(text + n, size - n, "%02x", id[i]);
	}
	text[n] = '\0';
}

int vpd83_designator(const uint8_t *page, size_t len, char *text, size_t size)
{
	int best = -1;
	size_t best_len = 0, end;

	text[0] = '\0';
	if (len < 4 || page[1] != 0x83)
		return -ENOENT;
	end = 4 + ((size_t)page[2] << 8 | page[3]);
	if (end > len)
		end = len;
	for (size_t at = 4; at + 4 <= end;) {
		const uint8_t *d = page + at;
		size_t id_len = d[3];
		int rank = rank_of(d[1] & 0x0f);

		if (at + 4 + id_len > end)
			break;
		/* association 0: the logical unit; the others name the port or the device */
		if ((d[1] >> 4 & 3) == 0 && rank >= 0 && id_len &&
		    (best < 0 || rank < best || (rank == best && id_len > best_len))) {
			best = rank;
			best_len = id_len;
			print(rank, d + 4, id_len, text, size);
		}
		at += 4 + id_len;
	}
	return best < 0 ? -ENOENT : 0;
}

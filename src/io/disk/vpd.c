/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vital product data: one row a page. */
#include <string.h>

#include "be.h"
#include "cleanup.h"
#include "disk_private.h"

#define PAGE_MAX 256

static size_t page_supported(const struct disk *d, uint8_t *b);

static size_t page_serial(const struct disk *d, uint8_t *b)
{
	size_t n = strlen(d->id.serial);

	memcpy(b, d->id.serial, n);
	return n;
}

/* SPC-4, 7.8.6: code set 1 is binary, 2 is ASCII; association 0 is the logical unit, 1 the target port. */
static size_t put_designator(uint8_t *b, unsigned code_set, unsigned association, unsigned type,
			     const void *value, size_t len)
{
	b[0] = (uint8_t)code_set;
	b[1] = (uint8_t)((association ? 0x80 : 0) | association << 4 | type);
	b[2] = 0;
	b[3] = (uint8_t)len;
	memcpy(b + 4, value, len);
	return len + 4;
}

static size_t page_identification(const struct disk *d, uint8_t *b)
{
	static const uint8_t first_port[] = {0, 0, 0, 1};
	uint8_t port[8], t10[8 + sizeof(d->id.serial)];
	size_t serial = strlen(d->id.serial), n = 0;

	n += put_designator(b + n, 1, 0, 3, d->id.naa, d->id.naa_len);
	memcpy(t10, d->id.vendor, 8);
	memcpy(t10 + 8, d->id.serial, serial);
	n += put_designator(b + n, 2, 0, 1, t10, 8 + serial);
	if (!d->id.target_port)
		return n;
	put_be64(d->id.target_port, port);
	n += put_designator(b + n, 1, 1, 3, port, sizeof(port));
	n += put_designator(b + n, 1, 1, 4, first_port, sizeof(first_port));
	return n;
}

/* SBC-3, 6.5.3 */
static size_t page_block_limits(const struct disk *d, uint8_t *b)
{
	uint32_t physical = 1u << d->physical_exponent;

	b[0] = 0x01; /* WSNZ: a WRITE SAME of "all the rest" is refused */
	b[1] = CAW_MAX_BLOCKS;
	put_be16((uint16_t)physical, b + 2); /* optimal transfer length granularity */
	put_be32(TRANSFER_MAX_BYTES >> d->block_shift, b + 4);
	put_be64(TRANSFER_MAX_BYTES >> d->block_shift, b + 32);
	if (!d->unmap)
		return 60;
	put_be32(UNMAP_MAX_BYTES >> d->block_shift, b + 16);
	put_be32(UNMAP_MAX_DESCRIPTORS, b + 20);
	put_be32(physical, b + 24); /* optimal unmap granularity */
	put_be32(UINT32_C(1) << 31, b + 28); /* UGAVALID, alignment 0 */
	return 60;
}

/* SBC-3, 6.5.2 */
static size_t page_characteristics(const struct disk *d, uint8_t *b)
{
	if (!d->rotational)
		b[1] = 1; /* non-rotating */
	return 60;
}

/* SBC-3, 6.5.5 */
static size_t page_provisioning(const struct disk *d, uint8_t *b)
{
	if (!d->unmap)
		return 4;
	b[1] = 0xe4; /* LBPU, LBPWS, LBPWS10, LBPRZ: what is unmapped reads as zeros */
	b[2] = 0x02; /* thin provisioned */
	return 4;
}

/* Each fills in what comes after the four bytes of header, over zeros, and returns its length. */
static const struct page {
	uint8_t code;
	size_t (*fill)(const struct disk *, uint8_t *);
} pages[] = {
	{0x00, page_supported},	   {0x80, page_serial},		 {0x83, page_identification},
	{0xb0, page_block_limits}, {0xb1, page_characteristics}, {0xb2, page_provisioning},
};

static size_t page_supported(const struct disk *d, uint8_t *b)
{
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		b[i] = pages[i].code;
	return ARRAY_SIZE(pages);
}

enum disk_next inquiry_vpd(struct cmd *c)
{
	uint8_t b[PAGE_MAX] = {0};
	size_t n;

	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		if (pages[i].code != c->t->cdb[2])
			continue;
		n = pages[i].fill(c->d, b + 4);
		b[1] = pages[i].code;
		put_be16((uint16_t)n, b + 2);
		return cmd_answer(c, b, n + 4, get_be16(c->t->cdb + 3));
	}
	return cmd_bad_cdb(c, 2, 7);
}

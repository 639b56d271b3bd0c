/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <string.h>

#include "be.h"
#include "blk_facts.h"
#include "lun.h"
#include "task.h"
#include "virtqueue.h"

#define BIT(n) (UINT64_C(1) << (n))
#define PAGE_SERIAL 0x80
#define PAGE_LIMITS 0xb0
#define PAGE_PROVISIONING 0xb2
#define PAGE_MAX 252 /* more than a page in use has */
/*
 * A request of so many pieces of such a size is no larger than what a command may have that waits for a
 * thread (TASK_BOUNCE_MAX); with header and status its chain is one that any ring takes.
 */
#define SEG_MAX (VQ_INDIRECT_MIN - 2)
#define SIZE_MAX_BYTES (32u << 10)

_Static_assert(SEG_MAX *SIZE_MAX_BYTES <= TASK_BOUNCE_MAX, "no request is larger than what is made room for");

/* A page of vital product data, zeros after its end. */
static void vpd(struct unit *u, uint64_t nexus, uint8_t code, uint8_t page[PAGE_MAX])
{
	struct iovec in = {page, PAGE_MAX};
	struct scsi_task t = {.cdb = {0x12, 0x01, code, 0, PAGE_MAX},
			      .cdb_len = 6,
			      .in = &in,
			      .in_n = 1,
			      .in_len = PAGE_MAX};
	struct disk_io io;
	size_t end;

	memset(page, 0, PAGE_MAX);
	if (u->ops->begin(u, nexus, &t, &io) == DISK_BLOCKING)
		u->ops->run(u, nexus, &t);
	end = t.status == SCSI_GOOD && t.moved >= 4 && page[1] == code ? 4u + get_be16(page + 2) : 0;
	if (end > t.moved)
		end = t.moved;
	if (end < PAGE_MAX)
		memset(page + end, 0, PAGE_MAX - end);
}

static uint32_t to_sectors(const struct blk_facts *f, uint64_t blocks)
{
	uint64_t per_block = f->block / BLK_SECTOR;

	/* whole blocks, also where 32 bits cut it */
	return blocks < UINT32_MAX / per_block ? (uint32_t)(blocks * per_block)
					       : (uint32_t)(UINT32_MAX / per_block * per_block);
}

bool blk_resize(struct blk_facts *f, const struct lun *l)
{
	uint64_t now = htole64(l->unit->ops->blocks(l->unit) * (f->block / BLK_SECTOR));
	bool other = f->config.capacity != now;

	f->config.capacity = now;
	return other;
}

/* The last characters are those that differ among many of one make. */
static void set_id(struct blk_facts *f, const uint8_t *page)
{
	size_t len = get_be16(page + 2);
	const uint8_t *text = page + 4;

	if (len > PAGE_MAX - 4)
		len = PAGE_MAX - 4;
	for (; len && (*text == ' ' || !*text); len--)
		text++;
	while (len && (text[len - 1] == ' ' || !text[len - 1]))
		len--;
	if (len > sizeof(f->id)) {
		text += len - sizeof(f->id);
		len = sizeof(f->id);
	}
	memset(f->id, 0, sizeof(f->id));
	memcpy(f->id, text, len);
}

/* SBC-3, 6.5.3 and 6.5.5 */
static void set_provisioning(struct blk_facts *f, const uint8_t *limits, const uint8_t *thin)
{
	uint32_t unmap = get_be32(limits + 20), ranges = get_be32(limits + 24), step = get_be32(limits + 28);
	uint64_t same = get_be64(limits + 36);
	bool reads_zeros = thin[5] & 0x1c;

	if ((thin[5] & 0x80) && unmap && ranges) { /* LBPU */
		f->features |= BIT(VIRTIO_BLK_F_DISCARD);
		f->discard_max = to_sectors(f, unmap);
		f->config.max_discard_sectors = htole32(f->discard_max);
		f->config.max_discard_seg = htole32(1);
		f->config.discard_sector_alignment = htole32(to_sectors(f, step ? step : 1));
	}
	if (same) {
		f->features |= BIT(VIRTIO_BLK_F_WRITE_ZEROES);
		f->zeroes_max = to_sectors(f, same);
		f->zeroes_unmap = (thin[5] & 0x40) && reads_zeros; /* LBPWS */
		f->config.max_write_zeroes_sectors = htole32(f->zeroes_max);
		f->config.max_write_zeroes_seg = htole32(1);
		f->config.write_zeroes_may_unmap = f->zeroes_unmap;
	}
}

void blk_learn(struct blk_facts *f, const struct lun *l, uint64_t nexus, unsigned queues)
{
	struct unit *u = l->unit;
	uint8_t limits[PAGE_MAX], page[PAGE_MAX];

	memset(f, 0, sizeof(*f));
	f->block = u->block_size;
	f->features = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_BLK_SIZE) |
		      BIT(VIRTIO_BLK_F_TOPOLOGY) | BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_MQ);
	f->config.size_max = htole32(SIZE_MAX_BYTES);
	f->config.seg_max = htole32(SEG_MAX);
	f->config.blk_size = htole32(u->block_size);
	f->config.physical_block_exp = (uint8_t)u->physical_exponent;
	f->config.wce = 1;
	f->config.num_queues = htole16((uint16_t)queues);
	vpd(u, nexus, PAGE_LIMITS, limits);
	f->config.min_io_size = htole16(get_be16(limits + 6));
	f->config.opt_io_size = htole32(get_be32(limits + 12));
	vpd(u, nexus, PAGE_SERIAL, page);
	set_id(f, page);
	vpd(u, nexus, PAGE_PROVISIONING, page);
	if (u->read_only)
		f->features |= BIT(VIRTIO_BLK_F_RO);
	else
		set_provisioning(f, limits, page);
	blk_resize(f, l);
}

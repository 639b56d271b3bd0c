/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <string.h>

#include "be.h"
#include "cleanup.h"
#include "iov.h"
#include "scsi_sense.h"
#include "virtio_blk.h"

#define FUA 0x08
#define UNMAP 0x08

#define UNMAP_LIST 24 /* a header, and one descriptor */

_Static_assert(TASK_PARAMETERS >= UNMAP_LIST, "a task has room for the parameter list");

/* ---- from the ring ---- */

const char *vblk_parse(struct io_task *t, const struct vq_chain *c)
{
	struct iovec *out = c->iov, *in = c->iov + c->out_n, *last = in + c->in_n - 1;
	unsigned out_n = c->out_n;

	if (c->out_len < sizeof(struct virtio_blk_outhdr) || !c->in_len)
		return "a request is shorter than its headers";
	iov_get(out, out_n, &t->blk, sizeof(t->blk));
	iov_take(&out, &out_n, sizeof(t->blk), NULL, NULL, 0);
	t->response[0] = (struct iovec){(uint8_t *)last->iov_base + last->iov_len - 1, 1};
	t->response_n = 1;
	last->iov_len--;
	t->head = c->head;
	t->tag = c->head;
	t->tries = 0;
	t->verdict = VIRTIO_BLK_S_OK;
	t->scsi = (struct scsi_task){
		.out = out,
		.out_n = out_n,
		.out_len = c->out_len - sizeof(t->blk),
		.in = in,
		.in_n = c->in_n - !last->iov_len,
		.in_len = c->in_len - 1,
	};
	return NULL;
}

/* ---- one function a request: the verdict, if it isn't VIRTIO_BLK_S_OK, ends it ---- */

struct request {
	struct io_task *task;
	const struct blk_facts *facts;
	uint64_t features, sector;
};

static void set_cdb(struct io_task *t, uint8_t opcode, uint8_t flags, uint64_t lba, uint32_t blocks)
{
	memset(t->scsi.cdb, 0, sizeof(t->scsi.cdb));
	t->scsi.cdb[0] = opcode;
	t->scsi.cdb[1] = flags;
	put_be64(lba, t->scsi.cdb + 2);
	put_be32(blocks, t->scsi.cdb + 10);
	t->scsi.cdb_len = 16;
}

/* Sectors as blocks; false: they aren't whole ones. */
static bool to_blocks(const struct blk_facts *f, uint64_t *sector, uint64_t *n)
{
	uint64_t per_block = f->block / BLK_SECTOR;

	if (*sector % per_block || *n % per_block)
		return false;
	*sector /= per_block;
	*n /= per_block;
	return *n <= UINT32_MAX;
}

static uint8_t transfer(const struct request *r, uint8_t opcode, uint8_t flags, size_t len)
{
	uint64_t lba = r->sector, n = len / BLK_SECTOR;

	if (len % BLK_SECTOR || !to_blocks(r->facts, &lba, &n))
		return VIRTIO_BLK_S_IOERR;
	set_cdb(r->task, opcode, flags, lba, (uint32_t)n);
	return VIRTIO_BLK_S_OK;
}

static uint8_t read_request(const struct request *r)
{
	const struct scsi_task *s = &r->task->scsi;

	return s->out_len ? VIRTIO_BLK_S_IOERR : transfer(r, 0x88, 0, s->in_len);
}

/* To a driver that doesn't flush, what is written is on stable storage once it has ended
 * (virtio 1.1, 5.2.6.2). */
static uint8_t write_request(const struct request *r)
{
	const struct scsi_task *s = &r->task->scsi;
	uint8_t flags = r->features >> VIRTIO_BLK_F_FLUSH & 1 ? 0 : FUA;

	return s->in_len ? VIRTIO_BLK_S_IOERR : transfer(r, 0x8a, flags, s->out_len);
}

static uint8_t flush_request(const struct request *r)
{
	struct scsi_task *s = &r->task->scsi;

	s->out_n = s->in_n = 0;
	s->out_len = s->in_len = 0;
	set_cdb(r->task, 0x91, 0, 0, 0);
	return VIRTIO_BLK_S_OK;
}

/* The one range of a DISCARD or WRITE ZEROES. */
static uint8_t range_of(const struct request *r, uint32_t max, uint32_t flags_known, uint32_t *flags,
			uint64_t *lba, uint64_t *n)
{
	struct virtio_blk_discard_write_zeroes d;
	struct scsi_task *s = &r->task->scsi;

	if (!max)
		return VIRTIO_BLK_S_UNSUPP;
	if (s->in_len || s->out_len < sizeof(d) || s->out_len % sizeof(d))
		return VIRTIO_BLK_S_IOERR;
	iov_get(s->out, s->out_n, &d, sizeof(d));
	*flags = le32toh(d.flags);
	*lba = le64toh(d.sector);
	*n = le32toh(d.num_sectors);
	if (s->out_len > sizeof(d) || (*flags & ~flags_known))
		return VIRTIO_BLK_S_UNSUPP;
	if (*n > max || !to_blocks(r->facts, lba, n))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

/* Data-Out that aren't the guest's. */
static void set_out(struct io_task *t, const void *data, size_t len)
{
	t->own = (struct iovec){(void *)(uintptr_t)data, len};
	t->scsi.out = &t->own;
	t->scsi.out_n = 1;
	t->scsi.out_len = len;
}

/* SBC-3, 5.28. A range without blocks is one that UNMAP knows too. */
static uint8_t discard_request(const struct request *r)
{
	struct io_task *t = r->task;
	uint64_t lba, n;
	uint32_t flags;
	uint8_t verdict = range_of(r, r->facts->discard_max, 0, &flags, &lba, &n);

	if (verdict)
		return verdict;
	memset(t->parameters, 0, sizeof(t->parameters));
	put_be16(UNMAP_LIST - 2, t->parameters);
	put_be16(UNMAP_LIST - 8, t->parameters + 2);
	put_be64(lba, t->parameters + 8);
	put_be32((uint32_t)n, t->parameters + 16);
	set_out(t, t->parameters, UNMAP_LIST);
	memset(t->scsi.cdb, 0, sizeof(t->scsi.cdb));
	t->scsi.cdb[0] = 0x42;
	put_be16(UNMAP_LIST, t->scsi.cdb + 7);
	t->scsi.cdb_len = 10;
	return VIRTIO_BLK_S_OK;
}

/* SBC-3, 5.44. To WRITE SAME no blocks are all the rest of them: those who ask for none get FLUSH instead. */
static uint8_t zeroes_request(const struct request *r)
{
	static const uint8_t zeros[4096];
	uint64_t lba, n;
	uint32_t flags;
	uint8_t verdict = range_of(r, r->facts->zeroes_max, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP, &flags, &lba,
				   &n);

	if (verdict)
		return verdict;
	if (!n)
		return flush_request(r);
	set_out(r->task, zeros, r->facts->block);
	set_cdb(r->task, 0x93, flags && r->facts->zeroes_unmap ? UNMAP : 0, lba, (uint32_t)n);
	return VIRTIO_BLK_S_OK;
}

static const struct {
	uint32_t type;
	uint8_t (*translate)(const struct request *);
} requests[] = {
	{VIRTIO_BLK_T_IN, read_request},
	{VIRTIO_BLK_T_OUT, write_request},
	{VIRTIO_BLK_T_FLUSH, flush_request},
	{VIRTIO_BLK_T_DISCARD, discard_request},
	{VIRTIO_BLK_T_WRITE_ZEROES, zeroes_request},
};

static bool get_id(struct io_task *t, const struct blk_facts *f)
{
	t->scsi.moved = iov_put(t->scsi.in, t->scsi.in_n, f->id, sizeof(f->id));
	t->scsi.in_len = t->scsi.moved;
	return false;
}

bool vblk_translate(struct io_task *t, const struct blk_facts *f, uint64_t features)
{
	struct request r = {t, f, features, le64toh(t->blk.sector)};
	uint32_t type = le32toh(t->blk.type);

	if (type == VIRTIO_BLK_T_GET_ID)
		return get_id(t, f);
	t->verdict = VIRTIO_BLK_S_UNSUPP;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		if (requests[i].type == type)
			t->verdict = requests[i].translate(&r);
	return t->verdict == VIRTIO_BLK_S_OK;
}

/* ---- to the ring ---- */

static uint8_t verdict_of(const struct io_task *t)
{
	const struct scsi_task *s = &t->scsi;
	enum scsi_asc asc;

	if (t->verdict != VIRTIO_BLK_S_OK)
		return t->verdict;
	if (s->status == SCSI_GOOD)
		return s->overrun || s->moved < s->in_len ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	if (s->status == SCSI_CHECK_CONDITION &&
	    scsi_sense_read(s->sense, s->sense_len, &asc) == KEY_ILLEGAL_REQUEST && asc == ASC_INVALID_OPCODE)
		return VIRTIO_BLK_S_UNSUPP;
	return VIRTIO_BLK_S_IOERR;
}

uint32_t vblk_answer(const struct io_task *t)
{
	const struct scsi_task *s = &t->scsi;
	uint8_t verdict = verdict_of(t);
	size_t moved = s->moved < s->in_len ? s->moved : s->in_len;

	iov_put(t->response, t->response_n, &verdict, sizeof(verdict));
	/* the status is behind the data: with less than all of them it isn't among the bytes that count */
	if (moved == s->in_len)
		moved++;
	return moved < UINT32_MAX ? (uint32_t)moved : UINT32_MAX;
}

enum again vblk_again(const struct io_task *t)
{
	const struct scsi_task *s = &t->scsi;
	enum scsi_asc asc;

	if (t->verdict != VIRTIO_BLK_S_OK)
		return AGAIN_NEVER;
	if (s->status == SCSI_BUSY || s->status == SCSI_TASK_SET_FULL || s->status == SCSI_TASK_ABORTED)
		return AGAIN_LATER;
	if (s->status == SCSI_CHECK_CONDITION &&
	    scsi_sense_read(s->sense, s->sense_len, &asc) == KEY_UNIT_ATTENTION)
		return AGAIN_AT_ONCE;
	return AGAIN_NEVER;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "be.h"
#include "cleanup.h"
#include "extent.h"
#include "log.h"
#include "pass_private.h"
#include "repeat.h"
#include "task.h"

#define PROTECT 0xe0 /* RDPROTECT, WRPROTECT */
#define FUA 0x08

/* ---- which commands io_uring does ---- */

static const struct {
	uint8_t opcode;
	bool write;
} transfers[] = {
	{0x08, false}, {0x28, false}, {0xa8, false}, {0x88, false}, /* READ(6), (10), (12), (16) */
	{0x0a, true},  {0x2a, true},  {0xaa, true},  {0x8a, true}, /* WRITE */
};

bool transfer_of(const struct pass *p, const struct scsi_task *t, struct transfer *r)
{
	unsigned i = 0;

	while (i < ARRAY_SIZE(transfers) && transfers[i].opcode != t->cdb[0])
		i++;
	if (i == ARRAY_SIZE(transfers))
		return false;
	r->write = transfers[i].write;
	r->flags = t->cdb_len > 6 ? t->cdb[1] : 0;
	r->x = extent_of(t->cdb);
	r->length = r->x.n << p->block_shift;
	return r->x.n && !(r->flags & PROTECT);
}

/* Once an attention waits, anything but what may pass ends with it (SAM-5, 5.14). */
static bool attention_taken(struct pass *p, struct scsi_task *t)
{
	unsigned waiting = atomic_load(&p->attentions), first;

	if (!waiting || t->cdb[0] == 0x03 || t->cdb[0] == 0x12 || t->cdb[0] == 0xa0)
		return false;
	do {
		if (!waiting)
			return false;
		first = (unsigned)__builtin_ctz(waiting);
	} while (!atomic_compare_exchange_weak(&p->attentions, &waiting, waiting & ~(1u << first)));
	scsi_check(t, false, KEY_UNIT_ATTENTION, disk_attention_asc((enum disk_attention)first), NULL);
	return true;
}

static void set_io(const struct pass *p, struct disk_io *io, const struct transfer *r,
		   const struct path *path)
{
	*io = (struct disk_io){.op = r->write ? DISK_OP_WRITE : DISK_OP_READ,
			       .fd = path->sd,
			       .flags = r->write && (r->flags & FUA) ? DISK_IO_FUA : 0,
			       .offset = r->x.lba << p->block_shift,
			       .length = r->length};
}

static enum disk_next by_sg(struct scsi_task *t, const struct transfer *r)
{
	if (r->write || r->length <= TASK_BOUNCE_MAX)
		return DISK_BLOCKING;
	scsi_check(t, false, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, NULL);
	return DISK_DONE;
}

static enum disk_next begin(struct unit *u, uint64_t nexus, struct scsi_task *t, struct disk_io *io)
{
	struct pass *p = pass_of(u);
	uint64_t blocks = atomic_load_explicit(&p->blocks, memory_order_relaxed);
	struct transfer r;

	scsi_begin(t);
	if (p->unit.absent) {
		t->lost = p->unit.one_path;
		repeat_cut_off(t, false, false);
		return DISK_DONE;
	}
	if (attention_taken(p, t))
		return DISK_DONE;
	if (!transfer_of(p, t, &r))
		return DISK_BLOCKING;
	if (r.length > (r.write ? t->out_len : t->in_len)) {
		t->overrun = true;
		scsi_end(t, SCSI_GOOD);
		return DISK_DONE;
	}
	/* what the kernel doesn't know of, the target may; and it has no way to ask for a read of the medium
	 */
	if (r.x.lba > blocks || r.x.n > blocks - r.x.lba || (!r.write && (r.flags & FUA)))
		return by_sg(t, &r);
	set_io(p, io, &r, paths_choose(&p->paths, 0));
	return DISK_IO;
}

/* No target has answered: by this path none would say more. The others were for want of memory, or called
 * back. */
static const struct {
	int error;
	bool path;
} unanswered[] = {
	{ECANCELED, false}, {EAGAIN, false}, {ENOMEM, false},	{ENOBUFS, false},  {ENODEV, true},
	{ENXIO, true},	    {ENOLINK, true}, {ETIMEDOUT, true}, {ESHUTDOWN, true},
};

static struct path *path_of_fd(struct pass *p, int fd)
{
	unsigned i = 0;

	while (i + 1 < p->paths.n && p->paths.path[i].sd != fd)
		i++;
	return &p->paths.path[i];
}

/* All of it again by another path, if there is one: READ and WRITE may be repeated. */
static bool elsewhere(struct pass *p, const struct scsi_task *t, struct disk_io *io, bool lost)
{
	struct path *path = path_of_fd(p, io->fd), *next;
	uint32_t tried = io->tried | path_bit(&p->paths, path);
	struct transfer r;

	paths_rank(&p->paths);
	/* a port that takes no commands now is not the end of the path */
	if (lost || !path_stands_by(path))
		path_lost(path, NULL);
	next = paths_choose(&p->paths, tried);
	if (!next || !transfer_of(p, t, &r))
		return false;
	set_io(p, io, &r, next);
	io->tried = tried;
	return true;
}

static enum disk_next end(struct unit *u, struct scsi_task *t, struct disk_io *io, int64_t result)
{
	uint64_t done = result > 0 ? (uint64_t)result : 0;
	struct pass *p = pass_of(u);

	if (result == -EINTR)
		return DISK_IO;
	if (done > io->length)
		done = io->length;
	io->skip += done;
	io->offset += done;
	io->length -= done;
	if (done) {
		path_answers(path_of_fd(p, io->fd));
		t->moved = io->skip;
		scsi_end(t, SCSI_GOOD);
		return io->length ? DISK_IO : DISK_DONE;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(unanswered); i++) {
		if (result != -unanswered[i].error)
			continue;
		if (unanswered[i].path && elsewhere(p, t, io, true))
			return DISK_IO;
		t->lost = unanswered[i].path && p->unit.one_path;
		repeat_cut_off(t, true, false);
		return DISK_DONE;
	}
	/* Timeouts come as this one, too: before this path is asked why, which may take as long, the others
	 * do it. */
	if (result == -EIO && p->paths.n > 1 && elsewhere(p, t, io, false))
		return DISK_IO;
	return DISK_BLOCKING;
}

/* ---- the rest of a unit ---- */

static bool descriptor_sense(const struct unit *u)
{
	return false; /* only the target knows what was asked for; initiators have to take both */
}

static uint64_t blocks(const struct unit *u)
{
	return atomic_load(&((const struct pass *)u)->blocks);
}

static void attention(struct unit *u, uint64_t nexus, enum disk_attention what)
{
	atomic_fetch_or(&pass_of(u)->attentions, 1u << what);
}

/* As the host's kernel has it of that path. 0: it isn't to be had. */
static uint64_t blocks_of(const struct pass *p, const struct path *path)
{
	struct stat st;
	uint64_t bytes;

	if (fstat(path->sd, &st) || !S_ISBLK(st.st_mode) || ioctl(path->sd, BLKGETSIZE64, &bytes))
		return 0;
	return bytes >> p->block_shift;
}

/*
 * A path whose size is another than it was has been told of it, by a unit attention that the kernel has taken
 * and the guest hasn't seen; the others may not have been told yet.
 */
static int resized(struct unit *u)
{
	struct pass *p = pass_of(u);
	uint64_t was = atomic_load(&p->blocks), now = was;

	for (unsigned i = 0; i < p->paths.n; i++) {
		uint64_t n = blocks_of(p, &p->paths.path[i]);

		if (n && n != p->seen[i])
			now = p->seen[i] = n;
	}
	if (now == was)
		return 0;
	atomic_store(&p->blocks, now);
	attention(u, 0, DISK_UA_CAPACITY_CHANGED);
	return 1;
}

/* What the target keeps, it has kept. */
static int start(struct unit *u, enum disk_start how, struct verror *e)
{
	u->resized = resized(u) && how == DISK_RESUMED;
	paths_rank(&pass_of(u)->paths);
	return 0;
}

static void reset(struct unit *u, uint64_t nexus, enum disk_reset kind)
{
	attention(u, nexus, kind == DISK_RESET_LUN ? DISK_UA_LUN_RESET : DISK_UA_NEXUS_LOSS);
}

static int save(struct unit *u)
{
	return 0;
}

static void close_pass(struct unit *u)
{
	for (unsigned i = 0; i < pass_of(u)->paths.n; i++)
		path_close(&pass_of(u)->paths.path[i]);
	free(u);
}

static const struct unit_ops ops = {
	.start = start,
	.begin = begin,
	.end = end,
	.run = pass_run,
	.way = pass_way,
	.answered = pass_answered,
	.descriptor_sense = descriptor_sense,
	.blocks = blocks,
	.resized = resized,
	.reset = reset,
	.attention = attention,
	.save = save,
	.close = close_pass,
};

static void set_unit(struct unit *u, int sd, uint32_t block_size)
{
	int flags = fcntl(sd, F_GETFL);
	unsigned physical;

	*u = (struct unit){.ops = &ops, .fd = sd, .block_size = block_size};
	u->read_only = flags >= 0 && (flags & O_ACCMODE) == O_RDONLY;
	if (!ioctl(sd, BLKPBSZGET, &physical))
		while (u->physical_exponent < 7 && block_size << (u->physical_exponent + 1) <= physical)
			u->physical_exponent++;
}

struct unit *pass_new(const struct paths *paths, uint32_t block_size, uint64_t bytes)
{
	struct pass *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (!paths->n) {
		p->unit = (struct unit){.ops = &ops, .fd = -1, .absent = true, .paths = &p->paths};
		return &p->unit;
	}
	set_unit(&p->unit, paths->path[0].sd, block_size);
	memcpy(&p->paths, paths, sizeof(p->paths)); /* nobody else has them yet */
	for (unsigned i = 0; i < paths->n; i++)
		p->unit.lock[p->unit.locks++] = paths->path[i].sd;
	for (unsigned i = 0; i < paths->n; i++)
		if (paths->path[i].bsg >= 0)
			p->unit.lock[p->unit.locks++] = paths->path[i].bsg;
	p->unit.paths = &p->paths;
	p->block_shift = (unsigned)__builtin_ctz(block_size);
	atomic_store(&p->blocks, bytes >> p->block_shift);
	for (unsigned i = 0; i < paths->n; i++)
		p->seen[i] = blocks_of(p, &p->paths.path[i]);
	paths_rank(&p->paths);
	return &p->unit;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* READ, WRITE, SYNCHRONIZE CACHE and PRE-FETCH: what the caller's ring does, or at most a hint. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "disk_private.h"
#include "scsi_data.h"

#define NO_GATE UINT32_MAX

static bool fua(const struct cmd *c)
{
	return c->op->cdb_len > 6 && (c->t->cdb[1] & 0x08);
}

/* Is there anything to move? false: the task has ended. */
static bool checked(struct cmd *c, struct extent *x, bool write)
{
	*x = extent_of(c->t->cdb);
	if (c->op->cdb_len > 6 &&
	    (c->t->cdb[1] & 0xe0)) { /* RDPROTECT, WRPROTECT: no protection information */
		cmd_bad_cdb(c, 1, 7);
		return false;
	}
	if (!extent_check(c, *x) || !extent_limit(c, *x) || !cmd_room(c, write, x->n << c->d->block_shift))
		return false;
	if (!x->n)
		cmd_good(c);
	return x->n;
}

/* All but the gate's token. */
static void set_io(const struct disk *d, struct disk_io *io, enum disk_op op, struct extent x)
{
	io->op = op;
	io->fd = d->fd;
	io->flags = 0;
	io->offset = x.lba << d->block_shift;
	io->length = x.n << d->block_shift;
	io->skip = 0;
}

static enum disk_next begin(struct cmd *c, bool write)
{
	struct disk *d = c->d;
	struct disk_io *io = c->io;
	struct extent x;

	if (!checked(c, &x, write))
		return DISK_DONE;
	if (!gate_try(&d->gate, x.lba, x.n, &io->gate))
		return DISK_BLOCKING;
	/* Looked at again inside the gate: PREEMPT AND ABORT forbids first, and then waits for the gate. */
	if (nexus_conflicts(c->nexus, (enum op_access)c->op->access)) {
		gate_leave(&d->gate, io->gate);
		scsi_end(c->t, SCSI_RESERVATION_CONFLICT);
		return DISK_DONE;
	}
	if (write) {
		set_io(d, io, DISK_OP_WRITE, x);
		if (fua(c) || !disk_mode(d, MODE_WCE))
			io->flags = DISK_IO_FUA;
	} else if (fua(c) && !d->read_only) {
		/* What is read has to be on the medium: the flush comes first, and disk_end goes on with the
		 * read. */
		set_io(d, io, DISK_OP_FSYNC, (struct extent){0});
	} else {
		set_io(d, io, DISK_OP_READ, x);
	}
	return DISK_IO;
}

enum disk_next begin_read(struct cmd *c)
{
	return begin(c, false);
}

enum disk_next begin_write(struct cmd *c)
{
	return begin(c, true);
}

enum disk_next rw_flush(struct cmd *c)
{
	*c->io = (struct disk_io){.op = DISK_OP_FSYNC, .fd = c->d->fd, .gate = NO_GATE};
	return DISK_IO;
}

/* All of the file is flushed, whatever the range; with IMMED too, which allows an early answer but asks for
 * none. */
enum disk_next begin_sync(struct cmd *c)
{
	if (!extent_check(c, extent_of(c->t->cdb)))
		return DISK_DONE;
	return c->d->read_only ? cmd_good(c) : rw_flush(c);
}

enum disk_next begin_prefetch(struct cmd *c)
{
	struct extent x = extent_of(c->t->cdb);

	return extent_check(c, x) ? cmd_good(c) : DISK_DONE;
}

static enum disk_next ended(struct disk *d, const struct disk_io *io, enum disk_next next)
{
	if (io->gate != NO_GATE)
		gate_leave(&d->gate, io->gate);
	return next;
}

enum disk_next disk_end(struct disk *d, struct scsi_task *t, struct disk_io *io, int64_t result)
{
	struct cmd c = {.d = d, .t = t, .io = io};
	uint64_t done = result > 0 ? (uint64_t)result : 0;

	if (result == -EINTR)
		return DISK_IO;
	if (done > io->length)
		done = io->length;
	t->moved = io->skip + done;
	/* Nothing where something should be: the file has become shorter under the disk. */
	if (result < 0 || (!done && io->length)) {
		cmd_errno(&c, result < 0 ? (int)-result : EIO, io->op != DISK_OP_READ,
			  io->op == DISK_OP_FSYNC ? UINT64_MAX : io->offset >> d->block_shift);
		return ended(d, io, DISK_DONE);
	}
	io->skip += done;
	io->offset += done;
	io->length -= done;
	if (io->op == DISK_OP_FSYNC &&
	    io->gate != NO_GATE) /* the flush before a read: only that passed the gate */
		set_io(d, io, DISK_OP_READ, extent_of(t->cdb));
	if (io->length)
		return DISK_IO;
	cmd_good(&c);
	return ended(d, io, DISK_DONE);
}

/* One piece after the other through a buffer: the iovecs needn't suit O_DIRECT. */
static int move_read(struct cmd *c, struct extent x, uint8_t *buf)
{
	uint64_t at = x.lba << c->d->block_shift, left = x.n << c->d->block_shift;
	size_t part;
	int rc;

	for (; left; left -= part, at += part) {
		part = left < FILE_CHUNK ? left : FILE_CHUNK;
		rc = file_read(c->d, at, buf, part);
		if (rc)
			return rc;
		/* The caller's buffer may be smaller than the guest's: later, when the range is free, it
		 * isn't needed. */
		if (scsi_data_in(c->t, c->t->moved, buf, part) != part)
			return -EAGAIN;
		c->t->moved += part;
	}
	return 0;
}

static int move_write(struct cmd *c, struct extent x, uint8_t *buf, bool stable)
{
	uint64_t at = x.lba << c->d->block_shift, left = x.n << c->d->block_shift;
	size_t part;
	int rc;

	for (; left; left -= part, at += part) {
		part = left < FILE_CHUNK ? left : FILE_CHUNK;
		if (scsi_data_out(c->t, c->t->moved, buf, part) != part)
			return -EFAULT;
		rc = file_write(c->d, at, buf, part, stable);
		if (rc)
			return rc;
		c->t->moved += part;
	}
	return 0;
}

static void run(struct cmd *c, bool write)
{
	uint8_t *buf;
	uint32_t token;
	struct extent x;
	int rc = 0;

	if (!checked(c, &x, write))
		return;
	buf = file_buffer(FILE_CHUNK);
	if (!buf) {
		scsi_end(c->t, SCSI_BUSY);
		return;
	}
	if (extent_enter(c, x, &token)) {
		if (write)
			rc = move_write(c, x, buf, fua(c) || !disk_mode(c->d, MODE_WCE));
		else if (fua(c) && !c->d->read_only)
			rc = file_flush(c->d);
		if (!rc && !write)
			rc = move_read(c, x, buf);
		gate_leave(&c->d->gate, token);
		if (rc)
			cmd_errno(c, -rc, write, x.lba);
		else
			cmd_good(c);
	}
	free(buf);
}

void run_read(struct cmd *c)
{
	run(c, false);
}

void run_write(struct cmd *c)
{
	run(c, true);
}

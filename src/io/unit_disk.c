/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk as a unit. */
#include <stdlib.h>

#include "unit.h"

struct unit_disk {
	struct unit unit;
	struct disk *disk;
};

static struct disk *disk_of(const struct unit *u)
{
	return ((const struct unit_disk *)u)->disk;
}

static int start(struct unit *u, enum disk_start how, struct verror *e)
{
	int err = disk_start(disk_of(u), how, e);

	u->resized = !err && disk_was_resized(disk_of(u));
	return err;
}

static enum disk_next begin(struct unit *u, uint64_t nexus, struct scsi_task *t, struct disk_io *io)
{
	return disk_begin(disk_of(u), nexus, t, io);
}

static enum disk_next end(struct unit *u, struct scsi_task *t, struct disk_io *io, int64_t result)
{
	return disk_end(disk_of(u), t, io, result);
}

static void run(struct unit *u, uint64_t nexus, struct scsi_task *t)
{
	disk_run(disk_of(u), nexus, t);
}

static bool descriptor_sense(const struct unit *u)
{
	return disk_descriptor_sense(disk_of(u));
}

static uint64_t blocks(const struct unit *u)
{
	return disk_blocks(disk_of(u));
}

static int resized(struct unit *u)
{
	return disk_resized(disk_of(u));
}

static void reset(struct unit *u, uint64_t nexus, enum disk_reset kind)
{
	disk_reset(disk_of(u), nexus, kind);
}

static void attention(struct unit *u, uint64_t nexus, enum disk_attention what)
{
	disk_attention(disk_of(u), nexus, what);
}

static int save(struct unit *u)
{
	return disk_save(disk_of(u));
}

static void close_disk(struct unit *u)
{
	disk_close(disk_of(u));
	free(u);
}

static const struct unit_ops ops = {
	.start = start,
	.begin = begin,
	.end = end,
	.run = run,
	.descriptor_sense = descriptor_sense,
	.blocks = blocks,
	.resized = resized,
	.reset = reset,
	.attention = attention,
	.save = save,
	.close = close_disk,
};

struct unit *unit_of_disk(struct disk *d, const struct disk_config *c)
{
	struct unit_disk *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->unit = (struct unit){.ops = &ops,
				.fd = c->fd,
				.block_size = c->block_size,
				.physical_exponent = c->physical_exponent,
				.read_only = c->read_only,
				.keeps_state = c->state_fd >= 0,
				.lock = {c->fd},
				.locks = 1};
	u->disk = d;
	return &u->unit;
}

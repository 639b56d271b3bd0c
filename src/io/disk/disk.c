/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "disk_private.h"

static int refuse(struct verror *e, const char *what, const char *expected)
{
	int rc = verror_set(e, VHBA_E_USAGE, "%s", what);

	verror_expected(e, "%s", expected);
	return rc;
}

static int check_config(const struct disk_config *c, struct verror *e)
{
	unsigned naa = c->naa[0] >> 4;

	if (c->block_size < 512 || c->block_size > 4096 || (c->block_size & (c->block_size - 1)))
		return refuse(e, "the disk's block size is not possible", "512, 1024, 2048 or 4096 bytes");
	if (c->physical_exponent > 7)
		return refuse(e, "the disk's physical block is too large", "at most 128 logical blocks");
	if (c->naa_len != (naa == 6 ? 16 : 8) || (naa != 2 && naa != 3 && naa != 5 && naa != 6))
		return refuse(e, "the disk's designator is not an NAA name",
			      "NAA 2, 3 or 5 of 8 bytes, or 6 of 16 bytes");
	return 0;
}

/* Text of an INQUIRY field: what is not printable ASCII becomes a space (SPC-4, 4.3.1). */
static void set_text(char *to, size_t size, const char *from, bool pad)
{
	size_t i;

	for (i = 0; i + 1 < size && from && from[i]; i++)
		to[i] = from[i] >= 0x20 && from[i] < 0x7f ? from[i] : ' ';
	while (pad && i + 1 < size)
		to[i++] = ' ';
	to[i] = '\0';
}

static void set_identity(struct disk_identity *id, const struct disk_config *c)
{
	memcpy(id->naa, c->naa, c->naa_len);
	id->naa_len = c->naa_len;
	id->target_port = c->target_port;
	set_text(id->serial, sizeof(id->serial), c->serial, false);
	set_text(id->vendor, sizeof(id->vendor), c->vendor, true);
	set_text(id->product, sizeof(id->product), c->product, true);
	set_text(id->revision, sizeof(id->revision), c->revision, true);
}

/*
 * Does the file system punch holes? Asked far past the end of a file, where nothing can be lost; a block
 * device would say the same for any hole there, so its opener has to know.
 */
static bool can_punch(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return true;
	return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (st.st_size | 0xfff) + 1, 4096);
}

struct disk *disk_open(const struct disk_config *c, struct verror *e)
{
	struct disk *d;
	uint64_t bytes;
	int rc;

	if (check_config(c, e))
		return NULL;
	rc = file_size(c->fd, &bytes);
	if (rc) {
		verror_set(e, VHBA_E_IO, "can't read the disk's size: %s", strerror(-rc));
		verror_expected(e, "a regular file or a block device");
		return NULL;
	}
	d = aligned_alloc(_Alignof(struct disk), sizeof(*d));
	if (!d) {
		verror_set(e, VHBA_E_INTERNAL, "no memory for a disk");
		return NULL;
	}
	memset(d, 0, sizeof(*d));
	d->fd = c->fd;
	d->file.fd = c->state_fd;
	d->block_shift = (unsigned)__builtin_ctz(c->block_size);
	d->physical_exponent = c->physical_exponent;
	d->read_only = c->read_only;
	d->rotational = c->rotational;
	d->unmap = c->unmap && !c->read_only && can_punch(c->fd);
	d->mode_default = c->write_cache ? MODE_WCE : 0;
	atomic_store(&d->mode, d->mode_default);
	atomic_store(&d->blocks, bytes >> d->block_shift);
	d->stranger = 1u << DISK_UA_POWER_ON;
	set_identity(&d->id, c);
	gate_init(&d->gate);
	pthread_mutex_init(&d->nexus_lock, NULL);
	pthread_mutex_init(&d->state_lock, NULL);
	return d;
}

void disk_close(struct disk *d)
{
	if (!d)
		return;
	close(d->fd);
	if (d->file.fd >= 0)
		close(d->file.fd);
	pthread_mutex_destroy(&d->state_lock);
	pthread_mutex_destroy(&d->nexus_lock);
	gate_destroy(&d->gate);
	free(d);
}

/* May it be executed at all? true: the task has ended. In SAM-5's order: unit attention, then reservation. */
static bool refused(struct cmd *c, bool opcode_known)
{
	const struct disk_command *op = c->op;
	enum disk_attention ua;

	if (!atomic_load_explicit(&c->d->started, memory_order_relaxed) && !(op && op->flags & OP_PASS_UA)) {
		cmd_check(c, KEY_NOT_READY, ASC_MANUAL_INTERVENTION);
		return true;
	}
	if ((atomic_load(&c->nexus->flags) & NEXUS_ATTENTIONS) && !(op && op->flags & OP_PASS_UA)) {
		ua = nexus_take(c->nexus);
		if (ua != DISK_UA_N) {
			cmd_check(c, KEY_UNIT_ATTENTION, disk_attention_asc(ua));
			return true;
		}
	}
	if (!op && opcode_known)
		cmd_bad_cdb(c, 1, 4);
	else if (!op || c->t->cdb_len < op->cdb_len)
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	else if (c->t->cdb[op->cdb_len - 1] & 0x04) /* NACA: not supported */
		cmd_bad_cdb(c, op->cdb_len - 1u, 2);
	else if (nexus_conflicts(c->nexus, (enum op_access)op->access))
		scsi_end(c->t, SCSI_RESERVATION_CONFLICT);
	else if ((op->flags & OP_CHANGES) && disk_protected(c->d))
		cmd_check(c, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED);
	else
		return false;
	return true;
}

enum disk_next disk_begin(struct disk *d, uint64_t nexus, struct scsi_task *t, struct disk_io *io)
{
	struct cmd c = {.d = d, .t = t, .io = io};
	bool known;

	scsi_begin(t);
	c.nexus = nexus_get(d, nexus);
	if (!c.nexus) {
		scsi_end(t, SCSI_BUSY);
		return DISK_DONE;
	}
	c.op = disk_op_find(d, t->cdb, &known);
	if (refused(&c, known))
		return DISK_DONE;
	return c.op->begin ? c.op->begin(&c) : DISK_BLOCKING;
}

void disk_run(struct disk *d, uint64_t nexus, struct scsi_task *t)
{
	struct cmd c = {.d = d, .t = t, .nexus = nexus_get(d, nexus)};
	bool known;

	scsi_begin(t);
	c.op = disk_op_find(d, t->cdb, &known);
	if (!c.nexus)
		scsi_end(t, SCSI_BUSY);
	else if (!c.op || !c.op->run)
		cmd_check(&c, KEY_HARDWARE_ERROR, ASC_INTERNAL_FAILURE);
	else if (nexus_conflicts(c.nexus, (enum op_access)c.op->access))
		scsi_end(t, SCSI_RESERVATION_CONFLICT);
	else
		c.op->run(&c);
}

int disk_fd(const struct disk *d)
{
	return d->fd;
}

bool disk_descriptor_sense(const struct disk *d)
{
	return disk_mode(d, MODE_D_SENSE);
}

uint64_t disk_blocks(const struct disk *d)
{
	return atomic_load(&d->blocks);
}

uint32_t disk_block_size(const struct disk *d)
{
	return 1u << d->block_shift;
}

int disk_resized(struct disk *d)
{
	uint64_t bytes, blocks;
	int rc = file_size(d->fd, &bytes);

	if (rc)
		return rc;
	blocks = bytes >> d->block_shift;
	if (atomic_exchange(&d->blocks, blocks) == blocks)
		return 0;
	nexus_raise(d, 0, 0, DISK_UA_CAPACITY_CHANGED);
	return 1;
}

void disk_attention(struct disk *d, uint64_t nexus, enum disk_attention what)
{
	nexus_raise(d, nexus, 0, what);
}

void disk_reset(struct disk *d, uint64_t nexus, enum disk_reset kind)
{
	if (kind == DISK_RESET_NEXUS) {
		nexus_raise(d, nexus, 0, DISK_UA_NEXUS_LOSS);
		return;
	}
	pthread_mutex_lock(&d->state_lock);
	/* A reset can't fail: should the state not be written now, the next change or disk_save writes it. */
	if (remember(d, &d->pr, d->mode_default))
		atomic_store(&d->mode, d->mode_default);
	pthread_mutex_unlock(&d->state_lock);
	nexus_raise(d, 0, 0, DISK_UA_LUN_RESET);
}

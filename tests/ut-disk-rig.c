/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <scsi/sg_lib.h>

#include "cleanup.h"
#include "ut-disk-rig.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x)) {                                                                                  \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #x, strerror(errno));         \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

void rig_init(struct rig *r, uint64_t blocks)
{
	static const uint8_t naa[16] = {0x60, 0x0a, 0x0b, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

	memset(r, 0, sizeof(*r));
	r->fd = memfd_create("disk", MFD_CLOEXEC);
	r->state = memfd_create("state", MFD_CLOEXEC);
	MUST(r->fd >= 0 && r->state >= 0 && !ftruncate(r->fd, (off_t)(blocks * 512)));
	r->answer = malloc(RIG_BUFFER);
	MUST(r->answer);
	r->config = (struct disk_config){
		.fd = r->fd,
		.state_fd = r->state,
		.naa_len = 16,
		.target_port = UINT64_C(0x5006016000000001),
		.serial = "0001-42",
		.vendor = "VHBA",
		.product = "file",
		.revision = "1",
		.block_size = 512,
		.write_cache = true,
		.unmap = true,
	};
	memcpy(r->config.naa, naa, sizeof(naa));
}

void rig_open(struct rig *r, enum disk_start how)
{
	static const uint8_t ready[6] = {0};
	struct disk_config c = r->config;
	struct verror e = {0};
	char line[512];

	c.fd = dup(r->config.fd);
	c.state_fd = r->config.state_fd >= 0 ? dup(r->config.state_fd) : -1;
	r->d = disk_open(&c, &e);
	if (!r->d || disk_start(r->d, how, &e)) {
		fprintf(stderr, "%s\n", verror_line(&e, line, sizeof(line)));
		abort();
	}
	if (how != DISK_POWER_ON)
		return;
	MUST(rig_do(r, RIG_A, ready, 6, NULL, 0, 0) == SCSI_CHECK_CONDITION);
	MUST(rig_said(r) == SAID_POWER_ON);
	MUST(rig_do(r, RIG_B, ready, 6, NULL, 0, 0) == SCSI_CHECK_CONDITION);
	MUST(rig_said(r) == SAID_POWER_ON);
}

void rig_shut(struct rig *r)
{
	disk_close(r->d);
	r->d = NULL;
}

void rig_free(struct rig *r)
{
	rig_shut(r);
	close(r->fd);
	close(r->state);
	free(r->answer);
}

/* What a ring would do, through a buffer, at most "most" bytes at once. */
static int64_t move(struct disk *d, const struct scsi_task *t, const struct disk_io *io, size_t most)
{
	bool out = io->op == DISK_OP_WRITE;
	const struct iovec *v = out ? t->out : t->in;
	size_t len = most && most < io->length ? most : io->length, at = 0, skip = io->skip;
	AUTO_FREE uint8_t *buf = malloc(len + 1);
	ssize_t n;

	if (io->op == DISK_OP_FSYNC)
		return fdatasync(disk_fd(d)) ? -errno : 0;
	n = out ? 0 : pread(disk_fd(d), buf, len, (off_t)io->offset);
	if (n < 0)
		return -errno;
	if (!out)
		len = (size_t)n;
	for (unsigned i = 0; i < (out ? t->out_n : t->in_n); i++) {
		size_t from = skip < v[i].iov_len ? skip : v[i].iov_len, part = v[i].iov_len - from;

		skip -= from;
		part = part < len - at ? part : len - at;
		if (out)
			memcpy(buf + at, (uint8_t *)v[i].iov_base + from, part);
		else
			memcpy((uint8_t *)v[i].iov_base + from, buf + at, part);
		at += part;
	}
	if (!out)
		return (int64_t)at;
	n = pwrite(disk_fd(d), buf, at, (off_t)io->offset);
	return n < 0 ? -errno : n;
}

static enum disk_next execute(struct disk *d, uint64_t nexus, struct scsi_task *t, struct disk_io *io,
			      size_t most)
{
	enum disk_next next = disk_begin(d, nexus, t, io), first = next;
	struct disk_io began = *io;

	while (next == DISK_IO)
		next = disk_end(d, t, io, move(d, t, io, most));
	if (next == DISK_BLOCKING)
		disk_run(d, nexus, t);
	*io = began;
	return first;
}

void rig_execute(struct disk *d, uint64_t nexus, struct scsi_task *t)
{
	struct disk_io io = {0};

	execute(d, nexus, t, &io, 0);
}

/* Odd pieces, so that whoever takes the first for all is found out. */
static unsigned split(struct iovec *v, uint8_t *base, size_t len)
{
	size_t a = len / 3, b = len / 5;

	v[0] = (struct iovec){base, a};
	v[1] = (struct iovec){base + a, b};
	v[2] = (struct iovec){base + a + b, len - a - b};
	return 3;
}

int rig_do(struct rig *r, uint64_t nexus, const uint8_t *cdb, size_t cdb_len, const void *out, size_t out_len,
	   size_t in_len)
{
	struct disk_io io = {0};

	memset(&r->t, 0x5a, sizeof(r->t)); /* the answer part needs no clearing */
	memset(r->t.cdb, 0, sizeof(r->t.cdb));
	memcpy(r->t.cdb, cdb, cdb_len);
	memset(r->answer, 0xee, in_len + 64 <= RIG_BUFFER ? in_len + 64 : RIG_BUFFER);
	r->t.cdb_len = SCSI_CDB_MAX;
	r->t.in = r->in;
	r->t.in_len = in_len;
	r->t.in_n = split(r->in, r->answer, in_len);
	r->t.out = r->out;
	r->t.out_len = out_len;
	r->t.out_n = split(r->out, (uint8_t *)(uintptr_t)out, out_len);
	r->begun = execute(r->d, nexus, &r->t, &io, r->io_most);
	r->io_flags = io.flags;
	r->io_op = io.op;
	return r->t.status;
}

int rig_said(const struct rig *r)
{
	struct sg_scsi_sense_hdr h;

	if (r->t.status == SCSI_GOOD)
		return r->t.sense_len ? -1000 : 0;
	if (r->t.status != SCSI_CHECK_CONDITION)
		return -r->t.status;
	if (!sg_scsi_normalize_sense(r->t.sense, (int)r->t.sense_len, &h))
		return -1001;
	return h.sense_key << 16 | h.asc << 8 | h.ascq;
}

uint64_t rig_info(const struct rig *r)
{
	uint64_t info;

	return sg_get_sense_info_fld(r->t.sense, (int)r->t.sense_len, &info) ? info : UINT64_MAX;
}

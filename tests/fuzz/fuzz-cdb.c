/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hostile guest's commands to the disk on a file. The input is a list of records: a byte of flags (bits 0
 * and 1 the nexus, 2 no Data-In, 3 an odd split of the buffers, 4 the disk is closed and opened again, 5
 * power on at that, 6 the file's size changes), the CDB's length in 6 bits, a length of Data-Out (16 bits),
 * the CDB, the Data-Out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "be.h"
#include "disk.h"

#define BLOCKS 256u
#define BS 512u
#define IN_MAX 8192u
#define OUT_MAX 4096u
#define GUARD 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct disk *d;
	struct disk_config config;
};

static void open_disk(struct fuzz *z, enum disk_start how)
{
	struct disk_config c = z->config;

	c.fd = dup(z->config.fd);
	c.state_fd = dup(z->config.state_fd);
	z->d = disk_open(&c, NULL);
	/* what the disk itself wrote it can read */
	if (!z->d || disk_start(z->d, how, NULL))
		abort();
}

static int64_t move(struct disk *d, const struct disk_io *io, const struct scsi_task *t)
{
	static uint8_t buf[IN_MAX + OUT_MAX];
	bool out = io->op == DISK_OP_WRITE;

	if (io->op == DISK_OP_FSYNC)
		return 0;
	if (io->skip + io->length > (out ? t->out_len : t->in_len))
		abort(); /* more than there is room for */
	if (io->offset + io->length > disk_blocks(d) * BS)
		abort(); /* not on the disk */
	if (out)
		return pwrite(disk_fd(d), buf, io->length, (off_t)io->offset);
	return pread(disk_fd(d), buf, io->length, (off_t)io->offset);
}

static void execute(struct fuzz *z, uint64_t nexus, struct scsi_task *t)
{
	enum disk_next next;
	struct disk_io io;
	int64_t n;

	next = disk_begin(z->d, nexus, t, &io);
	while (next == DISK_IO) {
		n = move(z->d, &io, t);
		next = disk_end(z->d, t, &io, n < 0 ? -errno : n);
	}
	if (next == DISK_BLOCKING)
		disk_run(z->d, nexus, t);
	if (t->sense_len > SCSI_SENSE_MAX || (t->status == SCSI_CHECK_CONDITION) != (t->sense_len > 0))
		abort();
	if (t->moved > t->in_len && t->moved > t->out_len)
		abort();
}

/* One record; returns its length, 0 when there is no more. */
static size_t record(struct fuzz *z, const uint8_t *data, size_t size)
{
	static uint8_t in[IN_MAX + GUARD], out[OUT_MAX];
	struct iovec vi[2], vo[2];
	struct scsi_task t = {0};
	size_t cdb, len, cut;

	if (size < 4)
		return 0;
	cdb = data[1] & 0x3f;
	len = get_be16(data + 2) % (OUT_MAX + 1);
	if (cdb > SCSI_CDB_MAX || size < 4 + cdb)
		return 0;
	if (len > size - 4 - cdb)
		len = size - 4 - cdb;
	if (data[0] & 0x10) {
		disk_close(z->d);
		open_disk(z, data[0] & 0x20 ? DISK_POWER_ON : DISK_RESUMED);
	}
	if (data[0] & 0x40) {
		if (ftruncate(z->config.fd, (BLOCKS + (data[0] & 0x0f)) * BS))
			abort();
		disk_resized(z->d);
	}
	memcpy(t.cdb, data + 4, cdb);
	memcpy(out, data + 4 + cdb, len);
	memset(in + IN_MAX, 0x77, GUARD);
	t.cdb_len = 32;
	t.out_len = len;
	t.in_len = data[0] & 0x04 ? 0 : IN_MAX;
	cut = data[0] & 0x08 ? 3 : 0;
	vo[0] = (struct iovec){out, cut < len ? cut : len};
	vo[1] = (struct iovec){out + vo[0].iov_len, len - vo[0].iov_len};
	vi[0] = (struct iovec){in, cut < t.in_len ? cut : t.in_len};
	vi[1] = (struct iovec){in + vi[0].iov_len, t.in_len - vi[0].iov_len};
	t.out = vo;
	t.in = vi;
	t.out_n = t.in_n = 2;
	execute(z, UINT64_C(0x2100000000000001) + (data[0] & 3), &t);
	for (unsigned i = 0; i < GUARD; i++)
		if (in[IN_MAX + i] != 0x77)
			abort();
	return 4 + cdb + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz z = {
		.config =
			{
				.fd = memfd_create("disk", MFD_CLOEXEC),
				.state_fd = memfd_create("state", MFD_CLOEXEC),
				.naa = {0x50, 1, 2, 3, 4, 5, 6, 7},
				.naa_len = 8,
				.serial = "fuzz",
				.vendor = "VHBA",
				.product = "file",
				.revision = "1",
				.block_size = BS,
				.unmap = true,
			},
	};
	size_t n;

	if (z.config.fd < 0 || z.config.state_fd < 0 || ftruncate(z.config.fd, BLOCKS * BS))
		abort();
	open_disk(&z, DISK_POWER_ON);
	while ((n = record(&z, data, size))) {
		data += n;
		size -= n;
	}
	disk_close(z.d);
	close(z.config.fd);
	close(z.config.state_fd);
	return 0;
}

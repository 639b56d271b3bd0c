/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's memory as the input says it is: descriptors, avail ring, indirect tables and headers. Every chain
 * that comes out lies within the memory, and is parsed and answered as a command,
 * of virtio-scsi or of virtio-blk; or goes back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "virtio_blk.h"
#include "virtio_scsi.h"
#include "virtqueue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HALF 8192
#define HIGH UINT64_C(0x100000000)
#define SIZE 16
#define UVA UINT64_C(0x10000)
#define AVAIL 1024
#define USED 2048
#define INFLIGHT 4096

static int memfd = -1;
static uint8_t *bytes;
static struct memory *mem;

static void make_memory(void)
{
	const struct memory_layout low = {0, HALF, UVA, 0}, high = {HIGH, HALF, UVA + HALF, HALF};

	memfd = memfd_create("fuzz", MFD_CLOEXEC);
	mem = memory_new();
	if (memfd < 0 || !mem || ftruncate(memfd, 2 * HALF) || memory_add(mem, &low, memfd) ||
	    memory_add(mem, &high, memfd))
		abort();
	bytes = mmap(NULL, 2 * HALF, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (bytes == MAP_FAILED)
		abort();
}

/* Each byte is the guest's; the sanitizer sees it if one is not. */
static void touch(const struct vq_chain *c)
{
	uint64_t gpa, sum = 0;
	size_t total = 0;

	for (unsigned i = 0; i < c->out_n + c->in_n; i++) {
		const uint8_t *p = c->iov[i].iov_base;

		if (!memory_gpa(mem, p, &gpa) || !memory_gpa(mem, p + c->iov[i].iov_len - 1, &gpa))
			abort();
		sum += p[0] + p[c->iov[i].iov_len - 1];
		total += c->iov[i].iov_len;
	}
	if (total != c->out_len + c->in_len || sum == UINT64_MAX)
		abort();
}

static void command(struct virtqueue *q, const struct vq_chain *c)
{
	struct io_task t = {.iov = c->iov};
	uint32_t len = 0;
	uint16_t number;

	if (!vscsi_parse(&t, c)) {
		vscsi_address(t.address, &number);
		len = vscsi_answer(&t);
		vq_mark(q, mem, t.response, t.response_n);
		vq_mark(q, mem, t.scsi.in, t.scsi.in_n);
	}
	vq_push(q, c->head, len);
}

/* What a command takes from its buffers is the guest's, or the task's own. */
static void request(struct virtqueue *q, const struct vq_chain *c, uint32_t block)
{
	const struct blk_facts facts = {
		.block = block, .discard_max = 1 << 20, .zeroes_max = 1 << 16, .zeroes_unmap = true};
	struct io_task t = {.iov = c->iov};
	uint8_t sum = 0;
	uint32_t len = 0;

	if (!vblk_parse(&t, c)) {
		if (vblk_translate(&t, &facts, 0)) {
			for (unsigned i = 0; i < t.scsi.out_n; i++)
				for (size_t j = 0; j < t.scsi.out[i].iov_len; j++)
					sum += ((const uint8_t *)t.scsi.out[i].iov_base)[j];
			t.scsi.moved = t.scsi.in_len;
			t.scsi.status = sum & SCSI_CHECK_CONDITION;
			vblk_again(&t);
		}
		len = vblk_answer(&t);
		if (len > c->in_len)
			abort();
		vq_mark(q, mem, t.response, t.response_n);
		vq_mark(q, mem, t.scsi.in, t.scsi.in_n);
	}
	vq_push(q, c->head, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vq_setup s = {
		.size = SIZE, .desc = UVA, .avail = UVA + AVAIL, .used = UVA + USED, .log_gpa = USED};
	struct iovec iov[SIZE + 4];
	struct vq_chain c = {.iov = iov, .max = ARRAY_SIZE(iov)};
	struct virtqueue q = {.call = -1};
	AUTO_FREE void *inflight = NULL;

	if (!mem)
		make_memory();
	if (size < 2)
		return 0;
	s.event_idx = data[0] & 1;
	s.indirect = data[0] & 2;
	s.log_used = data[0] & 4;
	memset(bytes, 0, 2 * HALF);
	memcpy(bytes, data + 2, size - 2 < 2 * HALF ? size - 2 : 2 * HALF);
	if (data[0] & 8) {
		inflight = calloc(1, INFLIGHT);
		memcpy(inflight, data, size < INFLIGHT ? size : INFLIGHT);
		q.inflight = inflight_queue_at(inflight, INFLIGHT, 0, SIZE);
	}
	q.log = data[0] & 16 ? dirty_new(memfd, 512, HALF) : NULL;
	if (vq_map(&q, &s, mem) || vq_begin(&q, data[1]))
		abort();
	/* a ring may give the same heads for ever, so it is left after a while */
	for (unsigned i = 0; i < 4 * SIZE && vq_pop(&q, &c) > 0; i++) {
		touch(&c);
		if (data[0] & 64 && i % 4 == 3)
			vq_unpop(&q, c.head);
		else if (data[0] & 32)
			request(&q, &c, data[0] & 128 ? 4096 : 512);
		else
			command(&q, &c);
		if (i % 3 == 0)
			vq_flush(&q);
	}
	vq_flush(&q);
	vq_busy(&q);
	vq_idle(&q);
	vq_end(&q);
	dirty_unref(q.log);
	return 0;
}

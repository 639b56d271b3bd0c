/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "blk.h"
#include "ut.h"

void blk_begin(struct world *w, struct backend_options o, uint64_t features)
{
	ut_tmpdir(w->folder, sizeof(w->folder));
	o.folder = w->folder;
	o.type = &device_type_blk;
	o.luns = 1;
	front_init(&w->front, backend_start(&w->back, &o), WORLD_MEMORY, 1, 128, features);
	front_negotiate(&w->front);
	front_start(&w->front, NULL);
}

void blk_request(struct front_req *q, uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr h = {.type = htole32(type), .sector = htole64(sector)};

	memset(q, 0, sizeof(*q));
	memcpy(q->out, &h, sizeof(h));
	q->out_len = sizeof(h);
	q->in_len = 1;
	q->in[0] = BLK_PENDING;
	q->status_last = true;
}

void blk_rw(struct front_req *q, bool write, uint64_t sector, uint64_t gpa, uint32_t len)
{
	blk_request(q, write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, sector);
	if (write)
		q->data_out[q->data_out_n++] = (struct front_piece){gpa, len};
	else
		q->data_in[q->data_in_n++] = (struct front_piece){gpa, len};
}

void blk_range(struct front *f, struct front_req *q, uint32_t type, uint64_t gpa, uint64_t sector, uint32_t n,
	       uint32_t flags)
{
	struct virtio_blk_discard_write_zeroes d = {htole64(sector), htole32(n), htole32(flags)};

	memcpy(front_at(f, gpa), &d, sizeof(d));
	blk_request(q, type, 0);
	q->data_out[q->data_out_n++] = (struct front_piece){gpa, sizeof(d)};
}

uint8_t blk_status(const struct front_req *q)
{
	return q->in[0];
}

uint8_t blk_do(struct front *f, unsigned ring, struct front_req *q)
{
	front_submit(f, ring, q);
	front_wait(f, ring, q);
	return blk_status(q);
}

uint32_t blk_space(struct front *f, uint32_t offset, uint32_t size, void *bytes)
{
	struct vu_config c = {.offset = offset, .size = size};
	uint32_t len = offsetof(struct vu_config, bytes) + (size < VU_CONFIG_MAX ? size : VU_CONFIG_MAX), n;

	front_send(f, VU_GET_CONFIG, &c, len, NULL, 0, false);
	n = front_receive(f, VU_GET_CONFIG, &c, sizeof(c), NULL);
	if (n < offsetof(struct vu_config, bytes))
		return 0;
	n -= offsetof(struct vu_config, bytes);
	memcpy(bytes, c.bytes, n);
	return n;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <string.h>

#include "queue.h"
#include "virtio_scsi.h"

_Static_assert(SCSI_SENSE_MAX == VIRTIO_SCSI_SENSE_SIZE && SCSI_CDB_MAX == VIRTIO_SCSI_CDB_SIZE,
	       "scsi_task has virtio's default sizes");

#define ADDRESS_SINGLE 1 /* the first byte of "single level LUN structure" in virtio's format */
#define ADDRESS_WLUN 0xc1 /* well-known logical unit; virtio says 0xc1 01 is REPORT LUNS */
#define METHOD_PERIPHERAL 0
#define METHOD_FLAT 1

enum vscsi_address vscsi_address(const uint8_t lun[8], uint16_t *number)
{
	if (lun[0] == ADDRESS_WLUN)
		return lun[1] == 1 ? VSCSI_REPORT_LUNS : VSCSI_BAD_TARGET;
	if (lun[0] != ADDRESS_SINGLE || lun[1] != 0)
		return VSCSI_BAD_TARGET;
	/* the well-known one as Linux and others address it, below the target */
	if (lun[2] == ADDRESS_WLUN && lun[3] == 1)
		return VSCSI_REPORT_LUNS;
	switch (lun[2] >> 6) {
	case METHOD_PERIPHERAL:
	case METHOD_FLAT:
		*number = (uint16_t)((lun[2] & 0x3f) << 8 | lun[3]);
		break;
	default:
		*number = UINT16_MAX;
	}
	return VSCSI_UNIT;
}

void vscsi_address_of(uint8_t lun[8], uint16_t number)
{
	memset(lun, 0, 8);
	lun[0] = ADDRESS_SINGLE;
	/* as QEMU does it: Linux looks for the number as it is written here, without its method */
	lun[2] = number < 256 ? 0 : (uint8_t)(METHOD_FLAT << 6 | number >> 8);
	lun[3] = (uint8_t)number;
}

/* SPC-4, 4.2.5.1: the size is in the operation code's group, or for variable ones in the CDB itself */
static unsigned cdb_len(const uint8_t *cdb)
{
	static const uint8_t by_group[8] = {6, 10, 10, 0, 16, 12, 16, 16};

	if (cdb[0] == 0x7f)
		return cdb[7] + 8u <= SCSI_CDB_MAX ? cdb[7] + 8u : SCSI_CDB_MAX;
	return cdb[0] >> 5 == 3 ? SCSI_CDB_MAX : by_group[cdb[0] >> 5];
}

const char *vscsi_parse(struct io_task *t, const struct vq_chain *c)
{
	struct iovec *out = c->iov, *in = c->iov + c->out_n;
	unsigned out_n = c->out_n, in_n = c->in_n, len;
	struct virtio_scsi_cmd_req req;

	if (c->out_len < sizeof(req) || c->in_len < sizeof(struct virtio_scsi_cmd_resp))
		return "a request is shorter than its headers";
	iov_get(out, out_n, &req, sizeof(req));
	iov_take(&out, &out_n, sizeof(req), NULL, NULL, 0);
	if (!iov_take(&in, &in_n, sizeof(struct virtio_scsi_cmd_resp), t->response, &t->response_n,
		      TASK_RESPONSE_IOV))
		return "a response is cut into too many pieces";
	t->verdict = VIRTIO_SCSI_S_OK;
	t->head = c->head;
	t->tag = req.tag;
	memcpy(t->address, req.lun, sizeof(t->address));
	len = cdb_len(req.cdb);
	memcpy(t->scsi.cdb, req.cdb, len);
	memset(t->scsi.cdb + len, 0, SCSI_CDB_MAX - len);
	t->scsi.cdb_len = len;
	t->scsi.out = out;
	t->scsi.out_n = out_n;
	t->scsi.out_len = c->out_len - sizeof(req);
	t->scsi.in = in;
	t->scsi.in_n = in_n;
	t->scsi.in_len = c->in_len - sizeof(struct virtio_scsi_cmd_resp);
	t->scsi.status = SCSI_GOOD;
	t->scsi.sense_len = 0;
	scsi_begin(&t->scsi);
	return NULL;
}

uint32_t vscsi_answer(const struct io_task *t)
{
	const struct scsi_task *s = &t->scsi;
	size_t asked = s->in_len ? s->in_len : s->out_len;
	size_t moved = s->moved < asked ? s->moved : asked, written;
	struct virtio_scsi_cmd_resp r = {
		.resid = htole32(asked - moved < UINT32_MAX ? (uint32_t)(asked - moved) : UINT32_MAX),
		.response = t->verdict,
	};

	if (r.response == VIRTIO_SCSI_S_OK && s->overrun) {
		r.response = VIRTIO_SCSI_S_OVERRUN;
	} else if (r.response == VIRTIO_SCSI_S_OK && t->aborted && s->status == SCSI_BUSY) {
		r.response = VIRTIO_SCSI_S_ABORTED;
	} else if (r.response == VIRTIO_SCSI_S_OK && s->lost && s->status == SCSI_BUSY && t->queue->running) {
		/* its multipathing tries another one; while the device stops BUSY brings the command again */
		r.response = VIRTIO_SCSI_S_TRANSPORT_FAILURE;
	} else if (r.response == VIRTIO_SCSI_S_OK) {
		r.status = s->status;
		r.sense_len = htole32(s->sense_len);
		memcpy(r.sense, s->sense, s->sense_len);
	}
	iov_put(t->response, t->response_n, &r, sizeof(r));
	written = sizeof(r) + (s->in_len ? moved : 0);
	return written < UINT32_MAX ? (uint32_t)written : UINT32_MAX;
}

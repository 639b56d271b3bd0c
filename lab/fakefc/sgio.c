/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/bsg.h>
#include <scsi/sg.h>
#include <string.h>

#include "sgio.h"

#define DATA_MAX 8192
#define CDB_MAX 32
#define SG_VERSION 30536

enum { FC_BSG_HST_CT = 0x80000000 | 0x00000004, FC_BSG_RPT_CT = 0x40000000 | 0x00000002 };

/* struct fc_bsg_reply (scsi_bsg_fc.h) */
struct fc_reply {
	uint32_t result;
	uint32_t rcv_len;
	uint8_t room[8];
};

/* A CHECK CONDITION without sense, or what the mid-layer says of a device that takes none. */
static void sg_status(struct sg_io_hdr *h, ssize_t n)
{
	enum { CHECK_CONDITION = 2, DID_NO_CONNECT = 1, DID_TIME_OUT = 3 };

	h->status = n == -EIO ? CHECK_CONDITION : 0;
	h->masked_status = (unsigned char)(h->status >> 1);
	h->host_status = n == -ENXIO ? DID_NO_CONNECT : n == -ETIMEDOUT ? DID_TIME_OUT : 0;
	h->driver_status = 0;
	h->sb_len_wr = 0;
	h->info = n < 0 ? SG_INFO_CHECK : SG_INFO_OK;
}

static int sg_v3(struct fakefc *f, struct fakefc_lun *l, uint64_t arg, const struct memory *m)
{
	uint8_t cdb[CDB_MAX], data[DATA_MAX] = {};
	struct sg_io_hdr h;
	size_t room;
	ssize_t n;
	int err = m->get(m, arg, &h, sizeof(h));

	if (err)
		return err;
	if (h.interface_id != 'S' || h.cmd_len > sizeof(cdb) || h.iovec_count)
		return -EINVAL;
	room = h.dxfer_direction == SG_DXFER_FROM_DEV ? h.dxfer_len : 0;
	if (room > sizeof(data))
		room = sizeof(data);
	err = m->get(m, (uintptr_t)h.cmdp, cdb, h.cmd_len);
	if (err)
		return err;
	n = fakefc_scsi(f, l, cdb, h.cmd_len, data, room);
	sg_status(&h, n);
	h.resid = (int)h.dxfer_len - (n > 0 ? (int)n : 0);
	err = n > 0 ? m->put(m, (uintptr_t)h.dxferp, data, (size_t)n) : 0;
	return err ? err : m->put(m, arg, &h, sizeof(h));
}

/* bsg_transport_sg_io_fn: the driver's error is the reply's, and the ioctl succeeds */
static int sg_v4(struct fakefc *f, struct fakefc_port *p, bool rport, uint64_t arg, const struct memory *m)
{
	uint8_t request[DATA_MAX], answer[DATA_MAX];
	struct fc_reply reply = {};
	struct sg_io_v4 h;
	uint32_t cmd[5]; /* the code, then of FC_BSG_HST_CT the address and three words */
	ssize_t n;
	int err = m->get(m, arg, &h, sizeof(h));

	if (err)
		return err;
	if (h.guard != 'Q' || h.protocol != BSG_PROTOCOL_SCSI ||
	    h.subprotocol != BSG_SUB_PROTOCOL_SCSI_TRANSPORT)
		return -EINVAL;
	if (h.request_len < sizeof(cmd) || h.dout_xfer_len > sizeof(request))
		return -EINVAL;
	err = m->get(m, h.request, cmd, sizeof(cmd));
	if (!err)
		err = m->get(m, h.dout_xferp, request, h.dout_xfer_len);
	if (err)
		return err;
	if (cmd[0] != (rport ? FC_BSG_RPT_CT : FC_BSG_HST_CT) ||
	    (!rport && !fakefc_ct_address(p, cmd[1], cmd[3])) || !h.dout_xfer_len || !h.din_xfer_len)
		n = -EINVAL;
	else
		n = fakefc_ct(f, p, rport, request, h.dout_xfer_len, answer,
			      h.din_xfer_len < sizeof(answer) ? h.din_xfer_len : sizeof(answer));
	reply.result = n < 0 ? (uint32_t)n : 0;
	reply.rcv_len = n > 0 ? (uint32_t)n : 0;
	h.device_status = n < 0 ? (uint32_t)n & 0xff : 0;
	h.info = n < 0 ? SG_INFO_CHECK : 0;
	h.dout_resid = 0;
	h.din_resid = (int32_t)(h.din_xfer_len - reply.rcv_len);
	h.response_len = n < 0 ? sizeof(reply.result) : sizeof(reply);
	if (h.response_len > h.max_response_len)
		h.response_len = h.max_response_len;
	err = n > 0 ? m->put(m, h.din_xferp, answer, (size_t)n) : 0;
	if (!err && h.response)
		err = m->put(m, h.response, &reply, h.response_len);
	return err ? err : m->put(m, arg, &h, sizeof(h));
}

int sgio_ioctl(struct fakefc *f, const struct node *n, unsigned cmd, uint64_t arg, const struct memory *m)
{
	struct fakefc_lun *l = fakefc_lun_of(n);
	static const int version = SG_VERSION;
	bool rport;
	struct fakefc_port *p = fakefc_port_of(n, &rport);

	if (l && cmd == SG_GET_VERSION_NUM)
		return m->put(m, arg, &version, sizeof(version));
	if (l && cmd == SG_IO)
		return sg_v3(f, l, arg, m);
	if (p && cmd == SG_IO)
		return sg_v4(f, p, rport, arg, m);
	return -ENOTTY;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/bsg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <scsi/sg.h>

#include "ct.h"

/* FC-GS-8 table 5: CT_IU preamble */
enum { CT_REV = 1, CT_FS_TYPE = 0xfc, CT_NS_SUBTYPE = 2 };
enum { CT_GFPN_ID = 0x011c, CT_GID_PN = 0x0121, CT_FS_RJT = 0x8001, CT_FS_ACC = 0x8002 };
enum { CT_REASON_UNABLE = 0x09 };

/* Explanations of reason 09 that say that the name, or the N_Port_ID, is not registered (FC-GS-8 table 101).
 */
static const uint8_t unknown_name[] = {
	0x02, /* port name not registered */
	0x01, /* port identifier not registered */
	0x07, /* no entry: FC-4 types not registered, as some switches answer for a port that is gone */
};

/* linux: include/uapi/scsi/scsi_bsg_fc.h, which linux-libc-dev does not carry. */
enum { FC_BSG_HST_CT = 0x80000000 | 0x00000004, FC_BSG_RPT_CT = 0x40000000 | 0x00000002 };

struct fc_bsg_reply_ct {
	uint32_t result;
	uint32_t reply_payload_rcv_len;
	uint8_t room[32];
} __attribute__((packed));

/* words: room for the reply */
static void pack_head(uint8_t buf[CT_REQUEST_MAX], unsigned code, uint8_t words)
{
	memset(buf, 0, CT_REQUEST_MAX);
	buf[0] = CT_REV;
	buf[4] = CT_FS_TYPE;
	buf[5] = CT_NS_SUBTYPE;
	buf[8] = (uint8_t)(code >> 8);
	buf[9] = (uint8_t)code;
	buf[11] = words;
}

size_t ct_pack_gid_pn(uint8_t buf[CT_REQUEST_MAX], wwn_t wwpn)
{
	pack_head(buf, CT_GID_PN, 1);
	for (int i = 0; i < 8; i++)
		buf[CT_HEADER_LEN + i] = (uint8_t)(wwpn >> (56 - 8 * i));
	return CT_HEADER_LEN + 8;
}

size_t ct_pack_gfpn_id(uint8_t buf[CT_REQUEST_MAX], uint32_t port_id)
{
	pack_head(buf, CT_GFPN_ID, 2);
	for (int i = 0; i < 3; i++)
		buf[CT_HEADER_LEN + 1 + i] = (uint8_t)(port_id >> (16 - 8 * i));
	return CT_HEADER_LEN + 4;
}

static int names_absence(uint8_t explanation)
{
	return memchr(unknown_name, explanation, sizeof(unknown_name)) != NULL;
}

/* CT_PRESENT: it is accepted, and has so many bytes behind its head. */
static enum ct_answer parse_head(const uint8_t *p, size_t len, size_t body, unsigned *reason)
{
	unsigned code;

	*reason = 0;
	if (len < CT_HEADER_LEN || p[4] != CT_FS_TYPE || p[5] != CT_NS_SUBTYPE)
		return CT_NO_PROOF;
	code = (unsigned)p[8] << 8 | p[9];
	if (code == CT_FS_RJT) {
		*reason = (unsigned)p[13] << 8 | p[14];
		return p[13] == CT_REASON_UNABLE && names_absence(p[14]) ? CT_ABSENT : CT_NO_PROOF;
	}
	return code == CT_FS_ACC && len >= CT_HEADER_LEN + body ? CT_PRESENT : CT_NO_PROOF;
}

enum ct_answer ct_parse_gid_pn(const uint8_t *p, size_t len, uint32_t *port_id, unsigned *reason)
{
	enum ct_answer answer = parse_head(p, len, 4, reason);

	*port_id = answer == CT_PRESENT ? (uint32_t)p[17] << 16 | (uint32_t)p[18] << 8 | p[19] : 0;
	return answer == CT_PRESENT && !*port_id ? CT_NO_PROOF : answer;
}

enum ct_answer ct_parse_gfpn_id(const uint8_t *p, size_t len, wwn_t *f_port, unsigned *reason)
{
	enum ct_answer answer = parse_head(p, len, 8, reason);

	*f_port = 0;
	for (int i = 0; answer == CT_PRESENT && i < 8; i++)
		*f_port = *f_port << 8 | p[CT_HEADER_LEN + i];
	return answer == CT_PRESENT && !*f_port ? CT_NO_PROOF : answer;
}

void ct_pack_bsg(uint8_t buf[CT_BSG_LEN], enum ct_way way, const uint8_t *request)
{
	const uint8_t directory_server[4] = {0, 0xff, 0xff, 0xfc};
	uint32_t code = way == CT_BY_RPORT ? FC_BSG_RPT_CT : FC_BSG_HST_CT;
	uint8_t *p = buf;

	memset(buf, 0, CT_BSG_LEN);
	memcpy(p, &code, sizeof(code));
	p += sizeof(code);
	if (way == CT_BY_HOST) {
		memcpy(p, directory_server, sizeof(directory_server));
		p += sizeof(directory_server);
	}
	for (int i = 0; i < 12; i += 4, p += 4) {
		uint32_t word = (uint32_t)request[i] << 24 | (uint32_t)request[i + 1] << 16 |
				(uint32_t)request[i + 2] << 8 | request[i + 3];

		memcpy(p, &word, sizeof(word));
	}
}

/* How much of the reply has come; 0 also with *error. */
static size_t ask(int bsg_fd, enum ct_way way, const uint8_t *request, size_t len,
		  uint8_t reply[CT_REPLY_MAX], int *error)
{
	uint8_t cmd[CT_BSG_LEN];
	struct fc_bsg_reply_ct status = {};
	size_t got;
	struct sg_io_v4 io = {
		.guard = 'Q',
		.protocol = BSG_PROTOCOL_SCSI,
		.subprotocol = BSG_SUB_PROTOCOL_SCSI_TRANSPORT,
		.request = (uintptr_t)cmd,
		.request_len = sizeof(cmd),
		.response = (uintptr_t)&status,
		.max_response_len = sizeof(status),
		.dout_xferp = (uintptr_t)request,
		.dout_xfer_len = (uint32_t)len,
		.din_xferp = (uintptr_t)reply,
		.din_xfer_len = CT_REPLY_MAX,
		.timeout = CT_TIMEOUT_MS,
	};

	ct_pack_bsg(cmd, way, request);
	memset(reply, 0, CT_REPLY_MAX);
	*error = 0;
	if (ioctl(bsg_fd, SG_IO, &io) < 0) {
		*error = -errno;
		return 0;
	}
	/* din_resid is what was not filled; a timed-out request fills nothing and yet says success. */
	got = io.din_resid >= 0 && io.din_resid <= CT_REPLY_MAX ? CT_REPLY_MAX - (size_t)io.din_resid : 0;
	return got > status.reply_payload_rcv_len ? status.reply_payload_rcv_len : got;
}

enum ct_answer ct_gid_pn(int bsg_fd, enum ct_way way, wwn_t wwpn, uint32_t *port_id, unsigned *reason,
			 int *error)
{
	uint8_t request[CT_REQUEST_MAX], reply[CT_REPLY_MAX];
	size_t len = ct_pack_gid_pn(request, wwpn);

	return ct_parse_gid_pn(reply, ask(bsg_fd, way, request, len, reply, error), port_id, reason);
}

enum ct_answer ct_gfpn_id(int bsg_fd, enum ct_way way, uint32_t port_id, wwn_t *f_port, unsigned *reason,
			  int *error)
{
	uint8_t request[CT_REQUEST_MAX], reply[CT_REPLY_MAX];
	size_t len = ct_pack_gfpn_id(request, port_id);

	return ct_parse_gfpn_id(reply, ask(bsg_fd, way, request, len, reply, error), f_port, reason);
}

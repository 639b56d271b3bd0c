/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "ether.h"
#include "fc.h"

#define VLAN_TPID 0x8100
#define FCOE_HEADER_LEN 14
#define FCOE_TRAILER_LEN 8
#define SOF_I3 0x2e
#define SOF_N3 0x36
#define EOF_N 0x41
#define EOF_T 0x42

bool ether_parse(const uint8_t *buf, size_t len, struct ether_view *v)
{
	size_t at = 2 * MAC_LEN;

	if (len < at + 2)
		return false;
	*v = (struct ether_view){.dst = buf, .src = buf + MAC_LEN, .type = get_be16(buf + at)};
	if (v->type == VLAN_TPID) {
		if (len < at + 6)
			return false;
		v->vlan = get_be16(buf + at + 2) & 0xfff;
		v->type = get_be16(buf + at + 4);
		at += 4;
	}
	v->payload = buf + at + 2;
	v->len = len - at - 2;
	return true;
}

size_t ether_header(uint8_t *buf, const uint8_t *dst, const uint8_t *src, uint16_t vlan, uint16_t type)
{
	memcpy(buf, dst, MAC_LEN);
	memcpy(buf + MAC_LEN, src, MAC_LEN);
	if (!vlan) {
		put_be16(buf + 12, type);
		return 14;
	}
	put_be16(buf + 12, VLAN_TPID);
	put_be16(buf + 14, vlan | 3 << 13); /* FCoE's usual priority */
	put_be16(buf + 16, type);
	return 18;
}

int fcoe_decap(const uint8_t *payload, size_t len, struct frame *f)
{
	uint32_t crc, fctl;
	size_t n, fill;

	if (len < FCOE_HEADER_LEN + FC_HEADER_LEN + FCOE_TRAILER_LEN)
		return -EPROTO;
	n = len - FCOE_HEADER_LEN - FCOE_TRAILER_LEN;
	if (n > FC_FRAME_MAX || payload[0] >> 4)
		return -EPROTO;
	if (payload[FCOE_HEADER_LEN - 1] != SOF_I3 && payload[FCOE_HEADER_LEN - 1] != SOF_N3)
		return -EPROTO;
	payload += FCOE_HEADER_LEN;
	crc = (uint32_t)crc32(0, payload, (uInt)n);
	if (payload[n] != (crc & 0xff) || payload[n + 1] != (crc >> 8 & 0xff) ||
	    payload[n + 2] != (crc >> 16 & 0xff) || payload[n + 3] != crc >> 24)
		return -EBADMSG;
	memcpy(f->data, payload, n);
	fctl = get_be24(f->data + FC_F_CTL);
	fill = fctl & FCTL_FILL;
	if (fill <= n - FC_HEADER_LEN) {
		n -= fill;
		put_be24(f->data + FC_F_CTL, fctl & ~FCTL_FILL);
	}
	f->len = (uint16_t)n;
	return 0;
}

size_t fcoe_encap(uint8_t *buf, const uint8_t *dst, const uint8_t *src, uint16_t vlan, const struct frame *f)
{
	size_t n = ether_header(buf, dst, src, vlan, ETHERTYPE_FCOE_FRAME);
	uint32_t fctl = get_be24(f->data + FC_F_CTL), fill = -(uint32_t)f->len & 3, crc;
	uint8_t *fc = buf + n + FCOE_HEADER_LEN, *trailer = fc + f->len + fill;

	memset(buf + n, 0, FCOE_HEADER_LEN);
	buf[n + FCOE_HEADER_LEN - 1] = get_be16(f->data + FC_SEQ_CNT) ? SOF_N3 : SOF_I3;
	memcpy(fc, f->data, f->len);
	if (fill) {
		memset(fc + f->len, 0, fill);
		put_be24(fc + FC_F_CTL, (fctl & ~FCTL_FILL) | fill);
	}
	crc = (uint32_t)crc32(0, fc, (uInt)(f->len + fill));
	memset(trailer, 0, FCOE_TRAILER_LEN);
	for (int i = 0; i < 4; i++)
		trailer[i] = (uint8_t)(crc >> 8 * i);
	trailer[4] = fctl & FCTL_END_SEQ ? EOF_T : EOF_N;
	return (size_t)(trailer + FCOE_TRAILER_LEN - buf);
}

void fpma(uint8_t mac[MAC_LEN], uint32_t n_port_id)
{
	put_be24(mac, 0x0efc00);
	put_be24(mac + 3, n_port_id);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "fc.h"
#include "fip.h"

#define FIP_HEADER_LEN 10
#define FIP_VERSION 1
#define FIP_PRIORITY 128

enum {
	FLAG_FPMA = 0x8000,
	FLAG_AVAILABLE = 0x0004,
	FLAG_SOLICITED = 0x0002,
	FLAG_F_PORT = 0x0001,
};

static const uint8_t all_enode_macs[MAC_LEN] = {0x01, 0x10, 0x18, 0x01, 0x00, 0x01};

static int parse_els(const uint8_t *d, size_t len, struct fip_view *v)
{
	if (v->els || len < 4 + FC_HEADER_LEN + 4 || len - 4 > FC_FRAME_MAX)
		return -EPROTO;
	v->els_desc = d[0];
	v->els = d + 4;
	v->els_len = len - 4;
	return 0;
}

static int parse_desc(const uint8_t *d, size_t len, struct fip_view *v)
{
	switch (d[0]) {
	case FIP_DESC_MAC:
		if (len != 8)
			return -EPROTO;
		memcpy(v->mac, d + 2, MAC_LEN);
		return 0;
	case FIP_DESC_NAME:
		if (len != 12)
			return -EPROTO;
		v->name = get_be64(d + 4);
		return 0;
	case FIP_DESC_SIZE:
		if (len != 4)
			return -EPROTO;
		v->max_size = get_be16(d + 2);
		return 0;
	case FIP_DESC_FLOGI:
	case FIP_DESC_FDISC:
	case FIP_DESC_LOGO:
		return parse_els(d, len, v);
	case FIP_DESC_VN:
		if (len != 20)
			return -EPROTO;
		v->has_vn = true;
		memcpy(v->vn_mac, d + 2, MAC_LEN);
		v->vn_id = get_be24(d + 9);
		v->vn_wwpn = get_be64(d + 12);
		return 0;
	default:
		return 0; /* another's: the kinds that a switch acts on do not need it */
	}
}

int fip_parse(const uint8_t *p, size_t len, struct fip_view *v)
{
	const uint8_t *end;

	memset(v, 0, sizeof(*v));
	if (len < FIP_HEADER_LEN || p[0] >> 4 != FIP_VERSION)
		return -EPROTO;
	v->kind = (unsigned)get_be16(p + 2) << 8 | p[5];
	v->flags = get_be16(p + 8);
	if (get_be16(p + 6) * 4u > len - FIP_HEADER_LEN)
		return -EPROTO;
	end = p + FIP_HEADER_LEN + get_be16(p + 6) * 4u;
	for (p += FIP_HEADER_LEN; p < end; p += p[1] * 4u) {
		if (!p[1] || p[1] * 4u > (size_t)(end - p))
			return -EPROTO;
		if (parse_desc(p, p[1] * 4u, v))
			return -EPROTO;
	}
	return 0;
}

struct builder {
	uint8_t *buf, *fip, *at;
};

static struct builder begin(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, uint16_t vlan,
			    unsigned kind, uint16_t flags)
{
	struct builder b = {.buf = buf};

	b.fip = buf + ether_header(buf, dst, s->mac, vlan, ETHERTYPE_FIP);
	memset(b.fip, 0, FIP_HEADER_LEN);
	b.fip[0] = FIP_VERSION << 4;
	put_be16(b.fip + 2, (uint16_t)(kind >> 8));
	b.fip[5] = (uint8_t)kind;
	put_be16(b.fip + 8, flags);
	b.at = b.fip + FIP_HEADER_LEN;
	return b;
}

/* The next descriptor, zeroed; len in bytes, header included. */
static uint8_t *desc(struct builder *b, uint8_t type, size_t len)
{
	uint8_t *d = b->at;

	memset(d, 0, len);
	d[0] = type;
	d[1] = (uint8_t)(len / 4);
	b->at += len;
	return d;
}

static void desc_mac(struct builder *b, const uint8_t *mac)
{
	memcpy(desc(b, FIP_DESC_MAC, 8) + 2, mac, MAC_LEN);
}

/* Set the length of the descriptors, and pad to at least "least" bytes. */
static size_t finish(struct builder *b, size_t least)
{
	size_t len = (size_t)(b->at - b->buf);

	put_be16(b->fip + 6, (uint16_t)((b->at - b->fip - FIP_HEADER_LEN) / 4));
	if (least > ETHER_FRAME_MAX)
		least = ETHER_FRAME_MAX;
	if (len < least) {
		memset(b->at, 0, least - len);
		len = least;
	}
	return len;
}

size_t fip_advert(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, uint16_t max_size)
{
	uint16_t flags = FLAG_FPMA | FLAG_AVAILABLE | FLAG_F_PORT | (dst ? FLAG_SOLICITED : 0);
	struct builder b = begin(buf, s, dst ? dst : all_enode_macs, s->vlan, FIP_ADVERT, flags);
	uint8_t *d;

	desc(&b, FIP_DESC_PRIORITY, 4)[3] = FIP_PRIORITY;
	desc_mac(&b, s->mac);
	put_be64(desc(&b, FIP_DESC_NAME, 12) + 4, s->fabric_wwn);
	d = desc(&b, FIP_DESC_FABRIC, 16);
	put_be16(d + 2, s->vsan);
	put_be24(d + 5, 0x0efc00);
	put_be64(d + 8, s->fabric_wwn);
	put_be32(desc(&b, FIP_DESC_FKA, 8) + 4, s->fka_ms);
	return finish(&b, dst ? (size_t)(b.fip - buf) + max_size : ETHER_FRAME_MIN);
}

size_t fip_els_reply(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, uint8_t els_desc,
		     const struct frame *f, const uint8_t *granted)
{
	struct builder b = begin(buf, s, dst, s->vlan, FIP_LS_REPLY, FLAG_FPMA);

	memcpy(desc(&b, els_desc, 4 + ((size_t)f->len + 3) / 4 * 4) + 4, f->data, f->len);
	if (granted)
		desc_mac(&b, granted);
	return finish(&b, ETHER_FRAME_MIN);
}

size_t fip_clear_link(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, const struct fip_vn *vn,
		      size_t n)
{
	struct builder b = begin(buf, s, dst, s->vlan, FIP_CLEAR_LINK, FLAG_FPMA);

	desc_mac(&b, s->mac);
	put_be64(desc(&b, FIP_DESC_NAME, 12) + 4, s->fabric_wwn);
	for (size_t i = 0; i < n; i++) {
		uint8_t *d = desc(&b, FIP_DESC_VN, 20);

		fpma(d + 2, vn[i].id);
		put_be24(d + 9, vn[i].id);
		put_be64(d + 12, vn[i].wwpn);
	}
	return finish(&b, ETHER_FRAME_MIN);
}

size_t fip_vlan_note(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, const uint16_t *vlans,
		     size_t n)
{
	struct builder b = begin(buf, s, dst, 0, FIP_VLAN_NOTE, FLAG_FPMA);

	desc_mac(&b, s->mac);
	for (size_t i = 0; i < n; i++)
		put_be16(desc(&b, FIP_DESC_VLAN, 4) + 2, vlans[i]);
	return finish(&b, ETHER_FRAME_MIN);
}

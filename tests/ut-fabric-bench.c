/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "ut-fabric-bench.h"

bool bench_command(struct bench *b, const char *fmt, ...)
{
	struct json_object *reply, *text;
	char line[4096];
	va_list ap;
	bool good;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	good = fabric_command(b->f, line, &reply, b->now);
	json_object_object_get_ex(reply, "text", &text);
	snprintf(b->text, sizeof(b->text), "%s", json_object_get_string(text));
	json_object_put(reply);
	return good;
}

void bench_open(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->now = 1000000;
	b->f = fabric_new();
	bench_command(b, "vsan 10 name SAN-A fabric-wwn 10:00:00:00:00:00:0a:00");
	bench_command(b, "vsan 20 name SAN-B fabric-wwn 10:00:00:00:00:00:0b:00");
	bench_command(b, "port p0 if none0 vsans 10,20");
	bench_command(b, "port p1 if none1 vsans 10,20");
	fabric_carrier(b->f, 0, true, 2500, b->now);
	fabric_carrier(b->f, 1, true, 2500, b->now);
	bench_drain(b);
}

void bench_close(struct bench *b)
{
	fabric_free(b->f);
}

void bench_wait(struct bench *b, uint64_t us)
{
	uint64_t end = b->now + us;

	while (fabric_deadline(b->f) <= end) {
		if (fabric_deadline(b->f) > b->now)
			b->now = fabric_deadline(b->f);
		fabric_run(b->f, b->now);
	}
	b->now = end;
}

bool bench_take(struct bench *b)
{
	struct ether_out *o = fabric_output(b->f);

	if (!o)
		return false;
	b->port = o->port;
	b->len = o->len;
	memcpy(b->eth, o->data, o->len);
	free(o);
	return ether_parse(b->eth, b->len, &b->view);
}

bool bench_take_fc(struct bench *b)
{
	while (bench_take(b))
		if (b->view.type == ETHERTYPE_FCOE_FRAME)
			return !fcoe_decap(b->view.payload, b->view.len, &b->fc);
	return false;
}

unsigned bench_drain(struct bench *b)
{
	unsigned n = 0;

	while (bench_take(b))
		n++;
	return n;
}

struct node bench_node(unsigned port, uint16_t vlan, uint8_t mac, uint8_t name)
{
	return (struct node){.port = port,
			     .vlan = vlan,
			     .mac = {2, 0, 0, 0, 0, mac},
			     .wwpn = UINT64_C(0x5000000000000000) | name,
			     .wwnn = UINT64_C(0x2000000000000000) | name};
}

static void fcf_mac(const struct node *n, uint8_t mac[MAC_LEN])
{
	put_be16(mac, 0x02fc);
	put_be16(mac + 2, n->vlan);
	put_be16(mac + 4, (uint16_t)n->port);
}

void bench_fip(struct bench *b, const struct node *n, unsigned kind, const uint8_t *desc, size_t len)
{
	uint8_t eth[ETHER_FRAME_MAX] = {}, dst[MAC_LEN];
	size_t at;

	fcf_mac(n, dst);
	at = ether_header(eth, dst, n->mac, n->vlan, ETHERTYPE_FIP);
	eth[at] = 0x10;
	put_be16(eth + at + 2, (uint16_t)(kind >> 8));
	eth[at + 5] = (uint8_t)kind;
	put_be16(eth + at + 6, (uint16_t)(len / 4));
	put_be16(eth + at + 8, 0x8000);
	memcpy(eth + at + 10, desc, len);
	fabric_input(b->f, n->port, eth, at + 10 + len, b->now);
}

void bench_keep_alive(struct bench *b, const struct node *n, bool of_vn)
{
	uint8_t desc[28] = {FIP_DESC_MAC, 2};

	memcpy(desc + 2, n->mac, MAC_LEN);
	desc[8] = FIP_DESC_VN;
	desc[9] = 5;
	fpma(desc + 10, n->id);
	put_be24(desc + 17, n->id);
	put_be64(desc + 20, n->wwpn);
	bench_fip(b, n, FIP_KEEP_ALIVE, desc, of_vn ? 28 : 8);
}

/* An ELS in FIP; true: answered, the FC frame is in b->fc. */
static bool fip_els(struct bench *b, const struct node *n, uint8_t desc_type, uint32_t s_id,
		    const uint8_t *els, size_t len)
{
	uint8_t desc[4 + FC_HEADER_LEN + LOGIN_LEN + 8] = {desc_type,
							   (uint8_t)((4 + FC_HEADER_LEN + len) / 4)};
	uint8_t *fc = desc + 4, *mac = fc + FC_HEADER_LEN + len;
	struct fip_view v;

	fc[FC_R_CTL] = RCTL_ELS_REQ;
	put_be24(fc + FC_D_ID, FCID_LOGIN);
	put_be24(fc + FC_S_ID, s_id);
	fc[FC_TYPE] = FC_TYPE_ELS;
	put_be24(fc + FC_F_CTL, FCTL_REQUEST);
	put_be16(fc + FC_OX_ID, 0x1234);
	put_be16(fc + FC_RX_ID, XID_UNKNOWN);
	memcpy(fc + FC_HEADER_LEN, els, len);
	mac[0] = FIP_DESC_MAC;
	mac[1] = 2;
	bench_fip(b, n, FIP_LS_REQUEST, desc, (size_t)(mac + 8 - desc));
	while (bench_take(b)) {
		if (b->view.type != ETHERTYPE_FIP || fip_parse(b->view.payload, b->view.len, &v) ||
		    v.kind != FIP_LS_REPLY || memcmp(b->view.dst, n->mac, MAC_LEN))
			continue;
		memcpy(b->fc.data, v.els, v.els_len);
		b->fc.len = (uint16_t)v.els_len;
		b->reason = b->fc.data[FC_HEADER_LEN + 5];
		b->explanation = b->fc.data[FC_HEADER_LEN + 6];
		return true;
	}
	return false;
}

uint32_t bench_login(struct bench *b, struct node *n, bool fdisc)
{
	uint8_t els[LOGIN_LEN] = {fdisc ? ELS_FDISC : ELS_FLOGI};

	put_be16(els + LOGIN_BB_DATA, 2048);
	put_be64(els + LOGIN_WWPN, n->wwpn);
	put_be64(els + LOGIN_WWNN, n->wwnn);
	n->id = 0;
	b->reason = b->explanation = 0;
	if (!fip_els(b, n, fdisc ? FIP_DESC_FDISC : FIP_DESC_FLOGI, 0, els, sizeof(els)))
		return 0;
	if (b->fc.data[FC_HEADER_LEN] == ELS_LS_ACC)
		n->id = get_be24(b->fc.data + FC_D_ID);
	return n->id;
}

bool bench_logo(struct bench *b, struct node *n)
{
	uint8_t els[16] = {ELS_LOGO};

	put_be24(els + 5, n->id);
	put_be64(els + 8, n->wwpn);
	return fip_els(b, n, FIP_DESC_LOGO, n->id, els, sizeof(els)) &&
	       b->fc.data[FC_HEADER_LEN] == ELS_LS_ACC;
}

void bench_send(struct bench *b, const struct node *n, uint32_t d_id, uint8_t r_ctl, uint8_t type,
		const uint8_t *payload, size_t len)
{
	uint8_t eth[ETHER_FRAME_MAX], dst[MAC_LEN], src[MAC_LEN];
	struct frame *fr = frame_new(10, len);

	fr->data[FC_R_CTL] = r_ctl;
	put_be24(fr->data + FC_D_ID, d_id);
	put_be24(fr->data + FC_S_ID, n->id);
	fr->data[FC_TYPE] = type;
	put_be24(fr->data + FC_F_CTL, FCTL_REQUEST);
	put_be16(fr->data + FC_OX_ID, 0x4321);
	put_be16(fr->data + FC_RX_ID, XID_UNKNOWN);
	memcpy(frame_payload(fr), payload, len);
	fcf_mac(n, dst);
	fpma(src, n->id);
	fabric_input(b->f, n->port, eth, fcoe_encap(eth, dst, src, n->vlan, fr), b->now);
	frame_free(fr);
}

int bench_ct(struct bench *b, const struct node *n, uint16_t command, const uint8_t *body, size_t len)
{
	uint8_t ct[CT_HEADER_LEN + 512] = {1, 0, 0, 0, CT_DIRECTORY, CT_NAME_SERVER};

	bench_drain(b);
	put_be16(ct + 8, command);
	memcpy(ct + CT_HEADER_LEN, body, len);
	bench_send(b, n, FCID_DIRECTORY, RCTL_CT_REQ, FC_TYPE_CT, ct, CT_HEADER_LEN + len);
	do {
		if (!bench_take_fc(b))
			return -2;
	} while (b->fc.data[FC_TYPE] != FC_TYPE_CT);
	b->reason = b->fc.data[FC_HEADER_LEN + 13];
	b->explanation = b->fc.data[FC_HEADER_LEN + 14];
	if (get_be16(b->fc.data + FC_HEADER_LEN + 8) != CT_ACCEPT)
		return -1;
	return (int)frame_payload_len(&b->fc) - CT_HEADER_LEN;
}

void bench_register(struct bench *b, const struct node *n)
{
	uint8_t rft[36] = {}, scr[8] = {ELS_SCR, [7] = 3};

	put_be24(rft + 1, n->id);
	rft[6] = 1;
	bench_ct(b, n, 0x217, rft, sizeof(rft));
	bench_send(b, n, FCID_FABRIC_CONTROLLER, RCTL_ELS_REQ, FC_TYPE_ELS, scr, sizeof(scr));
	bench_drain(b);
}

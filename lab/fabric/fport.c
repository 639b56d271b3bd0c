/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* F_Ports: what they are, and the FIP that they speak with ENodes (FC-BB-5; peer: fcoe_ctlr.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "fc.h"
#include "fip.h"
#include "rule.h"

#define FCOE_OVERHEAD (14 + FC_HEADER_LEN + 8)
#define MTU_DEFAULT 1500

struct fport *fport_new(struct fabric *f, const char *name, enum port_kind kind, const char *address)
{
	struct fport *p = calloc(1, sizeof(*p)), **ports;

	ports = reallocarray(f->ports, f->n_ports + 1, sizeof(struct fport *));
	if (ports)
		f->ports = ports;
	if (!p || !ports) {
		free(p);
		return NULL;
	}
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->address, sizeof(p->address), "%s", address);
	p->kind = kind;
	p->admin_up = true;
	p->mtu = MTU_DEFAULT;
	LIST_INIT(&p->enodes);
	p->index = f->n_ports;
	f->ports[f->n_ports++] = p;
	return p;
}

struct fport *fport_find(struct fabric *f, const char *name)
{
	for (unsigned i = 0; i < f->n_ports; i++)
		if (!strcmp(f->ports[i]->name, name))
			return f->ports[i];
	return NULL;
}

void fport_free(struct fport *p)
{
	free(p);
}

int fport_add_vsan(struct fabric *f, struct fport *p, struct vsan *v)
{
	for (unsigned i = 0; i < p->n_vsans; i++)
		if (p->vsans[i].vsan == v)
			return -EEXIST;
	if (p->n_vsans == VSANS_OF_PORT_MAX)
		return -ENOSPC;
	p->vsans[p->n_vsans++] = (struct fport_vsan){.vsan = v, .advert_us = f->now};
	return 0;
}

bool fport_up(const struct fport *p)
{
	return p->carrier && p->admin_up;
}

struct vsan *fport_vsan_of_vlan(struct fport *p, uint16_t vlan)
{
	if (!vlan)
		return p->native;
	for (unsigned i = 0; i < p->n_vsans; i++)
		if (p->vsans[i].vsan->vlan == vlan && p->vsans[i].vsan != p->native)
			return p->vsans[i].vsan;
	return NULL;
}

void fport_mac(const struct fport *p, const struct vsan *v, uint8_t mac[MAC_LEN])
{
	put_be16(mac, 0x02fc); /* locally administered */
	put_be16(mac + 2, v ? v->id : 0);
	put_be16(mac + 4, (uint16_t)p->index);
}

/* A built-in target has the first of them, which no port has. */
uint64_t fport_wwpn(const struct login *l)
{
	uint64_t port = l->enode ? l->enode->port->index + 1 : 0;

	return l->vsan->fabric_wwn ^ port << 32 ^ UINT64_C(0x3000000000000000);
}

uint16_t fport_tag(const struct fport *p, const struct vsan *v)
{
	return p->native == v ? 0 : v->vlan;
}

uint16_t fport_max_payload(const struct fport *p)
{
	unsigned n = p->mtu - FCOE_OVERHEAD;

	return (uint16_t)(n > FC_PAYLOAD_MAX ? FC_PAYLOAD_MAX : n & ~3u);
}

static struct fip_switch speaker(const struct fabric *f, const struct fport *p, const struct vsan *v)
{
	struct fip_switch s = {.fka_ms = f->fka_ms};

	fport_mac(p, v, s.mac);
	if (v) {
		s.vlan = fport_tag(p, v);
		s.vsan = v->id;
		s.fabric_wwn = v->fabric_wwn;
	}
	return s;
}

/* A FIP frame of the switch itself, unless a rule forbids it. */
static void send_fip(struct fabric *f, struct fport *p, struct vsan *v, unsigned kind, const uint8_t *eth,
		     size_t len)
{
	struct rule_frame rf = {.kind = RULE_FIP, .op = kind, .dst_port = p, .vsan = v};

	if (!rule_eth_out(f, &rf, p, eth, len))
		fabric_send_eth(f, p, eth, len);
}

static void advertise(struct fabric *f, struct fport *p, struct vsan *v, const uint8_t *dst,
		      uint16_t max_size)
{
	struct fip_switch s = speaker(f, p, v);
	uint8_t eth[ETHER_FRAME_MAX];

	send_fip(f, p, v, FIP_ADVERT, eth, fip_advert(eth, &s, dst, max_size));
}

static void on_solicit(struct fabric *f, struct fport *p, struct vsan *v, const struct ether_view *e,
		       const struct fip_view *v_fip)
{
	advertise(f, p, v, e->src, v_fip->max_size);
}

static void on_keep_alive(struct fabric *f, struct fport *p, struct vsan *v, const struct ether_view *e,
			  const struct fip_view *fip)
{
	struct enode *n = enode_find(p, v, fip->mac);
	struct login *l;

	if (!n)
		return;
	if (!fip->has_vn) {
		n->seen_us = f->now;
		return;
	}
	l = vsan_login_by_id(v, fip->vn_id);
	if (l && l->enode == n && l->wwpn == fip->vn_wwpn)
		l->seen_us = f->now;
}

static void on_ls_request(struct fabric *f, struct fport *p, struct vsan *v, const struct ether_view *e,
			  const struct fip_view *fip)
{
	struct fip_request r = {.port = p, .vsan = v, .els_desc = fip->els_desc};
	struct frame req;

	if (!fip->els)
		return;
	memcpy(r.mac, e->src, MAC_LEN);
	req.vsan = v->id;
	req.len = (uint16_t)fip->els_len;
	memcpy(req.data, fip->els, fip->els_len);
	login_server(f, &r, &req);
}

/* Asked untagged, and answered so, for all the port's VSANs. */
static void on_vlan_request(struct fabric *f, struct fport *p, const struct ether_view *e)
{
	struct fip_switch s = speaker(f, p, NULL);
	uint16_t vlans[VSANS_OF_PORT_MAX];
	uint8_t eth[ETHER_FRAME_MAX];
	size_t n = 0;

	for (unsigned i = 0; i < p->n_vsans; i++)
		if (p->vsans[i].vsan != p->native)
			vlans[n++] = p->vsans[i].vsan->vlan;
	if (n)
		send_fip(f, p, NULL, FIP_VLAN_NOTE, eth, fip_vlan_note(eth, &s, e->src, vlans, n));
}

static const struct {
	unsigned kind;
	void (*fn)(struct fabric *, struct fport *, struct vsan *, const struct ether_view *,
		   const struct fip_view *);
} handlers[] = {
	{FIP_SOLICIT, on_solicit},
	{FIP_KEEP_ALIVE, on_keep_alive},
	{FIP_LS_REQUEST, on_ls_request},
};

void fport_fip_input(struct fabric *f, struct fport *p, const struct ether_view *e)
{
	struct vsan *v = fport_vsan_of_vlan(p, e->vlan);
	struct fip_view fip;

	if (fip_parse(e->payload, e->len, &fip)) {
		p->bad++;
		return;
	}
	if (fip.kind == FIP_VLAN_REQUEST && !e->vlan) {
		on_vlan_request(f, p, e);
		return;
	}
	if (!v)
		return;
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].kind == fip.kind)
			handlers[i].fn(f, p, v, e, &fip);
}

void fport_fip_reply(struct fabric *f, const struct fip_request *r, const struct frame *reply,
		     const uint8_t *granted)
{
	const struct login *to = vsan_login_by_id(r->vsan, get_be24(reply->data + FC_D_ID));
	struct rule_frame rf = rule_frame_of(r->vsan, NULL, to, reply);
	struct fip_switch s = speaker(f, r->port, r->vsan);
	uint8_t eth[ETHER_FRAME_MAX];
	size_t len = fip_els_reply(eth, &s, r->mac, r->els_desc, reply, granted);

	rf.dst_port = r->port;
	if (!rule_eth_out(f, &rf, r->port, eth, len))
		fabric_send_eth(f, r->port, eth, len);
}

void fport_clear_links(struct fabric *f, struct enode *e, struct login *const *l, size_t n)
{
	struct fip_switch s = speaker(f, e->port, e->vsan);
	struct fip_vn vn[FIP_CLEAR_MAX];
	uint8_t eth[ETHER_FRAME_MAX];

	if (!e->port->carrier)
		return;
	for (size_t i = 0; i < n && i < FIP_CLEAR_MAX; i++)
		vn[i] = (struct fip_vn){.id = l[i]->id, .wwpn = l[i]->wwpn};
	send_fip(f, e->port, e->vsan, FIP_CLEAR_LINK, eth, fip_clear_link(eth, &s, e->mac, vn, n));
}

void fport_send(struct fabric *f, struct login *to, const struct frame *fr)
{
	struct fport *p = to->enode->port;
	uint8_t eth[ETHER_FRAME_MAX], src[MAC_LEN], dst[MAC_LEN];

	if (!fport_up(p))
		return;
	fport_mac(p, to->vsan, src);
	fpma(dst, to->id);
	fabric_send_eth(f, p, eth, fcoe_encap(eth, dst, src, fport_tag(p, to->vsan), fr));
}

void fport_down(struct fabric *f, struct fport *p, const char *how, bool clear)
{
	struct enode *e;

	while ((e = LIST_FIRST(&p->enodes)))
		enode_end(f, e, how, clear);
}

void fport_run(struct fabric *f, struct fport *p)
{
	if (!fport_up(p))
		return;
	for (unsigned i = 0; i < p->n_vsans; i++) {
		struct fport_vsan *pv = &p->vsans[i];

		if (f->now < pv->advert_us)
			continue;
		pv->advert_us = f->now + (uint64_t)f->fka_ms * MSEC;
		advertise(f, p, pv->vsan, NULL, 0);
	}
}

/* Two and a half periods without a keep-alive end a virtual link (FC-BB-5 clause 7.8.4.3). */
static bool silent_since(const struct fabric *f, uint64_t seen_us, uint32_t period_ms)
{
	return f->now - seen_us > (uint64_t)period_ms * MSEC * 5 / 2;
}

static void expire_vn_ports(struct fabric *f, struct enode *e)
{
	struct login *l, *next;

	for (l = LIST_FIRST(&e->logins); l; l = next) {
		next = LIST_NEXT(l, of_enode);
		if (!silent_since(f, l->seen_us, f->vn_ka_ms))
			continue;
		fport_clear_links(f, e, &l, 1);
		login_end(f, l, "implicit: no VN_Port keep-alive");
	}
	enode_free_if_empty(e);
}

void fport_expire(struct fabric *f, struct fport *p)
{
	struct enode *e, *next;

	for (e = LIST_FIRST(&p->enodes); e; e = next) {
		next = LIST_NEXT(e, link);
		if (silent_since(f, e->seen_us, f->fka_ms))
			enode_end(f, e, "implicit: no ENode keep-alive", true);
		else
			expire_vn_ports(f, e);
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FC forwarding between logged-in N_Ports, bound by zoning, and to the fabric's servers. */
#include <string.h>

#include "core.h"
#include "fc.h"
#include "rule.h"

/* wwpn: the sender's; 0: a server of the fabric. src NULL: such a one, or logged out since. */
static void deliver(struct fabric *f, struct vsan *v, struct login *src, uint64_t wwpn,
		    const struct frame *fr)
{
	uint32_t d_id = get_be24(fr->data + FC_D_ID);
	struct login *dst = vsan_login_by_id(v, d_id);

	if (d_id >= FCID_WELL_KNOWN) {
		if (src)
			servers_input(f, src, fr);
		return;
	}
	if (!dst) {
		v->dropped_no_port++;
		return; /* class 3: its port is gone */
	}
	if (wwpn && !zone_shared(v, wwpn, dst->wwpn)) {
		v->dropped_zoning++;
		if (fr->data[FC_R_CTL] == RCTL_ELS_REQ)
			flog_add(f, "zoned-out", v, src, "ELS %02x to %06x dropped: no common zone",
				 fr->data[FC_HEADER_LEN], d_id);
		return;
	}
	if (dst->array)
		array_input(f, dst->array, fr);
	else
		fport_send(f, dst, fr);
}

static void route(struct fabric *f, struct vsan *v, struct login *src, const struct frame *fr)
{
	struct rule_frame rf;

	if (!TAILQ_EMPTY(&f->rules)) {
		rf = rule_frame_of(v, src, vsan_login_by_id(v, get_be24(fr->data + FC_D_ID)), fr);
		if (rule_frame_in(f, &rf, fr))
			return;
	}
	deliver(f, v, src, src ? src->wwpn : 0, fr);
}

void forward_input(struct fabric *f, struct fport *p, const struct ether_view *e)
{
	struct vsan *v = fport_vsan_of_vlan(p, e->vlan);
	uint8_t mac[MAC_LEN];
	struct login *src;
	struct frame fr;

	if (!v)
		return;
	fport_mac(p, v, mac);
	if (memcmp(e->dst, mac, MAC_LEN))
		return;
	if (fcoe_decap(e->payload, e->len, &fr)) {
		p->bad++;
		return;
	}
	fr.vsan = v->id;
	src = vsan_login_by_id(v, get_be24(fr.data + FC_S_ID));
	fpma(mac, get_be24(fr.data + FC_S_ID));
	if (!src || !src->enode || src->enode->port != p || memcmp(e->src, mac, MAC_LEN)) {
		v->dropped_no_port++;
		return; /* not logged in here, or another's address */
	}
	route(f, v, src, &fr);
}

void forward_frame(struct fabric *f, const struct frame *fr)
{
	struct vsan *v = vsan_find(f, fr->vsan);
	uint32_t s_id = get_be24(fr->data + FC_S_ID);
	struct login *src = v ? vsan_login_by_id(v, s_id) : NULL;

	if (src || (v && s_id >= FCID_WELL_KNOWN))
		route(f, v, src, fr);
	else if (v)
		v->dropped_no_port++;
}

void forward_delayed(struct fabric *f, const struct frame *fr, uint64_t src_wwpn)
{
	struct vsan *v = vsan_find(f, fr->vsan);

	if (v)
		deliver(f, v, vsan_login_by_id(v, get_be24(fr->data + FC_S_ID)), src_wwpn, fr);
}

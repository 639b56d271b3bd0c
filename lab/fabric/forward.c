/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FC forwarding between logged-in N_Ports, bound by zoning, and to the fabric's servers. */
#include <string.h>

#include "core.h"
#include "fc.h"
#include "rule.h"

static bool may_talk(struct vsan *v, const struct login *src, const struct login *dst)
{
	return zone_shared(v, src->wwpn, dst->wwpn);
}

/* src NULL: from a server of the fabric. */
static void deliver(struct fabric *f, struct vsan *v, struct login *src, struct login *dst,
		    const struct frame *fr)
{
	uint32_t d_id = get_be24(fr->data + FC_D_ID);

	if (d_id >= FCID_WELL_KNOWN) {
		if (src)
			servers_input(f, src, fr);
		return;
	}
	if (!dst) {
		v->dropped_no_port++;
		return; /* class 3: its port is gone */
	}
	if (src && !may_talk(v, src, dst)) {
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

static void route(struct fabric *f, struct vsan *v, struct login *src, const struct frame *fr, bool rules)
{
	struct login *dst = vsan_login_by_id(v, get_be24(fr->data + FC_D_ID));
	struct rule_frame rf;

	if (rules && !TAILQ_EMPTY(&f->rules)) {
		rf = rule_frame_of(v, src, dst, fr);
		if (rule_frame_in(f, &rf, fr))
			return;
	}
	deliver(f, v, src, dst, fr);
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
	route(f, v, src, &fr, true);
}

void forward_frame(struct fabric *f, struct frame *fr, bool rules)
{
	struct vsan *v = vsan_find(f, fr->vsan);
	uint32_t s_id = get_be24(fr->data + FC_S_ID);
	struct login *src;

	if (v) {
		src = vsan_login_by_id(v, s_id);
		if (src || s_id >= FCID_WELL_KNOWN || !rules)
			route(f, v, src, fr, rules);
		else
			v->dropped_no_port++;
	}
	frame_free(fr);
}

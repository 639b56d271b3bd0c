/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fabric controller's Registered State Change Notifications (FC-LS-2 clause 4.2.24). */
#include <stdlib.h>

#include "core.h"
#include "fc.h"

void rscn_send(struct fabric *f, struct login *to, uint32_t about)
{
	struct frame *fr;
	uint8_t *p;

	if (to->array || !to->scr || to->vsan->silent)
		return;
	if (f->lose_rscns) {
		f->lose_rscns--;
		flog_add(f, "rscn-lost", to->vsan, to, "RSCN about %06x lost by order, %u more to lose",
			 about, f->lose_rscns);
		return;
	}
	fr = frame_new(to->vsan->id, 8);
	if (!fr)
		return;
	fr->data[FC_R_CTL] = RCTL_ELS_REQ;
	put_be24(fr->data + FC_D_ID, to->id);
	put_be24(fr->data + FC_S_ID, FCID_FABRIC_CONTROLLER);
	fr->data[FC_TYPE] = FC_TYPE_ELS;
	put_be24(fr->data + FC_F_CTL, FCTL_REQUEST);
	put_be16(fr->data + FC_OX_ID, to->vsan->next_xid++ & 0x7fff);
	put_be16(fr->data + FC_RX_ID, XID_UNKNOWN);
	p = frame_payload(fr);
	p[0] = ELS_RSCN;
	p[1] = 4; /* page length */
	put_be16(p + 2, 8);
	put_be24(p + 5, about); /* p[4] 0: a port address, no event qualifier */
	flog_add(f, "rscn", to->vsan, to, "RSCN about %06x sent", about);
	fabric_emit(f, fr);
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (struct login *const *)a, y = (uintptr_t) * (struct login *const *)b;

	return x < y ? -1 : x > y;
}

void rscn_changed(struct fabric *f, struct vsan *v, uint64_t wwpn, uint32_t id)
{
	struct login **peers;
	size_t n = zone_peers(v, wwpn, &peers);

	if (n > 1) /* one RSCN for a peer in several zones */
		qsort(peers, n, sizeof(peers[0]), by_address);
	for (size_t i = 0; i < n; i++)
		if (!i || peers[i] != peers[i - 1])
			rscn_send(f, peers[i], id);
	free(peers);
}

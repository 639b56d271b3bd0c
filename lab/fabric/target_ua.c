/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit attentions (SAM-5 5.14): which wait for whom; and what is heard of the LUNs that other ports show too.
 */
#include <string.h>

#include "target_private.h"

void ua_add(struct initiator *i, uint16_t lun, uint16_t asc)
{
	struct ua_queue *q = &i->ua[lun];

	for (unsigned int n = 0; n < q->n; n++)
		if (q->asc[n] == asc)
			return;
	/* A loss of the nexus or a reset tells of more than what waits. */
	if (q->n == TARGET_UA_MAX)
		memmove(q->asc, q->asc + 1, sizeof(q->asc[0]) * --q->n);
	q->asc[q->n++] = asc;
}

void ua_add_all(struct initiator *i, uint16_t asc)
{
	for (uint16_t lun = 0; lun < TARGET_LUNS; lun++)
		ua_add(i, lun, asc);
}

uint16_t ua_take(struct initiator *i, uint16_t lun)
{
	struct ua_queue *q = &i->ua[lun];
	uint16_t asc = q->asc[0];

	if (!q->n)
		return 0;
	memmove(q->asc, q->asc + 1, sizeof(q->asc[0]) * --q->n);
	return asc;
}

static void hear(struct target *t, uint16_t lun, const struct lun_notice *n)
{
	struct initiator *i;

	TAILQ_FOREACH (i, &t->initiators, link) {
		unsigned int dropped = 0;

		if (n->to.initiator && (n->to.initiator != i->wwpn || n->to.target != t->wwpn))
			continue;
		if (n->except.initiator == i->wwpn && n->except.target == t->wwpn)
			continue;
		if (n->abort)
			dropped = exchanges_drop(t, i, lun);
		if (dropped)
			target_tell(t, "dropped %u exchanges of %06x at LUN %u (%s)", dropped, i->id, lun,
				    n->why);
		if (n->asc && (dropped || !n->if_aborted))
			ua_add(i, lun, (uint16_t)(n->asc << 8 | n->ascq));
	}
}

bool target_notices_wait(const struct target *t)
{
	for (uint16_t lun = 0; lun < TARGET_LUNS; lun++)
		if (t->luns[lun] && lun_notices_wait(t->luns[lun], lun_port_id(t->luns[lun], t->wwpn)))
			return true;
	return false;
}

void target_read_notices(struct target *t)
{
	struct lun_notice n;

	for (uint16_t lun = 0; lun < TARGET_LUNS; lun++) {
		struct lun_store *s = t->luns[lun];
		uint16_t port;

		if (!s)
			continue;
		port = lun_port_id(s, t->wwpn);
		while (lun_notice_next(s, port, &n))
			hear(t, lun, &n);
	}
}

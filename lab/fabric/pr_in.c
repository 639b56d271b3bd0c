/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PERSISTENT RESERVE IN (SPC-4 6.15). */
#include <string.h>

#include "frame.h"
#include "scsi_private.h"

#define TRANSPORT_ID_LEN 24

enum {
	READ_KEYS = 0,
	READ_RESERVATION = 1,
	REPORT_CAPABILITIES = 2,
	READ_FULL_STATUS = 3,
};

static void read_keys(struct scsi_command *c, size_t allocation)
{
	const struct pr_state *s = lun_store_pr(c->lun);
	uint8_t *p = scsi_data_in(c, 8 + 8 * s->count, allocation);

	if (!p)
		return;
	put_be32(p, s->generation);
	put_be32(p + 4, (uint32_t)(8 * s->count));
	for (size_t i = 0; i < s->count; i++)
		put_be64(p + 8 + 8 * i, s->registrants[i].key);
}

/* A reservation for all registrants has no key of its own. */
static void read_reservation(struct scsi_command *c, size_t allocation)
{
	const struct pr_state *s = lun_store_pr(c->lun);
	size_t len = s->type == PR_NONE ? 0 : 16;
	uint8_t *p = scsi_data_in(c, 8 + len, allocation);

	if (!p)
		return;
	put_be32(p, s->generation);
	put_be32(p + 4, (uint32_t)len);
	if (!len)
		return;
	for (size_t i = 0; i < s->count; i++)
		if (s->registrants[i].holder)
			put_be64(p + 8, s->registrants[i].key);
	p[21] = (uint8_t)s->type;
}

static void report_capabilities(struct scsi_command *c, size_t allocation)
{
	uint8_t *p = scsi_data_in(c, 8, allocation);

	if (!p)
		return;
	put_be16(p, 8);
	p[2] = 0x04; /* ATP_C: ALL_TG_PT is known */
	p[3] = 0x80; /* the type mask is valid */
	put_be16(p + 4, 0xea01); /* all six types */
}

static size_t full_status(const struct pr_state *s, const struct pr_registrant *r,
			  const struct lun_store *lun, uint8_t *p)
{
	put_be64(p, r->key);
	if (pr_is_holder(s, r)) {
		p[12] = 0x01;
		p[13] = (uint8_t)s->type;
	}
	put_be16(p + 18, lun_port_id(lun, r->nexus.target));
	put_be32(p + 20, TRANSPORT_ID_LEN);
	put_be64(p + 24 + 8, r->nexus.initiator); /* TransportID of Fibre Channel: format and protocol 0 */
	return 24 + TRANSPORT_ID_LEN;
}

static void read_full_status(struct scsi_command *c, size_t allocation)
{
	const struct pr_state *s = lun_store_pr(c->lun);
	size_t len = s->count * (24 + TRANSPORT_ID_LEN), at = 8;
	uint8_t *p = scsi_data_in(c, 8 + len, allocation);

	if (!p)
		return;
	put_be32(p, s->generation);
	put_be32(p + 4, (uint32_t)len);
	for (size_t i = 0; i < s->count; i++)
		at += full_status(s, &s->registrants[i], c->lun, p + at);
}

void scsi_pr_in(struct scsi_command *c)
{
	static void (*const actions[])(struct scsi_command * c, size_t allocation) = {
		[READ_KEYS] = read_keys,
		[READ_RESERVATION] = read_reservation,
		[REPORT_CAPABILITIES] = report_capabilities,
		[READ_FULL_STATUS] = read_full_status,
	};
	unsigned int action = c->cdb[1] & 0x1f;

	if (action >= sizeof(actions) / sizeof(actions[0]))
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
	else
		actions[action](c, get_be16(c->cdb + 7));
}

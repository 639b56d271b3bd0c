/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands to a LUN's device server: [CDB, 16 bytes][flags][length, 2 bytes][data-out...] again and again.
 * Flags: bits 0-1 the initiator, bit 2 the port, bit 3 no LUN, bit 4 data-out as long as the CDB asks.
 */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "scsi.h"

#define RECORD_LEN (SCSI_CDB_LEN + 3)
#define PADDED_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
	if (!truth)
		abort();
}

/* A reservation has one holder, or is for all of at least one registrant. */
static void check_reservation(const struct pr_state *p)
{
	size_t holders = 0;

	must(p->count <= p->room && p->count <= PR_REGISTRANTS_MAX);
	for (size_t i = 0; i < p->count; i++) {
		holders += p->registrants[i].holder;
		must(p->registrants[i].key);
	}
	must(holders == (p->type != PR_NONE && !pr_for_all(p)));
	must(p->type == PR_NONE || p->count);
}

static void check_answer(const struct scsi_command *c)
{
	must(c->status == SCSI_GOOD || c->status == SCSI_CHECK_CONDITION ||
	     c->status == SCSI_RESERVATION_CONFLICT);
	must(c->status != SCSI_CHECK_CONDITION || (c->sense[0] & 0x7f) == 0x70);
	must(!c->data_in_len || (c->data_in && c->status == SCSI_GOOD));
	must(c->data_in_len <= SCSI_DATA_MAX);
}

/* All that is shown has been filled in: the sanitizer looks for reads past the end. */
static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s += *p++;
	return s;
}

static void one(struct lun_store *s, const uint8_t *p, uint8_t flags, const uint8_t *out, size_t len)
{
	static const uint16_t luns[] = {0, 1, 255};
	struct scsi_command c = {
		.lun = flags & 8 ? NULL : s,
		.nexus = {.initiator = 0x10u + (flags & 3), .target = flags & 4 ? 2 : 1},
		.target_wwnn = 3,
		.luns = luns,
		.lun_count = 3,
	};
	size_t need;
	uint8_t *copy; /* of exactly this length */

	memcpy(c.cdb, p, SCSI_CDB_LEN);
	need = scsi_data_out_len(c.lun, c.cdb);
	c.data_out_len = (flags & 16) && need <= PADDED_MAX ? need : len;
	copy = calloc(1, c.data_out_len ? c.data_out_len : 1);
	if (!copy)
		return;
	memcpy(copy, out, len < c.data_out_len ? len : c.data_out_len);
	c.data_out = copy;
	scsi_execute(&c);
	check_answer(&c);
	if (c.data_in_len) {
		volatile uint8_t seen = sum(c.data_in, c.data_in_len);

		(void)seen;
	}
	free(c.data_in);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lun_store *s = lun_store_new_memory("L", 64, 512, NULL);
	struct lun_notice n;

	must(s);
	lun_port_attach(s, 1);
	lun_port_attach(s, 2);
	while (size >= RECORD_LEN) {
		const uint8_t *record = data;
		size_t len = get_be16(data + SCSI_CDB_LEN + 1);

		data += RECORD_LEN;
		size -= RECORD_LEN;
		if (len > size)
			len = size;
		one(s, record, record[SCSI_CDB_LEN], data, len);
		check_reservation(lun_store_pr(s));
		for (uint16_t port = 1; port <= 2; port++)
			while (lun_notice_next(s, port, &n))
				;
		data += len;
		size -= len;
	}
	lun_store_unref(s);
	return 0;
}

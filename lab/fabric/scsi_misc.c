/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* REPORT LUNS, MODE SENSE, REQUEST SENSE, PERSISTENT RESERVE OUT (SPC-4 6). */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "scsi_private.h"

void scsi_report_luns(struct scsi_command *c)
{
	size_t allocation = get_be32(c->cdb + 6);
	size_t n = c->cdb[2] == 0x01 ? 0
				     : c->lun_count; /* 1: well-known LUNs alone, of which there is none */
	uint8_t *p;

	if (c->cdb[2] > 2 || allocation < 16) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	p = scsi_data_in(c, 8 + 8 * n, allocation);
	if (!p)
		return;
	put_be32(p, (uint32_t)(8 * n));
	for (size_t i = 0; i < n; i++)
		p[8 + 8 * i + 1] = (uint8_t)c->luns[i];
}

void scsi_request_sense(struct scsi_command *c)
{
	uint8_t *p;

	if (c->cdb[1] & 0x01) { /* DESC */
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	p = scsi_data_in(c, SCSI_SENSE_LEN, c->cdb[4]);
	if (!p)
		return;
	p[0] = 0x70;
	p[7] = SCSI_SENSE_LEN - 8;
	if (!c->lun) {
		p[2] = SCSI_KEY_ILLEGAL_REQUEST;
		put_be16(p + 12, ASC_NO_SUCH_LUN);
	}
}

/* ---- mode pages ---- */

static const uint8_t caching_page[20] = {0x08, 18, 0x04 /* write cache on: SYNCHRONIZE CACHE counts */};
static const uint8_t control_page[12] = {0x0a, 10, 0x00, 0x10 /* unrestricted reordering */};

static const struct {
	uint8_t code, len;
	const uint8_t *bytes;
} mode_pages[] = {
	{0x08, sizeof(caching_page), caching_page},
	{0x0a, sizeof(control_page), control_page},
};

/* Returns 0 when there is no such page. Nothing is changeable: those values are zeros behind the header. */
static size_t fill_pages(uint8_t *p, uint8_t code, bool changeable)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(mode_pages) / sizeof(mode_pages[0]); i++) {
		if (code != 0x3f && code != mode_pages[i].code)
			continue;
		memcpy(p + n, mode_pages[i].bytes, changeable ? 2 : mode_pages[i].len);
		n += mode_pages[i].len;
	}
	return n;
}

static void mode_sense(struct scsi_command *c, size_t header, size_t allocation)
{
	uint8_t control = c->cdb[2] >> 6, *p;
	size_t n;

	if (control == 3 || (c->cdb[3] && c->cdb[3] != 0xff)) { /* saved values; a subpage */
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	p = scsi_data_in(c, 64, allocation);
	if (!p)
		return;
	n = fill_pages(p + header, c->cdb[2] & 0x3f, control == 1);
	if (!n) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	n += header;
	c->data_in_len = n < allocation ? n : allocation;
	if (header == 4) {
		p[0] = (uint8_t)(n - 1);
		p[2] = 0x10; /* DPOFUA */
	} else {
		put_be16(p, (uint16_t)(n - 2));
		p[3] = 0x10;
	}
}

void scsi_mode_sense_6(struct scsi_command *c)
{
	mode_sense(c, 4, c->cdb[4]);
}

void scsi_mode_sense_10(struct scsi_command *c)
{
	mode_sense(c, 8, get_be16(c->cdb + 7));
}

/* ---- PERSISTENT RESERVE OUT ---- */

#define PR_LIST_LEN 24
#define SPEC_I_PT 0x08
#define ALL_TG_PT 0x04
#define APTPL 0x01

static void pr_answer(struct scsi_command *c, enum pr_result result)
{
	static const enum scsi_asc asc[] = {
		[PR_BAD_TYPE] = ASC_INVALID_FIELD_IN_CDB,
		[PR_BAD_KEY] = ASC_INVALID_FIELD_IN_LIST,
		[PR_BAD_RELEASE] = ASC_INVALID_RELEASE,
		[PR_NO_ROOM] = ASC_NO_REGISTRATION_RESOURCES,
	};

	if (result == PR_CONFLICT)
		c->status = SCSI_RESERVATION_CONFLICT;
	else if (result != PR_GOOD)
		scsi_refuse(c, asc[result]);
}

void scsi_pr_out(struct scsi_command *c)
{
	const uint8_t *list = c->data_out;
	size_t len = get_be32(c->cdb + 5);
	bool registers;
	struct pr_order o = {
		.nexus = c->nexus,
		.action = c->cdb[1] & 0x1f,
		.type = c->cdb[2] & 0x0f,
		.scope = c->cdb[2] >> 4,
	};

	if (o.action > PR_REGISTER_AND_IGNORE) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	registers = o.action == PR_REGISTER || o.action == PR_REGISTER_AND_IGNORE;
	if (len >= PR_LIST_LEN && registers && (list[20] & (SPEC_I_PT | APTPL))) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_LIST); /* as REPORT CAPABILITIES says */
		return;
	}
	if (len != PR_LIST_LEN) {
		scsi_refuse(c, ASC_PARAMETER_LIST_LENGTH);
		return;
	}
	o.key = get_be64(list);
	o.action_key = get_be64(list + 8);
	o.all_ports = list[20] & ALL_TG_PT;
	pr_answer(c, pr_order(c->lun, &o));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* INQUIRY: standard data (SPC-4, 6.4.2). */
#include <string.h>

#include "be.h"
#include "cleanup.h"
#include "disk_private.h"

#define STANDARD_SIZE 96

/* SAM-5, SPC-4, SBC-3, each without a version of a draft (SPC-4, 6.4.2, version descriptor values) */
static const uint16_t versions[] = {0x00a0, 0x0460, 0x04c0};

static enum disk_next standard(struct cmd *c, size_t allocation)
{
	const struct disk_identity *id = &c->d->id;
	uint8_t b[STANDARD_SIZE] = {0};

	b[2] = 6; /* SPC-4 */
	b[3] = 0x12; /* HISUP, response data format 2 */
	b[4] = STANDARD_SIZE - 5;
	b[7] = 0x02; /* CMDQUE */
	memcpy(b + 8, id->vendor, 8);
	memcpy(b + 16, id->product, 16);
	memcpy(b + 32, id->revision, 4);
	for (unsigned i = 0; i < ARRAY_SIZE(versions); i++)
		put_be16(versions[i], b + 58 + 2 * i);
	return cmd_answer(c, b, sizeof(b), allocation);
}

enum disk_next begin_inquiry(struct cmd *c)
{
	if (c->t->cdb[1] & 0x02) /* CMDDT: obsolete */
		return cmd_bad_cdb(c, 1, 1);
	if (c->t->cdb[1] & 0x01)
		return inquiry_vpd(c);
	if (c->t->cdb[2])
		return cmd_bad_cdb(c, 2, 7);
	return standard(c, get_be16(c->t->cdb + 3));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asymmetric logical unit access: what each port says of all, and what it takes (SPC-4 5.15, 6.30). */
#include "frame.h"
#include "scsi_private.h"

#define REPORT_TARGET_PORT_GROUPS 0x0a /* service action */
#define EXTENDED 0x20 /* parameter data format */
#define GROUP_LEN 12 /* a descriptor with its one port */
#define STATES 0x8f /* transitioning, unavailable, standby, non-optimized, optimized */

static unsigned int port_of(const struct scsi_command *c)
{
	return lun_port_id(c->lun, c->nexus.target) - 1u;
}

static bool any_state(uint8_t opcode)
{
	/* REQUEST SENSE, INQUIRY, MODE SENSE, PERSISTENT RESERVE, REPORT LUNS, MAINTENANCE IN */
	static const uint8_t taken[] = {0x03, 0x12, 0x1a, 0x5a, 0x5e, 0x5f, 0xa0, 0xa3};

	for (size_t i = 0; i < sizeof(taken); i++)
		if (taken[i] == opcode)
			return true;
	return false;
}

bool scsi_is_accessible(struct scsi_command *c)
{
	enum lun_access a = c->lun ? lun_port_access(c->lun, port_of(c)) : LUN_OPTIMIZED;

	if (a == LUN_OPTIMIZED || a == LUN_NON_OPTIMIZED || any_state(c->cdb[0]))
		return true;
	scsi_fail(c, SCSI_KEY_NOT_READY,
		  a == LUN_STANDBY	 ? ASC_PORT_IN_STANDBY
		  : a == LUN_UNAVAILABLE ? ASC_PORT_UNAVAILABLE
					 : ASC_PORT_IN_TRANSITION);
	return false;
}

void scsi_maintenance_in(struct scsi_command *c)
{
	size_t header = c->cdb[1] & EXTENDED ? 8 : 4, n = lun_ports(c->lun), len = header + n * GROUP_LEN;
	uint8_t *p;

	if (!lun_is_asymmetric(c->lun)) {
		scsi_refuse(c, ASC_INVALID_OPCODE);
		return;
	}
	if ((c->cdb[1] & 0x1f) != REPORT_TARGET_PORT_GROUPS) {
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
		return;
	}
	p = scsi_data_in(c, len, get_be32(c->cdb + 6));
	if (!p)
		return;
	put_be32(p, (uint32_t)(len - 4));
	if (header == 8)
		p[4] = 0x10;
	for (unsigned int i = 0; i < n; i++) {
		uint8_t *group = p + header + (size_t)i * GROUP_LEN;

		group[0] = (uint8_t)lun_port_access(c->lun, i);
		group[1] = STATES;
		put_be16(group + 2, (uint16_t)(i + 1));
		group[5] = 0x02; /* changed by the array */
		group[7] = 1;
		put_be16(group + 10, (uint16_t)(i + 1));
	}
}

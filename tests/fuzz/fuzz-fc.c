/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What arrays, switches and FCFs send: VPD page 0x83, GID_PN answers, FIP VLAN notifications, PERSISTENT
 * RESERVE IN. */
#include <string.h>

#include "ct.h"
#include "pr.h"
#include "verbs.h"
#include "vpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t vlans[8];
	char text[80];
	unsigned reason;
	struct pr_seen seen;
	uint32_t id;
	wwn_t name;
	size_t n = 0;

	if (!size)
		return 0;
	switch (data[0] % 5) {
	case 0:
		if (!vpd83_designator(data + 1, size - 1, text, sizeof(text)) && strlen(text) >= sizeof(text))
			__builtin_trap();
		break;
	case 1:
		ct_parse_gid_pn(data + 1, size - 1, &id, &reason);
		ct_parse_gfpn_id(data + 1, size - 1, &name, &reason);
		break;
	case 3:
		pr_parse_full_status(data + 1, size - 1, 0x502ab30000000001, &seen);
		break;
	case 4:
		pr_parse_reservation(data + 1, size - 1, &seen);
		break;
	default:
		fip_vlan_parse(data + 1, size - 1, vlans, 8, &n);
		if (n > 8)
			__builtin_trap();
	}
	return 0;
}

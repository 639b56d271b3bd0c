/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FIP VLAN discovery (FC-BB-6 7.9.8.3): the frames. */
#include <errno.h>
#include <string.h>

#include "verbs.h"

enum { ETH_LEN = 14, FIP_LEN = 10, FIP_ETHERTYPE = 0x8914 };
enum { OP_VLAN = 4, SUB_REQUEST = 1, SUB_NOTIFICATION = 2 };
enum { DESC_MAC = 2, DESC_VLAN = 14 };

static const uint8_t all_fcf_macs[6] = {0x01, 0x10, 0x18, 0x01, 0x00, 0x02};

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

size_t fip_vlan_request(uint8_t frame[64], const uint8_t mac[6])
{
	uint8_t *fip = frame + ETH_LEN, *desc = fip + FIP_LEN;

	memset(frame, 0, 64);
	memcpy(frame, all_fcf_macs, 6);
	memcpy(frame + 6, mac, 6);
	frame[12] = FIP_ETHERTYPE >> 8;
	frame[13] = FIP_ETHERTYPE & 0xff;
	fip[0] = 0x10; /* version 1 */
	fip[3] = OP_VLAN;
	fip[5] = SUB_REQUEST;
	fip[7] = 2; /* length of the descriptors in words */
	desc[0] = DESC_MAC;
	desc[1] = 2;
	memcpy(desc + 2, mac, 6);
	return 64;
}

int fip_vlan_parse(const uint8_t *frame, size_t len, uint16_t *list, size_t max, size_t *n)
{
	const uint8_t *fip = frame + ETH_LEN, *p, *end;
	int added = 0;

	if (len < ETH_LEN + FIP_LEN || be16(frame + 12) != FIP_ETHERTYPE || fip[0] >> 4 != 1 ||
	    be16(fip + 2) != OP_VLAN || fip[5] != SUB_NOTIFICATION)
		return -EBADMSG;
	p = fip + FIP_LEN;
	if (be16(fip + 6) * 4 > (size_t)(frame + len - p))
		return -EBADMSG;
	end = p + be16(fip + 6) * 4;
	while (end - p >= 4) {
		size_t size = (size_t)p[1] * 4;
		unsigned vid;
		size_t i;

		if (!size || size > (size_t)(end - p))
			return -EBADMSG;
		vid = be16(p + 2) & 0xfff;
		for (i = 0; i < *n && list[i] != vid; i++)
			;
		if (p[0] == DESC_VLAN && vid && vid < 4095 && i == *n && *n < max) {
			list[(*n)++] = (uint16_t)vid;
			added++;
		}
		p += size;
	}
	return added;
}

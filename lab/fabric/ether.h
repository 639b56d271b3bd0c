/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ethernet frames that carry FC (FC-BB-5): the header with its optional VLAN tag, and the encapsulation of
 * one FC frame. Pure functions of bytes; no state.
 */
#ifndef FABRIC_ETHER_H
#define FABRIC_ETHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define MAC_LEN 6
#define ETHER_FRAME_MAX (MAC_LEN * 2 + 4 + 2 + 14 + FC_FRAME_MAX + 8)
#define ETHER_FRAME_MIN 60

/* A received frame, taken apart; pointers into the caller's buffer. */
struct ether_view {
	const uint8_t *dst, *src;
	uint16_t vlan; /* 0: untagged */
	uint16_t type;
	const uint8_t *payload;
	size_t len;
};

/* False: too short to have a header. */
bool ether_parse(const uint8_t *buf, size_t len, struct ether_view *v);

/* Write the header (tagged when vlan is not 0); returns its length, 14 or 18. */
size_t ether_header(uint8_t *buf, const uint8_t *dst, const uint8_t *src, uint16_t vlan, uint16_t type);

/*
 * Take the FC frame out of an FCoE payload; fill bytes are removed. vsan is left to the caller.
 * Returns 0; -EPROTO: version, SOF or length wrong; -EBADMSG: CRC wrong.
 */
int fcoe_decap(const uint8_t *payload, size_t len, struct frame *f);

/*
 * The whole Ethernet frame into buf, of at least ETHER_FRAME_MAX bytes: fill bytes, SOF and EOF of class 3
 * by SEQ_CNT and End_Sequence, and the CRC are made here. Returns its length.
 */
size_t fcoe_encap(uint8_t *buf, const uint8_t *dst, const uint8_t *src, uint16_t vlan, const struct frame *f);

/* The fabric-provided MAC address of an N_Port_ID (FC-MAP 0EFC00). */
void fpma(uint8_t mac[MAC_LEN], uint32_t n_port_id);

#endif

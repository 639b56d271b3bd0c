/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The FCoE Initialization Protocol's frames (FC-BB-5 clause 7.8; peer: drivers/scsi/fcoe/fcoe_ctlr.c): one
 * parser into a flat struct, and builders of what a switch sends. Pure functions of bytes; no state.
 */
#ifndef FABRIC_FIP_H
#define FABRIC_FIP_H

#include "ether.h"

enum fip_kind { /* operation and subcode in one number */
		FIP_SOLICIT = 0x101,
		FIP_ADVERT = 0x102,
		FIP_LS_REQUEST = 0x201,
		FIP_LS_REPLY = 0x202,
		FIP_KEEP_ALIVE = 0x301,
		FIP_CLEAR_LINK = 0x302,
		FIP_VLAN_REQUEST = 0x401,
		FIP_VLAN_NOTE = 0x402,
};

enum fip_desc {
	FIP_DESC_PRIORITY = 1,
	FIP_DESC_MAC = 2,
	FIP_DESC_NAME = 4,
	FIP_DESC_FABRIC = 5,
	FIP_DESC_SIZE = 6,
	FIP_DESC_FLOGI = 7,
	FIP_DESC_FDISC = 8,
	FIP_DESC_LOGO = 9,
	FIP_DESC_VN = 11,
	FIP_DESC_FKA = 12,
	FIP_DESC_VLAN = 14,
};

/* What was read; descriptors that were not there are zero. */
struct fip_view {
	unsigned kind; /* enum fip_kind, or another number */
	uint16_t flags;
	uint8_t mac[MAC_LEN];
	uint64_t name;
	uint16_t max_size; /* of an FCoE frame without Ethernet header */
	uint8_t els_desc; /* FLOGI, FDISC or LOGO */
	const uint8_t *els; /* FC header and payload */
	size_t els_len;
	bool has_vn;
	uint8_t vn_mac[MAC_LEN];
	uint32_t vn_id;
	uint64_t vn_wwpn;
};

/* The payload of an Ethernet frame of type FIP. 0, or -EPROTO. */
int fip_parse(const uint8_t *payload, size_t len, struct fip_view *v);

struct fip_switch { /* who speaks */
	uint8_t mac[MAC_LEN];
	uint16_t vlan;
	uint16_t vsan;
	uint64_t fabric_wwn;
	uint32_t fka_ms;
};

struct fip_vn {
	uint32_t id;
	uint64_t wwpn;
};

/* Each writes a whole Ethernet frame into buf (ETHER_FRAME_MAX bytes) and returns its length. */

/* dst NULL: unsolicited, to All-ENode-MACs; otherwise solicited and padded to max_size. */
size_t fip_advert(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, uint16_t max_size);

/* The reply to an ELS: els_desc as in the request; granted NULL for LS_RJT. */
size_t fip_els_reply(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, uint8_t els_desc,
		     const struct frame *f, const uint8_t *granted);

/* Clear the virtual links of n VN_Ports (at most FIP_CLEAR_MAX; 0: all of the ENode). */
#define FIP_CLEAR_MAX 64
size_t fip_clear_link(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, const struct fip_vn *vn,
		      size_t n);

/* Untagged; s->vlan is not used. */
size_t fip_vlan_note(uint8_t *buf, const struct fip_switch *s, const uint8_t *dst, const uint16_t *vlans,
		     size_t n);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "ether.h"
#include "fc.h"
#include "fip.h"
#include "frame_text.h"

struct name {
	unsigned number;
	const char *text;
};

static const struct name fip_names[] = {
	{FIP_SOLICIT, "solicitation"},
	{FIP_ADVERT, "advertisement"},
	{FIP_LS_REQUEST, "request"},
	{FIP_LS_REPLY, "reply"},
	{FIP_KEEP_ALIVE, "keep-alive"},
	{FIP_CLEAR_LINK, "clear virtual links"},
	{FIP_VLAN_REQUEST, "VLAN request"},
	{FIP_VLAN_NOTE, "VLAN notification"},
	{},
};

static const struct name els_names[] = {
	{ELS_LS_RJT, "LS_RJT"}, {ELS_LS_ACC, "LS_ACC"}, {ELS_PLOGI, "PLOGI"},
	{ELS_FLOGI, "FLOGI"},	{ELS_LOGO, "LOGO"},	{ELS_RTV, "RTV"},
	{ELS_RLS, "RLS"},	{ELS_ECHO, "ECHO"},	{ELS_RRQ, "RRQ"},
	{ELS_REC, "REC"},	{ELS_PRLI, "PRLI"},	{ELS_PRLO, "PRLO"},
	{ELS_PDISC, "PDISC"},	{ELS_FDISC, "FDISC"},	{ELS_ADISC, "ADISC"},
	{ELS_RSCN, "RSCN"},	{ELS_SCR, "SCR"},	{},
};

static const struct name ct_names[] = {
	{CT_ACCEPT, "accept"}, {CT_REJECT, "reject"}, {0x100, "GA_NXT"},
	{0x112, "GPN_ID"},     {0x113, "GNN_ID"},     {0x117, "GFT_ID"},
	{0x118, "GSPN_ID"},    {0x11c, "GFPN_ID"},    {0x11f, "GFF_ID"},
	{0x121, "GID_PN"},     {0x131, "GID_NN"},     {0x171, "GID_FT"},
	{0x172, "GPN_FT"},     {0x1a1, "GID_PT"},     {0x213, "RNN_ID"},
	{0x217, "RFT_ID"},     {0x218, "RSPN_ID"},    {0x21f, "RFF_ID"},
	{0x239, "RSNN_NN"},    {0x300, "DA_ID"},      {},
};

static const struct name fcp_names[] = {
	{RCTL_FCP_CMND, "CMND"},
	{RCTL_FCP_XFER_RDY, "XFER_RDY"},
	{RCTL_SOL_DATA, "DATA"},
	{RCTL_FCP_RSP, "RSP"},
	{},
};

static const struct name bls_names[] = {
	{RCTL_BA_ABTS, "ABTS"},
	{RCTL_BA_ACC, "BA_ACC"},
	{RCTL_BA_RJT, "BA_RJT"},
	{},
};

static void append(char *buf, size_t size, const char *kind, const struct name *names, unsigned number)
{
	size_t n = strlen(buf);

	while (names->text && names->number != number)
		names++;
	if (names->text)
		snprintf(buf + n, size - n, " %s %s", kind, names->text);
	else
		snprintf(buf + n, size - n, " %s %x", kind, number);
}

static void append_fcp(const uint8_t *fc, size_t len, char *buf, size_t size)
{
	size_t n;

	append(buf, size, "FCP", fcp_names, fc[FC_R_CTL]);
	n = strlen(buf);
	if (fc[FC_R_CTL] == RCTL_FCP_CMND && len > FC_HEADER_LEN + 12)
		snprintf(buf + n, size - n, " op %02x", fc[FC_HEADER_LEN + 12]);
	else if (fc[FC_R_CTL] == RCTL_FCP_RSP && len > FC_HEADER_LEN + 11)
		snprintf(buf + n, size - n, " status %02x", fc[FC_HEADER_LEN + 11]);
}

/* fc: at least a header. */
static void append_fc(const uint8_t *fc, size_t len, char *buf, size_t size)
{
	const uint8_t *payload = fc + FC_HEADER_LEN;
	size_t n = strlen(buf);

	snprintf(buf + n, size - n, " %06x > %06x", get_be24(fc + FC_S_ID), get_be24(fc + FC_D_ID));
	if (fc[FC_R_CTL] >> 4 == RCTL_BLS >> 4)
		append(buf, size, "BLS", bls_names, fc[FC_R_CTL]);
	else if (fc[FC_TYPE] == FC_TYPE_ELS && len > FC_HEADER_LEN)
		append(buf, size, "ELS", els_names, payload[0]);
	else if (fc[FC_TYPE] == FC_TYPE_CT && len >= FC_HEADER_LEN + CT_HEADER_LEN &&
		 !get_be16(fc + FC_SEQ_CNT))
		append(buf, size, "CT", ct_names, get_be16(payload + 8));
	else if (fc[FC_TYPE] == FC_TYPE_FCP)
		append_fcp(fc, len, buf, size);
	else
		append(buf, size, "R_CTL", &(struct name){}, fc[FC_R_CTL]);
	n = strlen(buf);
	snprintf(buf + n, size - n, " OX %x RX %x len %zu", get_be16(fc + FC_OX_ID), get_be16(fc + FC_RX_ID),
		 len - FC_HEADER_LEN);
}

const char *frame_text(const uint8_t *eth, size_t len, char *buf, size_t size)
{
	struct ether_view e;
	struct fip_view fip;
	struct frame f;

	if (!ether_parse(eth, len, &e)) {
		snprintf(buf, size, "short");
		return buf;
	}
	snprintf(buf, size, "vlan %u", e.vlan);
	if (e.type == ETHERTYPE_FIP && !fip_parse(e.payload, e.len, &fip)) {
		append(buf, size, "FIP", fip_names, fip.kind);
		if (fip.els)
			append_fc(fip.els, fip.els_len, buf, size);
	} else if (e.type == ETHERTYPE_FCOE_FRAME && !fcoe_decap(e.payload, e.len, &f)) {
		append_fc(f.data, f.len, buf, size);
	} else {
		append(buf, size, "not understood, type", &(struct name){}, e.type);
	}
	return buf;
}

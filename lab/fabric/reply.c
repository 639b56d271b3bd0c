/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that answer a request. */
#include <string.h>

#include "core.h"
#include "fc.h"

struct frame *reply_new(const struct frame *req, uint8_t r_ctl, uint32_t s_id, size_t payload_len)
{
	struct frame *fr = frame_new(req->vsan, payload_len);

	if (!fr)
		return NULL;
	fr->data[FC_R_CTL] = r_ctl;
	memcpy(fr->data + FC_D_ID, req->data + FC_S_ID, 3);
	put_be24(fr->data + FC_S_ID, s_id);
	fr->data[FC_TYPE] = req->data[FC_TYPE];
	put_be24(fr->data + FC_F_CTL, FCTL_RESPONSE);
	fr->data[FC_SEQ_ID] = req->data[FC_SEQ_ID];
	memcpy(fr->data + FC_OX_ID, req->data + FC_OX_ID, 2);
	put_be16(fr->data + FC_RX_ID, get_be16(req->data + FC_RX_ID));
	return fr;
}

struct frame *reply_ls_rjt(const struct frame *req, uint8_t reason, uint8_t explanation)
{
	struct frame *fr = reply_new(req, RCTL_ELS_REP, get_be24(req->data + FC_D_ID), 8);

	if (!fr)
		return NULL;
	frame_payload(fr)[0] = ELS_LS_RJT;
	frame_payload(fr)[5] = reason;
	frame_payload(fr)[6] = explanation;
	return fr;
}

struct frame *reply_ba_acc(const struct frame *req)
{
	struct frame *fr = reply_new(req, RCTL_BA_ACC, get_be24(req->data + FC_D_ID), 12);

	if (!fr)
		return NULL;
	memcpy(frame_payload(fr) + 4, req->data + FC_OX_ID, 4);
	put_be16(frame_payload(fr) + 10, 0xffff); /* high SEQ_CNT: all of the exchange */
	return fr;
}

struct frame *reply_ba_rjt(const struct frame *req, uint8_t reason, uint8_t explanation)
{
	struct frame *fr = reply_new(req, RCTL_BA_RJT, get_be24(req->data + FC_D_ID), 4);

	if (!fr)
		return NULL;
	frame_payload(fr)[1] = reason;
	frame_payload(fr)[2] = explanation;
	return fr;
}

struct frame *reply_ct_rjt(const struct frame *req, uint8_t reason, uint8_t explanation)
{
	struct frame *fr = reply_new(req, RCTL_CT_REP, get_be24(req->data + FC_D_ID), CT_HEADER_LEN);
	uint8_t *p;

	if (!fr)
		return NULL;
	p = frame_payload(fr);
	memcpy(p, req->data + FC_HEADER_LEN,
	       frame_payload_len(req) < CT_HEADER_LEN ? frame_payload_len(req) : CT_HEADER_LEN);
	put_be16(p + 8, CT_REJECT);
	put_be16(p + 10, 0);
	p[13] = reason;
	p[14] = explanation;
	p[15] = 0;
	return fr;
}

struct frame *reply_login(const struct frame *req, uint16_t features, uint16_t max_payload, uint64_t wwpn,
			  uint64_t wwnn)
{
	struct frame *fr = reply_new(req, RCTL_ELS_REP, get_be24(req->data + FC_D_ID), LOGIN_LEN);
	uint8_t *p;

	if (!fr)
		return NULL;
	p = frame_payload(fr);
	p[0] = ELS_LS_ACC;
	put_be16(p + 4, 0x2020); /* FC-PH version, highest and lowest */
	put_be16(p + 6, 16); /* buffer-to-buffer credit */
	put_be16(p + LOGIN_FEATURES, features);
	put_be16(p + LOGIN_BB_DATA, max_payload);
	put_be64(p + LOGIN_WWPN, wwpn);
	put_be64(p + LOGIN_WWNN, wwnn);
	put_be16(p + LOGIN_CLASS3, 0x8800); /* valid, sequential delivery */
	put_be16(p + LOGIN_CLASS3 + 6, max_payload);
	put_be16(p + LOGIN_CLASS3 + 8, 255); /* concurrent sequences */
	put_be16(p + LOGIN_CLASS3 + 12, 1); /* open sequences per exchange */
	return fr;
}

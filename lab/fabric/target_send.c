/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frames of an answer: FCP_XFER_RDY, FCP_DATA, FCP_RSP (FCP-4 9.3 to 9.5). */
#include <string.h>

#include "fc.h"
#include "target_private.h"

#define FCTL_REL_OFF 0x000008u
#define RSP_LEN 24
#define RSP_FLAGS 10
#define RSP_STATUS 11
#define RSP_RESIDUAL 12
#define RSP_SENSE_LEN 16
#define RSP_INFO_LEN 20
#define FLAG_INFO 0x01
#define FLAG_SENSE 0x02
#define FLAG_OVER 0x04
#define FLAG_UNDER 0x08

static struct frame *frame_of(struct target *t, struct exchange *e, uint8_t r_ctl, uint32_t f_ctl, size_t len)
{
	struct frame *f = frame_new(e->vsan, len);

	if (!f)
		return NULL;
	f->data[FC_R_CTL] = r_ctl;
	put_be24(f->data + FC_D_ID, e->s_id);
	put_be24(f->data + FC_S_ID, t->id);
	f->data[FC_TYPE] = FC_TYPE_FCP;
	put_be24(f->data + FC_F_CTL, FCTL_EX_CTX | f_ctl);
	f->data[FC_SEQ_ID] = e->seq_id;
	put_be16(f->data + FC_OX_ID, e->ox_id);
	put_be16(f->data + FC_RX_ID, e->rx_id);
	return f;
}

void exchange_send_xfer_rdy(struct target *t, struct exchange *e)
{
	struct frame *f = frame_of(t, e, RCTL_FCP_XFER_RDY, FCTL_END_SEQ | FCTL_SEQ_INIT, 12);
	uint32_t left = e->wanted - e->asked, burst = left < TARGET_BURST ? left : TARGET_BURST;

	e->seq_id++;
	if (!f)
		return;
	put_be32(frame_payload(f), e->asked);
	put_be32(frame_payload(f) + 4, burst);
	e->asked += burst;
	e->from->in_flight += burst;
	target_send(t, f);
}

void exchange_send_data(struct target *t, struct exchange *e, const uint8_t *data, uint32_t len)
{
	uint16_t count = 0;

	for (uint32_t at = 0; at < len;) {
		uint32_t n = len - at < e->from->payload_max ? len - at : e->from->payload_max;
		uint32_t fill = (4 - n % 4) % 4, f_ctl = FCTL_REL_OFF | fill;
		struct frame *f = frame_of(t, e, RCTL_SOL_DATA, f_ctl | (at + n == len ? FCTL_END_SEQ : 0),
					   n + fill);

		if (!f)
			return;
		memcpy(frame_payload(f), data + at, n);
		put_be16(f->data + FC_SEQ_CNT, count++);
		put_be32(f->data + FC_PARAM, at);
		target_send(t, f);
		at += n;
	}
	e->seq_id++;
	t->count.data_in += len;
}

/* moved: bytes of data, in or out, that the command really moved or would have. */
void exchange_send_response(struct target *t, struct exchange *e, const struct scsi_command *c,
			    uint32_t moved)
{
	size_t sense = c->status == SCSI_CHECK_CONDITION ? SCSI_SENSE_LEN : 0;
	size_t fill = (4 - sense % 4) % 4;
	struct frame *f = frame_of(t, e, RCTL_FCP_RSP, FCTL_LAST_SEQ | FCTL_END_SEQ | (uint32_t)fill,
				   RSP_LEN + sense + fill);
	uint8_t *p;

	if (!f)
		return;
	p = frame_payload(f);
	p[RSP_STATUS] = (uint8_t)c->status;
	if (moved > e->data_len) {
		p[RSP_FLAGS] |= FLAG_OVER;
		put_be32(p + RSP_RESIDUAL, moved - e->data_len);
	} else if (moved < e->data_len) {
		p[RSP_FLAGS] |= FLAG_UNDER;
		put_be32(p + RSP_RESIDUAL, e->data_len - moved);
	}
	if (sense) {
		p[RSP_FLAGS] |= FLAG_SENSE;
		put_be32(p + RSP_SENSE_LEN, (uint32_t)sense);
		memcpy(p + RSP_LEN, c->sense, sense);
	}
	target_send(t, f);
}

void exchange_send_status(struct target *t, struct exchange *e, enum scsi_status status)
{
	struct scsi_command c = {.status = status};

	exchange_send_response(t, e, &c, 0);
	exchange_free(t, e);
}

void target_send_tm_response(struct target *t, const struct frame *req, uint8_t code)
{
	struct frame *f = target_reply(req, RCTL_FCP_RSP, RSP_LEN + 8);

	if (!f)
		return;
	frame_payload(f)[RSP_FLAGS] = FLAG_INFO;
	put_be32(frame_payload(f) + RSP_INFO_LEN, 8);
	frame_payload(f)[RSP_LEN + 3] = code;
	target_send(t, f);
}

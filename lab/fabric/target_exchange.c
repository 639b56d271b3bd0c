/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The open exchanges: FCP_CMND makes one, data-out fills it, ABTS or a logout ends it (FCP-4 9,
 * FC-FS-3 16.3). */
#include <stdlib.h>
#include <string.h>

#include "fc.h"
#include "target_private.h"

#define CMND_LEN 32 /* with a 16-byte CDB */
#define CMND_TASK_MANAGEMENT 10
#define CMND_FLAGS 11
#define CMND_WRITES 0x01
#define CMND_READS 0x02
#define CMND_CDB 12
#define CMND_DL 28 /* and further back by what the CDB has more than 16 bytes */
#define BA_RJT_LOGICAL 0x03
#define BA_EXPL_NO_EXCHANGE 0x03

static struct exchange_hash *bucket(struct target *t, uint32_t s_id, uint16_t ox_id)
{
	return &t->hash[(s_id ^ ox_id) % TARGET_HASH];
}

static struct exchange *exchange_find(struct target *t, uint32_t s_id, uint16_t ox_id)
{
	struct exchange *e;

	LIST_FOREACH (e, bucket(t, s_id, ox_id), hash)
		if (e->s_id == s_id && e->ox_id == ox_id)
			return e;
	return NULL;
}

void exchange_free(struct target *t, struct exchange *e)
{
	TAILQ_REMOVE(&t->exchanges, e, link);
	LIST_REMOVE(e, hash);
	e->from->in_flight -= e->asked - e->got;
	t->window_moved = true;
	t->exchange_count--;
	free(e->data);
	free(e);
}

unsigned int exchanges_drop(struct target *t, const struct initiator *i, int lun)
{
	struct exchange *e, *next;
	unsigned int n = 0;

	for (e = TAILQ_FIRST(&t->exchanges); e; e = next) {
		next = TAILQ_NEXT(e, link);
		if ((i && e->from != i) || (lun >= 0 && e->lun != lun))
			continue;
		exchange_free(t, e);
		n++;
	}
	return n;
}

/* SAM-5 4.7: single-level addresses by the peripheral and the flat space method. -1: another kind. */
static int lun_of(const uint8_t address[8])
{
	static const uint8_t zeros[6];

	if (memcmp(address + 2, zeros, sizeof(zeros)))
		return -1;
	if (address[0] == 0)
		return address[1];
	return (address[0] & 0xc0) == 0x40 ? (address[0] & 0x3f) << 8 | address[1] : -1;
}

/* A frame of somebody who is not logged in: it is told so, and logs in again (FC-LS-2 4.3). */
static void send_logo(struct target *t, const struct frame *f)
{
	struct frame *r = target_reply(f, RCTL_ELS_REQ, 16);

	if (!r)
		return;
	r->data[FC_TYPE] = FC_TYPE_ELS;
	put_be24(r->data + FC_F_CTL, FCTL_REQUEST);
	put_be16(r->data + FC_OX_ID, ++t->last_rx_id | 0x8000);
	put_be16(r->data + FC_RX_ID, XID_UNKNOWN);
	frame_payload(r)[0] = ELS_LOGO;
	put_be24(frame_payload(r) + 5, t->id);
	put_be64(frame_payload(r) + 8, t->wwpn);
	target_send(t, r);
}

/* FCP-4 9.1.2: bits 7 to 2 count the words of the CDB past its 16 bytes. */
static size_t offset_of_dl(const uint8_t *cmnd)
{
	return CMND_DL + (size_t)(cmnd[CMND_FLAGS] >> 2) * 4;
}

static struct exchange *exchange_new(struct target *t, const struct frame *f, struct initiator *i)
{
	const uint8_t *p = payload_of_frame(f);
	struct exchange *e = calloc(1, sizeof(*e));
	int lun = lun_of(p);

	if (!e)
		return NULL;
	e->from = i;
	e->vsan = f->vsan;
	e->s_id = get_be24(f->data + FC_S_ID);
	e->ox_id = get_be16(f->data + FC_OX_ID);
	e->rx_id = t->last_rx_id = (uint16_t)((t->last_rx_id + 1) & 0x7fff);
	e->known_lun = lun >= 0 && lun < TARGET_LUNS;
	e->lun = e->known_lun ? (uint16_t)lun : TARGET_LUNS;
	memcpy(e->cdb, p + CMND_CDB, SCSI_CDB_LEN);
	e->reads = p[CMND_FLAGS] & CMND_READS;
	e->writes = p[CMND_FLAGS] & CMND_WRITES;
	e->data_len = get_be32(p + offset_of_dl(p));
	TAILQ_INSERT_TAIL(&t->exchanges, e, link);
	LIST_INSERT_HEAD(bucket(t, e->s_id, e->ox_id), e, hash);
	t->exchange_count++;
	return e;
}

void target_command(struct target *t, const struct frame *f, uint64_t now_us)
{
	struct initiator *i = initiator_by_id(t, get_be24(f->data + FC_S_ID));
	const uint8_t *p = payload_of_frame(f);
	struct exchange *e;

	if (frame_payload_len(f) < CMND_LEN || frame_payload_len(f) < offset_of_dl(p) + 4)
		return;
	if (!i || !i->process_login) {
		target_tell(t, "refused a command of %06x, which is not logged in",
			    get_be24(f->data + FC_S_ID));
		send_logo(t, f);
		return;
	}
	/* An exchange that the initiator uses again has ended for it. */
	e = exchange_find(t, get_be24(f->data + FC_S_ID), get_be16(f->data + FC_OX_ID));
	if (e)
		exchange_free(t, e);
	if (p[CMND_TASK_MANAGEMENT]) {
		if (!t->faults.hang)
			target_task_management(t, f, i, p[CMND_TASK_MANAGEMENT], lun_of(p));
		return;
	}
	e = exchange_new(t, f, i);
	if (!e)
		return;
	t->count.commands++;
	i->commands++;
	if (t->exchange_count > TARGET_EXCHANGES_MAX)
		exchange_send_status(t, e, SCSI_TASK_SET_FULL);
	else
		exchange_begin(t, e, now_us);
}

/*
 * The exchange that the frame means. A frame that the fabric kept back may have been of an exchange that is
 * over, whose OX_ID another has now: the RX_ID tells them apart.
 */
static struct exchange *exchange_of(struct target *t, const struct frame *f)
{
	struct exchange *e = exchange_find(t, get_be24(f->data + FC_S_ID), get_be16(f->data + FC_OX_ID));

	return e && e->rx_id == get_be16(f->data + FC_RX_ID) ? e : NULL;
}

/* Frames come in order here; one that does not fit on has lost its predecessor, and the initiator will abort.
 */
void target_data(struct target *t, const struct frame *f, uint64_t now_us)
{
	struct exchange *e = exchange_of(t, f);
	size_t len = frame_payload_len(f), fill = get_be24(f->data + FC_F_CTL) & FCTL_FILL;

	if (!e || e->state != EX_DATA || len <= fill || get_be32(f->data + FC_PARAM) != e->got)
		return;
	len -= fill;
	if (len > e->asked - e->got)
		return;
	memcpy(e->data + e->got, payload_of_frame(f), len);
	e->got += (uint32_t)len;
	e->from->in_flight -= (uint32_t)len;
	t->count.data_out += len;
	t->window_moved |= e->got == e->asked;
	if (e->got == e->wanted)
		exchange_complete(t, e, now_us);
}

/* An initiator that has had no frame of the exchange knows no RX_ID. */
void target_abts(struct target *t, const struct frame *f)
{
	uint16_t ox_id = get_be16(f->data + FC_OX_ID);
	struct exchange *e = get_be16(f->data + FC_RX_ID) == XID_UNKNOWN
				     ? exchange_find(t, get_be24(f->data + FC_S_ID), ox_id)
				     : exchange_of(t, f);
	struct frame *r = target_reply(f, e ? RCTL_BA_ACC : RCTL_BA_RJT, e ? 12 : 4);

	t->count.aborts++;
	if (r && e) {
		put_be16(frame_payload(r) + 4, e->ox_id);
		put_be16(frame_payload(r) + 6, e->rx_id);
		put_be16(frame_payload(r) + 10, 0xffff); /* high SEQ_CNT: all of the exchange */
	} else if (r) {
		frame_payload(r)[1] = BA_RJT_LOGICAL;
		frame_payload(r)[2] = BA_EXPL_NO_EXCHANGE;
	}
	target_send(t, r);
	if (!e)
		return;
	target_tell(t, "aborted OX %#x of %06x (ABTS)", e->ox_id, e->s_id);
	exchange_free(t, e);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is logged in to the target: PLOGI, PRLI, PRLO, LOGO, ADISC (FC-LS-2, FCP-4 6). */
#include <stdlib.h>
#include <string.h>

#include "fc.h"
#include "target_private.h"
#include "wwn_text.h"

#define PAYLOAD_MAX 2048 /* what this port takes and sends at most: whole FCoE frames in an MTU of 2500 */
#define PAYLOAD_MIN 256
#define FEATURE_CIRO 0x8000 /* continuously increasing relative offset */
#define LOGIN_TOTAL_SEQUENCES 12
#define LOGIN_RELATIVE_OFFSET 14

#define PRLI_PAGE 16 /* length of a service parameter page */
#define PRLI_PAIR 0x20 /* establish an image pair */
#define PRLI_EXECUTED 0x01
#define PRLI_NO_SUCH_TYPE 0x05 /* the image does not exist */
#define FCP_TARGET 0x10
#define FCP_READ_XFER_RDY_DISABLED 0x02

struct initiator *initiator_by_id(struct target *t, uint32_t n_port_id)
{
	struct initiator *i;

	TAILQ_FOREACH (i, &t->initiators, link)
		if (n_port_id && i->id == n_port_id)
			return i;
	return NULL;
}

static struct initiator *initiator_of(struct target *t, uint64_t wwpn)
{
	struct initiator *i;

	TAILQ_FOREACH (i, &t->initiators, link)
		if (i->wwpn == wwpn)
			return i;
	if (t->initiator_count == TARGET_INITIATORS_MAX)
		return NULL;
	i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	i->wwpn = wwpn;
	t->initiator_count++;
	TAILQ_INSERT_TAIL(&t->initiators, i, link);
	return i;
}

static void lose_nexus(struct target *t, struct initiator *i, const char *why)
{
	unsigned int n = exchanges_drop(t, i, -1);
	char wwpn[WWN_TEXT_SIZE];

	target_tell(t, "%s (%06x) left (%s): dropped %u open exchanges", wwn_format(i->wwpn, wwpn), i->id,
		    why, n);
	t->count.dropped += n;
	i->process_login = false;
	ua_add_all(i, UA_NEXUS_LOSS);
}

void initiator_leave(struct target *t, struct initiator *i, const char *why)
{
	lose_nexus(t, i, why);
	i->id = 0;
}

static void reject(struct target *t, const struct frame *f, uint8_t reason, uint8_t explanation)
{
	struct frame *r = target_reply(f, RCTL_ELS_REP, 8);

	if (!r)
		return;
	frame_payload(r)[0] = ELS_LS_RJT;
	frame_payload(r)[5] = reason;
	frame_payload(r)[6] = explanation;
	target_send(t, r);
}

static struct frame *accept(const struct frame *f, size_t len)
{
	struct frame *r = target_reply(f, RCTL_ELS_REP, len);

	if (r)
		frame_payload(r)[0] = ELS_LS_ACC;
	return r;
}

static void answer_plogi(struct target *t, const struct frame *f)
{
	struct frame *r = accept(f, LOGIN_LEN);
	uint8_t *p;

	if (!r)
		return;
	p = frame_payload(r);
	put_be16(p + 4, 0x2020); /* FC-PH version, highest and lowest */
	put_be16(p + 6, 16); /* buffer-to-buffer credit */
	put_be16(p + LOGIN_FEATURES, FEATURE_CIRO);
	put_be16(p + LOGIN_BB_DATA, PAYLOAD_MAX);
	put_be16(p + LOGIN_TOTAL_SEQUENCES, 255);
	put_be16(p + LOGIN_RELATIVE_OFFSET, 0x001f); /* for every information category */
	put_be32(p + LOGIN_E_D_TOV, 2000);
	put_be64(p + LOGIN_WWPN, t->wwpn);
	put_be64(p + LOGIN_WWNN, t->wwnn);
	put_be16(p + LOGIN_CLASS3, 0x8800); /* valid, sequential delivery */
	put_be16(p + LOGIN_CLASS3 + 6, PAYLOAD_MAX);
	put_be16(p + LOGIN_CLASS3 + 8, 255); /* concurrent sequences */
	put_be16(p + LOGIN_CLASS3 + 12, 1); /* open sequences per exchange */
	target_send(t, r);
}

static uint16_t payload_of(const uint8_t *login)
{
	uint16_t size = get_be16(login + LOGIN_BB_DATA) & 0xfff,
		 class3 = get_be16(login + LOGIN_CLASS3 + 6) & 0xfff;

	if (class3 && class3 < size)
		size = class3;
	if (size > PAYLOAD_MAX)
		size = PAYLOAD_MAX;
	return size < PAYLOAD_MIN ? PAYLOAD_MIN : (uint16_t)(size & ~3);
}

/* A login again ends what was before it (FC-LS-2 4.3.3); so does another port that comes with this N_Port_ID.
 */
static void els_plogi(struct target *t, const struct frame *f)
{
	const uint8_t *p = payload_of_frame(f);
	uint32_t id = get_be24(f->data + FC_S_ID);
	struct initiator *i, *before;
	uint64_t wwpn;

	if (frame_payload_len(f) < LOGIN_LEN) {
		reject(t, f, LS_RJT_LOGICAL, LS_EXPL_LENGTH);
		return;
	}
	wwpn = get_be64(p + LOGIN_WWPN);
	i = wwpn && id ? initiator_of(t, wwpn) : NULL;
	if (!i) {
		reject(t, f, LS_RJT_UNABLE, wwpn ? LS_EXPL_RESOURCES : LS_EXPL_INVALID_PORT_NAME);
		return;
	}
	before = initiator_by_id(t, id);
	if (before && before != i)
		initiator_leave(t, before, "its N_Port_ID is another's");
	if (i->id)
		initiator_leave(t, i, "PLOGI again");
	i->id = id;
	i->wwnn = get_be64(p + LOGIN_WWNN);
	i->payload_max = payload_of(p);
	answer_plogi(t, f);
}

/* The pages of other FC-4 types are answered as what does not exist. */
static void els_prli(struct target *t, const struct frame *f, struct initiator *i)
{
	const uint8_t *p = payload_of_frame(f);
	size_t len = frame_payload_len(f);
	size_t total = len < 4 ? 0 : get_be16(p + 2);
	struct frame *r;

	if (len < 4 + PRLI_PAGE || p[1] != PRLI_PAGE || total < 4 + PRLI_PAGE || total > len ||
	    (total - 4) % PRLI_PAGE) {
		reject(t, f, LS_RJT_LOGICAL, LS_EXPL_LENGTH);
		return;
	}
	r = accept(f, total);
	if (!r)
		return;
	frame_payload(r)[1] = PRLI_PAGE;
	put_be16(frame_payload(r) + 2, (uint16_t)total);
	for (size_t at = 4; at < total; at += PRLI_PAGE) {
		uint8_t *page = frame_payload(r) + at;

		page[0] = p[at];
		page[1] = p[at + 1];
		if (p[at] != FC_TYPE_FCP) {
			page[2] = PRLI_NO_SUCH_TYPE;
			continue;
		}
		page[2] = (p[at + 2] & PRLI_PAIR) | PRLI_EXECUTED;
		put_be32(page + 12, FCP_TARGET | FCP_READ_XFER_RDY_DISABLED);
		i->process_login = true;
	}
	target_send(t, r);
}

static void els_prlo(struct target *t, const struct frame *f, struct initiator *i)
{
	const uint8_t *p = payload_of_frame(f);
	struct frame *r;

	if (frame_payload_len(f) < 4 + PRLI_PAGE) {
		reject(t, f, LS_RJT_LOGICAL, LS_EXPL_LENGTH);
		return;
	}
	lose_nexus(t, i, "PRLO");
	r = accept(f, 4 + PRLI_PAGE);
	if (!r)
		return;
	frame_payload(r)[1] = PRLI_PAGE;
	put_be16(frame_payload(r) + 2, 4 + PRLI_PAGE);
	frame_payload(r)[4] = p[4];
	frame_payload(r)[6] = PRLI_EXECUTED;
	target_send(t, r);
}

static void els_logo(struct target *t, const struct frame *f, struct initiator *i)
{
	target_send(t, accept(f, 4));
	initiator_leave(t, i, "LOGO");
}

static void els_adisc(struct target *t, const struct frame *f, struct initiator *i)
{
	struct frame *r = accept(f, 28);

	(void)i;
	if (!r)
		return;
	put_be64(frame_payload(r) + 8, t->wwpn);
	put_be64(frame_payload(r) + 16, t->wwnn);
	put_be24(frame_payload(r) + 25, t->id);
	target_send(t, r);
}

static const struct {
	uint8_t command;
	void (*answer)(struct target *t, const struct frame *f, struct initiator *i);
} of_initiators[] = {
	{ELS_PRLI, els_prli},
	{ELS_PRLO, els_prlo},
	{ELS_LOGO, els_logo},
	{ELS_ADISC, els_adisc},
};

void target_els(struct target *t, const struct frame *f)
{
	struct initiator *i = initiator_by_id(t, get_be24(f->data + FC_S_ID));
	uint8_t command = frame_payload_len(f) < 4 ? 0 : payload_of_frame(f)[0];

	if (command == ELS_PLOGI) {
		els_plogi(t, f);
		return;
	}
	for (size_t n = 0; n < sizeof(of_initiators) / sizeof(of_initiators[0]); n++) {
		if (of_initiators[n].command != command)
			continue;
		if (i)
			of_initiators[n].answer(t, f, i);
		else if (command == ELS_LOGO)
			target_send(t, accept(f, 4)); /* out already: as it wishes */
		else
			reject(t, f, LS_RJT_UNABLE, LS_EXPL_LOGIN_REQUIRED);
		return;
	}
	reject(t, f, LS_RJT_UNSUPPORTED, LS_EXPL_NONE);
}

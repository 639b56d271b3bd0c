/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The name server (FC-GS-6 clause 5.2, FFFFFC): registrations, and queries whose answers are bounded by
 * zoning (see fabric.h for the one exception).
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "fc.h"

#define PORT_TYPE_N 0x01
#define PORT_TYPE_NX 0x7f
#define LAST_ENTRY 0x80

struct ns_call {
	struct fabric *f;
	struct login *from;
	const struct frame *req;
	const uint8_t *body; /* after the CT header */
	size_t len;
	/* The answer so far; malloc'ed. */
	uint8_t *out;
	size_t out_len, out_room;
	uint8_t reason, explanation; /* when the handler says false */
};

typedef bool ns_handler(struct ns_call *c);

static bool no(struct ns_call *c, uint8_t reason, uint8_t explanation)
{
	c->reason = reason;
	c->explanation = explanation;
	return false;
}

/* Room for len more bytes of the answer, zeroed; NULL when memory is short. */
static uint8_t *out(struct ns_call *c, size_t len)
{
	uint8_t *at;

	if (c->out_len + len > c->out_room) {
		size_t room = 2 * c->out_room + len + 256;
		uint8_t *more = realloc(c->out, room);

		if (!more)
			return NULL;
		c->out = more;
		c->out_room = room;
	}
	at = c->out + c->out_len;
	memset(at, 0, len);
	c->out_len += len;
	return at;
}

static bool visible(const struct ns_call *c, const struct login *l)
{
	if (l->enode && l->enode == c->from->enode)
		return true;
	return zone_shared(l->vsan, l->wwpn, c->from->wwpn);
}

/* The port that a query names by its N_Port_ID at body[1..3]; NULL: not there, or not for these eyes. */
static struct login *asked_id(const struct ns_call *c)
{
	struct login *l = vsan_login_by_id(c->from->vsan, get_be24(c->body + 1));

	return l && visible(c, l) ? l : NULL;
}

static bool has_type(const struct login *l, uint8_t type)
{
	/* Words are big-endian: type 8 is bit 0 of byte 2 (FC-GS-6, figure 22). */
	return l->fc4_types[type / 32 * 4 + 3 - type % 32 / 8] & 1u << type % 8;
}

/* A registration's port: the requester itself, for whom alone it may register. */
static bool own(struct ns_call *c)
{
	if (get_be24(c->body + 1) == c->from->id)
		return true;
	return no(c, CT_RJT_UNABLE, CT_EXPL_DENIED);
}

static bool rnn_id(struct ns_call *c)
{
	if (!own(c))
		return false;
	c->from->wwnn = get_be64(c->body + 4);
	return true;
}

static bool rpn_id(struct ns_call *c)
{
	if (!own(c))
		return false;
	return get_be64(c->body + 4) == c->from->wwpn || no(c, CT_RJT_UNABLE, CT_EXPL_DENIED);
}

static bool accepted(struct ns_call *c)
{
	return own(c);
}

static bool rft_id(struct ns_call *c)
{
	if (!own(c))
		return false;
	memcpy(c->from->fc4_types, c->body + 4, sizeof(c->from->fc4_types));
	return true;
}

static bool rff_id(struct ns_call *c)
{
	uint8_t type = c->body[7], features = c->body[6] & 0x0f, *at;

	if (!own(c))
		return false;
	at = &c->from->fc4_features[type / 8 * 4 + 3 - type % 8 / 2];
	*at = type % 2 ? (uint8_t)((*at & 0x0f) | features << 4) : (uint8_t)((*at & 0xf0) | features);
	return true;
}

static bool symbol(struct ns_call *c, const uint8_t *at, size_t len, char *to)
{
	if (at[0] > len - 1)
		return no(c, CT_RJT_IU_SIZE, CT_EXPL_NONE);
	memcpy(to, at + 1, at[0]);
	to[at[0]] = '\0';
	return true;
}

static bool rspn_id(struct ns_call *c)
{
	return own(c) && symbol(c, c->body + 4, c->len - 4, c->from->port_symbol);
}

static bool rsnn_nn(struct ns_call *c)
{
	if (get_be64(c->body) != c->from->wwnn)
		return no(c, CT_RJT_UNABLE, CT_EXPL_NODE_NAME);
	return symbol(c, c->body + 8, c->len - 8, c->from->node_symbol);
}

static bool da_id(struct ns_call *c)
{
	struct login *l = c->from;

	if (!own(c))
		return false;
	memset(l->fc4_types, 0, sizeof(l->fc4_types));
	memset(l->fc4_features, 0, sizeof(l->fc4_features));
	l->port_symbol[0] = l->node_symbol[0] = '\0';
	rscn_changed(c->f, l->vsan, l->wwpn, l->id);
	return true;
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = (*(struct login *const *)a)->id, y = (*(struct login *const *)b)->id;

	return x < y ? -1 : x > y;
}

/* Those that a list may show, each once, by N_Port_ID. */
static size_t listed(const struct ns_call *c, struct login ***list)
{
	size_t n = zone_peers(c->from->vsan, c->from->wwpn, list), kept = 0;

	if (n)
		qsort(*list, n, sizeof(struct login *), by_id);
	for (size_t i = 0; i < n; i++)
		if (!kept || (*list)[i] != (*list)[kept - 1])
			(*list)[kept++] = (*list)[i];
	return kept;
}

static bool list_end(struct ns_call *c, struct login **list, size_t entry, uint8_t explanation)
{
	free(list);
	if (!c->out_len)
		return no(c, CT_RJT_UNABLE, explanation);
	c->out[c->out_len - entry] |= LAST_ENTRY;
	return true;
}

static bool list_by_type(struct ns_call *c, size_t entry)
{
	struct login **list;
	size_t n = listed(c, &list);

	for (size_t i = 0; i < n; i++) {
		uint8_t *at = has_type(list[i], c->body[3]) ? out(c, entry) : NULL;

		if (!at)
			continue;
		put_be24(at + 1, list[i]->id);
		if (entry == 16)
			put_be64(at + 8, list[i]->wwpn);
	}
	return list_end(c, list, entry, CT_EXPL_FC4_TYPES);
}

static bool gpn_ft(struct ns_call *c)
{
	return list_by_type(c, 16);
}

static bool gid_ft(struct ns_call *c)
{
	return list_by_type(c, 4);
}

static bool gid_pt(struct ns_call *c)
{
	struct login **list;
	size_t n;

	if (c->body[0] != PORT_TYPE_N && c->body[0] != PORT_TYPE_NX)
		return no(c, CT_RJT_UNABLE, CT_EXPL_PORT_TYPE);
	n = listed(c, &list);
	for (size_t i = 0; i < n; i++) {
		uint8_t *at = out(c, 4);

		if (at)
			put_be24(at + 1, list[i]->id);
	}
	return list_end(c, list, 4, CT_EXPL_PORT_TYPE);
}

static bool answer_id(struct ns_call *c, const struct login *l)
{
	uint8_t *at = out(c, 4);

	if (at)
		put_be24(at + 1, l->id);
	return true;
}

static bool gid_pn(struct ns_call *c)
{
	struct login *l = vsan_login_by_wwpn(c->from->vsan, get_be64(c->body));

	if (!l || !visible(c, l))
		return no(c, CT_RJT_UNABLE, CT_EXPL_PORT_NAME);
	return answer_id(c, l);
}

static bool gid_nn(struct ns_call *c)
{
	struct login *l;

	TAILQ_FOREACH (l, &c->from->vsan->logins, of_vsan)
		if (l->wwnn == get_be64(c->body) && visible(c, l))
			answer_id(c, l);
	return list_end(c, NULL, 4, CT_EXPL_NODE_NAME);
}

static bool answer_name(struct ns_call *c, const struct login *l, uint64_t name)
{
	uint8_t *at = l ? out(c, 8) : NULL;

	if (!at)
		return no(c, CT_RJT_UNABLE, CT_EXPL_PORT_ID);
	put_be64(at, name);
	return true;
}

static bool gpn_id(struct ns_call *c)
{
	struct login *l = asked_id(c);

	return answer_name(c, l, l ? l->wwpn : 0);
}

static bool gnn_id(struct ns_call *c)
{
	struct login *l = asked_id(c);

	return answer_name(c, l, l ? l->wwnn : 0);
}

static bool gfpn_id(struct ns_call *c)
{
	struct login *l = asked_id(c);

	return answer_name(c, l, l ? fport_wwpn(l) : 0);
}

static bool answer_bytes(struct ns_call *c, const struct login *l, size_t offset, size_t len)
{
	uint8_t *at = l ? out(c, len) : NULL;

	if (!at)
		return no(c, CT_RJT_UNABLE, CT_EXPL_PORT_ID);
	memcpy(at, (const uint8_t *)l + offset, len);
	return true;
}

static bool gft_id(struct ns_call *c)
{
	return answer_bytes(c, asked_id(c), offsetof(struct login, fc4_types), 32);
}

static bool gff_id(struct ns_call *c)
{
	return answer_bytes(c, asked_id(c), offsetof(struct login, fc4_features), 128);
}

static bool gpt_id(struct ns_call *c)
{
	uint8_t *at = asked_id(c) ? out(c, 4) : NULL;

	if (!at)
		return no(c, CT_RJT_UNABLE, CT_EXPL_PORT_ID);
	at[0] = PORT_TYPE_N;
	return true;
}

static bool gspn_id(struct ns_call *c)
{
	struct login *l = asked_id(c);
	uint8_t *at = l ? out(c, 256) : NULL;

	if (!at)
		return no(c, CT_RJT_UNABLE, CT_EXPL_PORT_ID);
	at[0] = (uint8_t)strlen(l->port_symbol);
	memcpy(at + 1, l->port_symbol, at[0]);
	return true;
}

/* The next port after the given one, round to the first; itself when there is no other. */
static bool ga_nxt(struct ns_call *c)
{
	uint32_t after = get_be24(c->body + 1);
	struct login **list, *next = NULL;
	size_t n = listed(c, &list);
	uint8_t *at;

	for (size_t i = 0; i < n && !next; i++)
		if (list[i]->id > after && list[i]->id != c->from->id)
			next = list[i];
	if (!next || (c->from->id > after && c->from->id < next->id))
		next = c->from->id > after || !n ? c->from : list[0]->id < c->from->id ? list[0] : c->from;
	free(list);
	at = out(c, 620);
	if (!at)
		return no(c, CT_RJT_UNABLE, CT_EXPL_NONE);
	at[0] = PORT_TYPE_N;
	put_be24(at + 1, next->id);
	put_be64(at + 4, next->wwpn);
	at[12] = (uint8_t)strlen(next->port_symbol);
	memcpy(at + 13, next->port_symbol, at[12]);
	put_be64(at + 268, next->wwnn);
	at[276] = (uint8_t)strlen(next->node_symbol);
	memcpy(at + 277, next->node_symbol, at[276]);
	put_be32(at + 556, 1u << 3); /* class 3 */
	memcpy(at + 560, next->fc4_types, sizeof(next->fc4_types));
	return true;
}

/* Least: of the body. */
static const struct {
	uint16_t command;
	uint16_t least;
	ns_handler *fn;
} handlers[] = {
	{0x0100, 4, ga_nxt},  {0x0112, 4, gpn_id},  {0x0113, 4, gnn_id},   {0x0117, 4, gft_id},
	{0x0118, 4, gspn_id}, {0x011a, 4, gpt_id},  {0x011c, 4, gfpn_id},  {0x011f, 4, gff_id},
	{0x0121, 8, gid_pn},  {0x0131, 8, gid_nn},  {0x0171, 4, gid_ft},   {0x0172, 4, gpn_ft},
	{0x01a1, 4, gid_pt},  {0x0212, 12, rpn_id}, {0x0213, 12, rnn_id},  {0x0214, 8, accepted},
	{0x0217, 36, rft_id}, {0x0218, 5, rspn_id}, {0x021a, 8, accepted}, {0x021f, 8, rff_id},
	{0x0239, 9, rsnn_nn}, {0x0300, 4, da_id},
};

/* One sequence of as many frames as the requester's receive size asks for. */
static void send_answer(struct ns_call *c)
{
	size_t limit = (size_t)get_be16(c->req->data + FC_HEADER_LEN + 10) * 4, total, at = 0, max;
	uint16_t residual = 0, count = 0;
	uint8_t header[CT_HEADER_LEN];

	if (limit && c->out_len > limit) {
		residual = (uint16_t)((c->out_len - limit) / 4);
		c->out_len = limit;
	}
	memcpy(header, c->req->data + FC_HEADER_LEN, CT_HEADER_LEN);
	put_be16(header + 8, CT_ACCEPT);
	put_be16(header + 10, residual);
	memset(header + 12, 0, 4);
	max = c->from->max_payload;
	total = CT_HEADER_LEN + c->out_len;
	do {
		size_t n = total - at < max ? total - at : max;
		struct frame *fr = reply_new(c->req, RCTL_CT_REP, FCID_DIRECTORY, n);

		if (!fr)
			return;
		if (!at)
			memcpy(frame_payload(fr), header, CT_HEADER_LEN);
		if (n > (at ? 0 : CT_HEADER_LEN))
			memcpy(frame_payload(fr) + (at ? 0 : CT_HEADER_LEN),
			       c->out + (at ? at - CT_HEADER_LEN : 0), n - (at ? 0 : CT_HEADER_LEN));
		at += n;
		put_be16(fr->data + FC_SEQ_CNT, count++);
		if (at < total)
			put_be24(fr->data + FC_F_CTL, FCTL_RESPONSE & ~FCTL_END_SEQ);
		fabric_emit(c->f, fr);
	} while (at < total);
}

static bool run(struct ns_call *c)
{
	const uint8_t *h = c->req->data + FC_HEADER_LEN;
	uint16_t command = get_be16(h + 8);

	if (h[4] != CT_DIRECTORY || h[5] != CT_NAME_SERVER)
		return no(c, CT_RJT_UNSUPPORTED, CT_EXPL_NONE);
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].command != command)
			continue;
		if (c->len < handlers[i].least)
			return no(c, CT_RJT_IU_SIZE, CT_EXPL_NONE);
		return handlers[i].fn(c);
	}
	return no(c, CT_RJT_UNSUPPORTED, CT_EXPL_NONE);
}

void ns_input(struct fabric *f, struct login *from, const struct frame *req)
{
	struct ns_call c = {.f = f, .from = from, .req = req};

	if (req->data[FC_R_CTL] != RCTL_CT_REQ || frame_payload_len(req) < CT_HEADER_LEN)
		return;
	c.body = req->data + FC_HEADER_LEN + CT_HEADER_LEN;
	c.len = frame_payload_len(req) - CT_HEADER_LEN;
	if (run(&c))
		send_answer(&c);
	else
		fabric_emit(f, reply_ct_rjt(req, c.reason, c.explanation));
	free(c.out);
}

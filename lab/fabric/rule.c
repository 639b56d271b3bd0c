/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fc.h"
#include "fip.h"
#include "rule.h"
#include "wwn_text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const kind_names[] = {
	[RULE_ANY] = "any", [RULE_ELS] = "els", [RULE_CT] = "ct",
	[RULE_FCP] = "fcp", [RULE_BLS] = "bls", [RULE_FIP] = "fip",
};

static const struct {
	enum rule_kind kind;
	const char *name;
	uint32_t op;
} ops[] = {
	{RULE_ELS, "flogi", ELS_FLOGI},
	{RULE_ELS, "fdisc", ELS_FDISC},
	{RULE_ELS, "plogi", ELS_PLOGI},
	{RULE_ELS, "prli", ELS_PRLI},
	{RULE_ELS, "prlo", ELS_PRLO},
	{RULE_ELS, "logo", ELS_LOGO},
	{RULE_ELS, "adisc", ELS_ADISC},
	{RULE_ELS, "rscn", ELS_RSCN},
	{RULE_ELS, "scr", ELS_SCR},
	{RULE_ELS, "rrq", ELS_RRQ},
	{RULE_ELS, "rec", ELS_REC},
	{RULE_ELS, "echo", ELS_ECHO},
	{RULE_ELS, "rtv", ELS_RTV},
	{RULE_ELS, "acc", ELS_LS_ACC},
	{RULE_ELS, "rjt", ELS_LS_RJT},
	{RULE_CT, "gpn-ft", 0x172},
	{RULE_CT, "gid-ft", 0x171},
	{RULE_CT, "gid-pt", 0x1a1},
	{RULE_CT, "gid-pn", 0x121},
	{RULE_CT, "gpn-id", 0x112},
	{RULE_CT, "gnn-id", 0x113},
	{RULE_CT, "gfpn-id", 0x11c},
	{RULE_CT, "gff-id", 0x11f},
	{RULE_CT, "ga-nxt", 0x100},
	{RULE_CT, "rnn-id", 0x213},
	{RULE_CT, "rft-id", 0x217},
	{RULE_CT, "rff-id", 0x21f},
	{RULE_CT, "rspn-id", 0x218},
	{RULE_CT, "rsnn-nn", 0x239},
	{RULE_CT, "da-id", 0x300},
	{RULE_CT, "acc", CT_ACCEPT},
	{RULE_CT, "rjt", CT_REJECT},
	{RULE_FCP, "cmnd", RULE_OP_IU | RCTL_FCP_CMND},
	{RULE_FCP, "xfer-rdy", RULE_OP_IU | RCTL_FCP_XFER_RDY},
	{RULE_FCP, "data", RULE_OP_IU | RCTL_SOL_DATA},
	{RULE_FCP, "rsp", RULE_OP_IU | RCTL_FCP_RSP},
	{RULE_FCP, "test-unit-ready", 0x00},
	{RULE_FCP, "inquiry", 0x12},
	{RULE_FCP, "report-luns", 0xa0},
	{RULE_FCP, "read-10", 0x28},
	{RULE_FCP, "read-16", 0x88},
	{RULE_FCP, "write-10", 0x2a},
	{RULE_FCP, "write-16", 0x8a},
	{RULE_FCP, "sync-cache-10", 0x35},
	{RULE_BLS, "abts", RCTL_BA_ABTS},
	{RULE_BLS, "ba-acc", RCTL_BA_ACC},
	{RULE_BLS, "ba-rjt", RCTL_BA_RJT},
	{RULE_FIP, "solicitation", FIP_SOLICIT},
	{RULE_FIP, "advertisement", FIP_ADVERT},
	{RULE_FIP, "keep-alive", FIP_KEEP_ALIVE},
	{RULE_FIP, "clear-link", FIP_CLEAR_LINK},
	{RULE_FIP, "vlan-request", FIP_VLAN_REQUEST},
	{RULE_FIP, "vlan-notification", FIP_VLAN_NOTE},
};

const char *rule_kind_name(enum rule_kind kind)
{
	return kind_names[kind];
}

int rule_parse_kind(const char *word, enum rule_kind *kind)
{
	for (size_t i = 0; i < COUNT(kind_names); i++) {
		if (!strcmp(word, kind_names[i])) {
			*kind = (enum rule_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

int rule_parse_op(enum rule_kind kind, const char *word, uint32_t *op)
{
	unsigned long n;
	char *end;

	for (size_t i = 0; i < COUNT(ops); i++) {
		if (ops[i].kind == kind && !strcasecmp(ops[i].name, word)) {
			*op = ops[i].op;
			return 0;
		}
	}
	if (kind == RULE_ANY || !isxdigit((unsigned char)*word))
		return -EINVAL;
	n = strtoul(word, &end, 16);
	if (*end || n > 0xffff)
		return -EINVAL;
	*op = (uint32_t)n;
	return 0;
}

int rule_parse_end(const char *word, struct rule_end *end)
{
	unsigned long id;
	char *rest;

	if (!*word || strlen(word) >= sizeof(end->text))
		return -EINVAL;
	*end = (struct rule_end){};
	snprintf(end->text, sizeof(end->text), "%s", word);
	if (!wwn_parse(word, &end->wwpn))
		return 0;
	id = strtoul(word, &rest, 16);
	if (strlen(word) == 6 && !*rest && id)
		end->id = (uint32_t)id;
	return 0;
}

struct rule *rule_new(struct fabric *f)
{
	struct rule *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->number = ++f->next_rule;
	r->op = RULE_OP_ANY;
	TAILQ_INSERT_TAIL(&f->rules, r, link);
	return r;
}

void rule_free(struct fabric *f, struct rule *r)
{
	TAILQ_REMOVE(&f->rules, r, link);
	free(r);
}

struct rule *rule_find(struct fabric *f, unsigned number)
{
	struct rule *r;

	TAILQ_FOREACH (r, &f->rules, link)
		if (r->number == number)
			return r;
	return NULL;
}

static enum rule_kind kind_of(const struct frame *fr)
{
	uint8_t type = fr->data[FC_TYPE];

	if (fr->data[FC_R_CTL] >> 4 == RCTL_BLS >> 4)
		return RULE_BLS;
	return type == FC_TYPE_ELS   ? RULE_ELS
	       : type == FC_TYPE_CT  ? RULE_CT
	       : type == FC_TYPE_FCP ? RULE_FCP
				     : RULE_ANY;
}

struct rule_frame rule_frame_of(struct vsan *v, const struct login *src, const struct login *dst,
				const struct frame *fr)
{
	struct rule_frame rf = {
		.kind = kind_of(fr), .op = RULE_OP_ANY, .iu = RULE_OP_ANY, .vsan = v, .src = src, .dst = dst};
	const uint8_t *payload = fr->data + FC_HEADER_LEN;
	size_t len = frame_payload_len(fr);

	rf.s_id = get_be24(fr->data + FC_S_ID);
	rf.d_id = get_be24(fr->data + FC_D_ID);
	rf.request = fr->data[FC_R_CTL] == RCTL_ELS_REQ || fr->data[FC_R_CTL] == RCTL_CT_REQ ||
		     fr->data[FC_R_CTL] == RCTL_BA_ABTS;
	if (rf.kind == RULE_BLS)
		rf.op = fr->data[FC_R_CTL];
	else if (rf.kind == RULE_ELS && len)
		rf.op = payload[0];
	else if (rf.kind == RULE_CT && len >= CT_HEADER_LEN)
		rf.op = get_be16(payload + 8);
	else if (rf.kind == RULE_FCP)
		rf.iu = RULE_OP_IU | fr->data[FC_R_CTL];
	if (rf.kind == RULE_FCP && fr->data[FC_R_CTL] == RCTL_FCP_CMND && len > 12)
		rf.op = payload[12]; /* the CDB's first byte */
	return rf;
}

static bool end_matches(const struct rule_end *e, const struct login *l, const struct fport *p, uint32_t id)
{
	if (!*e->text)
		return true;
	if (e->wwpn)
		return l && l->wwpn == e->wwpn;
	if (e->id && e->id == id)
		return true;
	if (l && l->enode)
		p = l->enode->port;
	if (p && !strcmp(p->name, e->text))
		return true;
	return l && l->array && !strcmp(array_name(l->array), e->text);
}

static bool matches(const struct rule *r, const struct rule_frame *rf)
{
	if (r->counted && !r->left)
		return false;
	if (r->action == RULE_REJECT && !rf->request)
		return false;
	if (r->kind != RULE_ANY && r->kind != rf->kind)
		return false;
	if (r->op != RULE_OP_ANY && r->op != rf->op && r->op != rf->iu)
		return false;
	return end_matches(&r->src, rf->src, rf->src_port, rf->s_id) &&
	       end_matches(&r->dst, rf->dst, rf->dst_port, rf->d_id);
}

const struct rule *rule_hit(struct fabric *f, const struct rule_frame *rf)
{
	static const char *const actions[] = {"dropped", "delayed", "rejected"};
	struct rule *r;

	TAILQ_FOREACH (r, &f->rules, link) {
		if (!matches(r, rf))
			continue;
		r->hits++;
		r->left -= r->counted;
		flog_add(f, "rule-hit", rf->vsan, rf->src, "rule %u %s %s op %x from %06x to %06x", r->number,
			 actions[r->action], rule_kind_name(rf->kind),
			 rf->op == RULE_OP_ANY ? rf->iu : rf->op, rf->s_id, rf->d_id);
		return r;
	}
	return NULL;
}

/* Keep it until its time; sorted, and in order among equals. */
static void delay(struct fabric *f, struct delayed *d, uint32_t ms)
{
	struct delayed *before;

	if (!d)
		return;
	d->due_us = f->now + (uint64_t)ms * MSEC;
	TAILQ_FOREACH_REVERSE (before, &f->delayed, delayed_list, link)
		if (before->due_us <= d->due_us)
			break;
	if (before)
		TAILQ_INSERT_AFTER(&f->delayed, before, d, link);
	else
		TAILQ_INSERT_HEAD(&f->delayed, d, link);
}

static struct delayed *delayed_eth(enum delayed_kind kind, struct fport *p, const uint8_t *eth, size_t len)
{
	struct delayed *d = calloc(1, sizeof(*d) + len);

	if (!d)
		return NULL;
	d->kind = kind;
	d->port = p;
	d->len = len;
	memcpy(d->eth, eth, len);
	return d;
}

static bool rule_eth(struct fabric *f, const struct rule_frame *rf, enum delayed_kind kind, struct fport *p,
		     const uint8_t *eth, size_t len)
{
	const struct rule *r = rule_hit(f, rf);

	if (r && r->action == RULE_DELAY)
		delay(f, delayed_eth(kind, p, eth, len), r->delay_ms);
	return r != NULL;
}

bool rule_eth_in(struct fabric *f, const struct rule_frame *rf, struct fport *p, const uint8_t *eth,
		 size_t len)
{
	return rule_eth(f, rf, DELAYED_ETH_IN, p, eth, len);
}

bool rule_eth_out(struct fabric *f, const struct rule_frame *rf, struct fport *p, const uint8_t *eth,
		  size_t len)
{
	return rule_eth(f, rf, DELAYED_ETH_OUT, p, eth, len);
}

static struct frame *reject(const struct rule *r, const struct rule_frame *rf, const struct frame *fr)
{
	if (rf->kind == RULE_ELS && fr->data[FC_R_CTL] == RCTL_ELS_REQ)
		return reply_ls_rjt(fr, r->reason, r->explanation);
	if (rf->kind == RULE_CT && fr->data[FC_R_CTL] == RCTL_CT_REQ)
		return reply_ct_rjt(fr, r->reason, r->explanation);
	if (rf->kind == RULE_BLS && rf->op == RCTL_BA_ABTS)
		return reply_ba_rjt(fr, r->reason, r->explanation);
	return NULL; /* a reply can't be rejected: it is lost */
}

static struct frame *frame_copy(const struct frame *fr)
{
	struct frame *copy = frame_new(fr->vsan, frame_payload_len(fr));

	if (copy)
		memcpy(copy->data, fr->data, fr->len);
	return copy;
}

bool rule_frame_in(struct fabric *f, const struct rule_frame *rf, const struct frame *fr)
{
	const struct rule *r = rule_hit(f, rf);

	if (r && r->action == RULE_REJECT) {
		fabric_emit(f, reject(r, rf, fr));
	} else if (r && r->action == RULE_DELAY) {
		struct delayed *d = calloc(1, sizeof(*d));

		if (d) {
			d->kind = DELAYED_FRAME;
			d->fr = frame_copy(fr);
			d->src_wwpn = rf->src ? rf->src->wwpn : 0;
		}
		delay(f, d, r->delay_ms);
	}
	return r != NULL;
}

bool rule_fip_els(struct fabric *f, const struct rule_frame *rf, struct fport *p, const struct ether_view *e,
		  const struct fip_view *fip, const uint8_t *eth, size_t len)
{
	struct fip_request q = {.port = p, .vsan = rf->vsan, .els_desc = fip->els_desc};
	const struct rule *r = rule_hit(f, rf);
	struct frame req, *fr;

	if (r && r->action == RULE_DELAY)
		delay(f, delayed_eth(DELAYED_ETH_IN, p, eth, len), r->delay_ms);
	if (!r || r->action != RULE_REJECT)
		return r != NULL;
	memcpy(q.mac, e->src, MAC_LEN);
	req.vsan = rf->vsan->id;
	req.len = (uint16_t)fip->els_len;
	memcpy(req.data, fip->els, fip->els_len);
	fr = reply_ls_rjt(&req, r->reason, r->explanation);
	if (fr)
		fport_fip_reply(f, &q, fr, NULL);
	frame_free(fr);
	return true;
}

struct delayed *delayed_next(struct fabric *f)
{
	struct delayed *d = TAILQ_FIRST(&f->delayed);

	if (!d || d->due_us > f->now)
		return NULL;
	TAILQ_REMOVE(&f->delayed, d, link);
	return d;
}

void delayed_free(struct delayed *d)
{
	frame_free(d->fr);
	free(d);
}

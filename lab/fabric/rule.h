/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults on frames: rules that drop, delay or reject what they match, N times or for good. The first rule
 * that matches decides.
 */
#ifndef FABRIC_RULE_H
#define FABRIC_RULE_H

#include "core.h"

enum rule_kind { RULE_ANY, RULE_ELS, RULE_CT, RULE_FCP, RULE_BLS, RULE_FIP };
enum rule_action { RULE_DROP, RULE_DELAY, RULE_REJECT };

#define RULE_OP_ANY UINT32_MAX
#define RULE_OP_IU 0x10000u /* an FCP rule's op is an R_CTL, not a SCSI operation code */

/* One end of a frame, as a rule names it. */
struct rule_end {
	char text[64]; /* "": any */
	uint64_t wwpn; /* 0: not by name */
	uint32_t id; /* 0: not by N_Port_ID */
};

struct rule {
	TAILQ_ENTRY(rule) link;
	unsigned number;
	struct rule_end src, dst;
	enum rule_kind kind;
	uint32_t op;
	char op_text[24];
	enum rule_action action;
	uint32_t delay_ms;
	uint8_t reason, explanation;
	bool counted;
	unsigned left;
	unsigned long hits;
};

/* What a frame looks like to a rule. */
struct rule_frame {
	enum rule_kind kind;
	uint32_t op, iu; /* iu: of FCP, RULE_OP_IU | R_CTL */
	bool request; /* has an answer that says no */
	struct vsan *vsan;
	const struct login *src, *dst;
	const struct fport *src_port, *dst_port; /* when there is no login */
	uint32_t s_id, d_id;
};

struct rule *rule_new(struct fabric *f);
void rule_free(struct fabric *f, struct rule *r);
struct rule *rule_find(struct fabric *f, unsigned number);

/* Words of the command to numbers; -EINVAL. */
int rule_parse_kind(const char *word, enum rule_kind *kind);
int rule_parse_op(enum rule_kind kind, const char *word, uint32_t *op);
int rule_parse_end(const char *word, struct rule_end *end);
const char *rule_kind_name(enum rule_kind kind);

/* How an FC frame looks; src and dst may be NULL. */
struct rule_frame rule_frame_of(struct vsan *v, const struct login *src, const struct login *dst,
				const struct frame *fr);

/* The rule that this frame hits, counted and logged; NULL: none. */
const struct rule *rule_hit(struct fabric *f, const struct rule_frame *rf);

/*
 * Apply the rules to a frame. True: it is taken care of (dropped, or kept until its time). eth: the whole
 * Ethernet frame; fr stays the caller's.
 */
bool rule_eth_in(struct fabric *f, const struct rule_frame *rf, struct fport *p, const uint8_t *eth,
		 size_t len);
bool rule_eth_out(struct fabric *f, const struct rule_frame *rf, struct fport *p, const uint8_t *eth,
		  size_t len);
bool rule_frame_in(struct fabric *f, const struct rule_frame *rf, const struct frame *fr);

/* The same for a FLOGI, FDISC or LOGO in FIP: a rejection goes back through FIP. */
struct fip_view;
bool rule_fip_els(struct fabric *f, const struct rule_frame *rf, struct fport *p, const struct ether_view *e,
		  const struct fip_view *fip, const uint8_t *eth, size_t len);

/* What a rule kept back, when its time has come: fr, or eth (and len). */
enum delayed_kind { DELAYED_FRAME, DELAYED_ETH_IN, DELAYED_ETH_OUT };
struct delayed {
	TAILQ_ENTRY(delayed) link;
	uint64_t due_us;
	enum delayed_kind kind;
	struct fport *port;
	size_t len;
	struct frame *fr;
	uint64_t src_wwpn; /* of fr; 0: a server's */
	uint8_t eth[];
};
struct delayed *delayed_next(struct fabric *f); /* the caller frees it by delayed_free */
void delayed_free(struct delayed *d);

#endif

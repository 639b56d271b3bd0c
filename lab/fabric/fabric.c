/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "fc.h"
#include "fip.h"
#include "rule.h"

/* A frame that a server answers with another, and so on, without end would be an error of ours. */
#define ROUTES_MAX 1000000

struct fabric *fabric_new(void)
{
	struct fabric *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->log = flog_new();
	if (!f->log) {
		free(f);
		return NULL;
	}
	TAILQ_INIT(&f->vsans);
	TAILQ_INIT(&f->arrays);
	TAILQ_INIT(&f->luns);
	TAILQ_INIT(&f->rules);
	TAILQ_INIT(&f->delayed);
	TAILQ_INIT(&f->outbox);
	TAILQ_INIT(&f->pending);
	f->fka_ms = 8000;
	f->vn_ka_ms = 90000;
	f->e_d_tov_ms = 2000;
	f->r_a_tov_ms = 10000;
	return f;
}

void fabric_free(struct fabric *f)
{
	struct ether_out *o;
	struct delayed *d;
	struct frame *fr;
	struct vsan *v;
	struct rule *r;

	if (!f)
		return;
	for (unsigned i = 0; i < f->n_ports; i++)
		fport_down(f, f->ports[i], "end", false);
	arrays_free(f);
	while ((r = TAILQ_FIRST(&f->rules)))
		rule_free(f, r);
	while ((d = TAILQ_FIRST(&f->delayed))) {
		TAILQ_REMOVE(&f->delayed, d, link);
		delayed_free(d);
	}
	while ((fr = TAILQ_FIRST(&f->pending))) {
		TAILQ_REMOVE(&f->pending, fr, link);
		frame_free(fr);
	}
	while ((o = fabric_output(f)))
		free(o);
	while ((v = TAILQ_FIRST(&f->vsans))) {
		TAILQ_REMOVE(&f->vsans, v, link);
		vsan_free(v);
	}
	for (unsigned i = 0; i < f->n_ports; i++)
		fport_free(f->ports[i]);
	free(f->ports);
	flog_free(f->log);
	free(f);
}

/* Route what servers and targets have made, until nothing is left. */
static void settle(struct fabric *f)
{
	unsigned n = 0;

	do {
		struct frame *fr;

		while ((fr = TAILQ_FIRST(&f->pending)) && n++ < ROUTES_MAX) {
			TAILQ_REMOVE(&f->pending, fr, link);
			forward_frame(f, fr);
			frame_free(fr);
		}
	} while (n < ROUTES_MAX && arrays_pump(f));
}

static struct rule_frame fip_rule_frame(struct fport *p, const struct ether_view *e,
					const struct fip_view *fip)
{
	struct vsan *v = fport_vsan_of_vlan(p, e->vlan);
	struct rule_frame rf = {
		.kind = RULE_FIP, .op = fip->kind, .iu = RULE_OP_ANY, .vsan = v, .src_port = p};
	struct frame fr;

	if (fip->kind == FIP_LS_REQUEST && fip->els && v) {
		memcpy(fr.data, fip->els, fip->els_len);
		fr.len = (uint16_t)fip->els_len;
		rf = rule_frame_of(v, vsan_login_by_id(v, get_be24(fr.data + FC_S_ID)), NULL, &fr);
		rf.src_port = p;
	}
	return rf;
}

/* A FIP frame that a rule takes. An ELS in it is rejected through FIP again. */
static bool fip_ruled(struct fabric *f, struct fport *p, const struct ether_view *e, const uint8_t *eth,
		      size_t len)
{
	struct rule_frame rf;
	struct fip_view fip;

	if (TAILQ_EMPTY(&f->rules) || fip_parse(e->payload, e->len, &fip))
		return false;
	rf = fip_rule_frame(p, e, &fip);
	if (rf.kind == RULE_FIP || !rf.vsan)
		return rule_eth_in(f, &rf, p, eth, len);
	return rule_fip_els(f, &rf, p, e, &fip, eth, len);
}

static void input(struct fabric *f, struct fport *p, const uint8_t *eth, size_t len, bool rules)
{
	struct ether_view e;

	if (!ether_parse(eth, len, &e) || !fport_up(p))
		return;
	p->frames_in++;
	if (e.type == ETHERTYPE_FIP && !(rules && fip_ruled(f, p, &e, eth, len)))
		fport_fip_input(f, p, &e);
	else if (e.type == ETHERTYPE_FCOE_FRAME)
		forward_input(f, p, &e);
}

void fabric_input(struct fabric *f, unsigned port, const uint8_t *eth, size_t len, uint64_t now_us)
{
	f->now = now_us;
	if (port >= f->n_ports || len > ETHER_FRAME_MAX)
		return;
	input(f, f->ports[port], eth, len, true);
	settle(f);
}

void fabric_carrier(struct fabric *f, unsigned port, bool up, unsigned mtu, uint64_t now_us)
{
	struct fport *p = port < f->n_ports ? f->ports[port] : NULL;

	f->now = now_us;
	if (!p)
		return;
	if (mtu >= 576)
		p->mtu = mtu;
	if (p->carrier != up) {
		p->carrier = up;
		flog_add(f, up ? "link-up" : "link-down", NULL, NULL, "port %s: carrier %s", p->name,
			 up ? "is there" : "lost");
		if (!up)
			fport_down(f, p, "implicit: link down", false);
		for (unsigned i = 0; i < p->n_vsans; i++)
			p->vsans[i].advert_us = f->now;
	}
	fabric_run(f, now_us);
}

static void run_delayed(struct fabric *f)
{
	struct delayed *d;

	while ((d = delayed_next(f))) {
		if (d->kind == DELAYED_ETH_OUT && fport_up(d->port))
			fabric_send_eth(f, d->port, d->eth, d->len);
		else if (d->kind == DELAYED_ETH_IN)
			input(f, d->port, d->eth, d->len, false);
		else if (d->fr)
			forward_delayed(f, d->fr, d->src_wwpn);
		delayed_free(d);
	}
}

void fabric_run(struct fabric *f, uint64_t now_us)
{
	bool expire = now_us >= f->expiry_us;

	f->now = now_us;
	if (expire)
		f->expiry_us = now_us + (uint64_t)f->fka_ms * MSEC / 2;
	for (unsigned i = 0; i < f->n_ports; i++) {
		if (expire)
			fport_expire(f, f->ports[i]);
		fport_run(f, f->ports[i]);
	}
	run_delayed(f);
	arrays_run(f);
	settle(f);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t fabric_deadline(const struct fabric *f)
{
	uint64_t first = arrays_deadline(f);
	const struct delayed *d = TAILQ_FIRST(&f->delayed);

	if (d)
		first = least(first, d->due_us);
	for (unsigned i = 0; i < f->n_ports; i++) {
		const struct fport *p = f->ports[i];

		if (!LIST_EMPTY(&p->enodes))
			first = least(first, f->expiry_us);
		for (unsigned j = 0; j < p->n_vsans && fport_up(p); j++)
			first = least(first, p->vsans[j].advert_us);
	}
	return first;
}

struct ether_out *fabric_output(struct fabric *f)
{
	struct ether_out *o = TAILQ_FIRST(&f->outbox);

	if (o)
		TAILQ_REMOVE(&f->outbox, o, link);
	return o;
}

unsigned fabric_ports(const struct fabric *f)
{
	return f->n_ports;
}

void fabric_port_info(const struct fabric *f, unsigned port, struct port_info *info)
{
	const struct fport *p = f->ports[port];

	*info = (struct port_info){.name = p->name, .kind = p->kind, .address = p->address};
}

const char *fabric_log_line(struct fabric *f)
{
	return flog_next_line(f->log);
}

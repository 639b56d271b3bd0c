/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the quiesce machine looks at: the inventory, whose answer is known at once, and the fabric. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ct.h"
#include "ios.h"
#include "live.h"
#include "log.h"
#include "privq.h"
#include "quiesce_verb.h"
#include "san.h"
#include "sizes.h"
#include "vhba_profile.h"

int quiesce_op_count(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct quiesce_arg arg = {0};
	uint64_t left;

	if (san_inflight(dr->d, verb_vhba(dr, c), &arg.count)) {
		driver_queue(dr, c, QE_COUNT_FAILED);
		return 0;
	}
	/* What a back end has under way is mostly the same commands; some may not have reached the device
	 * yet. */
	left = ios_left(dr->d, dr->vm->uuid);
	if (left > arg.count)
		arg.count = left;
	driver_queue_text(dr, c, QE_COUNT, arg, NULL);
	return 0;
}

int quiesce_op_read_ports(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct quiesce_arg arg = {0};
	char states[QUIESCE_PORTS_MAX];

	if (san_targets(dr->d, verb_vhba(dr, c), &arg.count, &arg.total, states, sizeof(states)))
		driver_queue(dr, c, QE_PORTS_FAILED);
	else
		driver_queue_text(dr, c, QE_PORTS, arg, states);
	return 0;
}

static struct login_seen login_seen(const struct driver *dr, int vhba)
{
	const struct vm_vhba *v = &dr->vm->vhba[vhba];
	const struct fc_host *host = v->host >= 0 ? fc_host_find(&dr->d->inv, v->host) : NULL;
	const struct fc_host *parent = fc_host_find(&dr->d->inv, v->parent_host);
	struct login_seen seen = {.parent = host && parent && !strcmp(parent->state, "Online"),
				  .port = host && !strcmp(host->state, "Online"),
				  .sticks = parent && fc_profile_find(parent->driver)->login_sticks};
	const struct fc_rport *r;
	const struct fc_lun *l;

	if (!host)
		return seen;
	TAILQ_FOREACH (r, &host->rports, link) {
		seen.online += !strcmp(r->state, "Online");
		seen.blocked += !strcmp(r->state, "Blocked");
		seen.away += !strcmp(r->state, "Not Present");
		TAILQ_FOREACH (l, &r->luns, link)
			seen.usable += l->usable;
	}
	return seen;
}

bool driver_login_begins(struct driver *dr, int vhba)
{
	struct fc_host *host = fc_host_find(&dr->d->inv, dr->vm->vhba[vhba].host);
	struct login_seen seen;

	/* They have been logged out meanwhile, without an event. */
	if (host)
		fc_host_refresh_rport_states(host);
	seen = login_seen(dr, vhba);
	dr->login[vhba].read = mono_now();
	return login_begins(&dr->login[vhba].watch, &seen, mono_now());
}

bool driver_login_stuck(struct driver *dr, int vhba, const char *lacks)
{
	struct vm_vhba *v = &dr->vm->vhba[vhba];
	struct login_seen seen = login_seen(dr, vhba);
	struct monotime since = dr->login[vhba].watch.since;
	enum login_next next = login_look(&dr->login[vhba].watch, &seen, mono_now());

	if (next == LOGIN_WAIT)
		return false;
	log_warning("%s: vhba %u: nothing has come in %" PRIu64 " s: %s: %s", dr->vm->name, v->index,
		    mono_since(mono_now(), since) / USEC_PER_SEC, lacks,
		    next == LOGIN_SCAN ? "its targets are asked for their LUNs" : "it is logged in anew");
	daemon_event(dr->d, "login", dr->vm->name, "%s: %s", lacks,
		     next == LOGIN_SCAN ? "looking for its LUNs" : "logging in anew");
	if (next == LOGIN_SCAN)
		sizes_scan(dr->d, v);
	return next == LOGIN_ANEW;
}

#define READ_AGAIN_US (100 * USEC_PER_MSEC)
#define READ_US (4 * USEC_PER_MSEC) /* what reading all of a host takes at most */

static bool seems_ready(struct driver *dr, const struct vm_vhba *v, struct verror *e)
{
	return san_logged_in(dr->d, dr->vm, v, e) && san_luns_usable(dr->d, dr->vm, v, e);
}

/* Beside many others that wait too, reading leaves half of the time for other work. */
static uint64_t read_again_us(const struct driver *dr)
{
	uint64_t us = 2 * (uint64_t)op_crowd(dr->d, dr->vm) * READ_US;

	return us > READ_AGAIN_US ? us : READ_AGAIN_US;
}

/* States change without an event, and are read at each look. What comes has one: all is read now and then. */
static bool is_ready(struct driver *dr, int vhba, bool *all_read, struct verror *e)
{
	struct vm_vhba *v = &dr->vm->vhba[vhba];
	struct monotime now = mono_now(), *read = &dr->login[vhba].read;
	struct fc_host *host;

	*all_read = false;
	san_locate(dr->d, v);
	host = v->host >= 0 ? fc_host_find(&dr->d->inv, v->host) : NULL;
	if (host)
		fc_host_refresh_state(host);
	if (seems_ready(dr, v, e))
		return true;
	if (v->host < 0 || !mono_reached(mono_add(*read, read_again_us(dr)), now))
		return false;
	*read = now;
	*all_read = true;
	watch_refresh(dr->d, v->host);
	return seems_ready(dr, v, e);
}

int quiesce_op_check_ready(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	struct vm_vhba *v = verb_vhba(dr, c);
	struct verror e = {0};
	char line[QUIESCE_TEXT_MAX];
	bool all_read, stuck;

	if (is_ready(dr, c->vhba, &all_read, &e))
		return driver_queue(dr, c, QE_LUNS_READY), 0;
	sizes_look(dr->d, v);
	verror_line(&e, line, sizeof(line));
	stuck = all_read && driver_login_stuck(dr, c->vhba, line);
	driver_queue_text(dr, c, stuck ? QE_LOGIN_STUCK : QE_LUNS_NOT_READY, (struct quiesce_arg){0}, line);
	return 0;
}

/*
 * Of a VM on the kernel's block path, without a vhba-io, its owner pauses it.  What is submitted all the same
 * is parked by the logout, and the machine sees and says that.
 */
static void intake_done(void *user, const char *why)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = verb_driver(vc);

	if (dr)
		driver_queue_text(dr, &vc->call, why ? vc->bad : vc->good, (struct quiesce_arg){0}, why);
}

static int op_intake(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev good,
		     enum quiesce_ev bad,
		     void (*begin)(struct daemon *d, const char *uuid, ios_done *done, void *user))
{
	struct verb_call *vc = ios_run(dr->d, dr->vm->uuid) ? verb_new(dr, c, good, bad) : NULL;

	if (vc)
		begin(dr->d, dr->vm->uuid, intake_done, vc);
	else if (ios_run(dr->d, dr->vm->uuid))
		return -ENOMEM;
	else
		driver_queue(dr, c, good);
	return 0;
}

int quiesce_op_stop_intake(void *user, const struct quiesce_call *c)
{
	return op_intake(user, c, QE_INTAKE_CLOSED, QE_INTAKE_CLOSE_FAILED, ios_stop);
}

int quiesce_op_open_intake(void *user, const struct quiesce_call *c)
{
	return op_intake(user, c, QE_INTAKE_OPENED, QE_INTAKE_OPEN_FAILED, ios_go_on);
}

/* ---- the fabric's word ---- */

/*
 * The N_Port_ID that the vport has still, although it is being logged out: 0 once FFFFFE has accepted its
 * LOGO. False where the driver does not show that, or the vport is gone.
 */
static bool own_port_id(struct driver *dr, const struct vm_vhba *v, uint32_t *id)
{
	const struct fc_host *host = v->host >= 0 ? fc_host_find(&dr->d->inv, v->host) : NULL;

	return host && vhba_profile(dr->d, v)->proof & FC_PROOF_PORT_ID && !fc_host_read_port_id(host, id);
}

static void note_port_id(struct driver *dr, unsigned vhba)
{
	uint32_t id;

	if (own_port_id(dr, &dr->vm->vhba[vhba], &id) && id)
		dr->port_id[vhba] = id;
}

void driver_note_port_ids(struct driver *dr)
{
	for (unsigned i = 0; i < dr->vm->count; i++)
		note_port_id(dr, i);
}

/*
 * Zoning bounds what the name server tells the parent, perhaps of its own vports too: that one is absent
 * proves nothing before it was seen there, unless the fabric has accepted the LOGO.
 */
static bool absence_proves(struct driver *dr, const struct vm_vhba *v)
{
	uint32_t id;

	return v->shown || !own_port_id(dr, v, &id) || !id;
}

/* Of a VM that leaves live. A name server has one N_Port_ID for a name. f_ports: NULL, or as they are now. */
static bool is_where_guest_is(const struct driver *dr, int vhba, uint32_t port_id,
			      const struct priv_reply *f_ports)
{
	const struct op *op = dr->vm->op;
	unsigned index = dr->vm->vhba[vhba].index;
	struct live_name n = {.own = dr->port_id[vhba],
			      .now = port_id,
			      .let_go = dr->logged_out[vhba],
			      .given = op && op->kind == OP_RELEASE && op->moved};

	if (!live_leaves(dr->d, dr->vm->uuid))
		return false;
	if (!n.own)
		n.own = live_port_id(dr->d, dr->vm->uuid, index);
	if (f_ports && !f_ports->err) {
		n.left = live_f_port(dr->d, dr->vm->uuid, index);
		n.parent = f_ports->own_f_port;
		n.at = f_ports->f_port;
	}
	return live_is_elsewhere(&n);
}

/* A vport that had lost its login before has no LOGO that could be accepted: its last N_Port_ID tells. */
static const char *whose(const struct driver *dr, int vhba, uint32_t port_id)
{
	if (dr->port_id[vhba] && dr->port_id[vhba] != port_id)
		return "; this vport's N_Port_ID is not that, so another port carries its WWPN";
	if (!dr->logged_out[vhba])
		return "";
	return dr->port_id[vhba] ? "; this vport has had that N_Port_ID, and shows none any more"
				 : "; the fabric has let this vport go, so another port carries its WWPN";
}

static void present(struct driver *dr, const struct quiesce_call *c, uint32_t port_id)
{
	char text[QUIESCE_TEXT_MAX];

	dr->vm->vhba[c->vhba].shown = true;
	snprintf(text, sizeof(text), "%06" PRIx32 "%s", port_id, whose(dr, c->vhba, port_id));
	driver_queue_text(dr, c, QE_FABRIC_PRESENT, (struct quiesce_arg){0}, text);
}

static void on_f_port(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = verb_driver(vc);

	if (dr && is_where_guest_is(dr, vc->call.vhba, vc->port_id, r))
		driver_queue(dr, &vc->call, QE_FABRIC_ABSENT);
	else if (dr)
		present(dr, &vc->call, vc->port_id);
}

/* False: there is nothing that it could be compared with. */
static bool ask_f_port(struct driver *dr, const struct quiesce_call *c, uint32_t port_id)
{
	const struct vm_vhba *v = verb_vhba(dr, c);
	struct priv_request q = {.verb = PRIV_CT_GFPN_ID, .host = v->parent_host, .target = port_id};
	struct verb_call *vc;

	if (!live_leaves(dr->d, dr->vm->uuid) || !live_f_port(dr->d, dr->vm->uuid, v->index))
		return false;
	vc = verb_new(dr, c, 0, 0);
	if (!vc)
		return false;
	vc->port_id = port_id;
	privq_call(dr->d->privq, &q, verb_time(c), on_f_port, vc);
	return true;
}

static void on_fabric(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = verb_driver(vc);
	char text[QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (r->err) {
		driver_queue_text(dr, &vc->call, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0},
				  verb_reply_text(dr, vc, r, text, sizeof(text)));
	} else if (r->value == CT_ABSENT && !absence_proves(dr, verb_vhba(dr, &vc->call))) {
		driver_queue_text(
			dr, &vc->call, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0},
			"absent, but zoning may hide it from the parent, and its LOGO is not accepted");
	} else if (r->value == CT_ABSENT) {
		driver_queue(dr, &vc->call, QE_FABRIC_ABSENT);
	} else if (r->value == CT_PRESENT && is_where_guest_is(dr, vc->call.vhba, r->port_id, NULL)) {
		driver_queue(dr, &vc->call, QE_FABRIC_ABSENT); /* it is where the guest is now */
	} else if (r->value == CT_PRESENT) {
		if (!ask_f_port(dr, &vc->call, r->port_id))
			present(dr, &vc->call, r->port_id);
	} else {
		snprintf(text, sizeof(text), "the name server's answer proves nothing (reason %04x)",
			 r->number);
		driver_queue_text(dr, &vc->call, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0}, text);
	}
}

int quiesce_op_verify_fabric(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	const struct vm_vhba *v = verb_vhba(dr, c);
	struct priv_request q = {.verb = PRIV_CT_GID_PN, .host = v->parent_host, .wwpn = v->wwpn};
	struct fc_host *parent = fc_host_find(&dr->d->inv, v->parent_host);
	char text[QUIESCE_TEXT_MAX];
	uint32_t id;

	if (parent)
		fc_host_refresh_state(parent);
	if (!parent || !fc_may_ask_fabric(fc_profile_find(parent->driver), true, parent->state)) {
		/* In Linux 6.1 a question to a dead fabric looks answered, and can take the kernel down
		 * later. */
		snprintf(text, sizeof(text), "the parent is %s: the name server can't be asked",
			 parent ? parent->state : "gone");
		driver_queue_text(dr, c, QE_FABRIC_NO_PROOF, (struct quiesce_arg){0}, text);
		return 0;
	}
	note_port_id(dr, (unsigned)c->vhba);
	if (own_port_id(dr, v, &id))
		dr->logged_out[c->vhba] = !id; /* of one that is gone the last word counts */
	return verb_send(user, c, &q, on_fabric, 0, 0);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qla2xxx (qla_attr.c, qla_mid.c, qla_os.c).  Where a Scsi_Host can't be had it returns FC_VPORT_FAILED,
 * which the transport hands on: a write of 33 bytes that says 9.
 */
#include <errno.h>

#include "attr.h"
#include "internal.h"

#define VP_CTRL_TIMEOUT(k) (2 * (k)->r_a_tov + 2 * SEC) /* qla2x00_get_async_timeout + 2 */
#define SESSIONS_MAX (10 * SEC) /* qla2x00_wait_for_sess_deletion */

/* qla24xx_vport_create_req_sanity_check; its own count allows one more vport than it has */
static int check(const struct vport *self)
{
	const struct hba *h = self->hba;
	const struct vport *v;

	if (!h->knobs.npiv)
		return -ENOSYS;
	if (!h->knobs.fabric_npiv)
		return -EOPNOTSUPP;
	if (h->port->wwpn == self->wwpn)
		return -ENOTUNIQ;
	TAILQ_FOREACH (v, &h->vports, link)
		if (v != self && v->wwpn == self->wwpn)
			return -ENOTUNIQ;
	return 0;
}

/* qla24xx_enable_vp; what becomes of it is not returned */
static void enable_vp(struct fakefc *f, struct vport *v)
{
	if (!v->hba->knobs.link)
		vport_set_state(v, VP_LINKDOWN);
	else if (v->hba->knobs.mailbox != MAILBOX_OK)
		vport_set_state(v, VP_FAILED);
	else
		fabric_login(f, v->port);
}

static uint64_t create(struct fakefc *f, struct call *c)
{
	struct vport *v = c->vport;
	int err = check(v);

	if (err)
		return call_ends(c, err);
	if (!v->hba->knobs.host_alloc || port_new(f, v))
		return call_ends(c, VP_FAILED);
	enable_vp(f, v);
	return call_ends(c, 0);
}

/* A port whose ID is not acquired is logged, and that is all (qla24xx_report_id_acquisition). */
static void login_failed(struct fakefc *f, struct fakefc_port *p, enum fdisc_mode how)
{
	(void)f;
	(void)p;
	(void)how;
}

/* ---- disable, enable ---- */

/* VP_CTRL with LOGO_ALL: the firmware logs out and ends its exchanges, in its own time. */
static uint64_t vp_ctrl(struct fakefc *f, struct call *c)
{
	const struct knobs *k = &c->vport->hba->knobs;

	say(f, c->vport->port, "VP_CTRL, LOGO of all");
	c->done = k->vp_ctrl < VP_CTRL_TIMEOUT(k);
	return c->done ? k->vp_ctrl : VP_CTRL_TIMEOUT(k);
}

static uint64_t sessions(struct fakefc *f, struct call *c)
{
	struct vport *v = c->vport;
	const struct knobs *k = &v->hba->knobs;

	fabric_login_stop(f, v->port);
	rports_block(f, v->port);
	if (c->done) {
		struct rport *r;

		TAILQ_FOREACH (r, &v->port->rports, link)
			io_flush(f, r);
		if (fabric_answers(v->hba))
			ns_remove(f, v->port);
	}
	return k->sessions < SESSIONS_MAX ? k->sessions : SESSIONS_MAX;
}

/* qla24xx_vport_disable returns 0 whatever qla24xx_disable_vp says. d_id is cleared by qlt_update_vp_map. */
static uint64_t disable_end(struct fakefc *f, struct call *c)
{
	(void)f;
	c->vport->port->logged_in = false;
	c->vport->port->port_id = 0;
	vport_set_state(c->vport, c->done ? VP_DISABLED : VP_FAILED);
	return call_ends(c, 0);
}

static uint64_t enable(struct fakefc *f, struct call *c)
{
	enable_vp(f, c->vport);
	return call_ends(c, 0);
}

/* ---- delete ---- */

static uint64_t delete_wait(struct fakefc *f, struct call *c)
{
	(void)f;
	if (c->vport->hba->knobs.rediscovering) {
		c->step--; /* for as long as it takes */
		return SEC;
	}
	return c->vport->hba->knobs.loop_resync;
}

static uint64_t delete_host(struct fakefc *f, struct call *c)
{
	port_free(f, c->vport->port);
	return call_ends(c, 0);
}

/* qla2x00_get_host_port_state looks at the physical port alone. */
static const char *port_state(const struct fakefc_port *p)
{
	return p->hba->knobs.link ? "Online" : "Linkdown";
}

#define HOSTNAME                                                                                             \
	{                                                                                                    \
		.name = "system_hostname", .show = show_host_system_hostname                                 \
	}

static const struct attr parent_attrs[] = {HOST_ATTRS, HOSTNAME, HOST_ATTRS_LIP, HOST_ATTRS_NPIV, {NULL}};
static const struct attr vport_host_attrs[] = {HOST_ATTRS, HOSTNAME, HOST_ATTRS_LIP, {NULL}};
static const struct attr rport_attrs[] = {RPORT_ATTRS, {NULL}};
/* No set_vport_symbolic_name: it can only be read. */
static const struct attr vport_attrs[] = {
	VPORT_ATTRS,
	{.name = "symbolic_name", .show = show_vport_symbolic_name},
	{NULL},
};

const struct driver driver_qla2xxx = {
	.name = "qla2xxx",
	.vports_max = 254,
	.parent_attrs = parent_attrs,
	.vport_host_attrs = vport_host_attrs,
	.rport_attrs = rport_attrs,
	.vport_attrs = vport_attrs,
	.verbs =
		{
			[VERB_CREATE] = {create},
			[VERB_DELETE] = {delete_wait, vp_ctrl, sessions, delete_host},
			[VERB_DISABLE] = {vp_ctrl, sessions, disable_end},
			[VERB_ENABLE] = {enable},
		},
	.login_failed = login_failed,
	.port_state = port_state,
	.terminates_io = true,
	.bsg_host_ct = true,
	.ct_by_word = true,
};

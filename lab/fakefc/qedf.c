/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qedf (qedf_main.c, and libfc below it: fc_lport.c, fc_npiv.c), and bnx2fc (bnx2fc_fcoe.c), which differs in
 * the creation. */
#include <errno.h>

#include "attr.h"
#include "internal.h"

/* fc_vport_setlink */
static void login(struct fakefc *f, struct vport *v)
{
	if (!v->hba->knobs.link) {
		vport_set_state(v, VP_LINKDOWN);
	} else if (!v->hba->knobs.fabric_npiv) {
		vport_set_state(v, VP_NO_FABRIC_SUPPORT);
	} else {
		vport_set_state(v, VP_INITIALIZING);
		fabric_login(f, v->port);
	}
}

/* fcoe_validate_vport_create */
static bool is_taken(const struct vport *v)
{
	const struct vport *other;

	TAILQ_FOREACH (other, &v->hba->vports, link)
		if (other != v && other->wwpn == v->wwpn)
			return true;
	return v->hba->port->wwpn == v->wwpn;
}

static uint64_t create(struct fakefc *f, struct call *c)
{
	struct vport *v = c->vport;

	if (is_taken(v))
		return call_ends(c, -EINVAL);
	if (!v->hba->knobs.link)
		return call_ends(c, -EIO);
	if (!v->hba->knobs.host_alloc || port_new(f, v))
		return call_ends(c, -ENOMEM);
	login(f, v);
	return call_ends(c, 0);
}

/* bnx2fc_vport_create: without a link it makes one that is Linkdown; where it has no host it says EIO. */
static uint64_t create_bnx2fc(struct fakefc *f, struct call *c)
{
	struct vport *v = c->vport;

	if (is_taken(v))
		return call_ends(c, -EINVAL);
	if (!v->hba->knobs.host_alloc || port_new(f, v))
		return call_ends(c, -EIO);
	login(f, v);
	return call_ends(c, 0);
}

static void on_retry(struct fakefc *f, void *obj)
{
	fabric_login(f, obj);
}

/* fc_lport_error: it stays Initializing and tries again, every two seconds, for ever */
static void login_failed(struct fakefc *f, struct fakefc_port *p, enum fdisc_mode how)
{
	(void)how;
	timer_set(f, 2 * SEC, on_retry, p);
}

/* ---- disable, enable ---- */

static uint64_t disable_begin(struct fakefc *f, struct call *c)
{
	fabric_login_stop(f, c->vport->port);
	timers_drop(f, c->vport->port, on_retry);
	vport_set_state(c->vport, VP_DISABLED);
	return 0;
}

/* Each rport in turn: LOGO, the session's upload, the firmware's cleanup of its commands
 * (qedf_upload_connection). */
static uint64_t upload(struct fakefc *f, struct call *c)
{
	struct rport *r;

	TAILQ_FOREACH (r, &c->vport->port->rports, link) {
		if (r->state == RP_BLOCKED)
			io_flush(f, r);
		if (r->state != RP_ONLINE)
			continue;
		say(f, c->vport->port, "LOGO to %06x, and its session's upload", r->port_id);
		rport_block(f, r);
		c->step--;
		return c->vport->hba->knobs.upload;
	}
	return 0;
}

/* fc_lport_logo_resp: only an accept clears the N_Port_ID and the fabric's name */
static void on_logo_accepted(struct fakefc *f, void *obj)
{
	struct fakefc_port *p = obj;

	ns_remove(f, p);
	p->port_id = 0;
	p->fabric_name = 0;
}

/* fc_lport_enter_logo: sent, not waited for */
static uint64_t logo(struct fakefc *f, struct call *c)
{
	struct fakefc_port *p = c->vport->port;

	say(f, p, "LOGO to FFFFFE");
	if (p->logged_in && fabric_answers(p->hba))
		timer_set(f, p->hba->knobs.logo, on_logo_accepted, p);
	p->logged_in = false;
	return call_ends(c, 0);
}

static uint64_t enable(struct fakefc *f, struct call *c)
{
	timers_drop(f, c->vport->port, on_logo_accepted);
	login(f, c->vport);
	return call_ends(c, 0);
}

/* ---- delete ---- */

/* fc_fabric_logoff sends a LOGO, also after an earlier one, and its answer finds nobody; the fabric has it
 * all the same. */
static uint64_t delete_host(struct fakefc *f, struct call *c)
{
	struct fakefc_port *p = c->vport->port;

	say(f, p, "LOGO to FFFFFE");
	if (fabric_answers(p->hba))
		ns_remove(f, p);
	port_free(f, p);
	return call_ends(c, 0);
}

/* fc_get_host_port_state */
static const char *port_state(const struct fakefc_port *p)
{
	if (!p->hba->knobs.link)
		return "Linkdown";
	return p->logged_in ? "Online" : "Offline";
}

static const struct attr parent_attrs[] = {
	HOST_ATTRS, HOST_ATTRS_FC4, HOST_ATTRS_LIP, HOST_ATTRS_NPIV, {NULL}};
static const struct attr vport_host_attrs[] = {HOST_ATTRS, HOST_ATTRS_FC4, HOST_ATTRS_LIP, {NULL}};
static const struct attr rport_attrs[] = {
	RPORT_ATTRS, {.name = "maxframe_size", .show = show_rport_maxframe}, {NULL}};
/* No set_vport_symbolic_name: it can only be read. */
static const struct attr vport_attrs[] = {
	VPORT_ATTRS,
	{.name = "symbolic_name", .show = show_vport_symbolic_name},
	{NULL},
};

/* What they have in common: all but their names, how many vports they take, and who creates one. */
#define OFFLOAD_DRIVER(create_verb)                                                                          \
	.parent_attrs = parent_attrs, .vport_host_attrs = vport_host_attrs, .rport_attrs = rport_attrs,      \
	.vport_attrs = vport_attrs,                                                                          \
	.verbs =                                                                                             \
		{                                                                                            \
			[VERB_CREATE] = {create_verb},                                                       \
			[VERB_DELETE] = {upload, delete_host},                                               \
			[VERB_DISABLE] = {disable_begin, upload, logo},                                      \
			[VERB_ENABLE] = {enable},                                                            \
	},                                                                                                   \
	.login_failed = login_failed, .port_state = port_state, .bsg_host_ct = true

const struct driver driver_qedf = {.name = "qedf", .vports_max = 64, OFFLOAD_DRIVER(create)};
const struct driver driver_bnx2fc = {.name = "bnx2fc", .vports_max = 65535, OFFLOAD_DRIVER(create_bnx2fc)};

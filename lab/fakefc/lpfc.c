/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lpfc (lpfc_vport.c, lpfc_els.c, lpfc_attr.c, lpfc_bsg.c).  Its VPORT_ERROR, _INVAL and _NORESOURCES are -1,
 * -2 and -4, which the transport hands on as errnos: EPERM, ENOENT and EINTR.
 */
#include <errno.h>

#include "attr.h"
#include "internal.h"

enum { VPORT_ERROR = -1, VPORT_INVAL = -2, VPORT_NORESOURCES = -4 };

static unsigned vpis_used(const struct hba *h)
{
	const struct vport *v;
	unsigned n = 0;

	TAILQ_FOREACH (v, &h->vports, link)
		n += v->port != NULL;
	return n;
}

/* lpfc_unique_wwpn: on this HBA */
static bool is_unique(const struct hba *h, const struct vport *self)
{
	const struct vport *v;

	TAILQ_FOREACH (v, &h->vports, link)
		if (v != self && v->wwpn == self->wwpn)
			return false;
	return h->port->wwpn != self->wwpn;
}

/* lpfc_valid_wwn_format: NAA 1 has zeros after it */
static bool is_valid(uint64_t wwn)
{
	unsigned first = (unsigned)(wwn >> 56), second = (unsigned)(wwn >> 48) & 0xff;

	return first >> 4 != 1 || !((first & 0xf) || (second & 0xf));
}

/* ---- create ---- */

static uint64_t create_begin(struct fakefc *f, struct call *c)
{
	const struct knobs *k = &c->vport->hba->knobs;

	(void)f;
	if (!k->npiv)
		return call_ends(c, VPORT_INVAL);
	if (vpis_used(c->vport->hba) >= k->vpis || !k->host_alloc)
		return call_ends(c, VPORT_NORESOURCES);
	return k->mailbox_time;
}

static uint64_t create_end(struct fakefc *f, struct call *c)
{
	struct vport *v = c->vport;
	struct hba *h = v->hba;

	if (h->knobs.mailbox == MAILBOX_INTERRUPTED)
		return call_ends(c, VPORT_ERROR);
	if (h->knobs.mailbox == MAILBOX_FAILED)
		return call_ends(c, VPORT_NORESOURCES);
	if (!is_valid(v->wwpn) || !is_valid(v->wwnn) || !is_unique(h, v))
		return call_ends(c, VPORT_INVAL);
	if (port_new(f, v))
		return call_ends(c, VPORT_NORESOURCES);
	if (!h->knobs.link) {
		vport_set_state(v, VP_LINKDOWN);
	} else if (!h->knobs.fabric_npiv) {
		vport_set_state(v, VP_NO_FABRIC_SUPPORT);
	} else {
		vport_set_state(v, VP_INITIALIZING);
		fabric_login(f, v->port);
	}
	return call_ends(c, 0);
}

/* lpfc_els_retry sets the state that says why, and lpfc_cmpl_els_fdisc then that it failed, unless resources
 * lack. */
static void login_failed(struct fakefc *f, struct fakefc_port *p, enum fdisc_mode how)
{
	(void)f;
	if (how == FDISC_NO_RESOURCES) {
		vport_set_state(p->vport, VP_NO_FABRIC_RESOURCES);
		return;
	}
	if (how == FDISC_WWN_REJECTED)
		vport_set_state(p->vport, VP_FABRIC_REJ_WWN);
	vport_set_state(p->vport, VP_FAILED);
}

/* ---- disable, enable ---- */

/* One that is sent into silence is lost, also when the fabric comes back meanwhile. */
static uint64_t send_logo(struct fakefc *f, struct call *c)
{
	const struct hba *h = c->vport->hba;

	if (!h->knobs.link || !c->vport->port->logged_in)
		return 0;
	say(f, c->vport->port, "LOGO to FFFFFE");
	c->done = fabric_answers(h) && h->knobs.logo <= 2 * h->knobs.r_a_tov;
	return fabric_logo_time(h);
}

/* disable_vport: "Can't disable during an outstanding delete", which one that failed stays for ever */
static uint64_t disable_logo(struct fakefc *f, struct call *c)
{
	if (c->vport->unloading)
		return call_ends(c, 0);
	return send_logo(f, c);
}

/* lpfc_sli_host_down issues an ABTS for each command and waits for none. fc_myDID stays. */
static uint64_t disable_end(struct fakefc *f, struct call *c)
{
	struct vport *v = c->vport;

	if (c->done)
		ns_remove(f, v->port);
	fabric_login_stop(f, v->port);
	v->port->logged_in = false;
	io_abort_port(f, v->port);
	rports_block(f, v->port);
	vport_set_state(v, VP_DISABLED);
	return call_ends(c, 0);
}

static uint64_t enable(struct fakefc *f, struct call *c)
{
	struct vport *v = c->vport;

	if (!v->hba->knobs.link) {
		vport_set_state(v, VP_LINKDOWN);
	} else if (!v->hba->knobs.fabric_npiv) {
		vport_set_state(v, VP_NO_FABRIC_SUPPORT);
	} else {
		vport_set_state(v, VP_INITIALIZING);
		fabric_login(f, v->port);
	}
	return call_ends(c, 0);
}

/* ---- delete ---- */

/* Up to 3 x R_A_TOV + 3 looks, a second apart, for the discovery's end; FC_UNLOADING stays when it has none.
 */
static uint64_t delete_discovery(struct fakefc *f, struct call *c)
{
	struct vport *v = c->vport;
	uint64_t most = 3 * (v->hba->knobs.r_a_tov / SEC) + 3;

	v->unloading = true;
	if (!v->port->discovering && !v->hba->knobs.rediscovering)
		return 0;
	if (c->polls++ >= most) {
		say(f, v->port, "discovery has not ended: EAGAIN");
		return call_ends(c, -EAGAIN);
	}
	c->step--;
	return SEC;
}

static uint64_t delete_host(struct fakefc *f, struct call *c)
{
	if (c->done)
		ns_remove(f, c->vport->port);
	port_free(f, c->vport->port);
	return call_ends(c, 0);
}

/* lpfc_get_host_port_state */
static const char *port_state(const struct fakefc_port *p)
{
	if (!p->hba->knobs.link)
		return "Linkdown";
	if (p->vport &&
	    (p->discovering || p->vport->state == VP_FAILED || p->vport->state == VP_NO_FABRIC_SUPPORT ||
	     p->vport->state == VP_NO_FABRIC_RESOURCES))
		return "Bypassed";
	return "Online";
}

static const struct attr parent_attrs[] = {
	HOST_ATTRS, HOST_ATTRS_FC4, HOST_ATTRS_LIP, HOST_ATTRS_NPIV, {NULL}};
static const struct attr vport_host_attrs[] = {HOST_ATTRS, HOST_ATTRS_FC4, {NULL}};
static const struct attr rport_attrs[] = {
	RPORT_ATTRS, {.name = "maxframe_size", .show = show_rport_maxframe}, {NULL}};
static const struct attr vport_attrs[] = {
	VPORT_ATTRS,
	{.name = "symbolic_name", .show = show_vport_symbolic_name, .store = store_vport_symbolic_name},
	{NULL},
};

const struct driver driver_lpfc = {
	.name = "lpfc",
	.proc_name = "lpfc",
	.vports_max = 255,
	.parent_attrs = parent_attrs,
	.vport_host_attrs = vport_host_attrs,
	.rport_attrs = rport_attrs,
	.vport_attrs = vport_attrs,
	.verbs =
		{
			[VERB_CREATE] = {create_begin, create_end},
			[VERB_DELETE] = {delete_discovery, send_logo, delete_host},
			[VERB_DISABLE] = {disable_logo, disable_end},
			[VERB_ENABLE] = {enable},
		},
	.login_failed = login_failed,
	.port_state = port_state,
	.sees_directory_server = true,
	.terminates_io = true,
	.aborts_late = true,
};

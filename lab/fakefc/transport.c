/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What scsi_transport_fc.c makes of hosts, vports and remote ports. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define DEV_LOSS 60 /* s, fc_dev_loss_tmo */

/* ---- vports ---- */

const char *vport_state_name(enum vport_state s)
{
	static const char *const names[VP_STATES] = {
		[VP_UNKNOWN] = "Unknown",
		[VP_ACTIVE] = "Active",
		[VP_DISABLED] = "Disabled",
		[VP_LINKDOWN] = "Linkdown",
		[VP_INITIALIZING] = "Initializing",
		[VP_NO_FABRIC_SUPPORT] = "No Fabric Support",
		[VP_NO_FABRIC_RESOURCES] = "No Fabric Resources",
		[VP_FABRIC_LOGOUT] = "Fabric Logout",
		[VP_FABRIC_REJ_WWN] = "Fabric Rejected WWN",
		[VP_FAILED] = "VPort Failed",
	};

	return names[s];
}

/* fc_vport_set_state */
void vport_set_state(struct vport *v, enum vport_state s)
{
	if (s != VP_UNKNOWN && s != VP_INITIALIZING)
		v->last_state = v->state;
	v->state = s;
}

struct vport *vport_new(struct fakefc *f, struct hba *h, uint64_t wwpn, uint64_t wwnn)
{
	struct vport *v = calloc(1, sizeof(*v));
	char name[64];

	if (!v)
		return NULL;
	v->hba = h;
	v->wwpn = wwpn;
	v->wwnn = wwnn;
	v->creating = true;
	v->number = h->next_vport++;
	h->inuse++;
	TAILQ_INSERT_TAIL(&h->vports, v, link);
	snprintf(name, sizeof(name), "vport-%d:0-%u", h->port->host, v->number);
	v->device = tree_folder(&f->tree, h->port->device, name);
	tree_class_device(&f->tree, v->device, "fc_vports", name, h->driver->vport_attrs, v);
	return v;
}

void vport_free(struct fakefc *f, struct vport *v)
{
	if (v->port)
		port_free(f, v->port);
	timers_drop(f, v, NULL);
	tree_remove(&f->tree, v->device);
	TAILQ_REMOVE(&v->hba->vports, v, link);
	v->hba->inuse--;
	free(v);
}

/* ---- hosts ---- */

static void host_device(struct fakefc *f, struct fakefc_port *p, struct node *above)
{
	const struct driver *d = p->hba->driver;
	char name[32];

	snprintf(name, sizeof(name), "host%d", p->host);
	p->device = tree_folder(&f->tree, above, name);
	tree_class_device(&f->tree, p->device, "scsi_host", name, scsi_host_attrs, p);
	tree_class_device(&f->tree, p->device, "fc_host", name,
			  p->vport ? d->vport_host_attrs : d->parent_attrs, p);
	/* bsg_setup_queue: for a host whose transport has a bsg_request; lpfc's vports have none. */
	if (p->vport && !d->bsg_host_ct)
		return;
	snprintf(name, sizeof(name), "fc_host%d", p->host);
	p->bsg = tree_file(&f->tree, tree_folders(&f->tree, "/dev/bsg"), name, bsg_host_attrs, p);
}

static struct fakefc_port *port_alloc(struct hba *h, struct vport *v, int host, uint64_t wwpn, uint64_t wwnn)
{
	struct fakefc_port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	TAILQ_INIT(&p->rports);
	p->hba = h;
	p->vport = v;
	p->host = host;
	p->wwpn = wwpn;
	p->wwnn = wwnn;
	p->dev_loss = DEV_LOSS;
	return p;
}

int port_new(struct fakefc *f, struct vport *v)
{
	v->port = port_alloc(v->hba, v, f->next_host, v->wwpn, v->wwnn);
	if (!v->port)
		return -ENOMEM;
	f->next_host++;
	host_device(f, v->port, v->device);
	return 0;
}

static void rport_free(struct fakefc *f, struct rport *r)
{
	luns_drop(f, r);
	timers_drop(f, r, NULL);
	if (r->bsg)
		tree_remove(&f->tree, r->bsg);
	tree_remove(&f->tree, r->device);
	TAILQ_REMOVE(&r->port->rports, r, link);
	free(r);
}

void port_free(struct fakefc *f, struct fakefc_port *p)
{
	struct rport *r;

	fabric_login_stop(f, p);
	timers_drop(f, p, NULL);
	while ((r = TAILQ_FIRST(&p->rports)))
		rport_free(f, r);
	if (p->bsg)
		tree_remove(&f->tree, p->bsg);
	tree_remove(&f->tree, p->device);
	if (p->vport)
		p->vport->port = NULL;
	free(p);
}

static const struct knobs knobs_healthy = {
	.link = 1,
	.npiv = 1,
	.fabric_npiv = 1,
	.fabric = 1,
	.host_alloc = 1,
	.r_a_tov = 10 * SEC,
	.login = 20 * MSEC,
	.discovery = 20 * MSEC,
	.logo = 2 * MSEC,
	.mailbox_time = 1 * MSEC,
	.abort = 10 * MSEC,
	.vp_ctrl = 20 * MSEC,
	.sessions = 20 * MSEC,
	.upload = 10 * MSEC,
};

struct hba *hba_new(struct fakefc *f, const struct driver *d, int host, uint64_t wwpn, uint64_t wwnn,
		    uint64_t fabric)
{
	struct hba *h = calloc(1, sizeof(*h));
	char path[128], target[128];
	struct node *pci;

	if (!h)
		return NULL;
	h->driver = d;
	h->knobs = knobs_healthy;
	h->knobs.vpis = d->vports_max;
	TAILQ_INIT(&h->vports);
	h->port = port_alloc(h, NULL, host, wwpn, wwnn);
	if (!h->port) {
		free(h);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&f->hbas, h, link);
	if (host >= f->next_host)
		f->next_host = host + 1;
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", d->name);
	tree_folders(&f->tree, path);
	snprintf(path, sizeof(path), "/sys/devices/pci0000:00/0000:%02x:00.0", host);
	pci = tree_folders(&f->tree, path);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", d->name);
	tree_link(&f->tree, pci, "driver", target);
	host_device(f, h->port, pci);
	h->port->fabric_name = fabric;
	h->port->logged_in = true;
	h->port->port_id = f->next_port_id;
	f->next_port_id += 0x100;
	ns_add(f, h, wwpn, fabric, h->port->port_id);
	rport_see_directory(f, h->port);
	return h;
}

void hba_free(struct fakefc *f, struct hba *h)
{
	struct vport *v;

	while ((v = TAILQ_FIRST(&h->vports)))
		vport_free(f, v);
	port_free(f, h->port);
	TAILQ_REMOVE(&f->hbas, h, link);
	free(h);
}

/* ---- remote ports ---- */

/* fc_timeout_fail_rport_io, fc_terminate_rport_io */
static void on_fast_io_fail(struct fakefc *f, void *obj)
{
	struct rport *r = obj;

	say(f, r->port, "fast_io_fail_tmo of rport-%d:0-%u", r->port->host, r->number);
	r->fast_failed = true;
	if (r->port->hba->driver->terminates_io)
		io_abort(f, r);
	luns_state(r, "transport-offline");
	io_fail_parked(f, r);
}

/* fc_timeout_deleted_rport: the binding stays, the target goes with its LUNs. */
static void on_dev_loss(struct fakefc *f, void *obj)
{
	struct rport *r = obj;

	say(f, r->port, "dev_loss_tmo of rport-%d:0-%u", r->port->host, r->number);
	timers_drop(f, r, on_fast_io_fail);
	r->state = RP_NOT_PRESENT;
	r->fast_failed = false;
	luns_drop(f, r);
}

/* fc_remote_port_delete */
void rport_block(struct fakefc *f, struct rport *r)
{
	if (r->state != RP_ONLINE)
		return;
	r->state = RP_BLOCKED;
	luns_state(r, "blocked");
	if (r->fast_io_fail >= 0 && (unsigned)r->fast_io_fail < r->dev_loss)
		timer_set(f, (uint64_t)r->fast_io_fail * SEC, on_fast_io_fail, r);
	timer_set(f, r->dev_loss * SEC, on_dev_loss, r);
}

void rports_block(struct fakefc *f, struct fakefc_port *p)
{
	struct rport *r;

	TAILQ_FOREACH (r, &p->rports, link)
		rport_block(f, r);
}

static struct rport *rport_new(struct fakefc *f, struct fakefc_port *p, struct target *t, uint64_t wwpn,
			       uint64_t wwnn)
{
	struct rport *r = calloc(1, sizeof(*r));
	char name[64];

	if (!r)
		return NULL;
	TAILQ_INIT(&r->luns);
	r->port = p;
	r->target = t;
	r->wwpn = wwpn;
	r->wwnn = wwnn;
	r->port_id = t ? t->port_id : 0xfffffc;
	r->number = p->next_rport++;
	r->target_id = t ? p->next_target++ : 0;
	r->fast_io_fail = -1;
	r->dev_loss = p->dev_loss;
	r->state = RP_ONLINE;
	TAILQ_INSERT_TAIL(&p->rports, r, link);
	snprintf(name, sizeof(name), "rport-%d:0-%u", p->host, r->number);
	r->device = tree_folder(&f->tree, p->device, name);
	tree_class_device(&f->tree, r->device, "fc_remote_ports", name, p->hba->driver->rport_attrs, r);
	if (!t && !p->vport)
		r->bsg = tree_file(&f->tree, tree_folders(&f->tree, "/dev/bsg"), name, bsg_rport_attrs, r);
	return r;
}

/* fc_remote_port_add: by its binding to the WWPN, or anew */
static void rport_see(struct fakefc *f, struct fakefc_port *p, struct target *t, uint64_t wwpn, uint64_t wwnn)
{
	struct rport *r;

	TAILQ_FOREACH (r, &p->rports, link)
		if (r->wwpn == wwpn)
			break;
	if (!r) {
		r = rport_new(f, p, t, wwpn, wwnn);
	} else if (r->state != RP_ONLINE) {
		timers_drop(f, r, NULL);
		r->state = RP_ONLINE;
		r->fast_failed = false;
		luns_state(r, "running");
		io_unpark(f, r);
	}
	if (r && t)
		luns_see(f, r);
}

void rport_see_directory(struct fakefc *f, struct fakefc_port *p)
{
	uint64_t fabric = p->hba->port->fabric_name;

	if (p->hba->driver->sees_directory_server)
		rport_see(f, p, NULL, fabric ^ 0xfc, fabric);
}

void rports_see(struct fakefc *f, struct fakefc_port *p)
{
	uint64_t fabric = p->hba->port->fabric_name;
	struct target *t;

	rport_see_directory(f, p);
	TAILQ_FOREACH (t, &f->targets, link)
		if (t->fabric == fabric && t->mode != TARGET_OFFLINE)
			rport_see(f, p, t, t->wwpn, t->wwnn);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The attributes: how they print and what they refuse is scsi_transport_fc.c's and scsi_sysfs.c's; which of
 * them there are is the driver's function template's.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "internal.h"

#define BLOCK_MAX 600 /* s, SCSI_DEVICE_BLOCK_MAX_TIMEOUT */

static ssize_t put(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static ssize_t put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return (size_t)n < size ? n : (ssize_t)size;
}

/* An attribute that shows an expression of its object. */
#define SHOW(fn, type, fmt, ...)                                                                             \
	ssize_t fn(struct fakefc *f, void *obj, char *buf, size_t size)                                      \
	{                                                                                                    \
		const type *o = obj;                                                                         \
		(void)f;                                                                                     \
		(void)o;                                                                                     \
		return put(buf, size, fmt "\n", __VA_ARGS__);                                                \
	}

/* ---- fc_host ---- */

SHOW(show_host_node_name, struct fakefc_port, "0x%" PRIx64, o->wwnn)
SHOW(show_host_port_name, struct fakefc_port, "0x%" PRIx64, o->wwpn)
SHOW(show_host_classes, struct fakefc_port, "%s", "Class 3")
SHOW(show_host_fc4s, struct fakefc_port, "%s",
     "0x00 0x00 0x01 0x00 0x00 0x00 0x00 0x01 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 "
     "0x00 0x00 "
     "0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 ")
SHOW(show_host_speeds, struct fakefc_port, "%s", "8 Gbit, 16 Gbit, 32 Gbit")
SHOW(show_host_speed, struct fakefc_port, "%s", o->hba->knobs.link ? "32 Gbit" : "unknown")
SHOW(show_host_maxframe, struct fakefc_port, "%u bytes", 2048U)
SHOW(show_host_port_id, struct fakefc_port, "0x%06x", o->port_id)
SHOW(show_host_port_type, struct fakefc_port, "%s",
     o->vport ? "NPIV VPORT" : "NPort (fabric via point-to-point)")
SHOW(show_host_port_state, struct fakefc_port, "%s", o->hba->driver->port_state(o))
SHOW(show_host_fabric_name, struct fakefc_port, "0x%" PRIx64, o->fabric_name)
SHOW(show_host_symbolic_name, struct fakefc_port, "%s HBA that is not there", o->hba->driver->name)
SHOW(show_host_system_hostname, struct fakefc_port, "%s", "")
SHOW(show_host_dev_loss, struct fakefc_port, "%u", o->dev_loss)
SHOW(show_host_bind_type, struct fakefc_port, "%s", "wwpn (World Wide Port Name)")
SHOW(show_host_vports_max, struct fakefc_port, "%u", o->hba->driver->vports_max)
SHOW(show_host_vports_inuse, struct fakefc_port, "%u", o->hba->inuse)

static size_t text_len(const struct write *w)
{
	return w->text[w->len - 1] == '\n' ? w->len - 1 : w->len;
}

/* fc_parse_wwn: 16 digits, nothing else */
static int parse_wwn(const char *text, uint64_t *wwn)
{
	*wwn = 0;
	for (int i = 0; i < 16; i++) {
		if (!isxdigit((unsigned char)text[i]))
			return -EINVAL;
		*wwn = *wwn << 4 | (uint64_t)(isdigit((unsigned char)text[i]) ? text[i] - '0'
									      : tolower(text[i]) - 'a' + 10);
	}
	return 0;
}

static int parse_names(const struct write *w, uint64_t *wwpn, uint64_t *wwnn)
{
	if (text_len(w) != 33 || w->text[16] != ':')
		return -EINVAL;
	return parse_wwn(w->text, wwpn) || parse_wwn(w->text + 17, wwnn) ? -EINVAL : 0;
}

/* store_fc_host_vport_create, fc_vport_setup */
ssize_t store_vport_create(struct fakefc *f, void *obj, const struct write *w)
{
	struct fakefc_port *p = obj;
	uint64_t wwpn, wwnn;
	struct vport *v;

	if (parse_names(w, &wwpn, &wwnn))
		return -EINVAL;
	if (p->hba->inuse >= p->hba->driver->vports_max)
		return -ENOSPC;
	v = vport_new(f, p->hba, wwpn, wwnn);
	return v ? call_begin(f, v, VERB_CREATE, w) : -ENOMEM;
}

/* store_fc_host_vport_delete: one that is on its way already is not found */
ssize_t store_vport_delete(struct fakefc *f, void *obj, const struct write *w)
{
	struct fakefc_port *p = obj;
	uint64_t wwpn, wwnn;
	struct vport *v;

	if (parse_names(w, &wwpn, &wwnn))
		return -EINVAL;
	TAILQ_FOREACH (v, &p->hba->vports, link)
		if (v->wwpn == wwpn && v->wwnn == wwnn)
			break;
	if (!v || v->creating || v->deleting)
		return -ENODEV;
	return call_begin(f, v, VERB_DELETE, w);
}

ssize_t store_issue_lip(struct fakefc *f, void *obj, const struct write *w)
{
	say(f, obj, "LIP: the whole physical port is reset");
	return (ssize_t)w->len;
}

static int parse_seconds(const struct write *w, unsigned long long *v)
{
	char *end;

	if (!isdigit((unsigned char)w->text[0]))
		return -EINVAL;
	*v = strtoull(w->text, &end, 0);
	return *end && *end != '\n' ? -EINVAL : 0;
}

static int set_dev_loss(struct rport *r, unsigned long long v)
{
	if (r->state != RP_ONLINE)
		return -EBUSY;
	if (v > UINT32_MAX || (r->fast_io_fail < 0 && v > BLOCK_MAX))
		return -EINVAL;
	r->dev_loss = v ? (unsigned)v
			: 1; /* the drivers' own set_rport_dev_loss_tmo: "if (timeout) ... else 1" */
	return 0;
}

/* The errors of single rports are lost. */
ssize_t store_host_dev_loss(struct fakefc *f, void *obj, const struct write *w)
{
	struct fakefc_port *p = obj;
	unsigned long long v;
	struct rport *r;

	(void)f;
	if (parse_seconds(w, &v) || v > UINT32_MAX)
		return -EINVAL;
	p->dev_loss = (unsigned)v;
	TAILQ_FOREACH (r, &p->rports, link)
		set_dev_loss(r, v);
	return (ssize_t)w->len;
}

/* ---- scsi_host ---- */

/* The kernel prints a NULL of a host template so. */
SHOW(show_proc_name, struct fakefc_port, "%s",
     o->hba->driver->proc_name ? o->hba->driver->proc_name : "(null)")
SHOW(show_scsi_host_state, struct fakefc_port, "%s", "running")

static ssize_t store_scan(struct fakefc *f, void *obj, const struct write *w)
{
	struct fakefc_port *p = obj;
	struct rport *r;

	TAILQ_FOREACH (r, &p->rports, link)
		if (r->target && r->state == RP_ONLINE)
			luns_see(f, r);
	return (ssize_t)w->len;
}

const struct attr scsi_host_attrs[] = {
	{.name = "proc_name", .show = show_proc_name},
	{.name = "state", .show = show_scsi_host_state},
	{.name = "scan", .store = store_scan},
	{NULL},
};

/* ---- fc_vports ---- */

SHOW(show_vport_state, struct vport, "%s", vport_state_name(o->state))
SHOW(show_vport_last_state, struct vport, "%s", vport_state_name(o->last_state))
SHOW(show_vport_node_name, struct vport, "0x%" PRIx64, o->wwnn)
SHOW(show_vport_port_name, struct vport, "0x%" PRIx64, o->wwpn)
SHOW(show_vport_roles, struct vport, "%s", "FCP Initiator")
SHOW(show_vport_type, struct vport, "%s", "NPIV VPORT")
SHOW(show_vport_symbolic_name, struct vport, "%s", o->symbolic_name)

/* A shorter name keeps the old one's tail. */
ssize_t store_vport_symbolic_name(struct fakefc *f, void *obj, const struct write *w)
{
	struct vport *v = obj;
	size_t len = text_len(w);

	(void)f;
	if (len > 63)
		return -EINVAL;
	memcpy(v->symbolic_name, w->text, len);
	return (ssize_t)w->len;
}

/* store_fc_vport_delete: queued; what becomes of it nobody is told */
ssize_t store_vport_delete_self(struct fakefc *f, void *obj, const struct write *w)
{
	struct write nobody = {.len = w->len};
	struct vport *v = obj;

	if (v->creating || v->deleting)
		return -EBUSY;
	call_begin(f, v, VERB_DELETE, &nobody);
	return (ssize_t)w->len;
}

ssize_t store_vport_disable(struct fakefc *f, void *obj, const struct write *w)
{
	struct vport *v = obj;

	if (v->creating || v->deleting)
		return -EBUSY;
	if (w->text[0] != '0' && w->text[0] != '1')
		return -EINVAL;
	if ((w->text[0] == '1') == (v->state == VP_DISABLED))
		return -EALREADY;
	return call_begin(f, v, w->text[0] == '1' ? VERB_DISABLE : VERB_ENABLE, w);
}

/* ---- fc_remote_ports ---- */

static const char *const rport_states[] = {"Online", "Blocked", "Not Present"};

SHOW(show_rport_maxframe, struct rport, "%u bytes", 2048U)
SHOW(show_rport_classes, struct rport, "%s", "Class 3")
SHOW(show_rport_dev_loss, struct rport, "%u", o->dev_loss)
SHOW(show_rport_node_name, struct rport, "0x%" PRIx64, o->state == RP_NOT_PRESENT ? UINT64_MAX : o->wwnn)
SHOW(show_rport_port_name, struct rport, "0x%" PRIx64, o->wwpn)
SHOW(show_rport_port_id, struct rport, "0x%06x", o->state == RP_NOT_PRESENT ? UINT32_MAX : o->port_id)
SHOW(show_rport_roles, struct rport, "%s",
     !o->target			  ? "Directory Server"
     : o->state == RP_NOT_PRESENT ? "unknown"
				  : "FCP Target")
SHOW(show_rport_port_state, struct rport, "%s", rport_states[o->state])
SHOW(show_rport_target_id, struct rport, "%d", o->target ? (int)o->target_id : -1)

ssize_t show_rport_fast_io_fail(struct fakefc *f, void *obj, char *buf, size_t size)
{
	const struct rport *r = obj;

	(void)f;
	return r->fast_io_fail < 0 ? put(buf, size, "off\n") : put(buf, size, "%d\n", r->fast_io_fail);
}

ssize_t store_rport_fast_io_fail(struct fakefc *f, void *obj, const struct write *w)
{
	struct rport *r = obj;
	unsigned long long v;

	(void)f;
	if (r->state != RP_ONLINE)
		return -EBUSY;
	if (!strncmp(w->text, "off", 3)) {
		r->fast_io_fail = -1;
		return (ssize_t)w->len;
	}
	if (parse_seconds(w, &v) || v >= r->dev_loss || v > BLOCK_MAX)
		return -EINVAL;
	r->fast_io_fail = (int)v;
	return (ssize_t)w->len;
}

ssize_t store_rport_dev_loss(struct fakefc *f, void *obj, const struct write *w)
{
	unsigned long long v;
	int err = parse_seconds(w, &v);

	(void)f;
	if (!err)
		err = set_dev_loss(obj, v);
	return err ? err : (ssize_t)w->len;
}

/* ---- LUNs ---- */

SHOW(show_lun_state, struct fakefc_lun, "%s", o->state)
SHOW(show_lun_type, struct fakefc_lun, "%d", 0)
SHOW(show_lun_busy, struct fakefc_lun, "%" PRIu64, lun_busy(o))
SHOW(show_lun_vendor, struct fakefc_lun, "%s", "VHBA    ")
SHOW(show_lun_model, struct fakefc_lun, "%s", "FAKE            ")
SHOW(show_disk_size, struct fakefc_lun, "%u", 2048U)

/* VPD page 0x83, one NAA 6 designator: the same of a LUN through every target of a fabric. */
static ssize_t show_lun_pg83(struct fakefc *f, void *obj, char *buf, size_t size)
{
	static const uint8_t head[] = {0, 0x83, 0, 20, 1, 3, 0, 16, 0x60, 0x02, 0x02, 0};
	const struct fakefc_lun *l = obj;
	uint8_t page[24] = {};

	(void)f;
	if (size < sizeof(page))
		return -EMSGSIZE;
	memcpy(page, head, sizeof(head));
	for (int i = 0; i < 8; i++)
		page[12 + i] = (uint8_t)(l->rport->wwpn >> (56 - 8 * i));
	page[23] = (uint8_t)l->number;
	memcpy(buf, page, sizeof(page));
	return sizeof(page);
}

/* scsi_device_set_state: what is transport-offline or blocked does not come to run by a write */
static ssize_t store_lun_state(struct fakefc *f, void *obj, const struct write *w)
{
	struct fakefc_lun *l = obj;

	(void)f;
	if (!strcmp(w->text, "offline\n"))
		l->state = "offline";
	else if (!strcmp(w->text, "running\n") && strcmp(l->state, "blocked"))
		l->state = "running";
	else
		return -EINVAL;
	return (ssize_t)w->len;
}

const struct attr lun_attrs[] = {
	{.name = "state", .show = show_lun_state, .store = store_lun_state},
	{.name = "type", .show = show_lun_type},
	{.name = "device_busy", .show = show_lun_busy},
	{.name = "vendor", .show = show_lun_vendor},
	{.name = "model", .show = show_lun_model},
	{.name = "vpd_pg83", .show = show_lun_pg83},
	{NULL},
};

const struct attr disk_attrs[] = {
	{.name = "size", .show = show_disk_size},
	{NULL},
};

const struct attr sg_attrs[] = {{.name = "sg", .device = true}, {NULL}};
const struct attr bsg_host_attrs[] = {{.name = "bsg", .device = true}, {NULL}};
const struct attr bsg_rport_attrs[] = {{.name = "bsg", .device = true}, {NULL}};

struct fakefc_lun *fakefc_lun_of(const struct node *n)
{
	return n->attr == sg_attrs ? n->obj : NULL;
}

struct fakefc_port *fakefc_port_of(const struct node *n, bool *rport)
{
	*rport = n->attr == bsg_rport_attrs;
	if (*rport)
		return ((struct rport *)n->obj)->port;
	return n->attr == bsg_host_attrs ? n->obj : NULL;
}

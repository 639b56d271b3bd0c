/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <scsi/sg_pt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ct.h"
#include "profile.h"
#include "sysroot.h"
#include "verbs.h"

#define REPORT_LUNS_MAX 256
#define REPORT_LUNS_SECONDS 60

bool verb_check_request(const struct priv_request *q, size_t len)
{
	return len == sizeof(*q) && q->version == PRIV_VERSION && q->verb < PRIV_VERBS_ && q->timeout_ms &&
	       memchr(q->name, 0, sizeof(q->name)) && memchr(q->text, 0, sizeof(q->text));
}

int verb_check_fc_host(int host, struct priv_reply *r)
{
	if (host >= 0 && sysroot_exists("/sys/class/fc_host/host%d", host))
		return 0;
	snprintf(r->text, sizeof(r->text), "host%d is no FC host", host);
	return -ENODEV;
}

int verb_open_device(int host)
{
	return sysroot_open_dir("/sys/class/fc_host/host%d/device", host);
}

const struct fc_profile *verb_profile(int host)
{
	AUTO_FD int device = verb_open_device(host);

	return verb_profile_at(device, host);
}

const struct fc_profile *verb_profile_at(int device, int host)
{
	char driver[16] = "", path[64];

	snprintf(path, sizeof(path), "scsi_host/host%d/proc_name", host);
	if (device >= 0)
		sysroot_read_at(device, driver, sizeof(driver), path);
	return fc_profile_find(driver);
}

int verb_write(const char *value, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return fc_may_write(path) ? sysroot_write(value, "%s", path) : -EPERM;
}

int verb_check_parent(int host, struct priv_reply *r)
{
	int err = verb_check_fc_host(host, r);

	if (err || sysroot_exists("/sys/class/fc_host/host%d/vport_create", host))
		return err;
	snprintf(r->text, sizeof(r->text), "host%d can't have vports", host);
	return -EOPNOTSUPP;
}

static int verb_ping(const struct priv_request *q, struct priv_reply *r)
{
	(void)q;
	(void)r;
	return 0;
}

int verb_each_child(int host, const char *prefix, int (*fn)(const char *name, void *arg), void *arg)
{
	AUTO_FD int device = verb_open_device(host);
	AUTO_DIR DIR *dir = sysroot_list_at(device, ".");
	struct dirent *e;
	int r = 0;

	if (!dir)
		return -errno;
	while (!r && (e = readdir(dir)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)))
			r = fn(e->d_name, arg);
	return r;
}

/* ---- LUNs ---- */

static int verb_scan(const struct priv_request *q, struct priv_reply *r)
{
	int err = verb_check_fc_host(q->host, r);

	return err ? err : verb_write("- - -", "/sys/class/scsi_host/host%d/scan", q->host);
}

int verb_open_lun(const char *device)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;
	int fd = -ENODEV;

	dir = opendir(
		sysroot_path(path, sizeof(path), "/sys/class/scsi_device/%s/device/scsi_generic", device));
	while (fd < 0 && dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, "sg", 2) || !sysroot_path(path, sizeof(path), "/dev/%s", e->d_name))
			continue;
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	return fd;
}

/* Any LUN of the target will do: the question goes to the target. */
static int open_target(const struct priv_request *q)
{
	char path[PATH_MAX], prefix[48];
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;
	int fd = -ENODEV;

	snprintf(prefix, sizeof(prefix), "%d:%u:%u:", q->host, q->channel, q->target);
	dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/scsi_device"));
	while (fd < 0 && dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)))
			fd = verb_open_lun(e->d_name);
	return fd;
}

/* As the kernel numbers a LUN in H:C:T:L (scsilun_to_int): its addressing method stays in the number. */
static uint64_t lun_number(const uint8_t *p)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i += 2)
		n |= ((uint64_t)p[i] << 8 | p[i + 1]) << (8 * i);
	return n;
}

void verb_list_luns(const uint8_t *data, size_t len, struct priv_reply *r)
{
	size_t used = 0, n;

	r->count = 0;
	r->text[0] = '\0';
	if (len < 8)
		return;
	n = ((size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3]) / 8;
	if (n > (len - 8) / 8)
		n = (len - 8) / 8;
	r->count = (uint32_t)n;
	for (size_t i = 0; i < n && used + 22 < sizeof(r->text); i++)
		used += (size_t)snprintf(r->text + used, sizeof(r->text) - used, "%s%" PRIu64, i ? "," : "",
					 lun_number(data + 8 + 8 * i));
}

/*
 * SPC-4 6.33, select report 0.  Bounded by the request's own time: a passthrough command that waits for
 * longer holds up the error handling of the whole host.  Returns how much was received, or -errno.
 */
static int report_luns(int fd, uint8_t *data, int size, uint32_t timeout_ms)
{
	const uint8_t cdb[12] = {0xa0, [6] = (uint8_t)(size >> 24), [7] = (uint8_t)(size >> 16),
				 [8] = (uint8_t)(size >> 8), [9] = (uint8_t)size};
	struct sg_pt_base *pt = construct_scsi_pt_obj();
	uint32_t seconds = timeout_ms / 1000 + 1;
	uint8_t sense[64] = {};
	int r;

	if (!pt)
		return -ENOMEM;
	set_scsi_pt_cdb(pt, cdb, sizeof(cdb));
	set_scsi_pt_sense(pt, sense, sizeof(sense));
	set_scsi_pt_data_in(pt, data, size);
	r = do_scsi_pt(pt, fd, seconds < REPORT_LUNS_SECONDS ? (int)seconds : REPORT_LUNS_SECONDS, 0);
	if (r > 0 || (!r && get_scsi_pt_result_category(pt) != SCSI_PT_RESULT_GOOD))
		r = -EIO;
	if (!r)
		r = size - get_scsi_pt_resid(pt);
	destruct_scsi_pt_obj(pt);
	return r > size ? -EIO : r;
}

static int verb_report_luns(const struct priv_request *q, struct priv_reply *r)
{
	uint8_t data[8 + 8 * REPORT_LUNS_MAX] = {};
	int err = verb_check_fc_host(q->host, r);
	AUTO_FD int fd = err ? -1 : open_target(q);
	int n;

	if (err)
		return err;
	if (fd < 0) {
		snprintf(r->text, sizeof(r->text), "no LUN of %d:%u:%u can be opened", q->host, q->channel,
			 q->target);
		return fd;
	}
	n = report_luns(fd, data, sizeof(data), q->timeout_ms);
	if (n < 0) {
		snprintf(r->text, sizeof(r->text), "REPORT LUNS on %d:%u:%u", q->host, q->channel, q->target);
		return n;
	}
	verb_list_luns(data, (size_t)n, r);
	return 0;
}

/* ---- the fabric ---- */

/* In Linux 6.1 a question to a dead fabric looks answered, and can take the kernel down later. */
static int check_online(int host, struct priv_reply *r)
{
	char state[32] = "gone";

	if (sysroot_read(state, sizeof(state), "/sys/class/fc_host/host%d/port_state", host) >= 0 &&
	    fc_may_ask_fabric(fc_profile_find(""), true, state))
		return 0;
	snprintf(r->text, sizeof(r->text), "host%d is %s: the name server can't be asked", host, state);
	return -ENOTCONN;
}

struct directory {
	char name[48];
};

/* Blocked, its BSG requests would wait. */
static int is_directory_server(const char *rport, void *arg)
{
	struct directory *d = arg;
	char text[64];

	if (sysroot_read(text, sizeof(text), "/sys/class/fc_remote_ports/%s/roles", rport) < 0 ||
	    strcmp(text, "Directory Server") ||
	    sysroot_read(text, sizeof(text), "/sys/class/fc_remote_ports/%s/port_state", rport) < 0 ||
	    strcmp(text, "Online"))
		return 0;
	snprintf(d->name, sizeof(d->name), "%s", rport);
	return 1;
}

/* The node through which this host's driver lets the name server be asked; -errno. */
static int open_name_server(int host, enum ct_way *way, struct priv_reply *r)
{
	char path[PATH_MAX], node[64];
	struct directory d;
	int fd;

	*way = verb_profile(host)->ct_by_rport ? CT_BY_RPORT : CT_BY_HOST;
	snprintf(node, sizeof(node), "fc_host%d", host);
	if (*way == CT_BY_RPORT) {
		if (verb_each_child(host, "rport-", is_directory_server, &d) != 1) {
			snprintf(r->text, sizeof(r->text), "host%d has no directory server as a remote port",
				 host);
			return -ENOTCONN;
		}
		snprintf(node, sizeof(node), "%s", d.name);
	}
	fd = open(sysroot_path(path, sizeof(path), "/dev/bsg/%s", node), O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	snprintf(r->text, sizeof(r->text), "/dev/bsg/%s", node);
	return fd;
}

/* The same of a host that may be asked at all, and for something that makes sense. */
static int open_asked(const struct priv_request *q, bool good, enum ct_way *way, struct priv_reply *r)
{
	int err = verb_check_parent(q->host, r);

	if (!err && !good)
		err = -EINVAL;
	if (!err)
		err = check_online(q->host, r);
	return err ? err : open_name_server(q->host, way, r);
}

static int verb_ct_gid_pn(const struct priv_request *q, struct priv_reply *r)
{
	enum ct_way way;
	AUTO_FD int fd = open_asked(q, q->wwpn && q->wwpn != UINT64_MAX, &way, r);
	unsigned reason;
	int err;

	if (fd < 0)
		return fd;
	r->value = (int32_t)ct_gid_pn(fd, way, q->wwpn, &r->port_id, &reason, &err);
	r->number = reason;
	return err;
}

static uint32_t own_port_id(int host)
{
	char text[32];

	if (sysroot_read(text, sizeof(text), "/sys/class/fc_host/host%d/port_id", host) < 0)
		return 0;
	return (uint32_t)strtoul(text, NULL, 16) & 0xffffff;
}

/* Both are asked for by one child, so that they are of one moment. */
static int verb_ct_gfpn_id(const struct priv_request *q, struct priv_reply *r)
{
	enum ct_way way;
	AUTO_FD int fd = open_asked(q, q->target <= 0xffffff, &way, r);
	unsigned reason;
	uint32_t own;
	int err;

	if (fd < 0)
		return fd;
	own = own_port_id(q->host);
	if (!own) {
		snprintf(r->text, sizeof(r->text), "host%d has no N_Port_ID", q->host);
		return -ENOTCONN;
	}
	r->port_id = q->target;
	r->value = (int32_t)ct_gfpn_id(fd, way, own, &r->own_f_port, &reason, &err);
	if (!err && q->target)
		r->value = (int32_t)ct_gfpn_id(fd, way, q->target, &r->f_port, &reason, &err);
	r->number = reason;
	return err;
}

static verb_fn *const verbs[PRIV_VERBS_] = {
	[PRIV_PING] = verb_ping,
	[PRIV_VPORT_CREATE] = verb_vport_create,
	[PRIV_VPORT_DELETE] = verb_vport_delete,
	[PRIV_VPORT_DISABLE] = verb_vport_disable,
	[PRIV_VPORT_ENABLE] = verb_vport_enable,
	[PRIV_VPORT_NAME] = verb_vport_name,
	[PRIV_RPORT_TIMERS] = verb_rport_timers,
	[PRIV_RPORT_RESTORE] = verb_rport_restore,
	[PRIV_SCAN] = verb_scan,
	[PRIV_REPORT_LUNS] = verb_report_luns,
	[PRIV_SYNC_CACHE] = verb_sync_cache,
	[PRIV_READ_SIZES] = verb_read_sizes,
	[PRIV_RESERVATIONS] = verb_reservations,
	[PRIV_MAPS_FAIL] = verb_maps_fail,
	[PRIV_MAPS_RESTORE] = verb_maps_restore,
	[PRIV_LUN_OPEN] = verb_lun_open,
	[PRIV_CT_GID_PN] = verb_ct_gid_pn,
	[PRIV_CT_GFPN_ID] = verb_ct_gfpn_id,
	[PRIV_FIP_VLANS] = verb_fip_vlans,
	[PRIV_NETDEV_VLAN] = verb_netdev_vlan,
	[PRIV_LINK_ADD] = verb_link_add,
	[PRIV_LINK_DELETE] = verb_link_delete,
	[PRIV_FCOE_CREATE] = verb_fcoe_create,
	[PRIV_FCOE_DESTROY] = verb_fcoe_destroy,
};

verb_fn *verb_find(uint32_t verb)
{
	return verb < PRIV_VERBS_ ? verbs[verb] : NULL;
}

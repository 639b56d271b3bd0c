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
#include "vport_lock.h"

#define SYMBOLIC_NAME_MAX 63 /* FC_VPORT_SYMBOLIC_NAMELEN less its NUL */
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

static int check_parent(int host, struct priv_reply *r)
{
	int err = verb_check_fc_host(host, r);

	if (err || sysroot_exists("/sys/class/fc_host/host%d/vport_create", host))
		return err;
	snprintf(r->text, sizeof(r->text), "host%d can't have vports", host);
	return -EOPNOTSUPP;
}

static int check_names(const struct priv_request *q, struct priv_reply *r)
{
	if (q->wwpn && q->wwnn && q->wwpn != UINT64_MAX && q->wwnn != UINT64_MAX)
		return 0;
	snprintf(r->text, sizeof(r->text), "a nil WWPN or WWNN");
	return -EINVAL;
}

/* It goes out to the fabric's name server (RSPN_ID). */
static int check_symbolic_name(const char *name, struct priv_reply *r)
{
	for (const char *p = name; *p; p++) {
		if (*p >= ' ' && *p <= '~')
			continue;
		snprintf(r->text, sizeof(r->text), "the symbolic name has a byte %#x", (unsigned char)*p);
		return -EINVAL;
	}
	return 0;
}

static int verb_ping(const struct priv_request *q, struct priv_reply *r)
{
	(void)q;
	(void)r;
	return 0;
}

/* ---- vports ---- */

int verb_each_child(int host, const char *prefix, int (*fn)(const char *name, void *arg), void *arg)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;
	int r = 0;

	if (!sysroot_path(path, sizeof(path), "/sys/class/fc_host/host%d/device", host))
		return -errno;
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!r && (e = readdir(dir)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)))
			r = fn(e->d_name, arg);
	return r;
}

static int is_vport(const struct dirent *e)
{
	return !strncmp(e->d_name, "vport-", 6);
}

static bool carries(const char *name, const struct priv_request *q, struct priv_reply *r)
{
	unsigned host, channel, number;
	uint64_t wwpn;

	if (sscanf(name, "vport-%u:%u-%u", &host, &channel, &number) != 3 ||
	    sysroot_read_u64(&wwpn, "/sys/class/fc_vports/%s/port_name", name) || wwpn != q->wwpn)
		return false;
	r->channel = channel;
	r->number = number;
	return true;
}

/*
 * The parent's vport that has q->wwpn: where q says, as far as it knows, or another. Numbers only grow: a
 * young one is among the last.
 */
static bool find_vport(const struct priv_request *q, struct priv_reply *r)
{
	struct dirent **names;
	char path[PATH_MAX];
	bool found = false;
	int n = -1;

	snprintf(path, sizeof(path), "vport-%d:%u-%u", q->host, q->channel, q->number);
	if (carries(path, q, r))
		return true;
	if (sysroot_path(path, sizeof(path), "/sys/class/fc_host/host%d/device", q->host))
		n = scandir(path, &names, is_vport, versionsort);
	if (n < 0)
		return false;
	for (int i = n; i--; free(names[i]))
		found = found || carries(names[i]->d_name, q, r);
	free(names);
	return found;
}

#define NEAR 32

/* One that was just made. fc_vport_setup counts numbers up, and has one channel: reading hundreds of names is
 * saved. */
static bool find_new_vport(const struct priv_request *q, struct priv_reply *r)
{
	char name[64];

	for (unsigned i = 0; i < NEAR; i++) {
		snprintf(name, sizeof(name), "vport-%d:0-%u", q->host, q->number + i);
		if (carries(name, q, r))
			return true;
	}
	return find_vport(q, r);
}

static int first_host(const char *dir)
{
	AUTO_DIR DIR *d = opendir(dir);
	struct dirent *e;
	int n;

	while (d && (e = readdir(d)))
		if (sscanf(e->d_name, "host%d", &n) == 1)
			return n;
	return -1;
}

static int own_host(int parent, unsigned channel, unsigned number)
{
	char path[PATH_MAX];

	if (!sysroot_path(path, sizeof(path), "/sys/class/fc_host/host%d/device/vport-%d:%u-%u", parent,
			  parent, channel, number))
		return -1;
	return first_host(path);
}

/*
 * Is SCSI error handling under way, where a logout in the middle of it crashes the kernel?  The handler's
 * thread may begin its next LUN reset at any time until the host is running again, so that is what counts.
 */
static int check_error_handling(const struct priv_request *q, const struct priv_reply *v,
				struct priv_reply *r)
{
	char driver[16] = "", state[32] = "";
	int host = own_host(q->host, v->channel, v->number);

	sysroot_read(driver, sizeof(driver), "/sys/class/scsi_host/host%d/proc_name", q->host);
	if (host < 0 || !fc_profile_find(driver)->frees_resets ||
	    sysroot_read(state, sizeof(state), "/sys/class/scsi_host/host%d/state", host) < 0 ||
	    !strstr(state, "recovery"))
		return 0;
	snprintf(r->text, sizeof(r->text), "SCSI error handling of host%d is under way, and must end first",
		 host);
	return -EAGAIN;
}

static int write_create(const struct priv_request *q, struct priv_reply *r)
{
	char text[40], driver[16] = "";
	bool alone;
	int err = 0;

	snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, q->wwpn, q->wwnn);
	sysroot_read(driver, sizeof(driver), "/sys/class/scsi_host/host%d/proc_name", q->host);
	alone = fc_profile_find(driver)->shared & FC_SHARED_RTNL;
	if (alone)
		err = vport_lock_rtnl();
	if (err) {
		snprintf(r->text, sizeof(r->text), "other vports are being made: it was not begun");
		return err;
	}
	err = verb_write(text, "/sys/class/fc_host/host%d/vport_create", q->host);
	if (alone)
		vport_unlock_rtnl();
	if (err)
		snprintf(r->text, sizeof(r->text), "vport_create on host%d", q->host);
	return err;
}

static int verb_vport_create(const struct priv_request *q, struct priv_reply *r)
{
	int err = check_parent(q->host, r);

	if (!err)
		err = check_names(q, r);
	if (!err)
		err = write_create(q, r);
	if (err)
		return err;
	if (!find_new_vport(q, r)) {
		snprintf(r->text, sizeof(r->text), "host%d took the name but shows no such vport", q->host);
		return -EIO;
	}
	r->value = own_host(q->host, r->channel, r->number);
	return 0;
}

#define CUT_OFF_MS 1000 /* commands are given back about 30 ms after the disable began */

/*
 * A delete with commands in flight races with their completion: fc_lport_destroy ends the exchanges of all
 * commands that it finds, while the answer to the LOGO that went before frees them (fc_lport_enter_disabled),
 * and then waits for ever for the lock of what was freed, with RTNL held.  So nothing new is let in, what
 * is left is cut off by a disable first, and what even that does not end keeps its vport.
 */
static int empty_vport(const struct priv_request *q, struct priv_reply *r)
{
	int host = own_host(q->host, r->channel, r->number);
	char driver[16] = "";
	uint64_t left;

	verb_close_luns(host);
	left = verb_let_end(host, q->target);
	sysroot_read(driver, sizeof(driver), "/sys/class/scsi_host/host%d/proc_name", q->host);
	if (!left || !fc_profile_find(driver)->disable_first)
		return 0;
	verb_write("1", "/sys/class/fc_vports/vport-%d:%u-%u/vport_disable", q->host, r->channel,
		   r->number); /* EALREADY: so much the better */
	left = verb_await_cut_off(host, CUT_OFF_MS);
	if (!left)
		return 0;
	snprintf(r->text, sizeof(r->text),
		 "host%d has %" PRIu64
		 " commands in flight, which its logout has not ended: the kernel would hang",
		 host, left);
	return -EAGAIN;
}

static int verb_vport_delete(const struct priv_request *q, struct priv_reply *r)
{
	int err = check_parent(q->host, r);
	char text[40];

	if (!err)
		err = check_names(q, r);
	if (err)
		return err;
	if (!find_vport(q, r))
		return -ENODEV;
	err = check_error_handling(q, r, r);
	if (err)
		return err;
	err = empty_vport(q, r);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, q->wwpn, q->wwnn);
	err = verb_write(text, "/sys/class/fc_host/host%d/vport_delete", q->host);
	if (err)
		snprintf(r->text, sizeof(r->text), "vport_delete on host%d", q->host);
	return err;
}

/* The number may have been given to another vport meanwhile: the name decides. */
static int check_vport(const struct priv_request *q, struct priv_reply *r)
{
	uint64_t wwpn;
	int err = sysroot_read_u64(&wwpn, "/sys/class/fc_vports/vport-%d:%u-%u/port_name", q->host,
				   q->channel, q->number);

	if (!err && wwpn == q->wwpn)
		return 0;
	snprintf(r->text, sizeof(r->text), "vport-%d:%u-%u does not carry %016" PRIx64, q->host, q->channel,
		 q->number, q->wwpn);
	return -ENODEV;
}

static int switch_vport(const struct priv_request *q, struct priv_reply *r, const char *disable)
{
	int err = check_vport(q, r);

	if (err)
		return err;
	err = verb_write(disable, "/sys/class/fc_vports/vport-%d:%u-%u/vport_disable", q->host, q->channel,
			 q->number);
	if (err == -EALREADY)
		return 0;
	if (err)
		snprintf(r->text, sizeof(r->text), "vport_disable=%s on vport-%d:%u-%u", disable, q->host,
			 q->channel, q->number);
	return err;
}

static int verb_vport_disable(const struct priv_request *q, struct priv_reply *r)
{
	const struct priv_reply v = {.channel = q->channel, .number = q->number};
	int err = check_vport(q, r);

	if (!err)
		err = check_error_handling(q, &v, r);
	return err ? err : switch_vport(q, r, "1");
}

/*
 * It is logged out, and yet has not the state Disabled: in Linux 6.1 fc_vport_disable_store
 * (scsi_transport_fc.c) then answers EALREADY to an enable, the driver is not asked, and the vport never logs
 * in again.
 */
static bool hides_disabled(const struct priv_request *q, char *state, size_t size)
{
	char driver[16] = "", port[32] = "";

	sysroot_read(driver, sizeof(driver), "/sys/class/scsi_host/host%d/proc_name", q->host);
	if (!fc_profile_find(driver)->hides_disabled ||
	    sysroot_read(state, size, "/sys/class/fc_vports/vport-%d:%u-%u/vport_state", q->host, q->channel,
			 q->number) < 0 ||
	    !strcmp(state, "Disabled"))
		return false;
	/* What is logged in stays so: its users would notice. */
	return sysroot_read(port, sizeof(port), "/sys/class/fc_host/host%d/port_state",
			    own_host(q->host, q->channel, q->number)) >= 0 &&
	       strcmp(port, "Online");
}

static int verb_vport_enable(const struct priv_request *q, struct priv_reply *r)
{
	char state[32] = "";
	int err = check_vport(q, r);

	if (!err && hides_disabled(q, state, sizeof(state))) {
		err = switch_vport(q, r, "1");
		snprintf(r->text, sizeof(r->text), "vport-%d:%u-%u was %s, but not logged in: disabled first",
			 q->host, q->channel, q->number, state);
	}
	if (err)
		return err;
	verb_open_luns(own_host(q->host, q->channel,
				q->number)); /* those that a delete has closed, and did not come to */
	return switch_vport(q, r, "0");
}

/* A shorter name leaves the old one's tail, so it is padded to its full length. */
static int verb_vport_name(const struct priv_request *q, struct priv_reply *r)
{
	char state[32] = "gone", name[SYMBOLIC_NAME_MAX + 1];
	int err = check_vport(q, r);

	if (!err)
		err = check_symbolic_name(q->name, r);
	if (err)
		return err;
	sysroot_read(state, sizeof(state), "/sys/class/fc_host/host%d/port_state",
		     own_host(q->host, q->channel, q->number));
	if (strcmp(state, "Online")) {
		snprintf(r->text, sizeof(r->text), "the vport's port_state is %s", state);
		return -ENOTCONN;
	}
	snprintf(name, sizeof(name), "%-*.*s", SYMBOLIC_NAME_MAX, SYMBOLIC_NAME_MAX, q->name);
	return verb_write(name, "/sys/class/fc_vports/vport-%d:%u-%u/symbolic_name", q->host, q->channel,
			  q->number);
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
	char path[PATH_MAX], driver[16] = "", node[64];
	struct directory d;
	int fd;

	sysroot_read(driver, sizeof(driver), "/sys/class/scsi_host/host%d/proc_name", host);
	*way = fc_profile_find(driver)->ct_by_rport ? CT_BY_RPORT : CT_BY_HOST;
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

static int verb_ct_gid_pn(const struct priv_request *q, struct priv_reply *r)
{
	int err = check_parent(q->host, r);
	AUTO_FD int fd = -1;
	enum ct_way way;
	unsigned reason;

	if (!err && (!q->wwpn || q->wwpn == UINT64_MAX))
		err = -EINVAL;
	if (!err)
		err = check_online(q->host, r);
	if (err)
		return err;
	fd = open_name_server(q->host, &way, r);
	if (fd < 0)
		return fd;
	r->value = (int32_t)ct_gid_pn(fd, way, q->wwpn, &r->port_id, &reason, &err);
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
	[PRIV_CT_GID_PN] = verb_ct_gid_pn,
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <scsi/sg_cmds_basic.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ct.h"
#include "sysroot.h"
#include "verbs.h"

#define SYMBOLIC_NAME_MAX 63 /* FC_VPORT_SYMBOLIC_NAMELEN less its NUL */
#define REPORT_LUNS_MAX 256

bool verb_check_request(const struct priv_request *q, size_t len)
{
	return len == sizeof(*q) && q->version == PRIV_VERSION && q->verb < PRIV_VERBS_ && q->timeout_ms &&
	       memchr(q->name, 0, sizeof(q->name)) && memchr(q->text, 0, sizeof(q->text));
}

static int check_fc_host(int host, struct priv_reply *r)
{
	if (host >= 0 && sysroot_exists("/sys/class/fc_host/host%d", host))
		return 0;
	snprintf(r->text, sizeof(r->text), "host%d is no FC host", host);
	return -ENODEV;
}

static int check_parent(int host, struct priv_reply *r)
{
	int err = check_fc_host(host, r);

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

static int verb_ping(const struct priv_request *q, struct priv_reply *r)
{
	(void)q;
	(void)r;
	return 0;
}

/* ---- vports ---- */

/* Calls fn for every entry of a host's device folder that starts with prefix, until it returns non-zero. */
static int each_child(int host, const char *prefix, int (*fn)(const char *name, void *arg), void *arg)
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

struct vport_search {
	uint64_t wwpn;
	struct priv_reply *reply;
};

static int is_searched(const char *name, void *arg)
{
	struct vport_search *s = arg;
	unsigned host, channel, number;
	uint64_t wwpn;

	if (sscanf(name, "vport-%u:%u-%u", &host, &channel, &number) != 3 ||
	    sysroot_read_u64(&wwpn, "/sys/class/fc_vports/%s/port_name", name) || wwpn != s->wwpn)
		return 0;
	s->reply->channel = channel;
	s->reply->number = number;
	return 1;
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

/* A shorter name leaves the old one's tail, so it is padded to its full length. */
static void set_symbolic_name(const struct priv_request *q, const struct priv_reply *r)
{
	char name[SYMBOLIC_NAME_MAX + 1];

	snprintf(name, sizeof(name), "%-*.*s", SYMBOLIC_NAME_MAX, SYMBOLIC_NAME_MAX, q->name);
	sysroot_write(name, "/sys/class/fc_vports/vport-%d:%u-%u/symbolic_name", q->host, r->channel,
		      r->number);
}

static int verb_vport_create(const struct priv_request *q, struct priv_reply *r)
{
	struct vport_search s = {q->wwpn, r};
	int err = check_parent(q->host, r);
	char text[40];

	if (!err)
		err = check_names(q, r);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, q->wwpn, q->wwnn);
	err = sysroot_write(text, "/sys/class/fc_host/host%d/vport_create", q->host);
	if (err) {
		snprintf(r->text, sizeof(r->text), "vport_create on host%d", q->host);
		return err;
	}
	if (each_child(q->host, "vport-", is_searched, &s) != 1) {
		snprintf(r->text, sizeof(r->text), "host%d took the name but shows no such vport", q->host);
		return -EIO;
	}
	r->value = own_host(q->host, r->channel, r->number);
	if (q->name[0])
		set_symbolic_name(q, r);
	return 0;
}

static int verb_vport_delete(const struct priv_request *q, struct priv_reply *r)
{
	struct vport_search s = {q->wwpn, r};
	int err = check_parent(q->host, r);
	char text[40];

	if (!err)
		err = check_names(q, r);
	if (err)
		return err;
	if (each_child(q->host, "vport-", is_searched, &s) != 1)
		return -ENODEV;
	snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, q->wwpn, q->wwnn);
	err = sysroot_write(text, "/sys/class/fc_host/host%d/vport_delete", q->host);
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
	err = sysroot_write(disable, "/sys/class/fc_vports/vport-%d:%u-%u/vport_disable", q->host, q->channel,
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
	return switch_vport(q, r, "1");
}

static int verb_vport_enable(const struct priv_request *q, struct priv_reply *r)
{
	return switch_vport(q, r, "0");
}

/* ---- rport timers ---- */

struct timers {
	const struct priv_request *q;
	struct priv_reply *r;
	int err; /* the last that is neither success nor EBUSY */
};

#define RPORT_ATTR "/sys/class/fc_remote_ports/%s/%s"

static bool is_target(const char *rport)
{
	char roles[64];

	return sysroot_read(roles, sizeof(roles), RPORT_ATTR, rport, "roles") > 0 &&
	       strstr(roles, "FCP Target");
}

static int write_timer(const char *rport, const char *attr, int seconds)
{
	char text[16];

	if (seconds == -2)
		return 0;
	if (seconds < 0)
		snprintf(text, sizeof(text), "off");
	else
		snprintf(text, sizeof(text), "%d", seconds);
	return sysroot_write(text, RPORT_ATTR, rport, attr);
}

/* dev_loss_tmo beyond 600 s needs fast_io_fail_tmo, and fast_io_fail_tmo must be below dev_loss_tmo: try both
 * orders. */
static int write_timers(const char *rport, int fast, int loss)
{
	int err = write_timer(rport, "dev_loss_tmo", loss);

	if (err == -EINVAL) {
		err = write_timer(rport, "fast_io_fail_tmo", fast);
		return err ? err : write_timer(rport, "dev_loss_tmo", loss);
	}
	return err ? err : write_timer(rport, "fast_io_fail_tmo", fast);
}

static void count_result(struct timers *t, int err)
{
	if (!err)
		t->r->count++;
	else if (err == -EBUSY)
		t->r->value++;
	else
		t->err = err;
}

static int set_timers(const char *name, void *arg)
{
	char fast[16] = "off", loss[16] = "60";
	struct timers *t = arg;
	size_t used = strlen(t->r->text);

	if (!is_target(name))
		return 0;
	sysroot_read(fast, sizeof(fast), RPORT_ATTR, name, "fast_io_fail_tmo");
	sysroot_read(loss, sizeof(loss), RPORT_ATTR, name, "dev_loss_tmo");
	snprintf(t->r->text + used, sizeof(t->r->text) - used, "%s=%s/%s;", name, fast, loss);
	count_result(t, write_timers(name, t->q->fast_io_fail, t->q->dev_loss));
	return 0;
}

static int verb_rport_timers(const struct priv_request *q, struct priv_reply *r)
{
	struct timers t = {q, r, 0};
	int err = check_fc_host(q->host, r);

	if (err)
		return err;
	err = each_child(q->host, "rport-", set_timers, &t);
	return err ? err : t.err;
}

/* "rport-H:C-N=FAST/LOSS;" of this host, as verb_rport_timers wrote it; an rport that is gone is passed over.
 */
static int restore_one(const char *entry, int host, struct timers *t)
{
	unsigned channel, number;
	char fast[16], name[48];
	int loss, at;

	if (sscanf(entry, "rport-%d:%u-%u=%15[^/]/%d", &at, &channel, &number, fast, &loss) != 5 || loss < 0)
		return -EINVAL;
	snprintf(name, sizeof(name), "rport-%d:%u-%u", host, channel, number);
	if (!sysroot_exists("/sys/class/fc_remote_ports/%s", name))
		return 0;
	count_result(t, write_timers(name, fast[0] >= '0' && fast[0] <= '9' ? atoi(fast) : -1, loss));
	return 0;
}

static int verb_rport_restore(const struct priv_request *q, struct priv_reply *r)
{
	struct timers t = {q, r, 0};
	int err = check_fc_host(q->host, r);
	char text[PRIV_TEXT_MAX], *save = NULL;

	snprintf(text, sizeof(text), "%s", q->text);
	for (char *p = strtok_r(text, ";", &save); !err && p; p = strtok_r(NULL, ";", &save))
		err = restore_one(p, q->host, &t);
	return err ? err : t.err;
}

/* ---- LUNs ---- */

static int verb_scan(const struct priv_request *q, struct priv_reply *r)
{
	int err = check_fc_host(q->host, r);

	return err ? err : sysroot_write("- - -", "/sys/class/scsi_host/host%d/scan", q->host);
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
	while (fd < 0 && dir && (e = readdir(dir))) {
		AUTO_DIR DIR *sg = NULL;
		struct dirent *node;

		if (strncmp(e->d_name, prefix, strlen(prefix)))
			continue;
		sg = opendir(sysroot_path(path, sizeof(path), "/sys/class/scsi_device/%s/device/scsi_generic",
					  e->d_name));
		while (fd < 0 && sg && (node = readdir(sg)))
			if (!strncmp(node->d_name, "sg", 2) &&
			    sysroot_path(path, sizeof(path), "/dev/%s", node->d_name))
				fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	return fd;
}

/* SAM-5 4.7: peripheral and flat space addressing; the kernel shows both as a plain number. */
static uint64_t lun_number(const uint8_t *p)
{
	return (uint64_t)(p[0] & 0x3f) << 8 | p[1];
}

static int verb_report_luns(const struct priv_request *q, struct priv_reply *r)
{
	uint8_t data[8 + 8 * REPORT_LUNS_MAX] = {};
	AUTO_FD int fd = open_target(q);
	size_t used = 0, n;
	int err;

	if (fd < 0)
		return -ENODEV;
	err = sg_ll_report_luns(fd, 0, data, sizeof(data), false, 0);
	if (err) {
		snprintf(r->text, sizeof(r->text), "REPORT LUNS on %d:%u:%u: sense category %d", q->host,
			 q->channel, q->target, err);
		return -EIO;
	}
	n = ((size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3]) / 8;
	for (size_t i = 0; i < n && i < REPORT_LUNS_MAX && used + 8 < sizeof(r->text); i++, r->count++)
		used += (size_t)snprintf(r->text + used, sizeof(r->text) - used, "%s%" PRIu64, i ? "," : "",
					 lun_number(data + 8 + 8 * i));
	return 0;
}

/* ---- the fabric ---- */

static int verb_ct_gid_pn(const struct priv_request *q, struct priv_reply *r)
{
	int err = check_parent(q->host, r);
	AUTO_FD int fd = -1;
	char path[PATH_MAX];
	unsigned reason;

	if (err)
		return err;
	fd = open(sysroot_path(path, sizeof(path), "/dev/bsg/fc_host%d", q->host), O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		snprintf(r->text, sizeof(r->text), "/dev/bsg/fc_host%d", q->host);
		return -errno;
	}
	r->value = (int32_t)ct_gid_pn(fd, q->wwpn, &r->port_id, &reason, &err);
	r->number = reason;
	return err;
}

static verb_fn *const verbs[PRIV_VERBS_] = {
	[PRIV_PING] = verb_ping,
	[PRIV_VPORT_CREATE] = verb_vport_create,
	[PRIV_VPORT_DELETE] = verb_vport_delete,
	[PRIV_VPORT_DISABLE] = verb_vport_disable,
	[PRIV_VPORT_ENABLE] = verb_vport_enable,
	[PRIV_RPORT_TIMERS] = verb_rport_timers,
	[PRIV_RPORT_RESTORE] = verb_rport_restore,
	[PRIV_SCAN] = verb_scan,
	[PRIV_REPORT_LUNS] = verb_report_luns,
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

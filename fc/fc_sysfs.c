/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "fc_sysfs.h"
#include "sysroot.h"
#include "vpd.h"

void fc_sysfs_text(int dir, const char *attr, char *buf, size_t size)
{
	if (sysroot_read_at(dir, buf, size, attr) < 0)
		buf[0] = '\0';
}

uint64_t fc_sysfs_number(int dir, const char *attr)
{
	uint64_t v;

	return sysroot_read_u64_at(dir, &v, attr) ? 0 : v;
}

int fc_sysfs_device(const struct fc_host *h)
{
	struct fc_host *host = (struct fc_host *)h;

	if (host->device < 0)
		host->device = sysroot_open_dir("/sys/class/fc_host/host%d/device", h->number);
	return host->device;
}

/* A name below the device's folder into path, and its descriptor; -1 with errno. */
static int below(const struct fc_host *h, char path[256], const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static int below(const struct fc_host *h, char path[256], const char *fmt, va_list ap)
{
	if (vsnprintf(path, 256, fmt, ap) >= 256) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return fc_sysfs_device(h);
}

#define BELOW(h, path)                                                                                       \
	({                                                                                                   \
		va_list ap_;                                                                                 \
		int fd_;                                                                                     \
		va_start(ap_, fmt);                                                                          \
		fd_ = below(h, path, fmt, ap_);                                                              \
		va_end(ap_);                                                                                 \
		fd_;                                                                                         \
	})

ssize_t fc_sysfs_read(const struct fc_host *h, char *buf, size_t size, const char *fmt, ...)
{
	char path[256];
	int device = BELOW(h, path);

	return device < 0 ? -errno : sysroot_read_at(device, buf, size, path);
}

int fc_sysfs_read_u64(const struct fc_host *h, uint64_t *v, const char *fmt, ...)
{
	char path[256];
	int device = BELOW(h, path);

	return device < 0 ? -errno : sysroot_read_u64_at(device, v, path);
}

int fc_sysfs_open(const struct fc_host *h, const char *fmt, ...)
{
	char path[256];
	int device = BELOW(h, path);

	return device < 0 ? -1 : openat(device, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_rport(const struct fc_host *h, unsigned channel, unsigned number)
{
	return fc_sysfs_open(h, RPORT "/fc_remote_ports/" RPORT, h->number, channel, number, h->number,
			     channel, number);
}

bool fc_sysfs_first_entry(int dir, const char *path, const char *prefix, char *name, size_t size)
{
	AUTO_DIR DIR *d = sysroot_list_at(dir, path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, strlen(prefix)) ||
		    strlen(e->d_name) >= size)
			continue;
		strcpy(name, e->d_name);
		return true;
	}
	return false;
}

/* N_Port_IDs have 24 bits; a driver that has none shows all ones. */
static uint32_t port_id(uint64_t v)
{
	return v > 0xffffff ? 0 : (uint32_t)v;
}

/* The entry of the class is a link into the device's folder: there is no need to walk all the way. */
static bool device_path(const struct fc_host *h, char real[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t n = -1;

	if (sysroot_path(path, sizeof(path), "/sys/class/fc_host/host%d", h->number))
		n = readlink(path, real, PATH_MAX - 1);
	if (n < 0)
		return false;
	real[n] = '\0';
	return true;
}

bool fc_sysfs_read_place(struct fc_host *h)
{
	char real[PATH_MAX];
	const char *p, *at;
	int parent;

	h->parent = -1;
	if (!device_path(h, real))
		return false;
	at = strstr(real, "/devices/");
	if (!at)
		return false;
	p = strstr(at, "/vport-");
	if (p && sscanf(p, "/vport-%d:%u-%u", &parent, &h->vport_channel, &h->vport_number) == 3)
		h->parent = parent;
	p = strstr(at, "/net/");
	if (p)
		sscanf(p, "/net/%15[^/]", h->netdev);
	return true;
}

/*
 * proc_name, where the driver's template has one: without, it reads "(null)" (qla2xxx, qedf, bnx2fc).  Then
 * the driver of the PCI function that the host is on, or the first word of a symbolic name: "bnx2fc (QLogic
 * ...".
 */
static void read_driver(struct fc_host *h, int dir)
{
	char to[PATH_MAX], name[256], *base;
	ssize_t n;

	if (fc_sysfs_read(h, name, sizeof(name), "scsi_host/host%d/proc_name", h->number) > 0 &&
	    strcmp(name, "(null)")) {
		snprintf(h->driver, sizeof(h->driver), "%.15s", name);
		return;
	}
	n = readlinkat(fc_sysfs_device(h), "../driver", to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	base = strrchr(to, '/');
	if (!base) {
		fc_sysfs_text(dir, "symbolic_name", name, sizeof(name));
		name[strcspn(name, " ")] = '\0';
	}
	snprintf(h->driver, sizeof(h->driver), "%.15s", base ? base + 1 : name);
}

bool fc_sysfs_is_want(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
}

bool fc_sysfs_read_host(struct fc_host *h)
{
	AUTO_FD int dir = fc_sysfs_open(h, "fc_host/host%d", h->number);
	uint64_t wwpn;

	if (dir < 0 && fc_sysfs_is_want() && h->wwpn)
		return true;
	if (dir < 0 || sysroot_read_u64_at(dir, &wwpn, "port_name") || (!h->wwpn && !fc_sysfs_read_place(h)))
		return false;
	h->wwpn = wwpn;
	h->wwnn = fc_sysfs_number(dir, "node_name");
	h->fabric_name = fc_sysfs_number(dir, "fabric_name");
	if (h->fabric_name == UINT64_MAX)
		h->fabric_name = 0; /* what the transport shows when a driver does not know */
	h->port_id = port_id(fc_sysfs_number(dir, "port_id"));
	fc_sysfs_text(dir, "port_state", h->state, sizeof(h->state));
	fc_sysfs_text(dir, "speed", h->speed, sizeof(h->speed));
	if (h->parent < 0) {
		h->npiv_inuse = (unsigned)fc_sysfs_number(dir, "npiv_vports_inuse");
		h->npiv_max = (unsigned)fc_sysfs_number(dir, "max_npiv_vports");
	}
	if (!h->driver[0])
		read_driver(h, dir);
	return true;
}

/* ---- remote ports ---- */

/* dev_loss_tmo is a u32 in the kernel. */
static int seconds_or_off(int dir, const char *attr)
{
	uint64_t v;

	if (sysroot_read_u64_at(dir, &v, attr))
		return -1;
	return v < INT_MAX ? (int)v : INT_MAX;
}

static int read_timers(struct fc_rport *r, int dir)
{
	r->fast_io_fail = seconds_or_off(dir, "fast_io_fail_tmo");
	r->dev_loss = seconds_or_off(dir, "dev_loss_tmo");
	return r->dev_loss < 0 ? -ENOENT : 0;
}

static bool read_is_target(int dir)
{
	char roles[256]; /* all that there are make 100 */

	return sysroot_read_at(dir, roles, sizeof(roles), "roles") > 0 && strstr(roles, "FCP Target");
}

int fc_rport_read_timers(const struct fc_host *host, struct fc_rport *r)
{
	AUTO_FD int dir = open_rport(host, r->channel, r->number);

	return read_timers(r, dir);
}

bool fc_rport_read_is_target(const struct fc_host *host, struct fc_rport *r)
{
	AUTO_FD int dir = -1;

	if (r->is_target)
		return true;
	dir = open_rport(host, r->channel, r->number);
	return r->is_target = read_is_target(dir);
}

static void read_rport_attributes(struct fc_rport *r, int dir)
{
	r->port_id = port_id(fc_sysfs_number(dir, "port_id"));
	fc_sysfs_text(dir, "port_state", r->state, sizeof(r->state));
	r->is_target = read_is_target(dir);
}

void fc_sysfs_refresh_rport(struct fc_host *h, struct fc_rport *r)
{
	const struct fc_part part = {.kind = FC_PART_RPORT, .channel = r->channel, .number = r->number};
	AUTO_FD int dir = -1;

	if (!r->wwpn) {
		fc_sysfs_read_rport(h, &part);
		return;
	}
	dir = open_rport(h, r->channel, r->number);
	read_rport_attributes(r, dir);
	read_timers(r, dir);
}

static void read_targets(const struct fc_host *h, struct fc_rport *r)
{
	AUTO_FD int base = fc_sysfs_open(h, RPORT, h->number, r->channel, r->number);
	AUTO_DIR DIR *dir = sysroot_list_at(base, ".");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, "target", 6))
			fc_sysfs_read_target(h, r, base, e->d_name);
}

struct fc_rport *fc_sysfs_rport_known(const struct fc_host *h, unsigned channel, unsigned number)
{
	struct fc_rport *r;

	TAILQ_FOREACH (r, &h->rports, link)
		if (r->channel == channel && r->number == number)
			return r;
	return NULL;
}

void fc_sysfs_read_rport(struct fc_host *h, const struct fc_part *part)
{
	AUTO_FD int dir = open_rport(h, part->channel, part->number);
	struct fc_rport *r = fc_sysfs_rport_known(h, part->channel, part->number);
	uint64_t wwpn = 0;
	bool is_new;

	if (dir < 0 && fc_sysfs_is_want())
		return;
	if (dir < 0 || (sysroot_read_u64_at(dir, &wwpn, "port_name") && r && r->wwpn)) {
		if (r)
			fc_sysfs_drop_rport(h, r);
		return;
	}
	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return;
		TAILQ_INIT(&r->luns);
		r->channel = part->channel;
		r->number = part->number;
		TAILQ_INSERT_TAIL(&h->rports, r, link);
	}
	is_new = !r->wwpn;
	r->wwpn = wwpn;
	if (!wwpn)
		return;
	read_rport_attributes(r, dir);
	if (is_new && r->is_target)
		read_targets(h, r);
}

/* A LUN comes behind a target: that its rport is one may have come without an event. */
void fc_sysfs_read_lun(struct fc_host *h, const struct fc_part *part)
{
	struct fc_rport *r = fc_sysfs_rport_known(h, part->channel, part->number);

	if (!r || !r->wwpn) {
		fc_sysfs_read_rport(h, part);
		r = fc_sysfs_rport_known(h, part->channel, part->number);
	}
	if (!r || !r->wwpn)
		return;
	fc_rport_read_is_target(h, r);
	fc_sysfs_update_lun(h, r, part);
}

void fc_sysfs_drop_rport(struct fc_host *h, struct fc_rport *r)
{
	struct fc_lun *l;

	while ((l = TAILQ_FIRST(&r->luns)))
		fc_sysfs_drop_lun(r, l);
	TAILQ_REMOVE(&h->rports, r, link);
	free(r);
}

void fc_sysfs_drop_rports(struct fc_host *h)
{
	struct fc_rport *r;

	while ((r = TAILQ_FIRST(&h->rports)))
		fc_sysfs_drop_rport(h, r);
}

/* ---- vports ---- */

struct fc_vport *fc_sysfs_vport_known(const struct fc_host *h, unsigned channel, unsigned number)
{
	struct fc_vport *v;

	TAILQ_FOREACH (v, &h->vports, link)
		if (v->channel == channel && v->number == number)
			return v;
	return NULL;
}

static void read_vport_host(struct fc_host *h, struct fc_vport *v)
{
	char path[48], name[32];

	snprintf(path, sizeof(path), VPORT, h->number, v->channel, v->number);
	if (fc_sysfs_first_entry(fc_sysfs_device(h), path, "host", name, sizeof(name)))
		v->host = atoi(name + 4);
}

bool fc_sysfs_told_its_end(struct fc_host *h, unsigned channel, unsigned number)
{
	struct fc_gone *g;

	TAILQ_FOREACH (g, &h->gone, link)
		if (g->channel == channel && g->number == number)
			return g->there = true;
	return false;
}

static void forget_ends(struct fc_host *h)
{
	struct fc_gone *g, *next;

	for (g = TAILQ_FIRST(&h->gone); g; g = next) {
		next = TAILQ_NEXT(g, link);
		if (g->there) {
			g->there = false;
			continue;
		}
		TAILQ_REMOVE(&h->gone, g, link);
		free(g);
	}
}

static struct fc_vport *vport_new(int dir, const struct fc_part *part)
{
	struct fc_vport *v;
	uint64_t wwpn;

	if (dir < 0 || sysroot_read_u64_at(dir, &wwpn, "port_name"))
		return NULL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->channel = part->channel;
	v->number = part->number;
	v->wwpn = wwpn;
	v->wwnn = fc_sysfs_number(dir, "node_name");
	v->host = -1;
	return v;
}

/* Numbers are never used again while the host lives, so what is known still holds. */
void fc_sysfs_read_vport(struct fc_host *h, const struct fc_part *part)
{
	struct fc_vport *v = fc_sysfs_vport_known(h, part->channel, part->number);
	AUTO_FD int dir = -1;

	if (fc_sysfs_told_its_end(h, part->channel, part->number))
		return;
	if (!v) {
		dir = fc_sysfs_open(h, VPORT "/fc_vports/" VPORT, h->number, part->channel, part->number,
				    h->number, part->channel, part->number);
		v = vport_new(dir, part);
		if (!v)
			return;
		TAILQ_INSERT_TAIL(&h->vports, v, link);
	}
	if (v->host < 0)
		read_vport_host(h, v);
}

/* Those that are not there any more stay in the host's list. */
static void list_vport(struct fc_host *h, struct fc_vport_list *seen, const char *name)
{
	struct fc_part part = {.kind = FC_PART_VPORT};
	struct fc_vport *v;
	int host;

	if (sscanf(name, "vport-%d:%u-%u", &host, &part.channel, &part.number) != 3 || host != h->number)
		return;
	fc_sysfs_read_vport(h, &part);
	v = fc_sysfs_vport_known(h, part.channel, part.number);
	if (!v)
		return;
	TAILQ_REMOVE(&h->vports, v, link);
	TAILQ_INSERT_TAIL(seen, v, link);
}

static void list_rport(struct fc_host *h, const char *name)
{
	struct fc_part part = {.kind = FC_PART_RPORT};
	int host;

	if (sscanf(name, "rport-%d:%u-%u", &host, &part.channel, &part.number) == 3 && host == h->number)
		fc_sysfs_read_rport(h, &part);
}

void fc_sysfs_read_children(struct fc_host *h)
{
	struct fc_vport_list seen = TAILQ_HEAD_INITIALIZER(seen);
	AUTO_DIR DIR *dir = sysroot_list_at(fc_sysfs_device(h), ".");
	struct fc_vport *v;
	struct dirent *e;

	/* Out of file descriptors or memory: what was known is nearer to the truth than nothing. */
	if (!dir && errno != ENOENT)
		return;
	fc_sysfs_drop_rports(h);
	while (dir && (e = readdir(dir))) {
		if (!strncmp(e->d_name, "rport-", 6))
			list_rport(h, e->d_name);
		else if (!strncmp(e->d_name, "vport-", 6))
			list_vport(h, &seen, e->d_name);
	}
	while ((v = TAILQ_FIRST(&h->vports))) {
		TAILQ_REMOVE(&h->vports, v, link);
		free(v);
	}
	TAILQ_CONCAT(&h->vports, &seen, link);
	forget_ends(h);
}

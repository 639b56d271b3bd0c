/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "fc_sysfs.h"
#include "sysroot.h"
#include "vpd.h"

#define HOST_ATTR "/sys/class/fc_host/host%d/%s"

static void host_text(const struct fc_host *h, const char *attr, char *buf, size_t size)
{
	if (sysroot_read(buf, size, HOST_ATTR, h->number, attr) < 0)
		buf[0] = '\0';
}

static uint64_t host_number(const struct fc_host *h, const char *attr)
{
	uint64_t v;

	return sysroot_read_u64(&v, HOST_ATTR, h->number, attr) ? 0 : v;
}

/* N_Port_IDs have 24 bits; a driver that has none shows all ones. */
static uint32_t port_id(uint64_t v)
{
	return v > 0xffffff ? 0 : (uint32_t)v;
}

/*
 * Where the host hangs tells what it is: under a vport of a parent, or under an FCoE interface.  False when
 * it does not hang anywhere any more: it could be taken for a parent.
 */
static bool read_place(struct fc_host *h)
{
	char path[PATH_MAX], real[PATH_MAX];
	const char *p, *at;
	int parent;

	h->parent = -1;
	if (!sysroot_path(path, sizeof(path), HOST_ATTR, h->number, "device") || !realpath(path, real))
		return false;
	at = strstr(real, "/devices/");
	if (!at)
		return false;
	p = strstr(at, "/vport-");
	if (p && sscanf(p, "/vport-%d:", &parent) == 1)
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
static void read_driver(struct fc_host *h)
{
	char path[PATH_MAX], to[PATH_MAX], name[256], *base;
	ssize_t n;

	if (sysroot_read(name, sizeof(name), "/sys/class/scsi_host/host%d/proc_name", h->number) > 0 &&
	    strcmp(name, "(null)")) {
		snprintf(h->driver, sizeof(h->driver), "%.15s", name);
		return;
	}
	n = sysroot_path(path, sizeof(path), HOST_ATTR, h->number, "device/../driver")
		    ? readlink(path, to, sizeof(to) - 1)
		    : -1;
	to[n > 0 ? n : 0] = '\0';
	base = strrchr(to, '/');
	if (!base) {
		host_text(h, "symbolic_name", name, sizeof(name));
		name[strcspn(name, " ")] = '\0';
	}
	snprintf(h->driver, sizeof(h->driver), "%.15s", base ? base + 1 : name);
}

bool fc_sysfs_read_host(struct fc_host *h)
{
	uint64_t wwpn;

	if (sysroot_read_u64(&wwpn, HOST_ATTR, h->number, "port_name") || (!h->wwpn && !read_place(h)))
		return false;
	h->wwpn = wwpn;
	h->wwnn = host_number(h, "node_name");
	h->fabric_name = host_number(h, "fabric_name");
	if (h->fabric_name == UINT64_MAX)
		h->fabric_name = 0; /* what the transport shows when a driver does not know */
	h->port_id = port_id(host_number(h, "port_id"));
	host_text(h, "port_state", h->state, sizeof(h->state));
	host_text(h, "speed", h->speed, sizeof(h->speed));
	if (h->parent < 0) {
		h->npiv_inuse = (unsigned)host_number(h, "npiv_vports_inuse");
		h->npiv_max = (unsigned)host_number(h, "max_npiv_vports");
	}
	if (!h->driver[0])
		read_driver(h);
	return true;
}

/* ---- LUNs ---- */

static bool first_entry(const char *dir, const char *prefix, char *name, size_t size)
{
	AUTO_DIR DIR *d = opendir(dir);
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

static void read_designator(struct fc_lun *l, const char *base)
{
	uint8_t page[4096];
	ssize_t n = sysroot_read_bin(page, sizeof(page), "%s/vpd_pg83", base);

	if (n > 0)
		vpd83_designator(page, (size_t)n, l->designator, sizeof(l->designator));
}

/* By number: a folder is read in no order. */
static void lun_insert(struct fc_rport *r, struct fc_lun *l)
{
	struct fc_lun *before = TAILQ_LAST(&r->luns, fc_lun_list);

	while (before && before->lun > l->lun)
		before = TAILQ_PREV(before, fc_lun_list, link);
	if (before)
		TAILQ_INSERT_AFTER(&r->luns, before, l, link);
	else
		TAILQ_INSERT_HEAD(&r->luns, l, link);
}

/* The peripheral device types that sd takes (sd_probe). */
static bool is_disk(int type)
{
	static const int types[] = {0x00, 0x07, 0x0e, 0x14}; /* direct access, optical memory, RBC, ZBC */

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i] == type)
			return true;
	return false;
}

/* A type that can't be read may be a disk's. */
bool fc_lun_is_usable(const struct fc_lun *l)
{
	if (l->type < 0 || strcmp(l->state, "running"))
		return false;
	return !is_disk(l->type) || (l->sd[0] && l->size && l->designator[0]);
}

static void read_lun(struct fc_rport *r, const char *target_base, const char *name)
{
	unsigned host, channel, target;
	char base[PATH_MAX / 2], path[PATH_MAX];
	struct fc_lun *l;
	uint64_t lun, type, sectors;

	if (sscanf(name, "%u:%u:%u:%" SCNu64, &host, &channel, &target, &lun) != 4)
		return;
	if (snprintf(base, sizeof(base), "%s/%s", target_base, name) >= (int)sizeof(base))
		return;
	l = calloc(1, sizeof(*l));
	if (!l)
		return;
	l->channel = channel;
	l->target = target;
	l->lun = lun;
	l->type = sysroot_read_u64(&type, "%s/type", base) || type > 0x1f ? -1 : (int)type;
	if (sysroot_read(l->state, sizeof(l->state), "%s/state", base) < 0)
		l->state[0] = '\0';
	read_designator(l, base);
	if (sysroot_path(path, sizeof(path), "%s/block", base) &&
	    first_entry(path, "", l->sd, sizeof(l->sd)) &&
	    !sysroot_read_u64(&sectors, "%s/block/%s/size", base, l->sd) && sectors <= UINT64_MAX / 512)
		l->size = sectors * 512;
	if (sysroot_path(path, sizeof(path), "%s/scsi_generic", base))
		first_entry(path, "sg", l->sg, sizeof(l->sg));
	l->usable = fc_lun_is_usable(l);
	lun_insert(r, l);
}

static void read_target(struct fc_rport *r, const char *rport_base, const char *target)
{
	char base[PATH_MAX / 4], path[PATH_MAX];
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;

	if (snprintf(base, sizeof(base), "%s/%s", rport_base, target) >= (int)sizeof(base))
		return;
	if (!sysroot_path(path, sizeof(path), "%s", base))
		return;
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (strchr(e->d_name, ':'))
			read_lun(r, base, e->d_name);
}

/* ---- remote ports ---- */

/* dev_loss_tmo is a u32 in the kernel. */
static int seconds_or_off(const char *rport, const char *attr)
{
	uint64_t v;

	if (sysroot_read_u64(&v, "/sys/class/fc_remote_ports/%s/%s", rport, attr))
		return -1;
	return v < INT_MAX ? (int)v : INT_MAX;
}

int fc_rport_read_timers(const struct fc_host *host, struct fc_rport *r)
{
	char name[48];

	snprintf(name, sizeof(name), "rport-%d:%u-%u", host->number, r->channel, r->number);
	r->fast_io_fail = seconds_or_off(name, "fast_io_fail_tmo");
	r->dev_loss = seconds_or_off(name, "dev_loss_tmo");
	return r->dev_loss < 0 ? -ENOENT : 0;
}

static void read_rport(struct fc_host *h, const char *name)
{
	char base[PATH_MAX / 8], path[PATH_MAX], text[256]; /* all roles that there are make 100 */
	unsigned channel, number;
	int host;
	AUTO_DIR DIR *dir = NULL;
	struct fc_rport *r;
	struct dirent *e;
	uint64_t v;

	if (sscanf(name, "rport-%d:%u-%u", &host, &channel, &number) != 3 || host != h->number)
		return;
	if (sysroot_read_u64(&v, "/sys/class/fc_remote_ports/%s/port_name", name))
		return;
	r = calloc(1, sizeof(*r));
	if (!r)
		return;
	TAILQ_INIT(&r->luns);
	r->channel = channel;
	r->number = number;
	r->wwpn = v;
	r->port_id = sysroot_read_u64(&v, "/sys/class/fc_remote_ports/%s/port_id", name) ? 0 : port_id(v);
	if (sysroot_read(r->state, sizeof(r->state), "/sys/class/fc_remote_ports/%s/port_state", name) < 0)
		r->state[0] = '\0';
	r->is_target = sysroot_read(text, sizeof(text), "/sys/class/fc_remote_ports/%s/roles", name) > 0 &&
		       strstr(text, "FCP Target");
	fc_rport_read_timers(h, r);
	TAILQ_INSERT_TAIL(&h->rports, r, link);
	snprintf(base, sizeof(base), "/sys/class/fc_host/host%d/device/%s", h->number, name);
	if (!sysroot_path(path, sizeof(path), "%s", base))
		return;
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, "target", 6))
			read_target(r, base, e->d_name);
}

void fc_sysfs_drop_rports(struct fc_host *h)
{
	struct fc_rport *r;
	struct fc_lun *l;

	while ((r = TAILQ_FIRST(&h->rports))) {
		while ((l = TAILQ_FIRST(&r->luns))) {
			TAILQ_REMOVE(&r->luns, l, link);
			free(l);
		}
		TAILQ_REMOVE(&h->rports, r, link);
		free(r);
	}
}

/* ---- vports ---- */

static struct fc_vport *vport_known(const struct fc_host *h, unsigned channel, unsigned number)
{
	struct fc_vport *v;

	TAILQ_FOREACH (v, &h->vports, link)
		if (v->channel == channel && v->number == number)
			return v;
	return NULL;
}

static void read_vport_host(struct fc_host *h, struct fc_vport *v)
{
	char path[PATH_MAX], name[32];

	if (sysroot_path(path, sizeof(path), "/sys/class/fc_host/host%d/device/vport-%d:%u-%u", h->number,
			 h->number, v->channel, v->number) &&
	    first_entry(path, "host", name, sizeof(name)))
		v->host = atoi(name + 4);
}

static bool told_its_end(struct fc_host *h, unsigned channel, unsigned number)
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

static void read_vport(struct fc_host *h, struct fc_vport_list *old, const char *name)
{
	unsigned channel, number;
	int host;
	struct fc_vport *v;
	uint64_t wwn;

	if (sscanf(name, "vport-%d:%u-%u", &host, &channel, &number) != 3 || host != h->number ||
	    told_its_end(h, channel, number))
		return;
	v = vport_known(h, channel, number);
	if (v) {
		/* Numbers are never used again while the host lives, so what is known still holds. */
		TAILQ_REMOVE(&h->vports, v, link);
		TAILQ_INSERT_TAIL(old, v, link);
		if (v->host < 0)
			read_vport_host(h, v);
		return;
	}
	if (sysroot_read_u64(&wwn, "/sys/class/fc_vports/%s/port_name", name))
		return;
	v = calloc(1, sizeof(*v));
	if (!v)
		return;
	v->channel = channel;
	v->number = number;
	v->wwpn = wwn;
	v->host = -1;
	if (!sysroot_read_u64(&wwn, "/sys/class/fc_vports/%s/node_name", name))
		v->wwnn = wwn;
	read_vport_host(h, v);
	TAILQ_INSERT_TAIL(old, v, link);
}

void fc_sysfs_read_children(struct fc_host *h)
{
	struct fc_vport_list seen = TAILQ_HEAD_INITIALIZER(seen);
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = NULL;
	struct fc_vport *v;
	struct dirent *e;

	if (sysroot_path(path, sizeof(path), HOST_ATTR, h->number, "device"))
		dir = opendir(path);
	/* Out of file descriptors or memory: what was known is nearer to the truth than nothing. */
	if (!dir && errno != ENOENT)
		return;
	fc_sysfs_drop_rports(h);
	while (dir && (e = readdir(dir))) {
		if (!strncmp(e->d_name, "rport-", 6))
			read_rport(h, e->d_name);
		else if (!strncmp(e->d_name, "vport-", 6))
			read_vport(h, &seen, e->d_name);
	}
	while ((v = TAILQ_FIRST(&h->vports))) {
		TAILQ_REMOVE(&h->vports, v, link);
		free(v);
	}
	TAILQ_CONCAT(&h->vports, &seen, link);
	forget_ends(h);
}

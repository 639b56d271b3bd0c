/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "fc_sysfs.h"
#include "inventory.h"
#include "sysroot.h"

void fc_inventory_init(struct fc_inventory *inv, fc_host_filter *filter, void *arg)
{
	TAILQ_INIT(&inv->hosts);
	inv->filter = filter;
	inv->filter_arg = arg;
}

static void host_free(struct fc_inventory *inv, struct fc_host *h)
{
	struct fc_vport *v;
	struct fc_gone *g;

	fc_sysfs_drop_rports(h);
	while ((v = TAILQ_FIRST(&h->vports))) {
		TAILQ_REMOVE(&h->vports, v, link);
		free(v);
	}
	while ((g = TAILQ_FIRST(&h->gone))) {
		TAILQ_REMOVE(&h->gone, g, link);
		free(g);
	}
	if (h->device >= 0)
		close(h->device);
	TAILQ_REMOVE(&inv->hosts, h, link);
	free(h);
}

void fc_inventory_clear(struct fc_inventory *inv)
{
	struct fc_host *h;

	while ((h = TAILQ_FIRST(&inv->hosts)))
		host_free(inv, h);
}

struct fc_host *fc_host_find(const struct fc_inventory *inv, int number)
{
	struct fc_host *h;

	TAILQ_FOREACH (h, &inv->hosts, link)
		if (h->number == number)
			return h;
	return NULL;
}

/* A vport's host is wanted when its parent is: so the parent must have been read before. */
static bool parent_known(const struct fc_inventory *inv, const struct fc_host *h)
{
	return h->parent < 0 || fc_host_find(inv, h->parent);
}

static bool wanted(const struct fc_inventory *inv, const struct fc_host *h)
{
	if (h->parent >= 0)
		return parent_known(inv, h);
	return !inv->filter || inv->filter(inv->filter_arg, h);
}

static struct fc_host *host_add(struct fc_inventory *inv, int number)
{
	struct fc_host *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->number = number;
	h->device = -1;
	TAILQ_INIT(&h->vports);
	TAILQ_INIT(&h->gone);
	TAILQ_INIT(&h->rports);
	TAILQ_INSERT_TAIL(&inv->hosts, h, link);
	return h;
}

/*
 * The hosts of its vports were not wanted while it was not known.  Host numbers are used again
 * (scsi_host_alloc), so a vport's can be lower than its parent's.
 */
static void add_vport_hosts(struct fc_inventory *inv, const struct fc_host *parent)
{
	struct fc_vport *v;

	TAILQ_FOREACH (v, &parent->vports, link)
		if (v->host >= 0 && !fc_host_find(inv, v->host))
			fc_inventory_refresh(inv, v->host);
}

/* It had none when the vport was read. */
static void tell_parent(struct fc_inventory *inv, const struct fc_host *h)
{
	struct fc_host *parent = fc_host_find(inv, h->parent);
	struct fc_vport *v = parent ? fc_sysfs_vport_known(parent, h->vport_channel, h->vport_number) : NULL;

	if (v)
		v->host = h->number;
}

/* A vport's host has the driver of its parent. */
static bool read_host(const struct fc_inventory *inv, struct fc_host *h)
{
	const struct fc_host *parent = h->parent >= 0 ? fc_host_find(inv, h->parent) : NULL;

	if (parent && !h->driver[0])
		memcpy(h->driver, parent->driver, sizeof(h->driver));
	return fc_sysfs_read_host(h);
}

bool fc_inventory_refresh(struct fc_inventory *inv, int number)
{
	struct fc_host *h = fc_host_find(inv, number);
	bool is_new = !h;

	if (is_new)
		h = host_add(inv, number);
	if (!h)
		return false;
	/* Of what hangs under somebody else's parent no more than that is read. */
	if ((is_new && (!fc_sysfs_read_place(h) || !parent_known(inv, h))) || !read_host(inv, h) ||
	    !wanted(inv, h)) {
		host_free(inv, h);
		/* Its folder was the one that had gone: there may be another host of that number. */
		return !is_new && fc_inventory_refresh(inv, number);
	}
	fc_sysfs_read_children(h);
	if (is_new && h->parent < 0)
		add_vport_hosts(inv, h);
	else if (is_new)
		tell_parent(inv, h);
	return true;
}

/* libfc gives a host its name after the host has told that it is there (fc_lport_init). */
static bool is_named(const struct fc_host *h)
{
	return h->wwpn && h->wwpn != UINT64_MAX;
}

bool fc_inventory_refresh_part(struct fc_inventory *inv, int number, const struct fc_part *part)
{
	static void (*const readers[FC_PARTS_])(struct fc_host *, const struct fc_part *) = {
		[FC_PART_VPORT] = fc_sysfs_read_vport,
		[FC_PART_RPORT] = fc_sysfs_read_rport,
		[FC_PART_LUN] = fc_sysfs_read_lun,
	};
	struct fc_host *h = fc_host_find(inv, number);

	if (!h || !is_named(h) || !readers[part->kind])
		return fc_inventory_refresh(inv, number);
	readers[part->kind](h, part);
	return true;
}

void fc_inventory_part_gone(struct fc_inventory *inv, int number, const struct fc_part *part)
{
	struct fc_host *h = fc_host_find(inv, number);
	struct fc_rport *r = h ? fc_sysfs_rport_known(h, part->channel, part->number) : NULL;
	struct fc_lun *l = r ? fc_sysfs_lun_known(r, part) : NULL;

	if (r && part->kind == FC_PART_RPORT)
		fc_sysfs_drop_rport(h, r);
	else if (l && part->kind == FC_PART_LUN)
		fc_sysfs_drop_lun(r, l);
}

void fc_inventory_vport_made(struct fc_inventory *inv, int parent, const struct fc_vport *made)
{
	struct fc_host *h = fc_host_find(inv, parent);
	struct fc_vport *v = h ? fc_sysfs_vport_known(h, made->channel, made->number) : NULL;

	if (!h || fc_sysfs_told_its_end(h, made->channel, made->number))
		return;
	if (!v) {
		v = calloc(1, sizeof(*v));
		if (!v)
			return;
		*v = *made;
		TAILQ_INSERT_TAIL(&h->vports, v, link);
	} else if (made->host >= 0) {
		v->host = made->host;
	}
}

static const char *vport_path(char path[96], const struct fc_host *h, unsigned channel, unsigned number)
{
	snprintf(path, 96, VPORT "/fc_vports/" VPORT, h->number, channel, number, h->number, channel, number);
	return path;
}

/* They go in the order in which they have told it, or nearly so. */
static void forget_oldest_end(struct fc_host *h)
{
	struct fc_gone *g;
	char path[96];

	while ((g = TAILQ_FIRST(&h->gone)) &&
	       faccessat(fc_sysfs_device(h), vport_path(path, h, g->channel, g->number), F_OK, 0)) {
		TAILQ_REMOVE(&h->gone, g, link);
		free(g);
	}
}

void fc_inventory_vport_gone(struct fc_inventory *inv, int parent, unsigned channel, unsigned number)
{
	struct fc_host *h = fc_host_find(inv, parent);
	struct fc_vport *v, *next;
	struct fc_gone *g;

	if (!h)
		return;
	forget_oldest_end(h);
	for (v = TAILQ_FIRST(&h->vports); v; v = next) {
		next = TAILQ_NEXT(v, link);
		if (v->channel != channel || v->number != number)
			continue;
		TAILQ_REMOVE(&h->vports, v, link);
		free(v);
	}
	g = fc_sysfs_told_its_end(h, channel, number) ? NULL : calloc(1, sizeof(*g));
	if (!g)
		return;
	g->channel = channel;
	g->number = number;
	TAILQ_INSERT_TAIL(&h->gone, g, link);
}

void fc_inventory_host_gone(struct fc_inventory *inv, int number)
{
	struct fc_host *h = fc_host_find(inv, number);

	if (h)
		host_free(inv, h);
}

void fc_inventory_refresh_attributes(struct fc_host *h)
{
	if (fc_sysfs_read_host(h))
		return;
	h->state[0] = '\0';
	h->fabric_name = 0;
	h->port_id = 0;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

#define HOSTS_MAX 8192

int fc_inventory_scan(struct fc_inventory *inv)
{
	AUTO_FREE int *numbers = calloc(HOSTS_MAX, sizeof(*numbers));
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;
	size_t n = 0;

	if (!numbers)
		return -ENOMEM;
	dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/fc_host"));
	if (!dir && errno != ENOENT)
		return -errno; /* a passing want is no reason to forget everything */
	fc_inventory_clear(inv);
	if (!dir)
		return -ENOENT;
	while ((e = readdir(dir)) && n < HOSTS_MAX)
		if (sscanf(e->d_name, "host%d", &numbers[n]) == 1)
			n++;
	qsort(numbers, n, sizeof(*numbers), by_number);
	for (size_t i = 0; i < n; i++)
		if (!fc_host_find(inv, numbers[i]))
			fc_inventory_refresh(inv, numbers[i]);
	return 0;
}

struct fc_host *fc_parent_find(const struct fc_inventory *inv, wwn_t wwpn)
{
	struct fc_host *h;

	TAILQ_FOREACH (h, &inv->hosts, link)
		if (h->parent < 0 && h->wwpn == wwpn)
			return h;
	return NULL;
}

struct fc_vport *fc_vport_find(const struct fc_inventory *inv, wwn_t wwpn, struct fc_host **parent)
{
	struct fc_host *h;
	struct fc_vport *v;

	TAILQ_FOREACH (h, &inv->hosts, link) {
		TAILQ_FOREACH (v, &h->vports, link) {
			if (v->wwpn != wwpn)
				continue;
			if (parent)
				*parent = h;
			return v;
		}
	}
	return NULL;
}

/* attribute_container_add_class_device tells of a device before it adds its attributes. */
static void name_rports(struct fc_host *host)
{
	struct fc_rport *r, *next;

	for (r = TAILQ_FIRST(&host->rports); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (!r->wwpn)
			fc_sysfs_refresh_rport(host, r);
	}
}

struct fc_rport *fc_rport_find(const struct fc_host *host, wwn_t wwpn)
{
	struct fc_rport *r;

	name_rports((struct fc_host *)host);
	TAILQ_FOREACH (r, &host->rports, link)
		if (r->wwpn == wwpn)
			return r;
	return NULL;
}

static bool say(char *by, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Always true: "found", and by what. */
static bool say(char *by, size_t size, const char *fmt, ...)
{
	va_list ap;

	if (!by)
		return true;
	va_start(ap, fmt);
	vsnprintf(by, size, fmt, ap);
	va_end(ap);
	return true;
}

unsigned fc_vport_next_number(const struct fc_host *parent)
{
	const struct fc_vport *v;
	unsigned next = 0;

	TAILQ_FOREACH (v, &parent->vports, link)
		if (v->number >= next)
			next = v->number + 1;
	return next;
}

bool fc_name_is_local(const struct fc_inventory *inv, wwn_t wwpn, char *by, size_t size)
{
	struct fc_host *h;
	struct fc_vport *v;

	TAILQ_FOREACH (h, &inv->hosts, link) {
		if (h->wwpn == wwpn || h->wwnn == wwpn)
			return say(by, size, "host%d", h->number);
		TAILQ_FOREACH (v, &h->vports, link)
			if (v->wwpn == wwpn || v->wwnn == wwpn)
				return say(by, size, "vport-%d:%u-%u", h->number, v->channel, v->number);
	}
	return false;
}

bool fc_name_in_use(const struct fc_inventory *inv, wwn_t wwpn, char *by, size_t size)
{
	struct fc_host *h;

	if (fc_name_is_local(inv, wwpn, by, size))
		return true;
	TAILQ_FOREACH (h, &inv->hosts, link)
		if (fc_rport_find(h, wwpn))
			return say(by, size, "a remote port that host%d sees", h->number);
	return false;
}

bool fc_name_is_live(const struct fc_inventory *inv, wwn_t wwpn, char *by, size_t size)
{
	struct fc_host *h;
	char state[32];

	if (fc_name_is_local(inv, wwpn, by, size))
		return true;
	TAILQ_FOREACH (h, &inv->hosts, link) {
		struct fc_rport *r = fc_rport_find(h, wwpn);

		if (r && !fc_rport_read_state(h, r, state, sizeof(state)) && !strcmp(state, "Online"))
			return say(by, size, "a remote port that host%d sees", h->number);
	}
	return false;
}

/*
 * fcoe_vport_create and fcoe_vport_disable start the login, and only then set Initializing
 * (fc_vport_setlink): a login that is done by then leaves a port that is logged in with that state for good.
 * libfc's state of the port itself (fc_get_host_port_state) has no such gap; it is Online for nothing but
 * LPORT_ST_READY.
 */
static bool logged_in_meanwhile(const struct fc_host *parent, const struct fc_vport *v, const char *state)
{
	char port[32];

	return !strcmp(parent->driver, "fcoe") && !strcmp(state, "Initializing") &&
	       fc_sysfs_read(parent, port, sizeof(port), VPORT "/host%d/fc_host/host%d/port_state",
			     parent->number, v->channel, v->number, v->host, v->host) > 0 &&
	       !strcmp(port, "Online");
}

int fc_vport_read_state(const struct fc_host *parent, const struct fc_vport *v, char *state, size_t size)
{
	char path[96];
	ssize_t n = fc_sysfs_read(parent, state, size, "%s/vport_state",
				  vport_path(path, parent, v->channel, v->number));

	if (n >= 0 && logged_in_meanwhile(parent, v, state))
		snprintf(state, size, "Active");
	return n < 0 ? (int)n : 0;
}

void fc_host_refresh_state(struct fc_host *host)
{
	if (fc_sysfs_read(host, host->state, sizeof(host->state), "fc_host/host%d/port_state", host->number) <
	    0)
		host->state[0] = '\0';
}

int fc_host_read_port_id(const struct fc_host *host, uint32_t *id)
{
	uint64_t v;
	int err = fc_sysfs_read_u64(host, &v, "fc_host/host%d/port_id", host->number);

	if (!err)
		*id = v <= 0xffffff ? (uint32_t)v : 0;
	return err;
}

int fc_rport_read_state(const struct fc_host *host, const struct fc_rport *r, char *state, size_t size)
{
	ssize_t n = fc_sysfs_read(host, state, size, RPORT "/fc_remote_ports/" RPORT "/port_state",
				  host->number, r->channel, r->number, host->number, r->channel, r->number);

	return n < 0 ? (int)n : 0;
}

void fc_host_refresh_rport_states(struct fc_host *host)
{
	struct fc_rport *r;

	TAILQ_FOREACH (r, &host->rports, link)
		if (fc_rport_read_state(host, r, r->state, sizeof(r->state)))
			r->state[0] = '\0';
}

void fc_host_refresh_rports(struct fc_host *host)
{
	struct fc_rport *r, *next;

	for (r = TAILQ_FIRST(&host->rports); r; r = next) {
		next = TAILQ_NEXT(r, link);
		fc_sysfs_refresh_rport(host, r);
	}
}

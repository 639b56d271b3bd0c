/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inventory, live: events say which host to read anew; who waits for it is woken. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "cleanup.h"
#include "live.h"
#include "log.h"
#include "op.h"
#include "ios.h"
#include "pools.h"
#include "privq.h"
#include "san.h"
#include "sizes.h"
#include "timers.h"

#define VLAN_US (5 * USEC_PER_SEC)
#define DIRTY_MAX 512 /* more hosts than this at once: everything is read */
#define PARTS_MAX 8 /* more of one host: it is read as a whole */

/* What events have told of a host and nobody has read yet. */
struct dirty_host {
	int number; /* -1: not any more */
	bool whole;
	bool attributes; /* of the host */
	unsigned n;
	struct fc_part part[PARTS_MAX];
};

/* A ring: the host that has waited longest is read first. */
struct dirty {
	struct dirty_host host[DIRTY_MAX];
	unsigned first, n;
	bool all;
};

struct watch {
	struct daemon *d;
	struct dirty dirty;
	struct work work; /* reads it, host by host */
};

static struct dirty_host *dirty_find(struct dirty *dirty, int number)
{
	for (unsigned i = 0; i < dirty->n; i++) {
		struct dirty_host *h = &dirty->host[(dirty->first + i) % DIRTY_MAX];

		if (h->number == number)
			return h;
	}
	return NULL;
}

/* Who waits for it is woken when its turn comes, also if nothing of it is to be read. */
static struct dirty_host *mark(struct dirty *dirty, int number)
{
	struct dirty_host *h = number < 0 ? NULL : dirty_find(dirty, number);

	if (h || number < 0)
		return h;
	if (dirty->n == DIRTY_MAX) {
		dirty->all = true;
		return NULL;
	}
	h = &dirty->host[(dirty->first + dirty->n++) % DIRTY_MAX];
	*h = (struct dirty_host){.number = number};
	return h;
}

static bool same_part(const struct fc_part *a, const struct fc_part *b)
{
	return a->kind == b->kind && a->channel == b->channel && a->number == b->number &&
	       a->target == b->target && a->lun == b->lun;
}

/* A disk, its generic device and its queue are one piece of news: it is read once. */
static void mark_part(struct dirty *dirty, int number, const struct fc_part *part)
{
	struct dirty_host *h = mark(dirty, number);

	if (!h || h->whole)
		return;
	for (unsigned i = 0; i < h->n; i++)
		if (same_part(&h->part[i], part)) {
			h->part[i].came &= part->came;
			return;
		}
	if (part->kind == FC_PART_HOST || h->n == PARTS_MAX)
		h->whole = true;
	else
		h->part[h->n++] = *part;
}

/* The transport's own events tell of links and states: what comes and goes has uevents. */
static void mark_attributes(struct dirty *dirty, int number)
{
	struct dirty_host *h = mark(dirty, number);

	if (h)
		h->attributes = true;
}

static void unmark_part(struct dirty_host *h, const struct fc_part *part)
{
	for (unsigned i = h->n; i--;)
		if (same_part(&h->part[i], part))
			h->part[i] = h->part[--h->n];
}

/* v: the vhba that it is about. */
static void wake(struct daemon *d, struct vm *vm, struct vm_vhba *v)
{
	timers_look_vhba(d, vm, v);
	pools_look(d, vm->uuid);
	ios_news(d, vm->uuid);
	if (vm->op && vm->op->kind == OP_ATTACH)
		op_attach_news(vm->op, (int)(v - vm->vhba));
	else
		vm_wake(d, vm);
}

static void wake_vm(struct daemon *d, struct vm *vm)
{
	timers_look(d, vm);
	pools_look(d, vm->uuid);
	ios_news(d, vm->uuid);
	if (vm->op && vm->op->kind == OP_ATTACH)
		op_attach_news(vm->op, -1);
	else
		vm_wake(d, vm);
}

static void wake_all(struct daemon *d)
{
	struct vm *vm, *next;

	live_path(d, -1);
	for (vm = TAILQ_FIRST(&d->vms); vm; vm = next) {
		next = TAILQ_NEXT(vm, link);
		wake_vm(d, vm);
	}
}

/* The vhba whose vport is, or is on, this host. */
static struct vm_vhba *concerned(struct daemon *d, int host, struct vm **vm)
{
	const struct fc_host *h = fc_host_find(&d->inv, host);
	struct vm_vhba *v = h && h->parent >= 0 ? vm_find_wwpn(&d->vms, h->wwpn, vm) : NULL;

	return v ? v : vm_find_host(&d->vms, host, vm);
}

static void wake_host(struct daemon *d, int host)
{
	struct vm *vm = NULL;
	struct vm_vhba *v = concerned(d, host, &vm);

	live_path(d, host);
	if (v)
		wake(d, vm, v);
}

/* What an event says has ended has, whatever sysfs still shows. */
static void take_end(struct daemon *d, const struct fc_event *ev, struct dirty *dirty)
{
	struct dirty_host *h;
	unsigned channel, number;
	int host;

	if (!strcmp(ev->subsystem, "fc_vports") &&
	    sscanf(ev->name, "vport-%d:%u-%u", &host, &channel, &number) == 3) {
		fc_inventory_vport_gone(&d->inv, host, channel, number);
	} else if (!strcmp(ev->subsystem, "fc_host") && sscanf(ev->name, "host%d", &host) == 1) {
		h = dirty_find(dirty, host);
		if (h)
			h->number = -1;
		fc_inventory_host_gone(&d->inv, host);
		wake_host(d, host);
	} else if (!strcmp(ev->subsystem, "fc_remote_ports") || !strcmp(ev->subsystem, "scsi_device")) {
		h = mark(dirty, ev->host);
		if (h)
			unmark_part(h, &ev->part);
		fc_inventory_part_gone(&d->inv, ev->host, &ev->part);
	}
}

/*
 * To be read: what came or changed; of what goes, what there is above it.  A vport, a remote port or a LUN
 * that goes says by that all that there is to know.  The kernel tells of a vport before its attributes are
 * there (attribute_container_add_class_device): when its host comes they are.
 */
static void take_news(const struct fc_event *ev, struct dirty *dirty)
{
	const struct fc_part vport = {
		.kind = FC_PART_VPORT, .channel = ev->part.channel, .number = ev->part.number};
	bool part_ends = !strcmp(ev->subsystem, "fc_vports") || !strcmp(ev->subsystem, "fc_remote_ports") ||
			 !strcmp(ev->subsystem, "scsi_device");

	if (ev->netlink)
		mark_attributes(dirty, ev->host);
	else if (!ev->removed || !part_ends)
		mark_part(dirty, ev->host, &ev->part);
	if (!ev->removed && !strcmp(ev->subsystem, "fc_host") && ev->parent >= 0)
		mark_part(dirty, ev->parent, &vport);
}

#define MAP_PATHS_MAX 64

/*
 * A multipath map that comes or changes: multipathd has written its paths' rport timers, of which nobody
 * tells, right before. Whoever these paths are of is woken.
 */
static void take_map(struct daemon *d, const struct fc_event *ev, struct dirty *dirty)
{
	int hosts[MAP_PATHS_MAX];
	unsigned n = 0;

	if (!ev->removed && !strcmp(ev->subsystem, "block") && !strncmp(ev->name, "dm-", 3))
		n = fc_events_map_hosts(ev->name, hosts, MAP_PATHS_MAX);
	for (unsigned i = 0; i < n; i++)
		if (fc_host_find(&d->inv, hosts[i]))
			mark(dirty, hosts[i]);
}

static void note_change(struct daemon *d, const struct fc_event *ev)
{
	if (ev->netlink)
		daemon_event(d, "parent", NULL, "host%d: FC transport event %#x", ev->host, ev->code);
	else if (!strcmp(ev->subsystem, "fc_vports") || !strcmp(ev->subsystem, "fc_remote_ports"))
		daemon_event(d, !strcmp(ev->subsystem, "fc_vports") ? "vport" : "target", NULL,
			     "host%d: a %s %s", ev->host,
			     !strcmp(ev->subsystem, "fc_vports") ? "vport" : "remote port",
			     ev->removed ? "went" : "came");
	else if (!strcmp(ev->subsystem, "scsi_disk"))
		daemon_event(d, "lun", NULL, "host%d: a disk %s", ev->host, ev->removed ? "went" : "came");
}

/* ---- the VLANs of FCoE interfaces, which root alone can read ---- */

static void on_vlan(void *user, const struct priv_reply *r)
{
	struct daemon *d = user;
	struct fc_host *h;

	if (r->err)
		return;
	TAILQ_FOREACH (h, &d->inv.hosts, link) {
		if (strcmp(h->netdev, r->text))
			continue;
		h->vlan = (uint16_t)r->number;
		h->vlan_known = true;
	}
	wake_all(d);
}

static void learn_vlans(struct daemon *d)
{
	struct fc_host *h;

	TAILQ_FOREACH (h, &d->inv.hosts, link) {
		struct priv_request q = {.verb = PRIV_NETDEV_VLAN};

		if (h->parent >= 0 || !h->netdev[0] || h->vlan_known)
			continue;
		h->vlan_known = true;
		h->vlan = fcoe_vlan(d, h->netdev);
		snprintf(q.name, sizeof(q.name), "%s", h->netdev);
		if (!h->vlan)
			privq_call(d->privq, &q, VLAN_US, on_vlan, d);
	}
}

void watch_scan(struct daemon *d)
{
	fc_inventory_scan(&d->inv);
	learn_vlans(d);
}

static void read_all(struct watch *w)
{
	w->dirty.all = false;
	w->dirty.n = 0;
	log_notice("events were lost: everything is read anew");
	watch_scan(w->d);
	wake_all(w->d);
}

static void read_host(struct daemon *d, const struct dirty_host *h)
{
	struct fc_host *host = fc_host_find(&d->inv, h->number);
	bool whole = h->whole || (h->n && !host) || (h->attributes && (!host || !host->wwpn));

	if (!whole && h->attributes)
		fc_inventory_refresh_attributes(host);
	if (whole)
		watch_refresh(d, h->number);
	for (unsigned i = 0; !whole && i < h->n; i++)
		fc_inventory_refresh_part(&d->inv, h->number, &h->part[i]);
}

/* The host that has waited longest; the next one after whatever else is to be done. */
static void read_one(struct work *work)
{
	struct watch *w = (struct watch *)((char *)work - offsetof(struct watch, work));
	struct dirty *dirty = &w->dirty;
	struct dirty_host h = dirty->host[dirty->first];

	if (dirty->all) {
		read_all(w);
		return;
	}
	if (!dirty->n)
		return;
	dirty->first = (dirty->first + 1) % DIRTY_MAX;
	dirty->n--;
	if (dirty->n)
		work_queue(&w->d->works, &w->work);
	if (h.number < 0)
		return;
	read_host(w->d, &h);
	wake_host(w->d, h.number);
}

/* Below a parent that is not wanted, or not known yet: it comes with the hosts of its vports. */
static bool is_foreign(const struct daemon *d, const struct fc_event *ev)
{
	return ev->parent >= 0 && !fc_host_find(&d->inv, ev->parent) &&
	       (!ev->removed || !fc_host_find(&d->inv, ev->host));
}

static int on_events(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct watch *w = user;
	struct daemon *d = w->d;
	struct monotime end = mono_add(mono_now(), WORK_SLICE_US);
	struct fc_event ev;

	(void)s;
	(void)fd;
	(void)revents;
	while (fc_events_next(d->fcev, &ev)) {
		w->dirty.all |= ev.overflow;
		if (!strcmp(ev.subsystem, "net") || is_foreign(d, &ev))
			continue;
		take_news(&ev, &w->dirty);
		take_map(d, &ev, &w->dirty);
		if (ev.attention != FC_UA_NONE)
			sizes_attention(d, ev.attention, ev.host, &ev.part);
		note_change(d, &ev);
		if (ev.removed)
			take_end(d, &ev, &w->dirty);
		if (mono_reached(end, mono_now()))
			break; /* what is left makes the descriptor readable again */
	}
	if (w->dirty.n || w->dirty.all)
		work_queue(&d->works, &w->work);
	return 0;
}

/* Two daemons may share a kernel: one cares for the ports that its configuration names, and for what it made.
 */
static bool wanted(void *arg, const struct fc_host *h)
{
	const struct daemon *d = arg;
	char wwn[WWN_TEXT];

	if (d->cfg->parents_all)
		return true;
	if (h->netdev[0] && fcoe_vlan(d, h->netdev))
		return true;
	wwn_format(h->wwpn, wwn);
	for (unsigned i = 0; i < d->cfg->parents_n; i++) {
		wwn_t named;

		if (!strcmp(d->cfg->parents[i], h->netdev))
			return true;
		if (!wwn_parse(d->cfg->parents[i], &named, NULL) && named == h->wwpn)
			return true;
	}
	return false;
}

int watch_open(struct daemon *d, struct verror *e)
{
	int fd;

	fc_inventory_init(&d->inv, wanted, d);
	d->fcev = fc_events_new(e);
	if (!d->fcev)
		return -EIO;
	fd = fc_events_netlink_fd(d->fcev);
	d->watch = calloc(1, sizeof(*d->watch));
	if (!d->watch)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	d->watch->d = d;
	d->watch->work.fn = read_one;
	if (sd_event_add_io(d->loop, NULL, fc_events_uevent_fd(d->fcev), EPOLLIN, on_events, d->watch) < 0 ||
	    (fd >= 0 && sd_event_add_io(d->loop, NULL, fd, EPOLLIN, on_events, d->watch) < 0))
		return verror_set(e, VHBA_E_INTERNAL, "events can't be watched");
	/* After the monitor is open, so that nothing falls between. */
	watch_scan(d);
	return 0;
}

void watch_close(struct daemon *d)
{
	fc_inventory_clear(&d->inv);
	if (d->watch)
		work_cancel(&d->works, &d->watch->work);
	free(steal_ptr(d->watch));
	if (d->fcev)
		fc_events_free(steal_ptr(d->fcev));
}

void watch_refresh_parents(struct daemon *d)
{
	struct fc_host *h, *next;

	for (h = TAILQ_FIRST(&d->inv.hosts); h; h = next) {
		next = TAILQ_NEXT(h, link);
		if (h->parent < 0)
			fc_inventory_refresh_attributes(h);
	}
}

void watch_refresh(struct daemon *d, int host)
{
	if (host < 0)
		return;
	fc_inventory_refresh(&d->inv, host);
	learn_vlans(d);
}

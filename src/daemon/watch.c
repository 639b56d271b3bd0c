/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inventory, live: events say which host to read anew; who waits for it is woken. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "cleanup.h"
#include "log.h"
#include "op.h"
#include "privq.h"
#include "san.h"
#include "timers.h"

#define VLAN_US (5 * USEC_PER_SEC)
#define DIRTY_MAX 512 /* more hosts than this at once: everything is read */

/* What events have told and nobody has read yet. */
struct dirty {
	int host[DIRTY_MAX];
	unsigned n;
	bool all;
};

struct watch {
	struct daemon *d;
	struct dirty dirty;
	struct work work; /* reads it, host by host */
};

static void mark(struct dirty *dirty, int host)
{
	if (host < 0)
		return;
	for (unsigned i = 0; i < dirty->n; i++)
		if (dirty->host[i] == host)
			return;
	if (dirty->n == DIRTY_MAX)
		dirty->all = true;
	else
		dirty->host[dirty->n++] = host;
}

static void wake(struct daemon *d, struct vm *vm)
{
	timers_look(d, vm);
	if (vm->op && vm->op->kind == OP_ATTACH)
		op_attach_look(vm->op);
	else
		vm_wake(d, vm);
}

static void wake_all(struct daemon *d)
{
	struct vm *vm, *next;

	for (vm = TAILQ_FIRST(&d->vms); vm; vm = next) {
		next = TAILQ_NEXT(vm, link);
		wake(d, vm);
	}
}

/* The VM whose vport is, or is on, this host. */
static struct vm *concerned(struct daemon *d, int host)
{
	const struct fc_host *h = fc_host_find(&d->inv, host);
	struct vm *vm = NULL;

	if (h && h->parent >= 0 && vm_find_wwpn(&d->vms, h->wwpn, &vm))
		return vm;
	vm_find_host(&d->vms, host, &vm);
	return vm;
}

static void wake_host(struct daemon *d, int host)
{
	struct vm *vm = concerned(d, host);

	if (vm)
		wake(d, vm);
}

static void unmark(struct dirty *dirty, int host)
{
	for (unsigned i = 0; i < dirty->n; i++)
		if (dirty->host[i] == host)
			memmove(dirty->host + i, dirty->host + i + 1, (--dirty->n - i) * sizeof(host));
}

/* What an event says has ended has, whatever sysfs still shows. */
static void take_end(struct daemon *d, const struct fc_event *ev, struct dirty *dirty)
{
	unsigned channel, number;
	int host;

	if (!strcmp(ev->subsystem, "fc_vports") &&
	    sscanf(ev->name, "vport-%d:%u-%u", &host, &channel, &number) == 3) {
		fc_inventory_vport_gone(&d->inv, host, channel, number);
	} else if (!strcmp(ev->subsystem, "fc_host") && sscanf(ev->name, "host%d", &host) == 1) {
		unmark(dirty, host);
		fc_inventory_host_gone(&d->inv, host);
		wake_host(d, host);
	}
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

/* The host that has waited longest; the next one after whatever else is to be done. */
static void read_one(struct work *work)
{
	struct watch *w = (struct watch *)((char *)work - offsetof(struct watch, work));
	struct dirty *dirty = &w->dirty;
	int host = dirty->host[0];

	if (dirty->all) {
		read_all(w);
		return;
	}
	if (!dirty->n)
		return;
	dirty->n--;
	memmove(dirty->host, dirty->host + 1, dirty->n * sizeof(dirty->host[0]));
	fc_inventory_refresh(&w->d->inv, host);
	learn_vlans(w->d);
	if (dirty->n || dirty->all)
		work_queue(&w->d->works, &w->work);
	wake_host(w->d, host);
}

/*
 * A parent is read anew when a vport or its host comes or goes, not for each rport and disk below: that is
 * ten times for every vport, and the parent of 255 has 255 to look through.
 */
static bool concerns_parent(const struct fc_event *ev)
{
	return !strcmp(ev->subsystem, "fc_vports") || !strcmp(ev->subsystem, "fc_host");
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
		/* A disk, its generic device and its queue are one piece of news: the last one completes it.
		 */
		if (!strcmp(ev.subsystem, "net"))
			continue;
		mark(&w->dirty, ev.host);
		if (concerns_parent(&ev))
			mark(&w->dirty, ev.parent);
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

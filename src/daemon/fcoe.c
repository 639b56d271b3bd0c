/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parents made of Ethernet interfaces: FIP VLAN discovery, the VLAN and macvlan links, the FCoE controller.
 * Each step is a verb of vhba-priv and idempotent, so that a restarted daemon takes over what its predecessor
 * made.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "op.h"
#include "privq.h"

#define VERB_US (30 * USEC_PER_SEC)
#define RETRY_US (2 * USEC_PER_SEC)

struct fcoe_parent {
	TAILQ_ENTRY(fcoe_parent) link;
	struct daemon *d;
	char ifname[16]; /* the Ethernet interface */
	char netdev[16]; /* the macvlan on its VLAN; "" until it is made */
	uint16_t vlan;
	int host; /* -1: no controller */
	bool busy; /* a step of bringing it up is under way */
	bool stopping;
	char said[160]; /* why it failed last */
	sd_event_source *retry;
};

/* An interface whose VLANs are still being discovered has this alone. */
static struct fcoe_parent *parent_new(struct daemon *d, const char *ifname, uint16_t vlan)
{
	struct fcoe_parent *p;

	TAILQ_FOREACH (p, &d->fcoe, link)
		if (!strcmp(p->ifname, ifname) && p->vlan == vlan)
			return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->d = d;
	p->vlan = vlan;
	p->host = -1;
	snprintf(p->ifname, sizeof(p->ifname), "%s", ifname);
	if (vlan &&
	    snprintf(p->netdev, sizeof(p->netdev), "%.10s.%uf", ifname, vlan) >= (int)sizeof(p->netdev))
		p->netdev[0] = '\0'; /* too long for the kernel too: PRIV_LINK_ADD says so */
	TAILQ_INSERT_TAIL(&d->fcoe, p, link);
	return p;
}

static void parent_free(struct fcoe_parent *p)
{
	TAILQ_REMOVE(&p->d->fcoe, p, link);
	sd_event_source_disable_unref(p->retry);
	free(p);
}

/* "eth0.10f" of "eth0": the VLAN, 0: another interface's. */
static uint16_t vlan_in_name(const char *netdev, const char *ifname)
{
	size_t n = strlen(ifname);
	unsigned vlan;
	char end;

	if (strncmp(netdev, ifname, n) || sscanf(netdev + n, ".%4u%c", &vlan, &end) != 2 || end != 'f' ||
	    vlan > 4094)
		return 0;
	return (uint16_t)vlan;
}

/* While an interface's VLANs are still being discovered, what an earlier daemon made on it is known by its
 * name. */
uint16_t fcoe_vlan(const struct daemon *d, const char *netdev)
{
	const struct fcoe_parent *p;

	TAILQ_FOREACH (p, &d->fcoe, link)
		if (p->netdev[0] && !strcmp(p->netdev, netdev))
			return p->vlan;
	for (unsigned i = 0; i < d->cfg->fcoe_n; i++)
		if (d->cfg->fcoe[i].discover && vlan_in_name(netdev, d->cfg->fcoe[i].ifname))
			return vlan_in_name(netdev, d->cfg->fcoe[i].ifname);
	return 0;
}

static void begin(struct fcoe_parent *p);

static int on_retry(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	begin(user);
	return 0;
}

/* What failed is said once and tried again: a cable or a switch may come later. */
static void failed(struct fcoe_parent *p, const struct priv_reply *r)
{
	char why[sizeof(p->said)];

	snprintf(why, sizeof(why), "%s: %s%s%.80s", priv_verb_name(r->verb), strerror(-r->err),
		 r->text[0] ? ": " : "", r->text);
	if (strcmp(why, p->said)) {
		memcpy(p->said, why, sizeof(why));
		log_warning("[fcoe %s]: %s", p->ifname, why);
		daemon_event(p->d, "parent", NULL, "%s: %s", p->ifname, why);
	}
	if (!p->d->stopping)
		daemon_timer(p->d, &p->retry, mono_add(mono_now(), RETRY_US), on_retry, p);
}

static void take_down(struct fcoe_parent *p);

/* A step has ended; true: what is wanted by now is the reverse. */
static bool overtaken(struct fcoe_parent *p)
{
	p->busy = false;
	if (p->stopping && p->vlan)
		take_down(p);
	return p->stopping;
}

static void on_controller(void *user, const struct priv_reply *r)
{
	struct fcoe_parent *p = user;

	if (overtaken(p))
		return;
	if (r->err) {
		failed(p, r);
		return;
	}
	p->said[0] = '\0';
	p->host = r->value;
	watch_refresh(p->d, p->host);
	daemon_event(p->d, "parent", NULL, "host%d on %s carries VLAN %u of %s", p->host, p->netdev, p->vlan,
		     p->ifname);
}

static void on_link(void *user, const struct priv_reply *r)
{
	struct priv_request q = {.verb = PRIV_FCOE_CREATE};
	struct fcoe_parent *p = user;

	if (overtaken(p))
		return;
	if (r->err) {
		failed(p, r);
		return;
	}
	snprintf(p->netdev, sizeof(p->netdev), "%.15s", r->text);
	snprintf(q.name, sizeof(q.name), "%s", p->netdev);
	p->busy = true;
	privq_call(p->d->privq, &q, VERB_US, on_controller, p);
}

static void on_vlans(void *user, const struct priv_reply *r)
{
	struct fcoe_parent *p = user, *made;
	struct daemon *d = p->d;
	char text[PRIV_TEXT_MAX], *save = NULL;

	if (overtaken(p))
		return;
	if (r->err || !r->count) {
		struct priv_reply none = *r;

		if (!none.err) {
			none.err = -ETIMEDOUT;
			snprintf(none.text, sizeof(none.text), "no FCF answered the FIP VLAN request");
		}
		failed(p, &none);
		return;
	}
	snprintf(text, sizeof(text), "%s", r->text);
	for (char *v = strtok_r(text, ",", &save); v; v = strtok_r(NULL, ",", &save)) {
		made = parent_new(d, p->ifname, (uint16_t)atoi(v));
		if (made && made->host < 0)
			begin(made);
	}
	parent_free(p);
}

static void begin(struct fcoe_parent *p)
{
	struct priv_request q = {.verb = p->vlan ? PRIV_LINK_ADD : PRIV_FIP_VLANS, .number = p->vlan};

	snprintf(q.name, sizeof(q.name), "%s", p->ifname);
	p->busy = true;
	privq_call(p->d->privq, &q, p->vlan ? VERB_US : p->d->cfg->fip_timeout, p->vlan ? on_link : on_vlans,
		   p);
}

int fcoe_start(struct daemon *d, struct verror *e)
{
	for (unsigned i = 0; i < d->cfg->fcoe_n; i++) {
		const struct config_fcoe *f = &d->cfg->fcoe[i];

		for (unsigned k = 0; k < (f->discover ? 1 : f->count); k++) {
			struct fcoe_parent *p = parent_new(d, f->ifname, f->discover ? 0 : f->vlans[k]);

			if (!p)
				return verror_set(e, VHBA_E_INTERNAL, "out of memory");
			begin(p);
		}
	}
	return 0;
}

/* ---- taking down ---- */

struct teardown {
	struct daemon *d;
	unsigned waiting;
	void (*done)(struct daemon *d);
};

static struct teardown teardown;

static void one_down(void)
{
	if (!--teardown.waiting)
		teardown.done(teardown.d);
}

static void on_link_gone(void *user, const struct priv_reply *r)
{
	struct fcoe_parent *p = user;

	if (r->err)
		log_warning("%s could not be taken down: %s %s", p->netdev, strerror(-r->err), r->text);
	one_down();
}

static void on_controller_gone(void *user, const struct priv_reply *r)
{
	struct priv_request q = {.verb = PRIV_LINK_DELETE};
	struct fcoe_parent *p = user;

	if (r->err == -EPERM) {
		log_notice("%s and its FCoE controller stay: %s", p->netdev, r->text);
		one_down();
		return;
	}
	if (r->err)
		log_warning("the FCoE controller on %s could not be destroyed: %s %s", p->netdev,
			    strerror(-r->err), r->text);
	snprintf(q.name, sizeof(q.name), "%s", p->netdev);
	privq_call(p->d->privq, &q, VERB_US, on_link_gone, p);
}

/*
 * A parent that still carries vports stays: its VMs outlive the daemon, and the next one adopts them.  Known
 * by its interface, since the controller of an earlier daemon may not have been asked for yet.
 */
static bool carries_vports(const struct daemon *d, const struct fcoe_parent *p)
{
	const struct fc_host *h;

	TAILQ_FOREACH (h, &d->inv.hosts, link)
		if (h->parent < 0 && !strcmp(h->netdev, p->netdev) && !TAILQ_EMPTY(&h->vports))
			return true;
	return false;
}

static void take_down(struct fcoe_parent *p)
{
	struct priv_request q = {.verb = PRIV_FCOE_DESTROY};

	if (!p->netdev[0] || carries_vports(p->d, p)) {
		one_down();
		return;
	}
	snprintf(q.name, sizeof(q.name), "%s", p->netdev);
	privq_call(p->d->privq, &q, VERB_US, on_controller_gone, p);
}

/* What an earlier daemon made on an interface whose VLANs this one has not discovered yet. */
static void take_over(struct daemon *d)
{
	const struct fc_host *h;

	TAILQ_FOREACH (h, &d->inv.hosts, link) {
		for (unsigned i = 0; h->parent < 0 && i < d->cfg->fcoe_n; i++) {
			const struct config_fcoe *f = &d->cfg->fcoe[i];
			uint16_t vlan = f->discover ? vlan_in_name(h->netdev, f->ifname) : 0;

			if (vlan)
				parent_new(d, f->ifname, vlan);
		}
	}
}

void fcoe_stop(struct daemon *d, void (*done)(struct daemon *d))
{
	struct fcoe_parent *p;

	watch_scan(d); /* vports of a moment ago count */
	take_over(d);
	teardown = (struct teardown){.d = d, .waiting = 1, .done = done};
	TAILQ_FOREACH (p, &d->fcoe, link) {
		p->stopping = true;
		daemon_timer(d, &p->retry, MONOTIME_NEVER, NULL, NULL);
		teardown.waiting++;
		/* A step that is under way ends first; a discovery has made nothing. */
		if (!p->busy || !p->vlan)
			take_down(p);
	}
	one_down();
}

void fcoe_free(struct daemon *d)
{
	while (!TAILQ_EMPTY(&d->fcoe))
		parent_free(TAILQ_FIRST(&d->fcoe));
}

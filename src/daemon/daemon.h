/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhbad: what its parts share.  One thread runs one event loop; nothing in it blocks.  Reads of sysfs are
 * allowed, writes go to vhba-priv, the registry's disk has a thread of its own.
 */
#ifndef VHBA_DAEMON_H
#define VHBA_DAEMON_H

#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "control.h"
#include "eventlog.h"
#include "events.h"
#include "inventory.h"
#include "logouts.h"
#include "monotime.h"
#include "registry.h"
#include "vm.h"
#include "work.h"

struct privq;
struct op;
struct fcoe_parent; /* fcoe.c */
struct handover; /* handover.c */
struct ios; /* ios.c */
struct domains; /* domains.c */
struct history; /* history.c */
struct pools; /* pools.c */
struct watch; /* watch.c */

TAILQ_HEAD(op_list, op);
TAILQ_HEAD(watcher_list, watcher);
TAILQ_HEAD(fcoe_list, fcoe_parent);
TAILQ_HEAD(handover_list, handover);

struct daemon {
	struct config *cfg;
	sd_event *loop;
	struct monotime started;
	struct works works;
	struct fc_inventory inv;
	struct fc_events *fcev;
	struct watch *watch;
	struct registry *reg;
	struct privq *privq;
	struct control *control;
	struct eventlog events;
	struct watcher_list watchers; /* callers that follow the events */
	struct vm_list vms;
	struct op_list ops;
	struct logouts logouts;
	sd_event_source *logout_timer; /* a turn ends by itself */
	struct fcoe_list fcoe;
	struct pools *pools;
	struct ios *ios;
	struct domains *domains;
	struct history *history;
	struct handover_list handovers; /* that wait for an earlier change */
	sd_event_source *registry_timer;
	uint64_t last_op_id;
	bool stopping;
};

/* Set up everything but the loop's run; *e says what is wrong. daemon_free takes down what was set up. */
int daemon_init(struct daemon *d, struct config *cfg, struct verror *e);
void daemon_free(struct daemon *d);

/* Note an event, and tell those who follow. vm may be NULL. */
void daemon_event(struct daemon *d, const char *kind, const char *vm, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* (Re)arm *source to call fn at t; MONOTIME_NEVER disarms. */
void daemon_timer(struct daemon *d, sd_event_source **source, struct monotime t, sd_event_time_handler_t fn,
		  void *user);

/*
 * The same for what is promised by then: it goes before all that has no time (answers of helpers, events,
 * work.h), and after the requests that come in (control.c).
 */
void daemon_deadline(struct daemon *d, sd_event_source **source, struct monotime t,
		     sd_event_time_handler_t fn, void *user);

/* After a change to the registry was submitted: see that lateness is noticed. */
void daemon_registry_changed(struct daemon *d);

/* watch.c: the inventory, live */
int watch_open(struct daemon *d, struct verror *e);
void watch_close(struct daemon *d);
/* Read the physical hosts' own attributes anew: there is no event for a link or a login. */
void watch_refresh_parents(struct daemon *d);
/* Read everything anew. */
void watch_scan(struct daemon *d);
/* Read one Scsi_Host anew. */
void watch_refresh(struct daemon *d, int host);

/* fcoe.c: parents made of Ethernet interfaces */
int fcoe_start(struct daemon *d, struct verror *e);
/* Take down what was made; calls done when it is down (or at once). */
void fcoe_stop(struct daemon *d, void (*done)(struct daemon *d));
/* The VLAN of an interface that was made here for a parent; 0: it was not. */
uint16_t fcoe_vlan(const struct daemon *d, const char *netdev);
void fcoe_free(struct daemon *d);

/* The run-time object of a registered VM, made when there is none. NULL when memory is short. */
struct vm *vm_of_registry(struct daemon *d, const struct reg_vm *rv);

/* adopt.c: at start, vports by WWPN, and what the journals say was under way */
void adopt_all(struct daemon *d);

/* methods.c */
void methods_handle(void *user, struct call *call, const struct proto_request *req);

#endif

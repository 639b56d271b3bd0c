/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhba-virt: what its parts share.  One thread runs one event loop, which never calls libvirt: that is done
 * by jobs (job.h).  link.c is a client of vhbad, which says what is wanted; lvconn.c has the connection to
 * libvirt, virt.c the pools, each with one job at a time.  Nothing is kept: pools are found by their UUIDs.
 */
#ifndef VHBA_VIRT_H
#define VHBA_VIRT_H

#include <systemd/sd-event.h>

#include <vhba/vhba.h>

#include "job.h"
#include "pool.h"

struct virt_options {
	const char *socket; /* vhbad's; NULL: the default */
	const char *uri; /* libvirt's, for pools */
	const char *domains; /* libvirt's, for domains */
	const char *links; /* the folder of the pools' folders */
	const char *by; /* where udev's names are */
	const char *notes; /* where a migration that is under way is noted */
};

TAILQ_HEAD(own_pools, pool);
TAILQ_HEAD(task_list, task); /* task.h */
TAILQ_HEAD(mend_list, mending); /* mend.h */

struct virt {
	const struct virt_options *o;
	void (*stopped)(struct virt *v); /* virt_stop's; NULL: it goes on */
	sd_event *loop;
	struct jobs *jobs;
	/* libvirt */
	virConnectPtr conn; /* NULL: none */
	unsigned generation; /* of it: what a job of an earlier one tells does not count */
	bool opening;
	unsigned open_failures;
	sd_event_source *open_timer;
	bool listing, list_again,
		listed; /* all pools: under way, once more after it, done since the connection */
	char why[256]; /* there is no connection */
	/* pools */
	struct own_pools pools;
	struct json_object *others; /* those that are not own, as reported; NULL: not known */
	bool others_told;
	sd_event_source *pool_timer; /* the next retry; after virt_stop, how long it waits */
	/* vhbad */
	struct vhba_conn *serve, *report; /* NULL: none */
	bool complete; /* all orders have come */
	bool answered; /* the last report has been answered: the next may go */
	unsigned link_failures;
	sd_event_source *link_timer, *serve_io, *report_io;
	/* domains */
	struct vhba_conn *orders; /* NULL: none */
	sd_event_source *orders_io;
	struct task_list tasks; /* that run */
	struct mend_list mends; /* migrations that were cut off */
	sd_event_source *mend_timer; /* the next attempt at one */
	/* domains that come by a migration */
	struct follow *follow;
	virConnectPtr follow_conn; /* NULL: none */
	unsigned follow_failures;
	sd_event_source *follow_timer;
};

/* 0 or a negative errno with *e. */
int virt_begin(struct virt *v, sd_event *loop, const struct virt_options *o, struct verror *e);

/*
 * The connections are closed, nothing new is begun; stopped is called when libvirt has no call of ours any
 * more, or has had it for too long.
 */
void virt_stop(struct virt *v, void (*stopped)(struct virt *v));

/* After that. False: libvirt still has a call of ours, the process is to end without clearing up. */
bool virt_end(struct virt *v);

/* For every pool what is due is begun, and what has changed is reported. */
void virt_look(struct virt *v);

/* The pool of that WWPN, made when there is none (NULL: no memory). */
struct pool *virt_pool(struct virt *v, uint64_t wwpn);

/* (Re)arm *source to call fn at t; MONOTIME_NEVER disarms. */
void virt_timer(struct virt *v, sd_event_source **source, struct monotime t, sd_event_time_handler_t fn);

/* lvconn.c */
void libvirt_open(struct virt *v);
void libvirt_list(struct virt *v);
/* The connection is of no more use: another is opened, and what libvirt has is asked anew. */
void libvirt_lost(struct virt *v);
void libvirt_close(struct virt *v); /* what is under way on it goes on */

/* link.c */
void link_open(struct virt *v);
void link_close(struct virt *v);
void link_report(struct virt *v);
void link_lost(struct virt *v, const struct vhba_error *e); /* they are all closed, and opened anew */
void link_watch(sd_event_source *io, const struct vhba_conn *c);

/* follow.c */
void follow_open(struct virt *v);
void follow_take(struct virt *v); /* what has come since */
void follow_stop(struct virt *v);
void follow_end(struct virt *v);

/* What libvirt has told of a domain. */
enum follow_what {
	FOLLOW_MIGRATES, /* from here or to here: it has begun */
	FOLLOW_LEAVES, /* it is paused for the switch-over */
	FOLLOW_FLUSHED, /* its disks have nothing under way any more */
	FOLLOW_DONE, /* libvirt has handed it over: it never goes on here */
	FOLLOW_GONE, /* it has moved */
	FOLLOW_RESUMES, /* it runs again */
	FOLLOW_ARRIVES, /* it runs here after a migration, or again after one that failed */
	FOLLOW_STOPS,
	FOLLOW_FAILS, /* the migration, before the pause */
};

/* task.c: what is due then; nobody waits for it. */
void task_told(struct virt *v, const char *uuid, enum follow_what what);
/* task.c: an attempt to mend a migration that was cut off; mend_done is called. False: it does not begin. */
bool task_mend(struct virt *v, const char *uuid);

/* task.c: the connection on which orders for domains come (domain.Serve). 0, or -1 with *e. */
int orders_open(struct virt *v, struct vhba_error *e);
void orders_close(struct virt *v);

#endif

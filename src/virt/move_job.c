/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/virterror.h>

#include "cleanup.h"
#include "domain.h"
#include "method.h"
#include "move.h"

#define EVENTS 200
#define EVENT_US (5 * USEC_PER_MSEC)
#define LOOK_US (200 * USEC_PER_MSEC) /* libvirt has no event for bytes */

/* While the task's thread waits in libvirt's migration, this one tells of it, and ends it. */
struct watcher {
	struct move *m;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over, late, called_off;
};

void move_progress(struct move *m, const char *phase, unsigned percent, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "phase", json_object_new_string(phase));
	if (percent <= 100)
		json_object_object_add(o, "percent", json_object_new_int((int)percent));
	if (text)
		json_object_object_add(o, "text", json_object_new_string(text));
	task_progress(m->t, o);
}

/* ---- events ---- */

static void note(_Atomic uint64_t *at)
{
	uint64_t never = 0;

	atomic_compare_exchange_strong(at, &never, mono_now().us);
}

struct move_times *move_times_new(const char *uuid)
{
	struct move_times *times = calloc(1, sizeof(*times));

	if (!times)
		return NULL;
	times->refs = 1;
	snprintf(times->uuid, sizeof(times->uuid), "%s", uuid);
	return times;
}

void move_times_unref(void *user)
{
	struct move_times *times = user;

	if (times && !--times->refs)
		free(times);
}

/* The destination tells of all its domains: this one is not there yet. */
static bool is_it(const struct move_times *times, virDomainPtr dom)
{
	char uuid[VIR_UUID_STRING_BUFLEN];

	return !virDomainGetUUIDString(dom, uuid) && !strcmp(uuid, times->uuid);
}

/* libvirt's own thread. */
static int on_source(virConnectPtr c, virDomainPtr dom, int event, int detail, void *user)
{
	struct move_times *times = user;

	(void)c;
	(void)detail;
	if (event == VIR_DOMAIN_EVENT_SUSPENDED && is_it(times, dom))
		note(&times->paused);
	else if (event == VIR_DOMAIN_EVENT_STOPPED && is_it(times, dom))
		note(&times->left);
	return 0;
}

static int on_destination(virConnectPtr c, virDomainPtr dom, int event, int detail, void *user)
{
	struct move_times *times = user;

	(void)c;
	(void)detail;
	if (event == VIR_DOMAIN_EVENT_STARTED && is_it(times, dom))
		note(&times->prepared);
	else if (event == VIR_DOMAIN_EVENT_RESUMED && is_it(times, dom))
		note(&times->resumed);
	return 0;
}

/* ---- the watcher ---- */

static unsigned long long number(virTypedParameterPtr params, int n, const char *name)
{
	unsigned long long v = 0;

	virTypedParamsGetULLong(params, n, name, &v);
	return v;
}

static const char *phase_of(const struct move *m)
{
	return m->times->left		      ? "finish"
	       : m->times->paused && !m->held ? "switch-over"
	       : m->times->prepared	      ? "memory"
					      : "prepare";
}

static void tell(struct watcher *w)
{
	struct move *m = w->m;
	virTypedParameterPtr params = NULL;
	unsigned long long total, done, left;
	int type, n = 0;
	char text[160];

	if (virDomainGetJobStats(m->dom, &type, &params, &n, 0) || type == VIR_DOMAIN_JOB_NONE)
		n = 0;
	total = number(params, n, VIR_DOMAIN_JOB_DATA_TOTAL);
	done = number(params, n, VIR_DOMAIN_JOB_DATA_PROCESSED);
	left = number(params, n, VIR_DOMAIN_JOB_DATA_REMAINING);
	virTypedParamsFree(params, n);
	if (done)
		m->bytes = done;
	snprintf(text, sizeof(text), "%.1f MiB sent, %.1f of %.1f MiB remain", (double)done / 1048576,
		 (double)left / 1048576, (double)total / 1048576);
	move_progress(m, phase_of(m), total ? (unsigned)(100 - (100 * left) / total) : 101,
		      total ? text : NULL);
}

/* Until libvirt has taken it: there is no job to end while the destination prepares itself. */
static void end_if_due(struct watcher *w)
{
	struct move *m = w->m;

	w->late |= mono_reached(m->by, mono_now());
	w->called_off |= m->t->cancelled;
	if (w->late || w->called_off)
		virDomainAbortJob(m->dom);
}

static void *watch(void *arg)
{
	struct watcher *w = arg;
	struct timespec until;
	uint64_t us;

	pthread_mutex_lock(&w->lock);
	while (!w->over) {
		us = mono_now().us + LOOK_US;
		until = (struct timespec){.tv_sec = (time_t)(us / 1000000),
					  .tv_nsec = (long)(us % 1000000) * 1000};
		pthread_cond_timedwait(&w->ended, &w->lock, &until);
		if (w->over)
			break;
		pthread_mutex_unlock(&w->lock);
		end_if_due(w);
		tell(w);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int watch_begin(struct watcher *w, struct move *m)
{
	pthread_condattr_t attr;

	*w = (struct watcher){.m = m};
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->ended, &attr);
	pthread_condattr_destroy(&attr);
	if (!pthread_create(&w->thread, NULL, watch, w))
		return 0;
	return verror_set(&m->t->e, VHBA_E_INTERNAL, "no thread for the migration");
}

static void watch_end(struct watcher *w)
{
	pthread_mutex_lock(&w->lock);
	w->over = true;
	pthread_cond_signal(&w->ended);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->ended);
	pthread_mutex_destroy(&w->lock);
}

/* ---- the migration ---- */

static unsigned flags_of(const struct move *m)
{
	unsigned flags = m->held ? 0 : VIR_MIGRATE_LIVE;

	if (virDomainIsPersistent(m->dom) == 1)
		flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
	return flags | (proto_get_bool(m->t->parameters, "unsafe") ? VIR_MIGRATE_UNSAFE : 0);
}

static int why(struct move *m, const struct watcher *w)
{
	struct verror *e = &m->t->e;

	domain_failed(m->t, "the migration has failed");
	if (w->late)
		verror_set(e, VHBA_E_DEADLINE, "the deadline of the migration passed");
	else if (w->called_off)
		verror_set(e, VHBA_E_STATE, "the migration was called off");
	return -EIO;
}

/* What libvirt calls a failure may be one of its last steps: the domain is where it runs. */
static bool arrived_all_the_same(struct move *m)
{
	if (virDomainIsActive(m->dom) != 0)
		return false;
	m->arrived = virDomainLookupByUUIDString(m->dest, m->uuid);
	return m->arrived && virDomainIsActive(m->arrived) == 1;
}

static int listen_to(virConnectPtr c, virConnectDomainEventCallback fn, struct move_times *times)
{
	int id;

	times->refs++;
	id = virConnectDomainEventRegisterAny(c, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
					      VIR_DOMAIN_EVENT_CALLBACK(fn), times, move_times_unref);
	if (id < 0)
		times->refs--;
	return id;
}

/* Events come by another thread than the call's answer, and may be a little later. */
static void wait_for_events(struct move *m)
{
	for (int i = 0;
	     i < EVENTS && !(m->times->left && (m->held || (m->times->paused && m->times->resumed))); i++)
		usleep(EVENT_US);
	note(&m->times->left);
}

static int run_migration(struct move *m)
{
	struct watcher w;
	int r = watch_begin(&w, m);

	if (r)
		return r;
	m->call = mono_now().us;
	m->arrived = virDomainMigrate3(m->dom, m->dest, NULL, 0, flags_of(m));
	if (!m->arrived)
		r = why(m, &w);
	watch_end(&w);
	if (r && arrived_all_the_same(m))
		r = 0;
	if (!r)
		wait_for_events(m);
	return r;
}

int move_job(struct move *m)
{
	int here = listen_to(m->t->conn, on_source, m->times),
	    there = listen_to(m->dest, on_destination, m->times);
	int r = run_migration(m);

	if (here >= 0)
		virConnectDomainEventDeregisterAny(m->t->conn, here);
	if (there >= 0)
		virConnectDomainEventDeregisterAny(m->dest, there);
	return r;
}

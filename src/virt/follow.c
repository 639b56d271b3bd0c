/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Domains that come here by a live migration, and that leave by one: libvirt calls no hook when they are
 * paused and when they begin to run, but tells of it. A second connection, to the driver that has domains;
 * without it nothing else of vhba-virt is held up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt-qemu.h>

#include "cleanup.h"
#include "identity.h"
#include "log.h"
#include "method.h"
#include "virt.h"

#define AGAIN_US (500 * USEC_PER_MSEC) /* the first time; doubled up to */
#define AGAIN_MAX_US (10 * USEC_PER_SEC)
#define TOLD_MAX 1024

struct told {
	TAILQ_ENTRY(told) link;
	char uuid[VIR_UUID_STRING_BUFLEN];
	enum follow_what what;
};

TAILQ_HEAD(told_list, told);

/* Shared with libvirt's own thread, which calls back for as long as it likes. */
struct follow {
	atomic_uint refs;
	struct jobs *jobs; /* a reference */
	pthread_mutex_t lock; /* of what follows */
	struct told_list list;
	unsigned n;
};

struct open_job {
	struct job job;
	struct virt *v;
	struct follow *f; /* a reference */
	const char *uri;
	virConnectPtr conn;
	struct verror e;
};

static struct follow *follow_new(struct virt *v)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->refs = 1;
	f->jobs = jobs_ref(v->jobs);
	pthread_mutex_init(&f->lock, NULL);
	TAILQ_INIT(&f->list);
	return f;
}

static struct told *pop(struct follow *f)
{
	struct told *a;

	pthread_mutex_lock(&f->lock);
	a = TAILQ_FIRST(&f->list);
	if (a) {
		TAILQ_REMOVE(&f->list, a, link);
		f->n--;
	}
	pthread_mutex_unlock(&f->lock);
	return a;
}

static void unref(void *user)
{
	struct follow *f = user;
	struct told *a;

	if (!f || --f->refs)
		return;
	while ((a = pop(f)))
		free(a);
	pthread_mutex_destroy(&f->lock);
	jobs_unref(f->jobs);
	free(f);
}

/* ---- libvirt's own thread ---- */

static void add(struct follow *f, virDomainPtr dom, enum follow_what what)
{
	struct told *a = calloc(1, sizeof(*a));

	if (!a || virDomainGetUUIDString(dom, a->uuid)) {
		free(a);
		return;
	}
	a->what = what;
	pthread_mutex_lock(&f->lock);
	if (f->n < TOLD_MAX) {
		TAILQ_INSERT_TAIL(&f->list, a, link);
		f->n++;
		a = NULL;
	}
	pthread_mutex_unlock(&f->lock);
	free(a);
	jobs_poke(f->jobs);
}

#define ANY_DETAIL (-1)

/* The first that fits. */
static const struct {
	int event, detail;
	enum follow_what what;
} meanings[] = {
	{VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED, FOLLOW_LEAVES},
	{VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_MIGRATED, FOLLOW_ARRIVES},
	{VIR_DOMAIN_EVENT_RESUMED, ANY_DETAIL, FOLLOW_RESUMES},
	{VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED, FOLLOW_GONE},
	{VIR_DOMAIN_EVENT_STOPPED, ANY_DETAIL, FOLLOW_STOPS},
};

static int on_event(virConnectPtr c, virDomainPtr dom, int event, int detail, void *user)
{
	(void)c;
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].event != event ||
		    (meanings[i].detail != detail && meanings[i].detail != ANY_DETAIL))
			continue;
		add(user, dom, meanings[i].what);
		break;
	}
	return 0;
}

/* QEMU's own, beside libvirt's, which tells nothing before the pause. */
static const struct {
	const char *status;
	enum follow_what what;
} statuses[] = {
	{"setup", FOLLOW_MIGRATES},  {"active", FOLLOW_MIGRATES}, {"pre-switchover", FOLLOW_FLUSHED},
	{"cancelled", FOLLOW_FAILS}, {"failed", FOLLOW_FAILS},
};

static void on_migration(virConnectPtr c, virDomainPtr dom, const char *event, long long seconds,
			 unsigned int micros, const char *details, void *user)
{
	struct json_object *o = details ? json_tokener_parse(details) : NULL;
	const char *status = proto_get_text(o, "status");

	(void)c;
	(void)event;
	(void)seconds;
	(void)micros;
	for (size_t i = 0; status && i < ARRAY_SIZE(statuses); i++)
		if (!strcmp(status, statuses[i].status))
			add(user, dom, statuses[i].what);
	json_object_put(o);
}

static unsigned long long figure(virTypedParameterPtr params, int n, const char *name)
{
	unsigned long long v = 0;

	virTypedParamsGetULLong(params, n, name, &v);
	return v;
}

/*
 * libvirt's own word of a job that has succeeded.  At the source that is when the destination has confirmed
 * that it runs there, not when QEMU has sent all; of a job that fails it has none.
 */
static void on_job(virConnectPtr c, virDomainPtr dom, virTypedParameterPtr params, int n, void *user)
{
	int operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;

	(void)c;
	virTypedParamsGetInt(params, n, VIR_DOMAIN_JOB_OPERATION, &operation);
	if (operation != VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT)
		return;
	log_notice(
		"%s: handed over: %.1f MiB in %.1f s, its guest stood still for %llu ms by libvirt's count",
		virDomainGetName(dom), (double)figure(params, n, VIR_DOMAIN_JOB_DATA_PROCESSED) / 1048576,
		(double)figure(params, n, VIR_DOMAIN_JOB_TIME_ELAPSED) / 1000,
		figure(params, n, VIR_DOMAIN_JOB_DOWNTIME));
	add(user, dom, FOLLOW_DONE);
}

static void on_close(virConnectPtr c, int reason, void *user)
{
	struct follow *f = user;

	(void)c;
	(void)reason;
	jobs_poke(f->jobs);
}

/* ---- the connection ---- */

/* What has begun to run here while nobody listened. */
static void find_running(struct open_job *oj)
{
	virDomainPtr *doms = NULL;
	int n = virConnectListAllDomains(oj->conn, &doms, VIR_CONNECT_LIST_DOMAINS_RUNNING);

	for (int i = 0; i < n; i++) {
		AUTO_FREE char *bound = virDomainGetMetadata(doms[i], VIR_DOMAIN_METADATA_ELEMENT,
							     IDENTITY_NS, 0);

		if (bound)
			add(oj->f, doms[i], FOLLOW_ARRIVES);
		virDomainFree(doms[i]);
	}
	free(doms);
}

static void listen_to(struct open_job *oj, int event, virConnectDomainEventGenericCallback fn)
{
	oj->f->refs++;
	if (virConnectDomainEventRegisterAny(oj->conn, NULL, event, fn, oj->f, unref) < 0)
		unref(oj->f);
}

static void run_open(struct job *j)
{
	struct open_job *oj = (struct open_job *)j;

	if (lv_open(oj->uri, &oj->conn, &oj->e))
		return;
	oj->f->refs++;
	if (virConnectRegisterCloseCallback(oj->conn, on_close, oj->f, unref))
		unref(oj->f);
	listen_to(oj, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_event));
	listen_to(oj, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_job));
	oj->f->refs++;
	if (virConnectDomainQemuMonitorEventRegister(oj->conn, NULL, "MIGRATION", on_migration, oj->f, unref,
						     0) < 0)
		unref(oj->f);
	find_running(oj);
}

static void run_close(struct job *j)
{
	struct open_job *oj = (struct open_job *)j;

	virConnectUnregisterCloseCallback(oj->conn, on_close);
	virConnectClose(oj->conn);
}

static void on_closed(struct job *j)
{
	free(j);
}

/* By a thread of its own: of a connection that is broken no call can be trusted to end. */
static void close_conn(struct virt *v)
{
	struct open_job *oj = v->follow_conn ? calloc(1, sizeof(*oj)) : NULL;

	if (!oj)
		return;
	oj->job.run = run_close;
	oj->job.done = on_closed;
	oj->conn = steal_ptr(v->follow_conn);
	if (jobs_start(v->jobs, &oj->job))
		free(oj);
}

static int on_again(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	follow_open(user);
	return 0;
}

static void open_later(struct virt *v)
{
	uint64_t us = AGAIN_US << (v->follow_failures < 5 ? v->follow_failures : 5);

	v->follow_failures++;
	virt_timer(v, &v->follow_timer, mono_add(mono_now(), us < AGAIN_MAX_US ? us : AGAIN_MAX_US),
		   on_again);
}

static void on_open(struct job *j)
{
	struct open_job *oj = (struct open_job *)j;
	struct virt *v = oj->v;
	char line[512];

	v->follow_conn = oj->conn;
	if (v->stopped) {
		close_conn(v);
	} else if (v->follow_conn) {
		log_notice("follows the domains of %s", oj->uri);
		v->follow_failures = 0;
	} else {
		if (!v->follow_failures)
			log_notice("%s: %s", oj->uri, verror_line(&oj->e, line, sizeof(line)));
		open_later(v);
	}
	unref(oj->f);
	free(oj);
}

void follow_open(struct virt *v)
{
	struct open_job *oj = calloc(1, sizeof(*oj));

	if (!v->follow)
		v->follow = follow_new(v);
	if (oj && v->follow) {
		oj->job.run = run_open;
		oj->job.done = on_open;
		oj->v = v;
		oj->f = v->follow;
		oj->f->refs++;
		oj->uri = v->o->domains;
		if (!jobs_start(v->jobs, &oj->job))
			return;
		unref(oj->f);
	}
	free(oj);
	open_later(v);
}

void follow_take(struct virt *v)
{
	struct told *a;

	if (v->follow_conn && virConnectIsAlive(v->follow_conn) != 1) {
		close_conn(v);
		follow_open(v);
	}
	while (v->follow && (a = pop(v->follow))) {
		task_told(v, a->uuid, a->what);
		free(a);
	}
}

void follow_stop(struct virt *v)
{
	v->follow_timer = sd_event_source_disable_unref(v->follow_timer);
	close_conn(v);
}

void follow_end(struct virt *v)
{
	unref(steal_ptr(v->follow));
}

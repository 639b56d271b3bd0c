/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to libvirt, and the pools: what is due is begun as a job, what came of it is taken in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "method.h"
#include "virt.h"

#define NAMES_US (100 * USEC_PER_MSEC) /* between two looks for names that udev has not given yet */
#define AGAIN_US (500 * USEC_PER_MSEC) /* the first time; doubled up to */
#define AGAIN_MAX_US (10 * USEC_PER_SEC)

void virt_timer(struct virt *v, sd_event_source **source, struct monotime t, sd_event_time_handler_t fn)
{
	if (t.us == MONOTIME_NEVER.us) {
		if (*source)
			sd_event_source_set_enabled(*source, SD_EVENT_OFF);
		return;
	}
	if (!*source) {
		sd_event_add_time(v->loop, source, CLOCK_MONOTONIC, t.us, 1000, fn, v);
		return;
	}
	sd_event_source_set_time(*source, t.us);
	sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
}

static struct pool *find(struct virt *v, uint64_t wwpn)
{
	struct pool *p;

	TAILQ_FOREACH (p, &v->pools, link)
		if (p->order.wwpn == wwpn)
			return p;
	return NULL;
}

struct pool *virt_pool(struct virt *v, uint64_t wwpn)
{
	struct pool *p = find(v, wwpn);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->order.wwpn = wwpn;
	p->order.host = p->seen_host = -1;
	TAILQ_INSERT_TAIL(&v->pools, p, link);
	return p;
}

/* ---- a pool's job ---- */

struct pool_job {
	struct job job;
	struct virt *v;
	virConnectPtr conn; /* a reference */
	enum pool_step step;
	struct pool_order order; /* a copy, without its key */
	char *key;
	char dir[256];
	const char *by;
	struct verror e;
	struct lv_pool seen;
	int volumes;
};

static int start(struct pool_job *pj)
{
	const struct pool_order *o = &pj->order;
	int r = links_make(pj->dir, pj->by, o->links, o->n, &pj->e);
	char xml[1024];

	if (r)
		return r;
	poolxml_write(o->name, o->wwpn, o->host, pj->dir, xml, sizeof(xml));
	return lv_start(pj->conn, o->wwpn, xml, &pj->e);
}

static int refresh(struct pool_job *pj)
{
	const struct pool_order *o = &pj->order;
	int r = links_make(pj->dir, pj->by, o->links, o->n, &pj->e);

	return r ? r : lv_refresh(pj->conn, o->wwpn, &pj->e);
}

static int stop(struct pool_job *pj)
{
	return lv_stop(pj->conn, pj->order.wwpn, &pj->e);
}

static int undefine(struct pool_job *pj)
{
	int r = lv_undefine(pj->conn, pj->order.wwpn, &pj->e);

	if (!r)
		links_remove(pj->dir);
	return r;
}

static const struct {
	const char *name;
	int (*run)(struct pool_job *pj);
} steps[] = {
	[STEP_LOOK] = {"look", NULL},
	[STEP_START] = {"start", start},
	[STEP_REFRESH] = {"refresh", refresh},
	[STEP_STOP] = {"stop", stop},
	[STEP_UNDEFINE] = {"undefine", undefine},
};

/* Whatever came of it, libvirt is asked what it has now. */
static void run_step(struct job *j)
{
	struct pool_job *pj = (struct pool_job *)j;
	struct verror e = {0};

	if (steps[pj->step].run)
		steps[pj->step].run(pj);
	if (!lv_look(pj->conn, pj->order.wwpn, &pj->seen, &pj->volumes, &e))
		return;
	pj->seen.state = LV_UNKNOWN;
	if (!pj->e.kind)
		pj->e = e;
}

static void drop_conn(struct virt *v);

static void free_job(struct pool_job *pj)
{
	virConnectClose(pj->conn);
	pool_order_clear(&pj->order);
	free(pj->key);
	free(pj);
}

static void on_step(struct job *j)
{
	struct pool_job *pj = (struct pool_job *)j;
	struct virt *v = pj->v;
	struct pool *p = find(v, pj->order.wwpn);
	char line[512];

	if (pj->conn != v->conn) {
		free_job(pj);
		return; /* it was given up with its connection */
	}
	if (pj->e.kind)
		log_warning("%s: %s: %s", pj->order.name, steps[pj->step].name,
			    verror_line(&pj->e, line, sizeof(line)));
	else if (pj->step != STEP_LOOK)
		log_info("%s: %s", pj->order.name, steps[pj->step].name);
	pool_done(p, pj->step, pj->e.kind ? &pj->e : NULL, pj->seen.state, pj->seen.adapter.host, pj->volumes,
		  steal_ptr(pj->key), pj->order.sync, mono_now());
	if (pj->e.kind && virConnectIsAlive(v->conn) != 1)
		drop_conn(v);
	free_job(pj);
	virt_look(v);
}

static bool copy_order(const struct pool_order *from, struct pool_job *pj)
{
	pj->order = *from;
	pj->order.key = NULL;
	pj->order.links = calloc(from->n + 1, sizeof(*from->links));
	if (from->n && pj->order.links)
		memcpy(pj->order.links, from->links, from->n * sizeof(*from->links));
	pj->key = strdup(from->key ? from->key : "");
	return pj->order.links && pj->key;
}

static void begin_step(struct virt *v, struct pool *p, enum pool_step step)
{
	struct pool_job *pj = calloc(1, sizeof(*pj));

	if (!pj)
		return;
	pj->job.run = run_step;
	pj->job.done = on_step;
	pj->v = v;
	pj->step = step;
	pj->by = v->o->by;
	pj->conn = v->conn;
	virConnectRef(v->conn);
	snprintf(pj->dir, sizeof(pj->dir), "%.200s/0x%016llx", v->o->links,
		 (unsigned long long)p->order.wwpn);
	if (!copy_order(&p->order, pj) || jobs_start(v->jobs, &pj->job)) {
		log_err("%s: no memory or no thread for a job", p->order.name);
		free_job(pj);
		p->retry = mono_add(mono_now(), USEC_PER_SEC);
		return;
	}
	p->step = step;
}

/* ---- all pools of libvirt ---- */

struct list_job {
	struct job job;
	struct virt *v;
	virConnectPtr conn;
	struct lv_pool *list;
	unsigned n;
	struct verror e;
};

static void run_list(struct job *j)
{
	struct list_job *lj = (struct list_job *)j;

	lv_list(lj->conn, &lj->list, &lj->n, &lj->e);
}

static struct json_object *describe_other(const struct lv_pool *p)
{
	struct json_object *o = json_object_new_object();
	char text[400], wwpn[24];

	json_object_object_add(o, "name", json_object_new_string(p->name));
	json_object_object_add(o, "wwpn", json_object_new_string(proto_wwn_format(p->adapter.wwpn, wwpn)));
	json_object_object_add(o, "state",
			       json_object_new_string(p->state == LV_RUNNING ? "running" : "stopped"));
	poolxml_warning(p->adapter.managed, p->autostart, text, sizeof(text));
	json_object_object_add(o, "text", json_object_new_string(text));
	return o;
}

/* One that nobody has told of is a leftover once all have been told of. */
static void take_own(struct virt *v, uint64_t wwpn, const struct lv_pool *seen)
{
	struct pool *p = virt_pool(v, wwpn);

	if (!p)
		return;
	if (!p->order.name[0])
		snprintf(p->order.name, sizeof(p->order.name), "%s", seen->name);
	if (p->seen != seen->state && p->step == STEP_NONE)
		p->seen = LV_UNKNOWN;
}

/* An own pool that is not listed has gone, unless its job tells more. */
static void take_list(struct virt *v, const struct list_job *lj)
{
	struct json_object *others = json_object_new_array();
	struct pool *p;
	uint64_t wwpn;

	TAILQ_FOREACH (p, &v->pools, link) {
		bool there = false;

		for (unsigned i = 0; i < lj->n && !there; i++)
			there = poolxml_is_own(lj->list[i].uuid, &wwpn) && wwpn == p->order.wwpn;
		if (!there && p->step == STEP_NONE && p->seen > LV_ABSENT)
			p->seen = LV_UNKNOWN;
	}
	for (unsigned i = 0; i < lj->n; i++) {
		if (poolxml_is_own(lj->list[i].uuid, &wwpn))
			take_own(v, wwpn, &lj->list[i]);
		else if (lj->list[i].adapter.wwpn)
			json_object_array_add(others, describe_other(&lj->list[i]));
	}
	v->others_told &= v->others && json_object_equal(others, v->others);
	json_object_put(v->others);
	v->others = others;
	v->listed = true;
}

static void on_list(struct job *j)
{
	struct list_job *lj = (struct list_job *)j;
	struct virt *v = lj->v;
	char line[512];

	if (lj->conn == v->conn) {
		v->listing = false;
		if (!lj->e.kind)
			take_list(v, lj);
		else
			log_warning("%s", verror_line(&lj->e, line, sizeof(line)));
		if (lj->e.kind && virConnectIsAlive(v->conn) != 1)
			drop_conn(v);
	}
	virConnectClose(lj->conn);
	free(lj->list);
	free(lj);
	virt_look(v);
}

static void begin_list(struct virt *v)
{
	struct list_job *lj = calloc(1, sizeof(*lj));

	if (!lj)
		return;
	v->list_again = false;
	lj->job.run = run_list;
	lj->job.done = on_list;
	lj->v = v;
	lj->conn = v->conn;
	virConnectRef(v->conn);
	v->listing = !jobs_start(v->jobs, &lj->job);
	if (v->listing)
		return;
	virConnectClose(lj->conn);
	free(lj);
}

/* ---- the connection ---- */

struct open_job {
	struct job job;
	struct virt *v;
	const char *uri;
	virConnectPtr conn;
	struct verror e;
};

/* libvirt's own thread: the loop does the rest. */
static void on_pool_event(virConnectPtr c, virStoragePoolPtr p, int event, int detail, void *user)
{
	(void)c;
	(void)p;
	(void)event;
	(void)detail;
	jobs_poke(user);
}

static void on_close(virConnectPtr c, int reason, void *user)
{
	(void)c;
	(void)reason;
	jobs_poke(user);
}

static void run_open(struct job *j)
{
	struct open_job *oj = (struct open_job *)j;

	if (lv_open(oj->uri, &oj->conn, &oj->e))
		return;
	if (virConnectRegisterCloseCallback(oj->conn, on_close, jobs_ref(j->jobs), jobs_unref))
		jobs_unref(j->jobs);
	if (virConnectStoragePoolEventRegisterAny(oj->conn, NULL, VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
						  VIR_STORAGE_POOL_EVENT_CALLBACK(on_pool_event),
						  jobs_ref(j->jobs), jobs_unref) < 0)
		jobs_unref(j->jobs);
}

static void begin_open(struct virt *v);

static int on_open_again(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	begin_open(user);
	return 0;
}

static void open_later(struct virt *v)
{
	uint64_t us = AGAIN_US << (v->open_failures < 5 ? v->open_failures : 5);

	v->open_failures++;
	virt_timer(v, &v->open_timer, mono_add(mono_now(), us < AGAIN_MAX_US ? us : AGAIN_MAX_US),
		   on_open_again);
}

static void on_open(struct job *j)
{
	struct open_job *oj = (struct open_job *)j;
	struct virt *v = oj->v;

	v->opening = false;
	v->conn = oj->conn;
	if (v->conn) {
		log_notice("connected to libvirt at %s", oj->uri);
		v->open_failures = 0;
		v->why[0] = '\0';
		v->list_again = true;
	} else {
		verror_line(&oj->e, v->why, sizeof(v->why));
		if (!v->open_failures)
			log_warning("%s", v->why);
		open_later(v);
	}
	free(oj);
	virt_look(v);
}

static void begin_open(struct virt *v)
{
	struct open_job *oj = calloc(1, sizeof(*oj));

	if (oj) {
		oj->job.run = run_open;
		oj->job.done = on_open;
		oj->v = v;
		oj->uri = v->o->uri;
		v->opening = !jobs_start(v->jobs, &oj->job);
	}
	if (v->opening)
		return;
	free(oj);
	open_later(v);
}

/*
 * What libvirt has is not known any more.  Calls that are under way are given up: libvirt's client may leave
 * one hanging for ever when several wait as the connection breaks.
 */
static void drop_conn(struct virt *v)
{
	struct pool *p;

	log_warning("lost the connection to libvirt");
	snprintf(v->why, sizeof(v->why), "the connection to libvirt is lost");
	virConnectUnregisterCloseCallback(v->conn, on_close);
	virConnectClose(steal_ptr(v->conn));
	v->listed = v->listing = false;
	TAILQ_FOREACH (p, &v->pools, link) {
		p->seen = LV_UNKNOWN;
		p->step = STEP_NONE;
	}
	begin_open(v);
}

/* Something has happened at libvirt. */
static void on_poke(void *user)
{
	struct virt *v = user;

	if (v->conn && virConnectIsAlive(v->conn) != 1)
		drop_conn(v);
	v->list_again = true;
	virt_look(v);
}

/* ---- the whole ---- */

static int on_retry(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	virt_look(user);
	return 0;
}

/* libvirt would wait for a name for 10 s, with its pool locked, and leave the volume out. */
static bool has_names(struct virt *v, struct pool *p, struct monotime now)
{
	const char *name = links_missing(v->o->by, p->order.links, p->order.n);

	if (!name)
		return true;
	snprintf(p->text, sizeof(p->text),
		 "waits until udev has named %s (is udevd running, and is its rule 61-vhba.rules installed?)",
		 name);
	p->retry = mono_add(now, NAMES_US);
	return false;
}

/* Not wanted, and not there: nothing is left to be told of it. */
static bool is_over(const struct pool *p)
{
	return p->order.want == WANT_ABSENT && p->seen == LV_ABSENT && p->step == STEP_NONE && !p->told;
}

void virt_look(struct virt *v)
{
	struct monotime now = mono_now(), due = MONOTIME_NEVER;
	struct pool *p, *next;

	if (v->conn && v->list_again && !v->listing)
		begin_list(v);
	for (p = TAILQ_FIRST(&v->pools); p; p = next) {
		/* Until vhbad has told of all, who has not been told of may yet be wanted. */
		bool known = p->told || v->complete;
		enum pool_step step = v->conn && known ? pool_next(p, now) : STEP_NONE;

		next = TAILQ_NEXT(p, link);
		if ((step == STEP_START || step == STEP_REFRESH) && !has_names(v, p, now))
			step = STEP_NONE;
		if (step != STEP_NONE)
			begin_step(v, p, step);
		if (!v->conn)
			snprintf(p->text, sizeof(p->text), "%s", v->why);
		if (!mono_reached(p->retry, now))
			due = mono_min(due, p->retry);
		if (is_over(p)) {
			TAILQ_REMOVE(&v->pools, p, link);
			pool_free(p);
		}
	}
	virt_timer(v, &v->pool_timer, due, on_retry);
	link_report(v);
}

int virt_begin(struct virt *v, sd_event *loop, const struct virt_options *o, struct verror *e)
{
	*v = (struct virt){.o = o, .loop = loop};
	TAILQ_INIT(&v->pools);
	v->jobs = jobs_new(loop, on_poke, v);
	if (!v->jobs)
		return verror_set(e, VHBA_E_INTERNAL, "no event loop");
	begin_open(v);
	link_open(v);
	return 0;
}

bool virt_end(struct virt *v)
{
	struct pool *p;

	link_close(v);
	if (v->jobs->running)
		return false;
	sd_event_source_disable_unref(v->open_timer);
	sd_event_source_disable_unref(v->pool_timer);
	sd_event_source_disable_unref(v->link_timer);
	while ((p = TAILQ_FIRST(&v->pools))) {
		TAILQ_REMOVE(&v->pools, p, link);
		pool_free(p);
	}
	json_object_put(v->others);
	if (v->conn) {
		virConnectUnregisterCloseCallback(v->conn, on_close);
		virConnectClose(v->conn);
	}
	jobs_end(v->jobs);
	return true;
}

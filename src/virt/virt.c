/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pools: what is due is begun as a job, what came of it is taken in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "mend.h"
#include "method.h"
#include "virt.h"

#define STOP_US (2 * USEC_PER_SEC) /* for calls that are under way */
#define NAMES_US (100 * USEC_PER_MSEC) /* between two looks for names that udev has not given yet */

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
	v->list_again = true; /* what is beside it is not known yet */
	TAILQ_INSERT_TAIL(&v->pools, p, link);
	return p;
}

/* ---- a pool's job ---- */

struct pool_job {
	struct job job;
	struct virt *v;
	virConnectPtr conn; /* a reference, given up by the thread */
	unsigned generation;
	enum pool_step step;
	struct pool_order order; /* a copy, without its key */
	char *key;
	char hand[POOL_UUID]; /* a copy */
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

static int serve(struct pool_job *pj)
{
	return lv_refresh_other(pj->conn, pj->hand, &pj->e);
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
	[STEP_SERVE] = {"refresh of the pool by hand on its vport", serve},
};

/* Whatever came of it, libvirt is asked what it has now. */
static void run_step(struct job *j)
{
	struct pool_job *pj = (struct pool_job *)j;
	struct verror e = {0};

	if (steps[pj->step].run)
		steps[pj->step].run(pj);
	if (lv_look(pj->conn, pj->order.wwpn, &pj->seen, &pj->volumes, &e)) {
		pj->seen.state = LV_UNKNOWN;
		if (!pj->e.kind)
			pj->e = e;
	}
	virConnectClose(pj->conn); /* the last reference is given up by a call that may block, too */
}

static void free_job(struct pool_job *pj)
{
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

	if (pj->generation != v->generation) {
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
		libvirt_lost(v);
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
	pj->generation = v->generation;
	virConnectRef(v->conn);
	snprintf(pj->hand, sizeof(pj->hand), "%s", p->hand);
	snprintf(pj->dir, sizeof(pj->dir), "%.200s/0x%016llx", v->o->links,
		 (unsigned long long)p->order.wwpn);
	if (!copy_order(&p->order, pj) || jobs_start(v->jobs, &pj->job)) {
		log_err("%s: no memory or no thread for a job", p->order.name);
		virConnectClose(pj->conn);
		free_job(pj);
		p->retry = mono_add(mono_now(), USEC_PER_SEC);
		return;
	}
	p->step = step;
}

/* Something has happened at libvirt. */
static void on_poke(void *user)
{
	struct virt *v = user;

	if (v->conn && virConnectIsAlive(v->conn) != 1)
		libvirt_lost(v);
	v->list_again = true;
	if (!v->stopped)
		follow_take(v);
	virt_look(v);
}

/* ---- the whole ---- */

static void on_idle(void *user)
{
	struct virt *v = user;

	if (v->stopped)
		v->stopped(v);
}

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

	if (v->stopped)
		return;
	if (v->conn && v->list_again && !v->listing)
		libvirt_list(v);
	for (p = TAILQ_FIRST(&v->pools); p; p = next) {
		/* Until vhbad has told of all, who has not been told of may yet be wanted. */
		bool known = p->told || v->complete;
		enum pool_step step = v->conn && known ? pool_next(p, now) : STEP_NONE;

		next = TAILQ_NEXT(p, link);
		if (step == STEP_START && !p->hand_known)
			step = STEP_NONE; /* the list is under way */
		if ((step == STEP_START || step == STEP_REFRESH || step == STEP_SERVE) &&
		    !has_names(v, p, now))
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
	TAILQ_INIT(&v->tasks);
	TAILQ_INIT(&v->mends);
	v->jobs = jobs_new(loop, on_poke, on_idle, v);
	if (!v->jobs)
		return verror_set(e, VHBA_E_INTERNAL, "no event loop");
	libvirt_open(v);
	link_open(v);
	follow_open(v);
	mend_begin(v);
	return 0;
}

static int on_patience(sd_event_source *s, uint64_t usec, void *user)
{
	struct virt *v = user;

	(void)s;
	(void)usec;
	v->stopped(v);
	return 0;
}

void virt_stop(struct virt *v, void (*stopped)(struct virt *v))
{
	v->stopped = stopped;
	v->generation++;
	sd_event_source_disable_unref(steal_ptr(v->open_timer));
	sd_event_source_disable_unref(steal_ptr(v->link_timer));
	link_close(v);
	libvirt_close(v);
	follow_stop(v);
	mend_stop(v);
	virt_timer(v, &v->pool_timer, mono_add(mono_now(), v->jobs->running ? STOP_US : 0), on_patience);
}

bool virt_end(struct virt *v)
{
	struct pool *p;

	if (v->jobs->running)
		return false;
	sd_event_source_disable_unref(v->pool_timer);
	while ((p = TAILQ_FIRST(&v->pools))) {
		TAILQ_REMOVE(&v->pools, p, link);
		pool_free(p);
	}
	json_object_put(v->others);
	follow_end(v);
	mend_end(v);
	jobs_end(v->jobs);
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to libvirt, and the list of all its pools. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "method.h"
#include "virt.h"

#define AGAIN_US (500 * USEC_PER_MSEC) /* the first time; doubled up to */
#define AGAIN_MAX_US (10 * USEC_PER_SEC)

/* ---- all pools of libvirt ---- */

struct list_job {
	struct job job;
	struct virt *v;
	virConnectPtr conn; /* a reference, given up by the thread */
	unsigned generation;
	struct lv_pool *list;
	unsigned n;
	struct verror e;
};

static void run_list(struct job *j)
{
	struct list_job *lj = (struct list_job *)j;

	lv_list(lj->conn, &lj->list, &lj->n, &lj->e);
	virConnectClose(lj->conn);
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

/* Of those by hand the one that runs on its vport. */
static const char *running_beside(const struct list_job *lj, const struct pool *p)
{
	for (unsigned i = 0; i < lj->n; i++)
		if (lj->list[i].adapter.wwpn == p->order.wwpn && lj->list[i].state == LV_RUNNING)
			return lj->list[i].uuid;
	return NULL;
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
		pool_beside(p, running_beside(lj, p));
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

/* libvirt itself refuses what it can't have twice. */
static void list_failed(struct virt *v, const struct verror *e)
{
	struct pool *p;
	char line[512];

	log_warning("%s", verror_line(e, line, sizeof(line)));
	TAILQ_FOREACH (p, &v->pools, link)
		p->hand_known = true;
}

static void on_list(struct job *j)
{
	struct list_job *lj = (struct list_job *)j;
	struct virt *v = lj->v;

	if (lj->generation == v->generation) {
		v->listing = false;
		if (!lj->e.kind)
			take_list(v, lj);
		else
			list_failed(v, &lj->e);
		if (lj->e.kind && virConnectIsAlive(v->conn) != 1)
			libvirt_lost(v);
	}
	free(lj->list);
	free(lj);
	virt_look(v);
}

void libvirt_list(struct virt *v)
{
	struct list_job *lj = calloc(1, sizeof(*lj));

	if (!lj)
		return;
	v->list_again = false;
	lj->job.run = run_list;
	lj->job.done = on_list;
	lj->v = v;
	lj->conn = v->conn;
	lj->generation = v->generation;
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

static int on_open_again(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	libvirt_open(user);
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
	if (v->stopped) {
		libvirt_close(v);
		free(oj);
		return;
	}
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

void libvirt_open(struct virt *v)
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

/* ---- its end ---- */

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
void libvirt_close(struct virt *v)
{
	struct open_job *oj = v->conn ? calloc(1, sizeof(*oj)) : NULL;

	if (!oj)
		return;
	oj->job.run = run_close;
	oj->job.done = on_closed;
	oj->conn = steal_ptr(v->conn);
	if (jobs_start(v->jobs, &oj->job))
		free(oj);
}

/*
 * What libvirt has is not known any more.  Calls that are under way are given up: libvirt's client may leave
 * one hanging for ever when several wait as the connection breaks.
 */
void libvirt_lost(struct virt *v)
{
	struct pool *p;

	log_warning("lost the connection to libvirt");
	snprintf(v->why, sizeof(v->why), "the connection to libvirt is lost");
	libvirt_close(v);
	v->generation++;
	v->listed = v->listing = false;
	TAILQ_FOREACH (p, &v->pools, link) {
		p->seen = LV_UNKNOWN;
		p->step = STEP_NONE;
	}
	libvirt_open(v);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "cleanup.h"
#include "conn.h"
#include "domain.h"
#include "log.h"
#include "mend.h"
#include "method.h"
#include "task.h"

#define CALL_US (10 * USEC_PER_SEC)

static const struct task_verb verbs[] = {
	{"domain.List", domain_list},	  {"domain.Show", domain_show}, {"domain.Bind", domain_bind},
	{"domain.Unbind", domain_unbind}, {"domain.Xml", domain_xml},	{"migrate", domain_migrate},
};

/* ---- in its own thread ---- */

static void from_vhbad(const struct vhba_error *e, struct verror *to)
{
	verror_set(to, e->kind, "%s", e->what);
	verror_expected(to, "%s", e->expected);
	verror_seen(to, "%s", e->seen);
	verror_fix(to, "%s", e->fix);
}

/* By a connection of its own: vhbad may have been started anew since the last one. */
static struct json_object *ask(const struct task *t, const char *method, struct json_object *parameters,
			       uint64_t us, struct verror *why)
{
	struct vhba_conn *conn = NULL;
	AUTO_FREE char *reply = NULL;
	struct vhba_error e = {0};
	int r = vhba_connect(t->socket, &conn, &e);

	if (!r)
		r = vhba_call(conn, method,
			      json_object_to_json_string_ext(parameters, JSON_C_TO_STRING_PLAIN), us, &reply,
			      &e);
	vhba_close(conn);
	json_object_put(parameters);
	if (!r)
		return json_tokener_parse(reply);
	from_vhbad(&e, why);
	return NULL;
}

struct json_object *task_ask(struct task *t, const char *method, struct json_object *parameters, uint64_t us)
{
	return ask(t, method, parameters, us, &t->e);
}

/* Any thread.  A report that vhbad does not get is nobody's any more: it has ended, and its callers know.
 * False: it has not taken it. */
static bool tell(const struct task *t, const char *key, struct json_object *value)
{
	struct json_object *o = json_object_new_object();
	struct json_object *reply;
	struct verror nobodys;

	json_object_object_add(o, "serial", json_object_new_uint64(t->serial));
	if (value)
		json_object_object_add(o, key, value);
	reply = ask(t, "domain.Report", o, CALL_US, &nobodys);
	json_object_put(reply);
	return reply;
}

unsigned task_wait(struct task *t, unsigned whats, struct monotime until)
{
	struct timespec ts = {.tv_sec = (time_t)(until.us / USEC_PER_SEC),
			      .tv_nsec = (long)(until.us % USEC_PER_SEC) * 1000};
	unsigned told;

	pthread_mutex_lock(&t->lock);
	while (!(t->told & whats) && !pthread_cond_clockwait(&t->more, &t->lock, CLOCK_MONOTONIC, &ts))
		;
	told = t->told;
	pthread_mutex_unlock(&t->lock);
	return told;
}

void task_progress(struct task *t, struct json_object *progress)
{
	tell(t, "progress", progress);
}

/* Whoever waits has an answer, also where vhbad does not take this one. */
static void report(struct task *t)
{
	struct verror e;
	bool taken;

	if (!t->serial)
		return;
	taken = t->e.kind ? tell(t, "error", proto_error_new(&t->e)) : tell(t, "reply", steal_ptr(t->reply));
	if (taken)
		return;
	verror_set(&e, VHBA_E_INTERNAL, "what has come of %s can't be told", t->verb->name);
	verror_seen(&e, "vhbad refuses the answer");
	verror_fix(&e, "the log of vhba-virt has it");
	tell(t, "error", proto_error_new(&e));
}

static void run(struct job *j)
{
	struct task *t = (struct task *)j;

	if (!lv_open(t->uri, &t->conn, &t->e)) {
		if (!t->verb->run(t))
			t->e = (struct verror){0};
		virConnectClose(t->conn);
	}
	report(t);
}

/* ---- in the loop ---- */

static void free_task(struct task *t)
{
	pthread_cond_destroy(&t->more);
	pthread_mutex_destroy(&t->lock);
	json_object_put(t->parameters);
	json_object_put(t->reply);
	free(t);
}

static const struct task_verb mend_verb = {"mend", domain_mend};

static void on_done(struct job *j)
{
	struct task *t = (struct task *)j;
	struct virt *v = t->v;
	char line[512];

	TAILQ_REMOVE(&v->tasks, t, link);
	if (t->verb == &mend_verb)
		mend_done(v, proto_get_text(t->parameters, "domain"), t->e.kind ? &t->e : NULL);
	else if (t->e.kind)
		log_warning("%s: %s", t->verb->name, verror_line(&t->e, line, sizeof(line)));
	if (t->unfinished[0])
		mend_add(v, t->unfinished);
	free_task(t);
}

static const struct task_verb *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static void cancel(struct virt *v, uint64_t serial)
{
	struct task *t;

	TAILQ_FOREACH (t, &v->tasks, link)
		if (t->serial == serial)
			t->cancelled = true;
}

/* False: there is no such verb, no memory or no thread. */
static bool begin(struct virt *v, uint64_t serial, const struct task_verb *verb,
		  struct json_object *parameters)
{
	struct task *t = verb ? calloc(1, sizeof(*t)) : NULL;

	if (!t)
		return false;
	t->job.run = run;
	t->job.done = on_done;
	t->v = v;
	t->serial = serial;
	t->verb = verb;
	t->parameters = json_object_get(parameters);
	t->socket = v->o->socket;
	t->uri = v->o->domains;
	t->notes = v->o->notes;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->more, NULL);
	if (jobs_start(v->jobs, &t->job)) {
		free_task(t);
		return false;
	}
	TAILQ_INSERT_TAIL(&v->tasks, t, link);
	return true;
}

static bool begin_for(struct virt *v, const char *uuid, const struct task_verb *verb)
{
	struct json_object *p = json_object_new_object();
	bool begun;

	json_object_object_add(p, "domain", json_object_new_string(uuid));
	begun = begin(v, 0, verb, p);
	if (!begun)
		log_err("%s: there is no memory or no thread for %s", uuid, verb->name);
	json_object_put(p);
	return begun;
}

/* That one which follows a domain that leaves; NULL: none. */
static struct task *leaving(struct virt *v, const char *uuid)
{
	struct task *t;

	TAILQ_FOREACH (t, &v->tasks, link)
		if (t->verb->run == domain_leave && !strcmp(proto_get_text(t->parameters, "domain"), uuid))
			return t;
	return NULL;
}

void task_told(struct virt *v, const char *uuid, enum follow_what what)
{
	static const struct task_verb verbs_told[] = {
		[FOLLOW_MIGRATES] = {"leave", domain_leave},  [FOLLOW_LEAVES] = {"leave", domain_leave},
		[FOLLOW_GONE] = {"gone", domain_gone},	      [FOLLOW_ARRIVES] = {"arrived", domain_arrived},
		[FOLLOW_STOPS] = {"stopped", domain_stopped},
	};
	struct task *t = leaving(v, uuid);

	/* One follows it to its end, and may be about to end when this comes. */
	if (what < ARRAY_SIZE(verbs_told) && verbs_told[what].run &&
	    !(t && verbs_told[what].run == domain_leave)) {
		begin_for(v, uuid, &verbs_told[what]);
		t = leaving(v, uuid);
	}
	if (t) {
		pthread_mutex_lock(&t->lock);
		t->told |= 1U << what;
		pthread_cond_signal(&t->more);
		pthread_mutex_unlock(&t->lock);
	}
}

bool task_mend(struct virt *v, const char *uuid)
{
	return begin_for(v, uuid, &mend_verb);
}

static void take_order(struct virt *v, struct json_object *o)
{
	const char *verb = proto_get_text(o, "verb");
	uint64_t serial = proto_get_uint(o, "serial", 0);

	if (verb && !strcmp(verb, "cancel"))
		cancel(v, serial);
	else if (!begin(v, serial, find(verb ? verb : ""), proto_get(o, "parameters")))
		log_err("vhbad's order %s can't be carried out", verb ? verb : "without a verb");
}

static int on_orders(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct virt *v = user;
	struct vhba_reply reply;
	struct vhba_error e = {0};
	int r = vhba_process(v->orders, &e);

	(void)s;
	(void)fd;
	(void)revents;
	while (!r && (r = vhba_receive(v->orders, &reply, &e)) == 1) {
		struct json_object *part;

		r = 0;
		if (reply.kind == VHBA_REPLY_PART) {
			part = json_tokener_parse(reply.parameters);
			take_order(v, proto_get(part, "order"));
			json_object_put(part);
		} else if (reply.kind == VHBA_REPLY_ERROR) {
			e = reply.error;
			r = -1;
		} else if (reply.kind == VHBA_REPLY_FINAL) {
			e = (struct vhba_error){.kind = VHBA_E_IO, .what = "vhbad has ended"};
			r = -1;
		}
	}
	if (r < 0)
		link_lost(v, &e);
	else
		link_watch(v->orders_io, v->orders);
	return 0;
}

int orders_open(struct virt *v, struct vhba_error *e)
{
	if (vhba_connect(v->o->socket, &v->orders, e) ||
	    vhba_send(v->orders, "domain.Serve", NULL, VHBA_MORE, e))
		return -1;
	if (sd_event_add_io(v->loop, &v->orders_io, vhba_fd(v->orders), EPOLLIN, on_orders, v) < 0) {
		*e = (struct vhba_error){.kind = VHBA_E_INTERNAL, .what = "vhbad's socket can't be watched"};
		return -1;
	}
	link_watch(v->orders_io, v->orders);
	return 0;
}

/* vhbad has told all who waited; what is under way goes on. */
void orders_close(struct virt *v)
{
	v->orders_io = sd_event_source_disable_unref(v->orders_io);
	vhba_close(steal_ptr(v->orders));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client of vhbad: one connection on which orders come (pool.Serve), and one for reports. */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "cleanup.h"
#include "log.h"
#include "method.h"
#include "virt.h"

#define AGAIN_US (200 * USEC_PER_MSEC) /* the first time; doubled up to */
#define AGAIN_MAX_US (5 * USEC_PER_SEC)

static int on_again(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	link_open(user);
	return 0;
}

void link_close(struct virt *v)
{
	struct pool *p;

	v->serve_io = sd_event_source_disable_unref(v->serve_io);
	v->report_io = sd_event_source_disable_unref(v->report_io);
	vhba_close(steal_ptr(v->serve));
	vhba_close(steal_ptr(v->report));
	orders_close(v);
	v->complete = false;
	v->others_told = false;
	TAILQ_FOREACH (p, &v->pools, link) {
		p->told = false;
		free(steal_ptr(p->reported));
	}
}

void link_lost(struct virt *v, const struct vhba_error *e)
{
	uint64_t us = AGAIN_US << (v->link_failures < 5 ? v->link_failures : 5);
	char line[512];

	if (!v->link_failures++)
		log_warning("%s", vhba_error_line(e, line, sizeof(line)));
	link_close(v);
	virt_timer(v, &v->link_timer, mono_add(mono_now(), us < AGAIN_MAX_US ? us : AGAIN_MAX_US), on_again);
}

void link_watch(sd_event_source *io, const struct vhba_conn *c)
{
	short events = vhba_events(c);

	sd_event_source_set_io_events(io,
				      (events & POLLIN ? EPOLLIN : 0) | (events & POLLOUT ? EPOLLOUT : 0));
}

/* ---- orders ---- */

/* What vhbad has not named is a VM's that it does not know any more. */
static void take_complete(struct virt *v)
{
	struct pool *p;

	v->complete = true;
	v->link_failures = 0;
	TAILQ_FOREACH (p, &v->pools, link)
		if (!p->told)
			p->order.want = WANT_ABSENT;
}

static void take_order(struct virt *v, struct json_object *o)
{
	struct pool_order order;
	struct verror e = {0};
	struct pool *p;
	char line[512];

	if (pool_order_read(o, &order, &e)) {
		log_err("%s", verror_line(&e, line, sizeof(line)));
		pool_order_clear(&order);
		return;
	}
	p = virt_pool(v, order.wwpn);
	if (p)
		pool_take(p, &order);
	pool_order_clear(&order);
}

static void take_part(struct virt *v, const char *text)
{
	struct json_object *part = json_tokener_parse(text), *order = proto_get(part, "pool");

	if (order)
		take_order(v, order);
	if (proto_get_bool(part, "complete"))
		take_complete(v);
	json_object_put(part);
}

static int on_serve(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct virt *v = user;
	struct vhba_reply reply;
	struct vhba_error e = {0};
	int r = vhba_process(v->serve, &e);

	(void)s;
	(void)fd;
	(void)revents;
	while (!r && (r = vhba_receive(v->serve, &reply, &e)) == 1) {
		r = 0;
		if (reply.kind == VHBA_REPLY_PART) {
			take_part(v, reply.parameters);
		} else if (reply.kind == VHBA_REPLY_ERROR) {
			e = reply.error;
			r = -1;
		} else if (reply.kind == VHBA_REPLY_FINAL) {
			e = (struct vhba_error){.kind = VHBA_E_IO, .what = "vhbad has ended"};
			r = -1;
		}
	}
	if (r < 0) {
		link_lost(v, &e);
		return 0;
	}
	link_watch(v->serve_io, v->serve);
	virt_look(v);
	return 0;
}

/* ---- reports ---- */

static int on_report(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct virt *v = user;
	struct vhba_reply reply;
	struct vhba_error e = {0};
	char line[512];
	int r = vhba_process(v->report, &e);

	(void)s;
	(void)fd;
	(void)revents;
	while (!r && (r = vhba_receive(v->report, &reply, &e)) == 1) {
		r = 0;
		v->answered = true;
		if (reply.kind == VHBA_REPLY_ERROR)
			log_err("vhbad refuses a report: %s",
				vhba_error_line(&reply.error, line, sizeof(line)));
	}
	if (r < 0) {
		link_lost(v, &e);
		return 0;
	}
	link_report(v);
	return 0;
}

static void add_changed(struct virt *v, struct json_object *list)
{
	struct pool *p;

	TAILQ_FOREACH (p, &v->pools, link) {
		struct json_object *o = p->told ? pool_report(p) : NULL;
		const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) : NULL;

		/* A thousand of them are too long for a line; the rest goes when this is answered. */
		if (!o || (p->reported && !strcmp(p->reported, text)) ||
		    json_object_array_length(list) >= 100) {
			json_object_put(o);
			continue;
		}
		free(p->reported);
		p->reported = strdup(text);
		json_object_array_add(list, o);
	}
}

/* Sent by on_report, which alone reads: what is read elsewhere would be noticed only with the next bytes. */
void link_report(struct virt *v)
{
	struct json_object *o, *list;
	struct vhba_error e = {0};
	int r = 0;

	if (!v->report)
		return;
	if (v->answered) {
		o = json_object_new_object();
		list = json_object_new_array();
		add_changed(v, list);
		json_object_object_add(o, "pools", list);
		if (v->others && !v->others_told)
			json_object_object_add(o, "others", json_object_get(v->others));
		if (json_object_array_length(list) || json_object_object_length(o) > 1) {
			v->answered = false;
			v->others_told |= v->others != NULL;
			r = vhba_send(v->report, "pool.Report", json_object_to_json_string(o), 0, &e);
		}
		json_object_put(o);
	}
	if (r < 0)
		link_lost(v, &e);
	else
		link_watch(v->report_io, v->report);
}

/* ---- the connections ---- */

void link_open(struct virt *v)
{
	struct vhba_error e = {0};
	int r = vhba_connect(v->o->socket, &v->serve, &e);

	if (!r)
		r = vhba_connect(v->o->socket, &v->report, &e);
	if (!r)
		r = vhba_send(v->serve, "pool.Serve", NULL, VHBA_MORE, &e);
	if (!r && (sd_event_add_io(v->loop, &v->serve_io, vhba_fd(v->serve), EPOLLIN, on_serve, v) < 0 ||
		   sd_event_add_io(v->loop, &v->report_io, vhba_fd(v->report), EPOLLIN, on_report, v) < 0)) {
		e = (struct vhba_error){.kind = VHBA_E_INTERNAL, .what = "vhbad's socket can't be watched"};
		r = -1;
	}
	if (!r)
		r = orders_open(v, &e);
	if (r < 0) {
		link_lost(v, &e);
		return;
	}
	v->answered = true;
	link_watch(v->serve_io, v->serve);
}

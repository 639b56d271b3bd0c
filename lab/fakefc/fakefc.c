/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "internal.h"

#define LOG_MAX (1024 * 1024)

struct fakefc *fakefc_new(const struct fakefc_ops *ops, struct monotime now)
{
	struct fakefc *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->ops = *ops;
	f->now = f->began = now;
	TAILQ_INIT(&f->timers);
	TAILQ_INIT(&f->hbas);
	TAILQ_INIT(&f->targets);
	TAILQ_INIT(&f->calls);
	TAILQ_INIT(&f->names);
	f->next_port_id = 0x010100;
	f->log_file = open_memstream(&f->log, &f->log_size);
	if (!f->log_file || tree_init(&f->tree)) {
		fakefc_free(f);
		return NULL;
	}
	f->tree.uevent = ops->uevent;
	f->tree.gone = ops->gone;
	f->tree.arg = ops->arg;
	tree_folders(&f->tree, "/dev/bsg");
	tree_folders(&f->tree, "/sys/class/fc_host");
	tree_attrs(&f->tree, f->tree.root, top_attrs, NULL);
	return f;
}

void fakefc_free(struct fakefc *f)
{
	struct ns_entry *e;
	struct target *t;
	struct timer *m;
	struct call *c;
	struct hba *h;

	f->tree.uevent = NULL;
	f->tree.gone = NULL;
	while ((c = TAILQ_FIRST(&f->calls))) {
		TAILQ_REMOVE(&f->calls, c, link);
		free(c);
	}
	while ((h = TAILQ_FIRST(&f->hbas)))
		hba_free(f, h);
	while ((t = TAILQ_FIRST(&f->targets))) {
		TAILQ_REMOVE(&f->targets, t, link);
		free(t);
	}
	while ((m = TAILQ_FIRST(&f->timers))) {
		TAILQ_REMOVE(&f->timers, m, link);
		free(m);
	}
	while ((e = TAILQ_FIRST(&f->names))) {
		TAILQ_REMOVE(&f->names, e, link);
		free(e);
	}
	tree_clear(&f->tree);
	if (f->log_file)
		fclose(f->log_file);
	free(f->log);
	free(f);
}

struct tree *fakefc_tree(struct fakefc *f)
{
	return &f->tree;
}

void say(struct fakefc *f, const struct fakefc_port *p, const char *fmt, ...)
{
	uint64_t us = mono_since(f->now, f->began);
	va_list ap;

	if (f->log_size > LOG_MAX)
		return;
	fprintf(f->log_file, "%" PRIu64 ".%06" PRIu64 " ", us / SEC, us % SEC);
	if (p)
		fprintf(f->log_file, "host%d: ", p->host);
	va_start(ap, fmt);
	vfprintf(f->log_file, fmt, ap);
	va_end(ap);
	fputc('\n', f->log_file);
}

const char *fakefc_log(const struct fakefc *f)
{
	fflush(f->log_file);
	return f->log ? f->log : "";
}

/* ---- time ---- */

void timer_set(struct fakefc *f, uint64_t us, void (*fn)(struct fakefc *f, void *obj), void *obj)
{
	struct timer *m = calloc(1, sizeof(*m)), *before;

	if (!m)
		abort(); /* a model that forgets what is due would tell lies */
	m->at = mono_add(f->now, us);
	m->fn = fn;
	m->obj = obj;
	before = TAILQ_LAST(&f->timers, timer_list);
	while (before && before->at.us > m->at.us)
		before = TAILQ_PREV(before, timer_list, link);
	if (before)
		TAILQ_INSERT_AFTER(&f->timers, before, m, link);
	else
		TAILQ_INSERT_HEAD(&f->timers, m, link);
}

void timers_drop(struct fakefc *f, const void *obj, void (*fn)(struct fakefc *f, void *obj))
{
	struct timer *m, *next;

	for (m = TAILQ_FIRST(&f->timers); m; m = next) {
		next = TAILQ_NEXT(m, link);
		if (m->obj != obj || (fn && m->fn != fn))
			continue;
		TAILQ_REMOVE(&f->timers, m, link);
		free(m);
	}
}

/* Each thing happens at its own time, not at that of whoever looks. */
void fakefc_run(struct fakefc *f, struct monotime now)
{
	struct timer *m;

	while ((m = TAILQ_FIRST(&f->timers)) && mono_reached(m->at, now)) {
		struct timer due = *m;

		TAILQ_REMOVE(&f->timers, m, link);
		free(m);
		if (due.at.us > f->now.us)
			f->now = due.at;
		due.fn(f, due.obj);
	}
	if (now.us > f->now.us)
		f->now = now;
}

struct monotime fakefc_due(const struct fakefc *f)
{
	const struct timer *m = TAILQ_FIRST(&f->timers);

	return m ? m->at : MONOTIME_NEVER;
}

/* ---- who is there ---- */

struct hba *hba_find(const struct fakefc *f, int host)
{
	struct hba *h;

	TAILQ_FOREACH (h, &f->hbas, link)
		if (h->port->host == host)
			return h;
	return NULL;
}

struct fakefc_port *port_find(const struct fakefc *f, int host)
{
	struct vport *v;
	struct hba *h;

	TAILQ_FOREACH (h, &f->hbas, link) {
		if (h->port->host == host)
			return h->port;
		TAILQ_FOREACH (v, &h->vports, link)
			if (v->port && v->port->host == host)
				return v->port;
	}
	return NULL;
}

/* ---- reading and writing ---- */

ssize_t fakefc_read(struct fakefc *f, const struct node *n, char *buf, size_t size)
{
	if (n->kind != NODE_ATTR || !n->attr->show)
		return -EACCES;
	return n->attr->show(f, n->obj, buf, size);
}

/* sysfs gives a store function at most a page, with a NUL after it (kernfs_fop_write_iter). */
ssize_t fakefc_write(struct fakefc *f, const struct node *n, const char *data, size_t len, void *cookie)
{
	struct write w = {.len = len, .cookie = cookie};
	AUTO_FREE char *text = NULL;

	if (n->kind != NODE_ATTR || !n->attr->store)
		return -EACCES;
	if (!len)
		return 0;
	text = strndup(data, len);
	if (!text)
		return -ENOMEM;
	w.text = text;
	return n->attr->store(f, n->obj, &w);
}

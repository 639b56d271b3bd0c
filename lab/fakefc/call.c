/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A verb under way: the steps of its driver, with the waits between them, and the transport's part around
 * them (fc_vport_setup, fc_vport_terminate, store_fc_vport_disable).
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

static const char *const names[VERBS] = {"vport_create", "vport_delete", "vport_disable=1",
					 "vport_disable=0"};

#define DRAIN_US (10 * MSEC)

uint64_t call_ends(struct call *c, ssize_t result)
{
	c->result = result;
	return STEP_END;
}

/* A device goes when its attributes' writers have come out of the driver (kernfs_drain). */
static bool others_inside(const struct fakefc *f, const struct call *me)
{
	const struct call *c;

	TAILQ_FOREACH (c, &f->calls, link)
		if (c != me && c->vport == me->vport)
			return true;
	return false;
}

static ssize_t end_create(struct fakefc *f, struct call *c)
{
	c->vport->creating = false;
	if (c->result)
		vport_free(f, c->vport);
	return c->result;
}

static ssize_t end_delete(struct fakefc *f, struct call *c)
{
	c->vport->deleting = false;
	if (!c->result)
		vport_free(f, c->vport);
	return c->result;
}

static ssize_t end_switch(struct fakefc *f, struct call *c)
{
	(void)f;
	return c->result;
}

/* What write(2) returns: "stat ? stat : count" in each of them, whatever stat is. */
static ssize_t end(struct fakefc *f, struct call *c)
{
	static ssize_t (*const ends[VERBS])(struct fakefc *, struct call *) = {
		[VERB_CREATE] = end_create,
		[VERB_DELETE] = end_delete,
		[VERB_DISABLE] = end_switch,
		[VERB_ENABLE] = end_switch,
	};
	ssize_t stat;

	TAILQ_REMOVE(&f->calls, c, link);
	say(f, c->vport->hba->port, "vport-%d:0-%u: %s returns %zd", c->vport->hba->port->host,
	    c->vport->number, names[c->verb], c->result);
	stat = ends[c->verb](f, c);
	return stat ? stat : (ssize_t)c->len;
}

/* Steps until one must be waited for; true at the end. */
static bool advance(struct fakefc *f, struct call *c, uint64_t *wait)
{
	step_fn *const *steps = c->vport->hba->driver->verbs[c->verb];

	for (*wait = 0; !*wait;) {
		/* A delete was faster: there is nothing left to switch. */
		bool gone = c->verb != VERB_CREATE && c->verb != VERB_DELETE && !c->vport->port;

		*wait = c->step < STEPS_MAX && steps[c->step] && !gone ? steps[c->step](f, c) : STEP_END;
		c->step++;
	}
	if (*wait == STEP_END && c->verb == VERB_DELETE && others_inside(f, c))
		*wait = DRAIN_US;
	return *wait == STEP_END;
}

static void on_step(struct fakefc *f, void *obj)
{
	struct call *c = obj;
	void *cookie = c->cookie;
	uint64_t wait;
	ssize_t result;

	if (!advance(f, c, &wait)) {
		timer_set(f, wait, on_step, c);
		return;
	}
	result = end(f, c);
	free(c);
	if (cookie)
		f->ops.done(f->ops.arg, cookie, result);
}

void calls_hurry(struct fakefc *f, const struct hba *h)
{
	struct call *c;

	TAILQ_FOREACH (c, &f->calls, link) {
		if (c->vport->hba != h)
			continue;
		timers_drop(f, c, on_step);
		timer_set(f, 0, on_step, c);
	}
}

ssize_t call_begin(struct fakefc *f, struct vport *v, enum verb verb, const struct write *w)
{
	struct call *c = calloc(1, sizeof(*c));
	ssize_t result;
	uint64_t wait;

	if (!c)
		return -ENOMEM;
	c->vport = v;
	c->verb = verb;
	c->cookie = w->cookie;
	c->len = w->len;
	TAILQ_INSERT_TAIL(&f->calls, c, link);
	v->deleting |= verb == VERB_DELETE;
	say(f, v->hba->port, "vport-%d:0-%u: %s", v->hba->port->host, v->number, names[verb]);
	if (!advance(f, c, &wait)) {
		timer_set(f, wait, on_step, c);
		return FAKEFC_PENDING;
	}
	result = end(f, c);
	free(c);
	return result;
}

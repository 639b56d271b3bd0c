/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "handover.h"
#include "ios.h"
#include "log.h"
#include "op.h"
#include "result.h"

/* A VM whose earlier change is still being written. */
struct handover {
	TAILQ_ENTRY(handover) link;
	char uuid[37];
};

static void on_written(void *arg, const struct verror *e)
{
	AUTO_FREE char *uuid = arg;

	/* Late is not lost: it is in the disk's queue. */
	if (e && e->kind != VHBA_E_DEADLINE)
		log_err("%s was moved away, and the registry could not be told: %s; repeat 'vhbactl release "
			"--moved'",
			uuid, e->what);
}

/* False: not now. */
static bool try(struct daemon *d, const char *uuid)
{
	const struct reg_vm *rv = registry_find(d->reg, uuid);
	struct verror e = {.kind = VHBA_OK};
	char *copy;
	int r;

	if (!rv)
		return true; /* removed meanwhile: nobody attaches it here */
	copy = strdup(uuid);
	if (!copy)
		return false;
	r = registry_set_owner(d->reg, rv, "", rv->generation + 1, on_written, copy, &e);
	if (r && e.kind == VHBA_E_BUSY) {
		free(copy);
		return false;
	}
	if (r)
		on_written(copy, &e);
	else
		daemon_registry_changed(d);
	return true;
}

void handover_begin(struct daemon *d, const char *uuid)
{
	struct handover *h;

	if (try(d, uuid))
		return;
	h = calloc(1, sizeof(*h));
	if (!h) {
		log_err("%s was moved away, and the registry could not be told: out of memory", uuid);
		return;
	}
	log_notice("%s was moved away: that is written after its earlier change", uuid);
	snprintf(h->uuid, sizeof(h->uuid), "%s", uuid);
	TAILQ_INSERT_TAIL(&d->handovers, h, link);
}

void handover_retry(struct daemon *d)
{
	struct handover *h, *next;

	for (h = TAILQ_FIRST(&d->handovers); h; h = next) {
		next = TAILQ_NEXT(h, link);
		if (!try(d, h->uuid))
			continue;
		TAILQ_REMOVE(&d->handovers, h, link);
		free(h);
	}
}

void handover_free(struct daemon *d)
{
	struct handover *h;

	while ((h = TAILQ_FIRST(&d->handovers))) {
		TAILQ_REMOVE(&d->handovers, h, link);
		free(h);
	}
}

/* ---- by itself ---- */

struct asked {
	struct call *call;
	char vm[REG_NAME_MAX];
	struct monotime start;
	uint64_t deadline_us;
};

static void on_given_away(void *arg, const struct verror *e)
{
	AUTO_FREE struct asked *a = arg;
	struct json_object *o;

	if (e) {
		call_error(a->call, e);
		return;
	}
	o = result_head(op_kind_name(OP_RELEASE), a->vm, "done", a->start, a->deadline_us,
			mono_since(mono_now(), a->start));
	json_object_object_add(o, "unproved", json_object_new_array());
	json_object_object_add(o, "text", json_object_new_string("it has no vport here"));
	json_object_object_add(o, "vhbas", json_object_new_array());
	call_reply(a->call, o);
}

void handover_call(struct daemon *d, struct call *call, const struct reg_vm *rv, uint64_t deadline_us)
{
	struct asked *a = calloc(1, sizeof(*a));
	struct verror e;

	if (!a) {
		verror_set(&e, VHBA_E_INTERNAL, "out of memory");
		call_error(call, &e);
		return;
	}
	a->call = call;
	a->start = mono_now();
	a->deadline_us = deadline_us;
	snprintf(a->vm, sizeof(a->vm), "%s", rv->name);
	if (rv->io.arrives)
		ios_end(d, rv->uuid); /* it is not expected any more */
	if (!rv->owner[0] && !rv->pending)
		on_given_away(a, NULL);
	else if (registry_set_owner(d->reg, rv, "", rv->generation + 1, on_given_away, a, &e))
		on_given_away(a, &e);
	else
		daemon_registry_changed(d);
}

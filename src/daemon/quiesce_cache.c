/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The drain's last step: write caches are emptied, and reservations read while the LUNs still answer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "quiesce_verb.h"
#include "reservations.h"
#include "san.h"

/* They are compared where the identity goes. */
static void on_reservations(void *user, const char *text, const char *why)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = verb_driver(vc);
	char said[2 * QUIESCE_TEXT_MAX];

	if (!dr)
		return;
	if (text)
		reservations_keep(dr->d, dr->vm->uuid, verb_vhba(dr, &vc->call)->index, text);
	if (!text)
		snprintf(said, sizeof(said), "%s; reservations not read: %.60s", vc->said, why);
	else if (reservations_count(text))
		snprintf(said, sizeof(said), "%s; reservations read: %u", vc->said, reservations_count(text));
	else
		snprintf(said, sizeof(said), "%s", vc->said);
	driver_queue_text(dr, &vc->call, vc->good, (struct quiesce_arg){0}, said);
}

static void read_reservations(struct driver *dr, struct verb_call *vc)
{
	const struct vm_vhba *v = verb_vhba(dr, &vc->call);

	reservations_forget(dr->d, dr->vm->uuid, v->index);
	reservations_read(dr->d, v, false, vc->call.by, on_reservations, vc);
}

static void on_sync(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct verb_call *vc = user;
	struct driver *dr = verb_driver(vc);

	if (!dr)
		return;
	vc->good = r->err || r->value ? QE_SYNC_FAILED : QE_SYNCED;
	if (r->err)
		snprintf(vc->said, sizeof(vc->said), "%.100s",
			 r->err == -EBUSY ? r->text : strerror(-r->err));
	else if (r->value)
		snprintf(vc->said, sizeof(vc->said), "%d of %u LUNs: %.80s", r->value,
			 r->count + (unsigned)r->value, r->text);
	else
		snprintf(vc->said, sizeof(vc->said), "%u LUNs", r->count);
	/* Whoever does not answer is asked nothing more. */
	if (r->err || r->number)
		driver_queue_text(dr, &vc->call, vc->good, (struct quiesce_arg){0}, vc->said);
	else
		read_reservations(dr, steal_ptr(vc));
}

/* The verb ends itself before the machine's patience does, so that it can tell what has not ended. */
int quiesce_op_sync_cache(void *user, const struct quiesce_call *c)
{
	struct driver *dr = user;
	const struct vm_vhba *v = verb_vhba(dr, c);
	uint64_t left = mono_left(c->by, mono_now());
	struct priv_request q = {.verb = PRIV_SYNC_CACHE, .host = v->host, .wwpn = v->wwpn};

	if (!san_write_back(dr->d, v)) {
		struct verb_call *vc = verb_new(dr, c, QE_SYNCED, 0);

		if (!vc)
			return -ENOMEM;
		snprintf(vc->said, sizeof(vc->said), "no LUN has a volatile one");
		read_reservations(dr, vc);
		return 0;
	}
	q.number = (uint32_t)(left * 7 / 8 / USEC_PER_MSEC);
	return verb_send(dr, c, &q, on_sync, 0, 0);
}

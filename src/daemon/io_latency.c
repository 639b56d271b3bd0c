/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long the commands of a VM's LUNs took: each of its vhba-ios is asked, and the call waits for them all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ios_private.h"
#include "methods.h"

struct asked {
	struct call *call;
	struct json_object *list;
	unsigned left;
};

struct question {
	struct asked *asked;
	char vm[REG_NAME_MAX], name[16];
	unsigned number; /* the guest's */
};

static void end_one(struct asked *a)
{
	struct json_object *o;

	if (--a->left)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "latency", a->list);
	call_reply(a->call, o);
	free(a);
}

static void add_row(const struct question *q, uint64_t below_us, uint64_t count)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "vm", json_object_new_string(q->vm));
	json_object_object_add(o, "name", json_object_new_string(q->name));
	json_object_object_add(o, "guest_lun", json_object_new_uint64(q->number));
	if (below_us)
		json_object_object_add(o, "below_us", json_object_new_uint64(below_us));
	json_object_object_add(o, "commands", json_object_new_uint64(count));
	json_object_array_add(q->asked->list, o);
}

/* "ok <64us=12 <128us=3 >=2097152us=1"; one that has gone, or doesn't have the LUN yet, has no row. */
static void on_latency(void *user, const char *reply)
{
	AUTO_FREE struct question *q = user;
	const char *at = io_reply_is_ok(reply) ? reply + 2 : "";
	uint64_t us, count;

	for (; *at == ' '; at += strcspn(at + 1, " ") + 1)
		if (sscanf(at, " <%" SCNu64 "us=%" SCNu64, &us, &count) == 2)
			add_row(q, us, count);
		else if (sscanf(at, " >=%" SCNu64 "us=%" SCNu64, &us, &count) == 2)
			add_row(q, 0, count);
	end_one(q->asked);
}

static void ask(struct asked *a, struct io *io, unsigned number)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q)
		return;
	*q = (struct question){.asked = a, .number = number};
	snprintf(q->vm, sizeof(q->vm), "%s", io->vm);
	snprintf(q->name, sizeof(q->name), "%s", io->name);
	a->left++;
	io_conn_say(io->conn, on_latency, q, "latency %u", io->blk ? 0 : number);
}

void method_io_latency(struct daemon *d, struct call *call, struct json_object *p)
{
	const struct reg_vm *rv = ios_running(d, call, p);
	struct asked *a = rv ? calloc(1, sizeof(*a)) : NULL;
	struct verror e;
	struct io *io;

	if (!rv)
		return;
	if (!a) {
		verror_set(&e, VHBA_E_INTERNAL, "out of memory");
		call_error(call, &e);
		return;
	}
	*a = (struct asked){.call = call, .list = json_object_new_array(), .left = 1};
	TAILQ_FOREACH (io, &d->ios->list, link)
		for (unsigned i = 0; !strcmp(io->uuid, rv->uuid) && io->conn && i < rv->guest_luns_n; i++)
			if (!io->blk || rv->guest_luns[i].number == io->number)
				ask(a, io, rv->guest_luns[i].number);
	end_one(a);
}

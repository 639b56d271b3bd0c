/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods about vhba-ios. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "ios_private.h"
#include "methods.h"
#include "op.h"
#include "ticket.h"

#define ADD(o, key, value) json_object_object_add(o, key, value)
#define TEXT(s) json_object_new_string(s)
#define UINT(n) json_object_new_uint64(n)
#define BOOL(b) json_object_new_boolean(b)

static uint64_t kept(const struct io *io)
{
	const struct io_kept *k;
	uint64_t n = 0;

	TAILQ_FOREACH (k, &io->kept, link)
		n++;
	return n;
}

/* For a person: what it waits for, and what can be done when it doesn't come. */
static void show_waits(const struct io *io, struct json_object *o)
{
	const struct reg_vm *rv = registry_find(io->d->reg, io->uuid);
	char text[160];

	if (rv && rv->io.arrives && rv->vhbas_n && !io->live.rings) {
		snprintf(text, sizeof(text),
			 "the guest has not begun to run here; if it does not come: 'vhbactl release %s "
			 "--moved'",
			 io->vm);
		ADD(o, "waits", TEXT(text));
	} else if (io->live.text[0]) {
		ADD(o, "waits", TEXT(io->live.text));
	}
}

struct json_object *io_show(const struct io *io)
{
	struct json_object *o = json_object_new_object();
	char path[PATH_MAX];

	ADD(o, "vm", TEXT(io->vm));
	ADD(o, "name", TEXT(io->name));
	ADD(o, "state", TEXT(io_state_name(io->machine.state)));
	if (io->blk)
		ADD(o, "guest_lun", UINT(io->number));
	io_path_of(io, "sock", path, sizeof(path));
	ADD(o, "socket", TEXT(path));
	ADD(o, "front", BOOL(io->connected));
	ADD(o, "gate", TEXT(io->gate ? "closed" : "open"));
	ADD(o, "held", BOOL(io->held));
	if (io->pid)
		ADD(o, "pid", UINT((uint64_t)io->pid));
	if (io->state[0])
		ADD(o, "device", TEXT(io->state));
	ADD(o, "busy", UINT(io->busy));
	ADD(o, "orphans", UINT(io->orphans));
	ADD(o, "kept", UINT(kept(io)));
	ADD(o, "restarts", UINT(io->machine.restarts));
	if (io->up.us)
		ADD(o, "up_us", UINT(mono_since(mono_now(), io->up)));
	ADD(o, "logging", BOOL(io->logging));
	if (io->live.leaving)
		ADD(o, "leaving", BOOL(true));
	show_waits(io, o);
	if (io->text[0])
		ADD(o, "text", TEXT(io->text));
	return o;
}

static struct json_object *show_all(struct daemon *d, const char *uuid)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct io *io;

	TAILQ_FOREACH (io, &d->ios->list, link)
		if (!uuid || !strcmp(io->uuid, uuid))
			json_object_array_add(list, io_show(io));
	ADD(o, "back_ends", list);
	return o;
}

void show_ios_count(const struct daemon *d, struct json_object *o)
{
	uint64_t n = 0, up = 0, closed = 0;
	const struct io *io;

	if (d->ios) {
		TAILQ_FOREACH (io, &d->ios->list, link) {
			n++;
			up += io->machine.state == IO_UP;
			closed += io->gate;
		}
	}
	ADD(o, "back_ends", UINT(n));
	ADD(o, "back_ends_up", UINT(up));
	ADD(o, "gates_closed", UINT(closed));
}

void method_io_list(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = proto_get(p, "vm") ? methods_vm(d, p, &e) : NULL;

	if (proto_get(p, "vm") && !rv)
		call_error(call, &e);
	else
		call_reply(call, show_all(d, rv ? rv->uuid : NULL));
}

const struct reg_vm *ios_running(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);

	if (rv && !ios_run(d, rv->uuid)) {
		verror_set(&e, VHBA_E_STATE, "%s has no vhba-io running here", rv->name);
		verror_fix(&e,
			   rv->io.kind == REG_IO_NONE ? "vhbactl vm set %s --io scsi" : "vhbactl io start %s",
			   rv->name);
		rv = NULL;
	}
	if (!rv)
		call_error(call, &e);
	return rv;
}

void method_io_status(struct daemon *d, struct call *call, struct json_object *p)
{
	const struct reg_vm *rv = ios_running(d, call, p);

	if (rv)
		call_reply(call, show_all(d, rv->uuid));
}

static bool is_owner(struct daemon *d, const struct reg_vm *rv, struct verror *e)
{
	if (!strcmp(rv->owner, d->cfg->host_name))
		return true;
	verror_set(e, VHBA_E_STATE, "the identity of %s is not this host's", rv->name);
	verror_seen(e, "%s", rv->owner[0] ? rv->owner : "it was moved away");
	verror_fix(e, "import a ticket of it here, or start it where it is");
	return false;
}

void method_io_start(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);

	if (!rv || !is_owner(d, rv, &e) || op_io_adopt(d, rv, &e) || ios_start(d, rv, rv->io.gate, &e))
		call_error(call, &e);
	else
		call_reply(call, show_all(d, rv->uuid));
}

void method_io_end(struct daemon *d, struct call *call, struct json_object *p)
{
	const struct reg_vm *rv = ios_running(d, call, p);
	struct vm *vm = rv ? vm_find(&d->vms, rv->uuid) : NULL;
	struct verror e;

	if (!rv)
		return;
	if (vm && vm->op) {
		verror_set(&e, VHBA_E_BUSY, "%s: an operation is under way", rv->name);
		call_error(call, &e);
		return;
	}
	ios_end(d, rv->uuid);
	if (vm && !vm->count)
		vm_free(&d->vms, vm);
	call_reply(call, NULL);
}

void method_io_upgrade(struct daemon *d, struct call *call, struct json_object *p)
{
	const struct reg_vm *rv = ios_running(d, call, p);
	struct io *io, *next;

	if (!rv)
		return;
	for (io = TAILQ_FIRST(&d->ios->list); io; io = next) {
		next = TAILQ_NEXT(io, link);
		if (!strcmp(io->uuid, rv->uuid))
			io_tell(io, IO_EV_UPGRADE);
	}
	call_reply(call, show_all(d, rv->uuid));
}

/* Of files nobody tells that they have grown. */
void method_io_check(struct daemon *d, struct call *call, struct json_object *p)
{
	const struct reg_vm *rv = ios_running(d, call, p);

	if (!rv)
		return;
	ios_check(d, rv->uuid);
	call_reply(call, show_all(d, rv->uuid));
}

/* Who says that the source is done: its ticket, or a person who knows, or who has shut it out of the LUNs. */
static const char *reason_of(const struct reg_vm *rv, struct json_object *p, struct verror *e)
{
	struct json_object *ticket = proto_get(p, "ticket");
	const char *reason = proto_get_text(p, "reason");

	if (reason && !ticket) {
		if (!strcmp(reason, "operator") || !strcmp(reason, "preempted"))
			return reason;
		verror_set(e, VHBA_E_USAGE, "'%s' is no reason that a person can give", reason);
		verror_expected(e, "operator, preempted; or the source's ticket");
		return NULL;
	}
	if (reason || !ticket || !proto_get_text(ticket, "uuid") ||
	    strcasecmp(proto_get_text(ticket, "uuid"), rv->uuid)) {
		verror_set(e, VHBA_E_USAGE, "that the source of %s is done is not shown", rv->name);
		verror_expected(e, "its ticket from there, or --reason operator");
		return NULL;
	}
	if (ticket_stopped(ticket))
		return "confirmed";
	verror_set(e, VHBA_E_STATE, "the ticket does not say that the source of %s is done", rv->name);
	verror_expected(e, "one that was exported there after a quiesce that was confirmed");
	verror_fix(
		e,
		"quiesce it there and export it again; or, if it is surely not running: --reason operator");
	return NULL;
}

void method_io_open(struct daemon *d, struct call *call, struct json_object *p)
{
	const struct reg_vm *rv = ios_running(d, call, p);
	struct verror e;
	const char *reason = rv ? reason_of(rv, p, &e) : NULL;
	char uuid[37];

	if (!rv)
		return;
	if (!reason) {
		call_error(call, &e);
		return;
	}
	snprintf(uuid, sizeof(uuid), "%s", rv->uuid); /* the registry replaces its entry */
	if (!live_open(d, rv))
		ios_open(d, uuid, reason);
	call_reply(call, show_all(d, uuid));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "history.h"
#include "live.h"
#include "log.h"
#include "op.h"

static const char *const kind_names[OP_KINDS_] = {
	[OP_ATTACH] = "attach", [OP_DETACH] = "detach",	  [OP_QUIESCE] = "quiesce",
	[OP_RESUME] = "resume", [OP_RELEASE] = "release",
};

const char *op_kind_name(enum op_kind kind)
{
	return kind < OP_KINDS_ ? kind_names[kind] : "?";
}

static void on_caller_gone(void *user)
{
	op_caller_gone(user);
}

static struct op *begin(struct daemon *d, enum op_kind kind, struct vm *vm, uint64_t deadline_us)
{
	struct op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->d = d;
	op->kind = kind;
	op->vm = vm;
	op->id = ++d->last_op_id;
	op->start = mono_now();
	op->deadline = mono_add(op->start, deadline_us);
	vm->op = op;
	TAILQ_INSERT_TAIL(&d->ops, op, link);
	return op;
}

struct op *op_unasked(struct daemon *d, enum op_kind kind, struct vm *vm, uint64_t deadline_us)
{
	struct op *op = begin(d, kind, vm, deadline_us);

	if (op)
		op->answered = true;
	return op;
}

struct op *op_new(struct daemon *d, enum op_kind kind, struct vm *vm, struct call *call, uint64_t deadline_us,
		  struct verror *e)
{
	struct op *op = begin(d, kind, vm, deadline_us);

	if (!op) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	op->call = call;
	call_on_gone(call, on_caller_gone, op);
	daemon_event(d, "operation", vm->name, "%s begins, deadline %" PRIu64 " ms", kind_names[kind],
		     deadline_us / USEC_PER_MSEC);
	return op;
}

static const char *outcome_of(struct json_object *result)
{
	struct json_object *o;

	return result && json_object_object_get_ex(result, "outcome", &o) ? json_object_get_string(o)
									  : "failed";
}

void op_answer(struct op *op, struct json_object *result, const struct verror *e)
{
	struct call *call = steal_ptr(op->call);
	uint64_t took = mono_since(mono_now(), op->start);

	if (op->answered) {
		json_object_put(result);
		return;
	}
	op->answered = true;
	call_on_gone(call, NULL, NULL);
	/* First of all the answer: somebody waits for it, and for the record nobody before the next turn. */
	if (e)
		call_error(call, e);
	else
		call_reply(call, json_object_get(result));
	daemon_event(op->d, "operation", op->vm->name, "%s: %s after %" PRIu64 " ms%s%s",
		     kind_names[op->kind], e ? vhba_error_name(e->kind) : outcome_of(result),
		     took / USEC_PER_MSEC, e ? ": " : "", e ? e->what : "");
	if (result)
		history_add(op->d, op->vm->uuid, op->id, result);
	json_object_put(result);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *user)
{
	struct op *op = user;

	(void)s;
	(void)usec;
	op->on_wake(op);
	return 0;
}

void op_wake_at(struct op *op, struct monotime t, void (*fn)(struct op *))
{
	op->on_wake = fn;
	daemon_deadline(op->d, &op->timer, t, on_timer, op);
}

/* An operation whose end was not waited for has no success to tell. */
static void answer_unfinished(struct op *op)
{
	struct verror e = {0};

	verror_set(&e, VHBA_E_IO, "vhbad ends before %s of %s is done", kind_names[op->kind], op->vm->name);
	verror_fix(&e, "see what stands by 'vhbactl status' when it is started again");
	op_answer(op, NULL, &e);
}

void op_end(struct op *op)
{
	struct daemon *d = op->d;
	char uuid[37];

	strcpy(uuid, op->vm->uuid);
	if (!op->answered)
		answer_unfinished(op);
	sd_event_source_disable_unref(op->timer);
	work_cancel(&op->d->works, &op->begin);
	op_attach_free(op->attach);
	op_pools_free(op->pools);
	op->vm->op = NULL;
	TAILQ_REMOVE(&op->d->ops, op, link);
	free(op);
	live_look(d, uuid);
}

void op_refuse(struct op *op, const struct verror *e)
{
	struct daemon *d = op->d;
	struct vm *vm = op->vm;

	op_answer(op, NULL, e);
	op_end(op);
	if (!vm->quiesce && vm->state == VM_DETACHED)
		vm_free(&d->vms, vm);
}

unsigned op_crowd(const struct daemon *d, const struct vm *vm)
{
	const struct op *op;
	unsigned n = 0;

	TAILQ_FOREACH (op, &d->ops, link)
		n += op->vm != vm && !op->answered;
	return n;
}

void op_leave(struct op *op)
{
	if (!op->answered && op->vm->quiesce)
		quiesce_leave(op->vm->quiesce, mono_now());
	op_end(op);
}

void op_progress(struct op *op, const char *phase, int vhba, const char *text)
{
	if (call_wants_more(op->call))
		call_progress(op->call, proto_progress_new(phase, vhba, text));
}

void op_caller_gone(struct op *op)
{
	/* The call stays ours until the answer, which then goes nowhere. */
	log_info("%s: whoever asked for %s is gone; it goes on", op->vm->name, kind_names[op->kind]);
	if (op->vm->quiesce)
		quiesce_event(op->vm->quiesce, QUIESCE_VM, QE_CALLER_GONE, NULL, mono_now());
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attach as an operation: places the vhbas, looks at the inventory, records the expected LUNs, answers. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach_run.h"
#include "cleanup.h"
#include "ios.h"
#include "log.h"
#include "placement.h"
#include "pools.h"
#include "reservations.h"
#include "result.h"
#include "san.h"
#include "vport_name.h"

#define UNDO_US (2 * USEC_PER_SEC)

static void journal(struct op *op, unsigned i, const char *step)
{
	const struct vm_vhba *v = &op->vm->vhba[i];
	struct journal_record r;

	if (!op->attach->journal)
		return;
	journal_record_init(&r, step, mono_now().us);
	journal_put_u64(&r, "vhba", v->index);
	journal_put_hex(&r, "wwpn", v->wwpn);
	journal_put_hex(&r, "wwnn", v->wwnn);
	journal_put_hex(&r, "parent", v->parent_wwpn);
	if (journal_append(op->attach->journal, &r))
		log_warning("%s: the journal could not be written", op->vm->name);
}

void attach_changed(void *ctx, unsigned i, enum attach_state from, enum attach_state to)
{
	struct op *op = ctx;

	(void)from;
	attach_look_soon(op, i);
	journal(op, i, attach_state_name(to));
	op_progress(op, attach_state_name(to), (int)op->vm->vhba[i].index, NULL);
}

/* ---- the answer ---- */

/* In the order of the vhbas, whichever array answered first. */
static void add_warnings(const struct op *op, struct json_object *result)
{
	struct json_object *all = NULL;

	for (unsigned i = 0; i < op->vm->count; i++) {
		struct json_object *of_vhba = op->attach->warnings[i];

		for (size_t k = 0; of_vhba && k < json_object_array_length(of_vhba); k++) {
			if (!all)
				all = json_object_new_array();
			json_object_array_add(all, json_object_get(json_object_array_get_idx(of_vhba, k)));
		}
	}
	if (all)
		json_object_object_add(result, "warnings", all);
}

static struct json_object *build_result(struct op *op, bool ok)
{
	struct json_object *vhbas = json_object_new_array();
	struct attach *a = &op->attach->machine;
	struct monotime now = mono_now();
	struct json_object *o = result_head("attach", op->vm->name, ok ? "done" : "failed", op->start,
					    mono_since(op->deadline, op->start), mono_since(now, op->start));

	json_object_object_add(o, "unproved", json_object_new_array());
	for (unsigned i = 0; i < op->vm->count; i++) {
		struct json_object *v = result_vhba(&op->vm->vhba[i]);

		json_object_object_add(v, "outcome", json_object_new_string(ok ? "done" : "failed"));
		json_object_object_add(v, "state",
				       json_object_new_string(attach_state_name(a->vhba[i].state)));
		json_object_object_add(v, "phases", result_attach_phases(a, i, now));
		json_object_array_add(vhbas, v);
	}
	json_object_object_add(o, "vhbas", vhbas);
	add_warnings(op, o);
	return o;
}

static void finish(struct op *op, bool ok, const struct verror *e)
{
	struct attach_run *run = op->attach;
	struct vm *vm = op->vm;

	vm_set_state(vm, ok ? VM_ATTACHED : attach_is_undone(&run->machine) ? VM_DETACHED : VM_RELEASING);
	if (ok)
		ios_attached(op->d, vm);
	pools_look(op->d, vm->uuid);
	op_answer(op, build_result(op, ok), e);
	vport_names(op->d);
	if (ok && run->journal)
		journal_end(steal_ptr(run->journal), "done", "", mono_now().us, 4);
}

static void on_recorded(void *user, const struct verror *e)
{
	AUTO_FREE struct attach_verb *v = user;
	struct op *op = attach_op_of(v);

	if (!op)
		return;
	if (e)
		log_warning("%s: the expected LUN set could not be recorded: %s", op->vm->name, e->what);
	if (--op->attach->writing)
		return;
	finish(op, true, NULL);
	op_end(op);
}

/* The disk may hang: the VM is attached all the same, and the set is in the model, to be written yet. */
static void on_unrecorded(struct op *op)
{
	daemon_event(op->d, "registry", op->vm->name, "the expected LUN set is not on the disk yet");
	finish(op, true, NULL);
	op_end(op);
}

static unsigned seen_luns(struct op *op, unsigned i, struct reg_lun *luns, unsigned max)
{
	const struct fc_host *host = fc_host_find(&op->d->inv, op->vm->vhba[i].host);
	const struct fc_rport *r;
	const struct fc_lun *l;
	unsigned n = 0;

	if (!host)
		return 0;
	TAILQ_FOREACH (r, &host->rports, link) {
		TAILQ_FOREACH (l, &r->luns, link) {
			if (l->type != 0 || !l->usable || n == max)
				continue;
			memcpy(luns[n].designator, l->designator, sizeof(luns[n].designator));
			luns[n].lun = l->lun;
			luns[n].target = r->wwpn;
			luns[n].size = l->size;
			n++;
		}
	}
	return n;
}

/* The registry takes one change of a VM at a time: all vhbas' sets go as one import of the VM onto itself. */
static bool record_sets(struct op *op)
{
	const struct reg_vm *rv = registry_find(op->d->reg, op->vm->uuid);
	struct reg_vm *copy = rv ? reg_vm_copy(rv) : NULL;
	struct attach_verb *v = calloc(1, sizeof(*v));
	struct verror e;

	for (unsigned i = 0; copy && v && i < copy->vhbas_n && i < op->vm->count; i++) {
		struct reg_vhba *rvh = &copy->vhbas[i];
		struct reg_lun *luns = calloc(REG_LUNS_MAX, sizeof(*luns));

		if (!luns || op->attach->machine.vhba[i].known) {
			free(luns);
			continue;
		}
		free(rvh->luns);
		rvh->luns_n = seen_luns(op, i, luns, REG_LUNS_MAX);
		rvh->luns = reallocarray(luns, rvh->luns_n ? rvh->luns_n : 1, sizeof(*luns));
		rvh->known = true;
	}
	/* They have been compared: what comes from now on is this host's own. */
	for (unsigned i = 0; copy && i < copy->vhbas_n; i++)
		free(steal_ptr(copy->vhbas[i].reservations));
	if (copy && v) {
		v->d = op->d;
		v->op_id = op->id;
		if (!registry_import(op->d->reg, copy, on_recorded, v, &e)) {
			op->attach->writing = 1;
			op_wake_at(op, op->attach->machine.undo_at, on_unrecorded);
			daemon_registry_changed(op->d);
			reg_vm_free(copy);
			return true;
		}
		log_warning("%s: the expected LUN set could not be recorded: %s", op->vm->name, e.what);
	}
	reg_vm_free(copy);
	free(v);
	return false;
}

static void answer(void *ctx, bool ok)
{
	struct op *op = ctx;
	struct attach_run *run = op->attach;
	struct verror e = run->machine.why;

	if (ok) {
		op->settled = true;
		return; /* op_attach_look ends it: the machine is still on the stack */
	}
	for (unsigned i = 0; !e.kind && i < run->machine.count; i++)
		if (run->missing[i].kind)
			e = run->missing[i];
	if (!e.kind)
		verror_set(&e, VHBA_E_DEADLINE, "%s could not be attached by the deadline", op->vm->name);
	finish(op, false, &e);
	op_wake_at(op, mono_now(), attach_see_leftover);
}

static const struct attach_ops ops = {attach_begin, attach_changed, answer};

/* ---- reservations: what the ticket has, and what is there ---- */

#define COMPARE_US (2 * USEC_PER_SEC) /* at most; a quarter of what is left, if that is less */

static void warn(struct op *op, unsigned i, const char *text)
{
	struct json_object **list = &op->attach->warnings[i];

	log_warning("%s: %s", op->vm->name, text);
	daemon_event(op->d, "reservation", op->vm->name, "%s", text);
	if (!*list)
		*list = json_object_new_array();
	json_object_array_add(*list, json_object_new_string(text));
}

static void on_difference(void *user, const char *text)
{
	const struct attach_verb *v = user;
	char line[640];

	snprintf(line, sizeof(line), "reservations differ: %s", text);
	warn(attach_op_of(v), v->vhba, line);
}

static const char *expected_reservations(const struct op *op, unsigned i)
{
	const struct reg_vm *rv = registry_find(op->d->reg, op->vm->uuid);
	const struct reg_vhba *v = rv ? registry_vhba(rv, op->vm->vhba[i].index) : NULL;

	return v && v->reservations ? v->reservations : "";
}

static void on_reservations(void *user, const char *text, const char *why)
{
	AUTO_FREE struct attach_verb *v = user;
	struct op *op = attach_op_of(v);
	char line[256];

	if (!op || op->answered)
		return;
	if (text) {
		reservations_compare(expected_reservations(op, v->vhba), text, on_difference, v);
	} else {
		snprintf(line, sizeof(line), "vhba %u: reservations not compared: %.160s",
			 op->vm->vhba[v->vhba].index, why);
		warn(op, v->vhba, line);
	}
	op->attach->comparing--;
	op_wake_at(op, mono_now(), op_attach_look);
}

/* They follow the WWPN, so they are as they were. True: wait for what is being read. */
static bool compare_reservations(struct op *op)
{
	struct attach_run *run = op->attach;
	uint64_t us = mono_left(op->deadline, mono_now()) / 4;
	struct monotime by = mono_add(mono_now(), us < COMPARE_US ? us : COMPARE_US);

	if (run->compared)
		return run->comparing;
	run->compared = true;
	for (unsigned i = 0; i < op->vm->count; i++) {
		struct attach_verb *v;

		if (!expected_reservations(op, i)[0] || !(v = calloc(1, sizeof(*v))))
			continue;
		v->d = op->d;
		v->op_id = op->id;
		v->vhba = i;
		run->record = true;
		run->comparing++;
		reservations_read(op->d, &op->vm->vhba[i], true, by, on_reservations, v);
	}
	return run->comparing;
}

static void go_on(struct op *op)
{
	struct attach_run *run = op->attach;

	attach_look_last(op);
	attach_tick(&run->machine, mono_now());
	if (op->answered)
		return;
	if (!op->settled) {
		op_wake_at(op, attach_next_look(run), op_attach_look);
		return;
	}
	if (compare_reservations(op))
		return; /* the last answer comes here again */
	if (run->record && record_sets(op))
		return;
	finish(op, true, NULL);
	op_end(op);
}

static void place(struct op *op);

void op_attach_look(struct op *op)
{
	struct attach_run *run = op->attach;

	if (op->answered || run->writing)
		return;
	if (!run->placed) {
		place(op);
		if (!run->placed)
			attach_place_later(run);
	}
	for (unsigned i = 0; run->placed && !op->settled && !op->answered && i < op->vm->count; i++)
		attach_look_due(op, i);
	go_on(op);
}

void op_attach_news(struct op *op, int vhba)
{
	struct attach_run *run = op->attach;

	if (vhba < 0) {
		for (unsigned i = 0; i < op->vm->count; i++)
			attach_look_soon(op, i);
		op_attach_look(op);
		return;
	}
	if (op->answered || op->settled || run->writing || !run->placed)
		return;
	attach_look_now(op, (unsigned)vhba);
	go_on(op);
}

/* ---- starting ---- */

static void begin_all(struct op *op)
{
	struct attach_run *run = op->attach;
	bool ask = op->ask.await || op->ask.check_names;

	run->placed = true;
	for (unsigned i = 0; i < op->vm->count; i++) {
		bool there = op->vm->vhba[i].host >= 0;

		attach_event(&run->machine, i,
			     there ? ATTACH_EV_ADOPT
			     : ask ? ATTACH_EV_AWAIT
				   : ATTACH_EV_START,
			     mono_now());
	}
}

/* A parent that is just logging in may do in a moment: only the deadline ends the search. */
static void place(struct op *op)
{
	struct attach_run *run = op->attach;
	struct verror e;

	watch_refresh_parents(op->d);
	if (!placement_choose(op->d, op->vm, &e)) {
		begin_all(op);
		return;
	}
	run->missing[0] = e;
	if (!placement_may_change(op->d, op->vm)) {
		attach_fail(&run->machine, &e);
		attach_event(&run->machine, 0, ATTACH_EV_FAILED, mono_now());
	}
}

void op_attach_free(struct attach_run *run)
{
	if (!run)
		return;
	if (run->journal)
		journal_close(run->journal);
	for (unsigned i = 0; i < ATTACH_VHBAS_MAX; i++)
		json_object_put(run->warnings[i]);
	free(run);
}

int op_attach_start(struct op *op, bool accept_luns, struct verror *e)
{
	const struct reg_vm *rv = registry_find(op->d->reg, op->vm->uuid);
	struct journal_head head = {.kind = JOURNAL_ATTACH, .id = op->id};
	struct attach_run *run = calloc(1, sizeof(*run));
	char dir[256];

	if (!run)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	op->attach = run;
	attach_look_soon(op, 0);
	snprintf(head.vm, sizeof(head.vm), "%s", op->vm->uuid);
	snprintf(dir, sizeof(dir), "%s/journal", op->d->cfg->run_dir);
	run->journal = journal_begin(dir, &head, NULL, e);
	if (!run->journal)
		return -EIO;
	attach_init(&run->machine, &ops, op, op->vm->count, op->start, op->deadline, UNDO_US);
	for (unsigned i = 0; i < op->vm->count; i++) {
		const struct reg_vhba *v = registry_vhba(rv, op->vm->vhba[i].index);

		run->machine.vhba[i].known = v && v->known && !accept_luns;
		run->record |= !run->machine.vhba[i].known;
	}
	vm_set_state(op->vm, VM_ATTACHING);
	op_attach_look(op);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The method "plan": reads how a VM's vhbas stand, and tells their plans. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ios.h"
#include "methods.h"
#include "op.h"
#include "plan.h"
#include "result.h"
#include "san.h"
#include "vhba_profile.h"

#define ADD(o, key, value) json_object_object_add(o, key, value)
#define TEXT(s) json_object_new_string(s)
#define UINT(n) json_object_new_uint64(n)
#define BOOL(b) json_object_new_boolean(b)

/* Its target ports as they are now, not as the model has them: nobody tells when one is Blocked. */
static void look(struct daemon *d, struct vm_vhba *v, struct plan_in *in)
{
	const struct fc_host *host;
	struct fc_rport *r;
	char state[32];

	san_locate(d, v);
	watch_refresh(d, v->host);
	host = fc_host_find(&d->inv, v->host);
	in->profile = vhba_profile(d, v);
	in->fast_io_fail = 0;
	for (r = host ? TAILQ_FIRST(&host->rports) : NULL; r; r = TAILQ_NEXT(r, link)) {
		if (!r->is_target || fc_rport_read_state(host, r, state, sizeof(state)))
			continue;
		in->rports++;
		if (strcmp(state, "Blocked"))
			continue;
		in->blocked++;
		fc_rport_read_timers(host, r);
		if (r->fast_io_fail < 0 || (in->fast_io_fail >= 0 && r->fast_io_fail > in->fast_io_fail))
			in->fast_io_fail = r->fast_io_fail;
	}
}

static struct json_object *show_step(const struct plan_step *s)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "step", TEXT(quiesce_state_name(s->state)));
	ADD(o, "action", TEXT(quiesce_action_name(s->action)));
	ADD(o, "when", TEXT(s->when));
	if (s->bound_us != UINT64_MAX)
		ADD(o, "bound_us", UINT(s->bound_us));
	ADD(o, "aborts", BOOL(s->aborts));
	ADD(o, "proof", TEXT(s->proof));
	return o;
}

static struct json_object *texts(unsigned mask, const char *(*name)(unsigned one_bit))
{
	struct json_object *a = json_object_new_array();

	for (unsigned bit = 1; bit && bit <= mask; bit <<= 1)
		if (mask & bit)
			json_object_array_add(a, TEXT(name(bit)));
	return a;
}

static const char *shared_name(unsigned one_bit)
{
	return fc_shared_text((enum fc_shared)one_bit);
}

static const char *never_name(unsigned one_bit)
{
	return fc_never_text((enum fc_never)one_bit);
}

/* What a person must know beside the steps. */
static struct json_object *notes(const struct plan_in *in, uint64_t pools_us)
{
	struct json_object *a = texts(in->profile->shared, shared_name);
	char text[128];

	if (pools_us) {
		snprintf(text, sizeof(text),
			 "libvirt's pools are stopped before the first step, which takes %" PRIu64
			 " ms of the deadline at most",
			 pools_us / USEC_PER_MSEC);
		json_object_array_add(a, TEXT(text));
	}
	if (in->profile->note)
		json_object_array_add(a, TEXT(in->profile->note));
	snprintf(text, sizeof(text), "what ends the commands: %s", fc_abort_text(in->profile->abort));
	json_object_array_add(a, TEXT(text));
	if (in->blocked) {
		snprintf(text, sizeof(text),
			 "%u of its %u target ports %s Blocked already: no timer can be set there",
			 in->blocked, in->rports, in->blocked == 1 ? "is" : "are");
		json_object_array_add(a, TEXT(text));
	}
	return a;
}

static void add_deadline(struct json_object *o, const char *key, uint64_t us)
{
	if (us != UINT64_MAX)
		ADD(o, key, UINT(us));
}

static struct json_object *show_one(const struct daemon *d, const struct vm_vhba *v, const struct plan_in *in,
				    const struct plan *p, uint64_t pools_us)
{
	const struct fc_host *parent = fc_host_find(&d->inv, v->parent_host);
	struct json_object *o = result_vhba(v), *steps = json_object_new_array();

	ADD(o, "driver", TEXT(parent ? parent->driver : ""));
	ADD(o, "profile", TEXT(in->profile->family));
	ADD(o, "met", BOOL(p->met));
	add_deadline(o, "smallest_us", p->smallest_us);
	add_deadline(o, "usual_us", p->usual_us);
	ADD(o, "drain_first", BOOL(in->profile->drain_first));
	ADD(o, "logo_first", BOOL(in->profile->logo_first));
	ADD(o, "targets", UINT(in->rports));
	ADD(o, "blocked", UINT(in->blocked));
	for (unsigned i = 0; i < p->n; i++)
		json_object_array_add(steps, show_step(&p->step[i]));
	ADD(o, "steps", steps);
	ADD(o, "notes", notes(in, pools_us));
	ADD(o, "never", texts(in->profile->never, never_name));
	return o;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

struct json_object *show_plan(struct daemon *d, struct vm *vm, uint64_t deadline_us, uint64_t drain_us)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	uint64_t smallest = 0, usual = 0, pools_us = op_pools_most(d, vm, deadline_us);
	struct quiesce_config cfg;
	bool met = true;

	op_quiesce_config(d->cfg, &cfg, drain_us);
	for (unsigned i = 0; i < vm->count; i++) {
		struct plan_in in = {
			.cfg = &cfg, .served = ios_run(d, vm->uuid), .r_a_tov_us = FC_R_A_TOV_US};
		struct plan plan;

		look(d, &vm->vhba[i], &in);
		plan_make(&in, deadline_us - pools_us, &plan);
		plan.smallest_us = op_pools_before(d, vm, plan.smallest_us);
		plan.usual_us = op_pools_before(d, vm, plan.usual_us);
		met = met && plan.met;
		smallest = larger(smallest, plan.smallest_us);
		usual = larger(usual, plan.usual_us);
		json_object_array_add(list, show_one(d, &vm->vhba[i], &in, &plan, pools_us));
	}
	ADD(o, "vm", TEXT(vm->name));
	ADD(o, "deadline_us", UINT(deadline_us));
	ADD(o, "met", BOOL(met));
	add_deadline(o, "smallest_us", smallest);
	add_deadline(o, "usual_us", usual);
	ADD(o, "vhbas", list);
	return o;
}

void method_plan(struct daemon *d, struct call *call, struct json_object *p)
{
	struct verror e;
	const struct reg_vm *rv = methods_vm(d, p, &e);
	struct vm *vm = rv ? vm_find(&d->vms, rv->uuid) : NULL;

	if (rv && (!vm || !vm->count)) {
		verror_set(&e, VHBA_E_STATE, "%s has no vport here to plan for", rv->name);
		verror_seen(&e, "detached");
		verror_fix(&e, "'vhbactl attach %s' first", rv->name);
	}
	if (!vm || !vm->count) {
		call_error(call, &e);
		return;
	}
	watch_refresh_parents(d);
	call_reply(call, show_plan(d, vm, proto_get_uint(p, "deadline_us", 0),
				   proto_get_uint(p, "drain_us", OP_DRAIN_DEFAULT)));
}

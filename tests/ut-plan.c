/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a quiesce would do: the steps, their bounds, and which deadlines a driver can meet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "inventory.h"
#include "method.h"
#include "methods.h"
#include "op.h"
#include "plan.h"
#include "ut-privq.h"
#include "ut-tree.h"
#include "ut.h"
#include "vhba_profile.h"

#define MS USEC_PER_MSEC
#define SEC USEC_PER_SEC
#define WWPN 0x502ab30000000001

static struct quiesce_config cfg;

static struct plan_in in_of(const char *driver)
{
	quiesce_config_init(&cfg);
	cfg.drain_us = 500 * MS;
	return (struct plan_in){
		.profile = fc_profile_find(driver), .cfg = &cfg, .r_a_tov_us = 10 * SEC, .rports = 2};
}

static struct plan plan(const struct plan_in *in, uint64_t deadline_us)
{
	struct plan p;

	plan_make(in, deadline_us, &p);
	return p;
}

static const struct plan_step *step(const struct plan *p, enum quiesce_state s)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->step[i].state == s)
			return &p->step[i];
	return NULL;
}

/* Each edge of the way is one of the machine's table, in an order in which it can be gone. */
static void test_steps(void)
{
	static const enum quiesce_state order[] = {QS_STOP,	    QS_DRAIN,	  QS_SYNC,
						   QS_DISABLE_HOLD, QS_FAST_FAIL, QS_DISABLE_ABORT,
						   QS_HARD_STOP,    QS_VERIFY,	  QS_HELD};
	struct plan_in in = in_of("fcoe");
	struct plan p = plan(&in, 5 * SEC);

	UT_EQ(p.n, ARRAY_SIZE(order));
	for (unsigned i = 0; i < p.n; i++) {
		UT_EQ(p.step[i].state, order[i]);
		CU_ASSERT(p.step[i].when && p.step[i].proof[0]);
	}
	UT_EQ(step(&p, QS_FAST_FAIL)->action, QA_FAST_FAIL);
	UT_EQ(step(&p, QS_DISABLE_ABORT)->action, QA_DISABLE);
	UT_EQ(step(&p, QS_HARD_STOP)->action, QA_DELETE);
	UT_EQ(step(&p, QS_VERIFY)->action, QA_VERIFY);
	UT_EQ(step(&p, QS_DRAIN)->bound_us, 500 * MS);
	CU_ASSERT(step(&p, QS_DISABLE_ABORT)->aborts && step(&p, QS_HARD_STOP)->aborts);
	CU_ASSERT(!step(&p, QS_DRAIN)->aborts && !step(&p, QS_DISABLE_HOLD)->aborts);
	in.blocked = 1;
	in.fast_io_fail = 2;
	p = plan(&in, 5 * SEC);
	UT_EQ(p.n, ARRAY_SIZE(order) + 1);
	UT_EQ(step(&p, QS_RPORT_WAIT)->bound_us, 2050 * MS);
}

static void test_proofs(void)
{
	struct plan_in in = in_of("fcoe");
	struct plan p = plan(&in, 5 * SEC);

	UT_STREQ(step(&p, QS_DISABLE_HOLD)->proof,
		 "no target rport is Online, port_id is 0, device_busy is 0");
	in = in_of("lpfc");
	p = plan(&in, 5 * SEC);
	UT_STREQ(step(&p, QS_DISABLE_HOLD)->proof,
		 "no target rport is Online, vport_state is Disabled, device_busy is 0");
	CU_ASSERT(strstr(step(&p, QS_VERIFY)->proof, "name server") != NULL);
}

static void test_libfc(void)
{
	struct plan_in in = in_of("fcoe");
	struct plan p = plan(&in, 200 * MS);

	CU_ASSERT(p.met);
	UT_EQ(p.smallest_us, 172 * MS);
	CU_ASSERT(p.usual_us <= p.smallest_us);
	UT_EQ(step(&p, QS_DISABLE_ABORT)->bound_us, 150 * MS);
	CU_ASSERT(!plan(&in, 100 * MS).met);
	CU_ASSERT(!plan(&in, 2 * MS).met);
}

static void test_others(void)
{
	struct plan_in in = in_of("lpfc");
	struct plan p = plan(&in, 5 * SEC);

	CU_ASSERT(!p.met);
	/* The LOGO's wait, the ABTS's, half a second of work, of drain, and the looks. */
	UT_EQ(p.smallest_us, 41020 * MS);
	CU_ASSERT(p.usual_us < 2 * SEC);
	UT_EQ(step(&p, QS_DRAIN)->bound_us, (5 * SEC - cfg.answer_margin_us) / 2);
	UT_EQ(step(&p, QS_HARD_STOP)->bound_us, 107 * SEC);
	CU_ASSERT(plan(&in, 60 * SEC).met);
	in.r_a_tov_us = 2 * SEC;
	UT_EQ(plan(&in, 5 * SEC).smallest_us, 9020 * MS);
	in = in_of("qla2xxx");
	p = plan(&in, 5 * SEC);
	CU_ASSERT(!p.met);
	UT_EQ(p.smallest_us, 57520 * MS);
	CU_ASSERT(step(&p, QS_HARD_STOP)->bound_us == UINT64_MAX);
	in = in_of("qedf");
	UT_EQ(plan(&in, 5 * SEC).smallest_us, 64522 * MS);
	in = in_of("a driver that nobody knows");
	CU_ASSERT(plan(&in, 5 * SEC).smallest_us > 2 * 60 * SEC);
}

/* Where a vhba-io serves the VM its rings stop first, within a quarter of the time; what comes after has the
 * rest. */
static void test_served(void)
{
	struct plan_in in = in_of("fcoe");
	struct plan paused = plan(&in, 5 * SEC), p;
	struct quiesce_profile q;
	uint64_t left;

	UT_EQ(step(&paused, QS_STOP)->bound_us, 0);
	CU_ASSERT(strstr(step(&paused, QS_STOP)->proof, "owner") != NULL);
	in.served = true;
	p = plan(&in, 5 * SEC);
	UT_EQ(step(&p, QS_STOP)->bound_us, cfg.stop_us);
	CU_ASSERT(strstr(step(&p, QS_STOP)->proof, "vhba-io") != NULL);
	p = plan(&in, 205 * MS);
	UT_EQ(step(&p, QS_STOP)->bound_us, 50 * MS);
	vhba_profile_quiesce(in.profile, in.r_a_tov_us, in.rports, &q);
	UT_EQ(step(&p, QS_DRAIN)->bound_us, quiesce_drain_us(&cfg, &q, 150 * MS));
	CU_ASSERT(!p.met && paused.smallest_us < 205 * MS);
	left = p.smallest_us - cfg.answer_margin_us;
	CU_ASSERT(left - left / 4 >= paused.smallest_us - cfg.answer_margin_us);
}

/* With an rport that is Blocked already: its own fast_io_fail, else the hard stop. */
static void test_blocked(void)
{
	struct plan_in in = in_of("fcoe");
	struct plan p;

	in.blocked = 1;
	in.fast_io_fail = -1;
	p = plan(&in, SEC);
	CU_ASSERT(p.met); /* the delete takes 200 ms */
	UT_EQ(step(&p, QS_RPORT_WAIT)->bound_us, UINT64_MAX);
	in.fast_io_fail = 5;
	CU_ASSERT(plan(&in, SEC).met);
	CU_ASSERT(!plan(&in, 5700 * MS).met); /* it would be waited for, and the disable comes after */
	CU_ASSERT(plan(&in, 7 * SEC).met);
	in = in_of("qla2xxx");
	in.blocked = 1;
	in.fast_io_fail = -1;
	p = plan(&in, 60 * SEC);
	CU_ASSERT(!p.met); /* a delete without a bound */
	CU_ASSERT(p.smallest_us == UINT64_MAX && p.usual_us == UINT64_MAX);
	in.fast_io_fail = 5;
	p = plan(&in, 60 * SEC);
	CU_ASSERT(p.smallest_us > 60 * SEC && p.smallest_us < 130 * SEC);
}

/* What is said to be the smallest is met, and what is a millisecond less is not. */
static void smallest_is(const struct plan_in *in)
{
	struct plan p = plan(in, SEC);

	if (p.smallest_us == UINT64_MAX)
		return;
	CU_ASSERT(plan(in, p.smallest_us).met);
	CU_ASSERT(!plan(in, p.smallest_us - MS).met);
	CU_ASSERT(p.usual_us <= p.smallest_us);
}

static void test_smallest(void)
{
	for (size_t i = 0; i < fc_profiles_n; i++) {
		for (unsigned how = 0; how < 4; how++) {
			for (int fail = -1; fail < 10; fail += 5) {
				struct plan_in in = in_of(fc_profiles[i].drivers[0] ?: "");

				in.blocked = how & 1;
				in.served = how & 2;
				in.fast_io_fail = fail;
				smallest_is(&in);
			}
		}
	}
}

/* ---- the method's reply ---- */

static void test_reply(void)
{
	struct config conf = {.margin = 5 * MS, .drain = 500 * MS, .hold = 60 * SEC};
	struct daemon d = {.cfg = &conf};
	struct json_object *o, *v, *vhbas;
	struct vm *vm;
	struct verror e = {0};

	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	tree_vport(2, 3, 5, "0x502ab30000000001");
	tree_rport(5, 0, "0x500601600000000a", true);
	tree_rport(5, 1, "0x500601600000000b", true);
	tree_rport(5, 2, "0x21000000000000ff", false);
	fc_inventory_init(&d.inv, NULL, NULL);
	TAILQ_INIT(&d.vms);
	TAILQ_INIT(&d.fcoe);
	ut_privq_up(&d);
	UT_EQ(fc_inventory_scan(&d.inv), 0);
	vm = vm_new(&d.vms, "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01", "db1");
	vm->count = 1;
	vm->vhba[0] = (struct vm_vhba){.wwpn = WWPN, .wwnn = WWPN + 1, .host = 5, .parent_host = 2};
	tree_put("Blocked", "/sys/class/fc_remote_ports/rport-5:0-1/port_state");
	o = show_plan(&d, vm, 5 * SEC, OP_DRAIN_DEFAULT);
	UT_EQ(proto_check_reply(proto_method_find("plan"), o, &e), 0);
	if (e.kind)
		printf("# %s, expected %s, seen %s\n", e.what, e.expected, e.seen);
	CU_ASSERT(json_object_object_get_ex(o, "vhbas", &vhbas));
	UT_EQ(json_object_array_length(vhbas), 1);
	v = json_object_array_get_idx(vhbas, 0);
	UT_STREQ(proto_get_text(v, "driver"), "fcoe");
	UT_STREQ(proto_get_text(v, "profile"), "libfc");
	UT_EQ(proto_get_uint(v, "targets", 0), 2);
	UT_EQ(proto_get_uint(v, "blocked", 0), 1);
	json_object_put(o);
	vm_free(&d.vms, vm);
	ut_privq_down(&d);
	fc_inventory_clear(&d.inv);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"the steps are the table's", test_steps},
		{"what proves each step", test_proofs},
		{"libfc meets 200 ms", test_libfc},
		{"other drivers' smallest deadlines", test_others},
		{"a VM that a vhba-io serves", test_served},
		{"a target that is Blocked", test_blocked},
		{"the smallest is the smallest", test_smallest},
		{"the reply has the table's shape", test_reply},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"plan", tests, NULL, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}

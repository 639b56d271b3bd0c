/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rport timers of an attached VM in a fake tree: who else writes them is noticed, told once, and undone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "ct.h"
#include "driver.h"
#include "history.h"
#include "inventory.h"
#include "op.h"
#include "quiesce_verb.h"
#include "registry.h"
#include "san.h"
#include "timers.h"
#include "ut-privq.h"
#include "ut-tree.h"
#include "ut.h"

#define RPORT "/sys/class/fc_remote_ports/rport-5:0-%u/"

static struct config cfg;
static struct daemon d;
static struct vm *vm;
static char run_dir[96];

static int begin(void)
{
	char journal[128];

	ut_memdir(run_dir, sizeof(run_dir));
	snprintf(journal, sizeof(journal), "%s/journal", run_dir);
	return mkdir(journal, 0700);
}

/* An attached VM with two targets whose timers are right. */
static void up(void)
{
	cfg = (struct config){.run_dir = run_dir,
			      .margin = 5 * USEC_PER_MSEC,
			      .drain = 500 * USEC_PER_MSEC,
			      .hold = 60 * USEC_PER_SEC,
			      .dev_loss = 60,
			      .fast_io_fail = -1,
			      .keep_timers = true};
	d = (struct daemon){.cfg = &cfg, .last_op_id = d.last_op_id};
	TAILQ_INIT(&d.vms);
	TAILQ_INIT(&d.ops);
	TAILQ_INIT(&d.fcoe);
	TAILQ_INIT(&d.watchers);
	eventlog_init(&d.events);
	ut_privq_up(&d);
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	tree_vport(2, 3, 5, "0x502ab30000000001");
	tree_rport(5, 0, "0x500601600000000a", true);
	tree_rport(5, 1, "0x500601600000000b", true);
	tree_rport(5, 2, "0x21000000000000ff", false);
	tree_disk(5, 0, 0, "sda");
	fc_inventory_init(&d.inv, NULL, NULL);
	UT_EQ(fc_inventory_scan(&d.inv), 0);
	vm = vm_new(&d.vms, "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01", "db1");
	vm->count = 1;
	vm->vhba[0] = (struct vm_vhba){.wwpn = 0x502ab30000000001,
				       .wwnn = 0x502ab30000000002,
				       .host = 5,
				       .parent_host = 2,
				       .number = 3};
	vm_set_state(vm, VM_ATTACHED);
}

static void down(void)
{
	vm_free(&d.vms, vm);
	ut_privq_down(&d);
	fc_inventory_clear(&d.inv);
	eventlog_clear(&d.events);
}

static void set(unsigned rport, const char *attr, const char *value)
{
	tree_put(value, RPORT "%s", rport, attr);
}

static unsigned told(void)
{
	unsigned n = 0;

	for (uint64_t seq = eventlog_oldest(&d.events); seq < d.events.next; seq++) {
		struct json_object *kind;

		n += json_object_object_get_ex(eventlog_get(&d.events, seq), "kind", &kind) &&
		     !strcmp(json_object_get_string(kind), "timers");
	}
	return n;
}

/* In one event's text, all of it. */
static bool told_that(const char *one, const char *two, const char *three)
{
	for (uint64_t seq = eventlog_oldest(&d.events); seq < d.events.next; seq++) {
		struct json_object *text;
		const char *s;

		if (!json_object_object_get_ex(eventlog_get(&d.events, seq), "text", &text))
			continue;
		s = json_object_get_string(text);
		if (strstr(s, one) && strstr(s, two) && strstr(s, three))
			return true;
	}
	return false;
}

static bool asked(struct priv_request *q)
{
	ut_privq_run(&d, 0);
	return ut_privq_next(q);
}

/* By itself: where a back end has several ports to go by, and nowhere else. */
static void test_auto(void)
{
	char both[] = "db-a,db-b", one[] = "db-a";
	struct config_zone zones[] = {{.name = "db-a", .vsan = 10, .count = 1},
				      {.name = "db-b", .vsan = 10, .count = 1}};
	struct config c = {.dev_loss = 60, .fast_io_fail = CONFIG_AUTO, .zones_n = 2, .zones = zones};
	struct reg_vhba vhba[] = {{.vsan = 10, .zones = one}, {.vsan = 20}};
	struct reg_vm rv = {.io = {.kind = REG_IO_SCSI}, .vhbas_n = 2, .vhbas = vhba};

	UT_EQ(timers_fast_io_fail(&c, &rv), 5);
	UT_EQ(timers_fast_io_fail(&c, NULL), -1);
	rv.io.kind = REG_IO_NONE;
	UT_EQ(timers_fast_io_fail(&c, &rv), -1);
	rv.io.kind = REG_IO_BLK;
	rv.vhbas_n = 1;
	UT_EQ(timers_fast_io_fail(&c, &rv), -1);
	vhba[0].zones = both;
	UT_EQ(timers_fast_io_fail(&c, &rv), 5);
	vhba[0].zones = one;
	zones[0].count = 2;
	UT_EQ(timers_fast_io_fail(&c, &rv), 5);
	c.dev_loss = 4;
	UT_EQ(timers_fast_io_fail(&c, &rv), 3);
	c.dev_loss = 1;
	UT_EQ(timers_fast_io_fail(&c, &rv), -1);
	/* what is said holds for all */
	c.dev_loss = 60;
	c.fast_io_fail = -1;
	UT_EQ(timers_fast_io_fail(&c, &rv), -1);
	c.fast_io_fail = 9;
	UT_EQ(timers_fast_io_fail(&c, NULL), 9);
}

static void test_right(void)
{
	struct priv_request q;

	up();
	timers_look(&d, vm);
	CU_ASSERT(!asked(&q));
	UT_EQ(told(), 0);
	set(2, "fast_io_fail_tmo", "5"); /* no target */
	timers_look(&d, vm);
	CU_ASSERT(!asked(&q));
	down();
}

static void test_changed(void)
{
	struct priv_request q;

	up();
	set(0, "fast_io_fail_tmo", "5");
	timers_look(&d, vm);
	CU_ASSERT_FATAL(asked(&q));
	UT_EQ(q.verb, PRIV_RPORT_TIMERS);
	UT_EQ(q.host, 5);
	UT_EQ(q.fast_io_fail, -1);
	UT_EQ(q.dev_loss, 60);
	UT_EQ(told(), 1);
	CU_ASSERT(told_that("50:06:01:60:00:00:00:0a", "fast_io_fail_tmo is 5s, not off", "set back"));
	CU_ASSERT(!told_that("dev_loss", "", ""));
	/* While it is under way it is not asked for again, and what is still so is not told again. */
	timers_look(&d, vm);
	ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	CU_ASSERT(!vm->vhba[0].timers_pending);
	timers_look(&d, vm);
	CU_ASSERT_FATAL(asked(&q));
	CU_ASSERT(!asked(&q));
	UT_EQ(told(), 1);
	set(0, "fast_io_fail_tmo", "off");
	ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	timers_look(&d, vm);
	CU_ASSERT(!asked(&q));
	/* Changed anew: told anew, for each of its targets. */
	set(0, "fast_io_fail_tmo", "5");
	set(1, "dev_loss_tmo", "30");
	timers_look(&d, vm);
	UT_EQ(told(), 3);
	CU_ASSERT(told_that("50:06:01:60:00:00:00:0b", "dev_loss_tmo is 30s, not 60s", "set back"));
	CU_ASSERT(asked(&q));
	CU_ASSERT(!asked(&q)); /* one verb sets all of a host */
	down();
}

/* An event is about one vhba: the timers of the VM's others are not read for it. */
static void test_one_vhba(void)
{
	struct priv_request q;
	struct vm_vhba other = {.index = 1, .host = 77};

	up();
	set(0, "fast_io_fail_tmo", "5");
	timers_look_vhba(&d, vm, &other);
	CU_ASSERT(!asked(&q));
	vm_set_state(vm, VM_HELD);
	timers_look_vhba(&d, vm, &vm->vhba[0]);
	CU_ASSERT(!asked(&q));
	vm_set_state(vm, VM_ATTACHED);
	timers_look_vhba(&d, vm, &vm->vhba[0]);
	CU_ASSERT(asked(&q));
	down();
}

static void test_left_alone(void)
{
	struct priv_request q;

	up();
	cfg.keep_timers = false;
	set(0, "fast_io_fail_tmo", "5");
	timers_look(&d, vm);
	timers_look(&d, vm);
	CU_ASSERT(!asked(&q));
	UT_EQ(told(), 1);
	CU_ASSERT(told_that("0a", "5s, not off", "left alone"));
	down();
}

/* A Blocked port takes no timers; what an operation is doing is not disturbed. */
static void test_not_now(void)
{
	struct priv_request q;

	up();
	set(0, "fast_io_fail_tmo", "5");
	set(0, "port_state", "Blocked");
	timers_look(&d, vm);
	CU_ASSERT(!asked(&q));
	set(0, "port_state", "Online");
	vm_set_state(vm, VM_HELD);
	timers_look(&d, vm);
	CU_ASSERT(!asked(&q));
	UT_EQ(told(), 0);
	vm_set_state(vm, VM_ATTACHED);
	timers_look(&d, vm);
	CU_ASSERT(asked(&q));
	down();
}

/* The disable comes when the timers are set back, or when nobody says so. */
static void quiesce_waits(bool answered)
{
	struct priv_request q;
	struct verror e;
	struct op *op;

	up();
	set(0, "fast_io_fail_tmo", "5");
	op = op_new(&d, OP_QUIESCE, vm, NULL, 20 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	UT_EQ(op_quiesce_start(op, &(struct op_ask){OP_DRAIN_DEFAULT, true}, &e), 0);
	CU_ASSERT_FATAL(asked(&q));
	UT_EQ(q.verb, PRIV_RPORT_TIMERS);
	UT_EQ(q.fast_io_fail, -1);
	/* Nothing is in flight: it stands before the disable. */
	ut_privq_run(&d, 0);
	UT_EQ(quiesce_state(vm->quiesce, 0), QS_DISABLE_HOLD);
	if (answered) {
		struct priv_request first = q;

		/* However slow this is: as long as they are being set back the disable waits. */
		CU_ASSERT(!vm->vhba[0].timers_pending || vm->driver->waits[0].fn);
		ut_privq_reply(&d, &first, (struct priv_reply){.err = 0});
	}
	for (struct monotime stop = mono_add(mono_now(), 10 * USEC_PER_SEC);
	     !ut_privq_next(&q) && !mono_reached(stop, mono_now());)
		ut_privq_run(&d, 100 * USEC_PER_MSEC);
	UT_EQ(q.verb, PRIV_VPORT_DISABLE);
	UT_EQ(q.target, 0); /* what slips in is parked */
	op_end(op);
	down();
}

static void test_before_quiesce(void)
{
	quiesce_waits(true);
	quiesce_waits(false);
}

/* With commands left it is the abort's 0 that waits, lest what is late sets it back. */
static void test_before_abort(void)
{
	struct priv_request q, first;
	struct verror e;
	struct op *op;

	up();
	set(0, "fast_io_fail_tmo", "5");
	tree_put("3", "/sys/class/scsi_device/5:0:0:0/device/device_busy");
	op = op_new(&d, OP_QUIESCE, vm, NULL, 20 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	UT_EQ(op_quiesce_start(op, &(struct op_ask){0, true}, &e), 0);
	CU_ASSERT_FATAL(asked(&first));
	UT_EQ(first.fast_io_fail, -1);
	for (struct monotime stop = mono_add(mono_now(), 10 * USEC_PER_SEC);
	     quiesce_state(vm->quiesce, 0) != QS_FAST_FAIL && !mono_reached(stop, mono_now());)
		ut_privq_run(&d, 10 * USEC_PER_MSEC);
	ut_privq_reply(&d, &first, (struct priv_reply){.err = 0});
	CU_ASSERT_FATAL(ut_privq_next(&q));
	/* Should half a second have passed it is the hard stop already. */
	CU_ASSERT((q.verb == PRIV_RPORT_TIMERS && !q.fast_io_fail) || q.verb == PRIV_VPORT_DELETE);
	if (q.verb == PRIV_RPORT_TIMERS) {
		ut_privq_reply(&d, &q, (struct priv_reply){.count = 1});
		for (struct monotime stop = mono_add(mono_now(), 10 * USEC_PER_SEC);
		     q.verb != PRIV_VPORT_DISABLE && q.verb != PRIV_VPORT_DELETE &&
		     !mono_reached(stop, mono_now());)
			if (!ut_privq_next(&q))
				ut_privq_run(&d, 10 * USEC_PER_MSEC);
		CU_ASSERT((q.verb == PRIV_VPORT_DISABLE && q.target) || q.verb == PRIV_VPORT_DELETE);
	}
	op_end(op);
	down();
}

/* A resume of a vport whose delete the driver has put off: it is deleted first, since it can't be enabled any
 * more. */
static void resume_of_half_deleted(const char *driver, enum priv_verb first)
{
	struct quiesce_call call = {.vhba = 0, .token = 1000, .by = mono_add(mono_now(), 60 * USEC_PER_SEC)};
	struct priv_request q;
	struct verror e;
	struct op *op;

	up();
	snprintf(fc_host_find(&d.inv, 2)->driver, sizeof(((struct fc_host *)0)->driver), "%s", driver);
	op = op_new(&d, OP_QUIESCE, vm, NULL, 20 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	UT_EQ(op_quiesce_start(op, &(struct op_ask){0, true}, &e), 0);
	while (ut_privq_next(&q))
		;
	UT_EQ(quiesce_driver_ops.create_vport(vm->driver, &call), 0);
	while (ut_privq_next(&q) && q.verb != first)
		;
	UT_EQ(q.verb, first);
	UT_EQ(q.wwpn, vm->vhba[0].wwpn);
	if (first == PRIV_VPORT_DELETE) {
		ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
		while (ut_privq_next(&q) && q.verb != PRIV_VPORT_CREATE)
			;
		UT_EQ(q.verb, PRIV_VPORT_CREATE);
	}
	op_end(op);
	down();
}

static void test_half_deleted(void)
{
	resume_of_half_deleted("lpfc", PRIV_VPORT_DELETE);
	resume_of_half_deleted("fcoe", PRIV_VPORT_ENABLE);
}

/* ---- other looks of a machine at a vport ---- */

static struct op *quiescing_within(uint64_t us)
{
	struct verror e;
	struct op *op;

	up();
	op = op_new(&d, OP_QUIESCE, vm, NULL, us, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	UT_EQ(op_quiesce_start(op, &(struct op_ask){0, true}, &e), 0);
	return op;
}

static struct op *quiescing(void)
{
	return quiescing_within(20 * USEC_PER_SEC);
}

/* A login that stands still is begun anew after a time, while its parent is Online, and where the driver does
 * not do so by itself; what is logged in and lacks LUNs is asked for them before. */
static void test_login_stuck(void)
{
	static const struct {
		const char *driver, *parent, *port;
		unsigned seconds;
		bool stuck, scan;
	} cases[] = {
		{"fcoe", "Online", "Unknown", 11, true, false},
		{"fcoe", "Online", "Unknown", 5, false, false},
		{"fcoe", "Online", "Online", 11, true, false},
		{"fcoe", "Online", "Online", 3, false, true},
		{"fcoe", "Linkdown", "Unknown", 11, false, false},
		{"lpfc", "Online", "Unknown", 11, false, false},
		{"lpfc", "Online", "Online", 11, false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct op *op = quiescing();
		struct driver *dr = vm->driver;
		struct fc_host *parent = fc_host_find(&d.inv, 2), *host = fc_host_find(&d.inv, 5);

		snprintf(parent->driver, sizeof(parent->driver), "%s", cases[i].driver);
		snprintf(parent->state, sizeof(parent->state), "%s", cases[i].parent);
		snprintf(host->state, sizeof(host->state), "%s", cases[i].port);
		driver_login_begins(dr, 0);
		UT_EQ(driver_login_stuck(dr, 0, "no LUN"), false);
		dr->login[0].watch.since.us -= cases[i].seconds * USEC_PER_SEC;
		UT_EQ(driver_login_stuck(dr, 0, "no LUN"), cases[i].stuck);
		UT_EQ(dr->login[0].watch.scanned, cases[i].scan);
		/* The next one gets longer. */
		UT_EQ(driver_login_stuck(dr, 0, "no LUN"), false);
		UT_EQ(driver_login_begins(dr, 0), cases[i].stuck);
		op_end(op);
		down();
	}
}

#define MANY 100

/* What a resume waits for is read anew, beside others that wait less often. */
static void test_read_again(void)
{
	struct op *op = quiescing();
	const struct fc_rport *rport = TAILQ_FIRST(&fc_host_find(&d.inv, 5)->rports);
	static struct op others[MANY];
	struct quiesce_call c = {.vhba = 0};
	struct verror e;

	d.reg = registry_open(run_dir, USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.reg);
	tree_put("Disabled", "/sys/class/fc_vports/vport-2:0-3/vport_state");
	for (unsigned i = 0; i < MANY; i++) {
		others[i] = (struct op){.d = &d};
		TAILQ_INSERT_TAIL(&d.ops, &others[i], link);
	}
	driver_login_begins(vm->driver, 0);
	vm->driver->login[0].read.us -= 200 * USEC_PER_MSEC;
	tree_put("Not Present", RPORT "port_state", rport->number);
	UT_EQ(quiesce_op_check_ready(vm->driver, &c), 0);
	UT_STREQ(rport->state, "Online");
	for (unsigned i = 0; i < MANY; i++)
		TAILQ_REMOVE(&d.ops, &others[i], link);
	UT_EQ(quiesce_op_check_ready(vm->driver, &c), 0);
	UT_STREQ(TAILQ_FIRST(&fc_host_find(&d.inv, 5)->rports)->state, "Not Present");
	op_end(op);
	registry_close(d.reg);
	down();
}

static int failed_with[3];

static void on_failed(void *user, const struct priv_reply *r)
{
	*(int *)user = r->err ? r->err : 1;
}

/* Of several requests each has its own time, whatever has become of those before. */
static void test_helper_silent(void)
{
	static const uint64_t timeout_ms[3] = {10, 40, 1};
	struct priv_request q = {.verb = PRIV_PING};
	struct monotime start = mono_now();

	up();
	for (int i = 0; i < 2; i++)
		privq_call(d.privq, &q, timeout_ms[i] * USEC_PER_MSEC, on_failed, &failed_with[i]);
	CU_ASSERT(ut_privq_next(&q));
	ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	UT_EQ(failed_with[0], 1);
	while (!failed_with[1] && mono_since(mono_now(), start) < 20 * USEC_PER_SEC)
		ut_privq_run(&d, USEC_PER_SEC);
	UT_EQ(failed_with[1], -ETIMEDOUT);
	CU_ASSERT(mono_since(mono_now(), start) >= timeout_ms[1] * USEC_PER_MSEC);
	privq_call(d.privq, &q, timeout_ms[2] * USEC_PER_MSEC, on_failed, &failed_with[2]);
	while (!failed_with[2] && mono_since(mono_now(), start) < 20 * USEC_PER_SEC)
		ut_privq_run(&d, USEC_PER_SEC);
	UT_EQ(failed_with[2], -ETIMEDOUT);
	down();
}

/* What the name server has is another port's once the fabric has let this one go. */
static const char *name_server_says(enum ct_answer answer, const char *port_id, bool shown)
{
	static char said[QUIESCE_FABRIC_MAX];
	struct op *op = quiescing();
	struct monotime stop = mono_add(mono_now(), 10 * USEC_PER_SEC);
	struct priv_request q;

	snprintf(fc_host_find(&d.inv, 2)->state, sizeof(((struct fc_host *)0)->state), "Online");
	tree_put("Online", "/sys/class/fc_host/host2/port_state");
	tree_put(port_id, "/sys/class/fc_host/host5/port_id");
	vm->vhba[0].shown = shown;
	said[0] = '\0';
	while (!said[0] && !mono_reached(stop, mono_now())) {
		ut_privq_run(&d, 10 * USEC_PER_MSEC);
		while (ut_privq_next(&q)) {
			if (q.verb == PRIV_CT_GID_PN)
				ut_privq_reply(&d, &q,
					       (struct priv_reply){.value = answer, .port_id = 0x010136});
			else
				ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
		}
		snprintf(said, sizeof(said), "%s", quiesce_seen(vm->quiesce, 0)->fabric);
	}
	op_end(op);
	down();
	return said;
}

static void test_other_port(void)
{
	UT_STREQ(name_server_says(CT_PRESENT, "0x010136", false), "present: 010136");
	UT_STREQ(name_server_says(CT_PRESENT, "0x000000", false),
		 "present: 010136; this vport's N_Port_ID is not that, so another port carries its WWPN");
	UT_STREQ(name_server_says(CT_PRESENT, "0x010135", false),
		 "present: 010136; this vport's N_Port_ID is not that, so another port carries its WWPN");
}

/* Of the helper's requests those for the name server get this answer, or none; all others are done. */
static void answer_helper(const struct priv_reply *ct)
{
	struct priv_request q;

	ut_privq_run(&d, 10 * USEC_PER_MSEC);
	while (ut_privq_next(&q))
		if (q.verb != PRIV_CT_GID_PN)
			ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
		else if (ct)
			ut_privq_reply(&d, &q, *ct);
}

static bool log_has(const char *text)
{
	struct json_object *all = history_get(&d, vm->uuid);
	bool has = strstr(json_object_to_json_string(all), text);

	json_object_put(all);
	return has;
}

/* An answer that was due before the name server had told who has the name is added to. */
static void test_seen_later(void)
{
	struct monotime stop = mono_add(mono_now(), 20 * USEC_PER_SEC);
	struct priv_reply elsewhere = {.value = CT_PRESENT, .port_id = 0x010136};
	struct json_object *before;
	uint64_t id;

	quiescing_within(300 * USEC_PER_MSEC);
	UT_EQ(history_open(&d), 0);
	snprintf(fc_host_find(&d.inv, 2)->state, sizeof(((struct fc_host *)0)->state), "Online");
	tree_put("Online", "/sys/class/fc_host/host2/port_state");
	tree_put("0x000000", "/sys/class/fc_host/host5/port_id");
	while (!log_has("\"unconfirmed\"") && !mono_reached(stop, mono_now()))
		answer_helper(NULL);
	CU_ASSERT_TRUE(log_has("\"unconfirmed\""));
	CU_ASSERT_FALSE(log_has("another port"));
	CU_ASSERT_PTR_NULL(vm->op);
	id = vm->driver->answered.id;
	UT_EQ(history_find(&d, vm->uuid, "quiesce", vm->driver->answered.start.us, &before), id);
	while (!log_has("another port") && !mono_reached(stop, mono_now()))
		answer_helper(&elsewhere);
	CU_ASSERT_TRUE(log_has("another port carries its WWPN"));
	CU_ASSERT_FALSE(log_has("\"later\""));
	/* killed between the journal and the log: the next one makes up for it */
	UT_EQ(vm->driver->answered.id, id);
	history_add(&d, vm->uuid, id, before);
	CU_ASSERT_FALSE(log_has("another port"));
	memset(&vm->driver->answered, 0, sizeof(vm->driver->answered));
	driver_note_earlier(vm->driver);
	UT_EQ(vm->driver->answered.id, id);
	CU_ASSERT_TRUE(log_has("another port carries its WWPN"));
	json_object_put(before);
	history_close(&d);
	down();
}

/* Neither does a vport's delete give it its login back. */
static void test_let_go(void)
{
	struct op *op = quiescing();
	struct quiesce_call c = {.vhba = 0, .by = mono_add(mono_now(), USEC_PER_SEC)};

	snprintf(fc_host_find(&d.inv, 2)->state, sizeof(((struct fc_host *)0)->state), "Online");
	tree_put("Online", "/sys/class/fc_host/host2/port_state");
	tree_put("0x010136", "/sys/class/fc_host/host5/port_id");
	UT_EQ(quiesce_op_verify_fabric(vm->driver, &c), 0);
	UT_EQ(vm->driver->logged_out[0], false);
	tree_put("0x000000", "/sys/class/fc_host/host5/port_id");
	UT_EQ(quiesce_op_verify_fabric(vm->driver, &c), 0);
	UT_EQ(vm->driver->logged_out[0], true);
	fc_inventory_vport_gone(&d.inv, 2, 0, 3);
	CU_ASSERT_FALSE(san_locate(&d, &vm->vhba[0]));
	UT_EQ(quiesce_op_verify_fabric(vm->driver, &c), 0);
	UT_EQ(vm->driver->logged_out[0], true);
	UT_EQ(vm->driver->port_id[0], 0x010136);
	op_end(op);
	down();
}

/* Zoning may hide the vport from its parent: then the LOGO's acceptance proves it, or nothing does. */
static void test_hidden(void)
{
	UT_STREQ(name_server_says(CT_ABSENT, "0x000000", false), "absent");
	UT_STREQ(name_server_says(CT_ABSENT, "0x010136", true), "absent");
	UT_STREQ(name_server_says(CT_ABSENT, "0x010136", false),
		 "no proof: absent, but zoning may hide it from the parent, and its LOGO is not accepted");
}

/* Others log out just now: the disable comes when a turn of theirs is over, and is not taken for late
 * meanwhile. */
static void test_turn(void)
{
	struct op *op = quiescing();
	const struct fc_profile *p = fc_profile_find("fcoe");
	struct monotime stop = mono_add(mono_now(), 20 * USEC_PER_SEC), over;
	struct priv_request q = {0};

	snprintf(fc_host_find(&d.inv, 2)->driver, sizeof(((struct fc_host *)0)->driver), "fcoe");
	over = mono_add(mono_now(), 2 * fc_bound_us(&p->usual, FC_R_A_TOV_US, 1));
	for (unsigned i = 0; i < p->logouts; i++) {
		struct logout_id id = {.uuid = "another", .vhba = i};

		UT_EQ(logouts_ask(&d.logouts, &id, p, MONOTIME_NEVER, mono_now(), NULL), true);
	}
	while (q.verb != PRIV_VPORT_DISABLE && !mono_reached(stop, mono_now())) {
		ut_privq_run(&d, 10 * USEC_PER_MSEC);
		while (ut_privq_next(&q) && q.verb != PRIV_VPORT_DISABLE)
			ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	}
	UT_EQ(q.verb, PRIV_VPORT_DISABLE);
	CU_ASSERT(mono_reached(over, mono_now()));
	UT_EQ(quiesce_state(vm->quiesce, 0), QS_DISABLE_HOLD);
	UT_EQ(d.logouts.n, 1);
	ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	UT_EQ(d.logouts.n, 0);
	op_end(op);
	down();
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"by itself", test_auto},
		{"right timers are left", test_right},
		{"changed ones are told once and set back", test_changed},
		{"one vhba", test_one_vhba},
		{"or left alone, if told to", test_left_alone},
		{"not when Blocked or under way", test_not_now},
		{"a quiesce's disable waits for them", test_before_quiesce},
		{"and an abort's fast_io_fail 0", test_before_abort},
		{"what is half deleted is deleted before it is created", test_half_deleted},
		{"a login that is stuck is begun anew", test_login_stuck},
		{"beside others all is read less often", test_read_again},
		{"a helper that keeps silent", test_helper_silent},
		{"a logout waits for its turn", test_turn},
		{"a WWPN that another port carries", test_other_port},
		{"another port, seen after the answer", test_seen_later},
		{"a WWPN that is perhaps hidden", test_hidden},
		{"one that was let go, and is deleted", test_let_go},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"timers", tests, begin, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}

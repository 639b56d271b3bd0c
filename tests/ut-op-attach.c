/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An attach in a fake tree, its helper played by the test: news of one vhba is looked at for that one, and at
 * once. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "attach_run.h"
#include "ct.h"
#include "ios_private.h"
#include "op.h"
#include "registry.h"
#include "ut-privq.h"
#include "ut-tree.h"
#include "ut.h"
#include "vport_name.h"

#define UUID "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01"
#define TARGET 0x5006016000000a01
#define VHBAS 2

static wwn_t targets[] = {TARGET};
static struct config_zone zone = {.name = "db", .vsan = 10, .count = 1, .targets = targets};
static struct config_vsan vsan = {.number = 10, .fabric_name = 0x1000000000000064};
static struct config cfg;
static struct daemon d;
static struct op *op;
static char run_dir[96], state_dir[96];

static void imported(void *arg, const struct verror *e)
{
	*(bool *)arg = !e;
}

static void register_vm(void)
{
	struct reg_vhba vhbas[VHBAS] = {0};
	struct reg_vm rv = {.uuid = UUID, .name = "db1", .owner = "here", .vhbas_n = VHBAS, .vhbas = vhbas};
	char zones[] = "db";
	bool done = false;
	struct verror e;

	for (unsigned i = 0; i < VHBAS; i++)
		vhbas[i] = (struct reg_vhba){.index = i,
					     .vsan = 10,
					     .wwpn = 0x502ab30000000010 + i,
					     .wwnn = 0x502ab30000000020 + i,
					     .known = true,
					     .zones = zones};
	UT_EQ(registry_import(d.reg, &rv, imported, &done, &e), 0);
	while (!done) {
		struct pollfd p = {registry_fd(d.reg), POLLIN, 0};

		CU_ASSERT_TRUE_FATAL(poll(&p, 1, 20000) == 1);
		registry_dispatch(d.reg, mono_now());
	}
}

static int begin(void)
{
	char journal[128];
	struct verror e;

	ut_memdir(run_dir, sizeof(run_dir));
	snprintf(journal, sizeof(journal), "%s/journal", run_dir);
	mkdir(journal, 0700);
	ut_memdir(state_dir, sizeof(state_dir));
	cfg = (struct config){.run_dir = run_dir,
			      .zones_n = 1,
			      .zones = &zone,
			      .vsans_n = 1,
			      .vsans = &vsan,
			      .dev_loss = 60,
			      .fast_io_fail = 5};
	d = (struct daemon){.cfg = &cfg};
	TAILQ_INIT(&d.vms);
	TAILQ_INIT(&d.ops);
	TAILQ_INIT(&d.fcoe);
	TAILQ_INIT(&d.watchers);
	eventlog_init(&d.events);
	ut_privq_up(&d);
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	fc_inventory_init(&d.inv, NULL, NULL);
	fc_inventory_scan(&d.inv);
	d.reg = registry_open(state_dir, 10 * USEC_PER_SEC, &e);
	return d.reg ? 0 : 1;
}

static int end(void)
{
	struct vm *vm;

	while ((op = TAILQ_FIRST(&d.ops)))
		op_leave(op);
	ut_privq_down(&d);
	while ((vm = TAILQ_FIRST(&d.vms)))
		vm_free(&d.vms, vm);
	registry_close(d.reg);
	fc_inventory_clear(&d.inv);
	eventlog_clear(&d.events);
	return 0;
}

static void start_as(struct op_ask ask)
{
	const struct reg_vm *rv;
	struct vm *vm;
	struct verror e;

	register_vm();
	rv = registry_find(d.reg, UUID);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rv);
	vm = vm_of_registry(&d, rv);
	CU_ASSERT_PTR_NOT_NULL_FATAL(vm);
	op = op_new(&d, OP_ATTACH, vm, NULL, 600 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	op->ask = ask;
	UT_EQ(op_attach_start(op, false, &e), 0);
}

static void start(void)
{
	start_as((struct op_ask){0});
}

/* The helper makes both; of the vports' files there is nothing that the daemon could read. */
static void create(void)
{
	struct priv_request q;

	for (unsigned i = 0; i < VHBAS; i++) {
		CU_ASSERT_TRUE_FATAL(ut_privq_next(&q));
		UT_EQ(q.verb, PRIV_VPORT_CREATE);
		UT_EQ(q.wwpn, 0x502ab30000000010 + i);
		ut_privq_reply(&d, &q, (struct priv_reply){.number = i, .value = 5 + (int)i});
	}
	CU_ASSERT_FALSE(ut_privq_next(&q));
	UT_EQ(op->attach->machine.vhba[0].state, ATTACH_LOGGING_IN);
	UT_EQ(op->attach->machine.vhba[1].state, ATTACH_LOGGING_IN);
}

static void log_in(unsigned i)
{
	char name[24];
	int host = 5 + (int)i;

	snprintf(name, sizeof(name), "%#llx", 0x502ab30000000010 + (unsigned long long)i);
	tree_vport(2, i, host, name);
	tree_rport(host, 0, "0x5006016000000a01", true);
	fc_inventory_refresh(&d.inv, host);
}

static void test_news(void)
{
	struct priv_request q;

	start();
	create();
	log_in(0);
	log_in(1);
	/* Nothing has been looked at meanwhile: the loop has not run. */
	op_attach_news(op, 1);
	CU_ASSERT_TRUE(ut_privq_next(&q));
	UT_EQ(q.verb, PRIV_RPORT_TIMERS);
	UT_EQ(q.wwpn, 0x502ab30000000011);
	CU_ASSERT_FALSE(ut_privq_next(&q)); /* the other one has had no news */
	UT_EQ(op->attach->machine.vhba[0].state, ATTACH_LOGGING_IN);
	op_attach_news(op, -1);
	CU_ASSERT_TRUE(ut_privq_next(&q));
	UT_EQ(q.wwpn, 0x502ab30000000010);
}

/* Names are for people: they wait for the VM that still waits for its LUNs, and are given once. */
static void test_names(void)
{
	struct vm *other = vm_new(&d.vms, "00000000-0000-4000-8000-00000000000f", "other");
	struct priv_request q;

	other->state = VM_ATTACHED;
	other->count = 1;
	other->vhba[0] =
		(struct vm_vhba){.index = 0, .wwpn = 0x502ab300000000ff, .parent_host = 2, .host = 9};
	start();
	create();
	vport_names(&d);
	CU_ASSERT_FALSE(ut_privq_next(&q));
	op->answered = true;
	vport_names(&d);
	CU_ASSERT_TRUE(ut_privq_next(&q));
	UT_EQ(q.verb, PRIV_VPORT_NAME);
	UT_EQ(q.wwpn, 0x502ab300000000ff);
	UT_STREQ(q.name, "vhba other 0");
	vport_names(&d);
	CU_ASSERT_FALSE(ut_privq_next(&q));
}

/* While a target is not there, an event will tell: no file is read, also not the vport's state. */
static void test_no_target(void)
{
	struct priv_request q;

	start();
	create();
	log_in(0);
	tree_remove("/sys/class/fc_remote_ports/rport-5:0-0/port_name");
	fc_inventory_refresh(&d.inv, 5);
	op_attach_news(op, 0);
	UT_STREQ(op->attach->missing[0].what, "");
	tree_put("0x5006016000000a01", "/sys/class/fc_remote_ports/rport-5:0-0/port_name");
	tree_put("Initializing", "/sys/class/fc_vports/vport-2:0-0/vport_state");
	tree_put("Linkdown", "/sys/class/fc_host/host5/port_state");
	fc_inventory_refresh_part(&d.inv, 5, &(struct fc_part){.kind = FC_PART_RPORT});
	op_attach_news(op, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(op->attach->missing[0].what, "not logged in to the fabric"));
	CU_ASSERT_FALSE(ut_privq_next(&q));
}

/* A state that changes without an event is seen by looking again. */
static void test_without_event(void)
{
	struct priv_request q;

	start();
	create();
	log_in(0);
	tree_put("FCP Initiator", "/sys/class/fc_remote_ports/rport-5:0-0/roles");
	fc_inventory_refresh(&d.inv, 5);
	op_attach_news(op, 0);
	CU_ASSERT_FALSE(ut_privq_next(&q));
	tree_put("FCP Target", "/sys/class/fc_remote_ports/rport-5:0-0/roles");
	for (int i = 0; i < 1000 && !ut_privq_next(&q); i++)
		sd_event_run(d.loop, 20000);
	UT_EQ(q.verb, PRIV_RPORT_TIMERS);
}

/* ---- a VM that arrives live ---- */

static struct ios ios;
static struct io back_end;

/* Its parent has been shown the names of so many of its vhbas. */
static void expect_it(unsigned shown)
{
	ios = (struct ios){.d = &d};
	back_end = (struct io){.d = &d, .uuid = UUID, .name = "scsi"};
	TAILQ_INIT(&ios.list);
	TAILQ_INSERT_TAIL(&ios.list, &back_end, link);
	live_init(&back_end);
	for (unsigned i = 0; i < shown; i++)
		back_end.live.witness[i] = 0x20000200000a0001;
	d.ios = &ios;
	start_as((struct op_ask){.await = true});
}

static void expect_no_more(void)
{
	while ((op = TAILQ_FIRST(&d.ops)))
		op_leave(op);
	live_clear(&back_end);
	d.ios = NULL;
}

/* The next question about that name is asked; whatever else is to be done comes to *other, if not NULL. */
static void name_asked(unsigned i, struct priv_reply r)
{
	struct priv_request q = {0};

	for (int n = 0; n < 1000; n++) {
		if (!ut_privq_next(&q)) {
			sd_event_run(d.loop, 20000);
			continue;
		}
		CU_ASSERT_EQUAL_FATAL(q.verb, PRIV_CT_GID_PN);
		UT_EQ(q.host, 2);
		if (q.wwpn == UINT64_C(0x502ab30000000010) + i)
			break;
		ut_privq_reply(&d, &q, (struct priv_reply){.value = CT_PRESENT, .port_id = 1});
	}
	CU_ASSERT_EQUAL_FATAL(q.wwpn, UINT64_C(0x502ab30000000010) + i);
	ut_privq_reply(&d, &q, r);
}

static bool created(unsigned i)
{
	return op->attach->machine.vhba[i].state == ATTACH_CREATING;
}

static const struct priv_reply present = {.value = CT_PRESENT, .port_id = 0x010203},
			       absent = {.value = CT_ABSENT}, silent = {.err = -ETIMEDOUT};

/* Nothing is made before the name has gone; and then at once. */
static void test_awaited(void)
{
	struct priv_request q;

	expect_it(VHBAS);
	name_asked(0, present);
	CU_ASSERT_PTR_NOT_NULL(strstr(op->attach->missing[0].seen, "010203"));
	name_asked(0, silent);
	name_asked(0, present);
	CU_ASSERT_FALSE(created(0) || created(1));
	name_asked(0, absent);
	CU_ASSERT_TRUE(created(0));
	CU_ASSERT_FALSE(created(1));
	do {
		CU_ASSERT_TRUE_FATAL(ut_privq_next(&q));
	} while (q.verb == PRIV_CT_GID_PN);
	UT_EQ(q.verb, PRIV_VPORT_CREATE);
	UT_EQ(q.wwpn, 0x502ab30000000010);
	expect_no_more();
}

/* Who was never shown a name learns nothing from its absence. */
static void test_hidden(void)
{
	expect_it(1);
	name_asked(1, absent);
	CU_ASSERT_FALSE(created(1));
	CU_ASSERT_PTR_NOT_NULL(strstr(op->attach->missing[1].seen, "zoning"));
	CU_ASSERT_PTR_NOT_NULL(strstr(op->attach->missing[1].fix, "io open"));
	/* A person's word is not enough against the name server's. */
	back_end.live.sure = true;
	name_asked(1, present);
	CU_ASSERT_FALSE(created(1));
	name_asked(1, silent);
	CU_ASSERT_TRUE(created(1));
	expect_no_more();
}

/* The fabric shows both names until the operation has ended: what it said then. */
static const char *end_of_shown(void)
{
	struct monotime end = mono_add(mono_now(), 20 * USEC_PER_SEC);
	struct json_object *text = NULL;
	struct priv_request q;

	while (!TAILQ_EMPTY(&d.ops) && !mono_reached(end, mono_now())) {
		if (!ut_privq_next(&q)) {
			sd_event_run(d.loop, 20000);
			continue;
		}
		CU_ASSERT_EQUAL_FATAL(q.verb, PRIV_CT_GID_PN);
		ut_privq_reply(&d, &q, present);
	}
	for (uint64_t seq = eventlog_oldest(&d.events); seq < d.events.next; seq++) {
		struct json_object *event = eventlog_get(&d.events, seq), *kind;

		if (json_object_object_get_ex(event, "kind", &kind) &&
		    !strcmp(json_object_get_string(kind), "operation"))
			json_object_object_get_ex(event, "text", &text);
	}
	return text ? json_object_get_string(text) : "";
}

/* Nobody knows where it was last: only a name that is shown, and stays so, is an obstacle. */
static void test_checked(void)
{
	struct monotime start = mono_now();

	start_as((struct op_ask){.check_names = true});
	CU_ASSERT_PTR_NOT_NULL(strstr(end_of_shown(), "is live elsewhere"));
	CU_ASSERT(mono_since(mono_now(), start) >= USEC_PER_SEC);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&d.ops));
	expect_no_more();

	start_as((struct op_ask){.check_names = true});
	name_asked(0, silent);
	CU_ASSERT_TRUE(created(0));
	expect_no_more();
}

static CU_TestInfo tests[] = {
	{"symbolic names come last", test_names}, {"names that are awaited", test_awaited},
	{"names that are hidden", test_hidden},	  {"names that are checked", test_checked},
	{"news of one vhba", test_news},	  {"no target yet", test_no_target},
	{"without an event", test_without_event}, CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"attach in a tree", tests, begin, end}, {0}};

	return ut_main(argc, argv, suites);
}

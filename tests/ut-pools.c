/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhbad's side of libvirt's pools, in a fake tree, with vhba-virt and vhba-priv played by the test: what is
 * ordered, what counts as a report, and how long a quiesce waits.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "methods.h"
#include "op.h"
#include "pools.h"
#include "sizes.h"
#include "ut-privq.h"
#include "ut-tree.h"
#include "ut.h"

#define UUID "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01"
#define WWPN "50:2a:b3:00:00:00:00:01"
#define PATIENCE (30 * USEC_PER_SEC)

static struct config cfg;
static struct daemon d;
static struct vm *vm;
static char run_dir[64], state_dir[64], path[96];
static struct verror e;

/* ---- a client ---- */

struct client {
	int fd;
	char text[65536];
	size_t used, taken;
};

static struct client virt, report; /* vhba-virt's two connections */

static void client_open(struct client *c)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	c->used = c->taken = 0;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(connect(c->fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void run(void)
{
	ut_privq_run(&d, 10 * USEC_PER_MSEC);
	registry_dispatch(d.reg, mono_now());
}

static void say(struct client *c, const char *method, const char *parameters, bool more)
{
	char line[1024];
	int n = snprintf(line, sizeof(line), "{\"method\":\"org.vhba.%s\",\"parameters\":%s%s}\n", method,
			 parameters, more ? ",\"more\":true" : "");

	UT_EQ(send(c->fd, line, (size_t)n, MSG_NOSIGNAL), n);
}

/* Its next line within that time, to be put; NULL: none. */
static struct json_object *hear_within(struct client *c, uint64_t us)
{
	struct monotime stop = mono_add(mono_now(), us);

	for (;;) {
		char *line = c->text + c->taken, *end = memchr(line, '\n', c->used - c->taken);
		ssize_t n;

		if (end) {
			*end = '\0';
			c->taken = (size_t)(end + 1 - c->text);
			return json_tokener_parse(line);
		}
		if (mono_reached(stop, mono_now()))
			return NULL;
		run();
		n = recv(c->fd, c->text + c->used, sizeof(c->text) - c->used, MSG_DONTWAIT);
		if (n > 0)
			c->used += (size_t)n;
	}
}

static struct json_object *hear(struct client *c)
{
	struct json_object *o = hear_within(c, PATIENCE);

	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	return o;
}

/* The reply's parameters, or the error's name. */
static struct json_object *answer(struct client *c, const char *method, const char *parameters)
{
	say(c, method, parameters, false);
	return hear(c);
}

static void skip(struct client *c)
{
	json_object_put(hear(c));
}

/* ---- vhba-virt ---- */

static uint64_t serial, syncs;

/* The next order: what is wanted. */
static void ordered(const char *wanted)
{
	struct json_object *line = hear(&virt), *pool = proto_get(proto_get(line, "parameters"), "pool");

	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	UT_STREQ(proto_get_text(pool, "name"), "vhba-db1-0");
	UT_STREQ(proto_get_text(pool, "wwpn"), WWPN);
	UT_STREQ(proto_get_text(pool, "wanted"), wanted);
	serial = proto_get_uint(pool, "serial", 0);
	syncs = proto_get_uint(pool, "sync", 0);
	json_object_put(line);
}

static void reported_as(const char *state, uint64_t number)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"pools\":[{\"wwpn\":\"" WWPN
		 "\",\"state\":\"%s\",\"serial\":%llu,\"sync\":%llu,\"volumes\":1}]}",
		 state, (unsigned long long)number, (unsigned long long)syncs);
	json_object_put(answer(&report, "pool.Report", text));
}

static void reported(const char *state)
{
	reported_as(state, serial);
}

static void connect_virt(void)
{
	client_open(&virt);
	client_open(&report);
	skip(&virt); /* the greetings */
	skip(&report);
	say(&virt, "pool.Serve", "{}", true);
}

static void complete(void)
{
	struct json_object *line = hear(&virt);

	CU_ASSERT_TRUE(proto_get_bool(proto_get(line, "parameters"), "complete"));
	json_object_put(line);
}

/* ---- the daemon ---- */

static void written(void *arg, const struct verror *why)
{
	*(bool *)arg = !why;
}

static void register_vm(void)
{
	char zones[] = "db";
	struct reg_vhba v = {.vsan = 10,
			     .wwpn = 0x502ab30000000001,
			     .wwnn = 0x502ab30000000002,
			     .known = true,
			     .zones = zones};
	struct reg_vm rv = {
		.uuid = UUID, .name = "db1", .owner = "here", .pool = true, .vhbas_n = 1, .vhbas = &v};
	bool done = false;

	UT_EQ(registry_import(d.reg, &rv, written, &done, &e), 0);
	while (!done) {
		struct pollfd p = {registry_fd(d.reg), POLLIN, 0};

		CU_ASSERT_TRUE_FATAL(poll(&p, 1, 20000) == 1);
		registry_dispatch(d.reg, mono_now());
	}
}

static int begin(void)
{
	char journal[128];

	ut_memdir(run_dir, sizeof(run_dir));
	snprintf(journal, sizeof(journal), "%s/journal", run_dir);
	snprintf(path, sizeof(path), "%s/s", run_dir);
	return mkdir(journal, 0700);
}

/* One disk of db1's only vhba, attached, and vhba-virt connected. */
static void up(void)
{
	struct proto_acl acl = {.read_gid = (gid_t)-1, .admin_gid = (gid_t)-1, .admin_uid = getuid()};

	cfg = (struct config){.run_dir = run_dir,
			      .margin = 5 * USEC_PER_MSEC,
			      .drain = 500 * USEC_PER_MSEC,
			      .hold = 60 * USEC_PER_SEC,
			      .pool_stop = 20 * USEC_PER_SEC,
			      .dev_loss = 60,
			      .fast_io_fail = -1};
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
	tree_disk(5, 0, 0, "sda");
	fc_inventory_init(&d.inv, NULL, NULL);
	UT_EQ(fc_inventory_scan(&d.inv), 0);
	d.reg = registry_open(ut_memdir(state_dir, sizeof(state_dir)), 20 * USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.reg);
	register_vm();
	vm = vm_new(&d.vms, UUID, "db1");
	vm->count = 1;
	vm->vhba[0] = (struct vm_vhba){.wwpn = 0x502ab30000000001,
				       .wwnn = 0x502ab30000000002,
				       .host = 5,
				       .parent_host = 2,
				       .number = 3};
	vm_set_state(vm, VM_ATTACHED);
	d.pools = pools_new(&d);
	d.control = control_new(d.loop, path, &acl, methods_handle, &d, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.control);
	connect_virt();
	ordered("running");
	complete();
	reported("running");
}

static void down(void)
{
	d.stopping = true;
	close(virt.fd);
	close(report.fd);
	while (!TAILQ_EMPTY(&d.ops))
		op_leave(TAILQ_FIRST(&d.ops));
	while (!TAILQ_EMPTY(&d.vms))
		vm_free(&d.vms, TAILQ_FIRST(&d.vms));
	pools_free(d.pools);
	control_free(d.control);
	sd_event_source_disable_unref(d.registry_timer);
	ut_privq_down(&d);
	registry_close(d.reg);
	fc_inventory_clear(&d.inv);
	eventlog_clear(&d.events);
}

/* ---- a quiesce ---- */

static struct op *quiesce(bool waits)
{
	const struct op_ask ask = {.drain_us = OP_DRAIN_DEFAULT, .owner_paused = true};
	struct op *op = op_new(&d, OP_QUIESCE, vm, NULL, 120 * USEC_PER_SEC, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	UT_EQ(op_pools_begin(op, &ask), waits);
	return op;
}

static bool until_begun(void)
{
	struct monotime stop = mono_add(mono_now(), PATIENCE);

	while (!vm->quiesce && !mono_reached(stop, mono_now()))
		run();
	return vm->quiesce;
}

/* The phase of its record. */
static void phase_is(const struct op *op, const char *outcome)
{
	struct json_object *o = op_pools_phase(op);

	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	UT_STREQ(proto_get_text(o, "phase"), "pool");
	UT_STREQ(proto_get_text(o, "outcome"), outcome);
	CU_ASSERT_TRUE(proto_get_uint(o, "end_us", 0) >= proto_get_uint(o, "start_us", 1));
	json_object_put(o);
}

/* It begins when the pool is stopped, by whoever knows that it was to be. */
static void test_stopped_first(void)
{
	struct op *op;

	up();
	op = quiesce(true);
	UT_EQ(vm->state, VM_QUIESCING);
	ordered("stopped");
	CU_ASSERT_PTR_NULL(vm->quiesce);
	reported_as("stopped", serial - 1);
	CU_ASSERT_PTR_NULL(vm->quiesce);
	reported("running");
	CU_ASSERT_PTR_NULL(vm->quiesce);
	reported("busy");
	CU_ASSERT_PTR_NULL(vm->quiesce);
	reported("stopped");
	CU_ASSERT_PTR_NOT_NULL(vm->quiesce);
	CU_ASSERT_FALSE(op->waits_for_pools);
	phase_is(op, "done");
	down();
}

static void test_late(void)
{
	struct op *op;

	up();
	cfg.pool_stop = USEC_PER_MSEC;
	op = quiesce(true);
	CU_ASSERT_TRUE(until_begun());
	phase_is(op, "unconfirmed");
	down();
}

static void test_gone(void)
{
	struct op *op;

	up();
	op = quiesce(true);
	close(virt.fd);
	CU_ASSERT_TRUE(until_begun());
	phase_is(op, "unconfirmed");
	virt.fd = dup(report.fd);
	down();
}

/* Nobody is waited for who is not there, or where the configuration says so, or with nothing to stop. */
static void test_no_wait(void)
{
	struct op *op;

	up();
	cfg.pool_stop = 0;
	op = quiesce(false);
	op_end(op);
	cfg.pool_stop = 20 * USEC_PER_SEC;
	vm_set_state(vm, VM_HELD);
	pools_look(&d, UUID);
	ordered("stopped");
	reported("stopped");
	op = quiesce(false);
	UT_EQ(vm->state, VM_HELD);
	CU_ASSERT_PTR_NULL(op_pools_phase(op));
	op_end(op);
	vm_set_state(vm, VM_ATTACHED);
	close(virt.fd);
	while (pools_served(&d))
		run();
	op = quiesce(false);
	op_end(op);
	virt.fd = dup(report.fd);
	down();
}

struct planned {
	uint64_t smallest;
	bool met, told;
};

static struct planned planned(uint64_t deadline_us)
{
	struct json_object *line, *p, *vhba;
	struct planned r;
	char text[96];

	snprintf(text, sizeof(text), "{\"vm\":\"db1\",\"deadline_us\":%llu}",
		 (unsigned long long)deadline_us);
	line = answer(&report, "plan", text);
	p = proto_get(line, "parameters");
	vhba = json_object_array_get_idx(proto_get(p, "vhbas"), 0);
	r = (struct planned){
		.smallest = proto_get_uint(p, "smallest_us", 0),
		.met = proto_get_bool(p, "met"),
		.told = strstr(json_object_to_json_string(proto_get(vhba, "notes")), "pools are stopped"),
	};
	json_object_put(line);
	return r;
}

/* A plan's deadline has room for what libvirt may take of it. */
static void test_plan(void)
{
	struct planned with, without;

	up();
	tree_put("fcoe", "/sys/class/scsi_host/host2/proc_name");
	watch_refresh_parents(&d);
	cfg.pool_stop = 0;
	without = planned(60 * USEC_PER_SEC);
	CU_ASSERT_TRUE(without.met && !without.told && without.smallest);
	cfg.pool_stop = 10 * USEC_PER_MSEC;
	with = planned(60 * USEC_PER_SEC);
	CU_ASSERT_TRUE(with.met && with.told);
	UT_EQ(with.smallest, without.smallest + 10 * USEC_PER_MSEC);
	CU_ASSERT_FALSE(planned(without.smallest).met);
	/* At most a quarter of the deadline. */
	cfg.pool_stop = 3600 * USEC_PER_SEC;
	with = planned(60 * USEC_PER_SEC);
	UT_EQ(with.smallest, without.smallest + without.smallest / 3 + 1);
	CU_ASSERT_TRUE(planned(with.smallest).met);
	CU_ASSERT_FALSE(planned(with.smallest - 2).met);
	down();
}

/* The deadline leaves no time for what is to come: refused, and the pool is wanted again. */
static void test_refused(void)
{
	const struct op_ask ask = {.drain_us = OP_DRAIN_DEFAULT, .owner_paused = true};
	struct op *op;

	up();
	op = op_new(&d, OP_QUIESCE, vm, NULL, 4 * USEC_PER_MSEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	CU_ASSERT_TRUE(op_pools_begin(op, &ask));
	while (vm->op)
		run();
	UT_EQ(vm->state, VM_ATTACHED);
	ordered("stopped");
	ordered("running");
	down();
}

/* ---- orders and lists ---- */

static void test_second(void)
{
	struct client other;
	struct json_object *line;

	up();
	client_open(&other);
	skip(&other);
	say(&other, "pool.Serve", "{}", true);
	line = hear(&other);
	UT_STREQ(proto_get_text(line, "error"), "org.vhba.Busy");
	json_object_put(line);
	close(other.fd);
	down();
}

static void list_is(const char *expected)
{
	struct json_object *line = answer(&report, "pool.List", "{}"), *p = proto_get(line, "parameters");

	UT_EQ(proto_check_reply(proto_method_find("pool.List"), p, &e), 0);
	UT_STREQ(json_object_to_json_string_ext(proto_get(p, "pools"), JSON_C_TO_STRING_PLAIN), expected);
	json_object_put(line);
}

static void test_list(void)
{
	up();
	list_is("[{\"name\":\"vhba-db1-0\",\"wwpn\":\"" WWPN "\",\"vm\":\"db1\",\"index\":0,\"own\":true,"
		"\"wanted\":\"running\",\"state\":\"running\",\"volumes\":1}]");
	/* Of others those that the registry knows the name of. */
	json_object_put(
		answer(&report, "pool.Report",
		       "{\"others\":[{\"name\":\"x\",\"wwpn\":\"5000000000000099\",\"state\":\"running\"},"
		       "{\"name\":\"byhand\",\"wwpn\":\"502ab30000000001\",\"state\":\"stopped\",\"text\":"
		       "\"t\"}]}"));
	list_is("[{\"name\":\"vhba-db1-0\",\"wwpn\":\"" WWPN "\",\"vm\":\"db1\",\"index\":0,\"own\":true,"
		"\"wanted\":\"running\",\"state\":\"running\",\"volumes\":1},"
		"{\"name\":\"byhand\",\"wwpn\":\"" WWPN "\",\"vm\":\"db1\",\"index\":0,\"own\":false,"
		"\"state\":\"stopped\",\"text\":\"t\"}]");
	json_object_put(answer(&report, "pool.Report", "{\"others\":[]}"));
	/* Without pools the VM's is wanted absent, and forgotten when it is. */
	say(&report, "vm.Set", "{\"vm\":\"db1\",\"pool\":false}", false);
	ordered("absent");
	skip(&report);
	reported("absent");
	run();
	list_is("[]");
	down();
}

/* A path that does not run: who refreshes the pool now would wait. */
static void test_unsettled(void)
{
	struct json_object *line, *pool;

	up();
	tree_put("blocked", "/sys/class/fc_host/host5/device/rport-5:0-0/target5:0:0/5:0:0:0/state");
	watch_refresh(&d, 5);
	pools_look(&d, UUID);
	line = hear(&virt);
	pool = proto_get(proto_get(line, "parameters"), "pool");
	CU_ASSERT_TRUE(json_object_object_get_ex(pool, "settled", NULL));
	CU_ASSERT_FALSE(proto_get_bool(pool, "settled"));
	UT_EQ(json_object_array_length(proto_get(pool, "luns")), 1);
	json_object_put(line);
	down();
}

/* One that the array has taken away: its disk is left, and keeps nobody from seeing what else there is. */
static void test_taken_away(void)
{
	struct json_object *line, *pool;

	up();
	tree_disk(5, 0, 1, "sdb");
	tree_put("0", "/sys/class/fc_host/host5/device/rport-5:0-0/target5:0:0/5:0:0:0/block/sda/size");
	watch_refresh(&d, 5);
	pools_look(&d, UUID);
	line = hear(&virt);
	pool = proto_get(proto_get(line, "parameters"), "pool");
	CU_ASSERT_TRUE(proto_get_bool(pool, "settled"));
	CU_ASSERT_EQUAL_FATAL(json_object_array_length(proto_get(pool, "luns")), 1);
	UT_EQ(proto_get_uint(json_object_array_get_idx(proto_get(pool, "luns"), 0), "lun", 9), 1);
	json_object_put(line);
	down();
}

/* An expected LUN that is not there: what runs is kept, and nothing is started. */
static void test_kept(void)
{
	const struct reg_lun lost = {
		.designator = "naa.lost", .lun = 9, .target = 0x500601600000000a, .size = 512};
	bool done = false;

	up();
	UT_EQ(registry_set_expected(d.reg, registry_find(d.reg, "db1"), 0, &lost, 1, written, &done, &e), 0);
	pools_look(&d, NULL);
	ordered("kept");
	reported("running");
	vm_set_state(vm, VM_ATTACHED);
	down();
}

static void test_sync(void)
{
	struct priv_request q;
	struct json_object *line;

	up();
	say(&report, "pool.Sync", "{\"vm\":\"db1\"}", false);
	for (int i = 0; i < 2; i++) {
		while (!ut_privq_next(&q))
			run();
		UT_EQ(q.verb, i ? PRIV_READ_SIZES : PRIV_SCAN);
		UT_EQ(q.host, 5);
		ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	}
	ordered("running");
	UT_EQ(syncs, 1);
	CU_ASSERT_PTR_NULL(hear_within(&report, 0));
	close(report.fd); /* what was asked goes on; another asks, and is told */
	client_open(&report);
	skip(&report);
	reported("running");
	say(&report, "pool.Sync", "{\"deadline_us\":50000}", false);
	line = hear(&report);
	UT_STREQ(proto_get_text(line, "error"), "org.vhba.DeadlinePassed");
	json_object_put(line);
	while (ut_privq_next(&q))
		ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	down();
}

/* The parent's VLAN is asked for, too. */
static bool next_look(struct priv_request *q)
{
	while (ut_privq_next(q))
		if (q->verb != PRIV_NETDEV_VLAN)
			return true;
	return false;
}

/* Each LUN tells of the same change: one look is under way at a time, and what comes meanwhile is one more.
 */
static void told_by_luns(enum fc_attention attention, uint32_t verb)
{
	struct priv_request q;

	for (int i = 0; i < 3; i++)
		sizes_attention(&d, attention, 5, NULL);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_TRUE_FATAL(next_look(&q));
		UT_EQ(q.verb, verb);
		UT_EQ(q.host, 5);
		CU_ASSERT_FALSE(next_look(&(struct priv_request){0}));
		ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	}
	CU_ASSERT_FALSE(next_look(&q));
}

static void test_attention(void)
{
	struct priv_request q;

	up();
	while (next_look(&q))
		ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	told_by_luns(FC_UA_LUNS, PRIV_SCAN);
	told_by_luns(FC_UA_CAPACITY, PRIV_READ_SIZES);
	told_by_luns(FC_UA_LUNS, PRIV_SCAN);
	sizes_attention(&d, FC_UA_LUNS, 6, NULL); /* nobody's */
	vm_set_state(vm, VM_HELD); /* it may not answer */
	sizes_attention(&d, FC_UA_LUNS, 5, NULL);
	CU_ASSERT_FALSE(next_look(&q));
	vm_set_state(vm, VM_ATTACHED);
	down();
}

static CU_TestInfo quiesces[] = {
	{"stopped first", test_stopped_first},
	{"late", test_late},
	{"vhba-virt gone", test_gone},
	{"no wait", test_no_wait},
	{"refused", test_refused},
	{"a plan counts the wait in", test_plan},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo lists[] = {
	{"one serves", test_second},	     {"list", test_list}, {"unsettled", test_unsettled},
	{"taken away", test_taken_away},     {"kept", test_kept}, {"sync", test_sync},
	{"unit attentions", test_attention}, CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"quiesce", quiesces, begin, NULL},
		{"list", lists, begin, NULL},
		{0},
	};

	return ut_main(argc, argv, suites);
}

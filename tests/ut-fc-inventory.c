/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inventory over a fake sysfs that is odd: numbers used again, garbage, half of it gone, changing under
 * it. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events.h"
#include "inventory.h"
#include "sysroot.h"
#include "ut-tree.h"
#include "ut.h"

#define PARENT "0x20000200000a0001"
#define VPORT "0x502ab30000000001"
#define TARGET "0x5006016000000a01"
#define DEVICES "/sys/devices/virtual/net/eth0.10f/ctlr_0/host2"
#define LUN DEVICES "/vport-2:0-0/host5/rport-5:0-0/target5:0:0/5:0:0:3"

static struct fc_inventory inv;

static int begin(void)
{
	tree_new();
	fc_inventory_init(&inv, NULL, NULL);
	tree_parent(2, "eth0.10f", PARENT);
	tree_vport(2, 0, 5, VPORT);
	tree_rport(5, 0, TARGET, true);
	tree_disk(5, 0, 3, "sda");
	return 0;
}

static int end(void)
{
	fc_inventory_clear(&inv);
	return 0;
}

static struct fc_rport *target(void)
{
	struct fc_host *h = fc_host_find(&inv, 5);
	struct fc_rport *r = h ? fc_rport_find(h, 0x5006016000000a01) : NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	return r;
}

static struct fc_lun *lun(void)
{
	struct fc_lun *l;

	fc_inventory_refresh(&inv, 5);
	l = TAILQ_FIRST(&target()->luns);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	return l;
}

/* scsi_host_alloc gives the lowest free number: a vport's host can have a lower one than its parent. */
static void test_low_number(void)
{
	struct fc_host *parent = NULL;

	tree_vport(2, 1, 0, "0x502ab30000000002");
	UT_EQ(fc_inventory_scan(&inv), 0);
	CU_ASSERT_PTR_NOT_NULL(fc_host_find(&inv, 0));
	CU_ASSERT_PTR_NOT_NULL(fc_host_find(&inv, 5));
	CU_ASSERT_PTR_NOT_NULL(fc_vport_find(&inv, 0x502ab30000000002, &parent));
	UT_EQ(parent->number, 2);
}

static bool want;

static bool wanted(void *arg, const struct fc_host *h)
{
	(void)arg;
	(void)h;
	return want;
}

/* A parent that becomes wanted later comes with the hosts of its vports. */
static void test_wanted_later(void)
{
	fc_inventory_init(&inv, wanted, NULL);
	want = false;
	UT_EQ(fc_inventory_scan(&inv), 0);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&inv.hosts));
	CU_ASSERT_FALSE(fc_inventory_refresh(&inv, 5));
	want = true;
	CU_ASSERT_TRUE(fc_inventory_refresh(&inv, 2));
	CU_ASSERT_PTR_NOT_NULL(fc_host_find(&inv, 5));
	CU_ASSERT_PTR_NOT_NULL(TAILQ_FIRST(&target()->luns));
}

/* A vport's host whose place can't be told any more must not be taken for a parent. */
static void test_no_place(void)
{
	tree_remove("/sys/class/fc_host/host5");
	UT_EQ(fc_inventory_scan(&inv), 0);
	CU_ASSERT_PTR_NULL(fc_host_find(&inv, 5));
	CU_ASSERT_PTR_NULL(fc_parent_find(&inv, 0x502ab30000000001));
	tree_link("/sys/devices/gone/host5", "/sys/class/fc_host/host5");
	CU_ASSERT_FALSE(fc_inventory_refresh(&inv, 5));
}

/* The one that had it went without a word. */
static void test_number_again(void)
{
	UT_EQ(fc_inventory_scan(&inv), 0);
	UT_EQ(target()->wwpn, 0x5006016000000a01);
	tree_remove("/sys/class/fc_host/host5/port_name");
	tree_vport(2, 1, 5, "0x502ab30000000002");
	CU_ASSERT_TRUE(fc_inventory_refresh(&inv, 5));
	CU_ASSERT_PTR_NOT_NULL_FATAL(fc_host_find(&inv, 5));
	UT_EQ(fc_host_find(&inv, 5)->wwpn, 0x502ab30000000002);
	UT_EQ(fc_host_find(&inv, 5)->vport_number, 1);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&fc_host_find(&inv, 5)->rports));
}

static void test_gone(void)
{
	struct fc_host *parent;

	fc_inventory_scan(&inv);
	parent = fc_host_find(&inv, 2);
	tree_remove("/sys/class/fc_host/host2/port_name");
	fc_inventory_refresh_attributes(parent);
	UT_STREQ(parent->state, ""); /* not Online for ever */
	UT_EQ(parent->port_id, 0);
	UT_EQ(parent->fabric_name, 0);
	tree_put("garbage", "/sys/class/fc_host/host2/port_name");
	CU_ASSERT_FALSE(fc_inventory_refresh(&inv, 2));
	CU_ASSERT_PTR_NULL(fc_host_find(&inv, 2));
}

static void test_host_attributes(void)
{
	struct fc_host *h;

	tree_put("0xffffffff", "/sys/class/fc_host/host2/port_id");
	tree_put("0xffffffffffffffff", "/sys/class/fc_host/host2/fabric_name");
	tree_put("a state that is longer than any", "/sys/class/fc_host/host2/port_state");
	tree_put("-3", "/sys/class/fc_host/host2/max_npiv_vports");
	tree_remove("/sys/class/scsi_host/host2/proc_name");
	UT_EQ(fc_inventory_scan(&inv), 0);
	h = fc_parent_find(&inv, 0x20000200000a0001);
	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	UT_EQ(h->port_id, 0);
	UT_EQ(h->fabric_name, 0);
	UT_STREQ(h->state, "");
	UT_EQ(h->npiv_max, 0);
	UT_STREQ(h->driver, "");
	tree_put("fcoe", "/sys/class/scsi_host/host2/proc_name");
	fc_inventory_refresh_attributes(h);
	UT_STREQ(h->driver, "fcoe");
}

static void test_rport_attributes(void)
{
	const char *roles = "FCP Initiator, FCP Target, IP Port, NVMe Initiator, NVMe Target, NVMe Discovery";
	const char *dir = "/sys/class/fc_remote_ports/rport-5:0-0";
	char state[16];

	tree_put(roles, "%s/roles", dir);
	tree_put("4294967295", "%s/dev_loss_tmo", dir);
	tree_put("17", "%s/fast_io_fail_tmo", dir);
	tree_put("0xffffffff", "%s/port_id", dir);
	UT_EQ(fc_inventory_scan(&inv), 0);
	CU_ASSERT_TRUE(target()->is_target);
	UT_EQ(fc_rport_read_timers(fc_host_find(&inv, 5), target()), 0);
	UT_EQ(target()->dev_loss, INT_MAX);
	UT_EQ(target()->fast_io_fail, 17);
	UT_EQ(target()->port_id, 0);
	tree_put("Blocked", "%s/port_state", dir);
	UT_EQ(fc_rport_read_state(fc_host_find(&inv, 5), target(), state, sizeof(state)), 0);
	UT_STREQ(state, "Blocked");
	UT_STREQ(target()->state, "Online"); /* the model is not read anew by that */
	tree_remove("%s/port_name", dir); /* going */
	fc_inventory_refresh(&inv, 5);
	CU_ASSERT_PTR_NULL(fc_rport_find(fc_host_find(&inv, 5), 0x5006016000000a01));
}

static void test_lun_states(void)
{
	static const char *const states[] = {
		"created",	     "blocked",		"offline",
		"transport-offline", "created-blocked", "quiesce",
		"deleted",	     "cancel",		"",
		"running running",   "Running",		"a state that is too long"};

	fc_inventory_scan(&inv);
	CU_ASSERT_TRUE(lun()->usable);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		tree_put(states[i], LUN "/state");
		CU_ASSERT_FALSE(lun()->usable);
	}
	tree_put("transport-offline", LUN "/state");
	UT_STREQ(lun()->state, "transport-offline");
	tree_remove(LUN "/state");
	CU_ASSERT_FALSE(lun()->usable);
}

static void test_lun_types(void)
{
	static const struct {
		const char *type;
		int is;
		bool without_node; /* usable without a disk's node */
	} types[] = {{"0", 0, false}, {"20", 20, false}, {"14", 14, false},
		     {"7", 7, false}, {"13", 13, true},	 {"zz", -1, false},
		     {"", -1, false}, {"99", -1, false}, {"-1", -1, false}};

	fc_inventory_scan(&inv);
	tree_remove(LUN "/vpd_pg83");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		tree_put(types[i].type, LUN "/type");
		UT_EQ(lun()->type, types[i].is);
		UT_EQ(lun()->usable, types[i].without_node);
	}
	tree_remove(LUN "/type");
	UT_EQ(lun()->type, -1);
	CU_ASSERT_FALSE(lun()->usable);
}

static void test_lun_parts(void)
{
	static const char *const sizes[] = {
		"0", "", "lots", "-5", "36028797018963968", "99999999999999999999"};

	fc_inventory_scan(&inv);
	UT_STREQ(lun()->sg, "sg3");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		tree_put(sizes[i], LUN "/block/sda/size");
		UT_EQ(lun()->size, 0);
		CU_ASSERT_FALSE(lun()->usable);
	}
	tree_put("4294967296", LUN "/block/sda/size"); /* 2 TiB */
	UT_EQ(lun()->size, 4294967296 * 512);
	CU_ASSERT_TRUE(lun()->usable);
	tree_put_bytes("\0\x83\xff\xff", 4, LUN "/vpd_pg83");
	CU_ASSERT_FALSE(lun()->usable);
	UT_STREQ(lun()->designator, "");
}

/* Names that are none, files in the place of folders, folders without a class entry. */
static void test_strange_entries(void)
{
	tree_put("", "/sys/class/fc_host/hosta/port_name");
	tree_put("", "/sys/class/fc_host/host");
	tree_put("", "/sys/class/fc_host/host99");
	tree_put("", DEVICES "/vport-2:0-9");
	tree_put("", DEVICES "/vport-7:0-1/uevent"); /* of another host */
	tree_put(VPORT, "/sys/class/fc_vports/vport-7:0-1/port_name");
	tree_put("", DEVICES "/vport-2:0-0/host5/rport-5:0-7");
	tree_put("", DEVICES "/vport-2:0-0/host5/rport-5:0-0/target5:0:0/5:0:0");
	tree_put("", DEVICES "/vport-2:0-0/host5/rport-5:0-0/target5:0:0/5:0:0:x/uevent");
	tree_put("", DEVICES "/vport-2:0-0/host5/rport-5:0-0/target9/uevent");
	UT_EQ(fc_inventory_scan(&inv), 0);
	CU_ASSERT_PTR_NULL(fc_host_find(&inv, 99));
	UT_STREQ(lun()->sd, "sda");
	CU_ASSERT_PTR_NULL(TAILQ_NEXT(TAILQ_FIRST(&target()->luns), link));
	CU_ASSERT_PTR_NULL(TAILQ_NEXT(TAILQ_FIRST(&fc_host_find(&inv, 2)->vports), link));
}

/* A vport's own host may come after the vport, and its state is read when asked. */
static void test_vport_host_later(void)
{
	struct fc_host *parent;
	struct fc_vport *v;
	char state[32];

	tree_vport(2, 4, -1, "0x502ab30000000004");
	fc_inventory_scan(&inv);
	v = fc_vport_find(&inv, 0x502ab30000000004, &parent);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	UT_EQ(v->host, -1);
	tree_put("", DEVICES "/vport-2:0-4/host8/uevent");
	fc_inventory_refresh(&inv, 2);
	v = fc_vport_find(&inv, 0x502ab30000000004, &parent);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	UT_EQ(v->host, 8);
	UT_EQ(fc_vport_read_state(parent, v, state, sizeof(state)), 0);
	UT_STREQ(state, "Active");
	tree_remove("/sys/class/fc_vports/vport-2:0-4/vport_state");
	UT_EQ(fc_vport_read_state(parent, v, state, sizeof(state)), -ENOENT);
}

/* What an event is about is read anew, all of it, and nothing else. */
static void test_part(void)
{
	const struct fc_part rport = {.kind = FC_PART_RPORT};
	struct fc_part three = {.kind = FC_PART_LUN, .lun = 3};
	const struct fc_part four = {.kind = FC_PART_LUN, .lun = 4};
	struct fc_lun *l;

	fc_inventory_scan(&inv);
	tree_put("Linkdown", "/sys/class/fc_host/host5/port_state");
	tree_put("Blocked", "/sys/class/fc_remote_ports/rport-5:0-0/port_state");
	tree_put("offline", LUN "/state");
	tree_disk(5, 0, 4, "sdb");
	CU_ASSERT_TRUE(fc_inventory_refresh_part(&inv, 5, &four));
	l = TAILQ_FIRST(&target()->luns);
	UT_STREQ(l->state, "running");
	l = TAILQ_NEXT(l, link);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	UT_EQ(l->lun, 4);
	UT_STREQ(l->sd, "sdb");
	CU_ASSERT_TRUE(l->usable);
	UT_STREQ(target()->state, "Online");
	fc_inventory_refresh_part(&inv, 5, &three);
	UT_STREQ(TAILQ_FIRST(&target()->luns)->state, "offline");
	UT_STREQ(target()->state, "Online");
	tree_put("running", LUN "/state");
	three.came = true;
	fc_inventory_refresh_part(&inv, 5, &three);
	UT_STREQ(TAILQ_FIRST(&target()->luns)->state, "running");
	tree_put("offline", LUN "/state");
	fc_inventory_refresh_part(&inv, 5, &three); /* a part of it is new: all that there is is known */
	UT_STREQ(TAILQ_FIRST(&target()->luns)->state, "running");
	three.came = false;
	fc_inventory_refresh_part(&inv, 5, &three);
	UT_STREQ(TAILQ_FIRST(&target()->luns)->state, "offline");
	fc_inventory_refresh_part(&inv, 5, &rport);
	UT_STREQ(target()->state, "Blocked");
	UT_STREQ(fc_host_find(&inv, 5)->state, "Online");
	fc_inventory_refresh(&inv, 5);
	UT_STREQ(fc_host_find(&inv, 5)->state, "Linkdown");
}

/* Its end is told before its disk's, and its folder is there until all is told. */
static void test_lun_going(void)
{
	const struct fc_part three = {.kind = FC_PART_LUN, .lun = 3};
	char from[PATH_MAX], to[PATH_MAX];

	fc_inventory_scan(&inv);
	CU_ASSERT_PTR_NOT_NULL(TAILQ_FIRST(&target()->luns));
	sysroot_path(from, sizeof(from), "%s", LUN "/scsi_device");
	sysroot_path(to, sizeof(to), "%s", LUN "/was");
	UT_EQ(rename(from, to), 0);
	fc_inventory_part_gone(&inv, 5, &three);
	fc_inventory_refresh_part(&inv, 5, &three); /* its disk has gone */
	CU_ASSERT_PTR_NULL(TAILQ_FIRST(&target()->luns));
	UT_EQ(rename(to, from), 0);
	fc_inventory_refresh_part(&inv, 5, &three);
	CU_ASSERT_PTR_NOT_NULL(TAILQ_FIRST(&target()->luns));
	UT_EQ(rename(from, to), 0);
	fc_inventory_refresh(&inv, 5);
	CU_ASSERT_PTR_NULL(TAILQ_FIRST(&target()->luns));
	UT_EQ(rename(to, from), 0);
}

/* A remote port that is new comes with its LUNs, whichever of its events is the first to be looked at. */
static void test_part_new(void)
{
	const struct fc_part lun_of_it = {.kind = FC_PART_LUN, .number = 1, .target = 1};
	const struct fc_part vport = {.kind = FC_PART_VPORT, .number = 4};
	struct fc_part rport = {.kind = FC_PART_RPORT, .number = 1};
	struct fc_rport *r;

	fc_inventory_scan(&inv);
	tree_rport(5, 1, "0x5006016000000a02", false);
	tree_disk(5, 1, 0, "sdc");
	fc_inventory_refresh_part(&inv, 5, &lun_of_it);
	r = fc_rport_find(fc_host_find(&inv, 5), 0x5006016000000a02);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	UT_STREQ(TAILQ_FIRST(&r->luns)->sd, "sdc");
	CU_ASSERT_FALSE(fc_rport_read_is_target(fc_host_find(&inv, 5), r));
	tree_put("FCP Target", "/sys/class/fc_remote_ports/rport-5:0-1/roles"); /* without an event */
	CU_ASSERT_TRUE(fc_rport_read_is_target(fc_host_find(&inv, 5), r));
	fc_inventory_part_gone(&inv, 5, &lun_of_it);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&r->luns));
	fc_inventory_part_gone(&inv, 5, &rport);
	CU_ASSERT_PTR_NULL(fc_rport_find(fc_host_find(&inv, 5), 0x5006016000000a02));
	rport.number = 0;
	tree_remove("/sys/class/fc_remote_ports/rport-5:0-0/port_name");
	fc_inventory_refresh_part(&inv, 5, &rport);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&fc_host_find(&inv, 5)->rports));
	tree_vport(2, 4, -1, "0x502ab30000000004");
	fc_inventory_refresh_part(&inv, 2, &vport);
	CU_ASSERT_PTR_NOT_NULL(fc_vport_find(&inv, 0x502ab30000000004, NULL));
}

/* The kernel tells of a remote port before its attributes are there, and not again afterwards. */
static void test_part_early(void)
{
	const struct fc_part rport = {.kind = FC_PART_RPORT, .number = 1};
	struct fc_rport *r;

	fc_inventory_scan(&inv);
	tree_rport(5, 1, "0x5006016000000a02", true);
	tree_disk(5, 1, 0, "sdc");
	tree_remove("/sys/class/fc_remote_ports/rport-5:0-1/port_name");
	fc_inventory_refresh_part(&inv, 5, &rport);
	CU_ASSERT_PTR_NULL(fc_rport_find(fc_host_find(&inv, 5), 0x5006016000000a02));
	tree_put("0x5006016000000a02", "/sys/class/fc_remote_ports/rport-5:0-1/port_name");
	r = fc_rport_find(fc_host_find(&inv, 5), 0x5006016000000a02);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(r->is_target);
	UT_STREQ(TAILQ_FIRST(&r->luns)->sd, "sdc");
}

/* libfc tells that a host is there before it gives it its name. */
static void test_part_unnamed(void)
{
	const struct fc_part rport = {.kind = FC_PART_RPORT};

	tree_put("0xffffffffffffffff", "/sys/class/fc_host/host5/port_name");
	fc_inventory_scan(&inv);
	tree_put(VPORT, "/sys/class/fc_host/host5/port_name");
	fc_inventory_refresh_part(&inv, 5, &rport);
	UT_EQ(fc_host_find(&inv, 5)->wwpn, 0x502ab30000000001);
}

/* Who has made a vport knows it: no file is read, and its host is found by it. What has told its end is not
 * brought back. */
static void test_vport_made(void)
{
	struct fc_vport made = {.number = 7, .wwpn = 0x502ab30000000007, .wwnn = 0x20, .host = -1};
	struct fc_vport *v;

	fc_inventory_scan(&inv);
	fc_inventory_vport_made(&inv, 2, &made);
	v = fc_vport_find(&inv, made.wwpn, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	tree_vport(2, 7, 9, "0x502ab30000000007");
	fc_inventory_refresh(&inv, 9); /* the host's own event */
	UT_EQ(v->host, 9);
	fc_inventory_vport_gone(&inv, 2, 0, 7);
	made.host = 9;
	fc_inventory_vport_made(&inv, 2, &made);
	CU_ASSERT_PTR_NULL(fc_vport_find(&inv, made.wwpn, NULL));
	fc_inventory_vport_made(&inv, 3, &made); /* no such parent */
}

static void test_no_class(void)
{
	char path[300], aside[310];

	fc_inventory_scan(&inv);
	sysroot_path(path, sizeof(path), "/sys/class/fc_host");
	snprintf(aside, sizeof(aside), "%s.aside", path);
	UT_EQ(rename(path, aside), 0);
	UT_EQ(fc_inventory_scan(&inv), -ENOENT);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&inv.hosts));
}

/* A passing want of file descriptors must not look as if all vports were gone. */
static void test_no_descriptors(void)
{
	struct rlimit was, none;

	fc_inventory_scan(&inv);
	UT_EQ(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){0, was.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	UT_EQ(fc_inventory_scan(&inv), -EMFILE);
	CU_ASSERT_TRUE(fc_inventory_refresh(&inv, 2));
	CU_ASSERT_TRUE(fc_inventory_refresh_part(&inv, 5, &(struct fc_part){.kind = FC_PART_RPORT}));
	CU_ASSERT_TRUE(fc_inventory_refresh_part(&inv, 5, &(struct fc_part){.kind = FC_PART_LUN, .lun = 3}));
	setrlimit(RLIMIT_NOFILE, &was);
	CU_ASSERT_PTR_NOT_NULL(fc_vport_find(&inv, 0x502ab30000000001, NULL));
	CU_ASSERT_PTR_NOT_NULL(TAILQ_FIRST(&target()->luns));
}

static void churn(void)
{
	for (;;) {
		tree_remove("/sys/class/fc_host/host5/port_name");
		tree_remove(LUN "/block/sda/size");
		tree_remove("/sys/class/fc_remote_ports/rport-5:0-0/port_name");
		tree_remove("/sys/class/fc_vports/vport-2:0-0/port_name");
		tree_remove("/sys/class/fc_host/host5");
		tree_link(DEVICES "/vport-2:0-0/host5/fc_host/host5", "/sys/class/fc_host/host5");
		tree_put(VPORT, "/sys/class/fc_vports/vport-2:0-0/port_name");
		tree_put(TARGET, "/sys/class/fc_remote_ports/rport-5:0-0/port_name");
		tree_put("2048", LUN "/block/sda/size");
		tree_put(VPORT, "/sys/class/fc_host/host5/port_name");
	}
}

/* While another process takes things away and puts them back, what is shown is never half a thing. */
static void test_changing(void)
{
	pid_t pid = ut_fork();

	if (!pid)
		churn();
	CU_ASSERT_TRUE_FATAL(pid > 0);
	for (int i = 0; i < 300; i++) {
		struct fc_host *h;
		struct fc_vport *v;
		struct fc_rport *r;
		struct fc_lun *l;

		if (i % 3)
			fc_inventory_refresh(&inv, i % 3 == 1 ? 2 : 5);
		else
			fc_inventory_scan(&inv);
		TAILQ_FOREACH (h, &inv.hosts, link) {
			CU_ASSERT_TRUE(h->number == 2 ? h->parent == -1 : h->parent == 2);
			TAILQ_FOREACH (v, &h->vports, link)
				CU_ASSERT_TRUE(v->wwpn == 0x502ab30000000001);
			TAILQ_FOREACH (r, &h->rports, link)
				TAILQ_FOREACH (l, &r->luns, link)
					CU_ASSERT_TRUE(!l->usable || l->size == 2048 * 512);
		}
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_event_paths(void)
{
	static const struct {
		const char *path;
		int host, parent;
	} paths[] = {
		{"/devices/virtual/net/eth0.10f/ctlr_0/host2/vport-2:0-0/host5/rport-5:0-1/target5:0:0/"
		 "5:0:0:0/"
		 "block/sda",
		 5, 2},
		{"/devices/virtual/net/eth0.10f/ctlr_0/host2/vport-2:0-0/fc_vports/vport-2:0-0", 2, 2},
		{"/devices/pci0000:00/0000:00:04.0/host1/rport-1:0-3/fc_remote_ports/rport-1:0-3", 1, -1},
		{"/devices/virtual/block/dm-0", -1, -1},
		{"/devices/virtual/net/hostess/x", -1, -1},
		{"", -1, -1},
		{"host3", -1, -1},
		{"/", -1, -1},
	};
	int host, parent;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fc_events_parse_path(paths[i].path, &host, &parent);
		UT_EQ(host, paths[i].host);
		UT_EQ(parent, paths[i].parent);
	}
}

static void test_event_attentions(void)
{
	UT_EQ(fc_events_parse_attention("CAPACITY_DATA_HAS_CHANGED"), FC_UA_CAPACITY);
	UT_EQ(fc_events_parse_attention("REPORTED_LUNS_DATA_HAS_CHANGED"), FC_UA_LUNS);
	UT_EQ(fc_events_parse_attention("MODE_PARAMETERS_CHANGED"), FC_UA_PARAMETERS);
	UT_EQ(fc_events_parse_attention("INQUIRY_DATA_HAS_CHANGED"), FC_UA_PARAMETERS);
	UT_EQ(fc_events_parse_attention("ASYMMETRIC_ACCESS_STATE_CHANGED"), FC_UA_NONE);
	UT_EQ(fc_events_parse_attention(NULL), FC_UA_NONE);
}

static void test_event_parts(void)
{
#define ON_HOST "/devices/virtual/net/eth0.10f/ctlr_0/host2/vport-2:0-6/host5/"
	static const struct {
		const char *subsystem, *path;
		struct fc_part part;
	} parts[] = {
		{"block",
		 ON_HOST "rport-5:0-1/target5:0:4/5:0:4:258/block/sda",
		 {FC_PART_LUN, .number = 1, .target = 4, .lun = 258}},
		{"scsi_device",
		 ON_HOST "rport-5:1-1/target5:1:4/5:1:4:0/scsi_device/5:1:4:0",
		 {FC_PART_LUN, .channel = 1, .number = 1, .target = 4}},
		{"scsi",
		 ON_HOST "rport-5:0-1/target5:0:4/5:0:4:3",
		 {FC_PART_LUN, .number = 1, .target = 4, .lun = 3}},
		{"fc_remote_ports",
		 ON_HOST "rport-5:0-3/fc_remote_ports/rport-5:0-3",
		 {FC_PART_RPORT, .number = 3}},
		{"fc_vports",
		 "/devices/virtual/net/eth0.10f/ctlr_0/host2/vport-2:0-6/fc_vports/vport-2:0-6",
		 {FC_PART_VPORT, .number = 6}},
		{"fc_host", ON_HOST "fc_host/host5", {FC_PART_HOST, .number = 6}},
		{"block", "/devices/virtual/block/dm-0", {FC_PART_HOST}},
		{"block", ON_HOST "rport-5:0-1/target5:0:4", {FC_PART_HOST}},
		{"scsi_disk",
		 "/devices/pci0000:00/host1/target1:0:0/1:0:0:0/scsi_disk/1:0:0:0",
		 {FC_PART_HOST}},
		{"none", "", {FC_PART_HOST}},
	};
	struct fc_part p;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		fc_events_parse_part(parts[i].subsystem, parts[i].path, &p);
		UT_EQ(p.kind, parts[i].part.kind);
		if (p.kind == FC_PART_HOST && strcmp(parts[i].subsystem, "fc_host") != 0)
			continue;
		UT_EQ(p.channel, parts[i].part.channel);
		UT_EQ(p.number, parts[i].part.number);
		if (p.kind != FC_PART_LUN)
			continue;
		UT_EQ(p.target, parts[i].part.target);
		UT_EQ(p.lun, parts[i].part.lun);
	}
}

/* A map's paths, whosever they are; what is no disk of a SCSI host is passed over. */
static void test_map_hosts(void)
{
	int hosts[4] = {0};

	UT_EQ(fc_events_map_hosts("dm-0", hosts, 4), 0);
	tree_link(LUN "/block/sda", "/sys/devices/virtual/block/dm-0/slaves/sda");
	tree_link("/sys/devices/virtual/block/loop0", "/sys/devices/virtual/block/dm-0/slaves/loop0");
	tree_link("/sys/devices/virtual/block/dm-0", "/sys/class/block/dm-0");
	UT_EQ(fc_events_map_hosts("dm-0", hosts, 4), 1);
	UT_EQ(hosts[0], 5);
	tree_link("/sys/devices/pci0000:00/host7/target7:0:0/7:0:0:0/block/sdb",
		  "/sys/devices/virtual/block/dm-0/slaves/sdb");
	UT_EQ(fc_events_map_hosts("dm-0", hosts, 4), 2);
	UT_EQ(hosts[0] + hosts[1], 12);
	UT_EQ(fc_events_map_hosts("dm-0", hosts, 1), 1);
}

static CU_TestInfo tests[] = {
	{"a host number lower than the parent's", test_low_number},
	{"a parent wanted later", test_wanted_later},
	{"a host without a place", test_no_place},
	{"a number that is used again without a word", test_number_again},
	{"a host that is gone", test_gone},
	{"a host's attributes", test_host_attributes},
	{"an rport's attributes", test_rport_attributes},
	{"LUN states", test_lun_states},
	{"LUN types", test_lun_types},
	{"a LUN's size and designator", test_lun_parts},
	{"strange entries", test_strange_entries},
	{"a vport's host comes later", test_vport_host_later},
	{"no fc_host class", test_no_class},
	{"no file descriptors", test_no_descriptors},
	{"a tree that changes", test_changing},
	{"the hosts in a device path", test_event_paths},
	{"unit attentions", test_event_attentions},
	{"what of a host a device is", test_event_parts},
	{"the hosts of a map's paths", test_map_hosts},
	{"a LUN that goes", test_lun_going},
	{"an event's part alone", test_part},
	{"a part that comes and goes", test_part_new},
	{"a part whose attributes come later", test_part_early},
	{"a part of a host without a name", test_part_unnamed},
	{"a vport that was made here", test_vport_made},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"inventory", tests, begin, end}, {0}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host's own ports see of the LUNs of a VM that is to come, in a fake tree. */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "inventory.h"
#include "reach.h"
#include "ut-tree.h"
#include "ut.h"

#define TARGET_A 0x500601600000000a
#define TARGET_B 0x500601600000000b
#define FABRIC 0x1000000000000064 /* as tree_parent has it */

static wwn_t both[] = {TARGET_A, TARGET_B};
static struct config_vsan vsans[] = {{.number = 10, .fabric_name = FABRIC},
				     {.number = 20, .fabric_name = FABRIC + 100}};
static struct config_zone zones[] = {{.name = "db-a", .vsan = 10, .count = 1, .targets = both},
				     {.name = "db-ab", .vsan = 10, .count = 2, .targets = both}};
static struct config cfg = {.vsans_n = 2, .vsans = vsans, .zones_n = 2, .zones = zones};
static struct daemon d;
static struct reg_lun luns[4];
static struct reg_vhba vhba;
static struct reach r;

/* As tree_disk makes it. */
static void expect(unsigned i, wwn_t target, uint64_t number, unsigned disk)
{
	luns[i] = (struct reg_lun){.lun = number, .target = target};
	snprintf(luns[i].designator, sizeof(luns[i].designator), "naa.6002%026u%02x", 0, disk);
}

/* host2 in VSAN 10 sees LUNs 0..3 of the first target; host3 is in VSAN 20. */
static int begin(void)
{
	d = (struct daemon){.cfg = &cfg};
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	tree_rport(2, 0, "0x500601600000000a", true);
	for (unsigned i = 0; i < 4; i++) {
		char sd[8];

		snprintf(sd, sizeof(sd), "sd%c", 'a' + i);
		tree_disk(2, 0, i, sd);
		tree_put("running", "/sys/class/scsi_device/2:0:0:%u/device/state", i);
		expect(i, TARGET_A, i, i);
	}
	tree_parent(3, "eth0.20f", "0x20000200000b0001");
	tree_put("0x10000000000000c8", "/sys/class/fc_host/host3/fabric_name");
	vhba = (struct reg_vhba){
		.vsan = 10, .known = true, .zones = (char *)"db-a", .luns_n = 4, .luns = luns};
	fc_inventory_init(&d.inv, NULL, NULL);
	return fc_inventory_scan(&d.inv);
}

static int end(void)
{
	fc_inventory_clear(&d.inv);
	return 0;
}

/* What it says is the same from each side. */
static void look(unsigned seen, unsigned differ, unsigned reasons, const char *text)
{
	char buf[REACH_TEXT];

	fc_inventory_scan(&d.inv);
	reach_look(&d, &vhba, &r);
	UT_EQ(r.seen, seen);
	UT_EQ(r.differ, differ);
	UT_EQ(r.reasons_n, reasons);
	UT_STREQ(reach_text(&r, 0, false, buf, sizeof(buf)), text);
}

static void test_all(void)
{
	look(4, 0, 0, "vhba 0: all 4 LUN paths are seen by this host's own ports");
	/* The array gives its own ports other numbers. */
	luns[1].lun = 17;
	look(4, 0, 0, "vhba 0: all 4 LUN paths are seen by this host's own ports");
}

static void test_some(void)
{
	expect(1, TARGET_A, 5, 5);
	look(3, 0, 1,
	     "vhba 0: 3 of 4 LUN paths are seen by this host's own ports, the rest is unproved: masking may "
	     "hide "
	     "them from its own names");
	UT_STREQ(r.reason[0],
		 "target 50:06:01:60:00:00:00:0a: 1 of 4 LUNs are not shown to this host's own ports");
	/* The same LUN by another target port is another path, and the zone's other port counts too. */
	expect(1, TARGET_B, 1, 1);
	vhba.zones = (char *)"db-ab";
	look(3, 0, 1,
	     "vhba 0: 3 of 4 LUN paths are seen by this host's own ports, the rest is unproved: masking may "
	     "hide "
	     "them from its own names");
	UT_STREQ(r.reason[0],
		 "target 50:06:01:60:00:00:00:0b: this host's own ports don't see it, as without a "
		 "zone with them");
}

static void test_zone(void)
{
	vhba.zones = (char *)"db-ab";
	look(4, 0, 1, "vhba 0: all 4 LUN paths are seen by this host's own ports");
	UT_STREQ(r.reason[0],
		 "target 50:06:01:60:00:00:00:0b: this host's own ports don't see it, as without a "
		 "zone with them");
	tree_rport(2, 1, "0x500601600000000b", false);
	look(4, 0, 1, "vhba 0: all 4 LUN paths are seen by this host's own ports");
	UT_STREQ(r.reason[0], "target 50:06:01:60:00:00:00:0b: it has not logged in as an FCP target");
	tree_rport(2, 1, "0x500601600000000b", true);
	look(4, 0, 0, "vhba 0: all 4 LUN paths are seen by this host's own ports");
}

static void test_none(void)
{
	tree_put("Blocked", "/sys/class/fc_remote_ports/rport-2:0-0/port_state");
	look(0, 0, 1, "vhba 0: none of 4 LUN paths is seen by this host's own ports: unproved");
	UT_STREQ(r.reason[0], "target 50:06:01:60:00:00:00:0a: it is Blocked");
	/* The port that sees it does not serve the VSAN. */
	tree_put("Online", "/sys/class/fc_remote_ports/rport-2:0-0/port_state");
	vhba.vsan = 20;
	look(0, 0, 1, "vhba 0: none of 4 LUN paths is seen by this host's own ports: unproved");
	vhba.vsan = 30;
	look(0, 0, 1, "vhba 0: none of 4 LUN paths is seen by this host's own ports: unproved");
	UT_STREQ(r.reason[0], "target 50:06:01:60:00:00:00:0a: this host has no port Online in its VSAN");
	vhba.vsan = 10;
	tree_put("Linkdown", "/sys/class/fc_host/host2/port_state");
	look(0, 0, 1, "vhba 0: none of 4 LUN paths is seen by this host's own ports: unproved");
}

/* A vport's host is none of the host's own ports: it has a VM's name. */
static void test_vport(void)
{
	tree_put("Linkdown", "/sys/class/fc_host/host2/port_state");
	tree_vport(2, 3, 5, "0x502ab30000000001");
	tree_rport(5, 0, "0x500601600000000a", true);
	tree_disk(5, 0, 0, "sdx");
	look(0, 0, 1, "vhba 0: none of 4 LUN paths is seen by this host's own ports: unproved");
}

static void test_other(void)
{
	char buf[REACH_TEXT];

	expect(2, TARGET_A, 2, 9);
	look(3, 1, 2,
	     "vhba 0: 3 of 4 LUN paths are seen by this host's own ports, the rest is unproved: masking may "
	     "hide "
	     "them from its own names");
	UT_STREQ(r.reason[0],
		 "target 50:06:01:60:00:00:00:0a: its LUN 2 is naa.60020000000000000000000000000002 "
		 "for this host's own ports, expected naa.60020000000000000000000000000009");
	UT_STREQ(
		reach_text(&r, 1, true, buf, sizeof(buf)),
		"vhba 1: 3 of 4 LUN paths are seen by this host's own ports, the rest is unproved: masking "
		"may "
		"hide them from its own names; its alternate name proves it here before the guest is paused");
}

static void test_idle(void)
{
	tree_put("offline", "/sys/class/scsi_device/2:0:0:3/device/state");
	look(3, 0, 1,
	     "vhba 0: 3 of 4 LUN paths are seen by this host's own ports, the rest is unproved: masking may "
	     "hide "
	     "them from its own names");
	UT_STREQ(r.reason[0],
		 "target 50:06:01:60:00:00:00:0a: 1 of 4 LUNs are not usable by this host's own ports");
}

static void test_unknown(void)
{
	vhba.luns_n = 0;
	look(0, 0, 0, "vhba 0: it has no LUN");
	vhba.known = false;
	look(0, 0, 0, "vhba 0: its LUNs are not known: it was never attached");
}

/* More target ports than reasons are kept: the count says so. */
static void test_many(void)
{
	static struct reg_lun many[REACH_REASONS + 3];

	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		many[i] =
			(struct reg_lun){.lun = 0, .target = TARGET_A + 0x100 + i, .designator = "naa.6002"};
	vhba.luns = many;
	vhba.luns_n = ARRAY_SIZE(many);
	vhba.zones = NULL;
	look(0, 0, REACH_REASONS + 3,
	     "vhba 0: none of 11 LUN paths is seen by this host's own ports: unproved");
}

static void test_shown(void)
{
	struct reg_vm vm = {.name = "db1", .vhbas_n = 1, .vhbas = &vhba};
	struct json_object *list, *o, *field;

	expect(2, TARGET_A, 2, 9);
	vhba.index = 3;
	list = reach_show(&d, &vm);
	UT_EQ(json_object_array_length(list), 1);
	o = json_object_array_get_idx(list, 0);
	CU_ASSERT_TRUE(json_object_object_get_ex(o, "reachable", &field));
	UT_STREQ(json_object_get_string(field), "partly");
	CU_ASSERT_TRUE(json_object_object_get_ex(o, "vhba", &field));
	UT_EQ(json_object_get_int(field), 3);
	CU_ASSERT_TRUE(json_object_object_get_ex(o, "reasons", &field));
	UT_EQ(json_object_array_length(field), 2);
	CU_ASSERT_TRUE(json_object_object_get_ex(o, "alternate", &field));
	CU_ASSERT_FALSE(json_object_get_boolean(field));
	json_object_put(list);
	/* With two names each it needs no such proof; through a vhba-io it moves by one. */
	vhba.alternate = 1;
	list = reach_show(&d, &vm);
	CU_ASSERT_TRUE(json_object_object_get_ex(json_object_array_get_idx(list, 0), "alternate", &field));
	CU_ASSERT_TRUE(json_object_get_boolean(field));
	json_object_put(list);
	vm.io.kind = REG_IO_SCSI;
	list = reach_show(&d, &vm);
	CU_ASSERT_TRUE(json_object_object_get_ex(json_object_array_get_idx(list, 0), "alternate", &field));
	CU_ASSERT_FALSE(json_object_get_boolean(field));
	json_object_put(list);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"all are seen", test_all},
		{"some are seen", test_some},
		{"a target of the zones without LUNs", test_zone},
		{"none is seen", test_none},
		{"by vports", test_vport},
		{"another LUN has the number", test_other},
		{"a LUN that is offline", test_idle},
		{"nothing is expected", test_unknown},
		{"more reasons than are kept", test_many},
		{"as JSON", test_shown},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"reach", tests, begin, end}, {0}};

	return ut_main(argc, argv, suites);
}

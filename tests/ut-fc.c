/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* World Wide Names, page 0x83, the name server's answers, and the inventory over a fake sysfs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ct.h"
#include "inventory.h"
#include "ut-tree.h"
#include "ut.h"
#include "vpd.h"
#include "wwn.h"

static void test_wwn(void)
{
	static const char *const bad[] = {"",
					  "0000000000000000",
					  "ffffffffffffffff",
					  "50060160",
					  "5006016000000a0g",
					  "50:06:01:60:00:00:0a",
					  "5006:0160:0000:0a01",
					  "5006016000000a0112",
					  " 5006016000000a01",
					  "0x"};
	struct verror e = {0};
	char text[WWN_TEXT];
	wwn_t w;

	UT_EQ(wwn_parse("50:06:01:60:00:00:0a:01", &w, &e), 0);
	UT_EQ(w, 0x5006016000000a01);
	UT_EQ(wwn_parse("0x5006016000000A01", &w, &e), 0);
	UT_STREQ(wwn_format(w, text), "50:06:01:60:00:00:0a:01");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&e, 0, sizeof(e));
		if (!wwn_parse(bad[i], &w, &e))
			printf("# \"%s\" was taken\n", bad[i]);
		CU_ASSERT_TRUE(wwn_parse(bad[i], &w, &e) == -EINVAL && e.what[0]);
	}
}

static void test_vpd(void)
{
	const uint8_t two[] = {0, 0x83, 0, 32, 2, 1, 0, 4, 'A', ' ', 'B',  'C', 1, 0x93, 0, 8, 1, 2,
			       3, 4,	5, 6,  7, 8, 1, 3, 0,	8,   0x50, 1,	2, 3,	 4, 5, 6, 7};
	char text[80];

	UT_EQ(vpd83_designator(two, sizeof(two), text, sizeof(text)), 0);
	UT_STREQ(text, "naa.5001020304050607"); /* the best of those that name the LUN itself */
	UT_EQ(vpd83_designator(two, 20, text, sizeof(text)), 0);
	UT_STREQ(text, "t10.A_BC");
	UT_EQ(vpd83_designator(two, 3, text, sizeof(text)), -ENOENT);
	UT_EQ(vpd83_designator((const uint8_t[]){0, 0x80, 0, 0}, 4, text, sizeof(text)), -ENOENT);
	UT_EQ(vpd83_designator((const uint8_t[]){0, 0x83, 0xff, 0xff, 1, 3, 0, 200}, 8, text, sizeof(text)),
	      -ENOENT);
}

static void test_ct(void)
{
	uint8_t request[CT_REQUEST_MAX], reply[20] = {1, 0, 0, 0, 0xfc, 2};
	unsigned reason;
	uint32_t id;

	UT_EQ(ct_pack_gid_pn(request, 0x5006016000000a01), 24);
	CU_ASSERT_FALSE(memcmp(request + 4, (uint8_t[]){0xfc, 2}, 2));
	CU_ASSERT_FALSE(memcmp(request + 8, (uint8_t[]){0x01, 0x21}, 2));
	CU_ASSERT_FALSE(memcmp(request + 16, (uint8_t[]){0x50, 0x06, 0x01, 0x60, 0, 0, 0x0a, 1}, 8));
	reply[8] = 0x80, reply[9] = 0x02, reply[18] = 0x02, reply[19] = 0x03;
	UT_EQ(ct_parse_gid_pn(reply, 20, &id, &reason), CT_PRESENT);
	UT_EQ(id, 0x000203);
	UT_EQ(ct_parse_gid_pn(reply, 19, &id, &reason), CT_NO_PROOF);
	UT_EQ(ct_parse_gid_pn(reply, 0, &id, &reason), CT_NO_PROOF); /* a time-out that looks like success */
	reply[9] = 0x01, reply[13] = 9, reply[14] = 2;
	UT_EQ(ct_parse_gid_pn(reply, 16, &id, &reason), CT_ABSENT);
	reply[13] = 5; /* busy: says nothing of the name */
	UT_EQ(ct_parse_gid_pn(reply, 16, &id, &reason), CT_NO_PROOF);
	reply[4] = 0;
	UT_EQ(ct_parse_gid_pn(reply, 16, &id, &reason), CT_NO_PROOF);
}

static void test_ct_f_port(void)
{
	uint8_t request[CT_REQUEST_MAX], reply[CT_REPLY_MAX] = {1, 0, 0, 0, 0xfc, 2};
	unsigned reason;
	wwn_t name;

	UT_EQ(ct_pack_gfpn_id(request, 0x010203), 20);
	CU_ASSERT_FALSE(
		memcmp(request, (uint8_t[]){1, 0, 0, 0, 0xfc, 2, 0, 0, 0x01, 0x1c, 0, 2, 0, 0, 0, 0}, 16));
	CU_ASSERT_FALSE(memcmp(request + 16, (uint8_t[]){0, 1, 2, 3}, 4));
	reply[8] = 0x80, reply[9] = 0x02;
	memcpy(reply + 16, (uint8_t[]){0x20, 0x01, 0, 0x0d, 0xec, 0, 0xff, 0x80}, 8);
	for (size_t len = 0; len <= sizeof(reply); len++) {
		name = 1;
		UT_EQ(ct_parse_gfpn_id(reply, len, &name, &reason), len < 24 ? CT_NO_PROOF : CT_PRESENT);
		UT_EQ(name, len < 24 ? 0 : 0x2001000dec00ff80);
	}
	memset(reply + 16, 0, 8); /* a name that is none */
	UT_EQ(ct_parse_gfpn_id(reply, 24, &name, &reason), CT_NO_PROOF);
	reply[16] = 0x20;
	reply[5] = 3; /* another server's */
	UT_EQ(ct_parse_gfpn_id(reply, 24, &name, &reason), CT_NO_PROOF);
	reply[5] = 2, reply[9] = 0x01, reply[13] = 9, reply[14] = 1;
	UT_EQ(ct_parse_gfpn_id(reply, 16, &name, &reason), CT_ABSENT);
	UT_EQ(reason, 0x0901);
	UT_EQ(name, 0);
	reply[13] = 0x0b; /* not supported */
	UT_EQ(ct_parse_gfpn_id(reply, 24, &name, &reason), CT_NO_PROOF);
	UT_EQ(name, 0);
}

/* ---- the inventory ---- */

#define PARENT "0x20000200000a0001"
#define VPORT "0x502ab30000000001"
#define TARGET "0x5006016000000a01"

static struct fc_inventory inv;

static int begin(void)
{
	tree_new();
	fc_inventory_init(&inv, NULL, NULL);
	tree_parent(2, "eth0.10f", PARENT);
	tree_vport(2, 0, 5, VPORT);
	tree_rport(5, 0, TARGET, true);
	tree_rport(5, 1, "0x5006016000000b01", false);
	tree_disk(5, 0, 7, "sdb");
	tree_disk(5, 0, 3, "sda");
	return 0;
}

static int end(void)
{
	fc_inventory_clear(&inv);
	return 0;
}

static void test_scan(void)
{
	struct fc_host *parent, *h;
	struct fc_vport *v;
	struct fc_rport *r;
	struct fc_lun *l;

	UT_EQ(fc_inventory_scan(&inv), 0);
	v = fc_vport_find(&inv, 0x502ab30000000001, &parent);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	UT_EQ(parent->number, 2);
	UT_STREQ(parent->netdev, "eth0.10f");
	UT_STREQ(parent->driver, "fcoe");
	UT_EQ(parent->npiv_max, 255);
	UT_EQ(v->host, 5);
	h = fc_host_find(&inv, 5);
	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	UT_EQ(h->parent, 2);
	r = fc_rport_find(h, 0x5006016000000a01);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(r->is_target);
	UT_EQ(fc_rport_read_timers(h, r), 0);
	UT_EQ(r->fast_io_fail, -1);
	UT_EQ(r->dev_loss, 60);
	CU_ASSERT_FALSE(fc_rport_find(h, 0x5006016000000b01)->is_target);
	l = TAILQ_FIRST(&r->luns);
	CU_ASSERT_PTR_NOT_NULL_FATAL(l);
	UT_EQ(l->lun, 3); /* in order */
	UT_STREQ(l->sd, "sda");
	UT_STREQ(l->designator, "naa.60020000000000000000000000000003");
	UT_EQ(l->size, 2048 * 512);
	CU_ASSERT_TRUE(l->usable);
	UT_EQ(TAILQ_NEXT(l, link)->lun, 7);
}

static void test_changes(void)
{
	const char *lun = "/sys/devices/virtual/net/eth0.10f/ctlr_0/host2/vport-2:0-0/host5/rport-5:0-0/"
			  "target5:0:0/5:0:0:3";
	struct fc_rport *r;
	uint64_t busy;

	fc_inventory_scan(&inv);
	tree_put("blocked", "%s/state", lun);
	CU_ASSERT_TRUE(fc_inventory_refresh(&inv, 5));
	r = fc_rport_find(fc_host_find(&inv, 5), 0x5006016000000a01);
	CU_ASSERT_FALSE(TAILQ_FIRST(&r->luns)->usable);
	tree_put("running", "%s/state", lun);
	tree_remove("%s/vpd_pg83", lun);
	fc_inventory_refresh(&inv, 5);
	r = fc_rport_find(fc_host_find(&inv, 5), 0x5006016000000a01);
	CU_ASSERT_FALSE(TAILQ_FIRST(&r->luns)->usable); /* what it is cannot be told */
	tree_put("3", "/sys/class/scsi_device/5:0:0:3/device/device_busy");
	UT_EQ(fc_lun_read_busy(fc_host_find(&inv, 5), TAILQ_FIRST(&r->luns), &busy), 0);
	UT_EQ(busy, 3);
	tree_put("3 of 5", "/sys/class/scsi_device/5:0:0:3/device/device_busy");
	UT_EQ(fc_lun_read_busy(fc_host_find(&inv, 5), TAILQ_FIRST(&r->luns), &busy), -EINVAL);
	tree_remove("/sys/class/fc_host/host5/port_name");
	CU_ASSERT_FALSE(fc_inventory_refresh(&inv, 5));
	CU_ASSERT_PTR_NULL(fc_host_find(&inv, 5));
}

/* The event of a vport's end comes before its folder goes. */
static void test_vport_state(void)
{
	struct fc_host *parent;
	struct fc_vport *v;
	char state[32];

	fc_inventory_scan(&inv);
	v = fc_vport_find(&inv, fc_host_find(&inv, 5)->wwpn, &parent);
	tree_put("Initializing", "/sys/class/fc_vports/vport-2:0-0/vport_state");
	tree_put("Offline", "/sys/class/fc_host/host5/port_state");
	UT_EQ(fc_vport_read_state(parent, v, state, sizeof(state)), 0);
	UT_STREQ(state, "Initializing");
	tree_put("Online", "/sys/class/fc_host/host5/port_state");
	UT_EQ(fc_vport_read_state(parent, v, state, sizeof(state)), 0);
	UT_STREQ(state, "Active");
	tree_put("Disabled", "/sys/class/fc_vports/vport-2:0-0/vport_state");
	UT_EQ(fc_vport_read_state(parent, v, state, sizeof(state)), 0);
	UT_STREQ(state, "Disabled");
	/* Other drivers' ports are Online before their login ends. */
	tree_put("Initializing", "/sys/class/fc_vports/vport-2:0-0/vport_state");
	snprintf(parent->driver, sizeof(parent->driver), "qla2xxx");
	UT_EQ(fc_vport_read_state(parent, v, state, sizeof(state)), 0);
	UT_STREQ(state, "Initializing");
}

static void test_gone_before_its_folder(void)
{
	fc_inventory_scan(&inv);
	fc_inventory_vport_gone(&inv, 2, 0, 0);
	CU_ASSERT_PTR_NULL(fc_vport_find(&inv, 0x502ab30000000001, NULL));
	CU_ASSERT_TRUE(fc_inventory_refresh(&inv, 2));
	CU_ASSERT_TRUE(fc_inventory_refresh(&inv, 2));
	CU_ASSERT_PTR_NULL(fc_vport_find(&inv, 0x502ab30000000001, NULL));
	tree_vport(2, 1, 6, VPORT); /* the same name again is another vport */
	CU_ASSERT_TRUE(fc_inventory_refresh(&inv, 2));
	CU_ASSERT_PTR_NOT_NULL(fc_vport_find(&inv, 0x502ab30000000001, NULL));
	fc_inventory_host_gone(&inv, 5);
	CU_ASSERT_PTR_NULL(fc_host_find(&inv, 5));
}

static void test_names_in_use(void)
{
	char by[64];

	fc_inventory_scan(&inv);
	CU_ASSERT_TRUE(fc_name_in_use(&inv, 0x20000200000a0001, by, sizeof(by)));
	UT_STREQ(by, "host2");
	CU_ASSERT_TRUE(fc_name_in_use(&inv, 0x5006016000000a01, by, sizeof(by)));
	CU_ASSERT_FALSE(fc_name_in_use(&inv, 0x5006016000000c01, by, sizeof(by)));
	CU_ASSERT_TRUE(fc_name_is_live(&inv, 0x20000200000a0001, by, sizeof(by)));
	CU_ASSERT_TRUE(fc_name_is_live(&inv, 0x5006016000000a01, by, sizeof(by)));
	UT_STREQ(by, "a remote port that host5 sees");
	/* It has gone, and is kept for a while, or for its number. */
	tree_put("Blocked", "/sys/class/fc_remote_ports/rport-5:0-0/port_state");
	CU_ASSERT_TRUE(fc_name_in_use(&inv, 0x5006016000000a01, by, sizeof(by)));
	CU_ASSERT_FALSE(fc_name_is_live(&inv, 0x5006016000000a01, by, sizeof(by)));
	tree_put("Online", "/sys/class/fc_remote_ports/rport-5:0-0/port_state");
}

static bool not_host2(void *arg, const struct fc_host *h)
{
	(void)arg;
	return h->number != 2;
}

/* A parent that is not wanted takes its vports along. */
static void test_filter(void)
{
	fc_inventory_init(&inv, not_host2, NULL);
	tree_parent(9, "eth1.10f", "0x20000200000a0009");
	fc_inventory_scan(&inv);
	CU_ASSERT_PTR_NULL(fc_host_find(&inv, 2));
	CU_ASSERT_PTR_NULL(fc_host_find(&inv, 5));
	CU_ASSERT_PTR_NOT_NULL(fc_host_find(&inv, 9));
}

static void test_garbage(void)
{
	tree_put("", "/sys/class/fc_host/hostess/port_name");
	tree_put("nonsense", "/sys/class/fc_host/host7/port_name");
	tree_put("", "/sys/devices/virtual/net/eth0.10f/ctlr_0/host2/rport-x:y/uevent");
	tree_put("",
		 "/sys/devices/virtual/net/eth0.10f/ctlr_0/host2/vport-2:0-8/uevent"); /* no class entry */
	UT_EQ(fc_inventory_scan(&inv), 0);
	CU_ASSERT_PTR_NOT_NULL(fc_host_find(&inv, 2));
}

static CU_TestInfo formats[] = {
	{"World Wide Names", test_wwn}, {"VPD page 0x83", test_vpd}, {"GID_PN", test_ct},
	{"GFPN_ID", test_ct_f_port},	CU_TEST_INFO_NULL,
};

static CU_TestInfo inventory[] = {
	{"a scan", test_scan},
	{"changes", test_changes},
	{"a state that lags", test_vport_state},
	{"an end is told early", test_gone_before_its_folder},
	{"names in use", test_names_in_use},
	{"parents of others", test_filter},
	{"garbage", test_garbage},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"fc", formats, NULL, NULL},
		{"inventory", inventory, begin, end},
		{0},
	};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks without a size in a fake tree: vhba-priv is asked once, and what it has done is seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "inventory.h"
#include "san.h"
#include "sizes.h"
#include "ut-privq.h"
#include "ut-tree.h"
#include "ut.h"

#define WWPN 0x502ab30000000001u

static struct config cfg;
static struct daemon d;
static struct vm *vm;
static struct vm_vhba *v;

static void set_disk(const char *sectors, const char *state)
{
	char device[128] = "/sys/class/fc_host/host5/device";

	tree_disk(5, 0, 0, "sda");
	tree_put(sectors, "%s/rport-5:0-0/target5:0:0/5:0:0:0/block/sda/size", device);
	tree_put(state, "%s/rport-5:0-0/target5:0:0/5:0:0:0/state", device);
}

static int begin(void)
{
	d = (struct daemon){.cfg = &cfg};
	TAILQ_INIT(&d.vms);
	TAILQ_INIT(&d.fcoe);
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	tree_vport(2, 3, 5, "0x502ab30000000001");
	tree_rport(5, 0, "0x500601600000000a", true);
	set_disk("2048", "running");
	fc_inventory_init(&d.inv, NULL, NULL);
	ut_privq_up(&d);
	vm = vm_new(&d.vms, "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01", "db1");
	v = &vm->vhba[0];
	vm->count = 1;
	*v = (struct vm_vhba){.wwpn = WWPN, .host = 5, .parent_host = 2, .number = 3};
	return fc_inventory_scan(&d.inv);
}

static int end(void)
{
	vm_free(&d.vms, vm);
	ut_privq_down(&d);
	fc_inventory_clear(&d.inv);
	return 0;
}

/* The next request about sizes; the parent's VLAN is asked for too. */
static bool next_request(struct priv_request *q)
{
	while (ut_privq_next(q))
		if (q->verb != PRIV_NETDEV_VLAN)
			return true;
	return false;
}

static void test_whole(void)
{
	struct priv_request q;

	sizes_look(&d, v);
	CU_ASSERT_FALSE(next_request(&q));
	set_disk("0", "transport-offline"); /* it could not answer */
	watch_refresh(&d, 5);
	sizes_look(&d, v);
	CU_ASSERT_FALSE(next_request(&q));
}

static void test_lost(void)
{
	struct priv_request q;

	set_disk("0", "running");
	watch_refresh(&d, 5);
	CU_ASSERT_TRUE(san_lacks_size(&d, v));
	sizes_look(&d, v);
	sizes_look(&d, v); /* the machine looks again and again */
	CU_ASSERT_TRUE(next_request(&q));
	UT_EQ(q.verb, PRIV_READ_SIZES);
	UT_EQ(q.host, 5);
	CU_ASSERT_FALSE(next_request(&q));
	set_disk("2048", "running");
	ut_privq_reply(&d, &q, (struct priv_reply){.count = 1});
	CU_ASSERT_FALSE(v->sizes_pending);
	CU_ASSERT_FALSE(san_lacks_size(&d, v));
	/* Lost once more: asked once more. */
	set_disk("0", "running");
	watch_refresh(&d, 5);
	sizes_look(&d, v);
	CU_ASSERT_TRUE(next_request(&q));
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"disks that need nothing", test_whole},
		{"a disk that has lost its size", test_lost},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"sizes", tests, begin, end}, {0}};

	return ut_main(argc, argv, suites);
}

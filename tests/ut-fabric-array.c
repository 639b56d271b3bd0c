/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built-in targets as the switch sees them: logins, name server, RSCNs, zoning, and their commands. */
#include <string.h>

#include "ut-fabric-bench.h"
#include "ut.h"

#define ARRAY_WWPN "50:06:01:60:00:00:0a:01"

static struct bench b;
static struct node n;
static uint32_t array_id;

static void open_array(void)
{
	bench_open(&b);
	n = bench_node(0, 10, 1, 1);
	CU_ASSERT_TRUE(bench_command(&b, "target array-a wwpn " ARRAY_WWPN " wwnn 5006016000000001 vsan 10"));
	array_id = 0x010100;
	CU_ASSERT_TRUE(bench_command(&b, "lun L0 memory 1M"));
	CU_ASSERT_TRUE(bench_command(&b, "map array-a 0 L0"));
	CU_ASSERT_TRUE(bench_command(&b, "zone 10 z add " ARRAY_WWPN " principal"));
	CU_ASSERT_TRUE(bench_command(&b, "zone 10 z add %016llx", (unsigned long long)n.wwpn));
	bench_login(&b, &n, false);
	bench_register(&b, &n);
}

static int gpn_ft(void)
{
	return bench_ct(&b, &n, 0x172, (const uint8_t[]){0, 0, 0, 8}, 4);
}

/* A PLOGI's answer: the ELS command; 0: none. */
static uint8_t plogi(void)
{
	uint8_t els[LOGIN_LEN] = {ELS_PLOGI};

	put_be16(els + LOGIN_BB_DATA, 2048);
	put_be64(els + LOGIN_WWPN, n.wwpn);
	put_be64(els + LOGIN_WWNN, n.wwnn);
	put_be16(els + LOGIN_CLASS3, 0x8000);
	put_be16(els + LOGIN_CLASS3 + 6, 2048);
	bench_drain(&b);
	bench_send(&b, &n, array_id, RCTL_ELS_REQ, FC_TYPE_ELS, els, sizeof(els));
	return bench_take_fc(&b) ? b.fc.data[FC_HEADER_LEN] : 0;
}

static void test_visible(void)
{
	open_array();
	UT_EQ(gpn_ft(), 16);
	UT_EQ(get_be24(b.fc.data + FC_HEADER_LEN + CT_HEADER_LEN + 1), array_id);
	UT_EQ(bench_ct(&b, &n, 0x11f, (const uint8_t[]){0, 1, 1, 0}, 4), 128);
	UT_EQ(b.fc.data[FC_HEADER_LEN + CT_HEADER_LEN + 7], 1); /* FCP target */
	bench_close(&b);
}

static void test_plogi(void)
{
	open_array();
	UT_EQ(plogi(), ELS_LS_ACC);
	UT_EQ(get_be24(b.fc.data + FC_S_ID), array_id);
	UT_EQ(get_be64(b.fc.data + FC_HEADER_LEN + LOGIN_WWPN), 0x5006016000000a01);
	CU_ASSERT_TRUE(bench_command(&b, "zone 10 z remove %016llx", (unsigned long long)n.wwpn));
	UT_EQ(plogi(), 0);
	bench_close(&b);
}

static void test_offline(void)
{
	unsigned rscns = 0;

	open_array();
	CU_ASSERT_TRUE(bench_command(&b, "target array-a offline"));
	while (bench_take_fc(&b))
		rscns += b.fc.data[FC_HEADER_LEN] == ELS_RSCN;
	UT_EQ(rscns, 1);
	UT_EQ(gpn_ft(), -1);
	UT_EQ(plogi(), 0);
	CU_ASSERT_FALSE(bench_command(&b, "target array-a offline"));
	CU_ASSERT_TRUE(bench_command(&b, "target array-a online"));
	array_id = 0x010102; /* N_Port_IDs are not reused at once */
	UT_EQ(gpn_ft(), 16);
	UT_EQ(plogi(), ELS_LS_ACC);
	bench_close(&b);
}

static void test_duplicate(void)
{
	open_array();
	n.wwpn = 0x5006016000000a01;
	n.mac[5] = 9;
	CU_ASSERT_TRUE(bench_command(&b, "policy dup second"));
	UT_EQ(bench_login(&b, &n, false), 0); /* an array keeps its name */
	UT_EQ(b.explanation, LS_EXPL_INVALID_PORT_NAME);
	bench_close(&b);
}

static void test_rules(void)
{
	open_array();
	CU_ASSERT_TRUE(bench_command(&b, "rule add src array-a kind els op acc drop count 1"));
	UT_EQ(plogi(), 0);
	UT_EQ(plogi(), ELS_LS_ACC);
	CU_ASSERT_TRUE(bench_command(&b, "rule add dst array-a kind els op plogi reject 05 00 count 1"));
	UT_EQ(plogi(), ELS_LS_RJT);
	UT_EQ(get_be24(b.fc.data + FC_S_ID), array_id);
	bench_close(&b);
}

static void test_commands(void)
{
	static const char *const good[] = {
		"lun L1 memory 64K block 4096 id 60200000000000000000000000000001",
		"map array-a 255 L1",
		"unmap array-a 255",
		"mask array-a 5000000000000001 0",
		"mask array-a clear",
		"fault array-a hang",
		"fault array-a heal",
		"show targets",
		"show targets --json",
		"show exchanges",
		"show exchanges --json",
	};
	static const char *const bad[] = {
		"target array-a wwpn " ARRAY_WWPN " wwnn 5006016000000001 vsan 10",
		"target x wwpn " ARRAY_WWPN,
		"target x wwpn " ARRAY_WWPN " wwnn 5006016000000001 vsan 10",
		"target x wwpn 1 wwnn 5006016000000001 vsan 10",
		"target nobody offline",
		"target array-a sideways",
		"target array-a online",
		"lun L0 memory 1M",
		"lun L2 memory much",
		"lun L2 memory 1M block 513",
		"lun L2 memory 1M id 12",
		"lun L2 tape 1M",
		"lun L2 file /tmp/x",
		"lun L2 memory 100",
		"lun L2 file /nonexistent/x 1M",
		"map array-a 0 none",
		"map array-a 256 L0",
		"map array-a 0 L0",
		"map nobody 0 L0",
		"unmap array-a 77",
		"mask array-a wwpn 0",
		"mask array-a",
		"fault nobody hang",
		"fault array-a explode",
	};

	open_array();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!bench_command(&b, "%s", good[i]))
			CU_FAIL(good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (bench_command(&b, "%s", bad[i]))
			CU_FAIL(bad[i]);
	bench_close(&b);
}

static CU_TestInfo tests[] = {
	{"visible", test_visible}, {"plogi", test_plogi},
	{"offline", test_offline}, {"duplicate", test_duplicate},
	{"rules", test_rules},	   {"commands", test_commands},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"array", tests}, {}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FIP and the login server: discovery, FLOGI, FDISC, LOGO, duplicates, limits, keep-alives, links. */
#include <string.h>

#include "ut-fabric-bench.h"
#include "ut.h"

#define SECOND 1000000u

static struct bench b;

/* The next FIP frame of that kind; its contents in *v. */
static bool take_fip(unsigned kind, struct fip_view *v)
{
	while (bench_take(&b))
		if (b.view.type == ETHERTYPE_FIP && !fip_parse(b.view.payload, b.view.len, v) &&
		    v->kind == kind)
			return true;
	return false;
}

static void solicit(const struct node *n, uint16_t size)
{
	uint8_t desc[24] = {FIP_DESC_MAC, 2};

	memcpy(desc + 2, n->mac, MAC_LEN);
	desc[8] = FIP_DESC_NAME;
	desc[9] = 3;
	desc[20] = FIP_DESC_SIZE;
	desc[21] = 1;
	put_be16(desc + 22, size);
	bench_fip(&b, n, FIP_SOLICIT, desc, sizeof(desc));
}

static void test_advertisement_bytes(void)
{
	static const uint8_t expected[] = {
		0x02, 0,    0,	  0,	0,    1, /* to the ENode */
		0x02, 0xfc, 0,	  10,	0,    0, /* from the FCF of port 0 in VSAN 10 */
		0x81, 0,    0x60, 10,	0x89, 0x14, 0x10, 0,	0,    1, 0,    2,
		0,    12,   0x80, 0x07, /* advertisement: FPMA, available, solicited, F_Port */
		1,    1,    0,	  128, /* priority */
		2,    2,    0x02, 0xfc, 0,    10,   0,	  0, /* MAC */
		4,    3,    0,	  0,	0x10, 0,    0,	  0,	0,    0, 0x0a, 0, /* switch name */
		5,    4,    0,	  10,	0,    0x0e, 0xfc, 0,	0x10, 0, 0,    0,
		0,    0,    0x0a, 0, /* VSAN, FC-MAP, fabric name */
		12,   2,    0,	  0,	0,    0,    0x1f, 0x40, /* 8000 ms */
	};
	struct node n = bench_node(0, 10, 1, 1);

	bench_open(&b);
	solicit(&n, 2158);
	CU_ASSERT_TRUE_FATAL(bench_take(&b));
	UT_EQ(b.port, 0);
	UT_EQ(b.len, 18 + 2158); /* padded, so that the path's size is proved */
	UT_EQ(memcmp(b.eth, expected, sizeof(expected)), 0);
	CU_ASSERT_FALSE(bench_take(&b));
	bench_close(&b);
}

static void test_unsolicited(void)
{
	struct fip_view v;

	bench_open(&b);
	bench_wait(&b, 8 * SECOND);
	for (int i = 0; i < 4; i++) { /* two ports in two VSANs */
		CU_ASSERT_TRUE(take_fip(FIP_ADVERT, &v));
		UT_EQ(b.view.dst[0], 1);
		UT_EQ(v.flags & 2, 0);
		UT_EQ(b.len, 18 + 10 + 48);
	}
	CU_ASSERT_FALSE(bench_take(&b));
	bench_close(&b);
}

static void test_vlan_discovery(void)
{
	struct node n = bench_node(1, 0, 1, 1);
	uint8_t desc[8] = {FIP_DESC_MAC, 2, 2, 0, 0, 0, 0, 1};

	bench_open(&b);
	bench_fip(&b, &n, FIP_VLAN_REQUEST, desc, sizeof(desc));
	CU_ASSERT_TRUE_FATAL(bench_take(&b));
	UT_EQ(b.view.vlan, 0);
	UT_EQ(memcmp(b.view.dst, n.mac, MAC_LEN), 0);
	UT_EQ(get_be16(b.view.payload + 6), 4); /* words: MAC, two VLANs */
	UT_EQ(get_be16(b.view.payload + 20), 10);
	UT_EQ(get_be16(b.view.payload + 24), 20);
	bench_close(&b);
}

static void test_flogi(void)
{
	struct node n = bench_node(0, 10, 1, 1);
	struct fip_view v;

	bench_open(&b);
	UT_EQ(bench_login(&b, &n, false), 0x010100);
	UT_EQ(get_be24(b.fc.data + FC_S_ID), FCID_LOGIN);
	UT_EQ(get_be16(b.fc.data + FC_OX_ID), 0x1234);
	UT_EQ(get_be16(b.fc.data + FC_HEADER_LEN + LOGIN_FEATURES) & 0x3000, 0x3000);
	UT_EQ(get_be16(b.fc.data + FC_HEADER_LEN + LOGIN_BB_DATA), 2112);
	UT_EQ(get_be64(b.fc.data + FC_HEADER_LEN + LOGIN_WWNN), 0x1000000000000a00);
	UT_EQ(fip_parse(b.view.payload, b.view.len, &v), 0);
	UT_EQ(v.els_desc, FIP_DESC_FLOGI);
	UT_EQ(get_be24(v.mac), 0x0efc00);
	UT_EQ(get_be24(v.mac + 3), 0x010100);
	bench_close(&b);
}

static void test_small_mtu(void)
{
	struct node n = bench_node(0, 10, 1, 1);

	bench_open(&b);
	fabric_carrier(b.f, 0, true, 1500, b.now);
	bench_login(&b, &n, false);
	UT_EQ(get_be16(b.fc.data + FC_HEADER_LEN + LOGIN_BB_DATA), 1452);
	bench_close(&b);
}

static void test_fdisc(void)
{
	struct node n = bench_node(0, 10, 1, 1), v = bench_node(0, 10, 1, 2), nil = bench_node(0, 10, 1, 3);

	bench_open(&b);
	UT_EQ(bench_login(&b, &v, true), 0);
	UT_EQ(b.reason, LS_RJT_LOGICAL);
	UT_EQ(b.explanation, LS_EXPL_LOGIN_REQUIRED);
	bench_login(&b, &n, false);
	UT_EQ(bench_login(&b, &v, true), 0x010101);
	nil.wwpn = 0;
	UT_EQ(bench_login(&b, &nil, true), 0);
	UT_EQ(b.explanation, LS_EXPL_INVALID_PORT_NAME);
	CU_ASSERT_TRUE(bench_logo(&b, &v));
	CU_ASSERT_FALSE(bench_logo(&b, &v));
	bench_close(&b);
}

static void test_fdisc_again(void)
{
	struct node n = bench_node(0, 10, 1, 1), v = bench_node(0, 10, 1, 2);

	bench_open(&b);
	bench_login(&b, &n, false);
	UT_EQ(bench_login(&b, &v, true), 0x010101);
	UT_EQ(bench_login(&b, &v, true), 0x010102); /* an implicit logout of the first */
	CU_ASSERT_TRUE(bench_command(&b, "show log"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.text, "010101: implicit: FDISC again"));
	v.wwpn = n.wwpn;
	UT_EQ(bench_login(&b, &v, true), 0); /* the ENode's own name */
	UT_EQ(b.explanation, LS_EXPL_INVALID_PORT_NAME);
	bench_close(&b);
}

static void test_flogi_again(void)
{
	struct node n = bench_node(0, 10, 1, 1), v = bench_node(0, 10, 1, 2);

	bench_open(&b);
	bench_login(&b, &n, false);
	bench_login(&b, &v, true);
	UT_EQ(bench_login(&b, &n, false), 0x010102);
	CU_ASSERT_FALSE(bench_logo(&b, &v)); /* gone with its ENode */
	bench_close(&b);
}

static void test_persistent(void)
{
	struct node n = bench_node(0, 10, 1, 1), m = bench_node(1, 10, 2, 3), v = bench_node(0, 10, 1, 2);
	struct node w = bench_node(1, 10, 2, 2), x = bench_node(1, 10, 2, 4);
	uint32_t was;

	bench_open(&b);
	bench_login(&b, &n, false);
	bench_login(&b, &m, false);
	CU_ASSERT_FALSE(bench_command(&b, "policy fcid first"));
	CU_ASSERT_TRUE(bench_command(&b, "policy fcid persistent"));
	was = bench_login(&b, &v, true);
	CU_ASSERT_TRUE(bench_logo(&b, &v));
	CU_ASSERT_TRUE(bench_login(&b, &x, true) != was); /* it is nobody else's */
	UT_EQ(bench_login(&b, &w, true), was); /* at another port */
	CU_ASSERT_TRUE(bench_logo(&b, &w));
	CU_ASSERT_TRUE(bench_command(&b, "policy fcid turn"));
	CU_ASSERT_TRUE(bench_login(&b, &v, true) != was);
	bench_close(&b);
}

static void test_duplicate_first_wins(void)
{
	struct node n = bench_node(0, 10, 1, 1), m = bench_node(1, 10, 2, 3), v = bench_node(0, 10, 1, 2);
	struct node w = bench_node(1, 10, 2, 2), other = bench_node(1, 20, 2, 2);

	bench_open(&b);
	bench_login(&b, &n, false);
	bench_login(&b, &m, false);
	bench_login(&b, &v, true);
	UT_EQ(bench_login(&b, &w, true), 0);
	UT_EQ(b.reason, LS_RJT_LOGICAL);
	UT_EQ(b.explanation, LS_EXPL_INVALID_PORT_NAME);
	CU_ASSERT_TRUE(bench_login(&b, &other, false) != 0); /* another VSAN is another fabric */
	CU_ASSERT_TRUE(bench_logo(&b, &v));
	CU_ASSERT_TRUE(bench_login(&b, &w, true) != 0);
	bench_close(&b);
}

static void test_duplicate_second_wins(void)
{
	struct node n = bench_node(0, 10, 1, 1), m = bench_node(1, 10, 2, 3), v = bench_node(0, 10, 1, 2);
	struct node w = bench_node(1, 10, 2, 2);

	bench_open(&b);
	CU_ASSERT_TRUE(bench_command(&b, "policy dup second"));
	bench_login(&b, &n, false);
	bench_login(&b, &m, false);
	bench_login(&b, &v, true);
	CU_ASSERT_TRUE(bench_login(&b, &w, true) != 0);
	CU_ASSERT_FALSE(bench_logo(&b, &v));
	bench_close(&b);
}

static void test_second_wins_clears(void)
{
	struct node n = bench_node(0, 10, 1, 1), w = bench_node(1, 10, 2, 1);
	uint8_t desc[4 + FC_HEADER_LEN + LOGIN_LEN + 8] = {FIP_DESC_FLOGI,
							   (4 + FC_HEADER_LEN + LOGIN_LEN) / 4};
	struct fip_view v;

	bench_open(&b);
	bench_command(&b, "policy dup second");
	bench_login(&b, &n, false);
	desc[4] = RCTL_ELS_REQ;
	put_be24(desc + 5, FCID_LOGIN);
	desc[12] = FC_TYPE_ELS;
	desc[28] = ELS_FLOGI;
	put_be16(desc + 28 + LOGIN_BB_DATA, 2048);
	put_be64(desc + 28 + LOGIN_WWPN, w.wwpn);
	put_be64(desc + 28 + LOGIN_WWNN, w.wwnn);
	desc[28 + LOGIN_LEN] = FIP_DESC_MAC;
	desc[29 + LOGIN_LEN] = 2;
	bench_fip(&b, &w, FIP_LS_REQUEST, desc, sizeof(desc));
	CU_ASSERT_TRUE(take_fip(FIP_CLEAR_LINK, &v));
	UT_EQ(b.port, 0);
	UT_EQ(v.vn_wwpn, n.wwpn);
	UT_EQ(v.vn_id, n.id);
	UT_EQ(v.name, 0x1000000000000a00);
	CU_ASSERT_TRUE(take_fip(FIP_LS_REPLY, &v));
	bench_close(&b);
}

static void test_limit(void)
{
	struct node n = bench_node(0, 10, 1, 1), v = bench_node(0, 10, 1, 2), w = bench_node(0, 10, 1, 3);

	bench_open(&b);
	CU_ASSERT_TRUE(bench_command(&b, "limit port p0 logins 2"));
	bench_login(&b, &n, false);
	CU_ASSERT_TRUE(bench_login(&b, &v, true) != 0);
	UT_EQ(bench_login(&b, &w, true), 0);
	UT_EQ(b.reason, LS_RJT_UNABLE); /* with which lpfc says "fabric out of resources" */
	UT_EQ(b.explanation, LS_EXPL_RESOURCES);
	CU_ASSERT_TRUE(bench_logo(&b, &v));
	CU_ASSERT_TRUE(bench_login(&b, &w, true) != 0);
	CU_ASSERT_TRUE(bench_login(&b, &w, true) != 0); /* its own place is free when it comes again */
	bench_close(&b);
}

/* A login that the limit refuses takes nobody's place; one that takes a place on its own port needs no more.
 */
static void test_limit_second_wins(void)
{
	struct node n = bench_node(0, 10, 1, 1), m = bench_node(1, 10, 2, 3), v = bench_node(0, 10, 1, 2);
	struct node w = bench_node(1, 10, 2, 2), x = bench_node(0, 10, 4, 2);

	bench_open(&b);
	CU_ASSERT_TRUE(bench_command(&b, "policy dup second"));
	bench_login(&b, &n, false);
	bench_login(&b, &m, false);
	bench_login(&b, &v, true);
	CU_ASSERT_TRUE(bench_command(&b, "limit port p1 logins 1"));
	UT_EQ(bench_login(&b, &w, true), 0);
	UT_EQ(b.explanation, LS_EXPL_RESOURCES);
	CU_ASSERT_TRUE(bench_command(&b, "show logins"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.text, "wwpn 50:00:00:00:00:00:00:02"));
	CU_ASSERT_TRUE(bench_command(&b, "limit port p0 logins 2"));
	CU_ASSERT_TRUE(bench_login(&b, &x, false) != 0); /* another ENode of that port */
	CU_ASSERT_FALSE(bench_logo(&b, &v));
	bench_close(&b);
}

static void test_enode_expiry(void)
{
	struct node n = bench_node(0, 10, 1, 1), v = bench_node(0, 10, 1, 2);
	struct fip_view f;

	bench_open(&b);
	bench_login(&b, &n, false);
	bench_login(&b, &v, true);
	for (int i = 0; i < 5; i++) {
		bench_wait(&b, 8 * SECOND);
		bench_keep_alive(&b, &n, false);
	}
	bench_wait(&b, 19 * SECOND);
	CU_ASSERT_FALSE(take_fip(FIP_CLEAR_LINK, &f));
	bench_wait(&b, 6 * SECOND); /* looked at each half period */
	CU_ASSERT_TRUE(take_fip(FIP_CLEAR_LINK, &f));
	CU_ASSERT_FALSE(f.has_vn); /* all of the ENode */
	UT_EQ(memcmp(b.view.dst, n.mac, MAC_LEN), 0);
	CU_ASSERT_TRUE(bench_command(&b, "show logins"));
	UT_STREQ(b.text, "");
	bench_close(&b);
}

static void test_vn_port_expiry(void)
{
	struct node n = bench_node(0, 10, 1, 1), v = bench_node(0, 10, 1, 2);
	struct fip_view f;

	bench_open(&b);
	bench_login(&b, &n, false);
	bench_login(&b, &v, true);
	for (int i = 0; i < 40; i++) { /* 320 s; the NPIV port is silent all the time */
		bench_wait(&b, 8 * SECOND);
		bench_keep_alive(&b, &n, false);
		if (i % 10 == 0)
			bench_keep_alive(&b, &n, true);
	}
	CU_ASSERT_TRUE(take_fip(FIP_CLEAR_LINK, &f));
	UT_EQ(f.vn_wwpn, v.wwpn);
	CU_ASSERT_FALSE(take_fip(FIP_CLEAR_LINK, &f));
	CU_ASSERT_TRUE(bench_logo(&b, &n));
	bench_close(&b);
}

static void test_port_down(void)
{
	struct node n = bench_node(0, 10, 1, 1);
	struct fip_view f;

	bench_open(&b);
	bench_login(&b, &n, false);
	CU_ASSERT_TRUE(bench_command(&b, "port p0 down clear"));
	CU_ASSERT_TRUE(take_fip(FIP_CLEAR_LINK, &f));
	UT_EQ(bench_login(&b, &n, false), 0); /* nobody answers */
	UT_EQ(b.reason, 0);
	CU_ASSERT_TRUE(bench_command(&b, "port p0 up"));
	CU_ASSERT_TRUE(take_fip(FIP_ADVERT, &f));
	CU_ASSERT_TRUE(bench_login(&b, &n, false) != 0);
	fabric_carrier(b.f, 0, false, 0, b.now);
	CU_ASSERT_TRUE(bench_command(&b, "show logins"));
	UT_STREQ(b.text, "");
	bench_close(&b);
}

static void test_silent_servers(void)
{
	struct node n = bench_node(0, 10, 1, 1), m = bench_node(0, 20, 1, 1);

	bench_open(&b);
	CU_ASSERT_TRUE(bench_command(&b, "servers silent vsan 10"));
	UT_EQ(bench_login(&b, &n, false), 0);
	UT_EQ(b.reason, 0);
	CU_ASSERT_TRUE(bench_login(&b, &m, false) != 0);
	CU_ASSERT_TRUE(bench_command(&b, "servers up"));
	CU_ASSERT_TRUE(bench_login(&b, &n, false) != 0);
	bench_close(&b);
}

static void test_thousand(void)
{
	struct node n = bench_node(0, 10, 1, 1), v = bench_node(0, 10, 1, 2);

	bench_open(&b);
	bench_login(&b, &n, false);
	for (unsigned i = 0; i < 1000; i++) {
		v.wwpn = UINT64_C(0x5000000000010000) + i;
		if (!bench_login(&b, &v, true))
			break;
	}
	UT_EQ(v.id, 0x010100 + 1000);
	bench_close(&b);
}

static CU_TestInfo tests[] = {
	{"advertisement_bytes", test_advertisement_bytes},
	{"unsolicited", test_unsolicited},
	{"vlan_discovery", test_vlan_discovery},
	{"flogi", test_flogi},
	{"small_mtu", test_small_mtu},
	{"fdisc", test_fdisc},
	{"fdisc_again", test_fdisc_again},
	{"flogi_again", test_flogi_again},
	{"persistent", test_persistent},
	{"duplicate_first_wins", test_duplicate_first_wins},
	{"duplicate_second_wins", test_duplicate_second_wins},
	{"second_wins_clears", test_second_wins_clears},
	{"limit", test_limit},
	{"limit_second_wins", test_limit_second_wins},
	{"enode_expiry", test_enode_expiry},
	{"vn_port_expiry", test_vn_port_expiry},
	{"port_down", test_port_down},
	{"silent_servers", test_silent_servers},
	{"thousand", test_thousand},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"login", tests}, {}};

	return ut_main(argc, argv, suites);
}

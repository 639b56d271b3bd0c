/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Name server, zoning, forwarding, RSCN, rules, and the command language. */
#include <string.h>

#include "ut-fabric-bench.h"
#include "ut.h"

#define SECOND 1000000u

static struct bench b;
static struct node n, v, m; /* n and v: one ENode on p0, v by FDISC; m: on p1 */

static void open_three(void)
{
	bench_open(&b);
	n = bench_node(0, 10, 1, 1);
	v = bench_node(0, 10, 1, 2);
	m = bench_node(1, 10, 2, 3);
	bench_login(&b, &n, false);
	bench_login(&b, &v, true);
	bench_login(&b, &m, false);
	bench_register(&b, &n);
	bench_register(&b, &v);
	bench_register(&b, &m);
}

static void zone(const char *name, const struct node *member, const char *more)
{
	CU_ASSERT_TRUE(
		bench_command(&b, "zone 10 %s add %016llx %s", name, (unsigned long long)member->wwpn, more));
}

static const uint8_t fcp[4] = {0, 0, 0, 8};

static int gpn_ft(const struct node *from)
{
	return bench_ct(&b, from, 0x172, fcp, 4);
}

static int by_name(const struct node *from, uint64_t wwpn)
{
	uint8_t body[8];

	put_be64(body, wwpn);
	return bench_ct(&b, from, 0x121, body, 8);
}

static int by_id(const struct node *from, uint16_t command, uint32_t id)
{
	uint8_t body[4];

	put_be32(body, id);
	return bench_ct(&b, from, command, body, 4);
}

static void test_ns_unzoned(void)
{
	open_three();
	UT_EQ(gpn_ft(&v), -1);
	UT_EQ(b.reason, CT_RJT_UNABLE);
	UT_EQ(b.explanation, CT_EXPL_FC4_TYPES);
	UT_EQ(by_name(&v, m.wwpn), -1);
	UT_EQ(by_id(&v, 0x112, m.id), -1);
	UT_EQ(b.explanation, CT_EXPL_PORT_ID);
	bench_close(&b);
}

static void test_ns_zoned(void)
{
	open_three();
	zone("z", &v, "");
	zone("z", &m, "");
	UT_EQ(gpn_ft(&v), 16);
	UT_EQ(b.fc.data[FC_HEADER_LEN + CT_HEADER_LEN], 0x80);
	UT_EQ(get_be24(b.fc.data + FC_HEADER_LEN + CT_HEADER_LEN + 1), m.id);
	UT_EQ(get_be64(b.fc.data + FC_HEADER_LEN + CT_HEADER_LEN + 8), m.wwpn);
	UT_EQ(by_name(&v, m.wwpn), 4);
	UT_EQ(get_be24(b.fc.data + FC_HEADER_LEN + CT_HEADER_LEN + 1), m.id);
	UT_EQ(by_id(&v, 0x112, m.id), 8);
	UT_EQ(by_id(&v, 0x113, m.id), 8);
	UT_EQ(get_be64(b.fc.data + FC_HEADER_LEN + CT_HEADER_LEN), m.wwnn);
	UT_EQ(by_id(&v, 0x11f, m.id), 128);
	UT_EQ(bench_ct(&b, &v, 0x171, fcp, 4), 4);
	UT_EQ(bench_ct(&b, &v, 0x1a1, (const uint8_t[]){0x7f, 0, 0, 0}, 4), 4);
	UT_EQ(by_id(&v, 0x100, v.id), 620);
	UT_EQ(get_be24(b.fc.data + FC_HEADER_LEN + CT_HEADER_LEN + 1), m.id);
	UT_EQ(gpn_ft(&n), -1); /* not in the zone */
	UT_EQ(by_name(&n, m.wwpn), -1);
	bench_close(&b);
}

static void test_ns_same_f_port(void)
{
	open_three();
	UT_EQ(by_name(&n, v.wwpn), 4); /* the HBA verifies its NPIV port */
	UT_EQ(by_id(&n, 0x112, v.id), 8);
	UT_EQ(gpn_ft(&n), -1); /* but does not discover it */
	CU_ASSERT_TRUE(bench_logo(&b, &v));
	UT_EQ(by_name(&n, v.wwpn), -1);
	UT_EQ(b.explanation, CT_EXPL_PORT_NAME);
	bench_close(&b);
}

static uint64_t f_port_of(const struct node *from, uint32_t id)
{
	return by_id(from, 0x11c, id) == 8 ? get_be64(b.fc.data + FC_HEADER_LEN + CT_HEADER_LEN) : 0;
}

static void test_ns_f_port(void)
{
	uint64_t own;

	open_three();
	own = f_port_of(&n, n.id);
	CU_ASSERT_TRUE(own != 0);
	UT_EQ(f_port_of(&n, v.id), own); /* an HBA and its NPIV ports are at one */
	UT_EQ(f_port_of(&v, m.id), 0); /* not for these eyes */
	UT_EQ(b.explanation, CT_EXPL_PORT_ID);
	zone("z", &v, "");
	zone("z", &m, "");
	CU_ASSERT_TRUE(f_port_of(&v, m.id) != 0);
	CU_ASSERT_TRUE(f_port_of(&v, m.id) != own);
	UT_EQ(f_port_of(&v, m.id), f_port_of(&m, m.id));
	UT_EQ(by_id(&v, 0x11c, 0x7f0000), -1);
	UT_EQ(bench_ct(&b, &v, 0x11c, fcp, 3), -1);
	UT_EQ(b.reason, CT_RJT_IU_SIZE);
	bench_close(&b);
}

static void test_ns_default_permit(void)
{
	open_three();
	CU_ASSERT_TRUE(bench_command(&b, "vsan 10 default permit"));
	UT_EQ(gpn_ft(&n), 32);
	zone("z", &m, "");
	UT_EQ(gpn_ft(&n), 16); /* what is in a zone is not in the default zone */
	bench_close(&b);
}

static void test_ns_registrations(void)
{
	uint8_t rnn[12] = {}, rsnn[13] = {}, da[4] = {};

	open_three();
	put_be24(rnn + 1, v.id);
	put_be64(rnn + 4, 0x2000aabbccddeeff);
	UT_EQ(bench_ct(&b, &v, 0x213, rnn, 12), 0);
	UT_EQ(bench_ct(&b, &n, 0x213, rnn, 12), -1); /* another's */
	UT_EQ(by_id(&n, 0x113, v.id), 8);
	UT_EQ(get_be64(b.fc.data + FC_HEADER_LEN + CT_HEADER_LEN), 0x2000aabbccddeeff);
	put_be64(rsnn, 0x2000aabbccddeeff);
	rsnn[8] = 4;
	memcpy(rsnn + 9, "host", 4);
	UT_EQ(bench_ct(&b, &v, 0x239, rsnn, 13), 0);
	rsnn[8] = 5; /* longer than what came */
	UT_EQ(bench_ct(&b, &v, 0x239, rsnn, 13), -1);
	UT_EQ(b.reason, CT_RJT_IU_SIZE);
	put_be24(da + 1, v.id);
	UT_EQ(bench_ct(&b, &v, 0x300, da, 4), 0);
	UT_EQ(bench_ct(&b, &v, 0x172, fcp, 3), -1); /* short */
	UT_EQ(bench_ct(&b, &v, 0x7777, fcp, 4), -1);
	UT_EQ(b.reason, CT_RJT_UNSUPPORTED);
	bench_close(&b);
}

static void test_ns_many_frames(void)
{
	struct node w = bench_node(0, 10, 1, 0);
	unsigned entries = 0, frames = 0;

	open_three();
	bench_command(&b, "vsan 10 default permit");
	for (unsigned i = 0; i < 300; i++) {
		w.wwpn = UINT64_C(0x5000000000010000) + i;
		bench_login(&b, &w, true);
		bench_register(&b, &w);
	}
	entries = (unsigned)gpn_ft(&m) / 16;
	UT_EQ(get_be24(b.fc.data + FC_F_CTL) & FCTL_END_SEQ, 0);
	UT_EQ(frame_payload_len(&b.fc), 2048);
	while (bench_take_fc(&b)) {
		UT_EQ(get_be16(b.fc.data + FC_SEQ_CNT), ++frames);
		entries += (unsigned)frame_payload_len(&b.fc) / 16;
	}
	UT_EQ(frames, 2);
	UT_EQ(entries, 302);
	UT_EQ(get_be24(b.fc.data + FC_F_CTL) & FCTL_END_SEQ, FCTL_END_SEQ);
	UT_EQ(b.fc.data[b.fc.len - 16], 0x80);
	bench_close(&b);
}

static const uint8_t plogi[LOGIN_LEN] = {ELS_PLOGI};

static void send_plogi(const struct node *from, uint32_t to)
{
	bench_send(&b, from, to, RCTL_ELS_REQ, FC_TYPE_ELS, plogi, sizeof(plogi));
}

static void test_forward(void)
{
	struct node spoof;

	open_three();
	send_plogi(&v, m.id);
	CU_ASSERT_FALSE(bench_take_fc(&b)); /* not zoned */
	zone("z", &v, "");
	zone("z", &m, "");
	bench_drain(&b);
	send_plogi(&v, m.id);
	CU_ASSERT_TRUE_FATAL(bench_take_fc(&b));
	UT_EQ(b.port, 1);
	UT_EQ(b.view.vlan, 10);
	UT_EQ(get_be24(b.view.dst + 3), m.id);
	UT_EQ(get_be24(b.fc.data + FC_S_ID), v.id);
	spoof = v;
	spoof.port = 1; /* the address of another port's login */
	send_plogi(&spoof, m.id);
	CU_ASSERT_FALSE(bench_take_fc(&b));
	bench_logo(&b, &m);
	bench_drain(&b);
	send_plogi(&v, m.id);
	CU_ASSERT_FALSE(bench_take_fc(&b)); /* class 3: gone */
	bench_close(&b);
}

static void test_bad_crc(void)
{
	uint8_t eth[ETHER_FRAME_MAX], dst[MAC_LEN] = {2, 0xfc, 0, 10, 0, 0}, src[MAC_LEN];
	struct frame *fr = frame_new(10, LOGIN_LEN);
	size_t len;

	open_three();
	fr->data[FC_R_CTL] = RCTL_ELS_REQ;
	fr->data[FC_TYPE] = FC_TYPE_ELS;
	put_be24(fr->data + FC_D_ID, FCID_DIRECTORY);
	put_be24(fr->data + FC_S_ID, v.id);
	frame_payload(fr)[0] = ELS_PLOGI;
	fpma(src, v.id);
	len = fcoe_encap(eth, dst, src, 10, fr);
	eth[60] ^= 1;
	fabric_input(b.f, 0, eth, len, b.now);
	CU_ASSERT_FALSE(bench_take_fc(&b));
	eth[60] ^= 1;
	fabric_input(b.f, 0, eth, len, b.now);
	CU_ASSERT_TRUE(bench_take_fc(&b));
	UT_EQ(b.fc.data[FC_HEADER_LEN], ELS_LS_ACC);
	frame_free(fr);
	bench_close(&b);
}

static void test_fill_bytes(void)
{
	static const uint8_t payload[5] = {1, 2, 3, 4, 5};

	open_three();
	zone("z", &v, "");
	zone("z", &m, "");
	bench_drain(&b);
	bench_send(&b, &v, m.id, RCTL_SOL_DATA, FC_TYPE_FCP, payload, 5);
	CU_ASSERT_TRUE_FATAL(bench_take_fc(&b));
	UT_EQ(b.view.len, 14 + 24 + 8 + 8);
	UT_EQ(frame_payload_len(&b.fc), 5);
	bench_close(&b);
}

static void test_server_els(void)
{
	static const uint8_t els[][2] = {{ELS_LOGO, ELS_LS_ACC}, {ELS_PRLO, ELS_LS_ACC},
					 {ELS_RTV, ELS_LS_ACC},	 {ELS_ADISC, ELS_LS_ACC},
					 {ELS_ECHO, ELS_LS_ACC}, {ELS_PRLI, ELS_LS_RJT}};
	uint8_t payload[28];

	open_three();
	for (size_t i = 0; i < sizeof(els) / sizeof(els[0]); i++) {
		memset(payload, 0, sizeof(payload));
		payload[0] = els[i][0];
		bench_send(&b, &v, FCID_DIRECTORY, RCTL_ELS_REQ, FC_TYPE_ELS, payload, sizeof(payload));
		CU_ASSERT_TRUE_FATAL(bench_take_fc(&b));
		UT_EQ(b.fc.data[FC_HEADER_LEN], els[i][1]);
	}
	bench_send(&b, &v, FCID_DIRECTORY, RCTL_BA_ABTS, FC_TYPE_BLS, payload, 0);
	CU_ASSERT_TRUE_FATAL(bench_take_fc(&b));
	UT_EQ(b.fc.data[FC_R_CTL], RCTL_BA_ACC);
	bench_close(&b);
}

/* The next RSCN; its N_Port_ID, 0: none. */
static uint32_t take_rscn(const struct node *to)
{
	while (bench_take_fc(&b))
		if (b.fc.data[FC_HEADER_LEN] == ELS_RSCN && get_be24(b.fc.data + FC_D_ID) == to->id)
			return get_be24(b.fc.data + FC_HEADER_LEN + 5);
	return 0;
}

static void end_of(const struct node *who)
{
	fabric_carrier(b.f, who->port, false, 0, b.now);
}

static void test_rscn_logout(void)
{
	open_three();
	zone("z", &v, "");
	zone("z", &m, "");
	zone("y", &v, "");
	zone("y", &m, ""); /* in two zones: still one RSCN */
	bench_drain(&b);
	end_of(&m);
	UT_EQ(take_rscn(&v), m.id);
	UT_EQ(take_rscn(&v), 0);
	bench_close(&b);
}

static void test_rscn_login(void)
{
	struct node w = bench_node(1, 20, 2, 9), x = bench_node(0, 20, 1, 8);
	uint8_t desc[8] = {FIP_DESC_MAC, 2};

	open_three();
	bench_login(&b, &x, false);
	bench_register(&b, &x);
	bench_command(&b, "zone 20 z add %016llx", (unsigned long long)w.wwpn);
	bench_command(&b, "zone 20 z add %016llx", (unsigned long long)x.wwpn);
	bench_drain(&b);
	bench_login(&b, &w, false);
	bench_fip(&b, &w, FIP_KEEP_ALIVE, desc, sizeof(desc));
	CU_ASSERT_TRUE(bench_command(&b, "show log"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.text, "rscn vsan 20 50:00:00:00:00:00:00:08"));
	bench_close(&b);
}

static void test_rscn_zoning(void)
{
	open_three();
	zone("z", &v, "");
	bench_drain(&b);
	zone("z", &m, "");
	UT_EQ(take_rscn(&v), m.id);
	bench_drain(&b);
	CU_ASSERT_TRUE(bench_command(&b, "zone 10 z remove %016llx", (unsigned long long)m.wwpn));
	UT_EQ(take_rscn(&v), m.id);
	UT_EQ(gpn_ft(&v), -1);
	bench_close(&b);
}

static void test_rscn_lost(void)
{
	open_three();
	zone("z", &v, "");
	zone("z", &m, "");
	bench_drain(&b);
	CU_ASSERT_TRUE(bench_command(&b, "rscn lose 1"));
	end_of(&m);
	UT_EQ(take_rscn(&v), 0);
	CU_ASSERT_TRUE(bench_command(&b, "show log"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.text, "rscn-lost"));
	bench_close(&b);
}

static void test_peer_zone(void)
{
	open_three();
	zone("z", &m, "principal");
	zone("z", &n, "");
	zone("z", &v, "");
	UT_EQ(gpn_ft(&n), 16); /* the principal, not the other member */
	UT_EQ(gpn_ft(&m), 32);
	bench_close(&b);
}

static void test_zone_delete(void)
{
	open_three();
	zone("z", &m, "");
	zone("z", &v, "");
	CU_ASSERT_TRUE(bench_command(&b, "zone 10 z delete"));
	UT_EQ(gpn_ft(&v), -1);
	CU_ASSERT_FALSE(bench_command(&b, "zone 10 z delete"));
	CU_ASSERT_TRUE(bench_command(&b, "show zones"));
	UT_STREQ(b.text, "");
	bench_close(&b);
}

static void test_rule_drop_count(void)
{
	open_three();
	CU_ASSERT_TRUE(bench_command(&b, "rule add src p0 dst fffffc kind els op plogi drop count 1"));
	UT_STREQ(b.text, "1\n");
	send_plogi(&m, FCID_DIRECTORY);
	CU_ASSERT_TRUE(bench_take_fc(&b)); /* another port's */
	send_plogi(&v, FCID_DIRECTORY);
	CU_ASSERT_FALSE(bench_take_fc(&b));
	send_plogi(&v, FCID_DIRECTORY);
	CU_ASSERT_TRUE(bench_take_fc(&b)); /* once only */
	CU_ASSERT_TRUE(bench_command(&b, "rule list"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.text, "0 left, 1 hits"));
	CU_ASSERT_TRUE(bench_command(&b, "rule del 1"));
	CU_ASSERT_FALSE(bench_command(&b, "rule del 1"));
	bench_close(&b);
}

static void test_rule_reject(void)
{
	open_three();
	CU_ASSERT_TRUE(bench_command(&b, "rule add kind ct op gpn-ft src %016llx reject 05 00",
				     (unsigned long long)v.wwpn));
	UT_EQ(gpn_ft(&v), -1);
	UT_EQ(b.reason, 5);
	zone("z", &v, "");
	zone("z", &m, "");
	bench_drain(&b);
	CU_ASSERT_TRUE(bench_command(&b, "rule add kind els reject 03 29"));
	send_plogi(&m, v.id);
	CU_ASSERT_TRUE_FATAL(bench_take_fc(&b));
	UT_EQ(b.fc.data[FC_HEADER_LEN], ELS_LS_RJT);
	UT_EQ(b.fc.data[FC_HEADER_LEN + 5], 3);
	UT_EQ(b.fc.data[FC_HEADER_LEN + 6], 0x29);
	bench_close(&b);
}

static void test_rule_reject_fdisc(void)
{
	struct node w = bench_node(0, 10, 1, 9);

	open_three();
	CU_ASSERT_TRUE(bench_command(&b, "rule add src p0 kind els op fdisc reject 09 00 count 1"));
	UT_EQ(bench_login(&b, &w, true), 0);
	UT_EQ(b.reason, 9);
	CU_ASSERT_TRUE(bench_login(&b, &w, true) != 0);
	bench_close(&b);
}

static void test_rule_delay(void)
{
	open_three();
	CU_ASSERT_TRUE(bench_command(&b, "rule add dst fffffc delay 500"));
	send_plogi(&v, FCID_DIRECTORY);
	bench_wait(&b, 499000);
	CU_ASSERT_FALSE(bench_take_fc(&b));
	bench_wait(&b, 1000);
	CU_ASSERT_TRUE(bench_take_fc(&b));
	UT_EQ(b.fc.data[FC_HEADER_LEN], ELS_LS_ACC);
	bench_close(&b);
}

/* What is late is bound by zoning too, also when its sender has gone. */
static void test_rule_delay_zoned(void)
{
	open_three();
	CU_ASSERT_TRUE(bench_command(&b, "rule add kind els op plogi delay 500"));
	send_plogi(&v, m.id);
	bench_logo(&b, &v);
	bench_wait(&b, SECOND);
	CU_ASSERT_FALSE(bench_take_fc(&b));
	bench_login(&b, &v, true);
	zone("z", &v, "");
	zone("z", &m, "");
	bench_drain(&b);
	send_plogi(&v, m.id);
	bench_logo(&b, &v);
	bench_wait(&b, SECOND);
	CU_ASSERT_TRUE_FATAL(bench_take_fc(&b));
	while (b.fc.data[FC_HEADER_LEN] == ELS_RSCN)
		CU_ASSERT_TRUE_FATAL(bench_take_fc(&b));
	UT_EQ(b.fc.data[FC_HEADER_LEN], ELS_PLOGI);
	bench_close(&b);
}

/* The fabric's answers by FIP are frames like others. */
static void test_rule_fip_answer(void)
{
	struct node w = bench_node(0, 10, 1, 9);

	open_three();
	CU_ASSERT_TRUE(bench_command(&b, "rule add src fffffe dst p0 kind els op acc drop count 1"));
	UT_EQ(bench_login(&b, &w, true), 0);
	UT_EQ(b.reason, 0); /* not rejected, but lost */
	CU_ASSERT_TRUE(bench_login(&b, &w, true) != 0);
	CU_ASSERT_TRUE(bench_command(&b, "rule add src fffffe kind els op acc delay 300 count 1"));
	CU_ASSERT_FALSE(bench_logo(&b, &w));
	bench_wait(&b, SECOND);
	CU_ASSERT_TRUE(bench_take(&b));
	bench_close(&b);
}

static void test_rule_fip(void)
{
	struct fip_view f;

	open_three();
	CU_ASSERT_TRUE(bench_command(&b, "rule add dst p0 kind fip op advertisement drop"));
	bench_wait(&b, 8 * SECOND);
	while (bench_take(&b))
		if (!fip_parse(b.view.payload, b.view.len, &f) && f.kind == FIP_ADVERT)
			UT_EQ(b.port, 1);
	CU_ASSERT_TRUE(bench_command(&b, "rule list"));
	CU_ASSERT_PTR_NOT_NULL(strstr(b.text, "2 hits"));
	bench_close(&b);
}

static const char *const understood[] = {
	"",
	"  # only a comment",
	"help",
	"show ports --json",
	"vsan 30 name \"SAN C\" vlan 31 domain 9",
	"timer fka 1000",
	"rule list",
	"show log 5",
	"port u unix /tmp/x vsans 10 native 20",
};
static const char *const refused[] = {
	"frobnicate",
	"vsan",
	"vsan 0",
	"vsan 4095",
	"vsan ten",
	"vsan 10 name",
	"vsan 10 colour red",
	"vsan 10 fabric-wwn 0000000000000000",
	"vsan 10 fabric-wwn 12",
	"vsan 40 vlan 10",
	"vsan 31", /* whose VLAN is VSAN 30's */
	"vsan 10 default maybe",
	"port p9 if eth0",
	"port p9 if eth0 unix /x vsans 10",
	"port p9 if eth0 vsans 11",
	"port p0 if eth0 vsans 10",
	"port nobody down",
	"port p0 down now",
	"port p0 up",
	"limit port p0 logins x",
	"limit port none logins 1",
	"zone 10 z add nonsense",
	"zone 10 z remove 5000000000000001",
	"zone 11 z add 5000000000000001",
	"zone 10 z add 5000000000000001 boss",
	"policy dup third",
	"timer fka 1",
	"timer tea 5",
	"rule add",
	"rule add drop drop",
	"rule add kind nothing drop",
	"rule add op flogi drop",
	"rule add kind fcp reject 1 1",
	"rule add kind els op zzz drop",
	"rule add kind els reject 1",
	"rule add delay soon",
	"rule add drop count 0",
	"rule del x",
	"rule sing",
	"servers loud",
	"servers silent vsan 99",
	"rscn lose",
	"rscn lose many",
	"show",
	"show nothing",
	"show log 0",
	"vsan 10 name \"open",
};

static void test_grammar(void)
{
	bench_open(&b);
	for (size_t i = 0; i < sizeof(understood) / sizeof(understood[0]); i++)
		if (!bench_command(&b, "%s", understood[i]))
			CU_FAIL_FATAL(understood[i]);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (bench_command(&b, "%s", refused[i]))
			CU_FAIL_FATAL(refused[i]);
		CU_ASSERT_TRUE(strlen(b.text) > 8); /* says why */
	}
	CU_ASSERT_TRUE(bench_command(&b, "show vsans"));
	CU_ASSERT_PTR_NULL(strstr(b.text, "vsan 40")); /* a refused one leaves nothing behind */
	bench_close(&b);
}

static CU_TestInfo tests[] = {
	{"ns_unzoned", test_ns_unzoned},
	{"ns_zoned", test_ns_zoned},
	{"ns_same_f_port", test_ns_same_f_port},
	{"ns_default_permit", test_ns_default_permit},
	{"ns_registrations", test_ns_registrations},
	{"ns_f_port", test_ns_f_port},
	{"ns_many_frames", test_ns_many_frames},
	{"forward", test_forward},
	{"bad_crc", test_bad_crc},
	{"fill_bytes", test_fill_bytes},
	{"server_els", test_server_els},
	{"rscn_logout", test_rscn_logout},
	{"rscn_login", test_rscn_login},
	{"rscn_zoning", test_rscn_zoning},
	{"rscn_lost", test_rscn_lost},
	{"peer_zone", test_peer_zone},
	{"zone_delete", test_zone_delete},
	{"rule_drop_count", test_rule_drop_count},
	{"rule_reject", test_rule_reject},
	{"rule_reject_fdisc", test_rule_reject_fdisc},
	{"rule_delay", test_rule_delay},
	{"rule_delay_zoned", test_rule_delay_zoned},
	{"rule_fip", test_rule_fip},
	{"rule_fip_answer", test_rule_fip_answer},
	{"grammar", test_grammar},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"forward", tests}, {}};

	return ut_main(argc, argv, suites);
}

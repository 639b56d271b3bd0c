/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the names of a VM that is to come are live: what is refused, and who is asked. */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "inventory.h"
#include "ticket.h"
#include "ut-privq.h"
#include "ut-tree.h"
#include "ut.h"
#include "whereis.h"

#define NAME 0x502ab30000000010
#define OTHER 0x502ab30000000011
#define FABRIC 0x1000000000000064 /* as tree_parent has it */
#define HERE 0x010203
#define THERE 0x010305

/* ---- the decision ---- */

#define SEES(vsan_, id)                                                                                      \
	{                                                                                                    \
		.vsan = (vsan_), .answer = CT_PRESENT, .port_id = (id)                                       \
	}
#define SEES_NOT(vsan_)                                                                                      \
	{                                                                                                    \
		.vsan = (vsan_), .answer = CT_ABSENT                                                         \
	}
#define UNASKED(vsan_)                                                                                       \
	{                                                                                                    \
		.vsan = (vsan_), .answer = CT_NO_PROOF, .why = "no answer"                                   \
	}
#define OF .vhba = 1, .wwpn = NAME, .vsan = 10

static void test_good(void)
{
	static const struct {
		struct whereis w;
		enum whereis_seen seen;
		uint32_t port_id;
		const char *text;
	} cases[] = {
		{{OF, .told = true, .port_id = HERE, .n = 2, .sight = {SEES(10, HERE), SEES_NOT(20)}},
		 WHEREIS_SOURCE,
		 HERE,
		 "vhba 1: 50:2a:b3:00:00:00:00:10 is logged in as 010203, as the source has it"},
		{{OF, .n = 3, .sight = {SEES_NOT(10), SEES(10, HERE), UNASKED(20)}},
		 WHEREIS_SEEN,
		 HERE,
		 "vhba 1: 50:2a:b3:00:00:00:00:10 is logged in as 010203; that this is the source is "
		 "unproved: "
		 "nothing here says where the source has it"},
		{{OF, .told = true, .port_id = HERE, .n = 2, .sight = {SEES_NOT(10), UNASKED(10)}},
		 WHEREIS_HIDDEN,
		 0,
		 "vhba 1: where 50:2a:b3:00:00:00:00:10 is live is unproved: this host's own ports are not "
		 "shown "
		 "it, as without a zone with them"},
		{{OF, .told = true, .n = 2, .sight = {SEES_NOT(10), SEES_NOT(20)}},
		 WHEREIS_NOWHERE,
		 0,
		 "vhba 1: 50:2a:b3:00:00:00:00:10 is logged in nowhere, as far as this host's own ports are "
		 "shown it"},
		{{OF, .n = 2, .sight = {UNASKED(10), SEES_NOT(20)}},
		 WHEREIS_UNKNOWN,
		 0,
		 "vhba 1: where 50:2a:b3:00:00:00:00:10 is live is unproved: no answer"},
		{{OF, .n = 1, .sight = {SEES_NOT(20)}},
		 WHEREIS_UNKNOWN,
		 0,
		 "vhba 1: where 50:2a:b3:00:00:00:00:10 is live is unproved: this host has no port Online in "
		 "its VSAN"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[WHEREIS_TEXT];
		uint32_t id;

		CU_ASSERT_TRUE(whereis_judge(&cases[i].w, NULL));
		UT_EQ(whereis_seen(&cases[i].w, &id), cases[i].seen);
		UT_EQ(id, cases[i].port_id);
		UT_STREQ(whereis_text(&cases[i].w, text, sizeof(text)), cases[i].text);
	}
}

static void test_refused(void)
{
	static const struct {
		struct whereis w;
		const char *expected, *seen;
	} cases[] = {
		/* Where the source has it, and in another VSAN. */
		{{OF, .told = true, .port_id = HERE, .n = 2, .sight = {SEES(10, HERE), SEES(20, HERE)}},
		 "it in VSAN 10 alone",
		 "it is logged in in VSAN 20, as 010203"},
		{{OF, .n = 2, .sight = {SEES_NOT(10), SEES(20, THERE)}},
		 "it in VSAN 10 alone",
		 "it is logged in in VSAN 20, as 010305"},
		/* The same fabric's switches differ. */
		{{OF, .told = true, .port_id = HERE, .n = 2, .sight = {SEES(10, HERE), SEES(10, THERE)}},
		 "one N_Port_ID",
		 "010203 and 010305"},
		{{OF, .n = 3, .sight = {SEES_NOT(10), SEES(10, HERE), SEES(10, THERE)}},
		 "one N_Port_ID",
		 "010203 and 010305"},
		/* Elsewhere than the source says. */
		{{OF, .told = true, .port_id = HERE, .n = 1, .sight = {SEES(10, THERE)}},
		 "010203, as the source has it",
		 "it is logged in as 010305"},
		/* Not live at the source, nor to be live before it logs in here. */
		{{OF, .told = true, .n = 1, .sight = {SEES(10, HERE)}},
		 "it to be logged in nowhere",
		 "it is logged in as 010203"},
		{{OF, .alternate = true, .n = 2, .sight = {SEES_NOT(10), SEES(20, HERE)}},
		 "it to be logged in nowhere",
		 "it is logged in as 010203"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verror e = {0};

		CU_ASSERT_FALSE(whereis_judge(&cases[i].w, &e));
		UT_EQ(e.kind, VHBA_E_CONSTRAINT);
		UT_STREQ(e.what, cases[i].w.alternate
					 ? "vhba 1: its alternate name 50:2a:b3:00:00:00:00:10 is "
					   "live elsewhere than on the source"
					 : "vhba 1: 50:2a:b3:00:00:00:00:10 is live elsewhere "
					   "than on the source");
		UT_STREQ(e.expected, cases[i].expected);
		UT_STREQ(e.seen, cases[i].seen);
		CU_ASSERT_TRUE(e.fix[0] != '\0' && strlen(e.fix) < sizeof(e.fix) - 1);
	}
}

/* ---- who is asked ---- */

static struct config_vsan vsans[] = {{.number = 10, .fabric_name = FABRIC},
				     {.number = 20, .fabric_name = FABRIC + 100}};
static struct config cfg = {.vsans_n = 2, .vsans = vsans};
static struct daemon d;
static struct reg_vhba vhbas[2];
static struct reg_vm vm = {.name = "db1", .vhbas_n = 1, .vhbas = vhbas};
static struct whereis_all got;
static unsigned told;

static void add_parent(int host, uint64_t fabric)
{
	char nic[16], wwpn[24];

	snprintf(nic, sizeof(nic), "eth%d", host);
	snprintf(wwpn, sizeof(wwpn), "0x20000200000a%04x", (unsigned)host);
	tree_parent(host, nic, wwpn);
	snprintf(wwpn, sizeof(wwpn), "0x%016llx", (unsigned long long)fabric);
	tree_put(wwpn, "/sys/class/fc_host/host%d/fabric_name", host);
}

/* host2 and host3 in VSAN 10, host4 in 20, host5 in none that is configured; a vport beside them. */
static int begin(void)
{
	d = (struct daemon){.cfg = &cfg};
	ut_privq_up(&d);
	tree_new();
	add_parent(2, FABRIC);
	add_parent(3, FABRIC);
	add_parent(4, FABRIC + 100);
	add_parent(5, FABRIC + 200);
	tree_vport(2, 3, 9, "0x502ab30000000077");
	vhbas[0] = (struct reg_vhba){.index = 0, .vsan = 10, .wwpn = NAME};
	vm.vhbas_n = 1;
	told = 0;
	fc_inventory_init(&d.inv, NULL, NULL);
	return fc_inventory_scan(&d.inv);
}

static int end(void)
{
	fc_inventory_clear(&d.inv);
	ut_privq_down(&d);
	return 0;
}

static void on_done(void *user, const struct whereis_all *all)
{
	(void)user;
	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	got = *all;
	told++;
}

/* The next question is of that host and name. */
static void asked(int host, wwn_t wwpn, enum ct_answer answer, uint32_t port_id)
{
	struct priv_request q = {0};

	CU_ASSERT_TRUE_FATAL(ut_privq_next(&q));
	UT_EQ(q.verb, PRIV_CT_GID_PN);
	UT_EQ(q.host, host);
	UT_EQ(q.wwpn, wwpn);
	ut_privq_reply(&d, &q, (struct priv_reply){.value = answer, .port_id = port_id});
}

static void no_more(void)
{
	struct priv_request q;

	ut_privq_run(&d, 0);
	CU_ASSERT_FALSE(ut_privq_next(&q));
}

static struct json_object *ticket_of(const char *port_id)
{
	struct json_object *t = json_object_new_object(), *list = json_object_new_array(),
			   *o = json_object_new_object();

	json_object_object_add(o, "index", json_object_new_int(0));
	if (port_id)
		json_object_object_add(o, "port_id", json_object_new_string(port_id));
	json_object_array_add(list, o);
	json_object_object_add(t, "vhbas", list);
	return t;
}

static void start(const char *port_id)
{
	struct json_object *t = ticket_of(port_id);

	whereis_ask(&d, &vm, t, on_done, NULL);
	json_object_put(t);
}

static void test_asked(void)
{
	vhbas[0].alternate = OTHER;
	start("010203");
	asked(2, NAME, CT_PRESENT, HERE);
	asked(3, NAME, CT_PRESENT, HERE);
	asked(4, NAME, CT_ABSENT, 0);
	asked(2, OTHER, CT_ABSENT, 0);
	asked(3, OTHER, CT_ABSENT, 0);
	UT_EQ(told, 0);
	asked(4, OTHER, CT_ABSENT, 0);
	UT_EQ(told, 1);
	UT_EQ(got.n, 2);
	CU_ASSERT_TRUE(got.name[0].told && got.name[0].port_id == HERE && !got.name[0].alternate);
	CU_ASSERT_TRUE(got.name[1].alternate);
	CU_ASSERT_TRUE(whereis_judge(&got.name[0], NULL) && whereis_judge(&got.name[1], NULL));
	no_more();
}

/* It has logged in anew between two answers: what speaks against it is asked for once more. */
static void test_anew(void)
{
	start(NULL);
	asked(2, NAME, CT_PRESENT, HERE);
	asked(3, NAME, CT_PRESENT, THERE);
	asked(4, NAME, CT_ABSENT, 0);
	UT_EQ(told, 0);
	asked(2, NAME, CT_PRESENT, THERE);
	asked(3, NAME, CT_PRESENT, THERE);
	asked(4, NAME, CT_ABSENT, 0);
	UT_EQ(told, 1);
	CU_ASSERT_TRUE(whereis_judge(&got.name[0], NULL));
	no_more();
}

/* And once only. */
static void test_twice(void)
{
	struct verror e;

	start(NULL);
	for (unsigned i = 0; i < 2; i++) {
		UT_EQ(told, 0);
		asked(2, NAME, CT_PRESENT, HERE);
		asked(3, NAME, CT_PRESENT, THERE);
		asked(4, NAME, CT_ABSENT, 0);
	}
	UT_EQ(told, 1);
	CU_ASSERT_FALSE(whereis_judge(&got.name[0], &e));
	UT_STREQ(e.seen, "010203 and 010305");
	no_more();
}

/* A dead fabric is not asked; nobody waits for an answer that can't come. */
static void test_dead(void)
{
	char text[WHEREIS_TEXT];

	tree_put("Linkdown", "/sys/class/fc_host/host2/port_state");
	tree_put("Linkdown", "/sys/class/fc_host/host4/port_state");
	start("000000");
	asked(3, NAME, CT_NO_PROOF, 0);
	UT_EQ(told, 1);
	CU_ASSERT_TRUE(whereis_judge(&got.name[0], NULL));
	UT_STREQ(whereis_text(&got.name[0], text, sizeof(text)),
		 "vhba 0: where 50:2a:b3:00:00:00:00:10 is live is unproved: the name server's answer proves "
		 "nothing (reason 0000)");
	fc_inventory_scan(&d.inv);
	tree_put("Linkdown", "/sys/class/fc_host/host3/port_state");
	fc_inventory_scan(&d.inv);
	start("000000");
	UT_EQ(told, 2);
	UT_STREQ(whereis_text(&got.name[0], text, sizeof(text)),
		 "vhba 0: where 50:2a:b3:00:00:00:00:10 is live is unproved: this host has no port Online in "
		 "its "
		 "VSAN");
}

/* ---- the ticket's word ---- */

static void test_ticket(void)
{
	static const char *const bad[] = {"", "10203", "0102030", "01020g", " 10203", "+10203", "0x1020"};
	struct json_object *t = ticket_of("010203"), *list = json_object_new_array();
	uint32_t id = 0;

	CU_ASSERT_TRUE(ticket_port_id(t, 0, &id) && id == HERE);
	CU_ASSERT_FALSE(ticket_port_id(t, 1, &id));
	ticket_set_port_id(t, 0, 0);
	CU_ASSERT_TRUE(ticket_port_id(t, 0, &id) && !id);
	ticket_set_port_id(t, 0, THERE);
	CU_ASSERT_TRUE(ticket_port_id(t, 0, &id) && id == THERE);
	json_object_put(t);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		t = ticket_of(bad[i]);
		CU_ASSERT_FALSE(ticket_port_id(t, 0, &id));
		json_object_put(t);
	}
	t = ticket_of(NULL);
	CU_ASSERT_FALSE(ticket_port_id(t, 0, &id));
	/* Anything at all may be in it. */
	json_object_array_add(list, json_object_new_string("x"));
	json_object_array_add(list, NULL);
	json_object_object_add(t, "vhbas", list);
	CU_ASSERT_FALSE(ticket_port_id(t, 0, &id));
	json_object_object_add(t, "vhbas", json_object_new_int(1));
	CU_ASSERT_FALSE(ticket_port_id(t, 0, &id));
	json_object_put(t);
	CU_ASSERT_FALSE(ticket_port_id(NULL, 0, &id));
}

static CU_TestInfo decision[] = {
	{"what speaks against nothing", test_good},
	{"what is certainly wrong", test_refused},
	{"the ticket's word", test_ticket},
	CU_TEST_INFO_NULL,
};
static CU_TestInfo one_asked[] = {{"each parent in each VSAN", test_asked}, CU_TEST_INFO_NULL};
static CU_TestInfo one_anew[] = {{"a new login between two answers", test_anew}, CU_TEST_INFO_NULL};
static CU_TestInfo one_twice[] = {{"two logins", test_twice}, CU_TEST_INFO_NULL};
static CU_TestInfo one_dead[] = {{"a dead fabric", test_dead}, CU_TEST_INFO_NULL};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"decision", decision, NULL, NULL}, {"asked", one_asked, begin, end},
		{"anew", one_anew, begin, end},	    {"twice", one_twice, begin, end},
		{"dead", one_dead, begin, end},	    {0},
	};

	return ut_main(argc, argv, suites);
}

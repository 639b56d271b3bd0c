/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of drivers, how a driver is told from sysfs, and what vhbad does by it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "inventory.h"
#include "profile.h"
#include "ut-privq.h"
#include "ut-tree.h"
#include "ut.h"
#include "vhba_profile.h"

#define PARENT "0x20000200000a0001"
#define WWPN 0x502ab30000000001
#define SEC USEC_PER_SEC

static struct daemon d;
static struct vm_vhba v = {.index = 1, .wwpn = WWPN, .parent_host = 2, .host = 5};

static int begin(void)
{
	memset(&d, 0, sizeof(d));
	tree_new();
	tree_parent(2, "eth0.10f", PARENT);
	tree_vport(2, 3, 5, "0x502ab30000000001");
	fc_inventory_init(&d.inv, NULL, NULL);
	ut_privq_up(&d);
	return fc_inventory_scan(&d.inv);
}

static int end(void)
{
	ut_privq_down(&d);
	fc_inventory_clear(&d.inv);
	return 0;
}

/* ---- the table ---- */

static void test_every_family(void)
{
	static const char *const families[] = {"libfc", "bnx2fc", "qedf", "lpfc", "qla2xxx", "unknown"};

	UT_EQ(fc_profiles_n, ARRAY_SIZE(families));
	for (size_t i = 0; i < fc_profiles_n; i++) {
		const struct fc_profile *p = &fc_profiles[i];

		UT_STREQ(p->family, families[i]);
		CU_ASSERT(p->create != NULL);
		CU_ASSERT(p->proof & FC_PROOF_BUSY);
		CU_ASSERT(p->never & FC_NEVER_LIP && p->never & FC_NEVER_BSG_HUNG &&
			  p->never & FC_NEVER_DEVICE_DELETE && p->never & FC_NEVER_EH_DEADLINE);
		CU_ASSERT(!p->logo_first ||
			  p->drain_first); /* what waits for the LOGO is not aborted meanwhile */
		CU_ASSERT(fc_bound_us(&p->usual, FC_R_A_TOV_US, 1) <=
			  fc_bound_us(&p->disable, FC_R_A_TOV_US, 1));
		CU_ASSERT(i == fc_profiles_n - 1 || fc_profile_find(p->drivers[0]) == p);
	}
	UT_STREQ(fc_profile_find("fcoe")->family, "libfc");
	UT_STREQ(fc_profile_find("fnic")->family, "unknown");
	UT_STREQ(fc_profile_find("")->family, "unknown");
}

static void test_bounds(void)
{
	UT_EQ(fc_bound_us(&fc_profile_find("fcoe")->disable, 10 * SEC, 4), 150 * USEC_PER_MSEC);
	UT_EQ(fc_bound_us(&fc_profile_find("lpfc")->disable, 10 * SEC, 4), 20 * SEC + 500 * USEC_PER_MSEC);
	UT_EQ(fc_bound_us(&fc_profile_find("lpfc")->disable, 2 * SEC, 4), 4 * SEC + 500 * USEC_PER_MSEC);
	UT_EQ(fc_bound_us(&fc_profile_find("lpfc")->delete, 10 * SEC, 4), 107 * SEC);
	UT_EQ(fc_bound_us(&fc_profile_find("qla2xxx")->disable, 10 * SEC, 4), 57 * SEC);
	UT_EQ(fc_bound_us(&fc_profile_find("bnx2fc")->disable, 10 * SEC, 2), 72 * SEC + 500 * USEC_PER_MSEC);
	CU_ASSERT(fc_bound_us(&fc_profile_find("qla2xxx")->delete, 10 * SEC, 1) == UINT64_MAX);
	/* The unknown driver is the worst of all. */
	for (size_t i = 0; i + 1 < fc_profiles_n; i++)
		for (unsigned rports = 0; rports < 9; rports += 4)
			CU_ASSERT(
				fc_bound_us(&fc_profiles[i].disable, FC_R_A_TOV_US, rports) <=
				fc_bound_us(&fc_profiles[fc_profiles_n - 1].disable, FC_R_A_TOV_US, rports));
}

static void test_errnos(void)
{
	static const struct {
		const char *driver;
		int err;
		enum vhba_error_kind kind;
		const char *says;
	} all[] = {
		{"fcoe", EINVAL, VHBA_E_EXISTS, "carries this WWPN already"},
		{"qedf", EIO, VHBA_E_IO, "link is down"},
		{"bnx2fc", EIO, VHBA_E_IO, "firmware is not ready"},
		{"qla2xxx", ENOTUNIQ, VHBA_E_EXISTS, "carries this WWPN already"},
		{"qla2xxx", EOPNOTSUPP, VHBA_E_CONSTRAINT, "switch does not offer NPIV"},
		{"qla2xxx", EIO, VHBA_E_IO, "9 bytes"},
		{"lpfc", ENOENT, VHBA_E_EXISTS, "carries this WWPN already"},
		{"lpfc", EINTR, VHBA_E_CONSTRAINT, "out of VPIs"},
		{"lpfc", ENOSPC, VHBA_E_CONSTRAINT, "as many vports as it can"},
		{"fnic", ENOSPC, VHBA_E_CONSTRAINT, "as many vports as it can"},
	};
	struct priv_reply r = {.verb = PRIV_VPORT_CREATE, .text = "vport_create on host2"};
	struct verror e;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct fc_errno *why = fc_create_errno(fc_profile_find(all[i].driver), all[i].err);

		CU_ASSERT_PTR_NOT_NULL_FATAL(why);
		UT_EQ(why->kind, all[i].kind);
		if (!strstr(why->means, all[i].says))
			printf("# %s, %d: %s\n", all[i].driver, all[i].err, why->means);
		CU_ASSERT(strstr(why->means, all[i].says) != NULL);
	}
	CU_ASSERT_PTR_NULL(fc_create_errno(fc_profile_find("fcoe"), ENOTUNIQ));
	r.err = -ENOTUNIQ;
	UT_EQ(vhba_create_error(fc_profile_find("qla2xxx"), &r, 3, &e), VHBA_E_EXISTS);
	CU_ASSERT(strstr(e.what, "vhba 3") && strstr(e.what, "already"));
	CU_ASSERT(strstr(e.seen, "vport_create on host2") && strstr(e.seen, "qla2xxx"));
	CU_ASSERT(e.fix[0] != '\0');
	r.err = -EXDEV;
	UT_EQ(vhba_create_error(fc_profile_find("fcoe"), &r, 3, &e), VHBA_E_IO);
}

static void test_never(void)
{
	CU_ASSERT(!fc_may_write("/sys/class/fc_host/host5/issue_lip"));
	CU_ASSERT(!fc_may_write("/sys/class/scsi_device/5:0:0:1/device/delete"));
	CU_ASSERT(!fc_may_write("/sys/class/scsi_host/host5/eh_deadline"));
	CU_ASSERT(fc_may_write("/sys/class/fc_host/host2/vport_delete"));
	CU_ASSERT(fc_may_write("/sys/class/fc_vports/vport-2:0-3/vport_disable"));
	CU_ASSERT(fc_may_ask_fabric(fc_profile_find("fcoe"), true, "Online"));
	CU_ASSERT(!fc_may_ask_fabric(fc_profile_find("fcoe"), true, "Linkdown"));
	CU_ASSERT(fc_may_ask_fabric(fc_profile_find("fcoe"), false, "Online"));
	CU_ASSERT(!fc_may_ask_fabric(fc_profile_find("lpfc"), false, "Online"));
}

static void test_words(void)
{
	UT_STREQ(fc_proof_text(FC_PROOF_PORT_ID), "port_id is 0");
	UT_STREQ(fc_proof_text(FC_PROOF_BUSY), "device_busy is 0");
	CU_ASSERT(strstr(fc_shared_text(FC_SHARED_RTNL), "RTNL") != NULL);
	UT_STREQ(fc_never_text(FC_NEVER_LIP), "issue_lip on a vport's host");
	UT_STREQ(fc_never_text(FC_NEVER_BSG_VPORT), "BSG on a vport's host");
	UT_STREQ(fc_never_text(0), "");
	CU_ASSERT(strstr(fc_abort_text(FC_ABORT_ABTS), "ABTS") != NULL);
	UT_STREQ(fc_abort_text((enum fc_abort)99), "?");
}

/* ---- which driver ---- */

static void driver_is(const char *expected)
{
	struct fc_inventory inv;

	fc_inventory_init(&inv, NULL, NULL);
	fc_inventory_scan(&inv);
	UT_STREQ(fc_host_find(&inv, 2)->driver, expected);
	fc_inventory_clear(&inv);
}

static void test_driver_names(void)
{
	driver_is("fcoe");
	/* Without a proc_name in the driver's template sysfs shows this. */
	tree_put("(null)", "/sys/class/scsi_host/host2/proc_name");
	driver_is("");
	tree_put("bnx2fc (QLogic BCM57810) v2.12.13 over eth0.10", "/sys/class/fc_host/host2/symbolic_name");
	driver_is("bnx2fc");
	tree_link("/sys/bus/pci/drivers/qla2xxx", "/sys/devices/virtual/net/eth0.10f/ctlr_0/driver");
	driver_is("qla2xxx");
	tree_put("lpfc", "/sys/class/scsi_host/host2/proc_name");
	driver_is("lpfc");
}

static void set_driver(const char *name)
{
	struct fc_host *h = fc_host_find(&d.inv, 2);

	snprintf(h->driver, sizeof(h->driver), "%s", name);
}

/* ---- the machine's bounds ---- */

static void test_machine(void)
{
	struct quiesce_profile q;

	/* Where there is no profile the machine takes libfc's own words. */
	vhba_profile_quiesce(fc_profile_find("fcoe"), FC_R_A_TOV_US, 3, &q);
	UT_STREQ(q.driver, quiesce_profile_libfc.driver);
	UT_EQ(q.fast_fail_us, quiesce_profile_libfc.fast_fail_us);
	UT_EQ(q.disable_us, quiesce_profile_libfc.disable_us);
	UT_EQ(q.rport_slack_us, quiesce_profile_libfc.rport_slack_us);
	UT_EQ(q.escalate_us, quiesce_profile_libfc.escalate_us);
	UT_EQ(q.reserve_us, quiesce_profile_libfc.reserve_us);
	UT_EQ(q.drain_first, quiesce_profile_libfc.drain_first);
	UT_EQ(q.disable_ends, quiesce_profile_libfc.disable_ends);
	vhba_profile_quiesce(fc_profile_find("lpfc"), FC_R_A_TOV_US, 3, &q);
	CU_ASSERT(q.drain_first);
	CU_ASSERT(q.disable_us > 20 * SEC);
	UT_EQ(q.escalate_us, 0); /* a delete aborts no harder */
	CU_ASSERT(q.reserve_us > 40 * SEC);
	set_driver("lpfc");
	UT_STREQ(vhba_profile(&d, &v)->family, "lpfc");
	v.parent_host = 9;
	UT_STREQ(vhba_profile(&d, &v)->family, "unknown");
	v.parent_host = 2;
}

/* Beside other VMs a logout gets more time before the harder stop, where there is one. */
static void test_crowd(void)
{
	struct quiesce_profile alone, q;

	vhba_profile_quiesce(fc_profile_find("fcoe"), FC_R_A_TOV_US, 3, &alone);
	q = alone;
	vhba_profile_crowd(0, &q);
	UT_EQ(q.disable_us, alone.disable_us);
	vhba_profile_crowd(254, &q);
	CU_ASSERT(q.disable_us > alone.disable_us + 10 * SEC);
	CU_ASSERT(q.fast_fail_us > alone.fast_fail_us);
	CU_ASSERT(q.escalate_us > alone.escalate_us);
	UT_EQ(q.reserve_us, alone.reserve_us);
	vhba_profile_quiesce(fc_profile_find("lpfc"), FC_R_A_TOV_US, 3, &q);
	vhba_profile_crowd(254, &q);
	UT_EQ(q.escalate_us, 0);
}

static void test_drain(void)
{
	struct quiesce_profile libfc, lpfc;
	struct quiesce_config c;

	quiesce_config_init(&c);
	c.drain_us = 500 * USEC_PER_MSEC;
	vhba_profile_quiesce(fc_profile_find("fcoe"), FC_R_A_TOV_US, 3, &libfc);
	vhba_profile_quiesce(fc_profile_find("lpfc"), FC_R_A_TOV_US, 3, &lpfc);
	UT_EQ(quiesce_drain_us(&c, &libfc, 5 * SEC), 500 * USEC_PER_MSEC);
	UT_EQ(quiesce_drain_us(&c, &libfc, 500 * USEC_PER_MSEC), 250 * USEC_PER_MSEC);
	/* A short deadline leaves room for what comes after the drain, one too short for that goes halves. */
	UT_EQ(quiesce_drain_us(&c, &libfc, 195 * USEC_PER_MSEC), 30 * USEC_PER_MSEC);
	UT_EQ(quiesce_drain_us(&c, &libfc, 100 * USEC_PER_MSEC), 50 * USEC_PER_MSEC);
	/* Whom a drain saves an abort that may take for ever drains for longer, unless told how long. */
	UT_EQ(quiesce_drain_us(&c, &lpfc, 5 * SEC), 2500 * USEC_PER_MSEC);
	c.drain_given = true;
	UT_EQ(quiesce_drain_us(&c, &lpfc, 5 * SEC), 500 * USEC_PER_MSEC);
	c.drain_us = 0;
	/* None asked for: as long as one look takes. */
	UT_EQ(quiesce_drain_us(&c, &libfc, 5 * SEC), 2 * USEC_PER_MSEC);
}

/* ---- what the driver's peculiarities change ---- */

static void test_silent_disable(void)
{
	char text[128] = "";

	tree_put("Active", "/sys/class/fc_vports/vport-2:0-3/vport_state");
	CU_ASSERT(vhba_is_disabled(&d, fc_profile_find("fcoe"), &v, text, sizeof(text)));
	CU_ASSERT(!vhba_is_disabled(&d, fc_profile_find("lpfc"), &v, text, sizeof(text)));
	UT_STREQ(text, "vport_disable was taken, but vport_state is Active");
	tree_put("VPort Failed", "/sys/class/fc_vports/vport-2:0-3/vport_state");
	CU_ASSERT(!vhba_is_disabled(&d, fc_profile_find("qla2xxx"), &v, text, sizeof(text)));
	tree_put("Disabled", "/sys/class/fc_vports/vport-2:0-3/vport_state");
	CU_ASSERT(vhba_is_disabled(&d, fc_profile_find("qla2xxx"), &v, text, sizeof(text)));
}

static int answers, answer;

static void on_answer(void *user, const struct priv_reply *r)
{
	(void)user;
	answers++;
	answer = r->err;
}

static void delete (uint64_t us)
{
	struct priv_request q = {.verb = PRIV_VPORT_DELETE, .host = 2, .wwpn = WWPN};

	answers = answer = 0;
	vhba_delete(&d, &q, us, on_answer, NULL);
}

/* The next request comes, whenever it is its time. */
static bool asked_again(struct priv_request *q)
{
	struct monotime stop = mono_add(mono_now(), 20 * SEC);

	while (!ut_privq_next(q)) {
		if (mono_reached(stop, mono_now()))
			return false;
		ut_privq_run(&d, SEC);
	}
	return true;
}

static void test_delete_again(void)
{
	struct priv_request q;

	delete (60 * SEC);
	CU_ASSERT_FATAL(ut_privq_next(&q));
	ut_privq_reply(&d, &q, (struct priv_reply){.err = -EAGAIN});
	UT_EQ(answers, 0);
	CU_ASSERT_FATAL(asked_again(&q));
	UT_EQ(q.verb, PRIV_VPORT_DELETE);
	UT_EQ(q.wwpn, WWPN);
	ut_privq_reply(&d, &q, (struct priv_reply){.err = 0});
	UT_EQ(answers, 1);
	UT_EQ(answer, 0);
	/* Another error is told at once. */
	delete (60 * SEC);
	CU_ASSERT_FATAL(ut_privq_next(&q));
	ut_privq_reply(&d, &q, (struct priv_reply){.err = -EPERM});
	UT_EQ(answer, -EPERM);
	/* With no time left for another one it is told as it is. */
	delete (100 * USEC_PER_MSEC);
	CU_ASSERT_FATAL(ut_privq_next(&q));
	ut_privq_reply(&d, &q, (struct priv_reply){.err = -EAGAIN});
	UT_EQ(answers, 1);
	UT_EQ(answer, -EAGAIN);
}

int main(int argc, char **argv)
{
	static CU_TestInfo table[] = {
		{"an entry for every family", test_every_family},
		{"bounds by R_A_TOV and rports", test_bounds},
		{"errnos by driver", test_errnos},
		{"what must never be done", test_never},
		{"words", test_words},
		CU_TEST_INFO_NULL,
	};
	static CU_TestInfo use[] = {
		{"the driver's name", test_driver_names},
		{"the machine's bounds", test_machine},
		{"crowd", test_crowd},
		{"the drain leaves room", test_drain},
		{"a disable that did nothing", test_silent_disable},
		{"a delete is asked for again", test_delete_again},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {
		{"profile-table", table, NULL, NULL}, {"profile-use", use, begin, end}, {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model of HBAs that are not here, without FUSE and under a virtual clock. */
#include <errno.h>
#include <linux/bsg.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ct.h"
#include "fakefc.h"
#include "sgio.h"
#include "ut.h"

#define NAME "2101000000000001"
#define NAMES NAME ":2001000000000001"
#define FABRIC "fabric 1000000000000010"
#define TARGET "5006016000000a01"
#define HOST "/sys/class/fc_host/host"
#define VPORT "/sys/class/fc_vports/vport-2:0-0/"
#define RPORT "/sys/class/fc_remote_ports/rport-3:0-"
#define LUN "/sys/class/scsi_device/3:0:0:0/device/"
#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC

static struct fakefc *f;
static struct monotime now;
static struct {
	int n;
	ssize_t result;
} ended;
static char events[8192];

static void on_done(void *arg, void *cookie, ssize_t result)
{
	(void)arg;
	(void)cookie;
	ended.n++;
	ended.result = result;
}

static void on_uevent(void *arg, const char *action, const char *devpath, const char *subsystem)
{
	size_t used = strlen(events);

	(void)arg;
	snprintf(events + used, sizeof(events) - used, "%s %s %s\n", action, subsystem, devpath);
}

static void on_gone(void *arg, uint64_t folder, const char *name)
{
	size_t used = strlen(events);

	(void)arg;
	CU_ASSERT_PTR_NOT_NULL(tree_by_number(fakefc_tree(f), folder));
	snprintf(events + used, sizeof(events) - used, "gone %s\n", name);
}

static void after(uint64_t us)
{
	now = mono_add(now, us);
	fakefc_run(f, now);
}

static void command(const char *line)
{
	char why[200];
	int err = fakefc_command(f, line, why, sizeof(why));

	if (err)
		printf("# %s: %s\n", line, why);
	UT_EQ(err, 0);
}

static void setup(const char *driver)
{
	static const struct fakefc_ops ops = {on_done, on_uevent, on_gone, NULL};
	char line[200];

	now = (struct monotime){1000 * SEC};
	ended.n = 0;
	events[0] = '\0';
	f = fakefc_new(&ops, now);
	if (!f)
		abort();
	snprintf(line, sizeof(line), "hba %s host 2 wwpn 10000090fa000002 wwnn 20000090fa000002 " FABRIC,
		 driver);
	command(line);
	command("target wwpn " TARGET " " FABRIC " luns 2");
}

static void teardown(void)
{
	fakefc_free(f);
	f = NULL;
}

static const char *text(const char *path)
{
	static char buf[4096];
	const struct node *n = tree_find(fakefc_tree(f), path);
	ssize_t len = n ? fakefc_read(f, n, buf, sizeof(buf) - 1) : -ENOENT;

	if (len < 0) {
		snprintf(buf, sizeof(buf), "error %zd", -len);
		return buf;
	}
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static ssize_t put(const char *path, const char *value)
{
	const struct node *n = tree_find(fakefc_tree(f), path);

	return n ? fakefc_write(f, n, value, strlen(value), &ended) : -ENOENT;
}

/* A write that may block, to its end: how long it took. */
static uint64_t blocked(const char *path, const char *value)
{
	struct monotime begun = now;
	int before = ended.n;
	ssize_t r = put(path, value);

	if (r != FAKEFC_PENDING) {
		ended.result = r;
		return 0;
	}
	while (ended.n == before && fakefc_due(f).us != MONOTIME_NEVER.us) {
		now = fakefc_due(f);
		fakefc_run(f, now);
	}
	return mono_since(now, begun);
}

static ssize_t create(const char *names)
{
	blocked(HOST "2/vport_create", names);
	return ended.result;
}

static void attach(const char *driver)
{
	setup(driver);
	UT_EQ(create(NAMES), 33);
	after(SEC);
	UT_STREQ(text(VPORT "vport_state"), "Active");
}

static bool logged(const char *what)
{
	return strstr(fakefc_log(f), what) != NULL;
}

static bool logged_before(const char *first, const char *second)
{
	const char *a = strstr(fakefc_log(f), first), *b = strstr(fakefc_log(f), second);

	return a && b && a < b;
}

static bool fabric_has(const char *name)
{
	char line[64];
	const struct node *n = tree_find(fakefc_tree(f), "/control");
	static char buf[4096];
	ssize_t len = fakefc_read(f, n, buf, sizeof(buf) - 1);

	buf[len < 0 ? 0 : len] = '\0';
	snprintf(line, sizeof(line), "name %s ", name);
	return strstr(buf, line) != NULL;
}

/* ---- the transport ---- */

static void test_tree(void)
{
	static const char *const gone[] = {VPORT "port_name", HOST "3/port_name", RPORT "1/port_name",
					   LUN "state", "/dev/sg0"};

	attach("lpfc");
	UT_STREQ(text(HOST "2/port_name"), "0x10000090fa000002");
	UT_STREQ(text(HOST "2/npiv_vports_inuse"), "1");
	UT_STREQ(text(HOST "3/port_name"), "0x" NAME);
	UT_STREQ(text(HOST "3/device/../vport_state"), "error 2");
	UT_STREQ(text("/sys/devices/pci0000:00/0000:02:00.0/host2/vport-2:0-0/host3/fc_host/host3/port_type"),
		 "NPIV VPORT");
	UT_STREQ(text("/sys/class/block/sda/size"), "2048");
	CU_ASSERT_PTR_NOT_NULL(strstr(events,
				      "add fc_vports /devices/pci0000:00/0000:02:00.0/host2/vport-2:0-0/"
				      "fc_vports/vport-2:0-0\n"));
	events[0] = '\0';
	blocked(HOST "2/vport_delete", NAMES);
	UT_EQ(ended.result, 33);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		UT_STREQ(text(gone[i]), "error 2");
	CU_ASSERT_PTR_NOT_NULL(strstr(events, "remove fc_host "));
	CU_ASSERT_PTR_NOT_NULL(strstr(events, "remove block "));
	CU_ASSERT_PTR_NOT_NULL(strstr(events, "gone sda\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(events, "gone vport-2:0-0\n"));
	UT_STREQ(text(HOST "2/npiv_vports_inuse"), "0");
	UT_EQ(create(NAMES), 33);
	UT_STREQ(text("/sys/class/fc_vports/vport-2:0-1/port_name"), "0x" NAME);
	teardown();
}

static void test_refused(void)
{
	attach("qedf");
	UT_EQ(create("0x21010000000001:2001000000000001"), -EINVAL);
	UT_EQ(create(NAME), -EINVAL);
	UT_EQ(put(HOST "2/vport_delete", "2101000000000099:2001000000000001"), -ENODEV);
	UT_EQ(put(VPORT "vport_disable", "0"), -EALREADY);
	UT_EQ(put(VPORT "vport_disable", "2"), -EINVAL);
	UT_EQ(put(VPORT "vport_state", "1"), -EACCES);
	UT_STREQ(text(VPORT "vport_disable"), "error 13");
	UT_EQ(put(VPORT "vport_delete", "1"), 1);
	UT_EQ(put(VPORT "vport_disable", "1"), -EBUSY);
	UT_EQ(put(HOST "2/vport_delete", NAMES), -ENODEV);
	after(SEC);
	UT_STREQ(text(VPORT "port_name"), "error 2");
	teardown();
}

static void test_full(void)
{
	char names[40];

	setup("qedf");
	for (unsigned i = 1; i <= 64; i++) {
		snprintf(names, sizeof(names), "21010000000000%02x:2001000000000001", i);
		UT_EQ(create(names), 33);
	}
	UT_EQ(create("2101000000000099:2001000000000001"), -ENOSPC);
	teardown();
}

static void test_timers(void)
{
	attach("qedf");
	UT_EQ(put(RPORT "0/fast_io_fail_tmo", "60"), -EINVAL);
	UT_EQ(put(RPORT "0/dev_loss_tmo", "601"), -EINVAL);
	UT_EQ(put(RPORT "0/fast_io_fail_tmo", "5"), 1);
	UT_EQ(put(RPORT "0/dev_loss_tmo", "601"), 3);
	UT_EQ(put(RPORT "0/dev_loss_tmo", "0"), 1);
	UT_STREQ(text(RPORT "0/dev_loss_tmo"), "1");
	UT_EQ(put(RPORT "0/dev_loss_tmo", "30"), 2);
	command("io host 3 count 3");
	command("set target " TARGET " mode offline");
	UT_STREQ(text(RPORT "0/port_state"), "Blocked");
	UT_EQ(put(RPORT "0/fast_io_fail_tmo", "0"), -EBUSY);
	UT_STREQ(text(LUN "state"), "blocked");
	after(5 * SEC);
	UT_STREQ(text(LUN "state"), "transport-offline");
	command("set target " TARGET " mode ok");
	UT_STREQ(text(RPORT "0/port_state"), "Online");
	UT_STREQ(text(LUN "state"), "running");
	after(SEC);
	command("set target " TARGET " mode offline");
	after(30 * SEC);
	UT_STREQ(text(RPORT "0/port_state"), "Not Present");
	UT_STREQ(text(RPORT "0/roles"), "unknown");
	UT_STREQ(text(LUN "state"), "error 2");
	command("set target " TARGET " mode ok");
	UT_STREQ(text(RPORT "0/roles"), "FCP Target");
	UT_STREQ(text(LUN "state"), "running");
	teardown();
}

/* ---- lpfc ---- */

static void test_lpfc_create(void)
{
	attach("lpfc");
	UT_EQ(create(NAMES), -ENOENT);
	UT_EQ(create("1101000000000002:2001000000000001"), -ENOENT);
	command("set host 2 vpis 1");
	UT_EQ(create("2101000000000002:2001000000000001"), -EINTR);
	command("set host 2 vpis 9");
	command("set host 2 mailbox interrupted");
	UT_EQ(create("2101000000000002:2001000000000001"), -EPERM);
	command("set host 2 npiv no");
	UT_EQ(create("2101000000000002:2001000000000001"), -ENOENT);
	UT_STREQ(text(HOST "2/npiv_vports_inuse"), "1");
	teardown();
}

static void create_with(const char *fault, const char *state, const char *last)
{
	setup("lpfc");
	command(fault);
	UT_EQ(create(NAMES), 33);
	after(3 * SEC);
	UT_STREQ(text(VPORT "vport_state"), state);
	UT_STREQ(text(VPORT "vport_last_state"), last);
	teardown();
}

/* lpfc_cmpl_els_fdisc overwrites what lpfc_els_retry has found, but for one */
static void test_lpfc_states(void)
{
	create_with("set host 2 fdisc wwn-rejected", "VPort Failed", "Fabric Rejected WWN");
	create_with("set host 2 fdisc no-resources", "No Fabric Resources", "Initializing");
	create_with("set host 2 fabric-npiv no", "No Fabric Support", "Unknown");
	create_with("set host 2 link no", "Linkdown", "Unknown");
	create_with("set host 2 fdisc silent", "Initializing", "Unknown");
}

static void test_lpfc_disable(void)
{
	attach("lpfc");
	command("set target " TARGET " mode hung");
	command("set host 2 abort-time 3s");
	command("io host 3 count 4");
	UT_EQ(put(RPORT "1/fast_io_fail_tmo", "0"), 1);
	UT_EQ(blocked(VPORT "vport_disable", "1"), 2 * MSEC);
	UT_EQ(ended.result, 1);
	UT_STREQ(text(VPORT "vport_state"), "Disabled");
	CU_ASSERT_FALSE(fabric_has(NAME));
	CU_ASSERT_TRUE(logged_before("LOGO to FFFFFE", "ABTS for"));
	after(MSEC);
	UT_STREQ(text(LUN "state"), "transport-offline");
	UT_STREQ(text(LUN "device_busy"), "4");
	UT_STREQ(text(HOST "3/port_id"), "0x010300");
	after(3 * SEC);
	UT_STREQ(text(LUN "device_busy"), "0");
	UT_EQ(put(VPORT "vport_disable", "1"), -EALREADY);
	command("set target " TARGET " mode ok");
	UT_EQ(put(VPORT "vport_disable", "0"), 1);
	UT_STREQ(text(VPORT "vport_state"), "Initializing");
	after(SEC);
	UT_STREQ(text(VPORT "vport_state"), "Active");
	UT_STREQ(text(LUN "state"), "running");
	teardown();
}

static void test_lpfc_silent(void)
{
	attach("lpfc");
	command("set host 2 fabric-answers no");
	UT_EQ(blocked(VPORT "vport_disable", "1"), 20 * SEC);
	UT_STREQ(text(VPORT "vport_state"), "Disabled");
	CU_ASSERT_TRUE(fabric_has(NAME));
	teardown();
	attach("lpfc");
	command("set host 2 logo-time 15s");
	UT_EQ(put(VPORT "vport_disable", "1"), FAKEFC_PENDING);
	after(SEC);
	command("hurry host 2");
	after(0);
	UT_EQ(ended.n, 2);
	UT_STREQ(text(VPORT "vport_state"), "Disabled");
	CU_ASSERT_FALSE(fabric_has(NAME));
	teardown();
}

/* A delete that is put off for ever makes every later disable a word without a deed. */
static void test_lpfc_delete(void)
{
	attach("lpfc");
	command("set host 2 rediscovering yes");
	UT_EQ(blocked(HOST "2/vport_delete", NAMES), 33 * SEC);
	UT_EQ(ended.result, -EAGAIN);
	UT_EQ(blocked(VPORT "vport_disable", "1"), 0);
	UT_EQ(ended.result, 1);
	UT_STREQ(text(VPORT "vport_state"), "Active");
	UT_STREQ(text(RPORT "1/port_state"), "Online");
	CU_ASSERT_TRUE(fabric_has(NAME));
	command("set host 2 rediscovering no");
	blocked(HOST "2/vport_delete", NAMES);
	UT_EQ(ended.result, 33);
	CU_ASSERT_FALSE(fabric_has(NAME));
	teardown();
}

/* ---- qla2xxx ---- */

static void test_qla2xxx_create(void)
{
	attach("qla2xxx");
	UT_STREQ(text("/sys/class/scsi_host/host2/proc_name"), "(null)");
	UT_EQ(create(NAMES), -ENOTUNIQ);
	UT_EQ(create("10000090fa000002:2001000000000001"), -ENOTUNIQ);
	command("set host 2 host-alloc no");
	UT_EQ(create("2101000000000002:2001000000000001"), 9);
	UT_STREQ(text("/sys/class/fc_vports/vport-2:0-3/port_name"), "error 2");
	command("set host 2 fabric-npiv no");
	UT_EQ(create("2101000000000002:2001000000000001"), -EOPNOTSUPP);
	command("set host 2 npiv no");
	UT_EQ(create("2101000000000002:2001000000000001"), -ENOSYS);
	UT_STREQ(text(HOST "2/npiv_vports_inuse"), "1");
	UT_EQ(put(VPORT "symbolic_name", "vhba"), -EACCES);
	teardown();
}

static void test_qla2xxx_disable(void)
{
	attach("qla2xxx");
	command("set target " TARGET " mode hung");
	command("io host 3 count 4");
	UT_EQ(blocked(VPORT "vport_disable", "1"), 40 * MSEC);
	UT_EQ(ended.result, 1);
	UT_STREQ(text(VPORT "vport_state"), "Disabled");
	UT_STREQ(text(HOST "3/port_id"), "0x000000");
	UT_STREQ(text(HOST "3/port_state"), "Online");
	UT_STREQ(text(LUN "device_busy"), "0");
	CU_ASSERT_FALSE(fabric_has(NAME));
	teardown();
}

/* The firmware does not end it: the write says yes, the state says no, and an enable does nothing. */
static void test_qla2xxx_failed(void)
{
	attach("qla2xxx");
	command("set host 2 vp-ctrl-time 60s");
	UT_EQ(blocked(VPORT "vport_disable", "1"), 22 * SEC + 20 * MSEC);
	UT_EQ(ended.result, 1);
	UT_STREQ(text(VPORT "vport_state"), "VPort Failed");
	CU_ASSERT_TRUE(fabric_has(NAME));
	UT_EQ(put(VPORT "vport_disable", "0"), -EALREADY);
	command("set host 2 vp-ctrl-time 20ms");
	blocked(VPORT "vport_disable", "1");
	UT_STREQ(text(VPORT "vport_state"), "Disabled");
	teardown();
}

/* ---- qedf ---- */

static void test_qedf_create(void)
{
	attach("qedf");
	UT_EQ(create(NAMES), -EINVAL);
	command("set host 2 host-alloc no");
	UT_EQ(create("2101000000000002:2001000000000001"), -ENOMEM);
	command("set host 2 link no");
	UT_STREQ(text(VPORT "vport_state"), "Linkdown");
	UT_EQ(create("2101000000000002:2001000000000001"), -EIO);
	command("set host 2 link yes");
	after(SEC);
	UT_STREQ(text(VPORT "vport_state"), "Active");
	UT_STREQ(text(LUN "state"), "running");
	teardown();
}

/* bnx2fc makes it without a link as well. */
static void test_bnx2fc_create(void)
{
	attach("bnx2fc");
	UT_EQ(create(NAMES), -EINVAL);
	command("set host 2 host-alloc no");
	UT_EQ(create("2101000000000002:2001000000000001"), -EIO);
	command("set host 2 host-alloc yes");
	command("set host 2 link no");
	UT_EQ(create("2101000000000002:2001000000000001"), 33);
	UT_STREQ(text("/sys/class/fc_vports/vport-2:0-3/vport_state"), "Linkdown");
	command("set host 2 link yes");
	after(SEC);
	UT_STREQ(text("/sys/class/fc_vports/vport-2:0-3/vport_state"), "Active");
	teardown();
}

static void test_qedf_disable(void)
{
	attach("qedf");
	command("target wwpn 5006016000000a02 " FABRIC " luns 1");
	command("set host 2 upload-time 3s");
	command("set host 2 logo-time 1s");
	UT_EQ(put(VPORT "vport_disable", "1"), FAKEFC_PENDING);
	UT_STREQ(text(VPORT "vport_state"), "Disabled");
	UT_STREQ(text(RPORT "1/port_state"), "Online");
	after(6 * SEC);
	UT_EQ(ended.n, 1);
	UT_EQ(ended.result, 1);
	UT_STREQ(text(RPORT "1/port_state"), "Blocked");
	UT_STREQ(text(HOST "3/port_id"), "0x010300");
	CU_ASSERT_TRUE(fabric_has(NAME));
	after(SEC);
	UT_STREQ(text(HOST "3/port_id"), "0x000000");
	UT_STREQ(text(HOST "3/fabric_name"), "0x0");
	CU_ASSERT_FALSE(fabric_has(NAME));
	teardown();
}

/* Another port that holds the name: libfc tries for ever. */
static void test_qedf_duplicate(void)
{
	setup("qedf");
	command("target wwpn " NAME " " FABRIC " luns 0");
	UT_EQ(create(NAMES), 33);
	after(20 * SEC);
	UT_STREQ(text(VPORT "vport_state"), "Initializing");
	CU_ASSERT_TRUE(logged("FDISC rejected"));
	teardown();
}

/* A delete during a disable: the device goes when the disable has come out. */
static void test_overlap(void)
{
	attach("qedf");
	command("set host 2 upload-time 3s");
	UT_EQ(put(VPORT "vport_disable", "1"), FAKEFC_PENDING);
	after(SEC);
	UT_EQ(put(HOST "2/vport_delete", NAMES), FAKEFC_PENDING);
	after(10 * SEC);
	UT_EQ(ended.n, 2);
	UT_STREQ(text(VPORT "port_name"), "error 2");
	teardown();
}

/* ---- ioctls ---- */

static int get(const struct memory *m, uint64_t from, void *to, size_t len)
{
	(void)m;
	if (!from)
		return -EFAULT;
	memcpy(to, (const void *)(uintptr_t)from, len);
	return 0;
}

static int give(const struct memory *m, uint64_t to, const void *from, size_t len)
{
	(void)m;
	if (!to)
		return -EFAULT;
	memcpy((void *)(uintptr_t)to, from, len);
	return 0;
}

static const struct memory memory = {get, give, NULL, 0};

static int node_ioctl(const char *path, unsigned long cmd, void *arg)
{
	const struct node *n = tree_find(fakefc_tree(f), path);

	return n ? sgio_ioctl(f, n, (unsigned)cmd, (uintptr_t)arg, &memory) : -ENOENT;
}

static void test_report_luns(void)
{
	uint8_t cdb[12] = {0xa0, [8] = 1}, data[256] = {};
	struct sg_io_hdr h = {.interface_id = 'S',
			      .cmd_len = sizeof(cdb),
			      .cmdp = cdb,
			      .dxfer_direction = SG_DXFER_FROM_DEV,
			      .dxfer_len = sizeof(data),
			      .dxferp = data};

	attach("qla2xxx");
	UT_EQ(node_ioctl("/dev/sg0", SG_IO, &h), 0);
	UT_EQ(h.status, 0);
	UT_EQ(h.resid, 256 - 24);
	UT_EQ(data[3], 16);
	UT_EQ(data[17], 1);
	h.cmd_len = 255;
	UT_EQ(node_ioctl("/dev/sg0", SG_IO, &h), -EINVAL);
	h.cmd_len = sizeof(cdb);
	h.cmdp = NULL;
	UT_EQ(node_ioctl("/dev/sg0", SG_IO, &h), -EFAULT);
	UT_EQ(node_ioctl("/sys/class/fc_host/host2/port_name", SG_IO, &h), -ENOTTY);
	teardown();
}

/* As ct.c asks, and judges. */
static enum ct_answer ask(const char *bsg, enum ct_way way, uint64_t wwpn, int *result)
{
	uint8_t request[CT_REQUEST_MAX], reply[CT_REPLY_MAX] = {};
	uint8_t cmd[CT_BSG_LEN];
	uint32_t status[10] = {}, port_id;
	struct sg_io_v4 io = {
		.guard = 'Q',
		.subprotocol = BSG_SUB_PROTOCOL_SCSI_TRANSPORT,
		.request = (uintptr_t)cmd,
		.request_len = sizeof(cmd),
		.response = (uintptr_t)status,
		.max_response_len = sizeof(status),
		.dout_xferp = (uintptr_t)request,
		.din_xferp = (uintptr_t)reply,
		.din_xfer_len = sizeof(reply),
	};
	unsigned reason;

	io.dout_xfer_len = (uint32_t)ct_pack_gid_pn(request, wwpn);
	ct_pack_bsg(cmd, way, request);
	UT_EQ(node_ioctl(bsg, SG_IO, &io), 0);
	*result = (int)status[0];
	return ct_parse_gid_pn(reply, sizeof(reply) - (size_t)io.din_resid, &port_id, &reason);
}

#define HOST_BSG "/dev/bsg/fc_host2", CT_BY_HOST
#define RPORT_BSG "/dev/bsg/rport-2:0-0", CT_BY_RPORT

static void test_name_server(void)
{
	int result;

	attach("qla2xxx");
	UT_EQ(ask(HOST_BSG, 0x2101000000000001, &result), CT_PRESENT);
	UT_EQ(ask(HOST_BSG, 0x2101000000000002, &result), CT_ABSENT);
	blocked(VPORT "vport_disable", "1");
	UT_EQ(ask(HOST_BSG, 0x2101000000000001, &result), CT_ABSENT);
	command("set host 2 fabric-answers no");
	UT_EQ(ask(HOST_BSG, 0x2101000000000001, &result), CT_NO_PROOF);
	UT_EQ(result, 0);
	teardown();
	attach("lpfc");
	UT_STREQ(text("/sys/class/fc_remote_ports/rport-2:0-0/roles"), "Directory Server");
	UT_EQ(ask(HOST_BSG, 0x2101000000000001, &result), CT_NO_PROOF);
	UT_EQ(result, -EINVAL);
	UT_EQ(ask(RPORT_BSG, 0x2101000000000001, &result), CT_PRESENT);
	UT_EQ(ask(RPORT_BSG, 0x2101000000000002, &result), CT_ABSENT);
	UT_EQ(result, 0);
	teardown();
	attach("qedf");
	UT_EQ(ask(HOST_BSG, 0x2101000000000001, &result), CT_PRESENT);
	teardown();
}

static void test_language(void)
{
	static const char *const bad[] = {
		"nonsense",
		"hba lpfc host 2",
		"hba fnic host 5 wwpn 1 wwnn 2 fabric 3",
		"hba lpfc host 2 wwpn 1 wwnn 2 fabric 3",
		"set host 9 link no",
		"set host 2 link maybe",
		"set host 2 colour red",
		"set host 2 logo-time 5",
		"set target 1 mode ok",
		"set target " TARGET " mode asleep",
		"io host 9 count 1",
		"hurry host 3",
		"target wwpn 1 fabric 2 luns 9999",
	};
	char why[200];

	setup("lpfc");
	UT_EQ(fakefc_command(f, "  # a comment", why, sizeof(why)), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		UT_EQ(fakefc_command(f, bad[i], why, sizeof(why)), -EINVAL);
		CU_ASSERT_NOT_EQUAL(why[0], '\0');
	}
	UT_EQ(put("/control", "set host 2 link no\nset host 2 link perhaps\n"), -EINVAL);
	UT_STREQ(text(HOST "2/port_state"), "Linkdown");
	teardown();
}

static CU_TestInfo transport_tests[] = {{"folders, links and uevents", test_tree},
					{"what is refused", test_refused},
					{"as many vports as there may be", test_full},
					{"the rports' timers", test_timers},
					{"a delete during a disable", test_overlap},
					{"the control language", test_language},
					CU_TEST_INFO_NULL};
static CU_TestInfo lpfc_tests[] = {{"create", test_lpfc_create},
				   {"states", test_lpfc_states},
				   {"disable: LOGO before ABTS", test_lpfc_disable},
				   {"disable with a silent fabric", test_lpfc_silent},
				   {"delete put off, then a disable without a deed", test_lpfc_delete},
				   CU_TEST_INFO_NULL};
static CU_TestInfo qla2xxx_tests[] = {{"create", test_qla2xxx_create},
				      {"disable", test_qla2xxx_disable},
				      {"disable that the firmware does not end", test_qla2xxx_failed},
				      CU_TEST_INFO_NULL};
static CU_TestInfo qedf_tests[] = {{"create", test_qedf_create},
				   {"disable, one rport after the other", test_qedf_disable},
				   {"a name that another port holds", test_qedf_duplicate},
				   {"bnx2fc: create", test_bnx2fc_create},
				   CU_TEST_INFO_NULL};
static CU_TestInfo ioctl_tests[] = {
	{"REPORT LUNS", test_report_luns}, {"the name server", test_name_server}, CU_TEST_INFO_NULL};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"transport", transport_tests}, {"lpfc", lpfc_tests},
						 {"qla2xxx", qla2xxx_tests},	 {"qedf", qedf_tests},
						 {"ioctl", ioctl_tests},	 {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs over a fake sysfs; the pool of children, one of which blocks; FIP VLAN notifications. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "ct.h"
#include "pool.h"
#include "pr.h"
#include "sgio.h"
#include "sysroot.h"
#include "ut-tree.h"
#include "ut.h"
#include "verbs.h"

#define WWPN 0x502ab30000000001u

static struct priv_reply r;

static int run(enum priv_verb verb, struct priv_request q)
{
	memset(&r, 0, sizeof(r));
	q.timeout_ms = 1000;
	return verb_find(verb)(&q, &r);
}

static int begin(void)
{
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	tree_vport(2, 3, 5, "0x502ab30000000001");
	tree_rport(5, 0, "0x5006016000000a01", true);
	tree_rport(5, 1, "0x5006016000000b01", false);
	tree_disk(5, 0, 0, "sda");
	tree_disk(5, 0, 1, "sdb");
	return 0;
}

#define NAME_OF "/sys/class/fc_host/host2/device/vport-2:0-%u/fc_vports/vport-2:0-%u/port_name"

static void test_create(void)
{
	struct priv_request q = {.host = 2, .wwpn = 0x502ab30000000099, .wwnn = 1, .number = 38};

	UT_EQ(run(PRIV_VPORT_CREATE, (struct priv_request){.host = 2, .wwpn = WWPN, .wwnn = 0x20}), 0);
	UT_STREQ(tree_text("/sys/class/fc_host/host2/vport_create"), "502ab30000000001:0000000000000020");
	UT_EQ(r.number, 3);
	UT_EQ(r.value, 5);
	UT_EQ(run(PRIV_VPORT_CREATE, (struct priv_request){.host = 2, .wwpn = 0, .wwnn = 0x20}), -EINVAL);
	UT_EQ(run(PRIV_VPORT_CREATE, (struct priv_request){.host = 2, .wwpn = 1, .wwnn = UINT64_MAX}),
	      -EINVAL);
	UT_EQ(run(PRIV_VPORT_CREATE, (struct priv_request){.host = 9, .wwpn = 1, .wwnn = 1}), -ENODEV);
	UT_EQ(run(PRIV_VPORT_CREATE, (struct priv_request){.host = -1, .wwpn = 1, .wwnn = 1}), -ENODEV);
	UT_EQ(run(PRIV_VPORT_CREATE, (struct priv_request){.host = 5, .wwpn = 1, .wwnn = 1}), -EOPNOTSUPP);
	UT_EQ(run(PRIV_VPORT_CREATE, (struct priv_request){.host = 2, .wwpn = 77, .wwnn = 1}), -EIO);
	/* Near the number that is said it is looked for first, without reading the folder (from its end). */
	tree_put("0x502ab30000000099", NAME_OF, 40, 40);
	tree_put("0x502ab30000000099", NAME_OF, 90, 90);
	UT_EQ(run(PRIV_VPORT_CREATE, q), 0);
	UT_EQ(r.number, 40);
	q.number = 41;
	UT_EQ(run(PRIV_VPORT_CREATE, q), 0);
	UT_EQ(r.number, 90);
	tree_remove(NAME_OF, 40, 40);
	tree_remove(NAME_OF, 90, 90);
}

#define LUN_STATE "/sys/class/scsi_device/5:0:0:0/device/state"

static void test_switch(void)
{
	struct priv_request q = {.host = 2, .number = 3, .wwpn = WWPN};

	tree_put("running", LUN_STATE);
	UT_EQ(run(PRIV_VPORT_DISABLE, q), 0);
	UT_STREQ(tree_text(LUN_STATE), "running"); /* what comes now is parked */
	UT_STREQ(tree_text("/sys/class/fc_vports/vport-2:0-3/vport_disable"), "1");
	UT_EQ(run(PRIV_VPORT_ENABLE, q), 0);
	UT_STREQ(tree_text("/sys/class/fc_vports/vport-2:0-3/vport_disable"), "0");
	q.wwpn++; /* the number was given to another vport */
	UT_EQ(run(PRIV_VPORT_DISABLE, q), -ENODEV);
	UT_STREQ(tree_text("/sys/class/fc_vports/vport-2:0-3/vport_disable"), "0");
	UT_EQ(run(PRIV_VPORT_DELETE, (struct priv_request){.host = 2, .wwpn = WWPN, .wwnn = 0x20}), 0);
	UT_STREQ(tree_text("/sys/class/fc_host/host2/vport_delete"), "502ab30000000001:0000000000000020");
	UT_EQ(run(PRIV_VPORT_DELETE, (struct priv_request){.host = 2, .wwpn = 1, .wwnn = 0x20}), -ENODEV);
}

#define BUSY "/sys/class/scsi_device/5:0:0:0/device/device_busy"

/* fcoe frees a LUN reset's exchange with the logout, and the error handler uses it afterwards. */
static void test_error_handling(void)
{
	static const struct {
		const char *driver, *state;
		int err;
	} cases[] = {
		{"fcoe", "running", 0},	 {"fcoe", "recovery", -EAGAIN}, {"fcoe", "cancel/recovery", -EAGAIN},
		{"lpfc", "recovery", 0}, {"qedf", "recovery", 0},
	};
	struct priv_request q = {.host = 2, .number = 3, .wwpn = WWPN, .wwnn = 0x20};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tree_put(cases[i].driver, "/sys/class/scsi_host/host2/proc_name");
		tree_put(cases[i].state, "/sys/class/scsi_host/host5/state");
		tree_put("-", "/sys/class/fc_vports/vport-2:0-3/vport_disable");
		tree_put("-", "/sys/class/fc_host/host2/vport_delete");
		UT_EQ(run(PRIV_VPORT_DISABLE, q), cases[i].err);
		UT_EQ(strstr(r.text, "error handling of host5") != NULL, cases[i].err != 0);
		UT_EQ(run(PRIV_VPORT_DELETE, q), cases[i].err);
		UT_EQ(strstr(r.text, "error handling of host5") != NULL, cases[i].err != 0);
		UT_EQ(tree_text("/sys/class/fc_vports/vport-2:0-3/vport_disable")[0],
		      cases[i].err ? '-' : '1');
		UT_EQ(tree_text("/sys/class/fc_host/host2/vport_delete")[0], cases[i].err ? '-' : '5');
		/* With nothing in flight that would only take time. */
		tree_put("0", BUSY);
		tree_put("-", "/sys/class/fc_vports/vport-2:0-3/vport_disable");
		UT_EQ(run(PRIV_VPORT_DELETE, q), cases[i].err);
		UT_EQ(tree_text("/sys/class/fc_vports/vport-2:0-3/vport_disable")[0], '-');
	}
	/* That of the parent does not matter, nor is anything else forbidden. */
	tree_put("fcoe", "/sys/class/scsi_host/host2/proc_name");
	tree_put("recovery", "/sys/class/scsi_host/host2/state");
	tree_put("running", "/sys/class/scsi_host/host5/state");
	UT_EQ(run(PRIV_VPORT_DISABLE, q), 0);
	tree_put("recovery", "/sys/class/scsi_host/host5/state");
	UT_EQ(run(PRIV_VPORT_ENABLE, q), 0);
}

#define DISABLE "/sys/class/fc_vports/vport-2:0-3/vport_disable"
#define DELETE "/sys/class/fc_host/host2/vport_delete"

static void busy_again(const char *state)
{
	tree_put("1", BUSY);
	tree_put(state, LUN_STATE);
	tree_put("-", DISABLE);
	tree_put("-", DELETE);
}

struct ender {
	bool at_disable; /* else after a while */
	bool too_early, open; /* the delete had come before; the LUN took commands at the end */
};

static void *end_commands(void *arg)
{
	struct ender *e = arg;

	for (int i = 0; e->at_disable ? i < 2000 && tree_text(DISABLE)[0] != '1' : i < 20; i++) {
		usleep(5000);
		e->too_early |= tree_text(DELETE)[0] != '-';
	}
	e->open = strncmp(tree_text(LUN_STATE), "offline", 7) != 0;
	tree_put("0", BUSY);
	return NULL;
}

static const char *raw_state(void)
{
	static char text[32];
	char path[300];
	FILE *f = fopen(sysroot_path(path, sizeof(path), LUN_STATE), "r");

	text[f ? fread(text, 1, sizeof(text) - 1, f) : 0] = '\0';
	if (f)
		fclose(f);
	return text;
}

/* The kernel refuses a state without its newline. */
static void test_lun_state(void)
{
	tree_put_bytes("running", 7, LUN_STATE);
	verb_close_luns(5);
	UT_STREQ(raw_state(), "offline\n");
	tree_put_bytes("offline", 7, LUN_STATE);
	verb_open_luns(5);
	UT_STREQ(raw_state(), "running\n");
}

static int delete_while_ending(const struct priv_request *q, struct ender *e)
{
	pthread_t thread;
	int err;

	UT_EQ(pthread_create(&thread, NULL, end_commands, e), 0);
	err = run(PRIV_VPORT_DELETE, *q);
	pthread_join(thread, NULL);
	return err;
}

/* A command that a target ends by itself is let end, and nothing new comes in meanwhile. */
static void test_let_end(void)
{
	struct priv_request q = {.host = 2, .wwpn = WWPN, .wwnn = 0x20, .target = 60000};
	struct ender e = {};

	tree_rport(5, 0, "0x5006016000000a01", true);
	tree_put("Online", "/sys/class/fc_remote_ports/rport-5:0-0/port_state");
	busy_again("running");
	UT_EQ(delete_while_ending(&q, &e), 0);
	CU_ASSERT_FALSE(e.too_early);
	CU_ASSERT_FALSE(e.open);
	UT_EQ(tree_text(DISABLE)[0], '-');
	UT_EQ(tree_text(DELETE)[0], '5');
	/* One that is blocked takes nothing in as it is. */
	busy_again("blocked");
	tree_put("0", BUSY);
	UT_EQ(run(PRIV_VPORT_DELETE, q), 0);
	UT_STREQ(tree_text(LUN_STATE), "blocked");
}

/* One that none ends is cut off, where the driver must not be at that during the delete. */
static void test_cut_off(void)
{
	struct priv_request q = {.host = 2, .wwpn = WWPN, .wwnn = 0x20, .target = 60000};
	struct ender e = {.at_disable = true};

	tree_put("Blocked", "/sys/class/fc_remote_ports/rport-5:0-0/port_state");
	busy_again("running");
	UT_EQ(delete_while_ending(&q, &e), 0);
	CU_ASSERT_FALSE(e.too_early);
	UT_EQ(tree_text(DISABLE)[0], '1');
	UT_EQ(tree_text(DELETE)[0], '5');
	/* A target that is Online does not end it in its time. */
	tree_put("Online", "/sys/class/fc_remote_ports/rport-5:0-0/port_state");
	q.target = 20;
	busy_again("running");
	UT_EQ(delete_while_ending(&q, &e), 0);
	UT_EQ(tree_text(DISABLE)[0], '1');
	/* What not even the logout ends keeps its vport; an enable lets its LUNs take commands again. */
	busy_again("running");
	UT_EQ(run(PRIV_VPORT_DELETE, q), -EAGAIN);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "1 commands in flight"));
	UT_EQ(tree_text(DISABLE)[0], '1');
	UT_EQ(tree_text(DELETE)[0], '-');
	UT_EQ(strncmp(tree_text(LUN_STATE), "offline", 7), 0);
	tree_put("offline", LUN_STATE);
	q.number = 3;
	UT_EQ(run(PRIV_VPORT_ENABLE, q), 0);
	UT_EQ(strncmp(tree_text(LUN_STATE), "running", 7), 0);
	/* The other drivers abort what is in flight with their delete. */
	tree_put("lpfc", "/sys/class/scsi_host/host2/proc_name");
	busy_again("running");
	UT_EQ(run(PRIV_VPORT_DELETE, q), 0);
	UT_EQ(tree_text(DISABLE)[0], '-');
	UT_EQ(tree_text(DELETE)[0], '5');
	tree_put("fcoe", "/sys/class/scsi_host/host2/proc_name");
	tree_put("0", BUSY);
}

/* A vport whose LOGO nobody answered is Initializing once its parent is back: the kernel enables it only
 * after a disable. */
static void test_enable_hidden(void)
{
	struct priv_request q = {.host = 2, .number = 3, .wwpn = WWPN};
	static const struct {
		const char *driver, *vport, *port;
		bool again;
	} cases[] = {
		{"fcoe", "Initializing", "Unknown", true}, {"fcoe", "Linkdown", "Linkdown", true},
		{"fcoe", "Disabled", "Offline", false},	   {"fcoe", "Initializing", "Online", false},
		{"fcoe", "Active", "Online", false},	   {"lpfc", "Initializing", "Linkdown", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tree_put(cases[i].driver, "/sys/class/scsi_host/host2/proc_name");
		tree_put(cases[i].vport, "/sys/class/fc_vports/vport-2:0-3/vport_state");
		tree_put(cases[i].port, "/sys/class/fc_host/host5/port_state");
		UT_EQ(run(PRIV_VPORT_ENABLE, q), 0);
		UT_EQ(strstr(r.text, "disabled first") != NULL, cases[i].again);
		UT_STREQ(tree_text("/sys/class/fc_vports/vport-2:0-3/vport_disable"), "0");
	}
	q.wwpn++;
	UT_EQ(run(PRIV_VPORT_ENABLE, q), -ENODEV);
}

/* A login that stands still is ended first, unless that would meet the SCSI error handling. */
static void test_enable_anew(void)
{
	struct priv_request q = {.host = 2, .number = 3, .wwpn = WWPN, .target = 1};
	/* A state that was written has its newline: the LUN was closed, and opened again. */
	static const struct {
		const char *scsi_host, *busy, *written, *state;
	} cases[] = {{"running", "0", "10", "running"},
		     {"running", "1", "10", "running\n"},
		     {"recovery", "1", "0", "running"}};
	char seen[8] = "", path[PATH_MAX];
	int fd;

	tree_put("fcoe", "/sys/class/scsi_host/host2/proc_name");
	tree_put("Active", "/sys/class/fc_vports/vport-2:0-3/vport_state");
	tree_put("Online", "/sys/class/fc_host/host5/port_state");
	tree_fifo(DISABLE);
	fd = open(sysroot_path(path, sizeof(path), DISABLE), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	CU_ASSERT_FATAL(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tree_put(cases[i].scsi_host, "/sys/class/scsi_host/host5/state");
		tree_put(cases[i].busy, BUSY);
		tree_put_bytes("running", 7, LUN_STATE);
		UT_EQ(run(PRIV_VPORT_ENABLE, q), 0);
		UT_STREQ(raw_state(), cases[i].state);
		memset(seen, 0, sizeof(seen));
		CU_ASSERT(read(fd, seen, sizeof(seen) - 1) > 0);
		UT_STREQ(seen, cases[i].written);
	}
	close(fd);
	tree_put("0", BUSY);
	tree_remove(DISABLE);
	tree_put("0", DISABLE);
	tree_put("running", "/sys/class/scsi_host/host5/state");
}

static void test_timers(void)
{
	struct priv_request q = {.host = 5, .fast_io_fail = 0, .dev_loss = -2};

	UT_EQ(run(PRIV_RPORT_TIMERS, q), 0);
	UT_EQ(r.count, 1); /* the target alone */
	/* A file keeps the tail of what was longer; an attribute would not. */
	UT_EQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-0/fast_io_fail_tmo")[0], '0');
	UT_STREQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-1/fast_io_fail_tmo"), "off");
	UT_STREQ(r.text, "rport-5:0-0=off/60;");
	strcpy(q.text, r.text);
	UT_EQ(run(PRIV_RPORT_RESTORE, q), 0);
	UT_STREQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-0/fast_io_fail_tmo"), "off");
	strcpy(q.text, "../../x=1/2;");
	UT_EQ(run(PRIV_RPORT_RESTORE, q), -EINVAL);
	strcpy(q.text, "rport-5:0-44=off/60;"); /* gone meanwhile */
	UT_EQ(run(PRIV_RPORT_RESTORE, q), 0);
}

/* Text as the journal gives it back: cut anywhere, it must not be read as other timers. */
static void test_timers_text(void)
{
	static const char *const bad[] = {"rport-5:0-0=off/6",		"rport-5:0-0=off/",
					  "rport-5:0-0=off;",		"rport-5:0-0;",
					  "rport-6:0-0=off/60;",	"rport-5:0-0=-1/60;",
					  "rport-5:0-0=off/-60;",	"rport-5:0-0=off/99999999999;",
					  "rport-5:0-0x=off/60;",	"rport-5:0-0,..=off/60;",
					  "rport-5:0-0=off/60;nonsense"};
	struct priv_request q = {.host = 5, .fast_io_fail = 3, .dev_loss = 30};

	tree_rport(5, 2, "0x5006016000000a02", true);
	tree_rport(5, 3, "0x5006016000000a03", true);
	tree_put("4294967295", "/sys/class/fc_remote_ports/rport-5:0-3/dev_loss_tmo");
	tree_put("5", "/sys/class/fc_remote_ports/rport-5:0-3/fast_io_fail_tmo");
	UT_EQ(run(PRIV_RPORT_TIMERS, q), 0);
	UT_EQ(r.count, 3);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "0-3=5/4294967295;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "=off/60;"));
	strcpy(q.text, r.text);
	UT_EQ(run(PRIV_RPORT_RESTORE, q), 0);
	UT_EQ(r.count, 3);
	UT_STREQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-3/dev_loss_tmo"), "4294967295");
	UT_STREQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-2/fast_io_fail_tmo"), "off");
	tree_put("77", "/sys/class/fc_remote_ports/rport-5:0-0/dev_loss_tmo");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) - 2; i++) {
		strcpy(q.text, bad[i]);
		UT_EQ(run(PRIV_RPORT_RESTORE, q), -EINVAL);
		UT_STREQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-0/dev_loss_tmo"), "77");
	}
	for (size_t i = sizeof(bad) / sizeof(bad[0]) - 2; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(q.text, bad[i]);
		UT_EQ(run(PRIV_RPORT_RESTORE, q), -EINVAL);
	}
}

/* More targets than the text has room for: none is set whose timers could not be set back. */
static void test_timers_many(void)
{
	struct priv_request q = {.host = 5, .fast_io_fail = 0, .dev_loss = -2};
	char timer[16];

	for (unsigned i = 2; i < 80; i++) {
		tree_rport(5, i, "0x5006016000000a02", true);
		snprintf(timer, sizeof(timer), "%u", 100 + i); /* each its own: no two share an entry */
		tree_put(timer, "/sys/class/fc_remote_ports/rport-5:0-%u/dev_loss_tmo", i);
	}
	UT_EQ(run(PRIV_RPORT_TIMERS, q), -ENOSPC);
	CU_ASSERT_TRUE(r.count > 10 && r.count < 79);
	UT_EQ(r.text[strlen(r.text) - 1], ';');
	for (unsigned i = 2; i < 80; i++) {
		char entry[32];

		snprintf(entry, sizeof(entry), "rport-5:0-%u=", i);
		UT_EQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-%u/fast_io_fail_tmo", i)[0],
		      strstr(r.text, entry) ? '0' : 'o');
	}
}

/* With the same timers, as is the rule, a hundred targets have room. */
static void test_timers_alike(void)
{
	struct priv_request q = {.host = 5, .fast_io_fail = 0, .dev_loss = -2};

	for (unsigned i = 2; i < 100; i++)
		tree_rport(5, i, "0x5006016000000a02", true);
	UT_EQ(run(PRIV_RPORT_TIMERS, q), 0);
	UT_EQ(r.count, 99);
	strcpy(q.text, r.text);
	UT_EQ(run(PRIV_RPORT_RESTORE, q), 0);
	UT_EQ(r.count, 99);
	UT_STREQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-42/fast_io_fail_tmo"), "off");
}

static void test_timers_fields(void)
{
	static const int32_t bad[][2] = {{-3, -2},	  {601, -2}, {INT32_MIN, -2},
					 {INT32_MAX, 60}, {0, -1},   {0, -3}};
	struct priv_request q = {.host = 5};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		q.fast_io_fail = bad[i][0], q.dev_loss = bad[i][1];
		UT_EQ(run(PRIV_RPORT_TIMERS, q), -EINVAL);
	}
	UT_STREQ(tree_text("/sys/class/fc_remote_ports/rport-5:0-0/fast_io_fail_tmo"), "off");
	q.fast_io_fail = -1, q.dev_loss = -2;
	/* Timers that can't be read can't be set back: what can't be read is going. */
	tree_remove("/sys/class/fc_remote_ports/rport-5:0-0/dev_loss_tmo");
	UT_EQ(run(PRIV_RPORT_TIMERS, q), 0);
	UT_EQ(r.count, 0);
	UT_STREQ(r.text, "");
	q.host = 77;
	UT_EQ(run(PRIV_RPORT_TIMERS, q), -ENODEV);
	UT_EQ(run(PRIV_RPORT_RESTORE, q), -ENODEV);
}

/* Only of a vport that is logged in: while it logs in, libfc must not see another name. */
static void test_symbolic_name(void)
{
	struct priv_request q = {.host = 2, .number = 3, .wwpn = WWPN, .wwnn = 0x20, .name = "vhba db1 0"};
	const char *attr = "/sys/class/fc_vports/vport-2:0-3/symbolic_name", *text;

	tree_put("an older one that is longer than it", "%s", attr);
	UT_EQ(run(PRIV_VPORT_CREATE, q), 0);
	UT_STREQ(tree_text("%s", attr), "an older one that is longer than it");
	tree_put("Unknown", "/sys/class/fc_host/host5/port_state");
	UT_EQ(run(PRIV_VPORT_NAME, q), -ENOTCONN);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "Unknown"));
	tree_put("Online", "/sys/class/fc_host/host5/port_state");
	UT_EQ(run(PRIV_VPORT_NAME, q), 0);
	text = tree_text("%s", attr);
	CU_ASSERT_FALSE(strncmp(text, "vhba db1 0 ", 11));
	UT_EQ(strlen(text), 63);
	strcpy(q.name, "a\nb");
	UT_EQ(run(PRIV_VPORT_NAME, q), -EINVAL);
	strcpy(q.name, "\xc3\xa4");
	UT_EQ(run(PRIV_VPORT_NAME, q), -EINVAL);
	q.wwpn++;
	UT_EQ(run(PRIV_VPORT_NAME, q), -ENODEV);
}

/* A fifo as sg node gives back what is written to it: a command that ends well. */
static void test_sync_cache(void)
{
	struct priv_request q = {.host = 5, .wwpn = WWPN, .number = 200};

	UT_EQ(run(PRIV_SYNC_CACHE, q), 0); /* none has a cache */
	UT_EQ(r.count, 0);
	UT_EQ(r.value, 0);
	tree_put("write back", "/sys/class/scsi_disk/5:0:0:0/cache_type");
	tree_put("write through", "/sys/class/scsi_disk/5:0:0:1/cache_type");
	tree_put("running", "/sys/class/scsi_device/5:0:0:0/device/state");
	tree_put("", "/sys/class/scsi_device/5:0:0:0/device/scsi_generic/sg0/uevent");
	tree_fifo("/dev/sg0");
	UT_EQ(run(PRIV_SYNC_CACHE, q), 0);
	UT_EQ(r.count, 1);
	UT_EQ(r.value, 0);
	UT_STREQ(r.text, "");
	tree_put("blocked", "/sys/class/scsi_device/5:0:0:0/device/state");
	UT_EQ(run(PRIV_SYNC_CACHE, q), 0);
	UT_EQ(r.count, 0);
	UT_EQ(r.value, 1);
	CU_ASSERT(strstr(r.text, "5:0:0:0: ") != NULL);
	tree_put("running", "/sys/class/scsi_device/5:0:0:0/device/state");
	tree_put("2", "/sys/class/scsi_device/5:0:0:1/device/device_busy");
	UT_EQ(run(PRIV_SYNC_CACHE, q), -EBUSY); /* commands at a LUN beside it */
	UT_STREQ(r.text, "2 commands are in flight");
	tree_put("0", "/sys/class/scsi_device/5:0:0:1/device/device_busy");
	q.number = 0;
	UT_EQ(run(PRIV_SYNC_CACHE, q), 0);
	UT_EQ(r.value, 1);
	UT_STREQ(r.text, "5:0:0:0: no time");
	q.wwpn++;
	UT_EQ(run(PRIV_SYNC_CACHE, q), -ENODEV);
	q = (struct priv_request){.host = 9, .wwpn = WWPN};
	UT_EQ(run(PRIV_SYNC_CACHE, q), -ENODEV);
}

/* What a command that did not end well says. */
static void test_sgio_text(void)
{
	static const struct {
		struct sgio job;
		const char *text;
	} cases[] = {
		{{.result = SGIO_GOOD}, "good"},
		{{.result = SGIO_NO_END}, "no answer"},
		{{.result = SGIO_NOT_BEGUN}, "no time"},
		{{.result = SGIO_ERROR, .err = -ENODEV}, "No such device"},
		{{.result = SGIO_STATUS, .status = 0x18}, "reservation conflict"},
		{{.result = SGIO_STATUS, .status = 0x08}, "status 08"},
		{{.result = SGIO_STATUS,
		  .status = 0x02,
		  .sense = {0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20},
		  .sense_len = 18},
		 "sense 05/20/00"},
		{{.result = SGIO_STATUS, .status = 0x02}, "status 02"},
	};
	char text[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		UT_STREQ(sgio_text(&cases[i].job, text, sizeof(text)), cases[i].text);
}

/* A node whose device has gone reads as nothing, and one that is no sg node at all is no answer either. */
static void test_sgio_nodes(void)
{
	struct sgio job[2] = {{.cdb = {0x35}, .cdb_len = 10}, {.cdb = {0x35}, .cdb_len = 10}};
	char path[128];

	tree_put("", "/dev/sg7");
	job[0].fd = open(sysroot_path(path, sizeof(path), "/dev/sg7"), O_RDWR | O_APPEND | O_CLOEXEC);
	job[1].fd = open(path, O_RDONLY | O_CLOEXEC);
	CU_ASSERT_FATAL(job[0].fd >= 0 && job[1].fd >= 0);
	sgio_run(job, 2, mono_add(mono_now(), USEC_PER_SEC));
	UT_EQ(job[0].result, SGIO_ERROR);
	UT_EQ(job[0].err, -ENODEV);
	UT_EQ(job[1].result, SGIO_ERROR);
	UT_EQ(job[1].err, -EBADF);
	close(job[0].fd);
	close(job[1].fd);
	sgio_run(job, 0, mono_now());
}

/* READ FULL STATUS: two registrants, one of them this WWPN; and what is cut, or no such data at all. */
static void test_pr(void)
{
	uint8_t d[8 + 2 * 48] = {0, 0, 0, 9, 0, 0, 0, 96};
	struct pr_seen s;

	d[8 + 7] = 0x11;
	d[8 + 12] = 1; /* holds the reservation */
	d[8 + 13] = 3;
	d[8 + 23] = 24;
	memcpy(d + 8 + 32, (uint8_t[8]){0x50, 0x2a, 0xb3, 0, 0, 0, 0, 1}, 8);
	d[56 + 7] = 0x22;
	d[56 + 23] = 24;
	memcpy(d + 56 + 32, (uint8_t[8]){0x50, 0x2a, 0xb3, 0, 0, 0, 0, 2}, 8);
	UT_EQ(pr_parse_full_status(d, sizeof(d), WWPN, &s), 0);
	CU_ASSERT(s.key_known && s.key == 0x11 && s.type == 3 && s.holder == 0x11);
	UT_EQ(pr_parse_full_status(d, sizeof(d), WWPN + 1, &s), 0);
	CU_ASSERT(s.key_known && s.key == 0x22 && s.type == 3 && s.holder == 0x11);
	UT_EQ(pr_parse_full_status(d, sizeof(d), WWPN + 2, &s), 0);
	CU_ASSERT(s.key_known && !s.key && s.type == 3);
	UT_EQ(pr_parse_full_status(d, sizeof(d) - 48, WWPN + 1, &s), 0); /* the second did not come */
	CU_ASSERT(!s.key_known && s.type == 3);
	d[8 + 13] = 8; /* all registrants hold it */
	UT_EQ(pr_parse_full_status(d, sizeof(d), WWPN, &s), 0);
	CU_ASSERT(s.type == 8 && !s.holder);
	d[56 + 20] = 0xff; /* a TransportID beyond the end */
	UT_EQ(pr_parse_full_status(d, sizeof(d), WWPN, &s), -EBADMSG);
	UT_EQ(pr_parse_full_status(d, 7, WWPN, &s), -EBADMSG);
	memset(d, 0, sizeof(d));
	UT_EQ(pr_parse_full_status(d, sizeof(d), WWPN, &s), 0);
	CU_ASSERT(s.key_known && !s.key && !s.type);
	UT_EQ(pr_parse_reservation(d, sizeof(d), &s), 0);
	CU_ASSERT(!s.key_known && !s.type);
	d[7] = 16;
	d[15] = 0x33;
	d[21] = 0x01;
	UT_EQ(pr_parse_reservation(d, sizeof(d), &s), 0);
	CU_ASSERT(s.type == 1 && s.holder == 0x33);
	UT_EQ(pr_parse_reservation(d, 12, &s), -EBADMSG);
}

/* A fifo as sg node gives back the command's header as its end: no data has come, so nothing is registered.
 */
static void test_reservations(void)
{
	struct priv_request q = {.host = 5, .wwpn = WWPN, .number = 200};

	tree_put("write through", "/sys/class/scsi_disk/5:0:0:2/cache_type");
	tree_put("running", "/sys/class/scsi_device/5:0:0:2/device/state");
	tree_put("0", "/sys/class/scsi_device/5:0:0:2/device/device_busy");
	tree_put("", "/sys/class/scsi_device/5:0:0:2/device/scsi_generic/sg9/uevent");
	tree_remove("/sys/class/scsi_disk/5:0:0:0/cache_type");
	tree_fifo("/dev/sg9");
	q.wwpn++;
	UT_EQ(run(PRIV_RESERVATIONS, q), -ENODEV);
	q.wwpn--;
	UT_EQ(run(PRIV_RESERVATIONS, q), 0);
	UT_EQ(r.count, 0);
	UT_STREQ(r.text, "");
	tree_put("1", "/sys/class/scsi_device/5:0:0:2/device/device_busy");
	UT_EQ(run(PRIV_RESERVATIONS, q), -EBUSY);
	q.channel = 1;
	UT_EQ(run(PRIV_RESERVATIONS, q), 0);
	tree_put("0", "/sys/class/scsi_device/5:0:0:2/device/device_busy");
	tree_put("blocked", "/sys/class/scsi_device/5:0:0:2/device/state");
	UT_EQ(run(PRIV_RESERVATIONS, q), 0);
	CU_ASSERT(r.value >= 1);
}

/* A multipathd that gives one answer to each command and writes down the last. */
static pid_t fake_multipathd(const char *answer)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char command[128];
	pid_t pid;

	tree_put("", "/run/command");
	sysroot_path(a.sun_path, sizeof(a.sun_path), "/run/multipathd.socket");
	unlink(a.sun_path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
		abort();
	pid = ut_fork();
	for (int c; !pid && (c = accept(fd, NULL, NULL)) >= 0; close(c)) {
		size_t len = 0, n = strlen(answer) + 1;

		if (recv(c, &len, sizeof(len), MSG_WAITALL) == sizeof(len) && len <= sizeof(command) &&
		    recv(c, command, len, MSG_WAITALL) == (ssize_t)len)
			tree_put(command, "/run/command");
		if (!*answer)
			continue;
		send(c, &n, sizeof(n), MSG_NOSIGNAL);
		send(c, answer, n, MSG_NOSIGNAL);
	}
	close(fd);
	return pid;
}

static void end_multipathd(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_maps(void)
{
	struct priv_request q = {.host = 5, .wwpn = WWPN};
	pid_t pid;

	tree_put("", "/sys/class/scsi_device/5:0:0:0/device/block/sda/uevent");
	tree_put("", "/sys/class/scsi_device/5:0:0:1/device/block/sdb/uevent");
	tree_put("", "/sys/class/scsi_device/6:0:0:0/device/block/sdc/uevent");
	UT_EQ(run(PRIV_MAPS_FAIL, q), 0); /* no map, and multipathd is not asked for */
	UT_EQ(r.count, 0);
	tree_put("", "/sys/class/block/sda/holders/dm-3/uevent");
	tree_put("", "/sys/class/block/sdb/holders/dm-3/uevent"); /* the same */
	tree_put("", "/sys/class/block/sdb/holders/dm-4/uevent"); /* an LVM volume */
	tree_put("", "/sys/class/block/sdc/holders/dm-5/uevent"); /* of another host */
	tree_put("mpath-3600", "/sys/class/block/dm-3/dm/uuid");
	tree_put("LVM-abc", "/sys/class/block/dm-4/dm/uuid");
	tree_put("mpath-3601", "/sys/class/block/dm-5/dm/uuid");
	UT_EQ(run(PRIV_MAPS_FAIL, q), -ENOENT); /* multipathd does not run */
	UT_EQ(r.value, 1);
	pid = fake_multipathd("ok\n");
	UT_EQ(run(PRIV_MAPS_FAIL, q), 0);
	UT_EQ(r.count, 1);
	UT_EQ(r.value, 0);
	UT_STREQ(r.text, "dm-3");
	UT_STREQ(tree_text("/run/command"), "disablequeueing map dm-3");
	UT_EQ(run(PRIV_MAPS_RESTORE, q), 0);
	UT_STREQ(tree_text("/run/command"), "restorequeueing map dm-3");
	end_multipathd(pid);
	pid = fake_multipathd("fail\n");
	UT_EQ(run(PRIV_MAPS_FAIL, q), 0);
	UT_EQ(r.count, 0);
	UT_EQ(r.value, 1);
	UT_STREQ(r.text, "dm-3: fail");
	end_multipathd(pid);
	pid = fake_multipathd("");
	UT_EQ(run(PRIV_MAPS_FAIL, q), -EPROTO);
	end_multipathd(pid);
	q.wwpn++;
	UT_EQ(run(PRIV_MAPS_FAIL, q), -ENODEV);
}

/* Only a disk that runs and has none is asked: the others would be held up for nothing. */
static void test_sizes(void)
{
	static const struct {
		const char *sectors, *state, *written;
	} lun[] = {{"0", "running", "1"}, {"2048", "running", ""}, {"0", "transport-offline", ""}};

	for (unsigned i = 0; i < 3; i++) {
		tree_put(lun[i].sectors, "/sys/class/scsi_device/5:0:0:%u/device/block/sd%c/size", i,
			 'a' + i);
		tree_put(lun[i].state, "/sys/class/scsi_device/5:0:0:%u/device/state", i);
		tree_put("", "/sys/class/scsi_device/5:0:0:%u/device/rescan", i);
	}
	tree_put("0", "/sys/class/scsi_device/55:0:0:0/device/block/sdx/size");
	tree_put("running", "/sys/class/scsi_device/55:0:0:0/device/state");
	tree_put("", "/sys/class/scsi_device/55:0:0:0/device/rescan");
	UT_EQ(run(PRIV_READ_SIZES, (struct priv_request){.host = 5}), 0);
	UT_EQ(r.count, 0); /* it has none for all that */
	for (unsigned i = 0; i < 3; i++)
		UT_STREQ(tree_text("/sys/class/scsi_device/5:0:0:%u/device/rescan", i), lun[i].written);
	UT_STREQ(tree_text("/sys/class/scsi_device/55:0:0:0/device/rescan"), "");
	UT_EQ(run(PRIV_READ_SIZES, (struct priv_request){.host = 5, .number = 1}), 0);
	UT_EQ(r.count, 1);
	UT_STREQ(tree_text("/sys/class/scsi_device/5:0:0:1/device/rescan"), "1");
	UT_STREQ(tree_text("/sys/class/scsi_device/5:0:0:2/device/rescan"), "");
	UT_EQ(run(PRIV_READ_SIZES, (struct priv_request){.host = 6}), -ENODEV);
}

/* Attributes of the device come along, for reading: the one without the other if there is no other. */
static void test_attributes(struct priv_request q)
{
	char text[8] = "";

	tree_put("running", "/sys/class/scsi_device/5:0:0:9/device/state");
	UT_EQ(run(PRIV_LUN_OPEN, q), 0);
	UT_EQ(r.fds, 4);
	UT_EQ(r.number, PRIV_LUN_BSG | PRIV_LUN_STATE);
	priv_reply_close(&r);
	tree_put("standby", "/sys/class/scsi_device/5:0:0:9/device/access_state");
	UT_EQ(run(PRIV_LUN_OPEN, q), 0);
	UT_EQ(r.fds, 5);
	UT_EQ(r.number, PRIV_LUN_BSG | PRIV_LUN_STATE | PRIV_LUN_ACCESS);
	UT_EQ(fcntl(r.fd[3], F_GETFL) & O_ACCMODE, O_RDONLY);
	UT_EQ(read(r.fd[3], text, 7), 7);
	UT_STREQ(text, "running");
	UT_EQ(read(r.fd[4], text, 7), 7);
	UT_STREQ(text, "standby");
	priv_reply_close(&r);
}

/* The nodes of the LUN that is meant, and of no other; they come whole through a socket. */
static void test_open(void)
{
	static const uint8_t page[] = {0, 0x83, 0, 12, 1, 3, 0, 8, 0x60, 1, 2, 3, 4, 5, 6, 7};
	struct priv_request q = {
		.host = 5, .wwpn = WWPN, .target = 0, .wwnn = 9, .text = "naa.6001020304050607"};
	struct priv_reply got;
	char path[200], text[8] = "";
	int sv[2], fd;

	tree_put_bytes(page, sizeof(page), "/sys/class/scsi_device/5:0:0:9/device/vpd_pg83");
	tree_put("1", "/sys/class/scsi_device/5:0:0:9/device/block/sdj/size");
	tree_put("", "/sys/class/scsi_device/5:0:0:9/device/scsi_generic/sg9/dev");
	tree_put("sg9", "/dev/sg9");
	UT_EQ(run(PRIV_LUN_OPEN, q), -ENOENT); /* the disk's node is not there yet */
	tree_put("sdj", "/dev/sdj");
	fd = open(sysroot_path(path, sizeof(path), "/dev/sdj"), O_RDWR | O_DIRECT);
	if (fd < 0)
		return; /* a file system that can't, where no disk is */
	close(fd);
	UT_EQ(run(PRIV_LUN_OPEN, q), 0);
	UT_EQ(r.fds, 2);
	UT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	UT_EQ(priv_reply_send(sv[0], &r, 0), sizeof(r));
	UT_EQ(r.fds, 0);
	UT_EQ(priv_reply_recv(sv[1], &got, 0), sizeof(got));
	UT_EQ(got.fds, 2);
	UT_EQ(fcntl(got.fd[0], F_GETFL) & (O_DIRECT | O_ACCMODE), O_DIRECT | O_RDWR);
	UT_EQ(read(got.fd[1], text, 3), 3);
	UT_STREQ(text, "sg9");
	priv_reply_close(&got);
	tree_put("bsg", "/dev/bsg/5:0:0:9");
	UT_EQ(run(PRIV_LUN_OPEN, q), 0);
	UT_EQ(r.fds, 3);
	UT_EQ(priv_reply_send(sv[0], &r, 0), sizeof(r));
	UT_EQ(priv_reply_recv(sv[1], &got, 0), sizeof(got));
	UT_EQ(got.fds, 3);
	UT_EQ(read(got.fd[2], text, 3), 3);
	UT_STREQ(text, "bsg");
	UT_EQ(got.number, PRIV_LUN_BSG);
	priv_reply_close(&got);
	test_attributes(q);
	close(sv[0]);
	close(sv[1]);
	strcpy(q.text, "naa.6001020304050608");
	UT_EQ(run(PRIV_LUN_OPEN, q), -ENODEV);
	UT_EQ(r.fds, 0);
	strcpy(q.text, "naa.6001020304050607");
	q.wwpn++;
	UT_EQ(run(PRIV_LUN_OPEN, q), -ENODEV);
}

static void test_luns(void)
{
	uint8_t data[8 + 8 * 70] = {
		0, 0, 0, 32, [17] = 1, [24] = 0x41, [25] = 2, [32] = 0xd2, [33] = 4, 0x0b, 3};

	tree_put("", "/sys/class/scsi_host/host5/scan");
	UT_EQ(run(PRIV_SCAN, (struct priv_request){.host = 5}), 0);
	UT_STREQ(tree_text("/sys/class/scsi_host/host5/scan"), "- - -");
	tree_put("", "/sys/class/scsi_host/host6/scan"); /* a disk controller, not Fibre Channel */
	UT_EQ(run(PRIV_SCAN, (struct priv_request){.host = 6}), -ENODEV);
	UT_STREQ(tree_text("/sys/class/scsi_host/host6/scan"), "");
	UT_EQ(run(PRIV_REPORT_LUNS, (struct priv_request){.host = 5, .target = 9}), -ENODEV);
	tree_remove("/dev/sg0");
	UT_EQ(run(PRIV_REPORT_LUNS, (struct priv_request){.host = 5}), -ENOENT);
	tree_put("", "/dev/sg0");
	UT_EQ(run(PRIV_REPORT_LUNS, (struct priv_request){.host = 5}), -ENOTTY);
	tree_put("", "/sys/class/scsi_device/6:0:0:0/device/scsi_generic/sg7/uevent");
	UT_EQ(run(PRIV_REPORT_LUNS, (struct priv_request){.host = 6}), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "no FC host"));
	/* As in H:C:T:L: flat addressing keeps its method's bits (scsilun_to_int). */
	verb_list_luns(data, 40, &r);
	UT_EQ(r.count, 4);
	UT_STREQ(r.text, "0,1,16642,184799748");
	verb_list_luns(data, 24, &r); /* fewer came than it claims */
	UT_EQ(r.count, 2);
	UT_STREQ(r.text, "0,1");
	verb_list_luns(data, 7, &r);
	UT_EQ(r.count, 0);
	memset(data, 0xff, sizeof(data));
	verb_list_luns(data, sizeof(data), &r);
	UT_EQ(r.count, 70); /* how many there are, also when not all have room */
	CU_ASSERT_TRUE(strlen(r.text) < sizeof(r.text) && !strncmp(r.text, "18446744073709551615,", 21));
}

/* What no vport survives is not written, whoever asks. */
static void test_never_written(void)
{
	tree_put("0", "/sys/class/fc_host/host5/issue_lip");
	UT_EQ(verb_write("1", "/sys/class/fc_host/host%d/issue_lip", 5), -EPERM);
	UT_STREQ(tree_text("/sys/class/fc_host/host5/issue_lip"), "0");
	tree_put("0", "/sys/class/scsi_device/5:0:0:0/device/delete");
	UT_EQ(verb_write("1", "/sys/class/scsi_device/%s/device/delete", "5:0:0:0"), -EPERM);
	UT_STREQ(tree_text("/sys/class/scsi_device/5:0:0:0/device/delete"), "0");
	UT_EQ(verb_write("1", "/sys/class/fc_vports/vport-2:0-3/vport_disable"), 0);
}

static void test_name_server(void)
{
	struct priv_request q = {.host = 2, .wwpn = WWPN};

	UT_EQ(run(PRIV_CT_GID_PN, q), -ENOENT); /* no /dev/bsg/fc_host2 */
	tree_put("", "/dev/bsg/fc_host2");
	UT_EQ(run(PRIV_CT_GID_PN, q), -ENOTTY);
	UT_EQ(r.value, CT_NO_PROOF);
	tree_put("Linkdown", "/sys/class/fc_host/host2/port_state");
	UT_EQ(run(PRIV_CT_GID_PN, q), -ENOTCONN);
	q.wwpn = 0;
	UT_EQ(run(PRIV_CT_GID_PN, q), -EINVAL);
	q.host = 5; /* a vport's host: not all drivers answer there */
	UT_EQ(run(PRIV_CT_GID_PN, q), -EOPNOTSUPP);
}

static void test_f_port(void)
{
	struct priv_request q = {.host = 2, .target = 0x010203};

	UT_EQ(run(PRIV_CT_GFPN_ID, q), -ENOENT); /* no /dev/bsg/fc_host2 */
	tree_put("", "/dev/bsg/fc_host2");
	tree_put("0x010101", "/sys/class/fc_host/host2/port_id");
	UT_EQ(run(PRIV_CT_GFPN_ID, q), -ENOTTY);
	UT_EQ(r.value, CT_NO_PROOF);
	q.target = 0x1000000;
	UT_EQ(run(PRIV_CT_GFPN_ID, q), -EINVAL);
	q.target = 0;
	tree_put("0x000000", "/sys/class/fc_host/host2/port_id");
	UT_EQ(run(PRIV_CT_GFPN_ID, q), -ENOTCONN);
	UT_STREQ(r.text, "host2 has no N_Port_ID");
	tree_put("Linkdown", "/sys/class/fc_host/host2/port_state");
	UT_EQ(run(PRIV_CT_GFPN_ID, q), -ENOTCONN);
	q.host = 5;
	UT_EQ(run(PRIV_CT_GFPN_ID, q), -EOPNOTSUPP);
}

static void test_interfaces(void)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "a b", "abcdefghijklmnop", "a:1"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		UT_EQ(verb_check_ifname(bad[i]), -EINVAL);
	UT_EQ(verb_check_ifname("eth0.10f"), 0);
	UT_EQ(run(PRIV_FCOE_CREATE, (struct priv_request){.name = "nosuch0"}), -ENODEV);
	UT_EQ(run(PRIV_LINK_ADD, (struct priv_request){.name = "lo", .number = 4095}), -EINVAL);
	UT_EQ(run(PRIV_LINK_DELETE, (struct priv_request){.name = "lo"}), -EINVAL);
	CU_ASSERT_PTR_NULL(verb_find(PRIV_VERBS_));
	CU_ASSERT_PTR_NULL(verb_find(~0u));
}

/* ---- the pool ---- */

static bool next_reply(struct pool *p, struct priv_reply *reply, uint64_t within_ms)
{
	struct monotime end = mono_add(mono_now(), within_ms * USEC_PER_MSEC);
	struct pollfd fds[256];

	while (!mono_reached(end, mono_now())) {
		size_t n = pool_fds(p, fds, 256);

		poll(fds, n, 5);
		pool_run(p, mono_now());
		if (pool_next_reply(p, reply))
			return true;
	}
	return false;
}

/* A verb that the kernel holds: opening a FIFO for writing waits for a reader, as a driver waits for a lock.
 * What it cuts off can't be sent again by then. */
static void test_stuck(void)
{
	struct priv_request q = {.version = PRIV_VERSION,
				 .id = 7,
				 .verb = PRIV_VPORT_DISABLE,
				 .timeout_ms = 50,
				 .host = 2,
				 .number = 3,
				 .target = 1,
				 .wwpn = WWPN};
	struct pool *p = pool_new(-1);
	char text[300];
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	tree_put("running", "/sys/class/scsi_host/host5/state");
	tree_put("running", LUN_STATE);
	tree_fifo("/sys/class/fc_vports/vport-2:0-3/vport_disable");
	UT_EQ(pool_submit(p, &q), 0);
	CU_ASSERT_TRUE(next_reply(p, &r, 5000));
	UT_EQ(r.id, 7);
	UT_EQ(r.err, -ETIMEDOUT);
	UT_EQ(strncmp(tree_text(LUN_STATE), "offline", 7), 0);
	UT_EQ(r.flags & PRIV_LATE, 0);
	q.id = 8, q.verb = PRIV_PING, q.timeout_ms = 5000;
	UT_EQ(pool_submit(p, &q), 0); /* others go on meanwhile */
	CU_ASSERT_TRUE(next_reply(p, &r, 5000));
	UT_EQ(r.id, 8);
	UT_EQ(r.err, 0);
	sysroot_path(text, sizeof(text), "/sys/class/fc_vports/vport-2:0-3/vport_disable");
	fd = open(text, O_RDONLY | O_NONBLOCK);
	CU_ASSERT_TRUE(next_reply(p, &r, 5000)); /* it ends after all */
	UT_EQ(r.id, 7);
	UT_EQ(r.flags & PRIV_LATE, PRIV_LATE);
	close(fd);
	pool_free(p);
}

static void test_many(void)
{
	struct priv_request q = {.version = PRIV_VERSION, .verb = PRIV_PING, .timeout_ms = 10000};
	struct pool *p = pool_new(-1);
	unsigned sum = 0;

	for (q.id = 1; q.id <= 64; q.id++)
		UT_EQ(pool_submit(p, &q), 0);
	for (int i = 0; i < 64 && next_reply(p, &r, 10000); i++)
		sum += r.id;
	UT_EQ(sum, 64 * 65 / 2);
	pool_free(p);
}

/* ---- FIP ---- */

static void test_fip(void)
{
	uint8_t frame[64], answer[64] = {0};
	uint16_t list[4];
	size_t n = 0;

	UT_EQ(fip_vlan_request(frame, (uint8_t[]){2, 0, 0, 0, 0, 1}), 64);
	memcpy(answer + 12, (uint8_t[]){0x89, 0x14, 0x10, 0, 0, 4, 0, 2, 0, 4}, 10);
	memcpy(answer + 24, (uint8_t[]){2, 2, 0, 0, 0, 0, 0, 0, 14, 1, 0, 10, 14, 1, 0, 20}, 16);
	UT_EQ(fip_vlan_parse(answer, 60, list, 4, &n), 2);
	UT_EQ(list[1], 20);
	UT_EQ(fip_vlan_parse(answer, 60, list, 4, &n), 0); /* known by now */
	answer[25] = 0; /* a descriptor without length would be read for ever */
	UT_EQ(fip_vlan_parse(answer, 60, list, 4, &n), -EBADMSG);
	UT_EQ(fip_vlan_parse(answer, 23, list, 4, &n), -EBADMSG);
	UT_EQ(fip_vlan_parse(frame, 64, list, 4, &n), -EBADMSG);
}

static CU_TestInfo verbs[] = {
	{"vport_create", test_create},
	{"disable, enable, delete", test_switch},
	{"LUNs closed and opened", test_lun_state},
	{"enable what is logged out and not Disabled", test_enable_hidden},
	{"log in anew", test_enable_anew},
	{"no logout during SCSI error handling", test_error_handling},
	{"commands that end by themselves are let end", test_let_end},
	{"a delete with commands in flight cuts them off first", test_cut_off},
	{"rport timers", test_timers},
	{"rport timers as text", test_timers_text},
	{"rport timers of many targets", test_timers_many},
	{"rport timers that are alike", test_timers_alike},
	{"rport timers' fields", test_timers_fields},
	{"symbolic names", test_symbolic_name},
	{"caches are synchronised", test_sync_cache},
	{"what a command says", test_sgio_text},
	{"nodes that are none", test_sgio_nodes},
	{"maps are told", test_maps},
	{"what PERSISTENT RESERVE IN tells", test_pr},
	{"reservations are read", test_reservations},
	{"LUNs", test_luns},
	{"disks that have lost their size", test_sizes},
	{"a LUN is opened", test_open},
	{"what must never be written", test_never_written},
	{"the name server", test_name_server},
	{"an F_Port's name", test_f_port},
	{"interfaces", test_interfaces},
	{"FIP VLAN notifications", test_fip},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo pool[] = {
	{"a child that blocks", test_stuck},
	{"many at once", test_many},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"verbs", verbs, begin, NULL},
		{"pool", pool, begin, NULL},
		{0},
	};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhbad's side of vhba-io: real processes of a stand-in (tests/io-stand-in.c), a front end and vhba-priv
 * played by the test.  What a front end sees when one dies, when vhbad dies, when the VM is quiesced.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ios_private.h"
#include "op.h"
#include "ticket.h"
#include "ut-privq.h"
#include "ut-tree.h"
#include "ut.h"

#define UUID "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01"
#define WWPN 0x502ab30000000001
#define PATIENCE (10 * USEC_PER_SEC)

static struct config cfg;
static struct daemon d;
static char run_dir[64], state_dir[64], program[PATH_MAX];
static struct verror e;

/* ---- the daemon ---- */

static void run(void)
{
	ut_privq_run(&d, 10 * USEC_PER_MSEC);
	registry_dispatch(d.reg, mono_now());
}

#define UNTIL(condition)                                                                                     \
	do {                                                                                                 \
		struct monotime stop_ = mono_add(mono_now(), PATIENCE);                                      \
		while (!(condition) && !mono_reached(stop_, mono_now()))                                     \
			run();                                                                               \
		CU_ASSERT_TRUE_FATAL(condition);                                                             \
	} while (0)

static void written(void *arg, const struct verror *why)
{
	*(bool *)arg = true;
	CU_ASSERT_PTR_NULL(why);
}

static const struct reg_vm *db1(void)
{
	return registry_find(d.reg, "db1");
}

/* A VM with files, and with an array's LUN if it has a vhba. */
static void register_vm(enum reg_io_kind kind, bool vhba, bool gate, const char *file)
{
	char zones[] = "db";
	struct reg_lun lun = {.designator = "naa.60020000000000000000000000000000",
			      .target = 0x500601600000000a};
	struct reg_vhba v = {.vsan = 10,
			     .wwpn = WWPN,
			     .wwnn = 0x502ab30000000002,
			     .known = true,
			     .zones = zones,
			     .luns_n = 1,
			     .luns = &lun};
	struct reg_guest_lun files[2] = {{.number = 4, .serial = "four"}, {.number = 7, .serial = "seven"}};
	struct reg_vm rv = {.uuid = UUID,
			    .name = "db1",
			    .owner = "here",
			    .io = {.kind = kind, .gate = gate},
			    .vhbas_n = vhba,
			    .vhbas = &v,
			    .guest_luns_n = file ? 2 : 0,
			    .guest_luns = files};
	bool done = false;

	snprintf(files[0].file, sizeof(files[0].file), "%s", file ? file : "");
	snprintf(files[1].file, sizeof(files[1].file), "/nothing/b");
	CU_ASSERT_EQUAL_FATAL(registry_import(d.reg, &rv, written, &done, &e), 0);
	UNTIL(done);
}

static int begin(void)
{
	char own[PATH_MAX] = "", folder[96];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (n <= 0)
		return 1;
	*strrchr(own, '/') = '\0';
	/* libtool's own programs are in a folder below */
	if (strlen(own) > 6 && !strcmp(own + strlen(own) - 6, "/.libs"))
		own[strlen(own) - 6] = '\0';
	snprintf(program, sizeof(program), "%.*s/io-stand-in", PATH_MAX - 20, own);
	ut_tmpdir(run_dir, sizeof(run_dir));
	mkdir(strcat(strcpy(folder, run_dir), "/log"), 0700);
	cfg = (struct config){.run_dir = run_dir,
			      .io_program = program,
			      .io_group = (char *)"",
			      .io_workers = 1,
			      .io_deadline = USEC_PER_SEC,
			      .log_level = (char *)"info",
			      .host_name = (char *)"here",
			      .margin = 5 * USEC_PER_MSEC,
			      .drain = 500 * USEC_PER_MSEC,
			      .hold = 60 * USEC_PER_SEC,
			      .dev_loss = 60,
			      .fast_io_fail = -1};
	d = (struct daemon){.cfg = &cfg, .last_op_id = d.last_op_id};
	TAILQ_INIT(&d.vms);
	TAILQ_INIT(&d.ops);
	TAILQ_INIT(&d.fcoe);
	TAILQ_INIT(&d.watchers);
	TAILQ_INIT(&d.handovers);
	eventlog_init(&d.events);
	ut_privq_up(&d);
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	fc_inventory_init(&d.inv, NULL, NULL);
	d.reg = registry_open(ut_tmpdir(state_dir, sizeof(state_dir)), 20 * USEC_PER_SEC, &e);
	return !d.reg || !ios_new(&d);
}

static struct io *only(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(TAILQ_FIRST(&d.ios->list));
	return TAILQ_FIRST(&d.ios->list);
}

static int finish(void)
{
	struct monotime stop = mono_add(mono_now(), PATIENCE);

	ios_end(&d, UUID);
	while (!TAILQ_EMPTY(&d.ios->list) && !mono_reached(stop, mono_now()))
		run();
	while (!TAILQ_EMPTY(&d.ops))
		op_leave(TAILQ_FIRST(&d.ops));
	while (!TAILQ_EMPTY(&d.vms))
		vm_free(&d.vms, TAILQ_FIRST(&d.vms));
	ios_free(d.ios);
	sd_event_source_disable_unref(d.registry_timer);
	ut_privq_down(&d);
	registry_close(d.reg);
	fc_inventory_clear(&d.inv);
	eventlog_clear(&d.events);
	return 0;
}

static void start(void)
{
	CU_ASSERT_EQUAL_FATAL(ios_start(&d, db1(), db1()->io.gate, &e), 0);
	UNTIL(only()->machine.state == IO_UP);
}

/* ---- the front end ---- */

static int front = -1;
static char line[2048];

static void front_connect(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/io/db1/%s.sock", run_dir, name);
	front = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(connect(front, (struct sockaddr *)&a, sizeof(a)), 0);
}

/* What the back end answers to a byte, whichever process it is. */
static const char *ask(char byte)
{
	struct monotime stop = mono_add(mono_now(), PATIENCE);
	size_t n = 0;

	CU_ASSERT_EQUAL(send(front, &byte, 1, MSG_NOSIGNAL), 1);
	memset(line, 0, sizeof(line));
	while (!mono_reached(stop, mono_now())) {
		if (recv(front, line + n, 1, MSG_DONTWAIT) != 1) {
			run();
			continue;
		}
		if (line[n++] != '\n')
			continue;
		line[n - 1] = '\0';
		return line;
	}
	CU_FAIL_FATAL("no answer");
	return line;
}

static bool has(const char *text, const char *part)
{
	if (!strstr(text, part))
		printf("# '%s' has no '%s'\n", text, part);
	return strstr(text, part) != NULL;
}

static void front_end(void)
{
	close(front);
	front = -1;
}

/* Byte 'k' kills it: what the next one says to the next byte. */
static void kill_it(void)
{
	pid_t was = only()->pid;

	CU_ASSERT_EQUAL(send(front, "k", 1, MSG_NOSIGNAL), 1);
	UNTIL(only()->pid && only()->pid != was && only()->machine.state == IO_UP);
}

/* ---- tests ---- */

/* What its files are locked by, so that a successor waits for what a killed one had under way. */
static void check_nexus(const char *name)
{
	char path[64], args[4096] = "";
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)only()->pid);
	f = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	n = fread(args, 1, sizeof(args) - 1, f);
	fclose(f);
	for (size_t i = 0; i + 1 < n; i++)
		if (!args[i])
			args[i] = ' ';
	CU_ASSERT_PTR_NOT_NULL(strstr(args, name));
}

/* The guest's connection is answered by one process after the other. */
static void test_killed(void)
{
	char path[128];
	struct stat st;

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	CU_ASSERT_EQUAL_FATAL(ios_start(&d, db1(), false, &e), 0);
	front_connect("scsi"); /* its socket is there at once */
	UNTIL(only()->connected);
	snprintf(path, sizeof(path), "%s/io/db1/scsi.sock", run_dir);
	UT_EQ(stat(path, &st), 0);
	UT_EQ(st.st_mode & 07777, 0660);
	snprintf(path, sizeof(path), "%s/io/db1/scsi.control", run_dir);
	UT_EQ(stat(path, &st), 0);
	UT_EQ(st.st_mode & 07777, 0600);
	CU_ASSERT_TRUE(has(ask('?'), "running open kept=0"));
	check_nexus("--nexus=3270034cbbab9144"); /* of its UUID: it has no vhba */
	CU_ASSERT_TRUE(
		has(line, "files=4,file=/nothing/a,serial=four,state=/nothing/a.vhba;7,file=/nothing/b"));
	for (unsigned i = 1; i <= 3; i++) {
		kill_it();
		UT_EQ(only()->machine.restarts, i);
		CU_ASSERT_TRUE(has(ask('?'), "running open kept=2"));
		UT_EQ(atoi(line), only()->pid);
	}
	UT_EQ(getpgid(only()->pid), only()->pid); /* a session of its own */
	front_end();
	UNTIL(!TAILQ_EMPTY(&only()->kept) &&
	      !TAILQ_NEXT(TAILQ_FIRST(&only()->kept), link)); /* it was dropped */
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running open"));
	front_end();
}

/* What it has said before its end counts, however much that is when both are seen at once. */
static void test_last_words(void)
{
	struct pollfd ended = {.events = POLLIN};

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	start();
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running"));
	for (unsigned i = 0; i < 150; i++)
		CU_ASSERT_EQUAL(send(front, "o", 1, MSG_NOSIGNAL), 1);
	CU_ASSERT_EQUAL(send(front, "fk", 2, MSG_NOSIGNAL), 2);
	ended.fd = only()->pidfd;
	UT_EQ(poll(&ended, 1, (int)(PATIENCE / USEC_PER_MSEC)), 1); /* the loop has seen nothing yet */
	UNTIL(only()->pid && only()->machine.restarts == 1 && only()->machine.state == IO_UP);
	CU_ASSERT_TRUE(only()->logging);
	CU_ASSERT_FALSE(only()->live.rings);
	front_end();
}

/* vhbad itself dies: the next one finds it, and has all that is needed for the next process. */
static void test_vhbad_killed(void)
{
	pid_t pid;

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	start();
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running"));
	pid = only()->pid;
	for (int i = 0; i < 3; i++) {
		ios_free(d.ios);
		while (!TAILQ_EMPTY(&d.vms))
			vm_free(&d.vms, TAILQ_FIRST(&d.vms));
		CU_ASSERT_TRUE(has(ask('?') ? line : line, "running")); /* by itself */
		CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&d));
		UT_EQ(only()->pid, pid);
		UT_EQ(only()->machine.state, IO_UP);
		ios_adopted(&d);
		CU_ASSERT_PTR_NOT_NULL_FATAL(vm_find(&d.vms, UUID));
		UT_EQ(vm_find(&d.vms, UUID)->state, VM_ATTACHED);
		UNTIL(only()->state[0]); /* its status: after what it keeps */
		CU_ASSERT_TRUE(has(ask('?'), "running"));
		if (i == 1)
			continue;
		kill_it();
		pid = only()->pid;
		CU_ASSERT_TRUE(has(ask('?'), "running open kept=2"));
	}
	front_end();
}

/* It has died while there was no vhbad. */
static void test_both_killed(void)
{
	pid_t pid;

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	start();
	pid = only()->pid;
	ios_free(d.ios);
	UT_EQ(kill(pid, SIGKILL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&d));
	ios_adopted(&d);
	UNTIL(only()->machine.state == IO_UP && only()->pid != pid);
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running open kept=0"));
	front_end();
	/* and one whose VM is registered no more ends */
	ios_free(d.ios);
	{
		bool done = false;

		while (!TAILQ_EMPTY(&d.vms))
			vm_free(&d.vms, TAILQ_FIRST(&d.vms));
		UT_EQ(registry_vm_remove(d.reg, db1(), written, &done, &e), 0);
		UNTIL(done);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&d));
	ios_adopted(&d);
	UNTIL(TAILQ_EMPTY(&d.ios->list));
}

static void told(void *user, const char *why)
{
	if (why)
		printf("# %s\n", why);
	*(int *)user = why ? -1 : 1;
}

/* Whatever dies while the VM is quiesced, its rings are not read until it is resumed. */
static void test_held(void)
{
	int stopped = 0, going = 0;

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	start();
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running"));
	ios_stop(&d, UUID, told, &stopped);
	UNTIL(stopped);
	UT_EQ(stopped, 1);
	CU_ASSERT_TRUE(ios_stopped(&d, UUID));
	UNTIL(!ios_left(&d, UUID));
	CU_ASSERT_TRUE(has(ask('?'), "stopped open"));
	kill_it();
	CU_ASSERT_TRUE(has(ask('?'), "stopped closed kept=2"));
	CU_ASSERT_TRUE(only()->gate);
	ios_free(d.ios);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&d));
	ios_adopted(&d);
	UT_EQ(vm_find(&d.vms, UUID)->state, VM_HELD);
	CU_ASSERT_TRUE(ios_stopped(&d, UUID));
	ios_go_on(&d, UUID, told, &going);
	UNTIL(going);
	UT_EQ(going, 1);
	CU_ASSERT_TRUE(has(ask('?'), "running open"));
	CU_ASSERT_FALSE(only()->gate);
	front_end();
}

/* What it left in the kernel counts until it tells that it has ended. */
static void test_orphans(void)
{
	int stopped = 0;

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	start();
	front_connect("scsi");
	ask('s');
	ios_stop(&d, UUID, told, &stopped);
	UNTIL(stopped);
	UNTIL(only()->orphans == 3);
	UT_EQ(ios_left(&d, UUID), 3);
	ask('e');
	UNTIL(!ios_left(&d, UUID));
	front_end();
}

static void test_gate(void)
{
	register_vm(REG_IO_SCSI, false, true, "/nothing/a");
	start();
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "stopped closed"));
	kill_it(); /* and so does the next one */
	CU_ASSERT_TRUE(has(ask('?'), "stopped closed kept=2"));
	ios_open(&d, UUID, "operator");
	UNTIL(!db1()->pending);
	CU_ASSERT_FALSE(db1()->io.gate);
	CU_ASSERT_TRUE(has(ask('?'), "running open"));
	kill_it();
	CU_ASSERT_TRUE(has(ask('?'), "running open kept=2"));
	front_end();
}

static void test_upgrade(void)
{
	pid_t was;

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	start();
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running"));
	was = only()->pid;
	io_tell(only(), IO_EV_UPGRADE);
	UNTIL(only()->pid != was && only()->machine.state == IO_UP);
	CU_ASSERT_TRUE(has(ask('?'), "running open kept=2"));
	UT_EQ(only()->machine.restarts, 0);
	front_end();
}

/* One that can't start is tried again, says why, and leaves nothing behind when it is not wanted any more. */
static void test_dies(void)
{
	char path[128];
	struct stat st;

	register_vm(REG_IO_SCSI, false, false, "/dies");
	UT_EQ(ios_start(&d, db1(), false, &e), 0);
	UNTIL(only()->machine.restarts >= 3);
	CU_ASSERT_TRUE(has(only()->text, "ended with 1"));
	ios_end(&d, UUID);
	UNTIL(TAILQ_EMPTY(&d.ios->list));
	snprintf(path, sizeof(path), "%s/io/db1", run_dir);
	UT_EQ(stat(path, &st), -1);
}

/* A process for each LUN. */
static void test_blk(void)
{
	register_vm(REG_IO_BLK, false, false, "/nothing/a");
	UT_EQ(ios_start(&d, db1(), false, &e), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(io_find(&d, UUID, "blk-4"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(io_find(&d, UUID, "blk-7"));
	UNTIL(io_find(&d, UUID, "blk-7")->machine.state == IO_UP);
	front_connect("blk-7");
	CU_ASSERT_TRUE(has(ask('?'), "files=0,file=/nothing/b,serial=seven"));
	front_end();
	{
		bool done = false;

		UT_EQ(registry_lun_remove(d.reg, db1(), 7, written, &done, &e), 0);
		UNTIL(done);
	}
	ios_look(&d, "db1");
	UNTIL(!io_find(&d, UUID, "blk-7"));
	CU_ASSERT_PTR_NOT_NULL(io_find(&d, UUID, "blk-4"));
}

/* A file comes while the guest runs, with the file beside it; and goes. */
static void test_hot_add(void)
{
	struct reg_guest_lun l = {.number = 9, .serial = "nine"};
	bool done = false;
	FILE *f;

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	start();
	front_connect("scsi");
	snprintf(l.file, sizeof(l.file), "%s/nine", run_dir);
	f = fopen(l.file, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fclose(f);
	UT_EQ(registry_lun_add(d.reg, db1(), &l, written, &done, &e), 0);
	UNTIL(done);
	ios_lun_came(&d, "db1", 9);
	UNTIL(strstr(ask('?'), "luns=9:2,") != NULL);
	strcat(l.file, ".vhba");
	UT_EQ(access(l.file, F_OK), 0);
	ios_lun_went(&d, "db1", 9);
	UNTIL(strstr(ask('?'), "luns= ") != NULL);
	ios_lun_came(&d, "db1", 4); /* one that can't be opened changes nothing */
	CU_ASSERT_TRUE(has(ask('?'), "luns= "));
	front_end();
}

/* ---- an array's LUNs ---- */

static struct vm *attached(int host)
{
	struct vm *vm = vm_find(&d.vms, UUID);

	tree_vport(2, 3, host, "0x502ab30000000001");
	tree_rport(host, 0, "0x500601600000000a", true);
	tree_rport(host, 1, "0x500601600000000b", true);
	tree_disk(host, 0, 0, "sda");
	tree_disk(host, 1, 0, "sdb");
	fc_inventory_clear(&d.inv);
	fc_inventory_init(&d.inv, NULL, NULL);
	UT_EQ(fc_inventory_scan(&d.inv), 0);
	if (!vm)
		vm = vm_new(&d.vms, UUID, "db1");
	vm->count = 1;
	vm->vhba[0] = (struct vm_vhba){
		.wwpn = WWPN, .wwnn = 0x502ab30000000002, .host = host, .parent_host = 2, .number = 3};
	vm_set_state(vm, VM_ATTACHED);
	return vm;
}

static bool next_verb(struct priv_request *q)
{
	struct monotime stop = mono_add(mono_now(), PATIENCE);

	while (!ut_privq_next(q)) {
		if (mono_reached(stop, mono_now()))
			return false;
		run();
	}
	return true;
}

/* vhba-priv opens a path, which has a bsg node on host 6; err: it can't. */
static void open_path(int host, int err)
{
	struct priv_request q;
	struct priv_reply r = {.version = PRIV_VERSION, .err = err};

	CU_ASSERT_TRUE_FATAL(next_verb(&q));
	UT_EQ(q.verb, PRIV_LUN_OPEN);
	UT_EQ(q.host, host);
	UT_EQ(q.wwpn, WWPN);
	UT_STREQ(q.text, "naa.60020000000000000000000000000000");
	r.id = q.id;
	r.verb = q.verb;
	if (!err) {
		r.fds = host == 6 ? 3 : 2;
		for (unsigned i = 0; i < r.fds; i++)
			r.fd[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	}
	UT_EQ(priv_reply_send(ut_helper, &r, 0), sizeof(r));
	run();
}

/* Both paths are one LUN; each process gets descriptors of its own, and none stays here. */
static void test_paths(void)
{
	struct vm *vm;

	register_vm(REG_IO_SCSI, true, true, NULL);
	vm = attached(5);
	ios_attached(&d, vm);
	open_path(5, 0);
	open_path(5, 0);
	UNTIL(only()->machine.state == IO_UP);
	UT_EQ(only()->luns[0].fds_n, 0);
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running open kept=0 luns=0:2,")); /* its own login is the fence */
	UNTIL(!db1()->pending);
	CU_ASSERT_FALSE(db1()->io.gate);
	CU_ASSERT_EQUAL(send(front, "k", 1, MSG_NOSIGNAL), 1);
	open_path(5, -ENODEV);
	open_path(5, 0);
	UNTIL(only()->machine.state == IO_UP);
	CU_ASSERT_TRUE(has(ask('?'), "running open kept=2 luns=0:1,"));
	front_end();
}

/* The vport was made again: its LUNs have other nodes, which go to the process before it goes on. */
static void test_moved(void)
{
	int stopped = 0, going = 0;

	register_vm(REG_IO_SCSI, true, false, NULL);
	ios_attached(&d, attached(5));
	open_path(5, 0);
	open_path(5, 0);
	UNTIL(only()->machine.state == IO_UP);
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running"));
	ios_stop(&d, UUID, told, &stopped);
	UNTIL(stopped);
	ios_go_on(&d, UUID, told, &going); /* the same nodes: nothing is opened */
	UNTIL(going);
	UT_EQ(going, 1);
	stopped = going = 0;
	ios_stop(&d, UUID, told, &stopped);
	UNTIL(stopped);
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	attached(6);
	ios_go_on(&d, UUID, told, &going);
	UT_EQ(going, 0);
	open_path(6, 0);
	CU_ASSERT_TRUE(has(ask('?'), "stopped"));
	open_path(6, 0);
	UNTIL(going);
	UT_EQ(going, 1);
	CU_ASSERT_TRUE(has(ask('?'), "running open kept=0 luns=0:2,"));
	front_end();
}

/* QEMU is there before the vport is: the gate is closed, the LUNs come with the attach. */
static void test_before_attach(void)
{
	register_vm(REG_IO_SCSI, true, true, NULL);
	start();
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "stopped closed kept=0 luns= "));
	ios_attached(&d, attached(5));
	open_path(5, 0);
	open_path(5, 0);
	UNTIL(!db1()->io.gate && !db1()->pending);
	UNTIL(strstr(ask('?'), "luns=0:2,") != NULL);
	CU_ASSERT_TRUE(has(line, "running open"));
	front_end();
}

/* By another name than the source's: the login fences nobody, also after vhbad's end, and a word opens it. */
static void test_unfenced(void)
{
	struct reg_io io;
	bool done = false;

	register_vm(REG_IO_SCSI, true, true, NULL);
	io = db1()->io;
	io.unfenced = true;
	UT_EQ(registry_set(d.reg, db1(), false, &io, written, &done, &e), 0);
	UNTIL(done);
	registry_close(d.reg);
	d.reg = registry_open(state_dir, USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.reg);
	CU_ASSERT_TRUE(db1()->io.gate && db1()->io.unfenced);
	start();
	front_connect("scsi");
	ios_attached(&d, attached(5));
	open_path(5, 0);
	open_path(5, 0);
	UNTIL(strstr(ask('?'), "luns=0:2,") != NULL);
	CU_ASSERT_TRUE(has(line, "closed"));
	ios_open(&d, UUID, "confirmed");
	UNTIL(!db1()->io.gate && !db1()->pending);
	CU_ASSERT_FALSE(db1()->io.unfenced);
	CU_ASSERT_TRUE(has(ask('?'), "running open"));
	front_end();
}

/* ---- VMs that move while their guests run ---- */

static void register_arriving(bool vhba)
{
	struct reg_io io;
	bool done = false;

	register_vm(REG_IO_SCSI, vhba, true, vhba ? NULL : "/nothing/a");
	io = db1()->io;
	io.arrives = true;
	UT_EQ(registry_set(d.reg, db1(), false, &io, written, &done, &e), 0);
	UNTIL(done);
	registry_close(d.reg);
	d.reg = registry_open(state_dir, USEC_PER_SEC, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d.reg);
	CU_ASSERT_TRUE(db1()->io.gate && db1()->io.arrives && !db1()->io.unfenced);
}

/* Of files the rings' start is enough, for the back end and for the registry. */
static void test_arrives(void)
{
	register_arriving(false);
	start();
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "stopped closed"));
	CU_ASSERT_TRUE(only()->gate);
	CU_ASSERT_TRUE(has(ask('o'), "open"));
	UNTIL(!db1()->io.gate && !db1()->pending);
	CU_ASSERT_FALSE(db1()->io.arrives || only()->gate);
	UNTIL(strstr(ask('?'), "running open") != NULL);
	front_end();
}

/* What is given up is expected no more, also after vhbad's end. */
static void test_given_up(void)
{
	bool done = false;

	register_arriving(true);
	UT_EQ(registry_set_owner(d.reg, db1(), "", db1()->generation + 1, written, &done, &e), 0);
	UNTIL(done);
	CU_ASSERT_TRUE(db1()->io.gate && !db1()->io.arrives);
}

/* What the name was shown to is known to the next vhbad, and what the back end leaves for. */
static void test_remembered(void)
{
	register_arriving(true);
	start();
	front_connect("scsi");
	only()->live.witness[0] = 0x20000200000a0001;
	only()->live.leaving = true;
	io_record_write(only());
	only()->live.witness[0] = 0;
	only()->live.leaving = false;
	io_record_read(only());
	CU_ASSERT_EQUAL(live_witness(&d, UUID, 0), UINT64_C(0x20000200000a0001));
	UT_EQ(live_witness(&d, UUID, 1), 0);
	CU_ASSERT_TRUE(live_leaves(&d, UUID));
	CU_ASSERT_FALSE(live_is_sure(&d, UUID));
	CU_ASSERT_TRUE(live_open(&d, db1()));
	CU_ASSERT_TRUE(live_is_sure(&d, UUID));
	CU_ASSERT_TRUE(has(ask('?'), "closed")); /* a word alone has not logged it in */
	front_end();
}

/* vhbad was killed when it had noted that it leaves: before anything else was done, or after. */
static void test_leaving_adopted(void)
{
	struct vm *vm;

	register_vm(REG_IO_SCSI, true, false, NULL);
	start();
	vm = attached(5);
	for (unsigned held = 0; held < 2; held++) {
		only()->live.leaving = true;
		io_record_write(only());
		ios_free(d.ios);
		CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&d));
		CU_ASSERT_TRUE(only()->live.leaving);
		vm_set_state(vm, held ? VM_HELD : VM_ATTACHED);
		ios_adopted(&d);
		UT_EQ(only()->live.leaving, held);
		only()->live.leaving = !held;
		io_record_read(only()); /* as the next one would find it */
		UT_EQ(only()->live.leaving, held);
	}
}

/* ---- operations on a VM without vhbas ---- */

/* What one that was killed has left in the kernel is known when the next one has looked. */
static void test_killed_then_stopped(void)
{
	struct monotime limit = mono_add(mono_now(), PATIENCE);
	int stopped = 0;

	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	CU_ASSERT_EQUAL_FATAL(ios_start(&d, db1(), false, &e), 0);
	UNTIL(only()->machine.state == IO_UP);
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running"));
	UNTIL(!TAILQ_EMPTY(&only()->kept));
	CU_ASSERT_EQUAL(send(front, "k", 1, MSG_NOSIGNAL), 1);
	/* One event at a time: on a busy machine the next one is up before the loop rests. */
	while (only()->machine.state == IO_UP && !mono_reached(limit, mono_now()))
		sd_event_run(d.loop, 10 * USEC_PER_MSEC);
	CU_ASSERT_TRUE_FATAL(only()->machine.state != IO_UP);
	ios_stop(&d, UUID, told, &stopped);
	CU_ASSERT_TRUE(ios_left(&d, UUID) > 0);
	UNTIL(!ios_left(&d, UUID));
	UT_EQ(only()->machine.state, IO_UP);
	UT_EQ(stopped, 1);
	front_end();
}

static struct json_object *last_event(void)
{
	return eventlog_get(&d.events, d.events.next - 1);
}

static bool operate(enum op_kind kind, uint64_t us)
{
	struct vm *vm = vm_of_registry(&d, db1());
	struct op *op = op_new(&d, kind, vm, NULL, us, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	return !op_io_start(op, &e);
}

static bool event_has(const char *text)
{
	for (uint64_t n = eventlog_oldest(&d.events); n < d.events.next; n++)
		if (strstr(proto_get_text(eventlog_get(&d.events, n), "text"), text))
			return true;
	return false;
}

static void test_operations(void)
{
	register_vm(REG_IO_SCSI, false, false, "/nothing/a");
	CU_ASSERT_TRUE(operate(OP_ATTACH, 10 * USEC_PER_SEC));
	UT_EQ(vm_find(&d.vms, UUID)->state, VM_ATTACHED);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&d.ops));
	UNTIL(only()->machine.state == IO_UP);
	front_connect("scsi");
	CU_ASSERT_TRUE(has(ask('?'), "running"));
	CU_ASSERT_TRUE(operate(OP_QUIESCE, 60 * USEC_PER_SEC));
	UT_EQ(vm_find(&d.vms, UUID)->state, VM_QUIESCING);
	UNTIL(TAILQ_EMPTY(&d.ops));
	UT_EQ(vm_find(&d.vms, UUID)->state, VM_HELD);
	CU_ASSERT_TRUE(event_has("quiesce: confirmed"));
	CU_ASSERT_TRUE(operate(OP_RESUME, 60 * USEC_PER_SEC));
	UNTIL(TAILQ_EMPTY(&d.ops));
	UT_EQ(vm_find(&d.vms, UUID)->state, VM_ATTACHED);
	CU_ASSERT_TRUE(has(ask('s'), "running"));
	CU_ASSERT_TRUE(operate(OP_QUIESCE, 200 * USEC_PER_MSEC));
	UNTIL(TAILQ_EMPTY(&d.ops));
	CU_ASSERT_TRUE(event_has("quiesce: unconfirmed"));
	UT_EQ(vm_find(&d.vms, UUID)->state, VM_HELD);
	ask('e');
	front_end();
	CU_ASSERT_TRUE(operate(OP_DETACH, 60 * USEC_PER_SEC));
	UNTIL(TAILQ_EMPTY(&d.ops) && TAILQ_EMPTY(&d.ios->list));
	CU_ASSERT_PTR_NULL(vm_find(&d.vms, UUID));
	CU_ASSERT_PTR_NOT_NULL(last_event());
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"killed, and followed by the next", test_killed},
		{"what it said last", test_last_words},
		{"vhbad is killed", test_vhbad_killed},
		{"both are", test_both_killed},
		{"held while the VM is quiesced", test_held},
		{"what is left in the kernel", test_orphans},
		{"killed, and then stopped", test_killed_then_stopped},
		{"the gate", test_gate},
		{"an upgrade", test_upgrade},
		{"one that can't start", test_dies},
		{"one a LUN", test_blk},
		{"a file comes and goes", test_hot_add},
		{"paths of an array's LUN", test_paths},
		{"other nodes after a resume", test_moved},
		{"before the attach", test_before_attach},
		{"by another name", test_unfenced},
		{"a VM of files arrives", test_arrives},
		{"an arrival that is given up", test_given_up},
		{"an arrival that is remembered", test_remembered},
		{"what was to leave, and had not begun", test_leaving_adopted},
		{"operations without a vhba", test_operations},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"vhba-io held", tests, begin, finish}, {0}};

	return ut_main(argc, argv, suites);
}

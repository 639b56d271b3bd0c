/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LUNs of a VM's vhba-io: files, an array's with their paths, as they come, go and are opened anew. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sizes.h"
#include "ut-ios-rig.h"

/* A VM is attached whose back end has both paths of its one LUN, and a front end. */
static void serve_two_paths(void)
{
	rig_register(REG_IO_SCSI, true, false, NULL);
	ios_attached(&rig.d, rig_attach(5));
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(rig_io()->machine.state == IO_UP);
	rig_connect("scsi");
}

/* What there is on host 5 is other than before. */
static void second_path(const char *sd)
{
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	rig_attach_with(5, sd);
	ios_news(&rig.d, UUID);
}

/* A process for each LUN. */
static void test_blk(void)
{
	rig_register(REG_IO_BLK, false, false, "/nothing/a");
	UT_EQ(ios_start(&rig.d, rig_vm(), false, &rig.e), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(io_find(&rig.d, UUID, "blk-4"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(io_find(&rig.d, UUID, "blk-7"));
	UNTIL(io_find(&rig.d, UUID, "blk-7")->machine.state == IO_UP);
	rig_connect("blk-7");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "files=0,file=/nothing/b,serial=seven"));
	rig_disconnect();
	{
		bool done = false;

		UT_EQ(registry_lun_remove(rig.d.reg, rig_vm(), 7, rig_written, &done, &rig.e), 0);
		UNTIL(done);
	}
	ios_look(&rig.d, "db1");
	UNTIL(!io_find(&rig.d, UUID, "blk-7"));
	CU_ASSERT_PTR_NOT_NULL(io_find(&rig.d, UUID, "blk-4"));
}

/* A file comes while the guest runs, with the file beside it; and goes. */
static void test_hot_add(void)
{
	struct reg_guest_lun l = {.number = 9, .serial = "nine"};
	char folder[64];
	bool done = false;
	FILE *f;

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	rig_start();
	rig_connect("scsi");
	/* not in memory: what is below /dev has no file beside it */
	snprintf(l.file, sizeof(l.file), "%s/nine", ut_tmpdir(folder, sizeof(folder)));
	f = fopen(l.file, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fclose(f);
	UT_EQ(registry_lun_add(rig.d.reg, rig_vm(), &l, rig_written, &done, &rig.e), 0);
	UNTIL(done);
	ios_lun_came(&rig.d, "db1", 9);
	UNTIL(strstr(rig_ask('?'), "luns=9:2,") != NULL);
	strcat(l.file, ".vhba");
	UT_EQ(access(l.file, F_OK), 0);
	ios_lun_went(&rig.d, "db1", 9);
	UNTIL(strstr(rig_ask('?'), "luns= ") != NULL);
	ios_lun_came(&rig.d, "db1", 4); /* one that can't be opened changes nothing */
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns= "));
	rig_disconnect();
}

/* vhbad ends while a disk still hangs: the child that opens the file is on its own. */
static void test_hot_add_hangs(void)
{
	struct reg_guest_lun l = {.number = 9, .serial = "nine", .read_only = true};
	char folder[64];
	bool done = false;
	int writer;

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	rig_start();
	snprintf(l.file, sizeof(l.file), "%s/fifo", ut_tmpdir(folder, sizeof(folder)));
	CU_ASSERT_EQUAL_FATAL(mkfifo(l.file, 0600), 0);
	UT_EQ(registry_lun_add(rig.d.reg, rig_vm(), &l, rig_written, &done, &rig.e), 0);
	UNTIL(done);
	ios_lun_came(&rig.d, "db1", 9);
	CU_ASSERT_FALSE(LIST_EMPTY(&rig_io()->opens));
	UNTIL((writer = open(l.file, O_WRONLY | O_NONBLOCK)) >= 0);
	close(writer);
}

/* Both paths are one LUN; each process gets descriptors of its own, and none stays here. */
static void test_paths(void)
{
	struct vm *vm;

	rig_register(REG_IO_SCSI, true, true, NULL);
	vm = rig_attach(5);
	ios_attached(&rig.d, vm);
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(rig_io()->machine.state == IO_UP);
	CU_ASSERT_FALSE(io_lun_is_open(&rig_io()->luns[0]));
	rig_connect("scsi");
	CU_ASSERT_TRUE(
		rig_has(rig_ask('?'), "running open kept=0 luns=0:2,")); /* its own login is the fence */
	UNTIL(!rig_vm()->pending);
	CU_ASSERT_FALSE(rig_vm()->io.gate);
	CU_ASSERT_EQUAL(send(rig.front, "k", 1, MSG_NOSIGNAL), 1);
	rig_open_path(5, -ENODEV);
	rig_open_path(5, 0);
	UNTIL(rig_io()->machine.state == IO_UP);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=2 luns=0:1,"));
	rig_disconnect();
}

/* LUN N is seen by one path, or by none. */
static void sees(const char *luns)
{
	UNTIL(strstr(rig_ask('?'), luns) != NULL);
}

/* Each path by itself: one that is lost takes no other's place, and the numbers are those of the registry. */
static void test_paths_guest(void)
{
	struct priv_request q;
	pid_t was;

	rig_register_paths();
	UT_EQ(rig_vm()->guest_luns_n, 2);
	UT_EQ(reg_guest_lun(rig_vm(), 0)->target, 0x500601600000000b);
	UT_EQ(reg_guest_lun(rig_vm(), 1)->target, 0x500601600000000a);
	ios_attached(&rig.d, rig_attach(5));
	CU_ASSERT_TRUE_FATAL(rig_next_verb(&q));
	UT_EQ(q.target, 1);
	rig_answer_open(&q, 5, 0);
	rig_open_path(5, 0);
	UNTIL(rig_io()->machine.state == IO_UP);
	rig_connect("scsi");
	sees("luns=0:1,1:1,");
	CU_ASSERT_TRUE(rig_has(rig.line, " guest=0,1, "));
	was = rig_io()->pid;
	second_path(NULL); /* that of number 0 is gone, and another process takes over */
	UNTIL(!rig_io()->newsworthy);
	UT_EQ(rig_io()->pid, was);
	CU_ASSERT_EQUAL(send(rig.front, "k", 1, MSG_NOSIGNAL), 1);
	CU_ASSERT_TRUE_FATAL(rig_next_verb(&q));
	UT_EQ(q.target, 0);
	rig_answer_open(&q, 5, 0);
	UNTIL(rig_io()->pid != was && rig_io()->machine.state == IO_UP);
	sees("luns=0:0,1:1,");
	CU_ASSERT_TRUE(rig_has(rig.line, " guest=0,1, "));
	was = rig_io()->pid;
	second_path("sdc"); /* it has come again */
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(rig_io()->pid != was && rig_io()->machine.state == IO_UP);
	sees("luns=0:1,1:1,");
	rig_disconnect();
}

/* Whichever is open first: the order is that of the targets' names. */
static void test_order(void)
{
	struct priv_request q[2];

	rig_register(REG_IO_SCSI, true, false, NULL);
	ios_attached(&rig.d, rig_attach(6));
	CU_ASSERT_TRUE_FATAL(rig_next_verb(&q[0]));
	CU_ASSERT_TRUE_FATAL(rig_next_verb(&q[1]));
	UT_EQ(q[0].target, 0);
	rig_answer_open(&q[1], 6, 0);
	rig_answer_open(&q[0], 6, 0);
	UNTIL(rig_io()->machine.state == IO_UP);
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), " order=01 attributes=4"));
	rig_disconnect();
}

/* The vport has no disk any more, or has them again. */
static void lose_paths(void)
{
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	rig_attach_with(5, "");
	ios_news(&rig.d, UUID);
}

static void find_paths(void)
{
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	rig_attach(5);
	ios_news(&rig.d, UUID);
}

/* A LUN that the guest knows stays, without a path, when another process takes over; its path brings the
 * next. */
static void test_absent(void)
{
	pid_t was;

	serve_two_paths();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns=0:2,"));
	lose_paths();
	rig_kill();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns=0:0,"));
	was = rig_io()->pid;
	find_paths();
	rig_open_path(5, -ENXIO); /* not yet after all: it is tried again */
	rig_open_path(5, -ENXIO);
	UNTIL(rig_io()->pid != was && rig_io()->machine.state == IO_UP);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns=0:0,"));
	was = rig_io()->pid;
	rig_open_path(5, 0);
	rig_open_path(5, -ENXIO);
	UNTIL(rig_io()->pid != was && rig_io()->machine.state == IO_UP);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns=0:1,"));
	UNTIL(!rig_io()->newsworthy); /* what was usable, and can't be opened, is no reason for another */
	rig_disconnect();
}

/* What the guest has never seen isn't there before it has a path. */
static void test_never_there(void)
{
	rig_register(REG_IO_SCSI, true, false, NULL);
	rig_start();
	rig_connect("scsi");
	rig_kill();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns= "));
	rig_disconnect();
}

/* vhbad itself was killed: the next one knows what the guest has, and that this process has no path to it. */
static void test_absent_adopted(void)
{
	pid_t was;

	serve_two_paths();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns=0:2,"));
	lose_paths();
	ios_free(rig.d.ios);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&rig.d));
	ios_adopted(&rig.d);
	UNTIL(rig_io()->state[0]); /* its status: after what it keeps */
	rig_kill();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns=0:0,"));
	was = rig_io()->pid;
	ios_free(rig.d.ios);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&rig.d));
	find_paths();
	ios_adopted(&rig.d);
	rig_open_path(5, 0); /* for the one that is there, which says that it can't take them */
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(rig_io()->pid != was && rig_io()->machine.state == IO_UP);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns=0:2,"));
	rig_disconnect();
}

/* The vport was made again: its LUNs have other nodes, which go to the process before it goes on. */
static void test_moved(void)
{
	int stopped = 0, going = 0;

	serve_two_paths();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
	ios_stop(&rig.d, UUID, rig_told, &stopped);
	UNTIL(stopped);
	ios_go_on(&rig.d, UUID, rig_told, &going); /* the same nodes: nothing is opened */
	UNTIL(going);
	UT_EQ(going, 1);
	stopped = going = 0;
	ios_stop(&rig.d, UUID, rig_told, &stopped);
	UNTIL(stopped);
	tree_new();
	tree_parent(2, "eth0.10f", "0x20000200000a0001");
	rig_attach(6);
	ios_go_on(&rig.d, UUID, rig_told, &going);
	UT_EQ(going, 0);
	rig_open_path(6, 0);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "stopped"));
	rig_open_path(6, 0);
	UNTIL(going);
	UT_EQ(going, 1);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=0 luns=0:2,"));
	CU_ASSERT_TRUE(rig_has(rig.line, " guest= "));
	rig_disconnect();
}

/* The kernel has removed a path's device, and made it anew by the same numbers: the next one is given it. */
static void test_found(void)
{
	int stopped = 0, going = 0;
	pid_t was;

	serve_two_paths();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "luns=0:2,"));
	was = rig_io()->pid;
	second_path(NULL);
	UNTIL(!rig_io()->newsworthy);
	UT_EQ(rig_io()->pid, was); /* what is lost is no reason */
	second_path("sdc");
	rig_io()->logging = true;
	for (struct monotime stop = mono_add(mono_now(), 1200 * USEC_PER_MSEC);
	     !mono_reached(stop, mono_now());)
		rig_run();
	UT_EQ(rig_io()->pid, was); /* it waits while the guest moves */
	CU_ASSERT_TRUE(rig_io()->newsworthy);
	UT_EQ(rig_io()->news_us, 2 * USEC_PER_SEC); /* ever more seldom */
	rig_io()->logging = false;
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(rig_io()->pid != was && rig_io()->machine.state == IO_UP);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=2 luns=0:2,"));
	ios_stop(&rig.d, UUID, rig_told, &stopped);
	UNTIL(stopped);
	second_path("sdd");
	ios_go_on(&rig.d, UUID, rig_told, &going);
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(going);
	UT_EQ(going, 1);
	rig_disconnect();
}

/* The array tells the host's kernel of a change, and the kernel keeps that for itself: the guest is told. */
static void test_array_tells(void)
{
	const struct fc_part part = {.kind = FC_PART_LUN, .channel = 0, .number = 0, .target = 0, .lun = 0};
	const struct fc_part other = {.kind = FC_PART_LUN, .lun = 7};
	struct priv_request q;

	serve_two_paths();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), " checks=0 changed="));
	sizes_attention(&rig.d, FC_UA_CAPACITY, 5, &part);
	CU_ASSERT_TRUE(rig_reads_sizes(&q));
	UT_EQ(q.host, 5);
	sizes_attention(&rig.d, FC_UA_CAPACITY, 5, &part); /* this one may be too late for it */
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), " checks=0 changed="));
	rig_answer(&q, (struct priv_reply){.count = 1});
	CU_ASSERT_TRUE(rig_reads_sizes(&q));
	rig_answer(&q, (struct priv_reply){.count = 1});
	UNTIL(strstr(rig_ask('?'), " checks=1 changed=") != NULL);
	sizes_attention(&rig.d, FC_UA_PARAMETERS, 5, &other);
	sizes_attention(&rig.d, FC_UA_PARAMETERS, 5, &part);
	UNTIL(strstr(rig_ask('?'), " checks=1 changed=0") != NULL);
	ios_check(&rig.d, UUID);
	UNTIL(strstr(rig_ask('?'), " checks=2 ") != NULL);
	rig_disconnect();
}

/* QEMU is there before the vport is: the gate is closed, the LUNs come with the attach. */
static void test_before_attach(void)
{
	rig_register(REG_IO_SCSI, true, true, NULL);
	rig_start();
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "stopped closed kept=0 luns= "));
	ios_attached(&rig.d, rig_attach(5));
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(!rig_vm()->io.gate && !rig_vm()->pending);
	UNTIL(strstr(rig_ask('?'), "luns=0:2,") != NULL);
	CU_ASSERT_TRUE(rig_has(rig.line, "running open"));
	rig_disconnect();
}

/* By another name than the source's: the login fences nobody, also after vhbad's end, and a word opens it. */
static void test_unfenced(void)
{
	struct reg_io io;
	bool done = false;

	rig_register(REG_IO_SCSI, true, true, NULL);
	io = rig_vm()->io;
	io.unfenced = true;
	UT_EQ(registry_set(rig.d.reg, rig_vm(), false, &io, rig_written, &done, &rig.e), 0);
	UNTIL(done);
	rig_reopen_registry();
	CU_ASSERT_TRUE(rig_vm()->io.gate && rig_vm()->io.unfenced);
	rig_start();
	rig_connect("scsi");
	ios_attached(&rig.d, rig_attach(5));
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(strstr(rig_ask('?'), "luns=0:2,") != NULL);
	CU_ASSERT_TRUE(rig_has(rig.line, "closed"));
	ios_open(&rig.d, UUID, "confirmed");
	UNTIL(!rig_vm()->io.gate && !rig_vm()->pending);
	CU_ASSERT_FALSE(rig_vm()->io.unfenced);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open"));
	rig_disconnect();
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"one a LUN", test_blk},
		{"a file comes and goes", test_hot_add},
		{"vhbad ends while a file opens", test_hot_add_hangs},
		{"paths of an array's LUN", test_paths},
		{"each path by itself", test_paths_guest},
		{"the order of paths", test_order},
		{"a takeover without a path", test_absent},
		{"a takeover before the first path", test_never_there},
		{"without a path, and another vhbad", test_absent_adopted},
		{"other nodes after a resume", test_moved},
		{"a path comes back as another device", test_found},
		{"the array tells of a change", test_array_tells},
		{"before the attach", test_before_attach},
		{"by another name", test_unfenced},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"LUNs of a vhba-io", tests, rig_begin, rig_finish}, {0}};

	return ut_main(argc, argv, suites);
}

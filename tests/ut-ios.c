/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a front end sees of its vhba-io when that one dies, when vhbad dies, when the VM is quiesced. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "op.h"
#include "ut-ios-rig.h"

/* What its files are locked by, so that a successor waits for what a killed one had under way. */
static void check_nexus(const char *name)
{
	char path[64], args[4096] = "";
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)rig_io()->pid);
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

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	CU_ASSERT_EQUAL_FATAL(ios_start(&rig.d, rig_vm(), false, &rig.e), 0);
	rig_connect("scsi"); /* its socket is there at once */
	UNTIL(rig_io()->connected);
	snprintf(path, sizeof(path), "%s/io/db1/scsi.sock", rig.run_dir);
	UT_EQ(stat(path, &st), 0);
	UT_EQ(st.st_mode & 07777, 0660);
	snprintf(path, sizeof(path), "%s/io/db1/scsi.control", rig.run_dir);
	UT_EQ(stat(path, &st), 0);
	UT_EQ(st.st_mode & 07777, 0600);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=0"));
	check_nexus("--nexus=3270034cbbab9144"); /* of its UUID: it has no vhba */
	CU_ASSERT_TRUE(rig_has(
		rig.line, "files=4,file=/nothing/a,serial=four,state=/nothing/a.vhba;7,file=/nothing/b"));
	for (unsigned i = 1; i <= 3; i++) {
		rig_kill();
		UT_EQ(rig_io()->machine.restarts, i);
		CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=2"));
		UT_EQ(atoi(rig.line), rig_io()->pid);
	}
	UT_EQ(getpgid(rig_io()->pid), rig_io()->pid); /* a session of its own */
	rig_disconnect();
	UNTIL(!TAILQ_EMPTY(&rig_io()->kept) &&
	      !TAILQ_NEXT(TAILQ_FIRST(&rig_io()->kept), link)); /* it was dropped */
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open"));
	rig_disconnect();
}

/* What it has said before its end counts, however much that is when both are seen at once. */
static void test_last_words(void)
{
	struct pollfd ended = {.events = POLLIN};

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	rig_start();
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
	for (unsigned i = 0; i < 150; i++)
		CU_ASSERT_EQUAL(send(rig.front, "o", 1, MSG_NOSIGNAL), 1);
	CU_ASSERT_EQUAL(send(rig.front, "fk", 2, MSG_NOSIGNAL), 2);
	ended.fd = rig_io()->pidfd;
	UT_EQ(poll(&ended, 1, (int)(PATIENCE / USEC_PER_MSEC)), 1); /* the loop has seen nothing yet */
	UNTIL(rig_io()->pid && rig_io()->machine.restarts == 1 && rig_io()->machine.state == IO_UP);
	CU_ASSERT_TRUE(rig_io()->logging);
	CU_ASSERT_FALSE(rig_io()->live.rings);
	rig_disconnect();
}

static void count_event(void *user, const char *word, const char *text)
{
	++*(unsigned *)user;
	UT_STREQ(word, "rings");
	UT_STREQ(text, "off");
}

static void end_is_no_event(void *user)
{
	CU_FAIL("its end is told");
}

/* Also when it leaves a request unread, which the kernel tells first.  Who sees the process's end before the
 * connection's has nothing but this. */
static void test_last_words_unread(void)
{
	static const struct io_conn_ops ops = {.event = count_event, .gone = end_is_no_event};
	static const char word[] = "!event rings off";
	struct io_conn *c;
	unsigned seen = 0;
	int sv[2];

	UT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	c = io_conn_new(rig.d.loop, sv[0], &ops, &seen);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	io_conn_say(c, NULL, NULL, "status");
	UT_EQ(send(sv[1], word, sizeof(word) - 1, 0), sizeof(word) - 1);
	close(sv[1]);
	io_conn_rest(c);
	UT_EQ(seen, 1);
	io_conn_free(c);
}

/* vhbad itself dies: the next one finds it, and has all that is needed for the next process. */
static void test_vhbad_killed(void)
{
	pid_t pid;

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	rig_start();
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
	pid = rig_io()->pid;
	for (int i = 0; i < 3; i++) {
		ios_free(rig.d.ios);
		while (!TAILQ_EMPTY(&rig.d.vms))
			vm_free(&rig.d.vms, TAILQ_FIRST(&rig.d.vms));
		CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running")); /* by itself */
		CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&rig.d));
		UT_EQ(rig_io()->pid, pid);
		UT_EQ(rig_io()->machine.state, IO_UP);
		ios_adopted(&rig.d);
		CU_ASSERT_PTR_NOT_NULL_FATAL(vm_find(&rig.d.vms, UUID));
		UT_EQ(vm_find(&rig.d.vms, UUID)->state, VM_ATTACHED);
		UNTIL(rig_io()->state[0]); /* its status: after what it keeps */
		CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
		if (i == 1)
			continue;
		rig_kill();
		pid = rig_io()->pid;
		CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=2"));
	}
	rig_disconnect();
}

/* It has died while there was no vhbad. */
static void test_both_killed(void)
{
	pid_t pid;

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	rig_start();
	pid = rig_io()->pid;
	ios_free(rig.d.ios);
	UT_EQ(kill(pid, SIGKILL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&rig.d));
	ios_adopted(&rig.d);
	UNTIL(rig_io()->machine.state == IO_UP && rig_io()->pid != pid);
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=0"));
	rig_disconnect();
	/* and one whose VM is registered no more ends */
	ios_free(rig.d.ios);
	{
		bool done = false;

		while (!TAILQ_EMPTY(&rig.d.vms))
			vm_free(&rig.d.vms, TAILQ_FIRST(&rig.d.vms));
		UT_EQ(registry_vm_remove(rig.d.reg, rig_vm(), rig_written, &done, &rig.e), 0);
		UNTIL(done);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&rig.d));
	ios_adopted(&rig.d);
	UNTIL(TAILQ_EMPTY(&rig.d.ios->list));
}

/* Whatever dies while the VM is quiesced, its rings are not read until it is resumed. */
static void test_held(void)
{
	int stopped = 0, going = 0;

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	rig_start();
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
	ios_stop(&rig.d, UUID, rig_told, &stopped);
	UNTIL(stopped);
	UT_EQ(stopped, 1);
	CU_ASSERT_TRUE(ios_stopped(&rig.d, UUID));
	UNTIL(!ios_left(&rig.d, UUID));
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "stopped open"));
	rig_kill();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "stopped closed kept=2"));
	CU_ASSERT_TRUE(rig_io()->gate);
	ios_free(rig.d.ios);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&rig.d));
	ios_adopted(&rig.d);
	UT_EQ(vm_find(&rig.d.vms, UUID)->state, VM_HELD);
	CU_ASSERT_TRUE(ios_stopped(&rig.d, UUID));
	ios_go_on(&rig.d, UUID, rig_told, &going);
	UNTIL(going);
	UT_EQ(going, 1);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open"));
	CU_ASSERT_FALSE(rig_io()->gate);
	rig_disconnect();
}

/* vhbad was killed when it had recorded that the VM goes on, and had not told that. */
static void test_untold(void)
{
	for (unsigned gate = 0; gate < 2; gate++) {
		int stopped = 0;

		if (!gate) {
			rig_register(REG_IO_SCSI, false, true, "/nothing/a");
			rig_start();
			rig_connect("scsi");
			ios_open(&rig.d, UUID, "operator");
			UNTIL(!rig_vm()->pending);
			UNTIL(strstr(rig_ask('?'), "running open") != NULL);
		}
		ios_stop(&rig.d, UUID, rig_told, &stopped);
		UNTIL(stopped);
		if (gate) {
			rig_kill();
			CU_ASSERT_TRUE(rig_has(rig_ask('?'), "stopped closed"));
		}
		rig_io()->held = rig_io()->gate = false;
		io_record_write(rig_io());
		ios_free(rig.d.ios);
		CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&rig.d));
		ios_adopted(&rig.d);
		UNTIL(strstr(rig_ask('?'), "running open") != NULL);
		CU_ASSERT_FALSE(ios_stopped(&rig.d, UUID));
	}
	rig_disconnect();
}

/* Of a record that can't be read no gate opens. */
static void test_no_record(void)
{
	char path[PATH_MAX];

	rig_register(REG_IO_SCSI, false, true, "/nothing/a");
	rig_start();
	io_path_of(rig_io(), "json", path, sizeof(path));
	UT_EQ(unlink(path), 0);
	io_record_read(rig_io());
	CU_ASSERT_TRUE(rig_io()->gate);
}

/* What it left in the kernel counts until it tells that it has ended. */
static void test_orphans(void)
{
	int stopped = 0;

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	rig_start();
	rig_connect("scsi");
	rig_ask('s');
	ios_stop(&rig.d, UUID, rig_told, &stopped);
	UNTIL(stopped);
	UNTIL(rig_io()->orphans == 3);
	UT_EQ(ios_left(&rig.d, UUID), 3);
	rig_ask('e');
	UNTIL(!ios_left(&rig.d, UUID));
	rig_disconnect();
}

/* What one that was killed has left in the kernel is known when the next one has looked. */
static void test_killed_then_stopped(void)
{
	struct monotime limit = mono_add(mono_now(), PATIENCE);
	int stopped = 0;

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	CU_ASSERT_EQUAL_FATAL(ios_start(&rig.d, rig_vm(), false, &rig.e), 0);
	UNTIL(rig_io()->machine.state == IO_UP);
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
	UNTIL(!TAILQ_EMPTY(&rig_io()->kept));
	CU_ASSERT_EQUAL(send(rig.front, "k", 1, MSG_NOSIGNAL), 1);
	/* One event at a time: on a busy machine the next one is up before the loop rests. */
	while (rig_io()->machine.state == IO_UP && !mono_reached(limit, mono_now()))
		sd_event_run(rig.d.loop, 10 * USEC_PER_MSEC);
	CU_ASSERT_TRUE_FATAL(rig_io()->machine.state != IO_UP);
	ios_stop(&rig.d, UUID, rig_told, &stopped);
	CU_ASSERT_TRUE(ios_left(&rig.d, UUID) > 0);
	UNTIL(!ios_left(&rig.d, UUID));
	UT_EQ(rig_io()->machine.state, IO_UP);
	UT_EQ(stopped, 1);
	rig_disconnect();
}

static void test_gate(void)
{
	rig_register(REG_IO_SCSI, false, true, "/nothing/a");
	rig_start();
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "stopped closed"));
	rig_kill(); /* and so does the next one */
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "stopped closed kept=2"));
	ios_open(&rig.d, UUID, "operator");
	UNTIL(!rig_vm()->pending);
	CU_ASSERT_FALSE(rig_vm()->io.gate);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open"));
	rig_kill();
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=2"));
	rig_disconnect();
}

static void test_upgrade(void)
{
	pid_t was;

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	rig_start();
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
	was = rig_io()->pid;
	io_tell(rig_io(), IO_EV_UPGRADE);
	UNTIL(rig_io()->pid != was && rig_io()->machine.state == IO_UP);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=2"));
	UT_EQ(rig_io()->machine.restarts, 0);
	rig_disconnect();
}

/* The loop was held up until after the time that a start may take: what was said by then counts. */
static void test_loop_was_late(void)
{
	struct pollfd answered = {.events = POLLIN};

	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	CU_ASSERT_EQUAL_FATAL(ios_start(&rig.d, rig_vm(), false, &rig.e), 0);
	rig_connect("scsi");
	while (rig_io()->machine.state != IO_START)
		sd_event_run(rig.d.loop, 10 * USEC_PER_MSEC);
	CU_ASSERT_EQUAL(send(rig.front, "?", 1, MSG_NOSIGNAL), 1);
	answered.fd = rig.front;
	UT_EQ(poll(&answered, 1, (int)(PATIENCE / USEC_PER_MSEC)), 1);
	sd_event_source_set_time(rig_io()->timer, mono_now().us);
	UNTIL(rig_io()->machine.state != IO_START);
	rig_ask('?'); /* twice: the first answer was there before */
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running open kept=0"));
	UT_EQ(rig_io()->machine.restarts, 0);
	rig_disconnect();
}

/* One that can't start is tried again, says why, and leaves nothing behind when it is not wanted any more. */
static void test_dies(void)
{
	char path[128];
	struct stat st;

	rig_register(REG_IO_SCSI, false, false, "/dies");
	UT_EQ(ios_start(&rig.d, rig_vm(), false, &rig.e), 0);
	UNTIL(rig_io()->machine.restarts >= 3);
	CU_ASSERT_TRUE(rig_has(rig_io()->text, "ended with 1"));
	ios_end(&rig.d, UUID);
	UNTIL(TAILQ_EMPTY(&rig.d.ios->list));
	snprintf(path, sizeof(path), "%s/io/db1", rig.run_dir);
	UT_EQ(stat(path, &st), -1);
}

/* ---- operations on a VM without vhbas ---- */

static struct json_object *last_event(void)
{
	return eventlog_get(&rig.d.events, rig.d.events.next - 1);
}

static bool operate(enum op_kind kind, uint64_t us)
{
	struct vm *vm = vm_of_registry(&rig.d, rig_vm());
	struct op *op = op_new(&rig.d, kind, vm, NULL, us, &rig.e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(op);
	return !op_io_start(op, &rig.e);
}

static bool event_has(const char *text)
{
	for (uint64_t n = eventlog_oldest(&rig.d.events); n < rig.d.events.next; n++)
		if (strstr(proto_get_text(eventlog_get(&rig.d.events, n), "text"), text))
			return true;
	return false;
}

static void test_operations(void)
{
	rig_register(REG_IO_SCSI, false, false, "/nothing/a");
	CU_ASSERT_TRUE(operate(OP_ATTACH, 10 * USEC_PER_SEC));
	UT_EQ(vm_find(&rig.d.vms, UUID)->state, VM_ATTACHED);
	CU_ASSERT_TRUE(TAILQ_EMPTY(&rig.d.ops));
	UNTIL(rig_io()->machine.state == IO_UP);
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
	CU_ASSERT_TRUE(operate(OP_QUIESCE, 60 * USEC_PER_SEC));
	UT_EQ(vm_find(&rig.d.vms, UUID)->state, VM_QUIESCING);
	UNTIL(TAILQ_EMPTY(&rig.d.ops));
	UT_EQ(vm_find(&rig.d.vms, UUID)->state, VM_HELD);
	CU_ASSERT_TRUE(event_has("quiesce: confirmed"));
	CU_ASSERT_TRUE(operate(OP_RESUME, 60 * USEC_PER_SEC));
	UNTIL(TAILQ_EMPTY(&rig.d.ops));
	UT_EQ(vm_find(&rig.d.vms, UUID)->state, VM_ATTACHED);
	CU_ASSERT_TRUE(rig_has(rig_ask('s'), "running"));
	CU_ASSERT_TRUE(operate(OP_QUIESCE, 200 * USEC_PER_MSEC));
	UNTIL(TAILQ_EMPTY(&rig.d.ops));
	CU_ASSERT_TRUE(event_has("quiesce: unconfirmed"));
	UT_EQ(vm_find(&rig.d.vms, UUID)->state, VM_HELD);
	rig_ask('e');
	rig_disconnect();
	CU_ASSERT_TRUE(operate(OP_DETACH, 60 * USEC_PER_SEC));
	UNTIL(TAILQ_EMPTY(&rig.d.ops) && TAILQ_EMPTY(&rig.d.ios->list));
	CU_ASSERT_PTR_NULL(vm_find(&rig.d.vms, UUID));
	CU_ASSERT_PTR_NOT_NULL(last_event());
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"killed, and followed by the next", test_killed},
		{"what it said last", test_last_words},
		{"what it said last, with a request unread", test_last_words_unread},
		{"vhbad is killed", test_vhbad_killed},
		{"both are", test_both_killed},
		{"held while the VM is quiesced", test_held},
		{"that it goes on was recorded, and not told", test_untold},
		{"no record", test_no_record},
		{"what is left in the kernel", test_orphans},
		{"killed, and then stopped", test_killed_then_stopped},
		{"the gate", test_gate},
		{"an upgrade", test_upgrade},
		{"the loop was late", test_loop_was_late},
		{"one that can't start", test_dies},
		{"operations without a vhba", test_operations},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"vhba-io held", tests, rig_begin, rig_finish}, {0}};

	return ut_main(argc, argv, suites);
}

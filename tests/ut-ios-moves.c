/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vhba-io of a VM that moves while its guest runs: its gate, and what vhbad's record of it keeps. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ct.h"
#include "ut-ios-rig.h"

static void register_arriving(bool vhba)
{
	struct reg_io io;
	bool done = false;

	rig_register(REG_IO_SCSI, vhba, true, vhba ? NULL : "/nothing/a");
	io = rig_vm()->io;
	io.arrives = true;
	UT_EQ(registry_set(rig.d.reg, rig_vm(), false, &io, rig_written, &done, &rig.e), 0);
	UNTIL(done);
	rig_reopen_registry();
	CU_ASSERT_TRUE(rig_vm()->io.gate && rig_vm()->io.arrives && !rig_vm()->io.unfenced);
}

/* Of files the rings' start is enough, for the back end and for the registry. */
static void test_arrives(void)
{
	register_arriving(false);
	rig_start();
	rig_connect("scsi");
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "stopped closed"));
	CU_ASSERT_TRUE(rig_io()->gate);
	CU_ASSERT_TRUE(rig_has(rig_ask('o'), "open"));
	UNTIL(!rig_vm()->io.gate && !rig_vm()->pending);
	CU_ASSERT_FALSE(rig_vm()->io.arrives || rig_io()->gate);
	UNTIL(strstr(rig_ask('?'), "running open") != NULL);
	rig_disconnect();
}

/* What is given up is expected no more, also after vhbad's end. */
static void test_given_up(void)
{
	bool done = false;

	register_arriving(true);
	UT_EQ(registry_set_owner(rig.d.reg, rig_vm(), "", rig_vm()->generation + 1, rig_written, &done,
				 &rig.e),
	      0);
	UNTIL(done);
	CU_ASSERT_TRUE(rig_vm()->io.gate && !rig_vm()->io.arrives);
}

/* What the name was shown to is known to the next vhbad, and what the back end leaves for. */
static void test_remembered(void)
{
	register_arriving(true);
	rig_start();
	rig_connect("scsi");
	rig_io()->live.witness[0] = 0x20000200000a0001;
	rig_io()->live.leaving = true;
	io_record_write(rig_io());
	rig_io()->live.witness[0] = 0;
	rig_io()->live.leaving = false;
	io_record_read(rig_io());
	CU_ASSERT_EQUAL(live_witness(&rig.d, UUID, 0), UINT64_C(0x20000200000a0001));
	UT_EQ(live_witness(&rig.d, UUID, 1), 0);
	CU_ASSERT_TRUE(live_leaves(&rig.d, UUID));
	CU_ASSERT_FALSE(live_is_sure(&rig.d, UUID));
	CU_ASSERT_TRUE(live_open(&rig.d, rig_vm()));
	CU_ASSERT_TRUE(live_is_sure(&rig.d, UUID));
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "closed")); /* a word alone has not logged it in */
	rig_disconnect();
}

/* vhbad was killed when it had noted that it leaves: before anything else was done, or after. */
static void test_leaving_adopted(void)
{
	struct vm *vm;

	rig_register(REG_IO_SCSI, true, false, NULL);
	rig_start();
	vm = rig_attach(5);
	for (unsigned held = 0; held < 2; held++) {
		rig_io()->live.leaving = true;
		io_record_write(rig_io());
		ios_free(rig.d.ios);
		CU_ASSERT_PTR_NOT_NULL_FATAL(ios_new(&rig.d));
		CU_ASSERT_TRUE(rig_io()->live.leaving);
		vm_set_state(vm, held ? VM_HELD : VM_ATTACHED);
		ios_adopted(&rig.d);
		UT_EQ(rig_io()->live.leaving, held);
		rig_io()->live.leaving = !held;
		io_record_read(rig_io()); /* as the next one would find it */
		UT_EQ(rig_io()->live.leaving, held);
	}
}

static bool event_has(const char *text)
{
	const struct eventlog *events = &rig.d.events;

	for (uint64_t n = eventlog_oldest(events); n < events->next; n++)
		if (strstr(proto_get_text(eventlog_get(events, n), "text"), text))
			return true;
	return false;
}

/* Its journals can't be written, or can. */
static void set_journal(bool writable)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/journal", rig.run_dir);
	if (!writable) {
		close(creat(path, 0600));
		return;
	}
	unlink(path);
	mkdir(path, 0700);
}

static struct vm *with_its_lun(void)
{
	struct vm *vm;

	rig.cfg.quiesce_deadline = PATIENCE;
	rig_register(REG_IO_SCSI, true, false, NULL);
	rig_start();
	rig_connect("scsi");
	vm = rig_attach(5);
	ios_attached(&rig.d, vm);
	rig_open_path(5, 0);
	rig_open_path(5, 0);
	UNTIL(strstr(rig_ask('?'), "luns=0:2,") != NULL);
	rig_ask('o');
	return vm;
}

/*
 * Its quiesce can't begin, then fails and is rolled back, and is begun again each time when that is over;
 * what the destination waits for comes about without anybody's word.
 */
static void test_leaving_again(void)
{
	struct vm *vm;

	set_journal(false);
	vm = with_its_lun();
	rig_ask('f');
	UNTIL(event_has("logging out"));
	UNTIL(TAILQ_EMPTY(&rig.d.ops));
	UT_EQ(vm->state, VM_ATTACHED);
	CU_ASSERT_TRUE(rig_io()->live.leaving);
	CU_ASSERT_FALSE(rig_io()->held);
	UNTIL(event_has("trying again (1 of 10)"));
	rig_ask('r');
	set_journal(true);
	UNTIL(event_has("quiesce: failed"));
	UT_EQ(vm->state, VM_ATTACHED);
	UNTIL(rig_io()->held && !strcmp(rig_io()->state, "stopped"));
	UT_EQ(vm->state, VM_QUIESCING);
	CU_ASSERT_TRUE(rig_io()->live.leaving);
	rig_disconnect();
}

/* Rolled back, and the guest goes on where it was before the next attempt: there is none. */
static void test_leaving_stays(void)
{
	struct vm *vm;

	set_journal(true);
	vm = with_its_lun();
	rig_ask('r');
	rig_ask('f');
	UNTIL(event_has("quiesce: failed"));
	rig_io()->live.again = mono_add(mono_now(), PATIENCE); /* however slow the front end is */
	rig_ask('o');
	UNTIL(event_has("the guest goes on here"));
	CU_ASSERT_FALSE(rig_io()->live.leaving || rig_io()->live.due);
	CU_ASSERT_FALSE(event_has("trying again"));
	UT_EQ(vm->state, VM_ATTACHED);
	CU_ASSERT_TRUE(rig_has(rig_ask('?'), "running"));
	rig_disconnect();
}

/* After the last attempt a change of its path begins another, but none of that attempt's own. */
static void test_leaving_given_up(void)
{
	struct live *l;

	with_its_lun();
	l = &rig_io()->live;
	UNTIL(l->rings); /* which begins the count anew */
	l->leaving = l->due = true;
	l->tries = LIVE_TRIES + 1;
	rig_ask('f');
	UNTIL(l->known && !l->rings);
	l->again = mono_now();
	live_path(&rig.d, 5);
	UT_EQ(l->tries, LIVE_TRIES + 1);
	l->again.us = 0;
	live_path(&rig.d, 6);
	UT_EQ(l->tries, LIVE_TRIES + 1);
	live_path(&rig.d, 5);
	UT_EQ(l->tries, 0);
	UNTIL(event_has("trying again (1 of 10)"));
	rig_disconnect();
}

/* How the front end's log goes on or off, as its back end tells it. */
static void log_is(bool on)
{
	live_told(rig_io(), on ? "on front=yes log=on at=0" : "on front=yes log=off at=0");
}

static void f_port_asked(int err, wwn_t f_port)
{
	struct priv_request q;

	CU_ASSERT_TRUE_FATAL(rig_next_verb(&q));
	UT_EQ(q.verb, PRIV_CT_GFPN_ID);
	UT_EQ(q.host, 2);
	UT_EQ(q.target, 0);
	rig_answer(&q, (struct priv_reply){
			       .err = err, .value = f_port ? CT_PRESENT : CT_NO_PROOF, .own_f_port = f_port});
	UT_EQ(live_f_port(&rig.d, UUID, 0), f_port);
}

/* The F_Port of its parent is asked for as soon as a migration may follow, and outlives vhbad. */
static void test_f_port(void)
{
	with_its_lun();
	UNTIL(rig_io()->live.rings);
	UT_EQ(live_f_port(&rig.d, UUID, 0), 0);
	log_is(true);
	log_is(true); /* it is the same one */
	f_port_asked(0, 0x200a000dec00ff80);
	rig_io()->live.f_port[0] = 0;
	io_record_read(rig_io());
	UT_EQ(live_f_port(&rig.d, UUID, 0), 0x200a000dec00ff80);
	/* What was so at an earlier one is of no use. */
	log_is(false);
	log_is(true);
	UT_EQ(live_f_port(&rig.d, UUID, 0), 0);
	f_port_asked(-ETIMEDOUT, 0);
	log_is(false);
	log_is(true);
	f_port_asked(0, 0);
	/* A dead fabric is not asked. */
	tree_put("Linkdown", "/sys/class/fc_host/host2/port_state");
	log_is(false);
	log_is(true);
	tree_put("Online", "/sys/class/fc_host/host2/port_state");
	log_is(false);
	log_is(true);
	f_port_asked(0, 0x200b000dec00ff80);
	CU_ASSERT_FALSE(rig_verb_waits());
	log_is(false);
	rig_disconnect();
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"a VM of files arrives", test_arrives},
		{"an arrival that is given up", test_given_up},
		{"an arrival that is remembered", test_remembered},
		{"what was to leave, and had not begun", test_leaving_adopted},
		{"a logout that fails is begun again", test_leaving_again},
		{"one that fails, and the guest stays", test_leaving_stays},
		{"one that was given up, and its path changes", test_leaving_given_up},
		{"the F_Port that it leaves", test_f_port},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"moves of a vhba-io", tests, rig_begin, rig_finish}, {0}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The vhba-io of a VM that moves while its guest runs: its gate, and what vhbad's record of it keeps. */
#include <string.h>

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

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"a VM of files arrives", test_arrives},
		{"an arrival that is given up", test_given_up},
		{"an arrival that is remembered", test_remembered},
		{"what was to leave, and had not begun", test_leaving_adopted},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"moves of a vhba-io", tests, rig_begin, rig_finish}, {0}};

	return ut_main(argc, argv, suites);
}

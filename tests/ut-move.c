/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A migration that was cut off: its note, and what becomes of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mend.h"
#include "textfile.h"
#include "ut.h"

#define UUID "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01"
#define OTHER "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db02"

static char dir[96];

static void test_note(void)
{
	struct move_note n = {
		.uuid = UUID, .uri = "qemu+ssh://beta/system?x=\"", .begun = true, .suspended = true};
	char uuids[4][VIR_UUID_STRING_BUFLEN];

	ut_tmpdir(dir, sizeof(dir));
	UT_EQ(notes_read(dir, UUID, &n), -ENOENT);
	n = (struct move_note){
		.uuid = UUID, .uri = "qemu+ssh://beta/system?x=\"", .begun = true, .suspended = true};
	UT_EQ(notes_write(dir, &n), 0);
	n.begun = false;
	memcpy(n.uuid, OTHER, sizeof(n.uuid));
	UT_EQ(notes_write(dir, &n), 0);
	UT_EQ(notes_list(dir, uuids, 4), 2);
	UT_EQ(notes_list(dir, uuids, 1), 1);
	UT_EQ(notes_read(dir, UUID, &n), 0);
	UT_STREQ(n.uuid, UUID);
	UT_STREQ(n.uri, "qemu+ssh://beta/system?x=\"");
	CU_ASSERT_TRUE(n.begun && n.suspended);
	UT_EQ(notes_read(dir, OTHER, &n), 0);
	CU_ASSERT_FALSE(n.begun);
	notes_remove(dir, UUID);
	notes_remove(dir, UUID);
	UT_EQ(notes_read(dir, UUID, &n), -ENOENT);
	UT_EQ(notes_list(dir, uuids, 4), 1);
	UT_STREQ(uuids[0], OTHER);
	UT_EQ(notes_list("/nonexistent", uuids, 4), 0);
}

/* What can't be understood is left for a person. */
static void test_bad_notes(void)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"version\":2,\"uuid\":\"" UUID "\",\"uri\":\"x\"}",
		"{\"version\":1,\"uuid\":\"" OTHER "\",\"uri\":\"x\"}",
		"{\"version\":1,\"uuid\":\"" UUID "\"}",
	};
	char path[160];
	struct move_note n;

	snprintf(path, sizeof(path), "%s/" UUID ".move", ut_tmpdir(dir, sizeof(dir)));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		UT_EQ(textfile_write(path, bad[i]), 0);
		UT_EQ(notes_read(dir, UUID, &n), -EINVAL);
	}
	UT_EQ(access(path, F_OK), 0);
}

/* In no case is a guest resumed here of which it is not known that nobody else runs it, nor given away. */
static void test_what(void)
{
	for (int there = 0; there < MEND_WHERES_; there++) {
		UT_EQ(mend_what(MEND_UNKNOWN, there), MEND_WAIT);
		UT_EQ(mend_what(MEND_COMING, there), MEND_WAIT);
		UT_EQ(mend_what(MEND_RUNS, there), there == MEND_RUNS ? MEND_TWICE : MEND_STAYS);
	}
	UT_EQ(mend_what(MEND_PAUSED, MEND_UNKNOWN), MEND_WAIT);
	UT_EQ(mend_what(MEND_PAUSED, MEND_COMING), MEND_WAIT);
	UT_EQ(mend_what(MEND_PAUSED, MEND_ABSENT), MEND_STAYS);
	UT_EQ(mend_what(MEND_PAUSED, MEND_PAUSED), MEND_MOVED);
	UT_EQ(mend_what(MEND_PAUSED, MEND_RUNS), MEND_MOVED);
	UT_EQ(mend_what(MEND_ABSENT, MEND_UNKNOWN), MEND_WAIT);
	UT_EQ(mend_what(MEND_ABSENT, MEND_COMING), MEND_WAIT);
	UT_EQ(mend_what(MEND_ABSENT, MEND_ABSENT), MEND_ENDED);
	UT_EQ(mend_what(MEND_ABSENT, MEND_PAUSED), MEND_MOVED);
	UT_EQ(mend_what(MEND_ABSENT, MEND_RUNS), MEND_MOVED);
}

static CU_TestInfo tests[] = {
	{"notes", test_note},
	{"bad notes", test_bad_notes},
	{"where it ends", test_what},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"cut off", tests, NULL, NULL}, {0}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "journal-int.h"
#include "ut.h"

static char dir[64];

static int fresh(void)
{
	ut_memdir(dir, sizeof(dir));
	return 0;
}

static struct journal *begin(const char *vm, uint64_t id)
{
	struct journal_head head = {.kind = JOURNAL_QUIESCE, .id = id};
	struct verror e = {0};
	struct journal *j;

	snprintf(head.vm, sizeof(head.vm), "%s", vm);
	j = journal_begin(dir, &head, NULL, &e);
	if (!j)
		printf("# %s: %s\n", e.what, e.seen);
	return j;
}

static void put(struct journal *j, const char *value)
{
	struct journal_record r;

	journal_record_init(&r, "step", 42);
	journal_put(&r, "value", "%s", value);
	journal_put_hex(&r, "wwpn", 0x2000000000000001);
	UT_EQ(journal_append(j, &r), 0);
}

static void raw(const char *name, const char *bytes, size_t len, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
	UT_EQ(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

#define OPFILE "vm1.00000000000000000001.op"

static void test_line(void)
{
	struct journal_record r, s;
	char line[JOURNAL_LINE_MAX], text[300];
	uint64_t n;
	int len;

	for (int i = 0; i < 255; i++)
		text[i] = i + 1;
	text[255] = '\0';
	journal_record_init(&r, "step", UINT64_MAX);
	journal_put(&r, "all", "%s", text);
	journal_put(&r, "empty", "%s", "");
	journal_put_u64(&r, "max", UINT64_MAX);
	journal_put_hex(&r, "wwpn", 0x500a09800000abcd);
	len = journal_encode(&r, line, sizeof(line));
	CU_ASSERT_FATAL(len > 0 && line[len - 1] == '\n');
	UT_EQ(journal_decode(&s, line, len - 1), 0);
	UT_STREQ(journal_get(&s, "all"), text);
	UT_STREQ(journal_get(&s, "empty"), "");
	UT_EQ(journal_get_u64(&s, "max", &n), 0);
	CU_ASSERT(n == UINT64_MAX);
	UT_EQ(journal_get_hex(&s, "wwpn", &n), 0);
	CU_ASSERT(n == 0x500a09800000abcd);
	UT_EQ(journal_get_u64(&s, "none", &n), -ENOENT);
	UT_EQ(journal_get_u64(&s, "wwpn", &n), -EINVAL);
	/* No single changed byte passes. */
	for (int i = 0; i < len - 1; i++) {
		line[i] ^= 1;
		CU_ASSERT(journal_decode(&s, line, len - 1) < 0);
		line[i] ^= 1;
	}
	UT_EQ(journal_decode(&s, "vj2 whatever", 12), -EPROTONOSUPPORT);
	UT_EQ(journal_decode(&s, "", 0), -EBADMSG);
	UT_EQ(journal_encode(&r, line, 20), -E2BIG);
}

/* The checksum is the one that others compute: CRC-32 of "0 0 begin". */
static void test_checksum(void)
{
	struct journal_record r;
	char line[JOURNAL_LINE_MAX];

	journal_record_init(&r, "begin", 0);
	CU_ASSERT(journal_encode(&r, line, sizeof(line)) > 0);
	UT_STREQ(line, "vj1 22267446 0 0 begin\n");
}

static void test_limits(void)
{
	struct journal_record r;
	char line[JOURNAL_LINE_MAX], big[JOURNAL_TEXT_MAX];

	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	journal_record_init(&r, "step", UINT64_MAX);
	r.seq = UINT64_MAX;
	for (int i = 0; i < JOURNAL_KV_MAX - 1; i++)
		journal_put(&r, "a-key-of-23-characters0", "%s", "");
	big[JOURNAL_TEXT_MAX - JOURNAL_KV_MAX] = '\0';
	journal_put(&r, "a-key-of-23-characters0", "%s", big);
	UT_EQ(r.error, 0);
	CU_ASSERT(journal_encode(&r, line, sizeof(line)) > 0);
	journal_put(&r, "more", "%s", "");
	UT_EQ(r.error, -E2BIG);
	UT_EQ(journal_encode(&r, line, sizeof(line)), -E2BIG);
	journal_record_init(&r, "no good", 0);
	UT_EQ(r.error, -EINVAL);
	journal_record_init(&r, "step", 0);
	journal_put(&r, "Key", "%s", "");
	UT_EQ(r.error, -EINVAL);
}

static void test_unfinished(void)
{
	struct journal_list list;
	struct journal *j;

	fresh();
	j = begin("vm1", 1);
	CU_ASSERT_FATAL(j != NULL);
	put(j, "a b");
	journal_close(j);
	errno = 0;
	CU_ASSERT(begin("vm1", 1) == NULL);
	UT_EQ(errno, EEXIST);
	UT_EQ(journal_load(dir, JOURNAL_UNFINISHED, NULL, &list, NULL), 0);
	UT_EQ(list.n, 1);
	UT_EQ(list.op[0].n, 2);
	UT_EQ(list.op[0].head.kind, JOURNAL_QUIESCE);
	UT_STREQ(list.op[0].head.vm, "vm1");
	UT_STREQ(journal_get(&list.op[0].rec[1], "value"), "a b");
	j = journal_reopen(dir, &list.op[0], NULL);
	CU_ASSERT_FATAL(j != NULL);
	journal_list_free(&list);
	put(j, "c");
	UT_EQ(journal_end(j, "confirmed", "all is well", 50, 3), 0);
	UT_EQ(journal_load(dir, JOURNAL_UNFINISHED, NULL, &list, NULL), 0);
	UT_EQ(list.n, 0);
	UT_EQ(journal_load(dir, JOURNAL_DONE, "vm1", &list, NULL), 0);
	UT_EQ(list.n, 1);
	UT_EQ(list.op[0].n, 4);
	UT_EQ(list.op[0].done, true);
	journal_list_free(&list);
	UT_EQ(journal_load(dir, JOURNAL_DONE, "vm", &list, NULL), 0);
	UT_EQ(list.n, 0);
}

static void test_torn(void)
{
	struct journal_list list;
	struct journal *j;

	fresh();
	j = begin("vm1", 1);
	put(j, "whole");
	journal_close(j);
	raw(OPFILE, "vj1 00000000 2 42 st", 20, O_APPEND);
	UT_EQ(journal_load(dir, JOURNAL_UNFINISHED, NULL, &list, NULL), 0);
	UT_EQ(list.n, 1);
	UT_EQ(list.op[0].n, 2);
	UT_EQ(list.op[0].torn, true);
	/* Going on cuts the torn bytes off. */
	j = journal_reopen(dir, &list.op[0], NULL);
	journal_list_free(&list);
	put(j, "after");
	journal_close(j);
	UT_EQ(journal_load(dir, JOURNAL_UNFINISHED, NULL, &list, NULL), 0);
	UT_EQ(list.op[0].n, 3);
	UT_EQ(list.op[0].torn, false);
	journal_list_free(&list);
	raw(OPFILE, "garbage\nvj1 more\n", 17, O_APPEND);
	UT_EQ(journal_load(dir, JOURNAL_UNFINISHED, NULL, &list, NULL), 0);
	UT_EQ(list.op[0].damaged, true);
	UT_EQ(list.op[0].n, 3);
	journal_list_free(&list);
}

static void test_refused(void)
{
	struct journal_head old = {.kind = JOURNAL_ATTACH, .vm = "vm2", .id = 7, .boot_id = "another"};
	struct journal_list list;
	struct verror e = {0};

	fresh();
	raw(OPFILE, "vj2 00000000 0 1 begin\n", 23, 0);
	raw("vm3.00000000000000000001.op", "vj1 0000", 8, 0);
	journal_close(journal_begin(dir, &old, NULL, NULL));
	UT_EQ(journal_load(dir, JOURNAL_UNFINISHED, NULL, &list, NULL), 0);
	UT_EQ(list.n, 0);
	UT_EQ(list.refused, 1);
	UT_EQ(list.other_boot, 1);
	UT_EQ(journal_load(dir, JOURNAL_UNFINISHED, NULL, &list, NULL), 0);
	UT_EQ(list.refused, 1);
	UT_EQ(list.other_boot, 0);
	strcpy(old.vm, "../vm2");
	CU_ASSERT(journal_begin(dir, &old, NULL, &e) == NULL);
	CU_ASSERT(e.what[0] != '\0');
	CU_ASSERT(journal_load("/nonexistent", JOURNAL_UNFINISHED, NULL, &list, &e) < 0);
}

static void test_keep(void)
{
	struct journal_list list;

	fresh();
	for (uint64_t id = 1; id <= 5; id++)
		UT_EQ(journal_end(begin("vm1", id), "confirmed", NULL, 1, 2), 0);
	UT_EQ(journal_end(begin("vm2", 1), "confirmed", NULL, 1, 2), 0);
	UT_EQ(journal_load(dir, JOURNAL_DONE, NULL, &list, NULL), 0);
	UT_EQ(list.n, 3);
	UT_EQ(list.op[0].head.id + list.op[1].head.id + list.op[2].head.id, 4 + 5 + 1);
	journal_list_free(&list);
}

static void test_memory(void)
{
	struct verror e = {0};

	UT_EQ(journal_dir_in_memory("/proc", &e), false);
	CU_ASSERT(e.fix[0] != '\0');
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"a line and back", test_line},
		{"the checksum's value", test_checksum},
		{"limits", test_limits},
		{"begun, reopened, ended", test_unfinished},
		{"torn and damaged", test_torn},
		{"newer, unborn, other boot", test_refused},
		{"the last ones are kept", test_keep},
		{"in memory or not", test_memory},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"quiesce-journal", tests, NULL, NULL}, {NULL}};

	return ut_main(argc, argv, suites);
}

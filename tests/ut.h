/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One runner for all CUnit programs: TAP on stdout, so that automake and bootstrap count single tests.
 *   ut-NAME [--list] [--suite S] [--test T]
 */
#ifndef VHBA_UT_H
#define VHBA_UT_H

#include <CUnit/CUnit.h>
#include <sys/types.h>

struct ut_suite {
	const char *name;
	CU_TestInfo *tests; /* ends in CU_TEST_INFO_NULL */
	int (*init)(void); /* may be NULL; 0 on success */
	int (*clean)(void); /* likewise */
};

/* suites ends in an entry with a NULL name. Returns the exit code of main. */
int ut_main(int argc, char **argv, const struct ut_suite *suites);

/* A fresh temporary directory, removed with all that is in it at exit. A static buffer per call is not
 * used: the caller gives room for at least 64 bytes. Returns buf; aborts when it can't. */
char *ut_tmpdir(char *buf, size_t size);

/* The same in memory, as /run and sysfs are: a loop that writes there is not held up by a disk that is busy
 * with other things, and no deadline passes for that. */
char *ut_memdir(char *buf, size_t size);

/* fork(2), of a child that dies with its parent: one that outlives a test that crashed would hold the
 * runner's pipe. */
pid_t ut_fork(void);

/* Compare texts and say both when they differ. */
#define UT_STREQ(a, b)                                                                                       \
	do {                                                                                                 \
		const char *ut_a_ = (a), *ut_b_ = (b);                                                       \
		if (strcmp(ut_a_, ut_b_))                                                                    \
			printf("# %s:%d: \"%s\" is not \"%s\"\n", __FILE__, __LINE__, ut_a_, ut_b_);         \
		CU_ASSERT_STRING_EQUAL(ut_a_, ut_b_);                                                        \
	} while (0)

/* Compare numbers and say both when they differ. */
#define UT_EQ(a, b)                                                                                          \
	do {                                                                                                 \
		long long ut_a_ = (long long)(a), ut_b_ = (long long)(b);                                    \
		if (ut_a_ != ut_b_)                                                                          \
			printf("# %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #a, ut_a_, ut_b_);     \
		CU_ASSERT_EQUAL(ut_a_, ut_b_);                                                               \
	} while (0)

#endif

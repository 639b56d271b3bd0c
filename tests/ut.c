/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ut.h"

#define TMPDIRS_MAX 128

static char *tmpdirs[TMPDIRS_MAX];
static size_t tmpdirs_n;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tmpdirs(void)
{
	while (tmpdirs_n) {
		nftw(tmpdirs[--tmpdirs_n], remove_one, 16, FTW_DEPTH | FTW_PHYS);
		free(tmpdirs[tmpdirs_n]);
	}
}

static char *folder_below(const char *top, char *buf, size_t size)
{
	if (!tmpdirs_n)
		atexit(remove_tmpdirs);
	snprintf(buf, size, "%s/vhba-ut.XXXXXX", top);
	if (tmpdirs_n == TMPDIRS_MAX || !mkdtemp(buf)) {
		perror("a folder of a test");
		abort();
	}
	tmpdirs[tmpdirs_n++] = strdup(buf);
	return buf;
}

char *ut_tmpdir(char *buf, size_t size)
{
	return folder_below("/tmp", buf, size);
}

char *ut_memdir(char *buf, size_t size)
{
	return folder_below(access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", buf, size);
}

static unsigned run_test(const struct ut_suite *s, const CU_TestInfo *t, unsigned number)
{
	CU_pSuite suite = CU_add_suite(s->name, s->init, s->clean);
	CU_pTest test = suite ? CU_add_test(suite, t->pName, t->pTestFunc) : NULL;
	CU_pFailureRecord f;
	bool good;

	if (!test) {
		printf("not ok %u - %s/%s # CUnit: %s\n", number, s->name, t->pName, CU_get_error_msg());
		return 1;
	}
	CU_run_suite(suite);
	good = !CU_get_number_of_failure_records();
	for (f = CU_get_failure_list(); f; f = f->pNext)
		printf("# %s:%u: %s\n", f->strFileName ? f->strFileName : "?", f->uiLineNumber,
		       f->strCondition ? f->strCondition : "?");
	printf("%sok %u - %s/%s\n", good ? "" : "not ", number, s->name, t->pName);
	fflush(stdout);
	CU_cleanup_registry();
	CU_initialize_registry();
	return good ? 0 : 1;
}

static bool chosen(const char *want, const char *name)
{
	return !want || !strcmp(want, name);
}

pid_t ut_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	return 0;
}

int ut_main(int argc, char **argv, const struct ut_suite *suites)
{
	const char *suite = NULL, *test = NULL;
	unsigned number = 0, failed = 0;
	bool list = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--list"))
			list = true;
		else if (!strcmp(argv[i], "--suite") && i + 1 < argc)
			suite = argv[++i];
		else if (!strcmp(argv[i], "--test") && i + 1 < argc)
			test = argv[++i];
		else
			return fprintf(stderr, "usage: %s [--list] [--suite S] [--test T]\n", argv[0]), 2;
	}
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	for (const struct ut_suite *s = suites; s->name; s++) {
		for (const CU_TestInfo *t = s->tests; t->pName; t++) {
			if (!chosen(suite, s->name) || !chosen(test, t->pName))
				continue;
			if (list)
				printf("%s/%s\n", s->name, t->pName);
			else
				failed += run_test(s, t, ++number);
		}
	}
	CU_cleanup_registry();
	if (!list)
		printf("1..%u\n", number);
	return failed ? 1 : 0;
}

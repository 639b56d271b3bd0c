/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as they come and go, and as LUNs of their own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "lun_option.h"
#include "path.h"
#include "ut.h"

static bool told(int notice)
{
	uint64_t count;

	return read(notice, &count, sizeof(count)) == sizeof(count);
}

static void begin(struct paths *ps, int notice)
{
	memset(ps, 0, sizeof(*ps));
	ps->n = 2;
	for (unsigned i = 0; i < ps->n; i++)
		path_of_fds(&ps->path[i], -1, -1, -1);
	paths_watch(ps, notice);
}

static void test_states(void)
{
	AUTO_FD int notice = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const struct sg_command timed_out = {.host_status = 3}, removed = {.error = ENODEV};
	enum path_state state;
	struct paths ps;

	begin(&ps, notice);
	UT_EQ(paths_usable(&ps), 2);
	CU_ASSERT_PTR_NULL(paths_news(&ps, &state));
	path_lost(&ps.path[1], &timed_out);
	CU_ASSERT(told(notice));
	UT_EQ(paths_usable(&ps), 1);
	CU_ASSERT_PTR_EQUAL(paths_news(&ps, &state), &ps.path[1]);
	UT_STREQ(path_state_name(state), "lost");
	CU_ASSERT_PTR_NULL(paths_news(&ps, &state));

	path_lost(&ps.path[1], &timed_out); /* which is no news */
	CU_ASSERT(!told(notice));
	CU_ASSERT_PTR_EQUAL(paths_choose(&ps, 0), &ps.path[0]);
	path_answers(&ps.path[1]);
	CU_ASSERT(told(notice));
	CU_ASSERT_PTR_EQUAL(paths_news(&ps, &state), &ps.path[1]);
	UT_STREQ(path_state_name(state), "usable");

	path_lost(&ps.path[0], &removed);
	CU_ASSERT(told(notice));
	CU_ASSERT_PTR_EQUAL(paths_news(&ps, &state), &ps.path[0]);
	UT_STREQ(path_state_name(state), "gone");
	CU_ASSERT_PTR_EQUAL(paths_choose(&ps, 0), &ps.path[1]);
	UT_EQ(paths_usable(&ps), 1);
}

/* A path whose device goes after it was lost: that is told, too. */
static void test_gone_later(void)
{
	AUTO_FD int notice = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const struct sg_command timed_out = {.host_status = 3}, removed = {.error = ENODEV};
	enum path_state state;
	struct paths ps;

	begin(&ps, notice);
	path_lost(&ps.path[0], &timed_out);
	CU_ASSERT(told(notice));
	CU_ASSERT_PTR_EQUAL(paths_news(&ps, &state), &ps.path[0]);
	path_lost(&ps.path[0], &removed);
	CU_ASSERT(told(notice));
	CU_ASSERT_PTR_EQUAL(paths_news(&ps, &state), &ps.path[0]);
	UT_EQ(state, PATH_GONE);
}

/* What the text becomes, one after the other with a space between them. */
static const char *each_of(const char *text)
{
	static char all[512];
	char *each[PATHS_MAX];
	struct verror e = {0};
	unsigned n = lun_each(text, each, &e);

	all[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		strcat(strcat(all, i ? " " : ""), each[i]);
		free(each[i]);
	}
	CU_ASSERT(n || e.what[0]);
	return all;
}

static void test_each(void)
{
	UT_STREQ(each_of("3,sd=/dev/sda,sd=/dev/sdb,ro"), "3,sd=/dev/sda,sd=/dev/sdb,ro");
	UT_STREQ(each_of("3,sd=/dev/sda,sd=/dev/sdb,paths=guest,ro"), "3,sd=/dev/sda,ro 4,sd=/dev/sdb,ro");
	UT_STREQ(each_of("0,paths=guest,sd=a"), "0,sd=a");
	UT_STREQ(each_of("0,file=disk,serial=x"), "0,file=disk,serial=x");
	UT_STREQ(each_of("0,file=disk,paths=guest"), "");
	UT_STREQ(each_of("x,sd=a,paths=guest"), "");
	UT_STREQ(each_of("256,sd=a,paths=guest"), "");
	UT_STREQ(each_of("0,sd=a,paths=host"), "");
	UT_STREQ(each_of("0,paths=guest,sd=1,sd=2,sd=3,sd=4,sd=5,sd=6,sd=7,sd=8,sd=9"), "");
	UT_STREQ(each_of(""), "");
}

static CU_TestInfo tests[] = {
	{"states", test_states},
	{"gone later", test_gone_later},
	{"paths=guest", test_each},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"path", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

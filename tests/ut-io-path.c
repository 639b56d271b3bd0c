/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as they come and go, and as LUNs of their own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
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
		path_of_fds(&ps->path[i], -1, -1, (int[PATH_MORE]){-1, -1, -1});
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

static int attribute(const char *text)
{
	int fd = memfd_create("attribute", MFD_CLOEXEC);

	CU_ASSERT(fd >= 0);
	UT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void change(int fd, const char *text)
{
	UT_EQ(ftruncate(fd, 0), 0);
	UT_EQ(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* By what was passed with the nodes: the best one; and one that is lost isn't tried while it can't answer. */
static void test_passed(void)
{
	int first[PATH_MORE] = {-1, attribute("blocked\n"), attribute("active/optimized\n")};
	int second[PATH_MORE] = {-1, -1, attribute("active/non-optimized\n")};
	struct paths ps = {.n = 2};
	struct path *a = &ps.path[0], *b = &ps.path[1];

	path_of_fds(a, -1, -1, first);
	path_of_fds(b, -1, -1, second);
	CU_ASSERT(paths_ranked(&ps));
	paths_rank(&ps);
	CU_ASSERT_PTR_EQUAL(paths_choose(&ps, 0), a);
	change(first[PATH_ACCESS], "standby\n");
	change(second[PATH_ACCESS], "active/optimized\n");
	CU_ASSERT_PTR_EQUAL(paths_choose(&ps, 0), a); /* nobody has looked */
	paths_rank(&ps);
	CU_ASSERT_PTR_EQUAL(paths_choose(&ps, 0), b);
	CU_ASSERT(path_stands_by(a) && !path_stands_by(b));

	/* lost, it is tried at once when its port takes commands again; but not while its device is Blocked
	 */
	path_lost(a, NULL);
	change(first[PATH_ACCESS], "active/optimized\n");
	change(second[PATH_ACCESS], "active/non-optimized\n");
	paths_rank(&ps);
	CU_ASSERT_PTR_EQUAL(paths_choose(&ps, 0), b);
	change(first[PATH_ACCESS], "unavailable\n");
	paths_rank(&ps);
	change(first[PATH_STATE], "running\n");
	change(first[PATH_ACCESS], "active/optimized\n");
	paths_rank(&ps);
	CU_ASSERT_PTR_EQUAL(paths_choose(&ps, 0), a);
	CU_ASSERT_PTR_EQUAL(paths_choose(&ps, 0), b); /* that was a try, and it hasn't answered */
	path_close(a);
	path_close(b);
}

/* The words of the control socket: each part behind the sg that it belongs to. */
static const char *parse_fds(const char *text, unsigned n)
{
	static struct verror e;
	int fds[8];
	struct lun_source from = {.fds = fds, .n = n};
	char *copy = strdup(text);

	for (unsigned i = 0; i < n; i++)
		fds[i] = attribute("");
	CU_ASSERT_PTR_NULL(lun_parse(copy, &from, &e)); /* none is a disk */
	for (unsigned i = 0; i < n; i++)
		cleanup_fd(&fds[i]);
	free(copy);
	return e.what;
}

static void test_words(void)
{
	const char *no_disk = "is no SCSI disk";

	CU_ASSERT_PTR_NOT_NULL(strstr(parse_fds("0,sd,sg,bsg,dev_state,access_state", 5), no_disk));
	CU_ASSERT_PTR_NOT_NULL(strstr(parse_fds("0,sd,sg,dev_state,sd,sg,access_state", 6), no_disk));
	UT_STREQ(parse_fds("0,sd,dev_state,sg", 3), "the LUN's dev_state is wrong");
	UT_STREQ(parse_fds("0,sd,sg,access_state,access_state", 4), "the LUN's access_state is wrong");
	UT_STREQ(parse_fds("0,sd,sg,access_state", 2), "the LUN's access_state is wrong");
	UT_STREQ(parse_fds("0,sd,sg,absent", 2), "the LUN's sd is wrong");
	UT_STREQ(parse_fds("0,sd,sg,sd,sg,paths=guest", 4), "the LUN's sd is wrong");
	UT_STREQ(parse_fds("0,sd,sg,paths=merged", 2), "the LUN's paths is wrong");
	UT_STREQ(parse_fds("0,sd,sg,paths", 2), "the LUN's paths is wrong");
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
	UT_STREQ(each_of("3,sd=/dev/sda,sd=/dev/sdb,paths=guest,ro"),
		 "3,sd=/dev/sda,ro,paths=guest 4,sd=/dev/sdb,ro,paths=guest");
	UT_STREQ(each_of("0,paths=guest,sd=a"), "0,sd=a,paths=guest");
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
	{"what is passed on", test_passed},
	{"words of the control socket", test_words},
	{"paths=guest", test_each},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"path", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fdpass.h"
#include "log-queue.h"
#include "log.h"
#include "monotime.h"
#include "sysroot.h"
#include "ut.h"
#include "verror.h"

static void test_duration_parse(void)
{
	static const struct {
		const char *text;
		int r;
		uint64_t us;
	} cases[] = {
		{"500ms", 0, 500000},
		{"1.5s", 0, 1500000},
		{"10s", 0, 10000000},
		{"2m", 0, 120000000},
		{"1h", 0, 3600000000},
		{"7us", 0, 7},
		{"0", 0, 0},
		{"0s", 0, 0},
		{"24h", 0, 86400000000},
		{"25h", -ERANGE, 0},
		{"99999999999999999999s", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"5", -EINVAL, 0},
		{"-1s", -EINVAL, 0},
		{"1.s", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"1 s", -EINVAL, 0},
		{"1sx", -EINVAL, 0},
		{" 1s", -EINVAL, 0},
		{"0.0000001s", 0, 0},
		{"0.25ms", 0, 250},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t us = 0;

		printf("# %s\n", cases[i].text);
		UT_EQ(duration_parse(cases[i].text, &us), cases[i].r);
		if (!cases[i].r)
			UT_EQ(us, cases[i].us);
	}
}

static void test_duration_format(void)
{
	char b[32];

	UT_STREQ(duration_format(1500000, b, sizeof(b)), "1500ms");
	UT_STREQ(duration_format(2000000, b, sizeof(b)), "2s");
	UT_STREQ(duration_format(0, b, sizeof(b)), "0s");
	UT_STREQ(duration_format(7, b, sizeof(b)), "7us");
	UT_STREQ(duration_format(3600000000, b, sizeof(b)), "1h");
}

static void test_monotime(void)
{
	struct monotime t = mono_now();

	UT_EQ(mono_since(mono_add(t, 5), t), 5);
	UT_EQ(mono_since(t, mono_add(t, 5)), 0);
	CU_ASSERT(mono_add(t, UINT64_MAX).us == UINT64_MAX);
	CU_ASSERT(!mono_reached(MONOTIME_NEVER, t));
	CU_ASSERT(mono_reached(t, mono_now()));
}

static void test_verror(void)
{
	struct verror e;
	char b[1024];

	UT_EQ(verror_set(&e, VHBA_E_NOT_FOUND, "no VM %s", "db1"), -ENOENT);
	verror_expected(&e, "a name of 'vhbactl vm list'");
	verror_seen(&e, "db1");
	verror_fix(&e, "add it");
	UT_STREQ(verror_line(&e, b, sizeof(b)),
		 "no VM db1: expected a name of 'vhbactl vm list', seen db1; add it");
	for (int k = 0; k < VHBA_E_COUNT_; k++)
		UT_EQ(vhba_error_kind(vhba_error_name((enum vhba_error_kind)k)), k);
	UT_EQ(vhba_error_kind("nonsense"), VHBA_E_INTERNAL);
	UT_EQ(vhba_error_exit(VHBA_E_CONSTRAINT), 5);
	/* Another program's words may have lines, such as a hook's, which libvirt hands on. */
	verror_seen(&e, "vhba: %s\n", "\033[1mno\n\troom");
	UT_STREQ(e.seen, "vhba: [1mno room");
	verror_seen(&e, "%s", "\n");
	UT_STREQ(e.seen, "");
	UT_EQ(verror_set(NULL, VHBA_E_USAGE, "x"), -EINVAL);
}

static void test_sysroot(void)
{
	char dir[64], path[128], b[8];
	uint64_t v = 0;
	FILE *f;

	sysroot_set(ut_tmpdir(dir, sizeof(dir)));
	snprintf(path, sizeof(path), "%s/sys", dir);
	UT_EQ(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/sys/a", dir);
	f = fopen(path, "w");
	fputs("0x10 \n", f);
	fclose(f);
	UT_EQ(sysroot_read(b, sizeof(b), "/sys/%s", "a"), 4);
	UT_STREQ(b, "0x10");
	UT_EQ(sysroot_read_u64(&v, "/sys/a"), 0);
	UT_EQ(v, 16);
	UT_EQ(sysroot_read(b, 3, "/sys/a"), -EMSGSIZE);
	UT_EQ(sysroot_write("text", "/sys/a"), 0);
	UT_EQ(sysroot_read_u64(&v, "/sys/none"), -ENOENT);
	CU_ASSERT(sysroot_exists("/sys/a"));
	CU_ASSERT(!sysroot_exists("/sys/b"));
	sysroot_set("");
}

/* A reader of stderr that hangs: what is logged takes no time, and what had no room is told afterwards. */
static void test_log_queue(void)
{
	static char got[1 << 20];
	int fds[2], saved = dup(STDERR_FILENO);
	struct monotime start;
	size_t have = 0;
	ssize_t n;

	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	log_open("ut", LOG_LEVEL_INFO);
	UT_EQ(log_queue_start(), 0);
	start = mono_now();
	for (int i = 0; i < 4000; i++)
		log_info("line %d of so many that neither the pipe nor the queue has room for all", i);
	CU_ASSERT(mono_since(mono_now(), start) < 5 * USEC_PER_SEC);
	CU_ASSERT_FALSE(log_queue_stop(1000));
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	while (!log_queue_stop(1000))
		while ((n = read(fds[0], got + have, sizeof(got) - 1 - have)) > 0)
			have += (size_t)n;
	/* What it wrote last may fill the pipe. */
	while ((n = read(fds[0], got + have, sizeof(got) - 1 - have)) > 0)
		have += (size_t)n;
	log_info("written at once");
	dup2(saved, STDERR_FILENO);
	close(saved);
	while ((n = read(fds[0], got + have, sizeof(got) - 1 - have)) > 0)
		have += (size_t)n;
	close(fds[0]);
	got[have] = '\0';
	CU_ASSERT(strstr(got, "line 0 of so many") != NULL);
	CU_ASSERT(strstr(got, "lines of the log are lost") != NULL);
	CU_ASSERT(strstr(got, "written at once\n") != NULL);
}

/* More come than are asked for: the first are taken, the rest is closed, and how many there were is told. */
static void test_fdpass(void)
{
	struct iovec iov = {(char[1]){'x'}, 1};
	FDPASS_ROOM(3) out, in;
	struct msghdr send = {.msg_iov = &iov, .msg_iovlen = 1}, recv;
	int sv[2], pipes[3][2], got[2] = {-1, -1};

	recv = (struct msghdr){
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &in, .msg_controllen = sizeof(in)};
	UT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	for (int i = 0; i < 3; i++)
		UT_EQ(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
	fdpass_put(&send, &out, (int[3]){pipes[0][1], pipes[1][1], pipes[2][1]}, 3);
	UT_EQ(sendmsg(sv[0], &send, 0), 1);
	UT_EQ(recvmsg(sv[1], &recv, MSG_CMSG_CLOEXEC), 1);
	UT_EQ(fdpass_take(&recv, got, 2), 3);
	for (int i = 0; i < 3; i++)
		close(pipes[i][1]);
	UT_EQ(write(got[1], "b", 1), 1);
	UT_EQ(read(pipes[1][0], (char[1]){0}, 1), 1);
	/* Of the third no writer is left: the end of the pipe, not EAGAIN. */
	UT_EQ(read(pipes[2][0], (char[1]){0}, 1), 0);

	send = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
	fdpass_put(&send, &out, NULL, 0);
	UT_EQ(sendmsg(sv[0], &send, 0), 1);
	recv.msg_controllen = sizeof(in);
	UT_EQ(recvmsg(sv[1], &recv, MSG_CMSG_CLOEXEC), 1);
	UT_EQ(fdpass_take(&recv, (int[2]){-1, -1}, 2), 0);
	for (int i = 0; i < 3; i++)
		close(pipes[i][0]);
	for (int i = 0; i < 2; i++) {
		close(got[i]);
		close(sv[i]);
	}
}

static CU_TestInfo time_tests[] = {
	{"duration_parse", test_duration_parse},
	{"duration_format", test_duration_format},
	{"monotime", test_monotime},
	CU_TEST_INFO_NULL,
};
static CU_TestInfo misc_tests[] = {
	{"verror", test_verror},
	{"sysroot", test_sysroot},
	{"log queue", test_log_queue},
	{"file descriptors passed", test_fdpass},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"time", time_tests}, {"misc", misc_tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhba-io as a process of its own: its options, its sandbox, and what a guest sees when it is killed. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend.h"
#include "cleanup.h"
#include "load.h"
#include "sandbox.h"
#include "ut.h"

#define MEM (16u << 20)

struct process {
	pid_t pid;
	int sock; /* the front end's end */
};

static void die(const char *what)
{
	perror(what);
	abort();
}

/* argv without the program and --socket-fd; NULL at its end */
static struct process start(const char *const *options)
{
	const char *top = getenv("top_builddir");
	char path[4096], number[16];
	const char *argv[16] = {path, "--log-level", "warning", "--socket-fd", number};
	struct process p;
	int pair[2];

	snprintf(path, sizeof(path), "%s/src/io/vhba-io", top ? top : ".");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	for (unsigned n = 5; *options && n < ARRAY_SIZE(argv) - 1; n++)
		argv[n] = *options++;
	p.pid = ut_fork();
	if (p.pid < 0)
		die("fork");
	if (!p.pid) {
		snprintf(number, sizeof(number), "%d", dup(pair[1]));
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		setenv("ASAN_OPTIONS", "detect_leaks=0",
		       1); /* it looks for leaks by calls that are not allowed */
		execv(path, (char *const *)(uintptr_t)argv);
		die(path);
	}
	close(pair[1]);
	p.sock = pair[0];
	return p;
}

static int end(const struct process *p)
{
	int status;

	if (waitpid(p->pid, &status, 0) != p->pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void make_lun(char *option, size_t size, const char *folder, unsigned n)
{
	AUTO_FD int fd = backend_file(folder, n);

	CU_ASSERT(!ftruncate(fd, BACKEND_DISK_SIZE));
	snprintf(option, size, "%u,file=%s/lun%u,serial=p%u,state=%s/state%u", n, folder, n, n, folder, n);
}

static bool status_has(pid_t pid, const char *line)
{
	char path[64], text[4096];
	AUTO_FD int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, line);
}

static void test_sandbox(void)
{
	char folder[64], lun0[256], lun1[256];
	const char *options[] = {"--lun", lun0, "--lun", lun1, "--workers", "2", NULL};
	struct front_req q;
	struct process p;
	struct front f;
	uint64_t data;

	ut_tmpdir(folder, sizeof(folder));
	make_lun(lun0, sizeof(lun0), folder, 0);
	make_lun(lun1, sizeof(lun1), folder, 1);
	p = start(options);
	front_init(&f, p.sock, MEM, 2, 64, 0);
	front_negotiate(&f);
	CU_ASSERT(status_has(p.pid, "NoNewPrivs:\t1"));
	CU_ASSERT(status_has(p.pid, "Seccomp:\t2"));
	front_start(&f, NULL);
	front_settle(&f, 0);
	front_settle(&f, 1);
	data = front_alloc(&f, 4096, 4096, false);
	front_rw(&q, 1, true, 0, 8, data);
	CU_ASSERT(front_do(&f, 3, &q));
	front_rw(&q, 1, false, 0, 8, data);
	CU_ASSERT(front_do(&f, 3, &q));
	/* whatever a guest may ask of a disk is among the calls that are allowed */
	for (unsigned op = 0; op < 256; op++) {
		const uint8_t cdb[32] = {(uint8_t)op, [7] = op == 0x2a, [8] = 1, [13] = 1};

		if (op == 0x8d || op == 0x7f)
			continue;
		front_command(&q, 0, cdb, sizeof(cdb));
		q.data_in[q.data_in_n++] = (struct front_piece){data, 4096};
		front_submit(&f, 2, &q);
		front_wait(&f, 2, &q);
		CU_ASSERT(front_response(&q)->response == VIRTIO_SCSI_S_OK ||
			  front_response(&q)->response == VIRTIO_SCSI_S_OVERRUN);
	}
	kill(p.pid, SIGTERM);
	UT_EQ(end(&p), 0);
	front_end(&f);
}

static void test_killed(void)
{
	char folder[64], lun0[256], lun1[256];
	const char *options[] = {"--lun", lun0, "--lun", lun1, "--workers", "2", NULL};
	uint16_t base[FRONT_RINGS];
	struct load load;
	struct process p;
	struct front f;

	ut_tmpdir(folder, sizeof(folder));
	make_lun(lun0, sizeof(lun0), folder, 0);
	make_lun(lun1, sizeof(lun1), folder, 1);
	p = start(options);
	front_init(&f, p.sock, MEM, 2, 64, 0);
	front_negotiate(&f);
	front_get_inflight(&f);
	front_start(&f, NULL);
	front_settle(&f, 0);
	front_settle(&f, 1);
	load_begin(&f, &load);
	for (unsigned round = 0; round < 10; round++) {
		load_turn(&f, &load, 40 + 13 * round, true);
		kill(p.pid, SIGKILL);
		UT_EQ(end(&p), -SIGKILL);
		p = start(options);
		front_move(&f, p.sock);
		front_negotiate(&f);
		front_set_inflight(&f);
		for (unsigned i = 0; i < f.rings; i++)
			base[i] = f.ring[i].seen; /* what a front end knows of a back end that is gone */
		front_start(&f, base);
	}
	load_end(&f, &load);
	UT_EQ(load.busy, 0);
	kill(p.pid, SIGTERM);
	UT_EQ(end(&p), 0);
	front_end(&f);
}

static int run(const char *const *options)
{
	struct process p = start(options);
	int code;

	close(p.sock);
	code = end(&p);
	return code;
}

static void test_options(void)
{
	char folder[64], lun[256], twice[256];

	ut_tmpdir(folder, sizeof(folder));
	make_lun(lun, sizeof(lun), folder, 0);
	strcpy(twice, lun);
	UT_EQ(run((const char *[]){"--version", NULL}), 0);
	UT_EQ(run((const char *[]){"--lun", lun, NULL}), 0); /* the front end goes at once */
	UT_EQ(run((const char *[]){"--lun", lun, "--lun", twice, NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "256,file=/dev/null", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,file=/dev/null", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,file=/nowhere", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,color=red", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,sd=/nowhere", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,sd=/dev/null", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,sd=fd:0,sg=fd:1", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,sd=fd:0,sg=fd:1,bsg=fd:1", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,sg=fd:0", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,sd=fd:0,bsg=fd:1,sg=fd:1", NULL}), 1);
	UT_EQ(run((const char *[]){"--lun", "0,sd=/dev/null,serial=x", NULL}), 1);
	UT_EQ(run((const char *[]){"--limit-iops", "0", NULL}), 2);
	UT_EQ(run((const char *[]){"--limit-burst", "2h", NULL}), 2);
	UT_EQ(run((const char *[]){"--workers", "0", NULL}), 2);
	UT_EQ(run((const char *[]){"--deadline", "5", NULL}), 2);
	UT_EQ(run((const char *[]){"--nexus", "21:00", NULL}), 2);
	UT_EQ(run((const char *[]){"--socket", "/tmp/x", NULL}), 2);
	UT_EQ(run((const char *[]){"more", NULL}), 2);
}

/* Opened with it, a file could be any; a program run, or another process looked into, could do anything. */
static int calls_refused(void)
{
	static char *const none[] = {NULL};
	struct io_uring_params p = {0};
	struct verror e;
	int refused = 0;

	if (sandbox_enter(&e))
		return -1;
	refused += syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY) < 0 && errno == EPERM;
	refused += syscall(SYS_open, "/dev/null", O_RDONLY) < 0 && errno == EPERM;
	refused += syscall(SYS_openat2, AT_FDCWD, "/dev/null", NULL, 0) < 0 && errno == EPERM;
	refused += syscall(SYS_execve, "/bin/true", none, none) < 0 && errno == EPERM;
	refused += syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM;
	refused += syscall(SYS_io_uring_setup, 4, &p) < 0 && errno == EPERM;
	refused += syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) < 0 && errno == EPERM;
	refused += syscall(SYS_fork) < 0 && errno == EPERM;
	refused += ioctl(0, TIOCGWINSZ, none) < 0 && errno == EPERM;
	return refused;
}

static void test_refused(void)
{
	int status = 0;
	pid_t pid = ut_fork();

	if (!pid)
		_exit(calls_refused());
	UT_EQ(waitpid(pid, &status, 0), pid);
	CU_ASSERT(WIFEXITED(status));
	UT_EQ(WEXITSTATUS(status), 9);
}

static CU_TestInfo tests[] = {
	{"options", test_options},
	{"sandbox", test_sandbox},
	{"calls that are refused", test_refused},
	{"killed under load", test_killed},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	const struct ut_suite suites[] = {{"process", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}

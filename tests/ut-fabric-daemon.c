/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fabricd as a process: a port on a UNIX socket as QEMU's, the control socket, traces, and how it refuses to
 * start. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ether.h"
#include "ut.h"

static char dir[64], path[160];
static pid_t daemon_pid;

static const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static const char *program(const char *name, char buf[512])
{
	const char *build = getenv("top_builddir");

	snprintf(buf, 512, "%s/lab/fabric/%s", build ? build : ".", name);
	return buf;
}

static void write_config(const char *text)
{
	FILE *f = fopen(in_dir("conf"), "w");

	fputs(text, f);
	fclose(f);
}

static void put_unix_port(char *buf, size_t size)
{
	snprintf(buf, size, "vsan 10 # SAN A\nvsan 20\nport q unix %s/port vsans 10,20\n", dir);
}

/* Starts it and waits until it is ready; false: it ended instead. */
static bool daemon_start(void)
{
	char socket[160], config[160], log[160], trace[160], lines[160], fd[16], exe[512], word[8];
	int ready[2];
	bool good;

	snprintf(socket, sizeof(socket), "%s/control", dir);
	snprintf(config, sizeof(config), "%s/conf", dir);
	snprintf(log, sizeof(log), "%s/log", dir);
	snprintf(trace, sizeof(trace), "%s/trace", dir);
	snprintf(lines, sizeof(lines), "%s/lines", dir);
	if (pipe(ready))
		return false;
	snprintf(fd, sizeof(fd), "%d", ready[1]);
	program("fabricd", exe);
	daemon_pid = ut_fork();
	if (!daemon_pid) {
		int err = open(in_dir("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(err, STDERR_FILENO);
		close(ready[0]);
		execl(exe, "fabricd", "--socket", socket, "--config", config, "--log", log, "--trace", trace,
		      "--print-frames", lines, "--ready-fd", fd, NULL);
		_exit(127);
	}
	close(ready[1]);
	good = read(ready[0], word, sizeof(word)) == 8 && !memcmp(word, "READY=1\n", 8);
	close(ready[0]);
	return good;
}

static int daemon_end(int with)
{
	int status;

	if (with)
		kill(daemon_pid, with);
	waitpid(daemon_pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* fabricctl with one command, by the shell; its exit status, its output in out. */
static int control(const char *command, char *out, size_t size)
{
	char exe[512], line[1024];
	size_t n;
	FILE *p;
	int status;

	snprintf(line, sizeof(line), "exec 2>&1; %s --socket %s/control %s", program("fabricctl", exe), dir,
		 command);
	p = popen(line, "r");
	n = fread(out, 1, size - 1, p);
	out[n] = '\0';
	status = pclose(p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static bool file_has(const char *name, const char *text)
{
	static char all[65536];
	FILE *f = fopen(in_dir(name), "r");
	size_t n = f ? fread(all, 1, sizeof(all) - 1, f) : 0;

	if (f)
		fclose(f);
	all[n] = '\0';
	return memmem(all, n, text, strlen(text)) != NULL;
}

static int plug_in(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 10};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/port", dir);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return connect(fd, (struct sockaddr *)&at, sizeof(at)) ? -1 : fd;
}

/* Reads frames until one is a FIP frame of that operation and subcode; its payload's length, 0: none came. */
static size_t read_fip(int fd, uint8_t *eth, unsigned op, unsigned sub, struct ether_view *v)
{
	uint8_t head[4];

	while (recv(fd, head, 4, MSG_WAITALL) == 4) {
		size_t len = get_be32(head);

		if (len > ETHER_FRAME_MAX || recv(fd, eth, len, MSG_WAITALL) != (ssize_t)len)
			return 0;
		if (ether_parse(eth, len, v) && v->type == 0x8914 && get_be16(v->payload + 2) == op &&
		    v->payload[5] == sub)
			return v->len;
	}
	return 0;
}

static void test_unix_port(void)
{
	static const uint8_t request[] = {0,	0,    0,    32, /* length */
					  0x01, 0x10, 0x18, 1,	  0, 2, 2, 0, 0, 0, 0,
					  1,	0x89, 0x14, 0x10, 0, 0, 4, 0, 1, 0, 2,
					  0x80, 0,    2,    2,	  2, 0, 0, 0, 0, 1};
	uint8_t eth[ETHER_FRAME_MAX];
	struct ether_view v;
	char config[512], out[4096];
	int fd;

	put_unix_port(config, sizeof(config));
	write_config(config);
	CU_ASSERT_TRUE_FATAL(daemon_start());
	fd = plug_in();
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_TRUE(read_fip(fd, eth, 1, 2, &v) > 0); /* carrier: it advertises at once */
	UT_EQ(v.vlan, 10);
	UT_EQ(write(fd, request, 10), 10); /* a frame may come in pieces */
	UT_EQ(write(fd, request + 10, sizeof(request) - 10), sizeof(request) - 10);
	CU_ASSERT_TRUE(read_fip(fd, eth, 4, 2, &v) > 0);
	UT_EQ(get_be16(v.payload + 20), 10);
	UT_EQ(get_be16(v.payload + 24), 20);
	UT_EQ(control("show ports", out, sizeof(out)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "state up"));
	close(fd);
	UT_EQ(daemon_end(SIGTERM), 0);
	CU_ASSERT_TRUE(file_has("lines", "q in vlan 0 FIP VLAN request"));
	CU_ASSERT_TRUE(file_has("lines", "q out vlan 0 FIP VLAN notification"));
	CU_ASSERT_TRUE(file_has("trace", "\x0a\x0d\x0d\x0a"));
	CU_ASSERT_TRUE(file_has("log", "link-up"));
	UT_EQ(access(in_dir("control"), F_OK), -1);
	UT_EQ(access(in_dir("port"), F_OK), -1);
}

static void test_frame_too_long(void)
{
	static const uint8_t evil[] = {0xff, 0xff, 0xff, 0xff, 1, 2, 3};
	char config[512], out[4096], byte[4096];
	int fd;

	put_unix_port(config, sizeof(config));
	write_config(config);
	CU_ASSERT_TRUE_FATAL(daemon_start());
	fd = plug_in();
	UT_EQ(write(fd, evil, sizeof(evil)), sizeof(evil));
	while (recv(fd, byte, sizeof(byte), 0) > 0)
		continue; /* advertisements, then the end */
	close(fd);
	UT_EQ(control("show log", out, sizeof(out)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "connection closed"));
	UT_EQ(daemon_end(SIGTERM), 0);
}

static void test_control(void)
{
	char config[512], out[8192];

	put_unix_port(config, sizeof(config));
	write_config(config);
	CU_ASSERT_TRUE_FATAL(daemon_start());
	UT_EQ(control("show vsans --json", out, sizeof(out)), 0);
	CU_ASSERT_EQUAL(out[0], '[');
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\"vsan\":20"));
	UT_EQ(control("frobnicate", out, sizeof(out)), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "unknown command"));
	UT_EQ(control("vsan 30 name \"'two words'\"", out, sizeof(out)), 0);
	UT_EQ(control("- <<END\nzone 10 z add 5000000000000001\nzone 10 z add 5000000000000001\nEND\n", out,
		      sizeof(out)),
	      1);
	UT_EQ(control("help", out, sizeof(out)), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "rule add"));
	UT_EQ(daemon_end(SIGTERM), 0);
	UT_EQ(control("help", out, sizeof(out)), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "is fabricd running?"));
}

static void test_bad_config(void)
{
	write_config("vsan 10\n\nport x if eth0\n");
	CU_ASSERT_FALSE(daemon_start());
	UT_EQ(daemon_end(0), 1);
	CU_ASSERT_TRUE(file_has("stderr", "conf:3: port x: expected"));
}

static void test_second_refused(void)
{
	char config[512];
	pid_t first;

	put_unix_port(config, sizeof(config));
	write_config(config);
	CU_ASSERT_TRUE_FATAL(daemon_start());
	first = daemon_pid;
	write_config("vsan 10\n");
	CU_ASSERT_FALSE(daemon_start());
	UT_EQ(daemon_end(0), 1);
	CU_ASSERT_TRUE(file_has("stderr", "in use"));
	daemon_pid = first;
	UT_EQ(daemon_end(SIGKILL), 128);
	CU_ASSERT_TRUE(daemon_start()); /* what a killed one left is no obstacle */
	UT_EQ(daemon_end(SIGINT), 0);
}

static CU_TestInfo tests[] = {
	{"unix_port", test_unix_port},	 {"frame_too_long", test_frame_too_long}, {"control", test_control},
	{"bad_config", test_bad_config}, {"second_refused", test_second_refused}, CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"daemon", tests}, {}};

	signal(SIGPIPE, SIG_IGN);
	ut_tmpdir(dir, sizeof(dir));
	return ut_main(argc, argv, suites);
}

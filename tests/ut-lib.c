/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvhba against a scripted server in another process. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conn.h"
#include "fake-server.h"
#include "ut.h"
#include <vhba/vhba.h>

#define RESULT(outcome, rest)                                                                                \
	"{\"parameters\":{\"operation\":\"x\",\"vm\":\"db1\",\"outcome\":\"" outcome "\",\"start_us\":1,"    \
	"\"deadline_us\":500000,\"elapsed_us\":77000,\"vhbas\":[]," rest "}}"

/* Text in text: the formatter would break it at every quote. */
/* clang-format off */
static const char script_text[] =
	"{\"quiesce\":"
	RESULT("unconfirmed", "\"unproved\":[\"vhba 0: fabric logged out\",\"vhba 1: in-flight ended\"]")
	",\"attach\":"
	RESULT("failed", "\"unproved\":[],\"error\":{\"error\":\"org.vhba.ConstraintNotMet\"}")
	",\"resume\":"
	RESULT("done", "\"unproved\":[]")
	",\"detach\":{\"silent\":true},"
	"\"release\":{\"close\":true},"
	"\"vm.Show\":{\"error\":{\"kind\":\"org.vhba.NotFound\",\"what\":\"no VM\",\"expected\":\"a VM\","
	"\"seen\":\"db9\",\"fix\":\"vhbactl vm list\"}},"
	"\"export\":{\"parameters\":{\"ticket\":{\"format\":1,\"vm\":{\"name\":\"db1\"}}}},"
	"\"vm.List\":{\"parameters\":{\"vms\":[]}},"
	"\"vhba.List\":{\"raw\":\"nonsense\\n\"},"
	"\"events\":{\"progress\":[{\"phase\":\"a\"}],\"parts\":[{\"events\":[]},{\"events\":[]}],"
	"\"parameters\":{\"events\":[]}}}";
/* clang-format on */

static char path[96];
static pid_t server;

static int start(void)
{
	char dir[64];
	struct verror e;
	int fd;

	snprintf(path, sizeof(path), "%s/s", ut_tmpdir(dir, sizeof(dir)));
	fd = proto_listen(path, &e);
	if (fd < 0)
		return 1;
	server = ut_fork();
	if (server == 0)
		fake_serve(fd, json_tokener_parse(script_text), NULL);
	close(fd);
	return server < 0;
}

static int stop(void)
{
	kill(server, SIGKILL);
	return waitpid(server, NULL, 0) != server;
}

static struct vhba_conn *open_conn(void)
{
	struct vhba_conn *c;
	struct vhba_error e = {0};

	UT_EQ(vhba_connect(path, &c, &e), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	return c;
}

static void test_connect_refused(void)
{
	struct vhba_conn *c = (void *)1;
	struct vhba_error e;
	char line[512];

	UT_EQ(vhba_connect("/nonexistent/sock", &c, &e), -ENOENT);
	CU_ASSERT_PTR_NULL(c);
	UT_EQ(e.kind, VHBA_E_IO);
	UT_STREQ(vhba_error_line(&e, line, sizeof(line)),
		 "cannot connect to vhbad: expected a socket at /nonexistent/sock, seen No such file or "
		 "directory; "
		 "is vhbad running, and is this its socket?");
}

static void test_call(void)
{
	struct vhba_conn *c = open_conn();
	struct vhba_error e = {0};
	char *reply;

	UT_EQ(vhba_call(c, "vm.List", NULL, 5000000, &reply, &e), 0);
	UT_STREQ(reply, "{\"vms\":[]}");
	free(reply);
	UT_EQ(vhba_call(c, "org.vhba.vm.Show", "{\"vm\":\"db9\"}", 5000000, &reply, &e), -ENOENT);
	CU_ASSERT_PTR_NULL(reply);
	UT_EQ(e.kind, VHBA_E_NOT_FOUND);
	UT_STREQ(e.fix, "vhbactl vm list");
	UT_EQ(vhba_call(c, "vm.Show", "{\"vm\":1}", 5000000, NULL, &e), -EINVAL);
	UT_EQ(e.kind, VHBA_E_USAGE);
	UT_EQ(vhba_call(c, "vm.Show", "{nonsense", 5000000, NULL, NULL), -EINVAL);
	UT_EQ(vhba_call(c, "vm.List", NULL, 5000000, NULL, &e), 0); /* it still works */
	vhba_close(c);
}

static void test_typed(void)
{
	struct vhba_conn *c = open_conn();
	struct vhba_result r;
	struct vhba_error e = {0};
	char *ticket;

	UT_EQ(vhba_quiesce(c, "db1", 500000, VHBA_DEFAULT_US, VHBA_PAUSED, &r, &e), 0);
	UT_EQ(r.outcome, VHBA_OUTCOME_UNCONFIRMED);
	UT_EQ(r.exit, VHBA_EXIT_UNCONFIRMED);
	UT_EQ(r.elapsed_us, 77000);
	UT_STREQ(r.unproved, "vhba 0: fabric logged out, vhba 1: in-flight ended");
	CU_ASSERT_PTR_NOT_NULL(r.json);
	vhba_result_clear(&r);
	UT_EQ(vhba_attach(c, "db1", VHBA_DEFAULT_US, 0, &r, &e), 0);
	UT_EQ(r.exit, VHBA_EXIT_CONSTRAINT);
	vhba_result_clear(&r);
	UT_EQ(vhba_resume(c, "db1", 1000000, NULL, &e), 0);
	UT_EQ(vhba_export(c, "db1", &ticket, &e), 0);
	UT_STREQ(ticket, "{\"format\":1,\"vm\":{\"name\":\"db1\"}}");
	free(ticket);
	/* A deadline out of the table's range is refused before anything is done. */
	UT_EQ(vhba_quiesce(c, "db1", 1, VHBA_DEFAULT_US, 0, &r, &e), -EINVAL);
	vhba_result_clear(&r);
	vhba_close(c);
}

static void test_timeout(void)
{
	struct vhba_conn *c = open_conn();
	struct vhba_error e = {0};

	UT_EQ(vhba_call(c, "detach", "{\"vm\":\"db1\"}", 50000, NULL, &e), -ETIMEDOUT);
	UT_EQ(e.kind, VHBA_E_DEADLINE);
	UT_EQ(vhba_call(c, "vm.List", NULL, 50000, NULL, &e), -EPIPE); /* of no more use */
	vhba_close(c);
}

static void test_lost(void)
{
	struct vhba_conn *c = open_conn();
	struct vhba_error e = {0};

	UT_EQ(vhba_release(c, "db1", 1000000, VHBA_MOVED, NULL, &e), -ECONNRESET);
	UT_EQ(e.kind, VHBA_E_IO);
	vhba_close(c);
	c = open_conn();
	UT_EQ(vhba_call(c, "vhba.List", NULL, 5000000, NULL, &e), -EBADMSG);
	vhba_close(c);
}

static int count_parts(void *user, const struct vhba_reply *part)
{
	int *counts = user;

	counts[part->kind]++;
	return 0;
}

static int leave(void *user, const struct vhba_reply *part)
{
	return 42;
}

static void test_parts(void)
{
	struct vhba_conn *c = open_conn();
	struct vhba_error e = {0};
	int counts[4] = {0};
	char *reply;

	UT_EQ(vhba_call_more(c, "events", NULL, 5000000, count_parts, counts, &reply, &e), 0);
	UT_EQ(counts[VHBA_REPLY_PROGRESS], 1);
	UT_EQ(counts[VHBA_REPLY_PART], 2);
	UT_STREQ(reply, "{\"events\":[]}");
	free(reply);
	UT_EQ(vhba_call_more(c, "events", NULL, 5000000, leave, NULL, NULL, &e), 42);
	UT_EQ(vhba_process(c, &e), -EPIPE);
	vhba_close(c);
}

/* The way of a caller with a loop of its own: two requests sent at once, answers in order. */
static void test_own_loop(void)
{
	struct vhba_conn *c = open_conn();
	struct vhba_reply reply;
	struct vhba_error e = {0};
	int got = 0;

	UT_EQ(vhba_send(c, "vm.List", NULL, 0, &e), 0);
	UT_EQ(vhba_send(c, "vm.Show", "{\"vm\":\"db9\"}", 0, &e), 0);
	CU_ASSERT_TRUE(vhba_events(c) & POLLOUT);
	while (got < 2) {
		struct pollfd p = {.fd = vhba_fd(c), .events = vhba_events(c)};

		CU_ASSERT_TRUE_FATAL(poll(&p, 1, 5000) > 0);
		UT_EQ(vhba_process(c, &e), 0);
		while (vhba_receive(c, &reply, &e) == 1)
			UT_EQ(reply.kind, got++ ? VHBA_REPLY_ERROR : VHBA_REPLY_FINAL);
	}
	UT_EQ(reply.error.kind, VHBA_E_NOT_FOUND);
	vhba_close(c);
}

int main(int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{"connect refused", test_connect_refused},
		{"call", test_call},
		{"typed", test_typed},
		{"timeout", test_timeout},
		{"lost", test_lost},
		{"parts", test_parts},
		{"own loop", test_own_loop},
		CU_TEST_INFO_NULL,
	};
	const struct ut_suite suites[] = {{"lib", tests, start, stop}, {NULL}};

	return ut_main(argc, argv, suites);
}

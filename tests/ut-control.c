/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control socket with real clients: limits, slow and vanishing readers, and who may what by SO_PEERCRED.
 * Client and server share one thread: spin() lets the server do all that it has to do now.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "control.h"
#include "ut.h"

#define STATUS "{\"method\":\"org.vhba.status\"}\n"
#define FOLLOW "{\"method\":\"org.vhba.events\",\"more\":true}\n"
#define CHANGE "{\"method\":\"org.vhba.vm.Remove\",\"parameters\":{\"vm\":\"db1\"}}\n"
#define PEERS_MAX 340
#define SPIN_MAX 20000
#define NOBODY 65534
#define READERS 64321 /* a group that nobody is in but by a test */
#define ADMINS 64322

static sd_event *loop;
static struct control *control;
static char path[128];
static struct proto_acl acl;

/* What the handler does: answers at once, or keeps the call in held. */
static bool hold;
static struct call *held;
static unsigned started, gone;
static unsigned orders; /* of those that change something */
static unsigned orders_before; /* the last question */

static void on_gone(void *user)
{
	gone++;
	if (user)
		call_reply(user, NULL);
}

static void handle(void *user, struct call *call, const struct proto_request *req)
{
	(void)user;
	started++;
	if (req->method->access == PROTO_ACCESS_CHANGE)
		orders++;
	else
		orders_before = orders;
	if (hold)
		held = call;
	else
		call_reply(call, NULL);
}

/* False: it never comes to rest. */
static bool spin(void)
{
	for (int i = 0; i < SPIN_MAX; i++)
		if (sd_event_run(loop, 0) <= 0)
			return true;
	return false;
}

static int begin(void)
{
	char dir[96];
	struct verror e;

	ut_memdir(dir, sizeof(dir));
	chmod(dir, 0755);
	snprintf(path, sizeof(path), "%s/s", dir);
	acl = (struct proto_acl){READERS, ADMINS, (uid_t)-1};
	hold = false;
	held = NULL;
	started = gone = 0;
	if (sd_event_new(&loop) < 0)
		return 1;
	control = control_new(loop, path, &acl, handle, NULL, &e);
	return control ? 0 : 1;
}

static int end(void)
{
	control_free(control);
	control = NULL;
	sd_event_unref(loop);
	return 0;
}

static int dial(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(a.sun_path, path);
	if (fd < 0 || !connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

/* The kernel keeps the credentials of the moment of connect(2). */
static int dial_as(uid_t uid, gid_t gid, gid_t extra)
{
	gid_t before[64];
	int n = getgroups(64, before), fd;

	if (n < 0 || setgroups(extra ? 1 : 0, &extra) || setegid(gid) || seteuid(uid))
		return -1;
	fd = dial();
	if (seteuid(0) || setegid(0) || setgroups((size_t)n, before))
		abort();
	return fd;
}

/* Everything that is there now; *closed: the server has closed. */
static size_t take(int fd, char *buf, size_t size, bool *closed)
{
	size_t used = 0;
	ssize_t n = -1;

	while (used + 1 < size && (n = recv(fd, buf + used, size - 1 - used, MSG_DONTWAIT)) > 0)
		used += (size_t)n;
	buf[used] = '\0';
	*closed = n == 0 || (n < 0 && errno != EAGAIN);
	return used;
}

static void put(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Sends, lets the server work, and compares what comes with a word. */
static bool says(int fd, const char *request, const char *word, bool then_closed)
{
	char buf[4096];
	bool closed;

	put(fd, request);
	CU_ASSERT_TRUE(spin());
	take(fd, buf, sizeof(buf), &closed);
	if (!strstr(buf, word) || closed != then_closed)
		printf("# \"%s\" has no \"%s\", or %s\n", buf, word, closed ? "is closed" : "stays open");
	return strstr(buf, word) && closed == then_closed;
}

static void test_answers(void)
{
	AUTO_FD int fd = dial();

	CU_ASSERT_TRUE(says(fd, STATUS, "\"service\":\"org.vhba\"", false));
	CU_ASSERT_TRUE(says(fd, STATUS STATUS, "{\"parameters\":{}}\n{\"parameters\":{}}\n", false));
	UT_EQ(started, 3);
	UT_EQ(control_connections(control), 1);
}

static void test_wrong(void)
{
	AUTO_FD int stays = dial(), goes = dial();

	CU_ASSERT_TRUE(says(stays, "{\"method\":\"org.vhba.Nonsense\"}\n", "unknown method", false));
	CU_ASSERT_TRUE(says(goes, "no JSON\n" STATUS, "no JSON object", true));
	UT_EQ(started, 0);
	CU_ASSERT_TRUE(says(stays, STATUS, "{\"parameters\":{}}", false));
	UT_EQ(control_connections(control), 1);
}

static void test_oversized(void)
{
	AUTO_FREE char *line = malloc(PROTO_REQUEST_MAX);
	AUTO_FD int fd = dial(), other = dial();
	size_t sent = 0;
	char buf[4096];
	bool closed;

	memset(line, 'x', PROTO_REQUEST_MAX);
	while (sent < PROTO_REQUEST_MAX) {
		ssize_t n = send(fd, line, PROTO_REQUEST_MAX - sent, MSG_NOSIGNAL);

		CU_ASSERT_TRUE_FATAL(spin() && (n > 0 || errno == EAGAIN));
		sent += n > 0 ? (size_t)n : 0;
	}
	CU_ASSERT_TRUE(spin());
	take(fd, buf, sizeof(buf), &closed);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf, "the request is too long"));
	CU_ASSERT_TRUE(closed);
	CU_ASSERT_TRUE(says(other, STATUS, "{\"parameters\":{}}", false));
}

/* A client that asks and asks and does not read: the daemon does not do its work nor keep its answers. */
static void test_asks_and_never_reads(void)
{
	AUTO_FREE char *many = malloc(sizeof(STATUS) * 5000);
	AUTO_FD int fd = dial();
	unsigned asked = 0, answers = 0, before;
	char buf[8192];
	bool closed = false;

	many[0] = '\0';
	for (size_t i = 0, at = 0; i < 5000; i++)
		at += (size_t)sprintf(many + at, STATUS);
	for (int i = 0; i < 200; i++) {
		/* Whole lines only, so that what was cut is not taken for a mistake. */
		ssize_t n = send(fd, many, (sizeof(STATUS) - 1) * 500, MSG_NOSIGNAL);

		CU_ASSERT_TRUE_FATAL(spin());
		if (n < 0)
			break;
		asked += (unsigned)((size_t)n / (sizeof(STATUS) - 1));
		if ((size_t)n % (sizeof(STATUS) - 1))
			break;
	}
	before = started;
	CU_ASSERT_TRUE(before < asked);
	while (!closed && spin() && take(fd, buf, sizeof(buf), &closed))
		for (const char *p = buf; (p = strchr(p, '\n')); p++)
			answers++;
	UT_EQ(answers, started + 1); /* and the greeting */
	CU_ASSERT_TRUE(started > before);
	CU_ASSERT_TRUE(started >= asked);
	UT_EQ(control_connections(control), 1);
}

/* One that follows and does not read is cut off, without waiting for an end that never comes. */
static void test_slow_reader(void)
{
	AUTO_FD int fd = dial(), other = dial();
	char *text = malloc(65536);

	hold = true;
	put(fd, FOLLOW);
	CU_ASSERT_TRUE(spin());
	CU_ASSERT_PTR_NOT_NULL_FATAL(held);
	CU_ASSERT_TRUE(call_wants_more(held));
	call_on_gone(held, on_gone, held);
	memset(text, 'x', 65535);
	text[65535] = '\0';
	for (int i = 0; i < 200 && !gone; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "text", json_object_new_string(text));
		call_part(held, o);
		UT_EQ(gone, 0); /* not under the caller's feet */
		CU_ASSERT_TRUE(spin());
	}
	free(text);
	UT_EQ(gone, 1);
	UT_EQ(control_connections(control), 1);
	hold = false;
	CU_ASSERT_TRUE(says(other, STATUS, "{\"parameters\":{}}", false));
}

static void test_caller_goes(void)
{
	int fd = dial();

	hold = true;
	put(fd, STATUS);
	CU_ASSERT_TRUE(spin());
	CU_ASSERT_PTR_NOT_NULL_FATAL(held);
	call_on_gone(held, on_gone, NULL);
	CU_ASSERT_TRUE(call_alive(held));
	close(fd);
	CU_ASSERT_TRUE(spin());
	UT_EQ(gone, 1);
	UT_EQ(control_connections(control), 0);
	CU_ASSERT_FALSE(call_alive(held));
	call_part(held, json_object_new_object());
	call_progress(held, json_object_new_object());
	call_reply(held, json_object_new_object()); /* frees it: the operation went on without its caller */
}

/* Who sends no more may still read. */
static void test_half_closed(void)
{
	AUTO_FD int fd = dial();
	char buf[4096];
	bool closed;

	hold = true;
	put(fd, STATUS);
	shutdown(fd, SHUT_WR);
	CU_ASSERT_TRUE(spin());
	CU_ASSERT_PTR_NOT_NULL_FATAL(held);
	CU_ASSERT_TRUE(call_alive(held));
	CU_ASSERT_FALSE(call_wants_more(held));
	call_part(held, json_object_new_object()); /* not asked for: dropped */
	call_reply(held, NULL);
	CU_ASSERT_TRUE(spin());
	take(fd, buf, sizeof(buf), &closed);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf, "\n{\"parameters\":{}}\n"));
	CU_ASSERT_TRUE(closed);
	UT_EQ(control_connections(control), 0);
}

static void test_one_at_a_time(void)
{
	AUTO_FD int fd = dial();

	hold = true;
	put(fd, STATUS STATUS);
	CU_ASSERT_TRUE(spin());
	UT_EQ(started, 1);
	call_reply(held, NULL);
	UT_EQ(started, 2);
	call_error(held, &(struct verror){.kind = VHBA_E_BUSY, .what = "no"});
	CU_ASSERT_TRUE(spin());
	UT_EQ(control_connections(control), 1);
}

static void test_freed_under_way(void)
{
	AUTO_FD int fd = dial();

	hold = true;
	put(fd, STATUS);
	CU_ASSERT_TRUE(spin());
	CU_ASSERT_PTR_NOT_NULL_FATAL(held);
	call_on_gone(held, on_gone, NULL);
	control_free(control);
	control = NULL;
	UT_EQ(gone, 1);
	call_reply(held, NULL);
}

/* ---- how many ---- */

static int peers[PEERS_MAX];

/* Connections of that kind until the server closes one; says how many live. */
static unsigned fill(unsigned at, uid_t uid, gid_t gid)
{
	unsigned n = 0;
	char buf[512];
	bool closed;

	for (; at + n < PEERS_MAX; n++) {
		peers[at + n] = uid ? dial_as(uid, gid, 0) : dial();
		CU_ASSERT_TRUE_FATAL(peers[at + n] >= 0);
		CU_ASSERT_TRUE(spin());
		take(peers[at + n], buf, sizeof(buf), &closed);
		if (closed)
			break;
	}
	if (at + n < PEERS_MAX)
		close(peers[at + n]);
	return n;
}

static void test_too_many(void)
{
	unsigned n = fill(0, 0, 0);

	UT_EQ(n, 320);
	UT_EQ(control_connections(control), 320);
	close(peers[0]);
	CU_ASSERT_TRUE(spin());
	UT_EQ(control_connections(control), 319);
	peers[0] = dial();
	CU_ASSERT_TRUE(says(peers[0], STATUS, "{\"parameters\":{}}", false));
	while (n)
		close(peers[--n]);
	CU_ASSERT_TRUE(spin());
	UT_EQ(control_connections(control), 0);
}

static unsigned others;

static int on_other(sd_event_source *s, void *user)
{
	(void)s;
	(void)user;
	others++;
	return 0;
}

/* How many turns something else got before the answer came. */
static unsigned turns_of_others(int fd)
{
	char buf[256];
	bool closed;

	put(fd, STATUS);
	others = 0;
	for (int i = 0; i < SPIN_MAX && !take(fd, buf, sizeof(buf), &closed); i++)
		sd_event_run(loop, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf, "{\"parameters\":{}}"));
	return others;
}

/* A question comes before all that keeps the loop busy, but not the next one right behind it. */
static void test_first(void)
{
	AUTO_FD int fd = dial();
	sd_event_source *busy = NULL;

	CU_ASSERT_TRUE(says(fd, CHANGE, "service", false)); /* the greeting comes with it */
	usleep(20000);
	CU_ASSERT_TRUE(spin());
	sd_event_add_defer(loop, &busy, on_other, NULL);
	sd_event_source_set_enabled(busy, SD_EVENT_ON);
	for (int i = 0; i < 3; i++)
		sd_event_run(loop, 0);
	CU_ASSERT(turns_of_others(fd) <= 1);
	CU_ASSERT(turns_of_others(fd) >= 1);
	usleep(20000);
	for (int i = 0; i < 3; i++)
		sd_event_run(loop, 0);
	CU_ASSERT(turns_of_others(fd) <= 1);
	sd_event_source_disable_unref(busy);
}

/* Who asked before comes before those that order something, however many have come meanwhile. */
static void test_asks(void)
{
	AUTO_FD int asker = dial();
	int client[20];

	CU_ASSERT_TRUE(says(asker, STATUS, "{\"parameters\":{}}", false));
	for (size_t i = 0; i < ARRAY_SIZE(client); i++) {
		client[i] = dial();
		CU_ASSERT(client[i] >= 0);
	}
	usleep(20000);
	CU_ASSERT_TRUE(spin());
	orders = 0;
	for (size_t i = 0; i < ARRAY_SIZE(client); i++)
		put(client[i], CHANGE);
	put(asker, STATUS);
	CU_ASSERT_TRUE(spin());
	UT_EQ(orders, ARRAY_SIZE(client));
	UT_EQ(orders_before, 0);
	for (size_t i = 0; i < ARRAY_SIZE(client); i++)
		close(client[i]);
}

/* Those who may not change anything cannot lock out those who may. */
static void test_some_are_kept(void)
{
	unsigned n = fill(0, NOBODY, NOBODY);
	AUTO_FD int root = dial();

	UT_EQ(n, 256);
	CU_ASSERT_TRUE(says(root, CHANGE, "{\"parameters\":{}}", false));
	while (n)
		close(peers[--n]);
}

/* No descriptor left: the next client is refused, and the loop comes to rest. */
static void test_no_descriptors(void)
{
	AUTO_FD int fd = dial(), next = dial();
	struct rlimit old, none;
	char buf[512];
	bool closed;
	int first;

	CU_ASSERT_TRUE(spin());
	UT_EQ(control_connections(control), 2);
	close(next);
	CU_ASSERT_TRUE(spin());
	next = dial();
	first = fcntl(0, F_DUPFD_CLOEXEC, 0); /* the lowest one that is free is the limit */
	close(first);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = (rlim_t)first;
	setrlimit(RLIMIT_NOFILE, &none);
	CU_ASSERT_TRUE(spin());
	setrlimit(RLIMIT_NOFILE, &old);
	take(next, buf, sizeof(buf), &closed);
	CU_ASSERT_TRUE(closed);
	CU_ASSERT_TRUE(says(fd, STATUS, "{\"parameters\":{}}", false));
	close(next);
	next = dial();
	CU_ASSERT_TRUE(says(next, STATUS, "{\"parameters\":{}}", false));
}

/* ---- who ---- */

static void check_access(int fd, bool read, bool change)
{
	CU_ASSERT_TRUE(fd >= 0);
	CU_ASSERT_TRUE(says(fd, STATUS, read ? "{\"parameters\":{}}" : "not allowed", false));
	CU_ASSERT_TRUE(says(fd, CHANGE, change ? "{\"parameters\":{}}" : "not allowed", false));
	close(fd);
}

static void test_permissions(void)
{
	check_access(dial(), true, true);
	check_access(dial_as(NOBODY, NOBODY, 0), false, false);
	check_access(dial_as(NOBODY, READERS, 0), true, false);
	check_access(dial_as(NOBODY, NOBODY, READERS), true, false);
	check_access(dial_as(NOBODY, NOBODY, ADMINS), true, true);
	UT_EQ(started, 2 + 0 + 1 + 1 + 2);
}

static void test_own_user(void)
{
	struct verror e;

	control_free(control);
	acl = (struct proto_acl){(gid_t)-1, (gid_t)-1, NOBODY};
	control = control_new(loop, path, &acl, handle, NULL, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(control);
	check_access(dial_as(NOBODY, NOBODY, 0), true, true);
	check_access(dial_as(NOBODY - 1, NOBODY, 0), false, false);
}

static void test_path(void)
{
	struct verror e = {0};

	UT_EQ(control_new(loop, "/nonexistent/s", &acl, handle, NULL, &e) == NULL, 1);
	UT_EQ(e.kind, VHBA_E_IO);
	CU_ASSERT_TRUE(e.what[0] && e.seen[0]);
}

static CU_TestInfo calls[] = {
	{"requests are answered", test_answers},
	{"what is wrong", test_wrong},
	{"an oversized line", test_oversized},
	{"asks and never reads", test_asks_and_never_reads},
	{"follows and never reads", test_slow_reader},
	{"the caller goes", test_caller_goes},
	{"half closed", test_half_closed},
	{"one at a time", test_one_at_a_time},
	{"freed under way", test_freed_under_way},
	{"a path that is none", test_path},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo limits[] = {
	{"too many connections", test_too_many},
	{"questions come first", test_first},
	{"who asks goes before who orders", test_asks},
	{"no descriptors", test_no_descriptors},
	CU_TEST_INFO_NULL,
};

/* These take other users' identities for a moment. */
static CU_TestInfo roots[] = {
	{"some connections are kept", test_some_are_kept},
	{"permissions", test_permissions},
	{"the daemon's own user", test_own_user},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	struct ut_suite suites[] = {
		{"calls", calls, begin, end},
		{"limits", limits, begin, end},
		{"roots", roots, begin, end},
		{0},
	};

	if (geteuid()) {
		printf("# not root: what other users may is left out\n");
		suites[2] = (struct ut_suite){0};
	}
	return ut_main(argc, argv, suites);
}

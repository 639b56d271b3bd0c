/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server's side of the protocol: limits, framing, checks against the table, queues. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "conn.h"
#include "frame.h"
#include "ut.h"

static const struct proto_peer root_peer = {0, 0, 1, PROTO_ACCESS_CHANGE};
static const struct proto_peer reader = {1000, 1000, 1, PROTO_ACCESS_READ};
static const struct proto_peer nobody = {65534, 65534, 1, PROTO_ACCESS_NONE};

/* A connection whose greeting is out of the way. */
static struct proto_conn *conn(const struct proto_peer *peer)
{
	struct proto_conn *c = proto_conn_new(peer);
	size_t len;

	proto_conn_out(c, &len);
	proto_conn_sent(c, len);
	return c;
}

static int feed(struct proto_conn *c, const char *text)
{
	return proto_conn_feed(c, text, strlen(text));
}

/* The next line that the connection would send, as text; the caller frees. */
static char *line(struct proto_conn *c)
{
	size_t len;
	const char *out = proto_conn_out(c, &len), *end = out ? memchr(out, '\n', len) : NULL;
	char *copy;

	if (!end)
		return strdup("");
	copy = strndup(out, (size_t)(end - out));
	proto_conn_sent(c, (size_t)(end - out) + 1);
	return copy;
}

#define LINE_HAS(c, part)                                                                                    \
	do {                                                                                                 \
		AUTO_FREE char *line_ = line(c);                                                             \
		if (!strstr(line_, part))                                                                    \
			printf("# %d: \"%s\" has no \"%s\"\n", __LINE__, line_, part);                       \
		CU_ASSERT_PTR_NOT_NULL(strstr(line_, part));                                                 \
	} while (0)

static void test_greeting(void)
{
	struct proto_conn *c = proto_conn_new(&reader);

	LINE_HAS(c, "{\"v\":1,\"service\":\"org.vhba\",\"version\":\"");
	UT_EQ(proto_conn_events(c), EPOLLIN);
	proto_conn_free(c);
}

static void test_round_trip(void)
{
	struct proto_conn *c = conn(&root_peer);
	struct proto_request req;

	UT_EQ(feed(c,
		   "{\"method\":\"org.vhba.quiesce\",\"parameters\":{\"vm\":\"db1\",\"deadline_us\":500000},"
		   "\"more\":true,\"id\":7}\n"),
	      0);
	CU_ASSERT_TRUE_FATAL(proto_conn_next(c, &req));
	UT_EQ(proto_method_id(req.method), PROTO_QUIESCE);
	UT_STREQ(proto_get_text(req.parameters, "vm"), "db1");
	UT_EQ(proto_get_uint(req.parameters, "deadline_us", 0), 500000);
	UT_EQ(proto_get_uint(req.parameters, "drain_us", 42), 42);
	CU_ASSERT_TRUE(req.more);
	CU_ASSERT_TRUE(proto_conn_busy(c));
	UT_EQ(proto_conn_progress(c, proto_progress_new("drain", 1, "2 in flight")), 0);
	UT_EQ(proto_conn_reply(c, NULL), 0);
	LINE_HAS(c,
		 "{\"id\":7,\"continues\":true,\"progress\":{\"phase\":\"drain\",\"vhba\":1,\"text\":\"2 in "
		 "flight\"}}");
	LINE_HAS(c, "{\"id\":7,\"parameters\":{}}");
	UT_EQ(proto_conn_reply(c, NULL), -ENOTCONN);
	proto_conn_free(c);
}

static void test_split_everywhere(void)
{
	const char *text = "{\"method\":\"org.vhba.vm.Show\",\"parameters\":{\"vm\":\"d\\u00e9\"}}\n"
			   "{\"method\":\"org.vhba.vm.Show\",\"parameters\":{\"vm\":\"db1\"}}\n";
	struct proto_request req;

	for (size_t cut = 0; cut <= strlen(text); cut++) {
		struct proto_conn *c = conn(&root_peer);

		UT_EQ(proto_conn_feed(c, text, cut), 0);
		if (!proto_conn_next(c, &req)) {
			UT_EQ(proto_conn_feed(c, text + cut, strlen(text) - cut), 0);
			CU_ASSERT_TRUE(proto_conn_next(c, &req));
		}
		UT_STREQ(proto_get_text(req.parameters, "vm"), "db1");
		LINE_HAS(c, "org.vhba.InvalidParameter"); /* the first one's name is none */
		proto_conn_free(c);
	}
}

static void test_byte_by_byte_pipelined(void)
{
	const char *one = "{\"method\":\"org.vhba.status\",\"id\":1}\n";
	struct proto_conn *c = conn(&reader);
	struct proto_request req;

	for (int n = 0; n < 3; n++)
		for (const char *p = one; *p; p++)
			UT_EQ(proto_conn_feed(c, p, 1), 0);
	for (int n = 0; n < 3; n++) {
		struct proto_request other;

		CU_ASSERT_TRUE(proto_conn_next(c, &req));
		CU_ASSERT_FALSE(proto_conn_next(c, &other)); /* one at a time */
		CU_ASSERT_PTR_NULL(req.parameters);
		UT_EQ(proto_conn_reply(c, NULL), 0);
	}
	CU_ASSERT_FALSE(proto_conn_next(c, &req));
	proto_conn_free(c);
}

static void test_refused_requests(void)
{
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{"{}", "has no \\\"method\\\""},
		{"{\"method\":1}", "of the wrong type"},
		{"{\"method\":\"org.vhba.status\",\"extra\":1}", "is unknown"},
		{"{\"method\":\"org.vhba.status\",\"more\":1}", "of the wrong type"},
		{"{\"method\":\"org.vhba.status\",\"parameters\":[]}", "of the wrong type"},
		{"{\"method\":\"org.vhba.status\",\"v\":2}", "org.vhba.NewerVersion"},
		{"{\"method\":\"org.vhba.nothing\"}", "unknown method"},
		{"{\"method\":\"vm.List\"}", "unknown method"},
		{"{\"method\":\"org.vhba.vm.List\",\"more\":true}", "cannot be called with"},
		{"{\"method\":\"org.vhba.vm.List\",\"parameters\":{\"vm\":\"a\"}}", "unknown parameter"},
		{"{\"method\":\"org.vhba.vm.Show\"}", "vm is missing"},
		{"{\"method\":\"org.vhba.vm.Show\",\"parameters\":{\"vm\":null}}", "vm is not valid"},
		{"{\"method\":\"org.vhba.vm.Show\",\"parameters\":{\"vm\":\"a b\"}}", "vm is not valid"},
		{"{\"method\":\"org.vhba.vm.Show\",\"parameters\":{\"vm\":\"a\\u0000b\"}}",
		 "vm is not valid"},
		{"{\"method\":\"org.vhba.vm.Show\",\"parameters\":{\"vm\":\"../a\"}}", "vm is not valid"},
		{"{\"method\":\"org.vhba.vm.Add\",\"parameters\":{\"name\":\"00000000-0000-0000-0000-"
		 "000000000001\","
		 "\"uuid\":\"00000000-0000-0000-0000-000000000001\"}}",
		 "name is not valid"},
		{"{\"method\":\"org.vhba.vm.Add\",\"parameters\":{\"name\":\"a\","
		 "\"uuid\":\"00000000-0000-0000-0000-000000000000\"}}",
		 "uuid is not valid"},
		{"{\"method\":\"org.vhba.quiesce\",\"parameters\":{\"vm\":\"a\",\"deadline_us\":999}}",
		 "from 1000 to 86400000000"},
		{"{\"method\":\"org.vhba.quiesce\",\"parameters\":{\"vm\":\"a\",\"deadline_us\":1e6}}",
		 "deadline_us is not valid"},
		{"{\"method\":\"org.vhba.quiesce\",\"parameters\":{\"vm\":\"a\",\"deadline_us\":\"5\"}}",
		 "deadline_us is not valid"},
		{"{\"method\":\"org.vhba.quiesce\",\"parameters\":{\"vm\":\"a\",\"deadline_us\":-5}}",
		 "deadline_us is not valid"},
		{"{\"method\":\"org.vhba.events\",\"parameters\":{\"since\":18446744073709551615}}",
		 "since is not valid"},
		{"{\"method\":\"org.vhba.events\",\"parameters\":{\"since\":99999999999999999999999}}",
		 "since is not valid"},
		{"{\"method\":\"org.vhba.vhba.Add\",\"parameters\":{\"vm\":\"a\",\"vsan\":10,\"zones\":[]}}",
		 "zones is not valid"},
		{"{\"method\":\"org.vhba.vhba.Add\",\"parameters\":{\"vm\":\"a\",\"vsan\":10,\"zones\":["
		 "\"z\",\"z\"]}}",
		 "different names"},
		{"{\"method\":\"org.vhba.vhba.Add\",\"parameters\":{\"vm\":\"a\",\"vsan\":10,\"zones\":["
		 "\"z\"],"
		 "\"wwpn\":\"00:00:00:00:00:00:00:00\"}}",
		 "wwpn is not valid"},
	};
	struct proto_conn *c = conn(&root_peer);
	struct proto_request req;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		UT_EQ(feed(c, cases[i].request), 0);
		UT_EQ(feed(c, "\n"), 0);
		CU_ASSERT_FALSE(proto_conn_next(c, &req));
		LINE_HAS(c, cases[i].answer);
		CU_ASSERT_FALSE(proto_conn_done(c)); /* it goes on */
	}
	proto_conn_free(c);
}

static void test_permission(void)
{
	struct proto_conn *r = conn(&reader), *n = conn(&nobody);
	struct proto_request req;

	feed(r, "{\"method\":\"org.vhba.attach\",\"parameters\":{\"vm\":\"a\"}}\n{\"method\":\"org.vhba."
		"status\"}\n");
	CU_ASSERT_TRUE(proto_conn_next(r, &req));
	UT_EQ(proto_method_id(req.method), PROTO_STATUS);
	LINE_HAS(r, "org.vhba.PermissionDenied");
	feed(n, "{\"method\":\"org.vhba.status\"}\n");
	CU_ASSERT_FALSE(proto_conn_next(n, &req));
	LINE_HAS(n, "org.vhba.PermissionDenied");
	proto_conn_free(r);
	proto_conn_free(n);
}

/* Lines after which nothing can be trusted: answered once, then the connection ends. */
static void test_fatal_lines(void)
{
	static const char *const cases[] = {
		"hello\n",
		"\n",
		"[]\n",
		"{\"method\":\"org.vhba.status\"} {}\n",
		"{\"method\":\"org.vhba.status\"\n",
		"{\"method\":\"org.vhba.st\xc3\x28tus\"}\n",
		"{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}\n", /* 17 deep */
	};
	struct proto_request req;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct proto_conn *c = conn(&root_peer);

		feed(c, cases[i]);
		CU_ASSERT_FALSE(proto_conn_next(c, &req));
		UT_EQ(proto_conn_feed(c, "x", 1), -EPIPE);
		UT_EQ(proto_conn_events(c), EPOLLOUT);
		CU_ASSERT_FALSE(proto_conn_done(c));
		LINE_HAS(c, "org.vhba.InvalidParameter");
		CU_ASSERT_TRUE(proto_conn_done(c));
		proto_conn_free(c);
	}
}

static void test_depth_allowed(void)
{
	struct proto_conn *c = conn(&root_peer);
	struct proto_request req;

	/* 16 deep: well-formed, if not for this method. */
	feed(c, "{\"method\":\"org.vhba.import\",\"parameters\":{\"ticket\":{\"a\":[[[[[[[[[[[[[1]]]]]]]]]]]]"
		"]}}}\n");
	CU_ASSERT_TRUE(proto_conn_next(c, &req));
	proto_conn_free(c);
}

static void test_oversize(void)
{
	AUTO_FREE char *big = malloc(PROTO_REQUEST_MAX + 1);
	struct proto_conn *c = conn(&root_peer);
	struct proto_request req;

	memset(big, ' ', PROTO_REQUEST_MAX + 1);
	UT_EQ(proto_conn_feed(c, big, PROTO_REQUEST_MAX + 1), -ENOBUFS);
	UT_EQ(proto_conn_feed(c, big, PROTO_REQUEST_MAX - 1), 0);
	CU_ASSERT_FALSE(proto_conn_next(c, &req));
	CU_ASSERT_FALSE(proto_conn_done(c));
	UT_EQ(proto_conn_feed(c, " ", 1), 0);
	CU_ASSERT_FALSE(proto_conn_next(c, &req));
	LINE_HAS(c, "too long");
	CU_ASSERT_TRUE(proto_conn_done(c));
	proto_conn_free(c);
}

/* The largest request that is allowed is taken while the one before is being handled. */
static void test_full_buffer_while_busy(void)
{
	const char *head = "{\"method\":\"org.vhba.status\"}\n";
	AUTO_FREE char *big = malloc(PROTO_REQUEST_MAX);
	struct proto_conn *c = conn(&root_peer);
	struct proto_request req;

	memset(big, ' ', PROTO_REQUEST_MAX);
	memcpy(big, head, strlen(head) - 1);
	big[PROTO_REQUEST_MAX - 1] = '\n';
	feed(c, head);
	CU_ASSERT_TRUE(proto_conn_next(c, &req));
	UT_EQ(proto_conn_feed(c, big, PROTO_REQUEST_MAX), 0);
	UT_EQ(proto_conn_room(c), 0);
	UT_EQ(proto_conn_events(c) & EPOLLIN, 0);
	proto_conn_reply(c, NULL);
	CU_ASSERT_TRUE(proto_conn_next(c, &req));
	UT_EQ(proto_conn_room(c), PROTO_REQUEST_MAX);
	proto_conn_free(c);
}

static void test_slow_reader_is_cut_off(void)
{
	AUTO_FREE char *text = calloc(1, 100001);
	struct proto_conn *c = conn(&reader);
	struct proto_request req;
	int n = 0, r;

	memset(text, 'a', 100000);
	feed(c, "{\"method\":\"org.vhba.events\",\"more\":true}\n");
	CU_ASSERT_TRUE(proto_conn_next(c, &req));
	do {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "text", json_object_new_string(text));
		r = proto_conn_part(c, o);
	} while (!r && ++n < 1000);
	UT_EQ(r, -EPIPE);
	CU_ASSERT_TRUE(n >= 30 && n <= PROTO_QUEUE_MAX / 100000);
	CU_ASSERT_TRUE(proto_conn_done(c));
	UT_EQ(proto_conn_reply(c, NULL), -EPIPE);
	proto_conn_free(c);
}

static void test_reply_too_long(void)
{
	AUTO_FREE char *text = calloc(1, PROTO_LINE_MAX + 1);
	struct json_object *o = json_object_new_object();
	struct proto_conn *c = conn(&reader);
	struct proto_request req;

	memset(text, 'a', PROTO_LINE_MAX);
	json_object_object_add(o, "text", json_object_new_string(text));
	feed(c, "{\"method\":\"org.vhba.vm.List\",\"id\":3}\n");
	CU_ASSERT_TRUE(proto_conn_next(c, &req));
	UT_EQ(proto_conn_reply(c, o), -EMSGSIZE);
	LINE_HAS(c, "{\"id\":3,\"error\":\"org.vhba.Internal\"");
	CU_ASSERT_FALSE(proto_conn_busy(c));
	proto_conn_free(c);
}

static void test_eof_answers_what_came(void)
{
	struct proto_conn *c = conn(&reader);
	struct proto_request req;

	feed(c, "{\"method\":\"org.vhba.status\"}\n{\"half");
	proto_conn_eof(c);
	CU_ASSERT_FALSE(proto_conn_done(c));
	CU_ASSERT_TRUE(proto_conn_next(c, &req));
	CU_ASSERT_FALSE(proto_conn_done(c));
	proto_conn_reply(c, NULL);
	CU_ASSERT_FALSE(proto_conn_next(c, &req));
	LINE_HAS(c, "{\"parameters\":{}}");
	CU_ASSERT_TRUE(proto_conn_done(c));
	proto_conn_free(c);
}

static void test_error_text_is_utf8(void)
{
	struct proto_conn *c = conn(&reader);
	struct proto_request req;
	struct verror e;

	verror_set(&e, VHBA_E_NOT_FOUND, "no VM \xc3\xa9\xff\xe2\x82");
	feed(c, "{\"method\":\"org.vhba.status\"}\n");
	CU_ASSERT_TRUE(proto_conn_next(c, &req));
	UT_EQ(proto_conn_error(c, &e), 0);
	LINE_HAS(c, "{\"error\":\"org.vhba.NotFound\",\"parameters\":{\"what\":\"no VM \xc3\xa9???\"}}");
	proto_conn_free(c);
}

static void test_error_object(void)
{
	struct json_object *o;
	struct verror e;

	verror_set(&e, VHBA_E_CONSTRAINT, "vhba 1");
	verror_fix(&e, "look");
	o = proto_error_new(&e);
	UT_STREQ(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		 "{\"error\":\"org.vhba.ConstraintNotMet\",\"what\":\"vhba 1\",\"fix\":\"look\"}");
	json_object_put(o);
}

static void test_table(void)
{
	for (size_t i = 0; i < PROTO_METHODS; i++) {
		const struct proto_method *m = &proto_methods[i];
		char full[64];

		CU_ASSERT_PTR_NOT_NULL_FATAL(m->name);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m->parameters);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m->reply);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m->doc);
		snprintf(full, sizeof(full), "org.vhba.%s", m->name);
		CU_ASSERT_PTR_EQUAL(proto_method_find(full), m);
		UT_EQ(proto_method_id(m), i);
		CU_ASSERT_TRUE(m->access == PROTO_ACCESS_READ || m->access == PROTO_ACCESS_CHANGE);
		for (const struct proto_field *f = m->parameters; f->name; f++)
			CU_ASSERT_TRUE(f->doc && f->doc[0]);
	}
}

static void test_check_reply(void)
{
	struct json_object *o =
		json_tokener_parse("{\"vm\":\"db1\",\"records\":[{\"operation\":\"quiesce\"}]}");
	struct verror e;

	UT_EQ(proto_check_reply(&proto_methods[PROTO_LOG], o, &e), -EINVAL);
	UT_STREQ(e.what, "log: records[0].vm is missing");
	json_object_put(o);
	o = json_tokener_parse("{\"vm\":\"db1\",\"records\":[]}");
	UT_EQ(proto_check_reply(&proto_methods[PROTO_LOG], o, &e), 0);
	json_object_put(o);
}

static void test_wwn(void)
{
	uint64_t wwn = 0;
	char buf[24];

	UT_EQ(proto_wwn_parse("50:01:43:80:12:34:56:7F", &wwn), 0);
	UT_STREQ(proto_wwn_format(wwn, buf), "50:01:43:80:12:34:56:7f");
	UT_EQ(proto_wwn_parse("500143801234567f", &wwn), 0);
	UT_EQ(proto_wwn_parse("0x500143801234567f", &wwn), -EINVAL);
	UT_EQ(proto_wwn_parse("500143801234567", &wwn), -EINVAL);
	UT_EQ(proto_wwn_parse("50:01:43:80:12:34:56:7f:", &wwn), -EINVAL);
	UT_EQ(proto_wwn_parse("ffffffffffffffff", &wwn), -EINVAL);
	UT_EQ(proto_wwn_parse("", &wwn), -EINVAL);
}

static void test_socket(void)
{
	struct proto_acl acl = {.read_gid = (gid_t)-1, .admin_gid = (gid_t)-1, .admin_uid = (uid_t)-1};
	struct proto_conn *c;
	struct proto_request req;
	struct proto_peer peer;
	char buf[256];
	int fd[2];

	UT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	UT_EQ(proto_peer_take(fd[0], &acl, &peer), 0);
	UT_EQ(peer.uid, getuid());
	UT_EQ(peer.access, getuid() == 0 ? PROTO_ACCESS_CHANGE : PROTO_ACCESS_NONE);
	acl.admin_gid = getgid();
	UT_EQ(proto_peer_take(fd[0], &acl, &peer), 0);
	UT_EQ(peer.access, PROTO_ACCESS_CHANGE);
	c = proto_conn_new(&peer);
	CU_ASSERT_TRUE(proto_conn_write(c, fd[0]) > 0);
	CU_ASSERT_TRUE(read(fd[1], buf, sizeof(buf)) > 0);
	UT_EQ(proto_conn_read(c, fd[0]), 0); /* nothing yet, and no blocking */
	UT_EQ(dprintf(fd[1], "{\"method\":\"org.vhba.status\"}\n"), 29);
	UT_EQ(proto_conn_read(c, fd[0]), 29);
	CU_ASSERT_TRUE(proto_conn_next(c, &req));
	close(fd[1]);
	UT_EQ(proto_conn_read(c, fd[0]), 0);
	UT_EQ(proto_conn_events(c), 0);
	proto_conn_reply(c, NULL);
	UT_EQ(proto_conn_write(c, fd[0]), -EPIPE);
	close(fd[0]);
	proto_conn_free(c);
}

static void test_listen(void)
{
	char dir[64], path[96];
	struct verror e;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "%s/s", ut_tmpdir(dir, sizeof(dir)));
	fd = proto_listen(path, &e);
	CU_ASSERT_TRUE(fd >= 0);
	close(fd);
	fd = proto_listen(path, &e); /* over the old one */
	CU_ASSERT_TRUE(fd >= 0);
	close(fd);
	unlink(path);
	f = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fclose(f);
	UT_EQ(proto_listen(path, &e), -EEXIST);
	UT_EQ(access(path, F_OK), 0);
}

int main(int argc, char **argv)
{
	CU_TestInfo framing[] = {
		{"greeting", test_greeting},
		{"round trip", test_round_trip},
		{"split at every byte", test_split_everywhere},
		{"byte by byte, pipelined", test_byte_by_byte_pipelined},
		{"fatal lines", test_fatal_lines},
		{"depth allowed", test_depth_allowed},
		{"oversize", test_oversize},
		{"full buffer while busy", test_full_buffer_while_busy},
		{"slow reader is cut off", test_slow_reader_is_cut_off},
		{"reply too long", test_reply_too_long},
		{"end answers what came", test_eof_answers_what_came},
		{"error text is UTF-8", test_error_text_is_utf8},
		{"error object", test_error_object},
		{"socket", test_socket},
		{"listen", test_listen},
		CU_TEST_INFO_NULL,
	};
	CU_TestInfo table[] = {
		{"table", test_table},
		{"refused requests", test_refused_requests},
		{"permission", test_permission},
		{"check reply", test_check_reply},
		{"WWN", test_wwn},
		CU_TEST_INFO_NULL,
	};
	const struct ut_suite suites[] = {{"framing", framing}, {"table", table}, {NULL}};

	return ut_main(argc, argv, suites);
}

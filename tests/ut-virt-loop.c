/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhba-virt's loop and its threads, between libvirt's test driver and a vhbad that is played by the test. */
#include <dlfcn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "conn.h"
#include "mend.h"
#include "ut.h"
#include "virt.h"

#define WWPN UINT64_C(0x502ab30000000010)
#define WWPN_TEXT "50:2a:b3:00:00:00:00:10"
/* The only domain of libvirt's test driver, and its VM. */
#define TEST_UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define TICKET                                                                                               \
	"{\"ticket\":{\"format\":\"org.vhba.ticket\",\"version\":1,\"vm\":\"db1\",\"uuid\":\"" TEST_UUID     \
	"\",\"generation\":3,\"exported_by\":\"alpha\",\"vhbas\":[]}}"
#define PATIENCE (60 * USEC_PER_SEC)
#define PEERS 8

static struct verror e;
static struct virt v;
static struct virt_options options;
static sd_event *loop;
static virConnectPtr conn; /* the test's own, to look behind */
static char top[64], path[96], links[96];
static int listening;

/* ---- vhbad ---- */

static struct {
	int fd;
	struct proto_conn *c;
	bool serves, orders; /* it has called pool.Serve, domain.Serve */
} peers[PEERS];

/* Two VMs that leave. */
#define LEAVES 2
static const char *const leaving[LEAVES] = {TEST_UUID, "6695eb01-f6a4-8304-79aa-97f2502e1940"};

static struct {
	const char *shown; /* vm.Show's; NULL: of one that is held */
	bool quiesced[LEAVES], resumed[LEAVES];
	char state[16];
	uint64_t serial;
	char other[96], text[400];
	unsigned serves, orders; /* how often pool.Serve and domain.Serve were called */
	uint64_t done; /* number of the last order that was answered */
	char answer[4096], asked[64];
} seen;

static void drop(unsigned i)
{
	proto_conn_free(peers[i].c);
	close(peers[i].fd);
	memset(&peers[i], 0, sizeof(peers[i]));
}

static void drop_all(void)
{
	for (unsigned i = 0; i < PEERS; i++)
		if (peers[i].c)
			drop(i);
}

static void take_report(struct json_object *p)
{
	struct json_object *own = proto_get(p, "pools"), *others = proto_get(p, "others"), *o;

	for (size_t i = 0; own && i < json_object_array_length(own); i++) {
		o = json_object_array_get_idx(own, i);
		UT_STREQ(proto_get_text(o, "wwpn"), WWPN_TEXT);
		snprintf(seen.state, sizeof(seen.state), "%s", proto_get_text(o, "state"));
		snprintf(seen.text, sizeof(seen.text), "%s",
			 proto_get_text(o, "text") ? proto_get_text(o, "text") : "");
		seen.serial = proto_get_uint(o, "serial", 0);
	}
	for (size_t i = 0; others && i < json_object_array_length(others); i++) {
		o = json_object_array_get_idx(others, i);
		snprintf(seen.other, sizeof(seen.other), "%s", proto_get_text(o, "name"));
	}
	if (others && !json_object_array_length(others))
		seen.other[0] = '\0';
}

static void take_answer(struct json_object *p)
{
	struct json_object *o = proto_get(p, "reply");

	snprintf(seen.answer, sizeof(seen.answer), "%s",
		 json_object_to_json_string_ext(o ? o : proto_get(p, "error"), JSON_C_TO_STRING_PLAIN));
	seen.done = proto_get_uint(p, "serial", 0);
}

static void note_leaving(bool of[LEAVES], struct json_object *p)
{
	for (unsigned i = 0; i < LEAVES; i++)
		of[i] |= !strcmp(proto_get_text(p, "vm"), leaving[i]);
}

static void serve(unsigned i)
{
	struct proto_request req;

	ssize_t r = proto_conn_read(peers[i].c, peers[i].fd);

	while (proto_conn_next(peers[i].c, &req)) {
		if (req.method == &proto_methods[PROTO_POOL_SERVE]) {
			peers[i].serves = true;
			seen.serves++;
		} else if (req.method == &proto_methods[PROTO_DOMAIN_SERVE]) {
			peers[i].orders = true;
			seen.orders++;
		} else if (req.method == &proto_methods[PROTO_DOMAIN_REPORT]) {
			take_answer(req.parameters);
			proto_conn_reply(peers[i].c, NULL);
		} else if (req.method == &proto_methods[PROTO_EXPORT]) {
			snprintf(seen.asked, sizeof(seen.asked), "%s", proto_get_text(req.parameters, "vm"));
			proto_conn_reply(peers[i].c, json_tokener_parse(TICKET));
		} else if (req.method == &proto_methods[PROTO_VM_SHOW]) {
			proto_conn_reply(peers[i].c,
					 json_tokener_parse(
						 seen.shown
							 ? seen.shown
							 : "{\"vm\":{\"name\":\"db1\",\"state\":\"held\"}}"));
		} else if (req.method == &proto_methods[PROTO_QUIESCE]) {
			note_leaving(seen.quiesced, req.parameters);
			proto_conn_reply(peers[i].c, json_tokener_parse("{\"outcome\":\"confirmed\"}"));
		} else if (req.method == &proto_methods[PROTO_RESUME]) {
			note_leaving(seen.resumed, req.parameters);
			snprintf(seen.asked, sizeof(seen.asked), "resume %s",
				 proto_get_text(req.parameters, "vm"));
			proto_conn_reply(peers[i].c, json_tokener_parse("{\"outcome\":\"done\"}"));
		} else {
			CU_ASSERT_PTR_EQUAL(req.method, &proto_methods[PROTO_POOL_REPORT]);
			take_report(req.parameters);
			proto_conn_reply(peers[i].c, NULL);
		}
	}
	if (proto_conn_write(peers[i].c, peers[i].fd) < 0 || r < 0 || proto_conn_done(peers[i].c))
		drop(i);
}

static void accept_one(void)
{
	const struct proto_peer peer = {.access = PROTO_ACCESS_CHANGE};
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	for (unsigned i = 0; fd >= 0 && i < PEERS; i++) {
		if (peers[i].c)
			continue;
		peers[i].fd = fd;
		peers[i].c = proto_conn_new(&peer);
		return;
	}
	if (fd >= 0)
		close(fd);
}

static void spin(void)
{
	sd_event_run(loop, 5 * USEC_PER_MSEC);
	accept_one();
	for (unsigned i = 0; i < PEERS; i++)
		if (peers[i].c)
			serve(i);
}

#define UNTIL(condition)                                                                                     \
	do {                                                                                                 \
		struct monotime stop_ = mono_add(mono_now(), PATIENCE);                                      \
		while (!(condition) && !mono_reached(stop_, mono_now()))                                     \
			spin();                                                                              \
		CU_ASSERT_TRUE_FATAL(condition);                                                             \
	} while (0)

static void send_part(const char *text)
{
	for (unsigned i = 0; i < PEERS; i++)
		if (peers[i].c && peers[i].serves)
			UT_EQ(proto_conn_part(peers[i].c, json_tokener_parse(text)), 0);
}

static void order(const char *wanted, const char *host, unsigned serial)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"pool\":{\"name\":\"vhba-db1-0\",\"wwpn\":\"" WWPN_TEXT
		 "\",\"wanted\":\"%s\",\"host\":\"%s\","
		 "\"settled\":true,\"serial\":%u,\"sync\":0,\"luns\":[]}}",
		 wanted, host, serial);
	send_part(text);
}

static bool is(const char *state, uint64_t serial)
{
	return !strcmp(seen.state, state) && seen.serial == serial;
}

static enum lv_state libvirt_has(int *host)
{
	struct lv_pool p;
	int volumes;

	UT_EQ(lv_look(conn, WWPN, &p, &volumes, &e), 0);
	*host = p.adapter.host;
	return p.state;
}

static bool has_links(void)
{
	char dir[160];

	snprintf(dir, sizeof(dir), "%s/0x502ab30000000010", links);
	return !access(dir, F_OK);
}

/* ---- the tests ---- */

static int begin(void)
{
	ut_tmpdir(top, sizeof(top));
	snprintf(path, sizeof(path), "%s/s", top);
	snprintf(links, sizeof(links), "%s/links", top);
	options = (struct virt_options){.socket = path,
					.uri = "test:///default",
					.domains = "test:///default",
					.links = links,
					.by = "/nowhere",
					.notes = top};
	listening = proto_listen(path, &e);
	return listening < 0 || sd_event_new(&loop) < 0 || lv_init(&e) || lv_open(options.uri, &conn, &e);
}

static int end(void)
{
	virConnectClose(conn);
	sd_event_unref(loop);
	close(listening);
	return 0;
}

static void up(void)
{
	memset(&seen, 0, sizeof(seen));
	UT_EQ(virt_begin(&v, loop, &options, &e), 0);
	UNTIL(seen.serves == 1);
}

static bool stopped;

static void on_stopped(struct virt *which)
{
	CU_ASSERT_PTR_EQUAL(which, &v);
	stopped = true;
}

static void down(void)
{
	stopped = false;
	virt_stop(&v, on_stopped);
	UNTIL(stopped && !v.jobs->running);
	CU_ASSERT_TRUE(virt_end(&v));
	drop_all();
}

static void test_life(void)
{
	int host;

	up();
	send_part("{\"complete\":true}");
	order("running", "host12", 1);
	UNTIL(is("running", 1));
	UT_EQ(libvirt_has(&host), LV_RUNNING);
	UT_EQ(host, 12);
	CU_ASSERT_TRUE(has_links());
	order("stopped", "host12", 2);
	UNTIL(is("stopped", 2));
	UT_EQ(libvirt_has(&host), LV_STOPPED);
	/* On another host after that, as a move within the machine makes it; and there while it runs. */
	order("running", "host13", 3);
	UNTIL(is("running", 3));
	UT_EQ(libvirt_has(&host), LV_RUNNING);
	UT_EQ(host, 13);
	order("running", "host14", 4);
	UNTIL(is("running", 4) && libvirt_has(&host) == LV_RUNNING && host == 14);
	order("absent", "host14", 5);
	UNTIL(is("absent", 5));
	UT_EQ(libvirt_has(&host), LV_ABSENT);
	CU_ASSERT_FALSE(has_links());
	down();
}

/* Several orders before anything is done: the last one counts. */
static void test_overtaken(void)
{
	int host;

	up();
	order("running", "host12", 1);
	order("stopped", "host12", 2);
	order("running", "host12", 3);
	order("stopped", "host12", 4);
	send_part("{\"complete\":true}");
	UNTIL(is("stopped", 4) || is("absent", 4));
	UNTIL(!v.jobs->running);
	CU_ASSERT_TRUE(libvirt_has(&host) != LV_RUNNING);
	order("absent", "host12", 5);
	UNTIL(is("absent", 5));
	down();
}

/* vhbad comes back and does not know the VM any more. */
static void test_forgotten(void)
{
	int host;

	up();
	order("running", "host12", 1);
	send_part("{\"complete\":true}");
	UNTIL(is("running", 1));
	drop_all();
	UNTIL(seen.serves == 2);
	UNTIL(!v.jobs->running);
	UT_EQ(libvirt_has(&host), LV_RUNNING); /* it may yet be told of */
	send_part("{\"complete\":true}");
	UNTIL(libvirt_has(&host) == LV_ABSENT);
	down();
}

/* What an earlier vhba-virt has left is adopted, or removed when nobody wants it. */
static void test_adopted(void)
{
	char xml[512];
	int host;

	for (int wanted = 0; wanted < 2; wanted++) {
		poolxml_write("vhba-db1-0", WWPN, 12, "/dev/vhba/x", xml, sizeof(xml));
		UT_EQ(lv_start(conn, WWPN, xml, &e), 0);
		up();
		if (wanted) {
			order("running", "host12", 1);
			UNTIL(is("running", 1));
			order("absent", "host12", 2);
		}
		send_part("{\"complete\":true}");
		UNTIL(libvirt_has(&host) == LV_ABSENT);
		down();
	}
}

/* Stopped by somebody else: it is noticed, and started again. */
static void test_stopped_by_hand(void)
{
	int host;

	up();
	order("running", "host12", 1);
	send_part("{\"complete\":true}");
	UNTIL(is("running", 1));
	UT_EQ(lv_stop(conn, WWPN, &e), 0);
	UNTIL(libvirt_has(&host) == LV_RUNNING);
	order("absent", "host12", 2);
	UNTIL(is("absent", 2));
	down();
}

static void test_others(void)
{
	static const char xml[] =
		"<pool type='scsi'><name>byhand</name><source><adapter type='fc_host' managed='yes' "
		"wwnn='20000a1b2c000001' wwpn='502ab30000000010'/></source>"
		"<target><path>/dev/disk/by-path</path></target></pool>";
	virStoragePoolPtr p;

	up();
	send_part("{\"complete\":true}");
	p = virStoragePoolDefineXML(conn, xml, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	UNTIL(!strcmp(seen.other, "byhand"));
	virStoragePoolUndefine(p);
	UNTIL(!seen.other[0]);
	virStoragePoolFree(p);
	down();
}

static unsigned refreshed;

static void on_refresh(virConnectPtr c, virStoragePoolPtr p, void *user)
{
	(void)c;
	(void)user;
	refreshed += !strcmp(virStoragePoolGetName(p), "byhand");
}

/* One that runs on the vport is refreshed in the place of an own one, and not touched otherwise. */
static void test_served(void)
{
	static const char xml[] =
		"<pool type='scsi'><name>byhand</name><source><adapter type='fc_host' parent='scsi_host1' "
		"managed='no' wwnn='20000a1b2c000001' wwpn='502ab30000000010'/></source>"
		"<target><path>/dev/disk/by-path</path></target></pool>";
	virStoragePoolPtr p = virStoragePoolCreateXML(conn, xml, 0);
	int host, id;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	refreshed = 0;
	id = virConnectStoragePoolEventRegisterAny(conn, NULL, VIR_STORAGE_POOL_EVENT_ID_REFRESH,
						   VIR_STORAGE_POOL_EVENT_CALLBACK(on_refresh), NULL, NULL);
	CU_ASSERT_TRUE_FATAL(id >= 0);
	up();
	UNTIL(v.listed);
	order("running", "host12", 1);
	send_part("{\"complete\":true}");
	UNTIL(refreshed == 1);
	UNTIL(is("absent", 1) && strstr(seen.text, "defined by hand"));
	order("stopped", "host12", 2); /* before a quiesce: it is not its owner's word */
	UNTIL(is("absent", 2));
	UT_EQ(virStoragePoolIsActive(p), 1);
	UT_EQ(refreshed, 1);
	virConnectStoragePoolEventDeregisterAny(conn, id);
	UT_EQ(virStoragePoolDestroy(p), 0);
	order("running", "host12", 3);
	UNTIL(is("running", 3));
	UT_EQ(libvirt_has(&host), LV_RUNNING);
	order("absent", "host12", 4);
	UNTIL(is("absent", 4));
	virStoragePoolFree(p);
	down();
}

/* ask NUMBER VERB PARAMETERS: until it is answered. */
static void ask(unsigned serial, const char *verb, const char *parameters)
{
	char text[512];

	snprintf(text, sizeof(text), "{\"order\":{\"serial\":%u,\"verb\":\"%s\",\"parameters\":%s}}", serial,
		 verb, parameters);
	for (unsigned i = 0; i < PEERS; i++)
		if (peers[i].c && peers[i].orders)
			UT_EQ(proto_conn_part(peers[i].c, json_tokener_parse(text)), 0);
	UNTIL(seen.done == serial);
}

static bool answered(const char *text)
{
	if (!strstr(seen.answer, text))
		printf("# no %s in %s\n", text, seen.answer);
	return strstr(seen.answer, text);
}

static void set_metadata(const char *xml)
{
	virDomainPtr dom = virDomainLookupByName(conn, "test");

	UT_EQ(virDomainSetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, xml, "vhba",
				   "https://vhba.org/xmlns/domain", 0),
	      0);
	virDomainFree(dom);
}

static void test_domains(void)
{
	up();
	UNTIL(seen.orders == 1);
	ask(1, "domain.List", "{}");
	CU_ASSERT_TRUE(answered("\"uuid\":\"" TEST_UUID "\",\"state\":\"running\",\"bound\":false"));
	ask(2, "domain.Bind", "{\"domain\":\"test\"}");
	UT_STREQ(seen.asked, TEST_UUID);
	CU_ASSERT_TRUE(answered("\"bound\":true,\"vm\":\"db1\",\"generation\":3"));
	ask(3, "domain.Show", "{\"domain\":\"" TEST_UUID "\"}");
	CU_ASSERT_TRUE(answered("\"ticket\":{\"format\":\"org.vhba.ticket\""));
	ask(4, "domain.Unbind", "{\"domain\":\"test\"}");
	ask(5, "domain.Show", "{\"domain\":\"test\"}");
	CU_ASSERT_TRUE(answered("\"bound\":false"));
	ask(6, "domain.Show", "{\"domain\":\"nobody\"}");
	CU_ASSERT_TRUE(answered("org.vhba.NotFound"));
	/* What a newer vhba has written is neither used nor changed. */
	set_metadata("<identity version='2' x='1'/>");
	ask(7, "domain.Bind", "{\"domain\":\"test\"}");
	CU_ASSERT_TRUE(answered("org.vhba.NewerVersion"));
	ask(8, "domain.Unbind", "{\"domain\":\"test\"}");
	CU_ASSERT_TRUE(answered("org.vhba.NewerVersion"));
	ask(9, "domain.Show", "{\"domain\":\"test\"}");
	CU_ASSERT_TRUE(answered("written by a newer vhba"));
	set_metadata(NULL);
	down();
}

/* An earlier vhba-virt has died while it moved a domain that had not left yet. */
static void test_cut_off(void)
{
	struct move_note n = {.uuid = TEST_UUID, .uri = "test:///default", .suspended = true};
	virDomainPtr dom = virDomainLookupByName(conn, "test");

	UT_EQ(notes_write(top, &n), 0);
	UT_EQ(virDomainSuspend(dom), 0);
	up();
	UNTIL(notes_read(top, TEST_UUID, &n));
	UT_STREQ(seen.asked, "resume " TEST_UUID);
	UT_EQ(virDomainIsActive(dom), 1);
	UNTIL(TAILQ_EMPTY(&v.mends));
	/* That one has come back, and runs at both: nothing is done. */
	n = (struct move_note){.uuid = TEST_UUID, .uri = "test:///default", .begun = true};
	UT_EQ(notes_write(top, &n), 0);
	seen.asked[0] = '\0';
	mend_add(&v, TEST_UUID);
	UNTIL(!v.jobs->running);
	UT_STREQ(seen.asked, "");
	UT_EQ(notes_read(top, TEST_UUID, &n), 0);
	notes_remove(top, TEST_UUID);
	UNTIL(TAILQ_EMPTY(&v.mends));
	virDomainFree(dom);
	down();
}

/* ---- domains that leave: of a migration libvirt's test driver knows nothing ---- */

static atomic_bool migrating;
static virConnectDomainEventJobCompletedCallback job_completed;
static void *job_user;

/* In the place of libvirt's. */
int virDomainGetJobInfo(virDomainPtr dom, virDomainJobInfoPtr info)
{
	(void)dom;
	*info = (virDomainJobInfo){.type = migrating ? VIR_DOMAIN_JOB_UNBOUNDED : VIR_DOMAIN_JOB_NONE};
	return 0;
}

/* Before libvirt's: who is told of a job's end, is told by the test. */
int virConnectDomainEventRegisterAny(virConnectPtr c, virDomainPtr dom, int event,
				     virConnectDomainEventGenericCallback fn, void *user,
				     virFreeCallback done)
{
	int (*real)(virConnectPtr, virDomainPtr, int, virConnectDomainEventGenericCallback, void *,
		    virFreeCallback);

	*(void **)&real = dlsym(RTLD_NEXT, "virConnectDomainEventRegisterAny");
	if (event == VIR_DOMAIN_EVENT_ID_JOB_COMPLETED) {
		job_completed = (virConnectDomainEventJobCompletedCallback)(void (*)(void))fn;
		job_user = user;
	}
	return real(c, dom, event, fn, user, done);
}

static void complete_job(virDomainPtr dom, int operation)
{
	virTypedParameterPtr params = NULL;
	int n = 0, max = 0;

	UT_EQ(virTypedParamsAddInt(&params, &n, &max, VIR_DOMAIN_JOB_OPERATION, operation), 0);
	job_completed(conn, dom, params, n, job_user);
	virTypedParamsFree(params, n);
}

/* Its names stand beside others that are logged in at the destination, so that these go at the pause. */
static virDomainPtr begin_to_leave(unsigned i)
{
	virDomainPtr dom = virDomainLookupByUUIDString(conn, leaving[i]);
	static const char *const xml = "<domain type='test'><name>web1</name><uuid>%s</uuid>"
				       "<memory>1024</memory><os><type>hvm</type></os></domain>";
	char text[512];

	snprintf(text, sizeof(text), xml, leaving[i]);
	if (!dom)
		dom = virDomainCreateXML(conn, text, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(dom);
	snprintf(text, sizeof(text), "<identity version='1' ticket='1' name='db1' uuid='%s' generation='3'/>",
		 leaving[i]);
	UT_EQ(virDomainSetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, text, "vhba",
				   "https://vhba.org/xmlns/domain", 0),
	      0);
	task_told(&v, leaving[i], FOLLOW_MIGRATES);
	task_told(&v, leaving[i], FOLLOW_LEAVES);
	task_told(&v, leaving[i], FOLLOW_FLUSHED);
	return dom;
}

/*
 * One whose migration does not go on is resumed after some seconds, since QEMU may want to write; one that
 * libvirt has handed over never is, however long its QEMU takes to end.
 */
static void test_handed_over(void)
{
	virDomainPtr dom[LEAVES];
	struct monotime look;

	up();
	seen.shown = "{\"vm\":{\"name\":\"db1\",\"state\":\"attached\",\"vhbas\":[{\"index\":0,\"alternate\":"
		     "\"x\"}]}}";
	UNTIL(v.follow_conn && job_completed);
	migrating = true;
	for (unsigned i = 0; i < LEAVES; i++)
		dom[i] = begin_to_leave(i);
	UNTIL(seen.quiesced[0] && seen.quiesced[1]);
	/* Other jobs end, too. */
	complete_job(dom[0], VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
	complete_job(dom[1], VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN);
	complete_job(dom[1], VIR_DOMAIN_JOB_OPERATION_BACKUP);
	UNTIL(seen.resumed[1]);
	/* It looks every two seconds. */
	look = mono_add(mono_now(), 3 * USEC_PER_SEC);
	UNTIL(mono_reached(look, mono_now()));
	CU_ASSERT_FALSE(seen.resumed[0]);
	migrating = false;
	UNTIL(TAILQ_EMPTY(&v.tasks) && TAILQ_EMPTY(&v.mends) && !v.jobs->running);
	set_metadata(NULL);
	virDomainDestroy(dom[1]);
	for (unsigned i = 0; i < LEAVES; i++)
		virDomainFree(dom[i]);
	down();
}

static CU_TestInfo tests[] = {
	{"handed over", test_handed_over},
	{"cut off", test_cut_off},
	{"domains", test_domains},
	{"life", test_life},
	{"overtaken", test_overtaken},
	{"forgotten", test_forgotten},
	{"adopted", test_adopted},
	{"stopped by hand", test_stopped_by_hand},
	{"others", test_others},
	{"one by hand is served", test_served},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {{"loop", tests, begin, end}, {0}};

	return ut_main(argc, argv, suites);
}

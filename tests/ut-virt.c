/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhba-virt's parts: what is next for a pool, links, XML, and libvirt by its test driver. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "devxml.h"
#include "pool.h"
#include "ut.h"

#define WWPN UINT64_C(0x502ab30000000010)
#define UUID "76686261-706f-6f6c-502a-b30000000010"
#define TARGET "\"target\":\"50:06:01:60:00:00:0a:0"

static struct verror e;

/* ---- orders ---- */

static int read_order(const char *text, struct pool_order *order)
{
	struct json_object *o = json_tokener_parse(text);
	int r = pool_order_read(o, order, &e);

	json_object_put(o);
	return r;
}

#define HEAD                                                                                                 \
	"{\"name\":\"vhba-db1-0\",\"wwpn\":\"50:2a:b3:00:00:00:00:10\",\"serial\":7,\"sync\":2,\"settled\":" \
	"true,"

static void test_order(void)
{
	struct pool_order a, b;

	UT_EQ(read_order(HEAD "\"wanted\":\"running\",\"host\":\"host12\",\"luns\":["
			      "{" TARGET "2\",\"lun\":1,\"designator\":\"naa.1\",\"size\":512},"
			      "{" TARGET "1\",\"lun\":1,\"designator\":\"naa.1\",\"size\":512},"
			      "{" TARGET "1\",\"lun\":0,\"designator\":\"naa.0\",\"size\":1024}]}",
			 &a),
	      0);
	UT_STREQ(a.name, "vhba-db1-0");
	CU_ASSERT_TRUE(a.wwpn == WWPN);
	UT_EQ(a.want, WANT_RUNNING);
	UT_EQ(a.host, 12);
	UT_EQ(a.serial, 7);
	UT_EQ(a.sync, 2);
	/* Each LUN once, by its lowest target. */
	UT_EQ(a.n, 2);
	UT_STREQ(a.links[0], "0x502ab30000000010-0x5006016000000a01-lun-0");
	UT_STREQ(a.links[1], "0x502ab30000000010-0x5006016000000a01-lun-1");
	/* The order in which they come is no difference; a size is one. */
	UT_EQ(read_order(HEAD "\"wanted\":\"running\",\"host\":\"host12\",\"luns\":["
			      "{" TARGET "1\",\"lun\":0,\"designator\":\"naa.0\",\"size\":1024},"
			      "{" TARGET "1\",\"lun\":1,\"designator\":\"naa.1\",\"size\":512},"
			      "{" TARGET "2\",\"lun\":1,\"designator\":\"naa.1\",\"size\":512}]}",
			 &b),
	      0);
	UT_STREQ(a.key, b.key);
	pool_order_clear(&b);
	UT_EQ(read_order(HEAD "\"wanted\":\"running\",\"host\":\"host12\",\"luns\":["
			      "{" TARGET "1\",\"lun\":0,\"designator\":\"naa.0\",\"size\":2048},"
			      "{" TARGET "1\",\"lun\":1,\"designator\":\"naa.1\",\"size\":512}]}",
			 &b),
	      0);
	CU_ASSERT_TRUE(strcmp(a.key, b.key) != 0);
	pool_order_clear(&b);
	pool_order_clear(&a);
}

static void test_bad_orders(void)
{
	static const char *const bad[] = {
		"{}",
		"{\"name\":\"a/b\",\"wwpn\":\"502ab30000000010\",\"wanted\":\"running\",\"luns\":[]}",
		"{\"name\":\"a<b\",\"wwpn\":\"502ab30000000010\",\"wanted\":\"running\",\"luns\":[]}",
		"{\"name\":\"a\",\"wwpn\":\"0\",\"wanted\":\"running\",\"luns\":[]}",
		"{\"name\":\"a\",\"wwpn\":\"502ab30000000010\",\"wanted\":\"gone\",\"luns\":[]}",
		"{\"name\":\"a\",\"wwpn\":\"502ab30000000010\",\"wanted\":\"kept\",\"host\":\"host-1\","
		"\"luns\":[]}",
		"{\"name\":\"a\",\"wwpn\":\"502ab30000000010\",\"wanted\":\"kept\",\"host\":\"x\",\"luns\":[]"
		"}",
		"{\"name\":\"a\",\"wwpn\":\"502ab30000000010\",\"wanted\":\"kept\",\"luns\":[{\"lun\":1}]}",
		"{\"name\":\"a\",\"wwpn\":\"502ab30000000010\",\"wanted\":\"kept\",\"luns\":[7]}",
	};
	struct pool_order o;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		UT_EQ(read_order(bad[i], &o), -EINVAL);
		pool_order_clear(&o);
	}
}

/* ---- what is next ---- */

enum { SAME, OTHER }; /* the adapter's host */

/* Each state that libvirt may have, for each order. */
static void test_next(void)
{
	static const struct {
		enum pool_want want;
		enum lv_state seen;
		int host;
		bool settled, stale;
		enum pool_step step;
	} rows[] = {
		{WANT_ABSENT, LV_UNKNOWN, SAME, true, false, STEP_LOOK},
		{WANT_ABSENT, LV_RUNNING, SAME, true, false, STEP_STOP},
		{WANT_ABSENT, LV_STOPPED, SAME, true, false, STEP_UNDEFINE},
		{WANT_ABSENT, LV_ABSENT, SAME, true, false, STEP_NONE},
		{WANT_STOPPED, LV_RUNNING, SAME, true, true, STEP_STOP},
		{WANT_STOPPED, LV_STOPPED, SAME, true, true, STEP_NONE},
		{WANT_STOPPED, LV_ABSENT, SAME, true, true, STEP_NONE},
		{WANT_KEPT, LV_ABSENT, SAME, true, true, STEP_NONE},
		{WANT_KEPT, LV_STOPPED, SAME, true, true, STEP_NONE},
		{WANT_KEPT, LV_RUNNING, SAME, true, false, STEP_NONE},
		{WANT_KEPT, LV_RUNNING, SAME, true, true, STEP_REFRESH},
		{WANT_KEPT, LV_RUNNING, SAME, false, true, STEP_NONE},
		{WANT_KEPT, LV_RUNNING, OTHER, true, false, STEP_STOP},
		{WANT_RUNNING, LV_UNKNOWN, SAME, true, true, STEP_LOOK},
		{WANT_RUNNING, LV_ABSENT, SAME, true, true, STEP_START},
		{WANT_RUNNING, LV_STOPPED, OTHER, true, true, STEP_START},
		{WANT_RUNNING, LV_RUNNING, SAME, true, false, STEP_NONE},
		{WANT_RUNNING, LV_RUNNING, SAME, true, true, STEP_REFRESH},
		{WANT_RUNNING, LV_RUNNING, SAME, false, true, STEP_NONE},
		{WANT_RUNNING, LV_RUNNING, OTHER, true, false, STEP_STOP},
	};
	char key[] = "host3", other[] = "host3 x";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pool p = {
			.order = {.want = rows[i].want, .host = 3, .settled = rows[i].settled, .key = key},
			.seen = rows[i].seen,
			.seen_host = rows[i].host == SAME ? 3 : 4,
			.key = rows[i].stale ? other : key};

		if (pool_next(&p, mono_now()) != rows[i].step)
			printf("# row %zu\n", i);
		UT_EQ(pool_next(&p, mono_now()), rows[i].step);
		p.step = STEP_LOOK;
		UT_EQ(pool_next(&p, mono_now()), STEP_NONE);
	}
}

static struct pool *running(void)
{
	struct pool *p = calloc(1, sizeof(*p));
	struct pool_order o;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	UT_EQ(read_order(HEAD "\"wanted\":\"running\",\"host\":\"host3\",\"luns\":["
			      "{" TARGET "1\",\"lun\":0,\"designator\":\"naa.0\",\"size\":1024}]}",
			 &o),
	      0);
	pool_take(p, &o);
	return p;
}

static void done(struct pool *p, enum pool_step step, const struct verror *why, enum lv_state seen,
		 int volumes, struct monotime now)
{
	pool_done(p, step, why, seen, 3, volumes, strdup(p->order.key), p->order.sync, now);
}

static void test_started(void)
{
	struct monotime now = {1000000};
	struct pool *p = running();

	UT_STREQ(pool_state_name(p), "unknown");
	done(p, STEP_LOOK, NULL, LV_ABSENT, 0, now);
	p->step = pool_next(p, now);
	UT_EQ(p->step, STEP_START);
	UT_STREQ(pool_state_name(p), "busy");
	done(p, STEP_START, NULL, LV_RUNNING, 1, now);
	UT_STREQ(pool_state_name(p), "running");
	UT_EQ(pool_next(p, now), STEP_NONE);
	UT_STREQ(p->text, "");
	UT_EQ(p->sync, 2);
	p->order.sync++; /* whether anything has changed or not */
	UT_EQ(pool_next(p, now), STEP_REFRESH);
	pool_free(p);
}

/* What fails is tried again, later and later, but at once for a new order. */
static void test_retry(void)
{
	struct monotime now = {1000000};
	struct pool *p = running();
	uint64_t last = 0;

	verror_set(&e, VHBA_E_IO, "no");
	for (int i = 0; i < 8; i++) {
		uint64_t us;

		done(p, STEP_START, &e, LV_STOPPED, 0, now);
		UT_EQ(pool_next(p, now), STEP_NONE);
		us = mono_since(p->retry, now);
		CU_ASSERT_TRUE(us >= last && us <= 30 * USEC_PER_SEC);
		last = us;
		now = p->retry;
		UT_EQ(pool_next(p, now), STEP_START);
	}
	UT_STREQ(p->text, "no");
	done(p, STEP_START, &e, LV_STOPPED, 0, now);
	p->order.want = WANT_ABSENT;
	UT_EQ(pool_next(p, now), STEP_NONE);
	p->order.want = WANT_RUNNING;
	done(p, STEP_START, NULL, LV_RUNNING, 1, p->retry);
	UT_STREQ(p->text, "");
	pool_free(p);
}

/* libvirt may have fewer volumes than there are LUNs: it is never left at that. */
static void test_too_few(void)
{
	struct monotime now = {1000000};
	struct pool *p = running();

	done(p, STEP_START, NULL, LV_RUNNING, 0, now);
	UT_STREQ(p->text, "libvirt lists 0 of 1 volumes");
	UT_EQ(pool_next(p, now), STEP_NONE);
	UT_EQ(pool_next(p, p->retry), STEP_REFRESH);
	done(p, STEP_REFRESH, NULL, LV_RUNNING, 1, p->retry);
	UT_STREQ(p->text, "");
	UT_EQ(pool_next(p, p->retry), STEP_NONE);
	/* Looked at after libvirt was away. */
	snprintf(p->text, sizeof(p->text), "libvirt is away");
	done(p, STEP_LOOK, NULL, LV_RUNNING, 1, p->retry);
	UT_STREQ(p->text, "");
	UT_EQ(pool_next(p, p->retry), STEP_NONE);
	done(p, STEP_LOOK, NULL, LV_RUNNING, 0, p->retry);
	UT_EQ(pool_next(p, p->retry), STEP_REFRESH);
	pool_free(p);
}

/* One by hand on its vport is refreshed in its place, as its own would be, and nothing else is done to it. */
static void test_beside(void)
{
	struct monotime now = {1000000};
	struct pool *p = running();

	done(p, STEP_LOOK, NULL, LV_ABSENT, 0, now);
	UT_EQ(pool_next(p, now), STEP_START);
	verror_set(&e, VHBA_E_IO, "a pool can't be defined");
	done(p, STEP_START, &e, LV_ABSENT, 0, now);
	UT_EQ(pool_next(p, now), STEP_NONE);
	pool_beside(p, "0-1");
	UT_EQ(pool_next(p, now), STEP_SERVE);
	done(p, STEP_SERVE, &e, LV_ABSENT, 0, now);
	UT_EQ(pool_next(p, now), STEP_NONE);
	UT_EQ(pool_next(p, p->retry), STEP_SERVE);
	done(p, STEP_SERVE, NULL, LV_ABSENT, 0, p->retry);
	CU_ASSERT_PTR_NOT_NULL(strstr(p->text, "defined by hand"));
	pool_beside(p, "0-1");
	UT_EQ(pool_next(p, p->retry), STEP_NONE);
	UT_EQ(p->sync, p->order.sync);
	p->order.sync++;
	UT_EQ(pool_next(p, p->retry), STEP_SERVE);
	p->order.settled = false; /* who refreshes it now would wait */
	UT_EQ(pool_next(p, p->retry), STEP_NONE);
	p->order.settled = true;
	p->order.want = WANT_KEPT;
	UT_EQ(pool_next(p, p->retry), STEP_SERVE);
	p->order.want = WANT_STOPPED;
	UT_EQ(pool_next(p, p->retry), STEP_NONE);
	p->order.want = WANT_ABSENT;
	UT_EQ(pool_next(p, p->retry), STEP_NONE);
	p->order.want = WANT_RUNNING;
	pool_beside(p, NULL); /* its owner has stopped it */
	UT_EQ(pool_next(p, p->retry), STEP_START);
	pool_free(p);
}

/* ---- links ---- */

static void test_links(void)
{
	char top[96], dir[128], path[256], to[256];
	char names[2][LINK_NAME] = {"0x1-0x2-lun-0", "0x1-0x2-lun-1"};

	snprintf(dir, sizeof(dir), "%s/a/b", ut_tmpdir(top, sizeof(top)));
	UT_EQ(links_make(dir, "/by", names, 2, &e), 0);
	snprintf(path, sizeof(path), "%s/%s", dir, names[1]);
	memset(to, 0, sizeof(to));
	CU_ASSERT_TRUE(readlink(path, to, sizeof(to) - 1) > 0);
	UT_STREQ(to, "/by/0x1-0x2-lun-1");
	CU_ASSERT_PTR_EQUAL(links_missing(dir, names, 2), names[0]);
	/* One that leads elsewhere is put right, one that is not wanted goes. */
	CU_ASSERT_EQUAL_FATAL(unlink(path), 0);
	CU_ASSERT_EQUAL_FATAL(symlink("/dev/null", path), 0);
	UT_EQ(links_make(dir, "/by", names + 1, 1, &e), 0);
	memset(to, 0, sizeof(to));
	CU_ASSERT_TRUE(readlink(path, to, sizeof(to) - 1) > 0);
	UT_STREQ(to, "/by/0x1-0x2-lun-1");
	snprintf(path, sizeof(path), "%s/%s", dir, names[0]);
	CU_ASSERT_TRUE(readlink(path, to, sizeof(to)) < 0);
	CU_ASSERT_PTR_NULL(links_missing(dir, names, 0));
	links_remove(dir);
	CU_ASSERT_TRUE(access(dir, F_OK) != 0);
	links_remove(dir);
	/* A folder that is a link is somebody else's. */
	CU_ASSERT_EQUAL_FATAL(symlink("/tmp", dir), 0);
	CU_ASSERT_TRUE(links_make(dir, "/by", names, 2, &e) < 0);
}

/* ---- XML ---- */

static void test_mark(void)
{
	char uuid[POOL_UUID];
	uint64_t wwpn = 0;

	UT_STREQ(poolxml_uuid(WWPN, uuid), UUID);
	CU_ASSERT_TRUE(poolxml_is_own(uuid, &wwpn));
	CU_ASSERT_TRUE(wwpn == WWPN);
	CU_ASSERT_FALSE(poolxml_is_own("6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01", &wwpn));
	CU_ASSERT_FALSE(poolxml_is_own("76686261-706f-6f6c-0000-000000000000", &wwpn));
	CU_ASSERT_FALSE(poolxml_is_own("", &wwpn));
}

#define POOL(adapter) "<pool type='scsi'><name>x</name><source>" adapter "</source></pool>"

static void test_read(void)
{
	static const struct {
		const char *xml;
		bool good;
		int host;
		uint64_t wwpn;
		enum poolxml_managed managed;
	} rows[] = {
		{POOL("<adapter type='scsi_host' name='scsi_host7'/>"), true, 7, 0, MANAGED_UNSET},
		{POOL("<adapter name='host7'/>"), true, 7, 0, MANAGED_UNSET},
		{POOL("<adapter type='fc_host' wwpn='502ab30000000010'/>"), true, -1, WWPN, MANAGED_UNSET},
		{POOL("<adapter type='fc_host' managed='yes' wwpn='502ab30000000010'/>"), true, -1, WWPN,
		 MANAGED_YES},
		{POOL("<adapter type='fc_host' managed='no' wwpn='502ab30000000010'/>"), true, -1, WWPN,
		 MANAGED_NO},
		{POOL("<adapter type='fc_host' wwpn='x'/>"), false, -1, 0, MANAGED_UNSET},
		{POOL("<adapter type='fc_host'/>"), false, -1, 0, MANAGED_UNSET},
		{POOL("<adapter type='other'/>"), false, -1, 0, MANAGED_UNSET},
		{POOL(""), false, -1, 0, MANAGED_UNSET},
		{"<pool type='dir'/>", false, -1, 0, MANAGED_UNSET},
		{"<domain><source><adapter name='host7'/></source></domain>", false, -1, 0, MANAGED_UNSET},
		{"<pool", false, -1, 0, MANAGED_UNSET},
		{"", false, -1, 0, MANAGED_UNSET},
	};
	struct poolxml_adapter a;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		UT_EQ(poolxml_read(rows[i].xml, &a), rows[i].good);
		if (!rows[i].good)
			continue;
		UT_EQ(a.host, rows[i].host);
		CU_ASSERT_TRUE(a.wwpn == rows[i].wwpn);
		UT_EQ(a.managed, rows[i].managed);
	}
}

static void test_warning(void)
{
	char text[400];

	CU_ASSERT_PTR_NOT_NULL(
		strstr(poolxml_warning(MANAGED_YES, false, text, sizeof(text)), "deletes the vport"));
	CU_ASSERT_PTR_NULL(strstr(text, "autostart"));
	CU_ASSERT_PTR_NOT_NULL(strstr(poolxml_warning(MANAGED_NO, true, text, sizeof(text)), "autostart"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(poolxml_warning(MANAGED_UNSET, true, text, sizeof(text)), "managed='yes'"));
}

/* ---- libvirt's own test driver, which takes our XML as the real one does ---- */

static virConnectPtr conn;

static int open_test(void)
{
	static bool begun;

	if (!begun && lv_init(&e))
		return 1;
	begun = true;
	return lv_open("test:///default", &conn, &e) ? 1 : 0;
}

static int close_test(void)
{
	virConnectClose(conn);
	return 0;
}

static void test_life(void)
{
	struct lv_pool p;
	char xml[512];
	int volumes;

	UT_EQ(lv_look(conn, WWPN, &p, &volumes, &e), 0);
	UT_EQ(p.state, LV_ABSENT);
	UT_EQ(lv_stop(conn, WWPN, &e), 0);
	UT_EQ(lv_refresh(conn, WWPN, &e), 0);
	UT_EQ(lv_undefine(conn, WWPN, &e), 0);
	poolxml_write("vhba-db1-0", WWPN, 12, "/dev/vhba/x", xml, sizeof(xml));
	UT_EQ(lv_start(conn, WWPN, xml, &e), 0);
	UT_EQ(lv_look(conn, WWPN, &p, &volumes, &e), 0);
	UT_EQ(p.state, LV_RUNNING);
	UT_EQ(p.adapter.host, 12);
	UT_STREQ(p.name, "vhba-db1-0");
	UT_STREQ(p.uuid, UUID);
	UT_EQ(lv_refresh(conn, WWPN, &e), 0);
	CU_ASSERT_TRUE(lv_start(conn, WWPN, xml, &e) < 0); /* it runs */
	UT_EQ(lv_stop(conn, WWPN, &e), 0);
	UT_EQ(lv_look(conn, WWPN, &p, &volumes, &e), 0);
	UT_EQ(p.state, LV_STOPPED);
	/* Found with another host's adapter: it is defined anew. */
	poolxml_write("vhba-db1-0", WWPN, 13, "/dev/vhba/x", xml, sizeof(xml));
	UT_EQ(lv_start(conn, WWPN, xml, &e), 0);
	UT_EQ(lv_look(conn, WWPN, &p, &volumes, &e), 0);
	UT_EQ(p.adapter.host, 13);
	UT_EQ(lv_stop(conn, WWPN, &e), 0);
	UT_EQ(lv_undefine(conn, WWPN, &e), 0);
	UT_EQ(lv_look(conn, WWPN, &p, &volumes, &e), 0);
	UT_EQ(p.state, LV_ABSENT);
}

static void test_list(void)
{
	static const char other[] =
		"<pool type='scsi'><name>byhand</name><source><adapter type='fc_host' managed='yes' "
		"wwnn='20000a1b2c000001' wwpn='502ab30000000010'/></source>"
		"<target><path>/dev/disk/by-path</path></target></pool>";
	virStoragePoolPtr by_hand = virStoragePoolDefineXML(conn, other, 0);
	struct lv_pool *list;
	unsigned n, own = 0, others = 0;
	uint64_t wwpn;
	char xml[512];

	CU_ASSERT_PTR_NOT_NULL_FATAL(by_hand);
	poolxml_write("vhba-db1-1", WWPN + 1, 12, "/dev/vhba/x", xml, sizeof(xml));
	UT_EQ(lv_start(conn, WWPN + 1, xml, &e), 0);
	UT_EQ(lv_list(conn, &list, &n, &e), 0);
	for (unsigned i = 0; i < n; i++) {
		if (poolxml_is_own(list[i].uuid, &wwpn)) {
			own++;
			CU_ASSERT_TRUE(wwpn == WWPN + 1);
			UT_EQ(list[i].state, LV_RUNNING);
		} else if (list[i].adapter.wwpn) {
			others++;
			UT_STREQ(list[i].name, "byhand");
			CU_ASSERT_TRUE(list[i].adapter.wwpn == WWPN);
			UT_EQ(list[i].adapter.managed, MANAGED_YES);
			UT_EQ(list[i].state, LV_STOPPED);
		}
	}
	UT_EQ(own, 1);
	UT_EQ(others, 1);
	free(list);
	virStoragePoolUndefine(by_hand);
	virStoragePoolFree(by_hand);
}

static void test_refused(void)
{
	virConnectPtr none;

	CU_ASSERT_TRUE(lv_open("nonsense:///", &none, &e) < 0);
	CU_ASSERT_PTR_NULL(none);
	UT_STREQ(e.what, "libvirt does not answer");
	CU_ASSERT_TRUE(e.seen[0] != '\0');
	CU_ASSERT_TRUE(lv_start(conn, WWPN, "<pool", &e) < 0);
	UT_STREQ(e.what, "a pool can't be defined");
}

static CU_TestInfo pools[] = {
	{"orders", test_order},
	{"malformed orders", test_bad_orders},
	{"what is next", test_next},
	{"started", test_started},
	{"tried again", test_retry},
	{"too few volumes", test_too_few},
	{"one by hand beside it", test_beside},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo files[] = {
	{"links", test_links},	    {"the mark", test_mark}, {"adapters", test_read},
	{"warnings", test_warning}, CU_TEST_INFO_NULL,
};

/* ---- devices ---- */

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void has(const char *text, const char *what, unsigned times)
{
	if (count(text, what) != times)
		printf("# %u of %s, not %u, in:\n%s\n", count(text, what), what, times, text);
	UT_EQ(count(text, what), times);
}

static const char domain[] =
	"<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>db1</name>"
	"<memory unit='KiB'>262152</memory><devices><disk type='file' device='disk'><source "
	"file='/root.img'/>"
	"<target dev='vda' bus='virtio'/></disk></devices>"
	"<qemu:commandline><qemu:arg value='-name'/><qemu:arg value='x'/></qemu:commandline></domain>";

/* Put in one after the other, each takes the place of the one before; twice the same is once. */
static void test_devices(void)
{
	struct devxml_lun luns[2] = {
		{.number = 0, .path = "/run/vhba/io/db1/blk-0.sock"},
		{.number = 27, .path = "/a&b", .host = 7, .channel = 0, .target = 2, .lun = 5}};
	struct devxml d = {.via = VIA_SCSI, .socket = "/run/vhba/io/db1/scsi.sock", .luns = luns, .n = 2};
	AUTO_FREE char *scsi = devxml_apply(&d, domain, &e), *again = devxml_apply(&d, scsi, &e), *blk, *lun,
		       *host;

	has(again, "id=vhba-io,path=/run/vhba/io/db1/scsi.sock", 1);
	has(again, "vhost-user-scsi-pci", 1);
	has(again, "<qemu:arg ", 6);
	has(again, "<access mode=\"shared\"/>", 1);
	has(again, "<source type=\"memfd\"/>", 1);
	d.via = VIA_BLK;
	blk = devxml_apply(&d, again, &e);
	has(blk, "<qemu:arg ", 2);
	has(blk, "type=\"vhostuser\"", 2);
	has(blk, "path=\"/run/vhba/io/db1/blk-0.sock\"", 1);
	has(blk, "path=\"/a&amp;b\"", 1);
	has(blk, "<target dev=\"vdaa\" bus=\"virtio\"/>", 1);
	has(blk, "<target dev=\"vdbb\" bus=\"virtio\"/>", 1);
	has(blk, "<alias name=\"ua-vhba-27\"/>", 1);
	d.via = VIA_LUN;
	lun = devxml_apply(&d, blk, &e);
	has(lun, "type=\"vhostuser\"", 0);
	has(lun, "device=\"lun\"", 2);
	has(lun, "<reservations managed=\"yes\"/>", 2);
	has(lun, "model=\"virtio-scsi\"", 1);
	has(lun, "/root.img", 1);
	d.via = VIA_HOSTDEV;
	host = devxml_apply(&d, lun, &e);
	has(host, "device=\"lun\"", 0);
	has(host, "model=\"virtio-scsi\"", 1);
	has(host, "<adapter name=\"scsi_host7\"/>", 1);
	has(host, "<address bus=\"0\" target=\"2\" unit=\"5\"/>", 1);
	has(host, "/root.img", 1);
	CU_ASSERT_PTR_NULL(devxml_apply(&d, "<domain", &e));
}

/* What is printed is all that a domain needs of it. */
static void test_printed(void)
{
	struct devxml d = {.via = VIA_SCSI, .socket = "/s"};
	AUTO_FREE char *text = devxml_print(&d);

	has(text, "xmlns:qemu=", 1);
	has(text, "<qemu:arg value=\"socket,id=vhba-io,path=/s\"/>", 1);
	has(text, "<access mode=\"shared\"/>", 1);
	UT_EQ(devxml_by_name("vhost-user-blk"), VIA_BLK);
	UT_EQ(devxml_by_name("sata"), VIA_COUNT_);
}

static CU_TestInfo devices[] = {
	{"one takes the other's place", test_devices},
	{"printed", test_printed},
	CU_TEST_INFO_NULL,
};

static CU_TestInfo libvirt[] = {
	{"the life of a pool", test_life},
	{"all pools", test_list},
	{"refused", test_refused},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static const struct ut_suite suites[] = {
		{"pool", pools, NULL, NULL},
		{"files", files, NULL, NULL},
		{"devices", devices, NULL, NULL},
		{"libvirt", libvirt, open_test, close_test},
		{0},
	};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The results that are kept: how many, in which order, whose, and until when. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>

#include "cleanup.h"
#include "daemon.h"
#include "history.h"
#include "ut.h"

#define DB1 "00000000-0000-4000-8000-0000000000d1"
#define DB2 "00000000-0000-4000-8000-0000000000d2"

static struct daemon d;
static struct config cfg;
static char dir[96];

static void up(void)
{
	memset(&d, 0, sizeof(d));
	memset(&cfg, 0, sizeof(cfg));
	ut_tmpdir(dir, sizeof(dir));
	cfg.run_dir = dir;
	d.cfg = &cfg;
	CU_ASSERT_FATAL(sd_event_new(&d.loop) >= 0);
	works_init(&d.works, d.loop);
	UT_EQ(history_open(&d), 0);
}

static void down(void)
{
	history_close(&d);
	works_clear(&d.works);
	sd_event_unref(d.loop);
}

static void add(const char *uuid, uint64_t id)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "operation", json_object_new_string("quiesce"));
	json_object_object_add(o, "start_us", json_object_new_uint64(100 * id));
	json_object_object_add(o, "elapsed_us", json_object_new_uint64(10));
	history_add(&d, uuid, id, o);
	json_object_put(o);
}

/* The numbers of what is kept, as "3 4 ". */
static const char *kept(const char *uuid)
{
	struct json_object *all = history_get(&d, uuid);
	static char text[200];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *start = json_object_object_get(json_object_array_get_idx(all, i),
								   "start_us");

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%llu ",
					(unsigned long long)json_object_get_uint64(start) / 100);
	}
	json_object_put(all);
	return text;
}

/* Its number, as kept() has it: of the record that comes with it. */
static uint64_t find(const char *uuid, const char *operation, uint64_t at_us)
{
	struct json_object *o;
	uint64_t id = history_find(&d, uuid, operation, at_us, &o);

	UT_EQ(id, o ? json_object_get_uint64(json_object_object_get(o, "start_us")) / 100 : 0);
	json_object_put(o);
	return id;
}

static void test_newest(void)
{
	up();
	for (uint64_t id = 1; id <= HISTORY_KEEP + 3; id++) {
		add(DB1, id);
		if (id % 4 == 0)
			add(DB2, id);
	}
	CU_ASSERT_STRING_EQUAL(kept(DB1), "4 5 6 7 8 9 10 11 ");
	CU_ASSERT_STRING_EQUAL(kept(DB2), "4 8 ");
	UT_EQ(find(DB1, "quiesce", 505), 5);
	UT_EQ(find(DB1, "quiesce", 555), 0);
	UT_EQ(find(DB1, "release", 505), 0);
	UT_EQ(find(DB2, "quiesce", 505), 0);
	down();
}

/* What a daemon before this one has written is there, and the turns of the loop write what waits. */
static void test_successor(void)
{
	char path[200];
	struct stat st;

	up();
	add(DB1, 1);
	history_close(&d);
	UT_EQ(history_open(&d), 0);
	CU_ASSERT_STRING_EQUAL(kept(DB1), "1 ");
	add(DB1, 2);
	snprintf(path, sizeof(path), "%s/log/%s/2.json", cfg.run_dir, DB1);
	CU_ASSERT(stat(path, &st) < 0);
	while (sd_event_run(d.loop, 0) > 0)
		;
	UT_EQ(stat(path, &st), 0);
	down();
}

static void test_forget(void)
{
	char path[200];
	struct stat st;

	up();
	add(DB1, 1);
	add(DB2, 2);
	add(DB1, 3); /* and not written yet */
	history_forget(&d, DB1);
	CU_ASSERT_STRING_EQUAL(kept(DB1), "");
	CU_ASSERT_STRING_EQUAL(kept(DB2), "2 ");
	snprintf(path, sizeof(path), "%s/log/%s", cfg.run_dir, DB1);
	CU_ASSERT(stat(path, &st) < 0);
	down();
}

static CU_TestInfo tests[] = {
	{"the newest, in order", test_newest},
	{"a successor goes on", test_successor},
	{"a VM that is removed", test_forget},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	static struct ut_suite suites[] = {{"history", tests, NULL, NULL}, {0}};

	return ut_main(argc, argv, suites);
}

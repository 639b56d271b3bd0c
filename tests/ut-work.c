/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work in slices: in its order, once, and with a turn for others in between. */
#include "daemon.h"
#include "ut.h"
#include "work.h"

#define WORKS 12

struct item {
	struct work work;
	int number;
	bool again;
};

static sd_event *loop;
static struct works works;
static struct item item[WORKS];
static int done[2 * WORKS], done_n, turns;

static void do_item(struct work *w)
{
	struct item *i = (struct item *)w;

	done[done_n++] = i->number;
	if (i->again) {
		i->again = false;
		work_queue(&works, w);
	}
}

/* As long as a whole slice. */
static void do_slowly(struct work *w)
{
	struct monotime end = mono_add(mono_now(), WORK_SLICE_US);

	while (!mono_reached(end, mono_now()))
		;
	do_item(w);
}

static int on_turn(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	(void)user;
	turns++;
	return 0;
}

static void begin(void (*fn)(struct work *w))
{
	UT_EQ(sd_event_new(&loop), 0);
	works_init(&works, loop);
	done_n = turns = 0;
	for (int i = 0; i < WORKS; i++)
		item[i] = (struct item){.work.fn = fn, .number = i};
}

static void end(void)
{
	works_clear(&works);
	sd_event_unref(loop);
}

static void run(void)
{
	while (sd_event_run(loop, 0) > 0)
		;
}

static void test_order(void)
{
	begin(do_item);
	item[1].again = true;
	for (int i = 0; i < 4; i++)
		work_queue(&works, &item[i].work);
	work_queue(&works, &item[0].work); /* is queued already */
	work_cancel(&works, &item[2].work);
	work_cancel(&works, &item[5].work); /* is not */
	run();
	UT_EQ(done_n, 4);
	for (int i = 0; i < 4; i++)
		UT_EQ(done[i], ((int[]){0, 1, 3, 1})[i]);
	work_queue(&works, &item[2].work);
	run();
	UT_EQ(done[4], 2);
	end();
}

static void test_slices(void)
{
	sd_event_source *other;

	begin(do_slowly);
	/* It is always due. */
	UT_EQ(sd_event_add_time(loop, &other, CLOCK_MONOTONIC, 0, 1, on_turn, NULL), 0);
	sd_event_source_set_enabled(other, SD_EVENT_ON);
	for (int i = 0; i < WORKS; i++)
		work_queue(&works, &item[i].work);
	for (int i = 0; i < 10 * WORKS && done_n < WORKS; i++)
		sd_event_run(loop, 0);
	UT_EQ(done_n, WORKS);
	CU_ASSERT_TRUE(turns >= WORKS / 2 - 1);
	sd_event_source_unref(other);
	end();
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	*(int *)user = done_n;
	turns++;
	return 0;
}

/* However much there is to do, what is promised by a time that has come is done first. */
static void test_deadlines(void)
{
	struct daemon d = {0};
	sd_event_source *source[WORKS] = {0};
	int after[WORKS];

	begin(do_slowly);
	d.loop = loop;
	for (int i = 0; i < WORKS; i++)
		work_queue(&works, &item[i].work);
	for (int i = 0; i < WORKS; i++)
		daemon_deadline(&d, &source[i], mono_now(), on_deadline, &after[i]);
	run();
	UT_EQ(turns, WORKS);
	UT_EQ(done_n, WORKS);
	for (int i = 0; i < WORKS; i++) {
		CU_ASSERT_TRUE(after[i] <= 1);
		sd_event_source_unref(source[i]);
	}
	end();
}

static CU_TestInfo tests[] = {
	{"order", test_order},
	{"others have their turn", test_slices},
	{"a deadline goes first", test_deadlines},
	CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
	return ut_main(argc, argv, (struct ut_suite[]){{"work", tests}, {0}});
}

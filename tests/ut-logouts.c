/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns of vport_disable: how many at once, who is next, and what ends a turn. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "logouts.h"
#include "ut.h"

#define MS USEC_PER_MSEC

static struct logouts l;
static struct monotime now;
static const struct fc_profile *libfc, *lpfc;

static void begin(void)
{
	logouts_init(&l);
	now = (struct monotime){1000 * USEC_PER_SEC};
	libfc = fc_profile_find("fcoe");
	lpfc = fc_profile_find("lpfc");
	CU_ASSERT(libfc->logouts > 1);
	UT_EQ(lpfc->logouts, 0);
}

static struct logout_id vm(unsigned n)
{
	struct logout_id id = {.vhba = 1};

	snprintf(id.uuid, sizeof(id.uuid), "%08x-0000-4000-b000-000000000000", n);
	return id;
}

static bool ask(unsigned n, uint64_t by_ms)
{
	struct monotime by = by_ms ? mono_add(now, by_ms * MS) : MONOTIME_NEVER;

	return logouts_ask(&l, &(struct logout_id[]){vm(n)}[0], libfc, by, now, NULL);
}

static void end(unsigned n)
{
	logouts_end(&l, &(struct logout_id[]){vm(n)}[0]);
}

/* UINT_MAX: nobody's turn. */
static unsigned next(void)
{
	struct logout_id id;
	unsigned n;

	return logouts_next(&l, now, &id) && sscanf(id.uuid, "%8x", &n) == 1 ? n : UINT32_MAX;
}

/* As many as are of use have their turns: numbers 0, 1, ... */
static void fill(void)
{
	for (unsigned i = 0; i < libfc->logouts; i++)
		UT_EQ(ask(i, 0), true);
}

static void test_room(void)
{
	unsigned before = 0;

	begin();
	fill();
	UT_EQ(ask(0, 0), true); /* asked again, it is still its turn */
	UT_EQ(ask(100, 0), false);
	UT_EQ(ask(101, 0), false);
	UT_EQ(logouts_ask(&l, &(struct logout_id[]){vm(101)}[0], libfc, MONOTIME_NEVER, now, &before), false);
	UT_EQ(before, libfc->logouts + 1);
	UT_EQ(next(), UINT32_MAX);
	end(1);
	UT_EQ(next(), 100);
	UT_EQ(next(), UINT32_MAX);
	UT_EQ(ask(100, 0), true);
	/* The other vhba of the same VM has a turn of its own, another family no turns. */
	UT_EQ(logouts_ask(&l, &(struct logout_id){.uuid = "00000000-0000-4000-b000-000000000000"}, libfc,
			  MONOTIME_NEVER, now, NULL),
	      false);
	UT_EQ(logouts_ask(&l, &(struct logout_id[]){vm(200)}[0], lpfc, MONOTIME_NEVER, now, NULL), true);
	logouts_clear(&l);
}

/* Whose deadline comes first, then who came first; who has none last. */
static void test_order(void)
{
	begin();
	fill();
	UT_EQ(ask(100, 0), false);
	UT_EQ(ask(101, 2000), false);
	UT_EQ(ask(102, 2000), false);
	UT_EQ(ask(103, 500), false);
	UT_EQ(ask(104, 0), false);
	UT_EQ(ask(104, 1000), false); /* somebody waits for it now */
	for (unsigned i = 0; i < libfc->logouts; i++)
		end(i);
	UT_EQ(next(), 103);
	end(103);
	UT_EQ(next(), 104);
	end(104);
	UT_EQ(next(), 101);
	end(102); /* it waits no more */
	UT_EQ(next(), 100);
	UT_EQ(next(), UINT32_MAX);
	UT_EQ(logouts_due(&l).us, MONOTIME_NEVER.us); /* nobody waits */
	logouts_clear(&l);
}

/* One that hangs in the kernel keeps nobody waiting for longer than its turn. */
static void test_hung(void)
{
	struct monotime due;

	begin();
	fill();
	UT_EQ(logouts_due(&l).us, MONOTIME_NEVER.us);
	UT_EQ(ask(100, 0), false);
	due = logouts_due(&l);
	UT_EQ(mono_since(due, now), 2 * fc_bound_us(&libfc->usual, FC_R_A_TOV_US, 1));
	now = (struct monotime){due.us - 1};
	UT_EQ(next(), UINT32_MAX);
	now = due;
	UT_EQ(next(), 100);
	UT_EQ(next(), UINT32_MAX);
	end(0); /* whose turn is over: its end is no news */
	UT_EQ(ask(101, 0), true);
	/* A turn that was given runs from then on, taken or not. */
	now = mono_add(due, 2 * fc_bound_us(&libfc->usual, FC_R_A_TOV_US, 1));
	for (unsigned i = 200; i < 200 + libfc->logouts; i++)
		UT_EQ(ask(i, 0), true);
	UT_EQ(ask(300, 0), false);
	logouts_clear(&l);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"as many at once as are of use", test_room},
		{"who is next", test_order},
		{"one that hangs", test_hung},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"logouts", tests, NULL, NULL}, {0}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The login of a vport that is resumed: when it is taken for one that stands still. */
#include <string.h>

#include "login.h"
#include "ut.h"

#define S USEC_PER_SEC

static struct login_watch w;
static struct login_seen seen;
static struct monotime now;

/* A resume of a vport with one target, whose LUNs are blocked. */
static void begin(void)
{
	w = (struct login_watch){0};
	now = (struct monotime){1000 * S};
	seen = (struct login_seen){.parent = true, .sticks = true, .blocked = 1};
	UT_EQ(login_begins(&w, &seen, now), false);
}

/* us later it is looked at again. */
static enum login_next later(uint64_t us)
{
	now = mono_add(now, us);
	return login_look(&w, &seen, now);
}

/* Looks every 100 ms for so long at most: how long until something is to be done. */
static uint64_t until(enum login_next what, uint64_t most)
{
	uint64_t us = 0;

	while (us < most) {
		us += S / 10;
		if (later(S / 10) == what)
			return us;
	}
	return UINT64_MAX;
}

static void test_fabric(void)
{
	begin();
	UT_EQ(until(LOGIN_ANEW, 60 * S), LOGIN_US);
	UT_EQ(login_begins(&w, &seen, now), true);
	UT_EQ(until(LOGIN_ANEW, 60 * S), 2 * LOGIN_US);
	UT_EQ(login_begins(&w, &seen, now), true);
	/* Another resume begins from the start. */
	UT_EQ(login_begins(&w, &seen, now), false);
	UT_EQ(until(LOGIN_ANEW, 60 * S), LOGIN_US);
	/* A parent that is not Online is waited for. */
	begin();
	seen.parent = false;
	UT_EQ(until(LOGIN_ANEW, 60 * S), UINT64_MAX);
	seen.parent = true;
	UT_EQ(until(LOGIN_ANEW, 60 * S), LOGIN_US);
	/* Some drivers do it by themselves. */
	begin();
	seen.sticks = false;
	UT_EQ(until(LOGIN_ANEW, 60 * S), UINT64_MAX);
}

/* What comes is waited for; what had been there already, before it was begun anew, says nothing. */
static void test_progress(void)
{
	begin();
	UT_EQ(later(9 * S), LOGIN_WAIT);
	seen.port = true;
	UT_EQ(later(9 * S), LOGIN_WAIT);
	UT_EQ(later(9 * S), LOGIN_WAIT);
	UT_EQ(later(2 * S), LOGIN_ANEW);
	login_begins(&w, &seen, now);
	seen.port = false;
	UT_EQ(later(S), LOGIN_WAIT);
	seen.port = true;
	UT_EQ(until(LOGIN_ANEW, 60 * S), 19 * S);
	login_begins(&w, &seen, now);
	seen.blocked = 0;
	seen.online = 1;
	UT_EQ(later(30 * S), LOGIN_WAIT);
	UT_EQ(until(LOGIN_ANEW, 60 * S), LOGIN_US);
}

/* dev_loss_tmo ends in the middle of the login: its request to the target has most likely gone with it. */
static void test_lost(void)
{
	begin();
	seen.port = true;
	UT_EQ(later(5 * S), LOGIN_WAIT);
	seen.blocked = 0;
	seen.away = 1;
	UT_EQ(later(S / 10), LOGIN_WAIT);
	UT_EQ(until(LOGIN_ANEW, 60 * S), LOGIN_LOST_US);
	UT_EQ(login_begins(&w, &seen, now), true);
	/* If it does not help, that was not the reason. */
	UT_EQ(until(LOGIN_ANEW, 60 * S), 2 * LOGIN_LOST_US);
	/* Beside many others it is looked at late. */
	begin();
	seen.port = true;
	seen.blocked = 0;
	seen.away = 1;
	UT_EQ(later(5 * S), LOGIN_WAIT);
	UT_EQ(until(LOGIN_ANEW, 60 * S), LOGIN_LOST_US);
	/* If the login goes on by itself it has its time. */
	begin();
	seen.port = true;
	UT_EQ(later(S), LOGIN_WAIT);
	seen.blocked = 0;
	seen.away = 1;
	UT_EQ(later(S), LOGIN_WAIT);
	seen.away = 0;
	seen.online = 1;
	UT_EQ(later(S), LOGIN_WAIT);
	UT_EQ(until(LOGIN_ANEW, 60 * S), LOGIN_US);
	/* One that had gone before has lost nothing. */
	begin();
	seen.blocked = 0;
	seen.away = 1;
	UT_EQ(login_begins(&w, &seen, now), false);
	UT_EQ(later(S), LOGIN_WAIT);
	seen.port = true;
	UT_EQ(later(S), LOGIN_WAIT);
	UT_EQ(until(LOGIN_ANEW, 60 * S), LOGIN_US);
}

static void test_scan(void)
{
	begin();
	seen.port = true;
	UT_EQ(until(LOGIN_SCAN, 9 * S), UINT64_MAX); /* its target is not there */
	begin();
	seen.port = true;
	seen.blocked = 0;
	seen.online = 1;
	UT_EQ(later(S), LOGIN_WAIT);
	UT_EQ(until(LOGIN_SCAN, 60 * S), LOGIN_SCAN_US);
	UT_EQ(until(LOGIN_SCAN, 7 * S), UINT64_MAX); /* once */
	seen.usable = 1;
	UT_EQ(later(S), LOGIN_WAIT);
	UT_EQ(until(LOGIN_SCAN, 60 * S), LOGIN_SCAN_US); /* there are more to come */
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"a login to the fabric that stands still", test_fabric},
		{"what has come since", test_progress},
		{"a target that goes during the login", test_lost},
		{"LUNs that are not there", test_scan},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"login", tests, NULL, NULL}, {0}};

	return ut_main(argc, argv, suites);
}

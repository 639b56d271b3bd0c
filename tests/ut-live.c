/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done with a VM that moves while its guest runs: the rule alone, and a life by it. */
#include <string.h>

#include "cleanup.h"
#include "live.h"
#include "ut.h"

static enum live_action rule(struct live_seen s)
{
	s.known = true;
	return live_rule(&s);
}

static void test_nothing_known(void)
{
	UT_EQ(live_rule(&(struct live_seen){.vhbas = true, .log = true, .state = VM_ATTACHED}), LIVE_REST);
	UT_EQ(live_rule(&(struct live_seen){.vhbas = true, .arrives = true, .rings = true}), LIVE_REST);
	UT_EQ(rule((struct live_seen){.vhbas = true, .rings = true, .state = VM_ATTACHED}), LIVE_REST);
}

static void test_leave(void)
{
	const struct live_seen stopped = {.vhbas = true, .log = true, .state = VM_ATTACHED};
	struct live_seen s = stopped;

	UT_EQ(rule(s), LIVE_LEAVE);
	s.rings = true; /* memory is being sent */
	UT_EQ(rule(s), LIVE_REST);
	s = stopped;
	s.log = false; /* virsh suspend, a reset */
	UT_EQ(rule(s), LIVE_REST);
	s = stopped;
	s.lost = true; /* QEMU has died */
	UT_EQ(rule(s), LIVE_REST);
	s = stopped;
	s.vhbas = false; /* files: there is nothing to log out */
	UT_EQ(rule(s), LIVE_REST);
	s = stopped;
	s.busy = true;
	UT_EQ(rule(s), LIVE_REST);
	s = stopped;
	s.leaving = true; /* somebody has resumed it */
	UT_EQ(rule(s), LIVE_REST);
	for (unsigned state = 0; state < VM_STATES_; state++) {
		s = stopped;
		s.state = state;
		UT_EQ(rule(s), state == VM_ATTACHED ? LIVE_LEAVE : LIVE_REST);
	}
}

/* One that came to nothing is begun again, so often and no more; it is the guest's start that calls it off.
 */
static void test_again(void)
{
	const enum vm_state states[] = {VM_ATTACHED, VM_HELD, VM_FAILED};
	struct live_seen s = {.vhbas = true, .leaving = true, .due = true};
	unsigned again;

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		s.state = states[i];
		s.tries = again = 0;
		s.rings = false;
		for (enum live_action a; (a = rule(s)) != LIVE_REST; s.tries++) {
			CU_ASSERT_TRUE_FATAL(s.tries <= LIVE_TRIES);
			UT_EQ(a, s.tries < LIVE_TRIES ? LIVE_AGAIN : LIVE_GIVE_UP);
			again += a == LIVE_AGAIN;
		}
		UT_EQ(again, LIVE_TRIES);
		s.tries = 0;
		s.busy = true;
		UT_EQ(rule(s), LIVE_REST);
		s.busy = false;
		s.log = s.lost = true; /* what the front end does after its stop is nothing to it */
		UT_EQ(rule(s), LIVE_AGAIN);
		s.log = s.lost = false;
		s.leaving = false; /* a person's own quiesce has failed */
		UT_EQ(rule(s), LIVE_REST);
		s.leaving = true;
		s.rings = true;
		UT_EQ(rule(s), states[i] == VM_ATTACHED ? LIVE_STAYED : LIVE_COME_BACK);
	}
	s.rings = false;
	for (unsigned state = VM_QUIESCING; state < VM_FAILED; state++) {
		s.state = state;
		UT_EQ(rule(s), state == VM_HELD ? LIVE_AGAIN : LIVE_REST);
	}
}

static void test_come_back(void)
{
	struct live_seen s = {.vhbas = true, .rings = true, .log = true, .leaving = true, .state = VM_HELD};

	UT_EQ(rule(s), LIVE_COME_BACK);
	s.state = VM_FAILED;
	UT_EQ(rule(s), LIVE_COME_BACK);
	s.leaving = false; /* held by a person: the rings wait for him */
	UT_EQ(rule(s), LIVE_REST);
	s.leaving = true;
	s.state = VM_ATTACHED;
	UT_EQ(rule(s), LIVE_STAYED);
	s.state = VM_HELD;
	s.rings = false;
	UT_EQ(rule(s), LIVE_REST);
	s.lost = true;
	UT_EQ(rule(s), LIVE_REST);
	s.lost = false;
	s.state = VM_RESUMING;
	s.rings = true;
	UT_EQ(rule(s), LIVE_REST);
}

static void test_arrive(void)
{
	struct live_seen s = {.vhbas = true, .arrives = true, .state = VM_DETACHED};

	UT_EQ(rule(s), LIVE_REST);
	s.rings = true;
	UT_EQ(rule(s), LIVE_ARRIVE);
	s.busy = true;
	UT_EQ(rule(s), LIVE_REST);
	s.busy = false;
	s.state = VM_ATTACHED; /* the gate follows the LUNs */
	UT_EQ(rule(s), LIVE_REST);
	s.state = VM_FAILED;
	UT_EQ(rule(s), LIVE_REST);
	s.vhbas = false;
	UT_EQ(rule(s), LIVE_OPEN);
	s.rings = false;
	UT_EQ(rule(s), LIVE_REST);
}

/* To the other side, called off, and again: what either daemon does from one look to the next. */
static void test_life(void)
{
	struct live_seen s = {.vhbas = true, .known = true, .rings = true, .state = VM_ATTACHED};
	unsigned quiesced = 0, resumed = 0;

	for (unsigned round = 0; round < 3; round++) {
		s.log = true;
		UT_EQ(live_rule(&s), LIVE_REST);
		s.rings = false;
		for (enum live_action a; (a = live_rule(&s)) != LIVE_REST;) {
			CU_ASSERT_EQUAL_FATAL(a, LIVE_LEAVE);
			quiesced++;
			s.leaving = true;
			s.state = VM_HELD;
		}
		s.rings = true;
		for (enum live_action a; (a = live_rule(&s)) != LIVE_REST;) {
			CU_ASSERT_TRUE_FATAL(a == LIVE_COME_BACK || a == LIVE_STAYED);
			resumed += a == LIVE_COME_BACK;
			s.leaving = a != LIVE_STAYED;
			s.state = VM_ATTACHED;
		}
		s.log = false;
		UT_EQ(live_rule(&s), LIVE_REST);
		UT_EQ(quiesced, round + 1);
		UT_EQ(resumed, round + 1);
	}
}

/* That the vport shows no N_Port_ID any more may be a target's answer taken for the fabric's. */
static void test_elsewhere(void)
{
	static const struct {
		struct live_name n;
		bool elsewhere;
	} cases[] = {
		{{.own = 0x010103, .now = 0x010104}, true},
		{{.own = 0x010103, .now = 0x010103}, false},
		{{.own = 0x010103, .now = 0x010103, .let_go = true}, false},
		{{.own = 0x010103, .now = 0x010103, .given = true}, false},
		{{.own = 0x010103, .now = 0x010103, .let_go = true, .given = true}, true},
		{{.now = 0x010104}, false},
		{{.now = 0x010104, .let_go = true}, false},
		{{.now = 0x010104, .let_go = true, .given = true}, true},
		/* The same N_Port_ID at another F_Port, as far as that is known. */
		{{.own = 0x010103, .now = 0x010103, .left = 1, .parent = 1, .at = 2}, true},
		{{.now = 0x010103, .left = 1, .parent = 1, .at = 2}, true},
		{{.own = 0x010103, .now = 0x010103, .left = 1, .parent = 1, .at = 1}, false},
		{{.own = 0x010103, .now = 0x010103, .left = 1, .parent = 1}, false},
		{{.own = 0x010103, .now = 0x010103, .left = 1, .at = 2}, false},
		{{.own = 0x010103, .now = 0x010103, .at = 2}, false},
		/* The parent itself has moved: what it has left there may be its own vport. */
		{{.own = 0x010103, .now = 0x010103, .left = 1, .parent = 2, .at = 1}, false},
		{{.own = 0x010103, .now = 0x010103, .left = 1, .parent = 2, .at = 3}, false},
		{{.own = 0x010103, .now = 0x010103, .parent = 1, .at = 2}, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		UT_EQ(live_is_elsewhere(&cases[i].n), cases[i].elsewhere);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"nothing is known", test_nothing_known},
		{"leave", test_leave},
		{"leave again", test_again},
		{"come back", test_come_back},
		{"arrive", test_arrive},
		{"a life", test_life},
		{"a name that is elsewhere", test_elsewhere},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"live", tests, NULL, NULL}, {0}};

	return ut_main(argc, argv, suites);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long this machine itself kept somebody waiting: a process that wants to run every 2 ms, and notes by
 * how much it was late at worst.  A check of a deadline allows for it: an answer can't be earlier than the
 * processor.
 *
 *   stall      until SIGTERM; prints milliseconds, rounded up
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "monotime.h"

#define EVERY_US (2 * USEC_PER_MSEC)

static volatile sig_atomic_t told_to_end;

static void on_term(int sig)
{
	(void)sig;
	told_to_end = 1;
}

int main(void)
{
	struct monotime due = mono_now();
	uint64_t worst = 0;

	signal(SIGTERM, on_term);
	while (!told_to_end) {
		struct timespec at;
		struct monotime now;

		due = mono_add(due, EVERY_US);
		at = (struct timespec){.tv_sec = (time_t)(due.us / USEC_PER_SEC),
				       .tv_nsec = (long)(due.us % USEC_PER_SEC) * 1000};
		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
			continue;
		now = mono_now();
		if (mono_since(now, due) > worst)
			worst = mono_since(now, due);
		due = now;
	}
	printf("%llu\n", (unsigned long long)((worst + USEC_PER_MSEC - 1) / USEC_PER_MSEC));
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdlib.h>

#include "load-pause.h"

void load_pause(void)
{
	const char *pid = getenv("VHBA_BENCH_LOAD");

	if (pid && atoi(pid) > 1)
		kill((pid_t)atoi(pid), SIGSTOP);
}

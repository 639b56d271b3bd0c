/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The owner pauses, the same for the bare program and for vhbad: the clock of both starts with it. */
#ifndef VHBA_LOAD_PAUSE_H
#define VHBA_LOAD_PAUSE_H

/*
 * SIGSTOP to the process whose number the environment has as VHBA_BENCH_LOAD; nothing when it has none. From
 * then on it submits nothing, as a guest whose processors stand still, and what is in flight goes on.
 */
void load_pause(void);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of the load, the same for the bare program and for vhbad: the clock of both starts with it. */
#ifndef VHBA_LOAD_END_H
#define VHBA_LOAD_END_H

/* SIGINT to the process whose number the environment has as VHBA_BENCH_LOAD; nothing when it has none. */
void load_end(void);

#endif

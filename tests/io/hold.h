/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A kernel that doesn't answer: while held, I/O of one LUN is begun and doesn't end.  Stands between the
 * queues and the engine; the program is linked with HOLD_LDFLAGS.
 */
#ifndef VHBA_TESTS_HOLD_H
#define VHBA_TESTS_HOLD_H

#include <stdbool.h>

/* Which one; 1, if nothing else is said. */
extern unsigned hold_lun;

/* cancelable: what is held ends when it is cancelled, as a request does that waits in io_uring. */
void hold(bool cancelable);

/* What was held goes on. Call hold_end when it has ended, before the next hold. */
void hold_release(void);
void hold_end(void);

/* Wait until n commands are held. */
void hold_wait(unsigned n);

#endif

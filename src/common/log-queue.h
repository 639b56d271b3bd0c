/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log lines that another thread writes.  Whoever reads stderr (systemd's journal, a file on a disk) may hang,
 * with the storage that hangs: a process with deadlines must not wait for it.  Lines that find no room are
 * counted, and told when there is room again.  log.c alone adds them; thread-safe.
 */
#ifndef VHBA_LOG_QUEUE_H
#define VHBA_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on; 0 or -errno, and then lines are written by who has them, as before.  Children that are forked
 * write by themselves. */
int log_queue_start(void);

/* Waits for so long at most until all is written; false: it was not, and the thread stays. */
bool log_queue_stop(uint64_t wait_us);

/* False: there is no queue, the caller writes. */
bool log_queue_add(const char *line, size_t n);

#endif

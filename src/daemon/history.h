/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The results of a VM's last operations, for "vhbactl log": files in RUN-DIR/log/UUID (tmpfs, so that they
 * neither wait for a disk nor fill the daemon's memory), newest HISTORY_KEEP per VM.  Loop thread only.
 */
#ifndef VHBA_HISTORY_H
#define VHBA_HISTORY_H

#include <json-c/json.h>
#include <stdint.h>

#include "daemon.h"

#define HISTORY_KEEP 8

/* Make the folder. 0 or -errno. */
int history_open(struct daemon *d);

/* Writes what waits, and forgets the folder. */
void history_close(struct daemon *d);

/* The result stays the caller's, and unchanged from then on; it is written in a turn of its own.  Failures
 * are logged, nothing more: the operation's answer matters, not its echo. */
void history_add(struct daemon *d, const char *uuid, uint64_t id, struct json_object *result);

/* The newest result of such an operation that was under way at that time, into *result, the caller's: its id;
 * 0, and NULL: there is none. */
uint64_t history_find(struct daemon *d, const char *uuid, const char *operation, uint64_t at_us,
		      struct json_object **result);

/* Of a VM that is registered no more. */
void history_forget(struct daemon *d, const char *uuid);

/* An array of the results, oldest first; the caller's. */
struct json_object *history_get(struct daemon *d, const char *uuid);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happened, for "vhbactl events": a bounded ring of JSON objects with a number that only grows.  The
 * oldest go first; a reader that asks for a number that is gone is told so.  Loop thread only.
 */
#ifndef VHBA_EVENTLOG_H
#define VHBA_EVENTLOG_H

#include <json-c/json.h>
#include <stdint.h>

#define EVENTLOG_MAX 1024

struct eventlog {
	uint64_t next; /* the number of the next event; the first is 1 */
	struct json_object *ring[EVENTLOG_MAX];
};

void eventlog_init(struct eventlog *l);
void eventlog_clear(struct eventlog *l);

/*
 * Add {"seq","monotonic_us","kind", "vm"?, "text"}.  vm may be NULL.  Returns the object, owned by the ring
 * and valid until EVENTLOG_MAX more were added; NULL when memory is short.
 */
struct json_object *eventlog_add(struct eventlog *l, const char *kind, const char *vm, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The event of that number, or NULL; the ring keeps it. */
struct json_object *eventlog_get(const struct eventlog *l, uint64_t seq);

/* The oldest number that is still there (l->next when the ring is empty). */
uint64_t eventlog_oldest(const struct eventlog *l);

#endif

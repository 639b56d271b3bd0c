/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "eventlog.h"
#include "monotime.h"

void eventlog_init(struct eventlog *l)
{
	memset(l, 0, sizeof(*l));
	l->next = 1;
}

void eventlog_clear(struct eventlog *l)
{
	for (size_t i = 0; i < EVENTLOG_MAX; i++)
		json_object_put(l->ring[i]);
	eventlog_init(l);
}

struct json_object *eventlog_add(struct eventlog *l, const char *kind, const char *vm, const char *fmt, ...)
{
	struct json_object *o = json_object_new_object(), **slot = &l->ring[l->next % EVENTLOG_MAX];
	char text[512];
	va_list ap;

	if (!o)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_object_add(o, "seq", json_object_new_uint64(l->next));
	json_object_object_add(o, "monotonic_us", json_object_new_uint64(mono_now().us));
	json_object_object_add(o, "kind", json_object_new_string(kind));
	if (vm)
		json_object_object_add(o, "vm", json_object_new_string(vm));
	json_object_object_add(o, "text", json_object_new_string(text));
	json_object_put(*slot);
	*slot = o;
	l->next++;
	return o;
}

uint64_t eventlog_oldest(const struct eventlog *l)
{
	return l->next > EVENTLOG_MAX ? l->next - EVENTLOG_MAX : 1;
}

struct json_object *eventlog_get(const struct eventlog *l, uint64_t seq)
{
	if (seq < eventlog_oldest(l) || seq >= l->next)
		return NULL;
	return l->ring[seq % EVENTLOG_MAX];
}

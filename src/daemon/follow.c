/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "cleanup.h"
#include "follow.h"

struct watcher {
	TAILQ_ENTRY(watcher) link;
	struct daemon *d;
	struct call *call;
};

static void drop(struct watcher *w)
{
	TAILQ_REMOVE(&w->d->watchers, w, link);
	call_on_gone(w->call, NULL, NULL);
	call_reply(w->call, NULL);
	free(w);
}

static void on_gone(void *user)
{
	drop(user);
}

void follow_add(struct daemon *d, struct call *call)
{
	struct watcher *w = calloc(1, sizeof(*w));
	struct verror e;

	if (!w) {
		verror_set(&e, VHBA_E_INTERNAL, "out of memory");
		call_error(call, &e);
		return;
	}
	w->d = d;
	w->call = call;
	TAILQ_INSERT_TAIL(&d->watchers, w, link);
	call_on_gone(call, on_gone, w);
}

void follow_tell(struct daemon *d, struct json_object *event)
{
	struct watcher *w;

	TAILQ_FOREACH (w, &d->watchers, link) {
		struct json_object *o, *list;

		if (!event)
			return;
		o = json_object_new_object();
		list = json_object_new_array();
		json_object_array_add(list, json_object_get(event));
		json_object_object_add(o, "events", list);
		call_part(w->call, o);
	}
}

void follow_free(struct daemon *d)
{
	while (!TAILQ_EMPTY(&d->watchers))
		drop(TAILQ_FIRST(&d->watchers));
}

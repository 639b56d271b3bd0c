/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "history.h"
#include "log.h"
#include "method.h"

#define IDS_MAX (4 * HISTORY_KEEP)

/* A result to be written when nothing is more urgent: answers are. */
struct item {
	TAILQ_ENTRY(item) link;
	char uuid[37];
	uint64_t id;
	struct json_object *result;
};

struct history {
	struct daemon *d;
	TAILQ_HEAD(, item) items;
	struct work work;
};

static void write_next(struct work *w);

int history_open(struct daemon *d)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/log", d->cfg->run_dir);
	if (mkdir(path, 0750) && errno != EEXIST)
		return -errno;
	d->history = calloc(1, sizeof(*d->history));
	if (!d->history)
		return -ENOMEM;
	d->history->d = d;
	TAILQ_INIT(&d->history->items);
	d->history->work.fn = write_next;
	return 0;
}

static const char *folder_of(const struct daemon *d, const char *uuid, char *path, size_t size)
{
	snprintf(path, size, "%s/log/%s", d->cfg->run_dir, uuid);
	return path;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The files of a VM are UUID/ID.json; the numbers grow for as long as the folder lives.  Oldest first;
 * returns how many. */
static size_t ids_of(const struct daemon *d, const char *uuid, uint64_t ids[IDS_MAX])
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(folder_of(d, uuid, path, sizeof(path)));
	struct dirent *e;
	size_t n = 0;

	while (dir && n < IDS_MAX && (e = readdir(dir))) {
		char *end;
		uint64_t id = strtoull(e->d_name, &end, 10);

		if (!strcmp(end, ".json"))
			ids[n++] = id;
	}
	qsort(ids, n, sizeof(ids[0]), by_id);
	return n;
}

static const char *file(const struct daemon *d, const char *uuid, uint64_t id, char *path, size_t size)
{
	snprintf(path, size, "%s/log/%s/%" PRIu64 ".json", d->cfg->run_dir, uuid, id);
	return path;
}

static void keep(struct daemon *d, const char *uuid, uint64_t id, struct json_object *result)
{
	uint64_t ids[IDS_MAX];
	char path[PATH_MAX];
	size_t n;

	if (mkdir(folder_of(d, uuid, path, sizeof(path)), 0750) && errno != EEXIST)
		log_warning("%s: %s", path, strerror(errno));
	if (json_object_to_file_ext(file(d, uuid, id, path, sizeof(path)), result, JSON_C_TO_STRING_PLAIN)) {
		log_warning("%s: the result could not be kept", path);
		return;
	}
	n = ids_of(d, uuid, ids);
	for (size_t i = 0; i + HISTORY_KEEP < n; i++)
		unlink(file(d, uuid, ids[i], path, sizeof(path)));
}

static void write_first(struct history *h)
{
	struct item *i = TAILQ_FIRST(&h->items);

	TAILQ_REMOVE(&h->items, i, link);
	keep(h->d, i->uuid, i->id, i->result);
	json_object_put(i->result);
	free(i);
}

static void write_next(struct work *w)
{
	struct history *h = (struct history *)((char *)w - offsetof(struct history, work));

	if (!TAILQ_EMPTY(&h->items))
		write_first(h);
	if (!TAILQ_EMPTY(&h->items))
		work_queue(&h->d->works, w);
}

void history_add(struct daemon *d, const char *uuid, uint64_t id, struct json_object *result)
{
	struct item *i = d->history ? calloc(1, sizeof(*i)) : NULL;

	if (!i) {
		keep(d, uuid, id, result);
		return;
	}
	snprintf(i->uuid, sizeof(i->uuid), "%s", uuid);
	i->id = id;
	i->result = json_object_get(result);
	TAILQ_INSERT_TAIL(&d->history->items, i, link);
	work_queue(&d->works, &d->history->work);
}

static void write_all(struct history *h)
{
	while (h && !TAILQ_EMPTY(&h->items))
		write_first(h);
}

void history_forget(struct daemon *d, const char *uuid)
{
	uint64_t ids[IDS_MAX];
	char path[PATH_MAX];
	size_t n;

	write_all(d->history);
	n = ids_of(d, uuid, ids);
	for (size_t i = 0; i < n; i++)
		unlink(file(d, uuid, ids[i], path, sizeof(path)));
	rmdir(folder_of(d, uuid, path, sizeof(path)));
}

void history_close(struct daemon *d)
{
	write_all(d->history);
	if (d->history)
		work_cancel(&d->works, &d->history->work);
	free(steal_ptr(d->history));
}

struct json_object *history_get(struct daemon *d, const char *uuid)
{
	struct json_object *a = json_object_new_array();
	uint64_t ids[IDS_MAX];
	char path[PATH_MAX];
	size_t n;

	write_all(d->history);
	n = ids_of(d, uuid, ids);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_from_file(file(d, uuid, ids[i], path, sizeof(path)));

		if (o)
			json_object_array_add(a, o);
	}
	return a;
}

static bool is_of(struct json_object *o, const char *operation, uint64_t at_us)
{
	uint64_t start = proto_get_uint(o, "start_us", 0);
	const char *name = proto_get_text(o, "operation");

	return name && !strcmp(name, operation) && start <= at_us &&
	       at_us <= start + proto_get_uint(o, "elapsed_us", 0);
}

uint64_t history_find(struct daemon *d, const char *uuid, const char *operation, uint64_t at_us,
		      struct json_object **result)
{
	uint64_t ids[IDS_MAX];
	char path[PATH_MAX];
	size_t n;

	write_all(d->history);
	*result = NULL;
	for (n = ids_of(d, uuid, ids); n; n--) {
		struct json_object *o = json_object_from_file(file(d, uuid, ids[n - 1], path, sizeof(path)));

		if (o && is_of(o, operation, at_us)) {
			*result = o;
			return ids[n - 1];
		}
		json_object_put(o);
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "cleanup.h"
#include "method.h"
#include "notes.h"
#include "textfile.h"

#define NOTE_VERSION 1
#define NOTE_MAX 4096
#define SUFFIX ".move"

static char *path_of(const char *dir, const char *uuid)
{
	char *path;

	return asprintf(&path, "%s/%s" SUFFIX, dir, uuid) < 0 ? NULL : path;
}

int notes_write(const char *dir, const struct move_note *n)
{
	AUTO_FREE char *path = path_of(dir, n->uuid);
	struct json_object *o = json_object_new_object();
	int r;

	json_object_object_add(o, "version", json_object_new_int(NOTE_VERSION));
	json_object_object_add(o, "uuid", json_object_new_string(n->uuid));
	json_object_object_add(o, "uri", json_object_new_string(n->uri));
	json_object_object_add(o, "begun", json_object_new_boolean(n->begun));
	json_object_object_add(o, "suspended", json_object_new_boolean(n->suspended));
	r = path ? textfile_write(path, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) : -ENOMEM;
	json_object_put(o);
	return r;
}

int notes_read(const char *dir, const char *uuid, struct move_note *n)
{
	AUTO_FREE char *path = path_of(dir, uuid), *text = NULL;
	const char *of, *uri;
	struct json_object *o;
	int r = path ? textfile_read(path, NOTE_MAX, &text) : -ENOMEM;

	*n = (struct move_note){0};
	if (r)
		return r;
	o = json_tokener_parse(text);
	of = proto_get_text(o, "uuid");
	uri = proto_get_text(o, "uri");
	if (proto_get_uint(o, "version", 0) != NOTE_VERSION || !of || strcmp(of, uuid) || !uri ||
	    strlen(uri) >= sizeof(n->uri))
		r = -EINVAL;
	if (!r) {
		snprintf(n->uuid, sizeof(n->uuid), "%s", of);
		snprintf(n->uri, sizeof(n->uri), "%s", uri);
		n->begun = proto_get_bool(o, "begun");
		n->suspended = proto_get_bool(o, "suspended");
	}
	json_object_put(o);
	return r;
}

void notes_remove(const char *dir, const char *uuid)
{
	AUTO_FREE char *path = path_of(dir, uuid);

	if (path)
		unlink(path);
}

unsigned notes_list(const char *dir, char (*uuids)[VIR_UUID_STRING_BUFLEN], unsigned max)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned n = 0;

	while (d && n < max && (entry = readdir(d))) {
		char uuid[VIR_UUID_STRING_BUFLEN] = "";

		memcpy(uuid, entry->d_name, strnlen(entry->d_name, sizeof(uuid) - 1));
		if (proto_is_uuid(uuid) && !strcmp(entry->d_name + sizeof(uuid) - 1, SUFFIX))
			memcpy(uuids[n++], uuid, sizeof(uuid));
	}
	if (d)
		closedir(d);
	return n;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines in a byte stream, and JSON in a line: the part of the protocol that both ends share.  Both are
 * bounded.  Not thread-safe per object.
 */
#ifndef VHBA_FRAME_H
#define VHBA_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#include "verror.h"

/* A queue of bytes that grows up to a maximum and shrinks again when it is empty. Zero it, set max. */
struct frame_buf {
	char *data;
	size_t start, len, size; /* bytes at data + start; size allocated */
	size_t max;
};

/* 0, -ENOBUFS (more than max: nothing was taken) or -ENOMEM. */
int frame_buf_add(struct frame_buf *b, const void *bytes, size_t len);
void frame_buf_take(struct frame_buf *b, size_t len); /* the first len bytes are done with */
void frame_buf_clear(struct frame_buf *b);

static inline const char *frame_buf_bytes(const struct frame_buf *b)
{
	return b->data + b->start;
}

/*
 * The first line, its LF left out, in *line and *len; stays in the buffer until frame_buf_take(b, *len + 1).
 * *scanned (0 at first) remembers how far was searched, so that a line that comes in small pieces is searched
 * once.  False: no whole line yet.
 */
bool frame_line(const struct frame_buf *b, size_t *scanned, const char **line, size_t *len);

/*
 * A line as a JSON object: valid UTF-8, at most PROTO_DEPTH_MAX deep, nothing after it.  NULL with *e
 * (VHBA_E_USAGE).  The caller owns the object.
 */
struct json_object *frame_parse(const char *line, size_t len, struct verror *e);

/* Print o with its LF into b: 0, -EMSGSIZE when longer than max, or as frame_buf_add. */
int frame_print(struct frame_buf *b, struct json_object *o, size_t max);

/* A JSON string of text that may be cut within a character or otherwise not be UTF-8: what is wrong becomes
 * '?'. */
struct json_object *frame_text_new(const char *text);

#endif

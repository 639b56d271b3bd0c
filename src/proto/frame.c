/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "proto.h"

#define BUF_MIN 4096

static int grow(struct frame_buf *b, size_t len)
{
	size_t size = b->size ? b->size : BUF_MIN;
	char *data;

	if (b->start) {
		memmove(b->data, b->data + b->start, b->len);
		b->start = 0;
	}
	while (size < b->len + len)
		size *= 2;
	if (size == b->size)
		return 0;
	data = realloc(b->data, size);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->size = size;
	return 0;
}

int frame_buf_add(struct frame_buf *b, const void *bytes, size_t len)
{
	int r;

	if (len > b->max - b->len)
		return -ENOBUFS;
	if (b->size - b->start - b->len < len) {
		r = grow(b, len);
		if (r)
			return r;
	}
	if (len)
		memcpy(b->data + b->start + b->len, bytes, len);
	b->len += len;
	return 0;
}

void frame_buf_take(struct frame_buf *b, size_t len)
{
	b->start += len;
	b->len -= len;
	if (b->len)
		return;
	b->start = 0;
	if (b->size > BUF_MIN)
		frame_buf_clear(b);
}

void frame_buf_clear(struct frame_buf *b)
{
	free(b->data);
	b->data = NULL;
	b->start = b->len = b->size = 0;
}

bool frame_line(const struct frame_buf *b, size_t *scanned, const char **line, size_t *len)
{
	const char *end;

	if (*scanned >= b->len)
		return false;
	end = memchr(frame_buf_bytes(b) + *scanned, '\n', b->len - *scanned);
	if (!end) {
		*scanned = b->len;
		return false;
	}
	*line = frame_buf_bytes(b);
	*len = (size_t)(end - *line);
	*scanned = *len;
	return true;
}

struct json_object *frame_parse(const char *line, size_t len, struct verror *e)
{
	struct json_tokener *tok = json_tokener_new_ex(PROTO_DEPTH_MAX + 1);
	enum json_tokener_error err;
	struct json_object *o;
	size_t used;

	if (!tok) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, line, (int)len);
	err = json_tokener_get_error(tok);
	used = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	while (used < len && strchr(" \t\r", line[used]) && line[used])
		used++;
	if (o && json_object_is_type(o, json_type_object) && used == len)
		return o;
	verror_set(e, VHBA_E_USAGE, "the line is no JSON object of this protocol");
	verror_expected(e, "one JSON object a line, UTF-8, at most %d deep", PROTO_DEPTH_MAX);
	if (o)
		verror_seen(e, used == len ? "another kind of value" : "bytes after the object");
	else
		verror_seen(e, "%s at byte %zu",
			    err == json_tokener_continue ? "its end" : json_tokener_error_desc(err), used);
	json_object_put(o);
	return NULL;
}

int frame_print(struct frame_buf *b, struct json_object *o, size_t max)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	int r;

	if (!text)
		return -ENOMEM;
	if (len + 1 > max)
		return -EMSGSIZE;
	if (len + 1 > b->max - b->len)
		return -ENOBUFS;
	r = frame_buf_add(b, text, len);
	return r ? r : frame_buf_add(b, "\n", 1);
}

/* Bytes of the UTF-8 character at s, or 0 when there is no valid one (RFC 3629: no overlong form, no
 * surrogate). */
static size_t utf8_len(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		size_t len;
	} forms[] = {{0x80, 0x00, 1}, {0xe0, 0xc0, 2}, {0xf0, 0xe0, 3}, {0xf8, 0xf0, 4}};

	if (s[0] == 0xc0 || s[0] == 0xc1 || s[0] > 0xf4 || (s[0] == 0xe0 && s[1] < 0xa0) ||
	    (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((s[0] & forms[i].mask) != forms[i].lead)
			continue;
		for (size_t n = 1; n < forms[i].len; n++)
			if ((s[n] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

struct json_object *frame_text_new(const char *text)
{
	struct json_object *o;
	char *copy = strdup(text);

	if (!copy)
		return NULL;
	for (char *p = copy; *p;) {
		size_t n = utf8_len((unsigned char *)p);

		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
	o = json_object_new_string(copy);
	free(copy);
	return o;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of parameters and replies against the table. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "method.h"
#include "proto.h"

#define NAME_LEN_MAX 63
#define SHOWN_MAX 40

static const char *const type_names[PROTO_TYPES] = {
	[PROTO_BOOL] = "true or false",
	[PROTO_UINT] = "integer",
	[PROTO_TEXT] = "text",
	[PROTO_NAME] = "name",
	[PROTO_VM] = "VM name or UUID",
	[PROTO_UUID] = "UUID",
	[PROTO_WWN] = "WWN",
	[PROTO_NAMES] = "array of names",
	[PROTO_TEXTS] = "array of texts",
	[PROTO_OBJECT] = "object",
	[PROTO_LIST] = "array of objects",
};

static const json_type json_types[PROTO_TYPES] = {
	[PROTO_BOOL] = json_type_boolean,  [PROTO_UINT] = json_type_int,    [PROTO_TEXT] = json_type_string,
	[PROTO_NAME] = json_type_string,   [PROTO_VM] = json_type_string,   [PROTO_UUID] = json_type_string,
	[PROTO_WWN] = json_type_string,	   [PROTO_NAMES] = json_type_array, [PROTO_TEXTS] = json_type_array,
	[PROTO_OBJECT] = json_type_object, [PROTO_LIST] = json_type_array,
};

const char *proto_type_name(enum proto_type t)
{
	return (unsigned int)t < PROTO_TYPES ? type_names[t] : "?";
}

const struct proto_method *proto_method_find(const char *name)
{
	if (!strncmp(name, PROTO_PREFIX, strlen(PROTO_PREFIX)))
		name += strlen(PROTO_PREFIX);
	for (size_t i = 0; i < PROTO_METHODS; i++)
		if (!strcmp(name, proto_methods[i].name))
			return &proto_methods[i];
	return NULL;
}

bool proto_is_uuid(const char *text)
{
	size_t i;

	for (i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return text[i] == '\0';
}

static bool is_name(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > NAME_LEN_MAX || !isalnum((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((text[i] & 0x80) || (!isalnum((unsigned char)text[i]) && !strchr("._+@:-", text[i])))
			return false;
	return true;
}

int proto_wwn_parse(const char *text, uint64_t *wwn)
{
	bool colons = strlen(text) == 23;
	uint64_t v = 0;
	size_t i = 0;

	for (int byte = 0; byte < 8; byte++) {
		if (colons && byte && text[i++] != ':')
			return -EINVAL;
		for (int n = 0; n < 2; n++, i++) {
			unsigned char c = (unsigned char)text[i];

			if (!isxdigit(c))
				return -EINVAL;
			v = v << 4 | (uint64_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
		}
	}
	if (text[i] || v == 0 || v == UINT64_MAX)
		return -EINVAL;
	*wwn = v;
	return 0;
}

const char *proto_wwn_format(uint64_t wwn, char buf[24])
{
	size_t n = 0;

	for (int shift = 56; shift >= 0; shift -= 8)
		n += (size_t)snprintf(buf + n, 24 - n, "%s%02x", n ? ":" : "",
				      (unsigned int)(wwn >> shift & 0xff));
	return buf;
}

/* Where a value stands, for the error's text: "vhba.Add: zones[2]". */
struct place {
	const struct proto_method *m;
	const struct place *up;
	const char *name;
	int index; /* -1: none */
};

static size_t place_text(const struct place *p, char *buf, size_t size)
{
	size_t n = 0;

	if (p->up) {
		n = place_text(p->up, buf, size);
		if (n < size)
			n += (size_t)snprintf(buf + n, size - n, ".");
	}
	if (n < size)
		n += (size_t)snprintf(buf + n, size - n, "%s", p->name);
	if (n < size && p->index >= 0)
		n += (size_t)snprintf(buf + n, size - n, "[%d]", p->index);
	return n < size ? n : size;
}

static int wrong(struct verror *e, const struct place *p, const char *why)
{
	char where[128];

	place_text(p, where, sizeof(where));
	return verror_set(e, VHBA_E_USAGE, "%s: %s %s", p->m->name, where, why);
}

/* What was seen, cut short, as JSON. */
static void seen(struct verror *e, struct json_object *v)
{
	const char *text = json_object_to_json_string_ext(v, JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t len = strlen(text);

	/* Do not cut within a UTF-8 sequence. */
	if (len > SHOWN_MAX)
		for (len = SHOWN_MAX; len && (text[len] & 0xc0) == 0x80; len--)
			;
	verror_seen(e, "%.*s%s", (int)len, text, text[len] ? "..." : "");
}

static int wrong_value(struct verror *e, const struct place *p, const struct proto_field *f,
		       struct json_object *v)
{
	int r = wrong(e, p, "is not valid");

	switch (f->type) {
	case PROTO_UINT:
		verror_expected(e, "an integer from %" PRIu64 " to %" PRIu64, f->min, f->max);
		break;
	case PROTO_TEXT:
	case PROTO_TEXTS:
		verror_expected(e, "%s, %" PRIu64 " to %" PRIu64 " %s", proto_type_name(f->type), f->min,
				f->max,
				f->type == PROTO_TEXT ? "bytes without control characters" : "entries");
		break;
	case PROTO_NAMES:
		verror_expected(e, "%" PRIu64 " to %" PRIu64 " different names", f->min, f->max);
		break;
	case PROTO_NAME:
		verror_expected(e, "a name (letters, digits and ._+@:-, at most 63, no UUID)");
		break;
	case PROTO_WWN:
		verror_expected(e, "16 hex digits, not nil");
		break;
	case PROTO_UUID:
		verror_expected(e, "a UUID as 8-4-4-4-12 hex digits, not nil");
		break;
	default:
		verror_expected(e, "%s", proto_type_name(f->type));
	}
	seen(e, v);
	return r;
}

static bool text_is_valid(const struct proto_field *f, struct json_object *v)
{
	const char *s = json_object_get_string(v);
	size_t len = (size_t)json_object_get_string_len(v);
	uint64_t wwn;

	if (strlen(s) != len) /* a NUL in it */
		return false;
	switch (f->type) {
	case PROTO_NAME:
	case PROTO_NAMES:
		return is_name(s) && !proto_is_uuid(s);
	case PROTO_VM:
		return is_name(s);
	case PROTO_UUID:
		return proto_is_uuid(s) && strspn(s, "0-") != len;
	case PROTO_WWN:
		return proto_wwn_parse(s, &wwn) == 0;
	default:
		break;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return f->type == PROTO_TEXTS || (len >= f->min && len <= f->max);
}

static bool uint_is_valid(const struct proto_field *f, struct json_object *v)
{
	/* json-c keeps what is above INT64_MAX as unsigned and saturates here: so such a number is no valid
	 * one. */
	int64_t n = json_object_get_int64(v);

	return n >= 0 && json_object_get_uint64(v) <= INT64_MAX && (uint64_t)n >= f->min &&
	       (uint64_t)n <= f->max;
}

static int check_fields(const struct place *up, const struct proto_method *m,
			const struct proto_field *fields, struct json_object *o, struct verror *e);

static int check_strings(const struct place *p, const struct proto_field *f, struct json_object *v,
			 struct verror *e)
{
	size_t n = json_object_array_length(v);

	if (n < f->min || n > f->max)
		return wrong_value(e, p, f, v);
	for (size_t i = 0; i < n; i++) {
		struct json_object *s = json_object_array_get_idx(v, i);

		if (!json_object_is_type(s, json_type_string) || !text_is_valid(f, s))
			return wrong_value(e, p, f, v);
		for (size_t j = 0; f->type == PROTO_NAMES && j < i; j++)
			if (!strcmp(json_object_get_string(s),
				    json_object_get_string(json_object_array_get_idx(v, j))))
				return wrong_value(e, p, f, v);
	}
	return 0;
}

static int check_list(struct place *p, const struct proto_field *f, struct json_object *v, struct verror *e)
{
	size_t n = json_object_array_length(v);

	if (f->max && n > f->max)
		return wrong_value(e, p, f, v);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(v, i);
		int r;

		p->index = (int)i;
		if (!json_object_is_type(o, json_type_object))
			return wrong_value(e, p, f, o);
		r = f->fields ? check_fields(p, p->m, f->fields, o, e) : 0;
		if (r)
			return r;
	}
	return 0;
}

static int check_value(const struct place *up, const struct proto_method *m, const struct proto_field *f,
		       struct json_object *v, struct verror *e)
{
	struct place p = {m, up, f->name, -1};

	if (!json_object_is_type(v, json_types[f->type]))
		return wrong_value(e, &p, f, v);
	switch (f->type) {
	case PROTO_BOOL:
		return 0;
	case PROTO_UINT:
		return uint_is_valid(f, v) ? 0 : wrong_value(e, &p, f, v);
	case PROTO_NAMES:
	case PROTO_TEXTS:
		return check_strings(&p, f, v, e);
	case PROTO_OBJECT:
		return f->fields ? check_fields(&p, m, f->fields, v, e) : 0;
	case PROTO_LIST:
		return check_list(&p, f, v, e);
	default:
		return text_is_valid(f, v) ? 0 : wrong_value(e, &p, f, v);
	}
}

static const struct proto_field *field_find(const struct proto_field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

static void list_names(const struct proto_field *fields, char *buf, size_t size)
{
	size_t n = 0;

	snprintf(buf, size, "none");
	for (; fields->name && n < size; fields++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", fields->name);
}

static int check_fields(const struct place *up, const struct proto_method *m,
			const struct proto_field *fields, struct json_object *o, struct verror *e)
{
	struct json_object_iterator it = json_object_iter_begin(o), end = json_object_iter_end(o);
	struct json_object *v;
	char names[128];
	int r;

	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		const char *key = json_object_iter_peek_name(&it);
		const struct proto_field *f = field_find(fields, key);

		if (!f) {
			r = verror_set(e, VHBA_E_USAGE, "%s: unknown parameter", m->name);
			list_names(fields, names, sizeof(names));
			verror_expected(e, "%s", names);
			verror_seen(e, "%.*s", SHOWN_MAX, key);
			return r;
		}
		r = check_value(up, m, f, json_object_iter_peek_value(&it), e);
		if (r)
			return r;
	}
	for (const struct proto_field *f = fields; f->name; f++) {
		struct place p = {m, up, f->name, -1};

		if (!f->required || json_object_object_get_ex(o, f->name, &v))
			continue;
		r = wrong(e, &p, "is missing");
		verror_expected(e, "%s: %s", proto_type_name(f->type), f->doc);
		return r;
	}
	return 0;
}

static int check(const struct proto_method *m, const struct proto_field *fields, struct json_object *o,
		 struct verror *e)
{
	struct json_object *empty = o ? NULL : json_object_new_object();
	int r;

	if (!o && !empty)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	if (o && !json_object_is_type(o, json_type_object)) {
		r = verror_set(e, VHBA_E_USAGE, "%s: parameters are no object", m->name);
		seen(e, o);
		return r;
	}
	r = check_fields(NULL, m, fields, o ? o : empty, e);
	json_object_put(empty);
	return r;
}

int proto_check_parameters(const struct proto_method *m, struct json_object *parameters, struct verror *e)
{
	return check(m, m->parameters, parameters, e);
}

int proto_check_reply(const struct proto_method *m, struct json_object *reply, struct verror *e)
{
	return check(m, m->reply, reply, e);
}

struct json_object *proto_get(struct json_object *parameters, const char *name)
{
	struct json_object *v = NULL;

	return parameters && json_object_object_get_ex(parameters, name, &v) ? v : NULL;
}

const char *proto_get_text(struct json_object *parameters, const char *name)
{
	struct json_object *v = proto_get(parameters, name);

	return v ? json_object_get_string(v) : NULL;
}

uint64_t proto_get_uint(struct json_object *parameters, const char *name, uint64_t absent)
{
	struct json_object *v = proto_get(parameters, name);

	return v ? json_object_get_uint64(v) : absent;
}

bool proto_get_bool(struct json_object *parameters, const char *name)
{
	return json_object_get_boolean(proto_get(parameters, name));
}

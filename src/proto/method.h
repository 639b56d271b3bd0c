/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one method table: the daemon checks parameters against it, vhbactl, libvhba, the man page and the tests
 * are held to it.  All is const and static: thread-safe.
 */
#ifndef VHBA_METHOD_H
#define VHBA_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "verror.h"

enum proto_type {
	PROTO_BOOL,
	PROTO_UINT, /* an integer min..max (JSON, at most 2^63-1) */
	PROTO_TEXT, /* UTF-8 without control characters, min..max bytes */
	PROTO_NAME, /* of a VM or zone: [A-Za-z0-9][A-Za-z0-9._+@:-]*, at most 63 bytes, no UUID */
	PROTO_VM, /* a PROTO_NAME or a UUID */
	PROTO_UUID, /* 8-4-4-4-12 hex digits, not nil */
	PROTO_WWN, /* 16 hex digits, with or without colons between the bytes; not nil, not all ones */
	PROTO_NAMES, /* array of min..max PROTO_NAME, none twice */
	PROTO_TEXTS, /* array of at most max PROTO_TEXT */
	PROTO_OBJECT, /* fields says what is in it; NULL: any object, checked by who takes it */
	PROTO_LIST, /* array of such objects, at most max (0: no bound but the line's) */
	PROTO_TYPES
};

struct proto_field {
	const char *name; /* NULL ends a list of fields */
	enum proto_type type;
	bool required; /* of a reply: always there */
	uint64_t min, max;
	const struct proto_field *fields; /* PROTO_OBJECT, PROTO_LIST */
	const char *doc;
};

/* What a caller needs in order to call. Ordered. */
enum proto_access { PROTO_ACCESS_NONE, PROTO_ACCESS_READ, PROTO_ACCESS_CHANGE };

/* Index into proto_methods[], so that a daemon's table of handlers is an array by it. */
enum proto_method_id {
	PROTO_VM_ADD,
	PROTO_VM_REMOVE,
	PROTO_VM_SET,
	PROTO_VM_LIST,
	PROTO_VM_SHOW,
	PROTO_VHBA_ADD,
	PROTO_VHBA_SET,
	PROTO_VHBA_REMOVE,
	PROTO_VHBA_LIST,
	PROTO_PARENT_LIST,
	PROTO_PARENT_SHOW,
	PROTO_LUN_LIST,
	PROTO_LUN_ADD,
	PROTO_LUN_REMOVE,
	PROTO_IO_LIST,
	PROTO_IO_STATUS,
	PROTO_IO_START,
	PROTO_IO_END,
	PROTO_IO_UPGRADE,
	PROTO_IO_CHECK,
	PROTO_IO_LATENCY,
	PROTO_IO_OPEN,
	PROTO_IO_AWAIT,
	PROTO_POOL_LIST,
	PROTO_POOL_SYNC,
	PROTO_POOL_SERVE,
	PROTO_POOL_REPORT,
	PROTO_DOMAIN_LIST,
	PROTO_DOMAIN_SHOW,
	PROTO_DOMAIN_BIND,
	PROTO_DOMAIN_UNBIND,
	PROTO_DOMAIN_XML,
	PROTO_MIGRATE,
	PROTO_DOMAIN_SERVE,
	PROTO_DOMAIN_REPORT,
	PROTO_ATTACH,
	PROTO_DETACH,
	PROTO_PLAN,
	PROTO_QUIESCE,
	PROTO_RESUME,
	PROTO_RELEASE,
	PROTO_EXPORT,
	PROTO_PREFLIGHT,
	PROTO_IMPORT,
	PROTO_EVENTS,
	PROTO_STATUS,
	PROTO_LOG,
	PROTO_CONFIG_SHOW,
	PROTO_METHODS
};

struct proto_method {
	const char *name; /* without "org.vhba.": "vm.Add" */
	enum proto_access access;
	bool more; /* may be called with "more" */
	const struct proto_field *parameters; /* never NULL; may be empty */
	const struct proto_field *reply; /* likewise */
	const char *doc; /* one sentence */
};

extern const struct proto_method proto_methods[PROTO_METHODS];

/* By the full name ("org.vhba.vm.Add") or the short one ("vm.Add"); NULL when there is none. */
const struct proto_method *proto_method_find(const char *name);

static inline enum proto_method_id proto_method_id(const struct proto_method *m)
{
	return (enum proto_method_id)(m - proto_methods);
}

/*
 * Check parameters (may be NULL: none) against the method's fields: unknown ones, missing ones, types and
 * ranges.  0, or -EINVAL with *e (VHBA_E_USAGE).
 */
int proto_check_parameters(const struct proto_method *m, struct json_object *parameters, struct verror *e);

/*
 * The same for a reply: every field that the table calls required is there, and what is there is in the table
 * with that type.  For tests.
 */
int proto_check_reply(const struct proto_method *m, struct json_object *reply, struct verror *e);

/* Printable: "integer", "name", ... */
const char *proto_type_name(enum proto_type t);

/*
 * Fetch from checked parameters (may be NULL). Texts stay owned by the object; absent gives the default.
 */
const char *proto_get_text(struct json_object *parameters, const char *name); /* NULL when absent */
uint64_t proto_get_uint(struct json_object *parameters, const char *name, uint64_t absent);
bool proto_get_bool(struct json_object *parameters, const char *name); /* false when absent */
struct json_object *proto_get(struct json_object *parameters, const char *name); /* NULL when absent */

/* Text of a PROTO_WWN. parse: 0 or -EINVAL (malformed, nil, all ones). format: "50:01:..."; returns buf. */
int proto_wwn_parse(const char *text, uint64_t *wwn);
const char *proto_wwn_format(uint64_t wwn, char buf[24]);

bool proto_is_uuid(const char *text);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "verror.h"

static const struct {
	const char *name;
	int err;
	enum vhba_exit exit;
} kinds[VHBA_E_COUNT_] = {
	[VHBA_OK] = {"org.vhba.OK", 0, VHBA_EXIT_DONE},
	[VHBA_E_USAGE] = {"org.vhba.InvalidParameter", EINVAL, VHBA_EXIT_USAGE},
	[VHBA_E_NOT_FOUND] = {"org.vhba.NotFound", ENOENT, VHBA_EXIT_OTHER},
	[VHBA_E_EXISTS] = {"org.vhba.Exists", EEXIST, VHBA_EXIT_OTHER},
	[VHBA_E_STATE] = {"org.vhba.WrongState", EPERM, VHBA_EXIT_OTHER},
	[VHBA_E_BUSY] = {"org.vhba.Busy", EBUSY, VHBA_EXIT_OTHER},
	[VHBA_E_CONSTRAINT] = {"org.vhba.ConstraintNotMet", ENODEV, VHBA_EXIT_CONSTRAINT},
	[VHBA_E_DEADLINE] = {"org.vhba.DeadlinePassed", ETIMEDOUT, VHBA_EXIT_DEADLINE},
	[VHBA_E_UNCONFIRMED] = {"org.vhba.Unconfirmed", EINPROGRESS, VHBA_EXIT_UNCONFIRMED},
	[VHBA_E_PERMISSION] = {"org.vhba.PermissionDenied", EACCES, VHBA_EXIT_OTHER},
	[VHBA_E_IO] = {"org.vhba.InputOutput", EIO, VHBA_EXIT_OTHER},
	[VHBA_E_VERSION] = {"org.vhba.NewerVersion", EPROTO, VHBA_EXIT_OTHER},
	[VHBA_E_INTERNAL] = {"org.vhba.Internal", ENOTRECOVERABLE, VHBA_EXIT_OTHER},
};

const char *vhba_error_name(enum vhba_error_kind kind)
{
	return kinds[kind < VHBA_E_COUNT_ ? kind : VHBA_E_INTERNAL].name;
}

enum vhba_error_kind vhba_error_kind(const char *name)
{
	for (int i = 0; i < VHBA_E_COUNT_; i++)
		if (!strcmp(name, kinds[i].name))
			return (enum vhba_error_kind)i;
	return VHBA_E_INTERNAL;
}

enum vhba_exit vhba_error_exit(enum vhba_error_kind kind)
{
	return kinds[kind < VHBA_E_COUNT_ ? kind : VHBA_E_INTERNAL].exit;
}

/* One line, whatever another program's message has in it: the protocol takes no other text. */
static void make_plain(char *text)
{
	size_t len = 0;

	for (size_t i = 0; text[i]; i++) {
		bool control = (unsigned char)text[i] < 0x20 || text[i] == 0x7f;

		if (!control)
			text[len++] = text[i];
		else if (len && text[len - 1] != ' ')
			text[len++] = ' ';
	}
	while (len && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
}

#define FILL(field)                                                                                          \
	do {                                                                                                 \
		va_list ap_;                                                                                 \
		if (!e)                                                                                      \
			break;                                                                               \
		va_start(ap_, fmt);                                                                          \
		vsnprintf(e->field, sizeof(e->field), fmt, ap_);                                             \
		va_end(ap_);                                                                                 \
		make_plain(e->field);                                                                        \
	} while (0)

int verror_set(struct verror *e, enum vhba_error_kind kind, const char *fmt, ...)
{
	if (e) {
		memset(e, 0, sizeof(*e));
		e->kind = kind;
	}
	FILL(what);
	return -kinds[kind < VHBA_E_COUNT_ ? kind : VHBA_E_INTERNAL].err;
}

void verror_expected(struct verror *e, const char *fmt, ...)
{
	FILL(expected);
}

void verror_seen(struct verror *e, const char *fmt, ...)
{
	FILL(seen);
}

void verror_fix(struct verror *e, const char *fmt, ...)
{
	FILL(fix);
}

const char *verror_line(const struct verror *e, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s%s%s", e->what, e->expected[0] ? ": expected " : "", e->expected,
		 e->seen[0] ? (e->expected[0] ? ", seen " : ": seen ") : "", e->seen, e->fix[0] ? "; " : "",
		 e->fix);
	return buf;
}

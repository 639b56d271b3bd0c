/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one shape of an error that a person or a program sees: a kind (which decides the exit code), what
 * happened, what was expected, what was seen, and what to do.  Fixed-size, owned by the caller, never
 * allocates; texts are cut at their size.
 */
#ifndef VHBA_VERROR_H
#define VHBA_VERROR_H

#include <stddef.h>

#include <vhba/errors.h>

struct verror {
	enum vhba_error_kind kind; /* VHBA_OK when there is none */
	char what[256];
	char expected[160];
	char seen[160];
	char fix[200];
};

/*
 * Fill *e (which may be NULL) and return -(a suitable errno of the kind), so that a caller can
 * "return verror_set(e, VHBA_E_USAGE, ...)".
 */
int verror_set(struct verror *e, enum vhba_error_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Add the parts; each may be called once verror_set has been. Return nothing. */
void verror_expected(struct verror *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void verror_seen(struct verror *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void verror_fix(struct verror *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "what: expected X, seen Y; fix" in one line. Returns buf. */
const char *verror_line(const struct verror *e, char *buf, size_t size);

#endif

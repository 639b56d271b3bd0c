/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * World Wide Names (FC-FS name identifiers), in host byte order.  Thread-safe.
 */
#ifndef FC_WWN_H
#define FC_WWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verror.h"

typedef uint64_t wwn_t; /* 0: none */

#define WWN_TEXT 24 /* room for the longest text form and its NUL */

/*
 * 16 hex digits, with or without colons between the bytes, with or without "0x".  Refuses nil (the kernel
 * takes it), all ones, and what is malformed.  0, or -EINVAL with *e (may be NULL).
 */
int wwn_parse(const char *text, wwn_t *wwn, struct verror *e);

/* "50:06:01:60:00:00:0a:01". Returns buf. */
const char *wwn_format(wwn_t wwn, char buf[WWN_TEXT]);

/* How names are allocated: NAA 2, 3 or 5 (3 has no OUI), and a 24-bit OUI. */
struct wwn_scheme {
	unsigned naa;
	uint32_t oui;
};

/* Fill buf with len random bytes; 0 or -errno. */
typedef int wwn_random(void *buf, size_t len);

/*
 * A name that taken() does not know, drawn at random: names allocated on hosts that don't know each other
 * must not collide by counting.  random NULL: getrandom(2).  0; -EINVAL for a scheme that is none; -EEXIST
 * after too many collisions, with *e.
 */
int wwn_alloc(const struct wwn_scheme *s, wwn_random *random, bool (*taken)(void *arg, wwn_t wwn), void *arg,
	      wwn_t *wwn, struct verror *e);

#endif

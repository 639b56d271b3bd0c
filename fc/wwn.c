/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "wwn.h"

#define ALLOC_TRIES 64

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int refuse(struct verror *e, const char *text, const char *why)
{
	verror_set(e, VHBA_E_USAGE, "'%.40s' is no World Wide Name: %s", text, why);
	verror_expected(e, "16 hexadecimal digits, such as 50:06:01:60:00:00:0a:01");
	return -EINVAL;
}

int wwn_parse(const char *text, wwn_t *wwn, struct verror *e)
{
	const char *p = text;
	bool colons;
	wwn_t v = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	/* Between all bytes or between none: a name that lost a colon has lost more. */
	colons = strchr(p, ':') != NULL;
	for (int i = 0; i < 16; i++, p++) {
		if (colons && i && i % 2 == 0 && *p++ != ':')
			return refuse(e, text, "malformed");
		if (hex_value(*p) < 0)
			return refuse(e, text, "malformed");
		v = v << 4 | (wwn_t)hex_value(*p);
	}
	if (*p)
		return refuse(e, text, "too long");
	if (!v)
		return refuse(e, text, "it is nil");
	if (v == UINT64_MAX)
		return refuse(e, text, "all bits are ones");
	*wwn = v;
	return 0;
}

const char *wwn_format(wwn_t wwn, char buf[WWN_TEXT])
{
	snprintf(buf, WWN_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(wwn >> 56 & 0xff),
		 (unsigned)(wwn >> 48 & 0xff), (unsigned)(wwn >> 40 & 0xff), (unsigned)(wwn >> 32 & 0xff),
		 (unsigned)(wwn >> 24 & 0xff), (unsigned)(wwn >> 16 & 0xff), (unsigned)(wwn >> 8 & 0xff),
		 (unsigned)(wwn & 0xff));
	return buf;
}

static int system_random(void *buf, size_t len)
{
	return getrandom(buf, len, 0) == (ssize_t)len ? 0 : -EIO;
}

/* FC-FS-3 clause 15: where the random bits go under each name address authority. */
static int compose(const struct wwn_scheme *s, uint64_t r, wwn_t *wwn)
{
	uint64_t oui = s->oui & 0xffffff;

	if (s->naa == 2)
		*wwn = UINT64_C(2) << 60 | (r >> 24 & 0xfff) << 48 | oui << 24 | (r & 0xffffff);
	else if (s->naa == 3)
		*wwn = UINT64_C(3) << 60 | (r & UINT64_C(0xfffffffffffffff));
	else if (s->naa == 5)
		*wwn = UINT64_C(5) << 60 | oui << 36 | (r & UINT64_C(0xfffffffff));
	else
		return -EINVAL;
	return 0;
}

int wwn_alloc(const struct wwn_scheme *s, wwn_random *random, bool (*taken)(void *arg, wwn_t wwn), void *arg,
	      wwn_t *wwn, struct verror *e)
{
	for (int i = 0; i < ALLOC_TRIES; i++) {
		uint64_t r;

		if ((random ? random : system_random)(&r, sizeof(r)))
			return verror_set(e, VHBA_E_INTERNAL, "no random numbers for a World Wide Name");
		if (compose(s, r, wwn)) {
			verror_set(e, VHBA_E_USAGE, "names can't be allocated with NAA %u", s->naa);
			verror_expected(e, "2, 3 or 5");
			return -EINVAL;
		}
		if (*wwn && !taken(arg, *wwn))
			return 0;
	}
	verror_set(e, VHBA_E_EXISTS, "no free World Wide Name found under OUI %06" PRIx32 ", NAA %u", s->oui,
		   s->naa);
	verror_seen(e, "%d names drawn at random, each taken", ALLOC_TRIES);
	verror_fix(e, "give the name yourself, or configure another OUI");
	return -EEXIST;
}

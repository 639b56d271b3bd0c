/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "wwn_text.h"

int wwn_parse(const char *text, uint64_t *wwn)
{
	unsigned digits = 0;
	uint64_t v = 0;

	if (!strncmp(text, "0x", 2))
		text += 2;
	for (; *text; text++) {
		if (*text == ':' && digits && digits % 2 == 0 && text[-1] != ':' && digits < 16)
			continue;
		if (!isxdigit((unsigned char)*text) || ++digits > 16)
			return -EINVAL;
		v = v << 4 |
		    (uint64_t)(isdigit((unsigned char)*text) ? *text - '0'
							     : tolower((unsigned char)*text) - 'a' + 10);
	}
	if (digits != 16 || !v)
		return -EINVAL;
	*wwn = v;
	return 0;
}

const char *wwn_format(uint64_t wwn, char buf[WWN_TEXT_SIZE])
{
	char *p = buf;

	for (int i = 7; i >= 0; i--)
		p += sprintf(p, i ? "%02x:" : "%02x", (unsigned)(wwn >> 8 * i & 0xff));
	return buf;
}

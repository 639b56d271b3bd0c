/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* World Wide Names as text: 16 hexadecimal digits, colons between bytes allowed, "0x" before them allowed. */
#ifndef FABRIC_WWN_TEXT_H
#define FABRIC_WWN_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define WWN_TEXT_SIZE 24

/* 0, or -EINVAL; the nil name is refused. */
int wwn_parse(const char *text, uint64_t *wwn);

/* "50:00:00:00:00:00:00:01", in buf. */
const char *wwn_format(uint64_t wwn, char buf[WWN_TEXT_SIZE]);

#endif

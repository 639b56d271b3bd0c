/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FC_VPD_H
#define FC_VPD_H

#include <stddef.h>
#include <stdint.h>

/*
 * The logical unit's best designator in VPD page 0x83 (SPC-4 7.8.6) as text: "naa.6..." before "eui." before
 * "t10."; within a kind the longer one.  page is hostile.  0, or -ENOENT with "" in text.
 */
int vpd83_designator(const uint8_t *page, size_t len, char *text, size_t size);

#endif

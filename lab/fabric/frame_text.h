/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line about an Ethernet frame with FIP or FCoE in it, for people: "vlan 10 010100 > fffffc CT GPN_FT OX
 * 12 RX ffff len 20". */
#ifndef FABRIC_FRAME_TEXT_H
#define FABRIC_FRAME_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Returns buf; cut at its size. Any bytes may be given. */
const char *frame_text(const uint8_t *eth, size_t len, char *buf, size_t size);

#endif

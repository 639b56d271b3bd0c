/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TransportIDs (SPC-4, 7.6.4): ours are Fibre Channel's, since a nexus is a WWPN. */
#ifndef VHBA_DISK_TRANSPORT_ID_H
#define VHBA_DISK_TRANSPORT_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "be.h"

#define TRANSPORT_ID_SIZE 24
#define RELATIVE_PORT 1

/* b has TRANSPORT_ID_SIZE zeros. */
static inline void transport_id_put(uint8_t *b, uint64_t nexus)
{
	put_be64(nexus, b + 8); /* FORMAT CODE 0, PROTOCOL IDENTIFIER 0: FCP */
}

/* Of TRANSPORT_ID_SIZE bytes; 0: none of ours. */
static inline uint64_t transport_id_get(const uint8_t *b)
{
	return b[0] ? 0 : get_be64(b + 8);
}

#endif

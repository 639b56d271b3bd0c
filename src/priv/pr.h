/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What PERSISTENT RESERVE IN tells of one LUN, as one initiator is concerned (SPC-4 6.15). Bytes from the
 * array: hostile. */
#ifndef VHBA_PR_H
#define VHBA_PR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pr_seen {
	bool key_known; /* READ FULL STATUS has told; READ RESERVATION does not */
	uint64_t key; /* with which the initiator is registered; 0: it is not */
	unsigned type; /* of the reservation; 0: there is none */
	uint64_t holder; /* its key; 0 for a type that all registrants hold */
};

/* READ FULL STATUS data; wwpn is the initiator. 0; -EBADMSG: it is none. */
int pr_parse_full_status(const uint8_t *data, size_t len, uint64_t wwpn, struct pr_seen *s);

/* READ RESERVATION data: all but the key. 0; -EBADMSG. */
int pr_parse_reservation(const uint8_t *data, size_t len, struct pr_seen *s);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Before a VM comes here: which of the LUN paths that a vhba is expected to have this host's own ports see.
 * Arrays mask by initiator and switches zone by name, so what an own port sees proves that the LUN can be
 * reached from here, and what it does not see proves nothing: it is said, and fails nothing.
 *
 * Only what sysfs shows is read: nothing is asked of a device or of the wire.  Loop thread only.
 */
#ifndef VHBA_REACH_H
#define VHBA_REACH_H

#include <json-c/json.h>

#include "daemon.h"

#define REACH_REASONS 8
#define REACH_TEXT 256

struct reach {
	bool known; /* it has been attached once, so that its LUNs were recorded */
	unsigned paths; /* expected: each a target port and a LUN of it */
	unsigned seen; /* of them; under any number, since masking gives the numbers too */
	unsigned differ; /* another LUN has the number that was expected of this one */
	unsigned reasons_n; /* may be more than are kept */
	char reason[REACH_REASONS][REACH_TEXT]; /* why the rest is not proved, a target port each; those of
						   the zones too */
};

void reach_look(const struct daemon *d, const struct reg_vhba *v, struct reach *r);

/* One line for a person.  beside: the vhba's alternate name logs in here before the guest is paused. */
const char *reach_text(const struct reach *r, unsigned vhba, bool beside, char *buf, size_t size);

/* An entry of preflight's "luns" of each vhba of the VM; the caller owns the list. */
struct json_object *reach_show(const struct daemon *d, const struct reg_vm *vm);

/* What is not proved is noted, as events of the VM. */
void reach_note(struct daemon *d, const struct reg_vm *vm);

#endif

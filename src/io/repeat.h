/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command ends with that a quiesce cut off: the one place that decides.
 *
 * BUSY says to the initiator "not executed: send it again", and the guest does so without a word to anybody.
 * So it may be said of a command that was not begun, and of one for which it makes no difference whether it
 * was executed once or twice.  Any other ends as the loss of the I_T nexus would end it (unit attention
 * 29/07): whoever sent it learns that he has to look what became of it, and nothing sends it again by itself.
 */
#ifndef VHBA_REPEAT_H
#define VHBA_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "scsi_task.h"

enum repeat_verdict {
	REPEAT_HARMLESS,
	REPEAT_NEVER,
};

#define REPEAT_ANY_ACTION (-1)

struct repeat_rule {
	uint8_t opcode;
	int action; /* service action, or REPEAT_ANY_ACTION */
	enum repeat_verdict verdict;
	const char *why;
};

/* What holds for a CDB of SCSI_CDB_MAX bytes; never NULL: what is not in the table is never repeated. */
const struct repeat_rule *repeat_rule(const uint8_t *cdb);

/*
 * End a task that was cut off. begun: it may have been executed, wholly or in part. descriptor: the format of
 * sense data that the initiator asked for (D_SENSE).
 */
void repeat_cut_off(struct scsi_task *, bool begun, bool descriptor);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a target answers for all of its logical units at once, or for one that it doesn't have (SPC-4, 6.33
 * and 6.4.2; SAM-5, 4.7).  For the transport, which knows the LUNs.
 */
#ifndef VHBA_SCSI_LUNS_H
#define VHBA_SCSI_LUNS_H

#include <stdint.h>

#include "scsi_task.h"

#define SCSI_LUN_REPORT_LUNS UINT64_C(0xc101000000000000) /* the well known one, as a number */

/* A LUN number below 16384 as the 8 bytes of a single level LUN structure: peripheral, then flat addressing.
 */
uint64_t scsi_lun_from_number(unsigned number);

/*
 * REPORT LUNS, to any LUN of the target. The list is of 8-byte LUN structures as numbers (big-endian), in any
 * order, without well known ones; SELECT REPORT is honoured.
 */
void scsi_report_luns(struct scsi_task *, const uint64_t *luns, unsigned n);

/*
 * Any other command to a LUN that isn't there, or with well_known set to the REPORT LUNS well known unit:
 * INQUIRY and REQUEST SENSE are answered, everything else is LOGICAL UNIT NOT SUPPORTED (or INVALID COMMAND
 * OPERATION CODE).
 */
void scsi_no_lun(struct scsi_task *, bool well_known);

#endif

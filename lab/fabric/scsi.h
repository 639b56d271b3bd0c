/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The SCSI device server of a LUN (SPC-4, SBC-3): a whole command in, status, sense and data out.  It knows
 * nothing of FCP, of frames or of time; single-threaded.
 */
#ifndef FABRIC_SCSI_H
#define FABRIC_SCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lun.h"

#define SCSI_CDB_LEN 16
#define SCSI_SENSE_LEN 18 /* fixed format, SPC-4 4.5.3 */
#define SCSI_DATA_MAX (16u << 20) /* bytes that one command moves at most; more is INVALID FIELD IN CDB */

enum scsi_status {
	SCSI_GOOD = 0x00,
	SCSI_CHECK_CONDITION = 0x02,
	SCSI_BUSY = 0x08,
	SCSI_RESERVATION_CONFLICT = 0x18,
	SCSI_TASK_SET_FULL = 0x28,
	SCSI_TASK_ABORTED = 0x40,
};

enum scsi_key {
	SCSI_KEY_NONE = 0x0,
	SCSI_KEY_NOT_READY = 0x2,
	SCSI_KEY_MEDIUM_ERROR = 0x3,
	SCSI_KEY_ILLEGAL_REQUEST = 0x5,
	SCSI_KEY_UNIT_ATTENTION = 0x6,
	SCSI_KEY_ABORTED_COMMAND = 0xb,
	SCSI_KEY_MISCOMPARE = 0xe,
};

/* One command. The first part is the caller's, the second scsi_execute's. */
struct scsi_command {
	struct lun_store *lun; /* NULL: no such LUN for this initiator */
	struct pr_nexus nexus;
	uint64_t target_wwnn;
	const uint16_t *luns; /* what REPORT LUNS lists to this initiator */
	size_t lun_count;
	uint8_t cdb[SCSI_CDB_LEN];
	const uint8_t *data_out;
	size_t data_out_len;

	enum scsi_status status;
	uint8_t sense[SCSI_SENSE_LEN]; /* valid with CHECK CONDITION */
	uint8_t *data_in; /* the caller frees it; NULL: none */
	size_t data_in_len; /* already cut to the CDB's allocation length */
};

/*
 * How many bytes of data-out the CDB asks for (0: none or unknown). Says nothing of whether the command is
 * right.
 */
size_t scsi_data_out_len(const struct lun_store *lun, const uint8_t cdb[SCSI_CDB_LEN]);

/* The command changes the medium (WRITE, WRITE SAME, UNMAP, COMPARE AND WRITE). */
bool scsi_is_write(const uint8_t cdb[SCSI_CDB_LEN]);

/* Commands that SPC-4 5.14 answers although a unit attention waits: INQUIRY, REPORT LUNS, REQUEST SENSE. */
bool scsi_ignores_unit_attention(const uint8_t cdb[SCSI_CDB_LEN]);

/* Execute. Always leaves a status; short data-out is CHECK CONDITION, never a read past its end. */
void scsi_execute(struct scsi_command *c);

/* Make it end with CHECK CONDITION and this sense. */
void scsi_check(struct scsi_command *c, enum scsi_key key, uint8_t asc, uint8_t ascq);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sense data, in fixed and in descriptor format (SPC-4, 4.5), and the few codes that vhba-io says itself.
 */
#ifndef VHBA_SCSI_SENSE_H
#define VHBA_SCSI_SENSE_H

#include <stdbool.h>
#include <stdint.h>

#include "scsi_task.h"

enum scsi_key {
	KEY_NO_SENSE = 0x0,
	KEY_NOT_READY = 0x2,
	KEY_MEDIUM_ERROR = 0x3,
	KEY_HARDWARE_ERROR = 0x4,
	KEY_ILLEGAL_REQUEST = 0x5,
	KEY_UNIT_ATTENTION = 0x6,
	KEY_DATA_PROTECT = 0x7,
	KEY_ABORTED_COMMAND = 0xb,
	KEY_MISCOMPARE = 0xe,
};

/* ASC << 8 | ASCQ (SPC-4, annex D) */
enum scsi_asc {
	ASC_NONE = 0x0000,
	ASC_MANUAL_INTERVENTION = 0x0403, /* of NOT READY */
	ASC_WRITE_ERROR = 0x0c00,
	ASC_READ_ERROR = 0x1100,
	ASC_PARAMETER_LIST_LENGTH = 0x1a00,
	ASC_MISCOMPARE = 0x1d00,
	ASC_INVALID_OPCODE = 0x2000,
	ASC_LBA_OUT_OF_RANGE = 0x2100,
	ASC_INVALID_FIELD_IN_CDB = 0x2400,
	ASC_LUN_NOT_SUPPORTED = 0x2500,
	ASC_INVALID_FIELD_IN_PARAMETERS = 0x2600,
	ASC_INVALID_RELEASE = 0x2604,
	ASC_WRITE_PROTECTED = 0x2700,
	ASC_SPACE_ALLOCATION_FAILED = 0x2707,
	ASC_POWER_ON = 0x2901,
	ASC_LUN_RESET = 0x2903,
	ASC_NEXUS_LOSS = 0x2907,
	ASC_MODE_CHANGED = 0x2a01,
	ASC_RESERVATIONS_PREEMPTED = 0x2a03,
	ASC_RESERVATIONS_RELEASED = 0x2a04,
	ASC_REGISTRATIONS_PREEMPTED = 0x2a05,
	ASC_CAPACITY_CHANGED = 0x2a09,
	ASC_SAVING_NOT_SUPPORTED = 0x3900,
	ASC_LUN_NOT_ACCESSIBLE = 0x3e01, /* LOGICAL UNIT FAILURE */
	ASC_LUNS_CHANGED = 0x3f0e,
	ASC_INTERNAL_FAILURE = 0x4400,
	ASC_INSUFFICIENT_REGISTRATIONS = 0x5504,
};

/* What besides key and code may be known of an error. */
struct scsi_detail {
	bool has_info;
	uint64_t info; /* INFORMATION: an LBA, or the offset of a miscompare */
	bool has_field; /* SENSE KEY SPECIFIC: the field pointer of ILLEGAL REQUEST */
	bool in_cdb; /* the CDB's field, not the parameter list's */
	uint16_t byte;
	int bit; /* the most significant one of the field; -1: not said */
};

#define SENSE_FIXED_SIZE 18

/*
 * Build sense data. buf has room for SCSI_SENSE_MAX bytes; returns the length. INFORMATION that 32 bits can't
 * hold is left out of the fixed format, as SPC-4, 4.5.3 says.
 */
unsigned scsi_sense_build(uint8_t *buf, bool descriptor, enum scsi_key, enum scsi_asc,
			  const struct scsi_detail *);

/* The sense key of sense data in either format, and their code; KEY_NO_SENSE and ASC_NONE when they are too
 * short. */
enum scsi_key scsi_sense_read(const uint8_t *sense, unsigned len, enum scsi_asc *asc);

/* End the task with CHECK CONDITION. detail may be NULL. */
void scsi_check(struct scsi_task *, bool descriptor, enum scsi_key, enum scsi_asc,
		const struct scsi_detail *);

/* End the task with a status that has no sense data. */
void scsi_end(struct scsi_task *, enum scsi_status);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of the device server, for scsi*.c and pr_in.c only. */
#ifndef FABRIC_SCSI_PRIVATE_H
#define FABRIC_SCSI_PRIVATE_H

#include "scsi.h"

/* Additional sense codes and qualifiers in one number. */
enum scsi_asc {
	ASC_PORT_IN_TRANSITION = 0x040a,
	ASC_PORT_IN_STANDBY = 0x040b,
	ASC_PORT_UNAVAILABLE = 0x040c,
	ASC_PARAMETER_LIST_LENGTH = 0x1a00,
	ASC_MISCOMPARE = 0x1d00,
	ASC_INVALID_OPCODE = 0x2000,
	ASC_LBA_OUT_OF_RANGE = 0x2100,
	ASC_INVALID_FIELD_IN_CDB = 0x2400,
	ASC_NO_SUCH_LUN = 0x2500,
	ASC_INVALID_FIELD_IN_LIST = 0x2600,
	ASC_INVALID_RELEASE = 0x2604,
	ASC_NO_REGISTRATION_RESOURCES = 0x5504,
	ASC_WRITE_ERROR = 0x0c00,
	ASC_READ_ERROR = 0x1100,
	ASC_INTERNAL_FAILURE = 0x4400,
};

/* What the block limits page promises and commands are held to. */
#define SCSI_UNMAP_BLOCKS_MAX 0x00400000u
#define SCSI_UNMAP_DESCRIPTORS_MAX 256u
#define SCSI_SAME_BLOCKS_MAX 0x00400000u

void scsi_refuse(struct scsi_command *c, enum scsi_asc asc); /* ILLEGAL REQUEST */
void scsi_fail(struct scsi_command *c, enum scsi_key key, enum scsi_asc asc);

/* A zeroed buffer for data-in, at most `allocation` bytes of which are shown; NULL: status is set. */
uint8_t *scsi_data_in(struct scsi_command *c, size_t len, size_t allocation);

/* The range of blocks in a CDB of 6, 10, 12 or 16 bytes. */
struct scsi_range {
	uint64_t lba;
	uint64_t count;
};

struct scsi_range scsi_range_of(const uint8_t cdb[SCSI_CDB_LEN]);

typedef void scsi_handler(struct scsi_command *c);

/* scsi_inquiry.c */
scsi_handler scsi_inquiry;
/* scsi_block.c */
scsi_handler scsi_test_unit_ready, scsi_start_stop, scsi_read, scsi_write, scsi_read_capacity_10,
	scsi_service_action_in;
scsi_handler scsi_compare_and_write, scsi_write_same, scsi_unmap, scsi_sync, scsi_verify;
/* scsi_misc.c */
scsi_handler scsi_report_luns, scsi_mode_sense_6, scsi_mode_sense_10, scsi_request_sense;
scsi_handler scsi_pr_in, scsi_pr_out;
/* scsi_access.c */
scsi_handler scsi_maintenance_in;
/* By the state of the port that it came by; false: status is set. */
bool scsi_is_accessible(struct scsi_command *c);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk on a file, and what a transport does with it: for the ut-disk programs. */
#ifndef UT_DISK_RIG_H
#define UT_DISK_RIG_H

#include "disk.h"

#define RIG_A UINT64_C(0x2100001b32000001)
#define RIG_B UINT64_C(0x2100001b32000002)
#define RIG_C UINT64_C(0x2100001b32000003)
#define RIG_BUFFER (2u << 20)

struct rig {
	struct disk *d;
	struct disk_config config;
	int fd, state; /* the rig's own, beside the disk's */
	struct scsi_task t;
	struct iovec in[3], out[3];
	uint8_t *answer; /* the Data-In, RIG_BUFFER bytes, 0xee where nothing was put */
	int begun; /* what disk_begin said last */
	unsigned io_flags; /* of the last DISK_IO */
	enum disk_op io_op;
	size_t io_most; /* move at most this much at once; 0: all */
};

/* A disk of "blocks" of 512 bytes on a memfd, with a state file; not started. */
void rig_init(struct rig *, uint64_t blocks);
/* Open (again), on the same files. Power on and the unit attention of A and B done with. */
void rig_open(struct rig *, enum disk_start);
/* The disk closed, the files kept. */
void rig_shut(struct rig *);
void rig_free(struct rig *);

/* One command, from one end to the other. Returns the status; the CDB is of 16 bytes at most. */
int rig_do(struct rig *, uint64_t nexus, const uint8_t *cdb, size_t cdb_len, const void *out, size_t out_len,
	   size_t in_len);
/* The same for a task of one's own, so that several threads may have one disk. */
void rig_execute(struct disk *, uint64_t nexus, struct scsi_task *);

/* 0: GOOD; sense key << 16 | ASC << 8 | ASCQ of a CHECK CONDITION, as sg3-utils reads it; -status else. */
int rig_said(const struct rig *);
/* INFORMATION of the sense data; UINT64_MAX: none. */
uint64_t rig_info(const struct rig *);

#define CDB(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
/* A command without data, with Data-In, with Data-Out; the result is rig_said's. */
#define DO(r, nexus, ...) (rig_do(r, nexus, CDB(__VA_ARGS__), NULL, 0, 0), rig_said(r))
#define IN(r, nexus, len, ...) (rig_do(r, nexus, CDB(__VA_ARGS__), NULL, 0, len), rig_said(r))
#define OUT(r, nexus, data, len, ...) (rig_do(r, nexus, CDB(__VA_ARGS__), data, len, 0), rig_said(r))

#define BE2(v) (uint8_t)((v) >> 8), (uint8_t)(v)
#define BE4(v) BE2((uint32_t)(v) >> 16), BE2(v)
#define BE8(v) BE4((uint64_t)(v) >> 32), BE4(v)

#define SAID_OUT_OF_RANGE 0x052100
#define SAID_BAD_CDB 0x052400
#define SAID_BAD_PARAMETER 0x052600
#define SAID_BAD_LENGTH 0x051a00
#define SAID_BAD_OPCODE 0x052000
#define SAID_MISCOMPARE 0x0e1d00
#define SAID_PROTECTED 0x072700
#define SAID_POWER_ON 0x062901
#define SAID_CONFLICT (-0x18)

#endif

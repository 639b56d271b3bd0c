/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SCSI direct-access logical unit on a file or a block device.
 *
 * The disk decides and answers; who moves the data of READ and WRITE between the guest and the file is the
 * caller, since it has the rings:
 *
 *	switch (disk_begin(d, nexus, task, &io)) {
 *	case DISK_DONE:		the answer stands in the task
 *	case DISK_IO:		do io, then disk_end(d, task, &io, result);
 *				as long as that says DISK_IO, do the rest
 *	case DISK_BLOCKING:	a thread that may block calls disk_run(d, nexus, task):
 *				the answer stands in the task
 *	}
 *
 * Threads: disk_begin and disk_end never block, take no lock and allocate nothing when they end in READ or
 * WRITE; any number of threads may be in any of these functions at once, each with its own task.  Only
 * disk_start and disk_close must be alone.  disk_run, disk_save, disk_resized, disk_reset and disk_attention
 * may wait for the file, for one another and for I/O that disk_begin let pass: never call them from a thread
 * that has to call disk_end.
 *
 * A nexus is the initiator port's name (its WWPN), so it is the same after a move; it is what persistent
 * reservations are registered for; never 0.  At most DISK_NEXUS_MAX of them are ever known to a disk; what
 * comes from one more is answered with BUSY.
 *
 * Sources: SPC-4 r37, SBC-3 r36, SAM-5.
 */
#ifndef VHBA_DISK_H
#define VHBA_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scsi_sense.h"
#include "scsi_task.h"
#include "verror.h"

#define DISK_NEXUS_MAX 64

struct disk;

struct disk_config {
	int fd; /* the file or block device, open for reading, and for writing too unless read_only */
	/*
	 * Where reservations, registrations and mode parameters are kept, so that they survive a move and,
	 * with APTPL, a power loss; -1: nowhere. A regular file, opened for reading and writing, by one
	 * process at a time; empty when the disk is new.
	 */
	int state_fd;
	uint8_t naa[16]; /* the designator of VPD page 0x83, NAA 2, 3, 5 (8 bytes) or 6 (16 bytes) */
	unsigned naa_len; /* 8 or 16 */
	uint64_t target_port; /* WWPN of the target port that the guest sees; 0: not said */
	const char *serial, *vendor, *product, *revision; /* printable ASCII, cut to 32, 8, 16, 4; copied */
	uint32_t block_size; /* logical, bytes: a power of two, 512..4096 */
	unsigned physical_exponent; /* physical block = block_size << this, at most 7 */
	bool read_only;
	bool write_cache; /* WCE as the guest finds it; it may change it */
	bool unmap; /* holes may be punched */
	bool rotational;
};

/*
 * Returns NULL with *e said.  On success the disk owns both fds and closes them in disk_close; on failure
 * they stay the caller's.
 */
struct disk *disk_open(const struct disk_config *, struct verror *e);

enum disk_start {
	DISK_POWER_ON, /* the guest boots: what APTPL does not keep is gone, everybody is told 29/01 */
	DISK_RESUMED, /* the guest runs on, moved here or not: it is told of nothing but a changed size */
};

/*
 * Before the first task, and again after a stop during which another process may have had the disk: take up
 * the state file as it is now, look at the size again and forget cached pages, so that what a move's source
 * wrote last is seen. No task may be under way. 0, or -errno with *e said: then the disk is NOT READY until a
 * start succeeds, since nobody knows what is reserved. It may block.
 */
int disk_start(struct disk *, enum disk_start, struct verror *e);
/* It has found another size than was known before, here or where the disk was served last. */
bool disk_was_resized(const struct disk *);

/* No task may be under way. */
void disk_close(struct disk *);

enum disk_next { DISK_DONE, DISK_IO, DISK_BLOCKING };

enum disk_op { DISK_OP_READ, DISK_OP_WRITE, DISK_OP_FSYNC };

#define DISK_IO_FUA 1u /* the data must be stable before it ends: RWF_DSYNC */

/* What the caller does: "length" bytes at "offset" of the file, in task->in or task->out. */
struct disk_io {
	enum disk_op op;
	int fd; /* the file */
	unsigned flags; /* DISK_IO_... */
	uint64_t offset, length; /* bytes; both 0 for DISK_OP_FSYNC, which is fdatasync of the file */
	size_t skip; /* bytes of the task's iovecs that are done already; 0 at first */
	uint32_t gate; /* the disk's own */
	uint32_t tried; /* a SCSI device's own */
};

/* The task's answer part need not be cleared before. */
enum disk_next disk_begin(struct disk *, uint64_t nexus, struct scsi_task *, struct disk_io *);

/*
 * Once for each DISK_IO, always, even when nothing was submitted: result is the number of bytes, or -errno.
 * -ECANCELED says that it was never executed and ends the task with BUSY.  DISK_IO: there is more to do, and
 * *io says what, maybe with another op: the rest of what was cut short, or the read after a flush.
 */
enum disk_next disk_end(struct disk *, struct scsi_task *, struct disk_io *, int64_t result);

/* Execute what disk_begin said DISK_BLOCKING to. A task not begun may be given up instead, with BUSY. */
void disk_run(struct disk *, uint64_t nexus, struct scsi_task *);

int disk_fd(const struct disk *);
bool disk_descriptor_sense(const struct disk *); /* D_SENSE: the format in which the guest wants sense data */
uint64_t disk_blocks(const struct disk *);
uint32_t disk_block_size(const struct disk *);

/*
 * The file may have another size: read it, and raise CAPACITY DATA HAS CHANGED for everybody if so. Returns 1
 * when it had changed, 0 when not, or -errno.
 */
int disk_resized(struct disk *);

enum disk_reset {
	DISK_RESET_LUN, /* LOGICAL UNIT RESET: everybody is told, mode parameters are the defaults again */
	DISK_RESET_NEXUS, /* I_T NEXUS RESET, or the nexus was lost: that nexus is told */
};

/* What a task management function does to the disk once the tasks it ends are ended; that is the caller's. */
void disk_reset(struct disk *, uint64_t nexus, enum disk_reset);

/* Unit attentions, those that go first first (SAM-5, 5.14). */
enum disk_attention {
	DISK_UA_POWER_ON, /* 29/01 */
	DISK_UA_LUN_RESET, /* 29/03 */
	DISK_UA_NEXUS_LOSS, /* 29/07 */
	DISK_UA_MODE_CHANGED, /* 2A/01 */
	DISK_UA_RESERVATIONS_PREEMPTED, /* 2A/03 */
	DISK_UA_RESERVATIONS_RELEASED, /* 2A/04 */
	DISK_UA_REGISTRATIONS_PREEMPTED, /* 2A/05 */
	DISK_UA_CAPACITY_CHANGED, /* 2A/09 */
	DISK_UA_LUNS_CHANGED, /* 3F/0E */
	DISK_UA_N,
};

enum scsi_asc disk_attention_asc(enum disk_attention);

/* Raise one for one nexus, or with nexus 0 for everybody. */
void disk_attention(struct disk *, uint64_t nexus, enum disk_attention);

/*
 * Write the state, with the unit attentions that nobody has seen yet: once a move's source is quiet. 0 or
 * -errno; 0 also without a state file. Everything else in the state is written when it changes.
 */
int disk_save(struct disk *);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands behind a LUN: a disk of our own on a file (disk/), or a SCSI device of the host's (pass.h).
 *
 * Each function does, and may do, what its namesake in disk.h says, in the same words; but for one more
 * thing: end may say DISK_BLOCKING, and means the whole command by it.
 *
 * way and answered are run in two steps, for what need not block; both may be NULL. way: the path by whose
 * bsg node the command goes, but none of those tried; NULL: run does it. answered: what came of it, but for
 * its data, which are the caller's; true: it goes by another path, those tried are noted.
 */
#ifndef VHBA_IO_UNIT_H
#define VHBA_IO_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "disk.h"
#include "sg.h"

struct unit;
struct path;
struct paths;
struct command;

struct unit_ops {
	int (*start)(struct unit *, enum disk_start, struct verror *);
	enum disk_next (*begin)(struct unit *, uint64_t nexus, struct scsi_task *, struct disk_io *);
	enum disk_next (*end)(struct unit *, struct scsi_task *, struct disk_io *, int64_t result);
	void (*run)(struct unit *, uint64_t nexus, struct scsi_task *);
	struct path *(*way)(struct unit *, const struct scsi_task *, uint32_t tried);
	bool (*answered)(struct unit *, struct scsi_task *, struct command *, enum sg_end);
	bool (*descriptor_sense)(const struct unit *);
	uint64_t (*blocks)(const struct unit *);
	int (*resized)(struct unit *);
	void (*reset)(struct unit *, uint64_t nexus, enum disk_reset);
	void (*attention)(struct unit *, uint64_t nexus, enum disk_attention);
	int (*save)(struct unit *);
	void (*close)(struct unit *);
};

#define UNIT_LOCKS_MAX 16

/* The first member of each kind. */
struct unit {
	const struct unit_ops *ops;
	int fd; /* of READ and WRITE; of several one, which says what all are like */
	uint32_t block_size; /* logical, bytes */
	unsigned physical_exponent; /* a physical block is block_size << this */
	bool read_only;
	bool absent; /* a SCSI device without a path, which the guest knows: each command is BUSY */
	bool one_path; /* of a SCSI device: the guest has its other paths as other LUNs */
	bool keeps_state; /* save takes time */
	bool resized; /* the last start has found another size than the guest knows */
	int lock[UNIT_LOCKS_MAX]; /* by which commands go: see lock.h */
	unsigned locks;
	struct paths *paths; /* of a SCSI device; NULL: it has none */
};

/* The disk, opened with this config, becomes the unit's. NULL: no memory, and it is still the caller's. */
struct unit *unit_of_disk(struct disk *, const struct disk_config *);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both halves of a SCSI device as a unit (pass.h) have in common. */
#ifndef VHBA_IO_PASS_PRIVATE_H
#define VHBA_IO_PASS_PRIVATE_H

#include <stdatomic.h>

#include "extent.h"
#include "pass.h"

struct pass {
	struct unit unit;
	struct paths paths;
	unsigned block_shift;
	_Atomic uint64_t blocks;
	uint64_t seen[PATHS_MAX]; /* how many by each path; one that looks at a time */
	atomic_uint attentions; /* bits: 1 << enum disk_attention */
};

static inline struct pass *pass_of(struct unit *u)
{
	return (struct pass *)u;
}

struct transfer {
	bool write;
	uint8_t flags; /* byte 1, where it has flags */
	struct extent x;
	uint64_t length; /* bytes */
};

/* READ or WRITE of some plain blocks, without protection information? */
bool transfer_of(const struct pass *, const struct scsi_task *, struct transfer *);

/* Of its unit_ops. */
void pass_run(struct unit *, uint64_t nexus, struct scsi_task *);
struct path *pass_way(struct unit *, const struct scsi_task *, uint32_t tried);
bool pass_answered(struct unit *, struct scsi_task *, struct command *, enum sg_end);

#endif

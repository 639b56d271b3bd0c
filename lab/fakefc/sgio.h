/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SG_IO on the model's device nodes: sg v3 (scsi/sg.h) on /dev/sgN, sg v4 for the FC transport (linux/bsg.h,
 * scsi/scsi_bsg_fc.h) on /dev/bsg/fc_hostN.
 *
 * A FUSE server is given the caller's pointer and nothing of what it points to, so the caller's memory is
 * read and written through memory, which process_vm_readv(2) is behind. All that stands there is hostile.
 */
#ifndef FAKEFC_SGIO_H
#define FAKEFC_SGIO_H

#include "fakefc.h"

struct memory {
	/* 0 or -errno; the whole or nothing. */
	int (*get)(const struct memory *m, uint64_t from, void *to, size_t len);
	int (*put)(const struct memory *m, uint64_t to, const void *from, size_t len);
	void *arg;
	int pid;
};

/* What ioctl(2) returns, or -errno. */
int sgio_ioctl(struct fakefc *f, const struct node *n, unsigned cmd, uint64_t arg, const struct memory *m);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCSI commands to many LUNs at once, through their sg nodes (version 3, asynchronously: write, poll, read;
 * drivers/scsi/sg.c). sgutils' do_scsi_pt waits for one command at a time, in the kernel.  Nothing here
 * blocks: a command that does not end by the deadline is left to the kernel, which ends it when the vport
 * logs out.
 */
#ifndef VHBA_SGIO_H
#define VHBA_SGIO_H

#include <stddef.h>
#include <stdint.h>

#include "monotime.h"

#define SGIO_CDB 16
#define SGIO_SENSE 32

enum sgio_result {
	SGIO_NOT_BEGUN, /* no time was left */
	SGIO_GOOD,
	SGIO_ERROR, /* err: the node, or the transport */
	SGIO_STATUS, /* a SCSI status that is not GOOD, with the sense data of a CHECK CONDITION */
	SGIO_NO_END, /* it has not ended in time, and may yet */
};

struct sgio {
	int fd; /* the sg node, O_RDWR | O_NONBLOCK; the caller's */
	uint8_t cdb[SGIO_CDB];
	uint8_t cdb_len;
	uint8_t *data; /* from the device; NULL: none */
	uint32_t data_len;
	/* what came of it */
	enum sgio_result result;
	int err; /* SGIO_ERROR: -errno */
	uint8_t status;
	uint8_t sense[SGIO_SENSE];
	uint8_t sense_len;
	uint32_t got; /* bytes of data */
	unsigned tries;
};

/* All at once, each again after a unit attention; returns when all have ended, or at `by`. */
void sgio_run(struct sgio *job, size_t n, struct monotime by);

/* "no answer", "reservation conflict", "sense 05/20/00" ... in buf; returns buf. */
const char *sgio_text(const struct sgio *job, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Just enough of an iSCSI target for libiscsi's test suite, which speaks nothing else: one session a
 * connection, no digests, no authentication, one command at a time.  A test's tool: it trusts its initiator.
 */
#ifndef VHBA_TESTS_ISCSI_H
#define VHBA_TESTS_ISCSI_H

#include "scsi_task.h"

struct iscsi_target {
	/* Called by one thread a session. nexus: made of the initiator's name; lun: 8 bytes as a number */
	void (*execute)(void *arg, uint64_t nexus, uint64_t lun, struct scsi_task *);
	void (*reset)(void *arg, uint64_t nexus);
	void *arg;
};

/* Print the port on 127.0.0.1, and serve until the standard input ends. Returns the exit code. */
int iscsi_run(const struct iscsi_target *);

#endif

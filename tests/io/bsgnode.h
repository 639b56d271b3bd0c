/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is behind the bsg nodes of array.h, for tests on any kernel: stands in for commands_send and
 * commands_reap (linked with --wrap), and ends commands as the kernel does, with the completion's two
 * results.
 */
#ifndef VHBA_TESTS_BSGNODE_H
#define VHBA_TESTS_BSGNODE_H

#include <stdbool.h>
#include <stdint.h>

#include "scsi_task.h"

struct bsgnode {
	int32_t ask; /* the result of the INQUIRY that asks whether the node takes commands */
	bool wrong; /* it has other data than a disk's */
	/* of all others */
	int32_t result;
	uint64_t rest;
	uint8_t sense[SCSI_SENSE_MAX];
	uint8_t fill; /* Data-In */
	uint8_t out[64]; /* the last Data-Out */
	unsigned privileged; /* this operation code isn't for us; 0: none such */
	bool second_is_good; /* by the second path all goes well */
	/* since bsgnode_set */
	unsigned asks, calls, by_second;
};

void bsgnode_set(const struct bsgnode *);
struct bsgnode bsgnode_get(void);

/* While held, commands are begun and don't end; bsgnode_wait: until n are. */
void bsgnode_hold(bool on);
void bsgnode_wait(unsigned n);

#endif

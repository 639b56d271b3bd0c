/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is behind SG_IO, for tests without a SCSI device: stands in for sg_execute (linked with --wrap), and
 * answers every command as it was told last. The sd node is a file.
 */
#ifndef VHBA_TESTS_ARRAY_H
#define VHBA_TESTS_ARRAY_H

#include <stdbool.h>

#include "pass.h"
#include "sg.h"

#define ARRAY_FILE_SIZE (1u << 20) /* what the sd node really has */
#define ARRAY_SIZE_SAID                                                                                      \
	(8u << 20) /* what it is said to have: beyond the file's end READ ends with nothing                  \
		    */
#define ARRAY_DATA 4096

/* How the next commands end, and what they bring or brought along. */
struct array {
	enum sg_end end;
	uint8_t status, sense[SCSI_SENSE_MAX];
	unsigned sense_len;
	uint8_t data[ARRAY_DATA]; /* Data-In: from here, as often as it takes; Data-Out: the first bytes of it
				   */
	uint32_t moved; /* at most so much of each */
	unsigned good; /* so many end with GOOD and all their data first */
	bool second_is_good; /* by the second path all goes well */
	unsigned calls, by_second; /* since array_set: all, and those by the second path */
	uint8_t cdb[SCSI_CDB_MAX]; /* the last one's */
	unsigned cdb_len;
	uint32_t len;
};

/* What stands for the paths' bsg nodes (bsgnode.h); NULL: nothing. */
extern const char *array_bsg;

/* What access_state of LUN 0's two paths says, as soon as the next unit is made; NULL: nothing. */
extern const char *array_access[2];

/* The same of a unit that is there. */
void array_access_set(unsigned path, const char *text);

/* A unit on folder/lunN; LUN 0 has two paths. */
struct unit *array_unit(const char *folder, unsigned lun);

void array_set(const struct array *);
struct array array_get(void);

/* While held, commands of LUN 0 are begun and don't end. array_wait: until n of them are held. */
void array_hold(bool on);
void array_wait(unsigned n);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhbad's side of vhba-io, for the ut-ios programs: real processes of a stand-in (tests/io-stand-in.c), a
 * front end and vhba-priv played by the test.  One VM, "db1".
 */
#ifndef UT_IOS_RIG_H
#define UT_IOS_RIG_H

#include <limits.h>
#include <stdbool.h>

#include "ios_private.h"
#include "ut-tree.h"
#include "ut.h"

#define UUID "6f0c0e2e-7e0a-4a45-9d7c-0d62c5a1db01"
#define WWPN 0x502ab30000000001
/* After it a test hangs; processes and the disk's writes are awaited, and those take what the machine gives.
 */
#define PATIENCE (60 * USEC_PER_SEC)

struct ios_rig {
	struct config cfg;
	struct daemon d;
	struct verror e;
	char run_dir[64], state_dir[64], program[PATH_MAX];
	int front; /* the front end's connection; -1: none */
	char line[2048]; /* its back end's last answer */
};

extern struct ios_rig rig;

int rig_begin(void);
int rig_finish(void);
void rig_run(void); /* one turn of the loop, 10 ms at most when nothing is due */

#define UNTIL(condition)                                                                                     \
	do {                                                                                                 \
		struct monotime stop_ = mono_add(mono_now(), PATIENCE);                                      \
		while (!(condition) && !mono_reached(stop_, mono_now()))                                     \
			rig_run();                                                                           \
		CU_ASSERT_TRUE_FATAL(condition);                                                             \
	} while (0)

/* ---- the registry ---- */

/* With LUNs 4 and 7 of files, if file is not NULL, and an array's LUN 0 if it has a vhba. */
void rig_register(enum reg_io_kind kind, bool vhba, bool gate, const char *file);
/* With both paths of an array's LUN, as LUNs of their own: 0 by the second target port, 1 by the first. */
void rig_register_paths(void);
const struct reg_vm *rig_vm(void);
void rig_written(void *done, const struct verror *why); /* sets a bool */
void rig_reopen_registry(void); /* as after vhbad's end */

/* ---- its back end ---- */

void rig_start(void); /* and wait until it is up */
struct io *rig_io(void); /* the only one */
void rig_told(void *said, const char *why); /* sets an int: 1, or -1 on failure */

/* ---- the front end ---- */

void rig_connect(const char *name);
void rig_disconnect(void);
/* What the back end answers to a byte, whichever process it is: rig.line. */
const char *rig_ask(char byte);
bool rig_has(const char *text, const char *part); /* says so if not */
/* The process is killed, and the next one is up. */
void rig_kill(void);

/* ---- the array's LUNs ---- */

/* The VM's vport is there, as this host, with two paths; or with that disk on the second one, NULL: none; "":
 * none on either. */
struct vm *rig_attach(int host);
struct vm *rig_attach_with(int host, const char *second);
/* vhba-priv opens a path, which has a bsg node and attributes on host 6; err: it can't. */
void rig_open_path(int host, int err);
/* The same in two steps, for several at once; false: none is asked for. */
bool rig_next_verb(struct priv_request *q);
bool rig_verb_waits(void); /* one is asked for now; it is taken */
void rig_answer_open(const struct priv_request *q, int host, int err);

/* vhba-priv is asked to read sizes anew, or will be; what else it was asked for is not answered. */
bool rig_reads_sizes(struct priv_request *q);
void rig_answer(const struct priv_request *q, struct priv_reply r);

#endif

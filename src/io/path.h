/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ways to one LUN: each an sd node and its sg node, of one I_T nexus of the host's, and if there is one
 * its bsg node, by which Linux takes commands by io_uring since 7.1.
 *
 * A path is lost when a command was sent by it and no target answered; it is tried again when sysfs says that
 * its device runs, after a time that doubles. It is gone when the kernel has removed its device. How good it
 * is, the kernel's ALUA handler knows (access_state in sysfs); nothing here sends a command. Any thread may
 * call any function but for those of opening.
 *
 * Source: linux/drivers/scsi/scsi_sysfs.c (state, access_state), scsi.c (scsi_access_state).
 */
#ifndef VHBA_IO_PATH_H
#define VHBA_IO_PATH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sg.h"
#include "verror.h"

#define PATHS_MAX 8
#define PATH_DESIGNATOR_MAX 64

enum path_state {
	PATH_USABLE,
	PATH_LOST,
	PATH_GONE,
};

/* Which node takes commands that are neither READ nor WRITE. */
enum path_via {
	PATH_BY_SG,
	PATH_UNASKED, /* there is a bsg node; does the kernel take any by io_uring? */
	PATH_ASKED, /* that is being seen */
	PATH_BY_BSG,
};

/* What may come with both nodes. */
enum path_more { PATH_BSG, PATH_STATE, PATH_ACCESS, PATH_MORE };

struct path {
	int sd, sg; /* the sd node with O_DIRECT */
	int bsg; /* -1: none */
	int state, access; /* attributes of its device in sysfs; -1: not known */
	uint8_t designator[PATH_DESIGNATOR_MAX]; /* the LUN's, of VPD page 83; with type and code set */
	unsigned designator_len; /* 0: not known */
	char name[32]; /* for the log */
	bool passed; /* both nodes came as fds */
	atomic_uint rank; /* the lower, the better */
	_Atomic uint64_t lost; /* 0: no; else when to look at it again, CLOCK_MONOTONIC, us */
	atomic_uint tries; /* in vain, since it was lost */
	atomic_bool gone;
	atomic_int notice; /* eventfd to write to when its state changes; 0: none */
	enum path_state told; /* of paths_news */
	atomic_int via; /* enum path_via */
	atomic_uint forbidden[8]; /* operation codes, by bits, which its kernel keeps for the privileged */
};

struct paths {
	unsigned n;
	struct path path[PATHS_MAX];
};

/* Open the sd node, and the rest of the path by sysfs. 0, or -errno with *e said. */
int path_open(struct path *, const char *node, bool read_only, struct verror *e);

/* Of both nodes, and what else there is or -1; they become the path's. */
void path_of_fds(struct path *, int sd, int sg, const int more[PATH_MORE]);

/* Are both nodes one SCSI device, and what is its block's size? 0, or -errno with *e said. */
int path_check(const struct path *, uint32_t *block_size, uint64_t *size, struct verror *e);

void path_close(struct path *);

/* The best of those whose bit is not in tried; NULL: all are. */
struct path *paths_choose(struct paths *, uint32_t tried);
uint32_t path_bit(const struct paths *, const struct path *);

/* What became of a command: told in the log when it is news. why may be NULL. */
void path_lost(struct path *, const struct sg_command *why);
void path_answers(struct path *);

/*
 * By the bsg node: is it known that commands go; may one of this operation code; who sees to it when it is
 * not known (true: the caller does), and what has come of it; the kernel has refused to do one by it, for
 * want of a privilege that an sg node doesn't ask for.
 */
bool path_by_bsg(const struct path *);
bool path_may_bsg(const struct path *, uint8_t opcode);
bool path_ask(struct path *);
void path_asked(struct path *, enum path_via);
void path_forbids(struct path *, uint8_t opcode);

/* From now on, tell this eventfd (not 0) when the state of one changes. */
void paths_watch(struct paths *, int notice);

/* One thread: the next path whose state isn't the one that was told last, which is told by this; or NULL. */
const struct path *paths_news(struct paths *, enum path_state *);

enum path_state path_state(const struct path *);
const char *path_state_name(enum path_state);
unsigned paths_usable(const struct paths *);
unsigned paths_by_bsg(const struct paths *);

/*
 * How good is each, as far as the kernel knows? It tells nobody when that changes, so it is to be asked
 * again: when a target refuses, and now and then. A path that was lost, and may be of use by what it says
 * now, is tried with the next command.
 */
void paths_rank(struct paths *);
bool paths_ranked(const struct paths *); /* there is something to choose by it */

/* The target's port takes no commands for the LUN, by what the kernel knew last. */
bool path_stands_by(const struct path *);

/* The LUN's designator of a VPD page 83, type and code set first. Returns its length; 0: there is none. */
unsigned path_designator(const uint8_t *page, unsigned len, uint8_t *designator, unsigned max);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A migration that was cut off, by the death of vhba-virt, vhbad or libvirtd or by an error in its midst: its
 * note (notes.h) is still there.  Where the domain is now, is asked of both libvirts, and decides: it stays
 * here, logged in again and resumed, or it has moved, and the identity is given away.  Never both: as long as
 * it is not known it is waited for, and said what a person can do.
 */
#ifndef VHBA_MEND_H
#define VHBA_MEND_H

#include "notes.h"
#include "task.h"

/* Where a libvirt has the domain. */
enum mend_where {
	MEND_UNKNOWN, /* it does not answer */
	MEND_ABSENT, /* not there, or not running */
	MEND_COMING, /* a migration is still under way */
	MEND_PAUSED,
	MEND_RUNS,
	MEND_WHERES_
};

enum mend_what {
	MEND_WAIT, /* look again */
	MEND_STAYS, /* here: log in again, resume the guest if it was paused for the migration */
	MEND_MOVED, /* there: end what is left here, resume the guest there, give the identity away */
	MEND_ENDED, /* nowhere: nothing is left of it */
	MEND_TWICE, /* both run: a person has to end one */
};

/* Pure. */
enum mend_what mend_what(enum mend_where here, enum mend_where there);

/*
 * Once, in a task's thread. 0: it is at its end, and its note removed; *moved (may be NULL) says where.  A
 * negative errno with t->e: not yet.
 */
int mend_note(struct task *t, const char *uuid, bool *moved);

/* A task for the note of the domain that "domain" names; 0 when there is none. */
task_fn domain_mend;

/* ---- the loop's side: what is to be mended, each again and again until it is ---- */

void mend_begin(struct virt *v); /* all notes that are there */
void mend_add(struct virt *v, const char *uuid);
void mend_done(struct virt *v, const char *uuid, const struct verror *e); /* its task has ended */
void mend_stop(struct virt *v);
void mend_end(struct virt *v);

#endif

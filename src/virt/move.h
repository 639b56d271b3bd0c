/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate: a domain goes to another host with its identity.  Between move.c, which decides, and move_job.c,
 * which drives libvirt's migration and notes when what has happened.  The task's thread, but for what is
 * atomic.
 *
 * A VM whose names are logged in here moves *held*: its guest is paused, the VM quiesced until it is proved
 * that the fabric has let its names go, and only then the migration begins, on whose far side libvirt's hook
 * attaches it before QEMU starts; the source stays held until the domain has gone, so that until then it can
 * always go on here.  One without such names moves live, and so does one whose I/O goes through a vhba-io of
 * kind scsi: the vhbads of both hosts hand the names over by themselves.
 */
#ifndef VHBA_MOVE_H
#define VHBA_MOVE_H

#include "task.h"

/*
 * What libvirt's own thread has noted: CLOCK_MONOTONIC of this host, us; 0: not yet.  It may be calling back
 * while it is told not to any more, so each registration has a reference.
 */
struct move_times {
	atomic_uint refs;
	char uuid[VIR_UUID_STRING_BUFLEN]; /* of the domain */
	_Atomic uint64_t paused; /* the source's guest has stopped */
	_Atomic uint64_t prepared; /* the destination's QEMU is there, after its hook */
	_Atomic uint64_t left; /* the source's QEMU has ended */
	_Atomic uint64_t resumed; /* the destination's guest runs */
};

struct move {
	struct task *t;
	virDomainPtr dom, arrived; /* NULL: not (yet) */
	virConnectPtr dest;
	struct json_object *vm; /* vm.Show's */
	struct json_object *checks, *unproved;
	char uuid[VIR_UUID_STRING_BUFLEN];
	bool names; /* it has vhbas */
	bool held; /* else live */
	bool suspended; /* by us, or about to be */
	struct monotime start, by;
	uint64_t quiesce_us; /* it took */
	uint64_t call; /* when the migration was asked for */
	struct move_times *times;
	uint64_t bytes;
};

/* libvirt's migration, until it has ended. 0: m->arrived runs or is paused there; a negative errno with t->e.
 */
int move_job(struct move *m);

struct move_times *move_times_new(const char *uuid); /* NULL: no memory */
void move_times_unref(void *times); /* NULL is allowed */

/* Tell who waits. percent: 0..100, or more: not known. */
void move_progress(struct move *m, const char *phase, unsigned percent, const char *text);

#endif

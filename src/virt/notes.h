/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept of a migration while it is under way: one small file for each domain, in a folder on /run that
 * outlives the process.  Whoever finds one that no task works at finds out where the domain is, and brings it
 * to an end (mend.h).  Any thread; each call is whole by itself.
 */
#ifndef VHBA_NOTES_H
#define VHBA_NOTES_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#define NOTES_MAX 1024

struct move_note {
	char uuid[VIR_UUID_STRING_BUFLEN];
	char uri[1025]; /* the destination's libvirt; "": somebody else's migration, its caller knows it */
	bool begun; /* libvirt has been asked for it, or has begun it */
	bool suspended; /* the guest was paused for it: it is to be resumed where it ends up */
};

/* The whole note or the earlier one. 0 or -errno. */
int notes_write(const char *dir, const struct move_note *n);

/* 0; -ENOENT: there is none; -EINVAL: it is none of ours, or a newer version's. */
int notes_read(const char *dir, const char *uuid, struct move_note *n);

void notes_remove(const char *dir, const char *uuid);

/* The UUIDs of all; how many. */
unsigned notes_list(const char *dir, char (*uuids)[VIR_UUID_STRING_BUFLEN], unsigned max);

#endif

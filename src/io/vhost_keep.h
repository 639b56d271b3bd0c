/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A front end's connection as entries that another process holds (keep.h), and back.
 *
 *	version		"1": the format; what is newer is refused
 *	conn		the connection
 *	mark		vhost_conn.h's page
 *	front		what was agreed upon
 *	backend		the back end's own channel
 *	mem, slot-GPA	SET_MEM_TABLE, ADD_MEM_REG
 *	log, inflight	as the front end sent them
 *	ring-N		all that was said of a ring
 *	held		rings that device_hold has stopped, as a hexadecimal mask
 *	left		how many commands a stopped device has left in the kernel, if any
 *	events		the guest hasn't been told of something (event.h)
 *	powered		the disks were started once, or are about to be
 *
 * Unless another thing is said the bytes are vhost-user messages, which the successor's ordinary handlers
 * get.  Of a ring that is or may be in use there is no SET_VRING_BASE: where it stands, the ring itself says.
 */
#ifndef VHBA_IO_VHOST_KEEP_H
#define VHBA_IO_VHOST_KEEP_H

#include "vhost_user.h"

/* A connection has begun: what was kept of another goes. */
void vu_keep_begin(struct vhost_user *);

/* Put what is other than it was; m is the message that was handled; NULL: none. */
void vu_keep(struct vhost_user *, const struct vu_message *);

/* It is over. */
void vu_keep_end(struct keep *);

/*
 * An entry comes back, and is kept again; fds are -1 once taken. In any order, though that in which they
 * were kept needs least work. Returns 0, or -errno with *why.
 */
int vu_restore(struct vhost_user *, const char *key, const uint8_t *bytes, size_t len, int *fds, unsigned n,
	       const char **why);

#endif

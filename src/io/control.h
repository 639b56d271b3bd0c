/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the one who started vhba-io may ask of it while it runs: one message a request, one a reply, on a
 * SOCK_SEQPACKET socket. Words are separated by single spaces.
 *
 *	lun-add N,fd,...	with one fd, and a second one if state=fd is said; see lun_option.h
 *	lun-add N,absent	a LUN of the host's that the guest knows, and that has no path now
 *	lun-remove N
 *	lun-check		look at the LUNs' sizes
 *	lun-changed N		its parameters are others
 *	lun-paths N,sd,sg,...	other paths of a SCSI device, while the device is stopped
 *	stop			stop the device, as at the first disabled ring
 *	start			the rings that the last stop found enabled are so again
 *	status			"state busy=N orphans=N luns=N"
 *	gate-open REASON	rings may be read; see gates below
 *	hold			send all that is kept (keep.h)
 *	leave			end for a successor
 *	kept KEY\0BYTES		to a successor, before all else: what a predecessor kept; with its fds
 *	go			that was all
 *
 * The reply is "ok", "ok TEXT", or "error TEXT". What begins with '!' is no reply, see keep.h.
 */
#ifndef VHBA_IO_CONTROL_H
#define VHBA_IO_CONTROL_H

#include <stddef.h>

#include "service.h"

#define CONTROL_TEXT_MAX 1024
#define CONTROL_MESSAGE_MAX (KEEP_BYTES_MAX + KEEP_KEY_MAX + 8)
#define CONTROL_FDS_MAX 40

struct control {
	int fd; /* -1: nobody */
	bool hold_owed; /* "hold" is answered when all is sent */
	char in[CONTROL_MESSAGE_MAX + 1];
};

/* Take one message and answer it. Returns 0, or -errno: the socket is of no use any more. */
int control_run(struct control *, struct service *);

/* What couldn't be sent or answered before. As control_run. */
int control_turn(struct control *, struct service *);

/* There is something to be sent that the socket had no room for. */
bool control_waits(const struct control *, const struct service *);

/* Answer a request, of which fds[0..n) came with it; those that were used are set to -1. An empty reply:
 * later. */
void control_answer(struct control *, struct service *, size_t size, int *fds, unsigned n, char *reply,
		    size_t reply_size);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the one who started vhba-io may ask of it while it runs: one message a request, one a reply, on a
 * SOCK_SEQPACKET socket. Words are separated by single spaces.
 *
 *	lun-add N,fd,...	with one fd, and a second one if state=fd is said; see lun_option.h
 *	lun-remove N
 *	lun-check		look at the files' sizes
 *	stop			stop the device, as at the first disabled ring
 *	start			the rings that the last stop found enabled are so again
 *	status			"state busy=N orphans=N luns=N"
 *
 * The reply is "ok", "ok TEXT", or "error TEXT".
 */
#ifndef VHBA_IO_CONTROL_H
#define VHBA_IO_CONTROL_H

#include <stddef.h>

#include "device.h"

#define CONTROL_MESSAGE_MAX 1024

/* Take one message and answer it. Returns 0, or -errno: the socket is of no use any more. */
int control_run(int fd, struct device *);

/* Answer a request, of which fds[0..n) came with it; those that were used are set to -1. */
void control_answer(struct device *, char *request, int *fds, unsigned n, char *reply, size_t size);

#endif

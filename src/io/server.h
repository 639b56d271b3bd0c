/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhba-io's loop: the front end's connection, the device, the control socket and signals.
 */
#ifndef VHBA_IO_SERVER_H
#define VHBA_IO_SERVER_H

#include "device.h"

struct server_config {
	int listen; /* a front end may come here, one at a time; -1: none */
	int conn; /* one that is connected already; -1: none */
	int control; /* SOCK_SEQPACKET, connected; -1: none. See control.h. */
	int control_listen; /* or: one may come here, and replaces the one before */
	int signals; /* signalfd of SIGTERM, SIGINT (end) and SIGHUP (look at the sizes of files) */
	bool take_over; /* a predecessor's state comes by the control socket first */
};

/*
 * Serve until a signal, or with conn alone until that ends. The fds are the server's. Returns 0, -errno, or
 * SERVER_LEFT: the device is left for a successor, commands may be under way.
 */
#define SERVER_LEFT 1
int server_run(const struct server_config *, struct device *);

#endif

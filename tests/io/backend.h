/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhba-io within a test program: its loop in a thread, files as its LUNs, and a front end's socket. */
#ifndef VHBA_TESTS_BACKEND_H
#define VHBA_TESTS_BACKEND_H

#include <pthread.h>
#include <stdint.h>

#include "device.h"
#include "front.h"

#define BACKEND_DISK_SIZE (8u << 20)

struct backend_options {
	const struct device_type *type; /* NULL: virtio-scsi */
	const char *lun; /* more of each LUN's options: ",ro" */
	unsigned luns; /* numbers 0, 1, ...; files of BACKEND_DISK_SIZE in folder */
	const char *folder; /* NULL, where a world is begun: one on a disk */
	bool direct; /* LUN 0 is opened with O_DIRECT */
	struct unit *(*unit)(const char *folder, unsigned lun); /* instead of a disk on its file */
	unsigned workers; /* 0: 1 */
	uint64_t deadline_us; /* 0: a long one */
	uint64_t poll_us;
	uint64_t commands_per_second, bytes_per_second; /* 0: no limit */
};

/* May be copied: the thread knows nothing of it. */
struct backend {
	struct device *device; /* the thread's; look only when it has ended */
	pthread_t thread;
	int front; /* the front end's socket */
	int control; /* the control socket's other end */
	int result; /* server_run's, after backend_end */
};

/* Returns the front end's socket; who takes it closes it. */
int backend_start(struct backend *, const struct backend_options *);

/* The same for a device of one's own; control_listen: as in server.h. */
void backend_serve(struct backend *, int conn, int control_listen);

/* Once the front end's socket is closed: wait for the end. */
void backend_end(struct backend *);

/* Ask by the control socket; fd -1: none. The reply is in a static buffer. */
const char *backend_ask(struct backend *, const char *request, int fd);

/* Wait for this message, which nobody asked for; others are skipped. */
void backend_event(struct backend *, const char *event);

/* A LUN's file, opened for reading and writing. */
int backend_file(const char *folder, unsigned lun);

#endif

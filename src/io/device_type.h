/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs between the kinds of virtio device that a front end can be served: rings, requests, answers.
 * Everything else, memory, log, rings, stop and go, is the same for all of them.
 */
#ifndef VHBA_IO_DEVICE_TYPE_H
#define VHBA_IO_DEVICE_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "lun.h"
#include "task.h"
#include "virtqueue.h"

struct device;

enum again {
	AGAIN_NEVER,
	AGAIN_AT_ONCE,
	AGAIN_LATER,
};

struct device_type {
	const char *name;
	uint64_t features; /* besides those of every virtio device */
	unsigned luns; /* LUNs have numbers below this one */
	/*
	 * A request that wasn't executed, or that it does no harm to repeat, goes back into the ring when the
	 * device stops, since there is no answer that says so. Else: it is answered, with BUSY.
	 */
	bool takes_back;
	/*
	 * So many rings come before the request rings, and are served by the device's thread: it calls serve
	 * as often as anything happens while the device runs.
	 */
	unsigned local;
	void (*serve)(struct device *);

	/* ---- for workers: one request. What they end it with, they leave in the task's answer part ---- */

	/* From a chain, whose iovecs the task uses from then on. NULL, or why the ring is broken: then there
	 * is no place to answer to. */
	const char *(*parse)(struct io_task *, const struct vq_chain *);
	/* The LUN that t->scsi is for; NULL: it has ended already. */
	struct lun *(*begin)(struct io_task *, const struct lun_table *);
	/* How the LUN has ended it concerns nobody but us: when it is to be sent there once more. NULL:
	 * never. */
	enum again (*again)(const struct io_task *);
	/* Write the answer into the guest's memory; returns the bytes of the chain that were written. */
	uint32_t (*answer)(const struct io_task *);

	/* ---- for the device ---- */

	/* Look at a LUN that comes before any ring has run. NULL: no need. It may block. */
	void (*learn)(struct device *, const struct lun *);
	/* Tell the guest. */
	void (*tell)(struct device *, enum event_kind, uint16_t lun);
	/* The configuration space: its bytes, and their number. NULL: the front end keeps it. */
	size_t (*space)(const struct device *, const void **bytes);
};

extern const struct device_type device_type_scsi, device_type_blk;

#endif

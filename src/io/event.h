/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the guest is told unasked, through buffers that it parks in the event ring: LUNs that come, go, or
 * change. When there is no buffer events wait, and are said to be missed when there are too many.
 *
 * Source: virtio 1.1, 5.6.6.3.
 */
#ifndef VHBA_IO_EVENT_H
#define VHBA_IO_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "virtqueue.h"

#define EVENTS_MAX 64

enum event_kind {
	EVENT_LUN_ADDED,
	EVENT_LUN_REMOVED,
	EVENT_LUN_RESIZED,
	EVENT_LUN_CHANGED, /* its parameters */
};

struct events {
	struct {
		enum event_kind kind;
		uint16_t lun;
	} waiting[EVENTS_MAX];
	unsigned n;
	bool missed;
};

/* features: what was agreed upon; an event that the guest doesn't know is dropped. */
void event_raise(struct events *, uint64_t features, enum event_kind, uint16_t lun);

/* Write what waits into the ring's buffers, as many as there are. Returns 0 or -EPROTO: the ring is broken.
 */
int event_run(struct events *, struct virtqueue *);

#endif

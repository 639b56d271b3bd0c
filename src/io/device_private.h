/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the device's own parts: device.c (setup), life.c (states), device_lun.c, device_lock.c,
 * tmf.c. */
#ifndef VHBA_IO_DEVICE_PRIVATE_H
#define VHBA_IO_DEVICE_PRIVATE_H

#include "device.h"

/* device.c */
int device_ring_start(struct device *, unsigned ring);
/* One that is adrift: its base is known then. Returns how many commands a killed process had under way. */
unsigned device_ring_settle(struct device *, unsigned ring);
/* In all workers at once; returns when it has returned in each. */
void device_each_worker(struct device *, void (*fn)(struct worker *, void *), void *arg);

/* device_lock.c. Are the LUNs' files locked? If not they are to be, and device_turn is called to ask again.
 */
bool device_locked(struct device *);
void device_unlock(struct device *);
void device_lock_lun(struct device *,
		     const struct lun *); /* one that comes while the others are locked; in the pool */

/* device_lun.c: the sizes are looked at, if they are to be, and can. By device_turn. */
void device_check_turn(struct device *);
/* device_lun.c: which paths are the better ones is looked at, when it is time. */
void device_rank(struct device *);

/* tmf.c: the control ring. Each is called by device_turn. */
void tmf_run(struct device *); /* take what is in the ring */
void tmf_turn(struct device *); /* go on with those whose commands have ended */
void tmf_abandon(struct device *); /* the guest is answered now */

/* A free place, or -1. */
int tmf_slot(const struct device *);

#endif

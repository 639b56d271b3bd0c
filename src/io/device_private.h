/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the device's own parts: device.c (setup), life.c (states), device_lun.c, tmf.c. */
#ifndef VHBA_IO_DEVICE_PRIVATE_H
#define VHBA_IO_DEVICE_PRIVATE_H

#include "device.h"

/* device.c */
int device_ring_start(struct device *, unsigned ring);
/* In all workers at once; returns when it has returned in each. */
void device_each_worker(struct device *, void (*fn)(struct worker *, void *), void *arg);

/* tmf.c: the control ring. Each is called by device_turn. */
void tmf_run(struct device *); /* take what is in the ring */
void tmf_turn(struct device *); /* go on with those whose commands have ended */
void tmf_abandon(struct device *); /* the guest is answered now */

/* A free place, or -1. */
int tmf_slot(const struct device *);

#endif

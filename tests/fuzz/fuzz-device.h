/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The devices that a fuzzer speaks with, and their guest's memory. They are made once. */
#ifndef VHBA_FUZZ_DEVICE_H
#define VHBA_FUZZ_DEVICE_H

#include <stdbool.h>

#include "device.h"

#define FUZZ_MEM_SIZE (64 * 4096)

enum { FUZZ_SCSI, FUZZ_BLK, FUZZ_DEVICES };

extern struct device *fuzz_device[FUZZ_DEVICES];
extern int fuzz_memfd;

/* The second has a disk, the first with scsi_disk only. locks: as of struct device_config. */
void fuzz_devices(bool scsi_disk, bool locks);

/* Until nothing of it is under way. */
void fuzz_settle(struct device *);

#endif

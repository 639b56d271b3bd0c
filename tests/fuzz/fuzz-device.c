/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz-device.h"
#include "log.h"
#include "lun_option.h"

struct device *fuzz_device[FUZZ_DEVICES];
int fuzz_memfd = -1;

static void add_disk(struct device *d)
{
	const struct lun_source from = {.files = true};
	int fd = memfd_create("disk", MFD_CLOEXEC);
	struct verror e;
	char text[64];
	struct lun *l;

	snprintf(text, sizeof(text), "0,fd=%d,serial=fuzz", fd);
	if (fd < 0 || ftruncate(fd, FUZZ_MEM_SIZE) || !(l = lun_parse(text, &from, &e)) ||
	    device_lun_add(d, l))
		abort();
}

void fuzz_devices(bool scsi_disk, bool locks)
{
	static const struct device_type *const types[FUZZ_DEVICES] = {&device_type_scsi, &device_type_blk};
	struct verror e;

	if (fuzz_device[0])
		return;
	signal(SIGPIPE, SIG_IGN); /* as vhba-io does */
	log_open("fuzz", 0);
	fuzz_memfd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fuzz_memfd < 0 || ftruncate(fuzz_memfd, FUZZ_MEM_SIZE))
		abort();
	for (unsigned i = 0; i < FUZZ_DEVICES; i++) {
		struct device_config c = {.type = types[i],
					  .workers = 1,
					  .blocking = 1,
					  .deadline_us = 1000,
					  .nexus = 1,
					  .locks = locks};

		fuzz_device[i] = device_new(&c, &e);
		if (!fuzz_device[i])
			abort();
		if (i == FUZZ_BLK || scsi_disk)
			add_disk(fuzz_device[i]);
	}
}

void fuzz_settle(struct device *d)
{
	while (d->state != DEVICE_STOPPED || d->lun_job)
		device_turn(d);
}

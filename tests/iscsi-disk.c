/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iscsi-disk FILE STATE-FILE BLOCK-SIZE: the disk on a file as LUN 0 of an iSCSI target. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "iscsi.h"
#include "luns.h"
#include "ut-disk-rig.h"

static void execute(void *arg, uint64_t nexus, uint64_t lun, struct scsi_task *t)
{
	static const uint64_t luns[] = {0};

	if (t->cdb[0] == 0xa0)
		scsi_report_luns(t, luns, 1);
	else if (lun)
		scsi_no_lun(t, lun == SCSI_LUN_REPORT_LUNS);
	else
		rig_execute(arg, nexus, t);
}

static void reset(void *arg, uint64_t nexus)
{
	disk_reset(arg, nexus, DISK_RESET_LUN);
}

int main(int argc, char **argv)
{
	struct disk_config c = {
		.naa = {0x60, 0x0a, 0x0b, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		.naa_len = 16,
		.target_port = UINT64_C(0x5006016000000001),
		.serial = "0001-42",
		.vendor = "VHBA",
		.product = "file",
		.revision = "1",
		.write_cache = true,
		.unmap = true,
	};
	struct iscsi_target target = {.execute = execute, .reset = reset};
	struct verror e = {0};
	char line[512];
	static struct disk
		*d; /* threads may still use it at the end: it goes with the process, and is no leak */

	if (argc != 4) {
		fprintf(stderr, "usage: iscsi-disk FILE STATE-FILE BLOCK-SIZE\n");
		return 2;
	}
	c.block_size = (uint32_t)strtoul(argv[3], NULL, 10);
	c.fd = open(argv[1], O_RDWR | O_CLOEXEC);
	c.state_fd = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	d = disk_open(&c, &e);
	if (!d || disk_start(d, DISK_POWER_ON, &e)) {
		fprintf(stderr, "%s\n", verror_line(&e, line, sizeof(line)));
		return 1;
	}
	target.arg = d;
	return iscsi_run(&target);
}

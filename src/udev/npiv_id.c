/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhba-npiv-id DEVPATH: for udev's IMPORT{program}: who sees this disk through which NPIV vport.  udev's own
 * path_id names the HBA, the target and the LUN, which all vports of one HBA have in common.  Status 1 for a
 * disk that is not behind a vport.
 *
 * DEVPATH is the kernel's (scsi_transport_fc.c, scsi_scan.c):
 * ".../vport-H:C-N/hostM/rport-M:C-N/targetM:C:T/M:C:T:L/block/sdX".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "sysroot.h"

struct nexus {
	unsigned host, channel, target;
	uint64_t lun;
};

/* The last vport of the path, and all below it of that vport's own host. */
static bool parse(const char *devpath, struct nexus *n)
{
	const char *p = NULL;
	unsigned rport_host, target_host, device_host, channel, target;
	int end = 0;

	for (const char *next = devpath; (next = strstr(next, "/vport-")); next++)
		p = next;
	if (!p)
		return false;
	return sscanf(p, "/vport-%*u:%*u-%*u/host%u/rport-%u:%*u-%*u/target%u:%u:%u/%u:%u:%u:%" SCNu64 "%n",
		      &n->host, &rport_host, &target_host, &channel, &target, &device_host, &n->channel,
		      &n->target, &n->lun, &end) == 9 &&
	       (!p[end] || p[end] == '/') && rport_host == n->host && target_host == n->host &&
	       device_host == n->host && channel == n->channel && target == n->target;
}

int main(int argc, char **argv)
{
	uint64_t initiator, target;
	struct nexus n;

	if (argc != 2) {
		fprintf(stderr, "usage: vhba-npiv-id DEVPATH (udev calls it)\n");
		return 2;
	}
	sysroot_set(NULL);
	if (!parse(argv[1], &n) ||
	    sysroot_read_u64(&initiator, "/sys/class/fc_host/host%u/port_name", n.host) ||
	    sysroot_read_u64(&target, "/sys/class/fc_transport/target%u:%u:%u/port_name", n.host, n.channel,
			     n.target))
		return 1;
	printf("VHBA_INITIATOR=0x%016" PRIx64 "\nVHBA_TARGET=0x%016" PRIx64 "\nVHBA_LUN=%" PRIu64 "\n",
	       initiator, target, n.lun);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What wakes the inventory: the kernel's uevents (libudev) and the FC transport's netlink events (libnl-3).
 *
 * Events tell that something happened, reading sysfs tells what: there is no event for a vport's or an
 * rport's state, a link or an RSCN on libfc.  Uevents are taken from the kernel, not from udevd: an operation
 * needs the device, not the links that rules make, and the daemon works without udevd.  Loop thread only.
 */
#ifndef FC_EVENTS_H
#define FC_EVENTS_H

#include <stdbool.h>

#include "inventory.h"
#include "verror.h"

struct fc_events;

/* A unit attention that the kernel has told of (SDEV_UA) and does nothing about by itself. */
enum fc_attention {
	FC_UA_NONE,
	FC_UA_CAPACITY,
	FC_UA_LUNS,
	FC_UA_PARAMETERS, /* of the unit: mode parameters, INQUIRY data */
};

struct fc_event {
	bool overflow; /* events were lost: scan everything */
	bool netlink; /* of the FC transport; else a uevent */
	bool removed; /* a uevent's action is "remove" */
	int host; /* the Scsi_Host that it concerns; -1: none named */
	int parent; /* the physical host above a vport; -1: none */
	struct fc_part part; /* what of the host */
	char subsystem[20]; /* "fc_vports", "block" ...; "" for netlink */
	char name[32]; /* of the device: "vport-2:0-5", "host7"; "" for netlink */
	enum fc_attention attention; /* of a scsi_device */
	unsigned code; /* netlink: FCH_EVT_* of scsi_transport_fc.h */
};

/* NULL with *e set.  Without CAP_NET_ADMIN the netlink part is left out, said once in the log. */
struct fc_events *fc_events_new(struct verror *e);
void fc_events_free(struct fc_events *ev);

/* File descriptors to poll for input; -1 for one that is not there. */
int fc_events_uevent_fd(const struct fc_events *ev);
int fc_events_netlink_fd(const struct fc_events *ev);

/* The next event; false when there is none now. */
bool fc_events_next(struct fc_events *ev, struct fc_event *out);

/*
 * The host numbers in a device path: the innermost "hostN" and the H of "vport-H:C-N".  -1 where there is
 * none. For fc_vports and fc_remote_ports the name's own H counts.
 */
void fc_events_parse_path(const char *devpath, int *host, int *parent);

/*
 * What of that host a device of this subsystem is; FC_PART_HOST when its path does not tell, with the numbers
 * of the vport whose host it is.
 */
void fc_events_parse_part(const char *subsystem, const char *devpath, struct fc_part *part);

/* Which one the kernel's SDEV_UA names; NULL: there is none. */
enum fc_attention fc_events_parse_attention(const char *ua);

/* The Scsi_Hosts of the paths of a device-mapper device ("dm-3"), one for each path: how many, at most max.
 */
unsigned fc_events_map_hosts(const char *map, int *hosts, unsigned max);

#endif

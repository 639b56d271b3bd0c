/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libudev.h>
#include <limits.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "events.h"
#include "log.h"
#include "sysroot.h"

#define SCSITRANSPORT 18 /* NETLINK_SCSITRANSPORT, linux/netlink.h */
#define GROUP_FC_EVENTS 4 /* SCSI_NL_GRP_FC_EVENTS as a group number, scsi/scsi_netlink.h */
#define TRANSPORT_FC 1 /* SCSI_NL_TRANSPORT_FC */
#define MSG_FC_ASYNC 0x0100 /* FC_NL_ASYNC_EVENT */
#define BUFFER (16 * 1024 * 1024)

/* struct scsi_nl_hdr and the head of struct fc_nl_event (scsi/scsi_netlink*.h); host byte order, 64-bit
 * aligned. */
struct fc_nl_message {
	uint8_t version;
	uint8_t transport;
	uint16_t magic;
	uint16_t msgtype;
	uint16_t msglen;
	uint64_t seconds;
	uint64_t vendor_id;
	uint16_t host_no;
	uint16_t event_datalen;
	uint32_t event_num;
	uint32_t event_code;
	uint32_t event_data;
};

_Static_assert(sizeof(struct fc_nl_message) == 40, "the kernel's layout");

static const struct {
	const char *name, *devtype;
	enum fc_part_kind part; /* what of its host it is about */
} subsystems[] = {
	{"fc_host", NULL, FC_PART_HOST},
	{"fc_vports", NULL, FC_PART_VPORT},
	{"fc_remote_ports", NULL, FC_PART_RPORT},
	{"scsi_device", NULL, FC_PART_LUN},
	{"scsi_disk", NULL, FC_PART_LUN},
	{"scsi_generic", NULL, FC_PART_LUN},
	{"block", NULL, FC_PART_LUN},
	{"net", NULL, FC_PART_HOST},
	/* the device itself, of which unit attentions are told (sdev_evt_send); what else it tells, the
	   others do */
	{"scsi", "scsi_device", FC_PART_LUN},
};

struct fc_events {
	struct udev *udev;
	struct udev_monitor *monitor;
	struct nl_sock *nl;
	struct fc_event netlink; /* what the callback found */
	bool found, udev_dry, netlink_dry;
};

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct fc_events *ev = arg;
	struct fc_nl_message m;

	if (nlmsg_datalen(h) < (int)sizeof(m))
		return NL_SKIP;
	memcpy(&m, nlmsg_data(h), sizeof(m));
	if (m.transport != TRANSPORT_FC || m.msgtype != MSG_FC_ASYNC)
		return NL_SKIP;
	ev->netlink =
		(struct fc_event){.netlink = true, .host = m.host_no, .parent = -1, .code = m.event_code};
	ev->found = true;
	return NL_STOP;
}

static void netlink_open(struct fc_events *ev)
{
	int r;

	ev->nl = nl_socket_alloc();
	if (!ev->nl)
		return;
	/* The kernel's events carry numbers of their own: with the check on, each is an error. */
	nl_socket_disable_seq_check(ev->nl);
	nl_socket_modify_cb(ev->nl, NL_CB_VALID, NL_CB_CUSTOM, on_message, ev);
	r = nl_connect(ev->nl, SCSITRANSPORT);
	if (!r)
		r = nl_socket_add_membership(ev->nl, GROUP_FC_EVENTS);
	if (!r)
		r = nl_socket_set_nonblocking(ev->nl);
	if (!r)
		return;
	log_notice("FC transport events can't be received (%s): uevents must do", nl_geterror(r));
	nl_socket_free(steal_ptr(ev->nl));
}

static int monitor_open(struct fc_events *ev)
{
	ev->udev = udev_new();
	ev->monitor = ev->udev ? udev_monitor_new_from_netlink(ev->udev, "kernel") : NULL;
	if (!ev->monitor)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++)
		udev_monitor_filter_add_match_subsystem_devtype(ev->monitor, subsystems[i].name,
								subsystems[i].devtype);
	/* Forced beyond the limit where the capability is there; a smaller one only means more scans. */
	udev_monitor_set_receive_buffer_size(ev->monitor, BUFFER);
	return udev_monitor_enable_receiving(ev->monitor);
}

struct fc_events *fc_events_new(struct verror *e)
{
	struct fc_events *ev = calloc(1, sizeof(*ev));
	int r = ev ? monitor_open(ev) : -ENOMEM;

	if (r < 0) {
		verror_set(e, VHBA_E_INTERNAL, "uevents can't be received: %s", strerror(-r));
		if (ev)
			fc_events_free(ev);
		return NULL;
	}
	netlink_open(ev);
	return ev;
}

void fc_events_free(struct fc_events *ev)
{
	if (ev->monitor)
		udev_monitor_unref(ev->monitor);
	if (ev->udev)
		udev_unref(ev->udev);
	nl_socket_free(ev->nl);
	free(ev);
}

int fc_events_uevent_fd(const struct fc_events *ev)
{
	return udev_monitor_get_fd(ev->monitor);
}

int fc_events_netlink_fd(const struct fc_events *ev)
{
	return ev->nl ? nl_socket_get_fd(ev->nl) : -1;
}

void fc_events_parse_path(const char *devpath, int *host, int *parent)
{
	const char *p = devpath;
	int n;

	*host = -1;
	*parent = -1;
	while ((p = strchr(p, '/'))) {
		p++;
		if (sscanf(p, "host%d", &n) == 1)
			*host = n;
		else if (sscanf(p, "vport-%d:", &n) == 1)
			*parent = n;
	}
}

static enum fc_part_kind part_of(const char *subsystem)
{
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++)
		if (!strcmp(subsystems[i].name, subsystem))
			return subsystems[i].part;
	return FC_PART_HOST;
}

void fc_events_parse_part(const char *subsystem, const char *devpath, struct fc_part *part)
{
	enum fc_part_kind kind = part_of(subsystem);
	const char *port = kind == FC_PART_VPORT || kind == FC_PART_HOST ? "vport-" : "rport-", *p = devpath;
	bool has_port = false, has_lun = false;
	unsigned channel;

	*part = (struct fc_part){.kind = FC_PART_HOST};
	while ((p = strchr(p, '/'))) {
		p++;
		if (!strncmp(p, port, strlen(port)))
			has_port |= sscanf(p + strlen(port), "%*d:%u-%u", &part->channel, &part->number) == 2;
		else
			has_lun |= sscanf(p, "%*u:%u:%u:%" SCNu64, &channel, &part->target, &part->lun) == 3;
	}
	if (has_port && (kind != FC_PART_LUN || has_lun))
		part->kind = kind;
}

unsigned fc_events_map_hosts(const char *map, int *hosts, unsigned max)
{
	char path[PATH_MAX], to[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/block/%s/slaves", map));
	struct dirent *e;
	unsigned n = 0;
	int parent;

	while (dir && n < max && (e = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), e->d_name, to, sizeof(to) - 1);

		if (len <= 0)
			continue;
		to[len] = '\0';
		fc_events_parse_path(to, &hosts[n], &parent);
		n += hosts[n] >= 0;
	}
	return n;
}

/* What the kernel calls them (scsi_evt_emit). */
static const struct {
	const char *name;
	enum fc_attention attention;
} attentions[] = {
	{"CAPACITY_DATA_HAS_CHANGED", FC_UA_CAPACITY},
	{"REPORTED_LUNS_DATA_HAS_CHANGED", FC_UA_LUNS},
	{"MODE_PARAMETERS_CHANGED", FC_UA_PARAMETERS},
	{"INQUIRY_DATA_HAS_CHANGED", FC_UA_PARAMETERS},
};

enum fc_attention fc_events_parse_attention(const char *ua)
{
	for (size_t i = 0; ua && i < ARRAY_SIZE(attentions); i++)
		if (!strcmp(ua, attentions[i].name))
			return attentions[i].attention;
	return FC_UA_NONE;
}

/* false: nobody wants to know of it. */
static bool take_uevent(struct udev_device *dev, struct fc_event *out)
{
	const char *action = udev_device_get_action(dev), *subsystem = udev_device_get_subsystem(dev);
	const char *name = udev_device_get_sysname(dev);

	*out = (struct fc_event){.removed = action && !strcmp(action, "remove")};
	out->attention = fc_events_parse_attention(udev_device_get_property_value(dev, "SDEV_UA"));
	if (subsystem && !strcmp(subsystem, "scsi") && out->attention == FC_UA_NONE)
		return false;
	snprintf(out->subsystem, sizeof(out->subsystem), "%s", subsystem ? subsystem : "");
	snprintf(out->name, sizeof(out->name), "%s", name ? name : "");
	fc_events_parse_path(udev_device_get_devpath(dev), &out->host, &out->parent);
	fc_events_parse_part(out->subsystem, udev_device_get_devpath(dev), &out->part);
	out->part.came = action && !strcmp(action, "add");
	return true;
}

static bool next_uevent(struct fc_events *ev, struct fc_event *out)
{
	struct udev_device *dev;
	bool wanted;

	do {
		errno = 0;
		dev = udev_monitor_receive_device(ev->monitor);
		if (!dev) {
			*out = (struct fc_event){.overflow = errno == ENOBUFS, .host = -1, .parent = -1};
			return out->overflow;
		}
		wanted = take_uevent(dev, out);
		udev_device_unref(dev);
	} while (!wanted);
	return true;
}

static bool next_netlink(struct fc_events *ev, struct fc_event *out)
{
	int r;

	if (!ev->nl)
		return false;
	ev->found = false;
	do
		r = nl_recvmsgs_default(ev->nl);
	while (r >= 0 && !ev->found);
	if (ev->found) {
		*out = ev->netlink;
		return true;
	}
	*out = (struct fc_event){.overflow = r == -NLE_NOMEM, .host = -1, .parent = -1};
	return out->overflow;
}

bool fc_events_next(struct fc_events *ev, struct fc_event *out)
{
	return next_uevent(ev, out) || next_netlink(ev, out);
}

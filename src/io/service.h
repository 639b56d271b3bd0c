/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the loop (server.c) and those who ask by the control socket (control.c) have in common. */
#ifndef VHBA_IO_SERVICE_H
#define VHBA_IO_SERVICE_H

#include "device.h"
#include "keep.h"
#include "vhost_user.h"

/* What an unasked word was last about: the next is told when it is other. */
struct told {
	enum device_state state;
	bool unconfirmed, log;
	bool rings_said; /* this peer knows the next two, and log */
	bool front, rings;
	bool lost; /* the last front end has gone without having stopped them */
	struct monotime stopped, started, served; /* of which base, first and started have been told */
};

struct service {
	struct device *device;
	struct vhost_user front;
	bool connected;
	struct keep keep;
	struct told told;
	bool taking_over; /* until "go" */
	bool go; /* "go" has come, and is to be done */
	bool leaving; /* "leave" has come, and is answered when the device has stopped */
	bool left;
};

#endif

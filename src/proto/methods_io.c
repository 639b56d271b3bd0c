/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>

#include "fields.h"
#include "methods_io.h"

static const struct proto_field io_fields[] = {
	F_TEXT("vm", REQUIRED, 63, "name of the VM"),
	F_TEXT("name", REQUIRED, 16, "scsi, or blk-N"),
	F_TEXT("state", REQUIRED, 16, "opening, starting, up, leaving, waiting, ending"),
	F_UINT("guest_lun", OPTIONAL, GUEST_LUN, "the LUN of a virtio-blk device"),
	F_TEXT("socket", REQUIRED, 128, "where QEMU connects"),
	F_BOOL("front", REQUIRED, "a front end is connected"),
	F_TEXT("gate", REQUIRED, 8,
	       "open; closed: its rings are not read until it is shown that nobody else writes"),
	F_BOOL("held", REQUIRED, "its VM is quiesced: its rings are not read"),
	F_UINT("pid", OPTIONAL, ANY_UINT, "its process; absent: there is none now"),
	F_TEXT("device", OPTIONAL, 16, "what it says of itself: running, draining, stopped ..."),
	F_UINT("busy", REQUIRED, ANY_UINT, "commands under way, as it told last"),
	F_UINT("orphans", REQUIRED, ANY_UINT, "commands that were answered and are left in the kernel"),
	F_UINT("kept", REQUIRED, ANY_UINT, "what vhbad holds for the next process"),
	F_UINT("restarts", REQUIRED, ANY_UINT, "how often one has followed another that ended"),
	F_UINT("up_us", OPTIONAL, ANY_UINT, "since its process has been up"),
	F_BOOL("logging", REQUIRED, "its front end keeps a log of written pages: a migration"),
	F_BOOL("leaving", OPTIONAL, "the guest was stopped here for a migration, and its VM logged out"),
	F_TEXT("waits", OPTIONAL, 160,
	       "what a VM waits for that moves live, and what can be done when it doesn't come"),
	F_TEXT("text", OPTIONAL, 160, "why it doesn't run"),
	END,
};
const struct proto_field proto_io_list_r[] = {
	F_LIST("back_ends", REQUIRED, io_fields, "by VM"),
	END,
};
static const struct proto_field latency_fields[] = {
	F_TEXT("vm", REQUIRED, 63, "name of the VM"),
	F_TEXT("name", REQUIRED, 16, "of its vhba-io: scsi, or blk-N"),
	F_UINT("guest_lun", REQUIRED, GUEST_LUN, "the guest's number of the LUN"),
	F_UINT("below_us", OPTIONAL, ANY_UINT,
	       "they took less than so many microseconds, and at least half of it; absent: longer than the "
	       "others"),
	F_UINT("commands", REQUIRED, ANY_UINT, "so many, since this vhba-io has the LUN"),
	END,
};
const struct proto_field proto_io_latency_r[] = {
	F_LIST("latency", REQUIRED, latency_fields, "by LUN, the shortest first"),
	END,
};
const struct proto_field proto_io_open_p[] = {
	P_VM,
	F_TEXT("reason", OPTIONAL, 16,
	       "operator: a person knows that nobody else writes to its LUNs; preempted: the "
	       "source was shut out of them by PREEMPT AND ABORT"),
	F_OBJECT("ticket", OPTIONAL, NULL, "or: as export gave it on the source, after a confirmed quiesce"),
	END,
};

const struct proto_field proto_io_await_p[] = {
	F_OBJECT("ticket", REQUIRED, NULL, "as export gave it, or a domain's metadata have it"),
	END,
};
const struct proto_field proto_io_await_r[] = {
	F_BOOL("awaited", REQUIRED, "it may come live; else it must be quiesced first, and attached"),
	F_TEXT("text", OPTIONAL, 320, "why it can't come live"),
	END,
};

/* ---- storage pools ---- */

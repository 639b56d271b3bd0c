/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of methods, with the shapes that they share. man 7 vhba-proto and the tests are held to it. */
#include <stddef.h>

#include "fields.h"
#include "method.h"
#include "methods_domain.h"
#include "methods_io.h"
#include "methods_pool.h"

static const struct proto_field none[] = {END};

/* Shapes of replies. */

static const struct proto_field lun_fields[] = {
	F_TEXT("vm", OPTIONAL, 63, "name of the VM; lun.List only"),
	F_UINT("index", OPTIONAL, INDEX, "index of the vhba; lun.List only"),
	F_TEXT("designator", OPTIONAL, 256,
	       "what names the LUN itself on every path: VPD page 0x83, as naa.6...; absent: a file"),
	F_UINT("lun", OPTIONAL, ANY_UINT, "LUN number at the target; absent: a file"),
	F_WWN("target", OPTIONAL, "WWPN of the target port; absent: a file"),
	F_UINT("guest_lun", OPTIONAL, GUEST_LUN, "of a VM with an I/O back end: the guest's number of it"),
	F_TEXT("file", OPTIONAL, 255, "the file or block device that it is; lun.List only"),
	F_TEXT("serial", OPTIONAL, 20, "a file's serial number"),
	F_BOOL("read_only", OPTIONAL, "of a file: the guest can't write it"),
	F_BOOL("direct", OPTIONAL, "of a file: past the host's page cache"),
	F_TEXT("sd", OPTIONAL, 32, "block device, as sdc"),
	F_TEXT("sg", OPTIONAL, 32, "SCSI generic device, as sg3"),
	F_TEXT("hctl", OPTIONAL, 48, "SCSI address H:C:T:L"),
	F_UINT("size", OPTIONAL, ANY_UINT, "bytes"),
	F_TEXT("state", OPTIONAL, 32, "state of the path, as running, blocked, transport-offline; missing"),
	F_UINT("inflight", OPTIONAL, ANY_UINT, "commands in flight (device_busy)"),
	F_BOOL("usable", OPTIONAL, "running, and a disk has its node, a size and a designator"),
	F_BOOL("expected", OPTIONAL, "in the expected LUN set; absent: none is recorded"),
	END,
};

static const struct proto_field target_fields[] = {
	F_WWN("wwpn", REQUIRED, "WWPN of the target port"),
	F_TEXT("port_id", OPTIONAL, 16, "N_Port_ID, six hex digits"),
	F_TEXT("state", REQUIRED, 32, "rport state, as Online, Blocked; missing when it is not seen"),
	F_TEXT("zone", OPTIONAL, 63, "the zone that expects it"),
	F_TEXT("fast_io_fail_tmo", OPTIONAL, 16, "seconds, or off"),
	F_UINT("dev_loss_tmo", OPTIONAL, ANY_UINT, "seconds"),
	END,
};

static const struct proto_field phase_fields[] = {
	F_TEXT("phase", REQUIRED, 32,
	       "pool, stop, drain, logout, verify, hold, resume, release; of attach: its own"),
	F_UINT("start_us", REQUIRED, ANY_UINT, "CLOCK_MONOTONIC"),
	F_UINT("end_us", OPTIONAL, ANY_UINT, "CLOCK_MONOTONIC; absent while it lasts"),
	F_TEXT("outcome", REQUIRED, 16, "none while it lasts, done, confirmed, unconfirmed, failed"),
	F_UINT("inflight_before", OPTIONAL, ANY_UINT, "commands in flight at the start; absent: not known"),
	F_UINT("inflight_after", OPTIONAL, ANY_UINT, "commands in flight at the end; absent: not known"),
	F_TEXTS("evidence", OPTIONAL, 16, "what is proved by then, as \"fabric logged out\""),
	F_TEXT("text", OPTIONAL, 1024, "what was seen, or what went wrong"),
	END,
};

static const struct proto_field seen_fields[] = {
	F_UINT("inflight", OPTIONAL, ANY_UINT, "commands in flight on all its LUNs (device_busy)"),
	F_UINT("inflight_us", OPTIONAL, ANY_UINT, "when that was read, CLOCK_MONOTONIC"),
	F_LIST("targets", OPTIONAL, target_fields,
	       "its target rports with their states; none when the vport is gone"),
	F_UINT("targets_us", OPTIONAL, ANY_UINT, "when they were read, CLOCK_MONOTONIC"),
	F_TEXT("name_server", OPTIONAL, 16,
	       "its answer to the parent about the WWPN: absent, present, no proof; no answer: none yet"),
	F_TEXT("name_server_text", OPTIONAL, 256, "present: the N_Port_ID; no proof: why"),
	F_UINT("name_server_us", OPTIONAL, ANY_UINT, "when it answered, CLOCK_MONOTONIC"),
	END,
};

#define VHBA_IDENTITY                                                                                        \
	F_UINT("index", REQUIRED, INDEX, "index of the vhba within the VM"),                                 \
		F_WWN("wwpn", REQUIRED, "its WWPN"), F_WWN("wwnn", OPTIONAL, "its WWNN")

#define VHBA_PLACE                                                                                           \
	F_WWN("parent", OPTIONAL, "WWPN of the parent that carries it"),                                     \
		F_TEXT("host", OPTIONAL, 32, "the vport's SCSI host, as host7"),                             \
		F_TEXT("vport", OPTIONAL, 48, "the vport, as vport-3:0-1"),                                  \
		F_TEXT("port_id", OPTIONAL, 16, "the vport's N_Port_ID")

static const struct proto_field result_vhba_fields[] = {
	VHBA_IDENTITY,
	VHBA_PLACE,
	F_TEXT("outcome", REQUIRED, 16, "done, confirmed, unconfirmed, failed; none when nothing was done"),
	F_TEXT("state", REQUIRED, 32, "where it stands, as attached, held, gone"),
	F_TEXTS("evidence", OPTIONAL, 16, "what is proved of the logout"),
	F_OBJECT("seen", OPTIONAL, seen_fields, "what that rests on: what was seen last, and when"),
	F_LIST("phases", REQUIRED, phase_fields, "the record, in order"),
	F_LIST("targets", OPTIONAL, target_fields, "its zones' targets"),
	F_LIST("luns", OPTIONAL, lun_fields, "its LUNs"),
	F_OBJECT("error", OPTIONAL, NULL, "why it failed: error, what, expected, seen, fix"),
	END,
};

#define RESULT                                                                                               \
	F_TEXT("operation", REQUIRED, 16, "attach, detach, quiesce, resume, release"),                       \
		F_TEXT("vm", REQUIRED, 63, "name of the VM"),                                                \
		F_TEXT("outcome", REQUIRED, 16, "done, confirmed, unconfirmed, failed"),                     \
		F_UINT("start_us", REQUIRED, ANY_UINT, "when it was asked for, CLOCK_MONOTONIC"),            \
		F_UINT("deadline_us", REQUIRED, ANY_UINT, "the deadline, counted from start_us"),            \
		F_UINT("elapsed_us", REQUIRED, ANY_UINT, "from start_us to the answer"),                     \
		F_TEXT("later", OPTIONAL, 16,                                                                \
		       "log: the outcome since, by proof that came after the answer"),                       \
		F_UINT("later_us", OPTIONAL, ANY_UINT, "from start_us until then"),                          \
		F_TEXTS("unproved", REQUIRED, 64, "what is not proved, as \"vhba 1: fabric logged out\""),   \
		F_TEXTS("warnings", OPTIONAL, 1024,                                                          \
			"attach: what is not as it was, as registrations and reservations of LUNs"),         \
		F_BOOL("rolled_back", OPTIONAL, "failed, and the VM is as it was before"),                   \
		F_BOOL("may_have_failed", OPTIONAL,                                                          \
		       "resume: the hold was long, parked commands may have failed"),                        \
		F_TEXT("text", OPTIONAL, 1024, "the outcome in words"),                                      \
		F_LIST("phases", OPTIONAL, phase_fields, "the VM's own phases, such as stop"),               \
		F_LIST("vhbas", REQUIRED, result_vhba_fields, "one entry a vhba"),                           \
		F_OBJECT("error", OPTIONAL, NULL, "why it failed: error, what, expected, seen, fix")

static const struct proto_field result_fields[] = {RESULT, END};

static const struct proto_field log_record_fields[] = {
	F_UINT("id", OPTIONAL, ANY_UINT, "number of the operation"),
	F_TEXT("time", OPTIONAL, 40, "wall clock at its start, RFC 3339, for reading only"),
	RESULT,
	END,
};

static const struct proto_field vhba_fields[] = {
	F_TEXT("vm", OPTIONAL, 63, "name of the VM"),
	VHBA_IDENTITY,
	F_WWN("alternate", OPTIONAL,
	      "its second WWPN, by which another host may log in while this one still is"),
	F_UINT("vsan", REQUIRED, VSAN, "VSAN that its parent must be in"),
	F_NAMES("zones", REQUIRED, 0, 16, "zones whose targets it must see"),
	F_TEXT("state", OPTIONAL, 32,
	       "detached, attaching, attached, quiescing, held, ...; why it is not ready: text"),
	F_TEXT("text", OPTIONAL, 1024, "why it is not ready"),
	VHBA_PLACE,
	F_LIST("targets", OPTIONAL, target_fields, "its zones' targets; vm.Show only"),
	F_LIST("luns", OPTIONAL, lun_fields, "its LUNs; vm.Show only"),
	END,
};

static const struct proto_field vm_fields[] = {
	F_TEXT("name", REQUIRED, 63, "name"),
	F_UUID("uuid", REQUIRED, "libvirt's UUID of the VM"),
	F_TEXT("state", REQUIRED, 32,
	       "detached, attaching, attached, quiescing, held, resuming, releasing, failed"),
	F_TEXT("operation", OPTIONAL, 16, "operation under way"),
	F_TEXT("owner", OPTIONAL, 256, "host that holds the identity"),
	F_UINT("generation", OPTIONAL, ANY_UINT, "how often the identity has changed hands"),
	F_UINT("vhba_count", OPTIONAL, 0, 16, "number of vhbas; vm.List"),
	F_BOOL("pool", OPTIONAL, "libvirt has a storage pool of each vhba while it is attached"),
	F_TEXT("io", OPTIONAL, 8, "what carries its I/O: none (the host's block devices), scsi or blk"),
	F_UINT("io_workers", OPTIONAL, 1, 16, "threads of its I/O back end; absent: as configured"),
	F_UINT("limit_iops", OPTIONAL, ANY_UINT, "commands a second; absent: no limit"),
	F_UINT("limit_mbps", OPTIONAL, ANY_UINT, "megabytes (10^6) a second; absent: no limit"),
	F_TEXT("paths", OPTIONAL, 8,
	       "guest: each path of an array's LUN is a LUN of the guest's by itself; absent: one LUN has "
	       "all"),
	F_BOOL("gated", OPTIONAL, "it came with a ticket that does not show that its source is done"),
	F_BOOL("arrives", OPTIONAL, "it is expected by a live migration: its guest has not begun here"),
	F_BOOL("leaving", OPTIONAL, "its guest was stopped here for a migration"),
	F_LIST("vhbas", OPTIONAL, vhba_fields, "its vhbas; vm.Show"),
	END,
};

static const struct proto_field vport_fields[] = {
	F_WWN("wwpn", REQUIRED, "WWPN of the vport"),
	F_TEXT("host", OPTIONAL, 32, "its SCSI host"),
	F_TEXT("vport", OPTIONAL, 48, "as vport-3:0-1"),
	F_TEXT("state", OPTIONAL, 32, "vport_state"),
	F_BOOL("own", REQUIRED, "made by this daemon; one that is not is never touched"),
	F_TEXT("vm", OPTIONAL, 63, "the VM whose vhba it is"),
	F_UINT("index", OPTIONAL, INDEX, "the vhba's index"),
	END,
};

#define PARENT                                                                                               \
	F_WWN("wwpn", REQUIRED, "WWPN"), F_WWN("wwnn", OPTIONAL, "WWNN"),                                    \
		F_TEXT("host", REQUIRED, 32, "fc_host, as host3"),                                           \
		F_TEXT("driver", REQUIRED, 32, "as fcoe, qla2xxx, lpfc"),                                    \
		F_TEXT("state", REQUIRED, 32, "port_state, as Online"),                                      \
		F_TEXT("speed", OPTIONAL, 32, "as 16 Gbit"),                                                 \
		F_TEXT("fabric_name", OPTIONAL, 32, "WWN of the fabric"),                                    \
		F_TEXT("port_id", OPTIONAL, 16, "N_Port_ID"),                                                \
		F_UINT("vsan", OPTIONAL, VSAN, "VSAN that it was verified to be in"),                        \
		F_UINT("npiv_inuse", REQUIRED, ANY_UINT, "vports on it"),                                    \
		F_UINT("npiv_max", REQUIRED, ANY_UINT, "vports that it can carry"),                          \
		F_TEXT("netdev", OPTIONAL, 32, "FCoE: network interface"),                                   \
		F_BOOL("usable", OPTIONAL, "the configuration lets vhbad use it"),                           \
		F_LIST("vports", REQUIRED, vport_fields, "vports on it, own and foreign")

static const struct proto_field parent_fields[] = {PARENT, END};

static const struct proto_field event_fields[] = {
	F_UINT("seq", REQUIRED, ANY_UINT, "its number; the next one is larger by 1"),
	F_UINT("monotonic_us", REQUIRED, ANY_UINT, "CLOCK_MONOTONIC"),
	F_TEXT("kind", REQUIRED, 32, "as operation, state, parent, vport, target, lun, registry"),
	F_TEXT("vm", OPTIONAL, 63, "the VM that it is about"),
	F_TEXT("text", REQUIRED, 1024, "what happened"),
	F_OBJECT("data", OPTIONAL, NULL, "particulars by kind"),
	END,
};

static const struct proto_field running_fields[] = {
	F_TEXT("vm", REQUIRED, 63, "name of the VM"),
	F_TEXT("operation", REQUIRED, 16, "attach, detach, quiesce, resume, release"),
	F_TEXT("phase", OPTIONAL, 32, "where it stands"),
	F_UINT("start_us", REQUIRED, ANY_UINT, "CLOCK_MONOTONIC"),
	F_UINT("deadline_us", REQUIRED, ANY_UINT, "the deadline, counted from start_us"),
	F_BOOL("answered", OPTIONAL, "its caller has its answer; it goes on in the background"),
	END,
};

static const struct proto_field key_fields[] = {
	F_TEXT("section", REQUIRED, 128, "section of vhbad.conf"),
	F_TEXT("key", REQUIRED, 64, "key"),
	F_TEXT("value", REQUIRED, 1024, "value in force"),
	F_BOOL("default", OPTIONAL, "not set in the file"),
	END,
};

/* Parameters and replies by method. */

static const struct proto_field vm_add_p[] = {
	F_NAME("name", REQUIRED, "name of the VM"),
	F_UUID("uuid", REQUIRED, "libvirt's UUID of the VM"),
	F_BOOL("pool", OPTIONAL, "with storage pools; absent: without"),
	END,
};
static const struct proto_field vm_set_p[] = {
	P_VM,
	F_BOOL("pool", OPTIONAL, "with storage pools, or without; absent: as it was, as all that follows"),
	F_TEXT("io", OPTIONAL, 8, "what carries its I/O from its next start: none, scsi or blk"),
	F_UINT("io_workers", OPTIONAL, 0, 16, "threads of its I/O back end; 0: as configured"),
	F_UINT("limit_iops", OPTIONAL, 0, 1000000000, "commands a second; 0: no limit"),
	F_UINT("limit_mbps", OPTIONAL, 0, 1000000, "megabytes (10^6) a second; 0: no limit"),
	F_TEXT("paths", OPTIONAL, 8,
	       "merged: an array's LUN is one of the guest's, whatever its paths; guest: each path is a LUN "
	       "by itself, for a guest with multipathing of its own. Its LUNs get other numbers by that"),
	END,
};
static const struct proto_field vm_reply[] = {F_OBJECT("vm", REQUIRED, vm_fields, "the VM"), END};
static const struct proto_field vm_remove_p[] = {
	P_VM,
	F_BOOL("force", OPTIONAL, "also when this host does not hold its identity"),
	END,
};
static const struct proto_field vm_only_p[] = {P_VM, END};
static const struct proto_field vm_optional_p[] = {F_VM(OPTIONAL, "only this VM's; name or UUID"), END};
static const struct proto_field vm_list_r[] = {F_LIST("vms", REQUIRED, vm_fields, "all VMs, by name"), END};

static const struct proto_field vhba_add_p[] = {
	P_VM,
	F_UINT("vsan", REQUIRED, VSAN, "VSAN that the parent must be in"),
	F_NAMES("zones", REQUIRED, 1, 16, "zones whose targets it must see"),
	F_UINT("index", OPTIONAL, INDEX, "index; absent: the lowest that is free"),
	F_WWN("wwpn", OPTIONAL, "WWPN given by the administrator; with wwnn"),
	F_WWN("wwnn", OPTIONAL, "WWNN given by the administrator; with wwpn"),
	END,
};
static const struct proto_field vhba_reply[] = {F_OBJECT("vhba", REQUIRED, vhba_fields, "the vhba"), END};
static const struct proto_field vhba_set_p[] = {
	P_VM,
	F_UINT("index", REQUIRED, INDEX, "index of the vhba"),
	F_BOOL("alternate", REQUIRED, "it has a second WWPN; false: it has none any more"),
	F_WWN("alternate_wwpn", OPTIONAL, "given by the administrator; absent: as it was, or allocated"),
	END,
};
static const struct proto_field vhba_remove_p[] = {
	P_VM,
	F_UINT("index", REQUIRED, INDEX, "index of the vhba"),
	END,
};
static const struct proto_field vhba_list_r[] = {
	F_LIST("vhbas", REQUIRED, vhba_fields, "by VM and index"),
	END,
};

static const struct proto_field parent_list_r[] = {
	F_LIST("parents", REQUIRED, parent_fields, "all physical fc_hosts, by host"),
	END,
};
static const struct proto_field parent_show_p[] = {
	F_TEXT("parent", REQUIRED, 64, "WWPN, or fc_host as host3"),
	END,
};
static const struct proto_field parent_show_r[] = {
	F_OBJECT("parent", REQUIRED, parent_fields, "the parent"),
	F_LIST("targets", OPTIONAL, target_fields, "rports of the parent itself"),
	END,
};
static const struct proto_field lun_list_r[] = {
	F_LIST("luns", REQUIRED, lun_fields, "by VM, vhba, target and LUN"),
	END,
};

static const struct proto_field lun_add_p[] = {
	P_VM,
	F_TEXT("file", REQUIRED, 255, "absolute path of a file or block device; without commas"),
	F_TEXT("serial", OPTIONAL, 20, "serial number; absent: made of the UUID and the LUN's number"),
	F_UINT("number", OPTIONAL, GUEST_LUN, "the guest's number of it; absent: the lowest that is free"),
	F_BOOL("read_only", OPTIONAL, "the guest can't write it"),
	F_BOOL("direct", OPTIONAL, "past the host's page cache"),
	END,
};
static const struct proto_field lun_remove_p[] = {
	P_VM,
	F_UINT("number", REQUIRED, GUEST_LUN, "the guest's number of it"),
	END,
};
static const struct proto_field guest_lun_r[] = {
	F_OBJECT("lun", REQUIRED, lun_fields, "the LUN"),
	END,
};

static const struct proto_field attach_p[] = {
	P_VM,
	P_DEADLINE,
	F_BOOL("accept_luns", OPTIONAL, "record anew the expected LUN set from what is seen"),
	F_BOOL("check_names", OPTIONAL,
	       "refuse when the name server shows one of the VM's names logged in already"),
	END,
};
static const struct proto_field vm_deadline_p[] = {P_VM, P_DEADLINE, END};
static const struct proto_field quiesce_p[] = {
	P_VM,
	F_UINT("deadline_us", REQUIRED, 1000, DAY_US, "answer within so long"),
	F_UINT("drain_us", OPTIONAL, 0, DAY_US, "let commands complete for so long at most"),
	F_BOOL("paused", OPTIONAL, "kernel block path: the VM's owner has paused it"),
	END,
};
static const struct proto_field plan_p[] = {
	P_VM,
	F_UINT("deadline_us", REQUIRED, 1000, DAY_US, "the deadline that the quiesce would have"),
	F_UINT("drain_us", OPTIONAL, 0, DAY_US, "the drain that it would be told"),
	END,
};
static const struct proto_field step_fields[] = {
	F_TEXT("step", REQUIRED, 32, "state of the quiesce machine, as drain, disable-abort"),
	F_TEXT("action", REQUIRED, 32, "what begins it, as set-fast-fail"),
	F_TEXT("when", REQUIRED, 160, "on which condition it is taken"),
	F_UINT("bound_us", OPTIONAL, ANY_UINT, "it takes so long at most; absent: it has no bound"),
	F_BOOL("aborts", REQUIRED, "commands in flight are cut off"),
	F_TEXT("proof", REQUIRED, 256, "what shows that it is complete"),
	END,
};
static const struct proto_field plan_vhba_fields[] = {
	VHBA_IDENTITY,
	VHBA_PLACE,
	F_TEXT("driver", REQUIRED, 32, "the parent's driver, as fcoe; empty: not known"),
	F_TEXT("profile", REQUIRED, 32, "the entry of the table of drivers that applies, as libfc, unknown"),
	F_BOOL("met", REQUIRED, "by the deadline each command has ended, whatever array, link and fabric do"),
	F_UINT("smallest_us", OPTIONAL, ANY_UINT,
	       "the smallest deadline that is met so; absent: there is none"),
	F_UINT("usual_us", OPTIONAL, ANY_UINT,
	       "the smallest that is met as long as the fabric answers; absent: there is none"),
	F_BOOL("drain_first", REQUIRED,
	       "commands that are left at the logout cost far more than waiting for them"),
	F_BOOL("logo_first", REQUIRED, "the fabric's LOGO is waited for before a command is aborted"),
	F_UINT("targets", REQUIRED, ANY_UINT, "target ports that it sees"),
	F_UINT("blocked", REQUIRED, ANY_UINT, "of them, Blocked already"),
	F_LIST("steps", REQUIRED, step_fields, "what would run, in order"),
	F_TEXTS("notes", REQUIRED, 16, "what to know of this driver"),
	F_TEXTS("never", REQUIRED, 16, "what is never done with it"),
	END,
};
static const struct proto_field plan_r[] = {
	F_TEXT("vm", REQUIRED, 63, "name of the VM"),
	F_UINT("deadline_us", REQUIRED, ANY_UINT, "the deadline that was asked about"),
	F_BOOL("met", REQUIRED, "by every vhba"),
	F_UINT("smallest_us", OPTIONAL, ANY_UINT,
	       "the smallest deadline that all meet; absent: there is none"),
	F_UINT("usual_us", OPTIONAL, ANY_UINT, "the smallest that all meet as long as the fabric answers"),
	F_LIST("vhbas", REQUIRED, plan_vhba_fields, "one entry a vhba"),
	END,
};
static const struct proto_field release_p[] = {
	P_VM,
	P_DEADLINE,
	F_BOOL("moved", OPTIONAL, "the identity belongs to another host from now on"),
	END,
};
static const struct proto_field export_r[] = {
	F_OBJECT("ticket", REQUIRED, NULL, "versioned: identity, constraints, expected LUN set"),
	END,
};
static const struct proto_field preflight_p[] = {
	F_OBJECT("ticket", REQUIRED, NULL, "as export gave it"),
	END,
};
static const struct proto_field check_fields[] = {
	F_TEXT("check", REQUIRED, 16, "generation, name, vsan, zone, parent or live"),
	F_UINT("vhba", OPTIONAL, 0, 255, "of which vhba; absent: of the VM"),
	F_BOOL("ok", REQUIRED, "it holds"),
	F_TEXT("what", OPTIONAL, 255, "if not: what lacks"),
	F_TEXT("expected", OPTIONAL, 159, "what was expected"),
	F_TEXT("seen", OPTIONAL, 159, "what was seen"),
	F_TEXT("fix", OPTIONAL, 199, "what to do"),
	END,
};
static const struct proto_field reach_fields[] = {
	F_UINT("vhba", REQUIRED, 0, 255, "which vhba"),
	F_TEXT("reachable", REQUIRED, 16,
	       "seen: all of its LUN paths, by this host's own ports; partly; unproved: none of them; "
	       "unknown: "
	       "it was never attached"),
	F_UINT("paths", REQUIRED, ANY_UINT,
	       "LUN paths that the ticket expects: a target port and a LUN each"),
	F_UINT("seen", REQUIRED, ANY_UINT, "of these, those that this host's own ports see"),
	F_UINT("differ", REQUIRED, ANY_UINT,
	       "of the rest, those whose number is another LUN's for this host's own ports"),
	F_BOOL("alternate", REQUIRED,
	       "it logs in here by its alternate name before the guest is paused, which proves them"),
	F_TEXT("text", REQUIRED, 255, "the same for a person"),
	F_TEXTS("reasons", REQUIRED, 16,
		"what the own ports don't see, by target port; those of its zones too"),
	END,
};
static const struct proto_field whereis_fields[] = {
	F_UINT("vhba", REQUIRED, 0, 255, "which vhba"),
	F_TEXT("wwpn", REQUIRED, 23, "its WWPN"),
	F_TEXT("live", REQUIRED, 16,
	       "source: where the ticket says that the source has it; somewhere: the ticket does not say; "
	       "hidden: "
	       "this host's own ports are not shown it; nowhere: likewise, as the ticket says; unknown: no "
	       "name "
	       "server could be asked"),
	F_TEXT("port_id", OPTIONAL, 16, "N_Port_ID by which it is seen, six hex digits"),
	F_BOOL("proved", REQUIRED, "it is where the ticket says"),
	F_TEXT("text", REQUIRED, 255, "the same for a person"),
	END,
};
static const struct proto_field preflight_r[] = {
	F_TEXT("vm", REQUIRED, 63, "name of the VM"),
	F_BOOL("ok", REQUIRED, "all checks hold: as far as it can be known beforehand, the VM can come here"),
	F_LIST("checks", REQUIRED, check_fields, "all of them"),
	F_LIST("names", REQUIRED, whereis_fields,
	       "where the name server has the WWPN of each vhba that is not certainly live elsewhere than "
	       "on the source; what is not proved speaks against nothing"),
	F_LIST("luns", REQUIRED, reach_fields,
	       "whether the LUNs of each vhba can be reached from here; what is not proved speaks against "
	       "nothing, since masking may hide it from this host's own names"),
	END,
};
static const struct proto_field import_p[] = {
	F_OBJECT("ticket", REQUIRED, NULL, "as export gave it"),
	F_BOOL("force", OPTIONAL, "also when this registry has a newer generation of it"),
	F_BOOL("alternate", OPTIONAL,
	       "each vhba's WWPN and its alternate change places: the source may be logged in still"),
	END,
};

static const struct proto_field events_p[] = {
	F_UINT("since", OPTIONAL, ANY_UINT,
	       "events after this number; absent: with more only new ones, else all"),
	END,
};
static const struct proto_field events_r[] = {
	F_LIST("events", REQUIRED, event_fields, "in order"),
	F_UINT("lost", OPTIONAL, ANY_UINT, "so many between since and the first are gone"),
	END,
};

static const struct proto_field status_r[] = {
	F_TEXT("version", REQUIRED, 32, "version of vhbad"),
	F_TEXT("hostname", REQUIRED, 256, "this host"),
	F_UINT("uptime_us", REQUIRED, ANY_UINT, "since vhbad's start"),
	F_UINT("vms", REQUIRED, ANY_UINT, "VMs registered"),
	F_UINT("vhbas", REQUIRED, ANY_UINT, "vhbas registered"),
	F_UINT("attached", REQUIRED, ANY_UINT, "VMs with vports here"),
	F_UINT("parents", REQUIRED, ANY_UINT, "parents seen"),
	F_UINT("vports", REQUIRED, ANY_UINT, "own vports live"),
	F_UINT("foreign_vports", REQUIRED, ANY_UINT, "vports of others"),
	F_UINT("luns", OPTIONAL, ANY_UINT, "LUN paths of own vports"),
	F_UINT("back_ends", OPTIONAL, ANY_UINT, "vhba-ios of VMs here"),
	F_UINT("back_ends_up", OPTIONAL, ANY_UINT, "of them, up"),
	F_UINT("gates_closed", OPTIONAL, ANY_UINT, "of them, with a gate that is closed"),
	F_UINT("memory", REQUIRED, ANY_UINT, "resident bytes of vhbad"),
	F_UINT("events", OPTIONAL, ANY_UINT, "number of the last event"),
	F_LIST("operations", REQUIRED, running_fields, "operations under way"),
	END,
};
static const struct proto_field log_p[] = {
	P_VM,
	F_UINT("last", OPTIONAL, 1, 64, "at most so many, the newest; absent: all that are kept"),
	END,
};
static const struct proto_field log_r[] = {
	F_TEXT("vm", REQUIRED, 63, "name of the VM"),
	F_LIST("records", REQUIRED, log_record_fields, "results of the last operations, oldest first"),
	END,
};
static const struct proto_field config_r[] = {
	F_TEXT("file", REQUIRED, 4096, "the file that was read"),
	F_LIST("keys", REQUIRED, key_fields, "what is in force, in the file's order"),
	END,
};

#define READ PROTO_ACCESS_READ
#define CHANGE PROTO_ACCESS_CHANGE

const struct proto_method proto_methods[PROTO_METHODS] = {
	[PROTO_VM_ADD] = {"vm.Add", CHANGE, false, vm_add_p, vm_reply, "Register a VM."},
	[PROTO_VM_REMOVE] = {"vm.Remove", CHANGE, false, vm_remove_p, none,
			     "Forget a detached VM; its names are never given again."},
	[PROTO_VM_SET] = {"vm.Set", CHANGE, false, vm_set_p, vm_reply,
			  "Change what libvirt is to have of a VM, and what carries its I/O."},
	[PROTO_VM_LIST] = {"vm.List", READ, false, none, vm_list_r, "All VMs."},
	[PROTO_VM_SHOW] = {"vm.Show", READ, false, vm_only_p, vm_reply,
			   "A VM with its vhbas, their targets and LUNs."},
	[PROTO_VHBA_ADD] = {"vhba.Add", CHANGE, false, vhba_add_p, vhba_reply,
			    "Give a VM a vhba; its WWPN and WWNN are allocated once, for ever."},
	[PROTO_VHBA_SET] = {"vhba.Set", CHANGE, false, vhba_set_p, vhba_reply,
			    "Give a detached VM's vhba a second WWPN, by which another host may log in "
			    "while this one still is."},
	[PROTO_VHBA_REMOVE] = {"vhba.Remove", CHANGE, false, vhba_remove_p, none,
			       "Take a vhba from a detached VM."},
	[PROTO_VHBA_LIST] = {"vhba.List", READ, false, vm_optional_p, vhba_list_r,
			     "The vhbas of one VM or of all."},
	[PROTO_PARENT_LIST] = {"parent.List", READ, false, none, parent_list_r,
			       "Physical fc_hosts with their vports."},
	[PROTO_PARENT_SHOW] = {"parent.Show", READ, false, parent_show_p, parent_show_r,
			       "One physical fc_host, with its own targets."},
	[PROTO_LUN_LIST] = {"lun.List", READ, false, vm_optional_p, lun_list_r,
			    "LUN paths of one VM or of all."},
	[PROTO_LUN_ADD] = {"lun.Add", CHANGE, false, lun_add_p, guest_lun_r,
			   "Give the guest a file or block device as a LUN, by its I/O back end."},
	[PROTO_LUN_REMOVE] = {"lun.Remove", CHANGE, false, lun_remove_p, none,
			      "Take a LUN from the guest; its file stays."},
	[PROTO_IO_LIST] = {"io.List", READ, false, vm_optional_p, proto_io_list_r,
			   "The vhba-ios of one VM or of all."},
	[PROTO_IO_STATUS] = {"io.Status", READ, false, vm_only_p, proto_io_list_r,
			     "Those of a VM; an error when it has none."},
	[PROTO_IO_START] =
		{"io.Start", CHANGE, false, vm_only_p, proto_io_list_r,
		 "Start a VM's vhba-io before it is attached, or without; its sockets are there then."},
	[PROTO_IO_END] = {"io.End", CHANGE, false, vm_only_p, none,
			  "End it: whoever is connected loses its disks."},
	[PROTO_IO_UPGRADE] =
		{"io.Upgrade", CHANGE, false, vm_only_p, proto_io_list_r,
		 "Have the program as it is installed now take over; the guest sees nothing of it."},
	[PROTO_IO_CHECK] = {"io.Check", CHANGE, false, vm_only_p, proto_io_list_r,
			    "Look whether LUNs, files above all, have another size, and tell the guest."},
	[PROTO_IO_LATENCY] = {"io.Latency", READ, false, vm_only_p, proto_io_latency_r,
			      "How many commands of each of the guest's LUNs took how long, from its ring to "
			      "their answer."},
	[PROTO_IO_OPEN] = {"io.Open", CHANGE, false, proto_io_open_p, proto_io_list_r,
			   "Open the gate of a VM that came from elsewhere."},
	[PROTO_IO_AWAIT] = {"io.Await", CHANGE, false, proto_io_await_p, proto_io_await_r,
			    "Expect a VM that comes by a live migration."},
	[PROTO_POOL_LIST] = {"pool.List", READ, false, vm_optional_p, proto_pool_list_r,
			     "libvirt's storage pools on vhbas, own and those that others have defined."},
	[PROTO_POOL_SYNC] = {"pool.Sync", CHANGE, false, proto_pool_sync_p, proto_pool_list_r,
			     "Look for LUNs and sizes anew, and have the pools refreshed."},
	[PROTO_POOL_SERVE] =
		{"pool.Serve", CHANGE, true, none, proto_pool_serve_r,
		 "For vhba-virt: what is wanted of each pool, as it changes. One caller at a time."},
	[PROTO_POOL_REPORT] = {"pool.Report", CHANGE, false, proto_pool_report_p, none,
			       "For vhba-virt: what libvirt has."},
	[PROTO_DOMAIN_LIST] = {"domain.List", READ, false, none, proto_domain_list_r,
			       "libvirt's domains, and which of them carry a VM's identity."},
	[PROTO_DOMAIN_SHOW] = {"domain.Show", READ, false, proto_domain_p, proto_domain_show_r,
			       "A domain, with the identity in its metadata."},
	[PROTO_DOMAIN_BIND] = {"domain.Bind", CHANGE, false, proto_domain_bind_p, proto_domain_show_r,
			       "Write the VM's identity into its domain's metadata."},
	[PROTO_DOMAIN_UNBIND] = {"domain.Unbind", CHANGE, false, proto_domain_p, none,
				 "Take the identity from a domain's metadata."},
	[PROTO_DOMAIN_XML] = {"domain.Xml", CHANGE, false, proto_domain_xml_p, proto_domain_xml_r,
			      "The VM's LUNs as devices of its domain."},
	[PROTO_MIGRATE] = {"migrate", CHANGE, true, proto_migrate_p, proto_migrate_r,
			   "Move a domain with its identity to another host, by libvirt; until it is done, "
			   "or the caller goes."},
	[PROTO_DOMAIN_SERVE] =
		{"domain.Serve", CHANGE, true, none, proto_domain_serve_r,
		 "For vhba-virt: what is to be done with libvirt's domains. One caller at a time."},
	[PROTO_DOMAIN_REPORT] = {"domain.Report", CHANGE, false, proto_domain_report_p, none,
				 "For vhba-virt: what has come of it."},
	[PROTO_ATTACH] = {"attach", CHANGE, true, attach_p, result_fields,
			  "Create the VM's vports and wait until all its LUNs are usable."},
	[PROTO_DETACH] = {"detach", CHANGE, true, vm_deadline_p, result_fields,
			  "Drain and delete the vports of a VM that stays registered here."},
	[PROTO_PLAN] = {"plan", READ, false, plan_p, plan_r,
			"What a quiesce with this deadline would do, and whether the driver can meet it."},
	[PROTO_QUIESCE] =
		{"quiesce", CHANGE, true, quiesce_p, result_fields,
		 "End or park all I/O of the VM and log it out of targets and fabric, by the deadline."},
	[PROTO_RESUME] = {"resume", CHANGE, true, vm_deadline_p, result_fields,
			  "Log a quiesced VM in again and open its intake."},
	[PROTO_RELEASE] = {"release", CHANGE, true, release_p, result_fields,
			   "Delete a quiesced VM's vports and prove that the fabric has let them go."},
	[PROTO_EXPORT] = {"export", READ, false, vm_only_p, export_r,
			  "A ticket to import the VM elsewhere with."},
	[PROTO_PREFLIGHT] = {"preflight", READ, false, preflight_p, preflight_r,
			     "Whether the VM of a ticket could come to this host, where the fabric has its "
			     "names, and which of its LUNs the own ports see; nothing is changed."},
	[PROTO_IMPORT] = {"import", CHANGE, false, import_p, vm_reply, "Register a VM from a ticket."},
	[PROTO_EVENTS] = {"events", READ, true, events_p, events_r,
			  "What happened; with more, as it happens."},
	[PROTO_STATUS] = {"status", READ, false, none, status_r,
			  "The daemon, its counts and operations under way."},
	[PROTO_LOG] = {"log", READ, false, log_p, log_r,
		       "Records of a VM's last operations, with their phases."},
	[PROTO_CONFIG_SHOW] = {"config.Show", READ, false, none, config_r, "The configuration in force."},
};

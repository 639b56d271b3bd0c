/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of commands. Man page, completion and help are held to it (tests/docs.sh). */
#include "cleanup.h"
#include "ctl.h"
#include "show.h"

#define END                                                                                                  \
	{                                                                                                    \
		NULL, 0, CTL_FLAG, false, NULL, NULL, NULL                                                   \
	}
#define REQUIRED true
#define OPTIONAL false

#define A_VM                                                                                                 \
	{                                                                                                    \
		"VM", 0, CTL_TEXT, REQUIRED, "vm", NULL, "name or UUID of the VM"                            \
	}
#define A_VM_OPTIONAL                                                                                        \
	{                                                                                                    \
		"VM", 0, CTL_TEXT, OPTIONAL, "vm", NULL, "name or UUID of the VM; all when left out"         \
	}
#define O_DEADLINE                                                                                           \
	{                                                                                                    \
		"deadline", 0, CTL_DURATION, OPTIONAL, "deadline_us", "D",                                   \
			"answer within so long, as 500ms or 10s; default: the configured one"                \
	}
#define O_DRAIN                                                                                              \
	{                                                                                                    \
		"drain", 0, CTL_DURATION, OPTIONAL, "drain_us", "D",                                         \
			"let commands complete for so long at most"                                          \
	}

static const struct ctl_arg none[] = {END};
static const struct ctl_arg vm_a[] = {A_VM, END};
static const struct ctl_arg vm_optional_a[] = {A_VM_OPTIONAL, END};
static const struct ctl_arg deadline_o[] = {O_DEADLINE, END};

static const struct ctl_arg name_a[] = {{"NAME", 0, CTL_TEXT, REQUIRED, "name", NULL, "name of the VM"}, END};
static const struct ctl_arg vm_add_o[] = {
	{"uuid", 0, CTL_TEXT, REQUIRED, "uuid", "U", "libvirt's UUID of the VM"},
	{"pool", 0, CTL_FLAG, OPTIONAL, "pool", NULL, "with a storage pool of libvirt's for each vhba"},
	END,
};
static const struct ctl_arg vm_set_o[] = {
	{"pool", 0, CTL_BOOL, OPTIONAL, "pool", "yes|no", "with a storage pool of libvirt's for each vhba"},
	{"io", 0, CTL_TEXT, OPTIONAL, "io", "none|scsi|blk",
	 "what carries its I/O: the host's block devices, or vhba-io with one SCSI host adapter, or with a "
	 "disk a LUN"},
	{"io-workers", 0, CTL_UINT, OPTIONAL, "io_workers", "N", "threads of vhba-io; 0: as configured"},
	{"limit-iops", 0, CTL_UINT, OPTIONAL, "limit_iops", "N", "commands a second; 0: no limit"},
	{"limit-mbps", 0, CTL_UINT, OPTIONAL, "limit_mbps", "N", "megabytes (10^6) a second; 0: no limit"},
	{"paths", 0, CTL_TEXT, OPTIONAL, "paths", "merged|guest",
	 "whether an array's LUN is one of the guest's with all paths, or one by each path"},
	END,
};
static const struct ctl_arg vhba_set_o[] = {
	{"alternate", 0, CTL_BOOL, REQUIRED, "alternate", "yes|no", "whether it has a second WWPN"},
	{"alternate-wwpn", 0, CTL_TEXT, OPTIONAL, "alternate_wwpn", "W",
	 "given by the administrator; default: as it was, or allocated"},
	END,
};
static const struct ctl_arg vm_remove_o[] = {
	{"force", 0, CTL_FLAG, OPTIONAL, "force", NULL, "also when this host does not hold its identity"},
	END,
};
static const struct ctl_arg vhba_add_o[] = {
	{"vsan", 0, CTL_UINT, REQUIRED, "vsan", "N", "VSAN that the parent must be in"},
	{"zone", 0, CTL_LIST, REQUIRED, "zones", "Z[,Z]", "zones whose targets it must see; may be repeated"},
	{"index", 0, CTL_UINT, OPTIONAL, "index", "N", "index; default: the lowest that is free"},
	{"wwpn", 0, CTL_TEXT, OPTIONAL, "wwpn", "W", "WWPN given by the administrator; with --wwnn"},
	{"wwnn", 0, CTL_TEXT, OPTIONAL, "wwnn", "W", "WWNN given by the administrator; with --wwpn"},
	END,
};
static const struct ctl_arg vhba_remove_a[] = {
	A_VM,
	{"INDEX", 0, CTL_UINT, REQUIRED, "index", NULL, "index of the vhba"},
	END,
};
static const struct ctl_arg lun_add_o[] = {
	{"file", 0, CTL_TEXT, REQUIRED, "file", "PATH", "a file or block device, as an absolute path"},
	{"serial", 0, CTL_TEXT, OPTIONAL, "serial", "S",
	 "its serial number; default: of the VM's UUID and the LUN's number"},
	{"number", 0, CTL_UINT, OPTIONAL, "number", "N",
	 "the guest's number of it; default: the lowest that is free"},
	{"ro", 0, CTL_FLAG, OPTIONAL, "read_only", NULL, "the guest can't write it"},
	{"direct", 0, CTL_FLAG, OPTIONAL, "direct", NULL, "past the host's page cache"},
	END,
};
static const struct ctl_arg lun_remove_a[] = {
	A_VM,
	{"NUMBER", 0, CTL_UINT, REQUIRED, "number", NULL, "the guest's number of the LUN"},
	END,
};
static const struct ctl_arg io_open_o[] = {
	{"reason", 0, CTL_TEXT, OPTIONAL, "reason", "WHY",
	 "operator: you know that nobody else writes to its LUNs; preempted: the source was shut out of them "
	 "by PREEMPT AND ABORT"},
	{"ticket", 0, CTL_TEXT, OPTIONAL, NULL, "FILE",
	 "or: the ticket that its source has exported after a confirmed quiesce; - for standard input"},
	END,
};
static const struct ctl_arg parent_a[] = {
	{"PARENT", 0, CTL_TEXT, REQUIRED, "parent", NULL, "WWPN, or fc_host as host3"},
	END,
};
static const struct ctl_arg attach_o[] = {
	O_DEADLINE,
	{"accept-luns", 0, CTL_FLAG, OPTIONAL, "accept_luns", NULL,
	 "record anew the expected LUN set from what is seen"},
	{"check-names", 0, CTL_FLAG, OPTIONAL, "check_names", NULL,
	 "refuse when the name server shows one of the VM's names logged in already"},
	END,
};
static const struct ctl_arg pool_sync_o[] = {
	{"deadline", 0, CTL_DURATION, OPTIONAL, "deadline_us", "D",
	 "answer within so long, as 500ms or 10s; default: 25s"},
	END,
};
static const struct ctl_arg domain_a[] = {
	{"DOMAIN", 0, CTL_TEXT, REQUIRED, "domain", NULL, "name or UUID of libvirt's domain"},
	END,
};
static const struct ctl_arg domain_bind_o[] = {
	{"vm", 0, CTL_TEXT, OPTIONAL, "vm", "VM",
	 "the VM that it is; default: the one with the domain's UUID"},
	END,
};
static const struct ctl_arg domain_xml_o[] = {
	{"via", 0, CTL_TEXT, OPTIONAL, "via", "WAY",
	 "vhost-user-scsi, vhost-user-blk, lun or hostdev; default: by the VM's I/O back end, else lun"},
	{"apply", 0, CTL_FLAG, OPTIONAL, "apply", NULL,
	 "define the domain with it, in the place of what was there from here"},
	END,
};
static const struct ctl_arg migrate_a[] = {
	{"DOMAIN", 0, CTL_TEXT, REQUIRED, "domain", NULL, "name or UUID of libvirt's domain"},
	{"DESTURI", 0, CTL_TEXT, REQUIRED, "uri", NULL,
	 "the destination's libvirt, as qemu+ssh://beta/system"},
	END,
};
static const struct ctl_arg migrate_o[] = {
	{"deadline", 0, CTL_DURATION, OPTIONAL, "deadline_us", "D",
	 "take it back when it has not ended within so long"},
	{"dry-run", 0, CTL_FLAG, OPTIONAL, "dry_run", NULL,
	 "only look; it ends with 5 when something speaks against it"},
	{"unsafe", 0, CTL_FLAG, OPTIONAL, "unsafe", NULL,
	 "also with disks that libvirt thinks the two hosts may not share"},
	END,
};
static const struct ctl_arg quiesce_o[] = {
	{"deadline", 0, CTL_DURATION, REQUIRED, "deadline_us", "D", "answer within so long, as 500ms or 10s"},
	O_DRAIN,
	{"paused", 0, CTL_FLAG, OPTIONAL, "paused", NULL, "kernel block path: the VM's owner has paused it"},
	END,
};
static const struct ctl_arg plan_o[] = {
	{"deadline", 0, CTL_DURATION, REQUIRED, "deadline_us", "D",
	 "the deadline that the quiesce would have"},
	O_DRAIN,
	END,
};
static const struct ctl_arg release_o[] = {
	O_DEADLINE,
	{"moved", 0, CTL_FLAG, OPTIONAL, "moved", NULL, "the identity belongs to another host from now on"},
	END,
};
static const struct ctl_arg export_o[] = {
	{"output", 'o', CTL_TEXT, OPTIONAL, NULL, "FILE",
	 "write the ticket there instead of standard output"},
	END,
};
static const struct ctl_arg import_a[] = {
	{"FILE", 0, CTL_TEXT, REQUIRED, NULL, NULL, "the ticket; - for standard input"},
	END,
};
static const struct ctl_arg import_o[] = {
	{"alternate", 0, CTL_FLAG, OPTIONAL, "alternate", NULL,
	 "by the vhbas' alternate WWPNs: the source may be logged in still"},
	{"force", 0, CTL_FLAG, OPTIONAL, "force", NULL,
	 "also when this registry has a newer generation of it"},
	END,
};
static const struct ctl_arg events_o[] = {
	{"since", 0, CTL_UINT, OPTIONAL, "since", "SEQ", "only events after this number"},
	{"follow", 'f', CTL_FLAG, OPTIONAL, NULL, NULL, "go on until interrupted"},
	END,
};
static const struct ctl_arg log_o[] = {
	{"last", 0, CTL_UINT, OPTIONAL, "last", "N", "at most so many records, the newest"},
	END,
};
static const struct ctl_arg timeline_a[] = {
	{"SOURCE", 0, CTL_TEXT, REQUIRED, NULL, NULL,
	 "a VM, or a file with the JSON of log or of an operation (a file when it has a / or is -)"},
	END,
};
static const struct ctl_arg timeline_o[] = {
	{"svg", 0, CTL_TEXT, OPTIONAL, NULL, "OUT", "draw it into this file"},
	{"last", 0, CTL_UINT, OPTIONAL, NULL, "N", "so many records, the newest; default: 1"},
	END,
};

const struct ctl_arg ctl_globals[] = {
	{"socket", 's', CTL_TEXT, OPTIONAL, NULL, "P", "vhbad's socket; default: " VHBA_SOCKET},
	{"json", 'j', CTL_FLAG, OPTIONAL, NULL, NULL, "print the reply as one line of JSON"},
	{"no-progress", 0, CTL_FLAG, OPTIONAL, NULL, NULL, "no progress on a terminal"},
	{"help", 'h', CTL_FLAG, OPTIONAL, NULL, NULL, "as the command help"},
	{"version", 'V', CTL_FLAG, OPTIONAL, NULL, NULL, "as the command version"},
	END,
};

const struct ctl_command ctl_commands[] = {
	{"vm add", "vm.Add", name_a, vm_add_o, false, NULL, show_vm, "Register a VM."},
	{"vm remove", "vm.Remove", vm_a, vm_remove_o, false, NULL, NULL,
	 "Forget a detached VM; its names are never given again."},
	{"vm set", "vm.Set", vm_a, vm_set_o, false, NULL, show_vm,
	 "Change what libvirt is to have of a VM, and what carries its I/O from its next start."},
	{"vm list", "vm.List", none, none, false, NULL, show_vms, "All VMs."},
	{"vm show", "vm.Show", vm_a, none, false, NULL, show_vm,
	 "A VM with its vhbas, their targets and LUNs."},
	{"vhba add", "vhba.Add", vm_a, vhba_add_o, false, NULL, show_vhba,
	 "Give a VM a vhba; its WWPN and WWNN are allocated once, for ever."},
	{"vhba set", "vhba.Set", vhba_remove_a, vhba_set_o, false, NULL, show_vhba,
	 "Give a detached VM's vhba a second WWPN, by which another host may log in while this one still "
	 "is."},
	{"vhba remove", "vhba.Remove", vhba_remove_a, none, false, NULL, NULL,
	 "Take a vhba from a detached VM."},
	{"vhba list", "vhba.List", vm_optional_a, none, false, NULL, show_vhbas,
	 "The vhbas of one VM or of all."},
	{"parent list", "parent.List", none, none, false, NULL, show_parents,
	 "Physical fc_hosts with their vports, own and foreign."},
	{"parent show", "parent.Show", parent_a, none, false, NULL, show_parent,
	 "One physical fc_host, with its own targets."},
	{"lun list", "lun.List", vm_optional_a, none, false, NULL, show_luns,
	 "LUN paths of one VM or of all."},
	{"lun add", "lun.Add", vm_a, lun_add_o, false, NULL, show_lun,
	 "Give the guest of a VM with an I/O back end a file or block device as a LUN."},
	{"lun remove", "lun.Remove", lun_remove_a, none, false, NULL, NULL,
	 "Take a LUN from the guest; its file stays."},
	{"io list", "io.List", vm_optional_a, none, false, NULL, show_ios,
	 "The vhba-ios of one VM or of all: where QEMU connects, and how they stand."},
	{"io status", "io.Status", vm_a, none, false, NULL, show_io, "Those of one VM, in full."},
	{"io start", "io.Start", vm_a, none, false, NULL, show_ios,
	 "Start a VM's vhba-io before it is attached, so that QEMU can connect."},
	{"io end", "io.End", vm_a, none, false, NULL, NULL, "End it: whoever is connected loses its disks."},
	{"io upgrade", "io.Upgrade", vm_a, none, false, NULL, show_ios,
	 "Have the vhba-io that is installed now take over from the one that runs; the guest sees nothing of "
	 "it."},
	{"io check", "io.Check", vm_a, none, false, NULL, show_ios,
	 "Look whether its LUNs, files above all, have another size, and tell the guest."},
	{"io latency", "io.Latency", vm_a, none, false, NULL, show_latency,
	 "How many commands of each of its guest's LUNs took how long, from the ring to their answer."},
	{"io open", "io.Open", vm_a, io_open_o, false, ctl_run_io_open, NULL,
	 "Open the gate of a VM that came from elsewhere: its guest's commands are carried out from now on."},
	{"io await", "io.Await", import_a, none, false, ctl_run_io_await, NULL,
	 "Expect the VM of a ticket by a live migration; it ends with 5 when it can't come so."},
	{"pool list", "pool.List", vm_optional_a, none, false, NULL, show_pools,
	 "libvirt's storage pools on vhbas, own and those that others have defined."},
	{"pool sync", "pool.Sync", vm_optional_a, pool_sync_o, false, NULL, show_pools,
	 "Look for LUNs and sizes anew, and have the pools refreshed."},
	{"domain list", "domain.List", none, none, false, NULL, show_domains,
	 "libvirt's domains, and which of them carry a VM's identity."},
	{"domain show", "domain.Show", domain_a, none, false, NULL, show_domain,
	 "A domain, with the identity in its metadata."},
	{"domain bind", "domain.Bind", domain_a, domain_bind_o, false, NULL, show_domain,
	 "Write the VM's identity into its domain's metadata: it goes where the domain goes."},
	{"domain unbind", "domain.Unbind", domain_a, none, false, NULL, NULL,
	 "Take the identity from a domain's metadata."},
	{"domain xml", "domain.Xml", domain_a, domain_xml_o, false, NULL, show_domain_xml,
	 "The VM's LUNs as devices of its domain, in libvirt's XML."},
	{"migrate", "migrate", migrate_a, migrate_o, false, ctl_run_migrate, NULL,
	 "Move a domain with its identity to another host, by libvirt."},
	{"attach", "attach", vm_a, attach_o, true, NULL, show_result,
	 "Create the VM's vports and wait until all its LUNs are usable."},
	{"detach", "detach", vm_a, deadline_o, true, NULL, show_result,
	 "Drain and delete the vports of a VM that stays registered here."},
	{"quiesce", "quiesce", vm_a, quiesce_o, true, NULL, show_result,
	 "End or park all I/O of the VM and log it out of targets and fabric, by the deadline."},
	{"plan", "plan", vm_a, plan_o, false, ctl_run_plan, NULL,
	 "What a quiesce with this deadline would do, step by step; it ends with 5 when the driver can't "
	 "meet it."},
	{"resume", "resume", vm_a, deadline_o, true, NULL, show_result,
	 "Log a quiesced VM in again and open its intake."},
	{"release", "release", vm_a, release_o, true, NULL, show_result,
	 "Delete a quiesced VM's vports and prove that the fabric has let them go."},
	{"export", "export", vm_a, export_o, false, ctl_run_export, NULL,
	 "Write a ticket to import the VM on another host with."},
	{"preflight", "preflight", import_a, none, false, ctl_run_preflight, NULL,
	 "Whether the VM of a ticket could come to this host, check by check (it ends with 5 when not), "
	 "where the fabric has its names, and which of its LUNs the host's own ports see."},
	{"import", "import", import_a, import_o, false, ctl_run_import, show_vm,
	 "Register a VM from a ticket."},
	{"events", "events", none, events_o, false, ctl_run_events, show_events,
	 "What happened; with --follow, as it happens."},
	{"status", "status", none, none, false, NULL, show_status,
	 "The daemon, its counts and the operations under way."},
	{"log", "log", vm_a, log_o, false, NULL, show_log,
	 "Records of a VM's last operations, with their phases."},
	{"timeline", NULL, timeline_a, timeline_o, false, ctl_run_timeline, NULL,
	 "Phases of an operation over time, as text and as SVG."},
	{"config show", "config.Show", none, none, false, NULL, show_config, "The configuration in force."},
	{"help", NULL, none, none, false, ctl_run_help, NULL, "All commands."},
	{"version", NULL, none, none, false, ctl_run_version, NULL, "The version of vhbactl."},
};
const size_t ctl_command_count = ARRAY_SIZE(ctl_commands);

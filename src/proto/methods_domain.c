/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>

#include "fields.h"
#include "methods_domain.h"

#define P_DOMAIN F_TEXT("domain", REQUIRED, 255, "the domain's name or UUID")

#define DOMAIN                                                                                               \
	F_TEXT("name", REQUIRED, 255, "libvirt's name of it"), F_UUID("uuid", REQUIRED, "its UUID"),         \
		F_TEXT("state", REQUIRED, 16, "running, paused, shut off and so on, as virsh has them"),     \
		F_BOOL("bound", REQUIRED, "it carries an identity"),                                         \
		F_TEXT("vm", OPTIONAL, 63, "name of the VM whose identity it is"),                           \
		F_UINT("generation", OPTIONAL, ANY_UINT, "of that identity"),                                \
		F_TEXT("text", OPTIONAL, 512,                                                                \
		       "why its metadata can't be used, or that a migration is not over")

static const struct proto_field domain_fields[] = {DOMAIN, END};

const struct proto_field proto_domain_p[] = {P_DOMAIN, END};
const struct proto_field proto_domain_bind_p[] = {
	P_DOMAIN,
	F_VM(OPTIONAL, "the VM; absent: the one that has the domain's UUID"),
	END,
};
const struct proto_field proto_domain_list_r[] = {
	F_LIST("domains", REQUIRED, domain_fields, "all that are defined or run, by name"),
	END,
};
const struct proto_field proto_domain_show_r[] = {
	F_OBJECT("domain", REQUIRED, domain_fields, "the domain"),
	F_OBJECT("ticket", OPTIONAL, NULL, "the identity, as export gives it"),
	END,
};

const struct proto_field proto_domain_xml_p[] = {
	P_DOMAIN,
	F_TEXT("via", OPTIONAL, 16,
	       "vhost-user-scsi, vhost-user-blk, lun or hostdev; absent: by the VM's I/O back end, else lun"),
	F_BOOL("apply", OPTIONAL, "define the domain with it, in the place of what was there from here"),
	END,
};
const struct proto_field proto_domain_xml_r[] = {
	F_TEXT("via", REQUIRED, 16, "what carries the LUNs to the guest"),
	F_BOOL("applied", REQUIRED, "the domain has been defined with it: it gets it when it starts next"),
	F_TEXT("xml", REQUIRED, 262144, "what belongs into the domain, as a domain with nothing else"),
	END,
};

const struct proto_field proto_migrate_p[] = {
	P_DOMAIN,
	F_TEXT("uri", REQUIRED, 1024, "the destination's libvirt, as qemu+ssh://beta/system"),
	F_UINT("deadline_us", OPTIONAL, 1000, DAY_US,
	       "it is taken back when it has not ended within so long"),
	F_BOOL("dry_run", OPTIONAL, "only look"),
	F_BOOL("unsafe", OPTIONAL, "also with disks that libvirt thinks the two hosts may not share"),
	END,
};
static const struct proto_field migrate_check_fields[] = {
	F_TEXT("check", REQUIRED, 16, "running, identity, attached, destination, free or memory"),
	F_BOOL("ok", REQUIRED, "it holds"),
	F_TEXT("what", OPTIONAL, 255, "if not: what lacks"),
	F_TEXT("expected", OPTIONAL, 159, "what was expected"),
	F_TEXT("seen", OPTIONAL, 159, "what was seen"),
	F_TEXT("fix", OPTIONAL, 199, "what to do"),
	END,
};
static const struct proto_field span_fields[] = {
	F_TEXT("phase", REQUIRED, 16, "quiesce, attach, memory, resume; or switch-over"),
	F_UINT("us", REQUIRED, ANY_UINT, "how long"),
	END,
};
const struct proto_field proto_migrate_r[] = {
	F_TEXT("domain", REQUIRED, 255, "libvirt's name of it"),
	F_TEXT("vm", REQUIRED, 63, "name of the VM"),
	F_TEXT("way", REQUIRED, 8,
	       "live; held: its names are logged out and proved gone before the destination logs in with "
	       "them"),
	F_BOOL("dry_run", REQUIRED, "nothing was done"),
	F_BOOL("ok", REQUIRED, "it has moved; of a dry run: nothing speaks against it"),
	F_UINT("elapsed_us", REQUIRED, ANY_UINT, "how long it took"),
	F_LIST("checks", REQUIRED, migrate_check_fields, "what was looked at before"),
	F_TEXTS("unproved", REQUIRED, 16, "of a dry run: what is known only later"),
	F_UINT("bytes", OPTIONAL, ANY_UINT, "of memory that were sent, as told last"),
	F_UINT("blackout_us", OPTIONAL, ANY_UINT, "the guest stood still for so long"),
	F_LIST("blackout", OPTIONAL, span_fields, "that, by phase"),
	F_UINT("logout_us", OPTIONAL, ANY_UINT,
	       "live, with vhbas: from the rings' stop here until their names had left the fabric"),
	F_TEXT("logout", OPTIONAL, 16, "how that ended: confirmed, unconfirmed, failed"),
	END,
};

static const struct proto_field order_fields[] = {
	F_UINT("serial", REQUIRED, ANY_UINT, "number of the order; reports bear it"),
	F_TEXT("verb", REQUIRED, 32,
	       "the method without its prefix; or cancel: nobody waits for it any more"),
	F_OBJECT("parameters", OPTIONAL, NULL, "the method's own"),
	END,
};
const struct proto_field proto_domain_serve_r[] = {
	F_OBJECT("order", REQUIRED, order_fields, "what a caller has asked for"),
	END,
};

static const struct proto_field error_fields[] = {
	F_TEXT("error", REQUIRED, 64, "its kind, as org.vhba.NotFound"),
	F_TEXT("what", REQUIRED, 255, "what is wrong"),
	F_TEXT("expected", OPTIONAL, 159, "what was expected"),
	F_TEXT("seen", OPTIONAL, 159, "what was seen"),
	F_TEXT("fix", OPTIONAL, 199, "what to do"),
	END,
};
const struct proto_field proto_domain_report_p[] = {
	F_UINT("serial", REQUIRED, ANY_UINT, "number of the order"),
	F_OBJECT("progress", OPTIONAL, NULL, "how far it is; more reports follow"),
	F_OBJECT("reply", OPTIONAL, NULL, "it is done: the method's reply"),
	F_OBJECT("error", OPTIONAL, error_fields, "it is not done"),
	END,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>

#include "fields.h"
#include "methods_pool.h"

#define POOL_NAME 80
#define POOL_TEXT 400

static const struct proto_field pool_fields[] = {
	F_TEXT("name", REQUIRED, POOL_NAME, "libvirt's name of the pool"),
	F_WWN("wwpn", REQUIRED, "WWPN of the vhba"),
	F_TEXT("vm", OPTIONAL, 63, "name of the VM"),
	F_UINT("index", OPTIONAL, INDEX, "index of the vhba"),
	F_BOOL("own", REQUIRED, "kept by vhba-virt; one that is not is never touched"),
	F_TEXT("wanted", OPTIONAL, 16, "what vhbad wants of it: running, kept, stopped, absent"),
	F_TEXT("state", REQUIRED, 16,
	       "what libvirt has: running, stopped, absent, busy; unknown: vhba-virt has not told"),
	F_UINT("volumes", OPTIONAL, ANY_UINT, "volumes in it"),
	F_TEXT("text", OPTIONAL, POOL_TEXT,
	       "why it is not as wanted; of one that is not own: what to know of it"),
	END,
};
const struct proto_field proto_pool_list_r[] = {
	F_LIST("pools", REQUIRED, pool_fields, "by VM and vhba; then those that are not own"),
	F_BOOL("served", REQUIRED, "vhba-virt is connected"),
	END,
};
static const struct proto_field pool_lun_fields[] = {
	F_WWN("target", REQUIRED, "WWPN of the target port"),
	F_UINT("lun", REQUIRED, ANY_UINT, "LUN number at the target"),
	F_TEXT("designator", REQUIRED, 256, "what names the LUN itself on every path"),
	F_UINT("size", REQUIRED, ANY_UINT, "bytes"),
	END,
};
static const struct proto_field pool_wanted_fields[] = {
	F_TEXT("name", REQUIRED, POOL_NAME, "the name that libvirt is to know it by"),
	F_WWN("wwpn", REQUIRED, "WWPN of the vhba"),
	F_TEXT("wanted", REQUIRED, 16,
	       "running; kept: as running, but it is not to be started now; stopped; absent"),
	F_TEXT("host", OPTIONAL, 32, "the vport's SCSI host; absent: there is none"),
	F_BOOL("settled", REQUIRED, "none of its paths is blocked: a refresh waits for none"),
	F_UINT("serial", REQUIRED, ANY_UINT, "number of this order; the report names the last one taken in"),
	F_UINT("sync", REQUIRED, ANY_UINT, "grows when it is to be refreshed, changed or not"),
	F_LIST("luns", REQUIRED, pool_lun_fields, "its paths"),
	END,
};
const struct proto_field proto_pool_serve_r[] = {
	F_OBJECT("pool", OPTIONAL, pool_wanted_fields, "what is wanted of a pool"),
	F_BOOL("complete", OPTIONAL,
	       "all that there are have been told; others that bear the mark are leftovers"),
	END,
};
static const struct proto_field pool_own_fields[] = {
	F_WWN("wwpn", REQUIRED, "WWPN of the vhba"),
	F_TEXT("state", REQUIRED, 16, "running, stopped, absent, busy, unknown"),
	F_UINT("serial", REQUIRED, ANY_UINT, "number of the last order that was taken in"),
	F_UINT("sync", REQUIRED, ANY_UINT, "the last that was done"),
	F_UINT("volumes", OPTIONAL, ANY_UINT, "volumes in it"),
	F_TEXT("text", OPTIONAL, POOL_TEXT, "why it is not as wanted"),
	END,
};
static const struct proto_field pool_other_fields[] = {
	F_TEXT("name", REQUIRED, POOL_NAME, "libvirt's name of the pool"),
	F_WWN("wwpn", REQUIRED, "WWPN that its adapter names"),
	F_TEXT("state", REQUIRED, 16, "running, stopped"),
	F_TEXT("text", OPTIONAL, POOL_TEXT, "what to know of it"),
	END,
};
const struct proto_field proto_pool_report_p[] = {
	F_LIST("pools", OPTIONAL, pool_own_fields, "own pools that have changed"),
	F_LIST("others", OPTIONAL, pool_other_fields,
	       "all pools with an fc_host adapter that are not own; absent: as reported before"),
	END,
};
const struct proto_field proto_pool_sync_p[] = {
	F_VM(OPTIONAL, "only this VM's; name or UUID"),
	F_UINT("deadline_us", OPTIONAL, 1000, DAY_US, "answer within so long; absent: 25 s"),
	END,
};

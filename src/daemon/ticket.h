/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VM's identity on its way to another host:
 * {"format":"org.vhba.ticket","version":1,"vm":NAME,"uuid":UUID,"generation":N,
 * "exported_by":HOST,"vhbas":[{"index","wwpn","wwnn","vsan","zones":[...],"expected":[{"designator","lun","target",
 * "size"}],"reservations":TEXT,"port_id":TEXT?}],"pool":true?,"io":{"kind","workers"?,"iops"?,"mbps"?}?,
 * "luns":[{"number","designator"|("file","serial","read_only"?,"direct"?)}]?,"stopped":"confirmed"?}.  It
 * outlives the process that wrote it, so it carries its version and a newer one is refused.
 */
#ifndef VHBA_TICKET_H
#define VHBA_TICKET_H

#include <json-c/json.h>

#include "registry.h"

#define TICKET_FORMAT "org.vhba.ticket"
/* 1 has no "reservations", 2 no "pool", 3 no "io", "luns" and "stopped", 4 no "alternate": a ticket is
 * written as the oldest that can tell all of it. */
#define TICKET_VERSION 6

/* The caller owns it. */
struct json_object *ticket_write(const struct reg_vm *vm, const char *host, uint64_t generation);

/* The source has said in it that nothing of the VM's I/O is under way there any more. */
bool ticket_stopped(struct json_object *ticket);

/*
 * Where a vhba's name is live at that moment: its N_Port_ID, or 0 when it is logged in nowhere.  No part of
 * the identity, and of no version: who does not know it compares it with nothing.
 */
void ticket_set_port_id(struct json_object *ticket, unsigned vhba, uint32_t port_id);
/* What the source has said of it; false: nothing. */
bool ticket_port_id(struct json_object *ticket, unsigned vhba, uint32_t *port_id);

/* Hostile input. The VM (owner ""), to be freed by reg_vm_free; NULL with *e. */
struct reg_vm *ticket_read(struct json_object *ticket, struct verror *e);

#endif

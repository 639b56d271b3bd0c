/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A VM as it stands on this host now: what the registry does not know because it ends with the boot.  Exists
 * only while the VM has (or may have) vports here, so that a thousand registered VMs cost nothing.  Loop
 * thread only.
 */
#ifndef VHBA_VM_H
#define VHBA_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "quiesce.h"

#define VM_VHBAS_MAX QUIESCE_VHBA_MAX

enum vm_state {
	VM_DETACHED, /* no vport here */
	VM_ATTACHING,
	VM_ATTACHED, /* all vports Active, all expected LUNs usable when last looked */
	VM_QUIESCING,
	VM_HELD, /* logged out, vports kept; resume or release */
	VM_RESUMING,
	VM_RELEASING,
	VM_FAILED, /* exactly where its record says; quiesce, resume or release again */
	VM_STATES_
};

/* Where one vhba's vport is; host numbers are -1 when there is none. */
struct vm_vhba {
	unsigned index; /* the registry's */
	uint64_t wwpn, wwnn;
	uint64_t parent_wwpn; /* 0: not placed */
	int parent_host; /* the parent's Scsi_Host */
	int host; /* the vport's own Scsi_Host */
	bool named; /* its symbolic name has been given */
	bool shown; /* the name server has told its parent of the WWPN once */
	unsigned channel, number; /* vport-H:C-N on the parent */
	bool timers_pending; /* timers.c: its rport timers are being set back */
	bool sizes_pending; /* sizes.c: its disks' capacities are being read anew */
	bool sizes_again; /* ... and will be once more */
	bool scan_pending, scan_again; /* the same of LUNs that have come */
	uint64_t timers_seen; /* timers.c: what differed at the last look; 0: nothing */
};

struct op;
struct driver;
struct journal;

struct vm {
	TAILQ_ENTRY(vm) link;
	char uuid[37];
	char name[64];
	enum vm_state state;
	struct monotime since; /* when the state was entered */
	struct op *op; /* the operation under way; at most one */
	struct driver *driver; /* of the machine */
	struct quiesce *quiesce; /* from the first quiesce until attached again or gone */
	struct journal *journal; /* that machine's */
	unsigned count;
	struct vm_vhba vhba[VM_VHBAS_MAX];
};

TAILQ_HEAD(vm_list, vm);

/* A new one, detached, in the list; NULL when memory is short. name and uuid are copied. */
struct vm *vm_new(struct vm_list *list, const char *uuid, const char *name);

/* The machine is freed, the journal closed (not ended). */
void vm_free(struct vm_list *list, struct vm *vm);

/* By UUID; NULL when it has nothing here. */
struct vm *vm_find(const struct vm_list *list, const char *uuid);

/* The vhba that carries this WWPN, and its VM in *vm. */
struct vm_vhba *vm_find_wwpn(const struct vm_list *list, uint64_t wwpn, struct vm **vm);

/* The vhba whose vport has this Scsi_Host number (its own, or -1 for none). */
struct vm_vhba *vm_find_host(const struct vm_list *list, int host, struct vm **vm);

/* The only place that changes vm->state. */
void vm_set_state(struct vm *vm, enum vm_state state);

const char *vm_state_name(enum vm_state s);

#endif

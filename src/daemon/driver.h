/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between a VM's quiesce machine and the loop.  op_quiesce.c pumps events into the machine, quiesce_ops.c
 * has the table of what the machine wants done.
 */
#ifndef VHBA_DRIVER_H
#define VHBA_DRIVER_H

#include "login.h"
#include "op.h"
#include "quiesce.h"

TAILQ_HEAD(pending_list, pending);

/* One per VM that has a machine; the user pointer of its ops. */
struct driver {
	struct daemon *d;
	struct vm *vm;
	struct pending_list pending;
	struct quiesce_profile profile[VM_VHBAS_MAX]; /* what the machine's vhbas point to */
	struct quiesce_profile alone[VM_VHBAS_MAX]; /* the same when there is no crowd */
	unsigned crowd; /* that the profiles are for */
	struct work work; /* hands over what is pending */
	sd_event_source *timer;
	/* The operation that was answered last: what comes later is added to its record. */
	struct {
		uint64_t id; /* 0: none */
		enum op_kind kind;
		struct monotime start, deadline;
		struct json_object *pools; /* its phase "pool", or NULL */
		uint64_t later; /* digest of what its record has of that */
	} answered;
	struct { /* an op on a vhba that waits until its timers are set back */
		quiesce_op_fn *fn;
		enum quiesce_ev bad;
		struct quiesce_call call;
	} waits[VM_VHBAS_MAX];
	struct { /* of a resume */
		struct login_watch watch;
		struct monotime read; /* when all of its host was read last */
	} login[VM_VHBAS_MAX];
	uint32_t port_id[VM_VHBAS_MAX]; /* its own, as it was seen last; 0: it was not seen logged in */
	bool logged_out[VM_VHBAS_MAX]; /* it had no N_Port_ID any more when the name server was asked, or
					  before it was deleted */
};

extern const struct quiesce_ops quiesce_driver_ops; /* user: struct driver */

/* The end of an op that was called with c: an event for the machine, after it has returned. text is copied.
 */
void driver_queue(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev ev);
void driver_queue_text(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev ev,
		       struct quiesce_arg arg, const char *text);

/* What was put off may be tried again now. */
void driver_wake(struct driver *dr, int vhba);

/* A vhba's timers are set back, or could not be: what waited for that begins. */
void driver_timers_set(struct driver *dr, unsigned vhba);

/* Before a logout: what the fabric knows the vports by. */
void driver_note_port_ids(struct driver *dr);

/* The last request's record into the log, where it is an earlier vhbad's. */
void driver_note_earlier(struct driver *dr);
/* What has been proved, or seen in the fabric, since the answer. */
void driver_add_later(struct driver *dr);

void driver_free(struct driver *dr);

#endif

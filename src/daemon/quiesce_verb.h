/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A quiesce machine's ops become verbs of vhba-priv or looks at the inventory, and their ends events of it:
 * the way there and back.  The ops themselves are in quiesce_{vport,cache,timers,look}.c, their table in
 * quiesce_ops.c.  Loop thread only.
 */
#ifndef VHBA_QUIESCE_VERB_H
#define VHBA_QUIESCE_VERB_H

#include "driver.h"
#include "privq.h"

/* A verb under way for the machine; the VM may be gone when its answer comes. */
struct verb_call {
	struct daemon *d;
	char uuid[37];
	struct quiesce_call call;
	enum quiesce_ev good, bad;
	char said[120]; /* of the caches, while the reservations are read */
	uint32_t port_id; /* of the name, while its F_Port is asked for */
};

/* Its machine's driver; NULL when the VM is gone, or has none any more. */
struct driver *verb_driver(const struct verb_call *vc);

struct vm_vhba *verb_vhba(struct driver *dr, const struct quiesce_call *c);

/* Filled with where the vport is. */
struct priv_request verb_vport_request(const struct vm_vhba *v, enum priv_verb verb);

/* Heap; the privq_done that it goes with frees it. good and bad: the events that verb_done makes of the
 * reply. */
struct verb_call *verb_new(struct driver *dr, const struct quiesce_call *c, enum quiesce_ev good,
			   enum quiesce_ev bad);

/* A verb outlives the machine's patience rather than being cut off at its edge: its end is news all the same.
 */
uint64_t verb_time(const struct quiesce_call *c);

/* 0 or -ENOMEM. The second one: vhba_delete instead of a single verb, where only that helps (delete_again).
 */
int verb_send(struct driver *dr, const struct quiesce_call *c, struct priv_request *q, privq_done *done,
	      enum quiesce_ev good, enum quiesce_ev bad);
int verb_send_delete(struct driver *dr, const struct quiesce_call *c, struct priv_request *q,
		     privq_done *done, enum quiesce_ev good, enum quiesce_ev bad);

/* The ordinary end: good, or bad with verb_reply_text. A privq_done. */
void verb_done(void *user, const struct priv_reply *r);

/* What a failed reply says, in the driver's words where it has some; returns buf. */
const char *verb_reply_text(const struct driver *dr, const struct verb_call *vc, const struct priv_reply *r,
			    char *buf, size_t size);

/* After a verb that makes or unmakes hosts the inventory is read anew at once: uevents come later. */
void verb_look_again(struct driver *dr, int vhba);

/*
 * A vhba's timers are being set back: what changes them, or is done with them, comes after, by
 * driver_timers_set.  True: fn(c) will be called then. A newer op on the vport takes its place.
 */
bool driver_waits(struct driver *dr, const struct quiesce_call *c, quiesce_op_fn *fn, enum quiesce_ev bad);
void driver_forget_waiting(struct driver *dr, const struct quiesce_call *c);

/* From now on; true: the one before was stuck. */
bool driver_login_begins(struct driver *dr, int vhba);
/* By the inventory, at each look that has found it not ready, for what it lacks; true once for each login,
 * whose next one has to be begun. */
bool driver_login_stuck(struct driver *dr, int vhba, const char *lacks);

/* PRIV_MAPS_FAIL or PRIV_MAPS_RESTORE; nobody waits for it. */
void driver_tell_maps(struct driver *dr, unsigned vhba, enum priv_verb verb);

/* quiesce_op_fn, see quiesce.h. */
int quiesce_op_stop_intake(void *user, const struct quiesce_call *c);
int quiesce_op_open_intake(void *user, const struct quiesce_call *c);
int quiesce_op_count(void *user, const struct quiesce_call *c);
int quiesce_op_sync_cache(void *user, const struct quiesce_call *c);
int quiesce_op_set_fast_fail(void *user, const struct quiesce_call *c);
int quiesce_op_disable(void *user, const struct quiesce_call *c);
int quiesce_op_delete(void *user, const struct quiesce_call *c);
int quiesce_op_enable(void *user, const struct quiesce_call *c);
int quiesce_op_create(void *user, const struct quiesce_call *c);
int quiesce_op_verify_fabric(void *user, const struct quiesce_call *c);
int quiesce_op_read_ports(void *user, const struct quiesce_call *c);
int quiesce_op_check_ready(void *user, const struct quiesce_call *c);
int quiesce_op_restore_timers(void *user, const struct quiesce_call *c);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A built-in FCP target (an array's port): an N_Port that answers PLOGI, PRLI, LOGO, ADISC and FCP commands.
 *
 * Data flows one way: the fabric gives it frames (target_input), calls target_run when target_deadline has
 * come, and takes what it wants to send from its outbox and what it wants to tell from its event queue.  It
 * knows no socket, no clock and no file descriptor but its LUNs' store.  Single-threaded.
 */
#ifndef FABRIC_TARGET_H
#define FABRIC_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

struct target;
struct lun_store; /* the bytes of one LUN, shared by all targets (array ports) that show it; see lun.h */

struct target_config {
	const char *name; /* "array-a"; copied */
	uint64_t wwpn;
	uint64_t wwnn;
	uint16_t vsan;
};

/* What a target tells the fabric's log; text without newline, already formatted: "dropped OX 0x12 of 0a0101
 * (LOGO)". */
struct target_event {
	TAILQ_ENTRY(target_event) link;
	char text[200];
};

TAILQ_HEAD(target_event_queue, target_event);

struct target *target_new(const struct target_config *c); /* NULL when memory is short */
void target_free(struct target *t);

uint64_t target_wwpn(const struct target *t);
uint64_t target_wwnn(const struct target *t);
const char *target_name(const struct target *t);

/* The fabric granted this N_Port_ID (0: link down; all I_T nexuses are lost, all exchanges dropped). */
void target_set_port_id(struct target *t, uint32_t n_port_id);

/* Show a LUN (0..255) to initiators; the store is shared, reference-counted by lun.h. 0 or -errno. */
int target_add_lun(struct target *t, uint16_t lun, struct lun_store *store);
int target_remove_lun(struct target *t, uint16_t lun);

/*
 * How its LUNs can be accessed by this port, from now on (ALUA): optimized, non-optimized, standby,
 * unavailable or transitioning. Initiators are told. 0 or -EINVAL.
 */
int target_set_access(struct target *t, const char *name);

/* LUN masking. Without any mask entry every initiator sees every LUN; with any, only what is listed. 0 or
 * -errno. */
int target_mask_add(struct target *t, uint64_t initiator_wwpn, uint16_t lun);
void target_mask_clear(struct target *t);

/* A frame addressed to the target's N_Port_ID. The frame stays the caller's. now_us: CLOCK_MONOTONIC. */
void target_input(struct target *t, const struct frame *f, uint64_t now_us);

/* The fabric saw this N_Port leave (LOGO to FFFFFE, port down, zone removed, RSCN): lose the nexus, drop its
 * exchanges. */
void target_nport_gone(struct target *t, uint32_t n_port_id, const char *why, uint64_t now_us);

/* When target_run wants to be called (UINT64_MAX: never). */
uint64_t target_deadline(const struct target *t);
void target_run(struct target *t, uint64_t now_us);

/* The next frame to send (the caller frees it with frame_free), or NULL. S_ID and D_ID are filled in. */
struct frame *target_output(struct target *t);

/* The next event (free() it), or NULL. */
struct target_event *target_next_event(struct target *t);

/*
 * A fault by command, words as fabricctl takes them; argv[0] is the kind:
 *
 * - hang: FCP commands are accepted and never answered (ELS still are); held ones are executed on "heal";
 * - hang-all: nothing is answered, ELS neither;
 * - slow MS: every command is answered MS milliseconds late;
 * - busy [N]: SCSI status BUSY, N times or for good;
 * - check KEY ASC ASCQ [N]: CHECK CONDITION with that sense, hexadecimal;
 * - hold-writes: a write is received (data too) but not executed until "heal";
 * - heal: end all faults; held commands are executed and answered now.
 *
 * Offline and online are the fabric's (target_set_port_id). Returns 0, or -EINVAL with text in err.
 */
int target_fault(struct target *t, int argc, char **argv, uint64_t now_us, char *err, size_t err_size);

/* Counters, open exchanges, logins and faults as one JSON object (caller frees). */
char *target_status_json(const struct target *t);

#endif

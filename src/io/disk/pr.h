/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Persistent reservations as rules only (SPC-4, 5.13): a state, a service action, the next state and who is
 * to be told.  It knows no file and no lock; the caller works on a copy and installs it once it is stored.
 */
#ifndef VHBA_DISK_PR_H
#define VHBA_DISK_PR_H

#include <stdbool.h>
#include <stdint.h>

#include "disk.h"

#define PR_MAX DISK_NEXUS_MAX

/* SPC-4, table 57; 0: no reservation */
enum pr_type {
	PR_NONE = 0,
	PR_WRITE_EXCLUSIVE = 1,
	PR_EXCLUSIVE_ACCESS = 3,
	PR_WRITE_EXCLUSIVE_RO = 5, /* registrants only */
	PR_EXCLUSIVE_ACCESS_RO = 6,
	PR_WRITE_EXCLUSIVE_AR = 7, /* all registrants */
	PR_EXCLUSIVE_ACCESS_AR = 8,
};

struct pr_registration {
	uint64_t nexus, key;
};

struct pr {
	uint32_t generation;
	bool aptpl;
	uint8_t type; /* enum pr_type */
	uint64_t holder; /* a registered nexus; 0 for all registrants, and when there is no reservation */
	unsigned n;
	struct pr_registration reg[PR_MAX];
};

enum pr_action {
	PR_REGISTER = 0,
	PR_RESERVE = 1,
	PR_RELEASE = 2,
	PR_CLEAR = 3,
	PR_PREEMPT = 4,
	PR_PREEMPT_AND_ABORT = 5,
	PR_REGISTER_AND_IGNORE = 6,
	PR_REGISTER_AND_MOVE = 7,
	PR_ACTION_N,
};

struct pr_request {
	enum pr_action action;
	uint64_t nexus, key, action_key; /* RESERVATION KEY, SERVICE ACTION RESERVATION KEY */
	uint8_t scope, type; /* as in the CDB */
	bool aptpl;
	bool unregister; /* UNREG of REGISTER AND MOVE */
	unsigned others_n; /* SPEC_I_PT: register these too; REGISTER AND MOVE: the one that gets it */
	uint64_t others[PR_MAX];
};

enum pr_result {
	PR_GOOD,
	PR_CONFLICT, /* RESERVATION CONFLICT */
	PR_BAD_TYPE, /* INVALID FIELD IN CDB: scope or type */
	PR_BAD_PARAMETER, /* INVALID FIELD IN PARAMETER LIST */
	PR_BAD_RELEASE, /* INVALID RELEASE OF PERSISTENT RESERVATION */
	PR_FULL, /* INSUFFICIENT REGISTRATION RESOURCES */
};

/* Whom to tell what: each nexus at most once for each cause. */
struct pr_notice {
	uint64_t nexus;
	enum disk_attention what;
};

struct pr_effect {
	unsigned n;
	struct pr_notice notice[2 * PR_MAX];
};

/* Only when this says PR_GOOD are *pr and *effect what they are to become. */
enum pr_result pr_execute(struct pr *, const struct pr_request *, struct pr_effect *);

/* NULL when it is not registered. */
const struct pr_registration *pr_find(const struct pr *, uint64_t nexus);

bool pr_type_valid(uint8_t type);
bool pr_all_registrants(const struct pr *);
bool pr_holds(const struct pr *, uint64_t nexus);

/* What a nexus must not do (SPC-4, table 66; SBC-3, table 13). */
bool pr_forbids_read(const struct pr *, uint64_t nexus);
bool pr_forbids_write(const struct pr *, uint64_t nexus);

/* Could a state file say this? Everything that the rules rest on is looked at. */
bool pr_sound(const struct pr *);

#endif

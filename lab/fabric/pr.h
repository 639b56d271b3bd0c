/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Persistent reservations of one LUN (SPC-4, 5.9 and 6.15, 6.16).  A registrant is an I_T nexus, named by the
 * WWPNs of both ends: so it survives a logout, and the move of an initiator's WWPN to another N_Port_ID.
 */
#ifndef FABRIC_PR_H
#define FABRIC_PR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PR_REGISTRANTS_MAX 4096

enum pr_type {
	PR_NONE = 0,
	PR_WRITE_EXCLUSIVE = 1,
	PR_EXCLUSIVE_ACCESS = 3,
	PR_WRITE_EXCLUSIVE_REGISTRANTS = 5,
	PR_EXCLUSIVE_ACCESS_REGISTRANTS = 6,
	PR_WRITE_EXCLUSIVE_ALL = 7,
	PR_EXCLUSIVE_ACCESS_ALL = 8,
};

/* Service actions of PERSISTENT RESERVE OUT. */
enum pr_action {
	PR_REGISTER = 0,
	PR_RESERVE = 1,
	PR_RELEASE = 2,
	PR_CLEAR = 3,
	PR_PREEMPT = 4,
	PR_PREEMPT_AND_ABORT = 5,
	PR_REGISTER_AND_IGNORE = 6,
};

/* What a command does to the medium, in the words of SPC-4's and SBC-3's tables of conflicts. */
enum pr_access {
	PR_ACCESS_FREE, /* allowed under any reservation */
	PR_ACCESS_READ, /* allowed under a write exclusive one */
	PR_ACCESS_WRITE,
};

struct pr_nexus {
	uint64_t initiator; /* WWPN */
	uint64_t target; /* WWPN of the array's port */
};

struct pr_registrant {
	struct pr_nexus nexus;
	uint64_t key;
	bool holder; /* of a reservation that isn't for all registrants */
};

struct pr_state {
	struct pr_registrant *registrants;
	size_t count, room;
	uint32_t generation;
	enum pr_type type; /* PR_NONE: no reservation */
};

struct pr_order {
	struct pr_nexus nexus; /* who asks */
	enum pr_action action;
	uint8_t type; /* of the CDB, not checked yet */
	uint8_t scope;
	uint64_t key;
	uint64_t action_key;
	bool all_ports; /* ALL_TG_PT: register through every port that shows the LUN */
};

enum pr_result {
	PR_GOOD,
	PR_CONFLICT, /* status RESERVATION CONFLICT */
	PR_BAD_TYPE, /* invalid field in CDB: scope or type */
	PR_BAD_KEY, /* invalid field in parameter list: a service action key of 0 */
	PR_BAD_RELEASE, /* invalid release of persistent reservation */
	PR_NO_ROOM, /* insufficient registration resources */
};

struct lun_store;

/* Change the LUN's state; whom it concerns hears of it by lun_notify. */
enum pr_result pr_order(struct lun_store *s, const struct pr_order *o);

bool pr_conflicts(const struct pr_state *p, const struct pr_nexus *n, enum pr_access access);
bool pr_is_holder(const struct pr_state *p, const struct pr_registrant *r);
bool pr_for_all(const struct pr_state *p); /* an "all registrants" reservation */
void pr_free(struct pr_state *p);

#endif

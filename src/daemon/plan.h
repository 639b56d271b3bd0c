/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a quiesce with this deadline would do, and whether the driver lets it keep its word.  The steps and
 * their actions are those of the quiesce machine's table, the bounds those of the driver's profile.  Pure but
 * for method_plan.
 */
#ifndef VHBA_PLAN_H
#define VHBA_PLAN_H

#include "profile.h"
#include "quiesce.h"

#define PLAN_STEPS_MAX 12

/* One vhba as it stands. */
struct plan_in {
	const struct fc_profile *profile;
	const struct quiesce_config *cfg;
	bool served; /* by a vhba-io of ours, which has to stop its rings first */
	uint64_t r_a_tov_us;
	unsigned rports; /* its targets' */
	unsigned blocked; /* of them, Blocked already */
	int fast_io_fail; /* s, the longest of those that are Blocked; -1: off */
};

struct plan_step {
	enum quiesce_state state;
	enum quiesce_action action;
	const char *when; /* on which condition it is taken */
	uint64_t bound_us; /* UINT64_MAX: none */
	bool aborts; /* commands in flight are cut off */
	char proof[200];
};

struct plan {
	struct plan_step step[PLAN_STEPS_MAX];
	unsigned n;
	bool met; /* by the deadline every command has ended, whatever array, link and fabric do */
	uint64_t smallest_us; /* the smallest deadline that is met so; UINT64_MAX: there is none */
	uint64_t usual_us; /* the smallest that is met as long as the fabric answers; UINT64_MAX: none */
};

void plan_make(const struct plan_in *in, uint64_t deadline_us, struct plan *out);

#endif

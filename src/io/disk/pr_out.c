/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PERSISTENT RESERVE OUT (SPC-4, 6.16): the bytes of it. The rules are pr.c's. */
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "cleanup.h"
#include "disk_private.h"
#include "transport_id.h"

#define BASIC_SIZE 24
#define LIST_MAX (BASIC_SIZE + 4 + PR_MAX * TRANSPORT_ID_SIZE)

/*
 * A port that is named has to be one that the disk knows already: names that nobody answers to would fill up
 * the room for registrations for ever. false: the task has ended.
 */
static bool add_other(struct cmd *c, struct pr_request *r, const uint8_t *id, unsigned at)
{
	uint64_t nexus = transport_id_get(id);

	if (!nexus || !nexus_find(c->d, nexus) || r->others_n == PR_MAX) {
		cmd_bad_parameter(c, at, 7);
		return false;
	}
	r->others[r->others_n++] = nexus;
	return true;
}

static bool wrong_length(struct cmd *c)
{
	cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH);
	return false;
}

/* SPEC_I_PT: a list of TransportIDs follows (SPC-4, table 226). */
static bool parse_ports(struct cmd *c, struct pr_request *r, const uint8_t *b, size_t len)
{
	uint32_t ids;

	if (len < BASIC_SIZE + 4)
		return wrong_length(c);
	ids = get_be32(b + BASIC_SIZE);
	if (ids != len - BASIC_SIZE - 4 || ids % TRANSPORT_ID_SIZE)
		return wrong_length(c);
	for (size_t at = BASIC_SIZE + 4; at < len; at += TRANSPORT_ID_SIZE)
		if (!add_other(c, r, b + at, (unsigned)at))
			return false;
	return true;
}

/* REGISTER AND MOVE has a list of its own form (SPC-4, table 227). */
static bool parse_move(struct cmd *c, struct pr_request *r, const uint8_t *b, size_t len)
{
	if (len < BASIC_SIZE || get_be32(b + 20) != len - BASIC_SIZE || len != BASIC_SIZE + TRANSPORT_ID_SIZE)
		return wrong_length(c);
	r->unregister = b[17] & 0x02;
	r->aptpl = b[17] & 0x01;
	if (get_be16(b + 18) != RELATIVE_PORT) {
		cmd_bad_parameter(c, 18, 7);
		return false;
	}
	return add_other(c, r, b + BASIC_SIZE, BASIC_SIZE);
}

/* All that a list says, into *r. ALL_TG_PT needs no more than to be accepted: there is one target port. */
static bool parse(struct cmd *c, struct pr_request *r, const uint8_t *b, size_t len)
{
	bool registers = r->action == PR_REGISTER || r->action == PR_REGISTER_AND_IGNORE;
	bool spec_i_pt = b[20] & 0x08;

	r->key = get_be64(b);
	r->action_key = get_be64(b + 8);
	if (r->action == PR_REGISTER_AND_MOVE) {
		if (!parse_move(c, r, b, len))
			return false;
	} else if (r->action == PR_REGISTER && spec_i_pt) {
		if (!parse_ports(c, r, b, len))
			return false;
	} else if (len != BASIC_SIZE) {
		return wrong_length(c);
	} else if (spec_i_pt) {
		cmd_bad_parameter(c, 20, 3);
		return false;
	}
	if (registers)
		r->aptpl = b[20] & 0x01;
	if (r->aptpl && c->d->file.fd < 0) {
		cmd_bad_parameter(c, r->action == PR_REGISTER_AND_MOVE ? 17 : 20, 0);
		return false;
	}
	return true;
}

static void conclude(struct cmd *c, enum pr_result result)
{
	switch (result) {
	case PR_GOOD:
		cmd_good(c);
		break;
	case PR_CONFLICT:
		scsi_end(c->t, SCSI_RESERVATION_CONFLICT);
		break;
	case PR_BAD_TYPE:
		cmd_bad_cdb(c, 2, 7);
		break;
	case PR_BAD_PARAMETER:
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_PARAMETERS);
		break;
	case PR_BAD_RELEASE:
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_INVALID_RELEASE);
		break;
	case PR_FULL:
		cmd_check(c, KEY_ILLEGAL_REQUEST, ASC_INSUFFICIENT_REGISTRATIONS);
		break;
	}
}

/* On a copy, which becomes the disk's state once it is stored: what was answered is kept, and nothing else
 * is. */
static bool execute(struct cmd *c, const struct pr_request *r)
{
	struct disk *d = c->d;
	struct pr_effect effect;
	enum pr_result result;
	struct pr next;
	int rc = 0;

	pthread_mutex_lock(&d->state_lock);
	next = d->pr;
	result = pr_execute(&next, r, &effect);
	if (result == PR_GOOD)
		rc = remember(d, &next, disk_mode(d, MODE_ALL));
	if (result == PR_GOOD && !rc)
		for (unsigned i = 0; i < effect.n; i++)
			nexus_raise(d, effect.notice[i].nexus, 0, effect.notice[i].what);
	pthread_mutex_unlock(&d->state_lock);
	if (rc)
		cmd_check(c, KEY_HARDWARE_ERROR, ASC_INTERNAL_FAILURE);
	else
		conclude(c, result);
	return !rc && result == PR_GOOD;
}

void run_pr_out(struct cmd *c)
{
	uint32_t len = get_be32(c->t->cdb + 5);
	AUTO_FREE struct pr_request *r = NULL;
	uint8_t b[LIST_MAX] = {0};

	if (len < BASIC_SIZE || len > LIST_MAX) {
		wrong_length(c);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		scsi_end(c->t, SCSI_BUSY);
		return;
	}
	if (!cmd_take(c, b, len))
		return;
	r->action = c->t->cdb[1] & 0x1f;
	r->nexus = atomic_load(&c->nexus->id);
	r->scope = c->t->cdb[2] >> 4;
	r->type = c->t->cdb[2] & 0x0f;
	if (!parse(c, r, b, len) || !execute(c, r))
		return;
	/* What was preempted can't be aborted inside the kernel: the answer waits until the last of it has
	 * ended. */
	if (r->action == PR_PREEMPT_AND_ABORT)
		gate_drain(&c->d->gate);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a command: faults first, then its data, then the device server, then the answer. */
#include <stdlib.h>
#include <string.h>

#include "fc.h"
#include "target_private.h"

/* Task management flags (FCP-4 table 22) and response codes (table 26). */
#define TM_ABORT_TASK_SET 0x02
#define TM_CLEAR_TASK_SET 0x04
#define TM_LUN_RESET 0x10
#define TM_TARGET_RESET 0x20
#define TM_CLEAR_ACA 0x40
#define TM_COMPLETE 0x00
#define TM_REJECTED 0x04
#define TM_INCORRECT_LUN 0x09

/* A fault that ends by itself counts down; -1 is for good. */
static bool spend(long *times)
{
	if (*times > 0)
		(*times)--;
	else if (*times == 0)
		return false;
	return true;
}

static void answer_check(struct target *t, struct exchange *e, uint8_t key, uint16_t asc)
{
	struct scsi_command c = {.status = SCSI_GOOD};

	scsi_check(&c, key, (uint8_t)(asc >> 8), (uint8_t)asc);
	t->count.checks++;
	exchange_send_response(t, e, &c, 0);
	exchange_free(t, e);
}

static bool visible(const struct target *t, const struct exchange *e)
{
	return e->known_lun && target_shows(t, e->from->wwpn, e->lun);
}

/* Status instead of execution: by a fault, or a unit attention that waits. */
static bool refused(struct target *t, struct exchange *e)
{
	uint16_t asc;

	if (spend(&t->faults.busy)) {
		exchange_send_status(t, e, SCSI_BUSY);
		return true;
	}
	if (spend(&t->faults.check)) {
		answer_check(t, e, t->faults.key, (uint16_t)(t->faults.asc << 8 | t->faults.ascq));
		return true;
	}
	if (!visible(t, e) || scsi_ignores_unit_attention(e->cdb))
		return false;
	asc = ua_take(e->from, e->lun);
	if (!asc)
		return false;
	answer_check(t, e, SCSI_KEY_UNIT_ATTENTION, asc);
	return true;
}

static void expect_data(struct target *t, struct exchange *e)
{
	size_t need = visible(t, e) ? scsi_data_out_len(t->luns[e->lun], e->cdb) : 0;

	e->state = EX_DATA;
	e->wanted = 0;
	if (!e->writes || !need || need > SCSI_DATA_MAX)
		return;
	e->wanted = need < e->data_len ? (uint32_t)need : e->data_len;
	if (!e->wanted)
		return;
	e->data = calloc(1, e->wanted);
	if (!e->data) {
		e->wanted = 0;
		return;
	}
	t->window_moved = true;
}

void exchange_begin(struct target *t, struct exchange *e, uint64_t now_us)
{
	if (t->faults.hang) {
		e->state = EX_HELD;
		return;
	}
	if (refused(t, e))
		return;
	if (e->reads && e->writes) {
		answer_check(t, e, SCSI_KEY_ILLEGAL_REQUEST,
			     0x2400); /* invalid field in CDB: bidirectional */
		return;
	}
	expect_data(t, e);
	if (!e->wanted)
		exchange_complete(t, e, now_us);
}

/* The oldest first; a hung array asks for nothing. */
void target_ask_data(struct target *t)
{
	struct exchange *e;

	if (!t->window_moved || t->faults.hang)
		return;
	t->window_moved = false;
	TAILQ_FOREACH (e, &t->exchanges, link)
		if (e->state == EX_DATA && e->got == e->asked && e->asked < e->wanted &&
		    e->from->in_flight < TARGET_WINDOW)
			exchange_send_xfer_rdy(t, e);
}

void exchange_complete(struct target *t, struct exchange *e, uint64_t now_us)
{
	e->received = true;
	if (t->faults.hang || (t->faults.hold_writes && scsi_is_write(e->cdb))) {
		e->state = EX_HELD;
	} else if (t->faults.slow_us) {
		e->state = EX_SLOW;
		e->due_us = now_us + t->faults.slow_us;
	} else {
		exchange_execute(t, e);
	}
}

void exchange_execute(struct target *t, struct exchange *e)
{
	uint16_t luns[TARGET_LUNS];
	struct scsi_command c = {
		.lun = visible(t, e) ? t->luns[e->lun] : NULL,
		.nexus = {.initiator = e->from->wwpn, .target = t->wwpn},
		.target_wwnn = t->wwnn,
		.luns = luns,
		.data_out = e->data,
		.data_out_len = e->got,
	};
	uint32_t moved = e->got;

	for (uint16_t lun = 0; lun < TARGET_LUNS; lun++)
		if (target_shows(t, e->from->wwpn, lun))
			luns[c.lun_count++] = lun;
	memcpy(c.cdb, e->cdb, sizeof(c.cdb));
	scsi_execute(&c);
	t->count.checks += c.status == SCSI_CHECK_CONDITION;
	if (c.data_in && c.status == SCSI_GOOD) {
		moved = (uint32_t)c.data_in_len;
		exchange_send_data(t, e, c.data_in,
				   e->reads ? (moved < e->data_len ? moved : e->data_len) : 0);
	} else if (e->writes && c.status == SCSI_GOOD && c.lun) {
		moved = (uint32_t)scsi_data_out_len(c.lun, e->cdb);
	}
	exchange_send_response(t, e, &c, moved);
	free(c.data_in);
	exchange_free(t, e);
}

/* ---- task management ---- */

static void reset_lun(struct target *t, uint16_t lun, const struct initiator *by, const char *why)
{
	struct lun_notice n = {.asc = UA_TARGET_RESET >> 8, .ascq = UA_TARGET_RESET & 0xff, .abort = true};

	strncpy(n.why, why, sizeof(n.why) - 1);
	n.except = (struct pr_nexus){.initiator = by->wwpn, .target = t->wwpn};
	exchanges_drop(t, by, lun); /* its own end without a unit attention: it asked for it */
	lun_notify(t->luns[lun], &n);
}

static uint8_t manage(struct target *t, struct initiator *i, uint8_t flags, int lun)
{
	struct lun_notice n = {
		.asc = 0x2f, .ascq = 0x00, .abort = true, .if_aborted = true, .why = "CLEAR TASK SET"};

	if (flags == TM_TARGET_RESET) {
		for (uint16_t l = 0; l < TARGET_LUNS; l++)
			if (t->luns[l])
				reset_lun(t, l, i, "TARGET RESET");
		return TM_COMPLETE;
	}
	if (lun < 0 || !target_shows(t, i->wwpn, (uint16_t)lun))
		return TM_INCORRECT_LUN;
	if (flags == TM_LUN_RESET) {
		reset_lun(t, (uint16_t)lun, i, "LUN RESET");
	} else if (flags == TM_ABORT_TASK_SET) {
		exchanges_drop(t, i, lun);
	} else if (flags == TM_CLEAR_TASK_SET) {
		n.except = (struct pr_nexus){.initiator = i->wwpn, .target = t->wwpn};
		exchanges_drop(t, i, lun);
		lun_notify(t->luns[lun], &n);
	} else if (flags != TM_CLEAR_ACA) {
		return TM_REJECTED;
	}
	return TM_COMPLETE;
}

void target_task_management(struct target *t, const struct frame *f, struct initiator *i, uint8_t flags,
			    int lun)
{
	t->count.task_management++;
	target_send_tm_response(t, f, manage(t, i, flags, lun));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands as the guest has written them: by SG_IO in a thread of the pool, or by the path's bsg node. */
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "cleanup.h"
#include "command.h"
#include "pass_private.h"
#include "repeat.h"
#include "scsi_data.h"

#define PIECE (64u << 10) /* of a READ or WRITE by SG_IO: what every HBA takes at once */

enum lost {
	LOST_NOT,
	LOST_UNTOUCHED, /* the target's port can't: nothing was executed, another port may */
	LOST_PERHAPS, /* it may have been executed */
};

/* One command, and the way it goes. */
struct attempt {
	struct pass *p;
	struct path *path;
	struct scsi_task *t;
	uint8_t *buf;
	enum lost lost;
};

/* NOT READY, logical unit not accessible by this port: in transition, standby, unavailable (SPC-4, 5.11.2) */
static bool other_port(const struct sg_command *c)
{
	enum scsi_asc asc;

	return c->status == SCSI_CHECK_CONDITION &&
	       scsi_sense_read(c->sense, c->sense_len, &asc) == KEY_NOT_READY && asc >= 0x040a &&
	       asc <= 0x040c;
}

/*
 * The task's answer, or what it ends with if nobody knows a better way; what the data part is, the caller
 * knows. True: the target said GOOD.
 */
static bool conclude(struct attempt *a, struct sg_command *c, enum sg_end end)
{
	struct scsi_task *t = a->t;

	switch (end) {
	case SG_ANSWERED:
		path_answers(a->path);
		a->lost = other_port(c) ? LOST_UNTOUCHED : LOST_NOT;
		t->status = c->status;
		t->sense_len = c->sense_len;
		memcpy(t->sense, c->sense, c->sense_len);
		return c->status == SCSI_GOOD;
	case SG_LOST:
		path_lost(a->path, c);
		a->lost = LOST_PERHAPS;
		t->lost = a->p->unit.one_path;
		repeat_cut_off(t, true, false);
		break;
	case SG_NOT_BEGUN:
		repeat_cut_off(t, false, false);
		break;
	case SG_FORBIDDEN:
		scsi_check(t, false, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED, NULL);
		break;
	case SG_REFUSED:
		scsi_check(t, false, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, NULL);
		break;
	}
	c->moved = 0;
	return false;
}

static bool execute(struct attempt *a, struct sg_command *c)
{
	return conclude(a, c, sg_execute(a->path->sg, c));
}

/* The same command for other blocks; the form holds them, since it held more. */
static void set_extent(uint8_t *cdb, struct extent x)
{
	switch (cdb[0] >> 5) {
	case 0:
		put_be24((uint32_t)x.lba, cdb + 1);
		cdb[4] = (uint8_t)x.n;
		break;
	case 1:
		put_be32((uint32_t)x.lba, cdb + 2);
		put_be16((uint16_t)x.n, cdb + 7);
		break;
	case 4:
		put_be64(x.lba, cdb + 2);
		put_be32((uint32_t)x.n, cdb + 10);
		break;
	case 5:
		put_be32((uint32_t)x.lba, cdb + 2);
		put_be32((uint32_t)x.n, cdb + 6);
		break;
	}
}

/*
 * In pieces, for as long as they go well: the first that doesn't is what the initiator has to know. All going
 * well it was a fault that has passed, and the data are there; unless the caller's buffer is smaller than the
 * guest's, then the guest comes again.
 */
static void run_transfer(struct attempt *a, const struct transfer *r)
{
	struct scsi_task *t = a->t;
	uint8_t cdb[SCSI_CDB_MAX];
	bool fits = true, good = true;

	memcpy(cdb, t->cdb, sizeof(cdb));
	for (uint64_t at = 0; good && at < r->length;) {
		uint32_t len = r->length - at < PIECE ? (uint32_t)(r->length - at) : PIECE;
		struct sg_command c = {
			.cdb = cdb, .cdb_len = t->cdb_len, .data = a->buf, .len = len, .out = r->write};
		unsigned shift = a->p->block_shift;

		set_extent(cdb, (struct extent){r->x.lba + (at >> shift), len >> shift});
		if (r->write)
			fits &= scsi_data_out(t, at, a->buf, len) == len;
		if (!fits && r->write)
			break;
		good = execute(a, &c);
		if (!r->write && fits)
			fits = scsi_data_in(t, at, a->buf, c.moved) == c.moved;
		if (fits)
			t->moved = at + c.moved;
		good &= c.moved == len;
		at += len;
	}
	if (!fits && t->status == SCSI_GOOD)
		scsi_end(t, SCSI_BUSY);
}

static void run_other(struct attempt *a, uint32_t len)
{
	struct scsi_task *t = a->t;
	struct sg_command c = {
		.cdb = t->cdb, .cdb_len = t->cdb_len, .data = a->buf, .len = len, .out = t->out_len};

	if (c.out && scsi_data_out(t, 0, a->buf, len) != len) {
		t->overrun = true;
		scsi_end(t, SCSI_GOOD);
		return;
	}
	execute(a, &c);
	t->moved = c.out ? c.moved : scsi_data_in(t, 0, a->buf, c.moved);
}

/* Nobody has answered, and another execution does no harm. */
static bool by_another(struct attempt *a, uint32_t *tried)
{
	if (a->lost == LOST_NOT ||
	    (a->lost == LOST_PERHAPS && repeat_rule(a->t->cdb)->verdict != REPEAT_HARMLESS))
		return false;
	if (a->lost == LOST_UNTOUCHED)
		paths_rank(&a->p->paths);
	*tried |= path_bit(&a->p->paths, a->path);
	return true;
}

static void begin_attempt(struct attempt *a)
{
	a->lost = LOST_NOT;
	scsi_begin(a->t);
	scsi_end(a->t, SCSI_GOOD);
}

static void attempts(struct attempt *a, const struct transfer *r, uint32_t len)
{
	uint32_t tried = 0;

	while ((a->path = paths_choose(&a->p->paths, tried))) {
		begin_attempt(a);
		if (r)
			run_transfer(a, r);
		else
			run_other(a, len);
		if (!by_another(a, &tried))
			return;
	}
}

void pass_run(struct unit *u, uint64_t nexus, struct scsi_task *t)
{
	struct pass *p = pass_of(u);
	size_t len = t->out_len ? t->out_len : t->in_len;
	struct transfer r;
	bool in_pieces = transfer_of(p, t, &r) && r.length <= (r.write ? t->out_len : t->in_len);
	AUTO_FREE void *buf = NULL;
	struct attempt a = {.p = p, .t = t};

	scsi_begin(t);
	if (!in_pieces && len > SG_DATA_MAX) {
		scsi_check(t, false, KEY_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB, NULL);
		return;
	}
	if (len && !(buf = calloc(1, in_pieces ? PIECE : len))) {
		repeat_cut_off(t, false, false);
		return;
	}
	a.buf = buf;
	attempts(&a, in_pieces ? &r : NULL, (uint32_t)len);
}

/* ---- by a bsg node ---- */

static bool any_bsg(const struct paths *ps, uint8_t opcode)
{
	for (unsigned i = 0; i < ps->n; i++)
		if (path_may_bsg(&ps->path[i], opcode))
			return true;
	return false;
}

/* READ and WRITE come here only when they have failed, and go in pieces then. */
struct path *pass_way(struct unit *u, const struct scsi_task *t, uint32_t tried)
{
	struct pass *p = pass_of(u);
	struct transfer r;
	struct path *path;

	/* a choice counts as a try of a path that was lost, so none is made in vain */
	if (!any_bsg(&p->paths, t->cdb[0]) || transfer_of(p, t, &r))
		return NULL;
	path = paths_choose(&p->paths, tried);
	return path && path_may_bsg(path, t->cdb[0]) ? path : NULL;
}

bool pass_answered(struct unit *u, struct scsi_task *t, struct command *c, enum sg_end end)
{
	struct attempt a = {.p = pass_of(u), .path = c->path, .t = t};

	begin_attempt(&a);
	conclude(&a, &c->sg, end);
	return by_another(&a, &c->tried) && c->tried + 1 != 1u << a.p->paths.n;
}

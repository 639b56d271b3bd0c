/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "commands.h"
#include "repeat.h"
#include "scsi_data.h"
#include "worker.h"

#define STANDARD_INQUIRY 36
#define ALIGNMENT 64

static const uint8_t inquiry[6] = {0x12, [4] = STANDARD_INQUIRY};

static struct command *new_command(struct io_task *t, uint32_t len)
{
	uint32_t room = len < STANDARD_INQUIRY ? STANDARD_INQUIRY : len;
	size_t size = (sizeof(struct command) + room + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct command *c = aligned_alloc(ALIGNMENT, size);

	if (!c)
		return NULL;
	memset(c, 0, size);
	c->task = t;
	c->size = len;
	return c;
}

static void send_command(struct command *c)
{
	struct scsi_task *t = &c->task->scsi;

	c->sg = (struct sg_command){
		.cdb = t->cdb, .cdb_len = t->cdb_len, .data = c->data, .len = c->size, .out = t->out_len};
	if (c->asks)
		c->sg = (struct sg_command){
			.cdb = inquiry, .cdb_len = sizeof(inquiry), .data = c->data, .len = STANDARD_INQUIRY};
	else if (c->sg.out)
		scsi_data_out(t, 0, c->data, c->size);
	c->task->state = TASK_COMMAND;
	commands_send(worker_commands(c->task->queue->worker), c);
}

bool command_begin(struct io_task *t)
{
	const struct unit_ops *ops = t->lun->unit->ops;
	size_t len = t->scsi.out_len ? t->scsi.out_len : t->scsi.in_len;
	struct command *c;
	struct path *p;

	if (!ops->way || len > SG_DATA_MAX ||
	    !commands_room(worker_commands(t->queue->worker), (uint32_t)len))
		return false;
	p = ops->way(t->lun->unit, &t->scsi, 0);
	c = p ? new_command(t, (uint32_t)len) : NULL;
	if (!c)
		return false;
	c->path = p;
	c->asks = !path_by_bsg(p);
	if (c->asks && !path_ask(p)) { /* somebody asks already */
		free(c);
		return false;
	}
	send_command(c);
	return true;
}

/* Nobody wants to have it begun, or begun again: it ends with what it has. */
static bool given_up(const struct io_task *t)
{
	return t->orphan || t->aborted || !t->queue->running;
}

static void by_thread(struct command *c)
{
	struct io_task *t = c->task;

	free(c);
	if (given_up(t)) {
		repeat_cut_off(&t->scsi, false, false);
		queue_finish(t);
	} else {
		queue_to_pool(t);
	}
}

/* A disk's own answer: SPC-4, 6.4.2. */
static bool is_inquiry(const struct command *c)
{
	return c->sg.status == SCSI_GOOD && c->sg.moved == STANDARD_INQUIRY && !(c->data[0] & 0xe0) &&
	       c->data[2] && (c->data[3] & 0xf) == 2 && c->data[4] >= STANDARD_INQUIRY - 5;
}

static void asked(struct command *c, enum sg_end end)
{
	bool right = end == SG_ANSWERED && is_inquiry(c);

	/* an answer that didn't come says nothing of the node */
	path_asked(c->path, right				    ? PATH_BY_BSG
			    : end == SG_LOST || end == SG_NOT_BEGUN ? PATH_UNASKED
								    : PATH_BY_SG);
	if (!right || given_up(c->task)) {
		by_thread(c);
		return;
	}
	c->asks = false;
	memset(c->data, 0, STANDARD_INQUIRY); /* none of it is the next command's */
	send_command(c);
}

void command_ended(struct command *c, enum sg_end end)
{
	struct io_task *t = c->task;
	struct unit *u = t->lun->unit;

	if (c->asks) {
		asked(c, end);
		return;
	}
	if (end == SG_FORBIDDEN || end == SG_REFUSED) {
		if (end == SG_FORBIDDEN)
			path_forbids(c->path, t->scsi.cdb[0]);
		by_thread(c);
		return;
	}
	if (u->ops->answered(u, &t->scsi, c, end) && !given_up(t)) {
		c->path = u->ops->way(u, &t->scsi, c->tried);
		if (c->path && path_by_bsg(c->path))
			send_command(c);
		else
			by_thread(c);
		return;
	}
	t->scsi.moved = c->sg.moved;
	if (!c->sg.out && !t->orphan)
		t->scsi.moved = scsi_data_in(&t->scsi, 0, c->data, c->sg.moved);
	free(c);
	queue_finish(t);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that are answered before they have ended. */
#include <errno.h>
#include <string.h>

#include "device_type.h"
#include "log.h"
#include "queue.h"
#include "repeat.h"
#include "worker.h"

/* A device has the guest's own pages: no closing of memory keeps its data out of them. */
static bool writes_to_guest(const struct io_task *t)
{
	return t->state == TASK_KERNEL && t->lun->aligned && t->io.op == DISK_OP_READ;
}

static void name_orphan(const struct io_task *t)
{
	log_warning("left in the kernel: LUN %u, operation code %02x, tag %llx, %zu bytes%s", t->lun->number,
		    t->scsi.cdb[0], (unsigned long long)t->tag, t->scsi.in_len + t->scsi.out_len,
		    writes_to_guest(t) ? ", into the guest's own pages" : "");
}

/* Answered in place of the task, whose own answer is still the unit's to write when it ends. */
static void answer_instead(const struct io_task *t)
{
	bool pool = t->state == TASK_POOL;
	struct io_task a = {.queue = t->queue,
			    .use = t->use,
			    .head = t->head,
			    .lun = t->lun,
			    .begun = t->begun,
			    .response_n = t->response_n,
			    .scsi = {.in = pool ? t->guest_in : t->scsi.in,
				     .in_n = pool ? t->guest_in_n : t->scsi.in_n,
				     .in_len = t->scsi.in_len,
				     .out_len = t->scsi.out_len}};

	memcpy(a.response, t->response, sizeof(a.response));
	memcpy(a.scsi.cdb, t->scsi.cdb, sizeof(a.scsi.cdb));
	a.scsi.cdb_len = t->scsi.cdb_len;
	repeat_cut_off(&a.scsi, true, t->lun && t->lun->unit->ops->descriptor_sense(t->lun->unit));
	queue_answer(&a);
}

/* All others end in buffers of their own, or only read what is the guest's. */
static bool may_write_late(const struct io_task *t)
{
	return t->orphan && t->state == TASK_KERNEL && t->io.op != DISK_OP_WRITE;
}

static void abandon(struct queue *q, struct io_task *t)
{
	if (q->shared->type->takes_back)
		queue_take_back(t);
	else
		answer_instead(t);
	t->orphan = true;
	q->orphans++;
	if (t->state == TASK_KERNEL)
		engine_cancel(worker_engine(q->worker), t);
}

bool queue_abandon(struct queue *q)
{
	bool late = false;

	for (unsigned i = 0; i < q->tasks_n; i++) {
		struct io_task *t = &q->tasks[i];

		if (t->state != TASK_FREE && !t->orphan)
			abandon(q, t);
		late |= may_write_late(t);
	}
	vq_flush(&q->vq);
	return late;
}

void queue_name_orphans(const struct queue *q)
{
	for (unsigned i = 0; i < q->tasks_n; i++)
		if (q->tasks[i].state != TASK_FREE && q->tasks[i].orphan)
			name_orphan(&q->tasks[i]);
}

void queue_close_memory(struct queue *q)
{
	const struct memory *closed = NULL;

	for (unsigned i = 0; i < q->tasks_n; i++) {
		const struct io_task *t = &q->tasks[i];

		if (!may_write_late(t) || closed == t->use->mem)
			continue;
		closed = t->use->mem;
		if (memory_close(closed, true))
			log_err("the guest's memory can't be closed to what is left: %s", strerror(errno));
	}
}

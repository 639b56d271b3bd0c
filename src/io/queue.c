/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "device_type.h"
#include "iov.h"
#include "log.h"
#include "queue.h"
#include "repeat.h"
#include "rescue.h"
#include "worker.h"

/*
 * So many are taken in a turn: while the kernel works on them the guest sees the ends of those before, and
 * adds more. With all of a ring in a turn the two would wait for each other. One that goes past the page
 * cache counts twice: its device, which has time of its own, begins sooner.
 */
#define TURN_MAX 16
#define AT_ONCE_MAX 16 /* as many unit attentions as a LUN can have at once, and some more */
/* What Linux's sd does with a LUN that is BUSY: some such pause, and 180 s in all. */
#define LATER_US 16000
#define AGAIN_MAX (180 * 1000000u / LATER_US)

/* ---- the end of a command ---- */

static void wake_waiters(struct io_task *t)
{
	struct queue_shared *s = t->queue->shared;

	if (t->waiters)
		vq_flush(&t->queue->vq); /* the guest has the command's answer before that of the function */
	for (unsigned w = 0; t->waiters; w++, t->waiters >>= 1)
		if ((t->waiters & 1) && atomic_fetch_sub(&s->waiter[w].left, 1) == 1)
			worker_notice(s);
}

void queue_answer(struct io_task *t)
{
	struct queue *q = t->queue;
	uint32_t len = q->shared->type->answer(t);

	if (q->vq.log) {
		vq_mark(&q->vq, t->use->mem, t->scsi.in, t->scsi.in_n);
		vq_mark(&q->vq, t->use->mem, t->response, t->response_n);
	}
	vq_push(&q->vq, t->head, len);
	q->busy--;
	if (t->lun)
		latency_add(&t->lun->latency, q->index, mono_since(worker_now(q->worker), t->begun));
}

void queue_take_back(struct io_task *t)
{
	struct queue *q = t->queue;

	vq_unpop(&q->vq, t->head);
	q->busy--;
}

static void to_unit(struct io_task *t);

static bool sent_again(struct io_task *t, enum again when)
{
	if (t->tries >= AGAIN_MAX)
		return false;
	if (when == AGAIN_AT_ONCE && t->tries++ < AT_ONCE_MAX) {
		to_unit(t);
		return true;
	}
	t->tries++;
	t->state = TASK_LATER;
	return engine_delay(worker_engine(t->queue->worker), t, LATER_US);
}

static void finish(struct io_task *t)
{
	struct queue *q = t->queue;
	const struct device_type *type = q->shared->type;
	enum again again = type->again && t->lun && !t->orphan ? type->again(t) : AGAIN_NEVER;

	if (again && q->running && sent_again(t, again))
		return;
	if (t->orphan)
		q->orphans--;
	else if (again && !q->running && type->takes_back)
		queue_take_back(t);
	else
		queue_answer(t);
	wake_waiters(t);
	queue_task_free(t);
}

static void to_pool(struct io_task *t);

static enum disk_next unit_end(struct io_task *t, int64_t result)
{
	struct unit *u = t->lun->unit;

	return u->ops->end(u, &t->scsi, &t->io, result);
}

static void go_on(struct io_task *t, enum disk_next next)
{
	struct engine *e = worker_engine(t->queue->worker);
	int64_t result;

	t->state = TASK_KERNEL;
	while (next == DISK_IO && !engine_submit(e, t, &result))
		next = unit_end(t, result);
	if (next == DISK_DONE)
		finish(t);
	else if (next == DISK_BLOCKING && !command_begin(t))
		to_pool(t);
}

static void io_ended(struct io_task *t, int64_t result)
{
	enum disk_next next = unit_end(t, result);

	/* what is left of it isn't begun any more; what failed isn't asked why when the device stops */
	if ((next != DISK_DONE && (t->orphan || t->aborted)) || (next == DISK_BLOCKING && !t->queue->running))
		next = unit_end(t, -ECANCELED);
	go_on(t, next);
}

void queue_io_ended(struct io_task *t, int64_t result)
{
	if (t->state == TASK_LATER) {
		if (t->queue->running && !t->orphan)
			to_unit(t);
		else
			finish(t);
		return;
	}
	engine_ended(t);
	if (result == -EINVAL && t->lun->aligned && t->io.op != DISK_OP_FSYNC && !t->orphan && !t->aborted)
		rescue_begin(t);
	else
		io_ended(t, result);
}

/* ---- commands that may block ---- */

static void run_in_pool(struct pool_job *j)
{
	struct io_task *t = (struct io_task *)((uint8_t *)j - offsetof(struct io_task, job));
	size_t len = t->scsi.in_len < TASK_BOUNCE_MAX ? t->scsi.in_len : TASK_BOUNCE_MAX;
	struct unit *u = t->lun->unit;

	t->bounce = len ? malloc(len) : NULL;
	t->bounce_iov = (struct iovec){t->bounce, len};
	t->scsi.in = &t->bounce_iov;
	t->scsi.in_n = !!len;
	if (len && !t->bounce)
		repeat_cut_off(&t->scsi, false, false);
	else
		u->ops->run(u, t->queue->shared->nexus, &t->scsi);
	worker_return(t->queue->worker, t);
}

/*
 * Data-In go to a buffer of its own: the answer may be given up while a thread still writes, and then nothing
 * may be written to the guest any more. There is one for each thread, however many commands wait for them.
 */
static void to_pool(struct io_task *t)
{
	t->guest_in = t->scsi.in;
	t->guest_in_n = t->scsi.in_n;
	t->bounce = NULL;
	t->state = TASK_POOL;
	t->job.lane = t->lun->number + 1u;
	t->job.run = run_in_pool;
	pool_submit(t->queue->shared->pool, &t->job);
}

static void leave_pool(struct io_task *t)
{
	t->scsi.in = t->guest_in;
	t->scsi.in_n = t->guest_in_n;
	if (!t->orphan && t->bounce && t->scsi.moved <= t->bounce_iov.iov_len)
		iov_put(t->scsi.in, t->scsi.in_n, t->bounce, t->scsi.moved);
	free(t->bounce);
	t->bounce = NULL;
}

void queue_pool_ended(struct io_task *t)
{
	if (t->rescued) {
		t->state = TASK_KERNEL;
		io_ended(t, rescue_end(t));
		return;
	}
	leave_pool(t);
	finish(t);
}

/* Inlined here, where READ and WRITE come by. */
void queue_finish(struct io_task *t)
{
	finish(t);
}

void queue_to_pool(struct io_task *t)
{
	to_pool(t);
}

/* It had not begun: it never was executed. */
static bool call_back(struct io_task *t)
{
	if (t->state != TASK_POOL || !pool_cancel(t->queue->shared->pool, &t->job))
		return false;
	if (t->rescued) {
		t->rescued = false;
		unit_end(t, -ECANCELED);
		return true;
	}
	repeat_cut_off(&t->scsi, false, false);
	leave_pool(t);
	return true;
}

/* ---- the beginning of a command ---- */

static void to_unit(struct io_task *t)
{
	struct unit *u = t->lun->unit;

	go_on(t, u->ops->begin(u, t->queue->shared->nexus, &t->scsi, &t->io));
}

/* Another process was killed with it under way: nobody knows whether it was executed. */
static bool must_not_repeat(const struct io_task *t)
{
	return repeat_rule(t->scsi.cdb)->verdict != REPEAT_HARMLESS;
}

static void cut_off(struct io_task *t)
{
	struct unit *u = t->lun->unit;

	repeat_cut_off(&t->scsi, true, u->ops->descriptor_sense(u));
	finish(t);
}

/* Returns for how many it counts in a turn. */
static unsigned begin(struct io_task *t, bool resumed)
{
	struct queue *q = t->queue;
	unsigned n;

	t->lun = q->shared->type->begin(t, q->luns);
	n = t->lun && t->lun->aligned ? 2 : 1;
	if (!t->lun)
		finish(t);
	else if (resumed && must_not_repeat(t))
		cut_off(t);
	else
		to_unit(t);
	return n;
}

static void break_ring(struct queue *q, const char *why)
{
	q->vq.broken = why;
	q->running = false;
	log_err("ring %u is not read any more: %s", q->index, why);
}

/* What was taken once is not asked for again. */
static bool may_take(struct queue *q)
{
	struct limits *l = &q->shared->limits;

	return !limits_set(l) || vq_resumes(&q->vq) || limits_pass(l, mono_now(), &q->resume);
}

/* A chain becomes a task. NULL: the ring is broken. */
static struct io_task *take(struct queue *q, const struct vq_chain *c)
{
	struct io_task *t = q->free;
	const char *why = q->shared->type->parse(t, c);

	if (why) {
		break_ring(q, why);
		return NULL;
	}
	q->free = t->next_free;
	t->use = q->use;
	t->use->tasks++;
	t->begun = worker_now(q->worker);
	t->orphan = t->aborted = false;
	t->waiters = 0;
	q->busy++;
	return t;
}

bool queue_run(struct queue *q)
{
	struct vq_chain c;
	struct io_task *t;
	unsigned n = 0;
	int r = 0;

	q->resume.us = 0;
	/* a task management function comes after all that a killed process had taken */
	while (q->running && q->free && (n < TURN_MAX || vq_resumes(&q->vq)) && may_take(q)) {
		c.iov = q->free->iov;
		c.max = q->iov_room;
		r = vq_pop(&q->vq, &c);
		if (r <= 0)
			break;
		if (!n && q->armed) {
			q->armed = false;
			vq_busy(&q->vq);
		}
		t = take(q, &c);
		if (!t)
			break;
		if (limits_set(&q->shared->limits))
			limits_charge(&q->shared->limits, mono_now(), t->scsi.in_len + t->scsi.out_len);
		n += begin(t, c.resumed);
	}
	if (r < 0)
		break_ring(q, q->vq.broken);
	if (n && !atomic_load_explicit(&q->first, memory_order_relaxed)) {
		atomic_store(&q->first, worker_now(q->worker).us);
		worker_notice(q->shared);
	}
	return n;
}

bool queue_arm(struct queue *q)
{
	if (!q->running || q->armed || q->resume.us)
		return true; /* not asked for, or asked already; or nothing may be taken anyhow */
	if (q->free && vq_pending(&q->vq))
		return false;
	q->armed = vq_idle(&q->vq);
	/* with no task left, the end of one is waited for, not a kick */
	return q->armed || !q->free;
}

/* ---- start, change, stop ---- */

static void watch(struct queue *q, int kick)
{
	struct engine *e = worker_engine(q->worker);

	if (q->kick == kick)
		return; /* the device never gives a number twice in a row */
	if (q->kick >= 0)
		engine_ignore(e, ENGINE_KICK, q);
	q->kick = kick;
	if (kick >= 0)
		engine_watch(e, kick, ENGINE_KICK, q);
}

int queue_change(struct queue *q, const struct queue_setup *s)
{
	int err;

	/* the old ones go, whatever becomes of the rest */
	q->features = s->features;
	q->vq.log = s->log;
	q->vq.call = s->call;
	watch(q, s->kick);
	err = vq_map(&q->vq, &s->vq, s->mem);
	if (!err)
		err = queue_use_memory(q, s->mem);
	if (err)
		q->running = false;
	return err;
}

int queue_start(struct queue *q, const struct queue_setup *s)
{
	int err;

	vq_end(&q->vq);
	q->vq.inflight = s->inflight;
	err = queue_change(q, s);
	if (!err)
		err = vq_begin(&q->vq, s->adrift ? vq_used(&q->vq) : s->base);
	if (err) {
		watch(q, -1);
		return err;
	}
	q->running = true;
	q->armed = false;
	atomic_store(&q->first, 0);
	if (s->adrift)
		vq_succeed(&q->vq);
	return 0;
}

static void settle_one(struct io_task *t)
{
	struct queue *q = t->queue;

	t->lun = q->shared->type->begin(t, q->luns);
	if (t->lun && must_not_repeat(t)) {
		cut_off(t);
		return;
	}
	queue_take_back(t);
	queue_task_free(t);
}

int queue_settle(struct queue *q, const struct queue_setup *s, unsigned *n)
{
	int err = queue_start(q, s);

	while (!err && q->free && vq_resumes(&q->vq)) {
		struct vq_chain c = {.iov = q->free->iov, .max = q->iov_room};
		struct io_task *t = vq_pop(&q->vq, &c) > 0 ? take(q, &c) : NULL;

		if (!t)
			break;
		++*n;
		settle_one(t);
	}
	if (!err)
		queue_stop(q);
	return err;
}

void queue_stop(struct queue *q)
{
	q->running = false;
	q->resume.us = 0;
	watch(q, -1);
	for (unsigned i = 0; i < q->tasks_n; i++) {
		if (call_back(&q->tasks[i]))
			finish(&q->tasks[i]);
		else if (q->tasks[i].state == TASK_LATER)
			engine_cancel(worker_engine(q->worker), &q->tasks[i]);
	}
	vq_unpop_resumed(&q->vq);
	vq_flush(&q->vq);
}

void queue_leave(struct queue *q)
{
	q->running = false;
	q->resume.us = 0;
	watch(q, -1);
	for (unsigned i = 0; i < q->tasks_n; i++) {
		struct io_task *t = &q->tasks[i];

		if (t->state == TASK_POOL && pool_cancel(q->shared->pool, &t->job)) {
			q->busy--;
			queue_task_free(t);
		} else if (t->state == TASK_LATER) {
			engine_cancel(worker_engine(q->worker), t);
		}
	}
	vq_flush(&q->vq);
}

static bool matches(const struct io_task *t, const struct queue_match *m)
{
	if (t->state == TASK_FREE || (t->orphan && !m->orphans))
		return false;
	return (m->all_luns || t->lun->number == m->lun) && (m->all_tags || t->tag == m->tag);
}

unsigned queue_match(struct queue *q, const struct queue_match *m, bool abort, unsigned w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < q->tasks_n; i++) {
		struct io_task *t = &q->tasks[i];

		if (!matches(t, m))
			continue;
		n++;
		if (!abort)
			continue;
		t->aborted = true;
		t->waiters |= (uint8_t)(1 << w);
		atomic_fetch_add(&q->shared->waiter[w].left, 1);
		if (call_back(t))
			finish(t);
		else if (t->state == TASK_KERNEL)
			engine_cancel(worker_engine(q->worker), t);
	}
	return n;
}

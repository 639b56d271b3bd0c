/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control ring: task management functions and asynchronous notification requests.
 *
 * A function that ends commands is answered when they have ended, each with its own answer, and the disks
 * have been reset: a target may not do it earlier (SAM-5, 7.1). Commands that the kernel doesn't give back
 * hold the answer up, so the guest can tell that they are not gone.
 *
 * Source: virtio 1.1, 5.6.6.2; SAM-5, 7.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "device_private.h"
#include "log.h"
#include "virtio_scsi.h"

static const struct {
	const char *name;
	bool known, abort, all_tags, all_luns, reset;
	enum disk_reset how;
} functions[] = {
	[VIRTIO_SCSI_T_TMF_ABORT_TASK] = {"ABORT TASK", true, true},
	[VIRTIO_SCSI_T_TMF_ABORT_TASK_SET] = {"ABORT TASK SET", true, true, true},
	[VIRTIO_SCSI_T_TMF_CLEAR_ACA] = {"CLEAR ACA", false},
	[VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET] = {"CLEAR TASK SET", true, true, true},
	[VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET] = {"I_T NEXUS RESET", true, true, true, true, true,
					       DISK_RESET_NEXUS},
	[VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET] = {"LOGICAL UNIT RESET", true, true, true, false, true,
						  DISK_RESET_LUN},
	[VIRTIO_SCSI_T_TMF_QUERY_TASK] = {"QUERY TASK", true, false},
	[VIRTIO_SCSI_T_TMF_QUERY_TASK_SET] = {"QUERY TASK SET", true, false, true},
};

int tmf_slot(const struct device *d)
{
	for (int i = 0; i < TASK_WAITERS; i++)
		if (!d->tmf[i].used)
			return i;
	return -1;
}

/* ---- commands that match, in all workers ---- */

struct match_call {
	struct device *device;
	const struct queue_match *match;
	bool abort;
	unsigned waiter;
	atomic_uint found;
};

static void match_in_worker(struct worker *w, void *arg)
{
	struct match_call *c = arg;

	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		if (c->device->queue[i].worker == w)
			atomic_fetch_add(&c->found,
					 queue_match(&c->device->queue[i], c->match, c->abort, c->waiter));
}

unsigned device_match(struct device *d, const struct queue_match *m, bool abort, unsigned waiter)
{
	struct match_call c = {d, m, abort, waiter, 0};

	device_each_worker(d, match_in_worker, &c);
	return atomic_load(&c.found);
}

/* ---- answers ---- */

static void answer(struct device *d, const struct vq_chain *c, const void *response, size_t len)
{
	struct virtqueue *vq = &d->local[RING_CONTROL];

	iov_put(c->iov + c->out_n, c->in_n, response, len);
	vq_mark(vq, vq->mem, c->iov + c->out_n, c->in_n);
	vq_push(vq, c->head, (uint32_t)len);
	vq_flush(vq);
}

static void answer_tmf(struct tmf *t)
{
	struct virtqueue *vq = &t->device->local[RING_CONTROL];

	if (t->answered)
		return;
	t->answered = true;
	*(uint8_t *)t->response.iov_base = t->verdict;
	vq_mark(vq, t->mem, &t->response, 1);
	vq_push(vq, t->head, 1);
	vq_flush(vq);
}

static void end(struct tmf *t)
{
	struct device *d = t->device;

	if (t->remove) {
		lun_free(t->remove);
		d->lun_job = false;
	} else {
		answer_tmf(t);
	}
	memory_unref(t->mem);
	t->mem = NULL;
	t->remove = NULL;
	t->used = false;
}

/* ---- the disks' part ---- */

static void reset_disks(struct job *j)
{
	struct tmf *t = (struct tmf *)((uint8_t *)j - offsetof(struct tmf, job));

	for (unsigned i = 0; i < t->targets; i++) {
		struct unit *u = t->target[i]->unit;

		u->ops->reset(u, t->device->shared.nexus, t->reset);
	}
}

static void disks_reset(struct job *j)
{
	struct tmf *t = (struct tmf *)((uint8_t *)j - offsetof(struct tmf, job));

	t->device->lun_job = false;
	end(t);
}

static void reset(struct tmf *t)
{
	struct device *d = t->device;

	if (d->lun_job)
		return; /* the table of LUNs is in use; the end of that job comes back here */
	t->targets = 0;
	for (unsigned i = 0; i < LUN_NUMBERS; i++)
		if (d->luns->lun[i] && (t->match.all_luns || t->match.lun == i))
			t->target[t->targets++] = d->luns->lun[i];
	t->resetting = true;
	t->job.work = reset_disks;
	t->job.done = disks_reset;
	d->lun_job = true;
	jobs_submit(&d->jobs, &t->job);
}

void tmf_turn(struct device *d)
{
	for (unsigned i = 0; i < TASK_WAITERS; i++) {
		struct tmf *t = &d->tmf[i];

		if (!t->used || (t->job.work && t->resetting) || atomic_load(&d->shared.waiter[i].left))
			continue;
		if (t->job.work)
			reset(t);
		else
			end(t);
	}
}

void tmf_abandon(struct device *d)
{
	for (unsigned i = 0; i < TASK_WAITERS; i++) {
		struct tmf *t = &d->tmf[i];

		if (!t->used || t->remove)
			continue;
		t->verdict = VIRTIO_SCSI_S_FUNCTION_REJECTED;
		answer_tmf(t);
	}
}

/* ---- requests ---- */

static uint8_t verdict_at_once(struct device *d, const struct virtio_scsi_ctrl_tmf_req *q, uint32_t subtype,
			       struct queue_match *m)
{
	enum vscsi_address a = vscsi_address(q->lun, &m->lun);

	if (a == VSCSI_BAD_TARGET)
		return VIRTIO_SCSI_S_BAD_TARGET;
	if (subtype >= ARRAY_SIZE(functions) || !functions[subtype].known)
		return VIRTIO_SCSI_S_FUNCTION_REJECTED;
	if (functions[subtype].all_luns)
		return VIRTIO_SCSI_S_OK;
	if (a != VSCSI_UNIT || m->lun >= LUN_NUMBERS || !d->luns->lun[m->lun])
		return VIRTIO_SCSI_S_INCORRECT_LUN;
	return VIRTIO_SCSI_S_OK;
}

/* The function's own place, from where it is answered later. */
static struct tmf *take_slot(struct device *d, const struct vq_chain *c, const struct queue_match *m)
{
	int slot = tmf_slot(d);
	struct tmf *t = &d->tmf[slot];

	t->device = d;
	t->used = true;
	t->answered = t->resetting = false;
	t->mem = memory_ref(d->mem);
	t->response = (struct iovec){c->iov[c->out_n].iov_base, 1};
	t->head = c->head;
	t->verdict = VIRTIO_SCSI_S_OK;
	t->match = *m;
	t->remove = NULL;
	t->job.work = NULL;
	return t;
}

static void task_management(struct device *d, const struct vq_chain *c)
{
	struct virtio_scsi_ctrl_tmf_req q;
	struct queue_match m = {0};
	uint32_t subtype;
	struct tmf *t;
	uint8_t verdict;
	unsigned slot;

	iov_get(c->iov, c->out_n, &q, sizeof(q));
	subtype = le32toh(q.subtype);
	verdict = verdict_at_once(d, &q, subtype, &m);
	if (verdict != VIRTIO_SCSI_S_OK) {
		answer(d, c, &verdict, sizeof(verdict));
		return;
	}
	m.tag = q.tag;
	m.all_tags = functions[subtype].all_tags;
	m.all_luns = functions[subtype].all_luns;
	if (!functions[subtype].abort) {
		verdict = device_match(d, &m, false, 0) ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED : VIRTIO_SCSI_S_OK;
		answer(d, c, &verdict, sizeof(verdict));
		return;
	}
	t = take_slot(d, c, &m);
	if (functions[subtype].reset) {
		t->job.work = reset_disks;
		t->reset = functions[subtype].how;
	}
	slot = (unsigned)(t - d->tmf);
	atomic_store(&d->shared.waiter[slot].left, 1);
	log_info("the guest asks for %s: %u commands", functions[subtype].name,
		 device_match(d, &m, true, slot));
	atomic_fetch_sub(&d->shared.waiter[slot].left, 1);
}

static void notification(struct device *d, const struct vq_chain *c)
{
	/* what can be subscribed to are media events, which a disk has none of */
	struct virtio_scsi_ctrl_an_resp r = {.event_actual = 0, .response = VIRTIO_SCSI_S_OK};
	struct virtio_scsi_ctrl_an_req q;
	uint16_t lun;

	iov_get(c->iov, c->out_n, &q, sizeof(q));
	if (vscsi_address(q.lun, &lun) == VSCSI_BAD_TARGET)
		r.response = VIRTIO_SCSI_S_BAD_TARGET;
	answer(d, c, &r, sizeof(r));
}

static const struct {
	size_t request, response;
	void (*run)(struct device *, const struct vq_chain *);
} requests[] = {
	[VIRTIO_SCSI_T_TMF] = {sizeof(struct virtio_scsi_ctrl_tmf_req), 1, task_management},
	[VIRTIO_SCSI_T_AN_QUERY] = {sizeof(struct virtio_scsi_ctrl_an_req),
				    sizeof(struct virtio_scsi_ctrl_an_resp), notification},
	[VIRTIO_SCSI_T_AN_SUBSCRIBE] = {sizeof(struct virtio_scsi_ctrl_an_req),
					sizeof(struct virtio_scsi_ctrl_an_resp), notification},
};

void tmf_run(struct device *d)
{
	struct virtqueue *vq = &d->local[RING_CONTROL];
	struct iovec iov[16];
	struct vq_chain c = {.iov = iov, .max = ARRAY_SIZE(iov)};
	uint32_t type;

	while (tmf_slot(d) >= 0 && vq_pop(vq, &c) > 0) {
		if (iov_get(c.iov, c.out_n, &type, sizeof(type)) < sizeof(type) ||
		    (type = le32toh(type)) >= ARRAY_SIZE(requests) || c.out_len < requests[type].request ||
		    c.in_len < requests[type].response) {
			vq->broken = "a request that is none of the standard's";
			return;
		}
		requests[type].run(d, &c);
	}
	tmf_turn(d);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "cleanup.h"
#include "device_private.h"
#include "log.h"

#define FREE_PATIENCE_US (100 * USEC_PER_MSEC)

/* ---- making and ending ---- */

static int start_threads(struct device *d, struct verror *e)
{
	d->shared.pool = pool_new(d->config.blocking);
	if (!d->shared.pool)
		return verror_set(e, VHBA_E_IO, "can't start the threads for blocking commands: %s",
				  strerror(errno));
	for (unsigned i = 0; i < d->config.workers; i++) {
		d->worker[i] = worker_new(&d->shared, d->config.poll_us);
		if (d->worker[i])
			continue;
		verror_set(e, VHBA_E_IO, "can't start a worker with its io_uring: %s", strerror(errno));
		verror_fix(e, "allow io_uring (sysctl kernel.io_uring_disabled) and enough locked memory");
		return -errno;
	}
	return 0;
}

struct device *device_new(const struct device_config *config, struct verror *e)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d || !(d->luns = lun_table_with(NULL, 0, NULL)) || !(d->mem = memory_new())) {
		if (d)
			free(d->luns);
		free(d);
		verror_set(e, VHBA_E_INTERNAL, "no memory for the device");
		return NULL;
	}
	d->config = *config;
	d->shared.type = config->type;
	d->features_offered = config->type->features;
	d->shared.nexus = config->nexus;
	d->shared.limits.commands.per_second = config->commands_per_second;
	d->shared.limits.bytes.per_second = config->bytes_per_second;
	d->shared.limits.burst_us = config->burst_us;
	d->shared.notice = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	jobs_init(&d->jobs, &d->shared);
	for (unsigned i = 0; i < DEVICE_RINGS_MAX; i++)
		d->ring[i].kick = d->ring[i].call = d->ring[i].err = -1;
	for (unsigned i = 0; i < DEVICE_QUEUES; i++) {
		d->queue[i].shared = &d->shared;
		d->queue[i].index = device_local(d) + i;
		d->queue[i].luns = d->luns;
		d->queue[i].kick = d->queue[i].vq.call = -1;
	}
	for (unsigned i = 0; i < 2; i++)
		d->local[i].call = -1;
	if (start_threads(d, e)) {
		device_free(d);
		return NULL;
	}
	return d;
}

void device_free(struct device *d)
{
	device_forget(d);
	if (device_orphans(d) || d->jobs.n ||
	    (d->shared.pool && !pool_free(d->shared.pool, FREE_PATIENCE_US))) {
		log_warning(
			"a thread or the kernel still uses this process's memory; it goes with the process");
		return;
	}
	for (unsigned i = 0; i < d->config.workers; i++)
		worker_free(d->worker[i]);
	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		queue_free(&d->queue[i]);
	for (unsigned i = 0; i < LUN_NUMBERS; i++)
		lun_free(d->luns->lun[i]);
	free(d->luns);
	memory_unref(d->mem);
	close(d->shared.notice);
	free(d);
}

/* ---- calls into the workers ---- */

struct queue *device_queue(struct device *d, unsigned i)
{
	return &d->queue[i];
}

void device_each_worker(struct device *d, void (*fn)(struct worker *, void *), void *arg)
{
	for (unsigned i = 0; i < d->config.workers; i++)
		if (d->worker[i])
			worker_ask(d->worker[i], fn, arg);
	for (unsigned i = 0; i < d->config.workers; i++)
		if (d->worker[i])
			worker_await(d->worker[i]);
}

static unsigned sum(const struct device *d, unsigned (*count)(const struct worker *))
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->config.workers; i++)
		n += d->worker[i] ? count(d->worker[i]) : 0;
	return n;
}

unsigned device_busy(const struct device *d)
{
	unsigned n = sum(d, worker_busy);

	for (unsigned i = 0; i < TASK_WAITERS; i++)
		n += d->tmf[i].used && !d->tmf[i].answered;
	return n;
}

unsigned device_orphans(const struct device *d)
{
	return sum(d, worker_orphans);
}

struct ring_call {
	struct device *device;
	unsigned ring;
	const struct queue_setup *setup;
	int err;
	unsigned found; /* commands */
};

static void start_in_worker(struct worker *w, void *arg)
{
	struct ring_call *c = arg;
	struct queue *q = &c->device->queue[c->ring - device_local(c->device)];

	if (!q->worker) {
		q->worker = w;
		worker_serve(w, q);
	}
	c->err = queue_start(q, c->setup);
}

static void change_in_worker(struct worker *w, void *arg)
{
	struct ring_call *c = arg;

	c->err = queue_change(&c->device->queue[c->ring - device_local(c->device)], c->setup);
}

static void signal_in_worker(struct worker *w, void *arg)
{
	struct ring_call *c = arg;

	vq_signal(&c->device->queue[c->ring - device_local(c->device)].vq);
}

static struct worker *worker_of(struct device *d, unsigned ring)
{
	return d->worker[(ring - device_local(d)) % d->config.workers];
}

/* ---- one ring's setup, as it applies ---- */

static void setup_of(struct device *d, unsigned i, struct queue_setup *s)
{
	const struct ring *r = &d->ring[i];

	*s = (struct queue_setup){.vq = r->vq,
				  .mem = d->mem,
				  .features = d->features,
				  .kick = r->kick,
				  .call = r->call,
				  .base = r->base,
				  .adrift = r->adrift};
	s->vq.event_idx = d->features >> VIRTIO_RING_F_EVENT_IDX & 1;
	s->vq.indirect = d->features >> VIRTIO_RING_F_INDIRECT_DESC & 1;
	if (d->features >> VHOST_F_LOG_ALL & 1)
		s->log = d->log;
	/* the event ring's buffers are parked, not under way */
	if (d->inflight && (i != RING_EVENT || !device_local(d)) && i < d->inflight_rings &&
	    r->vq.size == d->inflight_desc)
		s->inflight = inflight_queue_at(d->inflight, d->inflight_size, i, d->inflight_desc);
}

static int local_change(struct device *d, unsigned i, const struct queue_setup *s)
{
	struct virtqueue *q = &d->local[i];
	int err;

	q->log = s->log;
	q->call = s->call;
	err = vq_map(q, &s->vq, s->mem);
	if (err)
		return err;
	memory_ref(s->mem);
	memory_unref(d->local_mem[i]);
	d->local_mem[i] = s->mem;
	return 0;
}

static int local_start(struct device *d, unsigned i, const struct queue_setup *s)
{
	struct virtqueue *q = &d->local[i];
	int err = local_change(d, i, s);

	vq_end(q);
	q->inflight = s->inflight;
	if (!err)
		err = vq_begin(q, s->adrift ? vq_used(q) : s->base);
	if (!err && s->adrift)
		vq_succeed(q);
	else if (!err)
		vq_signal(q);
	return err;
}

int device_ring_start(struct device *d, unsigned i)
{
	struct ring *r = &d->ring[i];
	struct queue_setup s;
	struct ring_call c = {d, i, &s, 0, 0};

	setup_of(d, i, &s);
	if (s.adrift && !s.inflight && i >= device_local(d))
		log_err("ring %u: the front end has given no memory for commands under way: those of the "
			"vhba-io that is "
			"gone are lost, or are executed again",
			i);
	if (i < device_local(d)) {
		c.err = local_start(d, i, &s);
	} else {
		c.err = queue_room(&d->queue[i - device_local(d)], r->vq.size);
		if (!c.err)
			worker_call(worker_of(d, i), start_in_worker, &c);
	}
	r->running = !c.err;
	r->failed = c.err;
	r->adrift &= !!c.err;
	if (c.err)
		log_err("ring %u can't be started: %s", i, strerror(-c.err));
	else
		log_debug("ring %u starts at %u", i, s.base);
	return c.err;
}

static void settle_in_worker(struct worker *w, void *arg)
{
	struct ring_call *c = arg;
	struct queue *q = &c->device->queue[c->ring - device_local(c->device)];

	if (!q->worker) {
		q->worker = w;
		worker_serve(w, q);
	}
	c->err = queue_settle(q, c->setup, &c->found);
}

unsigned device_ring_settle(struct device *d, unsigned i)
{
	struct ring *r = &d->ring[i];
	struct queue_setup s;
	struct ring_call c = {d, i, &s, 0, 0};

	r->adrift = false;
	setup_of(d, i, &s);
	s.adrift = true;
	if (i < device_local(d)) {
		c.err = local_start(d, i, &s);
		if (!c.err) {
			vq_unpop_resumed(&d->local[i]);
			r->base = d->local[i].last_avail;
		}
	} else {
		c.err = queue_room(&d->queue[i - device_local(d)], r->vq.size);
		if (!c.err)
			worker_call(worker_of(d, i), settle_in_worker, &c);
		if (!c.err)
			r->base = d->queue[i - device_local(d)].vq.last_avail;
	}
	if (c.err)
		log_err("where ring %u stands can't be found out: %s", i, strerror(-c.err));
	return c.found;
}

/* What the front end said applies to a ring that runs. */
static int ring_change(struct device *d, unsigned i)
{
	struct ring *r = &d->ring[i];
	struct queue_setup s;
	struct ring_call c = {d, i, &s, 0, 0};

	if (!r->running)
		return 0;
	setup_of(d, i, &s);
	if (i < device_local(d))
		c.err = local_change(d, i, &s);
	else
		worker_call(worker_of(d, i), change_in_worker, &c);
	if (!c.err)
		return 0;
	/* it keeps the memory that it has, but nothing is taken from there any more */
	if (i < device_local(d))
		d->local[i].broken = "it can't be changed";
	log_err("ring %u can't be changed while it runs, and is not read any more: %s", i, strerror(-c.err));
	return c.err;
}

static int all_change(struct device *d)
{
	int err = 0;

	for (unsigned i = 0; i < device_rings(d); i++) {
		int one = ring_change(d, i);

		err = err ? err : one;
	}
	return err;
}

/* ---- what the front end says ---- */

int device_set_features(struct device *d, uint64_t features)
{
	d->features = features;
	return all_change(d);
}

int device_set_memory(struct device *d, struct memory *mem)
{
	struct memory *old = d->mem;
	int err;

	if (d->mem_closed)
		memory_close(mem, true);
	d->mem = mem;
	err = all_change(d);
	memory_unref(old);
	return err;
}

void device_set_log(struct device *d, struct dirty *log)
{
	struct dirty *old = d->log;

	d->log = log;
	all_change(d);
	dirty_unref(old);
}

int device_set_inflight(struct device *d, int fd, uint64_t size, uint64_t offset, unsigned rings,
			unsigned desc)
{
	struct stat st;
	uint64_t end;
	void *map;

	if (!desc || desc > VQ_SIZE_MAX || !rings || rings > device_rings(d) || offset % 4096 ||
	    size < rings * inflight_queue_size(desc) || __builtin_add_overflow(size, offset, &end))
		return -EINVAL;
	if (fstat(fd, &st) || (S_ISREG(st.st_mode) && end > (uint64_t)st.st_size))
		return -EINVAL;
	for (unsigned i = 0; i < device_rings(d); i++)
		if (d->ring[i].running)
			return -EBUSY;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
	if (map == MAP_FAILED)
		return -errno;
	if (d->inflight)
		munmap(d->inflight, d->inflight_size);
	d->inflight = map;
	d->inflight_size = size;
	d->inflight_rings = rings;
	d->inflight_desc = desc;
	return 0;
}

int device_ring_size(struct device *d, unsigned i, unsigned size)
{
	if (!size || size > VQ_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	if (d->ring[i].running)
		return d->ring[i].vq.size == size ? 0 : -EBUSY;
	d->ring[i].vq.size = size;
	d->ring[i].failed = false;
	return 0;
}

int device_ring_address(struct device *d, unsigned i, const struct vq_setup *s)
{
	struct ring *r = &d->ring[i];
	unsigned size = r->vq.size;

	r->vq = *s;
	r->vq.size = size;
	r->addressed = true;
	r->failed = false;
	/* the indices stay: logging is turned on and off by this message */
	return ring_change(d, i);
}

int device_ring_base(struct device *d, unsigned i, uint16_t base)
{
	if (d->ring[i].running)
		return -EBUSY;
	d->ring[i].base = base;
	d->ring[i].adrift = false;
	return 0;
}

void device_ring_kick(struct device *d, unsigned i, int fd)
{
	int old = d->ring[i].kick;

	d->ring[i].kick = fd;
	d->ring[i].generation++;
	d->ring[i].failed = false;
	ring_change(d, i);
	cleanup_fd(&old);
	device_turn(d);
}

void device_ring_call(struct device *d, unsigned i, int fd)
{
	int old = d->ring[i].call;
	struct ring_call c = {d, i, NULL, 0, 0};

	d->ring[i].call = fd;
	d->ring[i].generation++;
	ring_change(d, i);
	cleanup_fd(&old);
	/* what was done while nobody could be called may wait for it */
	if (!d->ring[i].running)
		return;
	if (i < device_local(d))
		vq_signal(&d->local[i]);
	else
		worker_call(worker_of(d, i), signal_in_worker, &c);
}

void device_ring_err(struct device *d, unsigned i, int fd)
{
	cleanup_fd(&d->ring[i].err);
	d->ring[i].err = fd;
	d->ring[i].generation++;
}

uint16_t device_ring_end(struct device *d, unsigned i)
{
	struct ring *r = &d->ring[i];

	cleanup_fd(&r->kick);
	r->kick = -1;
	r->generation++;
	r->held = false;
	return r->base;
}

void device_forget(struct device *d)
{
	for (unsigned i = 0; i < device_rings(d); i++) {
		struct ring *r = &d->ring[i];

		cleanup_fd(&r->kick);
		cleanup_fd(&r->call);
		cleanup_fd(&r->err);
		*r = (struct ring){.kick = -1, .call = -1, .err = -1};
	}
	for (unsigned i = 0; i < 2; i++) {
		vq_end(&d->local[i]);
		memory_unref(d->local_mem[i]);
		d->local_mem[i] = NULL;
	}
	if (d->inflight)
		munmap(d->inflight, d->inflight_size);
	d->inflight = NULL;
	d->features = 0;
	device_set_log(d, NULL);
	d->events.n = 0;
	d->events.missed = false;
}

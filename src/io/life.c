/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device's life: when its rings are read, and how it stops. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "device_private.h"
#include "log.h"

static const char *const state_names[DEVICE_STATES_] = {
	[DEVICE_STOPPED] = "stopped",
	[DEVICE_STARTING] = "starting",
	[DEVICE_RUNNING] = "running",
	[DEVICE_DRAINING] = "draining",
};

const char *device_state_name(enum device_state s)
{
	return state_names[s];
}

static void set_state(struct device *d, enum device_state s)
{
	log_debug("device: %s -> %s", state_names[d->state], state_names[s]);
	d->state = s;
	if (s == DEVICE_RUNNING)
		d->started = mono_now();
	if (s == DEVICE_STOPPED)
		log_info("the device has stopped, %llu us after it was asked to",
			 (unsigned long long)mono_since(mono_now(), d->stop_began));
}

/* ---- start ---- */

static bool ready(const struct ring *r)
{
	return r->enabled && !r->running && !r->failed && r->addressed && r->vq.size && r->kick >= 0;
}

static bool any_ready(const struct device *d)
{
	for (unsigned i = 0; i < device_rings(d); i++)
		if (ready(&d->ring[i]))
			return true;
	return false;
}

static void start_rings(struct device *d)
{
	for (unsigned i = 0; i < device_rings(d); i++)
		if (ready(&d->ring[i]))
			device_ring_start(d, i);
}

struct start_job {
	struct job job;
	struct device *device;
	enum disk_start how;
	unsigned n;
	struct lun *lun[LUN_NUMBERS];
};

static void start_disks(struct job *j)
{
	struct start_job *s = (struct start_job *)j;
	struct verror e;
	char line[1024];

	for (unsigned i = 0; i < s->n; i++) {
		struct unit *u = s->lun[i]->unit;

		if (u->ops->start(u, s->how, &e))
			log_err("LUN %u: %s", s->lun[i]->number, verror_line(&e, line, sizeof(line)));
	}
}

static void disks_started(struct job *j)
{
	struct start_job *s = (struct start_job *)j;
	struct device *d = s->device;

	for (unsigned i = 0; i < s->n; i++)
		if (s->lun[i]->unit->resized)
			d->config.type->tell(d, EVENT_LUN_RESIZED, s->lun[i]->number);
	free(s);
	d->lun_job = false;
	d->powered = true;
	if (d->state != DEVICE_STARTING)
		return; /* stopped meanwhile */
	/* a file may have been changed since it was looked at, by the guest's last host for one */
	if (d->config.type->space)
		d->config.type->tell(d, EVENT_LUN_RESIZED, 0);
	set_state(d, DEVICE_RUNNING);
	start_rings(d);
}

/* A guest that boots begins its rings at 0; one that goes on, here or from elsewhere, does not. */
static enum disk_start how_to_start(const struct device *d)
{
	if (d->powered)
		return DISK_RESUMED;
	for (unsigned i = device_local(d); i < device_rings(d); i++)
		if (d->ring[i].addressed && d->ring[i].base)
			return DISK_RESUMED;
	return DISK_POWER_ON;
}

/* It is said once, and in the status for as long as it lasts. */
static bool barred(struct device *d)
{
	if (d->bars == BAR_GATE && !d->barred)
		log_notice(
			"the rings wait for the gate: the guest's commands are not taken before 'gate-open'");
	d->barred = d->bars;
	return d->bars;
}

static void start(struct device *d)
{
	struct start_job *s;

	if (!any_ready(d) || barred(d) || d->lun_job || device_orphans(d))
		return; /* what is left in the kernel may still write to the guest: the rings are held */
	if (!device_locked(d))
		return;
	d->unproved = 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	if (d->mem_closed)
		memory_close(d->mem, false);
	d->mem_closed = false;
	s->device = d;
	s->how = how_to_start(d);
	s->job.work = start_disks;
	s->job.done = disks_started;
	for (unsigned i = 0; i < LUN_NUMBERS; i++)
		if (d->luns->lun[i])
			s->lun[s->n++] = d->luns->lun[i];
	d->lun_job = true;
	set_state(d, DEVICE_STARTING);
	jobs_submit(&d->jobs, &s->job);
}

/* ---- stop ---- */

static void stop_in_worker(struct worker *w, void *arg)
{
	struct device *d = arg;

	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		if (d->queue[i].worker == w)
			queue_stop(&d->queue[i]);
	worker_watch(w);
}

struct abandoning {
	struct device *device;
	atomic_bool late; /* what is left may write into the guest's memory */
};

static void abandon_in_worker(struct worker *w, void *arg)
{
	struct abandoning *a = arg;
	struct queue *queue = a->device->queue;

	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		if (queue[i].worker == w && queue_abandon(&queue[i]))
			atomic_store(&a->late, true);
	worker_watch(w);
}

static void close_in_worker(struct worker *w, void *arg)
{
	struct device *d = arg;

	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		if (d->queue[i].worker == w)
			queue_close_memory(&d->queue[i]);
}

static bool adrift(const struct device *d)
{
	for (unsigned i = 0; i < device_rings(d); i++)
		if (d->ring[i].adrift)
			return true;
	return false;
}

bool device_unconfirmed(const struct device *d)
{
	return d->state == DEVICE_STOPPED && device_left(d);
}

unsigned device_left(const struct device *d)
{
	return d->unproved + device_orphans(d);
}

static void stopped(struct device *d)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < device_rings(d); i++)
		if (d->ring[i].adrift)
			taken += device_ring_settle(d, i);
	if (taken && !device_locked(d))
		d->unproved = taken;
	for (unsigned i = 0; i < device_rings(d); i++) {
		struct ring *r = &d->ring[i];

		if (r->running)
			r->base = i < device_local(d) ? d->local[i].last_avail
						      : d->queue[i - device_local(d)].vq.last_avail;
		r->running = false;
	}
	set_state(d, DEVICE_STOPPED);
}

/* For a successor: the rings stay as they are. */
static void left(struct device *d)
{
	for (unsigned i = 0; i < device_rings(d); i++) {
		d->ring[i].adrift |= d->ring[i].running;
		d->ring[i].running = false;
	}
	set_state(d, DEVICE_STOPPED);
}

/* Every command is answered, whether it has ended or not. */
static void abandon(struct device *d)
{
	unsigned busy = device_busy(d), left;
	struct abandoning a = {.device = d};

	if (!busy && adrift(d))
		log_warning("the deadline has passed: commands of a vhba-io that was killed may be left in "
			    "the kernel");
	else if (!busy)
		log_err("the deadline has passed before the disks' state was written");
	tmf_abandon(d);
	device_each_worker(d, abandon_in_worker, &a);
	left = device_orphans(d);
	/* when all have given their answers, which are written there too */
	d->mem_closed = atomic_load(&a.late);
	if (d->mem_closed)
		device_each_worker(d, close_in_worker, d);
	stopped(d);
	if (busy)
		log_warning("the deadline has passed: %u commands are answered before they ended, %u are "
			    "left in the "
			    "kernel",
			    busy, left);
	for (unsigned i = 0; i < d->config.workers; i++)
		if (left && d->worker[i])
			worker_name_orphans(d->worker[i]);
}

struct save_job {
	struct job job;
	struct device *device;
	unsigned n;
	struct lun *lun[LUN_NUMBERS];
};

static void save_disks(struct job *j)
{
	struct save_job *s = (struct save_job *)j;

	for (unsigned i = 0; i < s->n; i++) {
		struct unit *u = s->lun[i]->unit;
		int err = u->ops->save(u);

		if (err)
			log_err("LUN %u: its state can't be written: %s", s->lun[i]->number, strerror(-err));
	}
}

static void disks_saved(struct job *j)
{
	struct save_job *s = (struct save_job *)j;

	s->device->lun_job = false;
	s->device->saved = true;
	free(s);
}

/* What the disks owe the guest goes with it. True: it is written, or there is nowhere to write it. */
static bool saved(struct device *d)
{
	struct save_job *s;

	if (d->saved || d->lun_job)
		return d->saved;
	s = calloc(1, sizeof(*s));
	if (!s)
		return true;
	s->device = d;
	s->job.work = save_disks;
	s->job.done = disks_saved;
	for (unsigned i = 0; i < LUN_NUMBERS; i++)
		if (d->luns->lun[i] && d->luns->lun[i]->unit->keeps_state)
			s->lun[s->n++] = d->luns->lun[i];
	if (!s->n) {
		free(s);
		return true;
	}
	d->lun_job = true;
	jobs_submit(&d->jobs, &s->job);
	return false;
}

static void drain(struct device *d)
{
	bool late = mono_reached(d->stop_deadline, mono_now());

	if (d->leaving) {
		if (late || (!device_busy(d) && saved(d)))
			left(d);
		return;
	}
	if (!device_busy(d) && saved(d) && (!adrift(d) || device_locked(d)))
		stopped(d);
	else if (late)
		abandon(d);
}

static void begin_drain(struct device *d, void (*in_worker)(struct worker *, void *))
{
	set_state(d, DEVICE_DRAINING);
	device_each_worker(d, in_worker, d);
	drain(d);
}

void device_stop(struct device *d)
{
	for (unsigned i = 0; i < device_rings(d); i++)
		d->ring[i].enabled = false;
	if (d->state == DEVICE_DRAINING || (d->state == DEVICE_STOPPED && !adrift(d)))
		return;
	d->stop_began = mono_now();
	d->stop_deadline = mono_add(d->stop_began, d->config.deadline_us);
	if (d->state == DEVICE_STARTING && !adrift(d)) {
		set_state(d, DEVICE_STOPPED);
		return;
	}
	d->saved = d->state != DEVICE_RUNNING; /* there is nothing new then */
	begin_drain(d, stop_in_worker);
}

static void leave_in_worker(struct worker *w, void *arg)
{
	struct device *d = arg;

	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		if (d->queue[i].worker == w)
			queue_leave(&d->queue[i]);
	worker_watch(w);
}

void device_leave(struct device *d)
{
	d->bars |= BAR_LEAVING;
	d->stop_began = mono_now();
	d->stop_deadline = mono_add(d->stop_began, d->config.deadline_us);
	if (d->state == DEVICE_STARTING)
		set_state(d, DEVICE_STOPPED);
	if (d->state == DEVICE_STOPPED || d->state == DEVICE_DRAINING)
		return; /* one that is being stopped is answered for by this process */
	d->leaving = true;
	d->saved = false;
	begin_drain(d, leave_in_worker);
}

void device_bar(struct device *d, enum device_bar bar, bool on)
{
	d->bars = on ? d->bars | bar : d->bars & ~(unsigned)bar;
	device_turn(d);
}

void device_succeed(struct device *d, unsigned left)
{
	bool enabled = false;

	d->unproved = left;
	d->space_changed = d->config.type->space; /* it may have, and nobody told */
	if (!d->config.locks)
		log_warning("without --nexus it isn't known whether the last vhba-io's commands have ended");

	for (unsigned i = 0; i < device_rings(d); i++)
		enabled |= d->ring[i].enabled;
	if (!enabled)
		device_stop(d); /* that was under way, or had been done */
	device_bar(d, BAR_TAKE_OVER, false);
}

bool device_wanted(const struct device *d)
{
	for (unsigned i = 0; i < device_rings(d); i++)
		if (d->ring[i].enabled || d->ring[i].held)
			return true;
	return false;
}

/* A front end enables its rings when its guest begins to run: whatever the guest ran on before has stopped.
 */
static void begun(struct device *d)
{
	d->enabled = mono_now();
	if (!d->gate_by_start)
		return;
	d->gate_by_start = false;
	d->bars &= ~(unsigned)BAR_GATE;
	log_notice("the gate opens: the guest begins to run here");
}

void device_ring_enable(struct device *d, unsigned i, bool on)
{
	if (on && !device_wanted(d))
		begun(d);
	if (!on && d->ring[i].enabled)
		device_stop(d);
	d->ring[i].enabled = on;
	d->ring[i].held = false;
	d->ring[i].failed = false;
	device_turn(d);
}

void device_hold(struct device *d)
{
	d->bars |= BAR_HELD;
	for (unsigned i = 0; i < device_rings(d); i++)
		d->ring[i].held |= d->ring[i].enabled;
	device_stop(d);
}

void device_go_on(struct device *d)
{
	d->bars &= ~(unsigned)BAR_HELD;
	for (unsigned i = 0; i < device_rings(d); i++) {
		d->ring[i].enabled |= d->ring[i].held;
		d->ring[i].held = false;
	}
	device_turn(d);
}

/* ---- the loop ---- */

static void clear(int fd)
{
	uint64_t count;

	/* EAGAIN: nothing came */
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_err("an eventfd can't be read: %s", strerror(errno));
}

unsigned device_fds(const struct device *d, struct pollfd *fds)
{
	unsigned n = 0;

	fds[n++] = (struct pollfd){d->shared.notice, POLLIN, 0};
	for (unsigned i = 0; i < device_local(d); i++)
		if (d->ring[i].running && d->ring[i].kick >= 0)
			fds[n++] = (struct pollfd){d->ring[i].kick, POLLIN, 0};
	return n;
}

struct monotime device_due(const struct device *d)
{
	struct monotime due = d->state == DEVICE_DRAINING ? d->stop_deadline : MONOTIME_NEVER;

	if (d->state == DEVICE_RUNNING && d->ranked)
		due = d->rank_at;
	return d->lock_wanted && !d->lun_job ? mono_min(due, d->lock_at) : due;
}

/* Stopped, and nothing is under way: others may have the files. */
static void release(struct device *d)
{
	if (d->unproved && device_locked(d))
		d->unproved = 0;
	if (d->unproved)
		return;
	if (!any_ready(d) && !device_orphans(d))
		device_unlock(d);
}

void device_turn(struct device *d)
{
	clear(d->shared.notice);
	for (unsigned i = 0; i < device_local(d); i++)
		if (d->ring[i].running && d->ring[i].kick >= 0)
			clear(d->ring[i].kick);
	jobs_reap(&d->jobs);
	tmf_turn(d);
	device_check_turn(d);
	d->lock_wanted = false;
	switch (d->state) {
	case DEVICE_STOPPED:
		start(d);
		if (d->state == DEVICE_STOPPED)
			release(d);
		break;
	case DEVICE_RUNNING:
		start_rings(d);
		device_rank(d);
		if (d->config.type->serve)
			d->config.type->serve(d);
		break;
	case DEVICE_DRAINING:
		drain(d);
		break;
	case DEVICE_STARTING:
	case DEVICE_STATES_:
		break;
	}
}

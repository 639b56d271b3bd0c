/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The LUNs' files are locked (lock.h) before the first command is begun, until the device is stopped and
 * nothing of it is under way. It is done in the pool, since a file system may block. The kernel has no event
 * for a lock that is free, so it is asked again, ever more seldom.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device_private.h"
#include "lock.h"
#include "log.h"

#define DELAY_FIRST_US 1000
#define DELAY_MAX_US 32000

struct lock_job {
	struct job job;
	struct device *device;
	bool release;
	bool busy; /* another has one */
	unsigned n;
	struct lun *lun[LUN_NUMBERS];
};

static void lock_unit(struct lock_job *j, const struct lun *l)
{
	uint64_t nexus = j->device->config.nexus;
	const struct unit *u = l->unit;

	for (unsigned i = 0; i < u->locks; i++) {
		int err = j->release ? lock_release(u->lock[i], nexus) : lock_take(u->lock[i], nexus);

		if (err == -EAGAIN)
			j->busy = true;
		else if (err && !j->release)
			log_warning("LUN %u can't be locked: %s; whether a killed vhba-io's commands have "
				    "ended is "
				    "not known",
				    l->number, strerror(-err));
	}
}

static void work(struct job *job)
{
	struct lock_job *j = (struct lock_job *)job;

	for (unsigned i = 0; i < j->n; i++)
		lock_unit(j, j->lun[i]);
}

static void done(struct job *job)
{
	struct lock_job *j = (struct lock_job *)job;
	struct device *d = j->device;

	d->lun_job = false;
	d->locked = !j->release && !j->busy;
	if (j->busy && !d->lock_said) {
		log_notice("a LUN is still locked for this nexus: commands of a vhba-io that is gone are "
			   "under way");
		d->lock_said = true;
	}
	if (j->busy) {
		d->lock_at = mono_add(mono_now(), d->lock_delay);
		if (d->lock_delay < DELAY_MAX_US)
			d->lock_delay *= 2;
	} else {
		d->lock_delay = 0;
		if (d->lock_said)
			log_notice("the LUNs are locked for this vhba-io: nothing of another's is under way");
		d->lock_said = false;
	}
	free(j);
}

static bool submit(struct device *d, bool release)
{
	struct lock_job *j = calloc(1, sizeof(*j));

	if (!j)
		return false;
	j->device = d;
	j->release = release;
	j->job.work = work;
	j->job.done = done;
	for (unsigned i = 0; i < LUN_NUMBERS; i++)
		if (d->luns->lun[i] && d->luns->lun[i]->unit->locks)
			j->lun[j->n++] = d->luns->lun[i];
	d->lun_job = true;
	jobs_submit(&d->jobs, &j->job);
	return true;
}

bool device_locked(struct device *d)
{
	if (!d->config.locks || d->locked)
		return true;
	d->lock_wanted = true;
	if (!d->lock_delay) {
		d->lock_delay = DELAY_FIRST_US;
		d->lock_at = (struct monotime){0};
	}
	if (!d->lun_job && mono_reached(d->lock_at, mono_now()) && submit(d, false))
		d->lock_at = MONOTIME_NEVER;
	return false;
}

void device_unlock(struct device *d)
{
	if (d->locked && !d->lun_job)
		submit(d, true);
}

void device_lock_lun(struct device *d, const struct lun *l)
{
	struct lock_job j = {.device = d};

	if (d->config.locks)
		lock_unit(&j, l);
	if (j.busy)
		log_warning(
			"LUN %u is locked for this nexus by another process: its commands are not waited for",
			l->number);
}

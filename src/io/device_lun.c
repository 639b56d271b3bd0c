/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logical units that come, go or change while the guest runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device_private.h"
#include "log.h"

static void table_in_worker(struct worker *w, void *arg)
{
	struct device *d = arg;

	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		if (d->queue[i].worker == w)
			d->queue[i].luns = d->luns;
}

/* From the workers' next command on this table is the one. */
static void set_table(struct device *d, struct lun_table *t)
{
	struct lun_table *old = d->luns;

	d->luns = t;
	device_each_worker(d, table_in_worker, d);
	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		if (!d->queue[i].worker)
			d->queue[i].luns = t;
	free(old);
}

/* What is done with disks in the pool; the table of LUNs doesn't change meanwhile. */
struct lun_job {
	struct job job;
	struct device *device;
	struct lun *lun; /* the one that comes; NULL: none */
	unsigned n;
	struct lun *other[LUN_NUMBERS];
	int changed[LUN_NUMBERS];
};

static struct lun_job *lun_job_new(struct device *d)
{
	struct lun_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->device = d;
	for (unsigned i = 0; i < LUN_NUMBERS; i++)
		if (d->luns->lun[i])
			j->other[j->n++] = d->luns->lun[i];
	d->lun_job = true;
	return j;
}

static void start_new(struct job *job)
{
	struct lun_job *j = (struct lun_job *)job;
	struct verror e;
	char line[1024];

	if (j->device->locked)
		device_lock_lun(j->device, j->lun);
	if (j->lun->unit->ops->start(j->lun->unit, DISK_POWER_ON, &e))
		log_err("LUN %u: %s", j->lun->number, verror_line(&e, line, sizeof(line)));
	for (unsigned i = 0; i < j->n; i++)
		j->other[i]->unit->ops->attention(j->other[i]->unit, 0, DISK_UA_LUNS_CHANGED);
}

static void show_new(struct job *job)
{
	struct lun_job *j = (struct lun_job *)job;
	struct device *d = j->device;
	struct lun_table *t = lun_table_with(d->luns, j->lun->number, j->lun);

	d->lun_job = false;
	if (t) {
		set_table(d, t);
		d->config.type->tell(d, EVENT_LUN_ADDED, j->lun->number);
		log_info("LUN %u is there", j->lun->number);
	} else {
		lun_free(j->lun);
	}
	free(j);
}

bool device_path_news(struct device *d, unsigned *lun, unsigned *path, enum path_state *state)
{
	for (unsigned i = 0; i < LUN_NUMBERS; i++) {
		struct paths *ps = d->luns->lun[i] ? d->luns->lun[i]->unit->paths : NULL;
		const struct path *p = ps ? paths_news(ps, state) : NULL;

		if (!p)
			continue;
		*lun = i;
		*path = (unsigned)(p - ps->path);
		return true;
	}
	return false;
}

unsigned device_paths(const struct device *d, unsigned *usable, unsigned *by_bsg)
{
	unsigned n = 0;

	*usable = *by_bsg = 0;
	for (unsigned i = 0; i < LUN_NUMBERS; i++) {
		const struct lun *l = d->luns->lun[i];

		if (!l || !l->unit->paths)
			continue;
		n += l->unit->paths->n;
		*usable += paths_usable(l->unit->paths);
		*by_bsg += paths_by_bsg(l->unit->paths);
	}
	return n;
}

#define RANK_US USEC_PER_SEC
#define RANK_PAUSE_US (10 * USEC_PER_MSEC)
#define RANK_LUNS 32 /* at once: that takes less than 1 ms */

/* A LUN's paths: what becomes of them is told, and whether others are better is looked at from now on. */
static void watch_paths(struct device *d, const struct lun *l)
{
	if (!l->unit->paths)
		return;
	paths_watch(l->unit->paths, d->shared.notice);
	d->ranked = true;
}

void device_rank(struct device *d)
{
	unsigned n = 0;

	if (!d->ranked || !mono_reached(d->rank_at, mono_now()))
		return;
	for (; d->rank_lun < LUN_NUMBERS; d->rank_lun++) {
		const struct lun *l = d->luns->lun[d->rank_lun];

		if (!l || !l->unit->paths || !paths_ranked(l->unit->paths))
			continue;
		if (n++ == RANK_LUNS) {
			d->rank_at = mono_add(mono_now(), RANK_PAUSE_US);
			return;
		}
		paths_rank(l->unit->paths);
		d->rank_any = true;
	}
	d->ranked = d->rank_any;
	d->rank_any = false;
	d->rank_lun = 0;
	d->rank_at = mono_add(mono_now(), RANK_US);
}

int device_lun_add(struct device *d, struct lun *l)
{
	struct lun_table *t;
	struct lun_job *j;

	if (l->number >= d->config.type->luns)
		return -EINVAL;
	if (d->luns->lun[l->number])
		return d->luns->lun[l->number]->unit->absent ? -ENXIO : -EEXIST;
	if (d->lun_job)
		return -EBUSY;
	watch_paths(d, l);
	if (!d->powered || (d->bars & BAR_TAKE_OVER)) { /* all disks are started together */
		t = lun_table_with(d->luns, l->number, l);
		if (!t)
			return -ENOMEM;
		if (d->config.type->learn)
			d->config.type->learn(d, l);
		set_table(d, t);
		return 0;
	}
	j = lun_job_new(d);
	if (!j)
		return -ENOMEM;
	j->lun = l;
	j->job.work = start_new;
	j->job.done = show_new;
	jobs_submit(&d->jobs, &j->job);
	return 0;
}

int device_lun_replace(struct device *d, struct lun *l)
{
	struct lun *here = l->number < LUN_NUMBERS ? d->luns->lun[l->number] : NULL;
	struct unit *old;

	if (!here)
		return -ENOENT;
	if (here->unit->ops != l->unit->ops ||
	    (!here->unit->absent && here->unit->block_size != l->unit->block_size))
		return -EINVAL;
	if (d->state != DEVICE_STOPPED || d->lun_job || device_busy(d) || device_orphans(d))
		return -EBUSY;
	old = here->unit;
	here->unit = l->unit;
	if (old->ops->blocks(old) != here->unit->ops->blocks(here->unit)) {
		here->unit->ops->attention(here->unit, 0, DISK_UA_CAPACITY_CHANGED);
		d->config.type->tell(d, EVENT_LUN_RESIZED, here->number);
	}
	here->aligned = l->aligned;
	here->direct_call = l->direct_call;
	l->unit = old;
	watch_paths(d, here);
	if (old->absent && d->config.type->learn)
		d->config.type->learn(d, here);
	lun_free(l);
	d->locked = false; /* the new ones aren't */
	log_info("LUN %u has other paths", here->number);
	return 0;
}

int device_lun_remove(struct device *d, unsigned number)
{
	struct queue_match m = {.lun = (uint16_t)number, .all_tags = true, .orphans = true};
	int slot = tmf_slot(d);
	struct lun_table *t;
	struct lun *l;

	if (d->config.type->luns == 1)
		return -EOPNOTSUPP; /* a device without its one LUN is none */
	if (number >= LUN_NUMBERS || !d->luns->lun[number])
		return -ENOENT;
	if (d->lun_job || slot < 0)
		return -EBUSY;
	l = d->luns->lun[number];
	t = lun_table_with(d->luns, (uint16_t)number, NULL);
	if (!t)
		return -ENOMEM;
	set_table(d, t);
	d->config.type->tell(d, EVENT_LUN_REMOVED, (uint16_t)number);
	d->lun_job = true;
	d->tmf[slot].device = d;
	d->tmf[slot].used = true;
	d->tmf[slot].answered = true; /* nobody waits for an answer */
	d->tmf[slot].remove = l;
	d->tmf[slot].mem = NULL;
	d->tmf[slot].job.work = NULL;
	atomic_store(&d->shared.waiter[slot].left, 1);
	device_match(d, &m, true, (unsigned)slot);
	atomic_fetch_sub(&d->shared.waiter[slot].left, 1);
	device_turn(d);
	return 0;
}

static void check_sizes(struct job *job)
{
	struct lun_job *j = (struct lun_job *)job;

	for (unsigned i = 0; i < j->n; i++) {
		struct unit *u = j->other[i]->unit;

		j->changed[i] = u->ops->resized(u);
		if (j->changed[i] < 0)
			log_err("LUN %u: its size can't be read: %s", j->other[i]->number,
				strerror(-j->changed[i]));
	}
}

static void tell_sizes(struct job *job)
{
	struct lun_job *j = (struct lun_job *)job;
	struct device *d = j->device;

	d->lun_job = false;
	for (unsigned i = 0; i < j->n; i++) {
		const struct unit *u = j->other[i]->unit;

		if (j->changed[i] <= 0)
			continue;
		log_info("LUN %u has %llu blocks now", j->other[i]->number,
			 (unsigned long long)u->ops->blocks(u));
		d->config.type->tell(d, EVENT_LUN_RESIZED, j->other[i]->number);
	}
	free(j);
}

void device_check_turn(struct device *d)
{
	struct lun_job *j;

	if (!d->check_owed || d->lun_job)
		return;
	d->check_owed = false;
	j = lun_job_new(d);
	if (!j) {
		log_err("no memory to look at the LUNs' sizes");
		return;
	}
	j->job.work = check_sizes;
	j->job.done = tell_sizes;
	jobs_submit(&d->jobs, &j->job);
}

void device_lun_check(struct device *d)
{
	d->check_owed = true;
	device_turn(d);
}

int device_lun_changed(struct device *d, unsigned number)
{
	struct unit *u;

	if (number >= LUN_NUMBERS || !d->luns->lun[number])
		return -ENOENT;
	u = d->luns->lun[number]->unit;
	u->ops->attention(u, 0, DISK_UA_MODE_CHANGED);
	d->config.type->tell(d, EVENT_LUN_CHANGED, (uint16_t)number);
	device_turn(d);
	return 0;
}

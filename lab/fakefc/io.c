/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logical units and the commands on them.  A command is in the driver (device_busy), or parked: given back by
 * the driver while its rport is Blocked, and waiting in the mid-layer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

uint64_t lun_busy(const struct fakefc_lun *l)
{
	const struct batch *b;
	uint64_t n = 0;

	TAILQ_FOREACH (b, &l->batches, link)
		n += b->n;
	return n;
}

static void batch_free(struct fakefc *f, struct batch *b)
{
	timers_drop(f, b, NULL);
	TAILQ_REMOVE(&b->lun->batches, b, link);
	free(b);
}

static void on_completed(struct fakefc *f, void *obj)
{
	struct batch *b = obj;

	f->completed += b->n;
	batch_free(f, b);
}

static void serve(struct fakefc *f, struct batch *b)
{
	const struct target *t = b->lun->rport->target;

	timers_drop(f, b, on_completed);
	if (t->mode == TARGET_OK && b->lun->rport->port->hba->knobs.link)
		timer_set(f, t->service, on_completed, b);
}

void io_submit(struct fakefc *f, struct fakefc_lun *l, uint64_t n)
{
	struct batch *b;

	if (!n)
		return;
	if (!strcmp(l->state, "blocked")) {
		l->parked += n;
		return;
	}
	if (strcmp(l->state, "running")) {
		f->cut_off += n;
		return;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->lun = l;
	b->n = n;
	TAILQ_INSERT_TAIL(&l->batches, b, link);
	serve(f, b);
}

/* The driver gives back what it has: parked while the rport is Blocked, failed back otherwise. */
static void lun_flush(struct fakefc *f, struct fakefc_lun *l)
{
	struct batch *b;

	l->aborting = false;
	while ((b = TAILQ_FIRST(&l->batches))) {
		if (l->rport->state == RP_BLOCKED && !l->rport->fast_failed)
			l->parked += b->n;
		else
			f->cut_off += b->n;
		batch_free(f, b);
	}
}

static void on_aborted(struct fakefc *f, void *obj)
{
	struct fakefc_lun *l = obj;

	say(f, l->rport->port, "ABTS ended for %llu commands of LUN %u", (unsigned long long)lun_busy(l),
	    l->number);
	lun_flush(f, l);
}

void io_flush(struct fakefc *f, struct rport *r)
{
	struct fakefc_lun *l;

	TAILQ_FOREACH (l, &r->luns, link) {
		timers_drop(f, l, on_aborted);
		lun_flush(f, l);
	}
}

void io_abort(struct fakefc *f, struct rport *r)
{
	struct fakefc_lun *l;

	if (!r->port->hba->driver->aborts_late) {
		io_flush(f, r);
		return;
	}
	TAILQ_FOREACH (l, &r->luns, link) {
		if (l->aborting || TAILQ_EMPTY(&l->batches))
			continue;
		l->aborting = true;
		say(f, r->port, "ABTS for %llu commands of LUN %u", (unsigned long long)lun_busy(l),
		    l->number);
		timer_set(f, r->port->hba->knobs.abort, on_aborted, l);
	}
}

void io_abort_port(struct fakefc *f, struct fakefc_port *p)
{
	struct rport *r;

	TAILQ_FOREACH (r, &p->rports, link)
		io_abort(f, r);
}

void io_fail_parked(struct fakefc *f, struct rport *r)
{
	struct fakefc_lun *l;

	TAILQ_FOREACH (l, &r->luns, link) {
		f->cut_off += l->parked;
		l->parked = 0;
	}
}

void io_unpark(struct fakefc *f, struct rport *r)
{
	struct fakefc_lun *l;

	TAILQ_FOREACH (l, &r->luns, link) {
		uint64_t n = l->parked;

		l->parked = 0;
		io_submit(f, l, n);
	}
}

static void port_target_changed(struct fakefc *f, struct fakefc_port *p, const struct target *t)
{
	struct fakefc_lun *l;
	struct batch *b;
	struct rport *r;

	TAILQ_FOREACH (r, &p->rports, link) {
		if (r->target != t)
			continue;
		if (t->mode == TARGET_OFFLINE)
			rport_block(f, r);
		TAILQ_FOREACH (l, &r->luns, link)
			TAILQ_FOREACH (b, &l->batches, link)
				serve(f, b);
	}
	if (p->logged_in && !p->discovering)
		rports_see(f, p); /* by RSCN */
}

void io_target_changed(struct fakefc *f, struct target *t)
{
	struct vport *v;
	struct hba *h;

	TAILQ_FOREACH (h, &f->hbas, link)
		TAILQ_FOREACH (v, &h->vports, link)
			if (v->port)
				port_target_changed(f, v->port, t);
}

/* ---- LUNs ---- */

void luns_state(struct rport *r, const char *state)
{
	struct fakefc_lun *l;

	TAILQ_FOREACH (l, &r->luns, link)
		l->state = state;
}

static void disk_name(unsigned index, char *buf, size_t size)
{
	if (index < 26)
		snprintf(buf, size, "sd%c", 'a' + (int)index);
	else
		snprintf(buf, size, "sd%c%c", 'a' + (int)(index / 26 - 1) % 26, 'a' + (int)(index % 26));
}

/* As sd_probe and sg_add make them of a device. */
static void lun_devices(struct fakefc *f, struct fakefc_lun *l)
{
	char name[64], sd[16], sg[24];

	snprintf(name, sizeof(name), "%d:0:%u:%u", l->rport->port->host, l->rport->target_id, l->number);
	disk_name(l->index, sd, sizeof(sd));
	snprintf(sg, sizeof(sg), "sg%u", l->index);
	l->device = tree_folder(&f->tree, l->rport->target_device, name);
	tree_attrs(&f->tree, l->device, lun_attrs, l);
	tree_class_device(&f->tree, l->device, "scsi_device", name, NULL, l);
	tree_class_device(&f->tree, l->device, "scsi_generic", sg, NULL, l);
	tree_class_device(&f->tree, l->device, "scsi_disk", name, NULL, l);
	tree_class_device(&f->tree, l->device, "block", sd, disk_attrs, l);
	l->node = tree_file(&f->tree, tree_folders(&f->tree, "/dev"), sg, sg_attrs, l);
}

static void lun_new(struct fakefc *f, struct rport *r, unsigned number)
{
	struct fakefc_lun *l = calloc(1, sizeof(*l));

	if (!l)
		return;
	TAILQ_INIT(&l->batches);
	l->rport = r;
	l->number = number;
	l->index = f->next_disk++;
	l->state = "running";
	TAILQ_INSERT_TAIL(&r->luns, l, link);
	lun_devices(f, l);
}

void luns_see(struct fakefc *f, struct rport *r)
{
	struct fakefc_lun *l;
	char name[32];

	snprintf(name, sizeof(name), "target%d:0:%u", r->port->host, r->target_id);
	r->target_device = tree_folder(&f->tree, r->device, name);
	for (unsigned i = 0; i < r->target->luns; i++) {
		TAILQ_FOREACH (l, &r->luns, link)
			if (l->number == i)
				break;
		if (!l)
			lun_new(f, r, i);
	}
}

void luns_drop(struct fakefc *f, struct rport *r)
{
	struct fakefc_lun *l;
	struct batch *b;

	while ((l = TAILQ_FIRST(&r->luns))) {
		while ((b = TAILQ_FIRST(&l->batches))) {
			f->cut_off += b->n;
			batch_free(f, b);
		}
		f->cut_off += l->parked;
		timers_drop(f, l, NULL);
		tree_remove(&f->tree, l->node);
		tree_remove(&f->tree, l->device);
		TAILQ_REMOVE(&r->luns, l, link);
		free(l);
	}
	if (r->target_device)
		tree_remove(&f->tree, r->target_device);
	r->target_device = NULL;
}

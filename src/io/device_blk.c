/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A virtio-blk device: one LUN, and a configuration space that this end keeps. */
#include <string.h>

#include "device_private.h"
#include "log.h"
#include "virtio_blk.h"

static void learn(struct device *d, const struct lun *l)
{
	blk_learn(&d->shared.blk, l, d->shared.nexus, DEVICE_QUEUES);
	d->features_offered |= d->shared.blk.features;
}

static void tell(struct device *d, enum event_kind kind, uint16_t lun)
{
	const struct lun *l = d->luns->lun[0];

	if (l && blk_resize(&d->shared.blk, l))
		d->space_changed = true;
}

static size_t space(const struct device *d, const void **bytes)
{
	*bytes = &d->shared.blk.config;
	return sizeof(d->shared.blk.config);
}

static struct lun *begin(struct io_task *t, const struct lun_table *luns)
{
	const struct queue *q = t->queue;

	if (!luns->lun[0])
		t->verdict = VIRTIO_BLK_S_IOERR;
	else if (vblk_translate(t, &q->shared->blk, q->features))
		return luns->lun[0];
	return NULL;
}

const struct device_type device_type_blk = {
	.name = "blk",
	.luns = 1,
	.takes_back = true,
	.parse = vblk_parse,
	.begin = begin,
	.again = vblk_again,
	.answer = vblk_answer,
	.learn = learn,
	.tell = tell,
	.space = space,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A virtio-blk device: one LUN, and a configuration space that this end keeps. */
#include <string.h>

#include "device_private.h"
#include "log.h"
#include "virtio_blk.h"

#define BIT(n) (UINT64_C(1) << (n))
/* What blk_learn finds out. */
#define FEATURES_OF_LUN                                                                                      \
	(BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_BLK_SIZE) |               \
	 BIT(VIRTIO_BLK_F_TOPOLOGY) | BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_MQ) |                       \
	 BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_DISCARD) | BIT(VIRTIO_BLK_F_WRITE_ZEROES))

static void learn(struct device *d, const struct lun *l)
{
	/* What it could do, one before it has said: whoever connects now learns no more. */
	if (l->unit->absent)
		d->features_offered |= FEATURES_OF_LUN;
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
	else if (!q->shared->blk.block)
		return luns->lun[0]; /* it is absent: what doesn't look at the request is BUSY, too */
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

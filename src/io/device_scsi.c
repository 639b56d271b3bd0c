/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A virtio-scsi device: its two rings besides the request rings, and to which LUN a request goes. */
#include "device_private.h"
#include "log.h"
#include "luns.h"
#include "virtio_scsi.h"

#define OP_REPORT_LUNS 0xa0
#define BIT(n) (UINT64_C(1) << (n))

/* ---- control and event ring: they are read as often as anything happens, both are seldom written ---- */

static void serve(struct device *d)
{
	struct virtqueue *events = &d->local[RING_EVENT], *control = &d->local[RING_CONTROL];

	if (d->ring[RING_CONTROL].running && !control->broken) {
		do
			tmf_run(d);
		while (!control->broken && tmf_slot(d) >= 0 && !vq_idle(control));
		if (control->broken)
			log_err("the control ring is not read any more: %s", control->broken);
	}
	if (!d->ring[RING_EVENT].running || events->broken)
		return;
	vq_idle(events); /* so that a kick tells of buffers, should there be none when one is needed */
	if (event_run(&d->events, events))
		log_err("the event ring is not read any more: %s", events->broken);
}

static void tell(struct device *d, enum event_kind kind, uint16_t lun)
{
	event_raise(&d->events, d->features, kind, lun);
}

/* ---- requests ---- */

/* The units don't know of one another. */
static void report_luns(struct scsi_task *t, const struct lun_table *luns)
{
	uint64_t list[LUN_NUMBERS];
	unsigned n = 0;

	for (unsigned i = 0; i < LUN_NUMBERS; i++)
		if (luns->lun[i])
			list[n++] = scsi_lun_from_number(i);
	scsi_report_luns(t, list, n);
}

static struct lun *begin(struct io_task *t, const struct lun_table *luns)
{
	enum vscsi_address a;
	struct lun *l = NULL;
	uint16_t number;

	a = vscsi_address(t->address, &number);
	if (a == VSCSI_UNIT && number < LUN_NUMBERS)
		l = luns->lun[number];
	if (a == VSCSI_BAD_TARGET)
		t->verdict = VIRTIO_SCSI_S_BAD_TARGET;
	else if (t->scsi.in_len && t->scsi.out_len)
		t->verdict = VIRTIO_SCSI_S_FAILURE; /* both ways at once was not agreed upon */
	else if (t->scsi.cdb[0] == OP_REPORT_LUNS)
		report_luns(&t->scsi, luns);
	else if (l)
		return l;
	else
		scsi_no_lun(&t->scsi, a == VSCSI_REPORT_LUNS);
	return NULL;
}

const struct device_type device_type_scsi = {
	.name = "scsi",
	.features = BIT(VIRTIO_SCSI_F_HOTPLUG) | BIT(VIRTIO_SCSI_F_CHANGE),
	.luns = LUN_NUMBERS,
	.local = 2,
	.serve = serve,
	.parse = vscsi_parse,
	.begin = begin,
	.answer = vscsi_answer,
	.tell = tell,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "event.h"
#include "cleanup.h"
#include "virtio_scsi.h"

/* ASC and ASCQ, as the reason of VIRTIO_SCSI_T_PARAM_CHANGE carries them */
#define REASON_CAPACITY (0x2a | 0x09 << 8)
#define REASON_PARAMETERS (0x2a | 0x01 << 8)

static const struct {
	uint32_t event, reason;
	unsigned feature;
} kinds[] = {
	[EVENT_LUN_ADDED] = {VIRTIO_SCSI_T_TRANSPORT_RESET, VIRTIO_SCSI_EVT_RESET_RESCAN,
			     VIRTIO_SCSI_F_HOTPLUG},
	[EVENT_LUN_REMOVED] = {VIRTIO_SCSI_T_TRANSPORT_RESET, VIRTIO_SCSI_EVT_RESET_REMOVED,
			       VIRTIO_SCSI_F_HOTPLUG},
	[EVENT_LUN_RESIZED] = {VIRTIO_SCSI_T_PARAM_CHANGE, REASON_CAPACITY, VIRTIO_SCSI_F_CHANGE},
	[EVENT_LUN_CHANGED] = {VIRTIO_SCSI_T_PARAM_CHANGE, REASON_PARAMETERS, VIRTIO_SCSI_F_CHANGE},
};

void event_raise(struct events *ev, uint64_t features, enum event_kind kind, uint16_t lun)
{
	if (!(features >> kinds[kind].feature & 1))
		return;
	if (ev->n == EVENTS_MAX) {
		ev->missed = true;
		return;
	}
	ev->waiting[ev->n].kind = kind;
	ev->waiting[ev->n++].lun = lun;
}

static void take(struct events *ev, struct virtio_scsi_event *e)
{
	uint32_t event = VIRTIO_SCSI_T_NO_EVENT;

	memset(e, 0, sizeof(*e));
	if (ev->n) {
		event = kinds[ev->waiting[0].kind].event;
		e->reason = htole32(kinds[ev->waiting[0].kind].reason);
		vscsi_address_of(e->lun, ev->waiting[0].lun);
		ev->n--;
		memmove(&ev->waiting[0], &ev->waiting[1], ev->n * sizeof(ev->waiting[0]));
	}
	if (ev->missed)
		event |= VIRTIO_SCSI_T_EVENTS_MISSED;
	ev->missed = false;
	e->event = htole32(event);
}

int event_run(struct events *ev, struct virtqueue *vq)
{
	struct iovec iov[8];
	struct vq_chain c = {.iov = iov, .max = ARRAY_SIZE(iov)};
	struct virtio_scsi_event e;
	int r = 0;

	while ((ev->n || ev->missed) && (r = vq_pop(vq, &c)) > 0) {
		if (c.in_len < sizeof(e)) {
			vq->broken = "an event buffer is too short";
			return -EPROTO;
		}
		take(ev, &e);
		iov_put(iov + c.out_n, c.in_n, &e, sizeof(e));
		vq_mark(vq, vq->mem, iov + c.out_n, c.in_n);
		vq_push(vq, c.head, sizeof(e));
	}
	vq_flush(vq);
	return r < 0 ? r : 0;
}

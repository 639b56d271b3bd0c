/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * iscsi-rings FOLDER: vhba-io's LUN 0, on FOLDER/lun0, as LUN 0 of an iSCSI target: each command goes through
 * a front end's rings, one at a time. There is one nexus only, whoever the initiator says that he is.
 *
 * iscsi-rings SOCKET: the same of the vhba-io that listens there.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend.h"
#include "iscsi.h"

#define DATA_MAX (34u << 20)

struct rings {
	struct backend back;
	struct front front;
	uint64_t data; /* gpa */
	pthread_mutex_t lock;
};

static size_t gather(const struct scsi_task *t, uint8_t *to)
{
	size_t n = 0;

	for (unsigned i = 0; i < t->out_n; n += t->out[i++].iov_len)
		memcpy(to + n, t->out[i].iov_base, t->out[i].iov_len);
	return n;
}

static void conclude(struct scsi_task *t, const struct front_req *q, const uint8_t *data)
{
	const struct virtio_scsi_cmd_resp *r = front_response(q);
	size_t len = t->in_len ? t->in_len : t->out_len;

	t->overrun = r->response == VIRTIO_SCSI_S_OVERRUN;
	t->status = r->response == VIRTIO_SCSI_S_OK || t->overrun ? r->status : SCSI_TASK_ABORTED;
	t->moved = r->resid <= len ? len - r->resid : 0;
	t->sense_len = r->sense_len <= SCSI_SENSE_MAX ? r->sense_len : SCSI_SENSE_MAX;
	memcpy(t->sense, r->sense, t->sense_len);
	if (t->in_len && !t->overrun)
		memcpy(t->in[0].iov_base, data, t->moved);
}

static void execute(void *arg, uint64_t nexus, uint64_t lun, struct scsi_task *t)
{
	struct rings *w = arg;
	struct front_req q;
	uint8_t *data;

	pthread_mutex_lock(&w->lock);
	data = front_at(&w->front, w->data);
	front_command(&q, (uint16_t)(lun >> 48 & 0x3fff), t->cdb, 16);
	if (t->out_len) {
		q.data_out[0] = (struct front_piece){w->data, (uint32_t)gather(t, data)};
		q.data_out_n = 1;
	}
	if (t->in_len) {
		q.data_in[0] = (struct front_piece){w->data, (uint32_t)t->in_len};
		q.data_in_n = 1;
	}
	if (t->in_len <= DATA_MAX && t->out_len <= DATA_MAX) {
		front_submit(&w->front, 2, &q);
		front_wait(&w->front, 2, &q);
		conclude(t, &q, data);
	} else {
		t->status = SCSI_TASK_ABORTED;
	}
	pthread_mutex_unlock(&w->lock);
}

static void reset(void *arg, uint64_t nexus)
{
	struct rings *w = arg;

	pthread_mutex_lock(&w->lock);
	front_tmf(&w->front, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0, 0);
	pthread_mutex_unlock(&w->lock);
}

int main(int argc, char **argv)
{
	static struct rings w = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct iscsi_target target = {.execute = execute, .reset = reset, .arg = &w};
	struct backend_options o = {.luns = 1};
	struct stat st;
	bool own;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: iscsi-rings FOLDER|SOCKET\n");
		return 2;
	}
	o.folder = argv[1];
	own = stat(argv[1], &st) || !S_ISSOCK(st.st_mode);
	front_init(&w.front, own ? backend_start(&w.back, &o) : front_dial(argv[1]), 96u << 20, 1, 128, 0);
	front_negotiate(&w.front);
	front_start(&w.front, NULL);
	w.data = front_alloc(&w.front, DATA_MAX, 4096, true);
	rc = iscsi_run(&target);
	front_end(&w.front);
	if (own)
		backend_end(&w.back);
	return rc || w.back.result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "queue.h"
#include "rescue.h"
#include "scsi_data.h"
#include "worker.h"

#define ALIGNMENT 4096

static int64_t move(struct io_task *t, size_t len)
{
	struct iovec v = {t->bounce, len};
	ssize_t n;

	if (t->io.op == DISK_OP_READ) {
		n = preadv2(t->io.fd, &v, 1, (off_t)t->io.offset, 0);
	} else {
		v.iov_len = scsi_data_out(&t->scsi, t->io.skip, t->bounce, len);
		n = pwritev2(t->io.fd, &v, 1, (off_t)t->io.offset, t->io.flags & DISK_IO_FUA ? RWF_DSYNC : 0);
	}
	return n < 0 ? -errno : n;
}

static void run(struct pool_job *j)
{
	struct io_task *t = (struct io_task *)((uint8_t *)j - offsetof(struct io_task, job));
	size_t len = t->io.length < TASK_BOUNCE_MAX ? t->io.length : TASK_BOUNCE_MAX;
	int err = posix_memalign(&t->bounce, ALIGNMENT, len);

	if (err)
		t->bounce = NULL;
	t->rescue = err ? -err : move(t, len);
	worker_return(t->queue->worker, t);
}

void rescue_begin(struct io_task *t)
{
	t->rescued = true;
	t->guest_in = t->scsi.in;
	t->guest_in_n = t->scsi.in_n;
	t->state = TASK_POOL;
	t->job.lane = t->lun->number + 1u;
	t->job.run = run;
	pool_submit(t->queue->shared->pool, &t->job);
}

int64_t rescue_end(struct io_task *t)
{
	if (t->io.op == DISK_OP_READ && t->rescue > 0 && !t->orphan)
		scsi_data_in(&t->scsi, t->io.skip, t->bounce, (size_t)t->rescue);
	free(t->bounce);
	t->bounce = NULL;
	t->rescued = false;
	return t->rescue;
}

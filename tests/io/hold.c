/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine.h"
#include "hold.h"
#include "lun.h"

bool __real_engine_submit(struct engine *, struct io_task *, int64_t *result);
void __real_engine_cancel(struct engine *, struct io_task *);
bool __wrap_engine_submit(struct engine *, struct io_task *, int64_t *result);
void __wrap_engine_cancel(struct engine *, struct io_task *);

static atomic_bool holding, can_cancel;
static atomic_uint held;
static int gate = -1, count = -1;

void hold(bool cancelable)
{
	gate = eventfd(0, EFD_CLOEXEC);
	count = eventfd(0, EFD_CLOEXEC);
	if (gate < 0 || count < 0)
		abort();
	atomic_store(&held, 0);
	atomic_store(&can_cancel, cancelable);
	atomic_store(&holding, true);
}

void hold_release(void)
{
	const uint64_t one = 1;

	atomic_store(&holding, false);
	if (write(gate, &one, sizeof(one)) != sizeof(one))
		abort();
}

void hold_end(void)
{
	close(gate);
	close(count);
}

void hold_wait(unsigned n)
{
	struct pollfd p = {count, POLLIN, 0};
	uint64_t v;

	while (atomic_load(&held) < n)
		if (poll(&p, 1, 20000) != 1 || read(count, &v, sizeof(v)) != sizeof(v)) {
			printf("Bail out! %u commands are held, not %u\n", atomic_load(&held), n);
			abort();
		}
}

bool __wrap_engine_submit(struct engine *e, struct io_task *t, int64_t *result)
{
	const uint64_t one = 1;
	struct io_uring_sqe *s;

	if (!atomic_load(&holding) || t->lun->number != 1 || t->io.op == DISK_OP_FSYNC)
		return __real_engine_submit(e, t, result);
	/* it waits for the gate in the kernel, and ends with one byte done */
	t->first_at = t->last_at = (unsigned)((t->io.op == DISK_OP_READ ? t->scsi.in : t->scsi.out) - t->iov);
	t->first = t->last = t->iov[t->first_at];
	s = io_uring_get_sqe(&e->ring);
	io_uring_prep_poll_add(s, gate, POLLIN);
	io_uring_sqe_set_data64(s, (uint64_t)(uintptr_t)t | ENGINE_TASK);
	atomic_fetch_add(&held, 1);
	if (write(count, &one, sizeof(one)) != sizeof(one))
		abort();
	return true;
}

void __wrap_engine_cancel(struct engine *e, struct io_task *t)
{
	if (atomic_load(&can_cancel))
		__real_engine_cancel(e, t);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "hold.h"
#include "lun.h"

bool __real_engine_submit(struct engine *, struct io_task *, int64_t *result);
void __real_engine_cancel(struct engine *, struct io_task *);
bool __wrap_engine_submit(struct engine *, struct io_task *, int64_t *result);
void __wrap_engine_cancel(struct engine *, struct io_task *);

unsigned hold_lun = 1;
static atomic_bool holding, can_cancel;
static int gate = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what is below */
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned held;

void hold(bool cancelable)
{
	gate = eventfd(0, EFD_CLOEXEC);
	if (gate < 0)
		abort();
	held = 0;
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
}

void hold_wait(unsigned n)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	pthread_mutex_lock(&lock);
	while (held < n)
		if (pthread_cond_timedwait(&more, &lock, &end)) {
			printf("Bail out! %u commands are held, not %u\n", held, n);
			abort();
		}
	pthread_mutex_unlock(&lock);
}

bool __wrap_engine_submit(struct engine *e, struct io_task *t, int64_t *result)
{
	struct io_uring_sqe *s;

	if (!atomic_load(&holding) || t->lun->number != hold_lun || t->io.op == DISK_OP_FSYNC)
		return __real_engine_submit(e, t, result);
	/* it waits for the gate in the kernel, and ends with one byte done */
	t->first_at = t->last_at = (unsigned)((t->io.op == DISK_OP_READ ? t->scsi.in : t->scsi.out) - t->iov);
	t->first = t->last = t->iov[t->first_at];
	s = io_uring_get_sqe(&e->ring);
	io_uring_prep_poll_add(s, gate, POLLIN);
	io_uring_sqe_set_data64(s, (uint64_t)(uintptr_t)t | ENGINE_TASK);
	pthread_mutex_lock(&lock);
	held++;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
	return true;
}

void __wrap_engine_cancel(struct engine *e, struct io_task *t)
{
	if (atomic_load(&can_cancel))
		__real_engine_cancel(e, t);
}

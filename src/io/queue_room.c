/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a queue holds while it runs: its tasks, and the guest's memory. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "queue.h"

#define IOV_SPARE 8 /* descriptors that span two regions of memory take one more each */

static size_t tasks_size(unsigned n)
{
	return n * sizeof(struct io_task);
}

static size_t iov_size(unsigned n, unsigned room)
{
	return (size_t)n * room * sizeof(struct iovec);
}

static void tasks_free(struct queue *q)
{
	if (q->tasks)
		munmap(q->tasks, tasks_size(q->tasks_n));
	if (q->iov)
		munmap(q->iov, iov_size(q->tasks_n, q->iov_room));
	q->tasks = q->free = NULL;
	q->iov = NULL;
	q->tasks_n = 0;
}

static void *zeros(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Pages of tasks that are never in use at once are never touched: the last one freed is the first one taken.
 */
int queue_room(struct queue *q, unsigned size)
{
	if (q->tasks_n == size)
		return 0;
	tasks_free(q);
	q->tasks_n = size;
	q->iov_room = (size < VQ_INDIRECT_MIN ? VQ_INDIRECT_MIN : size) + IOV_SPARE;
	if (q->iov_room > VQ_IOV_MAX)
		q->iov_room = VQ_IOV_MAX;
	q->tasks = zeros(tasks_size(size));
	q->iov = zeros(iov_size(size, q->iov_room));
	if (!q->tasks || !q->iov) {
		tasks_free(q);
		return -ENOMEM;
	}
	for (unsigned i = size; i--;) {
		struct io_task *t = &q->tasks[i];

		t->queue = q;
		t->iov = q->iov + (size_t)i * q->iov_room;
		t->next_free = q->free;
		q->free = t;
	}
	return 0;
}

static void use_drop(struct memory_use *u)
{
	if (u->tasks || u->current)
		return;
	memory_unref(u->mem);
	free(u);
}

int queue_use_memory(struct queue *q, struct memory *mem)
{
	struct memory_use *u, *old = q->use;

	if (old && old->mem == mem)
		return 0;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->mem = memory_ref(mem);
	u->current = true;
	q->use = u;
	if (old) {
		old->current = false;
		use_drop(old);
	}
	return 0;
}

static void use_none(struct queue *q)
{
	if (!q->use)
		return;
	q->use->current = false;
	use_drop(q->use);
	q->use = NULL;
}

void queue_free(struct queue *q)
{
	vq_end(&q->vq);
	use_none(q);
	tasks_free(q);
}

void queue_task_free(struct io_task *t)
{
	struct queue *q = t->queue;

	t->use->tasks--;
	use_drop(t->use);
	t->state = TASK_FREE;
	t->next_free = q->free;
	q->free = t;
}

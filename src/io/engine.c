/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cleanup.h"
#include "engine.h"
#include "log.h"
#include "lun.h"

#define ENTRIES 512
#define ENDS 4096
#define RESTRICTIONS_MAX 16

/* liburing 2.3 declares functions for these two, but exports none. */
static int ring_register(const struct io_uring *ring, unsigned op, void *arg, unsigned n)
{
	return (int)syscall(SYS_io_uring_register, ring->ring_fd, op, arg, n);
}

/*
 * The ring is a way around the list of allowed system calls: it may do these only, and nothing can be
 * registered with it any more. liburing 2.3 exports no function to enable a ring.
 */
int engine_restrict(struct io_uring *ring, const uint8_t *ops, unsigned n)
{
	struct io_uring_restriction r[RESTRICTIONS_MAX] = {0};

	for (unsigned i = 0; i < n && i < RESTRICTIONS_MAX; i++) {
		r[i].opcode = IORING_RESTRICTION_SQE_OP;
		r[i].sqe_op = ops[i];
	}
	if (ring_register(ring, IORING_REGISTER_RESTRICTIONS, r, n))
		return -errno;
	return ring_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0) ? -errno : 0;
}

int engine_open(struct engine *e)
{
	static const uint8_t allowed[] = {IORING_OP_READ,	 IORING_OP_READV,	 IORING_OP_WRITE,
					  IORING_OP_WRITEV,	 IORING_OP_FSYNC,	 IORING_OP_POLL_ADD,
					  IORING_OP_POLL_REMOVE, IORING_OP_ASYNC_CANCEL, IORING_OP_TIMEOUT};
	struct io_uring_params p = {
		.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		.cq_entries = ENDS,
	};
	int err = io_uring_queue_init_params(ENTRIES, &e->ring, &p);

	if (err == -EINVAL) {
		/* before Linux 6.1: the same, with more interrupts */
		memset(&p, 0, sizeof(p));
		p.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE;
		p.cq_entries = ENDS;
		err = io_uring_queue_init_params(ENTRIES, &e->ring, &p);
	}
	if (err)
		return err;
	err = engine_restrict(&e->ring, allowed, ARRAY_SIZE(allowed));
	if (err)
		io_uring_queue_exit(&e->ring);
	return err;
}

void engine_close(struct engine *e)
{
	io_uring_queue_exit(&e->ring);
}

static uint64_t data_of(enum engine_kind kind, const void *p)
{
	return (uint64_t)(uintptr_t)p | kind;
}

/* NULL only when the kernel takes nothing any more. */
static struct io_uring_sqe *next(struct engine *e)
{
	struct io_uring_sqe *s = io_uring_get_sqe(&e->ring);

	if (s)
		return s;
	io_uring_submit(&e->ring);
	return io_uring_get_sqe(&e->ring);
}

/*
 * The iovecs of io.length bytes from io.skip on. The first and the last may have to be shortened for that,
 * until engine_ended. 0: they have no such bytes.
 */
static unsigned window(struct io_task *t, struct iovec **from)
{
	const struct iovec *data = t->io.op == DISK_OP_READ ? t->scsi.in : t->scsi.out;
	struct iovec *iov = t->iov + (data - t->iov);
	unsigned n = t->io.op == DISK_OP_READ ? t->scsi.in_n : t->scsi.out_n, first = 0, last;
	size_t skip = t->io.skip, left = t->io.length;

	while (first < n && skip >= iov[first].iov_len)
		skip -= iov[first++].iov_len;
	if (first == n || !left)
		return 0;
	t->first_at = (unsigned)(iov - t->iov) + first;
	t->first = iov[first];
	iov[first].iov_base = (uint8_t *)iov[first].iov_base + skip;
	iov[first].iov_len -= skip;
	for (last = first; last + 1 < n && left > iov[last].iov_len; last++)
		left -= iov[last].iov_len;
	t->last_at = (unsigned)(iov - t->iov) + last;
	t->last = iov[last];
	if (iov[last].iov_len > left)
		iov[last].iov_len = left;
	*from = iov + first;
	return last - first + 1;
}

void engine_ended(struct io_task *t)
{
	if (t->io.op == DISK_OP_FSYNC)
		return;
	t->iov[t->last_at] = t->last;
	t->iov[t->first_at] = t->first;
}

static int64_t call(const struct io_task *t, const struct iovec *iov, unsigned n)
{
	int flags = t->io.flags & DISK_IO_FUA ? RWF_DSYNC : 0;
	int64_t r;

	do {
		if (t->io.op == DISK_OP_FSYNC)
			r = fdatasync(t->io.fd);
		else if (t->io.op == DISK_OP_READ)
			r = preadv2(t->io.fd, iov, (int)n, (off_t)t->io.offset, flags);
		else
			r = pwritev2(t->io.fd, iov, (int)n, (off_t)t->io.offset, flags);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static void prepare(struct io_uring_sqe *s, const struct io_task *t, const struct iovec *iov, unsigned n)
{
	int fd = t->io.fd;

	switch (t->io.op) {
	case DISK_OP_READ:
		if (n == 1)
			io_uring_prep_read(s, fd, iov->iov_base, (unsigned)iov->iov_len, t->io.offset);
		else
			io_uring_prep_readv(s, fd, iov, n, t->io.offset);
		break;
	case DISK_OP_WRITE:
		if (n == 1)
			io_uring_prep_write(s, fd, iov->iov_base, (unsigned)iov->iov_len, t->io.offset);
		else
			io_uring_prep_writev(s, fd, iov, n, t->io.offset);
		break;
	case DISK_OP_FSYNC:
		io_uring_prep_fsync(s, fd, IORING_FSYNC_DATASYNC);
		return;
	}
	s->rw_flags = t->io.flags & DISK_IO_FUA ? RWF_DSYNC : 0;
}

bool engine_submit(struct engine *e, struct io_task *t, int64_t *result)
{
	struct iovec *iov = NULL;
	struct io_uring_sqe *s;
	unsigned n = 0;

	if (t->io.op != DISK_OP_FSYNC) {
		n = window(t, &iov);
		*result = -EINVAL;
		if (!n)
			return false;
	}
	if (t->lun->direct_call) {
		*result = call(t, iov, n);
		engine_ended(t);
		return false;
	}
	s = next(e);
	if (!s) {
		engine_ended(t);
		*result = -ECANCELED;
		return false;
	}
	prepare(s, t, iov, n);
	io_uring_sqe_set_data64(s, data_of(ENGINE_TASK, t));
	return true;
}

bool engine_delay(struct engine *e, struct io_task *t, uint32_t us)
{
	struct __kernel_timespec time = {us / 1000000, us % 1000000 * 1000L};
	struct io_uring_sqe *s = next(e);

	if (!s)
		return false;
	io_uring_prep_timeout(s, &time, 0, 0);
	io_uring_sqe_set_data64(s, data_of(ENGINE_TASK, t));
	io_uring_submit(&e->ring); /* which copies the time */
	return true;
}

void engine_cancel(struct engine *e, struct io_task *t)
{
	struct io_uring_sqe *s = next(e);

	if (!s)
		return; /* it ends by itself */
	io_uring_prep_cancel64(s, data_of(ENGINE_TASK, t), 0);
	io_uring_sqe_set_data64(s, ENGINE_NOTHING);
}

void engine_watch(struct engine *e, int fd, enum engine_kind kind, void *p)
{
	struct io_uring_sqe *s = next(e);

	if (!s) {
		log_err("io_uring takes no more requests: a kick can't be waited for");
		return;
	}
	/* the eventfd's count only grows: each write is an event of its own, nobody needs to read it */
	io_uring_prep_poll_multishot(s, fd, POLLIN);
	io_uring_sqe_set_data64(s, data_of(kind, p));
	io_uring_submit(&e->ring);
}

void engine_ignore(struct engine *e, enum engine_kind kind, void *p)
{
	struct io_uring_sqe *s = next(e);

	if (!s)
		return;
	io_uring_prep_poll_remove(s, data_of(kind, p));
	io_uring_sqe_set_data64(s, ENGINE_NOTHING);
	io_uring_submit(&e->ring);
}

static void check(int r)
{
	if (r < 0 && r != -EINTR && r != -EBUSY && r != -EAGAIN && r != -ETIME)
		log_err("io_uring: %s", strerror(-r));
}

void engine_enter(struct engine *e)
{
	check(io_uring_submit_and_get_events(&e->ring));
}

void engine_wait(struct engine *e, struct monotime until)
{
	struct io_uring_cqe *c;
	struct __kernel_timespec t;
	uint64_t us;

	if (until.us == MONOTIME_NEVER.us) {
		check(io_uring_submit_and_wait(&e->ring, 1));
		return;
	}
	us = mono_left(until, mono_now());
	t.tv_sec = (int64_t)(us / USEC_PER_SEC);
	t.tv_nsec = (int64_t)(us % USEC_PER_SEC * 1000);
	check(io_uring_submit_and_wait_timeout(&e->ring, &c, 1, &t, NULL));
}

bool engine_quiet(const struct engine *e)
{
	return !io_uring_cq_ready(&e->ring) &&
	       !(__atomic_load_n(e->ring.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_TASKRUN);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "bsg.h"
#include "command.h"
#include "commands.h"
#include "engine.h"
#include "log.h"

#define SENSE_SIZE (COMMANDS_MAX * SCSI_SENSE_MAX)
#define SENSE_TRIES 4

/*
 * When this process is killed, Linux (7.3: scsi_bsg_uring_task_cb) still writes the sense data of what was
 * under way to this address, from a kernel thread, which may have any process's memory at hand. So they lie
 * where no process has anything: far from programs, heaps, libraries and stacks, at random.
 */
#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer ends a program that has something there: it does without these nodes. */
static void *place_for_sense(void)
{
	return NULL;
}
#else
static void *place_for_sense(void)
{
	uint64_t r;

	for (unsigned i = 0; UINTPTR_MAX > UINT32_MAX && i < SENSE_TRIES; i++) {
		uintptr_t at;
		void *p;

		if (getrandom(&r, sizeof(r), 0) != sizeof(r))
			break;
		at = (uintptr_t)(0x200000000000 + (r & 0x1fffffff0000));
		p = mmap((void *)at, SENSE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (p == (void *)at)
			return p;
		if (p != MAP_FAILED)
			munmap(p, SENSE_SIZE);
	}
	return NULL;
}
#endif

static int open_ring(struct commands *cs)
{
	static const uint8_t allowed[] = {IORING_OP_URING_CMD};
	struct io_uring_params p = {.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER |
					     IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
					     IORING_SETUP_SQE128 | IORING_SETUP_CQE32};
	int err = io_uring_queue_init_params(COMMANDS_MAX, &cs->ring, &p);

	if (err)
		return err;
	err = io_uring_register_eventfd(&cs->ring, cs->wake);
	if (!err)
		err = engine_restrict(&cs->ring, allowed, sizeof(allowed));
	if (err)
		io_uring_queue_exit(&cs->ring);
	return err;
}

void commands_open(struct commands *cs, int wake)
{
	int err;

	cs->wake = wake;
	cs->sense = place_for_sense();
	if (!cs->sense)
		return;
	err = open_ring(cs);
	cs->open = !err;
	if (!err)
		return;
	log_debug("no io_uring for bsg nodes: %s", strerror(-err));
	munmap(cs->sense, SENSE_SIZE);
	cs->sense = NULL;
}

void commands_close(struct commands *cs)
{
	if (!cs->open)
		return;
	io_uring_queue_exit(&cs->ring);
	munmap(cs->sense, SENSE_SIZE);
	cs->open = false;
}

bool commands_room(const struct commands *cs, uint32_t bytes)
{
	return cs->open && cs->n < COMMANDS_MAX && bytes <= COMMANDS_BYTES - cs->bytes;
}

/* What the kernel has no memory for now stays in the ring, and is handed over at the next turn. */
static void hand_over(struct commands *cs)
{
	const uint64_t one = 1;
	int r = io_uring_submit_and_get_events(&cs->ring);

	if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY)
		log_err("io_uring: %s", strerror(-r));
	if (io_uring_sq_ready(&cs->ring) && write(cs->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_err("an eventfd can't be written: %s", strerror(errno));
}

void commands_send(struct commands *cs, struct command *c)
{
	struct io_uring_sqe *s = io_uring_get_sqe(&cs->ring); /* there is one: no more than n are in it */
	unsigned slot = 0;

	while (cs->slot[slot])
		slot++;
	cs->slot[slot] = c;
	cs->n++;
	cs->bytes += c->size;
	bsg_prepare(s, c->path->bsg, &c->sg, cs->sense[slot]);
	io_uring_sqe_set_data64(s, slot);
	hand_over(cs);
}

static void ended(struct commands *cs, unsigned slot, int32_t result, uint64_t rest)
{
	struct command *c = cs->slot[slot];

	cs->slot[slot] = NULL;
	cs->n--;
	cs->bytes -= c->size;
	command_ended(c, bsg_end(&c->sg, result, rest, cs->sense[slot]));
}

static bool more(const struct commands *cs)
{
	return io_uring_cq_ready(&cs->ring) || io_uring_sq_ready(&cs->ring) ||
	       (__atomic_load_n(cs->ring.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_TASKRUN);
}

void commands_reap(struct commands *cs)
{
	struct io_uring_cqe *e;

	if (!cs->open || !more(cs))
		return;
	hand_over(cs);
	while (!io_uring_peek_cqe(&cs->ring, &e)) {
		unsigned slot = (unsigned)e->user_data;
		int32_t result = e->res;
		uint64_t rest = e->big_cqe[0];

		io_uring_cqe_seen(&cs->ring, e); /* the ring goes on within */
		ended(cs, slot, result, rest);
	}
}

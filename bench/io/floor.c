/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * floor PATH [KEY=VALUE]...: what the way of a command between two threads costs without a back end.
 *
 * The guest's thread asks for blocks by two bare lists in memory and an eventfd, and sleeps, or looks on for
 * "spin" microseconds before, as ringload's does; the other one sleeps in io_uring until it is asked or a
 * read or write has ended, has the kernel read into the guest's memory or write from it, and tells it by
 * another eventfd. There is no SCSI, nothing is copied or checked.
 *
 * As with EVENT_IDX an eventfd is written only where the other side may be asleep; the guest's always, as a
 * driver asks.
 *
 *	size=BYTES, qd=N, seconds=S, spin=MICROSECONDS
 *	direct=0	by the page cache; else with O_DIRECT
 *	write=1	writes instead of reads
 *	busy=1	the other one never sleeps: it looks on, as --poll-us lets vhba-io do
 *
 * Prints iops=N, cpu=N (that thread's seconds per million).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <liburing.h>

#include "cleanup.h"
#include "monotime.h"

#define BLOCK 4096u
#define QD_MAX 256u
#define TURN_MAX 16 /* as vhba-io's */
#define WARM_UP_US (200 * USEC_PER_MSEC)
#define KICK UINT64_MAX /* user data; else the command's number */

/* One side writes to it, the other one reads. */
struct list {
	_Alignas(64) _Atomic uint32_t n; /* of commands that were put there, ever */
	uint32_t command[QD_MAX];
};

struct floor {
	uint64_t size, qd, seconds_us, spin_us, busy, direct, write;
	int disk, kick, call;
	uint8_t *memory; /* a block for each command */
	uint64_t place[QD_MAX]; /* of each command's block in the file */
	struct list asked, done;
	atomic_bool asleep, over;
};

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		die("an eventfd");
}

/* ---- the one that reads ---- */

static void watch(struct floor *f, struct io_uring *ring)
{
	struct io_uring_sqe *s = io_uring_get_sqe(ring);

	io_uring_prep_poll_multishot(s, f->kick, POLLIN);
	io_uring_sqe_set_data64(s, KICK);
}

/* Returns how many commands have ended. */
static uint32_t take(struct floor *f, struct io_uring *ring, uint32_t done)
{
	uint32_t before = done;
	struct io_uring_cqe *c;
	unsigned head, n = 0;

	io_uring_for_each_cqe(ring, head, c)
	{
		n++;
		if (c->user_data == KICK) {
			if (!(c->flags & IORING_CQE_F_MORE))
				watch(f, ring);
			continue;
		}
		if (c->res != BLOCK) {
			errno = c->res < 0 ? -c->res : EIO;
			die("a command");
		}
		f->done.command[done++ % QD_MAX] = (uint32_t)c->user_data;
	}
	io_uring_cq_advance(ring, n);
	if (done != before) {
		atomic_store_explicit(&f->done.n, done, memory_order_release);
		signal_fd(f->call);
	}
	return done;
}

/* Returns how many commands have begun. */
static uint32_t begin(struct floor *f, struct io_uring *ring, uint32_t begun)
{
	uint32_t asked = atomic_load_explicit(&f->asked.n, memory_order_acquire);

	for (unsigned i = 0; i < TURN_MAX && begun != asked; i++) {
		uint32_t command = f->asked.command[begun++ % QD_MAX];
		struct io_uring_sqe *s = io_uring_get_sqe(ring);

		io_uring_prep_rw(f->write ? IORING_OP_WRITE : IORING_OP_READ, s, f->disk,
				 f->memory + command * BLOCK, BLOCK, f->place[command]);
		io_uring_sqe_set_data64(s, command);
	}
	return begun;
}

static void go_on(struct floor *f, struct io_uring *ring, uint32_t begun)
{
	if (f->busy || atomic_load(&f->asked.n) != begun) {
		if (io_uring_sq_ready(ring) || (*ring->sq.kflags & IORING_SQ_TASKRUN))
			io_uring_submit_and_get_events(ring);
		return;
	}
	atomic_store(&f->asleep, true);
	if (atomic_load(&f->asked.n) == begun)
		io_uring_submit_and_wait(ring, 1);
}

static void *serve(void *arg)
{
	struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
					     IORING_SETUP_TASKRUN_FLAG};
	struct floor *f = arg;
	struct io_uring ring;
	uint32_t begun = 0, done = 0;

	errno = -io_uring_queue_init_params(2 * QD_MAX, &ring, &p);
	if (errno)
		die("io_uring");
	watch(f, &ring);
	while (!atomic_load_explicit(&f->over, memory_order_relaxed)) {
		done = take(f, &ring, done);
		begun = begin(f, &ring, begun);
		go_on(f, &ring, begun);
	}
	io_uring_queue_exit(&ring);
	return NULL;
}

/* ---- the guest ---- */

static void ask(struct floor *f, uint32_t n)
{
	atomic_store(&f->asked.n, n);
	if (atomic_exchange(&f->asleep, false))
		signal_fd(f->kick);
}

/* Returns how many have ended: more than that. */
static uint32_t await(struct floor *f, uint32_t seen)
{
	struct pollfd p = {f->call, POLLIN, 0};
	struct monotime from = mono_now();
	uint64_t count;
	uint32_t done;

	while ((done = atomic_load_explicit(&f->done.n, memory_order_acquire)) == seen) {
		if (mono_since(mono_now(), from) < f->spin_us)
			continue;
		if (poll(&p, 1, 20000) != 1 || (read(f->call, &count, sizeof(count)) < 0 && errno != EAGAIN))
			die("no answer");
	}
	return done;
}

static void put(struct floor *f, uint32_t at, uint32_t command)
{
	static uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	f->place[command] = random % (f->size / BLOCK) * BLOCK;
	f->asked.command[at % QD_MAX] = command;
}

/* qd of them are under way before and after. Returns how many have ended. */
static uint64_t run(struct floor *f, uint32_t *seen, uint64_t us)
{
	struct monotime until = mono_add(mono_now(), us);
	uint32_t asked = *seen + (uint32_t)f->qd, before = *seen;

	for (unsigned turn = 1; turn % 64 || !mono_reached(until, mono_now()); turn++) {
		uint32_t done = await(f, *seen);

		while (*seen != done)
			put(f, asked++, f->done.command[(*seen)++ % QD_MAX]);
		ask(f, asked);
	}
	return *seen - before;
}

static uint64_t processor_us(pthread_t thread)
{
	clockid_t clock;
	struct timespec t;

	if (pthread_getcpuclockid(thread, &clock) || clock_gettime(clock, &t))
		die("a clock");
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

static void measure(struct floor *f)
{
	struct monotime from;
	uint32_t seen = 0;
	pthread_t thread;
	uint64_t cpu, n, us;

	errno = pthread_create(&thread, NULL, serve, f);
	if (errno)
		die("a thread");
	for (uint32_t i = 0; i < f->qd; i++)
		put(f, i, i);
	ask(f, (uint32_t)f->qd);
	run(f, &seen, WARM_UP_US);
	cpu = processor_us(thread);
	from = mono_now();
	n = run(f, &seen, f->seconds_us);
	us = mono_since(mono_now(), from);
	cpu = processor_us(thread) - cpu;
	printf("iops=%.0f cpu=%.3f\n", (double)n * 1e6 / (double)us, (double)cpu / (double)n);
	atomic_store(&f->over, true);
	signal_fd(f->kick);
	pthread_join(thread, NULL);
}

static bool set(struct floor *f, const char *word)
{
	static const struct {
		const char *key;
		size_t at;
		double unit;
	} keys[] = {{"size=", offsetof(struct floor, size), 1},
		    {"qd=", offsetof(struct floor, qd), 1},
		    {"seconds=", offsetof(struct floor, seconds_us), 1e6},
		    {"spin=", offsetof(struct floor, spin_us), 1},
		    {"busy=", offsetof(struct floor, busy), 1},
		    {"direct=", offsetof(struct floor, direct), 1},
		    {"write=", offsetof(struct floor, write), 1}};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i].key);
		uint64_t v;

		if (strncmp(word, keys[i].key, len))
			continue;
		v = (uint64_t)(strtod(word + len, NULL) * keys[i].unit);
		memcpy((char *)f + keys[i].at, &v, sizeof(v));
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct floor f = {.seconds_us = USEC_PER_SEC, .qd = 1, .direct = 1};
	bool good = argc >= 2;

	for (int i = 2; good && i < argc; i++)
		good = set(&f, argv[i]);
	if (!good || f.size < BLOCK || !f.qd || f.qd > QD_MAX) {
		fprintf(stderr, "usage: floor PATH size=BYTES [KEY=VALUE]...\n");
		return 2;
	}
	f.disk = open(argv[1], (f.write ? O_RDWR : O_RDONLY) | (f.direct ? O_DIRECT : 0) | O_CLOEXEC);
	f.kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f.call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f.memory = mmap(NULL, QD_MAX * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f.disk < 0 || f.kick < 0 || f.call < 0 || f.memory == MAP_FAILED)
		die(argv[1]);
	measure(&f);
	return 0;
}

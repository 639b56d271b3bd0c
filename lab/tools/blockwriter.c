/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blockwriter write  DEVICE LEDGER FIRST COUNT THREADS   keep O_DIRECT writes in flight until told to stop
 * blockwriter verify DEVICE LEDGER                       read all back: nothing that was told is lost
 * blockwriter rounds DEVICE LEDGER FIRST COUNT THREADS   in a guest: one after the other, for ever; each
 *round writes half of the blocks, and reads all. Says "guest: round DISK N", or "guest: error: ...".
 *
 * While writing, SIGUSR1 pauses (what is in flight goes on), SIGUSR2 continues, SIGTERM ends; a summary line
 * is printed at the end.  Every write that fails is counted and its block left alone: it may or may not be on
 * the disk, which the ledger tells (begun > told), and the check allows both.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocks.h"
#include "cleanup.h"
#include "monotime.h"

#define THREADS_MAX 64

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool paused, ended;
} control = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};

struct job {
	pthread_t thread;
	int fd;
	struct ledger *ledger;
	uint64_t first, blocks; /* this thread's share, as entries of the ledger */
	unsigned long round;
	uint64_t stream;
	uint64_t longest_us; /* the longest single write */
	int error;
};

static bool may_write(void)
{
	bool yes;

	pthread_mutex_lock(&control.lock);
	while (control.paused && !control.ended)
		pthread_cond_wait(&control.change, &control.lock);
	yes = !control.ended;
	pthread_mutex_unlock(&control.lock);
	return yes;
}

static bool write_block(struct job *j, struct block *b, uint64_t i)
{
	struct ledger *l = j->ledger;
	struct ledger_entry *e = &l->entry[j->first + i];
	uint64_t number = l->first + j->first + i, seq = e->begun + 1, took;
	struct monotime start = mono_now();
	ssize_t n;

	block_fill(b, j->stream, number, seq);
	e->begun = seq;
	n = pwrite(j->fd, b, BLOCK_SIZE, (off_t)(number * BLOCK_SIZE));
	took = mono_since(mono_now(), start);
	if (took > j->longest_us)
		j->longest_us = took;
	if (n != BLOCK_SIZE) {
		l->failed++;
		j->error = n < 0 ? errno : EIO;
		return false;
	}
	e->told = seq;
	l->written++;
	return true;
}

static void *write_blocks(void *arg)
{
	struct job *j = arg;
	struct block *b = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);

	for (uint64_t i = 0; b && may_write() && write_block(j, b, i); i = (i + 1) % j->blocks)
		;
	free(b);
	return NULL;
}

/* What it leaves alone the round before has written. */
static void *write_half(void *arg)
{
	struct job *j = arg;
	struct block *b = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);

	for (uint64_t i = j->round % 2; b && i < j->blocks && write_block(j, b, i); i += 2)
		;
	if (!b)
		j->error = ENOMEM;
	free(b);
	return NULL;
}

static bool start_jobs(struct job *jobs, unsigned threads, const struct job *like, void *(*run)(void *))
{
	for (unsigned i = 0; i < threads; i++) {
		struct job *j = &jobs[i];

		*j = *like;
		j->blocks = j->ledger->blocks / threads;
		j->stream = j->ledger->first + i;
		j->first = i * j->blocks;
		if (pthread_create(&j->thread, NULL, run, j))
			return fprintf(stderr, "blockwriter: no thread\n"), false;
	}
	return true;
}

/* The error of one, and the longest write of all. */
static int join_jobs(struct job *jobs, unsigned threads, uint64_t *longest)
{
	int error = 0;

	for (unsigned i = 0; i < threads; i++) {
		pthread_join(jobs[i].thread, NULL);
		if (jobs[i].longest_us > *longest)
			*longest = jobs[i].longest_us;
		if (jobs[i].error)
			error = jobs[i].error;
	}
	return error;
}

static void follow_signals(const sigset_t *set)
{
	int sig;

	while (!sigwait(set, &sig)) {
		pthread_mutex_lock(&control.lock);
		control.paused = sig == SIGUSR1 || (control.paused && sig != SIGUSR2);
		control.ended = sig == SIGTERM || sig == SIGINT;
		pthread_cond_broadcast(&control.change);
		pthread_mutex_unlock(&control.lock);
		if (control.ended)
			return;
	}
}

static int run_write(const char *device, struct ledger *l, unsigned threads)
{
	AUTO_FD int fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC);
	struct job jobs[THREADS_MAX] = {};
	uint64_t longest = 0;
	sigset_t set;
	int error;

	if (fd < 0)
		return fprintf(stderr, "blockwriter: %s: %s\n", device, strerror(errno)), 1;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (!start_jobs(jobs, threads, &(struct job){.fd = fd, .ledger = l}, write_blocks))
		return 1;
	follow_signals(&set);
	error = join_jobs(jobs, threads, &longest);
	printf("%s: %" PRIu64 " writes told, %" PRIu64 " cut off%s%s, longest %" PRIu64 " ms\n", device,
	       l->written, l->failed, error ? ": " : "", error ? strerror(error) : "",
	       longest / USEC_PER_MSEC);
	return 0;
}

struct verdict {
	uint64_t good, bad, later;
};

/* Says what is wrong of the first ten blocks, each behind that word. */
static struct verdict verify(int fd, const char *device, const struct ledger *l, struct block *b,
			     const char *word)
{
	struct verdict v = {};

	for (uint64_t i = 0; i < l->blocks; i++) {
		uint64_t number = l->first + i, told = l->entry[i].told, begun = l->entry[i].begun;
		const char *wrong = NULL;

		if (!told)
			continue;
		if (pread(fd, b, BLOCK_SIZE, (off_t)(number * BLOCK_SIZE)) != BLOCK_SIZE)
			wrong = strerror(errno ? errno : EIO);
		else
			wrong = block_check(b, number);
		if (!wrong && b->seq < told)
			wrong = "lost: an older sequence number than the one that was told";
		if (!wrong && b->seq > begun)
			wrong = "a sequence number that was never written";
		if (wrong && v.bad++ < 10)
			printf("%s%s: block %" PRIu64 ": %s (told %" PRIu64 ", begun %" PRIu64
			       ", read %" PRIu64 ")\n",
			       word, device, number, wrong, told, begun, b->seq);
		v.good += !wrong;
		v.later += !wrong && b->seq > told;
	}
	return v;
}

static int run_verify(const char *device, const struct ledger *l)
{
	AUTO_FD int fd = open(device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	AUTO_FREE struct block *b = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);
	struct verdict v;

	if (fd < 0 || !b)
		return fprintf(stderr, "blockwriter: %s: %s\n", device, strerror(errno)), 1;
	v = verify(fd, device, l, b, "");
	printf("%s: %" PRIu64 " blocks right (%" PRIu64 " of them cut off yet on the disk), %" PRIu64
	       " wrong\n",
	       device, v.good, v.later, v.bad);
	return v.bad || !v.good ? 1 : 0;
}

static int run_rounds(const char *device, struct ledger *l, unsigned threads)
{
	AUTO_FD int fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC);
	AUTO_FREE struct block *b = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);
	const char *slash = strrchr(device, '/');
	struct job jobs[THREADS_MAX];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (fd < 0 || !b)
		return fprintf(stderr, "blockwriter: %s: %s\n", device, strerror(errno)), 1;
	for (unsigned long round = 0;; round++) {
		const struct job like = {.fd = fd, .ledger = l, .round = round};
		uint64_t longest = 0;
		int error;

		if (!start_jobs(jobs, threads, &like, write_half))
			return 1;
		error = join_jobs(jobs, threads, &longest);
		if (error)
			printf("guest: error: %s: write: %s\n", device, strerror(error));
		verify(fd, device, l, b, "guest: error: ");
		printf("guest: round %s %lu: the longest write took %" PRIu64 " ms\n",
		       slash ? slash + 1 : device, round, longest / USEC_PER_MSEC);
	}
}

int main(int argc, char **argv)
{
	struct ledger *l;

	if (argc == 7 && (!strcmp(argv[1], "write") || !strcmp(argv[1], "rounds"))) {
		unsigned long threads = strtoul(argv[6], NULL, 10);
		uint64_t first = strtoull(argv[4], NULL, 10), count = strtoull(argv[5], NULL, 10);

		if (threads < 1 || threads > THREADS_MAX || count < threads || count > UINT32_MAX)
			return fprintf(stderr,
				       "blockwriter: expected 1..%d threads and at least a block each\n",
				       THREADS_MAX),
			       2;
		l = ledger_map(argv[3], first, count, true);
		if (l)
			return (argv[1][0] == 'w' ? run_write : run_rounds)(argv[2], l, (unsigned)threads);
	} else if (argc == 4 && !strcmp(argv[1], "verify")) {
		l = ledger_map(argv[3], 0, 0, false);
		if (l)
			return run_verify(argv[2], l);
	} else {
		return fprintf(stderr,
			       "usage: %s write|rounds DEVICE LEDGER FIRST COUNT THREADS | verify DEVICE "
			       "LEDGER\n",
			       argv[0]),
		       2;
	}
	return fprintf(stderr, "blockwriter: %s: %s\n", argv[3], strerror(errno)), 1;
}

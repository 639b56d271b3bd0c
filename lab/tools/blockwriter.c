/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blockwriter write  DEVICE LEDGER FIRST COUNT THREADS   keep O_DIRECT writes in flight until told to stop
 * blockwriter verify DEVICE LEDGER                       read all back: nothing that was told is lost
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

static void *write_blocks(void *arg)
{
	struct job *j = arg;
	struct ledger *l = j->ledger;
	struct block *b = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);

	for (uint64_t i = 0; b && may_write(); i = (i + 1) % j->blocks) {
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
		if (n == BLOCK_SIZE) {
			e->told = seq;
			l->written++;
			continue;
		}
		l->failed++;
		j->error = n < 0 ? errno : EIO;
		break;
	}
	free(b);
	return NULL;
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
	int error = 0;
	sigset_t set;

	if (fd < 0)
		return fprintf(stderr, "blockwriter: %s: %s\n", device, strerror(errno)), 1;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (unsigned i = 0; i < threads; i++) {
		struct job *j = &jobs[i];

		*j = (struct job){
			.fd = fd, .ledger = l, .blocks = l->blocks / threads, .stream = l->first + i};
		j->first = i * j->blocks;
		if (pthread_create(&j->thread, NULL, write_blocks, j))
			return fprintf(stderr, "blockwriter: no thread\n"), 1;
	}
	follow_signals(&set);
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(jobs[i].thread, NULL);
		if (jobs[i].longest_us > longest)
			longest = jobs[i].longest_us;
		if (jobs[i].error)
			error = jobs[i].error;
	}
	printf("%s: %" PRIu64 " writes told, %" PRIu64 " cut off%s%s, longest %" PRIu64 " ms\n", device,
	       l->written, l->failed, error ? ": " : "", error ? strerror(error) : "",
	       longest / USEC_PER_MSEC);
	return 0;
}

static int run_verify(const char *device, const struct ledger *l)
{
	AUTO_FD int fd = open(device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	AUTO_FREE struct block *b = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);
	uint64_t good = 0, bad = 0, later = 0;

	if (fd < 0 || !b)
		return fprintf(stderr, "blockwriter: %s: %s\n", device, strerror(errno)), 1;
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
		if (wrong && bad++ < 10)
			printf("%s: block %" PRIu64 ": %s (told %" PRIu64 ", begun %" PRIu64 ", read %" PRIu64
			       ")\n",
			       device, number, wrong, told, begun, b->seq);
		good += !wrong;
		later += !wrong && b->seq > told;
	}
	printf("%s: %" PRIu64 " blocks right (%" PRIu64 " of them cut off yet on the disk), %" PRIu64
	       " wrong\n",
	       device, good, later, bad);
	return bad || !good ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct ledger *l;

	if (argc == 7 && !strcmp(argv[1], "write")) {
		unsigned long threads = strtoul(argv[6], NULL, 10);
		uint64_t first = strtoull(argv[4], NULL, 10), count = strtoull(argv[5], NULL, 10);

		if (threads < 1 || threads > THREADS_MAX || count < threads || count > UINT32_MAX)
			return fprintf(stderr,
				       "blockwriter: expected 1..%d threads and at least a block each\n",
				       THREADS_MAX),
			       2;
		l = ledger_map(argv[3], first, count, true);
		if (l)
			return run_write(argv[2], l, (unsigned)threads);
	} else if (argc == 4 && !strcmp(argv[1], "verify")) {
		l = ledger_map(argv[3], 0, 0, false);
		if (l)
			return run_verify(argv[2], l);
	} else {
		return fprintf(stderr,
			       "usage: %s write DEVICE LEDGER FIRST COUNT THREADS | verify DEVICE LEDGER\n",
			       argv[0]),
		       2;
	}
	return fprintf(stderr, "blockwriter: %s: %s\n", argv[3], strerror(errno)), 1;
}

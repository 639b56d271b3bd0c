/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sgpool NODE QD SECONDS SIZE: the way that QEMU's scsi-generic takes, without QEMU: each command is handed
 * to a pool of at most 64 threads, one of which does SG_IO; the main loop learns by an eventfd that it has
 * ended, and begins the next. NODE is a disk's (sdX), or its sg node for at most 16 at once. 4 KiB
 * random reads. What QEMU does for its rings besides is left out.
 *
 * Prints iops=N cpu=N (its own seconds per million).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "monotime.h"

#define THREADS_MAX 64
#define QD_MAX 256
#define BYTES 4096u
#define WARM_UP_US (200 * USEC_PER_MSEC)

struct request {
	STAILQ_ENTRY(request) link;
	uint32_t lba;
	void *data;
};

STAILQ_HEAD(requests, request);

static struct {
	int node, ended_fd;
	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t more;
	struct requests waiting, ended;
	bool quit;
} pool = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
	.waiting = STAILQ_HEAD_INITIALIZER(pool.waiting),
	.ended = STAILQ_HEAD_INITIALIZER(pool.ended),
};

static void die(const char *what)
{
	fprintf(stderr, "sgpool: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void execute(struct request *r)
{
	uint8_t cdb[10] = {0x28,
			   0,
			   (uint8_t)(r->lba >> 24),
			   (uint8_t)(r->lba >> 16),
			   (uint8_t)(r->lba >> 8),
			   (uint8_t)r->lba,
			   0,
			   0,
			   BYTES / 512,
			   0};
	uint8_t sense[32];
	sg_io_hdr_t h = {.interface_id = 'S',
			 .dxfer_direction = SG_DXFER_FROM_DEV,
			 .cmd_len = sizeof(cdb),
			 .cmdp = cdb,
			 .mx_sb_len = sizeof(sense),
			 .sbp = sense,
			 .dxfer_len = BYTES,
			 .dxferp = r->data,
			 .timeout = 30000};

	if (ioctl(pool.node, SG_IO, &h) || h.status || h.host_status)
		die("a command has failed");
}

static void *serve(void *arg)
{
	const uint64_t one = 1;
	struct request *r;

	pthread_mutex_lock(&pool.lock);
	for (;;) {
		while (STAILQ_EMPTY(&pool.waiting) && !pool.quit)
			pthread_cond_wait(&pool.more, &pool.lock);
		if (pool.quit)
			break;
		r = STAILQ_FIRST(&pool.waiting);
		STAILQ_REMOVE_HEAD(&pool.waiting, link);
		pthread_mutex_unlock(&pool.lock);
		execute(r);
		pthread_mutex_lock(&pool.lock);
		STAILQ_INSERT_TAIL(&pool.ended, r, link);
		if (write(pool.ended_fd, &one, sizeof(one)) != sizeof(one))
			die("eventfd");
	}
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

static void begin(struct request *r, uint32_t blocks)
{
	static uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	r->lba = (uint32_t)(random % (blocks / (BYTES / 512))) * (BYTES / 512);
	pthread_mutex_lock(&pool.lock);
	STAILQ_INSERT_TAIL(&pool.waiting, r, link);
	pthread_cond_signal(&pool.more);
	pthread_mutex_unlock(&pool.lock);
}

/* Until then each that ends is begun anew. Returns how many ended. */
static uint64_t run(uint32_t blocks, struct monotime until)
{
	uint64_t n = 0, count;

	while (!mono_reached(until, mono_now())) {
		struct requests ended = STAILQ_HEAD_INITIALIZER(ended);
		struct request *r;

		if (read(pool.ended_fd, &count, sizeof(count)) != sizeof(count))
			die("eventfd");
		pthread_mutex_lock(&pool.lock);
		STAILQ_CONCAT(&ended, &pool.ended);
		pthread_mutex_unlock(&pool.lock);
		while ((r = STAILQ_FIRST(&ended))) {
			STAILQ_REMOVE_HEAD(&ended, link);
			begin(r, blocks);
			n++;
		}
	}
	return n;
}

static uint64_t processor_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	static struct request request[QD_MAX];
	pthread_t thread[THREADS_MAX];
	unsigned qd = argc == 5 ? (unsigned)atoi(argv[2]) : 0, threads = qd < THREADS_MAX ? qd : THREADS_MAX;
	uint64_t us = argc == 5 ? (uint64_t)(atof(argv[3]) * 1e6) : 0, n, cpu;
	uint64_t size = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
	struct monotime from;

	if (!qd || qd > QD_MAX || !us || size < BYTES || size / 512 > UINT32_MAX) {
		fprintf(stderr, "usage: sgpool NODE QD SECONDS SIZE\n");
		return 2;
	}
	pool.node = open(argv[1], O_RDWR | O_CLOEXEC);
	pool.ended_fd = eventfd(0, EFD_CLOEXEC);
	if (pool.node < 0 || pool.ended_fd < 0)
		die(argv[1]);
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, serve, NULL))
			die("a thread");
	for (unsigned i = 0; i < qd; i++) {
		if (posix_memalign(&request[i].data, 4096, BYTES))
			die("memory");
		begin(&request[i], (uint32_t)(size / 512));
	}
	run((uint32_t)(size / 512), mono_add(mono_now(), WARM_UP_US));
	cpu = processor_us();
	from = mono_now();
	n = run((uint32_t)(size / 512), mono_add(from, us));
	us = mono_since(mono_now(), from);
	cpu = processor_us() - cpu;
	if (!n)
		die("nothing has ended");
	printf("iops=%.0f cpu=%.3f\n", (double)n * 1e6 / (double)us, (double)cpu / (double)n);
	pthread_mutex_lock(&pool.lock);
	pool.quit = true;
	pthread_cond_broadcast(&pool.more);
	pthread_mutex_unlock(&pool.lock);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 0; i < qd; i++)
		free(request[i].data);
	return 0;
}

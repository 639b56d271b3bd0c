/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pages that only a device writes: when a guest moves, a back end that doesn't log what it wrote loses them,
 * and nothing that the guest's processor does hides it.
 *
 *	dmapages make FILE NUMBER	the patterns, on the disk of that number
 *	dmapages watch DISK...		in the guest; disk i has number i
 *
 * Watching, each disk has AREA bytes of memory, in chunks. In each round a pattern is read into each chunk,
 * past the page cache; the memory is compared at once, and again before the next round, and never written by
 * this program. The patterns of the chunks return after different numbers of rounds, so that one that is
 * stale is not the right one by chance in all of them. Says "guest: round dma N", or "guest: error: dma ...".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

#define START (8u << 20) /* on the disk; what is before belongs to others */
#define CHUNK (64u << 10)
#define WORDS (CHUNK / sizeof(uint64_t))
#define DISKS_MAX 8

static const unsigned patterns[] = {16, 15, 13, 11}; /* of each chunk */

#define CHUNKS ARRAY_SIZE(patterns)
#define AREA (CHUNKS * CHUNK)

static uint64_t word(unsigned disk, unsigned chunk, unsigned pattern, unsigned i)
{
	uint64_t v = (uint64_t)disk << 48 | (uint64_t)chunk << 40 | (uint64_t)pattern << 32 | i;

	/* as little alike as can be, and never 0 */
	return v * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static off_t place(unsigned chunk, unsigned pattern)
{
	return START + (off_t)(pattern * CHUNKS + chunk) * CHUNK;
}

static int make(const char *path, unsigned disk)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	AUTO_FREE uint64_t *data = malloc(CHUNK);

	if (fd < 0 || !data)
		return -1;
	for (unsigned c = 0; c < CHUNKS; c++) {
		for (unsigned p = 0; p < patterns[c]; p++) {
			for (unsigned i = 0; i < WORDS; i++)
				data[i] = word(disk, c, p, i);
			if (pwrite(fd, data, CHUNK, place(c, p)) != CHUNK)
				return -1;
		}
	}
	return 0;
}

struct watched {
	const char *name;
	unsigned number;
	int fd;
	uint64_t *area;
};

static int begin(struct watched *w, const char *path, unsigned number)
{
	w->name = path;
	w->number = number;
	w->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	w->area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->fd < 0 || w->area == MAP_FAILED || mlock(w->area, AREA))
		return -1;
	memset(w->area, 0, AREA); /* the only time */
	return 0;
}

static bool compare(const struct watched *w, unsigned long round, const char *when)
{
	for (unsigned c = 0; c < CHUNKS; c++) {
		for (unsigned i = 0; i < WORDS; i++) {
			if (w->area[c * WORDS + i] == word(w->number, c, (unsigned)(round % patterns[c]), i))
				continue;
			printf("guest: error: dma %s round %lu %s: chunk %u, word %u\n", w->name, round, when,
			       c, i);
			return false;
		}
	}
	return true;
}

static bool take(const struct watched *w, unsigned long round)
{
	for (unsigned c = 0; c < CHUNKS; c++) {
		ssize_t n = pread(w->fd, w->area + c * WORDS, CHUNK,
				  place(c, (unsigned)(round % patterns[c])));

		if (n == CHUNK)
			continue;
		printf("guest: error: dma %s round %lu: read: %s\n", w->name, round, strerror(errno));
		return false;
	}
	return true;
}

static int watch(char **paths, unsigned n)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	struct watched w[DISKS_MAX];

	for (unsigned i = 0; i < n; i++)
		if (begin(&w[i], paths[i], i))
			return -1;
	for (unsigned long round = 0;; round++) {
		for (unsigned i = 0; i < n; i++)
			if (take(&w[i], round))
				compare(&w[i], round, "at once");
		nanosleep(&pause, NULL);
		for (unsigned i = 0; i < n; i++)
			compare(&w[i], round, "later");
		printf("guest: round dma %lu\n", round);
	}
}

int main(int argc, char **argv)
{
	int r = -1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && !strcmp(argv[1], "make")) {
		r = make(argv[2], (unsigned)atoi(argv[3]));
	} else if (argc > 2 && argc - 2 <= DISKS_MAX && !strcmp(argv[1], "watch")) {
		r = watch(argv + 2, (unsigned)argc - 2);
	} else {
		fprintf(stderr, "usage: dmapages make FILE NUMBER | watch DISK...\n");
		return 2;
	}
	if (r)
		perror("dmapages");
	return r ? 1 : 0;
}

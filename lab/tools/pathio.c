/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pathio run  STATE LEDGERS BLOCKS NAME=DEVICE...   direct reads, direct writes and SG_IO on each path
 * pathio show STATE                                 what each has done, one line for a path and a lane
 *
 * Each path has three lanes, each with one command in flight. A lane survives errors: it counts them and goes
 * on.  SIGUSR1 pauses (what is in flight stays so), SIGUSR2 continues, SIGTERM ends, once all has come back.
 * NAME begins with a number; a path writes to the blocks from number * BLOCKS on, and keeps the ledger
 * LEDGERS/NAME, which blockwriter verifies.  STATE is mapped shared: show needs no answer from the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "blocks.h"
#include "cleanup.h"
#include "monotime.h"

#define STATE_MAGIC UINT64_C(0x7668626170746831)
#define PATHS_MAX 64
/* Longer than any case lasts: the kernel's error handling is a case of its own. */
#define SG_TIMEOUT_MS 120000
#define BEFORE_NEXT_US 3000
#define AFTER_ERROR_US 50000

/* What SG_IO says beyond errno: host and SCSI status. */
#define SG_FAILED(host, status) (0x10000 | (host) << 8 | (status))

struct lane {
	_Atomic uint64_t done, failed;
	_Atomic uint64_t since_us; /* when the command in flight was begun; 0: none is */
	_Atomic uint64_t ended_us; /* when the last one ended */
	_Atomic int error; /* the last one's: an errno, or SG_FAILED; 0 while none has failed */
};

enum { LANE_READ, LANE_WRITE, LANE_SG, LANES };

struct path_state {
	char name[64];
	struct lane lane[LANES];
};

struct state {
	uint64_t magic, paths;
	struct path_state path[PATHS_MAX];
};

struct path {
	int fd;
	uint64_t first, blocks;
	struct ledger *ledger;
	struct path_state *state;
};

struct worker {
	pthread_t thread;
	struct path *path;
	int lane;
	uint64_t turn;
	struct block *block;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool paused, ended;
} control = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};

/* Each returns 0, an errno, or SG_FAILED. */
static int lane_read(struct worker *w)
{
	const struct path *p = w->path;
	uint64_t number = p->first + w->turn % p->blocks;
	ssize_t n = pread(p->fd, w->block, BLOCK_SIZE, (off_t)(number * BLOCK_SIZE));

	/* The end of the file: the kernel says so of a device that is gone. */
	return n == BLOCK_SIZE ? 0 : n < 0 ? errno : ENODEV;
}

static int lane_write(struct worker *w)
{
	const struct path *p = w->path;
	uint64_t i = w->turn % p->blocks, number = p->first + i;
	struct ledger_entry *e = &p->ledger->entry[i];
	uint64_t seq = e->begun + 1;
	ssize_t n;

	block_fill(w->block, p->first, number, seq);
	e->begun = seq;
	n = pwrite(p->fd, w->block, BLOCK_SIZE, (off_t)(number * BLOCK_SIZE));
	if (n != BLOCK_SIZE)
		return n < 0 ? errno : ENODEV;
	e->told = seq;
	return 0;
}

/* READ (10) of one logical block, SBC-4 clause 5.13. */
static int sg_read(const struct worker *w, uint8_t sense[32])
{
	uint8_t cdb[10] = {0x28, [5] = (uint8_t)(w->turn & 0x7f), [8] = 1};
	struct sg_io_hdr h = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_FROM_DEV,
		.cmd_len = sizeof(cdb),
		.cmdp = cdb,
		.mx_sb_len = 32,
		.sbp = sense,
		.dxferp = w->block,
		.dxfer_len = 512,
		.timeout = SG_TIMEOUT_MS,
	};

	if (ioctl(w->path->fd, SG_IO, &h))
		return errno;
	return h.host_status || h.status || h.driver_status ? SG_FAILED(h.host_status & 0xff, h.status) : 0;
}

/*
 * A new login means a unit attention (SAM-5 clause 5.14), which the kernel leaves to whoever sends SG_IO: he
 * sends the command again, and it is no error.
 */
static int lane_sg(struct worker *w)
{
	uint8_t sense[32] = {};
	int r = sg_read(w, sense);

	for (int i = 0; i < 3 && r == SG_FAILED(0, 2) && (sense[2] & 0xf) == 6; i++)
		r = sg_read(w, sense);
	return r;
}

static const struct {
	const char *name;
	int (*one)(struct worker *w);
} lanes[LANES] = {{"read", lane_read}, {"write", lane_write}, {"sg", lane_sg}};

/* Waits for so long, and for as long as it is paused; false: it is to end. */
static bool may_go_on(uint64_t us)
{
	struct monotime until = mono_add(mono_now(), us);
	struct timespec t = {(time_t)(until.us / USEC_PER_SEC), (long)(until.us % USEC_PER_SEC * 1000)};
	bool yes;

	pthread_mutex_lock(&control.lock);
	while (!control.ended && !mono_reached(until, mono_now()))
		pthread_cond_clockwait(&control.change, &control.lock, CLOCK_MONOTONIC, &t);
	while (control.paused && !control.ended)
		pthread_cond_wait(&control.change, &control.lock);
	yes = !control.ended;
	pthread_mutex_unlock(&control.lock);
	return yes;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct lane *l = &w->path->state->lane[w->lane];
	int error = 0;

	while (may_go_on(error ? AFTER_ERROR_US : BEFORE_NEXT_US)) {
		l->since_us = mono_now().us;
		error = lanes[w->lane].one(w);
		l->ended_us = mono_now().us;
		if (error) {
			l->error = error;
			l->failed++;
		} else {
			l->done++;
		}
		l->since_us = 0;
		w->turn++;
	}
	return NULL;
}

static void follow_signals(const sigset_t *set)
{
	bool ended = false;
	int sig;

	while (!ended && !sigwait(set, &sig)) {
		pthread_mutex_lock(&control.lock);
		control.paused = sig == SIGUSR1 || (control.paused && sig != SIGUSR2);
		ended = control.ended = sig == SIGTERM || sig == SIGINT;
		pthread_cond_broadcast(&control.change);
		pthread_mutex_unlock(&control.lock);
	}
}

/* The state is begun anew under its name: whoever maps an earlier one keeps that. */
static struct state *state_map(const char *path, bool create)
{
	AUTO_FD int fd = -1;
	struct stat st;
	struct state *s;

	if (create)
		unlink(path);
	fd = open(path, O_CLOEXEC | (create ? O_RDWR | O_CREAT | O_EXCL : O_RDONLY), 0644);
	if (fd < 0 || (create && ftruncate(fd, sizeof(*s))) || fstat(fd, &st))
		return NULL;
	if ((size_t)st.st_size != sizeof(*s)) {
		errno = EINVAL;
		return NULL;
	}
	s = mmap(NULL, sizeof(*s), create ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	return s == MAP_FAILED ? NULL : s;
}

/* word: NAME=DEVICE. The path is kept for good. */
static int path_open(struct path *p, char *word, const char *ledgers, uint64_t blocks)
{
	char *device = strchr(word, '='), file[512];

	if (!device)
		return fprintf(stderr, "pathio: expected NAME=DEVICE, seen \"%s\"\n", word), -1;
	*device++ = '\0';
	snprintf(p->state->name, sizeof(p->state->name), "%s", word);
	snprintf(file, sizeof(file), "%s/%s", ledgers, word);
	p->blocks = blocks;
	p->first = strtoull(word, NULL, 10) * blocks;
	p->fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC);
	p->ledger = p->fd < 0 ? NULL : ledger_map(file, p->first, blocks, true);
	if (!p->ledger)
		return fprintf(stderr, "pathio: %s: %s\n", p->fd < 0 ? device : file, strerror(errno)), -1;
	return 0;
}

static int workers_start(struct worker *w, struct path *paths, int n)
{
	for (int i = 0; i < n * LANES; i++) {
		w[i] = (struct worker){.path = &paths[i / LANES], .lane = i % LANES};
		w[i].block = aligned_alloc(BLOCK_SIZE, BLOCK_SIZE);
		if (!w[i].block || pthread_create(&w[i].thread, NULL, work, &w[i]))
			return fprintf(stderr, "pathio: no thread\n"), -1;
	}
	return 0;
}

static int run(const char *file, const char *ledgers, uint64_t blocks, char **words, int n)
{
	static struct path paths[PATHS_MAX];
	static struct worker workers[PATHS_MAX * LANES];
	struct state *s = state_map(file, true);
	sigset_t set;

	if (!s)
		return fprintf(stderr, "pathio: %s: %s\n", file, strerror(errno)), 1;
	for (int i = 0; i < n; i++) {
		paths[i].state = &s->path[i];
		if (path_open(&paths[i], words[i], ledgers, blocks))
			return 1;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->paths = (uint64_t)n;
	if (workers_start(workers, paths, n))
		return 1;
	s->magic = STATE_MAGIC;
	follow_signals(&set);
	for (int i = 0; i < n * LANES; i++)
		pthread_join(workers[i].thread, NULL);
	return 0;
}

static const char *error_text(int error, char *buf, size_t size)
{
	const char *name = error < 0x10000 ? strerrorname_np(error) : NULL;

	if (!error)
		return "-";
	if (name)
		return name;
	snprintf(buf, size, "host=%02x,status=%02x", (error >> 8) & 0xff, error & 0xff);
	return buf;
}

/* NAME LANE DONE FAILED ERROR IN-FLIGHT-SINCE ENDED, times in microseconds of CLOCK_MONOTONIC, 0: none. */
static int show(const char *file)
{
	const struct state *s = state_map(file, false);
	char text[32];

	if (!s || s->magic != STATE_MAGIC)
		return fprintf(stderr, "pathio: %s: no state\n", file), 1;
	for (uint64_t i = 0; i < s->paths && i < PATHS_MAX; i++) {
		for (int k = 0; k < LANES; k++) {
			const struct lane *l = &s->path[i].lane[k];

			printf("%.63s %s %" PRIu64 " %" PRIu64 " %s %" PRIu64 " %" PRIu64 "\n",
			       s->path[i].name, lanes[k].name, l->done, l->failed,
			       error_text(l->error, text, sizeof(text)), l->since_us, l->ended_us);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t blocks = argc > 5 ? strtoull(argv[4], NULL, 10) : 0;

	if (argc > 5 && !strcmp(argv[1], "run") && argc - 5 <= PATHS_MAX && blocks && blocks <= UINT32_MAX)
		return run(argv[2], argv[3], blocks, argv + 5, argc - 5);
	if (argc == 3 && !strcmp(argv[1], "show"))
		return show(argv[2]);
	return fprintf(stderr, "usage: %s run STATE LEDGERS BLOCKS NAME=DEVICE... | show STATE\n", argv[0]),
	       2;
}

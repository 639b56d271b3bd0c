/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands for vhbad before a vhba-io: holds what it is given, and starts another one when it dies.
 *
 *   iohold --every MS PROGRAM --socket PATH OPTION...
 *
 * PROGRAM is vhba-io; it listens at PATH, and is killed (SIGKILL) once in each MS milliseconds, at random; 0:
 * never. SIGHUP: it is killed now. Until SIGTERM, which ends both; then a line says how often it was killed,
 * and how long it took at most until the rings that ran were read again, and until a command was taken.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "holder.h"
#include "monotime.h"

/* Within the holder's lock. */
static struct {
	bool running, waits, waits_first; /* the device was killed while it ran, and hasn't come back */
	uint64_t killed;
	uint64_t worst, worst_first;
} seen;

static void worse(uint64_t *worst, const char *text)
{
	const char *at = strstr(text, "at=");
	uint64_t us = at ? strtoull(at + 3, NULL, 10) - seen.killed : 0;

	if (us > *worst)
		*worst = us;
}

static void on_event(const char *text)
{
	if (!strncmp(text, "state ", 6)) {
		seen.running = !strncmp(text + 6, "running", 7);
		if (seen.running && seen.waits)
			worse(&seen.worst, text);
		if (seen.running)
			seen.waits = false;
		else if (!strncmp(text + 6, "draining", 8))
			seen.waits_first = false; /* the guest was stopped meanwhile */
	} else if (!strncmp(text, "first ", 6)) {
		if (seen.waits_first)
			worse(&seen.worst_first, text);
		seen.waits_first = false;
	}
}

static void kill_one(struct holder *h)
{
	pthread_mutex_lock(&h->lock);
	seen.killed = mono_now().us;
	seen.waits = seen.waits_first = seen.running;
	if (h->pid)
		kill(h->pid, SIGKILL);
	pthread_mutex_unlock(&h->lock);
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1)) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* Returns the signal; 0: the time is over. */
static int wait_for(const sigset_t *s, uint64_t us)
{
	struct timespec t = {(time_t)(us / USEC_PER_SEC), (long)(us % USEC_PER_SEC * 1000)};
	int sig;

	do
		sig = sigtimedwait(s, NULL, &t);
	while (sig < 0 && errno == EINTR);
	return sig < 0 ? 0 : sig;
}

static unsigned kill_until_term(struct holder *h, const sigset_t *s, uint64_t every_us)
{
	unsigned kills = 0, seed = (unsigned)time(NULL);
	int sig = 0;

	while (sig != SIGTERM) {
		uint64_t at = every_us ? (uint64_t)rand_r(&seed) % every_us : 3600 * USEC_PER_SEC;

		sig = wait_for(s, at);
		if (sig != SIGTERM && (every_us || sig)) {
			kill_one(h);
			kills++;
		}
		if (!sig && every_us)
			sig = wait_for(s, every_us - at);
	}
	return kills;
}

int main(int argc, char **argv)
{
	static struct holder h;
	unsigned kills;
	sigset_t s;
	int code;

	if (argc < 6 || strcmp(argv[1], "--every") || strcmp(argv[4], "--socket")) {
		fputs("usage: iohold --every MS PROGRAM --socket PATH OPTION...\n", stderr);
		return 2;
	}
	sigemptyset(&s);
	sigaddset(&s, SIGTERM);
	sigaddset(&s, SIGHUP);
	sigprocmask(SIG_BLOCK, &s, NULL);
	h.program = argv[3];
	h.options = (const char *const *)(argv + 6);
	h.socket = listen_at(argv[5]);
	h.event = on_event;
	holder_begin(&h);
	kills = kill_until_term(&h, &s, strtoull(argv[2], NULL, 10) * USEC_PER_MSEC);
	code = holder_end(&h);
	printf("killed %u times: %llu us at most to running rings, %llu us to a command; exit code %d\n",
	       kills, (unsigned long long)seen.worst, (unsigned long long)seen.worst_first, code);
	return code;
}

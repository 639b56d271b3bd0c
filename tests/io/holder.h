/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What vhbad is to vhba-io: it starts it, holds what it is given, and starts another one to take over when it
 * dies. A thread of its own does so; a failure of the holder itself ends the program, with a word.
 */
#ifndef VHBA_TESTS_HOLDER_H
#define VHBA_TESTS_HOLDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HELD_MAX 128
#define HELD_BYTES 4096
#define HELD_FDS 8
#define HOLDER_ARGS 40

struct held {
	char key[64];
	char bytes[HELD_BYTES];
	size_t len;
	int fd[HELD_FDS];
	unsigned fds;
};

struct holder {
	const char *program;
	const char *const *options; /* NULL at its end; those of each start */
	int socket; /* what --socket-fd is; -1: what is connected comes with the entries */
	bool socket_once; /* only to the first one */
	void (*event)(const char *text); /* what follows "!event "; NULL: nobody wants it */
	void (*started)(pid_t pid, bool took_over);

	pthread_t thread;
	pthread_mutex_t lock; /* of all that follows */
	int control, stop; /* the stop is an eventfd */
	pid_t pid;
	unsigned starts;
	uint64_t died_us, went_us; /* the last one died; its successor was told to go. CLOCK_MONOTONIC. */
	int code; /* of the last one that ended by itself: exit code, or -signal */
	bool over; /* nobody is started any more */
	struct held held[HELD_MAX];
	unsigned n;
	char last[512]; /* event */
	unsigned events;
};

/* The fields above "thread" are set, the rest is zeros. Starts the first one. */
void holder_begin(struct holder *);

/* End the present one by SIGTERM, and the thread. Returns its exit code. */
int holder_end(struct holder *);

/* kill -9; returns at once. */
void holder_kill(struct holder *);

/* Until so many have been started. */
void holder_wait(struct holder *, unsigned starts);

/* Ask the present one. fds may be NULL. The reply is in a static buffer; "" when it died. */
const char *holder_ask(struct holder *, const char *request, const int *fds, unsigned n);

/* Until it has been told that an event has come that begins so, since count (holder_events). */
unsigned holder_events(struct holder *);

/* Forget the connection, and ask the present one for everything anew ("hold"): as vhbad that was killed does.
 */
void holder_anew(struct holder *);

/* How many entries there are of this key: 0 or 1. */
unsigned holder_has(struct holder *, const char *key);

#endif

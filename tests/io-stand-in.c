/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What vhbad starts in place of vhba-io in its own tests: speaks the control socket's words, keeps one
 * connection of a front end, serves no LUN.  A front end that sends a byte is told a line: the process, its
 * state, its gate, its LUNs with their paths (0: absent), how many entries it was given, its files, those
 * that are one path by itself, the order in which paths came, and how many attributes.
 *
 * A byte 'k' ends it as kill -9 would, 's' makes it leave commands behind when it stops, 'e' lets those end;
 * 'o' starts the rings, 'f' stops them while a log is kept; 'r' makes it refuse the next stop of vhbad's.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fdpass.h"

#define FRONT 3
#define CONTROL 4
#define LUNS 256
#define FDS_MAX 40

static int control = -1, conn = -1;
static unsigned paths[LUNS], attributes, kept, orphans, busy_at_stop, checks;
static char changed[64];
static bool absent[LUNS], by_itself[LUNS], closed, by_start, began, refuses;
static char state[16] = "stopped", files[1024], order[64];

static void say_fds(const char *text, size_t len, const int *fds, unsigned n)
{
	struct iovec iov = {(void *)text, len};
	FDPASS_ROOM(8) room;
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	fdpass_put(&h, &room, fds, n);
	sendmsg(control, &h, MSG_NOSIGNAL);
}

static void say(const char *text)
{
	say_fds(text, strlen(text), NULL, 0);
}

static void keep_all(void)
{
	static const char first[] = "!keep message.1\0as it came", second[] = "!keep conn\0";

	say_fds(first, sizeof(first) - 1, NULL, 0);
	if (conn >= 0)
		say_fds(second, sizeof(second) - 1, &conn, 1);
}

static void say_state(void)
{
	char text[64];

	snprintf(text, sizeof(text), "!event state %s busy=0 orphans=%u", state, orphans);
	say(text);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

/* In the place of an sd node there is a file of one character: the paths in their order. */
static void note_paths(const char *text, const int *fds)
{
	size_t at = strlen(order);

	attributes += count(text, ",dev_state") + count(text, ",access_state");
	for (const char *p = strchr(text, ','); p && at + 1 < sizeof(order); p = strchr(p + 1, ','), fds++)
		if (!strncmp(p, ",sd", 3) && pread(*fds, order + at, 1, 0) == 1)
			at++;
}

static void count_paths(const char *text, bool add, const int *fds, unsigned fds_n)
{
	unsigned number = (unsigned)atoi(text), n = count(text, ",sd,sg"), words = count(text, ",");
	bool none = strstr(text, ",absent"), each = strstr(text, ",paths=guest");

	if (words != fds_n + none + each || none != !n || (each && n > 1)) {
		say("error a word for each file descriptor is expected");
		return;
	}
	if (number >= LUNS || (add && (paths[number] || absent[number])) ||
	    (!add && !paths[number] && !absent[number])) {
		say(number < LUNS && absent[number] ? "error No such device or address"
						    : "error no such LUN, or it is there");
		return;
	}
	by_itself[number] = each;
	paths[number] = n;
	absent[number] = none;
	note_paths(text, fds);
	say("ok");
}

static void answer(char *text, ssize_t len, int *fds, unsigned n)
{
	if (!strncmp(text, "kept ", 5)) {
		kept++;
		if (!strcmp(text + 5, "conn") && n == 1)
			conn = dup(fds[0]);
		say(!strcmp(text + 5, "message.1") && (size_t)len != strlen(text) + 1 + 10 ? "error cut"
											   : "ok");
	} else if (!strcmp(text, "go")) {
		began = true;
		if (conn >= 0 && !closed)
			strcpy(state, "running");
		say("ok");
		keep_all();
	} else if (!strcmp(text, "hold")) {
		keep_all();
		say(conn >= 0 ? "ok 2" : "ok 1");
	} else if (!strncmp(text, "lun-add ", 8)) {
		if (strstr(text, ",fd,")) {
			paths[atoi(text + 8) % LUNS] = n;
			say("ok");
		} else {
			count_paths(text + 8, true, fds, n);
		}
	} else if (!strncmp(text, "lun-remove ", 11)) {
		paths[atoi(text + 11) % LUNS] = 0;
		say("ok");
	} else if (!strcmp(text, "lun-check")) {
		checks++;
		say("ok");
	} else if (!strncmp(text, "lun-changed ", 12)) {
		snprintf(changed, sizeof(changed), "%.60s", text + 12);
		say("ok");
	} else if (!strncmp(text, "lun-paths ", 10)) {
		count_paths(text + 10, false, fds, n);
	} else if (!strcmp(text, "stop") && refuses) {
		refuses = false;
		say("error not now");
	} else if (!strcmp(text, "stop")) {
		say("ok");
		orphans = busy_at_stop;
		strcpy(state, "stopped");
		say_state();
	} else if (!strcmp(text, "start")) {
		if (!closed)
			strcpy(state, "running");
		say("ok");
	} else if (!strncmp(text, "gate-open ", 10)) {
		closed = false;
		strcpy(state, "running");
		say("ok");
	} else if (!strcmp(text, "status")) {
		char reply[96];

		snprintf(reply, sizeof(reply), "ok %s busy=0 orphans=%u luns=0%s", state, orphans,
			 closed ? " waits=gate" : "");
		say(reply);
	} else if (!strcmp(text, "leave")) {
		say("ok");
		exit(0);
	} else {
		say("error unknown");
	}
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

static bool take_control(void)
{
	static char text[32768];
	struct iovec iov = {text, sizeof(text) - 1};
	FDPASS_ROOM(FDS_MAX) room;
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room)};
	ssize_t len = recvmsg(control, &h, MSG_CMSG_CLOEXEC);
	unsigned n;
	int fds[FDS_MAX];

	if (len <= 0)
		return false;
	n = fdpass_take(&h, fds, FDS_MAX);
	text[len] = '\0';
	answer(text, len, fds, n);
	return true;
}

static void tell_front(void)
{
	char line[2048], byte;
	size_t at;

	if (recv(conn, &byte, 1, 0) != 1) {
		close(conn);
		conn = -1;
		say("!drop conn");
		return;
	}
	if (byte == 'k')
		raise(SIGKILL);
	if (byte == 's')
		busy_at_stop = 3;
	if (byte == 'r')
		refuses = true;
	if (byte == 'o') {
		closed &= !by_start;
		say("!event rings on front=yes log=off at=1");
	}
	if (byte == 'f')
		say("!event rings off front=yes log=on at=1");
	if (byte == 'e') {
		orphans = busy_at_stop = 0;
		say_state();
	}
	at = (size_t)snprintf(line, sizeof(line), "%d %s %s kept=%u luns=", (int)getpid(), state,
			      closed ? "closed" : "open", kept);
	for (unsigned i = 0; i < LUNS; i++)
		if (paths[i] || absent[i])
			at += (size_t)snprintf(line + at, sizeof(line) - at, "%u:%u,", i, paths[i]);
	at += (size_t)snprintf(line + at, sizeof(line) - at, " files=%s checks=%u changed=%s", files, checks,
			       changed);
	at += (size_t)snprintf(line + at, sizeof(line) - at, " guest=");
	for (unsigned i = 0; i < LUNS; i++)
		if (by_itself[i])
			at += (size_t)snprintf(line + at, sizeof(line) - at, "%u,", i);
	at += (size_t)snprintf(line + at, sizeof(line) - at, " order=%s attributes=%u\n", order, attributes);
	send(conn, line, at, MSG_NOSIGNAL);
}

static void take_front(void)
{
	conn = accept(FRONT, NULL, NULL);
	if (conn < 0)
		return;
	if (!closed)
		strcpy(state, "running");
	keep_all();
	say("!event front connected");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		by_start |= !strcmp(argv[i], "--gate=start");
		closed |= by_start || !strcmp(argv[i], "--gate=closed");
		if (!strncmp(argv[i - 1], "--lun", 6))
			snprintf(files + strlen(files), sizeof(files) - strlen(files), "%s;", argv[i]);
		if (strstr(argv[i], "/dies"))
			return 1;
	}
	for (;;) {
		struct pollfd p[] = {{CONTROL, POLLIN, 0},
				     {control, POLLIN, 0},
				     {began && conn < 0 ? FRONT : -1, POLLIN, 0},
				     {began ? conn : -1, POLLIN, 0}};

		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return 1;
		if (p[0].revents) {
			if (control >= 0)
				close(control);
			control = accept(CONTROL, NULL, NULL);
			continue;
		}
		if (p[1].revents && !take_control()) {
			close(control);
			control = -1;
		}
		if (p[2].revents)
			take_front();
		if (p[3].revents)
			tell_front();
	}
}

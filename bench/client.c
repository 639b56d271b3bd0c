/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhbad's side of the measurements, over libvhba and without the start of a program in between (which costs
 * tens of milliseconds under emulation; bench/floor and bench/stop are one program each as well).
 *
 *   client attach|detach|resume-all SOCKET VM...
 *                      all of them at once
 *   client quiesce SOCKET DEADLINE-MS DRAIN-MS VM...
 *                      all of them at once; says on stderr how many are confirmed
 *                      and fails when an answer is late
 *   client resume SOCKET VM -- DISK...
 *                      resume it, then read a block of each disk
 *   client move FROM TO VM
 *                      release on one socket, attach on another
 *                      the VM is held there and imported here; says the whole, the release and the attach
 *   client register SOCKET COUNT
 *                      register VMs named n1, n2, ...
 *   client watch SOCKET
 *                      ask for the status, and some time after its answer again, until SIGTERM
 *   client echo          the same of a process of its own that does nothing but answer
 *
 * Prints microseconds on stdout: from the first request until the last answer; of watch and echo, the longest
 * that an answer took.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "first-read.h"
#include "load-pause.h"
#include "monotime.h"
#include <vhba/vhba.h>

#define CLIENTS_MAX 256
#define ASK_US (6 * USEC_PER_MSEC)
#define ASK_TIMES 3
#define DEADLINE_US (300 * USEC_PER_SEC)
#define LATE_US (50 * USEC_PER_MSEC) /* beyond the deadline: the way there and back under emulation */

static int complain(const struct vhba_error *e)
{
	char line[800];

	fprintf(stderr, "client: %s\n", vhba_error_line(e, line, sizeof(line)));
	return 1;
}

/* What is asked of each of many VMs, and what came of it. */
struct batch {
	const char *method;
	const char *more; /* members of the parameters, each with a comma before it */
	uint64_t deadline_us;
	struct vhba_conn *conn[CLIENTS_MAX];
	int n, failed, confirmed, late;
	struct monotime start;
};

static int batch_send(struct batch *b, const char *socket, char **vms)
{
	struct vhba_error e = {0};
	char text[240];

	for (int i = 0; i < b->n; i++)
		if (vhba_connect(socket, &b->conn[i], &e))
			return complain(&e);
	load_pause();
	b->start = mono_now();
	for (int i = 0; i < b->n; i++) {
		snprintf(text, sizeof(text), "{\"vm\":\"%s\",\"deadline_us\":%" PRIu64 "%s}", vms[i],
			 b->deadline_us, b->more);
		if (vhba_send(b->conn[i], b->method, text, 0, &e))
			return complain(&e);
	}
	return 0;
}

/* The operation's own outcome comes before those of its phases. */
static bool is_confirmed(const char *result)
{
	static const char outcome[] = "\"outcome\":\"";
	const char *p = strstr(result, outcome);

	return p && !strncmp(p + sizeof(outcome) - 1, "confirmed\"", 10);
}

static void batch_take(struct batch *b, const struct vhba_reply *reply)
{
	b->late += mono_since(mono_now(), b->start) > b->deadline_us + LATE_US;
	if (reply->kind == VHBA_REPLY_ERROR)
		b->failed += complain(&reply->error);
	else if (strstr(reply->parameters, "\"outcome\":\"failed\""))
		b->failed += fprintf(stderr, "client: %s\n", reply->parameters) > 0;
	else
		b->confirmed += is_confirmed(reply->parameters);
}

/* One connection whose time has come; true: it is answered. */
static int batch_step(struct batch *b, int i)
{
	struct vhba_error e = {0};
	struct vhba_reply reply;

	if (vhba_process(b->conn[i], &e))
		return -complain(&e);
	if (vhba_receive(b->conn[i], &reply, &e) <= 0)
		return 0;
	batch_take(b, &reply);
	vhba_close(b->conn[i]);
	b->conn[i] = NULL;
	return 1;
}

/* Sends one request on each connection, waits for all. */
static int batch_run(struct batch *b, const char *socket, char **vms, int n)
{
	struct pollfd fds[CLIENTS_MAX];
	int waiting = n;

	if (n < 1 || n > CLIENTS_MAX)
		return fprintf(stderr, "client: expected 1 to %d VMs, seen %d\n", CLIENTS_MAX, n), 2;
	b->n = n;
	if (batch_send(b, socket, vms))
		return 1;
	while (waiting) {
		for (int i = 0; i < n; i++)
			fds[i] = (struct pollfd){b->conn[i] ? vhba_fd(b->conn[i]) : -1,
						 b->conn[i] ? vhba_events(b->conn[i]) : 0, 0};
		if (poll(fds, (nfds_t)n, -1) < 0)
			return 1;
		for (int i = 0; i < n; i++) {
			int r = b->conn[i] && fds[i].revents ? batch_step(b, i) : 0;

			if (r < 0)
				return 1;
			waiting -= r;
		}
	}
	printf("%" PRIu64 "\n", mono_since(mono_now(), b->start));
	return b->failed != 0;
}

static int all_at_once(const char *socket, const char *method, char **vms, int n)
{
	struct batch b = {.method = method, .more = "", .deadline_us = DEADLINE_US};

	return batch_run(&b, socket, vms, n);
}

static int quiesce(const char *socket, char **argv, int argc)
{
	char more[80];
	struct batch b = {.method = "quiesce",
			  .more = more,
			  .deadline_us = strtoull(argv[0], NULL, 10) * USEC_PER_MSEC};
	int r;

	snprintf(more, sizeof(more), ",\"paused\":true,\"drain_us\":%" PRIu64,
		 (uint64_t)(strtoull(argv[1], NULL, 10) * USEC_PER_MSEC));
	r = batch_run(&b, socket, argv + 2, argc - 2);
	fprintf(stderr, "%d asked, %d confirmed, %d failed, %d late\n", argc - 2, b.confirmed, b.failed,
		b.late);
	return r || b.late;
}

static int resume(const char *socket, const char *vm, char **disks, int n)
{
	struct vhba_result result = {0};
	struct vhba_conn *conn;
	struct vhba_error e = {0};
	struct monotime start;
	int failed;

	if (vhba_connect(socket, &conn, &e))
		return complain(&e);
	start = mono_now();
	if (vhba_resume(conn, vm, DEADLINE_US, &result, &e))
		return complain(&e);
	failed = first_reads(disks, n);
	printf("%" PRIu64 "\n", mono_since(mono_now(), start));
	vhba_result_clear(&result);
	vhba_close(conn);
	return failed != 0;
}

static volatile sig_atomic_t told_to_end;

static void on_term(int sig)
{
	(void)sig;
	told_to_end = 1;
}

/* Asks, and some time after the answer again, until SIGTERM. */
static int watch_each(int (*ask)(void *), void *arg)
{
	uint64_t longest = 0;
	unsigned long count = 0;

	signal(SIGTERM, on_term);
	for (; !told_to_end; count++) {
		struct monotime asked = mono_now();
		uint64_t took;

		if (ask(arg))
			return 1;
		took = mono_since(mono_now(), asked);
		longest = took > longest ? took : longest;
		/* vhbad lets one who asks again at once wait for its turn: see control.c. */
		usleep((useconds_t)(ASK_TIMES * took + ASK_US));
	}
	printf("%" PRIu64 "\n", longest);
	fprintf(stderr, "%lu answers\n", count);
	return 0;
}

static int ask_status(void *conn)
{
	struct vhba_error e = {0};

	return vhba_call(conn, "status", NULL, DEADLINE_US, NULL, &e) ? complain(&e) : 0;
}

static int watch(const char *socket)
{
	struct vhba_conn *conn;
	struct vhba_error e = {0};
	int r;

	if (vhba_connect(socket, &conn, &e))
		return complain(&e);
	r = watch_each(ask_status, conn);
	vhba_close(conn);
	return r;
}

static int ask_echo(void *fd)
{
	char byte = 0;

	return send(*(int *)fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(*(int *)fd, &byte, 1, 0) != 1;
}

/* What the machine takes: a process of vhbad's priority that does nothing else. */
static int echo(void)
{
	struct sched_param usual = {0};
	int fd[2], r;
	pid_t pid;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) || (pid = fork()) < 0)
		return perror("client"), 1;
	if (!pid) {
		close(fd[0]);
		sched_setscheduler(0, SCHED_OTHER, &usual);
		while (recv(fd[1], &byte, 1, 0) == 1 && send(fd[1], &byte, 1, MSG_NOSIGNAL) == 1)
			;
		_exit(0);
	}
	close(fd[1]);
	r = watch_each(ask_echo, &fd[0]);
	close(fd[0]);
	waitpid(pid, NULL, 0);
	return r;
}

static int move(const char *from, const char *to, const char *vm)
{
	struct vhba_result released = {0}, attached = {0};
	struct vhba_conn *a, *b;
	struct vhba_error e = {0};
	struct monotime start, left;
	int r;

	if (vhba_connect(from, &a, &e) || vhba_connect(to, &b, &e))
		return complain(&e);
	start = mono_now();
	r = vhba_release(a, vm, DEADLINE_US, VHBA_MOVED, &released, &e);
	left = mono_now();
	if (!r && released.outcome == VHBA_OUTCOME_CONFIRMED)
		r = vhba_attach(b, vm, DEADLINE_US, 0, &attached, &e);
	if (r || !attached.json || attached.outcome != VHBA_OUTCOME_DONE) {
		fprintf(stderr, "client: release %s\n", released.json ? released.json : "-");
		fprintf(stderr, "client: attach %s\n", attached.json ? attached.json : "-");
		return complain(&e);
	}
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", mono_since(mono_now(), start),
	       mono_since(left, start), mono_since(mono_now(), left));
	vhba_result_clear(&released);
	vhba_result_clear(&attached);
	vhba_close(a);
	vhba_close(b);
	return 0;
}

static int register_many(const char *socket, unsigned long count)
{
	struct vhba_conn *conn;
	struct vhba_error e = {0};
	struct monotime start;
	char text[200];

	if (vhba_connect(socket, &conn, &e))
		return complain(&e);
	start = mono_now();
	for (unsigned long i = 1; i <= count; i++) {
		snprintf(text, sizeof(text),
			 "{\"name\":\"n%lu\",\"uuid\":\"00000000-0000-4000-8000-%012lx\"}", i, i);
		if (vhba_call(conn, "vm.Add", text, DEADLINE_US, NULL, &e))
			return complain(&e);
	}
	printf("%" PRIu64 "\n", mono_since(mono_now(), start));
	vhba_close(conn);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 4 && (!strcmp(argv[1], "attach") || !strcmp(argv[1], "detach")))
		return all_at_once(argv[2], argv[1], argv + 3, argc - 3);
	if (argc >= 4 && !strcmp(argv[1], "resume-all"))
		return all_at_once(argv[2], "resume", argv + 3, argc - 3);
	if (argc == 5 && !strcmp(argv[1], "move"))
		return move(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(argv[1], "register"))
		return register_many(argv[2], strtoul(argv[3], NULL, 10));
	if (argc >= 6 && !strcmp(argv[1], "quiesce"))
		return quiesce(argv[2], argv + 3, argc - 3);
	if (argc >= 6 && !strcmp(argv[1], "resume") && !strcmp(argv[4], "--"))
		return resume(argv[2], argv[3], argv + 5, argc - 5);
	if (argc == 3 && !strcmp(argv[1], "watch"))
		return watch(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "echo"))
		return echo();
	fprintf(stderr,
		"usage: %s attach|detach|quiesce|resume|move|register|watch SOCKET ..., or echo: see the "
		"head "
		"of client.c\n",
		argv[0]);
	return 2;
}

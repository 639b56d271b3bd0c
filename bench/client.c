/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vhbad's side of the measurements, over libvhba and without the start of a program in between (which costs
 * tens of milliseconds under emulation; bench/floor is one program as well).
 *
 *   client attach SOCKET VM...     attach all of them at once
 *   client detach SOCKET VM...     detach all of them at once
 *   client move FROM TO VM         release on one socket, attach on another; the VM is held there and
 * imported here client register SOCKET COUNT   register VMs named n1, n2, ...
 *
 * Prints microseconds on stdout: from the first request until the last answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "monotime.h"
#include <vhba/vhba.h>

#define CLIENTS_MAX 64
#define DEADLINE_US (300 * USEC_PER_SEC)

static int complain(const struct vhba_error *e)
{
	char line[800];

	fprintf(stderr, "client: %s\n", vhba_error_line(e, line, sizeof(line)));
	return 1;
}

/* Sends one request on each connection, waits for all. */
static int all_at_once(const char *socket, const char *method, char **vms, int n)
{
	struct vhba_conn *conn[CLIENTS_MAX];
	struct pollfd fds[CLIENTS_MAX];
	int waiting = n, failed = 0;
	struct vhba_error e = {0};
	struct vhba_reply reply;
	struct monotime start;
	char text[160];

	if (n < 1 || n > CLIENTS_MAX)
		return fprintf(stderr, "client: expected 1 to %d VMs, seen %d\n", CLIENTS_MAX, n), 2;
	for (int i = 0; i < n; i++)
		if (vhba_connect(socket, &conn[i], &e))
			return complain(&e);
	start = mono_now();
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "{\"vm\":\"%s\",\"deadline_us\":%" PRIu64 "}", vms[i],
			 DEADLINE_US);
		if (vhba_send(conn[i], method, text, 0, &e))
			return complain(&e);
	}
	while (waiting) {
		for (int i = 0; i < n; i++)
			fds[i] = (struct pollfd){conn[i] ? vhba_fd(conn[i]) : -1,
						 conn[i] ? vhba_events(conn[i]) : 0, 0};
		if (poll(fds, (nfds_t)n, -1) < 0)
			return 1;
		for (int i = 0; i < n; i++) {
			if (!conn[i] || !fds[i].revents)
				continue;
			if (vhba_process(conn[i], &e))
				return complain(&e);
			if (vhba_receive(conn[i], &reply, &e) <= 0)
				continue;
			if (reply.kind == VHBA_REPLY_ERROR)
				failed |= complain(&reply.error);
			else if (strstr(reply.parameters, "\"outcome\":\"failed\""))
				failed |= fprintf(stderr, "client: %s\n", reply.parameters) > 0;
			vhba_close(conn[i]);
			conn[i] = NULL;
			waiting--;
		}
	}
	printf("%" PRIu64 "\n", mono_since(mono_now(), start));
	return failed;
}

static int move(const char *from, const char *to, const char *vm)
{
	struct vhba_result released = {0}, attached = {0};
	struct vhba_conn *a, *b;
	struct vhba_error e = {0};
	struct monotime start;
	int r;

	if (vhba_connect(from, &a, &e) || vhba_connect(to, &b, &e))
		return complain(&e);
	start = mono_now();
	r = vhba_release(a, vm, DEADLINE_US, VHBA_MOVED, &released, &e);
	if (!r && released.outcome == VHBA_OUTCOME_CONFIRMED)
		r = vhba_attach(b, vm, DEADLINE_US, 0, &attached, &e);
	if (r || !attached.json || attached.outcome != VHBA_OUTCOME_DONE) {
		fprintf(stderr, "client: release %s\n", released.json ? released.json : "-");
		fprintf(stderr, "client: attach %s\n", attached.json ? attached.json : "-");
		return complain(&e);
	}
	printf("%" PRIu64 "\n", mono_since(mono_now(), start));
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
	if (argc == 5 && !strcmp(argv[1], "move"))
		return move(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(argv[1], "register"))
		return register_many(argv[2], strtoul(argv[3], NULL, 10));
	fprintf(stderr, "usage: %s attach|detach SOCKET VM... | move FROM TO VM | register SOCKET COUNT\n",
		argv[0]);
	return 2;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fabricd: options, configuration, and the loop that joins the fabric to its ports and its control socket. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <json-c/json.h>

#include "cleanup.h"
#include "control.h"
#include "fabric.h"
#include "monotime.h"
#include "poll.h"
#include "portio.h"
#include "trace.h"

struct options {
	const char *config, *socket, *log, *trace, *lines;
	int ready_fd;
};

struct daemon {
	struct fabric *fabric;
	struct portio *io;
	struct control *control;
	struct trace *trace;
	FILE *log;
	int epfd, signal_fd;
};

static void usage(FILE *to)
{
	fprintf(to, "usage: fabricd --socket PATH [--config FILE] [--log FILE] [--trace FILE.pcapng]\n"
		    "               [--print-frames FILE] [--ready-fd N]\n"
		    "FILE may be - for standard output; the log goes to standard error without --log. The "
		    "configuration is a list of fabricctl commands.\n");
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"socket", required_argument, NULL, 's'},
		{"log", required_argument, NULL, 'l'},
		{"trace", required_argument, NULL, 't'},
		{"print-frames", required_argument, NULL, 'p'},
		{"ready-fd", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int k;

	*o = (struct options){.ready_fd = -1};
	while ((k = getopt_long(argc, argv, "h", longs, NULL)) >= 0) {
		if (k == 'c')
			o->config = optarg;
		else if (k == 's')
			o->socket = optarg;
		else if (k == 'l')
			o->log = optarg;
		else if (k == 't')
			o->trace = optarg;
		else if (k == 'p')
			o->lines = optarg;
		else if (k == 'r')
			o->ready_fd = atoi(optarg);
		else if (k == 'h')
			return usage(stdout), 1;
		else
			return usage(stderr), -1;
	}
	if (optind < argc || !o->socket)
		return usage(stderr), -1;
	return 0;
}

static void write_log(struct daemon *d)
{
	const char *line;

	while ((line = fabric_log_line(d->fabric)))
		fprintf(d->log, "%s\n", line);
	fflush(d->log);
}

/* One command, also for the ports that it may have made. */
static bool command(struct daemon *d, const char *line, struct json_object **reply)
{
	uint64_t now = mono_now().us;
	bool good = fabric_command(d->fabric, line, reply, now);
	char err[256];

	if (portio_sync(d->io, now, err, sizeof(err))) {
		json_object_object_add(*reply, "text", json_object_new_string(err));
		good = false;
	}
	json_object_object_add(*reply, "ok", json_object_new_boolean(good));
	return good;
}

static const char *text_of(struct json_object *reply)
{
	struct json_object *text;

	return json_object_object_get_ex(reply, "text", &text) ? json_object_get_string(text) : "";
}

static int configure(struct daemon *d, const char *path)
{
	AUTO_FILE FILE *in = fopen(path, "re");
	AUTO_FREE char *line = NULL;
	size_t room = 0;
	unsigned n = 0;

	if (!in) {
		fprintf(stderr, "fabricd: %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (getline(&line, &room, in) >= 0) {
		struct json_object *reply;
		bool good = command(d, line, &reply);

		n++;
		if (!good)
			fprintf(stderr, "fabricd: %s:%u: %s\n", path, n, text_of(reply));
		json_object_put(reply);
		if (!good)
			return -1;
	}
	return 0;
}

static int open_signals(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signal_fd < 0 ? -1
				: poll_set(d->epfd, EPOLL_CTL_ADD, d->signal_fd, EPOLLIN, POLL_SIGNAL, 0);
}

static int start(struct daemon *d, const struct options *o)
{
	const char *failed = "start";

	d->log = !o->log ? stderr : strcmp(o->log, "-") ? fopen(o->log, "we") : stdout;
	if (!d->log) {
		fprintf(stderr, "fabricd: %s: %s\n", o->log, strerror(errno));
		return -1;
	}
	d->epfd = epoll_create1(EPOLL_CLOEXEC);
	d->fabric = fabric_new();
	d->trace = trace_open(o->trace, o->lines, &failed);
	if (!d->trace || d->epfd < 0 || !d->fabric || open_signals(d) ||
	    !(d->io = portio_new(d->fabric, d->trace, d->epfd))) {
		fprintf(stderr, "fabricd: %s: %s\n", failed ? failed : "start", strerror(errno));
		return -1;
	}
	if (o->config && configure(d, o->config))
		return -1;
	d->control = control_open(o->socket, d->epfd);
	if (!d->control) {
		fprintf(stderr, "fabricd: %s: %s\n", o->socket, strerror(errno));
		return -1;
	}
	if (o->ready_fd >= 0) {
		if (write(o->ready_fd, "READY=1\n", 8) != 8)
			fprintf(stderr, "fabricd: ready-fd %d: %s\n", o->ready_fd, strerror(errno));
		close(o->ready_fd);
	}
	return 0;
}

static void serve_control(struct daemon *d)
{
	const char *line;
	uint32_t client;

	while ((line = control_next(d->control, &client))) {
		struct json_object *reply;

		command(d, line, &reply);
		control_reply(d->control, client,
			      json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
		json_object_put(reply);
	}
}

/* False: to end. */
static bool dispatch(struct daemon *d, uint64_t data, uint64_t now)
{
	uint32_t number = (uint32_t)data;

	switch ((enum poll_room)(data >> 32)) {
	case POLL_SIGNAL:
		return false;
	case POLL_LINKS:
		portio_links(d->io, now);
		break;
	case POLL_PORT:
		portio_readable(d->io, number, now);
		break;
	case POLL_LISTEN:
		portio_accept(d->io, number, now);
		break;
	case POLL_CONTROL:
		control_accept(d->control);
		break;
	case POLL_CLIENT:
		control_ready(d->control, number);
		serve_control(d);
		break;
	}
	return true;
}

/* Milliseconds until the fabric wants to run, rounded up; -1: never. */
static int wait_ms(struct daemon *d)
{
	uint64_t at = fabric_deadline(d->fabric), now = mono_now().us;

	if (at == UINT64_MAX)
		return -1;
	if (at <= now)
		return 0;
	at = (at - now + 999) / 1000;
	return at > 3600000 ? 3600000 : (int)at;
}

static void loop(struct daemon *d)
{
	struct epoll_event events[32];

	for (;;) {
		uint64_t now = mono_now().us;
		int n;

		if (fabric_deadline(d->fabric) <= now)
			fabric_run(d->fabric, now);
		portio_flush(d->io, now);
		write_log(d);
		trace_flush(d->trace);
		n = epoll_wait(d->epfd, events, 32, wait_ms(d));
		now = mono_now().us;
		for (int i = 0; i < n; i++) {
			if (!dispatch(d, events[i].data.u64, now))
				return;
			portio_flush(d->io, now);
		}
	}
}

int main(int argc, char **argv)
{
	struct daemon d = {.epfd = -1, .signal_fd = -1};
	struct options o;
	int r = parse(argc, argv, &o);

	if (r)
		return r < 0 ? 2 : 0;
	r = start(&d, &o);
	if (!r)
		loop(&d);
	if (d.fabric)
		write_log(&d);
	control_close(d.control);
	portio_free(d.io);
	trace_close(d.trace);
	fabric_free(d.fabric);
	cleanup_fd(&d.signal_fd);
	cleanup_fd(&d.epfd);
	return r ? 1 : 0;
}

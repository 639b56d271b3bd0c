/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend.h"
#include "cleanup.h"
#include "fdpass.h"
#include "lun_option.h"
#include "server.h"

static void die(const char *what)
{
	printf("Bail out! back end: %s\n", what);
	fflush(stdout);
	abort();
}

int backend_file(const char *folder, unsigned lun)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/lun%u", folder, lun);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path);
	return fd;
}

static void add_lun(struct device *d, const char *folder, unsigned n, const char *more)
{
	const struct lun_source from = {.files = true};
	int fd = backend_file(folder, n);
	struct verror e;
	char text[512];
	struct lun *l;

	if (lseek(fd, 0, SEEK_END) == 0 && ftruncate(fd, BACKEND_DISK_SIZE))
		die("a file's size");
	close(fd);
	snprintf(text, sizeof(text), "%u,file=%s/lun%u,serial=ut%u,state=%s/state%u%s", n, folder, n, n,
		 folder, n, more);
	l = lun_parse(text, &from, &e);
	if (!l || device_lun_add(d, l))
		die(l ? "a LUN" : e.what);
}

static void add_unit(struct device *d, struct unit *u, unsigned n)
{
	struct lun *l = u ? lun_new((uint16_t)n, u) : NULL;

	if (!l || device_lun_add(d, l))
		die("a LUN");
}

struct served {
	struct server_config config;
	struct device *device;
};

static void *serve(void *arg)
{
	AUTO_FREE struct served *s = arg;

	return (void *)(intptr_t)server_run(&s->config, s->device);
}

int backend_start(struct backend *b, const struct backend_options *o)
{
	struct device_config c = {
		.type = o->type ? o->type : &device_type_scsi,
		.workers = o->workers ? o->workers : 1,
		.blocking = 4,
		.poll_us = o->poll_us,
		.deadline_us = o->deadline_us ? o->deadline_us : 60 * USEC_PER_SEC,
		.nexus = 0x2100000000000001,
		.commands_per_second = o->commands_per_second,
		.bytes_per_second = o->bytes_per_second,
		.burst_us = 10 * USEC_PER_MSEC,
	};
	struct served *s = calloc(1, sizeof(*s));
	int pair[2], control[2];
	struct verror e;

	if (!s || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control))
		die("socketpair");
	b->device = device_new(&c, &e);
	if (!b->device)
		die(e.what);
	for (unsigned i = 0; i < o->luns; i++) {
		if (o->unit)
			add_unit(b->device, o->unit(o->folder, i), i);
		else
			add_lun(b->device, o->folder, i, o->lun ? o->lun : o->direct && !i ? ",direct" : "");
	}
	b->front = pair[0];
	b->control = control[0];
	s->config = (struct server_config){
		.listen = -1, .conn = pair[1], .control = control[1], .control_listen = -1, .signals = -1};
	s->device = b->device;
	if (pthread_create(&b->thread, NULL, serve, s))
		die("thread");
	return b->front;
}

void backend_serve(struct backend *b, int conn, int control_listen)
{
	struct served *s = calloc(1, sizeof(*s));

	if (!s)
		die("no memory");
	s->config = (struct server_config){
		.listen = -1, .conn = conn, .control = -1, .control_listen = control_listen, .signals = -1};
	s->device = b->device;
	if (pthread_create(&b->thread, NULL, serve, s))
		die("thread");
}

void backend_end(struct backend *b)
{
	void *result;

	pthread_join(b->thread, &result);
	b->result = (int)(intptr_t)result;
	device_free(b->device);
	cleanup_fd(&b->control);
}

static void receive(struct backend *b, char *text, size_t size)
{
	struct pollfd p = {b->control, POLLIN, 0};
	ssize_t n = poll(&p, 1, FRONT_PATIENCE_MS) == 1 ? recv(b->control, text, size - 1, 0) : -1;

	if (n < 0)
		die("the control socket");
	text[n] = '\0';
}

const char *backend_ask(struct backend *b, const char *request, int fd)
{
	static char reply[1024];
	struct iovec iov = {(void *)(uintptr_t)request, strlen(request)};
	FDPASS_ROOM(1) control;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	fdpass_put(&m, &control, &fd, fd >= 0);
	if (sendmsg(b->control, &m, MSG_NOSIGNAL) < 0)
		die("the control socket");
	do
		receive(b, reply, sizeof(reply));
	while (*reply == '!'); /* unasked */
	return reply;
}

void backend_event(struct backend *b, const char *event)
{
	char text[1024];

	do
		receive(b, text, sizeof(text));
	while (strcmp(text, event));
}

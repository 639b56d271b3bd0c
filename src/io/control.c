/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "control.h"
#include "log.h"
#include "lun_option.h"

#define FDS_MAX 2

struct request {
	struct device *device;
	char *argument; /* NULL: none */
	int *fds;
	unsigned n;
	char *reply;
	size_t size;
};

static void say(const struct request *r, int err)
{
	snprintf(r->reply, r->size, err ? "error %s" : "ok", strerror(-err));
}

static void lun_add(const struct request *r)
{
	struct lun_source from = {.fds = r->fds, .n = r->n};
	struct verror e;
	char line[640];
	struct lun *l = lun_parse(r->argument, &from, &e);
	int err;

	if (!l) {
		snprintf(r->reply, r->size, "error %s", verror_line(&e, line, sizeof(line)));
		return;
	}
	err = device_lun_add(r->device, l);
	if (err)
		lun_free(l);
	say(r, err);
}

static void lun_remove(const struct request *r)
{
	char *end;
	unsigned long n = strtoul(r->argument, &end, 10);

	say(r, *end || end == r->argument || n >= LUN_NUMBERS ? -EINVAL
							      : device_lun_remove(r->device, (unsigned)n));
}

static void lun_check(const struct request *r)
{
	say(r, device_lun_check(r->device));
}

static void stop(const struct request *r)
{
	device_hold(r->device);
	say(r, 0);
}

static void start(const struct request *r)
{
	device_go_on(r->device);
	say(r, 0);
}

static void status(const struct request *r)
{
	const struct device *d = r->device;

	unsigned orphans = device_orphans(d);

	snprintf(r->reply, r->size, "ok %s busy=%u orphans=%u luns=%u%s", device_state_name(d->state),
		 device_busy(d), orphans, d->luns->n,
		 d->state == DEVICE_STOPPED && orphans ? " unconfirmed" : "");
}

/* What was counted, from the shortest on: "<64us=12" are those that took less, and no less than half of it.
 */
static void latency(const struct request *r)
{
	const struct lun_table *luns = r->device->luns;
	char *end;
	unsigned long number = strtoul(r->argument, &end, 10);
	const struct lun *l = NULL;
	size_t at;

	if (!*end && end != r->argument && number < LUN_NUMBERS)
		l = luns->lun[number];
	if (!l) {
		say(r, -ENOENT);
		return;
	}
	at = (size_t)snprintf(r->reply, r->size, "ok");
	for (unsigned b = 0; b < LATENCY_BUCKETS && at < r->size; b++) {
		uint64_t n = latency_count(&l->latency, b);
		bool last = b == LATENCY_BUCKETS - 1;

		if (n)
			at += (size_t)snprintf(r->reply + at, r->size - at, " %s%luus=%" PRIu64,
					       last ? ">=" : "<", 1ul << (last ? b - 1 : b), n);
	}
}

static const struct {
	const char *word;
	bool argument;
	void (*run)(const struct request *);
} requests[] = {
	{"lun-add", true, lun_add}, {"lun-remove", true, lun_remove}, {"lun-check", false, lun_check},
	{"stop", false, stop},	    {"start", false, start},	      {"status", false, status},
	{"latency", true, latency},
};

void control_answer(struct device *d, char *text, int *fds, unsigned n, char *reply, size_t size)
{
	struct request r = {d, strchr(text, ' '), fds, n, reply, size};

	if (r.argument)
		*r.argument++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (strcmp(text, requests[i].word) || requests[i].argument != !!r.argument)
			continue;
		requests[i].run(&r);
		return;
	}
	say(&r, -EINVAL);
}

static unsigned take_fds(struct msghdr *h, int *fds)
{
	unsigned n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (n < FDS_MAX)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

int control_run(int fd, struct device *d)
{
	char text[CONTROL_MESSAGE_MAX + 1], reply[CONTROL_MESSAGE_MAX];
	union {
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {text, CONTROL_MESSAGE_MAX};
	struct msghdr h = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.room,
			   .msg_controllen = sizeof(control.room)};
	int fds[FDS_MAX] = {-1, -1};
	ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	unsigned got;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n)
		return -ECONNRESET;
	got = take_fds(&h, fds);
	text[n] = '\0';
	if (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		snprintf(reply, sizeof(reply), "error the request is too long");
	else
		control_answer(d, text, fds, got, reply, sizeof(reply));
	for (unsigned i = 0; i < FDS_MAX; i++)
		cleanup_fd(&fds[i]);
	return send(fd, reply, strlen(reply), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

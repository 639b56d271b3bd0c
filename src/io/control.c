/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "fdpass.h"
#include "control.h"
#include "log.h"
#include "lun_option.h"
#include "vhost_keep.h"

struct request {
	struct service *service;
	struct control *control;
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

static void with_lun(const struct request *r, int (*use)(struct device *, struct lun *))
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
	err = use(r->device, l);
	if (err)
		lun_free(l);
	say(r, err);
}

static void lun_add(const struct request *r)
{
	with_lun(r, device_lun_add);
}

static void lun_paths(const struct request *r)
{
	with_lun(r, device_lun_replace);
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
	device_lun_check(r->device);
	say(r, 0);
}

static void lun_changed(const struct request *r)
{
	char *end;
	unsigned long n = strtoul(r->argument, &end, 10);

	say(r, *end || end == r->argument || n >= LUN_NUMBERS ? -EINVAL
							      : device_lun_changed(r->device, (unsigned)n));
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

/* What holds the rings up, if they wait. */
static const char *waits(const struct device *d)
{
	if (d->state != DEVICE_STOPPED || !d->barred)
		return d->lock_said ? " waits=lock" : "";
	return d->bars & BAR_GATE ? " waits=gate" : d->bars & BAR_HELD ? " waits=hold" : " waits=go";
}

static void status(const struct request *r)
{
	const struct device *d = r->device;

	unsigned usable, by_bsg, paths = device_paths(d, &usable, &by_bsg);
	char of_paths[64] = "";
	int n = 0;

	if (by_bsg)
		n = snprintf(of_paths, sizeof(of_paths), " bsg=%u", by_bsg);
	if (paths)
		snprintf(of_paths + n, sizeof(of_paths) - (size_t)n, " paths=%u/%u", usable, paths);
	snprintf(r->reply, r->size, "ok %s busy=%u orphans=%u luns=%u%s%s%s", device_state_name(d->state),
		 device_busy(d), device_orphans(d), d->luns->n, of_paths, waits(d),
		 device_unconfirmed(d) ? " unconfirmed" : "");
}

static void gate_open(const struct request *r)
{
	static const char *const reasons[] = {"confirmed", "fenced", "preempted", "operator"};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strcmp(r->argument, reasons[i]))
			continue;
		log_notice("the gate is opened: %s", reasons[i]);
		device_bar(r->device, BAR_GATE, false);
		say(r, 0);
		return;
	}
	snprintf(r->reply, r->size, "error expected confirmed, fenced, preempted or operator");
}

/* ---- predecessor and successor ---- */

static void hold(const struct request *r)
{
	keep_again(&r->service->keep);
	r->control->hold_owed = true;
}

static void leave(const struct request *r)
{
	r->service->leaving = true;
	device_leave(r->device);
}

static void go(const struct request *r)
{
	if (!r->service->taking_over) {
		snprintf(r->reply, r->size, "error this vhba-io doesn't take over, or has done so");
		return;
	}
	if (r->device->config.type->luns == 1 && !r->device->luns->n) {
		snprintf(r->reply, r->size, "error the device has no LUN");
		return;
	}
	r->service->go = true;
	say(r, 0);
}

static void kept(const struct request *r, const char *text, size_t size)
{
	const char *why = "a key and bytes are expected, before 'go'", *key;
	const uint8_t *bytes;
	size_t len;
	int err = -EINVAL;

	key = keep_parse(text, size, &bytes, &len);
	if (key && r->service->taking_over && r->n <= KEEP_FDS_MAX)
		err = vu_restore(&r->service->front, key, bytes, len, r->fds, r->n, &why);
	if (err)
		snprintf(r->reply, r->size, "error '%s' is refused: %s: %s", key ? key : "", why,
			 strerror(-err));
	else
		say(r, 0);
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
	{"lun-add", true, lun_add},
	{"lun-remove", true, lun_remove},
	{"lun-check", false, lun_check},
	{"stop", false, stop},
	{"start", false, start},
	{"status", false, status},
	{"lun-paths", true, lun_paths},
	{"latency", true, latency},
	{"gate-open", true, gate_open},
	{"lun-changed", true, lun_changed},
	{"hold", false, hold},
	{"leave", false, leave},
	{"go", false, go},
};

void control_answer(struct control *c, struct service *s, size_t size, int *fds, unsigned n, char *reply,
		    size_t reply_size)
{
	struct request r = {s, c, s->device, NULL, fds, n, reply, reply_size};

	*reply = '\0';
	if (size > 5 && !memcmp(c->in, "kept ", 5)) {
		kept(&r, c->in + 5, size - 5);
		return;
	}
	c->in[size] = '\0';
	r.argument = size <= CONTROL_TEXT_MAX ? strchr(c->in, ' ') : NULL;
	if (r.argument)
		*r.argument++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		if (strcmp(c->in, requests[i].word) || requests[i].argument != !!r.argument)
			continue;
		requests[i].run(&r);
		return;
	}
	say(&r, -EINVAL);
}

static int answer(const struct control *c, const char *reply)
{
	return send(c->fd, reply, strlen(reply), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

bool control_waits(const struct control *c, const struct service *s)
{
	return c->fd >= 0 && (s->keep.unsent || c->hold_owed);
}

int control_turn(struct control *c, struct service *s)
{
	char reply[32];
	bool all = keep_flush(&s->keep);
	int err = 0;

	if (c->hold_owed && all) {
		snprintf(reply, sizeof(reply), "ok %u", s->keep.n);
		err = answer(c, reply);
		c->hold_owed = err == -EAGAIN;
	}
	if (s->leaving && !s->left && s->device->state == DEVICE_STOPPED) {
		s->left = true;
		err = answer(c, "ok");
	}
	return err == -EAGAIN ? 0 : err;
}

int control_run(struct control *c, struct service *s)
{
	char reply[CONTROL_TEXT_MAX];
	FDPASS_ROOM(CONTROL_FDS_MAX) room;
	struct iovec iov = {c->in, CONTROL_MESSAGE_MAX};
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room)};
	ssize_t n = recvmsg(c->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fds[CONTROL_FDS_MAX];
	unsigned got;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n)
		return -ECONNRESET;
	got = fdpass_take(&h, fds, CONTROL_FDS_MAX);
	if (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		snprintf(reply, sizeof(reply), "error the request is too long");
	else
		control_answer(c, s, (size_t)n, fds, got, reply, sizeof(reply));
	for (unsigned i = 0; i < got; i++)
		cleanup_fd(&fds[i]);
	if (s->connected && s->front.keep) {
		/* what was asked for holds for a successor too, once it is answered */
		vu_keep(&s->front, NULL);
		keep_flush(&s->keep);
	}
	return *reply ? answer(c, reply) : 0;
}

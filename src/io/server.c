/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <linux/vhost_types.h>

#include "cleanup.h"
#include "control.h"
#include "log.h"
#include "server.h"
#include "vhost_keep.h"

struct server {
	struct server_config config;
	struct service service;
	struct control control;
	bool ending; /* once the device has stopped */
	int result;
};

enum { FD_FRONT, FD_LISTEN, FD_CONTROL, FD_CONTROL_LISTEN, FD_SIGNALS, FD_DEVICE };

/* Somebody may hold what a successor needs. */
static struct keep *keep_of(struct server *s)
{
	return s->config.control >= 0 || s->config.control_listen >= 0 ? &s->service.keep : NULL;
}

/* ---- the front end ---- */

/* Others may hold it too, so the front end must be told. */
static void close_front(struct service *v)
{
	shutdown(v->front.conn.fd, SHUT_RDWR);
	vu_close(&v->front);
	v->connected = false;
}

static void disconnect(struct server *s, int err)
{
	if (err == -ECONNRESET)
		log_info("the front end has gone");
	else
		log_err("the front end is left: %s", strerror(-err));
	close_front(&s->service);
	s->service.told.lost = device_wanted(s->service.device);
	device_stop(s->service.device);
	vu_keep_end(&s->service.keep);
	keep_event(&s->service.keep, "front gone");
	if (s->config.listen >= 0)
		return;
	s->ending = true;
	s->result = err == -ECONNRESET ? 0 : err;
}

static void connect_front(struct server *s, int fd)
{
	device_forget(s->service.device);
	vu_open(&s->service.front, s->service.device, fd, keep_of(s));
	s->service.connected = true;
	s->service.told.lost = false;
	log_info("a front end is there");
	keep_event(&s->service.keep, "front connected");
}

static void accept_front(struct server *s)
{
	int fd = accept4(s->config.listen, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		connect_front(s, fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		log_err("accept: %s", strerror(errno));
}

/* All that a predecessor kept is there. */
static void succeed(struct server *s)
{
	struct service *v = &s->service;
	int err = 0;

	v->go = v->taking_over = false;
	v->connected = v->front.conn.fd >= 0;
	log_info("taken over: %u entries, %s", v->keep.n, v->connected ? "a front end" : "no front end");
	if (v->connected)
		err = vu_succeed(&v->front);
	else if (s->config.listen < 0)
		s->ending = true;
	device_succeed(v->device, v->front.left);
	if (err)
		disconnect(s, err);
}

/* ---- the control socket ---- */

static void control_peer(struct server *s, int fd)
{
	cleanup_fd(&s->control.fd);
	s->control.fd = fd;
	s->control.hold_owed = false;
	keep_peer(&s->service.keep, fd);
	s->service.told.rings_said = false;
}

static void accept_control(struct server *s)
{
	int fd = accept4(s->config.control_listen, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		control_peer(s, fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		log_err("the control socket: accept: %s", strerror(errno));
}

static void serve_control(struct server *s, const struct pollfd *fds)
{
	int err = 0;

	if (fds[FD_CONTROL_LISTEN].revents)
		accept_control(s);
	else if (fds[FD_CONTROL].revents & ~POLLOUT)
		err = control_run(&s->control, &s->service);
	if (!err)
		return;
	log_notice("the control socket is closed");
	control_peer(s, -1);
	if (!s->service.taking_over || s->config.control_listen >= 0)
		return;
	log_err("nobody is left to tell what is to be taken over");
	s->ending = true;
	s->result = -ECONNRESET;
}

/* ---- events ---- */

static void tell_state(struct service *v)
{
	const struct device *d = v->device;
	bool unconfirmed = device_unconfirmed(d);

	if (d->state == v->told.state && unconfirmed == v->told.unconfirmed)
		return;
	v->told.state = d->state;
	v->told.unconfirmed = unconfirmed;
	keep_event(&v->keep, "state %s busy=%u orphans=%u%s at=%" PRIu64, device_state_name(d->state),
		   device_busy(d), device_orphans(d), unconfirmed ? " unconfirmed" : "", mono_now().us);
}

/* The front end has asked for where each ring stands, and knows. */
static void tell_base(struct service *v)
{
	const struct device *d = v->device;
	bool any = false, owed = false;

	if (d->state != DEVICE_STOPPED || d->stop_began.us == v->told.stopped.us)
		return;
	for (unsigned i = 0; i < device_rings(d); i++) {
		any |= d->ring[i].addressed;
		owed |= d->ring[i].addressed && d->ring[i].kick >= 0;
	}
	if (!any || owed)
		return;
	v->told.stopped = d->stop_began;
	keep_event(&v->keep, "base %" PRIu64 " at=%" PRIu64, mono_since(mono_now(), d->stop_began),
		   mono_now().us);
}

static void tell_first(struct service *v)
{
	struct device *d = v->device;
	struct monotime first = MONOTIME_NEVER;

	if (d->state != DEVICE_RUNNING || d->started.us == v->told.started.us)
		return;
	for (unsigned i = 0; i < DEVICE_QUEUES; i++) {
		uint64_t us = atomic_load(&device_queue(d, i)->first);

		if (us && d->ring[device_local(d) + i].running)
			first = mono_min(first, (struct monotime){us});
	}
	if (first.us == MONOTIME_NEVER.us)
		return;
	v->told.started = d->started;
	keep_event(&v->keep, "first %" PRIu64 " at=%" PRIu64, mono_since(first, d->started), first.us);
}

static void tell_paths(struct service *v)
{
	enum path_state state;
	unsigned lun, path;

	while (device_path_news(v->device, &lun, &path, &state))
		keep_event(&v->keep, "path %u %u %s", lun, path, path_state_name(state));
}

/* From the front end's word to the moment when they were read. */
static void tell_started(struct service *v)
{
	const struct device *d = v->device;

	if (d->state != DEVICE_RUNNING || d->started.us == v->told.served.us)
		return;
	v->told.served = d->started;
	if (d->enabled.us)
		keep_event(&v->keep, "started %" PRIu64 " at=%" PRIu64, mono_since(d->started, d->enabled),
			   d->started.us);
}

/* All that a holder must know of the front end, in one word, so that it never knows half of it. */
static void tell_rings(struct service *v, bool log)
{
	bool rings = device_wanted(v->device);

	if (v->told.rings_said && v->told.rings == rings && v->told.log == log &&
	    v->told.front == v->connected)
		return;
	v->told.rings = rings;
	v->told.front = v->connected;
	v->told.rings_said = true;
	keep_event(&v->keep, "rings %s front=%s log=%s at=%" PRIu64, rings ? "on" : "off",
		   v->connected	  ? "yes"
		   : v->told.lost ? "lost"
				  : "no",
		   log ? "on" : "off", mono_now().us);
}

static void tell(struct service *v)
{
	const struct device *d = v->device;
	bool log = d->log && d->features >> VHOST_F_LOG_ALL & 1;

	if (!v->taking_over)
		tell_rings(v, log);
	tell_state(v);
	tell_base(v);
	tell_started(v);
	tell_first(v);
	tell_paths(v);
	if (log != v->told.log)
		keep_event(&v->keep, "log %s", log ? "on" : "off");
	v->told.log = log;
}

/* ---- the loop ---- */

static void take_signal(struct server *s)
{
	struct signalfd_siginfo i;

	if (read(s->config.signals, &i, sizeof(i)) != sizeof(i))
		return;
	if (i.ssi_signo == SIGHUP) {
		device_lun_check(s->service.device);
		return;
	}
	device_stop(s->service.device);
	s->ending = true;
}

/* Whole milliseconds would be up to one too late. */
static int wait_for(const struct server *s, struct pollfd *fds, nfds_t n)
{
	struct monotime due = device_due(s->service.device);
	uint64_t left = mono_left(due, mono_now());
	struct timespec t = {.tv_sec = (time_t)(left / USEC_PER_SEC),
			     .tv_nsec = (long)(left % USEC_PER_SEC * 1000)};

	return ppoll(fds, n, due.us == MONOTIME_NEVER.us ? NULL : &t, NULL);
}

static bool idle(const struct server *s)
{
	return s->service.device->state == DEVICE_STOPPED;
}

/* What has changed without a message. */
static void keep_up(struct server *s)
{
	if (!s->service.connected || !keep_of(s))
		return;
	vu_keep(&s->service.front, NULL);
	keep_flush(&s->service.keep);
}

static void serve(struct server *s, const struct pollfd *fds)
{
	struct service *v = &s->service;
	int err = 0;

	if (fds[FD_SIGNALS].revents)
		take_signal(s);
	serve_control(s, fds);
	device_turn(v->device);
	if (v->go)
		succeed(s);
	keep_up(s);
	if (v->connected && !v->leaving) {
		err = vu_turn(&v->front);
		if (!err && fds[FD_FRONT].revents)
			err = vu_wants(&v->front) ? vu_run(&v->front) : -ECONNRESET;
	}
	if (err)
		disconnect(s, err);
	if (fds[FD_LISTEN].revents && !v->connected)
		accept_front(s);
	keep_up(s);
	tell(v);
	if (s->control.fd >= 0 && control_turn(&s->control, v))
		control_peer(s, -1);
}

/* With an answer owed only the front end's death is of interest, and poll always says that. */
static void watch(struct server *s, struct pollfd *fds)
{
	const struct service *v = &s->service;
	bool there = v->connected && !v->leaving, wants = there && vu_wants(&v->front);
	bool free = !v->connected && !v->taking_over && idle(s) && !s->ending && !v->leaving;

	fds[FD_FRONT] = (struct pollfd){there ? v->front.conn.fd : -1, wants ? POLLIN : 0, 0};
	fds[FD_LISTEN] = (struct pollfd){free ? s->config.listen : -1, POLLIN, 0};
	fds[FD_CONTROL] = (struct pollfd){s->control.fd,
					  POLLIN | (control_waits(&s->control, v) ? POLLOUT : 0), 0};
	fds[FD_CONTROL_LISTEN] = (struct pollfd){s->config.control_listen, POLLIN, 0};
	fds[FD_SIGNALS] = (struct pollfd){s->config.signals, POLLIN, 0};
}

static void begin(struct server *s)
{
	struct service *v = &s->service;

	keep_init(&v->keep);
	s->control.fd = s->config.control;
	v->keep.peer = s->config.control;
	v->taking_over = s->config.take_over;
	if (v->taking_over) {
		device_bar(v->device, BAR_TAKE_OVER, true);
		vu_open(&v->front, v->device, -1, &v->keep);
	} else if (s->config.conn >= 0) {
		connect_front(s, s->config.conn);
	}
}

int server_run(const struct server_config *config, struct device *d)
{
	struct server s = {.config = *config, .service = {.device = d}};
	struct pollfd fds[FD_DEVICE + DEVICE_FDS];

	begin(&s);
	while (!(s.ending && idle(&s)) && !s.service.left) {
		watch(&s, fds);
		if (wait_for(&s, fds, FD_DEVICE + device_fds(d, fds + FD_DEVICE)) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		serve(&s, fds);
	}
	if (s.service.connected && !s.service.left)
		close_front(&s.service);
	keep_end(&s.service.keep);
	cleanup_fd(&s.control.fd);
	cleanup_fd(&s.config.control_listen);
	cleanup_fd(&s.config.listen);
	return s.service.left ? SERVER_LEFT : s.result;
}

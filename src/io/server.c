/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "control.h"
#include "log.h"
#include "server.h"
#include "vhost_user.h"

struct server {
	struct server_config config;
	struct device *device;
	struct vhost_user front;
	bool connected;
	bool ending; /* once the device has stopped */
	int result;
};

enum { FD_FRONT, FD_LISTEN, FD_CONTROL, FD_SIGNALS, FD_DEVICE };

static void disconnect(struct server *s, int err)
{
	if (err == -ECONNRESET)
		log_info("the front end has gone");
	else
		log_err("the front end is left: %s", strerror(-err));
	vu_close(&s->front);
	s->connected = false;
	device_stop(s->device);
	if (s->config.listen >= 0)
		return;
	s->ending = true;
	s->result = err == -ECONNRESET ? 0 : err;
}

static void connect_front(struct server *s, int fd)
{
	device_forget(s->device);
	vu_open(&s->front, s->device, fd);
	s->connected = true;
	log_info("a front end is there");
}

static void accept_front(struct server *s)
{
	int fd = accept4(s->config.listen, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		connect_front(s, fd);
	else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		log_err("accept: %s", strerror(errno));
}

static void take_signal(struct server *s)
{
	struct signalfd_siginfo i;

	if (read(s->config.signals, &i, sizeof(i)) != sizeof(i))
		return;
	if (i.ssi_signo == SIGHUP) {
		if (device_lun_check(s->device))
			log_notice("the LUNs are being changed: their sizes are not looked at");
		return;
	}
	device_stop(s->device);
	s->ending = true;
}

/* Whole milliseconds would be up to one too late. */
static int wait_for(const struct server *s, struct pollfd *fds, nfds_t n)
{
	struct monotime due = device_due(s->device);
	uint64_t left = mono_left(due, mono_now());
	struct timespec t = {.tv_sec = (time_t)(left / USEC_PER_SEC),
			     .tv_nsec = (long)(left % USEC_PER_SEC * 1000)};

	return ppoll(fds, n, due.us == MONOTIME_NEVER.us ? NULL : &t, NULL);
}

static bool idle(const struct server *s)
{
	return s->device->state == DEVICE_STOPPED;
}

static void serve(struct server *s, const struct pollfd *fds)
{
	int err = 0;

	if (fds[FD_SIGNALS].revents)
		take_signal(s);
	if (fds[FD_CONTROL].revents && control_run(s->config.control, s->device)) {
		log_notice("the control socket is closed");
		cleanup_fd(&s->config.control);
		s->config.control = -1;
	}
	device_turn(s->device);
	if (s->connected) {
		err = vu_turn(&s->front);
		if (!err && fds[FD_FRONT].revents)
			err = vu_wants(&s->front) ? vu_run(&s->front) : -ECONNRESET;
	}
	if (err)
		disconnect(s, err);
	if (fds[FD_LISTEN].revents && !s->connected)
		accept_front(s);
}

int server_run(const struct server_config *config, struct device *d)
{
	struct server s = {.config = *config, .device = d};
	struct pollfd fds[FD_DEVICE + DEVICE_FDS];

	if (config->conn >= 0)
		connect_front(&s, config->conn);
	while (!s.ending || !idle(&s)) {
		bool wants = s.connected && vu_wants(&s.front), free = !s.connected && idle(&s) && !s.ending;

		/* with an answer owed only the front end's death is of interest, and poll always says that */
		fds[FD_FRONT] = (struct pollfd){s.connected ? s.front.conn.fd : -1, wants ? POLLIN : 0, 0};
		fds[FD_LISTEN] = (struct pollfd){free ? s.config.listen : -1, POLLIN, 0};
		fds[FD_CONTROL] = (struct pollfd){s.config.control, POLLIN, 0};
		fds[FD_SIGNALS] = (struct pollfd){s.config.signals, POLLIN, 0};
		if (wait_for(&s, fds, FD_DEVICE + device_fds(d, fds + FD_DEVICE)) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		serve(&s, fds);
	}
	if (s.connected)
		vu_close(&s.front);
	cleanup_fd(&s.config.control);
	cleanup_fd(&s.config.listen);
	return s.result;
}

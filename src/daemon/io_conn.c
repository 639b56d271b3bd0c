/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "fdpass.h"
#include "io_conn.h"
#include "log.h"

#define MESSAGE_MAX (IO_CONN_BYTES + IO_CONN_KEY + 64)

/* A request: until it is sent with its text and fds, then until its reply comes. */
struct asked {
	TAILQ_ENTRY(asked) link;
	io_conn_reply *done;
	void *user;
	void *text; /* NULL: sent */
	size_t len;
	int fds[IO_CONN_FDS];
	unsigned n;
};

struct io_conn {
	TAILQ_HEAD(, asked) asked;
	sd_event_source *io;
	int fd;
	bool full; /* something waits for room */
	const struct io_conn_ops *ops;
	void *user;
};

static void close_fds(int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

/* ---- sending ---- */

static int send_now(int fd, const void *text, size_t len, const int *fds, unsigned n)
{
	struct iovec iov = {(void *)text, len};
	FDPASS_ROOM(IO_CONN_FDS) room;
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	fdpass_put(&h, &room, fds, n);
	return sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void watch(struct io_conn *c, bool full)
{
	if (c->full != full)
		sd_event_source_set_io_events(c->io, EPOLLIN | (full ? EPOLLOUT : 0));
	c->full = full;
}

/* A connection that is broken shows that by its end: what was not sent is told as gone then. */
static void sent(struct asked *a)
{
	close_fds(a->fds, a->n);
	a->n = 0;
	free(steal_ptr(a->text));
}

static void flush(struct io_conn *c)
{
	struct asked *a;

	TAILQ_FOREACH (a, &c->asked, link) {
		if (!a->text)
			continue;
		if (send_now(c->fd, a->text, a->len, a->fds, a->n) == -EAGAIN)
			return;
		sent(a);
	}
	watch(c, false);
}

static void queue(struct io_conn *c, struct asked *a, const void *text, size_t len, const int *fds,
		  unsigned n)
{
	a->text = malloc(len);
	if (!a->text) {
		log_err("out of memory: a request to vhba-io is lost");
		return;
	}
	memcpy(a->text, text, len);
	a->len = len;
	for (unsigned i = 0; i < n; i++)
		if ((a->fds[a->n] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3)) >= 0)
			a->n++;
	watch(c, true);
}

void io_conn_ask(struct io_conn *c, const void *text, size_t len, const int *fds, unsigned n,
		 io_conn_reply *done, void *user)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (!a) {
		log_err("out of memory: a request to vhba-io is lost");
		return;
	}
	a->done = done;
	a->user = user;
	if (c->full || send_now(c->fd, text, len, fds, n) == -EAGAIN)
		queue(c, a, text, len, fds, n);
	TAILQ_INSERT_TAIL(&c->asked, a, link);
}

void io_conn_say(struct io_conn *c, io_conn_reply *done, void *user, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	io_conn_ask(c, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1, NULL, 0, done, user);
}

/* ---- receiving ---- */

static bool is_key(const char *key)
{
	size_t n = 0;

	for (; key[n]; n++)
		if (key[n] <= ' ' || key[n] > '~')
			return false;
	return n && n < IO_CONN_KEY;
}

/* False: it is not the protocol. fds are taken over on success. */
static bool take_unasked(struct io_conn *c, char *text, size_t len, int *fds, unsigned n)
{
	size_t head = strlen(text);
	char *word, *rest;

	if (!strncmp(text, "!keep ", 6)) {
		if (head == len || len - head - 1 > IO_CONN_BYTES || n > IO_KEPT_FDS || !is_key(text + 6))
			return false;
		c->ops->keep(c->user, text + 6, text + head + 1, len - head - 1, fds, n);
		return true;
	}
	if (n)
		return false;
	if (!strncmp(text, "!drop ", 6) && is_key(text + 6)) {
		c->ops->drop(c->user, text + 6);
		return true;
	}
	if (strncmp(text, "!event ", 7))
		return false;
	word = text + 7;
	rest = word + strcspn(word, " ");
	if (*rest)
		*rest++ = '\0';
	c->ops->event(c->user, word, rest);
	return true;
}

static bool take_reply(struct io_conn *c, const char *text, unsigned n)
{
	struct asked *a = TAILQ_FIRST(&c->asked);

	if (n || !a || a->text)
		return false;
	TAILQ_REMOVE(&c->asked, a, link);
	if (a->done)
		a->done(a->user, text);
	free(a);
	return true;
}

/* 0; -EAGAIN; another -errno: the end. */
static int receive(struct io_conn *c)
{
	static char text[MESSAGE_MAX + 1]; /* the loop's thread alone */
	struct iovec iov = {text, MESSAGE_MAX};
	FDPASS_ROOM(IO_CONN_FDS) room;
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room)};
	ssize_t len = recvmsg(c->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fds[IO_CONN_FDS];
	unsigned n;
	bool good;

	/* It has ended with requests unread: the kernel tells that once, and before what it has said. */
	if (len < 0)
		return errno == EINTR || errno == ECONNRESET ? 0 : -errno;
	if (!len)
		return -EPIPE;
	n = fdpass_take(&h, fds, IO_CONN_FDS);
	text[len] = '\0';
	if (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		good = false;
	else if (text[0] == '!')
		good = take_unasked(c, text, (size_t)len, fds, n);
	else
		good = take_reply(c, text, n);
	if (good)
		return 0;
	close_fds(fds, n);
	log_err("vhba-io says what is not understood: '%.80s'", text);
	return -EPROTO;
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct io_conn *c = user;
	int r = 0;

	(void)s;
	(void)fd;
	if (revents & EPOLLOUT)
		flush(c);
	/* In slices, so that one that says much doesn't hold up the loop. */
	for (int i = 0; !r && i < 64; i++)
		r = receive(c);
	if (!r || r == -EAGAIN)
		return 0;
	sd_event_source_set_enabled(c->io, SD_EVENT_OFF);
	c->ops->gone(c->user); /* may free it */
	return 0;
}

void io_conn_rest(struct io_conn *c)
{
	while (!receive(c))
		;
}

/* ---- its life ---- */

struct io_conn *io_conn_new(sd_event *loop, int fd, const struct io_conn_ops *ops, void *user)
{
	struct io_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	TAILQ_INIT(&c->asked);
	c->fd = fd;
	c->ops = ops;
	c->user = user;
	if (sd_event_add_io(loop, &c->io, fd, EPOLLIN, on_io, c) >= 0)
		return c;
	close(fd);
	free(c);
	return NULL;
}

void io_conn_free(struct io_conn *c)
{
	struct asked *a;

	if (!c)
		return;
	sd_event_source_disable_unref(c->io);
	close(c->fd);
	while ((a = TAILQ_FIRST(&c->asked))) {
		TAILQ_REMOVE(&c->asked, a, link);
		sent(a);
		if (a->done)
			a->done(a->user, NULL);
		free(a);
	}
	free(c);
}

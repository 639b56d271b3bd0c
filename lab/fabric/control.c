/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "control.h"
#include "poll.h"

#define CLIENTS_MAX 64
#define LINE_ROOM 8192

struct client {
	int fd;
	char in[LINE_ROOM];
	size_t in_len, taken; /* taken: bytes of the line that control_next has given */
	char *out;
	size_t out_len, out_at;
	bool ended; /* no more will come */
};

struct control {
	int fd, epfd;
	char path[108];
	struct client *clients[CLIENTS_MAX];
};

static bool somebody_answers(const struct sockaddr_un *at)
{
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && !connect(fd, (const struct sockaddr *)at, sizeof(*at));
}

struct control *control_open(const char *path, int epfd)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = -1;
	c->epfd = epfd;
	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	strcpy(at.sun_path, path);
	if (somebody_answers(&at)) {
		errno = EADDRINUSE;
		goto fail;
	}
	unlink(path); /* what a killed one left */
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&at, sizeof(at)) || listen(c->fd, 16) ||
	    poll_set(epfd, EPOLL_CTL_ADD, c->fd, EPOLLIN, POLL_CONTROL, 0))
		goto fail;
	strcpy(c->path, path);
	return c;
fail:
	cleanup_fd(&c->fd);
	free(c);
	return NULL;
}

static void client_close(struct control *c, uint32_t i)
{
	close(c->clients[i]->fd);
	free(c->clients[i]->out);
	free(c->clients[i]);
	c->clients[i] = NULL;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		if (c->clients[i])
			client_close(c, i);
	unlink(c->path);
	close(c->fd);
	free(c);
}

void control_accept(struct control *c)
{
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uint32_t i = 0;

	if (fd < 0)
		return;
	while (i < CLIENTS_MAX && c->clients[i])
		i++;
	if (i < CLIENTS_MAX)
		c->clients[i] = calloc(1, sizeof(struct client));
	if (i == CLIENTS_MAX || !c->clients[i]) {
		close(fd);
		return;
	}
	c->clients[i]->fd = fd;
	if (poll_set(c->epfd, EPOLL_CTL_ADD, fd, EPOLLIN, POLL_CLIENT, i))
		client_close(c, i);
}

/* What was not yet sent. False: the client is closed. */
static bool client_write(struct control *c, uint32_t i)
{
	struct client *l = c->clients[i];

	while (l->out_at < l->out_len) {
		ssize_t n = send(l->fd, l->out + l->out_at, l->out_len - l->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			poll_set(c->epfd, EPOLL_CTL_MOD, l->fd, EPOLLIN | EPOLLOUT, POLL_CLIENT, i);
			return true;
		}
		if (n < 0) {
			client_close(c, i);
			return false;
		}
		l->out_at += (size_t)n;
	}
	l->out_at = l->out_len = 0;
	poll_set(c->epfd, EPOLL_CTL_MOD, l->fd, l->ended ? 0 : EPOLLIN, POLL_CLIENT, i);
	if (l->ended && !l->in_len) {
		client_close(c, i);
		return false;
	}
	return true;
}

void control_ready(struct control *c, uint32_t i)
{
	struct client *l = i < CLIENTS_MAX ? c->clients[i] : NULL;
	ssize_t n;

	if (!l || (l->out_len && !client_write(c, i)))
		return;
	if (l->in_len == LINE_ROOM) {
		client_close(c, i); /* a line too long */
		return;
	}
	n = recv(l->fd, l->in + l->in_len, LINE_ROOM - l->in_len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		l->ended = true;
		if (!memchr(l->in, '\n', l->in_len) && !l->out_len)
			client_close(c, i);
		return;
	}
	l->in_len += (size_t)n;
}

static void drop_taken(struct client *l)
{
	memmove(l->in, l->in + l->taken, l->in_len - l->taken);
	l->in_len -= l->taken;
	l->taken = 0;
}

const char *control_next(struct control *c, uint32_t *client)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *l = c->clients[i];
		char *end;

		if (!l)
			continue;
		drop_taken(l);
		end = memchr(l->in, '\n', l->in_len);
		if (!end)
			continue;
		*end = '\0';
		l->taken = (size_t)(end - l->in) + 1;
		*client = i;
		return l->in;
	}
	return NULL;
}

void control_reply(struct control *c, uint32_t i, const char *json)
{
	struct client *l = c->clients[i];
	size_t n = strlen(json);
	char *more = realloc(l->out, l->out_len + n + 1);

	if (!more) {
		client_close(c, i);
		return;
	}
	l->out = more;
	memcpy(l->out + l->out_len, json, n);
	l->out[l->out_len + n] = '\n';
	l->out_len += n + 1;
	drop_taken(l);
	client_write(c, i);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "fdpass.h"
#include "holder.h"
#include "monotime.h"

#define PATIENCE_MS 20000
#define MESSAGE_MAX 20000

static void die(const char *what)
{
	printf("Bail out! holder: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	abort();
}

/* ---- entries ---- */

static struct held *find(struct holder *h, const char *key)
{
	for (unsigned i = 0; i < h->n; i++)
		if (!strcmp(h->held[i].key, key))
			return &h->held[i];
	return NULL;
}

static void close_fds(struct held *e)
{
	while (e->fds)
		close(e->fd[--e->fds]);
}

static void keep(struct holder *h, const char *text, size_t size, const int *fds, unsigned n)
{
	struct held *e = find(h, text);
	size_t at = strnlen(text, size) + 1;

	if (at > size || at > sizeof(e->key) || size - at > HELD_BYTES || n > HELD_FDS ||
	    (!e && h->n == HELD_MAX))
		die("an entry that can't be held");
	if (!e) {
		e = &h->held[h->n++];
		memset(e, 0, sizeof(*e));
		memcpy(e->key, text, at);
	}
	close_fds(e);
	memcpy(e->bytes, text + at, size - at);
	e->len = size - at;
	memcpy(e->fd, fds, n * sizeof(*fds));
	e->fds = n;
}

static void drop(struct holder *h, const char *key)
{
	struct held *e = find(h, key);

	if (!e)
		return;
	close_fds(e);
	h->n--;
	memmove(e, e + 1, (size_t)(h->held + h->n - e) * sizeof(*e));
}

/* ---- messages ---- */

#define FDS 16 /* with one message */
enum { NONE = -1, UNASKED = -2 };

/* Takes one: its size, 0 at the end; or NONE, or UNASKED: that is done with here. */
static ssize_t take(struct holder *h, char *text, size_t size)
{
	FDPASS_ROOM(FDS) control;
	struct iovec iov = {text, size - 1};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(h->control, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	unsigned n;
	int fds[FDS];

	if (len < 0)
		return errno == EAGAIN ? NONE : 0;
	text[len] = '\0';
	n = fdpass_take(&m, fds, FDS);
	if (*text != '!')
		return len;
	if (!strncmp(text, "!keep ", 6)) {
		keep(h, text + 6, (size_t)len - 6, fds, n);
	} else if (!strncmp(text, "!drop ", 6)) {
		drop(h, text + 6);
	} else if (!strncmp(text, "!event ", 7)) {
		snprintf(h->last, sizeof(h->last), "%s", text + 7);
		h->events++;
		if (h->event)
			h->event(text + 7);
	}
	return UNASKED;
}

static void send_one(struct holder *h, const char *text, size_t len, const int *fds, unsigned n)
{
	struct iovec iov = {(void *)(uintptr_t)text, len};
	FDPASS_ROOM(FDS) control;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	fdpass_put(&m, &control, fds, n);
	if (sendmsg(h->control, &m, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		die("send");
}

/* The reply in text; false: the other end has died. */
static bool ask(struct holder *h, const char *request, size_t len, const int *fds, unsigned n, char *text,
		size_t size)
{
	struct pollfd p = {h->control, POLLIN, 0};
	ssize_t r;

	send_one(h, request, len, fds, n);
	for (;;) {
		r = take(h, text, size);
		if (r >= 0)
			break;
		if (r == NONE && poll(&p, 1, PATIENCE_MS) != 1)
			die("no reply");
	}
	text[r] = '\0';
	return r;
}

/* ---- the process ---- */

static void exec_one(struct holder *h, int control, bool again)
{
	char number[16], socket_number[16];
	const char *argv[HOLDER_ARGS] = {h->program, "--control-fd", number};
	sigset_t none;
	unsigned n = 3;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	snprintf(number, sizeof(number), "%d", fcntl(control, F_DUPFD, 3));
	if (h->socket >= 0 && !(again && h->socket_once)) {
		snprintf(socket_number, sizeof(socket_number), "%d", fcntl(h->socket, F_DUPFD, 3));
		argv[n++] = "--socket-fd";
		argv[n++] = socket_number;
	}
	if (again)
		argv[n++] = "--take-over";
	for (unsigned i = 0; h->options[i] && n < HOLDER_ARGS - 1; i++)
		argv[n++] = h->options[i];
	execv(h->program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void start(struct holder *h, bool again)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	h->pid = fork();
	if (h->pid < 0)
		die("fork");
	if (!h->pid)
		exec_one(h, pair[1], again);
	close(pair[1]);
	h->control = pair[0];
	h->starts++;
	if (h->started)
		h->started(h->pid, again);
}

/* False: it has died meanwhile. */
static bool give(struct holder *h)
{
	static char message[5 + sizeof(struct held)], reply[MESSAGE_MAX];

	for (unsigned i = 0; i < h->n; i++) {
		struct held *e = &h->held[i];
		size_t at = 5 + strlen(e->key) + 1;

		memcpy(message, "kept ", 5);
		memcpy(message + 5, e->key, strlen(e->key) + 1);
		memcpy(message + at, e->bytes, e->len);
		if (!ask(h, message, at + e->len, e->fd, e->fds, reply, sizeof(reply)))
			return false;
		if (strcmp(reply, "ok")) {
			errno = EINVAL;
			die(reply);
		}
	}
	if (!ask(h, "go", 2, NULL, 0, reply, sizeof(reply)))
		return false;
	if (strcmp(reply, "ok"))
		die(reply);
	h->went_us = mono_now().us;
	return true;
}

static void drain(struct holder *h)
{
	static char text[MESSAGE_MAX];
	ssize_t n;

	do
		n = take(h, text, sizeof(text));
	while (n > 0 || n == UNASKED);
}

/* It has died: what it said last is taken in, then another one takes over. */
static void bury(struct holder *h)
{
	int status;

	h->died_us = mono_now().us;
	if (waitpid(h->pid, &status, 0) != h->pid)
		die("waitpid");
	drain(h);
	h->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	close(h->control);
	h->control = -1;
	h->pid = 0;
	if (!h->over)
		start(h, true);
	if (!h->over)
		give(h);
}

static void *serve(void *arg)
{
	struct holder *h = arg;

	for (;;) {
		AUTO_FD int child = -1;
		struct pollfd fds[3];

		pthread_mutex_lock(&h->lock);
		child = h->pid ? pidfd_open(h->pid, 0) : -1;
		fds[0] = (struct pollfd){h->control, POLLIN, 0};
		fds[1] = (struct pollfd){h->stop, POLLIN, 0};
		fds[2] = (struct pollfd){child, POLLIN, 0};
		pthread_mutex_unlock(&h->lock);
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			die("poll");
		pthread_mutex_lock(&h->lock);
		if (fds[1].revents) {
			pthread_mutex_unlock(&h->lock);
			return NULL;
		}
		if (fds[2].revents)
			bury(h);
		else if (fds[0].revents)
			drain(h);
		pthread_mutex_unlock(&h->lock);
	}
}

void holder_begin(struct holder *h)
{
	/* the child looks for leaks by calls that are not allowed to it */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (access(h->program, X_OK)) /* each would end at once and be followed by the next, for ever */
		die(h->program);
	pthread_mutex_init(&h->lock, NULL);
	h->stop = eventfd(0, EFD_CLOEXEC);
	start(h, false);
	if (h->stop < 0 || pthread_create(&h->thread, NULL, serve, h))
		die("thread");
}

int holder_end(struct holder *h)
{
	const uint64_t one = 1;
	int status;

	pthread_mutex_lock(&h->lock);
	h->over = true;
	pthread_mutex_unlock(&h->lock);
	if (write(h->stop, &one, sizeof(one)) != sizeof(one))
		die("stop");
	pthread_join(h->thread, NULL);
	if (h->pid) {
		kill(h->pid, SIGTERM);
		if (waitpid(h->pid, &status, 0) != h->pid)
			die("waitpid");
		h->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		drain(h);
	}
	while (h->n)
		close_fds(&h->held[--h->n]);
	cleanup_fd(&h->control);
	close(h->stop);
	pthread_mutex_destroy(&h->lock);
	return h->code;
}

void holder_kill(struct holder *h)
{
	pthread_mutex_lock(&h->lock);
	if (h->pid)
		kill(h->pid, SIGKILL);
	pthread_mutex_unlock(&h->lock);
}

void holder_wait(struct holder *h, unsigned starts)
{
	uint64_t end = mono_now().us + PATIENCE_MS * USEC_PER_MSEC;
	unsigned now;

	do {
		usleep(200);
		pthread_mutex_lock(&h->lock);
		now = h->starts;
		pthread_mutex_unlock(&h->lock);
		if (mono_now().us > end)
			die("nobody is started");
	} while (now < starts);
}

const char *holder_ask(struct holder *h, const char *request, const int *fds, unsigned n)
{
	static char reply[MESSAGE_MAX];

	pthread_mutex_lock(&h->lock);
	*reply = '\0';
	if (h->control >= 0)
		ask(h, request, strlen(request), fds, n, reply, sizeof(reply));
	pthread_mutex_unlock(&h->lock);
	return reply;
}

unsigned holder_events(struct holder *h)
{
	unsigned n;

	pthread_mutex_lock(&h->lock);
	n = h->events;
	pthread_mutex_unlock(&h->lock);
	return n;
}

void holder_anew(struct holder *h)
{
	static char reply[MESSAGE_MAX];

	pthread_mutex_lock(&h->lock);
	while (h->n)
		close_fds(&h->held[--h->n]);
	ask(h, "hold", 4, NULL, 0, reply, sizeof(reply));
	if (strncmp(reply, "ok ", 3) || strtoul(reply + 3, NULL, 10) != h->n)
		die(reply);
	pthread_mutex_unlock(&h->lock);
}

unsigned holder_has(struct holder *h, const char *key)
{
	unsigned n;

	pthread_mutex_lock(&h->lock);
	n = find(h, key) ? 1 : 0;
	pthread_mutex_unlock(&h->lock);
	return n;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "fdpass.h"
#include "keep.h"
#include "log.h"

#define EVENT_MAX 256

void keep_init(struct keep *k)
{
	memset(k, 0, sizeof(*k));
	k->peer = -1;
	TAILQ_INIT(&k->entries);
}

static void close_fds(int *fds, unsigned n)
{
	while (n)
		close(fds[--n]);
}

/* ---- entries ---- */

static void set_unsent(struct keep *k, struct keep_entry *e, bool unsent)
{
	k->unsent += unsent - e->unsent;
	e->unsent = unsent;
}

static void forget(struct keep *k, struct keep_entry *e)
{
	set_unsent(k, e, false);
	TAILQ_REMOVE(&k->entries, e, link);
	free(e->bytes);
	free(e);
}

static struct keep_entry *find(const struct keep *k, const char *key)
{
	struct keep_entry *e;

	TAILQ_FOREACH (e, &k->entries, link)
		if (!e->dropped && !strcmp(e->key, key))
			return e;
	return NULL;
}

const struct keep_entry *keep_find(const struct keep *k, const char *key)
{
	return find(k, key);
}

static struct keep_entry *append(struct keep *k, const char *key)
{
	struct keep_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	snprintf(e->key, sizeof(e->key), "%s", key);
	TAILQ_INSERT_TAIL(&k->entries, e, link);
	k->n++;
	return e;
}

static int copy_fds(int *to, const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		to[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (to[i] < 0) {
			int err = -errno;

			close_fds(to, i);
			return err;
		}
	}
	return 0;
}

int keep_put(struct keep *k, const char *key, const void *bytes, size_t len, const int *fds, unsigned n,
	     uint64_t tag)
{
	struct keep_entry *e = find(k, key);
	uint8_t *copy;
	int fd[KEEP_FDS_MAX], err;

	if (e && tag && e->tag == tag && e->len == len && !memcmp(e->bytes, bytes, len))
		return 0;
	if (len > KEEP_BYTES_MAX || n > KEEP_FDS_MAX || strlen(key) >= KEEP_KEY_MAX)
		return -E2BIG;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	err = copy_fds(fd, fds, n);
	if (!err && !e && !(e = append(k, key))) {
		close_fds(fd, n);
		err = -ENOMEM;
	}
	if (err) {
		free(copy);
		return err;
	}
	if (len)
		memcpy(copy, bytes, len);
	free(e->bytes);
	close_fds(e->fd, e->fds);
	memcpy(e->fd, fd, sizeof(fd));
	e->bytes = copy;
	e->len = len;
	e->fds = n;
	e->tag = tag;
	set_unsent(k, e, true);
	return 0;
}

int keep_known(struct keep *k, const char *key, const void *bytes, size_t len, const int *fds, unsigned n)
{
	int err = keep_put(k, key, bytes, len, fds, n, 0);

	if (!err)
		set_unsent(k, find(k, key), false);
	return err;
}

static void drop(struct keep *k, struct keep_entry *e)
{
	close_fds(e->fd, e->fds);
	e->fds = 0;
	k->n--;
	if (k->peer < 0) {
		forget(k, e);
		return;
	}
	e->dropped = true;
	set_unsent(k, e, true);
}

void keep_drop(struct keep *k, const char *key)
{
	struct keep_entry *e = find(k, key);

	if (e)
		drop(k, e);
}

void keep_drop_all(struct keep *k, const char *prefix, const char *but)
{
	struct keep_entry *e, *next;

	for (e = TAILQ_FIRST(&k->entries); e; e = next) {
		next = TAILQ_NEXT(e, link);
		if (!e->dropped && !strncmp(e->key, prefix, strlen(prefix)) && (!but || strcmp(e->key, but)))
			drop(k, e);
	}
}

void keep_end(struct keep *k)
{
	struct keep_entry *e;

	while ((e = TAILQ_FIRST(&k->entries))) {
		close_fds(e->fd, e->fds);
		forget(k, e);
	}
	k->n = 0;
}

/* ---- the holder ---- */

void keep_again(struct keep *k)
{
	struct keep_entry *e, *next;

	for (e = TAILQ_FIRST(&k->entries); e; e = next) {
		next = TAILQ_NEXT(e, link);
		if (e->dropped)
			forget(k, e);
		else
			set_unsent(k, e, true);
	}
}

void keep_peer(struct keep *k, int fd)
{
	k->peer = fd;
	keep_again(k);
}

/* Returns 0 or -errno. */
static int tell(const struct keep *k, const struct keep_entry *e)
{
	struct iovec iov[3] = {{(void *)(uintptr_t)(e->dropped ? "!drop " : "!keep "), 6},
			       {(void *)(uintptr_t)e->key, strlen(e->key) + !e->dropped},
			       {e->bytes, e->dropped ? 0 : e->len}};
	FDPASS_ROOM(KEEP_FDS_MAX) room;
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 3};

	fdpass_put(&m, &room, e->fd, e->fds);
	return sendmsg(k->peer, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

bool keep_flush(struct keep *k)
{
	struct keep_entry *e, *next;
	int err = 0;

	if (k->peer < 0 || !k->unsent)
		return !k->unsent;
	for (e = TAILQ_FIRST(&k->entries); e && !err; e = next) {
		next = TAILQ_NEXT(e, link);
		if (!e->unsent)
			continue;
		err = tell(k, e);
		if (err && err != -EAGAIN && err != -EPIPE && err != -ECONNRESET)
			log_err("'%s' can't be given to the holder: %s", e->key, strerror(-err));
		if (err)
			continue;
		if (e->dropped)
			forget(k, e);
		else
			set_unsent(k, e, false);
	}
	return !k->unsent;
}

void keep_event(struct keep *k, const char *fmt, ...)
{
	char text[EVENT_MAX] = "!event ";
	va_list ap;

	if (k->peer < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text + 7, sizeof(text) - 7, fmt, ap);
	va_end(ap);
	if (send(k->peer, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN)
		log_warning("the control socket is full: nobody is told '%s'", text + 7);
}

const char *keep_parse(const char *text, size_t size, const uint8_t **bytes, size_t *len)
{
	size_t n = strnlen(text, size);

	if (!n || n == size || n >= KEEP_KEY_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return NULL;
	*bytes = (const uint8_t *)text + n + 1;
	*len = size - n - 1;
	return *len <= KEEP_BYTES_MAX ? text : NULL;
}

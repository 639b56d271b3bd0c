/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a vhba-io wants to have kept, in order, until another one of the same VM gets it. */
#include <stdlib.h>
#include <string.h>

#include "ios_private.h"
#include "log.h"

#define ENTRIES_MAX 4096 /* more is no front end's: rings, memory and messages are a few hundred at most */

static void forget(struct io_kept *k)
{
	for (unsigned i = 0; i < k->n; i++)
		close(k->fds[i]);
	free(k);
}

static struct io_kept *find(const struct io *io, const char *key)
{
	struct io_kept *k;

	TAILQ_FOREACH (k, &io->kept, link)
		if (!strcmp(k->key, key))
			return k;
	return NULL;
}

static unsigned count(const struct io *io)
{
	const struct io_kept *k;
	unsigned n = 0;

	TAILQ_FOREACH (k, &io->kept, link)
		n++;
	return n;
}

void io_keep(struct io *io, const char *key, const void *bytes, size_t len, const int *fds, unsigned n)
{
	struct io_kept *old = find(io, key), *k = malloc(sizeof(*k) + len);

	if (!k || (!old && count(io) >= ENTRIES_MAX)) {
		log_err("%s: an entry of its vhba-io is not kept: its guest would lose its disks with it",
			io->vm);
		for (unsigned i = 0; i < n; i++)
			close(fds[i]);
		free(k);
		return;
	}
	strcpy(k->key, key);
	k->len = len;
	k->n = n;
	memcpy(k->fds, fds, n * sizeof(*fds));
	memcpy(k->bytes, bytes, len);
	if (old)
		TAILQ_INSERT_BEFORE(old, k, link);
	else
		TAILQ_INSERT_TAIL(&io->kept, k, link);
	if (!old)
		return;
	TAILQ_REMOVE(&io->kept, old, link);
	forget(old);
}

void io_drop(struct io *io, const char *key)
{
	struct io_kept *k = find(io, key);

	if (!k)
		return;
	TAILQ_REMOVE(&io->kept, k, link);
	forget(k);
}

void io_keep_clear(struct io *io)
{
	struct io_kept *k;

	while ((k = TAILQ_FIRST(&io->kept))) {
		TAILQ_REMOVE(&io->kept, k, link);
		forget(k);
	}
}

static void on_given(void *user, const char *reply)
{
	const struct io *io = user;

	if (reply && !io_reply_is_ok(reply))
		io_event(io, "start", "what was kept is not taken: %.200s", reply);
}

void io_keep_send(struct io *io)
{
	static char text[IO_CONN_BYTES + IO_CONN_KEY + 16];
	const struct io_kept *k;

	TAILQ_FOREACH (k, &io->kept, link) {
		size_t at = (size_t)sprintf(text, "kept %s", k->key) + 1;

		memcpy(text + at, k->bytes, k->len);
		io_conn_ask(io->conn, text, at + k->len, k->fds, k->n, on_given, io);
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A VM's intake: its vhba-ios stop reading rings, and go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ios_private.h"

/* Who waits for all of a VM's back ends. */
struct group {
	unsigned left;
	char why[160];
	ios_done *done;
	void *user;
};

static struct group *group_new(ios_done *done, void *user)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g) {
		done(user, "out of memory");
		return NULL;
	}
	g->left = 1; /* whoever makes it */
	g->done = done;
	g->user = user;
	return g;
}

static void group_done(struct group *g, const char *why)
{
	if (why)
		snprintf(g->why, sizeof(g->why), "%s", why);
	if (--g->left)
		return;
	g->done(g->user, g->why[0] ? g->why : NULL);
	free(g);
}

/* ---- stop ---- */

/* One that dies meanwhile reads no ring either: the next one begins with its gate closed. */
static void on_stopped(void *user, const char *reply)
{
	group_done(user, reply && !io_reply_is_ok(reply) ? reply : NULL);
}

void ios_stop(struct daemon *d, const char *uuid, ios_done *done, void *user)
{
	struct group *g = group_new(done, user);
	struct io *io;

	if (!g)
		return;
	TAILQ_FOREACH (io, &d->ios->list, link) {
		if (strcmp(io->uuid, uuid))
			continue;
		io->held = true;
		io_record_write(io);
		if (!io->conn)
			continue;
		/* What it has told before is not of this stop. */
		snprintf(io->state, sizeof(io->state), "draining");
		g->left++;
		io_conn_say(io->conn, on_stopped, g, "stop");
		io_ask_status(io);
	}
	group_done(g, NULL);
}

bool ios_stopped(const struct daemon *d, const char *uuid)
{
	const struct io *io;

	if (d->ios)
		TAILQ_FOREACH (io, &d->ios->list, link)
			if (!strcmp(io->uuid, uuid) && io->held)
				return true;
	return false;
}

/* One that died may have left commands in the kernel; only the next one's locks tell when they have ended. */
static bool may_have_left(const struct io *io)
{
	return io->machine.state != IO_OFF && io->machine.state != IO_END && !TAILQ_EMPTY(&io->kept);
}

uint64_t ios_left(struct daemon *d, const char *uuid)
{
	uint64_t left = 0;
	struct io *io;

	if (d->ios) {
		TAILQ_FOREACH (io, &d->ios->list, link) {
			if (strcmp(io->uuid, uuid) || !io->held)
				continue;
			if (!io->conn || io->machine.state == IO_START) {
				left += may_have_left(io);
				continue;
			}
			left += io->busy + io->orphans;
			/* It drains, as far as was told, or has told nothing yet; it tells its end, and this
			 * is not left to that alone. */
			if (strcmp(io->state, "stopped") || io->orphans)
				io_ask_status(io);
			left += !io->busy && (!io->state[0] || !strcmp(io->state, "draining"));
		}
	}
	return left;
}

/* ---- go on ---- */

struct going {
	struct daemon *d;
	char uuid[37], name[16];
	struct group *group;
};

static void on_started(void *user, const char *reply)
{
	group_done(user, !reply ? "vhba-io is gone" : io_reply_is_ok(reply) ? NULL : reply);
}

/* One that was started while the VM was held has its gate closed for that alone. */
static void start(struct io *io, struct group *g)
{
	const struct reg_vm *rv = registry_find(io->d->reg, io->uuid);

	io->held = false;
	if (io->gate && !(rv && rv->io.gate)) {
		io->gate = false;
		io_conn_say(io->conn, NULL, NULL, "gate-open confirmed");
	}
	io_record_write(io);
	g->left++;
	io_conn_say(io->conn, on_started, g, "start");
	io_ask_status(io);
}

static void on_luns(void *user, const char *why)
{
	AUTO_FREE struct going *go = user;
	struct io *io = io_find(go->d, go->uuid, go->name);

	if (why)
		group_done(go->group, why);
	else if (!io || !io->conn)
		group_done(go->group, "vhba-io is gone");
	else {
		start(io, go->group);
		group_done(go->group, NULL);
	}
}

static void go_on(struct io *io, struct group *g)
{
	struct going *go;

	if (!io->conn) { /* the next one begins with open rings, and the paths as they are then */
		io->held = false;
		return;
	}
	if (!io_luns_moved(io)) {
		start(io, g);
		return;
	}
	go = calloc(1, sizeof(*go));
	if (!go)
		return;
	go->d = io->d;
	strcpy(go->uuid, io->uuid);
	strcpy(go->name, io->name);
	go->group = g;
	g->left++;
	io_luns_update(io, on_luns, go);
}

void ios_go_on(struct daemon *d, const char *uuid, ios_done *done, void *user)
{
	struct group *g = group_new(done, user);
	struct io *io;

	if (!g)
		return;
	TAILQ_FOREACH (io, &d->ios->list, link)
		if (!strcmp(io->uuid, uuid))
			go_on(io, g);
	group_done(g, NULL);
}

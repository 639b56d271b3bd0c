/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The array's LUNs of a vhba-io: found by designator among the VM's vports, opened by vhba-priv, passed on.
 * Each process gets open file descriptions of its own, and none stays here: a lock on them shows when a
 * process's last command has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ios_private.h"
#include "log.h"
#include "privq.h"
#include "san.h"

static void close_fds(struct io_lun *l)
{
	for (unsigned i = 0; i < l->fds_n; i++)
		close(l->fds[i]);
	l->fds_n = 0;
}

void io_luns_clear(struct io *io)
{
	for (unsigned i = 0; i < io->luns_n; i++)
		close_fds(&io->luns[i]);
	free(steal_ptr(io->luns));
	io->luns_n = 0;
	io->opening = 0;
	io->round++;
}

/* ---- where they are now ---- */

static void add_paths(struct io_lun *l, const struct fc_host *host, const char *designator)
{
	const struct fc_rport *r;
	const struct fc_lun *f;

	TAILQ_FOREACH (r, &host->rports, link)
		TAILQ_FOREACH (f, &r->luns, link)
			if (!f->type && f->sd[0] && f->sg[0] && l->paths < IO_PATHS_MAX &&
			    !strcmp(f->designator, designator))
				l->path[l->paths++] = (struct io_path){.host = host->number,
								       .channel = f->channel,
								       .target = f->target,
								       .lun = f->lun};
}

static void look_for(const struct io *io, struct io_lun *l, const char *designator)
{
	struct vm *vm = vm_find(&io->d->vms, io->uuid);

	l->paths = 0;
	for (unsigned i = 0; vm && i < vm->count; i++) {
		const struct fc_host *host;

		san_locate(io->d, &vm->vhba[i]);
		host = vm->vhba[i].host >= 0 ? fc_host_find(&io->d->inv, vm->vhba[i].host) : NULL;
		if (host)
			add_paths(l, host, designator);
	}
}

/* The guest's LUNs that are this process's. */
static bool is_ours(const struct io *io, const struct reg_guest_lun *g)
{
	return g->designator[0] && (!io->blk || g->number == io->number);
}

static struct io_lun *find(const struct io *io, unsigned number)
{
	for (unsigned i = 0; i < io->luns_n; i++)
		if (io->luns[i].number == number)
			return &io->luns[i];
	return NULL;
}

/* Those that have a path now. What is given already keeps what it was given. */
static struct io_lun *look(const struct io *io, unsigned *n)
{
	const struct reg_vm *rv = registry_find(io->d->reg, io->uuid);
	struct io_lun *list = calloc(REG_GUEST_LUNS, sizeof(*list));

	*n = 0;
	for (unsigned i = 0; list && rv && i < rv->guest_luns_n; i++) {
		struct io_lun *l = &list[*n];

		if (!is_ours(io, &rv->guest_luns[i]))
			continue;
		*l = (struct io_lun){.number = io->blk ? 0 : rv->guest_luns[i].number};
		look_for(io, l, rv->guest_luns[i].designator);
		*n += l->paths > 0;
	}
	return list;
}

bool io_luns_moved(const struct io *io)
{
	unsigned n;
	AUTO_FREE struct io_lun *now = look(io, &n);

	for (unsigned i = 0; now && i < n; i++) {
		const struct io_lun *l = find(io, now[i].number);

		if (!l || !l->given || l->paths != now[i].paths ||
		    memcmp(l->path, now[i].path, l->paths * sizeof(l->path[0])))
			return true;
	}
	return false;
}

/* ---- opening ---- */

struct opening {
	struct daemon *d;
	char uuid[37], name[16];
	unsigned round, number;
	void (*done)(struct io *io);
};

static void on_opened(void *user, const struct priv_reply *r)
{
	AUTO_FREE struct opening *o = user;
	struct io *io = io_find(o->d, o->uuid, o->name);
	struct io_lun *l = io && io->round == o->round ? find(io, o->number) : NULL;

	if (!l)
		return;
	if (r->err)
		log_warning("%s: a path to LUN %u can't be opened: %s%s%.100s", io->vm, o->number,
			    strerror(-r->err), r->text[0] ? ": " : "", r->text);
	for (uint32_t i = 0; !r->err && r->fds == 2 && i < 2; i++)
		if ((l->fds[l->fds_n] = fcntl(r->fd[i], F_DUPFD_CLOEXEC, 3)) >= 0)
			l->fds_n++;
	l->fds_n &= ~1U;
	if (!--io->opening)
		o->done(io);
}

static wwn_t wwpn_of(const struct io *io, int host)
{
	const struct vm *vm = vm_find(&io->d->vms, io->uuid);

	for (unsigned i = 0; vm && i < vm->count; i++)
		if (vm->vhba[i].host == host)
			return vm->vhba[i].wwpn;
	return 0;
}

static void open_path(struct io *io, const struct io_lun *l, const struct io_path *p,
		      void (*done)(struct io *io))
{
	const struct reg_vm *rv = registry_find(io->d->reg, io->uuid);
	const struct reg_guest_lun *g = rv ? reg_guest_lun(rv, io->blk ? io->number : l->number) : NULL;
	struct opening *o = g ? calloc(1, sizeof(*o)) : NULL;
	struct priv_request q = {.verb = PRIV_LUN_OPEN,
				 .host = p->host,
				 .channel = p->channel,
				 .target = p->target,
				 .wwnn = p->lun,
				 .wwpn = wwpn_of(io, p->host)};

	if (!o)
		return;
	*o = (struct opening){.d = io->d, .round = io->round, .number = l->number, .done = done};
	strcpy(o->uuid, io->uuid);
	strcpy(o->name, io->name);
	snprintf(q.text, sizeof(q.text), "%s", g->designator);
	io->opening++;
	privq_call(io->d->privq, &q, IO_OPEN_US, on_opened, o);
}

void io_luns_open(struct io *io, void (*done)(struct io *io))
{
	unsigned n;
	struct io_lun *list = look(io, &n);

	for (unsigned i = 0; list && i < n; i++) {
		const struct io_lun *before = find(io, list[i].number);

		list[i].given = before && before->given;
	}
	io_luns_clear(io);
	io->luns = list;
	io->luns_n = list ? n : 0;
	for (unsigned i = 0; i < io->luns_n; i++)
		for (unsigned k = 0; k < io->luns[i].paths; k++)
			open_path(io, &io->luns[i], &io->luns[i].path[k], done);
	if (!io->opening)
		done(io);
}

/* ---- passing on ---- */

static size_t say_lun(const struct io_lun *l, const char *word, char *text, size_t size)
{
	size_t at = (size_t)snprintf(text, size, "%s %u", word, l->number);

	for (unsigned i = 0; i < l->fds_n; i += 2)
		at += (size_t)snprintf(text + at, size - at, ",sd,sg");
	return at;
}

static void send_lun(struct io *io, struct io_lun *l, const char *word, io_conn_reply *done, void *user)
{
	char text[128];
	size_t len = say_lun(l, word, text, sizeof(text));

	io_conn_ask(io->conn, text, len, l->fds, l->fds_n, done, user);
}

/* To one that takes over: it goes on with what LUNs it gets. */
static void on_sent(void *user, const char *reply)
{
	const struct io *io = user;

	if (reply && !io_reply_is_ok(reply))
		io_event(io, "lun", "a LUN is not taken: %.200s", reply);
}

void io_luns_send(struct io *io)
{
	for (unsigned i = 0; i < io->luns_n; i++) {
		struct io_lun *l = &io->luns[i];

		if (l->fds_n)
			send_lun(io, l, "lun-add", on_sent, io);
		l->given = l->fds_n;
		close_fds(l);
	}
}

/* One whose process was begun by another vhbad: what it has is not known, so each word is tried. */
struct update {
	struct daemon *d;
	char uuid[37], name[16];
	unsigned left;
	char why[160];
	ios_done *done;
	void *user;
};

struct telling {
	struct update *u;
	unsigned number;
	bool again; /* with the other word */
};

static void updated(struct update *u)
{
	if (--u->left)
		return;
	u->done(u->user, u->why[0] ? u->why : NULL);
	free(u);
}

static void on_told(void *user, const char *reply)
{
	struct telling *t = user;
	struct io *io = io_find(t->u->d, t->u->uuid, t->u->name);
	struct io_lun *l = io && io->conn ? find(io, t->number) : NULL;

	if (l && reply && !io_reply_is_ok(reply) && !t->again) {
		t->again = true;
		send_lun(io, l, l->given ? "lun-add" : "lun-paths", on_told, t);
		return;
	}
	if (!reply)
		snprintf(t->u->why, sizeof(t->u->why), "vhba-io is gone");
	else if (!io_reply_is_ok(reply))
		snprintf(t->u->why, sizeof(t->u->why), "LUN %u: %.120s", t->number, reply);
	else if (l)
		l->given = true;
	if (l)
		close_fds(l);
	updated(t->u);
	free(t);
}

static void tell_lun(struct update *u, struct io *io, struct io_lun *l)
{
	struct telling *t = l->fds_n ? calloc(1, sizeof(*t)) : NULL;

	if (!t) {
		snprintf(u->why, sizeof(u->why), "LUN %u: no path to it can be opened", l->number);
		return;
	}
	t->u = u;
	t->number = l->number;
	u->left++;
	send_lun(io, l, l->given ? "lun-paths" : "lun-add", on_told, t);
}

/* The one update of a back end at a time; a newer one takes the place of one that is being opened. */
static void on_all_open(struct io *io)
{
	struct update *u = steal_ptr(io->update);

	u->left = 1;
	for (unsigned i = 0; io->conn && i < io->luns_n; i++)
		tell_lun(u, io, &io->luns[i]);
	if (!io->conn)
		snprintf(u->why, sizeof(u->why), "vhba-io is gone");
	updated(u);
}

void io_luns_give_up(struct io *io, const char *why)
{
	struct update *u = steal_ptr(io->update);

	if (!u)
		return;
	u->done(u->user, why);
	free(u);
}

void io_luns_update(struct io *io, ios_done *done, void *user)
{
	struct update *u = calloc(1, sizeof(*u));

	io_luns_give_up(io, "LUNs are looked for anew");
	if (!u) {
		done(user, "out of memory");
		return;
	}
	u->d = io->d;
	strcpy(u->uuid, io->uuid);
	strcpy(u->name, io->name);
	u->done = done;
	u->user = user;
	io->update = u;
	io_luns_open(io, on_all_open);
}

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
	l->words[0] = '\0';
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
			    !strcmp(f->designator, designator)) {
				struct io_path *p = &l->path[l->paths++];

				*p = (struct io_path){.host = host->number,
						      .channel = f->channel,
						      .target = f->target,
						      .lun = f->lun};
				memcpy(p->sd, f->sd, sizeof(p->sd));
				l->usable += f->usable;
			}
}

static void look_for(const struct io *io, struct io_lun *l, const char *designator)
{
	struct vm *vm = vm_find(&io->d->vms, io->uuid);

	l->paths = l->usable = 0;
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

static bool same_path(const struct io_path *a, const struct io_path *b)
{
	return a->host == b->host && a->channel == b->channel && a->target == b->target && a->lun == b->lun &&
	       !strcmp(a->sd, b->sd);
}

static bool has_path(const struct io_lun *l, const struct io_path *p)
{
	for (unsigned i = 0; i < l->paths; i++)
		if (same_path(&l->path[i], p))
			return true;
	return false;
}

static bool has_paths(const struct io_lun *l, const struct io_lun *of)
{
	for (unsigned i = 0; i < of->paths; i++)
		if (!has_path(l, &of->path[i]))
			return false;
	return true;
}

static bool same_paths(const struct io_lun *a, const struct io_lun *b)
{
	return a->paths == b->paths && has_paths(a, b);
}

/* Is a LUN that has a path now not given?  With paths: or given by other paths? */
static bool is_behind(const struct io *io, bool paths)
{
	unsigned n;
	AUTO_FREE struct io_lun *now = look(io, &n);

	for (unsigned i = 0; now && i < n; i++) {
		const struct io_lun *l = find(io, now[i].number);

		if (!l || !l->given || (paths && !same_paths(l, &now[i])))
			return true;
	}
	return false;
}

bool io_luns_moved(const struct io *io)
{
	return is_behind(io, true);
}

bool io_luns_lacking(const struct io *io)
{
	return is_behind(io, false);
}

bool io_luns_found(const struct io *io, bool *usable)
{
	unsigned n, given = 0;
	AUTO_FREE struct io_lun *now = look(io, &n);
	bool found = false;

	*usable = true;
	for (unsigned i = 0; i < io->luns_n; i++)
		given += io->luns[i].given;
	for (unsigned i = 0; now && i < n; i++) {
		const struct io_lun *l = find(io, now[i].number);

		if (!l || !l->given)
			continue;
		given--;
		found |= !has_paths(l, &now[i]);
		*usable &= now[i].usable == now[i].paths;
	}
	return found && !given;
}

/* ---- opening ---- */

struct opening {
	struct daemon *d;
	char uuid[37], name[16];
	unsigned round, number;
	void (*done)(struct io *io);
};

/* All nodes of it or none. */
static void take_path(struct io_lun *l, const struct priv_reply *r)
{
	uint32_t n = 0;

	while (r->fds >= 2 && n < r->fds && (l->fds[l->fds_n + n] = fcntl(r->fd[n], F_DUPFD_CLOEXEC, 3)) >= 0)
		n++;
	if (n < 2 || n < r->fds) {
		while (n)
			close(l->fds[l->fds_n + --n]);
		return;
	}
	l->fds_n += n;
	strcat(l->words, n > 2 ? ",sd,sg,bsg" : ",sd,sg");
}

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
	if (!r->err)
		take_path(l, r);
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

void io_luns_open(struct io *io, bool all, void (*done)(struct io *io))
{
	unsigned n;
	struct io_lun *list = look(io, &n);
	bool keep[REG_GUEST_LUNS] = {false};

	for (unsigned i = 0; list && i < n; i++) {
		const struct io_lun *before = find(io, list[i].number);

		list[i].given = before && before->given;
		keep[i] = !all && list[i].given && same_paths(before, &list[i]);
	}
	io_luns_clear(io);
	io->luns = list;
	io->luns_n = list ? n : 0;
	for (unsigned i = 0; i < io->luns_n; i++)
		for (unsigned k = 0; !keep[i] && k < io->luns[i].paths; k++)
			open_path(io, &io->luns[i], &io->luns[i].path[k], done);
	if (!io->opening)
		done(io);
}

/* ---- passing on ---- */

static void send_lun(struct io *io, struct io_lun *l, const char *word, io_conn_reply *done, void *user)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "%s %u%s", word, l->number, l->words);

	io_conn_ask(io->conn, text, (size_t)len, l->fds, l->fds_n, done, user);
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

/*
 * What it lacks, and what has moved, one after the other: it takes the next when it is done with the one
 * before.  What a process has that another vhbad has started is not known, so its answer tells.
 */
#define AGAIN_US (10 * USEC_PER_MSEC)
#define AGAIN_MAX 300

struct update {
	struct daemon *d;
	char uuid[37], name[16];
	unsigned at, tries;
	bool exists; /* the one in hand: it has it already */
	sd_event_source *timer;
	ios_done *done;
	void *user;
};

static void end_update(struct update *u, const char *why)
{
	struct io *io = io_find(u->d, u->uuid, u->name);

	/* One that was given up has no say in what the next one has opened. */
	if (io && io->update == u) {
		io->update = NULL;
		for (unsigned i = 0; i < io->luns_n; i++)
			close_fds(&io->luns[i]);
	}
	u->done(u->user, why);
	sd_event_source_disable_unref(u->timer);
	free(u);
}

static void tell_next(struct update *u);

static int on_again(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	tell_next(user);
	return 0;
}

/* True: the LUN in hand is done with. */
static bool is_taken(struct update *u, const struct io *io, const char *reply)
{
	if (io_reply_is_ok(reply))
		return true;
	if (strstr(reply, strerror(EEXIST)) && !u->exists) {
		u->exists = true;
		u->tries = 0;
		return !io->held; /* its nodes are those that it has: nothing was logged out meanwhile */
	}
	return false;
}

static void on_told(void *user, const char *reply)
{
	struct update *u = user;
	struct io *io = io_find(u->d, u->uuid, u->name);
	char why[160];

	if (!reply || !io || io->update != u || u->at >= io->luns_n) {
		end_update(u, "vhba-io is gone, or has other LUNs now");
		return;
	}
	if (is_taken(u, io, reply)) {
		io->luns[u->at].given = true;
		close_fds(&io->luns[u->at]);
		u->at++;
		u->tries = 0;
		u->exists = false;
	} else if (++u->tries > AGAIN_MAX || (u->tries > 1 && !strstr(reply, strerror(EBUSY)))) {
		snprintf(why, sizeof(why), "LUN %u: %.120s", io->luns[u->at].number, reply);
		end_update(u, why);
		return;
	}
	daemon_timer(u->d, &u->timer, u->tries ? mono_add(mono_now(), AGAIN_US) : mono_now(), on_again, u);
}

static void tell_next(struct update *u)
{
	struct io *io = io_find(u->d, u->uuid, u->name);
	char why[80];

	while (io && u->at < io->luns_n && !io->luns[u->at].fds_n && io->luns[u->at].given)
		u->at++;
	if (!io || io->update != u || !io->conn) {
		end_update(u, "vhba-io is gone");
	} else if (u->at >= io->luns_n) {
		end_update(u, NULL);
	} else if (!io->luns[u->at].fds_n) {
		snprintf(why, sizeof(why), "LUN %u: no path to it can be opened", io->luns[u->at].number);
		end_update(u, why);
	} else {
		struct io_lun *l = &io->luns[u->at];

		send_lun(io, l, l->given || u->exists ? "lun-paths" : "lun-add", on_told, u);
	}
}

static void on_all_open(struct io *io)
{
	tell_next(io->update);
}

/* Its request, if one is under way, finds that it is none any more. */
void io_luns_give_up(struct io *io)
{
	struct update *u = steal_ptr(io->update);

	if (u && io->opening)
		end_update(u, "LUNs are looked for anew");
}

void io_luns_update(struct io *io, ios_done *done, void *user)
{
	struct update *u = calloc(1, sizeof(*u));

	io_luns_give_up(io);
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
	io_luns_open(io, false, on_all_open);
}

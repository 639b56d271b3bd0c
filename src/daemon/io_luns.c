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

bool io_lun_is_open(const struct io_lun *l)
{
	for (unsigned i = 0; i < l->paths; i++)
		if (l->path[i].fds_n)
			return true;
	return false;
}

void io_lun_close(struct io_lun *l)
{
	for (unsigned i = 0; i < l->paths; i++)
		while (l->path[i].fds_n)
			close(l->path[i].fds[--l->path[i].fds_n]);
}

void io_luns_clear(struct io *io)
{
	for (unsigned i = 0; i < io->luns_n; i++)
		io_lun_close(&io->luns[i]);
	free(steal_ptr(io->luns));
	io->luns_n = 0;
	io->opening = 0;
	io->round++;
}

/* ---- where they are now ---- */

static void add_paths(struct io_lun *l, struct fc_host *host, const struct reg_guest_lun *g)
{
	struct fc_rport *r;
	struct fc_lun *f;

	TAILQ_FOREACH (r, &host->rports, link)
		TAILQ_FOREACH (f, &r->luns, link)
			if (!f->type && f->sd[0] && f->sg[0] && l->paths < IO_PATHS_MAX &&
			    (!g->target || g->target == r->wwpn) && !strcmp(f->designator, g->designator)) {
				struct io_path *p = &l->path[l->paths++];

				fc_lun_refresh_state(host, f);
				*p = (struct io_path){.host = host->number,
						      .channel = f->channel,
						      .target = f->target,
						      .lun = f->lun,
						      .wwpn = r->wwpn,
						      .usable = f->usable};
				memcpy(p->sd, f->sd, sizeof(p->sd));
				l->usable += f->usable;
			}
}

static int by_target(const void *a, const void *b)
{
	const struct io_path *p = a, *q = b;

	if (p->wwpn != q->wwpn)
		return p->wwpn < q->wwpn ? -1 : 1;
	return (p->lun > q->lun) - (p->lun < q->lun);
}

/* In an order that is the same each time, whatever the kernel found first: which path is the first one, and
 * has the commands if none is better, doesn't change with the process. */
static void look_for(const struct io *io, struct io_lun *l, const struct reg_guest_lun *g)
{
	struct vm *vm = vm_find(&io->d->vms, io->uuid);

	l->paths = l->usable = 0;
	for (unsigned i = 0; vm && i < vm->count; i++) {
		struct fc_host *host;
		unsigned before = l->paths;

		if (g->target && vm->vhba[i].index != g->vhba)
			continue;
		san_locate(io->d, &vm->vhba[i]);
		host = vm->vhba[i].host >= 0 ? fc_host_find(&io->d->inv, vm->vhba[i].host) : NULL;
		if (host)
			add_paths(l, host, g);
		qsort(&l->path[before], l->paths - before, sizeof(*l->path), by_target);
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

/* As they are now, also those without a path. */
static struct io_lun *look(const struct io *io, unsigned *n)
{
	const struct reg_vm *rv = registry_find(io->d->reg, io->uuid);
	struct io_lun *list = calloc(REG_GUEST_LUNS, sizeof(*list));

	*n = 0;
	for (unsigned i = 0; list && rv && i < rv->guest_luns_n; i++) {
		struct io_lun *l = &list[*n];

		if (!is_ours(io, &rv->guest_luns[i]))
			continue;
		*l = (struct io_lun){.number = io->blk ? 0 : rv->guest_luns[i].number,
				     .one_path = rv->guest_luns[i].target != 0};
		look_for(io, l, &rv->guest_luns[i]);
		++*n;
	}
	return list;
}

static bool same_path(const struct io_path *a, const struct io_path *b)
{
	return a->host == b->host && a->channel == b->channel && a->target == b->target && a->lun == b->lun &&
	       !strcmp(a->sd, b->sd);
}

/* Or is there nothing new: what could not be opened was usable then, too, or isn't now. */
static bool has_path(const struct io_lun *l, const struct io_path *p)
{
	for (unsigned i = 0; i < l->paths; i++)
		if (same_path(&l->path[i], p))
			return l->path[i].opened || l->path[i].usable || !p->usable;
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

		if (!now[i].paths)
			continue;
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

static bool any_open(const struct io_lun *l)
{
	for (unsigned i = 0; i < l->paths; i++)
		if (l->path[i].opened)
			return true;
	return false;
}

bool io_luns_found(const struct io *io, bool *usable, bool *whole)
{
	unsigned n;
	AUTO_FREE struct io_lun *now = look(io, &n);
	bool found = false;

	*usable = *whole = true;
	for (unsigned i = 0; now && i < n; i++) {
		const struct io_lun *l = find(io, now[i].number);

		if (!l || !l->given)
			continue;
		found |= !has_paths(l, &now[i]) || (now[i].usable && !any_open(l));
		*usable &= now[i].usable == now[i].paths;
		*whole &= now[i].paths > 0;
	}
	return found;
}

void io_lun_forget(struct io *io, unsigned number)
{
	struct io_lun *l = find(io, number);

	if (number >= REG_GUEST_LUNS)
		return;
	io->had[number] = false;
	io_record_write(io);
	if (l)
		l->given = false;
}

/* ---- opening ---- */

struct opening {
	struct daemon *d;
	char uuid[37], name[16];
	unsigned round, number, path;
	void (*done)(struct io *io);
};

/* All of it or nothing. */
static void take_path(struct io_path *p, const struct priv_reply *r)
{
	uint32_t parts = r->number & (PRIV_LUN_BSG | PRIV_LUN_STATE | PRIV_LUN_ACCESS);

	if (r->fds != 2u + (uint32_t)__builtin_popcount(parts))
		return;
	for (; p->fds_n < r->fds; p->fds_n++) {
		p->fds[p->fds_n] = fcntl(r->fd[p->fds_n], F_DUPFD_CLOEXEC, 3);
		if (p->fds[p->fds_n] >= 0)
			continue;
		while (p->fds_n)
			close(p->fds[--p->fds_n]);
		return;
	}
	p->parts = parts;
	p->opened = true;
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
		take_path(&l->path[o->path], r);
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

static void open_path(struct io *io, const struct io_lun *l, unsigned path, void (*done)(struct io *io))
{
	const struct io_path *p = &l->path[path];
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
	*o = (struct opening){
		.d = io->d, .round = io->round, .number = l->number, .path = path, .done = done};
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
		if (keep[i])
			list[i] = *before;
	}
	io_luns_clear(io);
	io->luns = list;
	io->luns_n = list ? n : 0;
	for (unsigned i = 0; i < io->luns_n; i++)
		for (unsigned k = 0; !keep[i] && k < io->luns[i].paths; k++)
			open_path(io, &io->luns[i], k, done);
	if (!io->opening)
		done(io);
}

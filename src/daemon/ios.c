/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which back ends there are: started and ended by what their VMs are to have, and found again. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fdlimit.h"
#include "ios_private.h"
#include "log.h"
#include "methods.h"
#include "op.h"

static int start_one(struct daemon *d, const struct reg_vm *rv, const char *name, bool gate, struct verror *e)
{
	struct io *io = io_find(d, rv->uuid, name);

	if (io && io->machine.state == IO_END) {
		verror_set(e, VHBA_E_BUSY, "%s: its vhba-io is ending", rv->name);
		verror_fix(e, "try again");
		return -EBUSY;
	}
	if (io) {
		io_tell(io, IO_EV_WANTED);
		return 0;
	}
	io = io_new(d->ios, rv->uuid, rv->name, name);
	if (!io)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	io->gate = gate;
	if (io_files_make(io, e)) {
		io_free(io);
		return -EIO;
	}
	io_record_write(io);
	io_tell(io, IO_EV_WANTED);
	return 0;
}

static bool wanted(const struct reg_vm *rv, const struct io *io)
{
	return rv && (io->blk ? rv->io.kind == REG_IO_BLK && reg_guest_lun(rv, io->number)
			      : rv->io.kind == REG_IO_SCSI);
}

int ios_start(struct daemon *d, const struct reg_vm *rv, bool gate, struct verror *e)
{
	int r = 0;
	char name[16];

	if (rv->io.kind == REG_IO_SCSI)
		return start_one(d, rv, "scsi", gate, e);
	if (rv->io.kind == REG_IO_NONE) {
		verror_set(e, VHBA_E_STATE, "%s has no I/O back end", rv->name);
		verror_fix(e, "vhbactl vm set %s --io scsi", rv->name);
		return -EINVAL;
	}
	for (unsigned i = 0; !r && i < rv->guest_luns_n; i++) {
		snprintf(name, sizeof(name), "blk-%u", rv->guest_luns[i].number);
		r = start_one(d, rv, name, gate, e);
	}
	return r;
}

void ios_end(struct daemon *d, const char *uuid)
{
	struct io *io, *next;

	for (io = d->ios ? TAILQ_FIRST(&d->ios->list) : NULL; io; io = next) {
		next = TAILQ_NEXT(io, link);
		if (!strcmp(io->uuid, uuid))
			io_tell(io, IO_EV_UNWANTED);
	}
}

bool ios_run(const struct daemon *d, const char *uuid)
{
	const struct io *io;

	if (d->ios)
		TAILQ_FOREACH (io, &d->ios->list, link)
			if (!strcmp(io->uuid, uuid) && io->machine.state != IO_END)
				return true;
	return false;
}

/* ---- changes of what they serve ---- */

void ios_attached(struct daemon *d, const struct vm *vm)
{
	const struct reg_vm *rv = registry_find(d->reg, vm->uuid);
	struct verror e;
	bool fenced, waits = false;
	struct io *io;

	if (!d->ios || !rv || rv->io.kind == REG_IO_NONE)
		return;
	fenced = !rv->io.unfenced;
	if (ios_start(d, rv, rv->io.gate && !fenced, &e))
		log_err("%s: its vhba-io can't be started: %s", rv->name, e.what);
	TAILQ_FOREACH (io, &d->ios->list, link) {
		if (strcmp(io->uuid, vm->uuid))
			continue;
		io->fenced |= fenced && io->gate;
		waits |= io->fenced;
		io_settle(io);
	}
	if (fenced && !waits)
		ios_ungate(d, vm->uuid);
}

void ios_look(struct daemon *d, const char *name)
{
	const struct reg_vm *rv = registry_find(d->reg, name);
	struct io *io, *next;
	struct verror e;
	char uuid[37];

	if (!d->ios || !rv || !ios_run(d, rv->uuid))
		return;
	/* A gate that opens meanwhile is registered, by another entry in rv's place. */
	snprintf(uuid, sizeof(uuid), "%s", rv->uuid);
	for (io = TAILQ_FIRST(&d->ios->list); io; io = next) {
		next = TAILQ_NEXT(io, link);
		if (strcmp(io->uuid, uuid))
			continue;
		if (wanted(registry_find(d->reg, uuid), io))
			io_settle(io);
		else
			io_tell(io, IO_EV_UNWANTED);
	}
	rv = registry_find(d->reg, uuid);
	if (rv && rv->io.kind == REG_IO_BLK && ios_start(d, rv, rv->io.gate, &e))
		log_err("%s: a vhba-io can't be started: %s", rv->name, e.what);
}

static void on_news_told(void *user, const char *reply)
{
	const struct io *io = user;

	if (reply && !io_reply_is_ok(reply))
		io_event(io, "lun", "the guest is not told of a change: %.200s", reply);
}

void ios_check(struct daemon *d, const char *uuid)
{
	struct io *io;

	if (d->ios)
		TAILQ_FOREACH (io, &d->ios->list, link)
			if (!strcmp(io->uuid, uuid) && io->conn)
				io_conn_say(io->conn, on_news_told, io, "lun-check");
}

/* virtio-blk has no word for it. */
void ios_lun_changed(struct daemon *d, const char *uuid, unsigned number)
{
	struct io *io;

	if (d->ios)
		TAILQ_FOREACH (io, &d->ios->list, link)
			if (!strcmp(io->uuid, uuid) && io->conn && !io->blk)
				io_conn_say(io->conn, on_news_told, io, "lun-changed %u", number);
}

/* ---- those that an earlier vhbad has started ---- */

static void on_first_status(void *user, const char *reply)
{
	struct io *io = user;

	if (reply && !io->gate && !io->held && strstr(reply, " waits=gate"))
		io_conn_say(io->conn, NULL, NULL, "gate-open confirmed");
	if (reply)
		io_ask_status(io);
}

static void on_held(void *user, const char *reply)
{
	struct io *io = user;

	if (!reply)
		return;
	if (!io_reply_is_ok(reply))
		log_warning("%s: %s: what it keeps isn't told: %s", io->vm, io->name, reply);
	io_conn_say(io->conn, on_first_status, io, "status");
}

/* That it goes on is recorded before it is told: a vhbad that was killed in between has left it waiting. */
static void tell_again(struct io *io)
{
	if (!io->held)
		io_conn_say(io->conn, NULL, NULL, "start");
	io_conn_say(io->conn, on_held, io, "hold");
}

static void find_one(struct ios *ios, const char *vm, const char *name)
{
	char uuid[37];
	struct io *io;
	int fd;

	if (!io_record_uuid(ios, vm, name, uuid) || !(io = io_new(ios, uuid, vm, name)))
		return;
	io_record_read(io);
	fd = io_find_process(io);
	if (fd < 0 || !io_watch(io, fd)) {
		io_forget_process(io);
		io_tell(io, IO_EV_WANTED); /* both have ended: what was kept is lost */
		return;
	}
	io_tell(io, IO_EV_FOUND);
	tell_again(io);
}

void ios_adopted(struct daemon *d)
{
	struct io *io, *next;
	struct vm *vm;

	for (io = TAILQ_FIRST(&d->ios->list); io; io = next) {
		next = TAILQ_NEXT(io, link);
		if (!wanted(registry_find(d->reg, io->uuid), io))
			io_tell(io, IO_EV_UNWANTED);
	}
	TAILQ_FOREACH (io, &d->ios->list, link) {
		const struct reg_vm *rv = registry_find(d->reg, io->uuid);
		struct verror e;

		if (rv && op_io_adopt(d, rv, &e))
			log_err("%s: %s", rv->name, e.what);
		live_adopted(io);
	}
	TAILQ_FOREACH (vm, &d->vms, link)
		if (vm->state == VM_ATTACHED && vm->count)
			ios_attached(d, vm);
}

/* ---- their life ---- */

static gid_t group_of(const char *name)
{
	const struct group *g = name[0] ? getgrnam(name) : NULL;

	if (name[0] && !g)
		log_warning("there is no group %s: no front end can connect to a vhba-io by it", name);
	return g ? g->gr_gid : (gid_t)-1;
}

struct ios *ios_new(struct daemon *d)
{
	struct ios *ios = calloc(1, sizeof(*ios));
	int err;

	if (!ios)
		return NULL;
	ios->d = d;
	ios->group = group_of(d->cfg->io_group);
	TAILQ_INIT(&ios->list);
	d->ios = ios;
	/* Each holds a front end's fds twice, some for each ring and each piece of memory. */
	err = fdlimit_raise();
	if (err)
		log_warning("no more than the usual number of files: %s", strerror(-err));
	io_records_read(ios, find_one);
	return ios;
}

void ios_free(struct ios *ios)
{
	struct io *io;

	if (!ios)
		return;
	while ((io = TAILQ_FIRST(&ios->list)))
		io_free(io);
	ios->d->ios = NULL;
	free(ios);
}

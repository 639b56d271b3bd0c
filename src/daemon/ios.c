/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "fdlimit.h"
#include "ios_private.h"
#include "log.h"
#include "methods.h"
#include "op.h"

struct io *io_find(const struct daemon *d, const char *uuid, const char *name)
{
	struct io *io;

	if (d->ios)
		TAILQ_FOREACH (io, &d->ios->list, link)
			if (!strcmp(io->uuid, uuid) && !strcmp(io->name, name))
				return io;
	return NULL;
}

void io_event(const struct io *io, const char *what, const char *fmt, ...)
{
	char kind[32], text[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(kind, sizeof(kind), "io.%s", what);
	log_info("%s: %s: %s", io->vm, io->name, text);
	daemon_event(io->d, kind, io->vm, "%s: %s", io->name, text);
}

/* Whoever counts the VM's commands counts again. */
static void wake(const struct io *io)
{
	struct vm *vm = vm_find(&io->d->vms, io->uuid);

	if (vm)
		vm_wake(io->d, vm);
}

/* ---- what it says ---- */

static void take_state(struct io *io, const char *text)
{
	unsigned busy = 0, orphans = 0;
	char state[16] = "";
	const char *at;

	if (sscanf(text, "%15s", state) != 1)
		return;
	if ((at = strstr(text, "busy=")))
		busy = (unsigned)strtoul(at + 5, NULL, 10);
	if ((at = strstr(text, "orphans=")))
		orphans = (unsigned)strtoul(at + 8, NULL, 10);
	if (!strcmp(state, io->state) && busy == io->busy && orphans == io->orphans)
		return;
	if (orphans != io->orphans)
		io_event(io, "state",
			 orphans ? "%u commands are left in the kernel"
				 : "none is left in the kernel (was %u)",
			 orphans ? orphans : io->orphans);
	snprintf(io->state, sizeof(io->state), "%s", state);
	io->busy = busy;
	io->orphans = orphans;
	wake(io);
}

static void on_keep(void *user, const char *key, const void *bytes, size_t len, const int *fds, unsigned n)
{
	io_keep(user, key, bytes, len, fds, n);
}

static void on_drop(void *user, const char *key)
{
	io_drop(user, key);
}

static void on_event(void *user, const char *word, const char *text)
{
	struct io *io = user;

	if (!strcmp(word, "state")) {
		take_state(io, text);
		return;
	}
	if (!strcmp(word, "rings"))
		live_told(io, text);
	else if (!strcmp(word, "front"))
		io->connected = !strncmp(text, "connected", 9);
	else if (!strcmp(word, "log"))
		io->logging = !strncmp(text, "on", 2);
	for (const char *c = word; *c; c++)
		if (*c < 'a' || *c > 'z')
			return;
	if (strlen(word) < 16)
		io_event(io, word, "%.200s", text);
}

/* It has broken off, so it is of no use: its end is what tells. */
static void on_conn_gone(void *user)
{
	struct io *io = user;

	if (io->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, io->pidfd, SIGKILL, NULL, 0);
}

static const struct io_conn_ops conn_ops = {on_keep, on_drop, on_event, on_conn_gone};

static void on_status(void *user, const char *reply)
{
	struct io *io = user;

	io->asked = false;
	if (reply && !strncmp(reply, "ok ", 3))
		take_state(io, reply + 3);
}

void io_ask_status(struct io *io)
{
	if (!io->conn || io->asked)
		return;
	io->asked = true;
	io_conn_say(io->conn, on_status, io, "status");
}

/* ---- its process ---- */

static void forget_process(struct io *io)
{
	io->child = sd_event_source_disable_unref(io->child);
	io_conn_free(steal_ptr(io->conn));
	cleanup_fd(&io->pidfd);
	io->pidfd = -1;
	io->pid = 0;
	io->asked = false;
	io->up.us = 0;
	io->live.known = false;
	io->busy = io->orphans = 0;
	io->state[0] = '\0';
}

/* How it has ended; of one that another vhbad has started that isn't told. */
static void note_end(struct io *io)
{
	siginfo_t si = {0};

	if (waitid(P_PIDFD, (id_t)io->pidfd, &si, WEXITED | WNOHANG) || !si.si_pid)
		snprintf(io->text, sizeof(io->text), "it has ended");
	else if (si.si_code == CLD_EXITED)
		snprintf(io->text, sizeof(io->text), "it has ended with %d", si.si_status);
	else
		snprintf(io->text, sizeof(io->text), "it was killed by signal %d", si.si_status);
}

static int on_ended(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct io *io = user;

	(void)s;
	(void)fd;
	(void)revents;
	note_end(io);
	if (io->machine.state != IO_END && io->machine.state != IO_LEAVE)
		io_event(io, "gone", "%s", io->text);
	forget_process(io);
	io_tell(io, IO_EV_GONE);
	return 0;
}

static bool watch(struct io *io, int fd)
{
	io->conn = io_conn_new(io->d->loop, fd, &conn_ops, io);
	return io->conn && sd_event_add_io(io->d->loop, &io->child, io->pidfd, EPOLLIN, on_ended, io) >= 0;
}

/* ---- what the machine wants ---- */

static void on_open(struct io *io)
{
	io_tell_later(io, IO_EV_OPENED);
}

static void do_open(struct io *io)
{
	io_luns_give_up(io);
	for (unsigned i = 0; i < io->luns_n; i++)
		io->luns[i].given = false;
	io_luns_open(io, true, on_open);
}

static void on_taken_over(void *user, const char *reply)
{
	struct io *io = user;

	if (!reply)
		return; /* its end is told by itself */
	if (io_reply_is_ok(reply)) {
		io_tell_later(io, IO_EV_READY);
		return;
	}
	io_event(io, "start", "it can't take over: %.200s", reply);
	on_conn_gone(io);
}

static void do_spawn(struct io *io)
{
	struct verror e;
	char line[400];
	int fd = io_spawn(io, &e);

	if (fd < 0 || !watch(io, fd)) {
		snprintf(io->text, sizeof(io->text), "%.150s",
			 fd < 0 ? verror_line(&e, line, sizeof(line)) : "out of memory");
		log_err("%s: %s: %s", io->vm, io->name, io->text);
		if (io->pidfd >= 0)
			syscall(SYS_pidfd_send_signal, io->pidfd, SIGKILL, NULL, 0);
		forget_process(io);
		io_tell_later(io, IO_EV_GONE);
		return;
	}
	log_info("%s: %s: vhba-io %d is started%s", io->vm, io->name, (int)io->pid,
		 io->gate || io->held ? ", gate closed" : "");
	io->gate |= io->held;
	io_luns_send(io);
	io_keep_send(io);
	io_conn_say(io->conn, on_taken_over, io, "go");
}

#define SETTLE_US USEC_PER_SEC

static void settle(struct io *io);

static int on_settle(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	settle(user);
	return 0;
}

struct settling {
	struct daemon *d;
	char uuid[37], name[16];
};

static void on_settled(void *user, const char *why)
{
	AUTO_FREE struct settling *s = user;
	struct io *io = io_find(s->d, s->uuid, s->name);

	if (!io)
		return;
	if (!why) {
		settle(io);
		return;
	}
	log_info("%s: %s: a LUN could not be given to it: %s; trying again", io->vm, io->name, why);
	daemon_timer(io->d, &io->settle, mono_add(mono_now(), SETTLE_US), on_settle, io);
}

static void open_fenced(struct io *io);

/* It has the LUNs that it is to have, or will; then a gate opens that waits for them. A VM that is quiesced
 * gets them when it goes on. */
static void settle(struct io *io)
{
	struct settling *s;

	if (io->machine.state != IO_UP || io->held || io->update)
		return;
	if (!io_luns_moved(io)) {
		if (io->fenced)
			open_fenced(io);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	s->d = io->d;
	strcpy(s->uuid, io->uuid);
	strcpy(s->name, io->name);
	io_luns_update(io, on_settled, s);
}

static void do_serve(struct io *io)
{
	io->up = mono_now();
	io->text[0] = '\0';
	io_event(io, "up", "process %d%s%s", (int)io->pid, io->machine.restarts ? ", it has taken over" : "",
		 io->gate ? ", its gate is closed" : "");
	io_record_write(io);
	/* Its gate alone would leave it running, as it says, and its LUNs as they are. */
	if (io->held)
		io_conn_say(io->conn, NULL, NULL, "stop");
	io_ask_status(io);
	settle(io);
	wake(io);
}

static void do_leave(struct io *io)
{
	io_conn_say(io->conn, NULL, NULL, "leave");
}

static void do_terminate(struct io *io)
{
	if (io->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, io->pidfd, SIGTERM, NULL, 0);
}

static void do_kill(struct io *io)
{
	on_conn_gone(io);
}

static void free_io(struct io *io)
{
	TAILQ_REMOVE(&io->d->ios->list, io, link);
	io_luns_give_up(io);
	forget_process(io);
	io_luns_clear(io);
	io_keep_clear(io);
	live_clear(io);
	cleanup_fd(&io->front);
	work_cancel(&io->d->works, &io->work);
	sd_event_source_disable_unref(io->timer);
	sd_event_source_disable_unref(io->settle);
	free(io);
}

static void do_forget(struct io *io)
{
	io_event(io, "end", "nothing is served any more");
	io_files_remove(io);
	free_io(io);
}

static void (*const actions[IO_ACTIONS_])(struct io *io) = {
	[IO_DO_OPEN] = do_open,	    [IO_DO_SPAWN] = do_spawn,	      [IO_DO_SERVE] = do_serve,
	[IO_DO_LEAVE] = do_leave,   [IO_DO_TERMINATE] = do_terminate, [IO_DO_KILL] = do_kill,
	[IO_DO_FORGET] = do_forget,
};

static int on_timer(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	io_tell(user, IO_EV_TIME);
	return 0;
}

void io_tell(struct io *io, enum io_event ev)
{
	enum io_action action = io_machine_event(&io->machine, ev, mono_now());

	daemon_deadline(io->d, &io->timer, io->machine.due, on_timer, io);
	if (actions[action])
		actions[action](io); /* may free it */
}

static void run_later(struct work *w)
{
	struct io *io = (struct io *)((char *)w - offsetof(struct io, work));

	io_tell(io, io->next);
}

/* One at a time: a later one is what counts, since the earlier has led nowhere yet. */
void io_tell_later(struct io *io, enum io_event ev)
{
	io->next = ev;
	work_queue(&io->d->works, &io->work);
}

/* ---- which there are ---- */

static struct io *new_io(struct ios *ios, const char *uuid, const char *vm, const char *name)
{
	struct io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	io->d = ios->d;
	snprintf(io->uuid, sizeof(io->uuid), "%s", uuid);
	snprintf(io->vm, sizeof(io->vm), "%s", vm);
	snprintf(io->name, sizeof(io->name), "%s", name);
	io->blk = !strncmp(name, "blk-", 4);
	io->number = io->blk ? (unsigned)strtoul(name + 4, NULL, 10) : 0;
	io->pidfd = io->front = -1;
	io->work.fn = run_later;
	TAILQ_INIT(&io->kept);
	live_init(io);
	io_machine_init(&io->machine, ios->d->cfg->io_deadline, mono_now());
	TAILQ_INSERT_TAIL(&ios->list, io, link);
	return io;
}

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
	io = new_io(d->ios, rv->uuid, rv->name, name);
	if (!io)
		return verror_set(e, VHBA_E_INTERNAL, "out of memory");
	io->gate = gate;
	if (io_files_make(io, e)) {
		free_io(io);
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

/* ---- the gate ---- */

static void on_gate(void *user, const char *reply)
{
	struct io *io = user;

	if (reply && !io_reply_is_ok(reply))
		io_event(io, "gate", "it does not open: %.200s", reply);
}

/* One that does not run yet is started with it open. */
static void open_gate(struct io *io, const char *reason)
{
	if (!io->gate || io->held)
		return;
	io->gate = false;
	live_waits(io->d, io->uuid, NULL);
	io_event(io, "gate", "open: %s", reason);
	io_record_write(io);
	if (io->conn)
		io_conn_say(io->conn, on_gate, io, "gate-open %s", reason);
}

static void on_ungated(void *user, const struct verror *e)
{
	(void)user;
	if (e)
		log_warning("that a VM's gate is open could not be registered: %s", e->what);
}

static void ungate(struct daemon *d, const char *uuid)
{
	const struct reg_vm *rv = registry_find(d->reg, uuid);
	struct reg_io io = rv ? rv->io : (struct reg_io){0};
	struct verror e;

	if (!rv || !rv->io.gate)
		return;
	io.gate = io.unfenced = io.arrives = false;
	if (registry_set(d->reg, rv, rv->pool, &io, on_ungated, NULL, &e))
		on_ungated(NULL, &e);
	daemon_registry_changed(d);
}

void ios_open(struct daemon *d, const char *uuid, const char *reason)
{
	struct io *io;

	ungate(d, uuid);
	TAILQ_FOREACH (io, &d->ios->list, link)
		if (!strcmp(io->uuid, uuid))
			open_gate(io, reason);
}

/* Without its LUNs it would tell the guest that there are none. */
static void open_fenced(struct io *io)
{
	io->fenced = false;
	ungate(io->d, io->uuid);
	open_gate(io, "fenced");
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
		settle(io);
	}
	if (fenced && !waits)
		ungate(d, vm->uuid);
}

void ios_look(struct daemon *d, const char *name)
{
	const struct reg_vm *rv = registry_find(d->reg, name);
	struct io *io, *next;
	struct verror e;

	if (!d->ios || !rv || !ios_run(d, rv->uuid))
		return;
	for (io = TAILQ_FIRST(&d->ios->list); io; io = next) {
		next = TAILQ_NEXT(io, link);
		if (strcmp(io->uuid, rv->uuid))
			continue;
		if (wanted(rv, io))
			settle(io);
		else
			io_tell(io, IO_EV_UNWANTED);
	}
	if (rv->io.kind == REG_IO_BLK && ios_start(d, rv, rv->io.gate, &e))
		log_err("%s: a vhba-io can't be started: %s", rv->name, e.what);
}

/* ---- those that an earlier vhbad has started ---- */

static void on_held(void *user, const char *reply)
{
	struct io *io = user;

	if (!reply)
		return;
	if (!io_reply_is_ok(reply))
		log_warning("%s: %s: what it keeps isn't told: %s", io->vm, io->name, reply);
	io_ask_status(io);
}

static void find_one(struct ios *ios, const char *vm, const char *name)
{
	char uuid[37];
	struct io *io;
	int fd;

	if (!io_record_uuid(ios, vm, name, uuid) || !(io = new_io(ios, uuid, vm, name)))
		return;
	io_record_read(io);
	fd = io_find_process(io);
	if (fd < 0 || !watch(io, fd)) {
		forget_process(io);
		io_tell(io, IO_EV_WANTED); /* both have ended: what was kept is lost */
		return;
	}
	io_tell(io, IO_EV_FOUND);
	io_conn_say(io->conn, on_held, io, "hold");
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
	}
	TAILQ_FOREACH (vm, &d->vms, link)
		if (vm->state == VM_ATTACHED && vm->count)
			ios_attached(d, vm);
}

/* ---- their life ---- */

/* Each holds a front end's fds twice, some for each ring and each piece of memory. */
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
	/* each holds a front end's fds twice, some for each ring and each piece of memory */
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
		free_io(io);
	ios->d->ios = NULL;
	free(ios);
}

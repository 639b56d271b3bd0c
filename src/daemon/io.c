/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One vhba-io: its process, what it says, and what its machine wants. */
#include <errno.h>
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
#include "ios_private.h"
#include "log.h"
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

void io_forget_process(struct io *io)
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
	/* The end and the last words are seen at once: what was kept last is not to be lost. */
	if (io->conn)
		io_conn_rest(io->conn);
	note_end(io);
	if (io->machine.state != IO_END && io->machine.state != IO_LEAVE)
		io_event(io, "gone", "%s", io->text);
	io_forget_process(io);
	io_tell(io, IO_EV_GONE);
	return 0;
}

bool io_watch(struct io *io, int fd)
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

	if (fd < 0 || !io_watch(io, fd)) {
		snprintf(io->text, sizeof(io->text), "%.150s",
			 fd < 0 ? verror_line(&e, line, sizeof(line)) : "out of memory");
		log_err("%s: %s: %s", io->vm, io->name, io->text);
		if (io->pidfd >= 0)
			syscall(SYS_pidfd_send_signal, io->pidfd, SIGKILL, NULL, 0);
		io_forget_process(io);
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

static int on_settle(sd_event_source *s, uint64_t usec, void *user)
{
	(void)s;
	(void)usec;
	io_settle(user);
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
		io_settle(io);
		return;
	}
	log_info("%s: %s: a LUN could not be given to it: %s; trying again", io->vm, io->name, why);
	daemon_timer(io->d, &io->settle, mono_add(mono_now(), SETTLE_US), on_settle, io);
}

/* It has the LUNs that it is to have, or will; then a gate opens that waits for them. A VM that is quiesced
 * gets them when it goes on; other paths, one that runs can't be given (io_news.c). */
void io_settle(struct io *io)
{
	struct settling *s;

	if (io->machine.state != IO_UP || io->held || io->update)
		return;
	if (io->gate ? !io_luns_moved(io) : !io_luns_lacking(io)) {
		if (io->fenced)
			io_open_fenced(io);
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
	io_settle(io);
	io_news(io);
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

static void do_forget(struct io *io)
{
	io_event(io, "end", "nothing is served any more");
	io_files_remove(io);
	io_free(io);
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

/* The next one comes at once.  One that runs is judged by the clock when what it has said is read: it may be
 * this loop that was held up. */
static void arm_timer(struct io *io)
{
	daemon_deadline(io->d, &io->timer, io->machine.due, on_timer, io);
	if (io->timer && io->machine.state != IO_WAIT)
		sd_event_source_set_priority(io->timer, SD_EVENT_PRIORITY_NORMAL + 1);
}

void io_tell(struct io *io, enum io_event ev)
{
	enum io_action action = io_machine_event(&io->machine, ev, mono_now());

	arm_timer(io);
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

/* ---- its life ---- */

struct io *io_new(struct ios *ios, const char *uuid, const char *vm, const char *name)
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

void io_free(struct io *io)
{
	TAILQ_REMOVE(&io->d->ios->list, io, link);
	io_luns_give_up(io);
	io_file_give_up(io);
	io_forget_process(io);
	io_luns_clear(io);
	io_keep_clear(io);
	live_clear(io);
	cleanup_fd(&io->front);
	work_cancel(&io->d->works, &io->work);
	sd_event_source_disable_unref(io->timer);
	sd_event_source_disable_unref(io->settle);
	sd_event_source_disable_unref(io->news);
	free(io);
}

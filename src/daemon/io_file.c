/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that becomes a LUN of a guest that runs: vhba-io opens none any more, and vhbad must not wait for a
 * disk, so a child opens it and passes it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "fdpass.h"
#include "ios_private.h"
#include "log.h"

#define OPEN_US (10 * USEC_PER_SEC)

struct file_open {
	LIST_ENTRY(file_open) link;
	struct io *io;
	unsigned number;
	int sock;
	sd_event_source *readable, *timer;
};

/* ---- the child: of a process with threads, so system calls only ---- */

static void send_back(int sock, int err, const int *fds, unsigned n)
{
	struct iovec iov = {&err, sizeof(err)};
	FDPASS_ROOM(2) room;
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	fdpass_put(&h, &room, fds, n);
	sendmsg(sock, &h, MSG_NOSIGNAL);
}

static void open_both(int sock, const char *file, int flags, const char *state)
{
	int fds[2] = {open(file, flags), -1}, err = errno;

	if (fds[0] >= 0 && state) {
		fds[1] = open(state, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		err = errno;
	}
	if (fds[0] < 0 || (state && fds[1] < 0))
		send_back(sock, err, NULL, 0);
	else
		send_back(sock, 0, fds, state ? 2 : 1);
}

/* Nobody has to wait for the one that opens: its parent has ended at once. */
static int fork_away(int sock, const char *file, int flags, const char *state)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		if (!fork())
			open_both(sock, file, flags, state);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return 0;
}

/* ---- vhbad ---- */

static void end(struct file_open *o)
{
	LIST_REMOVE(o, link);
	sd_event_source_disable_unref(o->readable);
	sd_event_source_disable_unref(o->timer);
	close(o->sock);
	free(o);
}

void io_file_give_up(struct io *io)
{
	while (!LIST_EMPTY(&io->opens))
		end(LIST_FIRST(&io->opens));
}

static void give(struct file_open *o, const int *fds, unsigned n)
{
	struct io *io = o->io;
	const struct reg_vm *rv = registry_find(io->d->reg, io->uuid);
	const struct reg_guest_lun *l = rv ? reg_guest_lun(rv, o->number) : NULL;
	char text[128];
	int len;

	/* One that was started meanwhile has it by its options. */
	if (!l || io->machine.state != IO_UP)
		return;
	len = snprintf(text, sizeof(text), "lun-add %u,fd,serial=%s%s%s", l->number, l->serial,
		       n == 2 ? ",state" : "", l->read_only ? ",ro" : "");
	io_conn_ask(io->conn, text, (size_t)len, fds, n, io_lun_answered, io);
}

static int on_opened(sd_event_source *s, int fd, uint32_t revents, void *user)
{
	struct file_open *o = user;
	FDPASS_ROOM(2) room;
	int err = EIO, fds[2] = {-1, -1};
	struct iovec iov = {&err, sizeof(err)};
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room)};
	ssize_t len = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	unsigned n = len > 0 ? fdpass_take(&h, fds, 2) : 0;

	(void)s;
	(void)revents;
	if (n)
		give(o, fds, n);
	else
		log_err("LUN %u of %s can't be opened: %s", o->number, o->io->vm, strerror(err));
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
	end(o);
	return 0;
}

static int on_late(sd_event_source *s, uint64_t usec, void *user)
{
	struct file_open *o = user;

	(void)s;
	(void)usec;
	log_err("LUN %u of %s does not open: its disk hangs", o->number, o->io->vm);
	end(o);
	return 0;
}

static int begin(struct io *io, const struct reg_guest_lun *l)
{
	struct file_open *o = calloc(1, sizeof(*o));
	char state[REG_FILE_MAX + 8];
	int sv[2], r;

	if (!o || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv)) {
		free(o);
		return -ENOMEM;
	}
	o->io = io;
	o->number = l->number;
	o->sock = sv[0];
	LIST_INSERT_HEAD(&io->opens, o, link);
	snprintf(state, sizeof(state), "%s.vhba", l->file);
	r = sd_event_add_io(io->d->loop, &o->readable, sv[0], EPOLLIN, on_opened, o);
	if (r >= 0)
		r = fork_away(sv[1], l->file,
			      (l->read_only ? O_RDONLY : O_RDWR) | (l->direct ? O_DIRECT : 0) | O_CLOEXEC,
			      io_file_has_state(l) ? state : NULL);
	close(sv[1]);
	daemon_timer(io->d, &o->timer, mono_add(mono_now(), OPEN_US), on_late, o);
	if (r < 0)
		end(o);
	return r;
}

void ios_lun_came(struct daemon *d, const char *vm, unsigned number)
{
	const struct reg_vm *rv = registry_find(d->reg, vm);
	const struct reg_guest_lun *l = rv ? reg_guest_lun(rv, number) : NULL;
	struct io *io = l && l->file[0] ? io_find(d, rv->uuid, "scsi") : NULL;

	if (io && io->machine.state == IO_UP && begin(io, l))
		log_err("%s: LUN %u can't be opened now: it comes with the next vhba-io", vm, number);
}

void ios_lun_went(struct daemon *d, const char *vm, unsigned number)
{
	const struct reg_vm *rv = registry_find(d->reg, vm);
	struct io *io = rv ? io_find(d, rv->uuid, "scsi") : NULL;

	if (!io)
		return;
	io_lun_forget(io, number);
	if (io->conn)
		io_conn_say(io->conn, io_lun_answered, io, "lun-remove %u", number);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between ios.c, which says which there are, io.c, which drives one, and io_*.c.  Inside src/daemon only;
 * loop thread only.
 */
#ifndef VHBA_IOS_PRIVATE_H
#define VHBA_IOS_PRIVATE_H

#include "io_conn.h"
#include "io_machine.h"
#include "ios.h"
#include "live.h"
#include "priv.h"

#define IO_PATHS_MAX 8

/* One entry that a vhba-io wants to have kept. */
struct io_kept {
	TAILQ_ENTRY(io_kept) link;
	char key[IO_CONN_KEY];
	size_t len;
	unsigned n;
	int fds[IO_KEPT_FDS];
	char bytes[];
};

TAILQ_HEAD(io_kept_list, io_kept);

struct update;

struct io_path {
	int host; /* the vport's own */
	unsigned channel, target;
	uint64_t lun;
	uint64_t wwpn; /* of the target port */
	char sd[16]; /* a device that the kernel removes and makes anew has another one, as long as this is
			open */
	bool usable; /* when it was looked for */
	bool opened; /* its nodes could be opened then */
	/* until they are sent: sd, sg, and the parts of enum priv_lun_part */
	uint32_t parts;
	unsigned fds_n;
	int fds[PRIV_FDS_MAX];
};

/* An array's LUN as it was opened last. */
struct io_lun {
	unsigned number; /* as this process knows it: 0 of a virtio-blk device */
	bool one_path; /* the guest has its other paths by other numbers */
	bool given; /* this process has it, with the paths that could be opened */
	unsigned paths, usable;
	struct io_path path[IO_PATHS_MAX]; /* in the order of the vhbas, their targets' WWPNs, the LUNs */
};

struct io {
	TAILQ_ENTRY(io) link;
	struct daemon *d;
	char uuid[37];
	char vm[REG_NAME_MAX];
	char name[16]; /* "scsi", "blk-3": of its files */
	bool blk;
	unsigned number; /* the guest LUN of a virtio-blk device */
	struct io_machine machine;
	sd_event_source *timer, *settle; /* settle: LUNs that it could not be given are tried again */
	sd_event_source *news; /* io_news.c: something of its VM's ports has changed */
	bool newsworthy;
	uint64_t news_us; /* until it is looked at */
	struct work work; /* an event of the machine that came from within it */
	enum io_event next;
	/* the process */
	pid_t pid; /* 0: none */
	int pidfd;
	sd_event_source *child;
	struct io_conn *conn;
	int front; /* the listening vhost-user socket; -1: its file is another process's */
	struct io_kept_list kept;
	/* its LUNs */
	struct io_lun *luns;
	unsigned luns_n;
	bool had[REG_GUEST_LUNS]; /* LUNs that it, or one before it, was given: the guest knows them */
	LIST_HEAD(, file_open) opens; /* io_file.c */
	unsigned opening; /* answers of vhba-priv that are awaited */
	unsigned round; /* of opening */
	struct update *update; /* io_luns.c: who waits for them; NULL: nobody */
	/* what is wanted of it */
	bool held; /* no ring is to be read: the VM is quiesced */
	bool gate; /* closed since its start, and why is still so */
	bool fenced; /* it opens when the LUNs are given: the VM's own login has fenced the source */
	struct live live;
	/* what it has told */
	char state[16];
	unsigned busy, orphans;
	bool connected, logging, asked; /* asked: for its status */
	unsigned died; /* how its last process ended, as waitid has it */
	struct monotime up; /* since when it has been up; 0: it is not */
	char text[160]; /* why it doesn't run */
};

TAILQ_HEAD(io_list, io);

struct ios {
	struct daemon *d;
	struct io_list list;
	gid_t group; /* whose members may connect; -1: nobody's */
};

/* io.c. A new one has no process yet; that of one that is freed goes on, and the next vhbad finds it. */
struct io *io_new(struct ios *ios, const char *uuid, const char *vm, const char *name); /* NULL: no memory */
void io_free(struct io *io);
bool io_watch(struct io *io, int fd); /* takes the control connection, and follows the process */
void io_forget_process(struct io *io);
void io_settle(struct io *io); /* it is given the LUNs that it lacks */
struct io *io_find(const struct daemon *d, const char *uuid, const char *name);
/* The machine is told, now. May free io on IO_EV_UNWANTED and IO_EV_GONE. */
void io_tell(struct io *io, enum io_event ev);
/* The same in the next turn of the loop. */
void io_tell_later(struct io *io, enum io_event ev);
void io_event(const struct io *io, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void io_ask_status(struct io *io);

/* io_spawn.c */
int io_files_make(struct io *io,
		  struct verror *e); /* the folder, and the socket for the front end, if there is none */
void io_files_remove(const struct io *io);
int io_spawn(struct io *io,
	     struct verror *e); /* -> pid, pidfd, conn is made by the caller of the fd that it returns */
int io_find_process(struct io *io); /* the fd of its control socket, with pid and pidfd; -errno */
void io_path_of(const struct io *io, const char *suffix, char *buf,
		size_t size); /* "sock", "control", "json", "pid" */
void io_record_write(const struct io *io);
/* Calls fn for each record; name is that of its folder, the VM's. */
void io_records_read(struct ios *ios, void (*fn)(struct ios *ios, const char *vm, const char *name));
/* Of a new one that bears its names: uuid is the record's. */
bool io_record_uuid(struct ios *ios, const char *vm, const char *name, char uuid[37]);
void io_record_read(struct io *io);

/* io_file.c: those that are being opened for it. */
void io_file_give_up(struct io *io);

/* Its reservations are kept beside it. */
bool io_file_has_state(const struct reg_guest_lun *l);

/* io_luns.c: the array's LUNs are looked for, and opened by vhba-priv (not all: those that it lacks, or that
 * have moved); then done(io). */
void io_luns_open(struct io *io, bool all, void (*done)(struct io *io));
bool io_lun_is_open(const struct io_lun *l); /* there is something to be sent */
void io_lun_close(struct io_lun *l);

/* io_luns_give.c: to a process that takes over. What the guest knows, and has no path now, too. */
void io_luns_send(struct io *io);
/* The answer to a LUN that was given, or taken away; user: the io. It goes on with what LUNs it gets. */
void io_lun_answered(void *user, const char *reply);
/* To one that is up: what it lacks, and the paths of what has moved; then done(user, why). */
void io_luns_update(struct io *io, ios_done *done, void *user);
void io_luns_give_up(struct io *io); /* the update, if there is one */
bool io_luns_moved(const struct io *io); /* other paths than those that it was given, or LUNs that it lacks */
bool io_luns_lacking(const struct io *io); /* LUNs that it lacks */
/* It has LUNs with paths that it was not given. usable: all of their paths are; whole: none is without any.
 */
bool io_luns_found(const struct io *io, bool *usable, bool *whole);
void io_luns_clear(struct io *io);
void io_lun_forget(struct io *io, unsigned number); /* it is the guest's no more */

/* io_news.c: paths are looked for in a while, since some may have come while it began. */
void io_news(struct io *io);

/* io_keep.c */
void io_keep(struct io *io, const char *key, const void *bytes, size_t len, const int *fds, unsigned n);
void io_drop(struct io *io, const char *key);
void io_keep_clear(struct io *io);
void io_keep_send(struct io *io); /* to a process that takes over */

/* io_gate.c */
void ios_ungate(struct daemon *d, const char *uuid); /* it is registered that the VM's gates are open */
void io_open_fenced(struct io *io); /* it has its LUNs, and the VM's own login has fenced the source */

/* io_show.c */
/* The VM that a call names, with its back ends running; NULL: the call is answered. */
const struct reg_vm *ios_running(struct daemon *d, struct call *call, struct json_object *p);
struct json_object *io_show(const struct io *io);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol between vhbad and its root helper vhba-priv, and vhbad's end of it.
 *
 * A SOCK_SEQPACKET socketpair; one struct a datagram.  Both ends are one build, so the structs are
 * fixed-width and carry a version that must be equal.  Verbs take identifiers (host numbers, vport numbers
 * together with the WWPN that must be there, interface names), never a path.  Every verb runs in a disposable
 * child: when it does not end within its timeout, the answer is -ETIMEDOUT and the child is abandoned; should
 * it end after all, a second answer comes with PRIV_LATE. The functions here don't block.
 */
#ifndef VHBA_PRIV_H
#define VHBA_PRIV_H

#include <stdint.h>
#include <sys/types.h>

#define PRIV_VERSION 5
#define PRIV_FD 3 /* vhba-priv finds its socket here */
#define PRIV_LOCK_FD 4 /* and here a file whose bytes it locks, see priv_spawn */
#define PRIV_NAME_MAX 64
#define PRIV_TEXT_MAX 512
#define PRIV_FDS_MAX 5

enum priv_verb {
	PRIV_PING,
	PRIV_VPORT_CREATE, /* host, wwpn, wwnn, number (the vport's will be this or a little more, as far as
			      it is known) -> channel, number, value: its Scsi_Host or -1 */
	PRIV_VPORT_DELETE, /* host (the parent), channel, number (as far as they are known), wwpn, wwnn,
			      target (ms that commands at targets that are Online may take to end before);
			      -ENODEV: there is none */
	PRIV_VPORT_DISABLE, /* host (the parent), channel, number, wwpn, target (1: it cuts commands off: its
			       LUNs are set offline before, and an enable takes that back) */
	PRIV_VPORT_ENABLE, /* host (the parent), channel, number, wwpn, target (1: what is logged in logs in
			      anew, unless SCSI error handling is under way) */
	PRIV_VPORT_NAME, /* host (the parent), channel, number, wwpn, name (symbolic); -ENOTCONN: it is not
			    logged in */
	PRIV_RPORT_TIMERS, /* host (the vport's own), wwpn (its, or 0), fast_io_fail (-1: off, -2: leave),
			      dev_loss (-2: leave), on all its target rports -> count set, value: busy ones
			      (Blocked), text: the old timers. One whose old timers have no room there is left
			      as it is: -ENOSPC */
	PRIV_RPORT_RESTORE, /* host, wwpn (or 0), text: as PRIV_RPORT_TIMERS gave it -> count set, value: busy
			       ones */
	PRIV_SCAN, /* host: look for LUNs on all targets */
	PRIV_REPORT_LUNS, /* host, channel, target: ask the target -> count, text: LUN numbers,
			     comma-separated, as many as fit */
	PRIV_SYNC_CACHE, /* host (the vport's own), wwpn, number (ms that it may wait): SYNCHRONIZE CACHE to
			    each of its LUNs that has a volatile write cache, at once -> count: synchronised,
			    value: not, number: of those, without an answer, text: which, and
			    why. -EBUSY: commands are in flight, and nothing was
			    sent */
	PRIV_RESERVATIONS, /* host (the vport's own), wwpn, number (ms that it may wait), target (entries to
			      skip), channel (1: also while commands are in flight, else -EBUSY): PERSISTENT
			      RESERVE IN to each of its disks -> count: entries in all, number: of them in
			      text, from the skipped ones on, as "TARGET/LUN=KEY,TYPE,HOLDER;" where the vport
			      is registered (KEY; "?": the array does not tell) or a reservation (TYPE,
			      HOLDER's key) is held; value: LUNs that could not be read */
	PRIV_MAPS_FAIL, /* host (the vport's own), wwpn: the multipath maps that hold its disks fail what has
			   no path -> count: told, value: not, text: which, and why */
	PRIV_MAPS_RESTORE, /* likewise: they do again as multipathd's configuration says */
	PRIV_READ_SIZES, /* host: each of its disks that shows none reads its capacity anew, with number 1
			    each of all -> count: how many of them have one now */
	PRIV_LUN_OPEN, /* host (the vport's own), wwpn, channel, target, wwnn (the LUN), number (1: read
			  only), text (the designator that it must have) -> file descriptors: its sd node,
			  with O_DIRECT, its sg node, and those of enum priv_lun_part that number says (bits),
			  in their order. Each time open file descriptions of their own */
	PRIV_CT_GID_PN, /* host (the parent), wwpn -> value: enum ct_answer, port_id, number: reject reason */
	PRIV_CT_GFPN_ID, /* host (the parent), target (an N_Port_ID, or 0: no other) -> value: enum ct_answer,
			    port_id: target, f_port: the name of the F_Port that it is at, own_f_port: of that
			    of the host itself; 0: not known; number: reject reason */
	PRIV_FIP_VLANS, /* name (interface) -> count, text: VLAN numbers, comma-separated */
	PRIV_NETDEV_VLAN, /* name (interface) -> number: the VLAN that it carries, 0: none; text: the name */
	PRIV_LINK_ADD, /* name (interface), number (VLAN) -> text: the name of the macvlan in passthru mode on
			  it */
	PRIV_LINK_DELETE, /* name: of a link that PRIV_LINK_ADD made; goes with its VLAN */
	PRIV_FCOE_CREATE, /* name (interface) -> value: its Scsi_Host */
	PRIV_FCOE_DESTROY, /* name (interface) */
	PRIV_VERBS_
};

struct priv_request {
	uint32_t version;
	uint32_t id; /* comes back in the reply */
	uint32_t verb; /* enum priv_verb */
	uint32_t timeout_ms; /* 1.. */
	int32_t host; /* Scsi_Host number */
	uint32_t channel, number, target;
	int32_t fast_io_fail, dev_loss; /* s */
	uint64_t wwpn, wwnn;
	char name[PRIV_NAME_MAX];
	char text[PRIV_TEXT_MAX];
};

enum { PRIV_LATE = 1 };

/* What can be opened of a LUN besides. */
enum priv_lun_part {
	PRIV_LUN_BSG = 1 << 0, /* its bsg node */
	PRIV_LUN_STATE = 1 << 1, /* attributes of its device in sysfs: state */
	PRIV_LUN_ACCESS = 1 << 2, /* access_state, which reads EINVAL as long as no ALUA handler has it */
};

struct priv_reply {
	uint32_t version;
	uint32_t id;
	uint32_t verb;
	int32_t err; /* 0 or -errno */
	uint32_t flags;
	uint32_t channel, number, port_id;
	uint32_t count;
	int32_t value;
	uint64_t elapsed_us;
	uint64_t f_port, own_f_port;
	uint32_t fds; /* how many came along: whoever has the reply closes them (priv_reply_close) */
	int32_t fd[PRIV_FDS_MAX];
	char text[PRIV_TEXT_MAX]; /* of an error: what was seen */
};

_Static_assert(sizeof(struct priv_request) == 56 + PRIV_NAME_MAX + PRIV_TEXT_MAX, "no hidden padding");
_Static_assert(sizeof(struct priv_reply) == 88 + PRIV_TEXT_MAX, "no hidden padding");

/* "vport-create" */
const char *priv_verb_name(uint32_t verb);

/*
 * Start the helper; the socket (non-blocking, close-on-exec) or -errno.
 *
 * lock: a file open for writing, the same one for each helper of one vhbad (it stays the caller's). A helper
 * that was killed may leave children in the kernel, which go on with what they began. So each helper locks
 * byte 0 as long as it lives, and each child the byte of the WWPN (without its top bit) whose vport it
 * changes: a record lock of fcntl(2) goes when its process is really gone.  The next helper waits for them.
 */
int priv_spawn(const char *path, int lock, pid_t *pid);

/* 0 or -errno (-EAGAIN: try again when writable). Fills version. */
int priv_send(int fd, struct priv_request *req);

/* A reply on its way, with its file descriptors, which are closed here then; send(2)'s and recv(2)'s flags.
 * What recv(2) would return; errno. */
ssize_t priv_reply_send(int fd, struct priv_reply *reply, int flags);
ssize_t priv_reply_recv(int fd, struct priv_reply *reply, int flags);
void priv_reply_close(struct priv_reply *reply);

/* 0; -EAGAIN none now; -EPIPE the helper is gone; -EPROTO what came is no reply. */
int priv_recv(int fd, struct priv_reply *reply);

#endif

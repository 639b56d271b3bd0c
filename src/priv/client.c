/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "fdpass.h"
#include "priv.h"

static const char *const names[PRIV_VERBS_] = {
	[PRIV_PING] = "ping",
	[PRIV_VPORT_CREATE] = "vport-create",
	[PRIV_VPORT_DELETE] = "vport-delete",
	[PRIV_VPORT_DISABLE] = "vport-disable",
	[PRIV_VPORT_ENABLE] = "vport-enable",
	[PRIV_VPORT_NAME] = "vport-name",
	[PRIV_RPORT_TIMERS] = "rport-timers",
	[PRIV_RPORT_RESTORE] = "rport-restore",
	[PRIV_SCAN] = "scan",
	[PRIV_REPORT_LUNS] = "report-luns",
	[PRIV_SYNC_CACHE] = "sync-cache",
	[PRIV_READ_SIZES] = "read-sizes",
	[PRIV_RESERVATIONS] = "reservations",
	[PRIV_MAPS_FAIL] = "maps-fail",
	[PRIV_MAPS_RESTORE] = "maps-restore",
	[PRIV_LUN_OPEN] = "lun-open",
	[PRIV_CT_GID_PN] = "ct-gid-pn",
	[PRIV_CT_GFPN_ID] = "ct-gfpn-id",
	[PRIV_FIP_VLANS] = "fip-vlans",
	[PRIV_NETDEV_VLAN] = "netdev-vlan",
	[PRIV_LINK_ADD] = "link-add",
	[PRIV_LINK_DELETE] = "link-delete",
	[PRIV_FCOE_CREATE] = "fcoe-create",
	[PRIV_FCOE_DESTROY] = "fcoe-destroy",
};

const char *priv_verb_name(uint32_t verb)
{
	return verb < PRIV_VERBS_ ? names[verb] : "?";
}

/* Both are moved out of the way first: one may stand where the other has to go. */
static bool place_fds(int sock, int lock)
{
	sock = fcntl(sock, F_DUPFD_CLOEXEC, PRIV_LOCK_FD + 1);
	lock = fcntl(lock, F_DUPFD_CLOEXEC, PRIV_LOCK_FD + 1);
	return sock >= 0 && lock >= 0 && dup2(sock, PRIV_FD) == PRIV_FD &&
	       dup2(lock, PRIV_LOCK_FD) == PRIV_LOCK_FD;
}

int priv_spawn(const char *path, int lock, pid_t *pid)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return -errno;
	*pid = fork();
	if (*pid < 0) {
		int err = -errno;

		close(sv[0]);
		close(sv[1]);
		return err;
	}
	if (!*pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (place_fds(sv[1], lock))
			execl(path, "vhba-priv", NULL);
		_exit(127);
	}
	close(sv[1]);
	if (fcntl(sv[0], F_SETFL, O_NONBLOCK)) {
		int err = -errno;

		close(sv[0]); /* the helper ends by that */
		return err;
	}
	return sv[0];
}

/* An end that closes with something unread resets the connection: it is gone all the same. */
static int gone_or(int err)
{
	return err == ECONNRESET ? -EPIPE : -err;
}

int priv_send(int fd, struct priv_request *req)
{
	ssize_t n;

	req->version = PRIV_VERSION;
	n = send(fd, req, sizeof(*req), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return gone_or(errno);
	return n == sizeof(*req) ? 0 : -EIO;
}

void priv_reply_close(struct priv_reply *reply)
{
	for (uint32_t i = 0; i < reply->fds && i < PRIV_FDS_MAX; i++)
		close(reply->fd[i]);
	reply->fds = 0;
}

ssize_t priv_reply_send(int fd, struct priv_reply *reply, int flags)
{
	struct iovec iov = {reply, sizeof(*reply)};
	FDPASS_ROOM(PRIV_FDS_MAX) room;
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	fdpass_put(&h, &room, reply->fd, reply->fds);
	n = sendmsg(fd, &h, flags);
	if (n >= 0 || errno != EAGAIN)
		priv_reply_close(reply);
	return n;
}

ssize_t priv_reply_recv(int fd, struct priv_reply *reply, int flags)
{
	struct iovec iov = {reply, sizeof(*reply)};
	FDPASS_ROOM(PRIV_FDS_MAX) room;
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room)};
	ssize_t n = recvmsg(fd, &h, flags | MSG_CMSG_CLOEXEC);

	/* The numbers are those here, whatever the datagram says. */
	reply->fds = n > 0 ? fdpass_take(&h, reply->fd, PRIV_FDS_MAX) : 0;
	return n;
}

int priv_recv(int fd, struct priv_reply *reply)
{
	ssize_t n = priv_reply_recv(fd, reply, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return gone_or(errno);
	if (!n)
		return -EPIPE;
	if (n != sizeof(*reply) || reply->version != PRIV_VERSION || reply->verb >= PRIV_VERBS_) {
		priv_reply_close(reply);
		return -EPROTO;
	}
	reply->text[sizeof(reply->text) - 1] = '\0';
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thin part of a connection that knows sockets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "conn.h"

#define READ_MAX 16384
#define BACKLOG 1024 /* who finds it full is refused at once (EAGAIN) */

static bool in_groups(const gid_t *groups, size_t n, gid_t gid)
{
	if (gid == (gid_t)-1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* All groups of the peer, its primary one first; *n of them. Caller frees. */
static int peer_groups(int fd, gid_t primary, gid_t **groups, size_t *n)
{
	socklen_t len = 0;
	gid_t *g;

	/* Asked with no room, the kernel says how much it wants (ERANGE), or that there is none. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) && errno != ERANGE && errno != ENOPROTOOPT)
		return -errno;
	g = malloc(sizeof(*g) + len);
	if (!g)
		return -ENOMEM;
	g[0] = primary;
	if (len && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, g + 1, &len)) {
		free(g);
		return -errno;
	}
	*groups = g;
	*n = 1 + len / sizeof(*g);
	return 0;
}

int proto_peer_take(int fd, const struct proto_acl *acl, struct proto_peer *peer)
{
	AUTO_FREE gid_t *groups = NULL;
	socklen_t len = sizeof(struct ucred);
	struct ucred cred;
	size_t n = 0;
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	r = peer_groups(fd, cred.gid, &groups, &n);
	if (r)
		return r;
	*peer = (struct proto_peer){cred.uid, cred.gid, cred.pid, PROTO_ACCESS_NONE};
	if (cred.uid == 0 || (cred.uid == acl->admin_uid && cred.uid != (uid_t)-1) ||
	    in_groups(groups, n, acl->admin_gid))
		peer->access = PROTO_ACCESS_CHANGE;
	else if (in_groups(groups, n, acl->read_gid))
		peer->access = PROTO_ACCESS_READ;
	return 0;
}

ssize_t proto_conn_read(struct proto_conn *c, int fd)
{
	char buf[READ_MAX];
	size_t room = proto_conn_room(c);
	ssize_t n;
	int r;

	if (!room || !(proto_conn_events(c) & EPOLLIN))
		return 0;
	n = recv(fd, buf, room < sizeof(buf) ? room : sizeof(buf), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0) {
		proto_conn_eof(c);
		return 0;
	}
	r = proto_conn_feed(c, buf, (size_t)n);
	return r ? r : n;
}

ssize_t proto_conn_write(struct proto_conn *c, int fd)
{
	size_t len;
	const void *bytes = proto_conn_out(c, &len);
	ssize_t n;

	if (!len)
		return 0;
	n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	proto_conn_sent(c, (size_t)n);
	return n;
}

int proto_listen(const char *path, struct verror *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	AUTO_FD int fd = -1;
	struct stat st;

	if (strlen(path) >= sizeof(addr.sun_path))
		return verror_set(e, VHBA_E_USAGE, "the socket's path %.100s... is longer than %zu bytes",
				  path, sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	if (!lstat(path, &st)) {
		if (!S_ISSOCK(st.st_mode)) {
			verror_set(e, VHBA_E_EXISTS, "%s exists and is no socket", path);
			verror_fix(e, "remove it, or choose another path");
			return -EEXIST;
		}
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || chmod(path, 0666) ||
	    listen(fd, BACKLOG)) {
		int err = errno;

		verror_set(e, VHBA_E_IO, "cannot listen on %s", path);
		verror_seen(e, "%s", strerror(err));
		return -err;
	}
	return steal_fd(&fd);
}

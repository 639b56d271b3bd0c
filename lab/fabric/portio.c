/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "ether.h"
#include "fc.h"
#include "poll.h"
#include "portio.h"

#define BATCH 32
#define TAG_LEN 4
#define ROOM (ETHER_FRAME_MAX + TAG_LEN + 64)
#define SOCKET_BUFFER (8 << 20)
#define STREAM_MTU 2500
#define STREAM_OUT_MAX (4 << 20)

struct port {
	int fd; /* the packet socket, or the connection; -1: none */
	int listen_fd;
	int ifindex;
	enum port_kind kind;
	char name[32], address[108];
	uint8_t *in, *out; /* streams only */
	size_t in_len, out_len, out_room;
	bool waiting; /* for EPOLLOUT */
	unsigned long lost;
};

struct portio {
	struct fabric *f;
	struct trace *trace;
	int epfd, links_fd;
	struct port **ports;
	unsigned n;
	uint8_t rx[BATCH][ROOM];
};

struct portio *portio_new(struct fabric *f, struct trace *t, int epfd)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	struct portio *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	io->f = f;
	io->trace = t;
	io->epfd = epfd;
	io->links_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (io->links_fd < 0 || bind(io->links_fd, (struct sockaddr *)&any, sizeof(any)) ||
	    poll_set(epfd, EPOLL_CTL_ADD, io->links_fd, EPOLLIN, POLL_LINKS, 0)) {
		portio_free(io);
		return NULL;
	}
	return io;
}

static void port_free(struct port *p)
{
	cleanup_fd(&p->fd);
	cleanup_fd(&p->listen_fd);
	if (p->kind == PORT_UNIX)
		unlink(p->address);
	free(p->in);
	free(p->out);
	free(p);
}

void portio_free(struct portio *io)
{
	if (!io)
		return;
	for (unsigned i = 0; i < io->n; i++)
		port_free(io->ports[i]);
	cleanup_fd(&io->links_fd);
	free(io->ports);
	free(io);
}

static int packet_socket(int ifindex)
{
	struct packet_mreq promiscuous = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};
	int buffer = SOCKET_BUFFER, on = 1;
	AUTO_FD int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return -errno;
	return steal_fd(&fd);
}

/* Follow the interface: it may come, go, come again as another, and have carrier or not. */
static int interface_look(struct portio *io, unsigned i, uint64_t now_us)
{
	struct port *p = io->ports[i];
	struct ifreq flags = {}, mtu = {};
	int ifindex = (int)if_nametoindex(p->address);

	if (ifindex != p->ifindex) {
		fabric_carrier(io->f, i, false, 0, now_us);
		cleanup_fd(&p->fd);
		p->fd = -1;
		p->ifindex = ifindex;
		if (!ifindex)
			return 0;
		p->fd = packet_socket(ifindex);
		if (p->fd < 0) {
			int r = p->fd;

			p->fd = -1;
			p->ifindex = 0;
			return r == -ENODEV ? 0 : r;
		}
		if (poll_set(io->epfd, EPOLL_CTL_ADD, p->fd, EPOLLIN, POLL_PORT, i))
			return -errno;
	}
	if (p->fd < 0)
		return 0;
	memcpy(flags.ifr_name, p->address, sizeof(flags.ifr_name) - 1);
	memcpy(mtu.ifr_name, p->address, sizeof(mtu.ifr_name) - 1);
	if (ioctl(p->fd, SIOCGIFFLAGS, &flags) || ioctl(p->fd, SIOCGIFMTU, &mtu))
		flags.ifr_flags = 0;
	fabric_carrier(io->f, i, (flags.ifr_flags & IFF_UP) && (flags.ifr_flags & IFF_RUNNING),
		       (unsigned)mtu.ifr_mtu, now_us);
	return 0;
}

static int stream_listen(struct portio *io, unsigned i)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct port *p = io->ports[i];

	memcpy(at.sun_path, p->address, sizeof(at.sun_path) - 1);
	p->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(p->address); /* of an earlier run */
	if (p->listen_fd < 0 || bind(p->listen_fd, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(p->listen_fd, 1) ||
	    poll_set(io->epfd, EPOLL_CTL_ADD, p->listen_fd, EPOLLIN, POLL_LISTEN, i))
		return -errno;
	return 0;
}

static struct port *port_new(const struct port_info *info)
{
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fd = p->listen_fd = -1;
	p->kind = info->kind;
	snprintf(p->name, sizeof(p->name), "%s", info->name);
	snprintf(p->address, sizeof(p->address), "%s", info->address);
	if (p->kind == PORT_UNIX)
		p->in = malloc(ROOM);
	if (p->kind == PORT_UNIX && !p->in) {
		free(p);
		return NULL;
	}
	return p;
}

int portio_sync(struct portio *io, uint64_t now_us, char *err, size_t err_size)
{
	for (unsigned n = fabric_ports(io->f); io->n < n;) {
		struct port_info info;
		struct port **more = reallocarray(io->ports, io->n + 1, sizeof(struct port *)), *p;
		unsigned i = io->n;
		int r;

		fabric_port_info(io->f, i, &info);
		if (more)
			io->ports = more;
		p = more ? port_new(&info) : NULL;
		if (!p) {
			snprintf(err, err_size, "port %s: out of memory", info.name);
			return -ENOMEM;
		}
		io->ports[io->n++] = p;
		r = p->kind == PORT_UNIX ? stream_listen(io, i) : interface_look(io, i, now_us);
		if (r) {
			snprintf(err, err_size, "port %s on %s: %s", p->name, p->address, strerror(-r));
			return r;
		}
		if (p->kind == PORT_INTERFACE && !p->ifindex)
			fabric_note(io->f, now_us, "port", "port %s: waiting for interface %s", p->name,
				    p->address);
	}
	return 0;
}

void portio_links(struct portio *io, uint64_t now_us)
{
	char drain[8192];

	while (recv(io->links_fd, drain, sizeof(drain), 0) > 0 || errno == ENOBUFS || errno == EINTR)
		errno = 0; /* events wake; reading decides */
	for (unsigned i = 0; i < io->n; i++) {
		int r = io->ports[i]->kind == PORT_INTERFACE ? interface_look(io, i, now_us) : 0;

		if (r)
			fabric_note(io->f, now_us, "port", "port %s on %s: %s", io->ports[i]->name,
				    io->ports[i]->address, strerror(-r));
	}
}

static void received(struct portio *io, unsigned i, const uint8_t *eth, size_t len, uint64_t now_us)
{
	struct ether_view v;

	if (!ether_parse(eth, len, &v) || (v.type != ETHERTYPE_FCOE_FRAME && v.type != ETHERTYPE_FIP))
		return; /* IPv6's and others' chatter */
	trace_frame(io->trace, i, io->ports[i]->name, true, eth, len, now_us);
	fabric_input(io->f, i, eth, len, now_us);
}

/* The kernel strips a VLAN tag into auxiliary data; put it back, so that a frame has one form only. */
static void packet_received(struct portio *io, unsigned i, struct msghdr *m, uint8_t *room, size_t len,
			    uint64_t now_us)
{
	uint8_t *eth = room + TAG_LEN;
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID) || len < 2 * MAC_LEN)
			continue;
		memmove(room, eth, 2 * MAC_LEN);
		put_be16(room + 12, aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : 0x8100);
		put_be16(room + 14, aux.tp_vlan_tci);
		eth = room;
		len += TAG_LEN;
	}
	received(io, i, eth, len, now_us);
}

static void packets_read(struct portio *io, unsigned i, uint64_t now_us)
{
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];
	char control[BATCH][CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	int n, fd = io->ports[i]->fd;

	for (int b = 0; b < BATCH; b++) {
		iov[b] = (struct iovec){io->rx[b] + TAG_LEN, ROOM - TAG_LEN};
		m[b].msg_hdr = (struct msghdr){.msg_iov = &iov[b],
					       .msg_iovlen = 1,
					       .msg_control = control[b],
					       .msg_controllen = sizeof(control[b])};
	}
	n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL);
	for (int b = 0; b < n; b++)
		if (!(m[b].msg_hdr.msg_flags & MSG_TRUNC))
			packet_received(io, i, &m[b].msg_hdr, io->rx[b], m[b].msg_len, now_us);
}

static void stream_close(struct portio *io, unsigned i, uint64_t now_us)
{
	struct port *p = io->ports[i];

	cleanup_fd(&p->fd);
	p->fd = -1;
	p->in_len = p->out_len = 0;
	p->waiting = false;
	fabric_carrier(io->f, i, false, 0, now_us);
}

void portio_accept(struct portio *io, unsigned i, uint64_t now_us)
{
	struct port *p = io->ports[i];
	int fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (p->fd >= 0) {
		fabric_note(io->f, now_us, "port", "port %s: a second connection refused", p->name);
		close(fd);
		return;
	}
	p->fd = fd;
	if (poll_set(io->epfd, EPOLL_CTL_ADD, fd, EPOLLIN, POLL_PORT, i)) {
		stream_close(io, i, now_us);
		return;
	}
	fabric_carrier(io->f, i, true, STREAM_MTU, now_us);
}

/* Take whole frames out of the buffer. False: the framing is broken. */
static bool stream_frames(struct portio *io, unsigned i, uint64_t now_us)
{
	struct port *p = io->ports[i];
	size_t at = 0;

	while (p->in_len - at >= 4) {
		size_t len = get_be32(p->in + at);

		if (len > ROOM - 4)
			return false;
		if (p->in_len - at < 4 + len)
			break;
		received(io, i, p->in + at + 4, len, now_us);
		at += 4 + len;
	}
	memmove(p->in, p->in + at, p->in_len - at);
	p->in_len -= at;
	return true;
}

static void stream_write(struct portio *io, unsigned i, uint64_t now_us)
{
	struct port *p = io->ports[i];
	size_t at = 0;

	while (at < p->out_len) {
		ssize_t n = send(p->fd, p->out + at, p->out_len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN) {
			stream_close(io, i, now_us);
			return;
		}
		if (n < 0)
			break;
		at += (size_t)n;
	}
	memmove(p->out, p->out + at, p->out_len - at);
	p->out_len -= at;
	if (p->waiting != (p->out_len > 0)) {
		p->waiting = p->out_len > 0;
		poll_set(io->epfd, EPOLL_CTL_MOD, p->fd, EPOLLIN | (p->waiting ? EPOLLOUT : 0), POLL_PORT, i);
	}
}

static void stream_read(struct portio *io, unsigned i, uint64_t now_us)
{
	struct port *p = io->ports[i];
	ssize_t n;

	if (p->out_len)
		stream_write(io, i, now_us);
	if (p->fd < 0)
		return;
	n = recv(p->fd, p->in + p->in_len, ROOM - p->in_len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		stream_close(io, i, now_us);
		return;
	}
	p->in_len += (size_t)n;
	if (!stream_frames(io, i, now_us)) {
		fabric_note(io->f, now_us, "port", "port %s: a frame too long, connection closed", p->name);
		stream_close(io, i, now_us);
	}
}

void portio_readable(struct portio *io, unsigned i, uint64_t now_us)
{
	if (i >= io->n || io->ports[i]->fd < 0)
		return;
	if (io->ports[i]->kind == PORT_UNIX)
		stream_read(io, i, now_us);
	else
		packets_read(io, i, now_us);
}

static int stream_queue(struct port *p, const struct ether_out *o)
{
	size_t need = p->out_len + 4 + o->len;

	if (p->out_len > STREAM_OUT_MAX)
		return -ENOBUFS;
	if (need > p->out_room) {
		uint8_t *more = realloc(p->out, 2 * need);

		if (!more)
			return -ENOMEM;
		p->out = more;
		p->out_room = 2 * need;
	}
	put_be32(p->out + p->out_len, (uint32_t)o->len);
	memcpy(p->out + p->out_len + 4, o->data, o->len);
	p->out_len = need;
	return 0;
}

static void send_one(struct portio *io, const struct ether_out *o, uint64_t now_us)
{
	struct port *p = o->port < io->n ? io->ports[o->port] : NULL;
	int r = 0;

	if (!p || p->fd < 0)
		return;
	trace_frame(io->trace, o->port, p->name, false, o->data, o->len, now_us);
	if (p->kind == PORT_UNIX)
		r = stream_queue(p, o);
	else if (send(p->fd, o->data, o->len, 0) < 0)
		r = -errno;
	if (r && !p->lost++)
		fabric_note(io->f, now_us, "port", "port %s: a frame of %zu bytes was not sent: %s%s",
			    p->name, o->len, strerror(-r),
			    r == -EMSGSIZE ? "; raise the interface's MTU" : "");
}

void portio_flush(struct portio *io, uint64_t now_us)
{
	struct ether_out *o;

	while ((o = fabric_output(io->f))) {
		send_one(io, o, now_us);
		free(o);
	}
	for (unsigned i = 0; i < io->n; i++)
		if (io->ports[i]->out_len && io->ports[i]->fd >= 0)
			stream_write(io, i, now_us);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FCoE on an Ethernet interface: VLAN discovery, the links, the controller. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/ethernet.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/vlan.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "monotime.h"
#include "netdev.h"
#include "sysroot.h"
#include "verbs.h"

#define FIP_ETHERTYPE 0x8914
#define VLANS_MAX 64
#define RESEND_US (500 * USEC_PER_MSEC)
#define SETTLE_US (100 * USEC_PER_MSEC) /* further FCFs answer the same request within this */
#define LINK_MARK "made by vhbad"

int verb_check_ifname(const char *name)
{
	size_t n = strnlen(name, IFNAMSIZ);

	if (!n || n >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || isspace((unsigned char)*name) ||
		    iscntrl((unsigned char)*name))
			return -EINVAL;
	return 0;
}

static int check_interface(const struct priv_request *q, struct priv_reply *r)
{
	if (!verb_check_ifname(q->name) && if_nametoindex(q->name))
		return 0;
	snprintf(r->text, sizeof(r->text), "there is no interface of that name");
	return -ENODEV;
}

/* ---- FIP VLAN discovery ---- */

static int fip_open(const char *ifname, uint8_t mac[6])
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_protocol = htons(FIP_ETHERTYPE)};
	AUTO_FD int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(FIP_ETHERTYPE));
	socklen_t len = sizeof(addr);

	if (fd < 0)
		return -errno;
	addr.sll_ifindex = (int)if_nametoindex(ifname);
	if (!addr.sll_ifindex || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		return -errno;
	memcpy(mac, addr.sll_addr, 6);
	return steal_fd(&fd);
}

static bool wait_readable(int fd, struct monotime until)
{
	struct pollfd p = {fd, POLLIN, 0};
	uint64_t left = mono_left(until, mono_now());

	return left && poll(&p, 1, (int)(left / USEC_PER_MSEC) + 1) > 0;
}

/* Asks again every RESEND_US until the first answer, then listens for a moment more. */
static int discover(int fd, const uint8_t mac[6], struct monotime until, uint16_t *list, size_t *n)
{
	struct monotime resend = mono_now();
	uint8_t frame[2048];

	while (!mono_reached(until, mono_now())) {
		ssize_t len;

		if (!*n && mono_reached(resend, mono_now())) {
			if (send(fd, frame, fip_vlan_request(frame, mac), 0) < 0 && errno != ENETDOWN)
				return -errno;
			resend = mono_add(mono_now(), RESEND_US);
		}
		if (!wait_readable(fd, *n ? until : mono_min(until, resend)))
			continue;
		len = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (len > 0 && fip_vlan_parse(frame, (size_t)len, list, VLANS_MAX, n) > 0)
			until = mono_min(until, mono_add(mono_now(), SETTLE_US));
	}
	return 0;
}

int verb_fip_vlans(const struct priv_request *q, struct priv_reply *r)
{
	/* The answer must leave before the caller stops waiting. */
	struct monotime until = mono_add(mono_now(), q->timeout_ms * USEC_PER_MSEC * 9 / 10);
	uint16_t list[VLANS_MAX];
	int err = check_interface(q, r);
	size_t n = 0, used = 0;
	AUTO_FD int fd = -1;
	uint8_t mac[6];

	if (err)
		return err;
	fd = fip_open(q->name, mac);
	if (fd < 0)
		return fd;
	err = discover(fd, mac, until, list, &n);
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(r->text + used, sizeof(r->text) - used, "%s%u", i ? "," : "",
					 list[i]);
	r->count = (uint32_t)n;
	return err;
}

/* ---- links ---- */

static void link_put(struct rtnl_link **l)
{
	if (*l)
		rtnl_link_put(*l);
}

static void sock_free(struct nl_sock **s)
{
	nl_socket_free(*s);
}

#define AUTO_LINK CLEANUP(link_put)
#define AUTO_SOCK CLEANUP(sock_free)

static int nl_to_errno(int r)
{
	static const struct {
		int nl, err;
	} map[] = {{NLE_EXIST, EEXIST}, {NLE_NODEV, ENODEV},	    {NLE_PERM, EPERM},
		   {NLE_BUSY, EBUSY},	{NLE_OBJ_NOTFOUND, ENODEV}, {NLE_OPNOTSUPP, EOPNOTSUPP},
		   {NLE_NOMEM, ENOMEM}};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (-r == map[i].nl)
			return -map[i].err;
	return r ? -EIO : 0;
}

static struct nl_sock *route_open(void)
{
	struct nl_sock *s = nl_socket_alloc();

	if (s && nl_connect(s, NETLINK_ROUTE)) {
		nl_socket_free(s);
		return NULL;
	}
	return s;
}

/* IFLA_IFALIAS is not taken at creation by every kernel: set it, and UP, on what is there now. */
static int link_up(struct nl_sock *s, const char *name, bool mark)
{
	AUTO_LINK struct rtnl_link *have = NULL, *change = rtnl_link_alloc();
	int r = rtnl_link_get_kernel(s, 0, name, &have);

	if (r || !change)
		return r ? nl_to_errno(r) : -ENOMEM;
	if (mark)
		rtnl_link_set_ifalias(change, LINK_MARK);
	rtnl_link_set_flags(change, IFF_UP);
	return nl_to_errno(rtnl_link_change(s, have, change, 0));
}

/* One that is there already is used, and stays whose it was: only what is made here is marked. */
static int link_add(struct nl_sock *s, struct rtnl_link *l, const char *name, int lower, unsigned mtu)
{
	int r;

	rtnl_link_set_name(l, name);
	rtnl_link_set_link(l, lower);
	rtnl_link_set_mtu(l, mtu);
	rtnl_link_set_ifalias(l, LINK_MARK);
	rtnl_link_set_flags(l, IFF_UP);
	r = rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL);
	return r && r != -NLE_EXIST ? nl_to_errno(r) : link_up(s, name, !r);
}

static int add_vlan(struct nl_sock *s, const char *name, unsigned lower, unsigned vlan, unsigned mtu)
{
	AUTO_LINK struct rtnl_link *l = rtnl_link_vlan_alloc();

	if (!l)
		return -ENOMEM;
	rtnl_link_vlan_set_id(l, (uint16_t)vlan);
	return link_add(s, l, name, (int)lower, mtu);
}

static int add_macvlan(struct nl_sock *s, const char *name, unsigned lower, unsigned mtu)
{
	AUTO_LINK struct rtnl_link *l = rtnl_link_macvlan_alloc();

	if (!l)
		return -ENOMEM;
	rtnl_link_macvlan_set_mode(l, rtnl_link_macvlan_str2mode("passthru"));
	return link_add(s, l, name, (int)lower, mtu);
}

/*
 * A macvlan in passthru mode over the VLAN: fcoe registers its FIP handler on a VLAN's real device as well,
 * and two VSANs on one interface would take each other's answers.
 */
int verb_link_add(const struct priv_request *q, struct priv_reply *r)
{
	AUTO_SOCK struct nl_sock *s = route_open();
	char vlan[IFNAMSIZ], mac[IFNAMSIZ];
	int err = check_interface(q, r);
	uint64_t mtu;

	if (err || !s)
		return err ? err : -EIO;
	if (!q->number || q->number > 4094)
		return -EINVAL;
	if (snprintf(vlan, sizeof(vlan), "%s.%u", q->name, q->number) >= IFNAMSIZ ||
	    snprintf(mac, sizeof(mac), "%s.%uf", q->name, q->number) >= IFNAMSIZ) {
		snprintf(r->text, sizeof(r->text), "%s.%uf is longer than the kernel's %d characters",
			 q->name, q->number, IFNAMSIZ - 1);
		return -ENAMETOOLONG;
	}
	err = sysroot_read_u64(&mtu, "/sys/class/net/%s/mtu", q->name);
	if (!err)
		err = add_vlan(s, vlan, if_nametoindex(q->name), q->number, (unsigned)mtu);
	if (!err)
		err = add_macvlan(s, mac, if_nametoindex(vlan), (unsigned)mtu);
	snprintf(r->text, sizeof(r->text), "%s", mac);
	return err;
}

static int not_ours(const char *name, struct priv_reply *r)
{
	snprintf(r->text, sizeof(r->text), "%s is not vhbad's: it does not carry the alias \"%s\"", name,
		 LINK_MARK);
	return -EPERM;
}

static int delete_marked(struct nl_sock *s, const char *name, struct priv_reply *r)
{
	AUTO_LINK struct rtnl_link *l = NULL;
	int err = rtnl_link_get_kernel(s, 0, name, &l);
	const char *mark;

	if (err)
		return err == -NLE_OBJ_NOTFOUND || err == -NLE_NODEV ? 0 : nl_to_errno(err);
	mark = rtnl_link_get_ifalias(l);
	if (!mark || strcmp(mark, LINK_MARK))
		return not_ours(name, r);
	return nl_to_errno(rtnl_link_delete(s, l));
}

int verb_link_delete(const struct priv_request *q, struct priv_reply *r)
{
	AUTO_SOCK struct nl_sock *s = route_open();
	char vlan[IFNAMSIZ];
	size_t n = strnlen(q->name, IFNAMSIZ);
	int err;

	if (!s || verb_check_ifname(q->name))
		return s ? -EINVAL : -EIO;
	if (n < 2 || q->name[n - 1] != 'f')
		return -EINVAL;
	snprintf(vlan, sizeof(vlan), "%.*s", (int)n - 1, q->name);
	err = delete_marked(s, q->name, r);
	if (!err)
		err = delete_marked(s, vlan, r);
	/* Somebody else's VLAN stays under what was made on it. */
	return err == -EPERM && !if_nametoindex(q->name) ? 0 : err;
}

/* Only root may read /proc/net/vlan; and netlink would wait for the lock that a logout of FCoE can hold for
 * seconds. */
int verb_netdev_vlan(const struct priv_request *q, struct priv_reply *r)
{
	int err = check_interface(q, r);

	if (!err)
		r->number = fc_netdev_vlan(q->name);
	snprintf(r->text, sizeof(r->text), "%.*s", IFNAMSIZ, q->name);
	return err;
}

/* ---- the FCoE controller (fcoe_sysfs.c, fcoe_transport.c) ---- */

static bool entry_of(const char *ifname, const char *prefix, char *name, size_t size)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/net/%s", ifname));
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) || strlen(e->d_name) >= size)
			continue;
		strcpy(name, e->d_name);
		return true;
	}
	return false;
}

static int controller_host(const char *ifname, const char *controller)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir =
		opendir(sysroot_path(path, sizeof(path), "/sys/class/net/%s/%s", ifname, controller));
	struct dirent *e;
	int host;

	while (dir && (e = readdir(dir)))
		if (sscanf(e->d_name, "host%d", &host) == 1)
			return host;
	return -1;
}

int verb_fcoe_create(const struct priv_request *q, struct priv_reply *r)
{
	int err = check_interface(q, r);
	char controller[32];

	if (err)
		return err;
	if (!sysroot_exists("/sys/bus/fcoe/ctlr_create")) {
		snprintf(r->text, sizeof(r->text), "the kernel has no FCoE: load the module fcoe");
		return -EOPNOTSUPP;
	}
	if (!entry_of(q->name, "ctlr_", controller, sizeof(controller))) {
		err = verb_write(q->name, "/sys/bus/fcoe/ctlr_create");
		if (err)
			return err;
	}
	if (!entry_of(q->name, "ctlr_", controller, sizeof(controller)))
		return -EIO;
	/* A controller begins disabled; enabling an enabled one is refused, which is as good. */
	err = verb_write("1", "/sys/class/net/%s/%s/enabled", q->name, controller);
	r->value = controller_host(q->name, controller);
	return r->value < 0 ? (err ? err : -EIO) : 0;
}

/*
 * The kernel takes a controller down in a work item of its own and tells nobody when it is done; a link that
 * goes before it leaves the controller's folder without a parent (a warning of sysfs_remove_group).
 */
static int await_controller_gone(const char *controller, struct monotime deadline)
{
	unsigned pause_us = 1000;

	while (sysroot_exists("/sys/bus/fcoe/devices/%s", controller)) {
		struct timespec t = {.tv_nsec = pause_us * 1000L};

		if (mono_reached(deadline, mono_now()))
			return -ETIMEDOUT;
		nanosleep(&t, NULL);
		pause_us = pause_us * 2 > 100000 ? 100000 : pause_us * 2;
	}
	return 0;
}

int verb_fcoe_destroy(const struct priv_request *q, struct priv_reply *r)
{
	struct monotime deadline = mono_add(mono_now(), q->timeout_ms * USEC_PER_MSEC);
	char controller[32];
	int err = check_interface(q, r);
	char mark[32] = "";

	if (err == -ENODEV || (!err && !entry_of(q->name, "ctlr_", controller, sizeof(controller))))
		return 0;
	if (!err && (sysroot_read(mark, sizeof(mark), "/sys/class/net/%s/ifalias", q->name) < 0 ||
		     strcmp(mark, LINK_MARK)))
		return not_ours(q->name, r);
	if (!err)
		err = verb_write(q->name, "/sys/bus/fcoe/ctlr_destroy");
	return err ? err : await_controller_gone(controller, deadline);
}

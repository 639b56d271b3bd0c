/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs that make, log out and end a vport. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "profile.h"
#include "sysroot.h"
#include "verbs.h"
#include "vport_lock.h"

#define SYMBOLIC_NAME_MAX 63 /* FC_VPORT_SYMBOLIC_NAMELEN less its NUL */

static int check_names(const struct priv_request *q, struct priv_reply *r)
{
	if (q->wwpn && q->wwnn && q->wwpn != UINT64_MAX && q->wwnn != UINT64_MAX)
		return 0;
	snprintf(r->text, sizeof(r->text), "a nil WWPN or WWNN");
	return -EINVAL;
}

/* It goes out to the fabric's name server (RSPN_ID). */
static int check_symbolic_name(const char *name, struct priv_reply *r)
{
	for (const char *p = name; *p; p++) {
		if (*p >= ' ' && *p <= '~')
			continue;
		snprintf(r->text, sizeof(r->text), "the symbolic name has a byte %#x", (unsigned char)*p);
		return -EINVAL;
	}
	return 0;
}

static int is_vport(const struct dirent *e)
{
	return !strncmp(e->d_name, "vport-", 6);
}

/* The folder in which its vports are found. */
static int open_parent(int host, struct priv_reply *r)
{
	int fd = verb_open_device(host);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return -errno;
	snprintf(r->text, sizeof(r->text), "host%d is no FC host", host);
	return -ENODEV;
}

static bool carries(int parent, const char *name, const struct priv_request *q, struct priv_reply *r)
{
	unsigned host, channel, number;
	char path[600];
	uint64_t wwpn;

	if (sscanf(name, "vport-%u:%u-%u", &host, &channel, &number) != 3)
		return false;
	snprintf(path, sizeof(path), "%s/fc_vports/%s/port_name", name, name);
	if (sysroot_read_u64_at(parent, &wwpn, path) || wwpn != q->wwpn)
		return false;
	r->channel = channel;
	r->number = number;
	return true;
}

/*
 * The parent's vport that has q->wwpn: where q says, as far as it knows, or another. Numbers only grow: a
 * young one is among the last.
 */
static bool find_vport(int parent, const struct priv_request *q, struct priv_reply *r)
{
	struct dirent **names;
	char name[64];
	bool found = false;
	int n;

	snprintf(name, sizeof(name), "vport-%d:%u-%u", q->host, q->channel, q->number);
	if (carries(parent, name, q, r))
		return true;
	n = scandirat(parent, ".", &names, is_vport, versionsort);
	if (n < 0)
		return false;
	for (int i = n; i--; free(names[i]))
		found = found || carries(parent, names[i]->d_name, q, r);
	free(names);
	return found;
}

#define NEAR 32

/* One that was just made. fc_vport_setup counts numbers up, and has one channel: reading hundreds of names is
 * saved. */
static bool find_new_vport(int parent, const struct priv_request *q, struct priv_reply *r)
{
	char name[64];

	for (unsigned i = 0; i < NEAR; i++) {
		snprintf(name, sizeof(name), "vport-%d:0-%u", q->host, q->number + i);
		if (carries(parent, name, q, r))
			return true;
	}
	return find_vport(parent, q, r);
}

static int own_host_at(int parent, int host, unsigned channel, unsigned number)
{
	AUTO_DIR DIR *d = NULL;
	struct dirent *e;
	char name[64];
	int n;

	snprintf(name, sizeof(name), "vport-%d:%u-%u", host, channel, number);
	d = sysroot_list_at(parent, name);
	while (d && (e = readdir(d)))
		if (sscanf(e->d_name, "host%d", &n) == 1)
			return n;
	return -1;
}

static int own_host(int host, unsigned channel, unsigned number)
{
	AUTO_FD int parent = verb_open_device(host);

	return own_host_at(parent, host, channel, number);
}

/*
 * Is SCSI error handling under way, where a logout in the middle of it crashes the kernel?  The handler's
 * thread may begin its next LUN reset at any time until the host is running again, so that is what counts.
 */
static int check_error_handling(const struct priv_request *q, const struct priv_reply *v,
				struct priv_reply *r)
{
	char state[32] = "";
	int host = own_host(q->host, v->channel, v->number);

	if (host < 0 || !verb_profile(q->host)->frees_resets ||
	    sysroot_read(state, sizeof(state), "/sys/class/scsi_host/host%d/state", host) < 0 ||
	    !strstr(state, "recovery"))
		return 0;
	snprintf(r->text, sizeof(r->text), "SCSI error handling of host%d is under way, and must end first",
		 host);
	return -EAGAIN;
}

/* What others wait for is the write alone. */
static int write_create(int parent, const struct priv_request *q, struct priv_reply *r)
{
	bool alone = verb_profile_at(parent, q->host)->shared & FC_SHARED_RTNL;
	char path[64], text[40];
	AUTO_FD int fd = -1;
	int err;

	snprintf(path, sizeof(path), "fc_host/host%d/vport_create", q->host);
	fd = sysroot_open_write_at(parent, path);
	if (fd == -ENOENT) {
		snprintf(r->text, sizeof(r->text), "host%d can't have vports", q->host);
		return -EOPNOTSUPP;
	}
	snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, q->wwpn, q->wwnn);
	err = fd < 0 ? fd : 0;
	if (!err && alone && (err = vport_lock_rtnl())) {
		snprintf(r->text, sizeof(r->text), "other vports are being made: it was not begun");
		return err;
	}
	if (!err)
		err = sysroot_put(fd, text);
	if (alone && fd >= 0)
		vport_unlock_rtnl();
	if (err)
		snprintf(r->text, sizeof(r->text), "vport_create on host%d", q->host);
	return err;
}

int verb_vport_create(const struct priv_request *q, struct priv_reply *r)
{
	AUTO_FD int parent = open_parent(q->host, r);
	int err = parent < 0 ? parent : check_names(q, r);

	if (!err)
		err = write_create(parent, q, r);
	if (err)
		return err;
	if (!find_new_vport(parent, q, r)) {
		snprintf(r->text, sizeof(r->text), "host%d took the name but shows no such vport", q->host);
		return -EIO;
	}
	r->value = own_host_at(parent, q->host, r->channel, r->number);
	return 0;
}

#define CUT_OFF_MS 1000 /* commands are given back about 30 ms after the disable began */

/*
 * A delete with commands in flight races with their completion: fc_lport_destroy ends the exchanges of all
 * commands that it finds, while the answer to the LOGO that went before frees them (fc_lport_enter_disabled),
 * and then waits for ever for the lock of what was freed, with RTNL held.  So nothing new is let in, what
 * is left is cut off by a disable first, and what even that does not end keeps its vport.
 */
static int empty_vport(const struct priv_request *q, struct priv_reply *r)
{
	int host = own_host(q->host, r->channel, r->number);
	uint64_t left;

	verb_close_luns(host);
	left = verb_let_end(host, q->target);
	if (!left || !verb_profile(q->host)->disable_first)
		return 0;
	verb_write("1", "/sys/class/fc_vports/vport-%d:%u-%u/vport_disable", q->host, r->channel,
		   r->number); /* EALREADY: so much the better */
	left = verb_await_cut_off(host, CUT_OFF_MS);
	if (!left)
		return 0;
	snprintf(r->text, sizeof(r->text),
		 "host%d has %" PRIu64
		 " commands in flight, which its logout has not ended: the kernel would hang",
		 host, left);
	return -EAGAIN;
}

int verb_vport_delete(const struct priv_request *q, struct priv_reply *r)
{
	AUTO_FD int parent = open_parent(q->host, r);
	int err = parent < 0 ? parent : verb_check_parent(q->host, r);
	char text[40];

	if (!err)
		err = check_names(q, r);
	if (err)
		return err;
	if (!find_vport(parent, q, r))
		return -ENODEV;
	err = check_error_handling(q, r, r);
	if (err)
		return err;
	err = empty_vport(q, r);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, q->wwpn, q->wwnn);
	err = verb_write(text, "/sys/class/fc_host/host%d/vport_delete", q->host);
	if (err)
		snprintf(r->text, sizeof(r->text), "vport_delete on host%d", q->host);
	return err;
}

/* The number may have been given to another vport meanwhile: the name decides. */
static int check_vport(const struct priv_request *q, struct priv_reply *r)
{
	uint64_t wwpn;
	int err = sysroot_read_u64(&wwpn, "/sys/class/fc_vports/vport-%d:%u-%u/port_name", q->host,
				   q->channel, q->number);

	if (!err && wwpn == q->wwpn)
		return 0;
	snprintf(r->text, sizeof(r->text), "vport-%d:%u-%u does not carry %016" PRIx64, q->host, q->channel,
		 q->number, q->wwpn);
	return -ENODEV;
}

static int switch_vport(const struct priv_request *q, struct priv_reply *r, const char *disable)
{
	int err = check_vport(q, r);

	if (err)
		return err;
	err = verb_write(disable, "/sys/class/fc_vports/vport-%d:%u-%u/vport_disable", q->host, q->channel,
			 q->number);
	if (err == -EALREADY)
		return 0;
	if (err)
		snprintf(r->text, sizeof(r->text), "vport_disable=%s on vport-%d:%u-%u", disable, q->host,
			 q->channel, q->number);
	return err;
}

/*
 * libfc resets the exchanges of a target first and blocks its LUNs last, when its one queue comes to it. What
 * it has cut off is sent again in between, under numbers of exchanges that were just given back, and takes
 * the answers to what had them before for its own (fc_exch_recv_seq_resp does not compare the RX_ID): a write
 * that the target never had is told to be written.  LUNs that are offline send nothing again.
 */
int verb_vport_disable(const struct priv_request *q, struct priv_reply *r)
{
	const struct priv_reply v = {.channel = q->channel, .number = q->number};
	int err = check_vport(q, r);

	if (!err)
		err = check_error_handling(q, &v, r);
	if (!err && q->target)
		verb_close_luns(own_host(q->host, q->channel, q->number));
	return err ? err : switch_vport(q, r, "1");
}

/*
 * It is logged out, and yet has not the state Disabled: in Linux 6.1 fc_vport_disable_store
 * (scsi_transport_fc.c) then answers EALREADY to an enable, the driver is not asked, and the vport never logs
 * in again.
 */
static bool hides_disabled(const struct priv_request *q, char *state, size_t size)
{
	char port[32] = "";

	if (!verb_profile(q->host)->hides_disabled ||
	    sysroot_read(state, size, "/sys/class/fc_vports/vport-%d:%u-%u/vport_state", q->host, q->channel,
			 q->number) < 0 ||
	    !strcmp(state, "Disabled"))
		return false;
	/* What is logged in stays so: its users would notice. */
	return sysroot_read(port, sizeof(port), "/sys/class/fc_host/host%d/port_state",
			    own_host(q->host, q->channel, q->number)) >= 0 &&
	       strcmp(port, "Online");
}

#define LET_END_MS 200 /* libfc may deadlock where a logout meets the end of a command */

/* A login that stands still: only a logout ends it. What it cuts off is not to be sent again behind it. */
static int log_out_first(const struct priv_request *q, int host, struct priv_reply *r)
{
	const struct priv_reply v = {.channel = q->channel, .number = q->number};

	if (check_error_handling(q, &v, r))
		return 0; /* it will be asked for again */
	if (verb_let_end(host, LET_END_MS))
		verb_close_luns(host);
	return switch_vport(q, r, "1");
}

int verb_vport_enable(const struct priv_request *q, struct priv_reply *r)
{
	int err = check_vport(q, r), host = own_host(q->host, q->channel, q->number);
	char state[32] = "";

	if (!err && hides_disabled(q, state, sizeof(state))) {
		err = switch_vport(q, r, "1");
		snprintf(r->text, sizeof(r->text), "vport-%d:%u-%u was %s, but not logged in: disabled first",
			 q->host, q->channel, q->number, state);
	} else if (!err && q->target) {
		err = log_out_first(q, host, r);
	}
	if (err)
		return err;
	verb_open_luns(host); /* those that a disable or a delete has closed */
	return switch_vport(q, r, "0");
}

/* A shorter name leaves the old one's tail, so it is padded to its full length. */
int verb_vport_name(const struct priv_request *q, struct priv_reply *r)
{
	char state[32] = "gone", name[SYMBOLIC_NAME_MAX + 1];
	int err = check_vport(q, r);

	if (!err)
		err = check_symbolic_name(q->name, r);
	if (err)
		return err;
	sysroot_read(state, sizeof(state), "/sys/class/fc_host/host%d/port_state",
		     own_host(q->host, q->channel, q->number));
	if (strcmp(state, "Online")) {
		snprintf(r->text, sizeof(r->text), "the vport's port_state is %s", state);
		return -ENOTCONN;
	}
	snprintf(name, sizeof(name), "%-*.*s", SYMBOLIC_NAME_MAX, SYMBOLIC_NAME_MAX, q->name);
	return verb_write(name, "/sys/class/fc_vports/vport-%d:%u-%u/symbolic_name", q->host, q->channel,
			  q->number);
}

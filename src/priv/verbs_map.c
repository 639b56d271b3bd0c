/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The multipath maps that hold a vport's paths. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "multipathd.h"
#include "sysroot.h"
#include "verbs.h"

#define MAPS_MAX 256

struct maps {
	size_t n;
	unsigned number[MAPS_MAX]; /* of dm-N */
};

static void add_map(struct maps *m, unsigned number)
{
	char uuid[160];

	for (size_t i = 0; i < m->n; i++)
		if (m->number[i] == number)
			return;
	if (m->n < MAPS_MAX &&
	    sysroot_read(uuid, sizeof(uuid), "/sys/class/block/dm-%u/dm/uuid", number) > 0 &&
	    !strncmp(uuid, "mpath-", 6))
		m->number[m->n++] = number;
}

/* Who holds a disk: /sys/class/block/sdX/holders/dm-N. */
static void add_holders(struct maps *m, const char *disk)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/block/%s/holders", disk));
	struct dirent *e;
	unsigned number;

	while (dir && (e = readdir(dir)))
		if (sscanf(e->d_name, "dm-%u", &number) == 1)
			add_map(m, number);
}

static void add_disks(struct maps *m, const char *device)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir =
		opendir(sysroot_path(path, sizeof(path), "/sys/class/scsi_device/%s/device/block", device));
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			add_holders(m, e->d_name);
}

static int find_maps(struct maps *m, int of)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/scsi_device"));
	struct dirent *e;
	int host;

	while (dir && (e = readdir(dir)))
		if (sscanf(e->d_name, "%d:", &host) == 1 && host == of)
			add_disks(m, e->d_name);
	return dir ? 0 : -errno;
}

static void add_text(struct priv_reply *r, unsigned number, const char *what)
{
	size_t used = strlen(r->text);

	snprintf(r->text + used, sizeof(r->text) - used, "%sdm-%u%s%s", used ? ", " : "", number,
		 what ? ": " : "", what ? what : "");
}

/*
 * With no path left, a map that queues keeps what was cut off, and whoever waits for it: it is to fail, as
 * the paths do. multipathd keeps its own policy, and goes back to it when told.
 */
static int tell_maps(const struct priv_request *q, struct priv_reply *r, const char *what)
{
	struct monotime by = mono_add(mono_now(), q->timeout_ms * USEC_PER_MSEC * 7 / 8);
	int err = verb_check_vport_host(q, r);
	char command[64], said[80];
	struct maps m = {0};

	if (!err)
		err = find_maps(&m, q->host);
	for (size_t i = 0; !err && i < m.n; i++) {
		snprintf(command, sizeof(command), "%s map dm-%u", what, m.number[i]);
		err = multipathd_command(command, said, sizeof(said), by);
		if (!err && !strcmp(said, "ok"))
			r->count++;
		else
			r->value++;
		add_text(r, m.number[i],
			 err		      ? "multipathd does not answer"
			 : strcmp(said, "ok") ? said
					      : NULL);
	}
	return err;
}

int verb_maps_fail(const struct priv_request *q, struct priv_reply *r)
{
	return tell_maps(q, r, "disablequeueing");
}

int verb_maps_restore(const struct priv_request *q, struct priv_reply *r)
{
	return tell_maps(q, r, "restorequeueing");
}

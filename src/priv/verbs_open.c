/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a LUN for vhba-io, which opens nothing itself. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "sysroot.h"
#include "verbs.h"
#include "vpd.h"

#define DEVICE "/sys/class/scsi_device/%s/device/"

/* A number may have been given to another LUN, so the designator decides. */
static bool has_designator(const char *name, const char *wanted)
{
	uint8_t page[4096];
	char designator[80];
	ssize_t n = sysroot_read_bin(page, sizeof(page), DEVICE "vpd_pg83", name);

	return n > 0 && !vpd83_designator(page, (size_t)n, designator, sizeof(designator)) &&
	       !strcmp(designator, wanted);
}

/* The one disk in the device's folder. */
static int open_disk(const char *name, int flags)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), DEVICE "block", name));
	struct dirent *e;
	int fd;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, "sd", 2) || !sysroot_path(path, sizeof(path), "/dev/%s", e->d_name))
			continue;
		fd = open(path, flags | O_DIRECT | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	return -ENODEV;
}

/* It bears the device's own name. Without one the sg node does. */
static int open_bsg(const char *name, int flags)
{
	char path[PATH_MAX];

	return sysroot_path(path, sizeof(path), "/dev/bsg/%s", name)
		       ? open(path, flags | O_NONBLOCK | O_CLOEXEC)
		       : -1;
}

static int open_attribute(const char *name, const char *attribute)
{
	char path[PATH_MAX];

	return sysroot_path(path, sizeof(path), DEVICE "%s", name, attribute)
		       ? open(path, O_RDONLY | O_CLOEXEC)
		       : -1;
}

/* Nothing of that is missed. */
static void add(struct priv_reply *r, int fd, enum priv_lun_part part)
{
	if (fd < 0)
		return;
	r->fd[r->fds++] = fd;
	r->number |= part;
}

int verb_lun_open(const struct priv_request *q, struct priv_reply *r)
{
	int err = verb_check_vport_host(q, r), flags = q->number == 1 ? O_RDONLY : O_RDWR, sd, sg;
	char name[64];

	if (err)
		return err;
	snprintf(name, sizeof(name), "%d:%u:%u:%" PRIu64, q->host, q->channel, q->target, q->wwnn);
	if (!has_designator(name, q->text)) {
		snprintf(r->text, sizeof(r->text), "%s is not %.80s", name, q->text);
		return -ENODEV;
	}
	sd = open_disk(name, flags);
	sg = sd < 0 ? sd : verb_open_lun(name);
	if (sg < 0) {
		snprintf(r->text, sizeof(r->text), "the nodes of %s can't be opened", name);
		cleanup_fd(&sd);
		return sg;
	}
	r->fd[0] = sd;
	r->fd[1] = sg;
	r->fds = 2;
	add(r, open_bsg(name, flags), PRIV_LUN_BSG);
	add(r, open_attribute(name, "state"), PRIV_LUN_STATE);
	add(r, open_attribute(name, "access_state"), PRIV_LUN_ACCESS);
	return 0;
}

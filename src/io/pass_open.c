/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which nodes are one SCSI device. Nothing here sends it a command: one may hang. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <scsi/scsi_ioctl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "pass.h"
#include "sysroot.h"

#define SG_VERSION 30000 /* the first that has SG_IO */
#define GET_IDLUN 0x5382 /* SCSI_IOCTL_GET_IDLUN */
#define GET_BUS_NUMBER 0x5386 /* SCSI_IOCTL_GET_BUS_NUMBER: the Scsi_Host's */

static int refuse(struct verror *e, const char *name, const char *seen)
{
	verror_set(e, VHBA_E_USAGE, "%s %s", name, seen);
	verror_expected(e, "a whole SCSI disk (/dev/sdX) and its sg node");
	verror_fix(e, "see lsscsi -g; without sg nodes: modprobe sg");
	return -EINVAL;
}

/* The one entry of its device's folder scsi_generic. */
static int sg_name(dev_t disk, char *name, size_t size)
{
	char path[4096];
	AUTO_DIR DIR *dir = NULL;
	const struct dirent *d;

	if (sysroot_path(path, sizeof(path), "/sys/dev/block/%u:%u/device/scsi_generic", major(disk),
			 minor(disk)))
		dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || strlen(d->d_name) >= size)
			continue;
		strcpy(name, d->d_name);
		return 0;
	}
	return -ENOENT;
}

int pass_open_path(const char *path, bool read_only, int *sd, int *sg, struct verror *e)
{
	int mode = (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	AUTO_FD int disk = open(path, mode | O_DIRECT);
	char name[32], node[4096];
	struct stat st;

	*sd = *sg = -1;
	if (disk < 0 || fstat(disk, &st))
		return verror_set(e, VHBA_E_IO, "can't open %s: %s", path, strerror(errno));
	if (!S_ISBLK(st.st_mode) || sg_name(st.st_rdev, name, sizeof(name)))
		return refuse(e, path, "has no sg node");
	if (!sysroot_path(node, sizeof(node), "/dev/%s", name))
		return verror_set(e, VHBA_E_IO, "can't open %s: %s", name, strerror(errno));
	*sg = open(node, mode | O_NONBLOCK);
	if (*sg < 0)
		return verror_set(e, VHBA_E_IO, "can't open %s: %s", node, strerror(errno));
	*sd = steal_fd(&disk);
	return 0;
}

struct address {
	struct {
		uint32_t four; /* id, lun, channel, host: 8 bits each */
		uint32_t unique;
	} idlun;
	int host;
};

static int address_of(int fd, struct address *a)
{
	memset(a, 0, sizeof(*a));
	return ioctl(fd, GET_IDLUN, &a->idlun) || ioctl(fd, GET_BUS_NUMBER, &a->host) ? -errno : 0;
}

struct unit *pass_open(int sd, int sg, const char *name, struct verror *e)
{
	struct pass_config c = {.sd = sd, .sg = sg, .name = name};
	int flags = fcntl(sd, F_GETFL), size = 0, version = 0;
	struct address disk, generic;
	struct unit *u;

	if (flags < 0 || !(flags & O_DIRECT) || ioctl(sd, BLKSSZGET, &size) ||
	    ioctl(sd, BLKGETSIZE64, &c.size) || address_of(sd, &disk))
		refuse(e, name, "is no SCSI disk that was opened with O_DIRECT");
	else if (ioctl(sg, SG_GET_VERSION_NUM, &version) || version < SG_VERSION || address_of(sg, &generic))
		refuse(e, name, "has no sg node");
	else if (disk.host != generic.host || disk.idlun.four != generic.idlun.four)
		refuse(e, name, "and its sg node are two devices");
	else if (size < 512 || size > 4096 || (size & (size - 1)))
		refuse(e, name, "has blocks of a size that vhba-io doesn't know");
	else {
		c.block_size = (uint32_t)size;
		u = pass_new(&c);
		if (!u)
			verror_set(e, VHBA_E_INTERNAL, "no memory for %s", name);
		return u;
	}
	return NULL;
}

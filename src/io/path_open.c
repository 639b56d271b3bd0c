/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which nodes are one SCSI device. Nothing here sends it a command: one may hang. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "path.h"
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

#define DEVICE "/sys/dev/block/%u:%u/device/"

/* The one entry of its device's folder scsi_generic, or bsg. */
static int node_name(dev_t disk, const char *folder, char *name, size_t size)
{
	char path[4096];
	AUTO_DIR DIR *dir = NULL;
	const struct dirent *d;

	if (sysroot_path(path, sizeof(path), DEVICE "%s", major(disk), minor(disk), folder))
		dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || strlen(d->d_name) >= size)
			continue;
		strcpy(name, d->d_name);
		return 0;
	}
	return -ENOENT;
}

static int open_attribute(dev_t disk, const char *name)
{
	char path[4096];

	return sysroot_path(path, sizeof(path), DEVICE "%s", major(disk), minor(disk), name)
		       ? open(path, O_RDONLY | O_CLOEXEC)
		       : -1;
}

/* What the kernel read when it found the device. */
static void read_designator(struct path *p, dev_t disk)
{
	uint8_t page[4096];
	ssize_t n = sysroot_read_bin(page, sizeof(page), DEVICE "vpd_pg83", major(disk), minor(disk));

	p->designator_len = n > 0 ? path_designator(page, (unsigned)n, p->designator, sizeof(p->designator))
				  : 0;
}

static void init(struct path *p)
{
	memset(p, 0, sizeof(*p));
	p->sd = p->sg = p->bsg = p->state = p->access = -1;
}

/* One that can't be opened isn't missed: the sg node takes all commands, too. */
static void open_bsg(struct path *p, dev_t disk, int mode)
{
	char name[64], node[4096];

	if (node_name(disk, "bsg", name, sizeof(name)) ||
	    !sysroot_path(node, sizeof(node), "/dev/bsg/%s", name))
		return;
	p->bsg = open(node, mode | O_NONBLOCK);
	if (p->bsg >= 0)
		atomic_store(&p->via, PATH_UNASKED);
}

int path_open(struct path *p, const char *node, bool read_only, struct verror *e)
{
	int mode = (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	AUTO_FD int disk = open(node, mode | O_DIRECT);
	char name[32], generic[4096];
	struct stat st;

	init(p);
	if (disk < 0 || fstat(disk, &st))
		return verror_set(e, VHBA_E_IO, "can't open %s: %s", node, strerror(errno));
	if (!S_ISBLK(st.st_mode) || node_name(st.st_rdev, "scsi_generic", name, sizeof(name)))
		return refuse(e, node, "has no sg node");
	if (!sysroot_path(generic, sizeof(generic), "/dev/%s", name))
		return verror_set(e, VHBA_E_IO, "can't open %s: %s", name, strerror(errno));
	p->sg = open(generic, mode | O_NONBLOCK);
	if (p->sg < 0)
		return verror_set(e, VHBA_E_IO, "can't open %s: %s", generic, strerror(errno));
	p->sd = steal_fd(&disk);
	open_bsg(p, st.st_rdev, mode);
	p->state = open_attribute(st.st_rdev, "state");
	p->access = open_attribute(st.st_rdev, "access_state");
	read_designator(p, st.st_rdev);
	snprintf(p->name, sizeof(p->name), "%s", node);
	return 0;
}

void path_of_fds(struct path *p, int sd, int sg, const int more[PATH_MORE])
{
	init(p);
	p->sd = sd;
	p->sg = sg;
	p->bsg = more[PATH_BSG];
	p->state = more[PATH_STATE];
	p->access = more[PATH_ACCESS];
	atomic_store(&p->via, p->bsg < 0 ? PATH_BY_SG : PATH_UNASKED);
	p->passed = true;
	snprintf(p->name, sizeof(p->name), "file descriptor %d", sd);
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

int path_check(const struct path *p, uint32_t *block_size, uint64_t *size, struct verror *e)
{
	int flags = fcntl(p->sd, F_GETFL), block = 0, version = 0;
	struct address disk, generic;

	if (flags < 0 || !(flags & O_DIRECT) || ioctl(p->sd, BLKSSZGET, &block) ||
	    ioctl(p->sd, BLKGETSIZE64, size) || address_of(p->sd, &disk))
		return refuse(e, p->name, "is no SCSI disk that was opened with O_DIRECT");
	if (ioctl(p->sg, SG_GET_VERSION_NUM, &version) || version < SG_VERSION || address_of(p->sg, &generic))
		return refuse(e, p->name, "has no sg node");
	if (disk.host != generic.host || disk.idlun.four != generic.idlun.four)
		return refuse(e, p->name, "and its sg node are two devices");
	if (block < 512 || block > 4096 || (block & (block - 1)))
		return refuse(e, p->name, "has blocks of a size that vhba-io doesn't know");
	*block_size = (uint32_t)block;
	return 0;
}

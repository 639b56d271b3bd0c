/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LUNs behind a remote port (scsi_sysfs.c). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "fc_sysfs.h"
#include "sysroot.h"
#include "vpd.h"

/* By number: a folder is read in no order. */
static void lun_insert(struct fc_rport *r, struct fc_lun *l)
{
	struct fc_lun *before = TAILQ_LAST(&r->luns, fc_lun_list);

	while (before && before->lun > l->lun)
		before = TAILQ_PREV(before, fc_lun_list, link);
	if (before)
		TAILQ_INSERT_AFTER(&r->luns, before, l, link);
	else
		TAILQ_INSERT_HEAD(&r->luns, l, link);
}

/* The peripheral device types that sd takes (sd_probe). */
static bool is_disk(int type)
{
	static const int types[] = {0x00, 0x07, 0x0e, 0x14}; /* direct access, optical memory, RBC, ZBC */

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i] == type)
			return true;
	return false;
}

/* A type that can't be read may be a disk's. */
bool fc_lun_is_usable(const struct fc_lun *l)
{
	if (l->type < 0 || strcmp(l->state, "running"))
		return false;
	return !is_disk(l->type) || (l->sd[0] && l->size && l->designator[0]);
}

static void read_disk(struct fc_lun *l, int dir)
{
	char size[64];
	uint64_t sectors;

	l->size = 0;
	l->sd[0] = '\0';
	if (!fc_sysfs_first_entry(dir, "block", "", l->sd, sizeof(l->sd)))
		return;
	snprintf(size, sizeof(size), "block/%s/size", l->sd);
	if (!sysroot_read_u64_at(dir, &sectors, size) && sectors <= UINT64_MAX / 512)
		l->size = sectors * 512;
}

static void read_lun_attributes(struct fc_lun *l, int dir)
{
	uint8_t page[4096];
	uint64_t type;
	ssize_t n;

	l->type = sysroot_read_u64_at(dir, &type, "type") || type > 0x1f ? -1 : (int)type;
	fc_sysfs_text(dir, "state", l->state, sizeof(l->state));
	l->designator[0] = '\0';
	n = sysroot_read_bin_at(dir, page, sizeof(page), "vpd_pg83");
	if (n > 0)
		vpd83_designator(page, (size_t)n, l->designator, sizeof(l->designator));
	read_disk(l, dir);
	l->sg[0] = '\0';
	fc_sysfs_first_entry(dir, "scsi_generic", "sg", l->sg, sizeof(l->sg));
	l->usable = fc_lun_is_usable(l);
}

struct fc_lun *fc_sysfs_lun_known(const struct fc_rport *r, const struct fc_part *part)
{
	struct fc_lun *l;

	TAILQ_FOREACH (l, &r->luns, link)
		if (l->channel == part->channel && l->target == part->target && l->lun == part->lun)
			return l;
	return NULL;
}

void fc_sysfs_drop_lun(struct fc_rport *r, struct fc_lun *l)
{
	TAILQ_REMOVE(&r->luns, l, link);
	free(l);
}

/* Of a LUN that goes this is taken away first, while its disk's end takes its time and is told of
 * (__scsi_remove_device): what is read of its folder then is not there any more. */
static bool is_going(int dir)
{
	return faccessat(dir, "scsi_device", F_OK, 0) && errno == ENOENT;
}

#define LUN_FOLDER RPORT "/target%d:%u:%u/%d:%u:%u:%" PRIu64

static void read_lun(const struct fc_host *h, struct fc_rport *r, const struct fc_part *part,
		     struct fc_lun *l)
{
	AUTO_FD int dir = fc_sysfs_open(h, LUN_FOLDER, h->number, r->channel, r->number, h->number,
					part->channel, part->target, h->number, part->channel, part->target,
					part->lun);

	if (dir < 0 || is_going(dir)) {
		if (l && (dir >= 0 || !fc_sysfs_is_want()))
			fc_sysfs_drop_lun(r, l);
		return;
	}
	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return;
		l->rport = r->number;
		l->channel = part->channel;
		l->target = part->target;
		l->lun = part->lun;
		lun_insert(r, l);
	}
	read_lun_attributes(l, dir);
}

/* A LUN's device, its disk, its generic device and its queue come one after the other, each with an event. */
static bool is_whole(const struct fc_lun *l)
{
	return l->usable && l->sd[0] && l->sg[0];
}

void fc_sysfs_update_lun(const struct fc_host *h, struct fc_rport *r, const struct fc_part *part)
{
	struct fc_lun *l = fc_sysfs_lun_known(r, part);

	if (!l || !part->came || !is_whole(l))
		read_lun(h, r, part, l);
}

void fc_sysfs_read_target(const struct fc_host *h, struct fc_rport *r, int rport, const char *target)
{
	AUTO_DIR DIR *dir = sysroot_list_at(rport, target);
	struct dirent *e;
	unsigned host;

	while (dir && (e = readdir(dir))) {
		struct fc_part part = {.kind = FC_PART_LUN};

		if (sscanf(e->d_name, "%u:%u:%u:%" SCNu64, &host, &part.channel, &part.target, &part.lun) ==
		    4)
			fc_sysfs_update_lun(h, r, &part);
	}
}

/* FC targets have the channel of their remote port (fc_scsi_scan_rport). */
#define LUN_OF(h, l)                                                                                         \
	(h)->number, (l)->channel, (l)->rport, (h)->number, (l)->channel, (l)->target, (h)->number,          \
		(l)->channel, (l)->target, (l)->lun

void fc_lun_refresh_state(const struct fc_host *host, struct fc_lun *l)
{
	if (fc_sysfs_read(host, l->state, sizeof(l->state), LUN_FOLDER "/state", LUN_OF(host, l)) < 0)
		l->state[0] = '\0';
	l->usable = fc_lun_is_usable(l);
}

int fc_lun_read_busy(const struct fc_host *host, const struct fc_lun *l, uint64_t *busy)
{
	return fc_sysfs_read_u64(host, busy, LUN_FOLDER "/device_busy", LUN_OF(host, l));
}

bool fc_lun_write_back(const struct fc_host *host, const struct fc_lun *l)
{
	char type[64];

	return fc_sysfs_read(host, type, sizeof(type),
			     LUN_FOLDER "/scsi_disk/%d:%u:%u:%" PRIu64 "/cache_type", LUN_OF(host, l),
			     host->number, l->channel, l->target, l->lun) > 0 &&
	       !strncmp(type, "write back", 10);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs that send commands to all LUNs of a vport at once. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "sgio.h"
#include "sysroot.h"
#include "verbs.h"

#define LUNS_MAX 256 /* each holds a file open */
#define DEVICE "/sys/class/scsi_device/%s/device/"

struct lun {
	char name[48]; /* "H:C:T:L" */
};

struct luns {
	int host;
	size_t n;
	uint64_t busy; /* commands in flight on all */
	struct lun lun[LUNS_MAX];
	struct sgio job[LUNS_MAX];
};

int verb_check_vport_host(const struct priv_request *q, struct priv_reply *r)
{
	int err = verb_check_fc_host(q->host, r);
	uint64_t wwpn;

	if (err ||
	    (!sysroot_read_u64(&wwpn, "/sys/class/fc_host/host%d/port_name", q->host) && wwpn == q->wwpn))
		return err;
	snprintf(r->text, sizeof(r->text), "host%d does not carry %016" PRIx64, q->host, q->wwpn);
	return -ENODEV;
}

/* sd has read the caching mode page (sd_read_cache_type); a LUN that is no disk has none. */
static bool has_cache(const char *name)
{
	char type[64];

	return sysroot_read(type, sizeof(type), "/sys/class/scsi_disk/%s/cache_type", name) > 0 &&
	       !strncmp(type, "write back", 10);
}

/* The LUNs of a host that have a write cache; the commands in flight on all LUNs. */
static int find_luns(struct luns *l)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/scsi_device"));
	struct dirent *e;
	uint64_t busy;
	int host, end;

	while (dir && (e = readdir(dir))) {
		if (sscanf(e->d_name, "%d:%*u:%*u:%*u%n", &host, &end) != 1 || host != l->host ||
		    strlen(e->d_name) >= sizeof(l->lun[0].name))
			continue;
		if (!sysroot_read_u64(&busy, DEVICE "device_busy", e->d_name))
			l->busy += busy;
		if (l->n == LUNS_MAX || !has_cache(e->d_name))
			continue;
		strcpy(l->lun[l->n++].name, e->d_name);
	}
	return dir ? 0 : -errno;
}

static bool runs(const char *name)
{
	char state[32];

	return sysroot_read(state, sizeof(state), DEVICE "state", name) > 0 && !strcmp(state, "running");
}

/* What can't be opened, or is blocked, has failed already: a command to a blocked device would wait for as
 * long as that. */
static void open_luns(struct luns *l, const uint8_t *cdb, uint8_t len)
{
	for (size_t i = 0; i < l->n; i++) {
		struct sgio *job = &l->job[i];

		memcpy(job->cdb, cdb, len);
		job->cdb_len = len;
		job->fd = runs(l->lun[i].name) ? verb_open_lun(l->lun[i].name) : -EAGAIN;
	}
}

/* Those that are open side by side at the front; the others keep what they failed with. */
static size_t sort_open(struct luns *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct sgio job = l->job[i];
		struct lun lun = l->lun[i];

		if (job.fd < 0) {
			l->job[i].result = SGIO_ERROR;
			l->job[i].err = job.fd;
			continue;
		}
		l->job[i] = l->job[n];
		l->lun[i] = l->lun[n];
		l->job[n] = job;
		l->lun[n++] = lun;
	}
	return n;
}

static void report(struct luns *l, struct priv_reply *r)
{
	char why[64];
	size_t used = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->job[i].result == SGIO_GOOD) {
			r->count++;
			continue;
		}
		r->value++;
		if (used + 120 < sizeof(r->text))
			used += (size_t)snprintf(r->text + used, sizeof(r->text) - used, "%s%s: %s",
						 used ? ", " : "", l->lun[i].name,
						 sgio_text(&l->job[i], why, sizeof(why)));
	}
}

/*
 * SYNCHRONIZE CACHE (10) of the whole LUN (SBC-3 5.21: LBA 0, 0 blocks).  Not sent while any command is in
 * flight there: it would wait behind one that does not end.
 */
int verb_sync_cache(const struct priv_request *q, struct priv_reply *r)
{
	static const uint8_t cdb[10] = {0x35};
	struct monotime by = mono_add(mono_now(), q->number * USEC_PER_MSEC);
	AUTO_FREE struct luns *l = calloc(1, sizeof(*l));
	int err = l ? verb_check_vport_host(q, r) : -ENOMEM;
	size_t open;

	if (err)
		return err;
	l->host = q->host;
	err = find_luns(l);
	if (err)
		return err;
	if (l->busy) {
		snprintf(r->text, sizeof(r->text), "%" PRIu64 " commands are in flight", l->busy);
		return -EBUSY;
	}
	open_luns(l, cdb, sizeof(cdb));
	open = sort_open(l);
	sgio_run(l->job, open, by);
	report(l, r);
	for (size_t i = 0; i < open; i++)
		close(l->job[i].fd);
	return 0;
}

/* ---- sizes ---- */

/* The disk of a LUN; false when it has none. */
static bool disk_of(const char *name, char *sd, size_t size)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), DEVICE "block", name));
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, "sd", 2) && strlen(e->d_name) < size)
			return strcpy(sd, e->d_name), true;
	return false;
}

static bool has_no_size(const char *name, const char *sd)
{
	uint64_t sectors;

	return !sysroot_read_u64(&sectors, DEVICE "block/%s/size", name, sd) && !sectors;
}

/*
 * Whoever closes a disk that it could write to makes udev have the kernel look at it anew; when that happens
 * while the vport is logged out the disk is left without a size, and nothing gives it back after the login.
 */
int verb_read_sizes(const struct priv_request *q, struct priv_reply *r)
{
	char path[PATH_MAX], prefix[16], sd[32];
	int err = verb_check_fc_host(q->host, r);
	AUTO_DIR DIR *dir = NULL;
	struct dirent *e;

	if (err)
		return err;
	dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/scsi_device"));
	snprintf(prefix, sizeof(prefix), "%d:", q->host);
	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) || strlen(e->d_name) >= sizeof(path) / 2 ||
		    !runs(e->d_name) || !disk_of(e->d_name, sd, sizeof(sd)) || !has_no_size(e->d_name, sd))
			continue;
		err = sysroot_write("1", DEVICE "rescan", e->d_name);
		if (err)
			snprintf(r->text, sizeof(r->text), "rescan of %.40s", e->d_name);
		else
			r->count += !has_no_size(e->d_name, sd);
	}
	return err;
}

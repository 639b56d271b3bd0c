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
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "pr.h"
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
	bool (*wanted)(const char *name);
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

static bool is_disk(const char *name)
{
	return sysroot_exists("/sys/class/scsi_disk/%s", name);
}

/* Calls fn for every LUN "H:C:T:L" of a host. False: they can't be listed. */
static bool each_lun(int host, void (*fn)(const char *name, void *arg), void *arg)
{
	char path[PATH_MAX];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), "/sys/class/scsi_device"));
	struct dirent *e;
	int h, end;

	while (dir && (e = readdir(dir)))
		if (sscanf(e->d_name, "%d:%*u:%*u:%*u%n", &h, &end) == 1 && h == host)
			fn(e->d_name, arg);
	return dir;
}

static void add_busy(const char *name, void *arg)
{
	uint64_t busy, *sum = arg;

	if (!sysroot_read_u64(&busy, DEVICE "device_busy", name))
		*sum += busy;
}

static uint64_t in_flight(int host)
{
	uint64_t sum = 0;

	each_lun(host, add_busy, &sum);
	return sum;
}

static bool has_state(const char *name, const char *state)
{
	char text[32];

	return sysroot_read(text, sizeof(text), DEVICE "state", name) > 0 && !strcmp(text, state);
}

/* store_state_field takes a word with its newline alone. */
static void set_offline(const char *name, void *arg)
{
	(void)arg;
	if (has_state(name, "running")) /* one that is blocked takes nothing in as it is */
		verb_write("offline\n", DEVICE "state", name);
}

void verb_close_luns(int host)
{
	each_lun(host, set_offline, NULL);
}

static void set_running(const char *name, void *arg)
{
	(void)arg;
	if (has_state(name, "offline"))
		verb_write("running\n", DEVICE "state", name);
}

void verb_open_luns(int host)
{
	each_lun(host, set_running, NULL);
}

static int is_online(const char *rport, void *arg)
{
	char state[64];

	(void)arg;
	return verb_is_target(rport) &&
	       sysroot_read(state, sizeof(state), "/sys/class/fc_remote_ports/%s/port_state", rport) > 0 &&
	       !strcmp(state, "Online");
}

static bool ends_by_itself(int host)
{
	return verb_each_child(host, "rport-", is_online, NULL) > 0;
}

/* Until none is in flight, the time is over or ends says that none will end. Nobody tells when the last one
 * ends. */
static uint64_t await_none(int host, uint32_t ms, bool (*ends)(int host))
{
	struct monotime until = mono_add(mono_now(), ms * USEC_PER_MSEC);
	struct timespec pause = {.tv_nsec = 1000000};
	uint64_t left;

	while ((left = in_flight(host)) && (!ends || ends(host)) && !mono_reached(until, mono_now())) {
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 16000000)
			pause.tv_nsec *= 2;
	}
	return left;
}

uint64_t verb_let_end(int host, uint32_t ms)
{
	return await_none(host, ms, ends_by_itself);
}

uint64_t verb_await_cut_off(int host, uint32_t ms)
{
	return await_none(host, ms, NULL);
}

static void take_lun(const char *name, void *arg)
{
	struct luns *l = arg;

	add_busy(name, &l->busy);
	if (l->n < LUNS_MAX && strlen(name) < sizeof(l->lun[0].name) && l->wanted(name))
		strcpy(l->lun[l->n++].name, name);
}

/* The LUNs of a host that are wanted; the commands in flight on all LUNs. */
static int find_luns(struct luns *l)
{
	return each_lun(l->host, take_lun, l) ? 0 : -errno;
}

/* What can't be opened, or is blocked, has failed already: a command to a blocked device would wait for as
 * long as that. */
static void open_luns(struct luns *l, const uint8_t *cdb, uint8_t len)
{
	for (size_t i = 0; i < l->n; i++) {
		struct sgio *job = &l->job[i];

		memcpy(job->cdb, cdb, len);
		job->cdb_len = len;
		job->fd = has_state(l->lun[i].name, "running") ? verb_open_lun(l->lun[i].name) : -EAGAIN;
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
		r->number += l->job[i].result == SGIO_NO_END || l->job[i].result == SGIO_NOT_BEGUN;
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
	l->wanted = has_cache;
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
		    !has_state(e->d_name, "running") || !disk_of(e->d_name, sd, sizeof(sd)) ||
		    (q->number != 1 && !has_no_size(e->d_name, sd)))
			continue;
		err = sysroot_write("1", DEVICE "rescan", e->d_name);
		if (err)
			snprintf(r->text, sizeof(r->text), "rescan of %.40s", e->d_name);
		else
			r->count += !has_no_size(e->d_name, sd);
	}
	return err;
}

/* ---- persistent reservations ---- */

#define PR_DATA 8192 /* 170 registrations */
enum { READ_RESERVATION = 1, READ_FULL_STATUS = 3 };

static void ask(struct luns *l, size_t n, uint8_t (*data)[PR_DATA], uint8_t action, struct monotime by)
{
	for (size_t i = 0; i < n; i++) {
		struct sgio *job = &l->job[i];

		memset(data[i], 0, PR_DATA);
		memcpy(job->cdb, (uint8_t[10]){0x5e, action, [7] = PR_DATA >> 8, [8] = PR_DATA & 0xff}, 10);
		job->cdb_len = 10;
		job->data = data[i];
		job->data_len = PR_DATA;
	}
	sgio_run(l->job, n, by);
}

static bool refused(const struct sgio *job)
{
	return job->result == SGIO_STATUS &&
	       job->status == 2; /* CHECK CONDITION: it can't READ FULL STATUS */
}

/* "TARGET/LUN=KEY,TYPE,HOLDER;" of a LUN where there is anything to tell; false: no room. */
static bool add_entry(struct priv_reply *r, const char *name, const struct pr_seen *s)
{
	unsigned host, channel, target;
	char entry[96], key[20] = "?";
	uint64_t lun, wwpn = 0;
	size_t used = strlen(r->text), n;

	if (sscanf(name, "%u:%u:%u:%" SCNu64, &host, &channel, &target, &lun) != 4)
		return true;
	sysroot_read_u64(&wwpn, "/sys/class/fc_transport/target%u:%u:%u/port_name", host, channel, target);
	if (s->key_known)
		snprintf(key, sizeof(key), "%" PRIx64, s->key);
	n = (size_t)snprintf(entry, sizeof(entry), "%016" PRIx64 "/%" PRIu64 "=%s,%x,%" PRIx64 ";", wwpn, lun,
			     key, s->type, s->holder);
	if (used + n >= sizeof(r->text))
		return false;
	memcpy(r->text + used, entry, n + 1);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct lun *)a)->name, ((const struct lun *)b)->name);
}

/* Those that answered, in their order, from the entry `skip` on. */
static void report_reservations(struct luns *l, size_t n, const struct pr_seen *seen, const bool *good,
				uint32_t skip, struct priv_reply *r)
{
	bool room = true;

	for (size_t i = 0; i < n; i++) {
		if (!good[i]) {
			r->value++;
			continue;
		}
		if (!seen[i].key && !seen[i].type)
			continue;
		if (r->count++ < skip || !room)
			continue;
		room = add_entry(r, l->lun[i].name, &seen[i]);
		r->number += room;
	}
	r->value += (int32_t)(l->n - n);
}

static bool read_one(const struct sgio *job, uint64_t wwpn, bool full, struct pr_seen *s)
{
	if (job->result != SGIO_GOOD)
		return false;
	return !(full ? pr_parse_full_status(job->data, job->got, wwpn, s)
		      : pr_parse_reservation(job->data, job->got, s));
}

/* READ FULL STATUS of all; where the array can't, READ RESERVATION, which does not tell whose the keys are.
 */
static void read_all(struct luns *l, size_t n, uint64_t wwpn, struct pr_seen *seen, bool *good,
		     struct monotime by)
{
	AUTO_FREE uint8_t(*data)[PR_DATA] = calloc(n ? n : 1, PR_DATA);
	bool again = false;

	if (!data)
		return;
	ask(l, n, data, READ_FULL_STATUS, by);
	for (size_t i = 0; i < n; i++) {
		good[i] = read_one(&l->job[i], wwpn, true, &seen[i]);
		again |= refused(&l->job[i]);
	}
	/* An array is of one make: all are asked again. */
	if (!again)
		return;
	ask(l, n, data, READ_RESERVATION, by);
	for (size_t i = 0; i < n; i++)
		if (!good[i])
			good[i] = read_one(&l->job[i], wwpn, false, &seen[i]);
}

int verb_reservations(const struct priv_request *q, struct priv_reply *r)
{
	struct monotime by = mono_add(mono_now(), q->number * USEC_PER_MSEC);
	AUTO_FREE struct pr_seen *seen = calloc(LUNS_MAX, sizeof(*seen));
	AUTO_FREE struct luns *l = calloc(1, sizeof(*l));
	int err = l && seen ? verb_check_vport_host(q, r) : -ENOMEM;
	bool good[LUNS_MAX] = {};
	size_t open;

	if (err)
		return err;
	l->host = q->host;
	l->wanted = is_disk;
	err = find_luns(l);
	if (err)
		return err;
	if (l->busy && !q->channel) {
		snprintf(r->text, sizeof(r->text), "%" PRIu64 " commands are in flight", l->busy);
		return -EBUSY;
	}
	qsort(l->lun, l->n, sizeof(l->lun[0]), by_name);
	open_luns(l, (const uint8_t[10]){0x5e}, 10);
	open = sort_open(l);
	read_all(l, open, q->wwpn, seen, good, by);
	report_reservations(l, open, seen, good, q->target, r);
	for (size_t i = 0; i < open; i++)
		close(l->job[i].fd);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor of a quiesce and of a resume, for the measurements: the same drain and the same bare writes as
 * vhbad's, found beforehand, and nothing else: no journal, no name server, no processes.
 *
 *   stop quiesce parallel|series DRAIN-MS WWPN...
 *                      until no vport has a command in flight and each is disabled
 *   stop disable WWPN...
 *                      vport_disable alone, until no command is in flight
 *   stop delete-devices WWPN...
 *                      the SCSI devices' delete, until no command is in flight
 *   stop resume WWPN... -- DISK...
 *                      vport_disable=0, until a block of each disk has been read
 *
 * Prints microseconds on stdout.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "first-read.h"
#include "load-pause.h"
#include "monotime.h"
#include "sysroot.h"

#define PORTS_MAX 256
#define NODES_MAX 64
#define NAME_SIZE 48
#define END_US (200 * USEC_PER_SEC) /* longer than the kernel takes by itself */

struct vport {
	uint64_t wwpn;
	char name[NAME_SIZE]; /* in fc_vports */
	int host; /* its own Scsi_Host */
	char rports[NODES_MAX][NAME_SIZE];
	char devices[NODES_MAX][NAME_SIZE];
	unsigned int n_rports, n_devices;
	int busy[NODES_MAX]; /* device_busy of each device, open */
};

static struct {
	struct vport *port;
	unsigned int n;
	uint64_t drain_us;
} all;

/* Calls take for each entry of a folder that begins with prefix. */
static void each(const char *folder, const char *prefix, bool (*take)(const char *name, struct vport *v),
		 struct vport *v)
{
	char path[256];
	AUTO_DIR DIR *dir = opendir(sysroot_path(path, sizeof(path), "%s", folder));
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)) && take(e->d_name, v))
			return;
}

static bool has_wwpn(const char *class, const char *name, uint64_t wwpn)
{
	uint64_t seen;

	return !sysroot_read_u64(&seen, "/sys/class/%s/%s/port_name", class, name) && seen == wwpn;
}

static bool take_vport(const char *name, struct vport *v)
{
	if (!has_wwpn("fc_vports", name, v->wwpn))
		return false;
	snprintf(v->name, sizeof(v->name), "%s", name);
	return true;
}

static bool take_host(const char *name, struct vport *v)
{
	return has_wwpn("fc_host", name, v->wwpn) && sscanf(name, "host%d", &v->host) == 1;
}

static bool take_rport(const char *name, struct vport *v)
{
	char roles[128];

	if (sysroot_read(roles, sizeof(roles), "/sys/class/fc_remote_ports/%s/roles", name) > 0 &&
	    strstr(roles, "Target") && v->n_rports < NODES_MAX)
		snprintf(v->rports[v->n_rports++], NAME_SIZE, "%s", name);
	return false;
}

static bool take_device(const char *name, struct vport *v)
{
	char path[256];

	if (v->n_devices == NODES_MAX)
		return true;
	sysroot_path(path, sizeof(path), "/sys/class/scsi_device/%s/device/device_busy", name);
	v->busy[v->n_devices] = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(v->devices[v->n_devices++], NAME_SIZE, "%s", name);
	return false;
}

static int find(struct vport *v)
{
	char prefix[32];

	v->host = -1;
	each("/sys/class/fc_vports", "vport-", take_vport, v);
	each("/sys/class/fc_host", "host", take_host, v);
	if (!v->name[0] || v->host < 0)
		return fprintf(stderr, "stop: no vport %016" PRIx64 "\n", v->wwpn), -ENODEV;
	snprintf(prefix, sizeof(prefix), "rport-%d:", v->host);
	each("/sys/class/fc_remote_ports", prefix, take_rport, v);
	snprintf(prefix, sizeof(prefix), "%d:", v->host);
	each("/sys/class/scsi_device", prefix, take_device, v);
	return 0;
}

static unsigned int in_flight(const struct vport *v)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < v->n_devices; i++) {
		char text[16] = "";

		if (pread(v->busy[i], text, sizeof(text) - 1, 0) > 0)
			sum += (unsigned int)atoi(text);
	}
	return sum;
}

/* Until there is none, or for so long. */
static bool drained(const struct vport *v, uint64_t for_us)
{
	struct monotime until = mono_add(mono_now(), for_us);

	while (in_flight(v)) {
		if (mono_reached(until, mono_now()))
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return true;
}

static int disable(const struct vport *v, const char *value)
{
	int r = sysroot_write(value, "/sys/class/fc_vports/%s/vport_disable", v->name);

	if (r)
		fprintf(stderr, "stop: vport_disable of %s: %s\n", v->name, strerror(-r));
	return r;
}

static void *quiesce_one(void *arg)
{
	struct vport *v = arg;

	if (!drained(v, all.drain_us))
		for (unsigned int i = 0; i < v->n_rports; i++)
			sysroot_write("0", "/sys/class/fc_remote_ports/%s/fast_io_fail_tmo", v->rports[i]);
	return disable(v, "1") || !drained(v, END_US) ? v : NULL;
}

static void *disable_one(void *arg)
{
	struct vport *v = arg;

	return disable(v, "1") || !drained(v, END_US) ? v : NULL;
}

static void *delete_one(void *arg)
{
	struct vport *v = arg;

	for (unsigned int i = 0; i < v->n_devices; i++)
		sysroot_write("1", "/sys/class/scsi_device/%s/device/delete", v->devices[i]);
	return drained(v, END_US) ? NULL : v;
}

static void *resume_one(void *arg)
{
	struct vport *v = arg;

	return disable(v, "0") ? v : NULL;
}

/* Returns how many failed. */
static int run_all(void *(*one)(void *), bool parallel)
{
	pthread_t thread[PORTS_MAX];
	int failed = 0;

	for (unsigned int i = 0; i < all.n; i++) {
		if (!parallel)
			failed += one(&all.port[i]) != NULL;
		else if (pthread_create(&thread[i], NULL, one, &all.port[i]))
			return fprintf(stderr, "stop: no thread\n"), 1;
	}
	for (unsigned int i = 0; parallel && i < all.n; i++) {
		void *bad;

		pthread_join(thread[i], &bad);
		failed += bad != NULL;
	}
	return failed;
}

/* The names up to "--"; what follows is left. */
static int take_names(int argc, char **argv)
{
	int used = 0;

	all.port = calloc(PORTS_MAX, sizeof(*all.port));
	if (!all.port)
		return -ENOMEM;
	for (; used < argc && strcmp(argv[used], "--") && all.n < PORTS_MAX; used++) {
		all.port[all.n].wwpn = strtoull(argv[used], NULL, 16);
		if (find(&all.port[all.n++]))
			return -ENODEV;
	}
	return used;
}

static const struct {
	const char *name;
	void *(*one)(void *);
	int words; /* before the WWPNs */
} verbs[] = {
	{"quiesce", quiesce_one, 2},
	{"disable", disable_one, 0},
	{"delete-devices", delete_one, 0},
	{"resume", resume_one, 0},
};

static int run(unsigned int verb, int argc, char **argv)
{
	bool parallel = verbs[verb].words == 0 || !strcmp(argv[0], "parallel");
	int at = verbs[verb].words, used, failed;
	struct monotime start;

	if (verbs[verb].words)
		all.drain_us = strtoull(argv[1], NULL, 10) * USEC_PER_MSEC;
	used = take_names(argc - at, argv + at);
	if (used <= 0)
		return 1;
	at += used + 1; /* the "--" */
	load_pause();
	start = mono_now();
	failed = run_all(verbs[verb].one, parallel);
	if (at < argc)
		failed += first_reads(argv + at, argc - at);
	printf("%" PRIu64 "\n", mono_since(mono_now(), start));
	return failed != 0;
}

int main(int argc, char **argv)
{
	for (unsigned int i = 0; argc > 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name) && argc > 2 + verbs[i].words)
			return run(i, argc - 2, argv + 2);
	fprintf(stderr,
		"usage: %s quiesce parallel|series DRAIN-MS WWPN... | disable|delete-devices WWPN... |\n"
		"       resume WWPN... -- DISK...\n",
		argv[0]);
	return 2;
}

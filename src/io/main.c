/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vhba-io: the vhost-user back end of one virtual machine. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cleanup.h"
#include "fdlimit.h"
#include "log.h"
#include "lun_option.h"
#include "sandbox.h"
#include "server.h"

struct options {
	struct device_config device;
	struct server_config server;
	const char *socket;
	bool no_sandbox, version;
	bool gate_closed, gate_by_start; /* by_start: until the front end starts its rings */
	enum log_level level;
	char *lun[LUN_NUMBERS];
	unsigned luns;
};

enum {
	OPT_SOCKET = 1,
	OPT_SOCKET_FD,
	OPT_CONTROL_FD,
	OPT_TAKE_OVER,
	OPT_GATE,
	OPT_LUN,
	OPT_DEVICE,
	OPT_WORKERS,
	OPT_DEADLINE,
	OPT_POLL_US,
	OPT_NEXUS,
	OPT_LIMIT_IOPS,
	OPT_LIMIT_MBPS,
	OPT_LIMIT_BURST,
	OPT_LOG_LEVEL,
	OPT_NO_SANDBOX,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"socket-fd", required_argument, NULL, OPT_SOCKET_FD},
	{"control-fd", required_argument, NULL, OPT_CONTROL_FD},
	{"take-over", no_argument, NULL, OPT_TAKE_OVER},
	{"gate", required_argument, NULL, OPT_GATE},
	{"lun", required_argument, NULL, OPT_LUN},
	{"device", required_argument, NULL, OPT_DEVICE},
	{"workers", required_argument, NULL, OPT_WORKERS},
	{"deadline", required_argument, NULL, OPT_DEADLINE},
	{"poll-us", required_argument, NULL, OPT_POLL_US},
	{"nexus", required_argument, NULL, OPT_NEXUS},
	{"limit-iops", required_argument, NULL, OPT_LIMIT_IOPS},
	{"limit-mbps", required_argument, NULL, OPT_LIMIT_MBPS},
	{"limit-burst", required_argument, NULL, OPT_LIMIT_BURST},
	{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
	{"no-sandbox", no_argument, NULL, OPT_NO_SANDBOX},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static void usage(FILE *f)
{
	fputs("usage: vhba-io --socket PATH | --socket-fd N  --lun N,file=PATH|fd=M|sd=PATH[,...]...\n"
	      "  --socket PATH      listen for the front end (QEMU) there\n"
	      "  --socket-fd N      a socket that listens, or is connected already\n"
	      "  --control-fd N     a SOCK_SEQPACKET socket for requests while it runs; connected, or it "
	      "listens\n"
	      "  --take-over        go on where another process ended, as the control socket says\n"
	      "  --gate WORD        open (default); start: until the front end starts the rings; closed: no "
	      "ring "
	      "is read\n"
	      "                     until the control socket says so\n"
	      "  --lun N,...        a logical unit: sd=, sg=, paths=guest, ro; or file=, fd=, state=, naa=, "
	      "serial=, "
	      "vendor=,\n"
	      "                     product=, revision=, block=, ro, rotational, nocache, nounmap, direct\n"
	      "  --device TYPE      scsi (default), or blk: one logical unit, number 0\n"
	      "  --workers N        threads that serve request queues (default: 1)\n"
	      "  --deadline TIME    from a stop to the last answer (default: 1s)\n"
	      "  --poll-us N        look for more so long before sleeping (default: 0)\n"
	      "  --nexus WWPN       the guest's port, as the disks' reservations know it\n"
	      "  --limit-iops N     so many commands a second, of all queues together\n"
	      "  --limit-mbps N     so many megabytes (10^6) a second\n"
	      "  --limit-burst TIME what was left of the limits may be caught up for so long (default: "
	      "100ms)\n"
	      "  --log-level LEVEL  error, warning, notice, info or debug (default: info)\n"
	      "  --no-sandbox       leave the system calls as they are\n"
	      "  --help, --version\n",
	      f);
}

static int number(const char *text, unsigned long min, unsigned long max, unsigned long *v)
{
	char *end;

	errno = 0;
	*v = strtoul(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || *v < min || *v > max ? -EINVAL : 0;
}

/* 16 hexadecimal digits, with or without colons or 0x */
static int wwpn(const char *text, uint64_t *v)
{
	char digits[17] = "";
	size_t n = 0;

	if (!strncmp(text, "0x", 2))
		text += 2;
	for (; *text; text++) {
		if (*text == ':')
			continue;
		if (n == 16 || !strchr("0123456789abcdefABCDEF", *text))
			return -EINVAL;
		digits[n++] = *text;
	}
	*v = strtoull(digits, NULL, 16);
	return n == 16 && *v ? 0 : -EINVAL;
}

static int fd_option(const char *text, int *fd)
{
	unsigned long n;

	if (number(text, 0, INT32_MAX, &n) || fcntl((int)n, F_SETFD, FD_CLOEXEC))
		return -EINVAL;
	*fd = (int)n;
	return 0;
}

static int socket_fd(const char *text, int *listening, int *connected)
{
	int fd, listens = 0;
	socklen_t len = sizeof(listens);

	if (fd_option(text, &fd) || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len))
		return -EINVAL;
	*(listens ? listening : connected) = fd;
	return 0;
}

static int gate_option(const char *text, struct options *o)
{
	o->gate_by_start = !strcmp(text, "start");
	o->gate_closed = o->gate_by_start || !strcmp(text, "closed");
	return o->gate_closed || !strcmp(text, "open") ? 0 : -EINVAL;
}

static int device_option(const char *text, const struct device_type **type)
{
	static const struct device_type *const types[] = {&device_type_scsi, &device_type_blk};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(text, types[i]->name))
			continue;
		*type = types[i];
		return 0;
	}
	return -EINVAL;
}

static int option(struct options *o, int opt, char *arg)
{
	unsigned long n = 0;
	int err = 0;

	switch (opt) {
	case OPT_SOCKET:
		o->socket = arg;
		return 0;
	case OPT_SOCKET_FD:
		return socket_fd(arg, &o->server.listen, &o->server.conn);
	case OPT_CONTROL_FD:
		return socket_fd(arg, &o->server.control_listen, &o->server.control);
	case OPT_TAKE_OVER:
		o->server.take_over = true;
		return 0;
	case OPT_GATE:
		return gate_option(arg, o);
	case OPT_LUN:
		if (o->luns == LUN_NUMBERS)
			return -EINVAL;
		o->lun[o->luns++] = arg;
		return 0;
	case OPT_DEVICE:
		return device_option(arg, &o->device.type);
	case OPT_WORKERS:
		err = number(arg, 1, DEVICE_WORKERS_MAX, &n);
		o->device.workers = (unsigned)n;
		return err;
	case OPT_DEADLINE:
		return duration_parse(arg, &o->device.deadline_us);
	case OPT_POLL_US:
		err = number(arg, 0, 1000000, &n);
		o->device.poll_us = n;
		return err;
	case OPT_NEXUS:
		o->device.locks = true;
		return wwpn(arg, &o->device.nexus);
	case OPT_LIMIT_IOPS:
		err = number(arg, 1, 1000000000, &n);
		o->device.commands_per_second = n;
		return err;
	case OPT_LIMIT_MBPS:
		err = number(arg, 1, 1000000, &n);
		o->device.bytes_per_second = n * 1000000;
		return err;
	case OPT_LIMIT_BURST:
		err = duration_parse(arg, &o->device.burst_us);
		return err || o->device.burst_us > 3600 * USEC_PER_SEC ? -EINVAL : 0;
	case OPT_LOG_LEVEL:
		return log_level_parse(arg, &o->level);
	case OPT_NO_SANDBOX:
		o->no_sandbox = true;
		return 0;
	case OPT_VERSION:
		o->version = true;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Do the options go together? A successor may get its LUNs and its connection from the control socket. */
static bool check(const struct options *o, bool alone)
{
	bool control = o->server.control >= 0 || o->server.control_listen >= 0;
	int sockets = !!o->socket + (o->server.listen >= 0) + (o->server.conn >= 0);

	if (o->device.type->luns == 1 && o->luns != 1 && (o->luns || !o->server.take_over))
		fprintf(stderr, "vhba-io: --device %s: expected one --lun, seen %u\n", o->device.type->name,
			o->luns);
	else if ((o->server.take_over || o->gate_closed) && !control)
		fprintf(stderr, "vhba-io: --take-over and --gate need --control-fd\n");
	else if (o->server.take_over && o->server.conn >= 0)
		fprintf(stderr, "vhba-io: with --take-over the connection comes by the control socket\n");
	else if (!alone || sockets > 1 || (!sockets && !o->server.take_over))
		fprintf(stderr, "vhba-io: expected one of --socket and --socket-fd, and options only\n");
	else
		return true;
	return false;
}

/* Returns 0, or the exit code. */
static int parse(int argc, char **argv, struct options *o)
{
	int opt, index = 0;

	while ((opt = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (opt == OPT_HELP) {
			usage(stdout);
			exit(0);
		}
		if (opt != '?' && !option(o, opt, optarg))
			continue;
		if (opt != '?')
			fprintf(stderr, "vhba-io: --%s: '%s' is not understood\n", long_options[index].name,
				optarg);
		usage(stderr);
		return 2;
	}
	if (o->version)
		return 0;
	if (check(o, optind == argc))
		return 0;
	usage(stderr);
	return 2;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO_FD int fd = -1;
	struct stat st;

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a.sun_path, path);
	/* what an earlier one left; never anything else */
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		return -1;
	return steal_fd(&fd);
}

/* Each LUN, path and ring has some, and what is kept for a successor has copies. */
static int signals(void)
{
	sigset_t s;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&s);
	sigaddset(&s, SIGTERM);
	sigaddset(&s, SIGINT);
	sigaddset(&s, SIGHUP);
	sigprocmask(SIG_BLOCK, &s, NULL);
	return signalfd(-1, &s, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int say(const struct verror *e)
{
	char line[1024];

	log_err("%s", verror_line(e, line, sizeof(line)));
	return 1;
}

static int add_lun(const struct options *o, struct device *d, char *text, struct verror *e)
{
	const struct lun_source from = {.files = true};
	struct lun *l = lun_parse(text, &from, e);

	if (!l)
		return -EINVAL;
	if (!device_lun_add(d, l))
		return 0;
	verror_set(e, VHBA_E_USAGE,
		   l->number < o->device.type->luns ? "LUN %u is given twice"
						    : "the LUN of such a device is 0, not %u",
		   l->number);
	lun_free(l);
	return -EEXIST;
}

static int add_luns(struct options *o, struct device *d, struct verror *e)
{
	int err = 0;

	for (unsigned i = 0; i < o->luns && !err; i++) {
		char *each[PATHS_MAX];
		unsigned n = lun_each(o->lun[i], each, e);

		err = n ? 0 : -EINVAL;
		for (unsigned j = 0; j < n; j++) {
			if (!err)
				err = add_lun(o, d, each[j], e);
			free(each[j]);
		}
	}
	return err;
}

static int run(struct options *o)
{
	struct verror e = {0};
	struct device *d;
	int err;

	fdlimit_raise(); /* with fewer, a front end of few regions and rings is served all the same */
	o->server.signals = signals();
	if (o->socket) {
		o->server.listen = listen_at(o->socket);
		if (o->server.listen < 0) {
			verror_set(&e, VHBA_E_IO, "can't listen at %s: %s", o->socket, strerror(errno));
			return say(&e);
		}
	}
	d = device_new(&o->device, &e);
	if (!d)
		return say(&e);
	err = add_luns(o, d, &e);
	if (!err && !o->no_sandbox)
		err = sandbox_enter(&e);
	if (err) {
		device_free(d);
		return say(&e);
	}
	d->gate_by_start = o->gate_by_start;
	if (o->gate_closed)
		device_bar(d, BAR_GATE, true);
	err = server_run(&o->server, d);
	if (err == SERVER_LEFT)
		return 0; /* the threads' memory goes with the process */
	device_free(d);
	close(o->server.signals);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.device = {.type = &device_type_scsi,
			   .workers = 1,
			   .blocking = 8,
			   .deadline_us = USEC_PER_SEC,
			   .nexus = 1,
			   .burst_us = 100 * USEC_PER_MSEC},
		.server = {.listen = -1, .conn = -1, .control = -1, .control_listen = -1},
		.level = LOG_LEVEL_INFO,
	};
	int code = parse(argc, argv, &o);

	if (code)
		return code;
	if (o.version) {
		printf("vhba-io %s\n", PACKAGE_VERSION);
		return 0;
	}
	log_open("vhba-io", o.level);
	return run(&o);
}

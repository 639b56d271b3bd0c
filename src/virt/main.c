/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "log.h"
#include "virt.h"

static void usage(FILE *f)
{
	fprintf(f,
		"usage: vhba-virt [OPTION]...\n"
		"Keeps libvirt's storage pools as vhbad wants them, and does what vhbad asks with "
		"domains; see "
		"vhba-virt(8).\n"
		"  --socket P      vhbad's socket (default: " VHBA_SOCKET ")\n"
		"  --connect URI   libvirt's, for pools (default: storage:///system)\n"
		"  --domains URI   libvirt's, for domains (default: qemu:///system)\n"
		"  --links DIR     where the pools' folders of links are (default: /dev/vhba)\n"
		"  --by DIR        where udev's names of the disks are (default: /dev/disk/by-npiv)\n"
		"  --notes DIR     where migrations that are under way are noted (default: /run/vhba-virt)\n"
		"  --log-level L   err, warning, notice, info, debug (default: notice)\n"
		"  --help          this text\n"
		"  --version       the version\n");
}

static const struct option longs[] = {
	{"socket", required_argument, NULL, 's'},    {"connect", required_argument, NULL, 'c'},
	{"domains", required_argument, NULL, 'd'},   {"links", required_argument, NULL, 'l'},
	{"by", required_argument, NULL, 'b'},	     {"notes", required_argument, NULL, 'n'},
	{"log-level", required_argument, NULL, 'L'}, {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},	     {0},
};

/* -1: go on; else the exit code. */
static int read_options(struct virt_options *o, int argc, char **argv)
{
	enum log_level level;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			o->socket = optarg;
		else if (c == 'c')
			o->uri = optarg;
		else if (c == 'd')
			o->domains = optarg;
		else if (c == 'l')
			o->links = optarg;
		else if (c == 'b')
			o->by = optarg;
		else if (c == 'n')
			o->notes = optarg;
		else if (c == 'L' && !log_level_parse(optarg, &level))
			log_set_level(level);
		else if (c == 'h')
			return usage(stdout), 0;
		else if (c == 'V')
			return puts("vhba-virt " VHBA_VERSION), 0;
		else
			return usage(stderr), 2;
	}
	if (optind == argc && strlen(o->links) < 200)
		return -1;
	usage(stderr);
	return 2;
}

static void on_stopped(struct virt *v)
{
	sd_event_exit(v->loop, 0);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *user)
{
	(void)s;
	(void)si;
	sd_notify(0, "STOPPING=1");
	virt_stop(user, on_stopped);
	return 0;
}

static int run(const struct virt_options *o)
{
	struct verror e = {0};
	struct virt v;
	char line[512];
	sigset_t set;
	sd_event *loop;

	/* Before any thread, which then has them blocked too. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (sd_event_default(&loop) < 0 || sd_event_add_signal(loop, NULL, SIGTERM, on_signal, &v) < 0 ||
	    sd_event_add_signal(loop, NULL, SIGINT, on_signal, &v) < 0 || lv_init(&e) ||
	    virt_begin(&v, loop, o, &e)) {
		log_err("%s", e.kind ? verror_line(&e, line, sizeof(line)) : "no event loop");
		return 1;
	}
	sd_notify(0, "READY=1");
	sd_event_loop(loop);
	if (!virt_end(&v))
		_exit(0); /* a thread of ours is still in libvirt: what it does there goes on without us */
	sd_event_unref(loop);
	return 0;
}

int main(int argc, char **argv)
{
	struct virt_options o = {.uri = "storage:///system",
				 .domains = "qemu:///system",
				 .links = "/dev/vhba",
				 .by = "/dev/disk/by-npiv",
				 .notes = "/run/vhba-virt"};
	int r;

	log_open("vhba-virt", LOG_LEVEL_NOTICE);
	r = read_options(&o, argc, argv);
	return r >= 0 ? r : run(&o);
}
